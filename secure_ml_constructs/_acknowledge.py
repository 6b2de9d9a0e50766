"""The one way in which the project accepts a finding: an exact id, at one construct, with a reason."""

from __future__ import annotations

import re

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct

_FINDING = re.compile(r"[\w.-]+::[\w.-]+(\[.+\])?")
_SHORTEST_REASON = 40


def acknowledge(construct: IConstruct, finding: str, reason: str) -> None:
    """Accept one finding at one construct and all below it.

    Args:
        construct: Where the finding is accepted.
        finding: The exact id with its plugin, as the report shows it: `AwsSolutions::AwsSolutions-S1`. A
            granular finding needs its part in brackets: without it nothing is accepted.
        reason: Why the rule is wrong here, or what else holds the risk; at least 40 characters.

    Raises:
        ValueError: An id without its plugin, or a reason too short to be judged.
    """
    if not _FINDING.fullmatch(finding):
        raise ValueError(f"{finding!r} is no finding id: write '<plugin>::<rule>', as the report shows it.")
    if len(reason) < _SHORTEST_REASON:
        raise ValueError(f"{finding}: the reason {reason!r} is too short for an auditor to judge.")
    Validations.of(construct).acknowledge(Acknowledgment(id=finding, reason=reason))
