"""Policy documents within the sizes that AWS takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from secure_ml_constructs.policy import Document, Statement, document

# IAM and AWS STS quotas; Quotas and service limits for AWS Organizations.
MANAGED_POLICY_SIZE = 6144
ORGANIZATION_POLICY_SIZE = 5120
# What a text known at deployment counts for: longer than the ARN of a key in the longest of regions.
_TOKEN, _UNKNOWN = re.compile(r"\$\{Token\[[^]]*\]\}"), "x" * 100
_LONGEST = {
    "${AWS::Partition}": "aws-us-gov",
    "${AWS::Region}": "ap-northeast-1",
    "${AWS::AccountId}": "111122223333",
}


def size(value: Document) -> int:
    """Count the characters of a document, with room for what only deployment fills in."""
    return len(_TOKEN.sub(_UNKNOWN, json.dumps(_filled(value), separators=(",", ":"))))


def pack(statements: Iterable[Statement], limit: int) -> tuple[Document, ...]:
    """Part statements into as few documents as fit them in turn, each within a size.

    Args:
        statements: The statements, none of them longer than the limit by itself.
        limit: The most characters that a document may have.

    Raises:
        ValueError: A statement that is longer.
    """
    packed: list[list[Statement]] = []
    for statement in statements:
        for fitting in packed:
            if size(document([*fitting, statement])) <= limit:
                fitting.append(statement)
                break
        else:
            if size(document([statement])) > limit:
                raise ValueError(f"the statement {statement['Sid']} is longer than {limit} characters")
            packed.append([statement])
    return tuple(map(document, packed))


def _filled(value: Any) -> Any:
    match value:
        case {"Fn::Sub": str(text)}:
            for placeholder, longest in _LONGEST.items():
                text = text.replace(placeholder, longest)
            return text
        case dict():
            return {key: _filled(item) for key, item in value.items()}
        case str():
            return value
        case Sequence():
            return [_filled(item) for item in value]
    return value


def shortened(actions: Sequence[str], others: Iterable[str]) -> list[str]:
    """Write actions with a wildcard at the end where it names none of the others.

    Only whole words are left out, and never more than all but two, so that what a service brings tomorrow
    falls under a pattern only where it is of the same kind.

    Args:
        actions: The actions.
        others: What no pattern may name.
    """
    others = set(others) - set(actions)
    patterns = dict.fromkeys(_pattern(action, actions, others) for action in actions)
    heads = tuple(pattern[:-1] for pattern in patterns if pattern.endswith("*"))
    return [each for each in patterns if each.endswith("*") or not each.startswith(heads)]


def _pattern(action: str, actions: Sequence[str], others: Iterable[str]) -> str:
    service, _, name = action.partition(":")
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*", name)
    for count in range(2, len(words) + 1):
        prefix = f"{service}:{''.join(words[:count])}"
        several = sum(other.startswith(prefix) for other in actions) > 1
        if several and not any(other.startswith(prefix) for other in others):
            return f"{prefix}*"
    return action
