"""Puts the requests of a counter-example to the simulator, with every document as it was parsed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from secure_ml_constructs.verification.proofs.iam import Document, Unknown
from secure_ml_constructs.verification.proofs.iam.documents import Statement
from secure_ml_constructs.verification.proofs.iam.patterns import Token, Variable, Wild
from secure_ml_constructs.verification.proofs.iam.policies import Authorization
from secure_ml_constructs.verification.proofs.questions import Step
from tests.support.decisions import Simulator
from tests.unit.verification.proofs import oracle
from tests.unit.verification.proofs.pairs import Json, Pair


def known(step: Step) -> bool:
    """Whether the simulator can say anything of a request: it knows no authorizers."""
    method = step.policies.method
    return method is None or method.authorization is Authorization.IAM


def allowed(simulator: Simulator, step: Step) -> bool:
    """Whether the simulator lets a request through as well."""
    return oracle.simulated(simulator, _pair(step))


def _pair(step: Step) -> Pair:
    request, policies = step.request, step.policies
    return Pair(
        {
            "principal": request.principal.name,
            "action": request.action,
            "resource": request.resource,
            "account": request.resource_account,
            "context": {
                _key(key): list(value) if isinstance(value, tuple) else value
                for key, value in request.context.items()
            },
        },
        identity=_unparsed(policies.identity),
        boundary=None if policies.boundary is None else _unparsed(policies.boundary),
        resource=None if policies.resource is None else unparsed(policies.resource),
        endpoint=None if policies.endpoint is None else _unparsed(policies.endpoint),
        scps=[_unparsed(level) for level in policies.scps],
        rcps=[_unparsed(level) for level in policies.rcps],
        block_public_access=policies.block_public_access,
    )


def _unparsed(documents: Iterable[Document]) -> list[Json]:
    return [unparsed(each) for each in documents]


def unparsed(document: Document) -> Json:
    """Write a document again."""
    return {"Version": "2012-10-17", "Statement": [_statement(each) for each in document.statements]}


def _statement(statement: Statement) -> Json:
    made: Json = {
        "Effect": "Allow" if statement.allow else "Deny",
        "NotAction" if statement.not_action else "Action": [_text(each) for each in statement.actions],
    }
    if statement.resources is not None:
        made["NotResource" if statement.not_resource else "Resource"] = [
            _text(each) for each in statement.resources
        ]
    if statement.principals is not None:
        principals: Any = "*" if statement.principals.anyone else {}
        if not statement.principals.anyone:
            for kind, name in statement.principals.names:
                principals.setdefault(kind, []).append(name)
        made["NotPrincipal" if statement.principals.inverted else "Principal"] = principals
    for line in statement.conditions:
        values = [_text(each) for each in line.values]
        made.setdefault("Condition", {}).setdefault(line.written, {})[_key(line.key)] = values
    return made


def _key(key: str) -> str:
    """A context key; another one of free text for those that the simulator's data lacks."""
    if key.startswith("kms:encryptioncontext:") or key in (
        "sagemaker:volumekmskey",
        "sagemaker:outputkmskey",
    ):
        return f"aws:principaltag/{key.replace(':', '-')}"
    return key


def _text(written: tuple[Token, ...] | Unknown) -> str:
    assert not isinstance(written, Unknown), written.reason
    return "".join(map(_token, written))


def _token(token: Token) -> str:
    if isinstance(token, Wild):
        return "*" if token.many else "?"
    if isinstance(token, Variable):
        return f"${{{token.key}, '{token.default}'}}" if token.default else f"${{{token.key}}}"
    return token
