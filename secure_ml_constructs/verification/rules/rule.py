"""One entry of the pack."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from secure_ml_constructs.verification.rules.outcome import Requirement


class Severity(StrEnum):
    """How much a finding weighs; a fatal one can't be acknowledged."""

    FATAL = "fatal"
    ERROR = "error"
    WARNING = "warning"

    @property
    def rank(self) -> int:
        """Its place, the gravest highest."""
        return {"warning": 0, "error": 1, "fatal": 2}[self.value]


FATAL, ERROR, WARNING = Severity.FATAL, Severity.ERROR, Severity.WARNING


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A setting that must be so, and why.

    Attributes:
        id: Its name, stable, as reports and acknowledgements give it.
        resource_type: The type that it judges.
        requirement: What must hold.
        severity: How much it weighs where it does not.
        control: The control that it guards.
        threats: Ids of the threats that it answers.
        title: What it asks, in one line.
        why: What an attacker or a mistake can do without it.
        fix: What to write.
        standards: Security Hub controls that it covers: `SageMaker.5`.
        also: Further types that are judged in the same way.
        off: Why it is off by default; empty where it is on.
    """

    id: str
    resource_type: str
    requirement: Requirement
    severity: Severity
    control: str
    threats: tuple[str, ...]
    title: str
    why: str
    fix: str
    standards: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    off: str = ""

    @property
    def types(self) -> tuple[str, ...]:
        """Every type that it judges."""
        return (self.resource_type, *self.also)
