"""An EventBridge rule that tells a topic, and an alarm for the day it no longer can."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from secure_ml_constructs._cdk import child_path, key_arn
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.key_uses import via
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.policy import allow, document

_RULES = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/*"


class AlertRule(Construct):
    """Tells a topic of each event that matches, with a role that EventBridge takes for our rules only.

    A topic's policy can't say for whom EventBridge publishes; the trust of a role can. So the rule names a
    role, and the topic lets nobody in by the name of EventBridge.

    Ensures:
        X5: findings reach the topic; where delivery fails, an alarm says so, which goes another way.
        I3: the role's trust carries the source account and the rules of the account.

    Args:
        scope: The parent construct.
        id: The construct's id.
        perimeter: Where roles for services stand.
        topic: Whom it tells: `AlertTopic.topic`, or one of yours, whose policy lets roles under
            `service_role_path` publish. Import an encrypted one with its key (`from_topic_attributes`).
        pattern: The event pattern, as EventBridge takes it (`{"source": ["aws.guardduty"]}`).
        description: What it tells of; stands in the rule.

    Raises:
        ConfigurationError: A pattern that would match every event of the account.

    Example:
        >>> from secure_ml_constructs import AlertTopic
        >>> alerts = AlertTopic(stack, "Alerts", perimeter=perimeter, key=keys.logs)
        >>> rule = AlertRule(
        ...     stack, "Findings", perimeter=perimeter, topic=alerts.topic,
        ...     pattern={"source": ["aws.guardduty"]}, description="Findings of GuardDuty",
        ... )
    """

    #: The rule's ARN.
    rule_arn: str

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        perimeter: DataPerimeter,
        topic: sns.ITopic,
        pattern: Mapping[str, Any],
        description: str,
    ) -> None:
        problems = Problems()
        if not pattern.get("source"):
            problems.add(
                "pattern",
                dict(pattern),
                "It names no source, so that events of any service would match.",
                "Add for instance 'source': ['aws.guardduty'].",
            )
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        topic_arn = topic.topic_arn
        rule = events.CfnRule(
            self,
            "Resource",
            description=description,
            event_pattern=dict(pattern),
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    arn=topic_arn, id="Topic", role_arn=self._role(perimeter, topic, topic_arn)
                )
            ],
        )
        self.rule_arn = rule.attr_arn
        cloudwatch.CfnAlarm(
            self,
            "Undelivered",
            alarm_description=f"{description}: EventBridge could not tell the topic",
            namespace="AWS/Events",
            metric_name="FailedInvocations",
            dimensions=[cloudwatch.CfnAlarm.DimensionProperty(name="RuleName", value=rule.ref)],
            statistic="Sum",
            period=300,
            evaluation_periods=1,
            threshold=1,
            comparison_operator="GreaterThanOrEqualToThreshold",
            treat_missing_data="notBreaching",
            alarm_actions=[topic_arn],
        )

    def _role(self, perimeter: DataPerimeter, topic: sns.ITopic, topic_arn: str) -> str:
        statements = [allow("Publish", "sns:Publish", topic_arn)]
        if topic.master_key is not None:
            use = ("kms:Decrypt", "kms:GenerateDataKey")
            statements.append(allow("Encrypt", use, key_arn(topic.master_key), condition=via(("sns",))))
        policy = iam.CfnManagedPolicy(
            self, "Allowed", path=perimeter.service_role_path, policy_document=document(statements)
        )
        role = iam.CfnRole(
            self,
            "Role",
            path=perimeter.service_role_path,
            description="EventBridge tells the alert topic with it",
            # Amazon EventBridge: Cross-service confused deputy prevention.
            assume_role_policy_document=perimeter.service_trust("events.amazonaws.com", source_arn=_RULES),
            managed_policy_arns=[policy.ref],
            permissions_boundary=policy.ref,
        )
        return role.attr_arn
