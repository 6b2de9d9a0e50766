"""The boundary of every role of the environment: what work may need at the most, and from inside only."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from aws_cdk import aws_iam as iam
from constructs import Construct

from secure_ml_constructs._acknowledge import BOUNDARY, acknowledge, standard_packs
from secure_ml_constructs._cdk import child_path
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.identity.guardrails.packing import MANAGED_POLICY_SIZE, size
from secure_ml_constructs.identity.wildcards import accept_wildcards
from secure_ml_constructs.network import MlNetwork
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.policy import Condition, Statement, allow, deny, document, sub

__all__ = ["WorkBoundary"]

# Everything that a request can do there is work with what a role was granted.
_SERVICES = (
    *("sagemaker:*", "s3:Get*", "s3:List*", "s3:PutObject*", "s3:DeleteObject", "s3:Abort*"),
    *("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*", "kms:DescribeKey"),
    *(
        "athena:*Quer*",
        "athena:Get*",
        "athena:List*",
        "athena:StopQueryExecution",
        "lakeformation:GetDataAccess",
    ),
    *("glue:Get*", "glue:BatchGet*", "glue:BatchCreatePartition", "glue:BatchDeletePartition"),
    *("glue:CreateTable", "glue:UpdateTable", "glue:UpdatePartition"),
    *("logs:CreateLogStream", "logs:PutLogEvents", "logs:Describe*", "logs:Get*"),
    *("cloudwatch:PutMetricData", "cloudwatch:Get*", "cloudwatch:List*", "cloudwatch:Describe*"),
    *("ecr:Get*", "ecr:BatchGetImage", "ecr:BatchCheckLayerAvailability", "ecr:Describe*", "ecr:List*"),
    *("ec2:*NetworkInterface*", "ec2:Describe*"),
    *("codeartifact:Get*", "codeartifact:List*", "codeartifact:Describe*", "codeartifact:Read*"),
    *("codeartifact:PublishPackageVersion", "codeartifact:PutPackageMetadata"),
    *("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"),
    *("ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath", "bedrock:InvokeModel*"),
    *("elasticfilesystem:Client*", "elasticfilesystem:Describe*", "execute-api:Invoke"),
)
# What reads, writes or opens data, whichever permission a role may hold one day.
_ON_DATA = (
    *("s3:*", "athena:*", "glue:*", "lakeformation:*", "dynamodb:*", "secretsmanager:*", "ssm:*"),
    *("codeartifact:*", "bedrock:*", "execute-api:*", "sqs:*", "sns:*", "sts:*"),
    *("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"),
    *("sagemaker:Invoke*", "sagemaker:GetRecord", "sagemaker:BatchGetRecord", "sagemaker:BatchWriteRecord"),
    *(
        "sagemaker:PutRecord",
        "sagemaker:DeleteRecord",
        "sagemaker:BatchGetMetrics",
        "sagemaker:CallMlflowAppApi",
    ),
    *("logs:FilterLogEvents", "logs:Get*", "logs:StartQuery", "logs:StartLiveTail"),
)
# Rules that speak of what a policy grants.
_ABOUT_GRANTS = ("ApprovalApart", "JobConditions", "JobLimits", "PresignedUrl")


class WorkBoundary(Construct):
    """The permissions boundary of every role of an environment.

    It allows what machine-learning work calls and nothing else, so that no policy can give a role power over
    identities, keys, trails or the network. Data is reached by the environment's endpoints only.

    Ensures:
        I3: a boundary for each role: no administration of IAM, keys, organization, logs or network, and no
            role assumed or passed but those of the environment.
        D3: a session that is used elsewhere reaches no data, whatever it was granted.
        I10: no region but the environment's own.

    Args:
        scope: The parent construct.
        id: The construct's id.
        perimeter: Where the environment's roles lie, and who passes the network condition.
        network: By whose endpoints data is reached.

    Raises:
        ConfigurationError: A network without endpoints, or so many of them that the policy would be too long.

    Example:
        >>> boundary = WorkBoundary(stack, "Boundary", perimeter=perimeter, network=vpc)
        >>> boundary_arn = boundary.arn
    """

    #: The ARN of the policy.
    arn: str

    def __init__(self, scope: Construct, id: str, *, perimeter: DataPerimeter, network: MlNetwork) -> None:
        endpoints = tuple(network.endpoint_ids.values())
        problems = Problems()
        if not endpoints:
            problems.add("network", (), "Without an endpoint no role could reach data.", "Give it endpoints.")
        long = size(document(boundary_statements(perimeter, endpoints)))
        # An endpoint's id has 22 characters; what is not known yet was counted as 100.
        long -= sum(len("x" * 100) - len("vpce-0a1b2c3d4e5f60718") for each in endpoints if "${Token" in each)
        if long > MANAGED_POLICY_SIZE:
            problems.add(
                "perimeter",
                f"{long} characters",
                f"A managed policy has at most {MANAGED_POLICY_SIZE}.",
                "Name fewer exceptions and roles in the perimeter, by patterns, or fewer endpoints.",
            )
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        self.perimeter = perimeter
        # A private door made later may bring an endpoint, by which roles then have to be let through.
        statements = boundary_statements(perimeter, network.deferred_endpoint_ids)
        made = iam.CfnManagedPolicy(
            self,
            "Policy",
            description="The boundary of every role of the environment",
            path=perimeter.role_path,
            policy_document=document(statements),
        )
        self.arn = made.ref
        reasons = dict.fromkeys(("*", "arn:"), BOUNDARY)
        accept_wildcards(made, statements, resources=reasons, actions={"": BOUNDARY})
        acknowledge(
            made,
            [
                *standard_packs("IAMPolicyNoStatementsWithFullAccess"),
                *(f"SecureMl::IamPolicy{rule}" for rule in _ABOUT_GRANTS),
            ],
            BOUNDARY,
        )

    @cached_property
    def managed_policy(self) -> iam.IManagedPolicy:
        """The policy, for `permissions_boundary` of a role."""
        return iam.ManagedPolicy.from_managed_policy_arn(self, "Imported", self.arn)


def boundary_statements(perimeter: DataPerimeter, endpoints: Sequence[str]) -> list[Statement]:
    """Give the statements of the boundary. (I3, D3)

    Args:
        perimeter: Where the environment's roles lie, and who passes the network condition.
        endpoints: Ids of the VPC endpoints by which data is reached.
    """
    ours = perimeter.roles((perimeter.environment_roles,))
    here: Condition = {**ours, "StringEquals": {"aws:RequestedRegion": sub("${AWS::Region}")}}
    roles = sub(perimeter.environment_roles)
    return [
        allow("Work", _SERVICES, condition=here),
        # Grants that AWS's own services use: a grant for anybody else would take data out by a key.
        allow(
            "Grants",
            ("kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"),
            condition={**here, "Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
        # CodeArtifact: Tokens; the service that may ask for one is named.
        allow(
            "PackageTokens",
            "sts:GetServiceBearerToken",
            condition={**ours, "StringEquals": {"sts:AWSServiceName": "codeartifact.amazonaws.com"}},
        ),
        # IAM lies in one region of each partition, so that no region is asked for.
        allow("OurRoles", ("iam:GetRole", "sts:AssumeRole"), roles, condition=ours),
        allow(
            "PassOurRoles",
            "iam:PassRole",
            roles,
            condition={**ours, "StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        ),
        deny("DataFromElsewhere", _ON_DATA, principal=None, condition=perimeter.from_elsewhere(endpoints)),
    ]
