"""The one error that input which can't be read gets."""

from __future__ import annotations


class TemplateError(ValueError):
    """A file is no template that can be read.

    Attributes:
        path: The file, or the stack's name where there is no file.
        line: The line, counted from 1, where it is known.
        reason: Why it can't be read.
    """

    def __init__(self, path: str, line: int | None, reason: str) -> None:
        self.path = path
        self.line = line
        self.reason = reason
        place = path if line is None else f"{path}:{line}"
        super().__init__(f"{place}: {reason}")
