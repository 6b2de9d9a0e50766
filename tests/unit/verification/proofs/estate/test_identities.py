"""Roles, users and groups: every document that bears on them, from whichever side it is attached."""

from __future__ import annotations

from typing import Any

import pytest

from secure_ml_constructs.verification.proofs.estate import Identity
from secure_ml_constructs.verification.proofs.iam import NotCovered, Policies
from secure_ml_constructs.verification.proofs.iam.prove import CounterExample, Proved
from tests.unit.verification.proofs.estate.building import (
    ACCOUNT,
    OBJECT,
    OPEN,
    asked,
    document,
    estate,
    made,
    one,
    role,
)

READ = document("s3:GetObject")
DENY = document("s3:*", effect="Deny")


def policies(found: Identity) -> Policies:
    return Policies(identity=found.documents, boundary=found.boundary)


def answer(resources: dict[str, Any], action: str = "s3:GetObject") -> Any:
    (found,) = estate(resources).roles
    return asked(policies(found), found.arn, action, OBJECT)


ATTACHED = {
    "inline": {"Role": role(Policies=[{"PolicyName": "p", "PolicyDocument": READ}])},
    "a policy by reference": {
        "Role": role(),
        "P": made("IAM::Policy", PolicyName="p", PolicyDocument=READ, Roles=[{"Ref": "Role"}]),
    },
    "a policy by name, in another case": {
        "Role": role(RoleName="Reader"),
        "P": made("IAM::Policy", PolicyName="p", PolicyDocument=READ, Roles=["reader"]),
    },
    "a policy of its own type": {
        "Role": role(),
        "P": made("IAM::RolePolicy", PolicyName="p", PolicyDocument=READ, RoleName={"Ref": "Role"}),
    },
    "a managed policy, from its side": {
        "Role": role(),
        "P": made("IAM::ManagedPolicy", PolicyDocument=READ, Roles=[{"Ref": "Role"}]),
    },
    "a managed policy, from the role's side": {
        "Role": role(ManagedPolicyArns=[{"Ref": "P"}]),
        "P": made("IAM::ManagedPolicy", PolicyDocument=READ),
    },
    "a managed policy by its ARN": {
        "Role": role(ManagedPolicyArns=[{"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:policy/team/reading"}]),
        "P": made("IAM::ManagedPolicy", PolicyDocument=READ, ManagedPolicyName="reading", Path="/team/"),
    },
}


@pytest.mark.parametrize("how", ATTACHED)
def test_attached(how: str) -> None:
    assert isinstance(answer(ATTACHED[how]), CounterExample)
    assert isinstance(answer(ATTACHED[how], "s3:PutObject"), Proved)


def test_a_policy_of_another_role_gives_nothing() -> None:
    policy = made("IAM::Policy", PolicyName="p", PolicyDocument=READ, Roles=["another"])
    assert isinstance(answer({"Role": role(), "P": policy}), Proved)


def test_a_policy_attached_from_both_sides_counts_once() -> None:
    resources = {
        "Role": role(ManagedPolicyArns=[{"Ref": "P"}]),
        "P": made("IAM::ManagedPolicy", PolicyDocument=READ, Roles=[{"Ref": "Role"}]),
    }
    assert len(estate(resources).roles[0].documents) == 1


AWS_MANAGED = "arn:aws:iam::aws:policy/AmazonS3FullAccess"


def test_what_a_policy_of_aws_allows_is_not_known() -> None:
    resources = {"Role": role(ManagedPolicyArns=[AWS_MANAGED])}
    assert estate(resources).roles[0].unknown == (AWS_MANAGED,)
    found = answer(resources)
    assert isinstance(found, NotCovered)
    assert AWS_MANAGED in found.reason


def test_a_proof_holds_with_a_policy_of_aws_and_a_counter_example_without() -> None:
    def with_inline(given: dict[str, Any]) -> dict[str, Any]:
        inline = [{"PolicyName": "p", "PolicyDocument": given}]
        return {"Role": role(ManagedPolicyArns=[AWS_MANAGED], Policies=inline)}

    assert isinstance(answer(with_inline(DENY)), Proved)
    assert isinstance(answer(with_inline(READ)), CounterExample)


@pytest.mark.parametrize(
    "arn", [f"arn:aws:iam::{ACCOUNT}:policy/elsewhere", OPEN, "arn:aws:iam::aws:policy/AWSDenyAll"]
)
def test_a_policy_made_elsewhere_may_deny_as_well(arn: Any) -> None:
    inline = [{"PolicyName": "p", "PolicyDocument": READ}]
    assert isinstance(answer({"Role": role(ManagedPolicyArns=[arn], Policies=inline)}), NotCovered)


def test_boundaries() -> None:
    inline = [{"PolicyName": "p", "PolicyDocument": document("*")}]
    managed = made("IAM::ManagedPolicy", PolicyDocument=READ)
    resources = {"Role": role(Policies=inline, PermissionsBoundary={"Ref": "B"}), "B": managed}
    assert isinstance(answer(resources), CounterExample)
    assert isinstance(answer(resources, "s3:PutObject"), Proved)
    elsewhere = {
        "Role": role(Policies=inline, PermissionsBoundary=f"arn:aws:iam::{ACCOUNT}:policy/elsewhere")
    }
    assert isinstance(answer(elsewhere), NotCovered)
    assert estate(elsewhere).roles[0].boundary


def test_a_policy_attached_to_nobody_known_may_be_attached_to_any() -> None:
    for type_, name in (
        ("IAM::Policy", "Roles"),
        ("IAM::ManagedPolicy", "Roles"),
        ("IAM::RolePolicy", "RoleName"),
    ):
        given = [OPEN] if name == "Roles" else OPEN
        policy = made(type_, PolicyName="p", PolicyDocument=READ, **{name: given})
        assert isinstance(answer({"Role": role(), "P": policy}), NotCovered), type_
        assert isinstance(answer({"Role": role(), "P": policy}, "s3:PutObject"), Proved), type_


@pytest.mark.parametrize(
    "policies",
    [
        [{"PolicyName": "p", "PolicyDocument": {"Statement": [{"Effect": "Perhaps"}]}}],
        [{"PolicyName": "p", "PolicyDocument": "{"}],
        [{"PolicyName": "p"}],
        [{"PolicyName": "p", "PolicyDocument": OPEN}],
        [OPEN],
        OPEN,
    ],
)
def test_what_cant_be_read_may_say_anything(policies: Any) -> None:
    resources = {"Role": role(Policies=policies)}
    assert isinstance(answer(resources), NotCovered)
    assert [each.name.startswith("stack/Role") for each in estate(resources).unreadable] == [True]


def test_parts_that_are_not_known() -> None:
    def inline(given: dict[str, Any]) -> dict[str, Any]:
        return {"Role": role(Policies=[{"PolicyName": "p", "PolicyDocument": given}])}

    assert isinstance(answer(inline(document("s3:GetObject", OPEN))), NotCovered)
    unsure = answer(inline(document("s3:GetObject", OPEN)))
    assert "Open" in unsure.reason
    assert isinstance(answer(inline(document("s3:GetObject", OPEN)), "s3:PutObject"), Proved)
    assert isinstance(
        answer(inline({"Statement": [{"Effect": "Allow", "Action": OPEN, "Resource": "*"}]})), NotCovered
    )


def test_the_trust_of_a_role() -> None:
    (found,) = estate({"Role": role()}).roles
    trust = Policies(resource=found.trust)
    assert isinstance(asked(trust, "ec2.amazonaws.com", "sts:AssumeRole", found.arn), CounterExample)
    assert isinstance(asked(trust, "lambda.amazonaws.com", "sts:AssumeRole", found.arn), Proved)


def test_users_have_what_their_groups_have() -> None:
    readers = made("IAM::Group", Policies=[{"PolicyName": "p", "PolicyDocument": READ}], GroupName="readers")
    listers = made("IAM::Group")
    listing = made(
        "IAM::GroupPolicy", PolicyName="p", PolicyDocument=document("s3:Put*"), GroupName={"Ref": "L"}
    )
    adding = made("IAM::UserToGroupAddition", GroupName={"Ref": "L"}, Users=[{"Ref": "User"}])
    user = made("IAM::User", Groups=["readers"], UserName="alice", Path="/people/")
    found = estate({"R": readers, "L": listers, "P": listing, "A": adding, "User": user})
    (alice,) = found.users
    assert alice.arn == f"arn:aws:iam::{ACCOUNT}:user/people/alice"
    assert alice.groups == tuple(str(found.arn(one(found, name))) for name in "RL")
    for action, kind in (
        ("GetObject", CounterExample),
        ("PutObject", CounterExample),
        ("DeleteObject", Proved),
    ):
        assert isinstance(asked(policies(alice), alice.arn, f"s3:{action}", OBJECT), kind)


def test_a_group_made_elsewhere_is_not_known() -> None:
    (user,) = estate({"User": made("IAM::User", Groups=["elsewhere"])}).users
    assert isinstance(asked(policies(user), user.arn, "s3:GetObject", OBJECT), NotCovered)
