"""GuardedEndpoint: a model and the only door to it, in every form."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest

from secure_ml_constructs import testing
from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.serving import (
    Capacity,
    Capture,
    DoorAuth,
    DoorFirewall,
    FrontDoor,
    GuardedEndpoint,
    Payloads,
    ServedModel,
    Serving,
    TenantModels,
)
from tests.support.compliance import findings
from tests.support.templates import Template, World, new_app, synth
from tests.unit.serving.clinic import MODEL, TENANTS
from tests.unit.serving.front_doors import JSON, DoorClinic, cognito, jwt

pytestmark = pytest.mark.slow

CSV = Payloads(csv=True)


def guard(
    clinic: DoorClinic,
    door: FrontDoor,
    id: str = "Risk",
    *,
    model: ServedModel | TenantModels = MODEL,
    **more: Any,
) -> GuardedEndpoint:
    return GuardedEndpoint(
        clinic.stack,
        id,
        foundation=clinic.hospital.foundation,
        model=model,
        door=door,
        alerts=clinic.alerts,
        logging=clinic.logging,
        **more,
    )


def build_private(app: cdk.App) -> None:
    """The hospital's own systems, signed by their roles."""
    clinic = DoorClinic(app)
    made = guard(clinic, FrontDoor.private(auth=DoorAuth.iam(), payloads=JSON))
    made.grant_invoke(clinic.caller("Ward"))


def build_partners(app: cdk.App) -> None:
    """Partners with tokens of Cognito, each with a model of its own."""
    payloads = Payloads(csv=True, binary=("application/dicom",))
    door = FrontDoor.regional(auth=cognito(), payloads=payloads, firewall=DoorFirewall(countries=("DE",)))
    guard(DoorClinic(app), door, model=TENANTS)


def build_tokens(app: cdk.App) -> None:
    """Tokens of an issuer of one's own, checked by the authorizer."""
    door = FrontDoor.regional(auth=jwt(), payloads=JSON, firewall=DoorFirewall())
    guard(DoorClinic(app), door, model=TENANTS)


BUILDS = (build_private, build_partners, build_tokens)


def template(build: Callable[[cdk.App], None]) -> Template:
    app = new_app()
    build(app)
    return synth(app)["Serving"]


@pytest.fixture(scope="module")
def worlds() -> dict[str, World]:
    found = {}
    for build in BUILDS:
        app = new_app()
        build(app)
        found[build.__name__] = World(synth(app))
    return found


@pytest.mark.parametrize("build", BUILDS)
def test_no_pack_finds_anything(build: Callable[[cdk.App], None]) -> None:
    assert [each for each in findings(build) if any("Serving" in path for path in each.constructs)] == []


@pytest.mark.parametrize("build", BUILDS)
def test_nothing_is_broken_or_uncovered(build: Callable[[cdk.App], None]) -> None:
    app = new_app()
    build(app)
    found = testing.answers(app, "*/Serving/*")
    assert {str(each.verdict) for each in found} <= {"proved", "by-design", "needs-org-guardrail"}
    proved = {each.question for each in found if each.verdict == "proved"}
    doors = [each for each in proved if "call-without-authorization" in each]
    assert any(each.startswith("outsider/") for each in doors)


def test_the_firewall_stands_before_every_door(worlds: dict[str, World]) -> None:
    for name, world in worlds.items():
        association = world.one("AWS::WAFv2::WebACLAssociation")
        stage = world.one("AWS::ApiGateway::Stage")
        # The ARN names no resource: without the order WAF would look for a stage that is not there yet.
        assert stage.logical_id in association.raw["DependsOn"]
        assert world.one("AWS::ApiGateway::Account").logical_id in stage.raw["DependsOn"], name
        rules = {each["Name"] for each in world.one("AWS::WAFv2::WebACL").properties["Rules"]}
        assert "RatePerCaller" in rules
        assert ("RatePerIp" in rules) == (name != "build_private")
        assert ("BinaryType" in rules) == (name == "build_partners")


@pytest.mark.parametrize(
    ("build", "header"),
    [("build_private", "x-api-key"), ("build_partners", "authorization"), ("build_tokens", "authorization")],
)
def test_callers_are_told_apart_by_what_stays_the_same(
    worlds: dict[str, World], build: str, header: str
) -> None:
    rules = worlds[build].one("AWS::WAFv2::WebACL").properties["Rules"]
    (rate,) = (each for each in rules if each["Name"] == "RatePerCaller")
    assert header in json.dumps(rate).lower()


def test_alarms_are_about_model_door_and_firewall(worlds: dict[str, World]) -> None:
    for world in worlds.values():
        namespaces = set()
        for alarm in world.resources("AWS::CloudWatch::Alarm"):
            namespaces |= {alarm.properties.get("Namespace")}
            assert alarm.properties["AlarmActions"]
        assert {"AWS/SageMaker", "AWS/ApiGateway", "AWS/WAFV2", "SecureMl/Doors"} <= namespaces
        api = world.one("AWS::ApiGateway::RestApi").properties["Name"]
        assert any(
            {"Name": "ApiName", "Value": api} in alarm.properties.get("Dimensions", ())
            for alarm in world.resources("AWS::CloudWatch::Alarm")
        )


def test_a_tenants_component_is_named_by_its_client(worlds: dict[str, World]) -> None:
    world = worlds["build_partners"]
    clients = {world.ref(each) for each in world.resources("AWS::Cognito::UserPoolClient")}
    components = {
        each.properties["InferenceComponentName"]
        for each in world.resources("AWS::SageMaker::InferenceComponent")
    }
    assert components == clients
    assert len(clients) == 2


# -- many of them -------------------------------------------------------------------------------------------


def test_ten_share_what_the_account_has_once_and_stay_within_a_stack() -> None:
    app = new_app()
    clinic = DoorClinic(app)
    for number in range(5):
        guard(clinic, FrontDoor.private(auth=DoorAuth.iam(), payloads=JSON), f"Private{number}")
        door = FrontDoor.regional(auth=DoorAuth.iam(), payloads=CSV, firewall=DoorFirewall())
        guard(clinic, door, f"Regional{number}")
    resources = synth(app)["Serving"]["Resources"]
    assert len(resources) < 500
    kinds = [each["Type"] for each in resources.values()]
    assert kinds.count("AWS::ApiGateway::Account") == 1
    assert kinds.count("AWS::SageMaker::Endpoint") == 10
    names = [
        each["Properties"]["Name"]
        for each in resources.values()
        if each["Type"] == "AWS::ApiGateway::RestApi"
    ]
    # CloudWatch adds up what has one name.
    assert len(set(names)) == 10


@pytest.mark.parametrize("build", BUILDS)
def test_a_second_deployment_changes_nothing(build: Callable[[cdk.App], None]) -> None:
    assert json.dumps(template(build)) == json.dumps(template(build))


@pytest.mark.parametrize("build", BUILDS)
def test_the_template(
    build: Callable[[cdk.App], None], snapshot_template: Callable[[dict[str, Any]], None]
) -> None:
    snapshot_template(template(build))


# -- what it refuses ----------------------------------------------------------------------------------------


def test_everything_is_refused_at_once_and_nothing_is_made() -> None:
    clinic = DoorClinic(new_app())
    door = FrontDoor.private(
        auth=cognito(("partner-a", "partner-z")), payloads=CSV, firewall=DoorFirewall(countries=("DE",))
    )
    serving = Serving(capacity=Capacity(minimum=1), capture=Capture(zone="nowhere"))
    with pytest.raises(ConfigurationError) as caught:
        guard(clinic, door, "Refused", model=TENANTS, serving=serving)
    found = {problem.argument for problem in caught.value.problems}
    assert {"capture.zone", "door.firewall.countries", "door.auth.clients['partner-z']"} <= found
    assert str(caught.value).startswith("Serving/Refused: ")
    assert clinic.stack.node.try_find_child("Refused") is None
