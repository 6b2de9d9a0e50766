"""The entries of the perimeter: whom it lets through and what of AWS's own, each with its reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from secure_ml_constructs.errors import Problems

_ROLE_ARN = re.compile(
    r"arn:(?:aws|aws-cn|aws-us-gov|\$\{AWS::Partition\}):iam::(?:\d{12}|\$\{AWS::AccountId\}):"
    r"role/(?P<name>[\w+=,.@/*-]|\$\{AWS::(?:Region|AccountId)\})+",
    re.ASCII,
)


@dataclass(frozen=True, kw_only=True)
class PerimeterException:
    """Someone whom the network condition lets through, and why.

    Attributes:
        name: A short name; shown in reports.
        reason: Why the exception has to stand: read by auditors.
        principals: Role ARNs or patterns of them (`aws:PrincipalArn`).
        context_key: `aws:ViaAWSService` or `aws:PrincipalIsAWSService`, where the exception is not a role
            but a way in which AWS itself makes the request.
    """

    name: str
    reason: str
    principals: tuple[str, ...] = ()
    context_key: str | None = None


@dataclass(frozen=True, kw_only=True)
class AwsOwnedResource:
    """Something of AWS's own that SageMaker needs and an endpoint policy has to let through.

    Attributes:
        name: A short name; part of the statement's Sid.
        service: The endpoint it is reached by, as in the endpoint's service name (`s3`, `ecr.api`).
        actions: The actions allowed, reads only.
        resources: Their ARNs, with CloudFormation placeholders.
        reason: Why the environment needs it.
        accounts: AWS's accounts that the resources must belong to, as a list or an intrinsic that gives one.
            Needed where the ARNs' account is a wildcard.
        signed_by_aws: True where AWS signs the request (a presigned URL that a service hands out), so that
            a condition on our principals would refuse it.
    """

    name: str
    service: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    reason: str
    accounts: Any = ()
    signed_by_aws: bool = False


FORWARDED_CALLS = PerimeterException(
    name="calls a service makes for the caller",
    reason="Athena reading S3, S3 using a key: such a call carries the caller's identity and no VPC context. "
    "Bounded by the identity policy of the caller. (AWS global condition context keys: aws:ViaAWSService)",
    context_key="aws:ViaAWSService",
)
SERVICE_PRINCIPALS = PerimeterException(
    name="service principals",
    reason="Log delivery and replication are made by AWS itself, outside any VPC; each needs an Allow of its "
    "own with a source account. (AWS global condition context keys: aws:PrincipalIsAWSService)",
    context_key="aws:PrincipalIsAWSService",
)
MACIE = PerimeterException(
    name="Macie",
    reason="Its service-linked role reads objects to discover sensitive data, from AWS's own network. "
    "(Amazon Macie: Allowing Macie to access S3 buckets and objects)",
    principals=(
        "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/aws-service-role/macie.amazonaws.com/"
        "AWSServiceRoleForAmazonMacie",
    ),
)
LAKE_FORMATION = PerimeterException(
    name="Lake Formation",
    reason="Its service-linked role vends scoped credentials for registered locations. "
    "(AWS Lake Formation: Using service-linked roles)",
    principals=(
        "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/aws-service-role/lakeformation.amazonaws.com/"
        "AWSServiceRoleForLakeFormationDataAccess",
    ),
)
DEFAULT_EXCEPTIONS = (FORWARDED_CALLS, SERVICE_PRINCIPALS, MACIE, LAKE_FORMATION)

IMAGE_LAYERS = AwsOwnedResource(
    name="EcrImageLayers",
    service="s3",
    actions=("s3:GetObject",),
    resources=("arn:${AWS::Partition}:s3:::prod-${AWS::Region}-starport-layer-bucket/*",),
    reason="ECR keeps image layers here and hands out presigned URLs. "
    "(Amazon ECR interface VPC endpoints: minimum Amazon S3 bucket permissions)",
    signed_by_aws=True,
)
JUMPSTART = AwsOwnedResource(
    name="JumpStart",
    service="s3",
    actions=("s3:GetObject", "s3:ListBucket"),
    resources=(
        "arn:${AWS::Partition}:s3:::jumpstart-cache-prod-${AWS::Region}",
        "arn:${AWS::Partition}:s3:::jumpstart-cache-prod-${AWS::Region}/*",
    ),
    reason="SageMaker JumpStart models and their scripts. (Amazon SageMaker AI: JumpStart in a VPC)",
)
CODEARTIFACT_ASSETS = AwsOwnedResource(
    name="CodeArtifactAssets",
    service="s3",
    actions=("s3:GetObject",),
    # Another account in each region: whole names, so that nobody's bucket of a like name passes. For a
    # region that is not here, `aws codeartifact describe-domain` tells the bucket.
    resources=tuple(
        f"arn:${{AWS::Partition}}:s3:::assets-{bucket}/*"
        for bucket in (
            *("193858265520-us-east-1", "250872398865-us-east-2", "787052242323-us-west-2"),
            *("438097961670-eu-west-1", "769407342218-eu-central-1", "611884512288-eu-north-1"),
            *("660291247815-ap-northeast-1", "421485864821-ap-southeast-1"),
            *("860415559748-ap-southeast-2", "681137435769-ap-south-1"),
        )
    ),
    reason="CodeArtifact keeps packages here and hands out presigned URLs. "
    "(AWS CodeArtifact: Create the Amazon S3 gateway endpoint)",
    signed_by_aws=True,
)
FOUNDATION_MODELS = AwsOwnedResource(
    name="FoundationModels",
    service="bedrock-runtime",
    actions=("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"),
    resources=("arn:${AWS::Partition}:bedrock:${AWS::Region}::foundation-model/*",),
    reason="Foundation models belong to no account. (Amazon Bedrock: Identity-based policy examples)",
)
JUMPSTART_HUB = AwsOwnedResource(
    name="JumpStartHub",
    service="sagemaker.api",
    actions=(
        "sagemaker:DescribeHub",
        "sagemaker:DescribeHubContent",
        "sagemaker:ListHubContentVersions",
        "sagemaker:ListHubContents",
    ),
    resources=(
        "arn:${AWS::Partition}:sagemaker:${AWS::Region}:aws:hub/SageMakerPublicHub",
        "arn:${AWS::Partition}:sagemaker:${AWS::Region}:aws:hub-content/SageMakerPublicHub/*",
    ),
    reason="The catalogue that Studio and the SDK read JumpStart models from. "
    "(Amazon SageMaker AI: Private curated hubs for foundation model access control in JumpStart)",
)
PUBLIC_PARAMETERS = AwsOwnedResource(
    name="PublicParameters",
    service="ssm",
    actions=("ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"),
    resources=("arn:${AWS::Partition}:ssm:${AWS::Region}::parameter/aws/service/*",),
    reason="AWS publishes image ids and versions as parameters that belong to no account. "
    "(AWS Systems Manager: Working with public parameters in Parameter Store)",
)
DEFAULT_AWS_OWNED = (
    IMAGE_LAYERS,
    JUMPSTART,
    JUMPSTART_HUB,
    CODEARTIFACT_ASSETS,
    FOUNDATION_MODELS,
    PUBLIC_PARAMETERS,
)


def check_role_arns(problems: Problems, argument: str, arns: Sequence[str]) -> None:
    """Record what is no role ARN, or would name every role.

    Args:
        problems: Where to record.
        argument: The argument's name.
        arns: What the caller gave.
    """
    if isinstance(arns, str):
        problems.add(argument, arns, "One string where a tuple of role ARNs belongs.", "Write ('arn:…',).")
        return
    for index, arn in enumerate(arns):
        match = _ROLE_ARN.fullmatch(arn)
        if match is None:
            problems.add(
                f"{argument}[{index}]",
                arn,
                "This is no role ARN.",
                "Write 'arn:aws:iam::<account>:role/<name>', or '${AWS::Partition}' and '${AWS::AccountId}' "
                "where partition or account are not known.",
            )
        elif not arn.split(":role/", 1)[1].split("*", 1)[0].strip("/"):
            problems.add(
                f"{argument}[{index}]",
                arn,
                "The pattern would name every role of the account.",
                "Name the role, or at least the beginning of its path.",
            )
