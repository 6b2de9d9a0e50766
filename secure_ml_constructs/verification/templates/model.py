"""A template and its resources, as they are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from secure_ml_constructs.verification.templates.errors import TemplateError
from secure_ml_constructs.verification.templates.source import Source


@dataclass(slots=True, eq=False)
class Resource:
    """One resource as its template has it.

    Attributes:
        template: The template that holds it.
        logical_id: Its logical id.
        type: Its type.
        properties: Its properties, nothing resolved.
        body: All of it: `DependsOn`, `DeletionPolicy`, `Metadata` and so on.
        condition: The condition under which it is made.
    """

    template: Template
    logical_id: str
    type: str
    properties: dict[str, Any]
    body: dict[str, Any]
    condition: str | None

    def __repr__(self) -> str:
        return f"<{self.type} {self.template.name}/{self.logical_id}>"


@dataclass(slots=True, eq=False)
class Template:
    """One template: a stack, a nested stack or a file.

    Attributes:
        name: The stack's name, else the file's.
        path: The path as the user gave it, else the name.
        body: The whole template.
        resources: Its resources by logical id.
        parent: The `AWS::CloudFormation::Stack` that deploys it, for a nested stack.
        source: Where in the file things stand.
    """

    name: str
    path: str
    body: Any
    source: Source | None = None
    parent: Resource | None = None
    resources: dict[str, Resource] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._read_resources()

    def section(self, name: str) -> Mapping[str, Any]:
        """A section such as `Parameters`; empty where it is missing or no mapping."""
        found = self.body.get(name)
        return found if isinstance(found, dict) else {}

    def line(self, *path: str | int) -> int | None:
        """The line of what lies at a path."""
        return self.source.line(path) if self.source else None

    def _read_resources(self) -> None:
        if not isinstance(self.body, dict) or not isinstance(self.body.get("Resources"), dict):
            raise TemplateError(self.path, None, "This is no template: it has no Resources.")
        for logical_id, body in self.body["Resources"].items():
            if not isinstance(logical_id, str):
                raise self._error("Resources", f"The logical id {logical_id!r} is no text.")
            if logical_id.startswith("Fn::"):
                # Loops and transforms are the resolver's, which knows the parameters.
                continue
            self.resources[logical_id] = self.resource(logical_id, body)

    def resource(self, logical_id: str, body: Any) -> Resource:
        """Read one resource.

        Raises:
            TemplateError: It is no mapping, has no type, or its properties are no mapping.
        """
        if not isinstance(body, dict):
            raise self._error(logical_id, f"The resource {logical_id} is no mapping.")
        type_ = body.get("Type")
        if not isinstance(type_, str):
            raise self._error(logical_id, f"The resource {logical_id} has no Type.")
        properties = body.get("Properties")
        if properties is None:
            properties = {}
        if not isinstance(properties, dict):
            raise self._error(logical_id, f"The Properties of {logical_id} are no mapping.")
        condition = body.get("Condition")
        if not isinstance(condition, str | None):
            raise self._error(logical_id, f"The Condition of {logical_id} is no name.")
        return Resource(self, logical_id, type_, properties, body, condition)

    def _error(self, key: str, reason: str) -> TemplateError:
        path = ("Resources",) if key == "Resources" else ("Resources", key)
        return TemplateError(self.path, self.line(*path), reason)
