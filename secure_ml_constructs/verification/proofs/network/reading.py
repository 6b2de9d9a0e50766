"""Reads properties in every world: what may be there, and what is there for certain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

from secure_ml_constructs.verification.proofs.network.traffic import (
    ANY_IPV4,
    ANY_IPV6,
    NOTHING,
    Traffic,
    cidr,
)
from secure_ml_constructs.verification.templates import (
    Absent,
    Reference,
    Resource,
    Templates,
    TooManyWorldsError,
    Unresolved,
    show,
)

T = TypeVar("T")


class Reader:
    """Templates, read for a network.

    Args:
        templates: The templates.

    Attributes:
        templates: The templates.
        gaps: What could not be read, so that nothing may be called unreachable.
    """

    def __init__(self, templates: Templates) -> None:
        self.templates = templates
        self.gaps: list[str] = []

    def resources(self, *types: str) -> Iterator[Resource]:
        """Every resource of the types."""
        return self.templates.resources(*types)

    def variants(self, resource: Resource, read: Callable[[Resource], T]) -> tuple[list[T], bool]:
        """What a resource may be, and whether it is so in every world.

        Args:
            resource: The resource.
            read: Reads it in the world at hand.
        """
        graph = self.templates
        if resource.condition is None:
            graph.start()
            first = read(resource)
            if not graph.branched:
                return [first], True
        found: list[T] = []
        always = True
        try:
            for exists, value in graph.worlds(lambda: self._in_world(resource, read)):
                always = always and exists
                if exists and value not in found:
                    found.append(cast("T", value))
        except TooManyWorldsError:
            self.gaps.append(f"{resource.logical_id} depends on more conditions than can be tried")
            always = False
        return found, always and len(found) == 1

    def _in_world(self, resource: Resource, read: Callable[[Resource], T]) -> tuple[bool, T | None]:
        if not self.templates.exists(resource):
            return False, None
        return True, read(resource)

    def get(self, resource: Resource, *path: str) -> Any:
        """A property in the world at hand."""
        return self.templates.get(resource, *path)

    def items(self, resource: Resource, *path: str) -> list[Any]:
        """The items of a list property in the world at hand, the absent left out."""
        found = self.templates.items(resource, *path)
        return [item for item in found if not isinstance(item, Absent)]

    def each(self, resource: Resource, path: str) -> list[Any]:
        """The items of a list property, each resolved with all in it."""
        value = self.templates.get(resource, path)
        if isinstance(value, Absent):
            return []
        items = value if type(value) is list else [value]
        return [self.templates.whole(resource.template, item) for item in items]

    def range(self, value: Any, version: int = 4) -> tuple[Traffic, str]:
        """The addresses of a CIDR property, and what of it is not resolved.

        Args:
            value: The property's value.
            version: Which addresses it holds where it can't be resolved.

        Returns:
            Every address where the value is not known, with the reason; nothing where there is none.
        """
        if isinstance(value, Absent):
            return NOTHING, ""
        if only(value, "AWS::EC2::VPC") and value.attribute == "CidrBlock":
            value = self.templates.get(value.resource, "CidrBlock")
        if type(value) is str:
            try:
                return cidr(value), ""
            except ValueError:
                pass
        return (ANY_IPV4 if version == 4 else ANY_IPV6), f"the range {show(value)} is not resolved"


def only(value: Any, *types: str) -> Resource | None:
    """The resource of one of the types that a value names."""
    if type(value) is Reference and value.resource.type in types:
        return value.resource
    return None


def may_be_ours(value: Any) -> bool:
    """Whether a value that names no resource of the templates could be one of theirs on deployment.

    A literal id can't: CloudFormation gives ids only when it makes things.
    """
    return not isinstance(value, str | Absent)


def why(value: Any) -> str:
    """Why a value is not known."""
    return value.reason.rstrip(".") if isinstance(value, Unresolved) else show(value)
