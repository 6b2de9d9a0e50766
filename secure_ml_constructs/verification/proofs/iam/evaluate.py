"""Decides one concrete request, and says which statement decided.

What is not known is first taken in the request's favour and then against it. Where both come to the same
decision, it is the decision; where they differ, the answer is `NotCovered`. An Allow that does not apply can
only take away and a Deny that does not apply can only give, so no other mixture needs to be tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from secure_ml_constructs.verification.proofs.iam.documents import Document, Kind, Statement
from secure_ml_constructs.verification.proofs.iam.matching import Named, principal_matches, rest_matches
from secure_ml_constructs.verification.proofs.iam.order import (
    BOOLEAN,
    RCP_SERVICES,
    Parts,
    Ways,
    allowed,
    ways,
)
from secure_ml_constructs.verification.proofs.iam.policies import Policies
from secure_ml_constructs.verification.proofs.iam.public_access import is_public
from secure_ml_constructs.verification.proofs.iam.requests import Principal, Request
from secure_ml_constructs.verification.proofs.iam.ternary import (
    NotCovered,
    Ternary,
    Unknown,
    every,
    possibly,
)


@dataclass(frozen=True)
class Decision:
    """What is decided, and by what.

    Attributes:
        allowed: Whether the request is allowed.
        because: Why, in words.
        document: The document that decided; None where none did.
        statement: Its statement, by Sid or place; None where no statement decided.
        kind: What the document is attached to.
    """

    allowed: bool
    because: str
    document: str | None = None
    statement: str | None = None
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A statement that speaks of a request, or may.

    Attributes:
        document: Its document.
        statement: The statement.
        named: How closely it names the caller.
        holds: Whether it does, or why it is not known.
    """

    document: Document
    statement: Statement
    named: Named
    holds: Ternary

    @property
    def kind(self) -> Kind:
        """What its document is attached to."""
        return self.document.kind


def applicable(
    policies: Policies, principal: Principal, service: str, action: str
) -> Iterator[tuple[Document, Ternary]]:
    """The documents that bear on a request, with whether they bind it at all."""
    for document in policies.in_order():
        binds: Ternary = True
        if document.kind is Kind.SCP:
            # Users, roles and the root user; neither kind binds service-linked roles.
            binds = principal.in_account and not principal.service_linked
        elif document.kind is Kind.RCP:
            binds = not principal.service_linked
            if service not in RCP_SERVICES:
                binds = binds and Unknown(f"whether RCPs bind resources of {service}")
        elif document.kind in (Kind.IDENTITY, Kind.BOUNDARY, Kind.SESSION):
            binds = principal.has_policies
        if binds is not False:
            yield document, binds


def find_matches(policies: Policies, request: Request) -> list[Match]:
    """Find every statement that speaks of a request, or may."""
    found: list[Match] = []
    bounded = policies.boundary is not None
    for document, binds in applicable(policies, request.principal, request.service, request.action):
        for statement in document.statements:
            named = principal_matches(statement, document.kind, request.principal, bounded=bounded)
            rest = rest_matches(statement, request) if named else False
            for closeness, principal in named.items():
                holds = every((binds, principal, rest))
                if holds is not False:
                    found.append(Match(document, statement, closeness, holds))
    return found


def decide(policies: Policies, request: Request) -> Decision | NotCovered:
    """Decide one request.

    Args:
        policies: The documents that stand in its way.
        request: The request.
    """
    if request.action.lower() == "sts:getcalleridentity" and request.principal.in_account:
        return Decision(True, "sts:GetCallerIdentity needs no permission and can't be denied")
    which = ways(request.principal, request.action, request.resource, request.resource_account, policies)
    if isinstance(which, NotCovered):
        return which
    matches = find_matches(policies, request)
    public: Ternary = is_public(policies.resource) if which.public_stops and policies.resource else False
    best, worst = (
        allowed(_parts(policies, request, matches, public, favour), which, BOOLEAN)
        for favour in (True, False)
    )
    if best != worst:
        return NotCovered(_missing(matches, public))
    return _granted(matches, which) if best else _refused(policies, request, matches, public, which)


def _parts(
    policies: Policies, request: Request, matches: list[Match], public: Ternary, favour: bool
) -> Parts[bool]:
    denied: list[bool] = []
    allows: dict[tuple[Kind, Named], bool] = {}
    allowing: set[int] = set()
    for match in matches:
        if not match.statement.allow:
            denied.append(match.holds is True or not favour)
        elif match.holds is True or favour:
            allows[match.kind, match.named] = True
            allowing.add(id(match.document))
    by = {kind: allows.get((kind, Named.DIRECT), False) for kind in Kind}
    bound = request.principal.in_account and not request.principal.service_linked
    scps = [
        any(id(document) in allowing for document in level)
        for level in policies.scps
        if bound and any(document.grants for document in level)
    ]
    limited = request.principal.has_policies
    return Parts(
        denied=denied,
        scps=scps,
        endpoint=None if policies.endpoint is None else by[Kind.ENDPOINT],
        boundary=by[Kind.BOUNDARY] if limited and policies.boundary is not None else None,
        session=by[Kind.SESSION] if limited and policies.session is not None else None,
        identity=by[Kind.IDENTITY],
        direct=by[Kind.RESOURCE],
        role=allows.get((Kind.RESOURCE, Named.ROLE), False),
        account=allows.get((Kind.RESOURCE, Named.ACCOUNT), False),
        public=possibly(public) if not favour else public is True,
    )


def _missing(matches: list[Match], public: Ternary) -> str:
    reasons = [match.holds for match in matches] + [public]
    found = dict.fromkeys(each.reason for each in reasons if isinstance(each, Unknown))
    return "; ".join(found)


def _granted(matches: list[Match], which: Ways) -> Decision:
    if which.open:
        return Decision(True, f"{which.open}, and nothing denies it")

    def first(kind: Kind, *named: Named) -> Match | None:
        found = (m for m in matches if m.kind is kind and m.statement.allow and m.named in named)
        return min(found, key=lambda match: match.holds is not True, default=None)

    by_resource = first(Kind.RESOURCE, Named.DIRECT, Named.ROLE)
    by_identity = first(Kind.IDENTITY, Named.DIRECT)
    chosen = by_resource if which.alone or not by_identity else by_identity
    chosen = chosen or first(Kind.RESOURCE, Named.ACCOUNT)
    if chosen is None:
        return Decision(True, "the root user may do all in its account, and nothing denies it")
    because = f"{chosen.kind} {_where(chosen.statement)} allows it, and nothing denies it"
    if not which.alone and not which.same_account:
        other = by_resource or first(Kind.RESOURCE, Named.ACCOUNT)
        if other:
            because += f"; the other account's {other.kind} {_where(other.statement)} lets it in"
    return _decision(True, chosen, because)


def _refused(
    policies: Policies, request: Request, matches: list[Match], public: Ternary, which: Ways
) -> Decision:
    for match in matches:
        if not match.statement.allow and match.holds is True:
            return _decision(False, match, f"{match.kind} {_where(match.statement)} denies it")
    if which.public_stops and public is True:
        return Decision(False, "the bucket's policy is public, and Block Public Access restricts it")
    if which.closed:
        return Decision(False, which.closed)
    parts = _parts(policies, request, matches, public, True)
    for kind, missing in (
        (Kind.SCP, not all(parts.scps)),
        (Kind.ENDPOINT, parts.endpoint is False),
        (Kind.BOUNDARY, parts.boundary is False and not parts.direct),
        (Kind.SESSION, parts.session is False and not parts.direct),
    ):
        if missing:
            return Decision(False, f"no statement of the {kind} allows it", kind=kind)
    if which.alone:
        because = f"no {Kind.RESOURCE} allows this caller"
    elif which.policy_needed and not (parts.direct or parts.role or parts.account):
        because = f"the {Kind.RESOURCE} lets neither the caller nor its account in"
    elif not which.same_account and parts.identity:
        because = f"no {Kind.RESOURCE} of the other account lets the caller in"
    elif not which.same_account:
        because = f"no {Kind.IDENTITY} allows it, which another account's resource needs as well"
    else:
        because = "no statement allows it"
    return Decision(False, because)


def _where(statement: Statement) -> str:
    return f"{statement.document!r}, statement {statement.label!r}"


def _decision(is_allowed: bool, match: Match, because: str) -> Decision:
    statement = match.statement
    return Decision(is_allowed, because, statement.document, statement.label, match.kind)
