"""An archive that a team tries out for a year, and a lake whose server access logs end in it."""

import aws_cdk as cdk

from secure_ml_constructs import DataPerimeter, EncryptedDataLake, EnvironmentKeys, LogArchive
from secure_ml_constructs.audit import ObjectLockMode

ENDPOINTS = ["vpce-0a1b2c3d4e5f60718"]


def build(app: cdk.App) -> cdk.Stack:
    """Make the archive in governance mode: its retention could still be given up by whoever deploys it."""
    stack = cdk.Stack(app, "Archive")
    perimeter = DataPerimeter()
    keys = EnvironmentKeys(stack, "Keys", perimeter=perimeter)
    archive = LogArchive(
        stack,
        "Archive",
        perimeter=perimeter,
        key=keys.logs,
        endpoints=ENDPOINTS,
        retention_days=365,
        mode=ObjectLockMode.GOVERNANCE,
        writers=["arn:${AWS::Partition}:iam::${AWS::AccountId}:role/secure-ml/service/audit-report"],
    )
    EncryptedDataLake(
        stack,
        "Lake",
        perimeter=perimeter,
        keys=keys,
        endpoints=ENDPOINTS,
        access_logs=archive.access_log_bucket,
    )
    cdk.CfnOutput(stack, "ArchiveBucket", value=archive.bucket_name)
    return stack


if __name__ == "__main__":
    app = cdk.App()
    build(app)
    app.synth()
