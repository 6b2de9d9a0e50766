"""Which requests a changed statement can concern: those whose action it speaks of, before or after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from tests.mutants.mutant import Mutant, Templates


def concerned(mutant: Mutant, templates: Templates) -> Callable[[str], bool]:
    """Say of actions whether what is decided of them can change.

    Args:
        mutant: The mutant.
        templates: The templates that it is made from.
    """
    # By what a role or an endpoint is granted, services may be asked to make requests of other kinds.
    if not mutant.statement or mutant.type not in ("AWS::S3::BucketPolicy", "AWS::KMS::Key"):
        return lambda _: True
    before = _statement(mutant, templates)
    after = _statement(mutant, mutant.apply(templates))
    # Where the actions are what is changed, the others are spoken of as they were.
    of_actions = bool(before and after) and "Action" in mutant.path

    def concerns(action: str) -> bool:
        was, is_now = _speaks(before, action), _speaks(after, action)
        return was is not is_now if of_actions else was or is_now

    return concerns


def _statement(mutant: Mutant, templates: Templates) -> Mapping[str, Any] | None:
    document: Any = templates[mutant.stack]["Resources"][mutant.logical_id]
    for step in mutant.path[: mutant.path.index("Statement")]:
        document = document[step]
    return next((each for each in document["Statement"] if each.get("Sid") == mutant.statement), None)


def _speaks(statement: Mapping[str, Any] | None, action: str) -> bool:
    if statement is None:
        return False
    inverted = "NotAction" in statement
    actions = statement["NotAction" if inverted else "Action"]
    named = [actions] if isinstance(actions, str) else actions
    return any(fnmatchcase(action.lower(), each.lower()) for each in named) is not inverted
