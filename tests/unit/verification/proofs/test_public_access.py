"""Block Public Access: what makes a bucket's policy public, against the simulator."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from secure_ml_constructs.verification.proofs.iam import Decision, Document, Kind, Unknown, decide, parse
from secure_ml_constructs.verification.proofs.iam.public_access import is_public
from tests.support.decisions import ALLOW_ALL, Simulator
from tests.unit.verification.proofs import oracle
from tests.unit.verification.proofs.pairs import Json, Pair
from tests.unit.verification.proofs.vocabulary import ACCOUNT, OTHER

OBJECT = "arn:aws:s3:::lake/raw/a"
VALUES: dict[str, tuple[str, ...]] = {
    "aws:PrincipalOrgID": ("o-abcdefghij",),
    "aws:PrincipalAccount": (OTHER,),
    "aws:SourceVpce": ("vpce-0a1b2c3d",),
    "aws:SourceVpc": ("vpc-1111",),
    "aws:SourceAccount": (OTHER,),
    "aws:UserAgent": ("boto3",),
    "aws:SecureTransport": ("true",),
    "s3:TlsVersion": ("1.2",),
}
ADDRESSES = (
    "203.0.113.0/24", "203.0.0.0/8", "202.0.0.0/7", "128.0.0.0/1", "10.0.0.0/8", "2001:db8::/32", "2000::/3",
)  # fmt: skip
CALLERS = (None, f"arn:aws:iam::{OTHER}:role/x", f"arn:aws:iam::{ACCOUNT}:role/ml/x", "lambda.amazonaws.com")


def lines() -> list[tuple[Json, Json]]:
    """Condition blocks that hold, each with the context in which they do."""
    found: list[tuple[Json, Json]] = [({}, {})]
    for key, values in VALUES.items():
        context = {key: values[0]}
        operators = ["StringEquals", "StringLike", "StringEqualsIfExists", "Null"]
        if key == "aws:SecureTransport":
            operators = ["Bool"]
        elif key == "s3:TlsVersion":
            operators = ["NumericEquals", "NumericGreaterThanEquals"]
        for operator in operators:
            found.append(({operator: {key: "false" if operator == "Null" else values[0]}}, context))
        if "StringLike" in operators:
            found.append(({"StringNotEquals": {key: "something-else"}}, context))
    for block in ADDRESSES:
        inside = block.split("/")[0]
        found.append(({"IpAddress": {"aws:SourceIp": block}}, {"aws:SourceIp": inside}))
    both = {"IpAddress": {"aws:SourceIp": [ADDRESSES[0], ADDRESSES[3]]}}
    found.append((both, {"aws:SourceIp": "203.0.113.0"}))
    return found


@pytest.mark.decision
def test_agreement(simulator: Simulator) -> None:
    decided: Counter[bool] = Counter()
    for (condition, context), caller, on in product(lines(), CALLERS, (True, False)):
        statement: dict[str, Any] = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
        if condition:
            statement["Condition"] = condition
        request = {"principal": caller, "action": "s3:GetObject", "resource": OBJECT}
        request["context"] = {**context, "aws:ResourceAccount": ACCOUNT}  # type: ignore[assignment]
        pair = Pair(
            request,
            identity=[dict(ALLOW_ALL)] if caller and caller.startswith("arn:") else [],
            resource={"Version": "2012-10-17", "Statement": [statement]},
            block_public_access=on,
        )
        ours = decide(oracle.policies(pair), oracle.request(pair))
        if isinstance(ours, Decision):
            assert ours.allowed == oracle.simulated(simulator, pair), (condition, caller, on, ours)
            decided[ours.allowed] += 1
    assert decided[False] >= 20, decided
    assert decided[True] >= 100, decided


@pytest.mark.parametrize(
    "principal",
    [{"AWS": OTHER}, {"AWS": f"arn:aws:iam::{OTHER}:role/x"}, {"Service": "logging.s3.amazonaws.com"}],
)
def test_named_principals_are_not_the_public(principal: Json) -> None:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "*", "Resource": "*"}
    assert is_public(parse({"Statement": [statement]}, Kind.RESOURCE)) is False


def test_a_public_statement_that_may_not_stand_there() -> None:
    found = parse(
        {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}, Kind.RESOURCE
    )
    statements = tuple(replace(each, unsure=Unknown("perhaps")) for each in found.statements)
    assert is_public(found) is True
    assert is_public(Document("x", Kind.RESOURCE, statements)) == Unknown("perhaps")
