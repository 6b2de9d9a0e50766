"""Packages without a way out: a pipeline publishes the hospital's own, a data scientist installs all."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from secure_ml_constructs import (
    DataPerimeter,
    EnvironmentKeys,
    PackageRepository,
    PackageSource,
    SecureVpc,
)


def build(app: cdk.App) -> cdk.Stack:
    """Make the network, the repository and two roles that use it."""
    stack = cdk.Stack(app, "Packages")
    perimeter = DataPerimeter()
    keys = EnvironmentKeys(stack, "Keys", perimeter=perimeter)
    vpc = SecureVpc(
        stack,
        "Vpc",
        perimeter=perimeter,
        logs_key=keys.logs,
    )
    packages = PackageRepository(
        stack,
        "Packages",
        perimeter=perimeter,
        key=keys.model,
        endpoints=[
            vpc.endpoint_ids["codeartifact.api"],
            vpc.endpoint_ids["codeartifact.repositories"],
        ],
        sources=[
            PackageSource.pypi(internal=["hospital"]),
            PackageSource.npm(internal=["@hospital"], public=["react", "@types/node"]),
        ],
    )
    boundary = iam.ManagedPolicy.from_managed_policy_name(stack, "Boundary", "ml-boundary")
    scientist, pipeline = (
        iam.Role(
            stack,
            name,
            path=perimeter.role_path,
            assumed_by=iam.ServicePrincipal(
                "sagemaker.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
            ),
            permissions_boundary=boundary,
        )
        for name in ("Scientist", "Pipeline")
    )
    packages.grant_read(scientist)
    packages.grant_publish(pipeline)
    cdk.CfnOutput(stack, "PipConf", value=packages.pip_conf)
    return stack


if __name__ == "__main__":
    app = cdk.App()
    build(app)
    app.synth()
