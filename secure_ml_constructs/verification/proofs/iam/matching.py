"""Whether a statement speaks of a request: its principals, actions, resources and conditions."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache

from secure_ml_constructs.verification.proofs.iam.conditions import condition_holds
from secure_ml_constructs.verification.proofs.iam.documents import Document, Kind, Statement
from secure_ml_constructs.verification.proofs.iam.patterns import (
    ANY,
    Context,
    Pattern,
    Token,
    Variable,
    arn_regex,
    fill_in,
    matches,
    segments,
)
from secure_ml_constructs.verification.proofs.iam.requests import Caller, Principal, Request
from secure_ml_constructs.verification.proofs.iam.ternary import Ternary, Unknown, every, negation, some


class Named(IntEnum):
    """How closely a Principal element names the caller; what it grants depends on it."""

    NOT = 0
    ACCOUNT = 1
    ROLE = 2
    DIRECT = 3


# Services whose resources begin with a name, not with a type: a wildcard there is in order.
_NAMES_FIRST = frozenset({"s3", "sns", "sqs", "execute-api", "events", "codecommit", "dynamodb"})
_ACCOUNT = re.compile(r"(?:arn:[^:]+:iam::)?(\d{12})(?::root)?")
_UNIQUE_ID = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,}")


def action_matches(statement: Statement, action: str) -> Ternary:
    """Whether the Action or NotAction element covers an action; case does not matter.

    A statement that may not stand there at all covers nothing for certain.
    """
    low = action.lower()
    service = low.partition(":")[0]
    found = some(
        each if isinstance(each, Unknown) else _action(each, low, service) for each in statement.actions
    )
    if statement.not_action:
        found = negation(found)
    return found if statement.unsure is None else every((found, statement.unsure))


@lru_cache(maxsize=65536)
def actions_covered(document: Document, action: str) -> tuple[Ternary, ...]:
    """Whether each statement of a document covers an action."""
    return tuple(action_matches(statement, action) for statement in document.statements)


@lru_cache(maxsize=65536)
def _action(pattern: Pattern, action: str, service: str) -> Ternary:
    if pattern == ANY:
        return True
    if not matches(pattern, action):
        return False
    # "Vendors" with wildcards, as in `*:Get*` or `s3*`, are refused by some services and read by others.
    first = pattern[0] if pattern else ""
    named = isinstance(first, str) and first.startswith(f"{service}:")
    return named or Unknown("a wildcard in place of an action's service")


def resource_matches(statement: Statement, resource: str, context: Context) -> Ternary:
    """Whether the Resource or NotResource element covers a resource; case matters."""
    if statement.resources is None:
        return True
    found = some(_resource(each, resource, context, statement.not_resource) for each in statement.resources)
    return negation(found) if statement.not_resource else found


def _resource(
    written: tuple[Token, ...] | Unknown, resource: str, context: Context, inverted: bool
) -> Ternary:
    if isinstance(written, Unknown):
        return written
    pattern = fill_in(written, context)
    if isinstance(pattern, Unknown):
        return pattern
    if _variable_in_head(written):
        # "You can't use a variable to replace parts of the ARN before the fifth colon." Some say it works.
        could = pattern is not None and pattern_covers(pattern, resource) is not False
        return Unknown("a policy variable before the fifth colon of a resource") if could else False
    if pattern is None:
        # "If AWS cannot resolve a variable this might cause the entire statement to be invalid."
        return Unknown("NotResource with a policy variable that has no value") if inverted else False
    return pattern_covers(pattern, resource)


@lru_cache(maxsize=8192)
def _variable_in_head(written: tuple[Token, ...]) -> bool:
    colons = 0
    for token in written:
        if isinstance(token, Variable) and colons < 5:
            return True
        colons += token.count(":") if isinstance(token, str) else 0
    return False


@lru_cache(maxsize=65536)
def pattern_covers(pattern: Pattern, resource: str) -> Ternary:
    """Whether one pattern of a Resource element covers a resource."""
    if pattern == ANY:
        return True
    by_segment = arn_regex(pattern)
    if by_segment is None:
        if resource == "*" or not matches(pattern, resource):
            return False
        return Unknown("a resource with fewer than six segments")
    if not by_segment.fullmatch(resource):
        # "If the wildcard is the last character of a resource ARN segment, it can expand to match beyond the
        # colon boundaries." When it does is not said.
        beyond = resource != "*" and matches(pattern, resource)
        return Unknown("a wildcard that would have to match beyond a colon") if beyond else False
    return Unknown("a wildcard in place of a resource's type") if _wild_type(pattern) else True


@lru_cache(maxsize=8192)
def _wild_type(pattern: Pattern) -> bool:
    """Whether the type of a resource holds a wildcard, which "Incorrect wildcard usage" forbids."""
    parts = segments(pattern)
    if any(isinstance(part, str) and part in _NAMES_FIRST for part in parts[2]):
        return False
    for number, token in enumerate(parts[5]):
        if isinstance(token, str) and re.search("[:/]", token):
            return number > 0
    return False


def principal_matches(
    statement: Statement, kind: Kind, principal: Principal, *, bounded: bool
) -> dict[Named, Ternary]:
    """Whether the Principal or NotPrincipal element covers a caller, by how closely it names it.

    Args:
        statement: The statement.
        kind: What its document is attached to.
        principal: Who calls.
        bounded: Whether a permissions boundary is attached to it.

    Returns:
        What is not false, by closeness; empty when the caller is not covered.
    """
    element = statement.principals
    if kind in (Kind.IDENTITY, Kind.BOUNDARY, Kind.SESSION, Kind.SCP):
        return {Named.DIRECT: True if element is None else Unknown(f"a Principal in an {kind}")}
    if element is None:
        return {Named.DIRECT: Unknown(f"a {kind} without a Principal")}
    if kind in (Kind.ENDPOINT, Kind.RCP):
        # An RCP knows `*` only. At a gateway endpoint a named principal means its account's root user
        # ("Control access to VPC endpoints using endpoint policies"), at others itself.
        anyone = element.anyone and not element.inverted
        return {Named.DIRECT: anyone or Unknown(f"a named principal in an {kind}")}
    if element.inverted:
        found = _not_principal(statement, principal, bounded)
        return {} if found is False else {Named.DIRECT: found}
    if element.anyone:
        return {Named.DIRECT: True}
    by_closeness: dict[Named, Ternary] = (
        {Named.DIRECT: element.unknown} if element.unknown is not None else {}
    )
    for type_, name in element.names:
        each, named = _named(type_, name, principal)
        if each is not False:
            by_closeness[named] = some((by_closeness.get(named, False), each))
    return by_closeness


def _named(type_: str, name: str, principal: Principal) -> tuple[Ternary, Named]:
    if type_ == "CanonicalUser":
        return (principal.in_account and Unknown("a canonical user id")), Named.DIRECT
    if type_ == "Service":
        if name == "*":
            return Unknown("every service as principal"), Named.DIRECT
        return principal.caller is Caller.SERVICE and name == principal.name, Named.DIRECT
    if type_ == "Federated":
        if name == "*":
            return Unknown("every identity provider as principal"), Named.DIRECT
        return principal.caller is Caller.FEDERATED and name == principal.name, Named.DIRECT
    if type_ != "AWS":
        return Unknown(f"principals of type {type_}"), Named.DIRECT
    if not principal.in_account:
        return False, Named.NOT
    if account := _ACCOUNT.fullmatch(name):
        return account[1] == principal.account, Named.ACCOUNT
    if _UNIQUE_ID.fullmatch(name):
        return Unknown(f"the principal that had the id {name}"), Named.DIRECT
    return _arn_names(Principal.read(name), principal)


def _arn_names(named: Principal, principal: Principal) -> tuple[Ternary, Named]:
    if named.caller is Caller.OTHER:
        return Unknown(f"the principal {named.name}"), Named.DIRECT
    if named.caller is Caller.ROLE:
        same = principal.caller in (Caller.ROLE, Caller.SESSION) and _same_role(named, principal)
        return same, Named.ROLE
    if named.caller is Caller.SESSION and principal.caller is Caller.ROLE:
        same = _same_role(named, principal)
        return (same and Unknown(f"whether the session is {named.name}")), Named.DIRECT
    return named.name == principal.name, Named.DIRECT


def _same_role(first: Principal, second: Principal) -> bool:
    # Names of roles are unique in an account whatever their path and case.
    return first.account == second.account and (first.role or "").lower() == (second.role or "").lower()


def _not_principal(statement: Statement, principal: Principal, bounded: bool) -> Ternary:
    """Whether NotPrincipal leaves the caller in.

    "AWS JSON policy elements: NotPrincipal": a caller is left out for certain only when its account, its role
    and its session are all named; with a permissions boundary, a Deny hits whatever is named.
    """
    element = statement.principals
    assert element
    if bounded and not statement.allow and principal.in_account:
        return True
    if element.anyone:
        return False
    if element.unknown is not None:
        return element.unknown
    named: set[Named] = set()
    for type_, name in element.names:
        found, closeness = _named(type_, name, principal)
        if isinstance(found, Unknown):
            return found
        if found:
            named.add(closeness)
    if not named:
        return True
    if not principal.in_account or {Named.ACCOUNT, Named.DIRECT, Named.ROLE} <= named:
        return False
    if principal.caller is Caller.ROOT and Named.ACCOUNT in named:
        return False
    if principal.caller is Caller.USER and {Named.ACCOUNT, Named.DIRECT} <= named:
        return False
    return Unknown("NotPrincipal that names some of account, role and session of the caller")


def condition_matches(statement: Statement, context: Context) -> Ternary:
    """Whether every line of the Condition block holds."""
    return every(condition_holds(condition, context) for condition in statement.conditions)


def rest_matches(statement: Statement, request: Request) -> Ternary:
    """Whether a statement speaks of a request, its principals aside."""
    action = action_matches(statement, request.action)
    if action is False:
        return False
    return every(
        (
            action,
            resource_matches(statement, request.resource, request.context),
            condition_matches(statement, request.context),
        )
    )
