"""Mutants that were read by a person: those that weaken nothing, and those that no rule can notice yet."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from tests.mutants.mutant import Mutant

FILE = Path(__file__).with_name("reviewed.yaml")
_INDEX = re.compile(r"\[\d+\]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list.

    Attributes:
        operator: What was done, `*` for anything.
        type: To which type.
        place: Where in the resource, `[]` for any item, `*` for anything.
        resource: Which logical ids, `*` for anything.
        statement: Which statement of a policy, by its Sid; `*` for any.
        kind: Of which kind, `*` for any.
        equivalent: Whether the change weakens nothing.
        reason: Why.
    """

    operator: str
    type: str
    place: str
    resource: str
    statement: str
    kind: str
    equivalent: bool
    reason: str

    def holds(self, mutant: Mutant) -> bool:
        """Whether a mutant is one of these."""
        place = _INDEX.sub("[]", mutant.place)
        return all(
            _matches(pattern, text)
            for pattern, text in (
                (self.kind, mutant.kind),
                (self.type, mutant.type),
                (self.operator, mutant.operator),
                (self.place, place),
                (self.resource, mutant.logical_id),
                (self.statement, mutant.statement),
            )
        )


@cache
def entries() -> tuple[Entry, ...]:
    """The whole list."""
    found = []
    for kind, items in yaml.safe_load(FILE.read_text()).items():
        for item in items:
            found.append(
                Entry(
                    operator=str(item.get("operator", "*")),
                    type=item.get("type", "*"),
                    place=item.get("place", "*"),
                    resource=item.get("resource", "*"),
                    statement=item.get("statement", "*"),
                    kind=item.get("kind", "setting"),
                    equivalent=kind == "equivalent",
                    reason=item["reason"],
                )
            )
    return tuple(found)


def entry_of(mutant: Mutant) -> Entry | None:
    """The first entry that a mutant is one of."""
    return next((entry for entry in entries() if entry.holds(mutant)), None)


def unused(mutants: Iterable[Mutant]) -> list[Entry]:
    """The entries that none of the mutants is one of."""
    left = list(entries())
    for mutant in mutants:
        left = [entry for entry in left if not entry.holds(mutant)]
    return left


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*"))


def _matches(pattern: str, text: str) -> bool:
    return pattern == "*" or _pattern(pattern).fullmatch(text) is not None
