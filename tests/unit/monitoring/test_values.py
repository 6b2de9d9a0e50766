"""What a watch is told: what is taken, and each thing that is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from secure_ml_constructs.errors import ConfigurationError, Problems
from secure_ml_constructs.identity import RoleFoundation
from secure_ml_constructs.monitoring.baseline import Baseline
from secure_ml_constructs.monitoring.checks import (
    Bias,
    DataQuality,
    Explainability,
    Facet,
    ModelQuality,
    Predictions,
)
from secure_ml_constructs.monitoring.plan import WatchPlan
from secure_ml_constructs.monitoring.schedule import Schedule
from secure_ml_constructs.monitoring.schema import Layout, ModelSchema, columns_of
from secure_ml_constructs.storage import DEFAULT_ZONES
from tests.unit.monitoring.plans import BASELINE, COLUMNS, ENDPOINT, JSON_SCHEMA, SCHEMA, plan

LAKE = SimpleNamespace(zones={zone.name: zone for zone in DEFAULT_ZONES})
FOUNDATION = cast("RoleFoundation", SimpleNamespace(lake=LAKE))
RECORDS = Layout(columns=COLUMNS, records="instances")


def refused(make: Callable[[], Any]) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        make()
    return [problem.argument for problem in caught.value.problems]


def problems_of(told: WatchPlan) -> list[str]:
    found = Problems()
    told.check(found)
    return [problem.argument for problem in found]


# -- when ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "cron"),
    [
        (Schedule.daily(), "cron(20 2 * * ? *)"),
        (Schedule.daily(hour=23), "cron(20 23 * * ? *)"),
        (Schedule.hourly(), "cron(20 0/1 * * ? *)"),
        (Schedule.every(hours=6), "cron(20 0/6 * * ? *)"),
        (Schedule.every(hours=24), "cron(20 0 * * ? *)"),
    ],
)
def test_schedules(schedule: Schedule, cron: str) -> None:
    assert schedule.cron == cron


@pytest.mark.parametrize("hours", [0, -1, 5, 7, 48, 0.5])
def test_windows_that_a_day_has_not(hours: Any) -> None:
    assert refused(lambda: Schedule.every(hours=hours)) == ["hours"]


@pytest.mark.parametrize("make", [lambda: Schedule.daily(hour=24), lambda: Schedule(hours=6, hour=3)])
def test_hours_that_are_none(make: Callable[[], Any]) -> None:
    assert refused(make) == ["hour"]


# -- what is looked at --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: Predictions(confidence=1.2), "confidence"),
        (lambda: Predictions(alike=0), "alike"),
        (lambda: DataQuality(drift=0), "drift"),
        (lambda: DataQuality(false_alarm_rate=1), "false_alarm_rate"),
        (lambda: DataQuality(least_rows=0), "least_rows"),
        (lambda: ModelQuality(ground_truth="s3://elsewhere/labels/"), "ground_truth"),
        (lambda: ModelQuality(ground_truth="labels"), "ground_truth"),
        (lambda: ModelQuality(ground_truth="../labels/"), "ground_truth"),
        (lambda: ModelQuality(ground_truth="labels/", after_hours=-1), "after_hours"),
        (lambda: ModelQuality(ground_truth="labels/", fall=2), "fall"),
        (lambda: Facet(column="sex"), "values"),
        (lambda: Facet(column="sex", values=["f"], above=1), "values"),
        (lambda: Facet(column="sex", values="f"), "values"),
        (lambda: Facet(column="age", above=65, disparate_impact=8), "disparate_impact"),
        (lambda: Bias(facets=[]), "facets"),
        (lambda: Bias(facets=[Facet(column="a", above=1)] * 2), "facets[1]"),
        (lambda: Explainability(attributions={"age": "shap_age"}), "attributions"),
        (lambda: Explainability(attributions={"a": "b", "c": "d"}, agreement=0), "agreement"),
        (lambda: Baseline.of_dataset(zone="curated", path="risk/data.xlsx"), "path"),
        (lambda: Baseline.of_dataset(zone="curated", path="/risk/data.csv"), "path"),
        (lambda: Baseline.of_dataset(zone="curated", path="a/../data.csv"), "path"),
        (lambda: Baseline.of_dataset(zone="c", path="a.csv", label="ill", columns=["ill"]), "label"),
        (lambda: Baseline.of_dataset(zone="c", path="a.csv", columns="ill"), "columns"),
    ],
)
def test_values_that_are_none(make: Callable[[], Any], argument: str) -> None:
    assert refused(make) == [argument]


def test_facets_are_called_as_the_job_calls_them() -> None:
    assert Facet(column="sex", values=["f", "x"]).name == "sex=f|x"
    assert Facet(column="age", above=65).name == "age>65"


# -- what a model says --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: ModelSchema.binary(probability="p", classes=("a", "b", "c")), "classes"),
        (lambda: ModelSchema.binary(probability="p", classes="ab"), "classes"),
        (lambda: ModelSchema.binary(probability="p", classes=("a", "a")), "classes[1]"),
        (lambda: ModelSchema.binary(probability="p", threshold=1), "threshold"),
        (lambda: ModelSchema.multiclass(classes=("a", "b")), "classes"),
        (lambda: ModelSchema.multiclass(classes=("a", "b", "c"), probabilities=("p",)), "probabilities"),
        (lambda: ModelSchema.regression(prediction=""), "prediction"),
        (lambda: ModelSchema.binary(probability="p", answer=Layout(columns=("q",))), "answer.columns"),
        (lambda: ModelSchema.binary(request=Layout(columns=COLUMNS), ignore=("name",)), "ignore[0]"),
        (lambda: ModelSchema.binary(request=Layout(columns=("a", "a"))), "request.columns[1]"),
        (lambda: ModelSchema.binary(request=Layout(columns=("a", ""))), "request.columns[1]"),
    ],
)
def test_schemas_that_contradict_themselves(make: Callable[[], Any], argument: str) -> None:
    assert refused(make) == [argument]


def test_what_of_an_answer_is_read() -> None:
    assert SCHEMA.outputs == ("risk",)
    assert ModelSchema.binary().outputs == ("prediction",)
    assert ModelSchema.regression().outputs == ("prediction",)
    several = ModelSchema.multiclass(classes=("a", "b", "c"), probabilities=("pa", "pb", "pc"))
    assert several.outputs == ("pa", "pb", "pc")


def test_a_doors_schema_says_the_columns() -> None:
    assert columns_of(JSON_SCHEMA, RECORDS) == COLUMNS
    assert columns_of(JSON_SCHEMA, Layout()) == ("instances",)
    assert columns_of(JSON_SCHEMA, Layout(records="nowhere")) is None
    named = {
        "type": "array",
        "items": {"$ref": "#/definitions/row"},
        "definitions": {
            "row": {"properties": {"features": {"properties": {"age": {"type": "number"}}}}},
        },
    }
    assert columns_of(named, Layout(values="features")) == ("age",)
    assert columns_of({"$ref": "#"}, Layout()) is None


# -- all together -------------------------------------------------------------------------------------------


def test_a_plan_that_fits() -> None:
    told = plan(
        FOUNDATION,
        endpoint=replace(ENDPOINT, json_schema=JSON_SCHEMA, captured_percent=20),
        schema=replace(SCHEMA, request=RECORDS),
        baseline=replace(BASELINE, columns=COLUMNS),
        model_quality=ModelQuality(ground_truth="labels/risk/"),
        bias=Bias(facets=[Facet(column="sex", values=["f"])]),
        explainability=Explainability(attributions={"age": "a", "dose": "b"}),
    )
    assert problems_of(told) == []
    assert told.columns == COLUMNS
    assert told.captures == "captures/serving-risk-c8a1b2c3d4/main/"


@pytest.mark.parametrize(
    ("change", "argument"),
    [
        ({"bias": Bias(facets=[Facet(column="race", values=["x"])])}, "bias.facets[0]"),
        (
            {
                "bias": Bias(facets=[Facet(column="sex", values=["f"])]),
                "schema": replace(SCHEMA, ignore=("sex",)),
            },
            "bias.facets[0]",
        ),
        (
            {"explainability": Explainability(attributions={"age": "a", "x": "b"})},
            "explainability.attributions",
        ),
        ({"model_quality": ModelQuality(ground_truth="raw/labels/")}, "model_quality.ground_truth"),
        ({"model_quality": ModelQuality(ground_truth="captures/labels/")}, "model_quality.ground_truth"),
        (
            {"model_quality": ModelQuality(ground_truth="labels/"), "baseline": replace(BASELINE, label="")},
            "model_quality",
        ),
        ({"endpoint": replace(ENDPOINT, captured_percent=0)}, "endpoint.captured_percent"),
        ({"endpoint": replace(ENDPOINT, tenants=("a", "b"))}, "endpoint.tenants"),
        ({"endpoint": replace(ENDPOINT, zone="nowhere")}, "endpoint.zone"),
        ({"endpoint": replace(ENDPOINT, name="risk-${Token[AWS.AccountId.1]}")}, "endpoint.name"),
        ({"baseline": replace(BASELINE, zone="nowhere")}, "baseline.zone"),
        ({"baseline": replace(BASELINE, columns=("age", "dose"))}, "baseline.columns"),
        (
            {
                "endpoint": replace(ENDPOINT, json_schema=JSON_SCHEMA),
                "schema": replace(SCHEMA, request=Layout(records="instances"), categorical=()),
                "baseline": replace(BASELINE, columns=("age", "dose", "height")),
            },
            "baseline.columns",
        ),
        (
            {"endpoint": replace(ENDPOINT, json_schema=JSON_SCHEMA), "schema": SCHEMA},
            "schema.request.columns",
        ),
    ],
)
def test_plans_that_contradict_themselves(change: dict[str, Any], argument: str) -> None:
    assert problems_of(plan(FOUNDATION, **change)) == [argument]


def test_names_of_jobs_are_of_one_endpoint() -> None:
    first = plan(FOUNDATION)
    other = plan(FOUNDATION, endpoint=replace(ENDPOINT, name=f"{ENDPOINT.name}x"))
    assert not other.job_prefix.startswith(first.job_prefix)
    assert len(plan(FOUNDATION, endpoint=replace(ENDPOINT, name="e" * 63)).job_prefix) <= 37
