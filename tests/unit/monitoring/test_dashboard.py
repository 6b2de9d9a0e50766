"""Dashboards: bodies that CloudWatch takes, metrics that somebody writes, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.monitoring.dashboard import EndpointDashboard, EnvironmentDashboard, ShownEndpoint
from tests.support.compliance import findings
from tests.support.templates import ACCOUNT, REGION, Template, World, new_app, world_of
from tests.unit.monitoring.bodies import WATCH, check_body, metrics

DASHBOARD = "AWS::CloudWatch::Dashboard"
ALARM_ARN = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:failures"
RISK = ShownEndpoint(
    endpoint_name="clinical-risk",
    components=("partner-a", "partner-b"),
    api_name="clinical-risk",
    firewall="door-firewall-a7dc3b19",
    watched=True,
    alarms=(ALARM_ARN,),
)


def build(app: cdk.App) -> None:
    """An endpoint of which nothing but its name is known, on a page of its own and on one of all."""
    shown = ShownEndpoint(endpoint_name="triage")
    stack = cdk.Stack(app, "Pages")
    EndpointDashboard(stack, "Triage", endpoint=shown)
    EnvironmentDashboard(stack, "Overview", endpoints=[shown])


def build_full(app: cdk.App) -> None:
    """Endpoints with everything, with alarms of another stack."""
    other = cdk.Stack(app, "Alarms")
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:urgent"
    made = [
        cloudwatch.CfnAlarm(
            other,
            f"Alarm{number}",
            namespace="SecureMl/Doors",
            metric_name=f"denied-{number}",
            comparison_operator="LessThanThreshold",
            evaluation_periods=1,
            period=300,
            treat_missing_data="breaching",
            statistic="Sum",
            threshold=1,
            alarm_actions=[topic],
        )
        for number in range(2)
    ]
    risk = ShownEndpoint(
        endpoint_name=RISK.endpoint_name,
        components=RISK.components,
        api_name=RISK.api_name,
        firewall=RISK.firewall,
        watched=True,
        alarms=[each.attr_arn for each in made],
    )
    triage = ShownEndpoint(endpoint_name="triage", api_name="triage", stage="v2")
    stack = cdk.Stack(app, "Pages")
    EndpointDashboard(stack, "Risk", endpoint=risk)
    EnvironmentDashboard(stack, "Overview", endpoints=[risk, triage], alarms=[made[0].attr_arn])


@pytest.fixture(scope="session")
def default() -> World:
    return world_of(build)


@pytest.fixture(scope="session")
def full() -> World:
    return world_of(build_full)


def text(world: World, name: str) -> str:
    return str(world.one(DASHBOARD, name).properties["DashboardBody"])


def titles(body: dict[str, Any]) -> dict[str, Any]:
    return {each["properties"].get("title", "text"): each for each in body["widgets"]}


# -- what CloudWatch takes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "page"), [("default", "Triage"), ("full", "Risk")])
def test_pages_are_as_cloudwatch_documents(name: str, page: str, request: pytest.FixtureRequest) -> None:
    world: World = request.getfixturevalue(name)
    check_body(text(world, page))
    check_body(text(world, "Overview"))


def test_as_many_endpoints_as_may_be() -> None:
    def build_many(app: cdk.App) -> None:
        endpoints = [
            ShownEndpoint(
                endpoint_name=f"{'e' * 55}-{number}",
                api_name=f"api-{number}",
                firewall=f"acl-{number}",
                watched=True,
                alarms=[f"{ALARM_ARN}-{number}-{each}" for each in range(30)],
            )
            for number in range(100)
        ]
        EnvironmentDashboard(cdk.Stack(app, "Pages"), "Overview", endpoints=endpoints)

    check_body(text(world_of(build_many), "Overview"))


def test_more_alarms_than_a_widget_shows() -> None:
    def build_alarms(app: cdk.App) -> None:
        arns = [f"{ALARM_ARN}-{number}" for number in range(101)]
        shown = ShownEndpoint(endpoint_name="risk", alarms=arns)
        EndpointDashboard(cdk.Stack(app, "Pages"), "Risk", endpoint=shown)

    body = check_body(text(world_of(build_alarms), "Risk"))
    shown = [w["properties"]["alarms"] for w in body["widgets"] if w["type"] == "alarm"]
    assert [len(each) for each in shown] == [100, 1]


@pytest.mark.parametrize(
    ("spoil", "wrong"),
    [
        (lambda body: body["widgets"][0].update(width=25), "25"),
        (lambda body: body["widgets"][1].update(y=0, x=0), "Errors|Traffic|Latency|Alarms"),
        (lambda body: body["widgets"][1]["properties"].pop("region"), "region"),
        (lambda body: body["widgets"][1]["properties"]["metrics"][0].__setitem__(1, "Counts"), "Counts"),
        (lambda body: body["widgets"][1]["properties"]["metrics"][0].__setitem__(2, "Api"), "Api"),
    ],
)
def test_the_check_of_bodies_sees_what_is_wrong(
    full: World, spoil: Callable[[dict[str, Any]], object], wrong: str
) -> None:
    body = json.loads(text(full, "Risk"))
    spoil(body)
    with pytest.raises(Exception, match=wrong):
        check_body(json.dumps(body))


def test_the_same_bytes_each_time(full: World) -> None:
    again = world_of(build_full)
    assert again.templates["Pages"] == full.templates["Pages"]


def test_no_page_has_a_name_of_its_own(full: World) -> None:
    for page in full.resources(DASHBOARD):
        assert "DashboardName" not in page.properties


@pytest.mark.parametrize(
    "where", [{"region": "cn-north-1", "partition": "aws-cn"}, {"region": "us-gov-west-1"}]
)
def test_other_regions(where: dict[str, str]) -> None:
    body = check_body(text(world_of(build_full, **where), "Risk"))
    regions = {w["properties"]["region"] for w in body["widgets"] if w["type"] == "metric"}
    assert regions == {where["region"]}
    assert "arn:aws:" not in json.dumps(world_of(build).templates)


# -- what is on it ------------------------------------------------------------------------------------------

SHOWN = [
    ("Traffic", "AWS/ApiGateway", "Count", {"ApiName": "clinical-risk", "Stage": "live"}),
    ("Traffic", "AWS/SageMaker", "Invocations", {"EndpointName": "clinical-risk", "VariantName": "main"}),
    ("Traffic", "AWS/SageMaker", "Invocations", {"InferenceComponentName": "partner-b"}),
    ("Latency", "AWS/ApiGateway", "Latency", {"ApiName": "clinical-risk", "Stage": "live"}),
    ("Latency", "AWS/SageMaker", "ModelLatency", {"EndpointName": "clinical-risk", "VariantName": "main"}),
    ("Errors", "AWS/ApiGateway", "5XXError", {"ApiName": "clinical-risk", "Stage": "live"}),
    (
        "Errors",
        "AWS/SageMaker",
        "Invocation5XXErrors",
        {"EndpointName": "clinical-risk", "VariantName": "main"},
    ),
    (
        "Blocked requests",
        "AWS/WAFV2",
        "BlockedRequests",
        {"WebACL": "door-firewall-a7dc3b19", "Rule": "ALL", "Region": REGION},
    ),
    (
        "Blocked by rule",
        "AWS/WAFV2",
        "BlockedRequests",
        {"WebACL": "door-firewall-a7dc3b19", "Rule": None, "Region": REGION},
    ),
    (
        "Saturation",
        "/aws/sagemaker/Endpoints",
        "MemoryUtilization",
        {"EndpointName": "clinical-risk", "VariantName": "main"},
    ),
    ("Drift by feature, the furthest", WATCH, "Drift", {"Endpoint": "clinical-risk", "Subject": None}),
    ("Last run", WATCH, "Completed", {"Endpoint": "clinical-risk"}),
    ("Low confidence", WATCH, "LowConfidenceShare", {"Endpoint": "clinical-risk"}),
    ("Nearly identical queries", WATCH, "AlikeQueries", {"Endpoint": "clinical-risk"}),
]


@pytest.mark.parametrize(("title", "namespace", "name", "dimensions"), SHOWN)
def test_what_a_page_shows(
    full: World, title: str, namespace: str, name: str, dimensions: dict[str, str | None]
) -> None:
    body = json.loads(text(full, "Risk"))
    named = [each for each in body["widgets"] if each["properties"].get("title") == title]
    assert (namespace, name, dimensions) in list(metrics({"widgets": named}))


def test_alarms_are_shown_first(full: World) -> None:
    arns = [full.arn(each) for each in full.resources("AWS::CloudWatch::Alarm")]
    page = json.loads(text(full, "Risk"))
    first = page["widgets"][0]
    assert (first["type"], first["properties"]["alarms"], first["y"]) == ("alarm", arns, 0)
    overview = json.loads(text(full, "Overview"))
    alarms = {w["properties"]["title"]: w["properties"]["alarms"] for w in overview["widgets"][:2]}
    assert alarms == {"Environment": arns[:1], "clinical-risk": arns}


def test_what_is_not_there_is_not_shown(default: World) -> None:
    for page in ("Triage", "Overview"):
        body = check_body(text(default, page))
        namespaces = {namespace for namespace, *_ in metrics(body)}
        assert namespaces == {"AWS/SageMaker", "/aws/sagemaker/Endpoints"}
        assert not any(each["type"] == "alarm" for each in body["widgets"])


def test_all_endpoints_are_lines_of_the_same_graphs(full: World) -> None:
    body = json.loads(text(full, "Overview"))
    shown = titles(body)
    for title in ("Traffic", "Latency of models p99", "Failures of models", "Fullest memory"):
        found = {dimensions["EndpointName"] for _, _, dimensions in metrics({"widgets": [shown[title]]})}
        assert found == {"clinical-risk", "triage"}
    refusals = [dimensions for _, _, dimensions in metrics({"widgets": [shown["Refusals of doors"]]})]
    assert refusals == [
        {"ApiName": "clinical-risk", "Stage": "live"},
        {"ApiName": "triage", "Stage": "v2"},
    ]
    watched = {name for namespace, name, _ in metrics(body) if namespace == WATCH}
    assert watched == {"Completed", "Violations", "LargestDrift"}


def test_microseconds_are_told_in_thousands(full: World) -> None:
    shown = titles(json.loads(text(full, "Risk")))["Latency"]["properties"]
    hidden = {entry[-1]["id"]: entry[1] for entry in shown["metrics"] if entry[-1].get("visible") is False}
    assert sorted(set(hidden.values())) == ["ModelLatency", "OverheadLatency"]
    told = [entry[0]["expression"] for entry in shown["metrics"] if "expression" in entry[0]]
    assert told == [f"{each} / 1000" for each in hidden]
    assert all(
        entry[1] == "Latency"
        for entry in shown["metrics"]
        if entry[-1].get("visible", True) and len(entry) > 1
    )


def test_what_may_be_below_zero_is_not_cut_off(full: World) -> None:
    shown = titles(json.loads(text(full, "Risk")))
    signed = {
        title
        for title, widget in shown.items()
        if "yAxis" in widget["properties"] and "min" not in widget["properties"]["yAxis"]["left"]
    }
    assert signed == {"Bias: difference of positive rates", "Quality of numbers"}


# -- what is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argument", "wrong", "right"),
    [
        ("endpoint_name", 'risk" OR "', "clinical-risk"),
        ("variant", "", "blue"),
        ("api_name", "risk'", "clinical risk"),
        ("stage", "li\nve", "v2"),
        ("firewall", "acl}", "acl"),
        ("components", "partner-a", ["partner-a"]),
        ("components", ['"'], ["partner-a"]),
        ("alarms", ALARM_ARN, [ALARM_ARN]),
        ("alarms", ["failures"], [ALARM_ARN.replace(REGION, cdk.Aws.REGION)]),
    ],
)
def test_names_that_are_none(argument: str, wrong: Any, right: Any) -> None:
    given: dict[str, Any] = {"endpoint_name": "risk", "api_name": "risk"}
    with pytest.raises(ConfigurationError) as caught:
        ShownEndpoint(**{**given, argument: wrong})
    (problem,) = caught.value.problems
    assert problem.argument.split("[")[0] == argument
    ShownEndpoint(**{**given, argument: right})


def test_names_that_are_not_known_yet() -> None:
    app = new_app()
    name = cdk.CfnParameter(cdk.Stack(app, "Other"), "Name").value_as_string
    ShownEndpoint(endpoint_name=name, api_name=name, firewall=name, alarms=[name], components=[name])


def test_a_firewall_in_front_of_nothing() -> None:
    with pytest.raises(ConfigurationError, match="there is none") as caught:
        ShownEndpoint(endpoint_name="risk", firewall="acl")
    assert [problem.argument for problem in caught.value.problems] == ["firewall"]


@pytest.mark.parametrize(
    ("given", "argument"),
    [
        ({"endpoints": []}, "endpoints"),
        ({"endpoints": [ShownEndpoint(endpoint_name=f"e{number}") for number in range(101)]}, "endpoints"),
        ({"endpoints": [RISK, RISK]}, "endpoints[1]"),
        ({"endpoints": [RISK], "alarms": ["failures"]}, "alarms[0]"),
        ({"endpoints": [RISK], "alarms": ALARM_ARN}, "alarms"),
    ],
)
def test_an_overview_of_what_can_not_be_shown(given: dict[str, Any], argument: str) -> None:
    stack = cdk.Stack(new_app(), "Pages")
    with pytest.raises(ConfigurationError) as caught:
        EnvironmentDashboard(stack, "Overview", **given)
    assert [problem.argument for problem in caught.value.problems] == [argument]
    assert caught.value.where == "Pages/Overview"
    assert stack.node.try_find_child("Overview") is None


# -- the whole ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("build", [build, build_full])
def test_no_pack_finds_anything(build: Callable[[cdk.App], None]) -> None:
    assert findings(build) == []


@pytest.mark.parametrize("name", ["default", "full"])
def test_the_template(
    name: str, request: pytest.FixtureRequest, snapshot_template: Callable[[Template], None]
) -> None:
    world: World = request.getfixturevalue(name)
    snapshot_template(world.templates["Pages"])
