"""YAML as CloudFormation reads it: short-form tags, anchors and merge keys; dates stay text."""

from __future__ import annotations

from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from secure_ml_constructs.verification.templates.errors import TemplateError

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# An alias is copied when the template is deployed: a few lines may stand for more than any machine holds.
_MOST_VALUES = 2_000_000

_PLAIN = {
    "tag:yaml.org,2002:null",
    "tag:yaml.org,2002:bool",
    "tag:yaml.org,2002:int",
    "tag:yaml.org,2002:float",
}
_MERGE = "tag:yaml.org,2002:merge"


class YamlSource:
    """The lines of a YAML text, read from its nodes."""

    def __init__(self, root: Node) -> None:
        self._root = root

    def line(self, path: tuple[str | int, ...]) -> int | None:
        """The line of what lies at a path, or of the last part of the path that exists."""
        node: Node | None = self._root
        line = None
        for part in path:
            key, node = _child(node, part)
            if node is None:
                break
            line = (key or node).start_mark.line + 1
        return line


def _child(node: Node | None, part: str | int) -> tuple[Node | None, Node | None]:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value == part:
                return key, value
    if isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
        return None, node.value[part]
    return None, None


def parse(text: str, name: str) -> tuple[Any, YamlSource]:
    """Read one YAML document.

    Raises:
        TemplateError: It is no YAML, holds several documents, or an alias holds itself.
    """
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            raise TemplateError(name, None, "The file is empty.")
        return _Reader(loader, name).read(root), YamlSource(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        raise TemplateError(name, line, f"This is no YAML: {error.problem or error.context}.") from None
    except yaml.YAMLError as error:
        raise TemplateError(name, None, f"This is no YAML: {error}.") from None
    finally:
        loader.dispose()


class _Reader:
    def __init__(self, loader: Any, name: str) -> None:
        self._loader = loader
        self._name = name
        self._done: dict[int, tuple[Any, int]] = {}
        self._open: set[int] = set()
        self._size = 0

    def read(self, node: Node) -> Any:
        if id(node) in self._done:
            value, size = self._done[id(node)]
            self._grow(size, node)
            return value
        if id(node) in self._open:
            raise self._error(node, "An anchor holds an alias of itself.")
        self._open.add(id(node))
        before = self._size
        self._grow(1, node)
        value = self._value(node)
        self._open.discard(id(node))
        self._done[id(node)] = (value, self._size - before)
        return value

    def _grow(self, size: int, node: Node) -> None:
        self._size += size
        if self._size > _MOST_VALUES:
            raise self._error(node, "Its aliases stand for more than a template can hold.")

    def _error(self, node: Node, reason: str) -> TemplateError:
        return TemplateError(self._name, node.start_mark.line + 1, reason)

    def _value(self, node: Node) -> Any:
        value: Any
        if isinstance(node, MappingNode):
            value = self._mapping(node)
        elif isinstance(node, SequenceNode):
            value = [self.read(item) for item in node.value]
        else:
            value = self._scalar(node)
        if node.tag.startswith("!") and node.tag != "!":
            return _long_form(node.tag[1:], value)
        return value

    def _scalar(self, node: Node) -> Any:
        if node.tag in _PLAIN:
            try:
                return self._loader.construct_object(node)
            except (ValueError, KeyError):
                return node.value
        return node.value

    def _mapping(self, node: MappingNode) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, item in node.value:
            if key.tag == _MERGE:
                for source in item.value if isinstance(item, SequenceNode) else [item]:
                    if not isinstance(source, MappingNode):
                        raise self._error(item, "Only a mapping can be merged.")
                    merged = {**self.read(source), **merged}
                continue
            if not isinstance(key, ScalarNode):
                raise self._error(key, "A key must be text.")
            if key.value in found:
                raise self._error(key, f"{key.value!r} is given twice.")
            # CloudFormation takes every key as text, an account id without quotes as well.
            found[key.value] = self.read(item)
        return {**merged, **found}


def _long_form(tag: str, value: Any) -> dict[str, Any]:
    if tag in ("Ref", "Condition"):
        return {tag: value}
    if tag == "GetAtt" and isinstance(value, str):
        resource, _, attribute = value.partition(".")
        return {"Fn::GetAtt": [resource, attribute]}
    return {f"Fn::{tag}": value}
