"""Roles asked for what they may do: every policy that a template attaches to them, and their boundary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from secure_ml_constructs.verification.proofs.iam import Kind, NotCovered, Policies, Request, decide, parse
from tests.support.templates import ACCOUNT, REGION, Resource, World


def role_of(made: World, team: str, persona: str = "DataScientist") -> Resource:
    return made.one("AWS::IAM::Role", f"{team}roles{persona}")


def attached(made: World, role: Resource) -> list[dict[str, Any]]:
    """The documents of every managed policy of a role."""
    arns = role.properties.get("ManagedPolicyArns", [])
    return [
        policy.properties["PolicyDocument"]
        for policy in made.resources("AWS::IAM::ManagedPolicy")
        if made.ref(policy) in arns or made.ref(role) in policy.properties.get("Roles", [])
    ]


def boundary_of(made: World, role: Resource) -> list[dict[str, Any]]:
    wanted = role.properties["PermissionsBoundary"]
    return [
        policy.properties["PolicyDocument"]
        for policy in made.resources("AWS::IAM::ManagedPolicy")
        if made.ref(policy) == wanted
    ]


def policies(identity: Sequence[Any], boundary: Sequence[Any] | None = None) -> Policies:
    return Policies(
        identity=tuple(parse(each, Kind.IDENTITY, f"identity {n}") for n, each in enumerate(identity)),
        boundary=None
        if boundary is None
        else tuple(parse(each, Kind.BOUNDARY, f"boundary {n}") for n, each in enumerate(boundary)),
    )


def may(stand: Policies, principal: str, action: str, resource: str, context: Mapping[str, Any]) -> bool:
    answer = decide(stand, Request.of(principal, action, resource, dict(context)))
    assert not isinstance(answer, NotCovered), answer
    return answer.allowed


def studio_arn(made: World, kind: str, path: str) -> str:
    domain = made.ref(made.one("AWS::SageMaker::Domain"))
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{domain}/{path}"
