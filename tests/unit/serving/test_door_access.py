"""Who gets through a door and to what stands behind it: decided request by request, and proved of all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import aws_cdk as cdk
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secure_ml_constructs.network import EndpointProfile
from secure_ml_constructs.serving.door_auth import DoorAuth
from secure_ml_constructs.serving.door_domain import DoorDomain
from secure_ml_constructs.serving.door_firewall import DoorFirewall
from secure_ml_constructs.serving.front_door import FrontDoor, Payloads
from secure_ml_constructs.serving.throttle import Throttle
from secure_ml_constructs.verification.proofs.environment import ask
from secure_ml_constructs.verification.proofs.questions import Answer, Trust, Verdict
from secure_ml_constructs.verification.templates import Templates as Read
from tests.support.compliance import findings
from tests.support.decisions import ALLOW_ALL, Policy, Request, Simulator
from tests.support.templates import ACCOUNT, REGION, Templates, World, new_app, synth
from tests.unit.identity.hospital import PERIMETER
from tests.unit.serving.clinic import MODEL, TENANTS
from tests.unit.serving.front_doors import (
    BUILDS,
    CERTIFICATE,
    EVERYTHING,
    NAME,
    PARTNER,
    SCHEMA,
    DoorClinic,
    cognito,
    jwt,
)

pytestmark = pytest.mark.slow

IAM = f"arn:aws:iam::{ACCOUNT}:role"
OTHER, INSIDER = f"{IAM}/secure-ml/training", f"{IAM}/developer"
ELSEWHERE = {"aws:SourceVpce": "vpce-0fedcba9876543210"}
TRUST = Trust(
    organization=PERIMETER.organization,
    role_paths=(PERIMETER.role_path,),
    administrators=PERIMETER.administrators,
    break_glass_roles=PERIMETER.break_glass_roles,
    erasure_roles=PERIMETER.erasure_roles,
    exceptions=tuple(arn for each in PERIMETER.exceptions for arn in each.principals),
)
_MADE: dict[str, Templates] = {}


def templates(name: str) -> Templates:
    if name not in _MADE:
        app = new_app()
        BUILDS[name](app)
        _MADE[name] = synth(app)
    return _MADE[name]


def policies_of(world: World, name: str) -> list[Policy]:
    """What a role that calls is granted: the policy whose name begins with its own."""
    return [each.properties["PolicyDocument"] for each in world.resources("AWS::IAM::ManagedPolicy", name)]


def may_call(
    simulator: Simulator,
    world: World,
    path: str,
    principal: str | None,
    context: dict[str, str],
    identity: list[Policy],
) -> bool:
    api = world.one("AWS::ApiGateway::RestApi")
    request = Request(
        principal=principal,
        action="execute-api:Invoke",
        resource=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{world.ref(api)}/live/POST/{path}",
        context=context,
    )
    # The short form stands for this very API ("API Gateway resource policy examples").
    policy = api.properties["Policy"]
    for statement in policy["Statement"]:
        statement["Resource"] = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{world.ref(api)}/*"
    return simulator.decide(request, identity=identity, resource_policy=policy).allowed


def here(world: World) -> dict[str, str]:
    return {"aws:SourceVpce": world.ref(world.one("AWS::EC2::VPCEndpoint", "ExecuteApi"))}


def test_who_is_granted_it_calls_by_the_networks_endpoint(simulator: Simulator) -> None:
    world = World(templates("private-iam"))
    ward = world.arn(world.one("AWS::IAM::Role", "Ward"))
    grant = policies_of(world, "WardAsks")
    assert len(grant) == 1
    assert may_call(simulator, world, "json", ward, here(world), grant)
    assert not may_call(simulator, world, "json", ward, ELSEWHERE, grant)
    assert not may_call(simulator, world, "json", ward, {}, grant)
    # Others of the environment and of the account need a permission of their own.
    for other in (OTHER, INSIDER):
        assert not may_call(simulator, world, "json", other, here(world), [])


def test_the_boundary_of_roles_knows_the_endpoint_that_the_door_brought(simulator: Simulator) -> None:
    # It is made before the door, and names the endpoints by which its roles may reach data.
    app = new_app()
    clinic = DoorClinic(app, profile=EndpointProfile.STUDIO)
    made = clinic.door(FrontDoor.private(auth=DoorAuth.iam(), payloads=Payloads(csv=True)))
    made.grant_invoke(clinic.caller("Ward"))
    world = World(synth(app))
    ward = world.arn(world.one("AWS::IAM::Role", "Ward"))
    boundary = [each for each in policies_of(world, "Boundary") if "DataFromElsewhere" in str(each)]
    assert len(boundary) == 1
    request = Request(
        principal=ward,
        action="execute-api:Invoke",
        resource=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:a1b2c3d4e5/live/POST/csv",
    )
    for way, allowed in ((here(world), True), (ELSEWHERE, False)):
        there = {**way, "aws:RequestedRegion": REGION}
        decision = simulator.decide(replace(request, context=there), identity=[ALLOW_ALL], boundary=boundary)
        assert decision.allowed is allowed


def test_a_role_of_one_tenant_calls_its_path_alone(simulator: Simulator) -> None:
    world = World(templates("private-iam-tenants"))
    caller = world.arn(world.one("AWS::IAM::Role", "CallerA"))
    grant = policies_of(world, "CallerAAsks")
    for kind in ("json", "csv", "binary/dicom"):
        assert may_call(simulator, world, f"partner-a/{kind}", caller, here(world), grant)
        assert not may_call(simulator, world, f"partner-b/{kind}", caller, here(world), grant)


def test_callers_of_another_account_are_let_in_by_name(simulator: Simulator) -> None:
    world = World(templates("private-iam-tenants"))
    assert may_call(simulator, world, "partner-a/json", PARTNER, here(world), [ALLOW_ALL])
    assert not may_call(simulator, world, "partner-a/json", PARTNER, ELSEWHERE, [ALLOW_ALL])
    stranger = PARTNER.replace("/caller", "/other")
    assert not may_call(simulator, world, "partner-a/json", stranger, here(world), [ALLOW_ALL])


@pytest.mark.parametrize("name", ["private-cognito", "private-jwt"])
def test_a_token_is_heard_by_the_networks_endpoint_only(name: str, simulator: Simulator) -> None:
    world = World(templates(name))
    assert may_call(simulator, world, "json", None, here(world), [])
    assert not may_call(simulator, world, "json", None, ELSEWHERE, [])
    assert not may_call(simulator, world, "json", None, {}, [])


def test_a_clients_key_is_read_by_the_authorizer_and_at_deployment(simulator: Simulator) -> None:
    world = World(templates("private-jwt"))
    endpoint = {"aws:SourceVpce": world.ref(world.one("AWS::EC2::VPCEndpoint", "Secretsmanager"))}
    authorizer = world.arn(world.one("AWS::IAM::Role", "TokensRole"))
    deploying = f"{IAM}/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-{REGION}"
    administrator = f"{IAM}/ml-administration/one"
    policies = [
        each.properties["ResourcePolicy"] for each in of(world, "AWS::SecretsManager::ResourcePolicy")
    ]
    assert len(policies) == 2

    def decide(principal: str, action: str, context: dict[str, str] | None = None) -> set[bool]:
        request = Request(
            principal=principal,
            action=f"secretsmanager:{action}",
            resource=f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:Key-AbCdEf",
            context=context or {},
            organization=PERIMETER.organization,
        )
        return {
            simulator.decide(request, identity=(ALLOW_ALL,), resource_policy=each).allowed
            for each in policies
        }

    assert decide(authorizer, "GetSecretValue", endpoint) == {True}
    assert decide(authorizer, "GetSecretValue", ELSEWHERE) == {False}
    assert decide(authorizer, "PutSecretValue", endpoint) == {False}
    assert decide(deploying, "GetSecretValue") == {True}
    assert decide(deploying, "DeleteSecret") == {True}
    assert decide(OTHER, "GetSecretValue", endpoint) == {False}
    assert decide(INSIDER, "GetSecretValue", endpoint) == {False}
    assert decide(administrator, "GetSecretValue", endpoint) == {False}
    assert decide(administrator, "PutResourcePolicy") == {True}
    assert decide(INSIDER, "PutResourcePolicy") == {False}


def of(world: World, type_: str) -> Any:
    return [each for each in world.resources(type_) if each.stack == "Serving"]


def test_the_authorizer_may_do_what_its_code_does_and_no_more() -> None:
    world = World(templates("private-jwt"))
    actions = {
        action
        for name in ("TokensStarting", "TokensReading")
        for each in policies_of(world, name)
        for statement in each["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        if not action.startswith("ec2:")
    }
    logs = {"logs:CreateLogStream", "logs:PutLogEvents"}
    assert actions == {*logs, "secretsmanager:GetSecretValue", "s3:GetObject", "kms:Decrypt"}
    role = world.one("AWS::IAM::Role", "TokensRole").properties
    assert role["Path"] == "/secure-ml/"
    assert role["PermissionsBoundary"]


# -- of all requests ---------------------------------------------------------------------------------------


def answers(made: Templates) -> list[Answer]:
    return ask(Read.of(made), TRUST, questions=("*/Serving/*",))


def not_held(made: Templates) -> list[str]:
    """What is broken or not covered."""
    return [
        f"{each.verdict}: {each.question}"
        for each in answers(made)
        if each.verdict in (Verdict.BROKEN, Verdict.NOT_COVERED)
    ]


@pytest.mark.parametrize("name", sorted(BUILDS))
def test_nothing_of_a_door_is_broken(name: str) -> None:
    assert not_held(templates(name)) == []


@pytest.mark.parametrize("name", sorted(BUILDS))
def test_what_is_asked_of_a_door(name: str) -> None:
    found = {each.question: each.verdict for each in answers(templates(name))}
    door, model = "Serving/RiskDoorApi", "Serving/Risk"
    # The roles that are granted it by name are those of `grant_invoke`.
    for who in ("outsider", "stolen-credentials", "confused-deputy"):
        assert found[f"{who}/call-without-authorization/{door}"] is Verdict.PROVED
    for who in ("outsider", "stolen-credentials", "compromised-job", "confused-deputy"):
        assert found[f"{who}/invoke-past-its-door/{model}"] is Verdict.PROVED
    if "jwt" in name or "tenants" in name or name == "regional-cognito":
        for who in ("outsider", "stolen-credentials", "compromised-job"):
            assert found[f"{who}/reach-another's-component/{door}"] is Verdict.PROVED
    if name in ("private-cognito", "private-jwt"):
        assert found[f"outsider/call-with-a-token-from-elsewhere/{door}"] is Verdict.PROVED


def weakened(name: str, change: Callable[[dict[str, Any]], None]) -> list[str]:
    app = new_app()
    BUILDS[name](app)
    made = synth(app)
    change(made["Serving"]["Resources"])
    return [each.question for each in answers(made) if each.verdict in (Verdict.BROKEN, Verdict.NOT_COVERED)]


def each_of(resources: dict[str, Any], type_: str) -> list[Any]:
    return [each["Properties"] for each in resources.values() if each["Type"] == type_]


def _open_methods(resources: dict[str, Any]) -> None:
    for method in each_of(resources, "AWS::ApiGateway::Method"):
        method["AuthorizationType"] = "NONE"


def _drop_the_deny(resources: dict[str, Any]) -> None:
    for api in each_of(resources, "AWS::ApiGateway::RestApi"):
        api["Policy"]["Statement"] = api["Policy"]["Statement"][:-1]


def _let_callers_choose(resources: dict[str, Any]) -> None:
    for method in each_of(resources, "AWS::ApiGateway::Method"):
        mapped = method["Integration"]["RequestParameters"]
        header = "integration.request.header.X-Amzn-SageMaker-Inference-Component"
        mapped[header] = "method.request.header.X-Tenant"


def _grant_every_path(resources: dict[str, Any]) -> None:
    for policy in each_of(resources, "AWS::IAM::ManagedPolicy"):
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Action"] == "execute-api:Invoke":
                statement["Resource"] = "*"


@pytest.mark.parametrize(
    ("name", "change", "question"),
    [
        ("regional-cognito", _open_methods, "outsider/call-without-authorization/Serving/RiskDoorApi"),
        ("private-jwt", _drop_the_deny, "outsider/call-with-a-token-from-elsewhere/Serving/RiskDoorApi"),
        ("private-cognito", _drop_the_deny, "outsider/call-with-a-token-from-elsewhere/Serving/RiskDoorApi"),
        ("regional-cognito", _let_callers_choose, "outsider/reach-another's-component/Serving/RiskDoorApi"),
        (
            "private-iam-tenants",
            _grant_every_path,
            "compromised-job/reach-another's-component/Serving/RiskDoorApi",
        ),
    ],
)
def test_a_hole_is_found(name: str, change: Callable[[dict[str, Any]], None], question: str) -> None:
    assert question in weakened(name, change)


# -- whatever is accepted -----------------------------------------------------------------------------------

_AUTHS = st.sampled_from(
    [
        DoorAuth.iam(),
        DoorAuth.iam(clients=("one", "two/2")),
        cognito(),
        jwt(),
        jwt({"app/1": "partner-a", "app.2": "partner-b", "app:3": "partner-a"}, scopes=("risk/ask",)),
    ]
)
_DOMAINS = st.none() | st.builds(
    DoorDomain,
    name=st.just(NAME),
    certificate_arn=st.just(CERTIFICATE),
    zone_id=st.none() | st.just("Z0A1B2C3D4E5F6"),
    tls_13=st.booleans(),
)
_PAYLOADS = st.sampled_from([Payloads(json=SCHEMA), Payloads(csv=True), EVERYTHING])
_THROTTLES = st.builds(
    Throttle,
    rate=st.integers(1, 10_000),
    burst=st.integers(1, 5_000),
    daily_quota=st.integers(1, 86_400),
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    auth=_AUTHS,
    domain=_DOMAINS,
    payloads=_PAYLOADS,
    throttle=_THROTTLES,
    private=st.booleans(),
    tenants=st.booleans(),
)
def test_whatever_is_accepted_has_no_finding_and_no_hole(
    auth: DoorAuth,
    domain: DoorDomain | None,
    payloads: Payloads,
    throttle: Throttle,
    private: bool,
    tenants: bool,
) -> None:
    more: dict[str, Any] = {"auth": auth, "payloads": payloads, "throttle": throttle, "domain": domain}
    door = FrontDoor.private(**more) if private else FrontDoor.regional(firewall=DoorFirewall(), **more)
    has_tenants = tenants or any("partner" in each for each in auth.clients.values())

    def build(app: cdk.App) -> None:
        DoorClinic(app).door(door, model=TENANTS if has_tenants else MODEL)

    assert findings(build) == []
    app = new_app()
    build(app)
    assert not_held(synth(app)) == []
