"""What the constructs share of working with the CDK."""

from __future__ import annotations

from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from aws_cdk import Aws
from aws_cdk import aws_kms as kms
from constructs import Construct

# Each attribute that is read crosses into Node, and every construct asks for the ARN of its key.
_KEY_ARNS: WeakKeyDictionary[kms.IKey, str] = WeakKeyDictionary()


class child_path:  # noqa: N801 - reads as a function; the path is asked for only when an error needs it
    """The path a child would have, worked out when it is printed: each look at a path crosses into Node."""

    def __init__(self, scope: Construct, id: str) -> None:
        self._scope = scope
        self._id = id

    def __str__(self) -> str:
        path = self._scope.node.path
        return f"{path}/{self._id}" if path else self._id


def is_token(value: Any) -> bool:
    """Tell whether a string holds a CDK token, so that its text is known only at deploy time."""
    return isinstance(value, str) and "${Token[" in value


def key_arn(key: kms.IKey) -> str:
    """Give the ARN of a key, asked of Node once."""
    if key not in _KEY_ARNS:
        _KEY_ARNS[key] = key.key_arn
    return _KEY_ARNS[key]


def imported_key(scope: Construct, id: str, arn: str) -> kms.IKey:
    """Give a key as an import, whose ARN is known without asking Node for it."""
    key = kms.Key.from_key_arn(scope, id, arn)
    _KEY_ARNS[key] = arn
    return key


@cache
def account() -> str:
    """Give the account of whichever stack it is used in, as a token."""
    return Aws.ACCOUNT_ID


@cache
def region() -> str:
    """Give the region of whichever stack it is used in, as a token."""
    return Aws.REGION


@cache
def partition() -> str:
    """Give the partition of whichever stack it is used in, as a token."""
    return Aws.PARTITION


def may_lose_data(scope: Construct) -> bool:
    """Tell whether the app carries the flag without which no construct lets stored data go."""
    return bool(scope.node.try_get_context("secure-ml:allow-data-loss"))
