"""A token that two services share: made for them, changed each week, read by one role from inside."""

import aws_cdk as cdk

from secure_ml_constructs import DataPerimeter, EnvironmentKeys, ManagedSecret, SecretRotation, SecureVpc
from secure_ml_constructs.identity import Rotation


def build(app: cdk.App) -> cdk.Stack:
    """Make the network, the function that rotates, and the secret."""
    stack = cdk.Stack(app, "Secrets")
    perimeter = DataPerimeter()
    keys = EnvironmentKeys(stack, "Keys", perimeter=perimeter)
    vpc = SecureVpc(stack, "Vpc", perimeter=perimeter, logs_key=keys.logs)
    rotation = SecretRotation(
        stack,
        "Rotation",
        perimeter=perimeter,
        key=keys.secrets,
        logs_key=keys.logs,
        subnets=vpc.isolated_subnet_ids,
        security_group=vpc.workload_security_group_id,
    )
    secret = ManagedSecret(
        stack,
        "ServiceToken",
        perimeter=perimeter,
        key=keys.secrets,
        endpoints=[vpc.endpoint_ids["secretsmanager"]],
        rotation=Rotation(by=rotation, days=7),
        readers=["arn:${AWS::Partition}:iam::${AWS::AccountId}:role/secure-ml/serving"],
    )
    cdk.CfnOutput(stack, "TokenArn", value=secret.secret_arn)
    return stack


if __name__ == "__main__":
    app = cdk.App()
    build(app)
    app.synth()
