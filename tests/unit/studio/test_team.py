"""Teams in Studio: what is made for them, what their people may do, and what nobody may."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.identity import Persona
from secure_ml_constructs.studio import SecureStudioDomain, StudioApps, StudioAuth, StudioUser
from secure_ml_constructs.testing import answers
from secure_ml_constructs.verification.proofs.iam import Principal
from secure_ml_constructs.verification.proofs.iam.prove import CounterExample, Proved, Question, prove
from secure_ml_constructs.verification.proofs.questions import Verdict
from tests.support.compliance import findings
from tests.support.decisions import ALLOW_ALL, Request, Simulator
from tests.support.templates import ACCOUNT, Resource, World, cdk_context, new_app, synth
from tests.unit.studio.asked import attached, boundary_of, may, policies, role_of, studio_arn
from tests.unit.studio.workplace import (
    OFFICE,
    build,
    build_full_teams,
    build_teams,
    center,
    foundation,
    world,
)

PERSONAS = ("DataScientist", "MlEngineer", "Training", "Processing", "Pipeline", "Endpoint", "Monitoring")
CHANGES = ("CreateApp", "DeleteApp", "CreateSpace", "UpdateSpace", "DeleteSpace", "StartSession")
LOOKS = ("DescribeApp", "DescribeSpace", "DescribeUserProfile")
KIND_OF = {"DescribeUserProfile": "user-profile", "UpdateUserProfile": "user-profile"}


@pytest.fixture(scope="session")
def teams() -> World:
    return world(build_teams)


@pytest.fixture(scope="session")
def full() -> World:
    return world(build_full_teams)


def kind_of(action: str) -> str:
    return KIND_OF.get(action) or ("app" if action.endswith("App") else "space")


@pytest.mark.parametrize("make", [build_teams, build_full_teams])
def test_no_finding(make: Callable[[cdk.App], Any]) -> None:
    assert findings(make) == []


@pytest.mark.parametrize("make", [build_teams, build_full_teams])
def test_the_template_of_a_team(
    make: Callable[[cdk.App], Any], snapshot_template: Callable[[dict[str, Any]], None]
) -> None:
    template = copy.deepcopy(world(make).templates["Oncology"])
    # Roles are not of this area.
    own = ("AWS::SageMaker::", "Custom::")
    template["Resources"] = {
        name: each
        for name, each in template["Resources"].items()
        if each["Type"].startswith(own) or "oncologyroles" not in name
    }
    template.pop("Outputs", None)
    snapshot_template(template)


@pytest.mark.slow
def test_cloudformation_takes_the_templates() -> None:
    # With the CDK's own validation, which knows the schemas of CloudFormation.
    context = {**cdk_context(), "@aws-cdk/core:validateAgainstDefaultRules": True}
    app = cdk.App(analytics_reporting=False, context=context)
    build_full_teams(app)
    wrong = cdk.Stack(app, "Wrong")
    cdk.CfnResource(wrong, "Space", type="AWS::SageMaker::Space", properties={"Nonsense": True})
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    report = json.loads((Path(app.outdir) / "validation-report.json").read_text())
    found = [each for plugin in report["pluginReports"] for each in plugin["violations"]]
    places = {place["constructPath"] for each in found for place in each["violatingConstructs"]}
    assert {each for each in places if each.startswith(("Studio", "Oncology", "Wrong"))} == {"Wrong/Space"}


# -- What is made ------------------------------------------------------------------------------------------


def test_each_person_has_a_profile_with_the_role_of_the_team(teams: World) -> None:
    found = {
        each.properties["UserProfileName"]: each for each in teams.resources("AWS::SageMaker::UserProfile")
    }
    assert set(found) == {"oncology-anna", "oncology-ben", "cardio-cleo"}
    for name, team, persona in (
        ("oncology-anna", "oncology", "DataScientist"),
        ("oncology-ben", "oncology", "MlEngineer"),
        ("cardio-cleo", "cardio", "DataScientist"),
    ):
        properties = found[name].properties
        assert properties["UserSettings"] == {"ExecutionRole": teams.arn(role_of(teams, team, persona))}
        assert properties["SingleSignOnUserIdentifier"] == "UserName"
        assert properties["SingleSignOnUserValue"] == f"{name.split('-')[1]}@hospital.example"


def test_each_person_has_a_private_space_for_each_app(teams: World, full: World) -> None:
    spaces = {each.properties["SpaceName"]: each for each in full.resources("AWS::SageMaker::Space")}
    assert set(spaces) == {
        f"oncology-{user}-{app}" for user in ("anna", "ben") for app in ("jupyterlab", "codeeditor")
    }
    space = spaces["oncology-anna-codeeditor"]
    settings = space.properties["SpaceSettings"]
    assert settings["AppType"] == "CodeEditor"
    assert settings["RemoteAccess"] == "DISABLED"
    assert settings["SpaceStorageSettings"]["EbsStorageSettings"]["EbsVolumeSizeInGb"] == 50
    # When it is shut down is said by the domain: CloudFormation knows no idle settings of a space.
    assert settings["CodeEditorAppSettings"] == {"DefaultResourceSpec": {"InstanceType": "ml.t3.large"}}
    assert "JupyterLabAppSettings" not in settings
    assert space.properties["SpaceSharingSettings"] == {"SharingType": "Private"}
    assert space.properties["OwnershipSettings"] == {"OwnerUserProfileName": "oncology-anna"}
    profile = full.one("AWS::SageMaker::UserProfile", "anna")
    assert profile.logical_id in space.raw["DependsOn"]
    assert len(list(teams.resources("AWS::SageMaker::Space"))) == 3


def test_no_user_of_identity_center_in_iam_mode(full: World) -> None:
    for profile in full.resources("AWS::SageMaker::UserProfile"):
        assert "SingleSignOnUserValue" not in profile.properties


def test_work_is_kept_with_its_logical_id(teams: World, full: World) -> None:
    kept = {
        each.logical_id: each.raw["DeletionPolicy"]
        for type_ in ("AWS::SageMaker::UserProfile", "AWS::SageMaker::Space")
        for each in teams.resources(type_)
    }
    assert kept == {
        "oncologyProfileannaD19A61D4": "Retain",
        "oncologyProfileben83CABB0D": "Retain",
        "cardioProfilecleoCFA866E9": "Retain",
        "oncologySpaceannaJupyterLab4F57A87E": "Retain",
        "oncologySpacebenJupyterLab72EDFDFF": "Retain",
        "cardioSpacecleoJupyterLabC2591BB6": "Retain",
    }
    for type_ in ("AWS::SageMaker::UserProfile", "AWS::SageMaker::Space"):
        assert {each.raw["DeletionPolicy"] for each in full.resources(type_)} == {"Delete"}


def test_apps_are_deleted_before_their_spaces(full: World, teams: World) -> None:
    apps = full.one("Custom::StudioApps")
    spaces = {each.logical_id for each in full.resources("AWS::SageMaker::Space")}
    assert len(spaces) == 4
    assert spaces < set(apps.raw["DependsOn"])
    assert apps.properties["Prefix"] == "oncology-"
    assert apps.properties["DomainId"] == full.ref(full.one("AWS::SageMaker::Domain"))
    assert not list(teams.resources("Custom::StudioApps"))
    # It may do so, and is let as long as it is asked.
    policy = full.one("AWS::IAM::ManagedPolicy", "StopsApps")
    assert policy.logical_id in apps.raw["DependsOn"]
    assert policy.properties["Roles"] == [full.ref(full.one("AWS::IAM::Role", "CleanupRole"))]
    delete = policy.properties["PolicyDocument"]["Statement"][1]
    assert delete["Resource"] == studio_arn(full, "app", "oncology-*")


def test_tags_of_the_app_change_nothing_that_holds_work(teams: World) -> None:
    app = new_app()
    build_teams(app)
    cdk.Tags.of(app).add("cost-center", "4711")
    tagged = World(synth(app))
    for type_ in ("AWS::SageMaker::UserProfile", "AWS::SageMaker::Space", "AWS::SageMaker::Domain"):
        assert [each.raw for each in tagged.resources(type_)] == [each.raw for each in teams.resources(type_)]


def test_each_stack_stays_small(teams: World) -> None:
    for template in teams.templates.values():
        assert len(template["Resources"]) < 100


def test_a_team_without_a_stack_of_its_own_is_in_the_domains() -> None:
    app = new_app()
    studio = build(app)
    team = studio.add_team("oncology", foundation=foundation(studio), users=[center("anna")])
    assert team.node.scope is studio
    assert team.spaces == {"anna": ("oncology-anna-jupyterlab",)}
    made = World(synth(app))
    assert made.one("AWS::SageMaker::UserProfile").stack == "Studio"


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


# -- What is refused ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def studios() -> Mapping[str, tuple[SecureStudioDomain, Any]]:
    found = {}
    for mode, auth in (("SSO", StudioAuth.identity_center()), ("IAM", StudioAuth.iam())):
        studio = build(new_app(), auth=auth, apps=StudioApps(profiles_quota=3))
        below = foundation(studio)
        users: list[str | StudioUser] = ["dora"] if mode == "IAM" else [center("dora")]
        studio.add_team("existing", foundation=below, users=users)
        found[mode] = (studio, below)
    return found


@pytest.mark.parametrize(
    ("mode", "argument", "given"),
    [
        ("IAM", "users", {"users": []}),
        ("IAM", "users", {"users": "anna"}),
        ("IAM", "users[1].name", {"users": ["anna", "anna"]}),
        ("IAM", "users[0].name", {"users": ["Anna"]}),
        ("IAM", "users[0].name", {"users": ["anna--b"]}),
        ("IAM", "users[0].name", {"users": ["a" * 31]}),
        ("IAM", "users[0].persona", {"users": [StudioUser(name="anna", persona=Persona.TRAINING)]}),
        ("IAM", "users[0].identity_center_user", {"users": [center("anna")]}),
        ("IAM", "users", {"users": ["a", "b", "c"]}),
        ("IAM", "name", {"name": "existing", "users": ["anna"]}),
        ("IAM", "team", {"name": "existing-too", "users": ["anna"]}),
        ("IAM", "team", {"name": "Oncology", "users": ["anna"]}),
        ("IAM", "reads[0]", {"users": ["anna"], "reads": ["nowhere"]}),
        ("SSO", "users[0].identity_center_user", {"users": ["anna"]}),
        ("SSO", "users[0].identity_center_user", {"users": [StudioUser(name="anna")]}),
        (
            "SSO",
            "users[0].identity_center_user",
            {"users": [StudioUser(name="anna", identity_center_user="dora@hospital.example")]},
        ),
        (
            "SSO",
            "users[1].identity_center_user",
            {"users": [center("anna"), StudioUser(name="b", identity_center_user="anna@hospital.example")]},
        ),
    ],
)
def test_a_wrong_team_is_refused_and_leaves_nothing(
    studios: Mapping[str, tuple[SecureStudioDomain, Any]],
    mode: str,
    argument: str,
    given: dict[str, Any],
) -> None:
    studio, below = studios[mode]
    before = {child.node.id for child in studio.node.children}
    with pytest.raises(ConfigurationError) as caught:
        studio.add_team(**{"name": "oncology", "foundation": below, **given})
    assert argument in {problem.argument for problem in caught.value.problems}, caught.value
    assert {child.node.id for child in studio.node.children} == before
    assert set(studio.people) == {("existing", "dora")}


def test_every_problem_is_told_at_once(studios: Mapping[str, tuple[SecureStudioDomain, Any]]) -> None:
    studio, below = studios["SSO"]
    with pytest.raises(ConfigurationError) as caught:
        studio.add_team("existing", foundation=below, users=["Anna", "ben", "ben"])
    assert len(caught.value.problems) == 7


def test_more_people_than_a_stack_holds_are_refused() -> None:
    studio = build(new_app(), auth=StudioAuth.iam(), apps=StudioApps(profiles_quota=500))
    below = foundation(studio)
    with pytest.raises(ConfigurationError, match="at most 120 in a team"):
        studio.add_team("oncology", foundation=below, users=[f"u{number}" for number in range(121)])


def test_signing_in_is_granted_in_iam_mode_to_users_that_are_there(
    studios: Mapping[str, tuple[SecureStudioDomain, Any]],
) -> None:
    for mode, user in (("SSO", "dora"), ("IAM", "nobody")):
        studio, _ = studios[mode]
        team: Any = studio.node.find_child("existing")
        role = iam.Role.from_role_name(team, f"Role{mode}", "people")
        with pytest.raises(ConfigurationError, match="Identity Center" if mode == "SSO" else "dora"):
            team.grant_sign_in(role, user=user)
