"""Put the rules to every mutant, and say which of them none noticed.

A mutant is killed by a finding that the templates as they are do not have. First only the resources that
are changed, and those that name them or that they name, are judged. What is not killed so is judged with
the whole environment around it, together with mutants of other resources: where nothing is found, none
of them was noticed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from secure_ml_constructs.verification.rules.engine import Engine, Finding
from secure_ml_constructs.verification.templates import Template, Templates
from tests.mutants.mutant import Mutant
from tests.mutants.neighbours import Name, Neighbours, named
from tests.mutants.verdict import Verdict

Key = tuple[str, ...]

_BATCH = 24
_INDEX = re.compile(r"\[\d+\]")


class Runner:
    """One environment, its findings, and who names whom in it.

    Args:
        templates: The environment's templates by stack name.
        engine: The rules.
    """

    def __init__(self, templates: Mapping[str, Any], engine: Engine) -> None:
        self.templates = templates
        self.engine = engine
        self.before = self._keys(engine.check(templates))
        self._neighbours = Neighbours(templates)

    def run(self, mutants: Iterable[Mutant]) -> list[Verdict]:
        """Judge each mutant, in the order given."""
        mutants = list(mutants)
        killers = {mutant.id: self.near(mutant) for mutant in mutants}
        for batch in self._batches(mutant for mutant in mutants if not killers[mutant.id]):
            killers.update(self._together(batch))
        return [Verdict(mutant, killers[mutant.id]) for mutant in mutants]

    def near(self, mutant: Mutant) -> tuple[str, ...]:
        """The rules that notice at the changed resources or beside them."""
        changed = mutant.apply(self.templates)
        names = set(mutant.touched)
        for name in mutant.touched:
            names |= self._neighbours.of(name)
            stack, logical_id = name
            names.update(named(changed[stack]["Resources"].get(logical_id), stack, changed))
        return self._new(self.engine.check(_Near.showing(changed, names)))

    def whole(self, mutant: Mutant) -> tuple[str, ...]:
        """The rules that notice anywhere."""
        return self._new(self.engine.check(mutant.apply(self.templates)))

    def _together(self, mutants: list[Mutant]) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Judge mutants of different resources at once, and in halves where something is noticed."""
        changed: Mapping[str, Any] = self.templates
        for mutant in mutants:
            changed = mutant.apply(changed)
        found = self._new(self.engine.check(changed))
        if len(mutants) == 1 or not found:
            yield from ((mutant.id, found) for mutant in mutants)
            return
        middle = len(mutants) // 2
        yield from self._together(mutants[:middle])
        yield from self._together(mutants[middle:])

    def _batches(self, mutants: Iterable[Mutant]) -> Iterator[list[Mutant]]:
        """Mutants in groups in which no two touch the same resource, or two that name one another."""
        waiting = list(mutants)
        while waiting:
            batch: list[Mutant] = []
            taken: set[Name] = set()
            left = []
            for mutant in waiting:
                if len(batch) < _BATCH and not taken & mutant.touched:
                    batch.append(mutant)
                    taken |= mutant.touched
                    taken = taken.union(*(self._neighbours.of(name) for name in mutant.touched))
                else:
                    left.append(mutant)
            yield batch
            waiting = left

    def _new(self, findings: Iterable[Finding]) -> tuple[str, ...]:
        now = self._keys(findings)
        return tuple(sorted({key[0] for key, count in now.items() if count > self.before[key]}))

    @staticmethod
    def _keys(findings: Iterable[Finding]) -> Counter[Key]:
        # Places in lists shift when an item is dropped, so they do not count.
        return Counter(
            (f.rule, f.template, f.logical_id, _INDEX.sub("[]", f.path), f.outcome) for f in findings
        )


class _Near(Templates):
    """All templates, of which the engine is shown some resources."""

    shown: list[Template]

    @classmethod
    def showing(cls, bodies: Mapping[str, Any], names: set[Name]) -> _Near:
        """Link all templates, and show the resources of the names."""
        graph = cls.of(bodies)
        assert isinstance(graph, cls)
        graph.shown = []
        for template in Templates.__iter__(graph):
            resources = template.resources
            part = Template(template.name, template.path, {"Resources": {}})
            part.resources = {
                i: resources[i] for stack, i in names if stack == template.name and i in resources
            }
            graph.shown.append(part)
        return graph

    def __iter__(self) -> Iterator[Template]:
        return iter(self.shown)
