"""Guardrails that are given: who they leave out by a pattern is no insider, and names of keys are tied."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from secure_ml_constructs.verification.proofs.questions import Answer, Verdict
from tests.unit.verification.proofs.questions.clinic import TRUST, Clinic

KEYS = ("sagemaker:VolumeKmsKey", "sagemaker:VolumeKmsKeyArn")
ROLES = tuple(
    f"arn:aws:iam::111122223333:role/{name}" for name in ("first", "second", "third", "fourth", "fifth")
)


def ask(question: str, *statements: Any) -> Answer:
    scp = {"Version": "2012-10-17", "Statement": list(statements)}
    trust = replace(TRUST, administrators=(*TRUST.administrators, *ROLES), scps=((scp,),))
    (answer,) = Clinic().ask(question, trust=trust)
    return answer


def deny(*actions: str, condition: Any) -> Any:
    return {"Sid": "S", "Effect": "Deny", "Action": list(actions), "Resource": "*", "Condition": condition}


@pytest.mark.parametrize(
    ("pattern", "verdict"),
    [
        ("arn:*:iam::*:role/third", Verdict.PROVED),
        ("arn:*:iam::${aws:PrincipalAccount}:role/third", Verdict.PROVED),
        ("arn:aws:iam::111122223333:role/third", Verdict.PROVED),
        # Nobody vouches for a sixth.
        ("arn:*:iam::*:role/sixth", Verdict.BROKEN),
        ("arn:*:iam::*:role/t*", Verdict.BROKEN),
    ],
)
def test_whoever_is_left_out_by_a_pattern(pattern: str, verdict: Verdict) -> None:
    trails = [each.question for each in Clinic().ask("insider/stop/*")]
    assert trails
    left_out = deny("cloudtrail:*", condition={"ArnNotLike": {"aws:PrincipalArn": pattern}})
    assert ask(trails[0], left_out).verdict is verdict


# One statement for each way in which a request may go wrong, under both names of the key.
ABSENT = {"Null": dict.fromkeys(KEYS, "true")}


def key_denials(*names: str) -> list[Any]:
    given = [
        deny("sagemaker:Create*", condition={"Null": {name: "false"}, "StringLike": {name: "arn:*"}})
        for name in names
    ]
    return [deny("sagemaker:Create*", condition=ABSENT), *given]


def test_a_key_is_asked_for_under_both_of_its_names() -> None:
    question = "insider/run-without-our-key/SageMaker work"
    assert ask(question, *key_denials(*KEYS)).verdict is Verdict.PROVED
    for name in KEYS:
        answer = ask(question, *key_denials(name))
        assert answer.verdict is Verdict.BROKEN
        (missed,) = set(KEYS) - {name}
        assert missed.lower() in answer.steps[0].request.context


def test_disks_that_take_no_key_may_go_without_one() -> None:
    question = "insider/run-without-our-key/SageMaker work"
    types = "ForAnyValue:StringNotLike"
    spared = deny("sagemaker:Create*", condition={**ABSENT, types: {"sagemaker:InstanceTypes": "ml.g5.*"}})
    always = deny(
        *("sagemaker:CreateAutoMLJobV2", "sagemaker:CreateDomain", "sagemaker:CreateNotebookInstance"),
        condition=ABSENT,
    )
    given = key_denials(*KEYS)[1:]
    assert ask(question, spared, always, *given).verdict is Verdict.PROVED
    every = deny("sagemaker:Create*", condition={**ABSENT, types: {"sagemaker:InstanceTypes": "ml.*"}})
    assert ask(question, every, always, *given).verdict is Verdict.BROKEN
