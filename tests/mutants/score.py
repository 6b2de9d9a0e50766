"""What a run came to, by kind and by operator."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.mutants.mutant import KINDS
from tests.mutants.reviewed import entry_of
from tests.mutants.verdict import Verdict

_INDEX = re.compile(r"\[\d+\]")
_ARGUMENT = re.compile(
    r"^(set to|given|opened to|item-dropped|order-dropped|route-added|rule-added|any-value at|action-cut).*"
)


@dataclass(slots=True)
class Tally:
    """How many there were, and what became of them.

    Attributes:
        ruled: Noticed by a rule.
        proved: Noticed by a proof alone.
        layered: Not noticed, as another layer holds that would not without it.
        equivalent: Not noticed, and they weaken nothing.
        survived: Not noticed.
    """

    ruled: int = 0
    proved: int = 0
    layered: int = 0
    equivalent: int = 0
    survived: int = 0

    @property
    def mutants(self) -> int:
        """All of them."""
        return self.killed + self.layered + self.equivalent + self.survived

    @property
    def killed(self) -> int:
        """Those that were noticed."""
        return self.ruled + self.proved

    @property
    def score(self) -> float:
        """The percentage that was noticed of those that weaken."""
        weakening = self.killed + self.survived
        return 100 * self.killed / weakening if weakening else 100.0

    def count(self, verdict: Verdict) -> None:
        """Add one."""
        if verdict.rules:
            self.ruled += 1
        elif verdict.cells:
            self.proved += 1
        elif verdict.layer:
            self.layered += 1
        elif (entry := entry_of(verdict.mutant)) is not None and entry.equivalent:
            self.equivalent += 1
        else:
            self.survived += 1

    def row(self) -> list[str]:
        """As cells of a table."""
        numbers = (self.mutants, self.ruled, self.proved, self.layered, self.equivalent, self.survived)
        return [*map(str, numbers), f"{self.score:.1f} %"]

    def data(self) -> dict[str, Any]:
        """As data."""
        return {
            "mutants": self.mutants,
            "killed by rule": self.ruled,
            "killed by proof": self.proved,
            "layered": self.layered,
            "equivalent": self.equivalent,
            "survived": self.survived,
            "score": round(self.score, 2),
        }


@dataclass(slots=True)
class Score:
    """All verdicts of a run, counted."""

    kinds: defaultdict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    operators: defaultdict[tuple[str, str], Tally] = field(default_factory=lambda: defaultdict(Tally))
    survivors: list[Verdict] = field(default_factory=list)
    layered: list[Verdict] = field(default_factory=list)
    rules: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, verdicts: Iterable[Verdict]) -> Score:
        """Count verdicts."""
        score = cls()
        for verdict in verdicts:
            mutant = verdict.mutant
            score.kinds[mutant.kind].count(verdict)
            score.operators[mutant.kind, _plain(mutant.operator)].count(verdict)
            score.rules.update(verdict.rules)
            if verdict.layer:
                score.layered.append(verdict)
            elif not verdict.killed:
                score.survivors.append(verdict)
        return score

    @property
    def unread(self) -> list[str]:
        """The survivors that nobody gave a reason for."""
        return [each.mutant.id for each in self.survivors if entry_of(each.mutant) is None]

    def table(self) -> str:
        """The score as a person reads it, and what survived, like things together."""
        head = ["", "mutants", "by rule", "by proof", "layered", "equivalent", "survived", "score"]
        rows = [head]
        for kind in KINDS:
            rows.append([kind, *self.kinds[kind].row()])
            for (of, operator), tally in sorted(self.operators.items()):
                if of == kind:
                    rows.append([f"  {operator}", *tally.row()])
        widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
        lines = [
            "  ".join(
                cell.ljust(width) if i == 0 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            for row in rows
        ]
        held = ["", "Layered, and what still holds:", *self._held()] if self.layered else []
        return "\n".join([*lines, *held, "", "Survivors that weaken:", *self._groups()])

    def _held(self) -> list[str]:
        groups: Counter[tuple[str, ...]] = Counter()
        for verdict in self.layered:
            mutant, layer = verdict.mutant, verdict.layer
            assert layer is not None
            groups[mutant.type, mutant.statement, _plain(mutant.operator), layer.holds] += 1
        return [
            f"  {count:4} {type_} {statement} {operator}: {holds}"
            for (type_, statement, operator, holds), count in sorted(groups.items())
        ]

    def _groups(self) -> list[str]:
        groups: Counter[tuple[str, ...]] = Counter()
        for verdict in self.survivors:
            mutant, entry = verdict.mutant, entry_of(verdict.mutant)
            if entry is None or not entry.equivalent:
                place = _INDEX.sub("[]", mutant.place)
                reason = entry.reason if entry else "not reviewed"
                groups[mutant.kind, mutant.type, place, mutant.operator, reason] += 1
        return [
            f"  {count:4} {kind}: {type_} {place} {operator}: {reason}"
            for (kind, type_, place, operator, reason), count in sorted(groups.items())
        ] or ["  none"]

    def data(self) -> dict[str, Any]:
        """The score for other programs."""
        return {
            "kinds": {kind: self.kinds[kind].data() for kind in KINDS},
            "operators": {
                f"{kind}/{operator}": tally.data()
                for (kind, operator), tally in sorted(self.operators.items())
            },
            "rules": dict(self.rules.most_common()),
            "survivors": [self._survivor(verdict) for verdict in self.survivors],
            "layered": [
                {"id": each.mutant.id, "question": each.layer.question, "holds": each.layer.holds}
                for each in self.layered
                if each.layer
            ],
        }

    @staticmethod
    def _survivor(verdict: Verdict) -> dict[str, Any]:
        entry = entry_of(verdict.mutant)
        return {
            "id": verdict.mutant.id,
            "kind": verdict.mutant.kind,
            "equivalent": bool(entry and entry.equivalent),
            "reason": entry.reason if entry else None,
        }


def _plain(operator: str) -> str:
    """An operator without what it was given."""
    return _ARGUMENT.sub(r"\1", operator)
