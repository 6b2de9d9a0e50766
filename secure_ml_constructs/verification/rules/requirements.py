"""Requirements: predicates put to the values at a path, and ways to join them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from secure_ml_constructs.verification.rules.outcome import (
    PASS,
    Context,
    Fail,
    Outcome,
    Predicate,
    Requirement,
    Unknown,
    at,
)
from secure_ml_constructs.verification.templates import ABSENT, Absent, Misspelt, Unresolved


@dataclass(frozen=True)
class At:
    """A predicate holds for the value at a path, or for each where the path has `[*]`.

    Where a list is missing or empty, nothing in it can fail: another entry says whether it must be there.

    Attributes:
        path: Property names with dots, `[*]` for each item of a list: `Containers[*].Image`.
        predicate: What must hold.
    """

    path: str
    predicate: Predicate
    steps: tuple[tuple[str, ...], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Take the path apart once."""
        parts = [tuple(part.strip(".").split(".")) if part else () for part in self.path.split("[*]")]
        object.__setattr__(self, "steps", tuple(parts))

    def check(self, context: Context) -> Sequence[Outcome]:
        """Judge the value at the path."""
        if len(self.steps) == 1:
            resource = context.resource
            value = context.graph.at(resource.template, resource.properties, self.steps[0])
            outcome = self.predicate.check(value, context)
            return PASS if outcome is None else (at(outcome, self.path),)
        found = []
        for path, value in self.values(context):
            outcome = self.predicate.check(value, context)
            if outcome is not None:
                found.append(at(outcome, path))
        return found

    def values(self, context: Context) -> Iterator[tuple[str, Any]]:
        """Every value at the path, with the path at which it lies."""
        return each(context, context.resource.properties, self.steps, "")


def each(
    context: Context, value: Any, steps: Sequence[tuple[str, ...]], path: str
) -> Iterator[tuple[str, Any]]:
    """Walk steps of property names, through each item of the list between two steps."""
    graph, template = context.graph, context.resource.template
    if steps[0]:
        path = f"{path}.{'.'.join(steps[0])}" if path else ".".join(steps[0])
        value = graph.at(template, value, steps[0])
    if len(steps) == 1:
        yield path, value
        return
    if type(value) is not list:
        if isinstance(value, Absent):
            if value is not ABSENT:
                yield path, value
        elif type(value) is dict:
            yield from each(context, value, steps[1:], path)
        else:
            unresolved = value if isinstance(value, Unresolved) else Unresolved("Its items are not known.")
            yield path, unresolved
        return
    for index, item in enumerate(value):
        item = graph.resolve(template, item)
        if item is not ABSENT:
            yield from each(context, item, steps[1:], f"{path}[{index}]")


def values(context: Context, path: str) -> list[tuple[str, Any]]:
    """Every value at a path of the resource; for rules that are functions."""
    steps = [tuple(part.strip(".").split(".")) if part else () for part in path.split("[*]")]
    return list(each(context, context.resource.properties, steps, ""))


@dataclass(frozen=True)
class Inside:
    """A predicate holds for a property of each mapping at a path; without a mapping nothing is asked.

    Attributes:
        path: Where the mappings are: `ProductionVariants[*].CoreDumpConfig`.
        name: The property of each: `KmsKeyId`, or a path of names.
        predicate: What must hold.
    """

    path: str
    name: str
    predicate: Predicate

    def check(self, context: Context) -> Sequence[Outcome]:
        """Judge the property of each mapping."""
        found: list[Outcome] = []
        for path, value in values(context, self.path):
            if type(value) is dict:
                steps = tuple(self.name.split("."))
                value = context.graph.at(context.resource.template, value, steps)
            elif isinstance(value, Absent):
                if isinstance(value, Misspelt):
                    found.append(
                        Fail(f"is written {value.key}, which CloudFormation does not take for it", path)
                    )
                continue
            outcome = self.predicate.check(value, context)
            if outcome is not None:
                found.append(at(outcome, f"{path}.{self.name}"))
        return found


@dataclass(frozen=True, init=False)
class Every:
    """All of several requirements hold."""

    parts: tuple[Requirement, ...]

    def __init__(self, *parts: Requirement) -> None:
        object.__setattr__(self, "parts", parts)

    def check(self, context: Context) -> Sequence[Outcome]:
        """Gather what fails."""
        return [outcome for part in self.parts for outcome in part.check(context)]


@dataclass(frozen=True, init=False)
class AnyOf:
    """One of several requirements holds; what the first lacks is what is reported."""

    parts: tuple[Requirement, ...]

    def __init__(self, *parts: Requirement) -> None:
        object.__setattr__(self, "parts", parts)

    def check(self, context: Context) -> Sequence[Outcome]:
        """Pass with the first that passes."""
        first: Sequence[Outcome] | None = None
        unknown: Sequence[Outcome] = PASS
        for part in self.parts:
            outcomes = part.check(context)
            if not outcomes:
                return PASS
            if not unknown and all(isinstance(outcome, Unknown) for outcome in outcomes):
                unknown = outcomes
            first = outcomes if first is None else first
        return unknown or first or PASS


@dataclass(frozen=True)
class When:
    """A requirement holds wherever another does.

    Attributes:
        condition: Where this passes, or can't be told,
        then: this must pass.
    """

    condition: Requirement
    then: Requirement

    def check(self, context: Context) -> Sequence[Outcome]:
        """Judge `then` unless the condition fails."""
        condition = self.condition.check(context)
        if any(isinstance(outcome, Fail) for outcome in condition):
            return PASS
        then = self.then.check(context)
        # Where it is not known whether the condition holds, what must hold under it may yet be needless.
        return condition if condition and then else then


@dataclass(frozen=True)
class Code:
    """A requirement that is a function of the resource and what it is linked to.

    Attributes:
        function: Yields what is wrong.
        because: Why no other back end can express it.
    """

    function: Callable[[Context], Iterator[Outcome]]
    because: str = "It follows references or reads a document."

    def check(self, context: Context) -> Sequence[Outcome]:
        """Gather what the function yields."""
        return list(self.function(context))


def property_names(requirement: Requirement) -> set[str]:
    """The paths that a requirement reads, as far as they are written down."""
    match requirement:
        case At(path=path):
            return {path}
        case Inside(path=path, name=name):
            return {f"{path}.{name}"}
        case Every(parts=parts) | AnyOf(parts=parts):
            return set().union(*(property_names(part) for part in parts))
        case When(condition=condition, then=then):
            return property_names(condition) | property_names(then)
    return set()
