"""Guardrails for the organizational unit of an ML environment: written as files, and as a stack."""

import sys
from pathlib import Path

import aws_cdk as cdk

from secure_ml_constructs import (
    DataPerimeter,
    OrganizationGuardrails,
    OrganizationPolicies,
    SageMakerGuardrails,
    WorkLimits,
)

PERIMETER = DataPerimeter(
    organization="o-a1b2c3d4e5",
    administrators=("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/ml-platform-administrator",),
    break_glass_roles=("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/ml-break-glass",),
)
# From the outputs of the environment's stacks.
GUARDRAILS = OrganizationGuardrails(
    perimeter=PERIMETER,
    regions=("eu-central-1",),
    endpoints=("vpce-0a1b2c3d4e5f60718", "vpce-0a1b2c3d4e5f60719"),
    sagemaker=SageMakerGuardrails(
        perimeter=PERIMETER,
        subnets=("subnet-0a1b2c3d4e5f60711", "subnet-0a1b2c3d4e5f60712"),
        security_groups=("sg-0a1b2c3d4e5f60711",),
        keys=("arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-0000-0000-0000-000000000001",),
        limits=WorkLimits(instance_types=("ml.t3.*", "ml.m5.*", "ml.g5.xlarge"), run_time_seconds=6 * 3600),
        pipeline_roles=("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/secure-ml/pipeline",),
        approving_roles=("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/secure-ml/approver",),
    ),
)


def build(app: cdk.App) -> cdk.Stack:
    """Make the policies: the account gets those that name its subnets and keys, its unit the others."""
    stack = cdk.Stack(app, "Guardrails")
    OrganizationPolicies(
        stack,
        "Policies",
        guardrails=GUARDRAILS,
        targets=("ou-ab12-0a1b2c3d",),
        work_targets=("111122223333",),
    )
    return stack


if __name__ == "__main__":
    if len(sys.argv) > 1:
        for path in GUARDRAILS.write(Path(sys.argv[1])):
            print(path)
    else:
        app = cdk.App()
        build(app)
        app.synth()
