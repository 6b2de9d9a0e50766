"""Policy documents of templates, also those that can't be read for certain."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from secure_ml_constructs.verification.proofs.estate.settled import Settled
from secure_ml_constructs.verification.proofs.iam.documents import (
    Document,
    Kind,
    Principals,
    Statement,
    UnreadableError,
    parse,
)
from secure_ml_constructs.verification.proofs.iam.ternary import Unknown
from secure_ml_constructs.verification.templates import Resource, Template

_WITH_PRINCIPAL = (Kind.RESOURCE, Kind.ENDPOINT)


@dataclass(frozen=True)
class Unreadable:
    """A document whose content is not known.

    Attributes:
        name: What answers call it.
        reason: Why it can't be read.
    """

    name: str
    reason: str


class Reader:
    """Reads documents, and keeps a list of those that can't be read.

    Args:
        settled: Resolves what is in them.
    """

    def __init__(self, settled: Settled) -> None:
        self.settled = settled
        self.unreadable: list[Unreadable] = []

    def name(self, resource: Resource, part: str = "") -> str:
        """What a document of a resource is called: stack, logical id and what is named besides."""
        return "/".join(filter(None, (self.settled.label(resource.template), resource.logical_id, part)))

    def read(
        self, template: Template, value: Any, kind: Kind, name: str, *, api: str | None = None
    ) -> Document:
        """Read a document.

        Args:
            template: The template that holds it.
            value: The document as it stands there, or as JSON text.
            kind: What it is attached to.
            name: What to call it.
            api: For an API's policy: the API's ARN up to its id.

        Returns:
            The document; one that may say anything where it can't be read.
        """
        found = self.settled.concrete(template, value)
        try:
            if isinstance(found, str):
                found = json.loads(found)
            if isinstance(found, Unknown):
                raise UnreadableError(found.reason)
            return parse(found, kind, name, api=api)
        except (UnreadableError, ValueError, RecursionError) as error:
            reason = str(error).removeprefix(f"{name}: ")
            self.unreadable.append(Unreadable(name, reason))
            return anything(kind, name, reason)


def anything(kind: Kind, name: str, reason: str, *, may_deny: bool = True) -> Document:
    """A document of unknown content: no proof may rest on it, and no counter-example either.

    Args:
        kind: What it is attached to.
        name: What to call it.
        reason: Why its content is not known.
        may_deny: Whether it may hold Denies.
    """
    unknown = Unknown(f"what {name} says: {reason}")
    principals = Principals(False, (), False, unknown) if kind in _WITH_PRINCIPAL else None
    statements = tuple(
        Statement(
            document=name,
            label="#?",
            allow=allow,
            principals=principals,
            actions=(unknown,),
            not_action=False,
            resources=(unknown,),
            not_resource=False,
            conditions=(),
        )
        for allow in ((True, False) if may_deny else (True,))
    )
    return Document(name, kind, statements)


def unsure(document: Document, reason: str) -> Document:
    """The document, none of whose statements stands there for certain."""
    unknown = Unknown(reason)
    return Document(
        document.name,
        document.kind,
        tuple(replace(each, unsure=unknown) if each.unsure is None else each for each in document.statements),
    )


def joined(documents: Iterable[Document]) -> Document | None:
    """Documents of one resource as one; None where there is none."""
    found = list(documents)
    if len(found) < 2:
        return found[0] if found else None
    statements = tuple(statement for document in found for statement in document.statements)
    return Document(found[0].name, found[0].kind, statements)
