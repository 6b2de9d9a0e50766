"""Who may do what in Studio: each in spaces of their own, from known places."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import aws_cdk as cdk
import pytest

from secure_ml_constructs.testing import answers
from secure_ml_constructs.verification.proofs.iam import Principal
from secure_ml_constructs.verification.proofs.iam.prove import CounterExample, Proved, Question, prove
from secure_ml_constructs.verification.proofs.questions import Verdict
from tests.support.decisions import ALLOW_ALL, Request, Simulator
from tests.support.templates import ACCOUNT, Resource, World, new_app
from tests.unit.studio.asked import attached, boundary_of, may, policies, role_of, studio_arn
from tests.unit.studio.workplace import OFFICE, build_full_teams, build_teams

pytestmark = pytest.mark.slow

PERSONAS = ("DataScientist", "MlEngineer", "Training", "Processing", "Pipeline", "Endpoint", "Monitoring")
CHANGES = ("CreateApp", "DeleteApp", "CreateSpace", "UpdateSpace", "DeleteSpace", "StartSession")
LOOKS = ("DescribeApp", "DescribeSpace", "DescribeUserProfile")
KIND_OF = {"DescribeUserProfile": "user-profile", "UpdateUserProfile": "user-profile"}


def kind_of(action: str) -> str:
    return KIND_OF.get(action) or ("app" if action.endswith("App") else "space")


# -- What people may do ------------------------------------------------------------------------------------


def asked(
    made: World, role: Resource, user: str, action: str, path: str, owner: str | None, **context: Any
) -> bool:
    """Whether somebody may do something, by every policy of their role and its boundary."""
    given: dict[str, Any] = {
        "aws:RequestedRegion": made.region,
        "sagemaker:UserProfileName": user,
        "sagemaker:DomainId": made.ref(made.one("AWS::SageMaker::Domain")),
        **context,
    }
    if owner:
        given["sagemaker:OwnerUserProfileArn"] = studio_arn(made, "user-profile", owner)
        given.setdefault("sagemaker:SpaceSharingType", "Private")
    stand = policies(attached(made, role), boundary_of(made, role))
    arn = studio_arn(made, kind_of(action), path)
    return may(stand, made.arn(role), f"sagemaker:{action}", arn, given)


OWN = "oncology-anna-jupyterlab"
LAB = f"{OWN}/JupyterLab/default"
TYPES: dict[str, Any] = {"sagemaker:InstanceTypes": ["ml.t3.medium"]}


def test_people_work_in_their_own_spaces(teams: World) -> None:
    role = role_of(teams, "oncology")

    def anna(action: str, path: str, owner: str | None = "oncology-anna", **context: Any) -> bool:
        return asked(teams, role, "oncology-anna", action, path, owner, **context)

    assert anna("CreateApp", LAB, **TYPES)
    assert anna("CreateApp", f"{OWN}/jupyterlab/default", **TYPES)
    assert anna("DeleteApp", LAB)
    assert anna("UpdateSpace", OWN, **TYPES)
    assert anna("DescribeApp", LAB, None)
    assert anna("DescribeSpace", OWN, None)
    assert anna("DescribeUserProfile", "oncology-anna", None)


@pytest.mark.parametrize(
    ("action", "path", "owner", "context"),
    [
        # A colleague's.
        ("CreateApp", "oncology-ben-jupyterlab/JupyterLab/default", "oncology-ben", TYPES),
        ("DeleteApp", "oncology-ben-jupyterlab/JupyterLab/default", "oncology-ben", {}),
        ("UpdateSpace", "oncology-ben-jupyterlab", "oncology-ben", TYPES),
        # Another team's, even under a false owner.
        ("CreateApp", "cardio-cleo-jupyterlab/JupyterLab/default", "cardio-cleo", TYPES),
        ("CreateApp", "cardio-cleo-jupyterlab/JupyterLab/default", "oncology-anna", TYPES),
        ("DescribeSpace", "cardio-cleo-jupyterlab", None, {}),
        # Kinds of apps, machines and spaces that are not offered.
        ("CreateApp", f"{OWN}/CodeEditor/default", "oncology-anna", TYPES),
        ("CreateApp", f"{OWN}/Canvas/default", "oncology-anna", TYPES),
        ("CreateApp", LAB, "oncology-anna", {"sagemaker:InstanceTypes": ["ml.p4d.24xlarge"]}),
        ("UpdateSpace", OWN, "oncology-anna", {"sagemaker:InstanceTypes": ["ml.m5.24xlarge"]}),
        ("CreateApp", LAB, "oncology-anna", {**TYPES, "sagemaker:SpaceSharingType": "Shared"}),
        ("UpdateSpace", OWN, "oncology-anna", {**TYPES, "sagemaker:RemoteAccess": "ENABLED"}),
        # Made and deleted by whoever deploys.
        ("CreateSpace", "oncology-anna-other", "oncology-anna", TYPES),
        ("DeleteSpace", OWN, "oncology-anna", {}),
        ("StartSession", OWN, "oncology-anna", {}),
        ("UpdateUserProfile", "oncology-anna", "oncology-anna", {}),
        ("CreatePresignedDomainUrl", "oncology-anna", "oncology-anna", {}),
    ],
)
def test_and_nowhere_else(
    teams: World, action: str, path: str, owner: str | None, context: Mapping[str, Any]
) -> None:
    assert not asked(teams, role_of(teams, "oncology"), "oncology-anna", action, path, owner, **context)


def test_code_editor_where_it_is_offered(full: World) -> None:
    role, path = role_of(full, "oncology"), "oncology-anna-codeeditor/CodeEditor/default"
    types = {"sagemaker:InstanceTypes": ["ml.t3.large"]}
    assert asked(full, role, "oncology-anna", "CreateApp", path, "oncology-anna", **types)


def test_nobody_whose_profile_is_not_told_opens_anything(teams: World) -> None:
    role = role_of(teams, "oncology")
    stand = policies(attached(teams, role), boundary_of(teams, role))
    context = {
        "aws:RequestedRegion": teams.region,
        "sagemaker:OwnerUserProfileArn": studio_arn(teams, "user-profile", "oncology-anna"),
        "sagemaker:SpaceSharingType": "Private",
    }
    assert not may(stand, teams.arn(role), "sagemaker:CreateApp", studio_arn(teams, "app", LAB), context)


# -- What nobody may, whatever else is granted ---------------------------------------------------------------


@pytest.mark.decision
@pytest.mark.parametrize("action", [*CHANGES, *LOOKS, "UpdateUserProfile"])
def test_other_teams_stay_closed_whatever_is_granted(teams: World, simulator: Simulator, action: str) -> None:
    role = role_of(teams, "oncology")
    own = teams.one("AWS::IAM::ManagedPolicy", "oncologyPeoplePolicy").properties["PolicyDocument"]

    def allowed(team: str) -> bool:
        arn = studio_arn(teams, kind_of(action), f"{team}-cleo")
        if kind_of(action) == "app":
            arn += "/JupyterLab/default"
        request = Request(principal=teams.arn(role), action=f"sagemaker:{action}", resource=arn)
        return simulator.decide(request, identity=(ALLOW_ALL, own)).allowed

    assert allowed("oncology")
    assert not allowed("cardio")
    # A name that only begins like the team's.
    assert not allowed("oncologyx")


@pytest.mark.decision
def test_large_machines_stay_closed_whatever_is_granted(teams: World, simulator: Simulator) -> None:
    own = teams.one("AWS::IAM::ManagedPolicy", "oncologyPeoplePolicy").properties["PolicyDocument"]

    def allowed(action: str, types: list[str] | None) -> bool:
        path = LAB if action == "CreateApp" else OWN
        request = Request(
            principal=teams.arn(role_of(teams, "oncology")),
            action=f"sagemaker:{action}",
            resource=studio_arn(teams, kind_of(action), path),
            context={"sagemaker:InstanceTypes": types},
        )
        return simulator.decide(request, identity=(ALLOW_ALL, own)).allowed

    for action in ("CreateApp", "CreateSpace", "UpdateSpace"):
        assert allowed(action, ["ml.t3.medium"])
        assert allowed(action, ["system"])
        assert allowed(action, None)
        assert not allowed(action, ["ml.p4d.24xlarge"])
        assert not allowed(action, ["ml.t3.medium", "ml.p4d.24xlarge"])


@pytest.mark.parametrize(("team", "other"), [("oncology", "cardio"), ("cardio", "oncology")])
@pytest.mark.parametrize("persona", PERSONAS)
def test_no_request_opens_another_teams_workspace_proved(
    teams: World, team: str, other: str, persona: str
) -> None:
    role = role_of(teams, team, persona)
    stand = policies(attached(teams, role), boundary_of(teams, role))
    for action in (*CHANGES, *LOOKS, "CreatePresignedDomainUrl"):
        answer = prove(question(teams, stand, role, action, other))
        assert isinstance(answer, Proved), (action, answer)


def question(made: World, stand: Any, role: Resource, action: str, team: str) -> Question:
    kind = "user-profile" if action == "CreatePresignedDomainUrl" else kind_of(action)
    resource = studio_arn(made, kind, f"{team}-*")
    return Question(stand, Principal.read(made.arn(role)), f"sagemaker:{action}", resource)


def test_the_proof_finds_a_policy_that_is_too_wide(teams: World) -> None:
    role = role_of(teams, "oncology")
    text = json.dumps(attached(teams, role))
    wide = json.loads(text.replace("/oncology-*", "/*"))
    answer = prove(question(teams, policies(wide), role, "CreateApp", "cardio"))
    assert isinstance(answer, CounterExample)
    assert "/cardio-" in answer.request.resource


@pytest.mark.slow
@pytest.mark.parametrize("make", [build_teams, build_full_teams])
def test_no_question_about_the_whole_is_broken(make: Callable[[cdk.App], Any]) -> None:
    app = new_app()
    make(app)
    broken = [each for each in answers(app) if each.verdict is Verdict.BROKEN]
    assert [f"{each.question}: {each.because}" for each in broken] == []


# -- Signing in --------------------------------------------------------------------------------------------


def signing_in(made: World, name: str) -> Any:
    (found,) = [
        each.properties["PolicyDocument"]
        for each in made.resources("AWS::IAM::ManagedPolicy", "SignIn")
        if each.properties["Roles"] == [name]
    ]
    return found


def signs_in(
    simulator: Simulator, made: World, who: str, profile: str, identity: Any, **context: str
) -> bool:
    request = Request(
        principal=f"arn:aws:iam::{ACCOUNT}:role/{who}",
        action="sagemaker:CreatePresignedDomainUrl",
        resource=studio_arn(made, "user-profile", profile),
        context={key.replace("_", ":"): value for key, value in context.items()},
    )
    return simulator.decide(request, identity=identity).allowed


def endpoint(made: World, name: str) -> str:
    return made.ref(made.one("AWS::EC2::VPCEndpoint", name))


@pytest.mark.decision
def test_people_sign_in_to_their_own_profile_from_known_places(full: World, simulator: Simulator) -> None:
    identity = (signing_in(full, "sso-anna"),)
    office, home = OFFICE.replace("0/24", "7"), "203.0.113.9"
    known: list[dict[str, str]] = [
        {"aws_SourceVpce": endpoint(full, "SagemakerApi")},
        {"aws_SourceVpce": endpoint(full, "SagemakerStudio")},
        {"aws_SourceIp": office},
    ]
    elsewhere: list[dict[str, str]] = [
        {},
        {"aws_SourceIp": home},
        {"aws_SourceVpce": "vpce-0a1b2c3d4e5f60718"},
        {"aws_SourceVpce": endpoint(full, "EndpointsSts")},
    ]
    for place in known:
        assert signs_in(simulator, full, "sso-anna", "oncology-anna", identity, **place)
        for other in ("oncology-ben", "cardio-cleo", "oncology-anna-b"):
            assert not signs_in(simulator, full, "sso-anna", other, identity, **place)
            # Whatever else the role is granted one day.
            assert not signs_in(simulator, full, "sso-anna", other, (ALLOW_ALL, *identity), **place)
    for place in elsewhere:
        assert not signs_in(simulator, full, "sso-anna", "oncology-anna", identity, **place)
        assert not signs_in(simulator, full, "sso-anna", "oncology-anna", (ALLOW_ALL, *identity), **place)


@pytest.mark.decision
def test_a_role_that_a_team_shares_signs_in_whom_the_session_names(full: World, simulator: Simulator) -> None:
    identity, here = (signing_in(full, "sso-oncology"),), endpoint(full, "SagemakerApi")

    def ben(profile: str, **context: str) -> bool:
        return signs_in(simulator, full, "sso-oncology", profile, identity, aws_SourceVpce=here, **context)

    assert ben("oncology-ben", aws_SourceIdentity="ben")
    assert not ben("oncology-anna", aws_SourceIdentity="ben")
    assert not ben("oncology-ben")
    assert not ben("oncology-${aws:SourceIdentity}")


@pytest.mark.decision
@pytest.mark.parametrize("persona", PERSONAS)
def test_a_stolen_session_makes_no_address_from_outside(
    full: World, teams: World, simulator: Simulator, persona: str
) -> None:
    for made in (full, teams):
        role = role_of(made, "oncology", persona)
        identity = (ALLOW_ALL, *attached(made, role))

        def makes(
            made: World = made, role: Resource = role, identity: Any = identity, **context: str
        ) -> bool:
            request = Request(
                principal=made.arn(role),
                action="sagemaker:CreatePresignedDomainUrl",
                resource=studio_arn(made, "user-profile", "oncology-anna"),
                context={
                    "aws:RequestedRegion": made.region,
                    **{key.replace("_", ":"): value for key, value in context.items()},
                },
            )
            return simulator.decide(request, identity=identity).allowed

        assert not makes()
        assert not makes(aws_SourceIp="203.0.113.9")
        # With Identity Center from nowhere at all; in IAM mode the Deny is about the place.
        inside = endpoint(made, "SagemakerApi")
        assert makes(aws_SourceVpce=inside) is (made is full)
