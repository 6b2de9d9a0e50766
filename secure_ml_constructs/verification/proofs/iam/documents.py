"""Policy documents, parsed once into statements that later steps only compare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from secure_ml_constructs.verification.proofs.iam.operators import OPERATORS, Operator
from secure_ml_constructs.verification.proofs.iam.patterns import Token, tokens, variables
from secure_ml_constructs.verification.proofs.iam.ternary import Ternary, Unknown


class UnreadableError(ValueError):
    """A document is no policy document."""


class Kind(StrEnum):
    """What a document is attached to."""

    IDENTITY = "identity policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    RESOURCE = "resource policy"
    ENDPOINT = "endpoint policy"
    SCP = "SCP"
    RCP = "RCP"


@dataclass(frozen=True, slots=True)
class Condition:
    """One line of a Condition block.

    Attributes:
        operator: The operator, without set operator and `IfExists`; None for one that does not exist.
        written: The operator as written.
        quantifier: `forallvalues`, `foranyvalue` or nothing.
        if_exists: Whether `IfExists` stands at its end.
        key: The context key, in lower case.
        values: The values; `Unknown` for one that is not known.
        variables: Whether a value has a policy variable.
        compared: What the line comes to for values that it was asked about, if it has none.
    """

    operator: Operator | None
    written: str
    quantifier: str
    if_exists: bool
    key: str
    values: tuple[tuple[Token, ...] | Unknown, ...]
    variables: bool = field(init=False, repr=False, compare=False)
    compared: dict[str, Ternary] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found = any(not isinstance(each, Unknown) and variables(each) for each in self.values)
        object.__setattr__(self, "variables", found)


@dataclass(frozen=True, slots=True)
class Principals:
    """A Principal or NotPrincipal element.

    Attributes:
        anyone: Whether `*` is among them.
        names: The others, each with its type: `AWS`, `Service`, `Federated`, `CanonicalUser`.
        inverted: Whether it is NotPrincipal.
        unknown: Why a part of it is not known.
    """

    anyone: bool
    names: tuple[tuple[str, str], ...]
    inverted: bool
    unknown: Unknown | None


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement.

    Attributes:
        document: The name of its document.
        label: Its Sid, else its place: `#0`.
        allow: Whether it allows.
        principals: None where it has neither Principal nor NotPrincipal.
        actions: Action patterns in lower case, wildcards read.
        not_action: Whether these are the ones it leaves out.
        resources: Resource patterns; None where it has no such element, as in role trusts.
        not_resource: Whether these are the ones it leaves out.
        conditions: What must hold besides.
        unsure: Why it may not stand there at all; None where it surely does.
    """

    document: str
    label: str
    allow: bool
    principals: Principals | None
    actions: tuple[tuple[Token, ...] | Unknown, ...]
    not_action: bool
    resources: tuple[tuple[Token, ...] | Unknown, ...] | None
    not_resource: bool
    conditions: tuple[Condition, ...]
    unsure: Unknown | None = None


@dataclass(frozen=True)
class Document:
    """One policy document.

    Attributes:
        name: What to call it in an answer.
        kind: What it is attached to.
        statements: Its statements, in order.
    """

    name: str
    kind: Kind
    statements: tuple[Statement, ...]

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        # Worked out once: memories of what a document says are kept by the document.
        return hash((self.name, self.kind, self.statements))

    @property
    def grants(self) -> bool:
        """Whether it has any Allow."""
        return any(statement.allow for statement in self.statements)


def parse(document: Any, kind: Kind, name: str = "", *, api: str | None = None) -> Document:
    """Parse one document.

    Args:
        document: The JSON of it. What is no text, such as an intrinsic function that nobody resolved, is
            taken as not known; an `Unknown` in it says why.
        kind: What it is attached to.
        name: What to call it in an answer.
        api: For the policy of an API: the API's ARN up to its id, which `execute-api:/…` stands for.

    Raises:
        UnreadableError: It is no policy document.
    """
    name = name or kind.value
    if not isinstance(document, Mapping) or "Statement" not in document:
        raise UnreadableError(f"{name}: a policy document has a Statement")
    # "Version": in documents of 2008-10-17, also those that name none, `${…}` is plain text.
    variables = document.get("Version") == "2012-10-17"
    found = document["Statement"]
    statements = [found] if isinstance(found, Mapping) else found
    if not isinstance(statements, list | tuple):
        raise UnreadableError(f"{name}: Statement is a statement or a list of them")
    return Document(
        name, kind, tuple(_statement(each, name, i, variables, api) for i, each in enumerate(statements))
    )


def _statement(given: Any, name: str, index: int, variables: bool, api: str | None) -> Statement:
    where = f"{name}, statement {index}"
    if not isinstance(given, Mapping):
        raise UnreadableError(f"{where}: no object")
    effect = given.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise UnreadableError(f"{where}: Effect is Allow or Deny")
    strange = set(given) - _ELEMENTS
    if strange:
        raise UnreadableError(f"{where}: no such element: {', '.join(sorted(map(str, strange)))}")
    for pair in (("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal")):
        if all(element in given for element in pair):
            raise UnreadableError(f"{where}: either {pair[0]} or {pair[1]}")
    sid = given.get("Sid")
    not_action, not_resource = "NotAction" in given, "NotResource" in given
    actions = given.get("NotAction" if not_action else "Action")
    if not isinstance(actions, Unknown) and not actions:
        raise UnreadableError(f"{where}: names no Action")
    resources = given.get("NotResource" if not_resource else "Resource")
    return Statement(
        document=name,
        label=sid if isinstance(sid, str) and sid else f"#{index}",
        allow=effect == "Allow",
        principals=_principals(given, where),
        actions=tuple(_text(each, "an action", variables=False, lower=True) for each in _list(actions)),
        not_action=not_action,
        resources=None
        if resources is None
        else tuple(_resource(each, variables, api) for each in _list(resources)),
        not_resource=not_resource,
        conditions=tuple(_conditions(given.get("Condition"), where, variables)),
    )


_ELEMENTS = {
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
}


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _text(
    value: Any, what: str, *, wildcards: bool = True, variables: bool, lower: bool = False
) -> tuple[Token, ...] | Unknown:
    if isinstance(value, bool):
        value = str(value).lower()
    elif isinstance(value, int | float):
        value = str(value)
    if not isinstance(value, str):
        return value if isinstance(value, Unknown) else Unknown(f"{what} that is not resolved: {value}")
    return tokens(value.lower() if lower else value, wildcards, variables)


def _resource(value: Any, variables: bool, api: str | None) -> tuple[Token, ...] | Unknown:
    if isinstance(value, str) and value.startswith("execute-api:/"):
        if api is None:
            return Unknown(f"{value} stands for an API that is not named")
        value = f"{api}/{value.removeprefix('execute-api:/')}"
    return _text(value, "a resource", variables=variables)


def _principals(given: Mapping[str, Any], where: str) -> Principals | None:
    inverted = "NotPrincipal" in given
    element = given.get("NotPrincipal" if inverted else "Principal")
    if element is None:
        return None
    if isinstance(element, Unknown):
        return Principals(False, (), inverted, element)
    if element == "*":
        return Principals(True, (), inverted, None)
    if not isinstance(element, Mapping):
        raise UnreadableError(f"{where}: Principal is * or an object")
    anyone, unknown = False, None
    names: list[tuple[str, str]] = []
    for kind, values in element.items():
        for value in _list(values):
            if value == "*" and kind == "AWS":
                anyone = True
            elif not isinstance(value, str):
                unknown = (
                    value
                    if isinstance(value, Unknown)
                    else Unknown(f"a principal that is not resolved: {value}")
                )
            else:
                names.append((kind, value))
    return Principals(anyone, tuple(names), inverted, unknown)


def _conditions(block: Any, where: str, variables: bool) -> Iterable[Condition]:
    if block is None:
        return
    if not isinstance(block, Mapping) or not all(isinstance(lines, Mapping) for lines in block.values()):
        raise UnreadableError(f"{where}: Condition is an object of objects")
    if not all(isinstance(key, str) for key in (*block, *(key for lines in block.values() for key in lines))):
        raise UnreadableError(f"{where}: operators and keys are texts")
    for written, lines in block.items():
        quantifier, _, base = written.lower().rpartition(":")
        if_exists = base.endswith("ifexists")
        operator = OPERATORS.get(base.removesuffix("ifexists"))
        if quantifier not in ("", "forallvalues", "foranyvalue") or (
            operator is not None and operator.family == "null" and (if_exists or quantifier)
        ):
            operator = None
        wildcards = operator is not None and operator.wildcards
        for key, values in lines.items():
            yield Condition(
                operator=operator,
                written=written,
                quantifier=quantifier,
                if_exists=if_exists,
                key=key.lower(),
                values=tuple(
                    _text(each, f"a value of {key}", wildcards=wildcards, variables=variables)
                    for each in _list(values)
                ),
            )
