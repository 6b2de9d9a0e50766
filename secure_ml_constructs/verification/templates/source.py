"""Turn the text of a template into data, and find the line of anything in it again."""

from __future__ import annotations

import json
import re
from typing import Any, Protocol

from secure_ml_constructs.verification.templates.errors import TemplateError

# CloudFormation takes templates of 1 MB; more than this is no template that anyone could deploy.
LARGEST = 16 * 1024 * 1024

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|\n')


class Source(Protocol):
    """A template's text, asked for lines only when there is something to show."""

    def line(self, path: tuple[str | int, ...]) -> int | None:
        """The line of what lies at a path, or of the last part of the path that exists."""


def parse(text: str, name: str) -> tuple[Any, Source]:
    """Read JSON or YAML.

    Args:
        text: The whole text.
        name: What errors call it: the path as the user gave it.

    Returns:
        The data, and where in the text it stands.

    Raises:
        TemplateError: The text is neither, holds a key twice, or is nested too deeply.
    """
    stripped = text.lstrip()
    if not stripped:
        raise TemplateError(name, None, "The file is empty.")
    try:
        if stripped[0] in "{[":
            try:
                return _json(text, name), JsonSource(text)
            except json.JSONDecodeError as error:
                # A flow mapping of YAML may begin like JSON; what is neither is reported as JSON.
                return _yaml_or(error, text, name)
        from secure_ml_constructs.verification.templates import yaml_source

        return yaml_source.parse(text, name)
    except RecursionError:
        raise TemplateError(name, None, "It is nested more deeply than a template can be.") from None


def _json(text: str, name: str) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise TemplateError(name, _line_of_second(text, twice), f"{twice!r} is given twice.")
        return found

    def refuse(constant: str) -> Any:
        raise TemplateError(name, None, f"{constant} is no JSON value.")

    return json.loads(text, object_pairs_hook=unique, parse_constant=refuse)


def _yaml_or(error: json.JSONDecodeError, text: str, name: str) -> tuple[Any, Source]:
    # YAML reads truncated JSON no better, and reads it slowly.
    if "'" not in text[:200] and not re.match(r"\s*\{\s*[A-Za-z]", text):
        raise TemplateError(name, error.lineno, f"This is no JSON: {error.msg}.") from None
    from secure_ml_constructs.verification.templates import yaml_source

    try:
        return yaml_source.parse(text, name)
    except TemplateError:
        raise TemplateError(name, error.lineno, f"This is no JSON: {error.msg}.") from None


def _line_of_second(text: str, key: str) -> int | None:
    quoted = json.dumps(key)
    first = text.find(quoted)
    second = text.find(quoted, first + 1)
    return None if second < 0 else text.count("\n", 0, second) + 1


class JsonSource:
    """The lines of a JSON text, found by reading its tokens once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines: dict[tuple[str | int, ...], int] | None = None

    def line(self, path: tuple[str | int, ...]) -> int | None:
        """The line of what lies at a path, or of the last part of the path that exists."""
        if self._lines is None:
            self._lines = _json_lines(self._text)
        for length in range(len(path), 0, -1):
            if path[:length] in self._lines:
                return self._lines[path[:length]]
        return None


def _json_lines(text: str) -> dict[tuple[str | int, ...], int]:
    lines: dict[tuple[str | int, ...], int] = {}
    line = 1
    path: list[str | int] = []
    # One entry for each open container: whether it is a list.
    lists: list[bool] = []
    expects_key = False
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token == "\n":
            line += 1
        elif token == "{":
            lists.append(False)
            expects_key = True
        elif token == "[":
            lists.append(True)
            path.append(0)
            lines.setdefault(tuple(path), line)
            expects_key = False
        elif token in "}]":
            if lists.pop() or not expects_key:
                path.pop()
            expects_key = False
        elif token == ",":
            if lists[-1]:
                path[-1] = int(path[-1]) + 1
                lines.setdefault(tuple(path), line)
            else:
                path.pop()
                expects_key = True
        elif token == ":":
            expects_key = False
        elif expects_key:
            path.append(str(json.loads(token)))
            lines[tuple(path)] = line
            expects_key = False
    return lines
