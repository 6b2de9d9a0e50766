"""Workspaces: who opens whose space, and who signs in from where."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from secure_ml_constructs.verification.proofs.environment import ask
from secure_ml_constructs.verification.proofs.questions import Answer, Trust, Verdict
from secure_ml_constructs.verification.templates import Templates

pytestmark = pytest.mark.slow

TRUST = Trust(role_paths=("/clinic/",))
ID = {"Ref": "Domain"}
HEAD = "arn:aws:sagemaker:${AWS::Region}:${AWS::AccountId}"
OWN = {
    "ArnLike": {
        "sagemaker:OwnerUserProfileArn": {
            "Fn::Sub": f"{HEAD}:user-profile/${{Domain.DomainId}}/${{!sagemaker:UserProfileName}}"
        }
    }
}


def arn(kind: str, path: str) -> Any:
    return {"Fn::Sub": f"{HEAD}:{kind}/${{Domain.DomainId}}/{path}"}


def role(*statements: Any) -> Any:
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "Path": "/clinic/",
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [{"PolicyName": "p", "PolicyDocument": policy}],
        },
    }


def works(team: str, **condition: Any) -> list[Any]:
    return [
        {
            "Sid": sid,
            "Effect": "Allow",
            "Action": action,
            "Resource": arn(kind, f"{team}-*"),
            "Condition": condition or OWN,
        }
        for sid, action, kind in (
            ("Run", "sagemaker:CreateApp", "app"),
            ("Change", "sagemaker:UpdateSpace", "space"),
        )
    ]


def person(name: str, its: str) -> dict[str, Any]:
    return {
        f"Profile{name}": {
            "Type": "AWS::SageMaker::UserProfile",
            "Properties": {
                "DomainId": ID,
                "UserProfileName": f"{its.lower()}-{name}",
                "UserSettings": {"ExecutionRole": {"Fn::GetAtt": [f"Role{its}", "Arn"]}},
            },
        },
        f"Space{name}": {
            "Type": "AWS::SageMaker::Space",
            "Properties": {
                "DomainId": ID,
                "SpaceName": f"{its.lower()}-{name}-lab",
                "OwnershipSettings": {"OwnerUserProfileName": f"{its.lower()}-{name}"},
                "SpaceSharingSettings": {"SharingType": "Private"},
            },
        },
    }


RESOURCES: dict[str, Any] = {
    "Domain": {"Type": "AWS::SageMaker::Domain", "Properties": {"DomainName": "d", "AuthMode": "IAM"}},
    "Notebook": {"Type": "AWS::SageMaker::NotebookInstance", "Properties": {"InstanceType": "ml.t3.medium"}},
    "Endpoint": {
        "Type": "AWS::EC2::VPCEndpoint",
        "Properties": {
            "VpcId": "vpc-1",
            "VpcEndpointType": "Interface",
            "ServiceName": {"Fn::Sub": "com.amazonaws.${AWS::Region}.sagemaker.api"},
        },
    },
    "RoleOnco": role(*works("onco")),
    "RoleCardio": role(*works("cardio")),
    "RoleJob": role({"Sid": "Look", "Effect": "Allow", "Action": "sagemaker:Describe*", "Resource": "*"}),
    **person("anna", "Onco"),
    **person("ben", "Onco"),
    **person("cleo", "Cardio"),
}


def answers(resources: dict[str, Any], questions: str) -> dict[str, Answer]:
    body = {"Resources": resources}
    found = ask(Templates.of({"studio": body}), TRUST, questions=(questions,))
    return {each.question: each for each in found}


def granted(name: str, *statements: Any) -> dict[str, Any]:
    """The resources with one role's statements in place of what it had."""
    made = copy.deepcopy(RESOURCES)
    made[name]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"] = list(statements)
    return made


OTHER_TEAMS = "compromised-job/work-in-another-team's-spaces/studio/Domain"


def test_each_in_a_space_of_their_own_is_proved() -> None:
    found = answers(RESOURCES, "*")
    mine = {name: each.verdict for name, each in found.items() if each.kind == "workspace"}
    assert mine.pop(OTHER_TEAMS) is Verdict.BY_DESIGN
    assert mine == dict.fromkeys(
        [
            "stolen-credentials/open-another's-space/studio/Domain",
            "compromised-job/open-another's-space/studio/Domain",
            "stolen-credentials/change-another's-space/studio/Domain",
            "compromised-job/change-another's-space/studio/Domain",
            "stolen-credentials/sign-in/studio/Domain",
            "stolen-credentials/sign-in/studio/Notebook",
        ],
        Verdict.PROVED,
    )
    assert {each.control for each in found.values() if each.kind == "workspace"} == {"S1", "S2"}


@pytest.mark.parametrize(
    ("role", "team", "condition"),
    [
        # A colleague's: nothing tells two of a team apart.
        ("RoleOnco", "onco", {"StringEquals": {"sagemaker:SpaceSharingType": "Private"}}),
        # Another team's.
        ("RoleCardio", "*", {"StringEquals": {"sagemaker:SpaceSharingType": "Private"}}),
        # A job's.
        ("RoleJob", "onco", {"StringEquals": {"sagemaker:SpaceSharingType": "Private"}}),
        # By a person's name, and not the right one.
        ("RoleCardio", "onco", {"StringEquals": {"sagemaker:UserProfileName": "cardio-cleo"}}),
    ],
)
@pytest.mark.parametrize(("deed", "action"), [("open", "CreateApp"), ("change", "UpdateSpace")])
def test_a_hole_is_found(role: str, team: str, condition: Any, deed: str, action: str) -> None:
    found = answers(granted(role, *works(team, **condition)), f"*/{deed}-another's-space/*")
    assert {each.verdict for each in found.values()} == {Verdict.BROKEN}
    for each in found.values():
        assert each.steps
        assert f"sagemaker:{action}" in str(each.steps[0])
        assert role in each.because


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"sagemaker:UserProfileName": "onco-emil"}},
        {"ArnLike": {"sagemaker:OwnerUserProfileArn": arn("user-profile", "onco-emil")}},
    ],
)
def test_a_hole_for_one_person_or_in_one_persons_space_is_found(condition: Any) -> None:
    made = granted("RoleOnco", *works("onco"), *works("onco", **condition))
    for name in ("dora", "emil", "finn"):
        made.update(person(name, "Onco"))
    found = answers(made, "*/open-another's-space/*")
    assert {each.verdict for each in found.values()} == {Verdict.BROKEN}
    assert all("onco-emil" in str(each.steps[0]) for each in found.values())


def test_a_session_and_a_deletion_are_asked_about() -> None:
    for action, deed in (("StartSession", "open"), ("DeleteSpace", "change")):
        hole = {"Sid": "Hole", "Effect": "Allow", "Action": f"sagemaker:{action}", "Resource": "*"}
        found = answers(granted("RoleJob", hole), f"*/{deed}-another's-space/*")
        assert {each.verdict for each in found.values()} == {Verdict.BROKEN}


def test_a_role_for_each_person_needs_no_word_of_the_owner() -> None:
    made = copy.deepcopy(RESOURCES)
    for name in ("anna", "ben", "cleo"):
        team = "cardio" if name == "cleo" else "onco"
        made[f"Role{name}"] = role(*works(f"{team}-{name}", Bool={"aws:SecureTransport": "true"}))
        settings = made[f"Profile{name}"]["Properties"]["UserSettings"]
        settings["ExecutionRole"] = {"Fn::GetAtt": [f"Role{name}", "Arn"]}
    del made["RoleOnco"], made["RoleCardio"]
    found = answers(made, "*-another's-space/*")
    assert {each.verdict for each in found.values()} == {Verdict.PROVED}
    assert len(found) == 4


@pytest.mark.parametrize(
    ("asset", "action", "resource"),
    [
        ("Domain", "CreatePresignedDomainUrl", arn("user-profile", "*")),
        ("Notebook", "CreatePresignedNotebookInstanceUrl", {"Fn::Sub": f"{HEAD}:notebook-instance/*"}),
    ],
)
def test_signing_in_from_anywhere_is_found_and_from_the_endpoint_is_not(
    asset: str, action: str, resource: Any
) -> None:
    statement: dict[str, Any] = {
        "Sid": "SignIn",
        "Effect": "Allow",
        "Action": f"sagemaker:{action}",
        "Resource": resource,
    }
    (question,) = (f"stolen-credentials/sign-in/studio/{asset}",)
    assert answers(granted("RoleOnco", statement), question)[question].verdict is Verdict.BROKEN
    statement["Condition"] = {"StringEquals": {"aws:SourceVpce": {"Ref": "Endpoint"}}}
    assert answers(granted("RoleOnco", statement), question)[question].verdict is Verdict.PROVED


def test_with_identity_center_there_is_no_such_address() -> None:
    made = copy.deepcopy(RESOURCES)
    made["Domain"]["Properties"]["AuthMode"] = "SSO"
    assert list(answers(made, "*/sign-in/*")) == ["stolen-credentials/sign-in/studio/Notebook"]


def test_a_domain_without_spaces_is_not_asked_whose_they_are() -> None:
    made = {name: each for name, each in RESOURCES.items() if not name.startswith("Space")}
    assert not answers(made, "*-another's-space/*")


def test_a_team_is_kept_to_its_names_by_its_own_denials() -> None:
    made = copy.deepcopy(RESOURCES)
    denial: dict[str, Any] = {}
    for name, team in (("RoleOnco", "onco"), ("RoleCardio", "cardio")):
        denial = {
            "Sid": "OtherTeams",
            "Effect": "Deny",
            "Action": "sagemaker:*",
            "NotResource": [arn(kind, f"{team}-*") for kind in ("app", "space", "user-profile")],
        }
        made[name]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].append(denial)
    assert answers(made, OTHER_TEAMS)[OTHER_TEAMS].verdict is Verdict.PROVED
    denial["NotAction"] = "sagemaker:DescribeSpace"
    del denial["Action"]
    left = answers(made, OTHER_TEAMS)[OTHER_TEAMS]
    assert left.verdict is Verdict.BY_DESIGN
    assert left.steps[0].request.action == "sagemaker:DescribeSpace"
