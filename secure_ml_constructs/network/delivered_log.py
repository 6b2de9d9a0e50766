"""Log groups that AWS services deliver to by themselves."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from secure_ml_constructs.policy import allow, document, for_our_account


class DeliveredLog(Construct):
    """An encrypted, kept log group that AWS's log delivery may write to on our account's behalf.

    The policy is the group's own: an account has ten of the other kind. (Amazon CloudWatch Logs: Enable
    logging from AWS services, logs sent to CloudWatch Logs; CloudWatch Logs resource policies)

    Args:
        scope: The parent construct.
        id: The construct's id.
        logs_key_arn: The log group's key.
        retention_days: Days the log is kept, a number that CloudWatch Logs knows.

    Attributes:
        name: The log group's name.
        arn: Its ARN, which ends in `:*`.
    """

    def __init__(self, scope: Construct, id: str, *, logs_key_arn: str, retention_days: int) -> None:
        super().__init__(scope, id)
        ours = for_our_account("arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:*")
        principal = {"Service": "delivery.logs.amazonaws.com"}
        write = ("logs:CreateLogStream", "logs:PutLogEvents")
        group = logs.CfnLogGroup(
            self,
            "LogGroup",
            deletion_protection_enabled=True,
            kms_key_id=logs_key_arn,
            # A group's policy can't name the group itself, whose name is made with it.
            resource_policy_document=document(
                [allow("LogDelivery", write, "*", principal=principal, condition=ours)]
            ),
            retention_in_days=retention_days,
        )
        group.apply_removal_policy(RemovalPolicy.RETAIN)
        self.name = group.ref
        self.arn = group.attr_arn
