"""A state machine with a log and a role of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from secure_ml_constructs._acknowledge import NO_RESOURCE, acknowledge_wildcards
from secure_ml_constructs.identity import RoleFoundation
from secure_ml_constructs.key_uses import KeyClass
from secure_ml_constructs.policy import Statement, allow, document, for_our_account, sub

_MACHINES = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:*"
_LOGS = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:*"


class LoggedMachine(Construct):
    """A state machine whose steps stand in an encrypted log, with a role that does what they need.

    Ensures:
        A1: each step in an encrypted log, without what it is told.
        E3: the definition and what it is told under the customer key.
        I2: the guardrails, as every role that starts work.
        I3: a boundary of exactly what it does, and a trust for state machines of our account only.

    Args:
        scope: The parent construct.
        id: The construct's id.
        foundation: What the environment's roles share.
        definition: Its states, in Amazon States Language.
        statements: What its steps may do.
        wildcards: Why resources among them hold a wildcard, by the resource.
        description: What its role is for.
    """

    #: The state machine's ARN.
    arn: str

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        foundation: RoleFoundation,
        definition: Mapping[str, Any],
        statements: Sequence[Statement],
        wildcards: Mapping[str, str],
        description: str,
    ) -> None:
        super().__init__(scope, id)
        perimeter = foundation.perimeter
        key = foundation.keys.arn(KeyClass.LOGS)
        group = logs.CfnLogGroup(
            self,
            "Log",
            kms_key_id=key,
            # The group's own: the role then writes no policy, and none of the account's ten is used up.
            resource_policy_document=document(
                [
                    allow(
                        "LogDelivery",
                        ("logs:CreateLogStream", "logs:PutLogEvents"),
                        principal={"Service": "delivery.logs.amazonaws.com"},
                        condition=for_our_account(_LOGS),
                    )
                ]
            ),
            retention_in_days=365,
        )
        group.apply_removal_policy(RemovalPolicy.RETAIN)
        policy = iam.CfnManagedPolicy(
            self,
            "Allowed",
            path=perimeter.service_role_path,
            policy_document=document([*statements, *_itself(key)]),
        )
        acknowledge_wildcards(policy, {"*": NO_RESOURCE, **wildcards})
        role = iam.CfnRole(
            self,
            "Role",
            # Step Functions calls from outside every VPC.
            path=perimeter.service_role_path,
            description=description,
            # AWS Step Functions: Prevent cross-service confused deputy issue.
            assume_role_policy_document=perimeter.service_trust("states.amazonaws.com", source_arn=_MACHINES),
            managed_policy_arns=[policy.ref, *foundation.guardrails.arns],
            permissions_boundary=policy.ref,
        )
        machine = sfn.CfnStateMachine(
            self,
            "Resource",
            definition_string=json.dumps(definition, sort_keys=True),
            role_arn=role.attr_arn,
            state_machine_type="STANDARD",
            encryption_configuration=sfn.CfnStateMachine.EncryptionConfigurationProperty(
                type="CUSTOMER_MANAGED_KMS_KEY", kms_key_id=key, kms_data_key_reuse_period_seconds=300
            ),
            logging_configuration=sfn.CfnStateMachine.LoggingConfigurationProperty(
                level="ALL",
                include_execution_data=False,
                destinations=[
                    sfn.CfnStateMachine.LogDestinationProperty(
                        cloud_watch_logs_log_group=sfn.CfnStateMachine.CloudWatchLogsLogGroupProperty(
                            log_group_arn=group.attr_arn
                        )
                    )
                ],
            ),
            tracing_configuration=sfn.CfnStateMachine.TracingConfigurationProperty(enabled=True),
        )
        self.arn = machine.attr_arn


def _itself(key: str) -> Iterator[Statement]:
    # AWS Step Functions: "Using CloudWatch Logs to log execution history": none of them has a resource.
    yield allow(
        "DeliverLog",
        (
            "logs:CreateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:DescribeLogGroups",
            "logs:DescribeResourcePolicies",
            "logs:GetLogDelivery",
            "logs:ListLogDeliveries",
            "logs:UpdateLogDelivery",
        ),
    )
    yield allow("Trace", ("xray:PutTelemetryRecords", "xray:PutTraceSegments"))
    # AWS Step Functions: "Data at rest encryption in Step Functions".
    for sid, context, arn in (
        ("Encrypt", "aws:states:stateMachineArn", _MACHINES),
        ("EncryptLog", "SourceArn", _LOGS),
    ):
        condition = {"StringLike": {f"kms:EncryptionContext:{context}": sub(arn)}}
        yield allow(sid, ("kms:Decrypt", "kms:GenerateDataKey"), key, condition=condition)
