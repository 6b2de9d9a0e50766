"""The one error a wrong argument gets: every problem at once, each with what to write instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One refused argument.

    Attributes:
        argument: The argument's name, with the path inside it where it is nested (`zones[1].prefix`).
        given: What the caller wrote.
        reason: Why it is refused.
        fix: What to write instead.
    """

    argument: str
    given: object
    reason: str
    fix: str

    def __str__(self) -> str:
        return f"{self.argument}={self.given!r}: {self.reason} {self.fix}"


class ConfigurationError(ValueError):
    """A construct, value or configuration file was given arguments that it refuses.

    Attributes:
        where: The construct's path, the value's class name or the file's name.
        problems: Every problem found, in the order of the arguments.
    """

    def __init__(self, where: str, problems: Iterable[Problem]) -> None:
        self.where = where
        self.problems = tuple(problems)
        count = len(self.problems)
        lines = "\n".join(f"  - {problem}" for problem in self.problems)
        super().__init__(f"{where}: {count} problem{'s' if count != 1 else ''}\n{lines}")


class Problems:
    """Gathers problems, so that a caller sees all of them and not the first."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def add(self, argument: str, given: object, reason: str, fix: str) -> None:
        """Record one refused argument."""
        self._found.append(Problem(argument, given, reason, fix))

    def extend(self, prefix: str, problems: Iterable[Problem]) -> None:
        """Take over the problems of a nested value, with its path put in front."""
        self._found.extend(Problem(f"{prefix}.{p.argument}", p.given, p.reason, p.fix) for p in problems)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._found)

    def __bool__(self) -> bool:
        return bool(self._found)

    def raise_if_any(self, where: object) -> None:
        """Raise one `ConfigurationError` for all that was found.

        Args:
            where: What refuses: turned into text only when there is something to raise.
        """
        if self._found:
            raise ConfigurationError(str(where), self._found)
