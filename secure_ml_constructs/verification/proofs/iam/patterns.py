"""Texts of a policy: wildcards, policy variables with their defaults, and the segments of ARNs.

Rules from the IAM User Guide, "IAM policy elements: Variables and tags" (variables, `${*}`, defaults, and
"Policy variables with no value") and "IAM JSON policy elements: Resource" (wildcards and ARN segments).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from secure_ml_constructs.verification.proofs.iam.ternary import Unknown

Value = str | tuple[str, ...]
Context = Mapping[str, Value]

_TOKEN = re.compile(r"\$\{([^{}]*)\}|([*?])")
_DEFAULT = re.compile(r"\s*(?P<key>[^,]*?)\s*(?:,\s*'(?P<default>[^']*)'\s*)?")


@dataclass(frozen=True, slots=True, eq=False)
class Wild:
    """A wildcard: one of the two below, which are known by their identity as patterns are looked up a lot.

    Attributes:
        many: `*` rather than `?`.
    """

    many: bool


@dataclass(frozen=True, slots=True)
class Variable:
    """A policy variable.

    Attributes:
        key: The context key, in lower case.
        default: What stands for it when the key is absent.
    """

    key: str
    default: str | None


Token = str | Wild | Variable
# A pattern with every variable filled in; neighbouring texts are joined.
Pattern = tuple[str | Wild, ...]
STAR = Wild(many=True)
ONE = Wild(many=False)
ANY: Pattern = (STAR,)


@lru_cache(maxsize=8192)
def tokens(text: str, wildcards: bool = True, variables: bool = True) -> tuple[Token, ...]:
    """Read a text of a policy.

    Args:
        text: As written.
        wildcards: Whether `*` and `?` are wildcards here, or plain text.
        variables: Whether `${…}` is a variable: not in documents of version 2008-10-17.
    """
    found: list[Token] = []
    place = 0
    for match in _TOKEN.finditer(text):
        inside, wild = match.groups()
        if (wild and not wildcards) or (inside is not None and not variables):
            continue
        found.append(text[place : match.start()])
        place = match.end()
        if wild:
            found.append(STAR if wild == "*" else ONE)
        elif inside in ("*", "?", "$"):
            found.append(inside)
        else:
            parts = _DEFAULT.fullmatch(inside)
            found.append(
                Variable(parts["key"].lower(), parts["default"]) if parts else Variable(inside.lower(), None)
            )
    found.append(text[place:])
    return _joined(found)


def _joined(parts: list[Token]) -> tuple[Token, ...]:
    joined: list[Token] = []
    for part in parts:
        if part == "":
            continue
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    return tuple(joined)


def variables(text: tuple[Token, ...]) -> tuple[str, ...]:
    """The context keys a text refers to."""
    # Most have none, and this is asked of every text of every policy, again for each question.
    for token in text:
        if type(token) is Variable:
            return tuple(token.key for token in text if isinstance(token, Variable))
    return ()


def fill_in(text: tuple[Token, ...], context: Context) -> Pattern | Unknown | None:
    """Put the values of the request in for the variables.

    Wildcards in a value are plain text.

    Returns:
        The pattern; None where a variable has no value, so that nothing equals it; `Unknown` where the
        variable has several values.
    """
    if not variables(text):
        return text  # type: ignore[return-value]  # as `tokens` joined it
    filled: list[Token] = []
    for token in text:
        if not isinstance(token, Variable):
            filled.append(token)
            continue
        value = context.get(token.key)
        if isinstance(value, tuple) and value:
            return Unknown(f"${{{token.key}}} has several values")
        # An empty value counts as none.
        value = value or token.default
        if not value:
            return None
        filled.append(str(value))
    return _joined(filled)  # type: ignore[return-value]  # no variable is left


def literal(pattern: Pattern) -> str | None:
    """The one text that a pattern stands for, or None when it has wildcards."""
    if not pattern:
        return ""
    return pattern[0] if len(pattern) == 1 and isinstance(pattern[0], str) else None


@lru_cache(maxsize=8192)
def regex(pattern: Pattern, wild: str = ".") -> re.Pattern[str]:
    """Compile a pattern.

    Args:
        pattern: The pattern.
        wild: What a wildcard stands for, as a class of characters.
    """
    parts = (
        re.escape(part) if isinstance(part, str) else wild + ("*" if part.many else "") for part in pattern
    )
    return re.compile("".join(parts), re.DOTALL)


def matches(pattern: Pattern, value: str) -> bool:
    """Whether a pattern matches a whole value."""
    if len(pattern) == 1:
        only = pattern[0]
        return only == value if isinstance(only, str) else only.many or len(value) == 1
    return regex(pattern).fullmatch(value) is not None


@lru_cache(maxsize=8192)
def segments(pattern: Pattern) -> tuple[Pattern, ...]:
    """Part a pattern at its first five colons; fewer than six segments where it has fewer colons."""
    parts: list[list[str | Wild]] = [[]]
    for token in pattern:
        if isinstance(token, Wild):
            parts[-1].append(token)
            continue
        first, *rest = token.split(":", 6 - len(parts))
        if first:
            parts[-1].append(first)
        parts.extend([text] if text else [] for text in rest)
    return tuple(tuple(part) for part in parts)


@lru_cache(maxsize=8192)
def arn_regex(pattern: Pattern) -> re.Pattern[str] | None:
    """Compile the pattern of an ARN segment by segment; None where it has no six segments."""
    parts = segments(pattern)
    if len(parts) != 6:
        return None
    heads = (regex(part, "[^:]").pattern for part in parts[:5])
    return re.compile(":".join((*heads, regex(parts[5]).pattern)), re.DOTALL)


def is_arn(value: str) -> bool:
    """Whether a value has the six segments of an ARN."""
    return value.startswith("arn:") and value.count(":") >= 5
