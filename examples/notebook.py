"""A notebook instance with its code from CodeCommit, opened by one person from inside."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from secure_ml_constructs import (
    DataPerimeter,
    Endpoints,
    EnvironmentKeys,
    GitRepository,
    NotebookMachine,
    SecureNotebook,
    SecureVpc,
)


def build(app: cdk.App) -> cdk.Stack:
    """Make the network with the endpoint that notebooks are opened by, and the instance."""
    stack = cdk.Stack(app, "Notebook")
    perimeter = DataPerimeter()
    keys = EnvironmentKeys(stack, "Keys", perimeter=perimeter)
    vpc = SecureVpc(
        stack,
        "Vpc",
        perimeter=perimeter,
        logs_key=keys.logs,
        endpoints=Endpoints(extra=("sagemaker.notebook", "git-codecommit")),
    )
    role = iam.Role(
        stack,
        "Role",
        path=perimeter.role_path,
        assumed_by=iam.ServicePrincipal(
            "sagemaker.amazonaws.com",
            conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
        ),
        permissions_boundary=iam.ManagedPolicy.from_managed_policy_name(stack, "Boundary", "ml-boundary"),
    )
    notebook = SecureNotebook(
        stack,
        "Triage",
        perimeter=perimeter,
        keys=keys,
        network=vpc,
        role=role,
        machine=NotebookMachine(instance_type="ml.m5.xlarge", volume_gb=50, idle_minutes=30),
        repository=GitRepository(
            url=f"https://git-codecommit.{cdk.Aws.REGION}.amazonaws.com/v1/repos/triage"
        ),
    )
    notebook.grant_open(iam.Role.from_role_name(stack, "Anna", "sso-anna"))
    cdk.CfnOutput(stack, "NotebookArn", value=notebook.notebook_arn)
    return stack


if __name__ == "__main__":
    app = cdk.App()
    build(app)
    app.synth()
