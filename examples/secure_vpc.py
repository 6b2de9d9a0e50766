"""A VPC without a way out in three zones, with a group of its own for one team's jobs."""

import aws_cdk as cdk

from secure_ml_constructs import DataPerimeter, EndpointProfile, Endpoints, EnvironmentKeys, SecureVpc
from secure_ml_constructs.network import AddressPlan


def build(app: cdk.App) -> cdk.Stack:
    """Make the network, and give other stacks what they ask of it."""
    stack = cdk.Stack(app, "Network")
    perimeter = DataPerimeter(organization="o-a1b2c3d4e5")
    keys = EnvironmentKeys(stack, "Keys", perimeter=perimeter)
    vpc = SecureVpc(
        stack,
        "Vpc",
        perimeter=perimeter,
        logs_key=keys.logs,
        cidr=AddressPlan(cidr="10.40.0.0/16", apart_from=("10.0.0.0/12", "192.168.0.0/16")),
        availability_zones=3,
        endpoints=Endpoints(
            profile=EndpointProfile.STUDIO,
            extra=("bedrock-runtime", "servicecatalog"),
            without=("sagemaker.experiments",),
            zones={"codeartifact.api": (0, 1), "codeartifact.repositories": (0, 1)},
        ),
    )
    team = vpc.add_job_group("Radiology", efa=True)
    cdk.CfnOutput(stack, "Subnets", value=",".join(vpc.isolated_subnet_ids))
    cdk.CfnOutput(stack, "JobGroup", value=team.security_group_id)
    cdk.CfnOutput(stack, "S3Endpoints", value=",".join(vpc.s3_endpoint_ids))
    return stack


if __name__ == "__main__":
    app = cdk.App()
    build(app)
    app.synth()
