"""Two teams on one lake: roles by persona, each to its own zones, and the three roles beside the teams."""

import aws_cdk as cdk

from secure_ml_constructs import (
    DataPerimeter,
    EncryptedDataLake,
    EnvironmentKeys,
    GuardrailPolicies,
    LogArchive,
    PrivilegedRoles,
    RoleFoundation,
    SageMakerGuardrails,
    SecureVpc,
    SignIn,
    TeamRoles,
    WorkBoundary,
    WorkLogs,
)
from secure_ml_constructs.identity import SessionTag, approving_roles, pipeline_roles

ROLE = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role"
SIGN_IN = SignIn.saml(
    provider_arn="arn:${AWS::Partition}:iam::${AWS::AccountId}:saml-provider/Hospital",
    session_tag=SessionTag("mfa"),
)


def build(app: cdk.App) -> cdk.Stack:
    """Make what roles stand on, and two teams."""
    stack = cdk.Stack(app, "People")
    perimeter = DataPerimeter(
        administrators=(f"{ROLE}/ml-administration/*",), break_glass_roles=(f"{ROLE}/ml-emergency/*",)
    )
    keys = EnvironmentKeys(stack, "Keys", perimeter=perimeter)
    vpc = SecureVpc(stack, "Vpc", perimeter=perimeter, logs_key=keys.logs)
    archive = LogArchive(stack, "Archive", perimeter=perimeter, key=keys.logs, endpoints=vpc.s3_endpoint_ids)
    lake = EncryptedDataLake(
        stack,
        "Lake",
        perimeter=perimeter,
        keys=keys,
        endpoints=vpc.s3_endpoint_ids,
        access_logs=archive.access_log_bucket,
        catalog=False,
    )
    guardrails = SageMakerGuardrails(
        perimeter=perimeter,
        subnets=vpc.isolated_subnet_ids,
        security_groups=(vpc.job_security_group_id, vpc.workload_security_group_id),
        keys=(keys.data.key_arn, keys.model.key_arn, keys.workspace.key_arn),
        pipeline_roles=pipeline_roles(perimeter),
        approving_roles=approving_roles(perimeter),
    )
    foundation = RoleFoundation(
        stack,
        "Roles",
        perimeter=perimeter,
        keys=keys,
        lake=lake,
        network=vpc,
        boundary=WorkBoundary(stack, "Boundary", perimeter=perimeter, network=vpc),
        guardrails=GuardrailPolicies(stack, "Guardrails", guardrails=guardrails),
    )
    WorkLogs(stack, "WorkLogs", key=keys.logs)
    TeamRoles(
        stack,
        "Radiology",
        foundation=foundation,
        team="radiology",
        reads=["curated", "output"],
        writes=["output", "models"],
    )
    TeamRoles(stack, "Cardiology", foundation=foundation, team="cardiology", reads=["features"])
    PrivilegedRoles(stack, "Privileged", perimeter=perimeter, network=vpc, sign_in=SIGN_IN)
    return stack


if __name__ == "__main__":
    app = cdk.App()
    build(app)
    app.synth()
