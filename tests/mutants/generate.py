"""Every mutant of a set of templates, made from the templates and from no rule."""

from __future__ import annotations

from collections.abc import Iterator

from tests.mutants import access, reachability, settings
from tests.mutants.mutant import Mutant, Templates, sites


def mutants(templates: Templates) -> list[Mutant]:
    """Every mutant, in the order of the templates, no change twice."""
    found: dict[str, Mutant] = {}
    for mutant in _all(templates):
        found.setdefault(mutant.id, mutant)
    unique: dict[str, Mutant] = {}
    for mutant in found.values():
        # Two operators may come to the same change.
        unique.setdefault(f"{mutant.stack}{mutant.edits!r}", mutant)
    return list(unique.values())


def _all(templates: Templates) -> Iterator[Mutant]:
    for site in sites(templates):
        yield from settings.of(site)
        yield from access.of(site)
        yield from reachability.of(site)
