"""Teams in Studio: what is made for them, and what is refused."""

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
from secure_ml_constructs.studio import SecureStudioDomain, StudioApp, StudioApps, StudioAuth, StudioUser
from secure_ml_constructs.studio.instance_types import APPS, known
from tests.support.compliance import findings
from tests.support.templates import World, cdk_context, new_app, synth
from tests.unit.studio.asked import attached, role_of, studio_arn
from tests.unit.studio.workplace import (
    build,
    build_full_teams,
    build_teams,
    center,
    foundation,
    world,
)

pytestmark = pytest.mark.slow


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


def test_policies_fit_and_a_role_carries_them_all() -> None:
    app = new_app()
    types = known(APPS)[:100]
    apps = StudioApps(types=tuple(StudioApp), instance_types=types, default_instance_type=types[0])
    ranges = tuple(f"198.51.{number}.0/24" for number in range(20))
    studio = build(app, auth=StudioAuth.iam(ranges=ranges), apps=apps)
    below = foundation(studio)
    name = "a-team-of-some-kind1"
    users: list[str | StudioUser] = [f"user-{number}" for number in range(50)]
    studio.add_team(name, foundation=below, users=users, reads=["curated"], scope=cdk.Stack(app, "Team"))
    made = World(synth(app))
    for policy in made.resources("AWS::IAM::ManagedPolicy"):
        # IAM counts no white space. (IAM and AWS STS quotas)
        size = len(json.dumps(policy.properties["PolicyDocument"], separators=(",", ":")))
        assert size < 6_144, (policy.logical_id, size)
    roles = [each for each in made.resources("AWS::IAM::Role") if each.stack == "Team"]
    assert len(roles) == 7
    assert max(len(attached(made, role)) for role in roles) <= 8
    assert len(made.templates["Team"]["Resources"]) < 200


def test_whoever_works_is_named_in_what_they_do(teams: World) -> None:
    # Studio does not start an app where the role does not let the name be set.
    for profile in teams.resources("AWS::SageMaker::UserProfile"):
        arn = profile.properties["UserSettings"]["ExecutionRole"]
        (role,) = [each for each in teams.resources("AWS::IAM::Role") if teams.arn(each) == arn]
        (statement,) = role.properties["AssumeRolePolicyDocument"]["Statement"]
        assert set(statement["Action"]) == {"sts:AssumeRole", "sts:SetSourceIdentity"}


def test_no_partition_is_written_down() -> None:
    for make in (build_teams, build_full_teams):
        text = json.dumps(world(make).templates["Oncology"]["Resources"])
        assert "arn:aws:" not in text.replace("arn:aws:iam::111122223333:role/ml-", "")


def test_a_team_without_a_stack_of_its_own_is_in_the_domains() -> None:
    app = new_app()
    studio = build(app)
    team = studio.add_team("oncology", foundation=foundation(studio), users=[center("anna")])
    assert team.node.scope is studio
    assert team.spaces == {"anna": ("oncology-anna-jupyterlab",)}
    made = World(synth(app))
    assert made.one("AWS::SageMaker::UserProfile").stack == "Studio"


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
