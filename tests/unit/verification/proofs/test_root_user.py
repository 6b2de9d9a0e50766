"""The root user: bound by SCPs and the policies of resources, by nothing else."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from secure_ml_constructs.verification.proofs.iam import (
    Decision,
    Kind,
    NotCovered,
    Policies,
    Principal,
    Request,
    decide,
    parse,
)
from secure_ml_constructs.verification.proofs.iam.domains import exactly
from secure_ml_constructs.verification.proofs.iam.prove import CounterExample, Proved, Question, prove
from tests.support.decisions import ALLOW_ALL, Simulator
from tests.unit.verification.proofs import oracle
from tests.unit.verification.proofs.pairs import Pair

ACCOUNT, OTHER = "111122223333", "444455556666"
ROOT, THEIRS = f"arn:aws:iam::{ACCOUNT}:root", f"arn:aws:iam::{OTHER}:root"
BUCKET = "arn:aws:s3:::lake"
KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1234abcd"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/training"
FEDERATED = f"arn:aws:sts::{ACCOUNT}:federated-user/alice"


def statement(effect: str, **others: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": "*", "Resource": "*", **others}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


EVERYONE = {"Principal": "*"}
OF_THE_ACCOUNT = {"Principal": {"AWS": ROOT}}
OF_A_ROLE = {"Principal": {"AWS": ROLE}}


def asked(action: str, target: str, principal: str = ROOT, **given: Any) -> bool:
    """Decide and prove; both must say the same."""
    made: dict[str, Any] = {}
    if "resource" in given:
        made["resource"] = parse(document(given["resource"]), Kind.RESOURCE)
    if "scp" in given:
        made["scps"] = ((parse(document(given["scp"]), Kind.SCP),),)
    policies = Policies(**made)
    decided = decide(policies, Request.of(principal, action, target, {"aws:ResourceAccount": ACCOUNT}))
    assert isinstance(decided, Decision), decided
    owner = {"aws:ResourceAccount": exactly(ACCOUNT)}
    proved = prove(Question(policies, Principal.read(principal), action, target, owner))
    assert isinstance(proved, CounterExample if decided.allowed else Proved), proved
    return decided.allowed


def test_it_needs_no_permission_in_its_own_account() -> None:
    assert asked("s3:ListBucket", BUCKET)
    assert asked("s3:ListBucket", BUCKET, resource=statement("Allow", **OF_A_ROLE))
    assert not asked("s3:ListBucket", BUCKET, principal=THEIRS)
    assert asked("s3:ListBucket", BUCKET, principal=THEIRS, resource=statement("Allow", **EVERYONE))
    assert not asked("s3:ListBucket", BUCKET, principal=THEIRS, resource=statement("Allow", **OF_THE_ACCOUNT))


def test_what_binds_it() -> None:
    assert not asked("s3:ListBucket", BUCKET, resource=statement("Deny", **EVERYONE))
    assert not asked("s3:ListBucket", BUCKET, resource=statement("Deny", **OF_THE_ACCOUNT))
    assert not asked("s3:ListBucket", BUCKET, scp=statement("Deny"))
    not_it = {"StringNotEquals": {"aws:PrincipalArn": ROOT}}
    assert asked("s3:ListBucket", BUCKET, resource=statement("Deny", **EVERYONE, Condition=not_it))
    others = {"NotPrincipal": {"AWS": ROOT}}
    assert asked("s3:ListBucket", BUCKET, resource=statement("Deny", **others))
    assert not asked("s3:ListBucket", BUCKET, resource=statement("Deny", NotPrincipal={"AWS": ROLE}))


def test_keys_must_let_the_account_in() -> None:
    assert asked("kms:Decrypt", KEY, resource=statement("Allow", **OF_THE_ACCOUNT))
    assert not asked("kms:Decrypt", KEY, resource=statement("Allow", **OF_A_ROLE))


def test_it_assumes_no_role() -> None:
    assert not asked("sts:AssumeRole", ROLE, resource=statement("Allow", **EVERYONE))


@pytest.mark.parametrize("action", ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"])
def test_its_way_back_into_a_bucket_is_not_covered(action: str) -> None:
    policies = Policies(resource=parse(document(statement("Deny", **EVERYONE)), Kind.RESOURCE))
    request = Request.of(ROOT, action, BUCKET, {"aws:ResourceAccount": ACCOUNT})
    assert isinstance(decide(policies, request), NotCovered)


def test_its_type() -> None:
    context = Request.of(ROOT, "s3:ListBucket", BUCKET).context
    assert context["aws:principaltype"] == "Account"
    assert context["aws:principalarn"] == ROOT


def test_federated_users_are_not_covered_and_no_role_is_one() -> None:
    policies = Policies(
        resource=parse(document(statement("Allow", Principal={"AWS": FEDERATED})), Kind.RESOURCE)
    )
    request = Request.of(FEDERATED, "s3:ListBucket", BUCKET, {"aws:ResourceAccount": ACCOUNT})
    answer = decide(policies, request)
    assert isinstance(answer, NotCovered)
    assert FEDERATED in answer.reason
    assert not asked(
        "s3:ListBucket", BUCKET, principal=ROLE, resource=statement("Allow", Principal={"AWS": FEDERATED})
    )


@pytest.mark.decision
def test_agreement(simulator: Simulator) -> None:
    """The simulator gives the root user no permissions of its own: it gets a policy there."""
    documents = [statement(e, **p) for e in ("Allow", "Deny") for p in (EVERYONE, OF_THE_ACCOUNT, OF_A_ROLE)]
    targets = (("s3:ListBucket", BUCKET), ("kms:Decrypt", KEY))
    for given, (action, resource), principal in product(documents, targets, (ROOT, THEIRS)):
        request = {"principal": principal, "action": action, "resource": resource, "context": {}}
        request["context"] = {"aws:ResourceAccount": ACCOUNT}
        pair = Pair(request, identity=[dict(ALLOW_ALL)], resource=document(given))
        assert asked(action, resource, principal, resource=given) == oracle.simulated(simulator, pair), pair
