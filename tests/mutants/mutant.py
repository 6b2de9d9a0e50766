"""One change for the worse, and how it is made without touching the templates it is made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Path = tuple[str | int, ...]
Templates = Mapping[str, Any]

# A rule should see it; or a proof may be needed: who may do what, who reaches whom.
SETTING, ACCESS, REACHABILITY = KINDS = ("setting", "access", "reachability")


class _Remove:
    def __repr__(self) -> str:
        return "REMOVE"


REMOVE: Final = _Remove()

# Given to templates as another's.
STRANGER = "999999999999"


@dataclass(frozen=True, slots=True)
class Edit:
    """One place that gets another value, or none.

    Attributes:
        path: Where, from the stack's `Resources` on: logical id first.
        value: What is put there, or `REMOVE`.
    """

    path: Path
    value: Any


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change.

    Attributes:
        stack: The stack.
        logical_id: The resource.
        type: Its type.
        path: The place in the resource.
        operator: What was done to it.
        kind: Who should notice.
        edits: The change.
        statement: The Sid of the statement that is changed; empty where none is.
    """

    stack: str
    logical_id: str
    type: str
    path: Path
    operator: str
    kind: str
    edits: tuple[Edit, ...]
    statement: str = ""

    @property
    def place(self) -> str:
        """The path as a person writes it."""
        return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path).lstrip(".")

    @property
    def tested(self) -> str:
        """The context key that the change is about; empty where it is about none."""
        after = self.path[self.path.index("Condition") + 1 :] if "Condition" in self.path else ()
        return str(after[1]) if len(after) > 1 else ""

    @property
    def id(self) -> str:
        """The same in every run over the same templates."""
        return "/".join(part for part in (self.stack, self.logical_id, self.place, self.operator) if part)

    @property
    def touched(self) -> frozenset[tuple[str, str]]:
        """The resources that are changed, made or removed."""
        return frozenset((self.stack, str(edit.path[0])) for edit in self.edits)

    def apply(self, templates: Templates) -> dict[str, Any]:
        """The templates with the change; what is not changed is shared with the originals."""
        body = templates[self.stack]
        resources = body["Resources"]
        for edit in self.edits:
            resources = _put(resources, edit.path, edit.value)
        return {**templates, self.stack: {**body, "Resources": resources}}


def _put(value: Any, path: Path, new: Any) -> Any:
    step, rest = path[0], path[1:]
    if isinstance(value, list):
        assert isinstance(step, int)
        items = list(value)
        if rest:
            items[step] = _put(items[step], rest, new)
        elif new is REMOVE:
            del items[step]
        elif step == len(items):
            items.append(new)
        else:
            items[step] = new
        return items
    # A scalar where a mapping is needed gives way: `Principal: "*"` for instance.
    mapping = dict(value) if isinstance(value, dict) else {}
    if rest:
        mapping[str(step)] = _put(mapping.get(str(step), {}), rest, new)
    elif new is REMOVE:
        mapping.pop(str(step), None)
    else:
        mapping[str(step)] = new
    return mapping


@dataclass(frozen=True, slots=True)
class Site:
    """A resource that mutants are made from."""

    stack: str
    logical_id: str
    body: Mapping[str, Any]

    @property
    def type(self) -> str:
        """Its type."""
        return str(self.body["Type"])

    @property
    def properties(self) -> Mapping[str, Any]:
        """Its properties."""
        found: Mapping[str, Any] = self.body.get("Properties", {})
        return found

    def mutant(self, operator: str, path: Path, kind: str, *edits: tuple[Path, Any]) -> Mutant:
        """A change of this resource; the paths of the edits begin in it."""
        made = tuple(Edit((self.logical_id, *where), value) for where, value in edits)
        sid = _sid(self.body, path)
        return Mutant(self.stack, self.logical_id, self.type, path, operator, kind, made, sid)

    def set(self, operator: str, path: Path, kind: str, value: Any) -> Mutant:
        """One place that gets another value."""
        return self.mutant(operator, path, kind, (path, value))


def _sid(value: Any, path: Path) -> str:
    """The Sid of the statement that a path leads into."""
    for step in path:
        try:
            value = value[step]
        except (IndexError, KeyError):
            return ""
        if isinstance(value, dict) and "Effect" in value:
            return str(value.get("Sid", ""))
    return ""


def sites(templates: Templates) -> Iterator[Site]:
    """Every resource of the templates."""
    for stack, body in templates.items():
        for logical_id, resource in body["Resources"].items():
            yield Site(stack, logical_id, resource)


def spread(mutants: Sequence[Mutant], count: int) -> list[Mutant]:
    """So many of the mutants, from the first to the last: the time stays the same, however many there are."""
    return [mutants[index * len(mutants) // count] for index in range(min(count, len(mutants)))]


def is_function(value: Any) -> bool:
    """Whether a value is one of CloudFormation's functions."""
    return (
        isinstance(value, dict)
        and len(value) == 1
        and (next(iter(value)) == "Ref" or next(iter(value)).startswith("Fn::"))
    )


def is_document(value: Any) -> bool:
    """Whether a value is a policy document."""
    return isinstance(value, dict) and isinstance(value.get("Statement"), list)


def leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Every value outside policies, a mapping or list before what is in it; a function is one value."""
    if is_document(value):
        return
    yield path, value
    if is_function(value):
        return
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))


def documents(value: Any, path: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Every policy document with its path."""
    if is_document(value):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from documents(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from documents(item, (*path, index))
