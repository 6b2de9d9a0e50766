"""Finds the statements that may speak of a set of requests, and settles what is known of them.

What hangs on values that are known needs no formula, and its keys need not be cut into regions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from secure_ml_constructs.verification.proofs.iam.conditions import condition_holds
from secure_ml_constructs.verification.proofs.iam.documents import Condition, Document, Statement
from secure_ml_constructs.verification.proofs.iam.domains import Domains
from secure_ml_constructs.verification.proofs.iam.evaluate import applicable
from secure_ml_constructs.verification.proofs.iam.matching import (
    Named,
    actions_covered,
    principal_matches,
    resource_matches,
)
from secure_ml_constructs.verification.proofs.iam.patterns import ANY, Context, fill_in, literal, tokens
from secure_ml_constructs.verification.proofs.iam.policies import Policies
from secure_ml_constructs.verification.proofs.iam.ternary import Ternary, Unknown, every


@dataclass(frozen=True)
class Subject:
    """A statement that may speak of the requests asked about.

    Attributes:
        document: Its document.
        statement: The statement.
        named: How closely it names the caller.
        holds: What is settled of it already.
        conditions: The lines that are left open.
        names_resource: Whether it is left open which resources it is about.
    """

    document: Document
    statement: Statement
    named: Named
    holds: Ternary
    conditions: tuple[Condition, ...]
    names_resource: bool


def subjects(policies: Policies, domains: Domains) -> list[Subject]:
    """Find the statements that may speak of the requests asked about.

    What hangs on values that are known is settled here, so that few keys are left to be cut into regions.
    """
    found: list[Subject] = []
    service = domains.action.partition(":")[0].lower()
    bounded = policies.boundary is not None
    fixed = domains.fixed()
    text = only_resource(domains)
    for document, binds in applicable(policies, domains.principal, service, domains.action):
        covered = actions_covered(document, domains.action)
        for statement, action in zip(document.statements, covered, strict=True):
            if action is False:
                continue
            named = principal_matches(statement, document.kind, domains.principal, bounded=bounded)
            if not named:
                continue
            settled, left = _settled(statement, domains, fixed, text)
            if settled is False:
                continue
            for closeness, principal in named.items():
                holds = every((binds, action, principal, settled))
                if holds is not False:
                    found.append(Subject(document, statement, closeness, holds, left, text is None))
    return found


def only_resource(domains: Domains) -> str | None:
    """The one resource that is asked about; None where it is a pattern."""
    asked = fill_in(tokens(domains.resource, variables=False), {})
    assert isinstance(asked, tuple)
    # The bare asterisk is no pattern: it is the resource of actions that know none.
    return domains.resource if asked == ANY or literal(asked) is not None else None


def _settled(
    statement: Statement, domains: Domains, fixed: Context, text: str | None
) -> tuple[Ternary, tuple[Condition, ...]]:
    """What is known of a statement without cutting anything into regions, and the lines that are not."""
    known: list[Ternary] = []
    if text is not None:
        known.append(covers(statement, text, domains, fixed))
        if known[0] is False:
            return False, ()
    elif _apart(statement, beginning(domains.resource)):
        return False, ()
    left: list[Condition] = []
    for condition in statement.conditions:
        values = domains.of(condition.key)
        if (values.exactly is None and values.present) or _leaves_open(condition, domains):
            left.append(condition)
            continue
        holds = condition_holds(condition, fixed)
        if holds is False:
            return False, ()
        known.append(holds)
    return every(known), tuple(left)


def beginning(pattern: str) -> str:
    """What every text of a pattern begins with."""
    return re.split(r"[*?]", pattern, maxsplit=1)[0]


def _apart(statement: Statement, begins: str) -> bool:
    """Whether a statement names resources that begin otherwise than all that are asked about."""
    if statement.resources is None or statement.not_resource:
        return False
    for written in statement.resources:
        if isinstance(written, Unknown) or not written or not isinstance(written[0], str):
            return False
        if begins.startswith(written[0]) or written[0].startswith(begins):
            return False
    return True


def _leaves_open(condition: Condition, domains: Domains) -> bool:
    return any(not isinstance(text, Unknown) and domains.leaves_open(text) for text in condition.values)


def covers(statement: Statement, text: str, domains: Domains, fixed: Context) -> Ternary:
    """Whether a statement is about a resource; unknown where a variable in it may have any value."""
    for written in statement.resources or ():
        if not isinstance(written, Unknown) and domains.leaves_open(written):
            return Unknown("a resource with a policy variable that may have any value")
    return resource_matches(statement, text, fixed)
