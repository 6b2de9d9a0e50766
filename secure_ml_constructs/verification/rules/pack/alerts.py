"""Alarms that watch what there is, and budgets that tell in time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome
from secure_ml_constructs.verification.rules.pack.vocabulary import (
    API_ABUSE,
    HIJACK,
    TAMPERING,
    WALLET,
)
from secure_ml_constructs.verification.rules.predicates import Equals, Items, absent_or
from secure_ml_constructs.verification.rules.requirements import At, Code, values
from secure_ml_constructs.verification.rules.rule import WARNING, Rule
from secure_ml_constructs.verification.templates import show

# Under which dimensions a service publishes; one set of each suffices, and there may be more beside it.
# "Metrics for monitoring Amazon SageMaker AI", "Amazon API Gateway dimensions and metrics", "AWS WAF metrics
# and dimensions", "Monitoring Amazon EventBridge".
_INFERENCE = (("EndpointName", "VariantName"), ("InferenceComponentName",))
_PUBLISHED: dict[str, tuple[tuple[str, ...], ...]] = {
    "/aws/sagemaker/Endpoints": _INFERENCE,
    "AWS/ApiGateway": (("ApiName",), ("ApiId",)),
    "AWS/WAFV2": (("Region", "Rule"),),
    "AWS/Events": (("RuleName",), ("EventBusName",)),
}
# Those of our own watches: of the whole, and of what has a metric of its own.
_WATCH = "SecureMl/ModelWatch"
_OF_SUBJECTS = ("Drift", "PredictionDrift", "ClassShare", "PositiveRateDifference", "DisparateImpact")
_INVOCATIONS = ("Invocation", "ModelLatency", "OverheadLatency", "ModelSetupTime", "ConcurrentRequests")

# "Using CloudWatch anomaly detection": how wide the band is, in standard deviations; two by default.
_BAND = re.compile(r"ANOMALY_DETECTION_BAND\(\s*[^,)]+(?:,\s*(?P<width>[0-9.]+)\s*)?\)")
_DEVIATIONS, _WIDEST = 2, 5


def _sets(metric: dict[str, Any]) -> tuple[tuple[str, ...], ...]:
    namespace = show(metric.get("Namespace"))
    if namespace == "AWS/SageMaker":
        # Other metrics, of a queue of requests say, are those of an endpoint or of a job.
        return _INFERENCE if show(metric.get("MetricName")).startswith(_INVOCATIONS) else ()
    if namespace == _WATCH:
        named = show(metric.get("MetricName")) in _OF_SUBJECTS
        return (("Endpoint", "Subject"),) if named else (("Endpoint",),)
    return _PUBLISHED.get(namespace, ())


def _published(context: Context) -> Iterator[Outcome]:
    """A metric is named by all of its dimensions: with one less it is another, or none."""
    graph, alarm = context.graph, context.resource
    metrics: list[tuple[str, Any]] = [("", alarm.properties)]
    metrics += values(context, "Metrics[*].MetricStat.Metric")
    for path, metric in metrics:
        whole = graph.whole(alarm.template, metric)
        if not isinstance(whole, dict):
            continue
        items = whole.get("Dimensions", [])
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            continue
        names = {show(item.get("Name")) for item in items}
        sets = _sets(whole)
        if sets and not any(names.issuperset(each) for each in sets):
            wanted = " or ".join(" and ".join(each) for each in sets)
            yield Fail(f"is without {wanted}: no such metric is published", f"{path}.Dimensions".lstrip("."))
        elif show(whole.get("Namespace")) == "AWS/WAFV2" and not names & {"WebACL", "RuleGroup"}:
            yield Fail("is without WebACL: it is no metric of a firewall of ours", f"{path}.Dimensions")


def _tells(context: Context) -> Iterator[Outcome]:
    metrics = [context.graph.get(context.resource, "Namespace")]
    metrics += [name for _, name in values(context, "Metrics[*].MetricStat.Metric.Namespace")]
    if {"AWS/SageMaker", "/aws/sagemaker/Endpoints"} & set(map(show, metrics)):
        yield from At("AlarmActions", Items(1)).check(context)
        # A rollback looks at the state of an alarm, and goes on where its actions are off.
        yield from At("ActionsEnabled", absent_or(True)).check(context)


def _silence(context: Context) -> Iterator[Outcome]:
    """Too few of what is counted: where there are none at all, there is no data either."""
    get = partial(context.graph.get, context.resource)
    few = str(get("ComparisonOperator")).startswith("LessThan")
    if few and get("Statistic") in ("Sum", "SampleCount"):
        yield from At("TreatMissingData", Equals("breaching")).check(context)


def _bands(context: Context) -> Iterator[Outcome]:
    for path, expression in values(context, "Metrics[*].Expression"):
        for found in _BAND.finditer(show(expression)):
            width = float(found["width"] or _DEVIATIONS)
            if not 0 < width <= _WIDEST:
                yield Fail(f"is a band of {width:g} deviations, which nothing leaves", path)


def _forecast(context: Context) -> Iterator[Outcome]:
    path = "NotificationsWithSubscribers"
    kinds = {kind for _, kind in values(context, f"{path}[*].Notification.NotificationType")}
    if "FORECASTED" not in kinds:
        yield Fail("has none that is FORECASTED", path)


RULES = (
    Rule(
        id="AlarmDimensions",
        resource_type="AWS::CloudWatch::Alarm",
        requirement=Code(_published, "It looks for names among a list."),
        severity=WARNING,
        control="M2",
        threats=(HIJACK, WALLET, API_ABUSE),
        title="An alarm watches a metric that is published",
        why="An alarm on a metric that nobody writes is quiet for ever, and looks well.",
        fix="Set all the dimensions under which the service publishes the metric.",
    ),
    Rule(
        id="AlarmOnEndpointTells",
        resource_type="AWS::CloudWatch::Alarm",
        requirement=Code(_tells, "The metric may be one of several."),
        severity=WARNING,
        control="M3",
        threats=(HIJACK, WALLET, API_ABUSE),
        title="An alarm on an endpoint tells somebody, whatever it rolls back besides",
        why="A rollback is for the minutes of a deployment: an attack comes at any other time.",
        fix="Set AlarmActions to a topic, and leave ActionsEnabled out.",
    ),
    Rule(
        id="AlarmOnSilence",
        resource_type="AWS::CloudWatch::Alarm",
        requirement=Code(_silence, "It is asked only of alarms on too few."),
        severity=WARNING,
        control="M2",
        threats=(TAMPERING, HIJACK),
        title="An alarm on too few of something goes off where there is nothing",
        why="Whoever stops what looks, a run of a watch say, stops its data too: the alarm would stay quiet.",
        fix="Set TreatMissingData to breaching.",
    ),
    Rule(
        id="AlarmBandNarrow",
        resource_type="AWS::CloudWatch::Alarm",
        requirement=Code(_bands, "The width is a part of an expression."),
        severity=WARNING,
        control="G10",
        threats=(HIJACK, API_ABUSE),
        title="The band of an alarm by anomaly detection is five deviations wide at most",
        why="Nothing that happens lies outside a wide band, and the alarm looks well.",
        fix="Give ANOMALY_DETECTION_BAND two or three deviations.",
    ),
    Rule(
        id="BudgetForecasts",
        resource_type="AWS::Budgets::Budget",
        requirement=Code(_forecast, "It looks for a kind among a list."),
        severity=WARNING,
        control="G12",
        threats=(WALLET, HIJACK),
        title="A budget tells before it is spent",
        why="What was spent is told a day late: by then a hijacker has mined for a day more.",
        fix="Add a notification of NotificationType FORECASTED.",
    ),
)
