"""Trails, logs, alarms and detectors."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome
from secure_ml_constructs.verification.rules.pack.deployment import names
from secure_ml_constructs.verification.rules.pack.selectors import selectors
from secure_ml_constructs.verification.rules.pack.vocabulary import (
    HIJACK,
    INSIDER,
    PRESENT,
    TAMPERING,
    THEFT,
    TRUE,
    WALLET,
    customer_key,
)
from secure_ml_constructs.verification.rules.predicates import Bounded, Equals, Items, absent_or
from secure_ml_constructs.verification.rules.requirements import At, Code, Every, When, values
from secure_ml_constructs.verification.rules.rule import ERROR, WARNING, Rule
from secure_ml_constructs.verification.templates import Template, Templates, Unresolved, show

_TRAIL = "AWS::CloudTrail::Trail"
_GROUP = "AWS::Logs::LogGroup"
_ALARM = "AWS::CloudWatch::Alarm"

_trail = partial(Rule, resource_type=_TRAIL)
_INSIGHTS = ("ApiCallRateInsight", "ApiErrorRateInsight")
_EXPERIMENTS = "AWS::SageMaker::ExperimentTrialComponent"
_INFERENCE = ("AWS::SageMaker::Endpoint", "AWS::SageMaker::FeatureGroup")


def _data_types(context: Context) -> set[str]:
    types: set[str] = set()
    for selector in selectors(context):
        if "Data" in selector.equals("eventCategory"):
            types.update(selector.equals("resources.type"))
    for _, resource in values(context, "EventSelectors[*].DataResources[*].Type"):
        types.add(show(resource))
    return types


def _s3_events(context: Context) -> Iterator[Outcome]:
    path = "AdvancedEventSelectors"
    if "AWS::S3::Object" not in _data_types(context):
        yield Fail("records nothing that is done to objects", path)
        return
    found = [
        selector for selector in selectors(context) if "AWS::S3::Object" in selector.equals("resources.type")
    ]
    # Data buckets may be named; but one that only sees reads, or certain events, sees part of it.
    if found and not any({"readOnly", "eventName"}.isdisjoint(selector.names) for selector in found):
        yield Fail("records only some of what is done to objects", path)


def _inference_events(context: Context) -> Iterator[Outcome]:
    missing = [type_ for type_ in _INFERENCE if type_ not in _data_types(context)]
    if missing:
        yield Fail(f"has no data events of {' and '.join(missing)}", "AdvancedEventSelectors")


def _insights(context: Context) -> Iterator[Outcome]:
    found = {show(kind) for _, kind in values(context, "InsightSelectors[*].InsightType")}
    missing = [kind for kind in _INSIGHTS if kind not in found]
    if missing:
        yield Fail(f"lacks {' and '.join(missing)}", "InsightSelectors")


def _experiment_events(context: Context) -> Iterator[Outcome]:
    if _EXPERIMENTS not in _data_types(context):
        yield Fail(f"has no data events of {_EXPERIMENTS}", "AdvancedEventSelectors")


def _management_events(context: Context) -> Iterator[Outcome]:
    advanced = selectors(context)
    if not advanced:
        for path, include in values(context, "EventSelectors[*].IncludeManagementEvents"):
            if include is False:
                yield Fail("is false", path)
        for path, kind in values(context, "EventSelectors[*].ReadWriteType"):
            if kind not in ("All",) and isinstance(kind, str):
                yield Fail(f"is {kind}, so that the rest goes unseen", path)
        return
    for selector in advanced:
        if "Management" in selector.equals("eventCategory") and selector.names == {"eventCategory"}:
            return
    yield Fail("records no management events, or only some", "AdvancedEventSelectors")


def _named(template: Template) -> set[str]:
    return {name for resource in template.resources.values() for name in names(resource.properties)}


def _awaited(graph: Templates) -> list[Any]:
    """The names of alarms for which the deployment of an endpoint waits."""
    path = ("DeploymentConfig", "AutoRollbackConfiguration", "Alarms")
    return [
        graph.at(endpoint.template, item, ("AlarmName",))
        for endpoint in graph.resources("AWS::SageMaker::Endpoint")
        for item in graph.alternatives(endpoint, *path)
    ]


def _acts(context: Context) -> Iterator[Outcome]:
    alarm = context.resource
    graph = context.graph
    if alarm.logical_id in graph.once("named", alarm.template, lambda: _named(alarm.template)):
        # It rolls a deployment back, say, or is a part of another alarm.
        return
    name = graph.get(alarm, "AlarmName")
    if name and name in _awaited(graph):
        return
    yield from At("AlarmActions", Items(1)).check(context)
    yield from At("ActionsEnabled", absent_or(True)).check(context)


def _inference_log(context: Context) -> Iterator[Outcome]:
    """A log group in which an API of ours or an endpoint writes who asked what."""
    graph, group = context.graph, context.resource
    stages = (
        ("AWS::ApiGateway::Stage", ("AccessLogSetting", "DestinationArn")),
        ("AWS::ApiGatewayV2::Stage", ("AccessLogSettings", "DestinationArn")),
    )
    if any(graph.named_by(group, type_, *path) for type_, path in stages):
        yield from At("DataProtectionPolicy", PRESENT).check(context)


def _recording(context: Context) -> Iterator[Outcome]:
    every = context.graph.get(context.resource, "RecordingGroup", "AllSupported")
    kinds = context.graph.get(context.resource, "RecordingGroup", "RecordingStrategy", "UseOnly")
    exclusion = "EXCLUSION_BY_RESOURCE_TYPES"
    if every is not True and kinds not in ("ALL_SUPPORTED_RESOURCE_TYPES", exclusion):
        if isinstance(every, Unresolved):
            return
        yield Fail("does not record all types", "RecordingGroup.AllSupported")


def _s3_protection(context: Context) -> Iterator[Outcome]:
    for _, feature in values(context, "Features[*]"):
        whole: Any = context.graph.whole(context.resource.template, feature)
        if isinstance(whole, dict) and whole.get("Name") == "S3_DATA_EVENTS":
            if whole.get("Status") != "ENABLED":
                yield Fail("is not ENABLED for S3_DATA_EVENTS", "Features")
            return
    if context.graph.get(context.resource, "DataSources", "S3Logs", "Enable") is not True:
        yield Fail("has no S3_DATA_EVENTS", "Features")


RULES = (
    _trail(
        id="CloudTrailMultiRegion",
        requirement=At("IsMultiRegionTrail", TRUE),
        severity=ERROR,
        control="A1",
        threats=(INSIDER, HIJACK),
        title="A trail records all regions",
        why="Whoever steals credentials works in a region that nobody looks at.",
        fix="Set IsMultiRegionTrail to true.",
        standards=("CloudTrail.1",),
    ),
    _trail(
        id="CloudTrailLogging",
        requirement=At("IsLogging", TRUE),
        severity=ERROR,
        control="A1",
        threats=(INSIDER,),
        title="A trail is on",
        why="A trail that is off records nothing, and looks like one.",
        fix="Set IsLogging to true.",
        standards=("CloudTrail.3",),
    ),
    customer_key(
        "CloudTrailCustomerKey",
        _TRAIL,
        "KMSKeyId",
        "A trail is",
        control="A1",
        standards=("CloudTrail.2",),
    ),
    _trail(
        id="CloudTrailValidated",
        requirement=At("EnableLogFileValidation", TRUE),
        severity=ERROR,
        control="A1",
        threats=(INSIDER, TAMPERING),
        title="A trail can be shown not to be changed",
        why="Without digests a line can be taken out, and nobody can tell.",
        fix="Set EnableLogFileValidation to true.",
        standards=("CloudTrail.4",),
    ),
    _trail(
        id="CloudTrailGlobalEvents",
        requirement=At("IncludeGlobalServiceEvents", absent_or(True)),
        severity=ERROR,
        control="A1",
        threats=(INSIDER,),
        title="A trail records what global services do",
        why="IAM is one of them.",
        fix="Leave IncludeGlobalServiceEvents out.",
    ),
    _trail(
        id="CloudTrailToLogs",
        requirement=At("CloudWatchLogsLogGroupArn", PRESENT),
        severity=WARNING,
        control="A1",
        threats=(INSIDER,),
        title="A trail is also sent to CloudWatch Logs",
        why="Alarms and queries need it while it happens, not when the file is delivered.",
        fix="Set CloudWatchLogsLogGroupArn and CloudWatchLogsRoleArn.",
        standards=("CloudTrail.5",),
    ),
    _trail(
        id="CloudTrailManagementEvents",
        requirement=Code(_management_events, "It looks for one selector among several."),
        severity=ERROR,
        control="A1",
        threats=(INSIDER,),
        title="A trail records every management event",
        why="Reading is how an attacker begins.",
        fix="Add a selector with eventCategory Management and nothing else.",
    ),
    _trail(
        id="CloudTrailObjectEvents",
        requirement=Code(_s3_events, "It looks for one selector among several."),
        severity=ERROR,
        control="A1",
        threats=(INSIDER, THEFT),
        title="A trail records reading and writing of objects",
        why="Otherwise nobody can tell who took the training data, or put something into it.",
        fix="Add a data-event selector with resources.type AWS::S3::Object and no readOnly.",
    ),
    _trail(
        id="CloudTrailInferenceEvents",
        requirement=Code(_inference_events, "It looks for one selector among several."),
        severity=ERROR,
        control="A1",
        threats=(THEFT, INSIDER),
        title="A trail records invocations and reading of features",
        why="An extraction is a great many invocations: without them it is not seen.",
        fix="Add data-event selectors for AWS::SageMaker::Endpoint and AWS::SageMaker::FeatureGroup.",
    ),
    _trail(
        id="CloudTrailExperimentEvents",
        requirement=Code(_experiment_events, "It looks for one selector among several."),
        severity=WARNING,
        control="T5",
        threats=(TAMPERING, INSIDER),
        title="A trail records what is written to experiments",
        why="Metrics that were changed after the run are how a bad model is made to look good.",
        fix="Add a data-event selector for AWS::SageMaker::ExperimentTrialComponent.",
    ),
    _trail(
        id="CloudTrailInsights",
        requirement=Code(_insights, "It looks for two items of a list."),
        severity=WARNING,
        control="A1",
        threats=(HIJACK,),
        title="A trail looks for unusual activity",
        why="A burst of calls or of errors is what an attack looks like first.",
        fix="Set InsightSelectors to ApiCallRateInsight and ApiErrorRateInsight.",
    ),
    customer_key("LogGroupCustomerKey", _GROUP, "KmsKeyId", "A log group is", severity=WARNING),
    Rule(
        id="LogGroupRetention",
        resource_type=_GROUP,
        requirement=At("RetentionInDays", PRESENT),
        severity=WARNING,
        control="D11",
        threats=(INSIDER,),
        title="A log group keeps its events for a time that is named",
        why="Without one it keeps personal data for ever.",
        fix="Set RetentionInDays.",
        standards=("CloudWatch.16",),
    ),
    Rule(
        id="LogGroupDataProtection",
        resource_type=_GROUP,
        requirement=Code(_inference_log, "It follows who writes to the log group."),
        severity=WARNING,
        control="G6",
        threats=(INSIDER,),
        title="A log group of an API masks personal data",
        why="Addresses and queries carry names and numbers into a log that many may read.",
        fix="Set DataProtectionPolicy.",
    ),
    Rule(
        id="AlarmActs",
        resource_type=_ALARM,
        also=("AWS::CloudWatch::CompositeAlarm",),
        requirement=Code(_acts, "An alarm that something else waits for acts by that."),
        severity=WARNING,
        control="M2",
        threats=(HIJACK, WALLET),
        title="An alarm tells somebody",
        why="An alarm without an action is a colour on a page that nobody looks at.",
        fix="Set AlarmActions to a topic.",
        standards=("CloudWatch.15", "CloudWatch.17"),
    ),
    Rule(
        id="EventRuleEnabled",
        resource_type="AWS::Events::Rule",
        requirement=When(
            At("EventPattern", PRESENT),
            Every(
                At("State", absent_or("ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")),
                At("Targets", Items(1)),
            ),
        ),
        severity=WARNING,
        control="X5",
        threats=(HIJACK,),
        title="A rule for events is on and has a target",
        why="A rule without a target, or off, watches nothing.",
        fix="Leave State out and set Targets.",
    ),
    Rule(
        id="GuardDutyEnabled",
        resource_type="AWS::GuardDuty::Detector",
        requirement=Every(At("Enable", TRUE), Code(_s3_protection)),
        severity=ERROR,
        control="X1",
        threats=(HIJACK, INSIDER),
        title="GuardDuty is on, and looks at S3",
        why="It sees stolen credentials, mining and unusual reading of data.",
        fix="Set Enable to true and add the feature S3_DATA_EVENTS as ENABLED.",
        standards=("GuardDuty.1", "GuardDuty.10"),
    ),
    Rule(
        id="ConfigRecordsAll",
        resource_type="AWS::Config::ConfigurationRecorder",
        requirement=Code(_recording, "Two ways of writing mean the same."),
        severity=WARNING,
        control="X4",
        threats=(TAMPERING,),
        title="AWS Config records all types",
        why="What is not recorded changes unseen.",
        fix="Set RecordingGroup.AllSupported to true.",
        standards=("Config.1",),
    ),
    Rule(
        id="MacieEnabled",
        resource_type="AWS::Macie::Session",
        requirement=At("Status", Equals("ENABLED", absent=True)),
        severity=WARNING,
        control="D8",
        threats=(INSIDER,),
        title="Macie is on",
        why="A paused session finds nothing.",
        fix="Set Status to ENABLED.",
        standards=("Macie.1",),
    ),
    Rule(
        id="BudgetAlerts",
        resource_type="AWS::Budgets::Budget",
        requirement=At("NotificationsWithSubscribers", Items(1)),
        severity=WARNING,
        control="G12",
        threats=(WALLET, HIJACK),
        title="A budget tells somebody",
        why="Mining shows on the bill first.",
        fix="Set NotificationsWithSubscribers.",
    ),
    Rule(
        id="LogGroupLongEnough",
        resource_type=_GROUP,
        requirement=At("RetentionInDays", Bounded(365, absent=True)),
        severity=WARNING,
        control="A1",
        threats=(INSIDER,),
        title="Logs are kept for a year or more",
        why="Most break-ins are found months later.",
        fix="Set RetentionInDays to 365 or more.",
        off="How long logs are kept is a matter of law and cost: a year suits audit, not debugging.",
    ),
)
