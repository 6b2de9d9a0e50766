"""Follow references, lazily: only what a rule asks for is resolved."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

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
from secure_ml_constructs.verification.templates.worlds import DEEPEST, Worlds, canonical

# Looked up as quickly as remembered, or another thing in each world.
_SIMPLE = {"Ref", "Fn::GetAtt", "Fn::If"}
_VARIABLE = re.compile(r"\$\{([^!][^}]*)\}|\$\{!([^}]*)\}")


class Resolver(Worlds):
    """Resolves values among linked templates, in the world at hand."""

    def __init__(self) -> None:
        super().__init__()
        self.nested: dict[Resource, Template] = {}
        self.stacks: dict[str, Template] = {}
        self._exports: dict[str, tuple[Template, Any]] | None = None
        self._templates: list[Template] = []
        # What was worked out already and depends on no condition.
        self._unions: dict[tuple[int, str], list[Any]] = {}
        self._called: dict[tuple[int, str, int | str], tuple[Any, Any]] = {}
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

    # Values

    def resolve(self, template: Template, value: Any) -> Any:
        """Give what a value is: itself where it is literal, else what its function stands for."""
        kind = type(value)
        if kind is dict:
            if len(value) == 1:
                (name,) = value
                if name in self._functions:
                    return self._call(name, template, value[name])
                if type(name) is str and name.startswith("Fn::"):
                    return Unresolved(f"{name} is known when the stack is deployed.")
            return value
        if kind is str and "{{resolve:" in value:
            return Dynamic(value)
        if value is None:
            return ABSENT
        return value

    def _call(self, name: str, template: Template, argument: Any) -> Any:
        if self._depth or name in _SIMPLE:
            return self._called_anew(name, template, argument)
        key = (id(template), name, argument if type(argument) is str else id(argument))
        known = self._called.get(key)
        if known is not None:
            return known[1]
        met = self._met
        value = self._called_anew(name, template, argument)
        # What hangs on a condition is another thing in another world.
        if self._met == met:
            # The argument is kept with it, so that nothing else gets its identity.
            self._called[key] = (argument, value)
        return value

    def _called_anew(self, name: str, template: Template, argument: Any) -> Any:
        if self._depth > DEEPEST:
            return Unresolved("It refers to itself.")
        self._depth += 1
        try:
            return self._functions[name](template, argument)
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
            items = []
            for item in value:
                item = item if type(item) is str and "{{" not in item else self.whole(template, item)
                if item is not ABSENT:
                    items.append(item)
            return items
        return value

    def at(self, template: Template, value: Any, path: tuple[str, ...]) -> Any:
        """Give the value at a path of property names."""
        for name in path:
            if type(value) is not dict:
                return ABSENT if isinstance(value, Absent) else _inside(value)
            found = value.get(name, ABSENT)
            if found is ABSENT:
                whole = self.resolve(template, value)
                if whole is not value:
                    # All of the properties are one function.
                    return self.at(template, whole, path)
                return _missing(value, name)
            kind = type(found)
            value = found if kind is bool or kind is list else self.resolve(template, found)
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
        known, refused = self.told(template, name)
        if known is not None:
            return _typed(known, kind)
        if "Default" in definition and definition["Default"] not in refused:
            return _typed(definition["Default"], kind)
        allowed = definition.get("AllowedValues")
        options = [value for value in allowed if value not in refused] if isinstance(allowed, list) else []
        if options:
            return _typed(self._choose((template, "parameter", name, *refused), options), kind)
        if "Default" in definition:
            return Unresolved(f"Parameter {name} is given another value than its default.")
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
        return self._substitute(template, argument, {})

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
        if index >= len(items):
            return Unresolved(f"The list has no item {index}.")
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
        distinct = {canonical(option): option for option in options.values()}
        return self._choose((template, "map", canonical(argument)), list(distinct.values()))

    def _union(self, options: dict[str, Any], last: str, found: list[list[Any]]) -> list[Any]:
        key = (id(options), last)
        if key not in self._unions:
            parts = {canonical(part): part for item in found for part in item}
            self._unions[key] = list(parts.values())
        return self._unions[key]

    def _base64(self, template: Template, argument: Any) -> Any:
        return Encoded(self.resolve(template, argument))

    def _zones(self, template: Template, argument: Any) -> Any:
        return [Pseudo(f"AvailabilityZone{i}") for i in range(6)]

    def _to_json(self, template: Template, argument: Any) -> Any:
        return json.dumps(self.whole(template, argument), default=show)


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
    size = len(name)
    for key in value:
        if len(key) == size and key.lower() == name.lower():
            return Misspelt(key)
    return ABSENT
