"""What the constructs share of working with the CDK."""

from __future__ import annotations

from typing import Any

from constructs import Construct


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


def may_lose_data(scope: Construct) -> bool:
    """Tell whether the app carries the flag without which no construct lets stored data go."""
    return bool(scope.node.try_get_context("secure-ml:allow-data-loss"))
