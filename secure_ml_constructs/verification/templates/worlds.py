"""The worlds of a template: the ways in which its conditions can fall.

Where a value depends on a condition, the question is asked once for each way the conditions can fall
(`worlds`), so a rule sees one value and never a tree of branches, and two properties under one condition
change together.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from secure_ml_constructs.verification.templates.model import Resource, Template

T = TypeVar("T")

# More ways than this are not looked at one by one: the answer is then that it is not known.
MOST_WORLDS = 64
# What is nested more deeply than this refers to itself.
DEEPEST = 48


class TooManyWorldsError(Exception):
    """A question depends on more conditions than can be tried."""


class Worlds:
    """Goes through the worlds that a question meets, one after the other."""

    def __init__(self) -> None:
        self._decisions: dict[Any, Any] = {}
        self._ways: list[dict[Any, Any]] = []
        self._depth = 0
        # How often a decision counted: what is worked out while it stands still is the same in every world.
        self._met = 0
        self._written: dict[int, str] = {}
        self._compared: dict[Template, dict[str, list[Any]]] = {}

    def worlds(self, ask: Callable[[], T]) -> Iterator[T]:
        """Ask once for each way in which the conditions that the answer meets can fall.

        Raises:
            TooManyWorldsError: There are more than `MOST_WORLDS` ways.
        """
        self.start()
        yield ask()
        yield from self.others(ask)

    def start(self) -> None:
        """Forget what was decided: ask then in the first world; `branched` tells whether there are others."""
        if self._decisions:
            self._decisions, self._ways = {}, []
        self._depth = 0

    def others(self, ask: Callable[[], T]) -> Iterator[T]:
        """Ask again in each world but the first, in which it was asked just now.

        Raises:
            TooManyWorldsError: There are more than `MOST_WORLDS` ways.
        """
        ways = self._ways
        asked = 1
        while ways:
            if asked == MOST_WORLDS:
                self._decisions, self._ways = {}, []
                raise TooManyWorldsError
            asked += 1
            self._decisions = ways.pop()
            self._ways = []
            self._depth = 0
            answer = ask()
            ways += self._ways
            yield answer
        self._decisions, self._ways = {}, []

    def _choose(self, question: Any, options: list[Any]) -> Any:
        self._met += 1
        if question not in self._decisions:
            for other in options[1:]:
                self._ways.append({**self._decisions, question: other})
            self._decisions[question] = options[0]
        return self._decisions[question]

    @property
    def branched(self) -> bool:
        """Whether what was asked last met a condition."""
        return bool(self._decisions)

    def exists(self, resource: Resource) -> bool:
        """Whether a resource is made in this world."""
        return resource.condition is None or self.holds(resource.template, resource.condition)

    def holds(self, template: Template, condition: str) -> bool:
        """Whether a condition is true in this world."""
        definition = template.section("Conditions").get(condition)
        if definition is None:
            return bool(self._choose((template, condition), [True, False]))
        return self._truth(template, definition)

    def _truth(self, template: Template, definition: Any) -> bool:
        self._depth += 1
        try:
            if isinstance(definition, dict) and len(definition) == 1 and self._depth < DEEPEST:
                ((function, argument),) = definition.items()
                if function == "Condition" and isinstance(argument, str):
                    return self.holds(template, argument)
                if isinstance(argument, list):
                    match function:
                        case "Fn::And":
                            return all(self._truth(template, part) for part in argument)
                        case "Fn::Or":
                            return any(self._truth(template, part) for part in argument)
                        case "Fn::Not" if len(argument) == 1:
                            return not self._truth(template, argument[0])
                        case "Fn::Equals" if len(argument) == 2:
                            return self._equals(template, argument)
            return bool(self._choose((template, self._text(definition)), [True, False]))
        finally:
            self._depth -= 1

    def _equals(self, template: Template, sides: list[Any]) -> bool:
        # A parameter's default does not settle a condition: whoever deploys may choose otherwise.
        literal = [side for side in sides if not isinstance(side, dict | list)]
        if len(literal) == 2:
            return str(literal[0]) == str(literal[1])
        if len(literal) == 1:
            other = next(side for side in sides if isinstance(side, dict | list))
            question = (template, "is", self._text(other))
            chosen = self._decisions.get(question)
            if chosen is not None:
                self._met += 1
                return bool(chosen == literal[0])
            if self._choose((*question, literal[0]), [True, False]):
                self._decisions[question] = literal[0]
                return True
            return False
        return bool(self._choose((template, self._text(sides)), [True, False]))

    def told(self, template: Template, parameter: str) -> tuple[Any, list[Any]]:
        """What the conditions say of a parameter: its value, None where it is open, and what it is not."""
        if template not in self._compared:
            self._compared[template] = _comparisons(template.section("Conditions"))
        literals = self._compared[template].get(parameter)
        if literals is None:
            return None, []
        self._met += 1
        question = (template, "is", canonical({"Ref": parameter}))
        refused = [literal for literal in literals if self._decisions.get((*question, literal)) is False]
        return self._decisions.get(question), refused

    def _text(self, definition: Any) -> str:
        """A part of a condition as text, written once: it lives as long as its template."""
        if id(definition) not in self._written:
            self._written[id(definition)] = canonical(definition)
        return self._written[id(definition)]


def _comparisons(definition: Any) -> dict[str, list[Any]]:
    """The literals that conditions compare each parameter with."""
    found: dict[str, list[Any]] = {}
    waiting = [definition]
    while waiting:
        match waiting.pop():
            case {"Fn::Equals": [{"Ref": str(name)}, (str() | int() | float()) as literal]}:
                found.setdefault(name, []).append(literal)
            case {"Fn::Equals": [(str() | int() | float()) as literal, {"Ref": str(name)}]}:
                found.setdefault(name, []).append(literal)
            case dict() as inner:
                waiting += inner.values()
            case list() as items:
                waiting += items
    return found


def canonical(value: Any) -> str:
    """A value as text, the same for what is written alike."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
