"""What values a context key may have in the requests that a question is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property, lru_cache
from ipaddress import IPv6Address, ip_address
from itertools import pairwise

from secure_ml_constructs.verification.proofs.iam.documents import Condition
from secure_ml_constructs.verification.proofs.iam.keys import ALWAYS, BOOLEAN, MULTIVALUED
from secure_ml_constructs.verification.proofs.iam.languages import Language, witnesses
from secure_ml_constructs.verification.proofs.iam.operators import date, network, number
from secure_ml_constructs.verification.proofs.iam.patterns import (
    Context,
    Pattern,
    Token,
    Value,
    fill_in,
    literal,
    matches,
    tokens,
    variables,
)
from secure_ml_constructs.verification.proofs.iam.requests import (
    Caller,
    Principal,
    Request,
    account_of,
)
from secure_ml_constructs.verification.proofs.iam.ternary import Unknown

# Of callers that are no principal of an account, the keys that "are included in all requests".
_OF_EVERYONE = ("aws:principalaccount", "aws:principaltype", "aws:userid")
_OF_PRINCIPALS = ("aws:principal", "aws:userid", "aws:username", "aws:multifactorauth", "aws:tokenissuetime")


@dataclass(frozen=True)
class Values:
    """The values that a key may have.

    Attributes:
        exactly: The one value it has; None where it may have several.
        like: Patterns, one of which a value matches; nothing for any value.
        unlike: Patterns, none of which a value matches.
        absent: Whether the key may be absent; it must be, when neither value nor presence is possible.
        present: Whether it may be present.
    """

    exactly: Value | None = None
    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    absent: bool = True
    present: bool = True

    def admits(self, value: str) -> bool:
        """Whether a value is among them."""
        if self.like and not any(matches(_pattern(each), value) for each in self.like):
            return False
        return not any(matches(_pattern(each), value) for each in self.unlike)


ABSENT = Values(present=False)
ANYTHING = Values()
PRESENT = Values(absent=False)


def exactly(*values: str) -> Values:
    """A key that has just this value, or these."""
    return Values(exactly=values[0] if len(values) == 1 else values, absent=False)


def like(*patterns: str, absent: bool = False) -> Values:
    """A key whose value matches one of some patterns."""
    return Values(like=patterns, absent=absent)


def unlike(*patterns: str, absent: bool = True) -> Values:
    """A key whose value matches none of some patterns."""
    return Values(unlike=patterns, absent=absent)


def _pattern(text: str) -> Pattern:
    found = fill_in(tokens(text, variables=False), {})
    assert isinstance(found, tuple)
    return found


@dataclass(frozen=True)
class Domains:
    """The values of every key, given who calls and what is said besides.

    Attributes:
        principal: Who calls.
        action: The action.
        resource: The resource, or a pattern of resources.
        given: What the question says, by keys in lower case; it goes before what follows from the rest.
    """

    principal: Principal
    action: str
    resource: str
    given: Mapping[str, Values] = field(default_factory=dict)

    def of(self, key: str) -> Values:
        """The values of one key."""
        if key in self.given:
            return self.given[key]
        facts = self._facts
        if key in facts:
            return facts[key]
        caller = self.principal.caller
        if caller in (Caller.ANONYMOUS, Caller.FEDERATED) and key in _OF_EVERYONE:
            return like("anonymous", "Anonymous", absent=True)
        if caller is Caller.SERVICE and key in (*_OF_EVERYONE, "aws:principalarn"):
            # Which of them a service's own calls carry is not said. It is of no account but AWS's.
            owner = account_of(self.resource, self.fixed())
            return unlike(f"*{owner}*") if owner else ANYTHING
        if self._never(key):
            return ABSENT
        if key in BOOLEAN:
            return like("true", "false", absent=key not in ALWAYS)
        return PRESENT if key in ALWAYS else ANYTHING

    @cached_property
    def _facts(self) -> dict[str, Values]:
        return dict(_facts(self.principal, self.action, self.resource))

    def _never(self, key: str) -> bool:
        caller = self.principal.caller
        if self.principal.in_account:
            return key.startswith("aws:principalservicename")
        of_services = key.startswith(("aws:principalservicename", "aws:principalorg", "aws:principalisaws"))
        if caller is Caller.SERVICE and of_services:
            return False
        return key.startswith(_OF_PRINCIPALS)

    def fixed(self) -> Context:
        """The keys that have one value."""
        facts = self._facts | dict(self.given)
        return {key: each.exactly for key, each in facts.items() if each.exactly is not None}

    def leaves_open(self, written: tuple[Token, ...]) -> bool:
        """Whether a policy variable in a text may have one of several values."""
        for key in variables(written):
            values = self.of(key)
            if values.exactly is None and values.present:
                return True
        return False


@lru_cache(maxsize=4096)
def _facts(principal: Principal, action: str, resource: str) -> tuple[tuple[str, Values], ...]:
    made = Request.of(principal.name or None, action, resource).context
    if principal.caller is Caller.FEDERATED:
        made = Request.of({"Federated": principal.name}, action, resource).context
    found = {key: Values(exactly=value, absent=False) for key, value in made.items()}
    if principal.caller is Caller.SESSION:
        # The path of the role is not in the session's ARN.
        partition = principal.name.split(":")[1]
        head = f"arn:{partition}:iam::{principal.account}:role/"
        found["aws:principalarn"] = like(head + (principal.role or ""), f"{head}*/{principal.role}")
    service = action.partition(":")[0].lower()
    if service == "kms" and principal.account:
        found["kms:calleraccount"] = exactly(principal.account)
    owner = made.get("aws:resourceaccount")
    if service == "s3" and isinstance(owner, str):
        found["s3:resourceaccount"] = exactly(owner)
    return tuple(found.items())


def is_list(key: str, values: Values) -> bool:
    """Whether a key has a list of values."""
    return key in MULTIVALUED or isinstance(values.exactly, tuple)


def regions(
    key: str, conditions: Iterable[Condition], domains: Domains, fixed: Context
) -> tuple[str, ...] | Unknown:
    """One value for each case that the conditions on a key tell apart.

    Args:
        key: The key.
        conditions: Every line that is about it.
        domains: What the keys may be.
        fixed: The keys whose value is known, for the policy variables.

    Returns:
        The values; `Unknown` where they can't be cut into cases.
    """
    values = domains.of(key)
    if values.exactly is not None:
        return values.exactly if isinstance(values.exactly, tuple) else (values.exactly,)
    if not values.present:
        return ()
    by_family: dict[str, list[Pattern]] = {}
    languages: list[Language] = [Language(_pattern(each)) for each in (*values.like, *values.unlike)]
    for condition in conditions:
        operator = condition.operator
        if operator is None or operator.family == "null":
            continue
        patterns = by_family.setdefault(operator.family, [])
        for written in condition.values:
            if isinstance(written, Unknown) or domains.leaves_open(written):
                continue
            pattern = fill_in(written, fixed)
            if not isinstance(pattern, tuple):
                continue
            patterns.append(pattern)
            languages.append(Language(pattern, operator.family == "arn", operator.fold))
    families = set(by_family) - {"string", "binary"}
    if key.endswith("arn") or "arn" in families:
        languages.append(Language(_pattern("arn:*:*:*:*:*"), by_segment=True))
        families.discard("arn")
    if not families:
        found = witnesses(languages)
        if key.endswith("arn"):
            # Such a key holds an ARN and nothing else.
            found = tuple(each for each in found if each.startswith("arn:") and each.count(":") >= 5)
    elif families == {"bool"}:
        texts = [literal(each) for patterns in by_family.values() for each in patterns]
        found = tuple(
            dict.fromkeys(
                ["true", "false"] + ([each for each in texts if each] if len(by_family) > 1 else [])
            )
        )
    elif len(by_family) == 1 and not (values.like or values.unlike):
        (family,) = families
        limits = [each for each in map(literal, by_family[family]) if each is not None]
        found = _addresses(limits) if family == "ip" else _numbers(limits, family, key)
    else:
        return Unknown(f"{key} is compared as {' and as '.join(sorted(by_family))}")
    return tuple(each for each in found if values.admits(each))


def _numbers(limits: list[str], family: str, key: str) -> tuple[str, ...]:
    """Each limit, and a value between any two neighbours and beyond the outermost."""
    read = number if family == "number" else date
    points = sorted({point for each in limits if (point := read(each)) is not None})
    if not points:
        return (_written(Decimal(0), family, key),)
    between = [(low + high) / 2 for low, high in pairwise(points)]
    every = [points[0] - 1, *points, *between, points[-1] + 1]
    return tuple(_written(each, family, key) for each in every)


def _written(value: Decimal, family: str, key: str) -> str:
    if family == "number" or key == "aws:epochtime":
        return f"{value:f}"
    return datetime.fromtimestamp(float(value), UTC).isoformat().replace("+00:00", "Z")


def _addresses(limits: list[str]) -> tuple[str, ...]:
    """The first address of every stretch that no block begins or ends in, of both versions."""
    found: dict[str, None] = {}
    for version, last in ((4, 2**32 - 1), (6, 2**128 - 1)):
        starts = {0}
        for each in limits:
            block = network(each)
            if block is not None and block.version == version:
                starts |= {int(block.network_address), int(block.broadcast_address) + 1}
        for start in sorted(starts):
            if start <= last:
                # ip_address would take a small number for one of version 4.
                text = str(ip_address(start) if version == 4 else IPv6Address(start))
                found[text] = None
    return tuple(found)
