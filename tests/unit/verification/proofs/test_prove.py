"""Questions about sets of requests: proofs, counter-examples, and what is neither."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from secure_ml_constructs.verification.proofs.iam import Decision, NotCovered, Policies, Principal, decide
from secure_ml_constructs.verification.proofs.iam.domains import (
    ABSENT,
    PRESENT,
    Values,
    exactly,
    like,
    unlike,
)
from secure_ml_constructs.verification.proofs.iam.prove import Answer, CounterExample, Proved, Question, prove
from tests.support.decisions import Simulator
from tests.unit.verification.proofs import oracle, pairs, wider
from tests.unit.verification.proofs.test_evaluate import (
    ACCOUNT,
    EVERYONE,
    OTHER,
    ROLE,
    SESSION,
    Json,
    allow,
    deny,
    policies,
)

pytestmark = pytest.mark.slow

LAKE = "arn:aws:s3:::lake/*"


def cross_check(simulator: Simulator, count: int, seed: int) -> None:
    """What evaluator, formula and simulator say of pairs, and of questions widened from them."""
    maker, answers = pairs.Maker(seed), Counter[str]()
    for index in range(count):
        pair = maker.pair()
        told = json.dumps(vars(pair))
        ours = decide(oracle.policies(pair), oracle.request(pair))
        narrow = prove(wider.closed(pair))
        assert isinstance(narrow, NotCovered) == isinstance(ours, NotCovered), (narrow, ours, told)
        if isinstance(ours, Decision):
            assert isinstance(narrow, CounterExample) == ours.allowed, (narrow, ours, told)
        question = wider.widened(pair, index)
        wide = prove(question)
        answers[type(wide).__name__] += 1
        if isinstance(wide, CounterExample):
            answer = simulator.ask(oracle.simulation(pair, wide.request.as_json()))
            if "error" in answer:
                # The texts that stand for regions are no names that the service would give.
                assert answer["error"]["message"] == "no.resource.types", answer
                continue
            assert answer["ignored"] == [], answer
            assert answer["result"] == "Allowed", (wide, told)
        elif isinstance(wide, Proved):
            for request in wider.samples(pair, question, maker, 5):
                found = decide(question.policies, request)
                assert not isinstance(found, Decision) or not found.allowed, (request, told)
    assert answers["Proved"] > count / 4, answers
    assert answers["CounterExample"] > count / 6, answers
    assert answers["NotCovered"] < count / 20, answers


@pytest.mark.decision
def test_formula_evaluator_and_simulator_agree(simulator: Simulator) -> None:
    cross_check(simulator, 200, seed=2)


@pytest.mark.decision
@pytest.mark.deep
@pytest.mark.parametrize("seed", range(20, 24))
def test_formula_evaluator_and_simulator_agree_on_many(simulator: Simulator, seed: int) -> None:
    cross_check(simulator, 1500, seed)


def ask(
    given: Policies, principal: Any = ROLE, action: Any = "s3:GetObject", resource: Any = LAKE, **context: Any
) -> Answer:
    keys = {key.replace("_", ":"): value for key, value in context.items()}
    keys.setdefault("aws:ResourceAccount", exactly(ACCOUNT))
    return prove(Question(given, Principal.read(principal), action, resource, keys))


PERIMETER: Json = {
    "StringNotEqualsIfExists": {"aws:SourceVpce": ["vpce-1", "vpce-2"]},
    "BoolIfExists": {"aws:ViaAWSService": "false", "aws:PrincipalIsAWSService": "false"},
    "ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/admin"},
}


def test_a_perimeter_is_proved_and_its_holes_are_found() -> None:
    bucket = [deny("Perimeter", Condition=PERIMETER, **EVERYONE)]
    held = policies(identity=[allow()], resource=bucket)
    outside: dict[str, Values] = {
        "aws_SourceVpce": unlike("vpce-1", "vpce-2"),
        "aws_ViaAWSService": exactly("false"),
    }
    assert ask(held, **outside) == Proved((("resource policy", "Perimeter"),))
    # From inside, through a service, and for the one who is let out, it is open.
    for change in ({"aws_SourceVpce": exactly("vpce-2")}, {"aws_ViaAWSService": exactly("true")}):
        assert isinstance(ask(held, **{**outside, **change}), CounterExample)
    assert isinstance(ask(held, f"arn:aws:iam::{ACCOUNT}:role/admin", **outside), CounterExample)
    # A glob too wide lets a foreign endpoint in, and the answer names one.
    wide = {**PERIMETER, "StringNotLikeIfExists": {"aws:SourceVpce": "vpce-*"}}
    del wide["StringNotEqualsIfExists"]
    answer = ask(policies(identity=[allow()], resource=[deny(Condition=wide, **EVERYONE)]), **outside)
    assert isinstance(answer, CounterExample)
    assert str(answer.request.context["aws:sourcevpce"]).startswith("vpce-")
    assert answer.decision.statement == "A"


def test_if_exists_is_a_hole_for_requests_without_the_key() -> None:
    without = [deny(Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}, **EVERYONE)]
    grant = allow(**EVERYONE)
    anyone: dict[str, Any] = {"principal": None}
    assert isinstance(ask(policies(resource=[grant, *without]), **anyone), Proved)
    with_it = [deny(Condition={"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-2"}}, **EVERYONE)]
    assert isinstance(ask(policies(resource=[grant, *with_it]), **anyone), Proved)
    hole = [deny(Condition={"StringEquals": {"aws:PrincipalOrgID": "o-2"}}, **EVERYONE)]
    assert isinstance(ask(policies(resource=[grant, *hole]), **anyone), CounterExample)


def test_counter_examples_carry_no_more_than_they_need() -> None:
    condition = {"StringEquals": {"aws:userid": "A:b"}, "StringNotLike": {"aws:UserAgent": "curl*"}}
    answer = ask(policies(identity=[allow(Condition=condition)]))
    assert isinstance(answer, CounterExample)
    assert answer.request.context["aws:userid"] == "A:b"
    assert "aws:useragent" not in answer.request.context


def test_lists_of_values() -> None:
    subnets = {"ForAllValues:StringEquals": {"sagemaker:VpcSubnets": ["subnet-a", "subnet-b"]}}
    job: dict[str, Any] = {
        "action": "sagemaker:CreateTrainingJob",
        "resource": f"arn:aws:sagemaker:eu-central-1:{ACCOUNT}:training-job/*",
    }
    # ForAllValues holds for a job without any subnet: the classic hole.
    answer = ask(policies(identity=[allow(Condition=subnets)]), **job, sagemaker_VpcSubnets=ABSENT)
    assert isinstance(answer, CounterExample)
    closed = [allow(Condition=subnets), deny(Condition={"Null": {"sagemaker:VpcSubnets": "true"}})]
    assert isinstance(ask(policies(identity=closed), **job, sagemaker_VpcSubnets=ABSENT), Proved)
    given = ask(policies(identity=closed), **job)
    assert isinstance(given, CounterExample)
    assert set(given.request.context["sagemaker:vpcsubnets"]) <= {"subnet-a", "subnet-b"}
    any_of = {"ForAnyValue:StringNotEquals": {"sagemaker:VpcSubnets": ["subnet-a"]}}
    answer = ask(policies(identity=[allow(), deny(Condition=any_of)]), **job, sagemaker_VpcSubnets=PRESENT)
    assert isinstance(answer, CounterExample)
    assert answer.request.context["sagemaker:vpcsubnets"] == ("subnet-a",)


def test_resources_are_open_within_their_pattern() -> None:
    but_raw = policies(identity=[allow(Resource="arn:aws:s3:::lake/raw/*")])
    assert isinstance(ask(but_raw, resource="arn:aws:s3:::lake/out/*"), Proved)
    answer = ask(but_raw)
    assert isinstance(answer, CounterExample)
    assert answer.request.resource.startswith("arn:aws:s3:::lake/raw/")
    but_raw_denied = {key: value for key, value in deny().items() if key != "Resource"}
    left = policies(identity=[allow(), {**but_raw_denied, "NotResource": "arn:aws:s3:::lake/raw/*"}])
    assert isinstance(ask(left, resource="arn:aws:s3:::lake/out/*"), Proved)
    assert isinstance(ask(left), CounterExample)


def test_variables() -> None:
    own = policies(identity=[allow(Resource="arn:aws:s3:::lake/${aws:PrincipalTag/team}/*")])
    team = "aws:PrincipalTag/team"
    foreign = {"resource": "arn:aws:s3:::lake/team-b/*"}
    question = Question(
        own, Principal.read(ROLE), "s3:GetObject", foreign["resource"],
        {team: exactly("team-a"), "aws:ResourceAccount": exactly(ACCOUNT)},
    )  # fmt: skip
    assert isinstance(prove(question), Proved)
    assert isinstance(prove(replace(question, context={**question.context, team: ABSENT})), Proved)
    mine = replace(question, context={**question.context, team: exactly("team-b")})
    assert isinstance(prove(mine), CounterExample)
    anything = replace(question, context={"aws:ResourceAccount": exactly(ACCOUNT)})
    answer = prove(anything)
    assert isinstance(answer, NotCovered)
    assert "${aws:principaltag/team}" in answer.reason


def test_unknown_parts_hinder_no_proof_that_does_without_them() -> None:
    unclear = {"StringEquals": {"aws:userid": {"Ref": "Parameter"}}}
    assert isinstance(ask(policies(identity=[allow(Condition=unclear)])), NotCovered)
    assert isinstance(ask(policies(identity=[allow(Condition=unclear), deny()])), Proved)
    assert isinstance(ask(policies(identity=[allow(Condition=unclear), allow()])), CounterExample)
    denied = policies(identity=[allow(), deny(Condition=unclear)])
    assert isinstance(ask(denied, aws_userid=PRESENT), NotCovered)
    # Where the key is absent, the Deny does not apply, whatever its value will be.
    assert isinstance(ask(denied), CounterExample)


def test_an_unknown_from_the_solver_is_not_covered(monkeypatch: pytest.MonkeyPatch) -> None:
    import z3

    monkeypatch.setattr(z3.Solver, "check", lambda *_: z3.unknown)
    answer = ask(policies(identity=[allow(Condition={"StringLike": {"aws:userid": "A*"}})]))
    assert isinstance(answer, NotCovered)
    assert "gave up" in answer.reason


def test_the_path_of_a_session_is_open() -> None:
    trusting = [
        allow(Condition={"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/ml/*"}}, **EVERYONE)
    ]
    answer = ask(policies(resource=trusting), SESSION)
    assert isinstance(answer, CounterExample)
    assert answer.request.context["aws:principalarn"] == f"arn:aws:iam::{ACCOUNT}:role/ml/training"
    elsewhere = [
        allow(Condition={"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OTHER}:role/*"}}, **EVERYONE)
    ]
    assert isinstance(ask(policies(resource=elsewhere), SESSION), Proved)


@pytest.mark.parametrize("caller", [None, "logging.s3.amazonaws.com"])
def test_callers_without_an_account_are_of_no_account_of_ours(caller: str | None) -> None:
    def only(account: str) -> Json:
        return allow(Condition={"StringEquals": {"aws:PrincipalAccount": account}}, **EVERYONE)

    assert isinstance(ask(policies(resource=[only(ACCOUNT)]), caller), Proved)
    named = ask(policies(resource=[only("anonymous")]), caller)
    assert isinstance(named, CounterExample)
    others = {"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}}
    assert isinstance(
        ask(policies(resource=[allow(**EVERYONE), deny(Condition=others, **EVERYONE)]), caller), Proved
    )


def test_numbers_dates_and_addresses() -> None:
    for operator, key, value, inside, outside in (
        ("NumericLessThan", "s3:signatureAge", "600000", "1", "600000"),
        (
            "DateGreaterThan",
            "aws:CurrentTime",
            "2026-11-21T00:00:00Z",
            "2027-01-01T00:00:00Z",
            "2020-01-01T00:00:00Z",
        ),
        ("IpAddress", "aws:SourceIp", "10.0.0.0/8", "10.1.2.3", "11.0.0.0"),
    ):
        given = policies(identity=[allow(Condition={operator: {key: value}})])
        name = key.replace(":", "_")
        assert isinstance(ask(given), CounterExample)
        assert isinstance(ask(given, **{name: exactly(inside)}), CounterExample)
        assert isinstance(ask(given, **{name: exactly(outside)}), Proved)
        shut = policies(identity=[allow(), deny(Condition={f"{operator}IfExists": {key: value}})])
        answer = ask(shut, **{name: PRESENT})
        assert isinstance(answer, CounterExample)
        assert isinstance(ask(shut, **{name: ABSENT}), Proved)


def test_addresses_between_blocks_are_found() -> None:
    shut = {"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "192.0.0.0/2", "::/0"]}}
    answer = ask(policies(identity=[allow(), deny(Condition=shut)]), aws_SourceIp=PRESENT)
    assert isinstance(answer, CounterExample)
    assert answer.request.context["aws:sourceip"] == "128.0.0.0"
    shut["IpAddress"]["aws:SourceIp"].append("128.0.0.0/2")
    answer = ask(policies(identity=[allow(), deny(Condition=shut)]), aws_SourceIp=PRESENT)
    assert isinstance(answer, Proved)


def test_a_key_has_one_value() -> None:
    both = {"StringEquals": {"aws:userid": "A:b"}, "StringLike": {"aws:userid": "B:*"}}
    assert isinstance(ask(policies(identity=[allow(Condition=both)])), Proved)
    # A list may have both.
    both = {
        f"ForAnyValue:{operator}": {"aws:CalledVia": each["aws:userid"]} for operator, each in both.items()
    }
    assert isinstance(ask(policies(identity=[allow(Condition=both)])), CounterExample)


def test_no_value_left_is_no_proof() -> None:
    given = policies(identity=[allow(Condition={"Bool": {"aws:SecureTransport": "false"}})])
    answer = ask(given, aws_SecureTransport=like("perhaps"))
    assert isinstance(answer, NotCovered)


def test_the_generator_is_the_same_for_the_same_seed() -> None:
    assert pairs.make(20, 5) == pairs.make(20, 5)
