"""Wildcards of a role's policies, accepted one by one with the reason of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from constructs import IConstruct

from secure_ml_constructs._acknowledge import acknowledge_all, acknowledge_wildcards
from secure_ml_constructs.policy import Statement


def accept_wildcards(
    policy: IConstruct,
    statements: Sequence[Statement],
    *,
    resources: Mapping[str, str],
    actions: Mapping[str, str],
) -> None:
    """Accept the wildcards of what a policy allows.

    Args:
        policy: The policy's construct.
        statements: Its statements.
        resources: Why a wildcard stands, by the beginning of the resource; the longest that fits counts.
        actions: Why actions are written with a wildcard, likewise.

    Raises:
        ValueError: A wildcard without a reason.
    """
    acknowledge_wildcards(
        policy, {text: _reason(resources, text) for text in _with_wildcard(statements, "Resource")}
    )
    patterns = {text: _reason(actions, text) for text in _with_wildcard(statements, "Action")}
    if patterns:
        acknowledge_all(
            policy,
            {f"AwsSolutions::AwsSolutions-IAM5[Action::{text}]": why for text, why in patterns.items()},
        )


def _reason(reasons: Mapping[str, str], text: str) -> str:
    fitting = [head for head in reasons if text.startswith(head)]
    if not fitting:
        raise ValueError(f"no reason for the wildcard of {text}")
    return reasons[max(fitting, key=len)]


def _with_wildcard(statements: Sequence[Statement], element: str) -> Iterator[str]:
    for statement in statements:
        if statement["Effect"] == "Allow":
            values: Any = statement[element]
            for each in values if isinstance(values, list) else [values]:
                text = each["Fn::Sub"] if isinstance(each, dict) else each
                if "*" in text:
                    yield text
