"""Watched models in the configuration file: what they come to, and what is refused with its place."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from secure_ml_constructs.environment import EnvironmentConfig, SecureMlEnvironment
from secure_ml_constructs.errors import Problems
from tests.support.templates import ROOT, World, new_app, synth

RAW: dict[str, Any] = yaml.safe_load((ROOT / "environments" / "reference.yaml").read_text())
IMAGE = f"${{AWS::AccountId}}.dkr.ecr.${{AWS::Region}}.${{AWS::URLSuffix}}/monitor@sha256:{'0a' * 32}"


def raw(**watch: Any) -> dict[str, Any]:
    made = copy.deepcopy(RAW)
    made["serving"]["endpoints"] = made["serving"]["endpoints"][:1]
    made["serving"]["endpoints"][0]["watch"].update(watch)
    return made


def problems(given: dict[str, Any]) -> dict[str, str]:
    found = Problems()
    EnvironmentConfig.model_validate(given).check(found)
    return {each.argument: each.reason for each in found}


def build(given: dict[str, Any]) -> tuple[SecureMlEnvironment, World]:
    app = new_app()
    made = SecureMlEnvironment(app, "Environment", config=EnvironmentConfig.model_validate(given))
    return made, World(synth(app))


def rolling_back(given: dict[str, Any]) -> dict[str, Any]:
    served = given["serving"]["endpoints"][0]
    served["fallback"] = {
        "containers": [dict(served["model"]["containers"][0], data="risk/old/model.tar.gz")]
    }
    return given


def test_the_reference_is_in_order() -> None:
    assert problems(raw()) == {}


@pytest.mark.slow
def test_it_is_watched_as_the_file_says() -> None:
    made, world = build(
        rolling_back(raw(every_hours=24, at_hour=5, retrain={"pipeline_arn": PIPELINE}, roll_back=True))
    )
    assert set(made.watches) == {"clinical-risk"}
    schedule = world.one("AWS::Scheduler::Schedule").properties
    assert schedule["ScheduleExpression"] == "cron(20 5 * * ? *)"
    assert world.one("AWS::CodeBuild::Project").stack == "hospital-ml-monitor"
    assert len(list(world.resources("AWS::CloudWatch::Dashboard"))) == 2
    targets = [str(each.properties["Targets"]) for each in world.resources("AWS::Events::Rule")]
    assert any(PIPELINE in each for each in targets)
    configs = [each.logical_id for each in world.resources("AWS::SageMaker::EndpointConfig")]
    machines = [str(each.raw["Properties"]) for each in world.resources("AWS::StepFunctions::StateMachine")]
    (fallback,) = [each for each in configs if "Fallback" in each]
    assert any(fallback in each for each in machines)


PIPELINE = "arn:aws:sagemaker:eu-central-1:111122223333:pipeline/clinical-risk"


@pytest.mark.slow
def test_an_image_of_ones_own_is_not_built() -> None:
    given = raw()
    given["serving"]["monitor"] = {"image": IMAGE}
    _, world = build(given)
    assert list(world.resources("AWS::CodeBuild::Project")) == []
    assert list(world.resources("AWS::ECR::Repository")) == []
    assert "monitor@sha256:" in str(world.one("AWS::StepFunctions::StateMachine").properties)


@pytest.mark.slow
def test_the_engine_is_changed_in_the_file_and_no_alarm_changes() -> None:
    def alarms(world: World) -> dict[str, Any]:
        found = world.resources("AWS::CloudWatch::Alarm", "Watch")
        return {each.logical_id: each.properties for each in found}

    quality = {"model_monitor": {"baselines": "clinical-risk/2026-11/monitoring/"}}
    one, other = alarms(build(raw())[1]), alarms(build(raw(**quality))[1])
    assert set(one) == set(other)
    for name, alarm in one.items():
        assert alarm.get("MetricName") == other[name].get("MetricName")


@pytest.mark.parametrize(
    ("change", "argument", "reason"),
    [
        ({"every_hours": 0}, "watch.hours", "an hour at the least"),
        ({"every_hours": 5}, "watch.hours", "can't be parted"),
        ({"every_hours": 6, "at_hour": 3}, "watch.hour", "begin at midnight"),
        ({"baseline": {"zone": "nowhere", "path": "a/b.csv"}}, "watch.baseline.zone", "no such zone"),
        ({"baseline": {"zone": "curated", "path": "../b.csv"}}, "watch.path", "No path"),
        ({"model_quality": {"ground_truth": "s3://elsewhere/labels/"}}, "watch.ground_truth", "a bucket"),
        ({"bias": {"facets": [{"column": "age"}]}}, "watch.values", "by values or by a bound"),
        ({"data_quality": {"drift": 2}}, "watch.drift", "No part of a whole"),
        ({"data_schema": {"kind": "multiclass", "probabilities": ["p"]}}, "watch.classes", "no multiclass"),
    ],
)
def test_what_is_refused_is_told_with_its_place(change: dict[str, Any], argument: str, reason: str) -> None:
    found = problems(raw(**change))
    (where,) = [each for each in found if each.endswith(argument)]
    assert where.startswith("serving.endpoints[0].")
    assert reason in found[where]


def test_a_watch_without_an_image_is_refused() -> None:
    given = raw()
    del given["serving"]["monitor"]
    assert problems(given) == {
        "serving.endpoints[0].watch": "Nothing says which image it runs in.",
    }


def test_model_monitor_needs_no_image() -> None:
    given = raw(model_monitor={"baselines": "clinical-risk/monitoring/"})
    del given["serving"]["monitor"]
    assert problems(given) == {}


def test_an_image_is_built_from_packages() -> None:
    given = raw()
    del given["packages"]
    with pytest.raises(ValidationError, match="built from packages"):
        EnvironmentConfig.model_validate(given)
    given["serving"]["monitor"] = {"base": IMAGE, "image": IMAGE}
    with pytest.raises(ValidationError, match="either base"):
        EnvironmentConfig.model_validate(given)


def test_a_rollback_needs_a_model_to_go_back_to() -> None:
    with pytest.raises(ValidationError, match="needs a fallback"):
        EnvironmentConfig.model_validate(raw(roll_back=True))
    given = rolling_back(raw(roll_back=True))
    served = given["serving"]["endpoints"][0]
    served["fallback"] = {"tenants": {"one": served["model"]["containers"][0]}}
    with pytest.raises(ValidationError, match="without tenants"):
        EnvironmentConfig.model_validate(given)
