"""The function that gives secrets new values, from inside the network."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from aws_cdk import CfnResource, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from secure_ml_constructs._acknowledge import (
    CALLED_SELDOM,
    CALLER_NOTICES,
    acknowledge,
    acknowledge_all,
    acknowledge_wildcards,
    standard_packs,
)
from secure_ml_constructs._cdk import account, child_path, key_arn, partition, region
from secure_ml_constructs._retention import check_retention
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.keys import refuse_aws_managed
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.policy import allow, document

# What shells, URLs and connection strings stumble over.
EXCLUDED = "\"'`/\\@"
_RUNTIME = "python3.14"
_INTERFACES = (
    "EC2's actions on network interfaces name none before Lambda has made it (AWS Lambda: Lambda execution "
    "role for a function in a VPC), and a random password is of no secret yet."
)
_ONLY_ITS_OWN = (
    "A condition names the function itself as the one that rotates the secret: it reaches no other secret "
    "(Service Authorization Reference: secretsmanager:resource/AllowRotationLambdaArn)."
)


class SecretRotation(Construct):
    """Gives the environment's secrets new random values; one serves every `ManagedSecret`.

    It runs in the isolated subnets and reaches Secrets Manager through the VPC endpoint. What it rotates is
    used by reading it: it knows no second place where the value would have to be set.

    Ensures:
        I8: rotation by a role that reaches those secrets alone that name this function for it.
        E3: its log under a customer key.

    Args:
        scope: The parent construct.
        id: The construct's id.
        perimeter: Gives the role its path.
        key: The key of the secrets (`EnvironmentKeys.secrets`).
        logs_key: The key of its log (`EnvironmentKeys.logs`).
        subnets: Ids of isolated subnets (`SecureVpc.isolated_subnet_ids`).
        security_group: The id of a group that reaches the endpoints (`SecureVpc.workload_security_group_id`).
        length: The new value's length, 20 to 512 characters. Default: 40.
        exclude: Characters that a value must not have. Default: quotes, slashes and the at sign.
        log_retention_days: Days that its log is kept. Default: 365.

    Raises:
        ConfigurationError: A length or retention out of range, no subnet, an AWS-managed key.

    Example:
        >>> rotation = SecretRotation(
        ...     stack, "Rotation", perimeter=perimeter, key=keys.secrets, logs_key=keys.logs,
        ...     subnets=vpc.isolated_subnet_ids, security_group=vpc.workload_security_group_id,
        ... )
        >>> rotation.function_arn.startswith("${Token[")
        True
    """

    #: The function's ARN.
    function_arn: str
    #: Its role's ARN.
    role_arn: str
    #: What has to be there before a secret is rotated.
    ready: tuple[CfnResource, ...]

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        perimeter: DataPerimeter,
        key: kms.IKey,
        logs_key: kms.IKey,
        subnets: Sequence[str],
        security_group: str,
        length: int = 40,
        exclude: str = EXCLUDED,
        log_retention_days: int = 365,
    ) -> None:
        problems = Problems()
        refuse_aws_managed(problems, "key", key)
        refuse_aws_managed(problems, "logs_key", logs_key)
        if isinstance(subnets, str) or not subnets:
            problems.add("subnets", subnets, "The function has no network.", "Give vpc.isolated_subnet_ids.")
        if not 20 <= length <= 512:
            problems.add("length", length, "Shorter is guessed, longer is cut off.", "Write 20 to 512.")
        check_retention(problems, "log_retention_days", log_retention_days)
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        log = logs.CfnLogGroup(
            self, "Log", kms_key_id=key_arn(logs_key), retention_in_days=log_retention_days
        )
        log.apply_removal_policy(RemovalPolicy.RETAIN)
        policy = iam.CfnManagedPolicy(
            self,
            "Policy",
            path=perimeter.role_path,
            policy_document=document(
                [
                    allow("Log", ["logs:CreateLogStream", "logs:PutLogEvents"], log.attr_arn),
                    allow(
                        "Interfaces",
                        [
                            "ec2:AssignPrivateIpAddresses",
                            "ec2:CreateNetworkInterface",
                            "ec2:DeleteNetworkInterface",
                            "ec2:DescribeNetworkInterfaces",
                            "ec2:DescribeSubnets",
                            "ec2:UnassignPrivateIpAddresses",
                        ],
                        "*",
                    ),
                    allow("Random", "secretsmanager:GetRandomPassword", "*"),
                ]
            ),
        )
        role = iam.CfnRole(
            self,
            "Role",
            path=perimeter.role_path,
            # Lambda is not documented to send its source, and takes roles of its own account only.
            assume_role_policy_document=perimeter.service_trust_without_source("lambda.amazonaws.com"),
            managed_policy_arns=[policy.ref],
        )
        function = lambda_.CfnFunction(
            self,
            "Function",
            description="Gives secrets new values",
            code=lambda_.CfnFunction.CodeProperty(zip_file=source()),
            handler="index.handler",
            runtime=_RUNTIME,
            role=role.attr_arn,
            timeout=60,
            environment=lambda_.CfnFunction.EnvironmentProperty(
                variables={"LENGTH": str(length), "EXCLUDE": exclude}
            ),
            kms_key_arn=key_arn(key),
            logging_config=lambda_.CfnFunction.LoggingConfigProperty(log_group=log.ref, log_format="JSON"),
            vpc_config=lambda_.CfnFunction.VpcConfigProperty(
                subnet_ids=list(subnets), security_group_ids=[security_group]
            ),
        )
        function.add_resource_dependency(policy)
        self.function_arn = function.attr_arn
        self.role_arn = role.attr_arn
        secrets = f"arn:{partition()}:secretsmanager:{region()}:{account()}:secret:*"
        rotate = iam.CfnManagedPolicy(
            self,
            "Allowed",
            path=perimeter.role_path,
            roles=[role.ref],
            policy_document=document(
                [
                    allow(
                        "Rotate",
                        [
                            "secretsmanager:DescribeSecret",
                            "secretsmanager:GetSecretValue",
                            "secretsmanager:PutSecretValue",
                            "secretsmanager:UpdateSecretVersionStage",
                        ],
                        secrets,
                        condition={
                            "StringEquals": {
                                "secretsmanager:resource/AllowRotationLambdaArn": self.function_arn
                            }
                        },
                    ),
                    allow("Key", ["kms:Decrypt", "kms:GenerateDataKey"], key_arn(key)),
                ]
            ),
        )
        # Secrets Manager: Lambda rotation function permissions.
        self._permission = lambda_.CfnPermission(
            self,
            "Permission",
            action="lambda:InvokeFunction",
            function_name=function.ref,
            principal="secretsmanager.amazonaws.com",
            source_account=account(),
        )
        self.ready = (self._permission, rotate)
        acknowledge_all(
            self,
            {
                **dict.fromkeys(standard_packs("LambdaConcurrency"), CALLED_SELDOM),
                "SecureMl::LambdaConcurrencyBounded": CALLED_SELDOM,
                **dict.fromkeys(standard_packs("LambdaDLQ"), CALLER_NOTICES),
            },
        )
        acknowledge(policy, "AwsSolutions::AwsSolutions-IAM5[Resource::*]", _INTERFACES)
        acknowledge_wildcards(rotate, {secrets: _ONLY_ITS_OWN})


def source() -> str:
    """Give the function's code."""
    return resources.files("secure_ml_constructs.runtime").joinpath("secret_rotation.py").read_text()
