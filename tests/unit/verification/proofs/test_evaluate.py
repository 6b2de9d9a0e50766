"""One request decided: by which statement, in which order, and when no answer is given."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from secure_ml_constructs.verification.proofs.iam import (
    Decision,
    Document,
    Kind,
    NotCovered,
    Policies,
    Request,
    Unknown,
    UnreadableError,
    decide,
    parse,
)

ACCOUNT, OTHER = "111122223333", "444455556666"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ml/training"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/training/alice"
OBJECT = "arn:aws:s3:::lake/raw/a"
KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1234abcd"
Json = dict[str, Any]


def document(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(sid: str = "A", **elements: Any) -> Json:
    return {"Sid": sid, "Effect": "Allow", "Action": "*", "Resource": "*"} | elements


def deny(sid: str = "D", **elements: Any) -> Json:
    return allow(sid, Effect="Deny", **elements)


def ask(
    principal: Any = ROLE, action: str = "s3:GetObject", resource: str = OBJECT, **context: Any
) -> Request:
    keys = {key.replace("_", ":"): value for key, value in context.items()}
    return Request.of(principal, action, resource, {"aws:ResourceAccount": ACCOUNT, **keys})


def policies(**given: Any) -> Policies:
    kinds = {"identity": Kind.IDENTITY, "boundary": Kind.BOUNDARY, "session": Kind.SESSION}
    kinds |= {"endpoint": Kind.ENDPOINT}
    made: dict[str, Any] = {}
    for name, value in given.items():
        if name in kinds:
            made[name] = (parse(document(*value), kinds[name]),)
        elif name == "resource":
            made[name] = parse(document(*value), Kind.RESOURCE)
        elif name in ("scps", "rcps"):
            made[name] = tuple((parse(document(*each), Kind(name[:-1].upper())),) for each in value)
        else:
            made[name] = value
    return Policies(**made)


def decided(request: Request, **given: Any) -> Decision:
    answer = decide(policies(**given), request)
    assert isinstance(answer, Decision), answer
    return answer


def uncovered(request: Request, **given: Any) -> str:
    answer = decide(policies(**given), request)
    assert isinstance(answer, NotCovered), answer
    return answer.reason


EVERYONE: Json = {"Principal": "*"}
BY_ROLE: Json = {"Principal": {"AWS": ROLE}}
BY_SESSION: Json = {"Principal": {"AWS": SESSION}}
BY_ACCOUNT: Json = {"Principal": {"AWS": ACCOUNT}}


def test_deciding_statement_is_named() -> None:
    answer = decided(ask(), identity=[allow("Read"), deny("NotThis", Resource="arn:aws:s3:::lake/*")])
    assert (answer.allowed, answer.kind, answer.statement) == (False, Kind.IDENTITY, "NotThis")
    answer = decided(ask(), identity=[{**allow(), "Sid": ""}])
    assert (answer.allowed, answer.statement) == (True, "#0")


def test_denies_are_looked_for_in_the_order_of_aws() -> None:
    everything: Json = {
        "rcps": [[deny("rcp", **EVERYONE)]],
        "scps": [[deny("scp")]],
        "resource": [deny("resource", **EVERYONE)],
        "identity": [deny("identity")],
        "boundary": [deny("boundary")],
        "session": [deny("session")],
        "endpoint": [deny("endpoint", **EVERYONE)],
    }
    for name in list(everything):
        assert decided(ask(), **everything).statement == name.removesuffix("s") or name == "session"
        del everything[name]


@pytest.mark.parametrize(
    ("named", "caller", "passes"),
    [
        (BY_ROLE, ROLE, False),
        (BY_ROLE, SESSION, False),
        (BY_SESSION, SESSION, True),
        (EVERYONE, ROLE, True),
        (EVERYONE, SESSION, True),
    ],
)
def test_resource_policy_past_a_boundary(named: Json, caller: str, passes: bool) -> None:
    limits: Json = {"resource": [allow(**named)], "identity": [], "boundary": [allow(Action="sqs:*")]}
    assert decided(ask(caller), **limits).allowed is passes
    # A Deny of the boundary holds whoever is named.
    limits["boundary"] = [deny()]
    assert not decided(ask(caller), **limits).allowed


def test_the_session_of_a_role_is_not_known() -> None:
    assert "session" in uncovered(ask(ROLE), resource=[allow(**BY_SESSION)])
    # It does not matter where something else settles the answer.
    assert decided(ask(ROLE), resource=[allow(**BY_SESSION)], identity=[allow()]).allowed
    assert not decided(ask(ROLE), resource=[allow(**BY_SESSION)], scps=[[deny()]]).allowed


def test_another_account_needs_both_sides() -> None:
    foreign = ask(f"arn:aws:iam::{OTHER}:role/x")
    grant: Json = {"resource": [allow(Principal={"AWS": OTHER})]}
    assert decided(foreign, identity=[allow()], **grant).allowed
    assert not decided(foreign, identity=[], **grant).allowed
    assert not decided(foreign, identity=[allow()]).allowed
    assert not decided(foreign, identity=[allow()], boundary=[allow(Action="sqs:*")], **grant).allowed


def test_a_key_lets_in_only_whom_its_policy_names() -> None:
    request = ask(action="kms:Decrypt", resource=KEY)
    assert decided(request, identity=[allow()], resource=[allow(**BY_ACCOUNT)]).allowed
    assert not decided(request, identity=[], resource=[allow(**BY_ACCOUNT)]).allowed
    assert not decided(request, identity=[allow()], resource=[]).allowed
    assert decided(request, identity=[], resource=[allow(**BY_ROLE)]).allowed
    assert "key policy" in uncovered(request, identity=[allow()])


def test_a_role_is_assumed_by_whom_its_trust_names() -> None:
    request = ask(action="sts:AssumeRole", resource=f"arn:aws:iam::{ACCOUNT}:role/other")
    trust = {key: value for key, value in allow(**BY_ACCOUNT).items() if key != "Resource"}
    assert decided(request, identity=[allow()], resource=[trust]).allowed
    assert not decided(request, identity=[], resource=[trust]).allowed
    assert "trust" in uncovered(request, identity=[allow()])
    service = Request.of("sagemaker.amazonaws.com", request.action, request.resource)
    by_service = trust | {"Principal": {"Service": "sagemaker.amazonaws.com"}}
    assert decided(service, resource=[by_service]).allowed
    assert not decided(service, resource=[trust]).allowed


def test_public_bucket_is_restricted() -> None:
    for condition, is_open in (
        ({"StringEquals": {"aws:SourceVpce": "vpce-1"}}, True),
        ({"Bool": {"aws:SecureTransport": "true"}}, False),
    ):
        bucket: Json = {"resource": [allow(Condition=condition, **EVERYONE)], "block_public_access": True}
        request = ask(None, aws_SourceVpce="vpce-1", aws_SecureTransport="true")
        assert decided(request, **bucket).allowed is is_open
        # The bucket's own account is never restricted.
        inside = ask(ROLE, aws_SourceVpce="vpce-1", aws_SecureTransport="true")
        assert decided(inside, **bucket).allowed


def test_scps_stand_beside_what_aws_attaches() -> None:
    assert decided(ask(), identity=[allow()], scps=[[deny(Action="sqs:*")], [allow()]]).allowed
    assert not decided(ask(), identity=[allow()], scps=[[allow()], [allow(Action="sqs:*")]]).allowed
    answer = decided(ask(), identity=[allow()], scps=[[allow(Action="sqs:*")]])
    assert answer.kind is Kind.SCP


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        ({"Condition": {"StringEqual": {"aws:userid": "x"}}}, "no operator StringEqual"),
        ({"Condition": {"StringEquals": {"aws:TagKeys": "x"}}}, "aws:tagkeys"),
        ({"Condition": {"ArnLike": {"aws:PrincipalArn": "*"}}}, "six segments"),
        ({"Condition": {"ForAnyValue:StringEqualsIfExists": {"aws:CalledVia": "x"}}}, "IfExists"),
        ({"Condition": {"Bool": {"aws:SecureTransport": "perhaps"}}}, "perhaps"),
        ({"Condition": {"NumericEquals": {"aws:SecureTransport": "1"}}}, "another type"),
        ({"Condition": {"NullIfExists": {"aws:userid": "true"}}}, "no operator NullIfExists"),
        ({"Condition": {"StringEquals": {"aws:SecureTransport": {"Ref": "P"}}}}, "not resolved"),
        ({"Resource": {"Fn::GetAtt": ["B", "Arn"]}}, "not resolved"),
        ({"Resource": "arn:aws:s3:::${aws:TagKeys}/*"}, "several values"),
        ({"Resource": "arn:aws:s3:${aws:PrincipalType}*::lake/*"}, None),
        ({"Resource": "arn:${aws:Partition, 'aws'}:s3:::lake/*"}, "before the fifth colon"),
        ({"Action": "*:*"}, "an action's service"),
        ({"Action": "s3*"}, "an action's service"),
        ({"Resource": "arn:aws:s3*"}, "fewer than six segments"),
        ({"Resource": "execute-api:/*"}, "API that is not named"),
        ({"Principal": "*"}, "Principal"),
    ],
)
def test_not_covered(element: Json, reason: str | None) -> None:
    request = ask(aws_SecureTransport="true", aws_TagKeys=["a", "b"])
    if reason is None:
        assert not decided(request, identity=[allow(**element)]).allowed
        return
    assert reason in uncovered(request, identity=[allow(**element)])
    assert reason in uncovered(request, identity=[allow(), deny(**element)])
    # What is not covered does no harm where the rest settles the answer.
    assert decided(request, identity=[allow(**element), allow()]).allowed
    assert not decided(request, identity=[allow(**element), deny()]).allowed


def test_two_unknown_parts_do_not_cancel_out() -> None:
    unclear: Json = {"Condition": {"StringEquals": {"aws:SecureTransport": {"Ref": "P"}}}}
    request = ask(aws_SecureTransport="true")
    assert "not resolved" in uncovered(request, identity=[allow(**unclear), deny(**unclear)])


def test_wildcards_beyond_a_colon_are_not_covered() -> None:
    request = ask(action="sns:Publish", resource=f"arn:aws:sns:eu-central-1:{ACCOUNT}:a:b:c")
    assert "beyond a colon" in uncovered(request, identity=[allow(Resource="arn:aws:*:a:b:c")])
    assert decided(request, identity=[allow(Resource="arn:aws:sns:*:*:a:*")]).allowed


def test_wildcards_in_a_type_are_not_covered() -> None:
    request = ask(action="sagemaker:InvokeEndpoint", resource=f"arn:aws:sagemaker:eu:{ACCOUNT}:endpoint/e")
    assert "type" in uncovered(request, identity=[allow(Resource="arn:aws:sagemaker:*:*:*/e")])
    assert decided(request, identity=[allow(Resource="arn:aws:sagemaker:*:*:endp*")]).allowed


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        ({"Principal": {"AWS": "AROAEXAMPLEEXAMPLEX12"}}, "AROAEXAMPLEEXAMPLEX12"),
        ({"Principal": {"CanonicalUser": "abc"}}, "canonical"),
        ({"Principal": {"AWS": {"Ref": "Role"}}}, "not resolved"),
        ({"NotPrincipal": {"AWS": ROLE}}, "NotPrincipal"),
        ({}, "without a Principal"),
    ],
)
def test_principals_not_covered(element: Json, reason: str) -> None:
    assert reason in uncovered(ask(), identity=[allow()], resource=[deny(**element)])
    assert reason in uncovered(ask(), resource=[allow(**element)])


def test_not_principal() -> None:
    everyone_named = {"AWS": [ROLE, SESSION, ACCOUNT]}
    grants: Json = {"identity": [allow()]}
    assert decided(ask(SESSION), resource=[deny(NotPrincipal=everyone_named)], **grants).allowed
    assert not decided(ask(SESSION), resource=[deny(NotPrincipal={"AWS": OTHER})], **grants).allowed
    # "… will always deny any IAM principal that has a permissions boundary".
    grants["boundary"] = [allow()]
    assert not decided(ask(SESSION), resource=[deny(NotPrincipal=everyone_named)], **grants).allowed


def test_named_principals_of_an_endpoint_are_not_covered() -> None:
    assert "endpoint" in uncovered(ask(), identity=[allow()], endpoint=[allow(**BY_ROLE)])


def test_rcps_bind_the_services_that_support_them() -> None:
    request = ask(action="sagemaker:InvokeEndpoint", resource=f"arn:aws:sagemaker:eu:{ACCOUNT}:endpoint/e")
    assert "RCPs" in uncovered(request, identity=[allow()], rcps=[[deny(**EVERYONE)]])
    assert decided(request, identity=[allow()], rcps=[[deny(**EVERYONE, Action="s3:*")]]).allowed


def test_resource_without_an_account() -> None:
    request = Request.of(ROLE, "s3:GetObject", OBJECT)
    assert "aws:ResourceAccount" in uncovered(request, identity=[allow()])


def test_apis_by_their_short_form() -> None:
    api = f"arn:aws:execute-api:eu-central-1:{ACCOUNT}:abc123"
    resource = parse(document(allow(Resource="execute-api:/prod/POST/*", **EVERYONE)), Kind.RESOURCE, api=api)
    request = Request.of(None, "execute-api:Invoke", f"{api}/prod/POST/predict")
    answer = decide(Policies(resource=resource), request)
    assert isinstance(answer, Decision)
    assert answer.allowed
    other = Request.of(None, "execute-api:Invoke", f"{api}/x/prod/POST/predict")
    answer = decide(Policies(resource=resource), other)
    assert isinstance(answer, Decision)
    assert not answer.allowed


MISSING = Unknown("nobody said")


@pytest.mark.parametrize("element", ["Sid", "Action", "Resource", "Principal", "Condition"])
def test_parts_that_nobody_resolved(element: str) -> None:
    value = {"StringEquals": {"aws:PrincipalTag/a": MISSING}} if element == "Condition" else MISSING
    given = document(allow(**{**EVERYONE, element: value}))
    request = Request.of(
        ROLE, "s3:GetObject", OBJECT, {"aws:ResourceAccount": ACCOUNT, "aws:PrincipalTag/a": "x"}
    )
    answer = decide(Policies(resource=parse(given, Kind.RESOURCE)), request)
    if element == "Sid":
        assert isinstance(answer, Decision)
        assert answer.allowed
    else:
        assert answer == NotCovered("nobody said")


def test_a_statement_that_may_not_stand_there() -> None:
    request = Request.of(ROLE, "s3:GetObject", OBJECT, {"aws:ResourceAccount": ACCOUNT})
    found = parse(document(allow()), Kind.IDENTITY)
    unsure = Document("x", Kind.IDENTITY, tuple(replace(each, unsure=MISSING) for each in found.statements))
    assert decide(Policies(identity=(unsure,)), request) == NotCovered("nobody said")
    put = replace(request, action="sqs:SendMessage")
    narrow = parse(document(allow(Action="s3:*")), Kind.IDENTITY)
    unsure = Document("x", Kind.IDENTITY, tuple(replace(each, unsure=MISSING) for each in narrow.statements))
    answer = decide(Policies(identity=(unsure,)), put)
    assert isinstance(answer, Decision)
    assert not answer.allowed


@pytest.mark.parametrize(
    "given",
    [
        [],
        {},
        {"Statement": "x"},
        document({"Effect": "Permit", "Action": "*"}),
        document({"Effect": "Allow", "Resource": "*"}),
        document({"Effect": "Allow", "Action": "*", "NotAction": "*"}),
        document({"Effect": "Allow", "Action": "*", "Conditions": {}}),
        document({"Effect": "Allow", "Action": "*", "Condition": {"Bool": "x"}}),
        document({"Effect": "Allow", "Action": "*", "Condition": {1: {"aws:username": "x"}}}),
        document({"Effect": "Allow", "Action": "*", "Condition": {"Bool": {True: "x"}}}),
        document({"Effect": "Allow", "Action": "*", "Principal": "arn"}),
    ],
)
def test_unreadable(given: Any) -> None:
    with pytest.raises(UnreadableError):
        parse(given, Kind.IDENTITY)
