"""What SageMaker needs a role for, whatever the work: images, network interfaces, encrypted volumes, metrics.

Amazon SageMaker AI: How to use SageMaker AI execution roles (CreateTrainingJob, CreateProcessingJob and
CreateModel API: execution role permissions).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from secure_ml_constructs._acknowledge import NAMED_BY_AWS, NO_RESOURCE
from secure_ml_constructs._cdk import account, partition, region
from secure_ml_constructs.policy import Statement, allow, sub

# What pulling an image by its name takes.
PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_DESCRIBE_NETWORK = (
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
)
_EC2 = "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:"
_ECR = "arn:${AWS::Partition}:ecr:${AWS::Region}:"
_ANY_IMAGE = (
    "Any repository of this account, whose images come in by its own builds, or of those accounts of AWS "
    "that the condition names."
)
# Each resource with a wildcard, and why.
WILDCARDS = {
    "*": NO_RESOURCE,
    f"{_EC2}network-interface/*": NAMED_BY_AWS,
    f"{_ECR}${{AWS::AccountId}}:repository/*": _ANY_IMAGE,
    f"{_ECR}*:repository/*": _ANY_IMAGE,
}


def volume_statements(keys: Sequence[str]) -> Iterator[Statement]:
    """Give what volumes under customer keys need: the one who starts work, and the work itself.

    Args:
        keys: ARNs of the keys of volumes.
    """
    # Amazon SageMaker AI API permissions reference: kms:CreateGrant where a volume has a key.
    yield allow(
        "Volumes", "kms:CreateGrant", list(keys), condition={"Bool": {"kms:GrantIsForAWSResource": "true"}}
    )
    yield allow("LookAtKeys", "kms:DescribeKey", list(keys))


def image_statements(registries: Any) -> list[Statement]:
    """Give what pulling images takes: from our registry, and from those of AWS that SageMaker's lie in.

    Args:
        registries: AWS's accounts with SageMaker's images, as a list or an intrinsic that gives one.
    """
    return [
        allow("SignInToRegistries", "ecr:GetAuthorizationToken"),
        allow("OurImages", PULL, sub(f"{_ECR}${{AWS::AccountId}}:repository/*")),
        allow(
            "AwsImages",
            PULL,
            sub(f"{_ECR}*:repository/*"),
            condition={"StringEquals": {"aws:ResourceAccount": registries}},
        ),
    ]


def execution_statements(
    *, keys: Sequence[str], subnets: Sequence[str], groups: Sequence[str]
) -> list[Statement]:
    """Give what every job and every model needs of its role beside its image.

    Args:
        keys: ARNs of the keys of volumes.
        subnets: Ids of the subnets that work runs in.
        groups: Ids of the security groups that it may be in.
    """
    interfaces = sub(f"{_EC2}network-interface/*")
    places = [_ec2_arn("subnet", each) for each in subnets]
    return [
        allow("LookAtNetwork", _DESCRIBE_NETWORK),
        allow(
            "Interfaces",
            "ec2:CreateNetworkInterface",
            [interfaces, *places, *(_ec2_arn("security-group", each) for each in groups)],
        ),
        # Such a permission hands an interface to another account, here SageMaker's: only one of our subnets.
        allow(
            "InterfacesToSageMaker",
            (
                "ec2:CreateNetworkInterfacePermission",
                "ec2:DeleteNetworkInterface",
                "ec2:DeleteNetworkInterfacePermission",
            ),
            interfaces,
            condition={"ArnEquals": {"ec2:Subnet": places}},
        ),
        allow(
            "Metrics",
            "cloudwatch:PutMetricData",
            condition={"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}},
        ),
        *volume_statements(keys),
    ]


def _ec2_arn(kind: str, id: str) -> str:
    # Ids are tokens, which Fn::Sub would take for a name of its own.
    return f"arn:{partition()}:ec2:{region()}:{account()}:{kind}/{id}"
