"""Three-valued logic: what is not modelled is neither true nor false, and says why.

Every question about a statement is answered `True`, `False` or `Unknown`. An unknown part does no harm where
the other parts settle the answer (Kleene's logic); where it matters it becomes *not covered*.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unknown:
    """Neither true nor false, because of something that is not modelled or not known yet.

    Attributes:
        reason: What is missing.
    """

    reason: str

    def __bool__(self) -> bool:
        raise TypeError(f"neither true nor false: {self.reason}")


Ternary = bool | Unknown


@dataclass(frozen=True, slots=True)
class NotCovered:
    """No answer can be given.

    Attributes:
        reason: What is missing for one.
    """

    reason: str


def every(values: Iterable[Ternary]) -> Ternary:
    """Whether all hold: false as soon as one is false."""
    unknown: Unknown | None = None
    for value in values:
        if value is False:
            return False
        if isinstance(value, Unknown):
            unknown = value if unknown is None else unknown
    return True if unknown is None else unknown


def some(values: Iterable[Ternary]) -> Ternary:
    """Whether one holds: true as soon as one is true."""
    unknown: Unknown | None = None
    for value in values:
        if value is True:
            return True
        if isinstance(value, Unknown):
            unknown = value if unknown is None else unknown
    return False if unknown is None else unknown


def negation(value: Ternary) -> Ternary:
    """The opposite; the opposite of unknown is unknown."""
    return value if isinstance(value, Unknown) else not value


def possibly(value: Ternary) -> bool:
    """Whether it is true or may be."""
    return value is not False
