"""The one place that alarms, findings and budgets are told to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from secure_ml_constructs._cdk import child_path, is_token
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.keys import refuse_aws_managed
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.policy import Statement, allow, deny, document, for_our_account

# No wildcard: SNS refuses a topic policy with an action that is not about topics.
# (Amazon SNS: Example cases for Amazon SNS access control, the default policy of a topic)
_ADMINISTRATION = (
    "sns:AddPermission",
    "sns:DeleteTopic",
    "sns:RemovePermission",
    "sns:SetTopicAttributes",
    "sns:Subscribe",
)
_READING = ("sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic")
_ADDRESS = re.compile(r"[^@\s<>,;:\"]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_OWN = "${AWS::Region}:${AWS::AccountId}"
# Who tells the topic of something, and what it acts for.
_PUBLISHERS = {
    # Amazon SNS: Example cases for access control, allow any CloudWatch alarm to publish to a topic.
    "Alarms": ("cloudwatch.amazonaws.com", f"arn:${{AWS::Partition}}:cloudwatch:{_OWN}:alarm:*"),
    # AWS Billing: Creating an Amazon SNS topic for budget notifications.
    "Budgets": ("budgets.amazonaws.com", "arn:${AWS::Partition}:budgets::${AWS::AccountId}:*"),
}


class AlertTopic(Construct):
    """An encrypted topic that alarms, budgets and EventBridge rules of this account publish to.

    Everything that raises an alert takes an `ITopic`: give it `topic`, or one of your own. Alerts of another
    severity go to a topic of their own. Events reach it by an `AlertRule`.

    Ensures:
        X5: findings, alarms and budgets are told to an encrypted topic, whose listeners administrators set.
        E2: published to over TLS only; nothing is delivered by plain http.
        E3: under the customer key.
        I3: a service publishes for our account only.

    Args:
        scope: The parent construct.
        id: The construct's id.
        perimeter: Who is trusted and who administers.
        key: The key of logs (`EnvironmentKeys.logs`), whose policy lets the services publish.
        emails: Addresses that get each alert, once they have confirmed. Default: none.
        endpoints: Ids of the VPC endpoints for SNS, from which roles of the environment may publish as well.
            Default: none; services publish, by themselves or with a role, and nobody else.

    Raises:
        ConfigurationError: An AWS-managed key, an address that is none or is there twice.

    Example:
        >>> alerts = AlertTopic(
        ...     stack, "Alerts", perimeter=perimeter, key=keys.logs, emails=["ml-oncall@example.org"]
        ... )
        >>> topic = alerts.topic
    """

    #: The topic's ARN.
    topic_arn: str

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        perimeter: DataPerimeter,
        key: kms.IKey,
        emails: Sequence[str] = (),
        endpoints: Sequence[str] = (),
    ) -> None:
        problems = Problems()
        key_arn = refuse_aws_managed(problems, "key", key)
        _check_emails(problems, emails)
        if isinstance(endpoints, str):
            problems.add(
                "endpoints", endpoints, "One string where a list belongs.", f"Write [{endpoints!r}]."
            )
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        self._key_arn = key_arn
        made = sns.CfnTopic(self, "Resource", kms_master_key_id=key_arn)
        self.topic_arn = made.ref
        sns.CfnTopicPolicy(
            self,
            "Policy",
            topics=[self.topic_arn],
            policy_document=document(_statements(perimeter, endpoints, [self.topic_arn])),
        )
        for number, address in enumerate(emails):
            sns.CfnSubscription(
                self, f"Email{number}", topic_arn=self.topic_arn, protocol="email", endpoint=address
            )

    @cached_property
    def topic(self) -> sns.ITopic:
        """The topic, as alarms, rules and budgets take it."""
        return sns.Topic.from_topic_attributes(
            self, "Imported", topic_arn=self.topic_arn, key_arn=self._key_arn
        )


def _statements(perimeter: DataPerimeter, endpoints: Sequence[str], topic: list[Any]) -> Iterator[Statement]:
    for name, (service, source) in _PUBLISHERS.items():
        principal = {"Service": service}
        yield allow(name, "sns:Publish", topic, principal=principal, condition=for_our_account(source))
    yield from perimeter.deny_plain_transport("sns:Publish", topic)
    yield perimeter.deny_outsiders((*_ADMINISTRATION, *_READING, "sns:Publish"), topic)
    yield perimeter.deny_administration(_ADMINISTRATION, topic)
    yield deny(
        "DenyPlainDelivery", "sns:Subscribe", topic, condition={"StringEquals": {"sns:Protocol": "http"}}
    )
    # EventBridge is not among the services: it publishes without a source, and no condition could tell our
    # rules from others'. It takes a role instead. (Amazon EventBridge: Using resource-based policies)
    publishing = (*perimeter.service_roles.principals, *perimeter.break_glass_roles)
    if endpoints:
        publishing = (*publishing, perimeter.environment_roles)
        yield perimeter.deny_foreign_networks("sns:Publish", topic, endpoints=endpoints)
    yield deny("DenyForgery", "sns:Publish", topic, condition=perimeter.not_roles(publishing))


def _check_emails(problems: Problems, emails: Sequence[str]) -> None:
    if isinstance(emails, str):
        problems.add("emails", emails, "One string where a list belongs.", f"Write [{emails!r}].")
        return
    for index, address in enumerate(emails):
        if not is_token(address) and not _ADDRESS.fullmatch(address):
            problems.add(
                f"emails[{index}]",
                address,
                "This is no e-mail address.",
                "Write for instance 'ml-oncall@example.org'.",
            )
        if address in emails[:index]:
            problems.add(
                f"emails[{index}]", address, "It is there twice.", "Leave one out: SNS subscribes it once."
            )
