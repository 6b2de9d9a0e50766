"""A guarded endpoint with its watch, its responses and its page, as an app puts them together."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.monitoring import (
    EndpointDashboard,
    ModelMonitor,
    ModelWatch,
    OpenMonitor,
    Retrain,
    RollBack,
)
from secure_ml_constructs.serving import DoorAuth, FrontDoor, GuardedEndpoint, Payloads, Serving
from tests.support.templates import World, new_app, synth
from tests.unit.monitoring.bodies import WATCH, check_body, metrics
from tests.unit.monitoring.plans import BASELINE, SCHEMA
from tests.unit.monitoring.watches import GIVEN
from tests.unit.serving.clinic import MODEL, TENANTS
from tests.unit.serving.front_doors import DoorClinic
from tests.unit.serving.test_guarded_endpoint import guard

pytestmark = pytest.mark.slow

PIPELINE = "arn:aws:sagemaker:eu-central-1:111122223333:pipeline/clinical-risk"
ENGINE = OpenMonitor(image=GIVEN)
BOTH = (Retrain(pipeline_arn=PIPELINE), RollBack(to="clinical-risk-2026-10"))


def guarded(app: cdk.App, **more: Any) -> tuple[DoorClinic, GuardedEndpoint]:
    clinic = DoorClinic(app)
    tenants = "model" in more
    auth = DoorAuth.iam(clients=("ward",)) if tenants else DoorAuth.iam()
    return clinic, guard(clinic, FrontDoor.private(auth=auth, payloads=Payloads(csv=True)), **more)


def watched(endpoint: GuardedEndpoint, **more: Any) -> ModelWatch:
    return endpoint.watch(**{"schema": SCHEMA, "baseline": BASELINE, "engine": ENGINE, **more})


@pytest.fixture(scope="session")
def world() -> World:
    app = new_app()
    clinic, endpoint = guarded(app)
    watch = watched(endpoint, responses=BOTH)
    EndpointDashboard(clinic.stack, "Page", endpoint=endpoint.shown(watch))
    return World(synth(app))


def page(world: World) -> dict[str, Any]:
    return check_body(world.one("AWS::CloudWatch::Dashboard").properties["DashboardBody"])


def test_its_page_has_all_of_its_alarms(world: World) -> None:
    alarms = {
        world.arn(each) for each in world.resources("AWS::CloudWatch::Alarm") if each.stack == "Serving"
    }
    body = page(world)
    shown = [
        arn for each in body["widgets"] if each["type"] == "alarm" for arn in each["properties"]["alarms"]
    ]
    told = {world.arn(each) for each in world.resources("AWS::CloudWatch::Alarm", "Risk")}
    assert set(shown) == told <= alarms
    assert len(shown) == len(told) > 20


def test_its_page_has_it_under_the_names_that_it_has(world: World) -> None:
    name = world.one("AWS::SageMaker::Endpoint").properties["EndpointName"]
    api = world.one("AWS::ApiGateway::RestApi").properties["Name"]
    stage = world.one("AWS::ApiGateway::Stage").properties["StageName"]
    acl = world.one("AWS::WAFv2::WebACL").properties["VisibilityConfig"]["MetricName"]
    found = {(namespace, name_): dimensions for namespace, name_, dimensions in metrics(page(world))}
    (variant,) = world.one("AWS::SageMaker::EndpointConfig").properties["ProductionVariants"]
    invoked = {"EndpointName": name, "VariantName": variant["VariantName"]}
    assert found["AWS/SageMaker", "Invocations"] == invoked
    assert found["AWS/ApiGateway", "Count"] == {"ApiName": api, "Stage": stage}
    assert found["AWS/WAFV2", "BlockedRequests"]["WebACL"] == acl
    assert found[WATCH, "Completed"] == {"Endpoint": name}


def test_a_rollback_is_of_this_endpoint(world: World) -> None:
    name = world.one("AWS::SageMaker::Endpoint").properties["EndpointName"]
    machine = json.loads(
        world.one("AWS::StepFunctions::StateMachine", "RollBack").properties["DefinitionString"]
    )
    assert machine["States"]["Update"]["Parameters"]["EndpointName"] == name


def test_a_rollback_goes_back_to_what_is_kept_ready() -> None:
    app = new_app()
    _, endpoint = guarded(app, serving=Serving(fallback=MODEL))
    watched(endpoint, responses=[RollBack(to=endpoint.endpoint.fallback_config)])
    made = World(synth(app))
    machine = json.loads(
        made.one("AWS::StepFunctions::StateMachine", "RollBack").properties["DefinitionString"]
    )
    kept = made.ref(made.one("AWS::SageMaker::EndpointConfig", "Fallback"))
    assert machine["States"]["Update"]["Parameters"]["EndpointConfigName"] == kept


def test_without_a_watch_nothing_of_one_is_shown() -> None:
    _, endpoint = guarded(new_app(), model=TENANTS)
    shown = endpoint.shown()
    assert not shown.watched
    assert set(shown.components) == set(endpoint.endpoint.components.values())
    assert len(shown.alarms) == len(endpoint.alarms.all())


@pytest.mark.parametrize(
    ("responses", "arguments"),
    [
        ((BOTH[0], BOTH[0]), ["responses[1]"]),
        (
            (Retrain(pipeline_arn="risk"), RollBack(to="a_b")),
            ["responses[0].pipeline_arn", "responses[1].to"],
        ),
    ],
)
def test_responses_that_are_none(responses: tuple[Any, ...], arguments: list[str]) -> None:
    _, endpoint = guarded(new_app())
    with pytest.raises(ConfigurationError) as caught:
        watched(endpoint, responses=responses)
    assert [problem.argument for problem in caught.value.problems] == arguments
    assert endpoint.node.try_find_child("Watch") is None


def test_responses_are_the_same_with_either_engine() -> None:
    def responding(engine: Any) -> dict[str, Any]:
        app = new_app()
        _, endpoint = guarded(app)
        watched(endpoint, engine=engine, responses=BOTH)
        resources = synth(app)["Serving"]["Resources"]
        kept = ("RiskWatchRetrain", "RiskWatchRollBack", "RiskWatchAlarms")
        return {key: each for key, each in resources.items() if key.startswith(kept)}

    found = responding(ModelMonitor(baselines="risk/monitoring/"))
    assert found
    assert found == responding(ENGINE)
