"""The three outcomes of a requirement: it passes, it fails, or it can't be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from secure_ml_constructs.verification.rules.settings import Settings
    from secure_ml_constructs.verification.templates import Resource, Templates


@dataclass(frozen=True, slots=True)
class Fail:
    """What is asked for is not so.

    Attributes:
        message: What is wrong, as the rest of a sentence that begins with the path.
        path: The property.
    """

    message: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The templates given do not say whether it is so.

    Attributes:
        reason: Why not, as a sentence.
        path: The property.
        kind: What it is about: `key`, `network`, `principal` or `other`.
    """

    reason: str
    path: str = ""
    kind: str = "other"


Outcome = Fail | Unknown
PASS: Sequence[Outcome] = ()


def at(outcome: Outcome, path: str) -> Outcome:
    """Put a path in front of that of an outcome."""
    inner = outcome.path
    joined = path + inner if inner.startswith("[") or not inner or not path else f"{path}.{inner}"
    return replace(outcome, path=joined)


class Context:
    """What a requirement may look at: one resource, everything linked to it, and the settings."""

    __slots__ = ("graph", "resource", "settings")

    def __init__(self, graph: Templates, settings: Settings) -> None:
        self.graph = graph
        self.settings = settings
        self.resource: Resource


class Requirement(Protocol):
    """A question about one resource."""

    def check(self, context: Context) -> Sequence[Outcome]:
        """Judge `context.resource` in the world at hand; nothing means that it passes."""


class Predicate(Protocol):
    """A question about one value."""

    def check(self, value: object, context: Context) -> Outcome | None:
        """Judge a resolved value; None means that it passes."""
