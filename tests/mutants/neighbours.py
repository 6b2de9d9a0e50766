"""Who names whom in an environment."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

Name = tuple[str, str]

_VARIABLE = re.compile(r"\$\{([^!}.]+)")


class Neighbours:
    """The resources that name one another, by stack and logical id.

    Args:
        templates: The environment's templates by stack name.
    """

    def __init__(self, templates: Mapping[str, Any]) -> None:
        self._found: defaultdict[Name, set[Name]] = defaultdict(set)
        for stack, body in templates.items():
            for logical_id, resource in body["Resources"].items():
                for other in named(resource, stack, templates):
                    self._found[stack, logical_id].add(other)
                    self._found[other].add((stack, logical_id))

    def of(self, name: Name) -> set[Name]:
        """Those that a resource names, and that name it."""
        return self._found[name]


def named(value: Any, stack: str, templates: Mapping[str, Any]) -> Iterator[Name]:
    """The resources that a value names, in its own stack or by another's outputs."""
    if isinstance(value, list):
        for item in value:
            yield from named(item, stack, templates)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "Ref" and isinstance(item, str):
                yield from _own(item, stack, templates)
            elif key == "Fn::GetAtt":
                yield from _own(item[0] if isinstance(item, list) else item.split(".")[0], stack, templates)
            elif key == "Fn::Sub":
                text = item[0] if isinstance(item, list) else item
                for name in _VARIABLE.findall(text):
                    yield from _own(name, stack, templates)
                yield from named(item, stack, templates)
            elif key == "Fn::GetStackOutput" and isinstance(item.get("StackName"), str):
                other = item["StackName"]
                output = templates.get(other, {}).get("Outputs", {}).get(item["OutputName"], {})
                yield from named(output.get("Value"), other, templates)
            else:
                yield from named(item, stack, templates)


def _own(name: str, stack: str, templates: Mapping[str, Any]) -> Iterator[Name]:
    if name in templates[stack]["Resources"]:
        yield stack, name
