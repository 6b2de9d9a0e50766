"""A lake of one's own zones: a locked trial dataset, and a training role that sees two zones and no more."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from secure_ml_constructs import (
    DataPerimeter,
    EncryptedDataLake,
    EnvironmentKeys,
    KeyClass,
    LogArchive,
    SecureVpc,
    Zone,
)
from secure_ml_constructs.storage import DatasetLock

ZONES = (
    Zone(name="imaging", personal_data=True, archive_days=365),
    Zone(name="trial-2026", lock=DatasetLock(days=3650)),
    Zone(name="models", key_class=KeyClass.MODEL),
)


def build(app: cdk.App) -> cdk.Stack:
    """Make the lake between its keys and its users."""
    stack = cdk.Stack(app, "Lake")
    perimeter = DataPerimeter()
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
        zones=ZONES,
    )
    training = iam.Role(
        stack,
        "Training",
        path=perimeter.role_path,
        assumed_by=iam.ServicePrincipal(
            "sagemaker.amazonaws.com",
            conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
        ),
        permissions_boundary=iam.ManagedPolicy.from_managed_policy_name(stack, "Boundary", "ml-boundary"),
    )
    lake.grant_read("trial-2026", training)
    lake.grant_write("models", training)
    cdk.CfnOutput(stack, "TrialData", value=lake.zone_uri("trial-2026"))
    return stack


if __name__ == "__main__":
    app = cdk.App()
    build(app)
    app.synth()
