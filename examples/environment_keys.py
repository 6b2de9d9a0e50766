"""A customer key for each class of data, and a role that reads one of them through S3."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from secure_ml_constructs import DataPerimeter, EnvironmentKeys


def build(app: cdk.App) -> cdk.Stack:
    """Make the keys, and a role under the environment's path."""
    stack = cdk.Stack(app, "Keys")
    perimeter = DataPerimeter(
        administrators=("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/ml-administrator",),
        break_glass_roles=("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/ml-break-glass",),
    )
    keys = EnvironmentKeys(stack, "Keys", perimeter=perimeter, rotation_days=180)
    role = iam.CfnRole(
        stack,
        "Reader",
        path=perimeter.role_path,
        permissions_boundary=cdk.Fn.sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/ml-boundary"),
        assume_role_policy_document=perimeter.service_trust("sagemaker.amazonaws.com"),
    )
    cdk.CfnOutput(stack, "DataKey", value=keys.data.key_arn)
    cdk.CfnOutput(stack, "ReaderRole", value=role.attr_arn)
    return stack


if __name__ == "__main__":
    app = cdk.App()
    build(app)
    app.synth()
