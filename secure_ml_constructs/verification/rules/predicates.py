"""Predicates on one value that need nothing but the value."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome, Unknown
from secure_ml_constructs.verification.templates import (
    Absent,
    Dynamic,
    Misspelt,
    Pseudo,
    Reference,
    Text,
    Unresolved,
    show,
)

_DEPLOYED = (Reference, Text, Pseudo, Dynamic)


def misspelt(value: Misspelt) -> Fail:
    """The outcome of a property in a case that CloudFormation does not know."""
    return Fail(f"is written {value.key}, which CloudFormation does not take for it")


def not_set(value: Absent) -> Fail:
    """The outcome of a property that is needed and not there."""
    return misspelt(value) if isinstance(value, Misspelt) else Fail("is not set")


def known_later(value: Any, kind: str = "other") -> Unknown:
    """The outcome of a value that only the deployment knows."""
    if isinstance(value, Unresolved):
        return Unknown(value.reason, kind=kind)
    if isinstance(value, Text) and value.unresolved:
        return Unknown(value.unresolved.reason, kind=kind)
    return Unknown(f"{show(value)} is known when the stack is deployed.", kind=kind)


@dataclass(frozen=True, init=False)
class Equals:
    """The value is one of some literals.

    Attributes:
        values: The literals.
        absent: Whether it may also be missing.
    """

    values: tuple[Any, ...]
    absent: bool

    def __init__(self, *values: Any, absent: bool = False) -> None:
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "absent", absent)

    def check(self, value: Any, context: Context) -> Outcome | None:
        """Compare; a boolean is not its text."""
        for wanted in self.values:
            if value == wanted and type(value) is type(wanted):
                return None
        if isinstance(value, Absent):
            return None if self.absent and not isinstance(value, Misspelt) else not_set(value)
        if isinstance(value, Unresolved) or type(value) in _DEPLOYED:
            return known_later(value)
        if type(value) in (int, float) and str(value) in self.values:
            return None
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return Fail(f"is the text {value!r}, not a boolean")
        return Fail(f"is {show(value)}, not {' or '.join(map(show, self.values))}")


def absent_or(*values: Any) -> Equals:
    """The value is missing, or one of some literals."""
    return Equals(*values, absent=True)


@dataclass(frozen=True)
class Present:
    """There is a value, whatever it is; an empty text, list or mapping is none."""

    def check(self, value: Any, context: Context) -> Outcome | None:
        """Look whether anything is there."""
        if isinstance(value, Absent):
            return not_set(value)
        if isinstance(value, str | list | dict) and not value:
            return Fail("is empty")
        return None


@dataclass(frozen=True)
class Missing:
    """There is no value."""

    def check(self, value: Any, context: Context) -> Outcome | None:
        """Look whether nothing is there."""
        if isinstance(value, Misspelt):
            return misspelt(value)
        return None if isinstance(value, Absent) or value in ([], {}) else Fail("is set")


@dataclass(frozen=True)
class Bounded:
    """The value is a number within bounds.

    Attributes:
        least: The smallest that passes.
        most: The largest that passes.
        absent: Whether it may also be missing.
    """

    least: float | None = None
    most: float | None = None
    absent: bool = False

    def check(self, value: Any, context: Context) -> Outcome | None:
        """Compare."""
        if isinstance(value, Absent):
            return None if self.absent and not isinstance(value, Misspelt) else not_set(value)
        if isinstance(value, Unresolved) or type(value) in _DEPLOYED:
            return known_later(value)
        try:
            number = float(value)
        except (TypeError, ValueError):
            return Fail(f"is {show(value)}, not a number")
        if self.least is not None and not number >= self.least:
            return Fail(f"is {show(value)}, less than {self.least:g}")
        if self.most is not None and not number <= self.most:
            return Fail(f"is {show(value)}, more than {self.most:g}")
        return None


@dataclass(frozen=True)
class Items:
    """The value is a list of at least so many items.

    Attributes:
        least: How many there must be.
    """

    least: int = 1

    def check(self, value: Any, context: Context) -> Outcome | None:
        """Count what is not taken away."""
        if isinstance(value, Absent):
            return not_set(value)
        if type(value) is not list:
            return known_later(value) if isinstance(value, Unresolved) else None
        template = context.resource.template
        count = sum(not isinstance(context.graph.resolve(template, item), Absent) for item in value)
        if count >= self.least:
            return None
        return Fail("is empty" if not count else f"has {count} of the {self.least} items that it needs")


@dataclass(frozen=True)
class Matches:
    """The value's text matches a pattern; parts that are known at deployment stand as `${…}`.

    Attributes:
        pattern: A regular expression that is searched for.
        message: What to say where it does not.
        absent: Whether it may also be missing.
        negate: Whether it must not match.
    """

    pattern: str
    message: str
    absent: bool = False
    negate: bool = False

    def check(self, value: Any, context: Context) -> Outcome | None:
        """Search the text."""
        if isinstance(value, Absent):
            return None if self.absent and not isinstance(value, Misspelt) else not_set(value)
        if isinstance(value, dict | list):
            return Fail(self.message)
        found = re.search(self.pattern, show(value)) is not None
        if found != self.negate:
            if self.negate and isinstance(value, Unresolved):
                return known_later(value)
            return None
        if isinstance(value, Unresolved | Reference) or (isinstance(value, Text) and value.unresolved):
            return known_later(value)
        return Fail(self.message)


@dataclass(frozen=True)
class Allowed:
    """The value matches one of the patterns of a setting.

    Attributes:
        setting: The setting's name.
        what: What it is, in words.
    """

    setting: str
    what: str

    def check(self, value: Any, context: Context) -> Outcome | None:
        """Compare with the setting; a missing value is another rule's."""
        if isinstance(value, Absent):
            return misspelt(value) if isinstance(value, Misspelt) else None
        if not isinstance(value, str):
            return known_later(value)
        patterns = getattr(context.settings, self.setting)
        if any(fnmatchcase(value, pattern) for pattern in patterns):
            return None
        return Fail(f"is {value}, which is no allowed {self.what} ({self.setting} of the settings)")
