"""Findings that somebody accepts: written beside the templates, with a reason, and until when."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

from secure_ml_constructs.verification.rules.engine import Finding
from secure_ml_constructs.verification.rules.rule import Severity
from secure_ml_constructs.verification.templates import TemplateError

FILE = "secure-ml-acknowledgements.json"


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """One finding that is accepted.

    Attributes:
        rule: The rule's id.
        template: The file name of the template, or the stack's name.
        logical_id: The resource; a pattern such as `Archive*` for several.
        reason: Why the rule is wrong here, or what else holds the risk.
        owner: Who answers for it; empty where nobody is named.
        until: The last day on which it counts, as YYYY-MM-DD; empty for no end.
    """

    rule: str
    template: str
    logical_id: str
    reason: str
    owner: str = ""
    until: str = ""

    def covers(self, finding: Finding, today: date) -> bool:
        """Whether it accepts a finding on a day; a fatal one never."""
        return (
            finding.severity is not Severity.FATAL
            and self.rule == finding.rule
            and self.template in (finding.template, Path(finding.template).name)
            and fnmatchcase(finding.logical_id, self.logical_id)
            and (not self.until or today <= date.fromisoformat(self.until))
        )


@dataclass(frozen=True)
class Acknowledged:
    """A finding with what accepts it."""

    finding: Finding
    by: Acknowledgement


def sort_out(
    findings: Iterable[Finding], acknowledgements: Sequence[Acknowledgement], today: date | None = None
) -> tuple[list[Finding], list[Acknowledged]]:
    """Part what is accepted from what is not.

    Args:
        findings: What was found.
        acknowledgements: What is accepted.
        today: The day that counts; the present one otherwise.

    Returns:
        The findings that remain, and those that are accepted.
    """
    day = today or date.today()
    remaining: list[Finding] = []
    accepted: list[Acknowledged] = []
    for finding in findings:
        by = next((each for each in acknowledgements if each.covers(finding, day)), None)
        if by is None:
            remaining.append(finding)
        else:
            accepted.append(Acknowledged(finding, by))
    return remaining, accepted


def read_acknowledgements(folder: Path) -> list[Acknowledgement]:
    """Read what was accepted at synth, from the folder that the CDK wrote.

    Raises:
        TemplateError: The file is there and can't be read.
    """
    file = folder / FILE
    if not file.exists():
        return []
    try:
        found = [Acknowledgement(**item) for item in json.loads(file.read_text(encoding="utf-8"))]
        for each in found:
            if each.until:
                date.fromisoformat(each.until)
    except (ValueError, TypeError) as error:
        raise TemplateError(str(file), None, f"These are no acknowledgements: {error}.") from None
    return found


def write_acknowledgements(folder: Path, acknowledgements: Iterable[Acknowledgement]) -> None:
    """Write what is accepted beside the templates."""
    text = json.dumps([asdict(each) for each in acknowledgements], indent=1)
    (folder / FILE).write_text(text + "\n", encoding="utf-8")
