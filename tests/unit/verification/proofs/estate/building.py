"""Small estates for the tests."""

from __future__ import annotations

from typing import Any

from secure_ml_constructs.verification.proofs.estate import Estate
from secure_ml_constructs.verification.proofs.iam import Policies, Principal, Unknown
from secure_ml_constructs.verification.proofs.iam.domains import ABSENT, exactly
from secure_ml_constructs.verification.proofs.iam.prove import Answer, Question, prove
from secure_ml_constructs.verification.templates import Resource, Templates

ACCOUNT = "111122223333"
OBJECT = "arn:aws:s3:::lake/raw/a"
# A parameter that nobody gives a value.
OPEN = {"Ref": "Open"}
OUTSIDER = "arn:aws:iam::999999999999:role/thief"


def estate(resources: dict[str, Any]) -> Estate:
    """An estate of one stack."""
    body = {"Resources": resources, "Parameters": {"Open": {"Type": "String"}}}
    return Estate.of(Templates.of({"stack": body}))


def one(found: Estate, logical_id: str) -> Resource:
    """A resource by its logical id."""
    return next(t.resources[logical_id] for t in found.templates)


def made(type_: str, **properties: Any) -> dict[str, Any]:
    """A resource."""
    return {"Type": f"AWS::{type_}", "Properties": properties}


def document(action: str, resource: Any = "*", effect: str = "Allow", **others: Any) -> dict[str, Any]:
    """A document of one statement."""
    statement = {"Effect": effect, "Action": action, "Resource": resource, **others}
    return {"Version": "2012-10-17", "Statement": [statement]}


def role(**properties: Any) -> dict[str, Any]:
    """A role that EC2 may assume."""
    trust = {
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ]
    }
    return made("IAM::Role", **{"AssumeRolePolicyDocument": trust, **properties})


def asked(policies: Policies, principal: str | Unknown, action: str, resource: str | Unknown) -> Answer:
    """Ask about one action on a resource of the account, for callers that are in no organization."""
    assert isinstance(principal, str)
    assert isinstance(resource, str)
    context = {"aws:ResourceAccount": exactly(ACCOUNT), "aws:PrincipalOrgID": ABSENT}
    return prove(Question(policies, Principal.read(principal), action, resource, context))
