"""What is watched of a door: each alarm on the metric that AWS has, and told to somebody."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_logs as logs

from secure_ml_constructs import AlertTopic, EnvironmentKeys
from secure_ml_constructs.detection.alarms import Alarms, Alerts, Severity
from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.serving.door_alarms import DoorLimits, WatchedDoor, watch_door
from secure_ml_constructs.verification.rules import check
from tests.support.compliance import findings
from tests.support.templates import REGION, Template, World, new_app, synth

ALARM = "AWS::CloudWatch::Alarm"
PERIMETER = DataPerimeter()
LIMITS = DoorLimits(latency_ms=800, failures=2, refused_percent=5, denied=10, blocked=1_000)
HIGH = {"DoorFailures", "DoorLatency", "DoorDenied"}
MEDIUM = {"DoorRefusals", "DoorBlocked", "DoorUnusual"}


def watched(app: cdk.App, limits: DoorLimits, firewall: str | None, doors: int = 1) -> list[Alarms]:
    stack = cdk.Stack(app, "Watched")
    keys = EnvironmentKeys(stack, "Keys", perimeter=PERIMETER)
    urgent, other = (
        AlertTopic(stack, name, perimeter=PERIMETER, key=keys.logs).topic for name in ("Urgent", "Other")
    )
    found = []
    for number in range(doors):
        log = logs.CfnLogGroup(stack, f"Log{number}", retention_in_days=365, kms_key_id=keys.logs.key_arn)
        alarms = Alarms(stack, f"Alarms{number}", alerts=Alerts(high=urgent, medium=other))
        door = WatchedDoor(api_name="risk", stage="live", access_log=log.ref, firewall=firewall)
        watch_door(alarms, door, limits)
        found.append(alarms)
    return found


def build(app: cdk.App) -> list[Alarms]:
    return watched(app, DoorLimits(), None)


def build_full(app: cdk.App) -> list[Alarms]:
    return watched(app, LIMITS, "door-firewall-a7dc3b19")


def made(build: Callable[[cdk.App], Any]) -> World:
    app = new_app()
    build(app)
    return World(synth(app))


@pytest.fixture(scope="session")
def default() -> World:
    return made(build)


@pytest.fixture(scope="session")
def full() -> World:
    return made(build_full)


def test_what_is_watched_by_severity() -> None:
    (alarms,) = build_full(new_app())
    assert set(alarms.by_severity[Severity.HIGH]) == HIGH
    assert set(alarms.by_severity[Severity.MEDIUM]) == MEDIUM
    (alarms,) = build(new_app())
    assert set(alarms.by_severity[Severity.MEDIUM]) == MEDIUM - {"DoorBlocked"}


def test_each_is_told_to_the_topic_of_its_severity(full: World) -> None:
    topics = {name: full.ref(full.one("AWS::SNS::Topic", name)) for name in ("Urgent", "Other")}
    for names, topic in ((HIGH, topics["Urgent"]), (MEDIUM, topics["Other"])):
        for name in names:
            alarm = full.one(ALARM, name).properties
            assert alarm["AlarmActions"] == alarm["OKActions"] == [topic]
            assert alarm["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize(
    ("name", "metric", "statistic", "threshold", "operator"),
    [
        ("DoorFailures", "5XXError", "Sum", 2, "GreaterThanOrEqualToThreshold"),
        ("DoorLatency", "Latency", "p99", 800, "GreaterThanThreshold"),
        ("DoorRefusals", "4XXError", "Average", 0.05, "GreaterThanThreshold"),
    ],
)
def test_metrics_of_the_api(
    full: World, name: str, metric: str, statistic: str, threshold: float, operator: str
) -> None:
    alarm = full.one(ALARM, name).properties
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/ApiGateway", metric)
    assert alarm.get("Statistic", alarm.get("ExtendedStatistic")) == statistic
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (threshold, operator)
    dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
    assert dimensions == {"ApiName": "risk", "Stage": "live"}


def test_what_the_firewall_blocks(full: World, default: World) -> None:
    alarm = full.one(ALARM, "DoorBlocked").properties
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/WAFV2", "BlockedRequests")
    assert {each["Name"]: each["Value"] for each in alarm["Dimensions"]} == {
        "WebACL": "door-firewall-a7dc3b19",
        "Rule": "ALL",
        "Region": REGION,
    }
    assert alarm["Threshold"] == 1_000
    assert not list(default.resources(ALARM, "DoorBlocked"))


def test_denials_are_counted_in_the_access_log(full: World) -> None:
    filter_ = full.one("AWS::Logs::MetricFilter").properties
    assert filter_["LogGroupName"] == full.ref(full.one("AWS::Logs::LogGroup"))
    (counted,) = filter_["MetricTransformations"]
    assert counted["MetricValue"] == "1"
    alarm = full.one(ALARM, "DoorDenied").properties
    assert (alarm["Namespace"], alarm["MetricName"]) == (counted["MetricNamespace"], counted["MetricName"])
    assert alarm["Threshold"] == 10


def matches(pattern: str, line: dict[str, Any]) -> bool:
    """What CloudWatch Logs makes of a pattern of comparisons."""
    text = re.sub(r"\$\.(\w+)", r"line['\1']", pattern.strip("{ }"))
    for theirs, ours in ((" = ", " == "), ("||", "or"), ("&&", "and")):
        text = text.replace(theirs, ours)
    return bool(eval(text, {"line": line}))


@pytest.mark.parametrize("write", [int, str])
def test_a_denial_is_401_or_403_of_the_door_itself(full: World, write: Callable[[int], Any]) -> None:
    pattern = full.one("AWS::Logs::MetricFilter").properties["FilterPattern"]
    for result in ("WAF_ALLOW", "-"):
        for status in (401, 403):
            assert matches(pattern, {"status": write(status), "wafResult": result})
        for status in (200, 400, 404, 413, 415, 429, 500):
            assert not matches(pattern, {"status": write(status), "wafResult": result})
    # The firewall's own refusals have an alarm of their own.
    assert not matches(pattern, {"status": write(403), "wafResult": "WAF_BLOCK"})


def test_each_door_counts_its_own_denials() -> None:
    world = made(lambda app: watched(app, LIMITS, None, doors=2))
    names = {
        each.properties["MetricTransformations"][0]["MetricName"]
        for each in world.resources("AWS::Logs::MetricFilter")
    }
    assert len(names) == 2


def test_more_requests_than_usual(full: World) -> None:
    alarm = full.one(ALARM, "DoorUnusual").properties
    asked, usual = alarm["Metrics"]
    assert asked["MetricStat"]["Metric"]["MetricName"] == "Count"
    assert {each["Name"]: each["Value"] for each in asked["MetricStat"]["Metric"]["Dimensions"]} == {
        "ApiName": "risk",
        "Stage": "live",
    }
    assert usual["Expression"] == f"ANOMALY_DETECTION_BAND({asked['Id']}, 4)"
    assert alarm["ThresholdMetricId"] == usual["Id"]
    assert alarm["ComparisonOperator"] == "GreaterThanUpperThreshold"
    # CloudWatch refuses an alarm that has both forms.
    assert not {"MetricName", "Namespace", "Dimensions", "Statistic", "Period", "Threshold"} & set(alarm)


@pytest.mark.parametrize("name", sorted(HIGH | MEDIUM))
def test_an_alarm_that_tells_nobody_is_noticed(full: World, name: str) -> None:
    template = copy.deepcopy(full.templates["Watched"])
    assert "AlarmActs" not in {each.rule for each in check({"Watched": template})}
    (alarm,) = (each for key, each in template["Resources"].items() if name in key and each["Type"] == ALARM)
    del alarm["Properties"]["AlarmActions"]
    assert "AlarmActs" in {each.rule for each in check({"Watched": template})}


@pytest.mark.parametrize("name", ["latency_ms", "failures", "refused_percent", "denied", "blocked"])
def test_limits_that_are_none(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        DoorLimits(**{name: 0})
    assert [problem.argument for problem in caught.value.problems] == [name]
    assert getattr(DoorLimits(**{name: 1}), name) == 1


def test_a_hundred_percent_is_never_exceeded() -> None:
    with pytest.raises(ConfigurationError, match="refused_percent"):
        DoorLimits(refused_percent=100)


@pytest.mark.parametrize("build", [build, build_full])
def test_no_pack_finds_anything(build: Callable[[cdk.App], Any]) -> None:
    assert findings(build) == []


@pytest.mark.parametrize("name", ["default", "full"])
def test_the_template(
    name: str, request: pytest.FixtureRequest, snapshot_template: Callable[[Template], None]
) -> None:
    world: World = request.getfixturevalue(name)
    kept = (ALARM, "AWS::Logs::MetricFilter")
    template = world.templates["Watched"]["Resources"]
    snapshot_template({"Resources": {key: each for key, each in template.items() if each["Type"] in kept}})
