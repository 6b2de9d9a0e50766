"""Every mutant of a set of templates, made from the templates and from no rule."""

from __future__ import annotations

from collections.abc import Iterator

from tests.mutants import access, reachability, settings
from tests.mutants.mutant import Mutant, Templates, sites
from tests.mutants.neighbours import named


def mutants(templates: Templates) -> list[Mutant]:
    """Every mutant, in the order of the templates, no change twice."""
    found: dict[str, Mutant] = {}
    for mutant in _all(templates):
        if not _orders_nothing(mutant, templates):
            found.setdefault(mutant.id, mutant)
    unique: dict[str, Mutant] = {}
    for mutant in found.values():
        # Two operators may come to the same change.
        unique.setdefault(f"{mutant.stack}{mutant.edits!r}", mutant)
    return list(unique.values())


def _orders_nothing(mutant: Mutant, templates: Templates) -> bool:
    """Whether an order that is dropped follows from what the resource names, or waits for, all the same."""
    kind, _, other = mutant.operator.partition(" ")
    if kind != "order-dropped":
        return False
    resources = mutant.apply(templates)[mutant.stack]["Resources"]
    waiting, seen = [mutant.logical_id], {mutant.logical_id}
    while waiting:
        body = resources[waiting.pop()]
        direct = body.get("DependsOn", [])
        names = {id_ for stack, id_ in named(body, mutant.stack, templates) if stack == mutant.stack}
        names.update([direct] if isinstance(direct, str) else direct)
        waiting += sorted(names - seen)
        seen |= names
    return other in seen


def _all(templates: Templates) -> Iterator[Mutant]:
    for site in sites(templates):
        yield from settings.of(site)
        yield from access.of(site)
        yield from reachability.of(site)
