"""Policy documents as statements: what they allow, to whom, under which conditions."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from secure_ml_constructs.verification.templates import Absent, Template, Templates, Unresolved, show

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

    def covers(self, action: str) -> bool:
        """Whether the actions hold one, wildcards read."""
        action = action.lower()
        if "NotAction" in self.inverted:
            return not any(fnmatchcase(action, pattern) for pattern in self.actions)
        return any(pattern == action or fnmatchcase(action, pattern) for pattern in self.actions)

    @property
    def public(self) -> bool:
        """Whether anyone at all is a principal, nothing tying the request to someone known."""
        anyone = "*" in self.principals or "aws:*" in self.principals or "NotPrincipal" in self.inverted
        return anyone and not self.bound()

    def bound(self, *keys: str) -> bool:
        """Whether a condition ties the request down: by one of the keys, else by any that binds."""
        wanted = {key.lower() for key in keys} or _BINDING
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
        return any(name == key.lower() for _, name in self.conditions)

    def anywhere(self) -> bool:
        """Whether the resources are all there are."""
        if "NotResource" in self.inverted:
            return True
        return any(re.fullmatch(r"\*|arn:[^:]+:[^:]*:\*:\*:\*|arn:\*|\*:\*", text) for text in self.resources)


def _anything(value: str) -> bool:
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
    memo = graph.memo
    key = ("statements", id(document))
    if key in memo:
        return memo[key]  # type: ignore[no-any-return]
    before = graph.branched
    found = _read(graph, template, document)
    # What hangs on a condition is another thing in another world.
    if not before and not graph.branched:
        memo[key] = found
    return found


def _read(graph: Templates, template: Template, document: Any) -> list[Statement] | Unresolved:
    value = graph.whole(template, document)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return Unresolved("The policy is no JSON.")
    if isinstance(value, Unresolved):
        return value
    if not isinstance(value, dict):
        return Unresolved(f"{show(value)} is known when the stack is deployed.")
    found = value.get("Statement", [])
    if isinstance(found, Unresolved):
        return found
    return [_statement(item, i) for i, item in enumerate(_list(found))]


def _statement(item: Any, index: int) -> Statement:
    if not isinstance(item, dict):
        reason = item if isinstance(item, Unresolved) else Unresolved("A statement is no mapping.")
        return Statement(index, True, (), (), (), (), {}, reason)
    unresolved: Unresolved | None = None

    def texts(value: Any) -> tuple[str, ...]:
        nonlocal unresolved
        found = []
        for part in _list(value):
            if isinstance(part, Unresolved):
                unresolved = unresolved or part
            elif not isinstance(part, str) and getattr(part, "unresolved", None):
                unresolved = unresolved or part.unresolved
            found.append(show(part))
        return tuple(found)

    inverted = tuple(name for name in ("NotPrincipal", "NotAction", "NotResource") if name in item)
    principals: list[str] = []
    who = item.get("Principal", item.get("NotPrincipal", ()))
    if isinstance(who, dict):
        for kind, names in who.items():
            principals += [f"{str(kind).lower()}:{name}" for name in texts(names)]
    else:
        principals += texts(who)
    conditions: dict[tuple[str, str], tuple[str, ...]] = {}
    condition = item.get("Condition", {})
    if isinstance(condition, dict):
        for operator, tests in condition.items():
            if isinstance(tests, dict):
                for name, values in tests.items():
                    conditions[str(operator).lower(), str(name).lower()] = texts(values)
    else:
        unresolved = Unresolved("Its condition is known when the stack is deployed.")
    actions = texts(item.get("Action", item.get("NotAction", ())))
    resources = texts(item.get("Resource", item.get("NotResource", ())))
    return Statement(
        index=index,
        allow=show(item.get("Effect", "Allow")).lower() != "deny",
        principals=tuple(principals),
        inverted=inverted,
        actions=tuple(action.lower() for action in actions),
        resources=resources,
        conditions=conditions,
        unresolved=unresolved,
    )


def _list(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return [] if isinstance(value, Absent) or value == () else [value]
