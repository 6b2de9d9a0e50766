"""Whether a value names a customer key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome, Unknown
from secure_ml_constructs.verification.rules.predicates import known_later, misspelt
from secure_ml_constructs.verification.templates import Absent, Misspelt, Reference, Text, show

_KEYS = {"AWS::KMS::Key", "AWS::KMS::ReplicaKey", "AWS::KMS::Alias"}
_ALIAS = re.compile(r"(?:^|:)alias/(?P<name>.+)")
# What may yet give a key: a provider's answer, or a part of another service that makes one.
_OPAQUE = ("Custom::", "AWS::CloudFormation::", "AWS::SSM::Parameter")


@dataclass(frozen=True)
class CustomerKey:
    """The value names a customer key, and can be shown to.

    A key of the templates does; so does an alias outside `aws/`, which KMS reserves for AWS managed keys
    ("Aliases in AWS KMS"). The id or ARN of a key alone tells nothing: AWS managed keys have the like, so it
    counts only where the setting `customer_keys` vouches for it.

    Attributes:
        absent: Whether the value may also be missing.
    """

    absent: bool = False

    def check(self, value: Any, context: Context) -> Outcome | None:
        """Follow the value to a key."""
        if isinstance(value, Absent):
            if isinstance(value, Misspelt):
                return misspelt(value)
            return None if self.absent else Fail("is not set, so that AWS's own key or none is used")
        if type(value) is Reference:
            return _resource(value)
        if type(value) is Text:
            return _text(value)
        if type(value) is str:
            return _literal(value, context)
        if isinstance(value, dict | list | int | float):
            return Fail(f"is {show(value)}, which names no key")
        return known_later(value, "key")


def _resource(value: Reference) -> Outcome | None:
    type_ = value.resource.type
    if type_ in _KEYS:
        return None
    if type_.startswith(_OPAQUE):
        return Unknown(f"{show(value)} is known when the stack is deployed.", kind="key")
    return Fail(f"is {show(value)} of an {type_}, which is no key")


def _literal(value: str, context: Context) -> Outcome | None:
    alias = _ALIAS.search(value)
    if alias is not None:
        if alias["name"].startswith("aws/"):
            return Fail(f"is {value}, a key of AWS")
        return None
    if any(fnmatchcase(value, pattern) for pattern in context.settings.customer_keys):
        return None
    if re.search(r"(^|:key/)(mrk-)?[0-9a-f-]{32,36}$", value):
        return Unknown(
            f"{value} may be an AWS managed key: give its alias, or vouch for it in customer_keys.",
            kind="key",
        )
    return Fail(f"is {value!r}, which names no key")


def _text(value: Text) -> Outcome | None:
    shown = show(value)
    alias = _ALIAS.search(shown)
    if alias is not None:
        name = alias["name"]
        if name.startswith("aws/"):
            return Fail(f"is {shown}, a key of AWS")
        if not name.startswith("$"):
            return None
    if any(reference.resource.type in _KEYS for reference in value.references):
        return None
    return known_later(value, "key")
