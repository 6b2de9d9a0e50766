"""A Studio domain with two teams, each in a stack of its own, signed in by IAM Identity Center."""

import aws_cdk as cdk

from secure_ml_constructs import (
    DataPerimeter,
    EncryptedDataLake,
    EnvironmentKeys,
    GuardrailPolicies,
    LogArchive,
    Persona,
    RoleFoundation,
    SageMakerGuardrails,
    SecureStudioDomain,
    SecureVpc,
    StudioApps,
    StudioAuth,
    StudioUser,
    WorkBoundary,
)
from secure_ml_constructs.identity import approving_roles, pipeline_roles
from secure_ml_constructs.studio import StudioApp


def build(app: cdk.App) -> cdk.Stack:
    """Make what teams stand on, the domain, and the teams; give the domain's stack."""
    base = cdk.Stack(app, "Base")
    perimeter = DataPerimeter()
    keys = EnvironmentKeys(base, "Keys", perimeter=perimeter)
    vpc = SecureVpc(base, "Vpc", perimeter=perimeter, logs_key=keys.logs)
    archive = LogArchive(base, "Archive", perimeter=perimeter, key=keys.logs, endpoints=vpc.s3_endpoint_ids)
    lake = EncryptedDataLake(
        base,
        "Lake",
        perimeter=perimeter,
        keys=keys,
        endpoints=vpc.s3_endpoint_ids,
        access_logs=archive.access_log_bucket,
    )
    guardrails = SageMakerGuardrails(
        perimeter=perimeter,
        subnets=vpc.isolated_subnet_ids,
        security_groups=(vpc.workload_security_group_id, vpc.job_security_group_id),
        keys=(keys.data.key_arn, keys.model.key_arn, keys.workspace.key_arn),
        approving_roles=approving_roles(perimeter),
        pipeline_roles=pipeline_roles(perimeter),
    )
    foundation = RoleFoundation(
        base,
        "People",
        perimeter=perimeter,
        keys=keys,
        lake=lake,
        network=vpc,
        boundary=WorkBoundary(base, "Boundary", perimeter=perimeter, network=vpc),
        guardrails=GuardrailPolicies(base, "Guardrails", guardrails=guardrails),
    )
    stack = cdk.Stack(app, "Studio")
    studio = SecureStudioDomain(
        stack,
        "Studio",
        perimeter=perimeter,
        keys=keys,
        network=vpc,
        auth=StudioAuth.identity_center(),
        apps=StudioApps(types=(StudioApp.JUPYTER_LAB, StudioApp.CODE_EDITOR), idle_minutes=90),
    )
    studio.add_team(
        "radiology",
        foundation=foundation,
        users=[
            StudioUser(name="anna", identity_center_user="anna@hospital.example"),
            StudioUser(name="ben", identity_center_user="ben@hospital.example", persona=Persona.ML_ENGINEER),
        ],
        reads=["curated"],
        writes=["features", "models"],
        scope=cdk.Stack(app, "Radiology"),
    )
    studio.add_team(
        "cardiology",
        foundation=foundation,
        users=[StudioUser(name="cleo", identity_center_user="cleo@hospital.example")],
        reads=["features"],
        writes=["output"],
        scope=cdk.Stack(app, "Cardiology"),
    )
    return stack


if __name__ == "__main__":
    app = cdk.App()
    build(app)
    app.synth()
