"""PrivilegedRoles and SignIn: who comes to them, with which second factor, and what is refused."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.identity import PrivilegedRoles, SessionTag, SignIn
from secure_ml_constructs.keys import EnvironmentKeys
from secure_ml_constructs.network import SecureVpc
from secure_ml_constructs.perimeter import DataPerimeter
from tests.support.compliance import findings
from tests.support.decisions import ALLOW_ALL, Request, Simulator
from tests.support.templates import ACCOUNT, World, new_app, synth
from tests.unit.identity.hospital import PERIMETER, SIGN_IN

pytestmark = pytest.mark.slow

IAM = f"arn:aws:iam::{ACCOUNT}:role"
RESERVED = "aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_MlAdmin"
PATTERN = f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{RESERVED}_*"
ROLES = ("Auditor", "Administrator", "BreakGlass")


def build(app: cdk.App, sign_in: SignIn = SIGN_IN, perimeter: DataPerimeter = PERIMETER) -> PrivilegedRoles:
    stack = cdk.Stack(app, "Stack")
    keys = EnvironmentKeys(stack, "Keys", perimeter=perimeter)
    vpc = SecureVpc(stack, "Vpc", perimeter=perimeter, logs_key=keys.logs)
    return PrivilegedRoles(stack, "Privileged", perimeter=perimeter, network=vpc, sign_in=sign_in)


def world(sign_in: SignIn = SIGN_IN) -> World:
    app = new_app()
    build(app, sign_in)
    return World(synth(app))


@pytest.fixture(scope="session")
def by_provider() -> World:
    return world()


@pytest.fixture(scope="session")
def by_tag() -> World:
    return world(SignIn.roles(arns=[PATTERN], session_tag=SessionTag("mfa")))


@pytest.fixture(scope="session")
def by_mark() -> World:
    return world(SignIn.roles(arns=[PATTERN]))


def role(made: World, name: str) -> Any:
    return made.one("AWS::IAM::Role", f"Privileged{name}")


def assumes(
    simulator: Simulator, made: World, name: str, principal: str, context: dict[str, Any] | None = None
) -> bool:
    found = role(made, name)
    return simulator.decide(
        Request(
            principal=principal, action="sts:AssumeRole", resource=made.arn(found), context=context or {}
        ),
        identity=(ALLOW_ALL,),
        resource_policy=found.properties["AssumeRolePolicyDocument"],
    ).allowed


@pytest.mark.decision
@pytest.mark.parametrize("name", ROLES)
def test_a_second_factor_is_asked_of_whoever_comes_by_another_role(
    simulator: Simulator, by_tag: World, by_mark: World, name: str
) -> None:
    person, insider = f"{IAM}/{RESERVED}_0a1b", f"{IAM}/developer"
    tagged, marked = {"aws:PrincipalTag/mfa": "true"}, {"aws:MultiFactorAuthPresent": "true"}
    assert assumes(simulator, by_tag, name, person, tagged)
    assert not assumes(simulator, by_tag, name, person)
    assert not assumes(simulator, by_tag, name, person, {"aws:PrincipalTag/mfa": "false"})
    assert not assumes(simulator, by_tag, name, person, marked)
    assert not assumes(simulator, by_tag, name, insider, tagged)
    assert assumes(simulator, by_mark, name, person, marked)
    assert not assumes(simulator, by_mark, name, person)
    assert not assumes(simulator, by_mark, name, person, tagged)
    assert not assumes(simulator, by_mark, name, insider, marked)


@pytest.mark.parametrize("name", ROLES)
def test_a_provider_says_that_there_was_a_second_factor(by_provider: World, name: str) -> None:
    (statement,) = role(by_provider, name).properties["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/Hospital"}
    assert statement["Action"] == ["sts:AssumeRoleWithSAML", "sts:SetSourceIdentity", "sts:TagSession"]
    assert statement["Condition"]["StringEquals"]["aws:RequestTag/mfa"] == "true"
    assert "https://signin.aws.amazon.com/saml" in statement["Condition"]["StringEquals"]["SAML:aud"]


def test_they_lie_where_the_perimeter_looks_for_them(by_provider: World) -> None:
    paths = {name: role(by_provider, name).properties["Path"] for name in ROLES}
    assert paths == {
        "Auditor": "/secure-ml/auditor/",
        "Administrator": "/ml-administration/",
        "BreakGlass": "/ml-emergency/",
    }
    for name in ROLES:
        properties = role(by_provider, name).properties
        assert properties["PermissionsBoundary"]
        assert properties["MaxSessionDuration"] <= 4 * 3600
    assert role(by_provider, "BreakGlass").properties["MaxSessionDuration"] == 3600


def test_emergencies_may_have_another_door() -> None:
    app = new_app()
    made = build(app)
    door = SignIn.roles(arns=[f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{RESERVED}_*"])
    stack = cdk.Stack(app, "Other")
    PrivilegedRoles(
        stack,
        "Other",
        perimeter=PERIMETER,
        network=made.node.scope.node.find_child("Vpc"),  # type: ignore[union-attr, arg-type]
        sign_in=SIGN_IN,
        emergency=door,
    )
    templates = World(synth(app))
    trusts = {
        name: role_.properties["AssumeRolePolicyDocument"]["Statement"][0]["Action"]
        for name in ROLES
        for role_ in templates.resources("AWS::IAM::Role", f"Other{name}")
    }
    assert trusts["BreakGlass"] == ["sts:AssumeRole", "sts:SetSourceIdentity"]
    assert "sts:AssumeRoleWithSAML" in trusts["Administrator"]


@pytest.mark.slow
@pytest.mark.parametrize("sign_in", [SIGN_IN, SignIn.roles(arns=[PATTERN])], ids=["provider", "roles"])
def test_no_finding(sign_in: SignIn) -> None:
    assert findings(lambda app: build(app, sign_in)) == []


# -- bad input -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "perimeter",
    [
        DataPerimeter(),
        DataPerimeter(administrators=(f"{IAM}/ml-admin",), break_glass_roles=(f"{IAM}/ml-break-glass",)),
        DataPerimeter(
            administrators=(f"{IAM}/secure-ml/admin/*",), break_glass_roles=(f"{IAM}/secure-ml/emergency/*",)
        ),
        DataPerimeter(administrators=(f"{IAM}/ml-admin*",), break_glass_roles=(f"{IAM}/ml-emergency-*",)),
    ],
    ids=["nobody", "by name", "within the environment", "by the beginning of a name"],
)
def test_a_perimeter_that_would_not_know_the_roles_is_refused(perimeter: DataPerimeter) -> None:
    with pytest.raises(ConfigurationError) as error:
        build(new_app(), perimeter=perimeter)
    assert [problem.argument for problem in error.value.problems] == [
        "perimeter.administrators",
        "perimeter.break_glass_roles",
    ]
    assert "role/ml-administration/*" in str(error.value)


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: SignIn.roles(arns=[]), "arns"),
        (lambda: SignIn.roles(arns=[f"{IAM}/*"]), "arns[0]"),
        (lambda: SignIn.roles(arns=["arn:aws:iam::111122223333:user/anna"]), "arns[0]"),
        (lambda: SignIn.roles(arns=["*"]), "arns[0]"),
        (lambda: SignIn.saml(provider_arn="Hospital", session_tag=SessionTag("mfa")), "provider_arn"),
        (lambda: SignIn(provider_arn=f"arn:aws:iam::{ACCOUNT}:saml-provider/Hospital"), "session_tag"),
        (lambda: SessionTag("mfa", "*"), "value"),
        (lambda: SessionTag("", "true"), "key"),
    ],
)
def test_what_lets_nobody_or_everybody_in_is_refused(make: Any, argument: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        make()
    assert error.value.problems[0].argument == argument


def test_a_token_is_taken_for_an_arn() -> None:
    token = cdk.Fn.import_value("provider")
    assert SignIn.saml(provider_arn=token, session_tag=SessionTag("mfa")).trust()["Statement"]
    assert SignIn.roles(arns=[token]).role_arns == (token,)
