"""The JSON Schema of a request: what API Gateway validates, and what it would let through unseen."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from secure_ml_constructs.errors import Problems

__all__ = ["check_schema", "model_schema"]

_DRAFT_4 = "http://json-schema.org/draft-04/schema#"
# Amazon API Gateway quotas: the size of a model.
_LARGEST = 400 * 1024
_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
_REFERENCE = re.compile(r"#/definitions/([^/]+)")
_NOT_IN_MODELS = "API Gateway does not support it in models: what it says would not be held."
_NO_SUCH_KEYWORD = "JSON Schema draft 4 has no such keyword."
# Amazon API Gateway Developer Guide, "Amazon API Gateway important notes". It names minItems and maxItems for
# imported documents only, whose models lose them; a model that is made as itself has them.
_UNSUPPORTED = {
    "additionalProperties": "List every field in properties, and let the container refuse others.",
    "anyOf": "Write one schema that fits all of them.",
    "oneOf": "Write one schema that fits all of them.",
    "discriminator": "Make a door for each kind of request.",
    "example": "Leave it out, or write it into the description.",
    "exclusiveMinimum": "Write a minimum that is allowed.",
    # The page names its sibling alone, and says nothing of this one.
    "exclusiveMaximum": "Write a maximum that is allowed.",
    "readOnly": "Leave the field out.",
    # int32, int64 and decimal are named; of others no page says that they are looked at.
    "format": "Write a pattern, or a minimum and a maximum.",
}


def model_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Give a schema as a model holds it, with its draft named.

    Args:
        schema: A schema that `check_schema` has nothing against.
    """
    return {"$schema": _DRAFT_4, **schema}


def check_schema(problems: Problems, argument: str, schema: object) -> None:
    """Record what API Gateway would not hold requests to, each with its path in the schema.

    Args:
        problems: Where to record.
        argument: What to call it.
        schema: The schema.
    """
    if not isinstance(schema, Mapping):
        problems.add(argument, schema, "A schema is a mapping.", "Write {'type': 'object', …}.")
        return
    try:
        size = len(json.dumps(schema, allow_nan=False).encode())
    except (TypeError, ValueError, RecursionError) as error:
        problems.add(argument, f"{type(error).__name__}", f"This is no JSON: {error}.", "Write plain values.")
        return
    if size > _LARGEST:
        problems.add(argument, f"{size:,} bytes", "A model has 400 KB at the most.", "Write a smaller one.")
    if "type" not in schema:
        problems.add(
            f"{argument}#",
            "no type",
            "Without a type at its root it lets anything through.",
            "Write 'type': 'object' or 'array'.",
        )
    names = schema.get("definitions")
    checked = _Check(problems, argument, frozenset(names) if isinstance(names, Mapping) else frozenset())
    checked.schema("#", schema)
    checked.circles(schema)


class _Check:
    def __init__(self, problems: Problems, argument: str, definitions: frozenset[str]) -> None:
        self._problems = problems
        self._argument = argument
        self._definitions = definitions

    def _add(self, path: str, given: object, reason: str, fix: str) -> None:
        self._problems.add(f"{self._argument}{path}", given, reason, fix)

    def schema(self, path: str, schema: object) -> None:
        if not isinstance(schema, Mapping):
            self._add(path, schema, "A schema is a mapping.", "Write {'type': …}.")
            return
        if "$ref" in schema:
            self._reference(path, schema)
            return
        for keyword, value in schema.items():
            where = f"{path}/{_escaped(keyword)}"
            if keyword in _UNSUPPORTED:
                self._add(where, value, _NOT_IN_MODELS, _UNSUPPORTED[keyword])
            elif keyword in ("properties", "patternProperties", "definitions"):
                self._named(where, value, pattern=keyword == "patternProperties")
            elif keyword == "dependencies":
                self._dependencies(where, value)
            elif keyword == "allOf":
                self._several(where, value)
            elif keyword == "not":
                self.schema(where, value)
            elif keyword == "items":
                self._several(where, value) if isinstance(value, list) else self.schema(where, value)
            elif keyword == "additionalItems":
                if not isinstance(value, bool):
                    self.schema(where, value)
            elif keyword in _VALUES:
                fits, fix = _VALUES[keyword]
                if not fits(value):
                    self._add(where, value, f"No value that {keyword} takes.", fix)
            elif keyword == "$schema":
                if path != "#" or value not in (_DRAFT_4, _DRAFT_4.removesuffix("#")):
                    self._add(where, value, "Models are of draft 4.", f"Write {_DRAFT_4!r} at the root.")
            elif keyword == "id":
                self._add(where, value, "It would change what references mean.", "Leave it out.")
            else:
                self._add(where, value, _NO_SUCH_KEYWORD, "Write a keyword of draft 4, or leave it out.")

    def _reference(self, path: str, schema: Mapping[str, Any]) -> None:
        given = schema["$ref"]
        found = _REFERENCE.fullmatch(given) if isinstance(given, str) else None
        if found is None or _unescaped(found[1]) not in self._definitions:
            self._add(
                f"{path}/$ref",
                given,
                "It names no definition of this schema.",
                "Write '#/definitions/<name>', and the definition at the root.",
            )
        if len(schema) > 1:
            beside = ", ".join(sorted(str(each) for each in schema if each != "$ref"))
            self._add(
                f"{path}/$ref", beside, "What stands beside a reference counts for nothing.", "Leave it out."
            )

    def _named(self, path: str, value: object, *, pattern: bool) -> None:
        if not isinstance(value, Mapping):
            self._add(path, value, "It is a mapping of schemas by name.", "Write {'name': {…}}.")
            return
        for name, each in value.items():
            if pattern and not _is_pattern(name):
                self._add(f"{path}/{_escaped(name)}", name, "This is no pattern.", "Write one.")
            self.schema(f"{path}/{_escaped(name)}", each)

    def _dependencies(self, path: str, value: object) -> None:
        if not isinstance(value, Mapping):
            self._add(path, value, "It is a mapping by name.", "Write {'name': ['other']}.")
            return
        for name, each in value.items():
            if not isinstance(each, list):
                self.schema(f"{path}/{_escaped(name)}", each)
            elif not _are_names(each):
                self._add(f"{path}/{_escaped(name)}", each, "These are no names.", "Write a list of fields.")

    def _several(self, path: str, value: object) -> None:
        if not isinstance(value, list) or not value:
            self._add(path, value, "It is a list of schemas.", "Write one schema or more.")
            return
        for index, each in enumerate(value):
            self.schema(f"{path}/{index}", each)

    def circles(self, schema: Mapping[str, Any]) -> None:
        """A definition that comes to itself again: how deep a request may be is then the caller's choice."""
        definitions = schema.get("definitions")
        if not isinstance(definitions, Mapping):
            return
        leads = {name: set(_references(each)) for name, each in definitions.items()}
        for name in leads:
            reached: set[str] = set()
            ahead = set(leads[name])
            while ahead:
                reached |= ahead
                ahead = {further for each in ahead for further in leads.get(each, ())} - reached
            if name in reached:
                self._add(
                    f"#/definitions/{_escaped(name)}",
                    "a circle",
                    "It leads back to itself, so that a request may be of any depth.",
                    "Write out as many levels as the model reads.",
                )


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, Mapping):
        found = _REFERENCE.fullmatch(str(schema.get("$ref", "")))
        if found:
            yield _unescaped(found[1])
    for each in (
        schema.values() if isinstance(schema, Mapping) else schema if isinstance(schema, list) else ()
    ):
        yield from _references(each)


def _escaped(name: object) -> str:
    return str(name).replace("~", "~0").replace("/", "~1")


def _unescaped(name: str) -> str:
    return name.replace("~1", "/").replace("~0", "~")


def _is_text(value: object) -> bool:
    # API Gateway: Model, schema. Such a text would end a comment in a client that is generated.
    return isinstance(value, str) and "*/" not in value


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_pattern(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(re.compile(value))
    except re.error:
        return False


def _are_names(value: object) -> bool:
    if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
        return False
    return len(set(value)) == len(value)


def _are_types(value: object) -> bool:
    types = value if isinstance(value, list) else [value]
    return bool(types) and all(each in _TYPES for each in types) and len(set(types)) == len(types)


def _are_values(value: object) -> bool:
    return isinstance(value, list) and bool(value) and len({json.dumps(each) for each in value}) == len(value)


_COUNT = (_is_count, "Write a whole number, 0 or more.")
_NUMBER = (_is_number, "Write a number.")
_TEXT = (_is_text, "Write a text without '*/'.")
_VALUES: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "type": (_are_types, f"Write one or several of {', '.join(_TYPES)}."),
    "enum": (_are_values, "Write a list of values, each once."),
    "required": (_are_names, "Write a list of fields, each once; leave it out where there are none."),
    "pattern": (_is_pattern, "Write a regular expression."),
    "multipleOf": (lambda value: _is_number(value) and float(str(value)) > 0, "Write more than 0."),
    "uniqueItems": (lambda value: isinstance(value, bool), "Write True or False."),
    "default": (lambda value: True, ""),
    "minimum": _NUMBER,
    "maximum": _NUMBER,
    "title": _TEXT,
    "description": _TEXT,
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), _COUNT),
    **dict.fromkeys(("minProperties", "maxProperties"), _COUNT),
}
