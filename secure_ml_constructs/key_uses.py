"""The table service × statement from which every key policy is made, tested and documented."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.policy import Condition, Document, Statement, allow, document, sub, subs

_ACCOUNT = {"Fn::Sub": "${AWS::AccountId}"}
_WORKGROUPS = {"Fn::Sub": "arn:${AWS::Partition}:athena:${AWS::Region}:${AWS::AccountId}:workgroup/*"}
_ACCOUNT_ROOT = {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}
_USE = ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*")
_PUBLISH = ("kms:Decrypt", "kms:GenerateDataKey*")


class KeyClass(StrEnum):
    """A class of data with a customer key of its own."""

    DATA = "data"
    MODEL = "model"
    LOGS = "logs"
    SECRETS = "secrets"
    WORKSPACE = "workspace"


@dataclass(frozen=True, kw_only=True)
class ServiceUse:
    """One row: a service principal that uses a key on the environment's behalf.

    Attributes:
        name: The statement's Sid.
        classes: The keys whose policy holds the statement.
        principal: The service principal, with CloudFormation placeholders.
        actions: What it may do.
        condition: What ties the use to our account.
        source: The AWS page that asks for the statement.
    """

    name: str
    classes: tuple[KeyClass, ...]
    principal: str
    actions: tuple[str, ...]
    condition: Condition
    source: str

    def statement(self) -> Statement:
        """Give the row as a key-policy statement."""
        return allow(
            self.name, self.actions, principal={"Service": sub(self.principal)}, condition=self.condition
        )


def _from_account(arn: str | None = None) -> Condition:
    condition: Condition = {"StringEquals": {"aws:SourceAccount": _ACCOUNT}}
    if arn:
        condition["ArnLike"] = {"aws:SourceArn": sub(arn)}
    return condition


SERVICE_USES = (
    ServiceUse(
        name="CloudWatchLogs",
        classes=(KeyClass.LOGS,),
        # The regional principal: the global one is refused when a log group is created.
        principal="logs.${AWS::Region}.${AWS::URLSuffix}",
        actions=(*_USE, "kms:DescribeKey"),
        condition={
            "ArnLike": {
                "kms:EncryptionContext:aws:logs:arn": sub(
                    "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:*"
                )
            }
        },
        source="Amazon CloudWatch Logs: Encrypt log data using AWS KMS",
    ),
    ServiceUse(
        name="CloudTrail",
        classes=(KeyClass.LOGS,),
        principal="cloudtrail.amazonaws.com",
        actions=("kms:GenerateDataKey*",),
        condition={
            "StringLike": {
                "kms:EncryptionContext:aws:cloudtrail:arn": sub(
                    "arn:${AWS::Partition}:cloudtrail:*:${AWS::AccountId}:trail/*"
                )
            },
            "ArnLike": {
                "aws:SourceArn": sub(
                    "arn:${AWS::Partition}:cloudtrail:${AWS::Region}:${AWS::AccountId}:trail/*"
                )
            },
        },
        source="AWS CloudTrail: Configure AWS KMS key policies for CloudTrail",
    ),
    ServiceUse(
        name="CloudTrailDescribe",
        classes=(KeyClass.LOGS,),
        principal="cloudtrail.amazonaws.com",
        actions=("kms:DescribeKey",),
        condition=_from_account(),
        source="AWS CloudTrail: Configure AWS KMS key policies for CloudTrail",
    ),
    ServiceUse(
        name="LogDelivery",
        classes=(KeyClass.LOGS,),
        principal="delivery.logs.amazonaws.com",
        actions=(*_USE, "kms:DescribeKey"),
        condition=_from_account("arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:*"),
        source="Amazon VPC: Publish flow logs to Amazon S3, required key policy for use with SSE-KMS",
    ),
    ServiceUse(
        name="Alarms",
        classes=(KeyClass.LOGS,),
        principal="cloudwatch.amazonaws.com",
        actions=_PUBLISH,
        condition=_from_account("arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:*"),
        source="Amazon SNS: Managing encryption keys, event sources from AWS services and encrypted topics",
    ),
    ServiceUse(
        name="EventBridge",
        classes=(KeyClass.LOGS,),
        principal="events.amazonaws.com",
        actions=_PUBLISH,
        # EventBridge sends no source account to a topic's key; the topic itself names the account.
        condition={
            "StringLike": {
                "kms:EncryptionContext:aws:sns:topicArn": sub(
                    "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:*"
                )
            }
        },
        source="Amazon SNS: Managing encryption keys, event sources from AWS services and encrypted topics",
    ),
    ServiceUse(
        name="Budgets",
        classes=(KeyClass.LOGS,),
        principal="budgets.amazonaws.com",
        actions=_PUBLISH,
        condition=_from_account("arn:${AWS::Partition}:budgets::${AWS::AccountId}:*"),
        source="AWS Billing: Creating an Amazon SNS topic for budget notifications, encrypted topics",
    ),
    ServiceUse(
        name="TopicToQueue",
        classes=(KeyClass.LOGS,),
        principal="sns.amazonaws.com",
        actions=_PUBLISH,
        condition=_from_account("arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:*"),
        source="Amazon SQS: Key management, enable compatibility between AWS services and encrypted queues",
    ),
    ServiceUse(
        name="BucketNotifications",
        classes=(KeyClass.LOGS,),
        principal="s3.amazonaws.com",
        actions=_PUBLISH,
        condition=_from_account("arn:${AWS::Partition}:s3:::*"),
        source="Amazon S3: Granting permissions to publish event notification messages to a destination",
    ),
    ServiceUse(
        name="AthenaResults",
        classes=(KeyClass.LOGS,),
        principal="encryption.athena.amazonaws.com",
        actions=("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"),
        condition={
            "StringEquals": {"aws:SourceAccount": _ACCOUNT},
            "ArnLike": {
                "aws:SourceArn": _WORKGROUPS,
                "kms:EncryptionContext:aws:athena:arn": _WORKGROUPS,
            },
        },
        source="Amazon Athena: Managed query results, set up an AWS KMS key policy",
    ),
)

# kms:ViaService for the environment's own roles: a key is used through these services and never directly.
# Athena and Glue read S3 for the caller, so that the key sees S3.
VIA_SERVICES: dict[KeyClass, tuple[str, ...]] = {
    KeyClass.DATA: ("s3", "sagemaker", "glue", "athena", "dynamodb"),
    KeyClass.MODEL: ("s3", "sagemaker", "ecr"),
    KeyClass.LOGS: ("s3", "logs", "sns", "sqs", "athena"),
    KeyClass.SECRETS: ("secretsmanager", "ssm"),
    KeyClass.WORKSPACE: ("s3", "sagemaker", "ec2", "elasticfilesystem"),
}

# Access Analyzer reads policies and grants, to tell who outside could use the key; it can use none.
# (IAM Access Analyzer: Supported resource types, AWS KMS keys)
_ANALYZERS = (
    "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/aws-service-role/access-analyzer.amazonaws.com/"
    "AWSServiceRoleForAccessAnalyzer",
)
# AWS Step Functions: "Data at rest encryption in Step Functions", for the machine and for what it logs;
# Amazon EventBridge Scheduler: "Encryption at rest".
WORKFLOWS = (
    (
        "Workflows",
        "aws:states:stateMachineArn",
        "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:*",
    ),
    ("WorkflowLogs", "SourceArn", "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:*"),
    (
        "Schedules",
        "aws:scheduler:schedule:arn",
        "arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule/*",
    ),
)
_READ_CONFIGURATION = ("kms:DescribeKey", "kms:Get*", "kms:List*")
# No CreateGrant: a grant would turn an administrator into a user.
_CONFIGURE = (
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:PutKeyPolicy",
    "kms:RotateKeyOnDemand",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
)
_RETIRE = ("kms:DisableKey", "kms:DisableKeyRotation", "kms:RevokeGrant", "kms:ScheduleKeyDeletion")


def key_policy(key_class: KeyClass, perimeter: DataPerimeter) -> Document:
    """Give the whole policy of one key. (E1, E3)

    Args:
        key_class: The class of data.
        perimeter: Who administers, deploys and uses.
    """
    return document(_statements(key_class, perimeter))


def via(services: tuple[str, ...]) -> Condition:
    """Give the condition that the key is used through one of these services."""
    return {
        "StringEquals": {
            "kms:ViaService": subs(f"{s}.${{AWS::Region}}.${{AWS::URLSuffix}}" for s in services)
        }
    }


def _statements(key_class: KeyClass, perimeter: DataPerimeter) -> Iterator[Statement]:
    # The principal is the account under a condition on the role: a key policy that names a role which does
    # not exist yet is refused, and a role made anew under the same name would lose its access.
    def ours(sid: str, actions: tuple[str, ...], roles: tuple[str, ...], condition: Any = None) -> Statement:
        merged = {**perimeter.roles(roles), **(condition or {})}
        return allow(sid, actions, principal=_ACCOUNT_ROOT, condition=merged)

    users = (perimeter.environment_roles,)
    yield ours("ReadConfiguration", _READ_CONFIGURATION, (*perimeter.administering, *users, *_ANALYZERS))
    yield ours("Configure", _CONFIGURE, perimeter.administering)
    retiring = tuple(dict.fromkeys((*perimeter.administrators, *perimeter.break_glass_roles)))
    # Without the logs key nobody reads the archive again, which Object Lock keeps for years. Retiring it
    # takes a change of this policy first, which the trail records.
    if retiring and key_class is not KeyClass.LOGS:
        yield ours("Retire", _RETIRE, retiring)
    yield ours("UseThroughServices", _USE, users, via(VIA_SERVICES[key_class]))
    yield ours(
        "GrantsForAwsResources",
        ("kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"),
        (*users, *perimeter.deploying_roles),
        {"Bool": {"kms:GrantIsForAWSResource": "true"}},
    )
    if key_class is KeyClass.SECRETS:
        # CloudFormation encrypts a generated secret with the caller's permission.
        yield ours("CreateSecrets", _PUBLISH, perimeter.deploying_roles, via(("secretsmanager",)))
    if key_class is KeyClass.LOGS:
        # What a state machine does and what a schedule says is encrypted with the permission of their roles,
        # which services alone take, and of whoever makes them. The encryption context names whose it is.
        both = (*perimeter.service_roles.principals, *perimeter.deploying_roles)
        for name, context, arn in WORKFLOWS:
            bound = {"StringLike": {f"kms:EncryptionContext:{context}": sub(arn)}}
            yield ours(name, _PUBLISH, both, bound)
    if perimeter.break_glass_roles:
        yield ours("BreakGlass", _USE, perimeter.break_glass_roles)
    if key_class in (KeyClass.DATA, KeyClass.MODEL):
        readers = tuple(arn for exception in perimeter.exceptions for arn in exception.principals)
        if readers:
            yield ours("NamedExceptions", _USE, readers, via(("s3",)))
    for use in SERVICE_USES:
        if key_class in use.classes:
            yield use.statement()
