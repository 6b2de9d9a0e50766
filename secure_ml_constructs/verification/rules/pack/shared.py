"""Questions about policies that rules of several services ask."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome, Unknown
from secure_ml_constructs.verification.rules.policies import Statement, statements
from secure_ml_constructs.verification.templates import Absent, Resource, Templates, Unresolved

_ACCOUNT = re.compile(r"^aws:(?:arn:[^:]*:(?:iam|sts)::)?(?P<account>\d{12})(?=$|:)")

_VARIABLE = re.compile(r"\$\{[^}]*\}")


def policy(context: Context, path: str, resource: Resource | None = None) -> list[Statement] | Outcome | None:
    """The statements of a policy document, why it can't be read, or None where there is none."""
    of = resource or context.resource
    graph = context.graph
    return graph.once(("policy", path), of, lambda: _policy(graph, path, of))


def _policy(graph: Templates, path: str, resource: Resource) -> list[Statement] | Outcome | None:
    value: Any = graph.get(resource, *path.split("."))
    if isinstance(value, Absent):
        return None
    found = statements(graph, resource.template, value)
    if isinstance(found, Unresolved):
        return Unknown(found.reason, path, "principal")
    return found


def each_statement(context: Context, path: str) -> Iterator[tuple[str, Statement]]:
    """Each statement of a policy with its path; nothing where the policy can't be read."""
    found = policy(context, path)
    if isinstance(found, list):
        for statement in found:
            yield f"{path}.Statement[{statement.index}]", statement


def unreadable(context: Context, path: str) -> Iterator[Outcome]:
    """Why a policy, or a statement that allows, can't be read: a Deny that is not known lets nobody in."""
    found = policy(context, path)
    if isinstance(found, Unknown):
        yield found
    if isinstance(found, list):
        for statement in found:
            if statement.allow and statement.unresolved:
                where = f"{path}.Statement[{statement.index}]"
                yield Unknown(statement.unresolved.reason, where, "principal")


def public_statements(context: Context, path: str, *, accounts: bool = False) -> Iterator[Outcome]:
    """Statements that allow anyone, or accounts that nobody has listed.

    Args:
        context: Where to look.
        path: The policy's property.
        accounts: Whether an account outside the setting `trusted_accounts` is a failure too.
    """
    yield from unreadable(context, path)
    for where, statement in each_statement(context, path):
        if not statement.allow:
            continue
        if statement.public:
            yield Fail("allows anyone, and no condition ties the request to someone known", where)
        elif accounts:
            for principal in statement.principals:
                found = _ACCOUNT.match(_VARIABLE.sub("X", principal))
                if found and found["account"] not in context.settings.trusted_accounts:
                    yield Fail(f"allows {found['account']}, which is not in trusted_accounts", where)
                    break


def denies_plain_http(found: list[Statement]) -> bool:
    """Whether requests without TLS are denied to everyone."""
    for statement in found:
        if statement.allow or not ({"*", "aws:*"} & set(statement.principals)):
            continue
        if "NotAction" in statement.inverted:
            continue
        for (operator, key), values in statement.conditions.items():
            if len(statement.conditions) > 1:
                continue
            secure = key == "aws:securetransport" and operator in ("bool", "boolifexists", "stringequals")
            if secure and values == ("false",):
                return True
    return False
