"""Shared subnets that the network team owns, with the endpoints it already pays for."""

import aws_cdk as cdk

from secure_ml_constructs import DataPerimeter, EndpointProfile, Endpoints, EnvironmentKeys, SecureVpc
from secure_ml_constructs.network import ExistingGroups, ExistingSubnet, ExistingVpc


def build(app: cdk.App) -> cdk.Stack:
    """Take the network, and make what it lacks."""
    stack = cdk.Stack(app, "Network")
    perimeter = DataPerimeter(organization="o-a1b2c3d4e5")
    keys = EnvironmentKeys(stack, "Keys", perimeter=perimeter)
    network = SecureVpc.from_existing(
        stack,
        "Vpc",
        perimeter=perimeter,
        logs_key=keys.logs,
        existing=ExistingVpc(
            vpc="vpc-0a1b2c3d4e5f60718",
            subnets=[
                ExistingSubnet(availability_zone="eu-central-1a", subnet_id="subnet-0a1b2c3d4e5f60718"),
                ExistingSubnet(availability_zone="eu-central-1b", subnet_id="subnet-0a1b2c3d4e5f60719"),
            ],
            endpoints={
                "s3": "vpce-0a1b2c3d4e5f60718",
                "dynamodb": "vpce-0a1b2c3d4e5f60719",
                "sts": "vpce-0a1b2c3d4e5f6071a",
                "kms": "vpce-0a1b2c3d4e5f6071b",
            },
            # The network team's account: it lets our groups in.
            groups=ExistingGroups(endpoints="sg-0a1b2c3d4e5f60718", admit=False),
        ),
        endpoints=Endpoints(profile=EndpointProfile.MINIMAL),
    )
    cdk.CfnOutput(stack, "Subnets", value=",".join(network.isolated_subnet_ids))
    return stack


if __name__ == "__main__":
    app = cdk.App()
    build(app)
    app.synth()
