"""What is watched of a door."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs

from secure_ml_constructs._cdk import region
from secure_ml_constructs.detection.alarms import Alarms, Metric, Severity
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.serving.names import physical_name

__all__ = ["DoorLimits", "WatchedDoor", "watch_door"]

# As a number and as text: a format of access logs may quote the status. What the firewall blocks is counted
# by itself. (Amazon API Gateway: Variables for access logging, $context.wafResponseCode)
_REFUSED = (
    '{ (($.status = 401) || ($.status = 403) || ($.status = "401") || ($.status = "403")) '
    '&& ($.wafResult != "WAF_BLOCK") }'
)
_NAMESPACE = "SecureMl/Doors"
# Wider than the two that CloudWatch offers first: a clinic's mornings differ.
_DEVIATIONS = 4


@dataclass(frozen=True, kw_only=True)
class DoorLimits:
    """What is too slow, too often wrong, and too often refused.

    Args:
        latency_ms: Milliseconds that one in a hundred requests may take longer than. Default: 3,000.
        failures: Requests in five minutes that fail at our side, from which on somebody is woken. Default: 5.
        refused_percent: Part of the requests of five minutes that the door or the model refuses, 1 to 99.
            Default: 20.
        denied: Requests in five minutes that are not signed, not authorized or without a key, from which on
            somebody is woken. Default: 50.
        blocked: Requests in five minutes that the firewall blocks. Default: 200.

    Raises:
        ConfigurationError: A value that is none.

    Example:
        >>> limits = DoorLimits(latency_ms=800, denied=10)
    """

    latency_ms: int = 3000
    failures: int = 5
    refused_percent: int = 20
    denied: int = 50
    blocked: int = 200

    def __post_init__(self) -> None:
        problems = Problems()
        for name in ("latency_ms", "failures", "refused_percent", "denied", "blocked"):
            value = getattr(self, name)
            if value < 1 or (name == "refused_percent" and value > 99):
                problems.add(name, value, "No limit.", "Write 1 or more, of percents 99 at the most.")
        problems.raise_if_any("DoorLimits")


@dataclass(frozen=True, kw_only=True)
class WatchedDoor:
    """The names under which a door is measured.

    Args:
        api_name: The API's name, that CloudWatch has its metrics under.
        stage: The stage's.
        access_log: The name of the log group of the access log, which is JSON and has `status` and
            `wafResult` (`$context.wafResponseCode`).
        firewall: `WebAcl.metric_name`. Default: there is none.

    Example:
        >>> door = WatchedDoor(api_name="clinical-risk", stage="live", access_log="access-log")
    """

    api_name: str
    stage: str
    access_log: str
    firewall: str | None = None


def watch_door(alarms: Alarms, door: WatchedDoor, limits: DoorLimits) -> None:
    """Make the alarms of a door. (M3)

    Amazon API Gateway: "Amazon API Gateway dimensions and metrics"; AWS WAF: "AWS WAF metrics and
    dimensions".

    Args:
        alarms: Where to make them.
        door: The names under which it is measured.
        limits: What is too much.
    """

    def metric(name: str, statistic: str = "Sum") -> Metric:
        dimensions = {"ApiName": door.api_name, "Stage": door.stage}
        return Metric(namespace="AWS/ApiGateway", name=name, dimensions=dimensions, statistic=statistic)

    alarms.add(
        "DoorFailures",
        Severity.HIGH,
        metric("5XXError"),
        threshold=limits.failures,
        above=">=",
        because=f"The door {door.api_name} fails to answer.",
    )
    alarms.add(
        "DoorLatency",
        Severity.HIGH,
        metric("Latency", "p99"),
        threshold=limits.latency_ms,
        times=2,
        because=f"One in a hundred answers of {door.api_name} takes longer than {limits.latency_ms} ms.",
    )
    alarms.add(
        "DoorRefusals",
        Severity.MEDIUM,
        # The mean of zeros and ones.
        metric("4XXError", "Average"),
        threshold=limits.refused_percent / 100,
        times=3,
        because=f"{door.api_name} refuses more than {limits.refused_percent} % of its requests.",
    )
    alarms.add(
        "DoorDenied",
        Severity.HIGH,
        _denials(alarms, door),
        threshold=limits.denied,
        above=">=",
        because=f"Somebody asks {door.api_name} again and again without being let in.",
    )
    if door.firewall:
        dimensions = {"WebACL": door.firewall, "Rule": "ALL", "Region": region()}
        alarms.add(
            "DoorBlocked",
            Severity.MEDIUM,
            Metric(namespace="AWS/WAFV2", name="BlockedRequests", dimensions=dimensions),
            threshold=limits.blocked,
            above=">=",
            because=f"The firewall of {door.api_name} holds many requests off.",
        )
    _add_unusual(alarms, door, metric("Count"))


def _denials(alarms: Alarms, door: WatchedDoor) -> Metric:
    """Count 401 and 403 in the access log: API Gateway has one metric for all refusals."""
    metric = Metric(namespace=_NAMESPACE, name=physical_name(alarms, "denied", longest=255), dimensions={})
    logs.CfnMetricFilter(
        alarms,
        "DoorDenials",
        filter_pattern=_REFUSED,
        log_group_name=door.access_log,
        metric_transformations=[
            logs.CfnMetricFilter.MetricTransformationProperty(
                metric_namespace=metric.namespace, metric_name=metric.name, metric_value="1", unit="Count"
            )
        ],
    )
    return metric


def _add_unusual(alarms: Alarms, door: WatchedDoor, count: Metric) -> None:
    """Alarm on requests beyond what is usual at that hour: how an extraction begins."""
    made = alarms.add(
        "DoorUnusual",
        Severity.MEDIUM,
        count,
        threshold=0,
        minutes=15,
        times=2,
        because=f"{door.api_name} is asked far more often than is usual at this hour.",
    )
    query = cloudwatch.CfnAlarm.MetricDataQueryProperty
    stat = cloudwatch.CfnAlarm.MetricStatProperty(
        metric=cloudwatch.CfnAlarm.MetricProperty(
            namespace=count.namespace, metric_name=count.name, dimensions=made.dimensions
        ),
        period=15 * 60,
        stat=count.statistic,
    )
    made.metrics = [
        query(id="asked", metric_stat=stat, return_data=True),
        query(id="usual", expression=f"ANOMALY_DETECTION_BAND(asked, {_DEVIATIONS})", return_data=True),
    ]
    # Amazon CloudWatch: PutMetricAlarm takes either one metric and a number, or expressions and a band.
    made.threshold_metric_id, made.threshold = "usual", None
    made.comparison_operator = "GreaterThanUpperThreshold"
    made.namespace = made.metric_name = made.dimensions = made.statistic = made.period = None
