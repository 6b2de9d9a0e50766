"""Alarms by severity, told to the topics that people listen to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

__all__ = ["Alarms", "Alerts", "Severity"]

_NAMES = {">": "GreaterThanThreshold", ">=": "GreaterThanOrEqualToThreshold", "<": "LessThanThreshold"}
Missing = Literal["notBreaching", "breaching"]
_STATISTICS = ("Average", "Maximum", "Minimum", "SampleCount", "Sum")


class Severity(StrEnum):
    """How soon somebody has to look."""

    #: Somebody is woken: predictions fail, or somebody tries the door.
    HIGH = "high"
    #: Somebody looks on the next working day.
    MEDIUM = "medium"


@dataclass(frozen=True, kw_only=True)
class Alerts:
    """The topics that alarms are told to.

    Args:
        high: What somebody is woken for.
        medium: What can wait until the next working day. Default: the same topic.

    Example:
        >>> from secure_ml_constructs import AlertTopic
        >>> urgent = AlertTopic(stack, "Urgent", perimeter=perimeter, key=keys.logs)
        >>> alerts = Alerts(high=urgent.topic)
    """

    high: sns.ITopic
    medium: sns.ITopic | None = None

    def topic(self, severity: Severity) -> sns.ITopic:
        """Give the topic for a severity."""
        return self.high if severity is Severity.HIGH else self.medium or self.high


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric of CloudWatch.

    Attributes:
        namespace: For instance `AWS/SageMaker`.
        name: Its name.
        dimensions: Which of them.
        statistic: `Sum`, `Average`, `Maximum` or a percentile (`p99`).
    """

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str = "Sum"


class Alarms(Construct):
    """The alarms of one construct.

    Ensures:
        M3: what fails, slows down, is refused or runs full is told to somebody.

    Args:
        scope: The parent construct.
        id: The construct's id.
        alerts: Whom to tell.

    Example:
        >>> from secure_ml_constructs import AlertTopic
        >>> urgent = AlertTopic(stack, "Urgent", perimeter=perimeter, key=keys.logs)
        >>> alarms = Alarms(stack, "Alarms", alerts=Alerts(high=urgent.topic))
        >>> metric = Metric(namespace="AWS/SageMaker", name="Invocation5XXErrors", dimensions={})
        >>> alarms.add(
        ...     "Errors", Severity.HIGH, metric, threshold=5, because="The model fails to answer."
        ... ).alarm_name is None
        True
    """

    def __init__(self, scope: Construct, id: str, *, alerts: Alerts) -> None:
        super().__init__(scope, id)
        self._alerts = alerts
        self._arns: dict[Severity, str] = {}
        #: The alarms, by severity and by id.
        self.by_severity: dict[Severity, dict[str, cloudwatch.CfnAlarm]] = {each: {} for each in Severity}

    def add(
        self,
        id: str,
        severity: Severity,
        metric: Metric,
        *,
        threshold: float,
        because: str,
        above: str = ">",
        minutes: int = 5,
        times: int = 1,
        missing: Missing = "notBreaching",
    ) -> cloudwatch.CfnAlarm:
        """Make one alarm.

        Args:
            id: Its id.
            severity: How soon somebody has to look.
            metric: What it watches.
            threshold: The value.
            because: What it means when it goes off: the first line that whoever is woken reads.
            above: `>`, `>=` or `<`: on which side of the threshold it goes off.
            minutes: The length of a period.
            times: In how many periods one after the other.
            missing: What no data means. Default: nobody calling is no failure; `breaching` where silence is.
        """
        return self._make(
            id,
            severity,
            because,
            namespace=metric.namespace,
            metric_name=metric.name,
            dimensions=_dimensions(metric),
            statistic=metric.statistic if metric.statistic in _STATISTICS else None,
            extended_statistic=None if metric.statistic in _STATISTICS else metric.statistic,
            comparison_operator=_NAMES[above],
            threshold=threshold,
            period=minutes * 60,
            evaluation_periods=times,
            treat_missing_data=missing,
        )

    def add_band(
        self,
        id: str,
        severity: Severity,
        metric: Metric,
        *,
        because: str,
        minutes: int,
        deviations: float = 3,
        below: bool = False,
    ) -> cloudwatch.CfnAlarm:
        """Make one alarm that learns what is usual, by anomaly detection.

        Amazon CloudWatch: "Using CloudWatch anomaly detection": up to two weeks of data make the band.

        Args:
            id: Its id.
            severity: How soon somebody has to look.
            metric: What it watches.
            because: What it means when it goes off.
            minutes: The length of a period.
            deviations: How wide the band is, in standard deviations.
            below: Whether it goes off below the band as well.
        """
        stat = cloudwatch.CfnAlarm.MetricStatProperty(
            metric=cloudwatch.CfnAlarm.MetricProperty(
                namespace=metric.namespace, metric_name=metric.name, dimensions=_dimensions(metric)
            ),
            period=minutes * 60,
            stat=metric.statistic,
        )
        return self._make(
            id,
            severity,
            because,
            metrics=[
                cloudwatch.CfnAlarm.MetricDataQueryProperty(id="seen", metric_stat=stat, return_data=True),
                cloudwatch.CfnAlarm.MetricDataQueryProperty(
                    id="usual", expression=f"ANOMALY_DETECTION_BAND(seen, {deviations:g})", return_data=True
                ),
            ],
            threshold_metric_id="usual",
            comparison_operator="LessThanLowerOrGreaterThanUpperThreshold"
            if below
            else "GreaterThanUpperThreshold",
            evaluation_periods=1,
            treat_missing_data="notBreaching",
        )

    def all(self) -> list[cloudwatch.CfnAlarm]:
        """Give them, those that wake somebody first."""
        return [alarm for made in self.by_severity.values() for alarm in made.values()]

    def _make(self, id: str, severity: Severity, because: str, **properties: Any) -> cloudwatch.CfnAlarm:
        if severity not in self._arns:
            self._arns[severity] = self._alerts.topic(severity).topic_arn
        arn = self._arns[severity]
        made = cloudwatch.CfnAlarm(
            self,
            id,
            alarm_description=f"[{severity}] {because}",
            alarm_actions=[arn],
            ok_actions=[arn],
            **properties,
        )
        self.by_severity[severity][id] = made
        return made


def _dimensions(metric: Metric) -> list[cloudwatch.CfnAlarm.DimensionProperty]:
    return [
        cloudwatch.CfnAlarm.DimensionProperty(name=name, value=value)
        for name, value in metric.dimensions.items()
    ]
