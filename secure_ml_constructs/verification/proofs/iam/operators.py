"""The condition operators, each on one value of the policy and one of the request.

IAM User Guide, "IAM JSON policy elements: Condition operators".
"""

from __future__ import annotations

import operator as compare
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from secure_ml_constructs.verification.proofs.iam.patterns import (
    Pattern,
    arn_regex,
    is_arn,
    literal,
    matches,
)
from secure_ml_constructs.verification.proofs.iam.ternary import Ternary, Unknown


@dataclass(frozen=True, slots=True)
class Operator:
    """A condition operator in its positive form.

    Attributes:
        name: Its name, negation included.
        family: What its values are: `string`, `arn`, `bool`, `number`, `date`, `ip`, `binary`, `null`.
        negated: Whether it holds where the positive form does not.
        wildcards: Whether `*` and `?` in its values are wildcards.
        fold: Whether case does not matter.
        order: How numbers and dates are compared, the request's value first.
    """

    name: str
    family: str
    negated: bool = False
    wildcards: bool = False
    fold: bool = False
    order: Callable[[Any, Any], bool] | None = None


def _operators() -> dict[str, Operator]:
    found = [Operator("Null", "null"), Operator("Bool", "bool"), Operator("BinaryEquals", "binary")]
    for no, negated in (("", False), ("Not", True)):
        found += [
            Operator(f"String{no}Equals", "string", negated),
            Operator(f"String{no}EqualsIgnoreCase", "string", negated, fold=True),
            Operator(f"String{no}Like", "string", negated, wildcards=True),
            # "ArnEquals and ArnLike behave identically."
            Operator(f"Arn{no}Equals", "arn", negated, wildcards=True),
            Operator(f"Arn{no}Like", "arn", negated, wildcards=True),
            Operator(f"Numeric{no}Equals", "number", negated, order=compare.eq),
            Operator(f"Date{no}Equals", "date", negated, order=compare.eq),
            Operator(f"{no}IpAddress", "ip", negated),
        ]
    orders = {"LessThan": compare.lt, "GreaterThan": compare.gt}
    orders |= {"LessThanEquals": compare.le, "GreaterThanEquals": compare.ge}
    for name, order in orders.items():
        found.append(Operator(f"Numeric{name}", "number", order=order))
        found.append(Operator(f"Date{name}", "date", order=order))
    return {each.name.lower(): each for each in found}


OPERATORS = _operators()


def holds(operator: Operator, wanted: Pattern, value: str) -> Ternary:
    """Whether the positive form of an operator holds.

    Args:
        operator: The operator.
        wanted: The policy's value, its variables filled in.
        value: The request's value.
    """
    if operator.family == "string":
        if operator.fold:
            return (literal(wanted) or "").lower() == value.lower()
        return matches(wanted, value)
    if operator.family == "arn":
        return _arn(wanted, value)
    text = literal(wanted)
    if text is None:
        return Unknown(f"a wildcard under {operator.name}")
    if operator.family == "binary":
        return text == value
    if operator.family == "bool":
        if text.lower() not in ("true", "false"):
            return Unknown(f"{text!r} under Bool")
        return text.lower() == value.lower() if value.lower() in ("true", "false") else _strange(value)
    if operator.family == "ip":
        return _ip(text, value)
    read = number if operator.family == "number" else date
    limit, given = read(text), read(value)
    if limit is None or given is None:
        return _strange(text if limit is None else value)
    assert operator.order
    return operator.order(given, limit)


def _strange(value: str) -> Unknown:
    return Unknown(f"{value!r} is of another type than its operator")


def _arn(wanted: Pattern, value: str) -> Ternary:
    """Each of the six segments is compared for itself, wildcards included."""
    pattern = arn_regex(wanted)
    if pattern is None:
        return Unknown("a value under an Arn operator that has no six segments")
    if not is_arn(value):
        return Unknown(f"{value!r} under an Arn operator is no ARN")
    return pattern.fullmatch(value) is not None


def _ip(wanted: str, value: str) -> Ternary:
    block, given = network(wanted), address(value)
    if block is None or given is None:
        return _strange(wanted if block is None else value)
    return given in block


@lru_cache(maxsize=4096)
def network(text: str) -> IPv4Network | IPv6Network | None:
    """Read an address or a block of addresses; None when it is neither."""
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def address(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address; None when it is none."""
    try:
        return ip_address(text)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def number(text: str) -> Decimal | None:
    """Read a number; None when it is none."""
    try:
        read = Decimal(text)
    except InvalidOperation:
        return None
    return read if read.is_finite() else None


@lru_cache(maxsize=4096)
def date(text: str) -> Decimal | None:
    """Read a date as seconds since 1970: ISO 8601, or such a number itself."""
    if (seconds := number(text)) is not None and len(text) != 4:
        return seconds
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    if read.tzinfo is None:
        # A date without a zone; with a time of day the W3C profile demands a zone.
        if "T" in text:
            return None
        read = read.replace(tzinfo=UTC)
    return Decimal(read.timestamp())
