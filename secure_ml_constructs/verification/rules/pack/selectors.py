"""What a trail records, by its advanced selectors: read once for all rules that ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from secure_ml_constructs.verification.rules.outcome import Context
from secure_ml_constructs.verification.rules.requirements import values
from secure_ml_constructs.verification.templates import show


@dataclass(frozen=True, slots=True)
class Selector:
    """One advanced selector.

    Attributes:
        path: Where it stands.
        fields: Each field with its tests: `Equals`, `NotStartsWith` and so on, and their values.
    """

    path: str
    fields: tuple[tuple[str, dict[str, list[str]]], ...]

    def equals(self, name: str) -> list[str]:
        """The values that a field must equal; empty where nothing is said."""
        return next((tests.get("Equals", []) for field, tests in self.fields if field == name), [])

    @property
    def names(self) -> set[str]:
        """The fields that it looks at."""
        return {name for name, _ in self.fields}


def selectors(context: Context) -> list[Selector]:
    """The advanced selectors of a trail."""
    return context.graph.once("selectors", context.resource, lambda: _read(context))


def _read(context: Context) -> list[Selector]:
    graph, template = context.graph, context.resource.template
    found = []
    for path, selector in values(context, "AdvancedEventSelectors[*]"):
        inside: Any = graph.whole(template, graph.at(template, selector, ("FieldSelectors",)))
        fields = [field for field in inside if isinstance(field, dict)] if type(inside) is list else []
        found.append(Selector(path, tuple((show(field.get("Field")), _tests(field)) for field in fields)))
    return found


def _tests(field: dict[str, Any]) -> dict[str, list[str]]:
    return {test: [show(item) for item in texts] for test, texts in field.items() if type(texts) is list}
