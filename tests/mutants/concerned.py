"""Which requests a changed statement can concern: those whose action it speaks of, before or after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from tests.mutants.mutant import Mutant, Templates

# Policies of resources: what they say is asked about in the cells of what they belong to.
OF_RESOURCES = (
    "AWS::CodeArtifact::Domain",
    "AWS::CodeArtifact::Repository",
    "AWS::ECR::Repository",
    "AWS::KMS::Key",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SecretsManager::ResourcePolicy",
)


def concerned(mutant: Mutant, templates: Templates) -> Callable[[str], bool]:
    """Say of actions whether what is decided of them can change.

    Args:
        mutant: The mutant.
        templates: The templates that it is made from.
    """
    if not mutant.statement:
        return lambda _: True
    before = _statement(mutant, templates)
    after = _statement(mutant, mutant.apply(templates))
    # By what a role or an endpoint is granted, services may be asked to make requests of other kinds.
    if mutant.type not in OF_RESOURCES and not only_denies(mutant, templates):
        return lambda _: True
    # Where the actions are what is changed, the others are spoken of as they were.
    of_actions = bool(before and after) and "Action" in mutant.path

    def concerns(action: str) -> bool:
        was, is_now = _speaks(before, action), _speaks(after, action)
        return was is not is_now if of_actions else was or is_now

    return concerns


def only_denies(mutant: Mutant, templates: Templates) -> bool:
    """Whether a mutant is about a statement of a managed policy that denies, before and after."""
    if mutant.type != "AWS::IAM::ManagedPolicy" or not mutant.statement:
        return False
    found = (_statement(mutant, templates), _statement(mutant, mutant.apply(templates)))
    return all(each is None or each.get("Effect") == "Deny" for each in found)


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
