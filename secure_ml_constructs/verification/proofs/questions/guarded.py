"""What the guardrails of roles leave: roles with every permission, under their own denials and boundary."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from secure_ml_constructs.verification.proofs.estate import Role
from secure_ml_constructs.verification.proofs.iam.documents import Document
from secure_ml_constructs.verification.proofs.iam.matching import actions_covered
from secure_ml_constructs.verification.proofs.iam.patterns import fill_in, matches
from secure_ml_constructs.verification.proofs.iam.requests import Principal
from secure_ml_constructs.verification.proofs.iam.ternary import Unknown
from secure_ml_constructs.verification.proofs.questions.attempts import (
    ALL_PERMISSIONS,
    NOT_ON_BEHALF,
    Attempt,
)
from secure_ml_constructs.verification.proofs.questions.credentials import may_grant
from secure_ml_constructs.verification.proofs.questions.deeds import Act

_BY_NAME = "aws:principalarn"


def acting_as(role: Role) -> Attempt | None:
    """A role with what it is granted; None where its name is not known."""
    if not isinstance(role.arn, str):
        return None
    return Attempt(str(role.name), Principal.read(role.arn), role.documents, role.boundary, NOT_ON_BEHALF)


class Guarded:
    """Gives the roles that a request is to be asked of, whatever they are granted.

    Of those that have the same guardrails, and that none of these tells apart, one stands for all: what is
    attached to every role is asked about once, however many teams there are.

    Args:
        roles: Every role of the estate.
    """

    def __init__(self, roles: Iterable[Role]) -> None:
        self._roles = [(each, _denying(each)) for each in roles if isinstance(each.arn, str)]
        self._found: dict[tuple[str, frozenset[str]], tuple[Attempt, ...]] = {}

    def of(self, act: Act) -> tuple[Attempt, ...]:
        """Give those roles among the request's that some guardrail tells apart.

        Args:
            act: The request, with the roles that it is asked of.
        """
        key = (act.action, act.roles)
        if key not in self._found:
            self._found[key] = tuple(self._told_apart(act))
        return self._found[key]

    def granted(self, act: Act) -> Iterator[Attempt]:
        """Give those among the request's roles that anything may grant it, with what they are granted."""
        for role, _ in self._roles:
            if role.arn in act.roles and may_grant(role.documents, act.action, act.resource):
                yield from filter(None, (acting_as(role),))

    def _told_apart(self, act: Act) -> Iterator[Attempt]:
        seen: set[Hashable] = set()
        for role, denying in self._roles:
            if role.arn not in act.roles:
                continue
            speaking = [each for each in denying if _speaks(each, act.action)]
            bounds = role.boundary or ()
            alike = (
                tuple(id(each.statements) for each in speaking),
                role.boundary is None,
                tuple(id(each.statements) for each in bounds),
                tuple(_told_by_name(each, act.action, str(role.arn)) for each in (*speaking, *bounds)),
            )
            if alike not in seen:
                seen.add(alike)
                yield Attempt(
                    f"{role.name} with every permission",
                    Principal.read(str(role.arn)),
                    (*ALL_PERMISSIONS, *speaking),
                    role.boundary,
                    NOT_ON_BEHALF,
                )


def _denying(role: Role) -> tuple[Document, ...]:
    return tuple(each for each in role.documents if not all(said.allow for said in each.statements))


def _speaks(document: Document, action: str) -> bool:
    """Whether a document may deny an action."""
    covered = zip(document.statements, actions_covered(document, action), strict=True)
    return any(not statement.allow and covers is not False for statement, covers in covered)


def _told_by_name(document: Document, action: str, arn: str) -> tuple[bool, ...]:
    """Which of the names that a document compares its caller with are the role's."""
    covered = zip(document.statements, actions_covered(document, action), strict=True)
    lines = (
        line
        for statement, covers in covered
        if covers is not False
        for line in statement.conditions
        if line.key == _BY_NAME
    )
    patterns = (
        None if isinstance(each, Unknown) else fill_in(each, {}) for line in lines for each in line.values
    )
    return tuple(isinstance(each, tuple) and matches(each, arn) for each in patterns)
