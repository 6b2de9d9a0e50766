"""Policy documents as statements: what they allow, to whom, under which conditions."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from secure_ml_constructs.verification.templates import (
    ABSENT,
    Template,
    Templates,
    Text,
    Unresolved,
    show,
)

# Keys that tie a request to known accounts, organizations, networks or resources.
_BINDING = {
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:sourceaccount",
    "aws:sourceowner",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourcevpce",
    "aws:sourcevpc",
    "aws:sourcevpcarn",
    "aws:vpceorgid",
    "aws:vpceaccount",
    "kms:calleraccount",
    "sns:endpoint",
    "lambda:functionurlauthtype",
}
_ELEMENTS = {
    name.lower(): name
    for name in (
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
    )
}
_ELEMENTS["condition"] = "Condition"
_INVERTED = ("NotPrincipal", "NotAction", "NotResource")
# From here on it pays to remember what was read.
_LONG = 32
# Everything, or all that a service has of one kind: `role/*`, `secret:*`, every bucket. An S3 ARN has neither
# kind nor account; others without an account are AWS's own: `foundation-model/*`.
_ALL = r"\*|arn:\*|\*:\*|arn:[^:]*:s3:::\*(?:/\*)?|arn:[^:]*:(?!s3:)[^:]*:[^:]*:{account}:(?:[a-z-]+[/:])?\*"
_EVERYTHING = re.compile(_ALL.replace("{account}", "[^:]*"))
_EVERYWHERE = re.compile(_ALL.replace("{account}", r"\*"))
_VARIABLE = re.compile(r"\$\{[^}]*\}")
_POSITIVE = ("stringequals", "stringlike", "arnequals", "arnlike", "stringequalsignorecase")


@dataclass(slots=True, eq=False)
class Statement:
    """One statement, in lower case where IAM does not mind.

    Attributes:
        index: Its place in the document.
        allow: Whether it allows.
        principals: `*`, `aws:…`, `service:…`, `federated:…`; empty in identity policies.
        inverted: The names of what is given as `Not…`.
        actions: Actions, in lower case.
        resources: Resources, with what is not known yet as `${…}`.
        conditions: Values by (operator, key), both in lower case.
        unresolved: Why a part of it is not known.
    """

    index: int
    allow: bool
    principals: tuple[str, ...]
    inverted: tuple[str, ...]
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: dict[tuple[str, str], tuple[str, ...]]
    unresolved: Unresolved | None
    _patterns: list[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Tell the actions with a wildcard apart: few have one, and they are asked for again and again."""
        self._patterns = [action for action in self.actions if "*" in action or "?" in action]

    def covers(self, action: str) -> bool:
        """Whether the actions hold one, wildcards read."""
        action = action.lower()
        held = action in self.actions
        if not held and self._patterns:
            held = any(fnmatchcase(action, pattern) for pattern in self._patterns)
        return held != ("NotAction" in self.inverted)

    @property
    def public(self) -> bool:
        """Whether anyone at all is a principal, nothing tying the request to someone known."""
        anyone = "*" in self.principals or "aws:*" in self.principals or "NotPrincipal" in self.inverted
        return anyone and not self.bound()

    def bound(self, *keys: str) -> bool:
        """Whether a condition ties the request down: by one of the keys, else by any that binds."""
        if not self.conditions:
            return False
        wanted = _lower(keys) if keys else _BINDING
        for (operator, key), values in self.conditions.items():
            if key not in wanted:
                continue
            if operator.endswith("ifexists") or operator.startswith("forallvalues:"):
                # True as well where the request has no such key.
                continue
            operator = operator.removeprefix("foranyvalue:")
            if operator in _POSITIVE and values and not any(_anything(value) for value in values):
                return True
        return False

    def has(self, key: str) -> bool:
        """Whether any condition names a key."""
        key = key.lower()
        return any(name == key for _, name in self.conditions)

    def anywhere(self, kind: str = "", *, account: bool = True) -> bool:
        """Whether the resources are all there are of a kind.

        Args:
            kind: The start of their ARNs from the service on: `kms`, `sagemaker:endpoint`. Any by default.
            account: Whether all of one account are enough.
        """
        if "NotResource" in self.inverted:
            return True
        everything = _EVERYTHING if account else _EVERYWHERE
        return any(
            everything.fullmatch(_VARIABLE.sub("X", text)) and (not kind or may_be(text, kind))
            for text in self.resources
            if "*" in text
        )


def may_be(text: str, kind: str) -> bool:
    """Whether a resource of a policy can be of a kind: the start of an ARN from the service on."""
    parts = _VARIABLE.sub("X", text).split(":", 5)
    if len(parts) < 6:
        return True
    service, _, name = kind.partition(":")
    return parts[2] in ("*", "X", service) and (
        not name or parts[5].startswith((f"{name}/", f"{name}:", "*", "X"))
    )


@cache
def _lower(keys: tuple[str, ...]) -> set[str]:
    return {key.lower() for key in keys}


def _anything(value: str) -> bool:
    if "*" not in value:
        return not value.strip("?")
    return set(value) <= set("*?:/") or re.fullmatch(r"arn:[^:]*:[^:]*:\*?:\*?:\*", value) is not None


def statements(graph: Templates, template: Template, document: Any) -> list[Statement] | Unresolved:
    """Read a policy document.

    Args:
        graph: Where references are followed.
        template: The template that holds the document.
        document: The document as it is written: a mapping or its JSON text.

    Returns:
        Its statements, or why it can't be read.
    """
    return graph.once(("statements", template), document, lambda: _read(graph, template, document))


def _read(graph: Templates, template: Template, document: Any) -> list[Statement] | Unresolved:
    value = graph.resolve(template, document)
    if isinstance(value, Text):
        value = show(value)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return Unresolved("The policy is no JSON.")
    if isinstance(value, Unresolved):
        return value
    if not isinstance(value, dict):
        return Unresolved(f"{show(value)} is known when the stack is deployed.")
    found = graph.resolve(template, value.get("Statement", value.get("statement", [])))
    if isinstance(found, Unresolved):
        return found
    reader = _Reader(graph, template)
    items = (graph.resolve(template, item) for item in _list(found))
    return [reader.statement(item, i) for i, item in enumerate(items) if item is not ABSENT]


class _Reader:
    """Reads the statements of one document, each value once."""

    def __init__(self, graph: Templates, template: Template) -> None:
        self._graph = graph
        self._resolve = graph.resolve
        self._template = template
        self._unresolved: Unresolved | None = None

    def statement(self, item: Any, index: int) -> Statement:
        self._unresolved = None
        if not isinstance(item, dict):
            reason = item if isinstance(item, Unresolved) else Unresolved("A statement is no mapping.")
            return Statement(index, True, (), (), (), (), {}, reason)
        if "Effect" not in item or ("Action" not in item and "NotAction" not in item):
            # IAM reads the names of elements in any case.
            item = {_ELEMENTS.get(str(key).lower(), key): value for key, value in item.items()}
        get = item.get
        actions = self._texts(get("Action", get("NotAction")))
        return Statement(
            index=index,
            allow=show(self._resolve(self._template, get("Effect", "Allow"))).lower() != "deny",
            principals=self._principals(get("Principal", get("NotPrincipal"))),
            inverted=tuple(name for name in _INVERTED if name in item),
            actions=tuple([action.lower() for action in actions]),
            resources=self._texts(get("Resource", get("NotResource"))),
            conditions=self._conditions(get("Condition")),
            unresolved=self._unresolved,
        )

    def _principals(self, value: Any) -> tuple[str, ...]:
        who = self._resolve(self._template, value)
        if type(who) is not dict:
            return self._texts(who)
        found = []
        for kind, names in who.items():
            found += [f"{str(kind).lower()}:{name}" for name in self._texts(names)]
        return tuple(found)

    def _conditions(self, value: Any) -> dict[tuple[str, str], tuple[str, ...]]:
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        condition = self._resolve(self._template, value)
        if type(condition) is dict:
            for operator, tests in condition.items():
                tests = self._resolve(self._template, tests)
                if type(tests) is dict:
                    for name, values in tests.items():
                        found[str(operator).lower(), str(name).lower()] = self._texts(values)
        elif condition is not ABSENT:
            self._unresolved = Unresolved("Its condition is known when the stack is deployed.")
        return found

    def _texts(self, value: Any) -> tuple[str, ...]:
        if type(value) is str and "{{" not in value:
            return (value,)
        value = self._resolve(self._template, value)
        if value is ABSENT:
            return ()
        if type(value) is list and len(value) > _LONG:
            # Lists of every account of a service stand in each endpoint's policy, the same object each time.
            question = ("texts", self._template)
            texts, unresolved = self._graph.once(question, value, lambda: self._each(value))
        else:
            texts, unresolved = self._each(value)
        self._unresolved = self._unresolved or unresolved
        return texts

    def _each(self, value: Any) -> tuple[tuple[str, ...], Unresolved | None]:
        found: list[str] = []
        unresolved: Unresolved | None = None
        for part in value if type(value) is list else (value,):
            if type(part) is not str:
                part = self._resolve(self._template, part)
                if part is ABSENT:
                    continue
                if type(part) is Unresolved:
                    unresolved = unresolved or part
                elif type(part) is Text:
                    unresolved = unresolved or part.unresolved
                elif type(part) is list:
                    found += map(show, part)
                    continue
                part = show(part)
            found.append(part)
        return tuple(found), unresolved


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
