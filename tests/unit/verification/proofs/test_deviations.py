"""Where the simulator errs: each with the page of AWS that says so. When one is mended, its test fails."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from secure_ml_constructs.verification.proofs.iam import Decision, decide
from tests.support.decisions import Simulator
from tests.unit.verification.proofs import oracle
from tests.unit.verification.proofs.pairs import Json, Pair
from tests.unit.verification.proofs.vocabulary import ACCOUNT

ROLE = f"arn:aws:iam::{ACCOUNT}:role/ml/training"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/training/alice"
OBJECT = "arn:aws:s3:::lake/raw/a"


def document(*statements: Json, version: str = "2012-10-17") -> Json:
    return {"Version": version, "Statement": list(statements)}


def statement(effect: str, action: str = "s3:*", condition: Json | None = None, **others: object) -> Json:
    made: Json = {"Effect": effect, "Action": action, "Resource": "*", **others}
    return {**made, "Condition": condition} if condition else made


def asked(principal: str | None = ROLE, **context: str) -> Json:
    keys = {key.replace("_", ":"): value for key, value in context.items()}
    return {"principal": principal, "action": "s3:GetObject", "resource": OBJECT, "context": keys}


@dataclass(frozen=True)
class Deviation:
    """Where model and simulator differ; `says` is word for word what the page says."""

    page: str
    says: str
    ours: bool
    pair: Pair


DEVIATIONS = {
    "negated operator and a variable without a value": Deviation(
        page="IAM policy elements: Variables and tags, Policy variables with no value",
        says="Inverted condition operators like StringNotEquals or StringNotLike do match against a null "
        "value",
        ours=False,
        pair=Pair(
            asked(aws_username="carol"),
            identity=[
                document(
                    statement("Allow"),
                    statement("Deny", condition={"StringNotEquals": {"aws:username": "${aws:userid}"}}),
                )
            ],
        ),
    ),
    "the block of all addresses": Deviation(
        page="IAM JSON policy elements: Condition operators, IP address condition operators",
        says="The value must be in the standard CIDR format",
        ours=False,
        pair=Pair(
            asked(aws_SourceIp="203.0.113.9"),
            identity=[
                document(
                    statement("Allow"),
                    statement("Deny", condition={"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}),
                )
            ],
        ),
    ),
    "an IPv6 address against a single IPv4 address": Deviation(
        page="IAM JSON policy elements: Condition operators, IP address condition operators",
        says="All IP addresses except the specified IP address or range",
        ours=False,
        pair=Pair(
            asked(aws_SourceIp="2001:db8::1"),
            identity=[
                document(
                    statement("Allow"),
                    statement("Deny", condition={"NotIpAddress": {"aws:SourceIp": "10.0.1.7"}}),
                )
            ],
        ),
    ),
    "an IPv6 address written in two ways": Deviation(
        page="IAM JSON policy elements: Condition operators, IP address condition operators",
        says="Some AWS services support IPv6, using :: to represent a range of 0s",
        ours=True,
        pair=Pair(
            asked(aws_SourceIp="2001:db8:0:0::1"),
            identity=[document(statement("Allow", condition={"IpAddress": {"aws:SourceIp": "2001:DB8::1"}}))],
        ),
    ),
    "an epoch against a date": Deviation(
        page="IAM JSON policy elements: Condition operators, Date condition operators",
        says="one of the W3C implementations of the ISO 8601 date formats or in epoch (UNIX) time",
        ours=True,
        pair=Pair(
            asked(aws_CurrentTime="2026-11-21T12:00:00Z"),
            # The year 2027 in seconds.
            identity=[
                document(statement("Allow", condition={"DateLessThan": {"aws:CurrentTime": "1798761600"}}))
            ],
        ),
    ),
    "a variable in an old document": Deviation(
        page="IAM JSON policy elements: Version",
        says="aren't recognized as variables and are instead treated as literal strings in the policy",
        ours=False,
        pair=Pair(
            asked(aws_username="carol", aws_userid="carol"),
            identity=[
                document(
                    statement("Allow", condition={"StringEquals": {"aws:username": "${aws:userid}"}}),
                    version="2008-10-17",
                )
            ],
        ),
    ),
    "an SCP and a service": Deviation(
        page="Service control policies (SCPs), SCP effects on permissions",
        says="SCPs affect only IAM users and roles that are managed by accounts that are part of the "
        "organization",
        ours=True,
        pair=Pair(
            asked("logging.s3.amazonaws.com"),
            resource=document(statement("Allow", Principal={"Service": "logging.s3.amazonaws.com"})),
            scps=[[document(statement("Deny"))]],
        ),
    ),
    "an SCP and a service-linked role": Deviation(
        page="Service control policies (SCPs), Tasks and entities not restricted by SCPs",
        says="SCPs do not affect any service-linked role",
        ours=True,
        pair=Pair(
            asked(f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/macie.amazonaws.com/AWSServiceRoleForMacie"),
            identity=[document(statement("Allow"))],
            scps=[[document(statement("Deny"))]],
        ),
    ),
    "a resource policy that names the session, past a session policy": Deviation(
        page="Policies and permissions in AWS Identity and Access Management, Session policies",
        says="The resource-based policy permissions are not limited by the session policy",
        ours=True,
        pair=Pair(
            asked(SESSION),
            resource=document(statement("Allow", Principal={"AWS": SESSION})),
            session=document(statement("Allow", action="sqs:*")),
        ),
    ),
    "an identity provider from outside AWS": Deviation(
        page="AWS Security Token Service API Reference, AssumeRoleWithWebIdentity",
        says="Calling AssumeRoleWithWebIdentity does not require the use of AWS security credentials",
        ours=True,
        pair=Pair(
            {
                "principal": {"Federated": "token.actions.githubusercontent.com"},
                "action": "sts:AssumeRoleWithWebIdentity",
                "resource": ROLE,
                "context": {},
            },
            resource=document(
                {
                    "Effect": "Allow",
                    "Action": "sts:AssumeRoleWithWebIdentity",
                    "Principal": {"Federated": "token.actions.githubusercontent.com"},
                }
            ),
        ),
    ),
}


@pytest.mark.decision
@pytest.mark.parametrize("name", DEVIATIONS)
def test_simulator_errs(name: str, simulator: Simulator) -> None:
    deviation = DEVIATIONS[name]
    pair = deviation.pair
    pair.request["context"]["aws:ResourceAccount"] = ACCOUNT
    ours = decide(oracle.policies(pair), oracle.request(pair))
    assert isinstance(ours, Decision)
    assert ours.allowed is deviation.ours
    given = dict(pair.request)
    if isinstance(given["principal"], dict):
        given["principal"] = given["principal"]["Federated"]
    assert oracle.simulated(simulator, pair, given) is not deviation.ours, "mended: take it off the list"


def test_everything_is_cited() -> None:
    assert all(len(each.page) > 20 and len(each.says) > 30 for each in DEVIATIONS.values())
