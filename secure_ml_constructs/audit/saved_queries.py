"""The texts of the auditor's questions, from the files under `queries/`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class SavedQuery:
    """One question.

    Attributes:
        name: The query's name in Athena (`who_trained`).
        description: What it answers.
        sql: The text, with placeholders where the template has to fill in.
    """

    name: str
    description: str
    sql: str

    def filled(self, values: Mapping[str, str]) -> SavedQuery:
        """Give the question with its placeholders (`{trail}`) filled in.

        Args:
            values: What stands for each placeholder.
        """
        sql = re.sub(r"\{(\w+)\}", lambda match: values[match.group(1)], self.sql)
        return SavedQuery(self.name, self.description, sql)


@cache
def load_queries() -> tuple[SavedQuery, ...]:
    """Give every question of the package, by name, with its placeholders."""
    folder = files("secure_ml_constructs.audit") / "queries"
    result = []
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        text = file.read_text(encoding="utf-8")
        first, _, _ = text.partition("\n")
        result.append(SavedQuery(file.name.removesuffix(".sql"), first.removeprefix("--").strip(), text))
    return tuple(result)


def roles_condition(roles: Iterable[str]) -> str:
    """Give what is added to a WHERE: the caller is one of these roles, or tries to assume one."""
    conditions = []
    for role in roles:
        escaped = role.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("*", "%")
        pattern = f"LIKE '{escaped}' ESCAPE '\\'"
        conditions.append(f"\n    OR useridentity.sessioncontext.sessionissuer.arn {pattern}")
        conditions.append(
            "\n    OR eventname LIKE 'AssumeRole%' "
            f"AND json_extract_scalar(requestparameters, '$.roleArn') {pattern}"
        )
    return "".join(conditions)
