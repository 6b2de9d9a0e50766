"""Who works in an environment, and where their roles lie."""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import StrEnum

from secure_ml_constructs.errors import Problems
from secure_ml_constructs.perimeter import DataPerimeter

_TEAM = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST_TEAM = 20


class Persona(StrEnum):
    """A kind of role: people, the jobs that they start, and those who watch and administer.

    Example:
        >>> Persona.TRAINING.pattern(perimeter)
        'arn:${AWS::Partition}:iam::${AWS::AccountId}:role/secure-ml/teams/*/training/*'
    """

    DATA_SCIENTIST = "data-scientist"
    ML_ENGINEER = "ml-engineer"
    TRAINING = "training"
    PROCESSING = "processing"
    PIPELINE = "pipeline"
    ENDPOINT = "endpoint"
    MONITORING = "monitoring"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    BREAK_GLASS = "break-glass"

    @property
    def of_a_team(self) -> bool:
        """Whether each team has a role of this kind."""
        return self not in (Persona.AUDITOR, Persona.ADMINISTRATOR, Persona.BREAK_GLASS)

    @property
    def is_person(self) -> bool:
        """Whether a person of a team works with it."""
        return self in (Persona.DATA_SCIENTIST, Persona.ML_ENGINEER)

    def path(self, perimeter: DataPerimeter, team: str) -> str:
        """Give the IAM path of the role of one team.

        Args:
            perimeter: Says where the environment's roles lie.
            team: The team's name.
        """
        return f"{perimeter.role_path}teams/{team}/{self}/"

    def pattern(self, perimeter: DataPerimeter) -> str:
        """Give the ARN pattern of this kind of role in every team: what guardrails name.

        Args:
            perimeter: Says where the environment's roles lie.
        """
        return f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role{self.path(perimeter, '*')}*"


def check_team(problems: Problems, team: str, others: Collection[str]) -> None:
    """Record what is wrong with a team's name.

    Args:
        problems: Where to record.
        team: What the caller gave.
        others: The names of the teams that are there.
    """
    if not _TEAM.fullmatch(team) or len(team) > _LONGEST_TEAM:
        problems.add(
            "team",
            team,
            f"It stands in ARNs: up to {_LONGEST_TEAM} lower-case letters, digits and single hyphens, of "
            "which the first is a letter.",
            "Write for instance 'radiology'.",
        )
        return
    for other in others:
        if team == other:
            problems.add("team", team, "There is such a team.", "Make each team once.")
        elif f"{team}-".startswith(f"{other}-") or f"{other}-".startswith(f"{team}-"):
            problems.add(
                "team",
                team,
                f"What belongs to a team begins with its name and a hyphen: between this one and {other!r} "
                "nobody could tell.",
                "Rename one, so that neither begins with the other and a hyphen.",
            )
