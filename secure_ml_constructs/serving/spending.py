"""A budget that tells before a month has cost too much."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_budgets as budgets
from constructs import Construct

from secure_ml_constructs._cdk import child_path, is_token
from secure_ml_constructs.detection.alarms import Alerts, Severity
from secure_ml_constructs.errors import Problems

__all__ = ["SERVICES", "SpendingBudget", "SpendingLimit"]

#: What predictions cost, by the names that AWS Cost Explorer has for it.
SERVICES = ("Amazon SageMaker", "Amazon API Gateway", "AWS WAF")
_CURRENCIES = ("USD", "CNY")
_TAG_KEY = re.compile(r"[\w .:/=+@-]{1,128}")
_Budget = budgets.CfnBudget
# How far, of what kind, and how soon somebody has to look.
_STEPS = (
    (80, "ACTUAL", Severity.MEDIUM),
    (100, "FORECASTED", Severity.MEDIUM),
    (100, "ACTUAL", Severity.HIGH),
)


@dataclass(frozen=True, kw_only=True)
class SpendingLimit:
    """What a month may cost.

    Args:
        monthly: The amount, more than 0.
        currency: `USD`, or `CNY` in the partition of China. Default: `USD`.
        services: The services that count, as Cost Explorer names them. Default: `SERVICES`.
        tag: A cost allocation tag, key and value, that what counts carries; it has to be activated in the
            account's billing. Default: whatever it carries.

    Raises:
        ConfigurationError: An amount or currency that is none, and no service at all.

    Example:
        >>> limit = SpendingLimit(monthly=2_000, tag=("environment", "clinical-risk"))
    """

    monthly: float
    currency: str = "USD"
    services: Sequence[str] = SERVICES
    tag: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        problems = Problems()
        if not 0 < self.monthly < float("inf"):
            problems.add("monthly", self.monthly, "No amount.", "Write what a month may cost.")
        if self.currency not in _CURRENCIES:
            problems.add(
                "currency",
                self.currency,
                "AWS does not bill in it.",
                f"Write one of {', '.join(_CURRENCIES)}.",
            )
        if isinstance(self.services, str):
            problems.add(
                "services",
                self.services,
                "One string where a tuple belongs.",
                f"Write ({self.services!r},).",
            )
        elif not self.services:
            problems.add("services", self.services, "Nothing would count.", "Leave it out.")
        if self.tag is not None and not _TAG_KEY.fullmatch(self.tag[0]):
            problems.add(
                "tag", self.tag, "The key is none of a tag.", "Write ('environment', 'clinical-risk')."
            )
        problems.raise_if_any("SpendingLimit")


class SpendingBudget(Construct):
    """A monthly budget, one for an environment: it tells at 80 %, when 100 % are foreseen, and at 100 %.

    A budget stops nothing, and learns of costs hours later: what bounds a flood at once are the quota, the
    rates and the most instances.

    Ensures:
        G12: somebody is told before the amount is spent.
        X5: by an encrypted topic.

    Args:
        scope: The parent construct.
        id: The construct's id.
        limit: What a month may cost.
        alerts: Whom it tells: topics whose policies let AWS Budgets publish, as `AlertTopic` does.

    Raises:
        ConfigurationError: A stack in AWS GovCloud (US), which has no budgets.

    Example:
        >>> from secure_ml_constructs import AlertTopic
        >>> urgent = AlertTopic(stack, "Urgent", perimeter=perimeter, key=keys.logs)
        >>> budget = SpendingBudget(
        ...     stack, "Budget", limit=SpendingLimit(monthly=2_000), alerts=Alerts(high=urgent.topic)
        ... )
    """

    #: The budget's name.
    budget_name: str

    def __init__(self, scope: Construct, id: str, *, limit: SpendingLimit, alerts: Alerts) -> None:
        problems = Problems()
        region = Stack.of(scope).region
        if not is_token(region) and region.startswith("us-gov-"):
            problems.add(
                "scope",
                region,
                "AWS GovCloud (US) is billed with the standard account that belongs to it.",
                "Make the budget in that account.",
            )
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        filters: dict[str, list[str]] = {"Service": list(limit.services)}
        if limit.tag:
            # AWS Budgets API: "user:" stands before the key of a tag that a user has defined.
            filters["TagKeyValue"] = [f"user:{limit.tag[0]}${limit.tag[1]}"]
        topics = {severity: alerts.topic(severity).topic_arn for severity in Severity}
        made = _Budget(
            self,
            "Resource",
            budget=_Budget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=_Budget.SpendProperty(amount=limit.monthly, unit=limit.currency),
                cost_filters=filters,
            ),
            notifications_with_subscribers=[
                _Budget.NotificationWithSubscribersProperty(
                    notification=_Budget.NotificationProperty(
                        comparison_operator="GREATER_THAN",
                        notification_type=kind,
                        threshold=percent,
                        threshold_type="PERCENTAGE",
                    ),
                    subscribers=[
                        _Budget.SubscriberProperty(subscription_type="SNS", address=topics[severity])
                    ],
                )
                for percent, kind, severity in _STEPS
            ],
        )
        self.budget_name = made.ref
