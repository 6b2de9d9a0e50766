"""Follow references, lazily: only what a rule asks for is resolved.

Where a value depends on a condition, the question is asked once for each way the conditions can fall
(`worlds`), so a rule sees one value and never a tree of branches, and two properties under one condition
change together.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, TypeVar

from secure_ml_constructs.verification.templates.model import Resource, Template
from secure_ml_constructs.verification.templates.values import (
    ABSENT,
    Absent,
    Dynamic,
    Encoded,
    Misspelt,
    Pseudo,
    Reference,
    Text,
    Unresolved,
    join,
    show,
)

T = TypeVar("T")

# More ways than this are not looked at one by one: the answer is then that it is not known.
MOST_WORLDS = 64
_DEEPEST = 48
_VARIABLE = re.compile(r"\$\{([^!][^}]*)\}|\$\{!([^}]*)\}")


class TooManyWorldsError(Exception):
    """A question depends on more conditions than can be tried."""


class Resolver:
    """Resolves values among linked templates."""

    def __init__(self) -> None:
        self.nested: dict[Resource, Template] = {}
        self.stacks: dict[str, Template] = {}
        self._exports: dict[str, tuple[Template, Any]] | None = None
        self._templates: list[Template] = []
        self._decisions: dict[Any, Any] = {}
        self._ways: list[dict[Any, Any]] = []
        self._depth = 0
        # What was worked out already and depends on no condition.
        self._unions: dict[tuple[int, str], list[Any]] = {}
        self._subs: dict[tuple[int, str], Any] = {}
        # Every word that is no function is a property of one letter more: looked up once a value.
        self._functions: dict[str, Callable[[Template, Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::If": self._if,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::FindInMap": self._find_in_map,
            "Fn::ImportValue": self._import_value,
            "Fn::GetStackOutput": self._stack_output,
            "Fn::Base64": self._base64,
            "Fn::GetAZs": self._zones,
            "Fn::ToJsonString": self._to_json,
        }

    # Worlds

    def worlds(self, ask: Callable[[], T]) -> Iterator[T]:
        """Ask once for each way in which the conditions that the answer meets can fall.

        Raises:
            TooManyWorldsError: There are more than `MOST_WORLDS` ways.
        """
        ways: list[dict[Any, Any]] = [{}]
        asked = 0
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

    def start(self) -> None:
        """Forget what was decided: ask then in the first world; `branched` tells whether there are others."""
        if self._decisions:
            self._decisions, self._ways = {}, []
        self._depth = 0

    def _choose(self, question: Any, options: list[Any]) -> Any:
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
            return bool(self._choose((template.name, condition), [True, False]))
        return self._truth(template, definition)

    def _truth(self, template: Template, definition: Any) -> bool:
        self._depth += 1
        try:
            if isinstance(definition, dict) and len(definition) == 1 and self._depth < _DEEPEST:
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
            return bool(self._choose((template.name, _key(definition)), [True, False]))
        finally:
            self._depth -= 1

    def _equals(self, template: Template, sides: list[Any]) -> bool:
        # A parameter's default does not settle a condition: whoever deploys may choose otherwise.
        literal = [side for side in sides if not isinstance(side, dict | list)]
        if len(literal) == 2:
            return str(literal[0]) == str(literal[1])
        if len(literal) == 1:
            other = next(side for side in sides if isinstance(side, dict | list))
            question = (template.name, "is", _key(other))
            chosen = self._decisions.get(question)
            if chosen is not None:
                return bool(chosen == literal[0])
            if self._choose((template.name, "is", _key(other), literal[0]), [True, False]):
                self._decisions[question] = literal[0]
                return True
            return False
        return bool(self._choose((template.name, _key(sides)), [True, False]))

    # Values

    def resolve(self, template: Template, value: Any) -> Any:
        """Give what a value is: itself where it is literal, else what its function stands for."""
        kind = type(value)
        if kind is dict:
            if len(value) == 1:
                (name,) = value
                function = self._functions.get(name)
                if function is not None:
                    return self._call(function, template, value[name])
                if type(name) is str and name.startswith("Fn::"):
                    return Unresolved(f"{name} is known when the stack is deployed.")
            return value
        if kind is str and "{{resolve:" in value:
            return Dynamic(value)
        if value is None:
            return ABSENT
        return value

    def _call(self, function: Callable[[Template, Any], Any], template: Template, argument: Any) -> Any:
        if self._depth > _DEEPEST:
            return Unresolved("It refers to itself.")
        self._depth += 1
        try:
            return function(template, argument)
        except (TypeError, ValueError, IndexError, KeyError, AttributeError):
            return Unresolved("Its function is not written as CloudFormation wants it.")
        finally:
            self._depth -= 1

    def whole(self, template: Template, value: Any) -> Any:
        """Resolve a value and all in it; what `AWS::NoValue` takes away is left out."""
        value = self.resolve(template, value)
        kind = type(value)
        if kind is dict:
            if len(value) > 1 and "Fn::Transform" in value:
                return Unresolved("Fn::Transform is known when the stack is deployed.")
            found = {}
            for key, item in value.items():
                item = item if type(item) is str and "{{" not in item else self.whole(template, item)
                if item is not ABSENT:
                    found[key] = item
            return found
        if kind is list:
            items = (self.whole(template, item) for item in value)
            return [item for item in items if item is not ABSENT]
        return value

    def at(self, template: Template, value: Any, path: tuple[str, ...]) -> Any:
        """Give the value at a path of property names."""
        for name in path:
            if type(value) is not dict:
                return ABSENT if isinstance(value, Absent) else _inside(value)
            found = value.get(name, ABSENT)
            if found is ABSENT:
                return _missing(value, name)
            value = self.resolve(template, found)
        return value

    # Functions

    def _ref(self, template: Template, name: Any) -> Any:
        if name in template.resources:
            return Reference(template.resources[name], "Ref")
        if name == "AWS::NoValue":
            return ABSENT
        if type(name) is str and name.startswith("AWS::"):
            return Pseudo(name)
        if name in template.section("Parameters"):
            return self._parameter(template, name)
        return Unresolved(f"{name} is nothing that this template has.")

    def _parameter(self, template: Template, name: str) -> Any:
        definition = template.section("Parameters")[name]
        kind = str(definition.get("Type", "String"))
        if template.parent is not None:
            given = template.parent.properties.get("Parameters")
            given = self.resolve(template.parent.template, given)
            if isinstance(given, dict) and name in given:
                value = self.whole(template.parent.template, given[name])
                return _typed(value, kind)
            if isinstance(given, Unresolved):
                return given
        if kind.startswith("AWS::SSM::Parameter::Value"):
            return Unresolved(f"Parameter {name} is read from Systems Manager when the stack is deployed.")
        if "Default" in definition:
            return _typed(definition["Default"], kind)
        allowed = definition.get("AllowedValues")
        if isinstance(allowed, list) and allowed:
            return _typed(self._choose((template.name, "parameter", name), allowed), kind)
        return Unresolved(f"Parameter {name} has no default.")

    def _get_att(self, template: Template, argument: Any) -> Any:
        if type(argument) is str:
            name, _, attribute = argument.partition(".")
        else:
            name, attribute = argument[0], argument[1]
            if type(attribute) is not str:
                attribute = show(self.resolve(template, attribute))
        resource = template.resources.get(name)
        if resource is None:
            return Unresolved(f"{name} is nothing that this template has.")
        if attribute.startswith("Outputs.") and resource.type == "AWS::CloudFormation::Stack":
            nested = self.nested.get(resource)
            if nested is None:
                return Unresolved(f"The template of the nested stack {name} was not given.")
            return self._output(nested, attribute.removeprefix("Outputs."))
        return Reference(resource, attribute)

    def _output(self, template: Template, name: str) -> Any:
        output = template.section("Outputs").get(name)
        if not isinstance(output, dict) or "Value" not in output:
            return Unresolved(f"{template.name} has no output {name}.")
        return self.whole(template, output["Value"])

    def _stack_output(self, template: Template, argument: Any) -> Any:
        stack = show(self.resolve(template, argument["StackName"]))
        # The CLI names a stack by name or by ARN.
        stack = stack.split("/")[1] if ":stack/" in stack else stack
        if stack not in self.stacks:
            return Unresolved(f"The template of stack {stack} was not given.")
        return self._output(self.stacks[stack], show(self.resolve(template, argument["OutputName"])))

    def _import_value(self, template: Template, argument: Any) -> Any:
        if self._exports is None:
            self._exports = {}
            for other in self._templates:
                for output in other.section("Outputs").values():
                    if isinstance(output, dict) and isinstance(output.get("Export"), dict):
                        name = show(self.resolve(other, output["Export"].get("Name")))
                        self._exports[name] = (other, output.get("Value"))
        name = show(self.resolve(template, argument))
        if name not in self._exports:
            return Unresolved(f"No template given exports {name}.")
        return self.whole(*self._exports[name])

    def _sub(self, template: Template, argument: Any) -> Any:
        if type(argument) is list:
            return self._substitute(template, argument[0], argument[1])
        key = (id(template), argument)
        if key in self._subs:
            return self._subs[key]
        value = self._substitute(template, argument, {})
        if not self._decisions:
            self._subs[key] = value
        return value

    def _substitute(self, template: Template, text: str, variables: dict[str, Any]) -> Any:
        parts: list[Any] = []
        for literal, name in _pieces(text):
            if name is None:
                parts.append(literal)
            elif name in variables:
                parts.append(self.resolve(template, variables[name]))
            elif "." in name:
                parts.append(self._get_att(template, name))
            else:
                parts.append(self._ref(template, name))
        value = join(parts)
        return Dynamic(show(value)) if "{{resolve:" in show(value) else value

    def _join(self, template: Template, argument: Any) -> Any:
        delimiter, items = argument
        items = self.resolve(template, items)
        if type(items) is not list:
            return Text((items,)) if isinstance(items, Unresolved) else items
        parts: list[Any] = []
        for item in items:
            value = self.resolve(template, item)
            if value is ABSENT:
                continue
            if parts and delimiter:
                parts.append(delimiter)
            parts.append(value)
        value = join(parts)
        return Dynamic(show(value)) if "{{resolve:" in show(value) else value

    def _if(self, template: Template, argument: Any) -> Any:
        condition, yes, no = argument
        return self.resolve(template, yes if self.holds(template, condition) else no)

    def _select(self, template: Template, argument: Any) -> Any:
        index = int(self.resolve(template, argument[0]))
        items = self.resolve(template, argument[1])
        if type(items) is not list:
            return items if isinstance(items, Unresolved) else Unresolved(f"It is an item of {show(items)}.")
        return self.resolve(template, items[index])

    def _split(self, template: Template, argument: Any) -> Any:
        delimiter, text = argument[0], self.resolve(template, argument[1])
        if type(text) is str:
            return text.split(delimiter)
        if type(text) is not Text or any(type(part) not in (str, Pseudo) for part in text.parts):
            return text if isinstance(text, Unresolved) else Unresolved(f"It is a part of {show(text)}.")
        found: list[list[Any]] = [[]]
        for part in text.parts:
            pieces = part.split(delimiter) if type(part) is str else [part]
            found[-1].append(pieces[0])
            found += [[piece] for piece in pieces[1:]]
        return [join(parts) for parts in found]

    def _find_in_map(self, template: Template, argument: Any) -> Any:
        value: Any = template.section("Mappings").get(show(self.resolve(template, argument[0])))
        for key in argument[1:3]:
            key = self.resolve(template, key)
            if type(value) is not dict:
                value = ABSENT
                break
            if isinstance(key, str | int | float):
                value = value.get(str(key), ABSENT)
            else:
                value = self._any_of(template, argument, value)
        if value is ABSENT:
            default = argument[3] if len(argument) > 3 else {}
            if "DefaultValue" in default:
                return self.resolve(template, default["DefaultValue"])
            return Unresolved("The mapping does not have it.")
        return value

    def _any_of(self, template: Template, argument: Any, options: dict[str, Any]) -> Any:
        """What a mapping gives where the key, the region say, is known at deployment only."""
        if not options:
            return Unresolved("The mapping is empty.")
        last = argument[2] if len(argument) > 2 else None
        if all(type(option) is dict for option in options.values()) and type(last) is str:
            found = [option[last] for option in options.values() if last in option]
            if found and all(type(item) is list for item in found):
                # A list is a choice already: all that it may hold stand for it.
                return {last: self._union(options, last, found)}
        distinct = {_key(option): option for option in options.values()}
        return self._choose((template.name, "map", _key(argument)), list(distinct.values()))

    def _union(self, options: dict[str, Any], last: str, found: list[list[Any]]) -> list[Any]:
        key = (id(options), last)
        if key not in self._unions:
            parts = {_key(part): part for item in found for part in item}
            self._unions[key] = list(parts.values())
        return self._unions[key]

    def _base64(self, template: Template, argument: Any) -> Any:
        return Encoded(self.resolve(template, argument))

    def _zones(self, template: Template, argument: Any) -> Any:
        return [Pseudo(f"AvailabilityZone{i}") for i in range(6)]

    def _to_json(self, template: Template, argument: Any) -> Any:
        return json.dumps(self.whole(template, argument), default=show)


def _key(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


@lru_cache(maxsize=4096)
def _pieces(text: str) -> tuple[tuple[str, str | None], ...]:
    found: list[tuple[str, str | None]] = []
    end = 0
    for match in _VARIABLE.finditer(text):
        found.append((text[end : match.start()], None))
        name, escaped = match.groups()
        found.append(("${" + escaped + "}", None) if name is None else ("", name.strip()))
        end = match.end()
    found.append((text[end:], None))
    return tuple(found)


def _typed(value: Any, kind: str) -> Any:
    if type(value) is str:
        if kind == "CommaDelimitedList" or kind.startswith("List<"):
            return [part.strip() for part in value.split(",")]
        # Parameters are text; CloudFormation turns theirs into what the property takes.
        if value in ("true", "false"):
            return value == "true"
        if "{{resolve:" in value:
            return Dynamic(value)
    return value


def _inside(value: Any) -> Any:
    if isinstance(value, Unresolved):
        return value
    if isinstance(value, Text | Reference | Pseudo | Dynamic):
        return Unresolved(f"It lies in {show(value)}.")
    return ABSENT


def _missing(value: dict[str, Any], name: str) -> Any:
    if "Fn::Transform" in value:
        return Unresolved("Fn::Transform may write it when the stack is deployed.")
    lower = name.lower()
    size = len(name)
    for key in value:
        if len(key) == size and key.lower() == lower:
            return Misspelt(key)
    return ABSENT
