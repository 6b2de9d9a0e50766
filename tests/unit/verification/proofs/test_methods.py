"""Methods of APIs, by the tables of "How API Gateway resource policies affect authorization workflow"."""

from __future__ import annotations

import pytest

from secure_ml_constructs.verification.proofs.iam import (
    Authorization,
    Decision,
    Document,
    Kind,
    Method,
    NotCovered,
    Policies,
    Principal,
    Request,
    decide,
    parse,
)
from secure_ml_constructs.verification.proofs.iam.prove import CounterExample, Proved, Question, prove

ACCOUNT, OTHER = "111122223333", "444455556666"
OURS, THEIRS = f"arn:aws:iam::{ACCOUNT}:role/caller", f"arn:aws:iam::{OTHER}:role/caller"
RESOURCE = f"arn:aws:execute-api:eu-central-1:{ACCOUNT}:abc123/prod/POST/predict"
INVOKE = "execute-api:Invoke"
# What a document says of the request: allows it, denies it, or neither.
ALLOW, NEITHER, DENY = "Allow", "Neither", "Deny"


def document(kind: Kind, says: str) -> Document:
    statement = {"Effect": "Deny" if says == DENY else "Allow", "Action": INVOKE, "Resource": RESOURCE}
    if says == NEITHER:
        statement["Resource"] = RESOURCE.replace("/prod/", "/test/")
    if kind is Kind.RESOURCE:
        statement["Principal"] = "*"
    return parse({"Version": "2012-10-17", "Statement": statement}, kind)


def asked(policies: Policies, principal: str | None) -> bool:
    """Decide and prove; both must say the same."""
    decided = decide(policies, Request.of(principal, INVOKE, RESOURCE))
    assert isinstance(decided, Decision), decided
    proved = prove(Question(policies, Principal.read(principal), INVOKE, RESOURCE))
    assert isinstance(proved, CounterExample if decided.allowed else Proved), proved
    return decided.allowed


def uncovered(policies: Policies, principal: str | None) -> str:
    decided = decide(policies, Request.of(principal, INVOKE, RESOURCE))
    proved = prove(Question(policies, Principal.read(principal), INVOKE, RESOURCE))
    assert isinstance(decided, NotCovered)
    assert proved == decided
    return decided.reason


TABLE_A = [
    (ALLOW, ALLOW, True),
    (ALLOW, NEITHER, True),
    (ALLOW, DENY, False),
    (NEITHER, ALLOW, True),
    (NEITHER, NEITHER, False),
    (NEITHER, DENY, False),
    (DENY, ALLOW, False),
    (DENY, NEITHER, False),
    (DENY, DENY, False),
]
IAM = Method(authorization=Authorization.IAM)


@pytest.mark.parametrize("method", [None, IAM])
@pytest.mark.parametrize(("identity", "resource", "allowed"), TABLE_A)
def test_table_a(identity: str, resource: str, allowed: bool, method: Method | None) -> None:
    policies = Policies(
        identity=(document(Kind.IDENTITY, identity),),
        resource=document(Kind.RESOURCE, resource),
        method=method,
    )
    assert asked(policies, OURS) is allowed


@pytest.mark.parametrize(("identity", "resource", "allowed"), TABLE_A)
def test_table_b(identity: str, resource: str, allowed: bool) -> None:
    policies = Policies(
        identity=(document(Kind.IDENTITY, identity),),
        resource=document(Kind.RESOURCE, resource),
        method=IAM,
    )
    assert asked(policies, THEIRS) is (identity == resource == ALLOW)


NONE, LAMBDA, COGNITO = Authorization.NONE, Authorization.LAMBDA, Authorization.COGNITO


@pytest.mark.parametrize(
    ("authorization", "token", "resource", "allowed"),
    [
        (NONE, False, None, True),
        (NONE, False, ALLOW, True),
        (NONE, False, NEITHER, False),
        (NONE, False, DENY, False),
        (LAMBDA, False, None, False),
        (LAMBDA, False, ALLOW, False),
        (LAMBDA, True, None, True),
        (LAMBDA, True, ALLOW, True),
        (LAMBDA, True, NEITHER, True),
        (LAMBDA, True, DENY, False),
        (COGNITO, False, None, False),
        (COGNITO, False, ALLOW, False),
        (COGNITO, True, None, True),
        (COGNITO, True, ALLOW, True),
        (COGNITO, True, NEITHER, False),
        (COGNITO, True, DENY, False),
        (Authorization.IAM, False, ALLOW, False),
        (Authorization.IAM, True, None, False),
    ],
)
def test_callers_without_a_signature(
    authorization: Authorization, token: bool, resource: str | None, allowed: bool
) -> None:
    given = None if resource is None else document(Kind.RESOURCE, resource)
    method = Method(authorization=authorization, token=token)
    assert asked(Policies(resource=given, method=method), None) is allowed


@pytest.mark.parametrize("authorization", list(Authorization))
def test_a_private_api_needs_a_policy(authorization: Authorization) -> None:
    method = Method(authorization=authorization, token=True, private=True)
    identity = (document(Kind.IDENTITY, ALLOW),)
    caller = OURS if authorization is Authorization.IAM else None
    assert not asked(Policies(identity=identity, method=method), caller)
    assert asked(Policies(identity=identity, resource=document(Kind.RESOURCE, ALLOW), method=method), caller)


def test_the_endpoint_still_counts() -> None:
    method = Method(authorization=LAMBDA, token=True, private=True)
    endpoint = {"Version": "2012-10-17", "Statement": []}
    policies = Policies(
        resource=document(Kind.RESOURCE, ALLOW), endpoint=(parse(endpoint, Kind.ENDPOINT),), method=method
    )
    assert not asked(policies, None)


def test_what_is_not_said() -> None:
    assert "how the method authorizes" in uncovered(Policies(), None)
    for method in (Method(authorization=COGNITO, token=True), Method(authorization=NONE)):
        policies = Policies(resource=document(Kind.RESOURCE, ALLOW), method=method)
        assert "anonymous" in uncovered(policies, OURS)


@pytest.mark.parametrize("authorization", [LAMBDA, COGNITO])
def test_a_signature_is_no_token(authorization: Authorization) -> None:
    policies = Policies(
        identity=(document(Kind.IDENTITY, ALLOW),),
        resource=document(Kind.RESOURCE, ALLOW),
        method=Method(authorization=authorization),
    )
    assert not asked(policies, OURS)
    assert not asked(policies, THEIRS)


def test_the_reason_is_given() -> None:
    policies = Policies(method=Method(authorization=NONE))
    decided = decide(policies, Request.of(None, INVOKE, RESOURCE))
    assert isinstance(decided, Decision)
    assert "no policy" in decided.because
    assert decided.document is None


def test_other_actions_take_no_notice_of_the_method() -> None:
    policies = Policies(method=Method(authorization=NONE))
    decided = decide(policies, Request.of(None, "execute-api:ManageConnections", RESOURCE))
    assert isinstance(decided, Decision)
    assert not decided.allowed
