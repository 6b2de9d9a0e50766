"""Alarms: by a threshold, by silence, and by what is usual."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest

from secure_ml_constructs.detection import AlertTopic
from secure_ml_constructs.detection.alarms import Alarms, Alerts, Metric, Severity
from secure_ml_constructs.keys import EnvironmentKeys
from secure_ml_constructs.perimeter import DataPerimeter
from tests.support.templates import World, new_app, synth

METRIC = Metric(namespace="Clinic", name="Runs", dimensions={"Endpoint": "risk"}, statistic="Sum")


@pytest.fixture(scope="module")
def world() -> World:
    app = new_app()
    stack, perimeter = cdk.Stack(app, "Alarms"), DataPerimeter()
    key = EnvironmentKeys(stack, "Keys", perimeter=perimeter).logs
    topics = [AlertTopic(stack, name, perimeter=perimeter, key=key).topic for name in ("High", "Medium")]
    alarms = Alarms(stack, "Made", alerts=Alerts(high=topics[0], medium=topics[1]))
    alarms.add("Errors", Severity.HIGH, METRIC, threshold=5, because="Too many.")
    alarms.add(
        "Silent", Severity.MEDIUM, METRIC, threshold=1, above="<", because="Nobody.", missing="breaching"
    )
    alarms.add_band("Unusual", Severity.HIGH, METRIC, because="Unusual.", minutes=60)
    alarms.add_band(
        "Either", Severity.MEDIUM, METRIC, because="Unusual.", minutes=60, deviations=2.5, below=True
    )
    assert {severity: set(made) for severity, made in alarms.by_severity.items()} == {
        Severity.HIGH: {"Errors", "Unusual"},
        Severity.MEDIUM: {"Silent", "Either"},
    }
    return World(synth(app))


def alarm(world: World, name: str) -> dict[str, Any]:
    found: dict[str, Any] = world.one("AWS::CloudWatch::Alarm", name).properties
    return found


@pytest.mark.parametrize(
    ("name", "topic"), [("Errors", "High"), ("Unusual", "High"), ("Silent", "Medium"), ("Either", "Medium")]
)
def test_each_tells_the_topic_of_its_severity(world: World, name: str, topic: str) -> None:
    told = [world.ref(world.one("AWS::SNS::Topic", topic))]
    assert alarm(world, name)["AlarmActions"] == alarm(world, name)["OKActions"] == told
    assert alarm(world, name)["AlarmDescription"].startswith(f"[{topic.lower()}] ")


def test_silence_is_no_failure_but_where_it_is(world: World) -> None:
    assert alarm(world, "Errors")["TreatMissingData"] == "notBreaching"
    assert alarm(world, "Silent")["TreatMissingData"] == "breaching"


@pytest.mark.parametrize(
    ("name", "expression", "comparison"),
    [
        ("Unusual", "ANOMALY_DETECTION_BAND(seen, 3)", "GreaterThanUpperThreshold"),
        ("Either", "ANOMALY_DETECTION_BAND(seen, 2.5)", "LessThanLowerOrGreaterThanUpperThreshold"),
    ],
)
def test_a_band_is_what_is_usual(world: World, name: str, expression: str, comparison: str) -> None:
    made = alarm(world, name)
    seen, usual = made["Metrics"]
    assert seen["MetricStat"] == {
        "Metric": {
            "Namespace": "Clinic",
            "MetricName": "Runs",
            "Dimensions": [{"Name": "Endpoint", "Value": "risk"}],
        },
        "Period": 3600,
        "Stat": "Sum",
    }
    assert usual["Expression"] == expression
    assert (made["ThresholdMetricId"], made["ComparisonOperator"]) == (usual["Id"], comparison)
    # PutMetricAlarm: of anomaly detection these may not be given.
    assert not {"Threshold", "MetricName", "Namespace", "Statistic"} & set(made)
