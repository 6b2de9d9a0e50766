"""Dashboards: one endpoint, and all of an environment's beside one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from secure_ml_constructs._cdk import child_path, is_token
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.monitoring.dashboard_body import COLUMNS, Line, Widget, alarms, body, graph, heading
from secure_ml_constructs.monitoring.metrics import SubjectMetric, WatchMetric
from secure_ml_constructs.monitoring.shown import ShownEndpoint

__all__ = ["EndpointDashboard", "EnvironmentDashboard", "ShownEndpoint"]

_HALF = COLUMNS // 2
# 500 metrics a graph is what CloudWatch draws; of blocked requests and latency there are two entries each.
_MOST_ENDPOINTS = 100


class EndpointDashboard(Construct):
    """What an endpoint, its door and its watch do, on one page.

    Ensures:
        M3: traffic, latency, errors, blocked requests, saturation, drift by feature, the last run and the
            states of all alarms.

    Args:
        scope: The parent construct.
        id: The construct's id.
        endpoint: The names under which CloudWatch has it.

    Example:
        >>> page = EndpointDashboard(
        ...     stack, "Page", endpoint=ShownEndpoint(endpoint_name="clinical-risk", api_name="clinical-risk")
        ... )
        >>> name = page.dashboard_name
    """

    #: The dashboard's name.
    dashboard_name: str

    def __init__(self, scope: Construct, id: str, *, endpoint: ShownEndpoint) -> None:
        super().__init__(scope, id)
        made = cloudwatch.CfnDashboard(self, "Resource", dashboard_body=body(_of_one(endpoint)))
        self.dashboard_name = made.ref


class EnvironmentDashboard(Construct):
    """All endpoints of an environment, each a line in the same graphs.

    Ensures:
        M3: which endpoint is asked, slow, failing, full or drifting, whose watch did not run, and the states
            of all alarms.

    Args:
        scope: The parent construct.
        id: The construct's id.
        endpoints: The names under which CloudWatch has them, 1 to 100.
        alarms: ARNs of alarms of the environment itself. Default: none.

    Raises:
        ConfigurationError: No endpoint, more than a hundred, one that is there twice, or ARNs that are none.

    Example:
        >>> risk, triage = (ShownEndpoint(endpoint_name=name) for name in ("clinical-risk", "triage"))
        >>> page = EnvironmentDashboard(stack, "Overview", endpoints=[risk, triage])
    """

    #: The dashboard's name.
    dashboard_name: str

    def __init__(
        self, scope: Construct, id: str, *, endpoints: Sequence[ShownEndpoint], alarms: Sequence[str] = ()
    ) -> None:
        problems = Problems()
        _check_endpoints(problems, endpoints)
        if isinstance(alarms, str):
            problems.add("alarms", alarms, "One string where a list belongs.", f"Write [{alarms!r}].")
        for index, each in enumerate(() if isinstance(alarms, str) else alarms):
            if not is_token(each) and ":alarm:" not in each:
                problems.add(f"alarms[{index}]", each, "This is no alarm's ARN.", "Write alarm.attr_arn.")
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        made = cloudwatch.CfnDashboard(self, "Resource", dashboard_body=body(_of_all(endpoints, alarms)))
        self.dashboard_name = made.ref


def _check_endpoints(problems: Problems, endpoints: Sequence[ShownEndpoint]) -> None:
    if not 1 <= len(endpoints) <= _MOST_ENDPOINTS:
        given = f"{len(endpoints)} of them"
        reason = "A graph has a line for each, and CloudWatch draws so many only."
        problems.add("endpoints", given, reason, f"Give 1 to {_MOST_ENDPOINTS}; make a second page for more.")
    names = [each.endpoint_name for each in endpoints]
    for index, name in enumerate(names):
        if name in names[:index]:
            problems.add(f"endpoints[{index}]", name, "It is there twice.", "Leave one out.")


def _of_one(shown: ShownEndpoint) -> Iterator[list[Widget]]:
    yield alarms("Alarms", shown.alarms)
    yield [graph("Traffic", _traffic(shown)), _latency(shown), _errors(shown)]
    yield list(_firewall(shown))
    yield [
        graph("Saturation", shown.saturation(), unit="percent"),
        graph("Requests an instance", [shown.model("InvocationsPerInstance", "a minute")]),
        graph(
            "Requests at once", [shown.model("ConcurrentRequestsPerModel", "in the model", stat="Maximum")]
        ),
    ]
    if shown.components:
        yield [heading("## Components")]
        yield list(_components(shown))
    if shown.watched:
        yield [heading("## Watch")]
        yield from _watch(shown)


def _traffic(shown: ShownEndpoint) -> list[Line]:
    return [*shown.door("Count", "door"), shown.model("Invocations", "model")]


def _latency(shown: ShownEndpoint) -> Widget:
    lines = [
        line
        for stat in ("p50", "p99")
        for line in (
            *shown.door("Latency", f"door {stat}", stat=stat),
            shown.model("ModelLatency", f"model {stat}", stat=stat, thousandth=True),
        )
    ]
    overhead = shown.model("OverheadLatency", "SageMaker p99", stat="p99", thousandth=True)
    return graph("Latency", [*lines, overhead], unit="milliseconds")


def _errors(shown: ShownEndpoint) -> Widget:
    lines = [
        *shown.door("5XXError", "door fails"),
        *shown.door("4XXError", "door refuses"),
        shown.model("Invocation5XXErrors", "model fails"),
        shown.model("Invocation4XXErrors", "model refuses"),
        shown.model("InvocationModelErrors", "container answers no 2XX"),
    ]
    return graph("Errors", lines)


def _firewall(shown: ShownEndpoint) -> Iterator[Widget]:
    if shown.firewall is not None:
        yield graph("Blocked requests", shown.blocked("all rules"), width=_HALF)
        yield graph("Blocked by rule", shown.blocked_by_rule(), width=_HALF, stacked=True)


def _components(shown: ShownEndpoint) -> Iterator[Widget]:
    each = shown.components
    yield graph("Traffic", [shown.component("Invocations", name) for name in each])
    yield graph(
        "Latency p99",
        [shown.component("ModelLatency", name, stat="p99", thousandth=True) for name in each],
        unit="milliseconds",
    )
    yield graph("Failures", [shown.component("Invocation5XXErrors", name) for name in each])


def _watch(shown: ShownEndpoint) -> Iterator[list[Widget]]:
    last = (
        WatchMetric.COMPLETED,
        WatchMetric.FAILED,
        WatchMetric.ROWS,
        WatchMetric.CORRUPT_LINES,
        WatchMetric.VIOLATIONS,
    )
    runs = (WatchMetric.COMPLETED, WatchMetric.QUALITY_COMPLETED, WatchMetric.FAILED)
    severities = (WatchMetric.HIGH_VIOLATIONS, WatchMetric.MEDIUM_VIOLATIONS, WatchMetric.LOW_VIOLATIONS)
    yield [
        graph("Last run", [line for name in last for line in shown.watch(name, name)], view="singleValue"),
        graph("Runs", [line for name in runs for line in shown.watch(name, name, stat="Sum")]),
        graph("Violations", [line for name in severities for line in shown.watch(name, name)], stacked=True),
    ]
    yield [
        graph(title, [shown.by_subject(name)], unit="distance", width=_HALF)
        for title, name in (
            ("Drift by feature, the furthest", SubjectMetric.DRIFT),
            ("Drift of predictions", SubjectMetric.PREDICTION_DRIFT),
        )
    ]
    yield [
        graph("Classes", [shown.by_subject(SubjectMetric.CLASS_SHARE, stat="Average")], unit="share"),
        graph(
            "Low confidence",
            shown.watch(WatchMetric.LOW_CONFIDENCE_SHARE, "of the predictions", stat="Average"),
            unit="share",
        ),
        graph(
            "Entropy",
            shown.watch(WatchMetric.MEAN_ENTROPY, "of the highest possible", stat="Average"),
            unit="share",
        ),
    ]
    yield [
        graph("Nearly identical queries", shown.watch(WatchMetric.ALIKE_QUERIES, "most of one caller")),
        graph(
            "Bias: difference of positive rates",
            [shown.by_subject(SubjectMetric.POSITIVE_RATE_DIFFERENCE)],
            signed=True,
        ),
        graph("Bias: disparate impact", [shown.by_subject(SubjectMetric.DISPARATE_IMPACT, stat="Minimum")]),
    ]
    shares, errors = (
        (WatchMetric.ACCURACY, WatchMetric.F1, WatchMetric.AUC),
        (WatchMetric.MAE, WatchMetric.RMSE, WatchMetric.R2),
    )
    yield [
        graph("Quality of classes", [shown.quality(shares)], width=_HALF),
        # R2 of a model that is worse than none is below zero.
        graph("Quality of numbers", [shown.quality(errors)], width=_HALF, signed=True),
    ]


def _of_all(endpoints: Sequence[ShownEndpoint], own: Sequence[str]) -> Iterator[list[Widget]]:
    yield alarms("Environment", own)
    for each in endpoints:
        yield alarms(each.endpoint_name, each.alarms)
    names = [(each, each.endpoint_name) for each in endpoints]
    yield [
        graph("Traffic", [each.model("Invocations", name) for each, name in names]),
        graph(
            "Latency of models p99",
            [each.model("ModelLatency", name, stat="p99", thousandth=True) for each, name in names],
            unit="milliseconds",
        ),
        graph("Failures of models", [each.model("Invocation5XXErrors", name) for each, name in names]),
    ]
    yield [
        *_unless_empty("Refusals of doors", [line for e, name in names for line in e.door("4XXError", name)]),
        *_unless_empty("Blocked requests", [line for e, name in names for line in e.blocked(name)]),
        graph(
            "Fullest memory",
            [each.instances("MemoryUtilization", name) for each, name in names],
            unit="percent",
        ),
    ]
    yield [
        *_unless_empty(
            "Completed runs",
            [line for e, name in names for line in e.watch(WatchMetric.COMPLETED, name, stat="Sum")],
        ),
        *_unless_empty(
            "Violations", [line for e, name in names for line in e.watch(WatchMetric.VIOLATIONS, name)]
        ),
        *_unless_empty(
            "Furthest drift of a feature, in multiples of its limit",
            [line for e, name in names for line in e.watch(WatchMetric.LARGEST_DRIFT, name)],
        ),
    ]


def _unless_empty(title: str, lines: list[Line]) -> list[Widget]:
    return [graph(title, lines)] if lines else []
