"""An EventBridge rule that starts one thing by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from secure_ml_constructs.detection.alarms import Metric
from secure_ml_constructs.identity import RoleFoundation
from secure_ml_constructs.policy import Statement, document

_RULES = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/*"
# What could not be started within an hour is told to somebody, and left to them: nothing starts by an event
# of the day before, and no queue has to keep it.
_RETRIES = 24
_SECONDS = 3600


class StartRule(Construct):
    """Starts one thing each time that an event matches.

    Ensures:
        I2: what it starts is started under the guardrails.
        I3: a role for rules of this account only, that may start this one thing.

    Args:
        scope: The parent construct.
        id: The construct's id.
        foundation: What the environment's roles share.
        pattern: The events.
        description: What it does; stands in the rule.
        allowed: The statement that lets it.
        target_arn: What it starts.
        told: What the target is told of an event, as properties of the target. Default: the whole event.
    """

    #: By how many events it could not start anything.
    failed_invocations: Metric

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        foundation: RoleFoundation,
        pattern: Mapping[str, Any],
        description: str,
        allowed: Statement,
        target_arn: str,
        told: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(scope, id)
        perimeter = foundation.perimeter
        policy = iam.CfnManagedPolicy(
            self, "Allowed", path=perimeter.service_role_path, policy_document=document([allowed])
        )
        role = iam.CfnRole(
            self,
            "Role",
            path=perimeter.service_role_path,
            description="EventBridge starts with it what an event asks for",
            # Amazon EventBridge: Cross-service confused deputy prevention.
            assume_role_policy_document=perimeter.service_trust("events.amazonaws.com", source_arn=_RULES),
            managed_policy_arns=[policy.ref, *foundation.guardrails.arns],
            permissions_boundary=policy.ref,
        )
        rule = events.CfnRule(
            self,
            "Resource",
            description=description[:512],
            event_pattern=dict(pattern),
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    arn=target_arn,
                    id="Target",
                    role_arn=role.attr_arn,
                    retry_policy=events.CfnRule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=_SECONDS, maximum_retry_attempts=_RETRIES
                    ),
                    **(told or {}),
                )
            ],
        )
        self.failed_invocations = Metric(
            namespace="AWS/Events", name="FailedInvocations", dimensions={"RuleName": rule.ref}
        )


def goes_off(alarm_arn: str) -> dict[str, Any]:
    """Give the pattern of an alarm that goes off.

    Amazon CloudWatch: "Alarm events and EventBridge".

    Args:
        alarm_arn: The alarm's ARN.
    """
    return {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "resources": [alarm_arn],
        "detail": {"state": {"value": ["ALARM"]}},
    }
