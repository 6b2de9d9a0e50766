"""Wildcards of a role's policies, accepted one by one with the reason of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from constructs import IConstruct

from secure_ml_constructs._acknowledge import acknowledge_all, acknowledge_wildcards
from secure_ml_constructs.policy import Statement


def accept_wildcards(
    policy: IConstruct, statements: Sequence[Statement], *, resources: Mapping[str, str], actions: str = ""
) -> None:
    """Accept the wildcards of what a policy allows.

    Args:
        policy: The policy's construct.
        statements: Its statements.
        resources: Why a wildcard stands, by the beginning of the resource; the longest that fits counts.
        actions: Why actions are written with a wildcard. Default: none is.

    Raises:
        ValueError: A wildcard without a reason.
    """
    reasons: dict[str, str] = {}
    for text in _with_wildcard(statements, "Resource"):
        fitting = [head for head in resources if text.startswith(head)]
        if not fitting:
            raise ValueError(f"no reason for the wildcard of {text}")
        reasons[text] = resources[max(fitting, key=len)]
    acknowledge_wildcards(policy, reasons)
    patterns = [
        f"AwsSolutions::AwsSolutions-IAM5[Action::{each}]" for each in _with_wildcard(statements, "Action")
    ]
    if patterns:
        acknowledge_all(policy, dict.fromkeys(patterns, actions))


def _with_wildcard(statements: Sequence[Statement], element: str) -> Iterator[str]:
    for statement in statements:
        if statement["Effect"] == "Allow":
            values: Any = statement[element]
            for each in values if isinstance(values, list) else [values]:
                text = each["Fn::Sub"] if isinstance(each, dict) else each
                if "*" in text:
                    yield text
