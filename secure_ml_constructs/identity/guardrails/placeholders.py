"""Policies of the account written for the organization: no account of their own, and named regions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

# An SCP binds the principals of the accounts that it is attached to. So any account in an ARN that describes
# the caller, or a role that is worked on, is the caller's own.
_ACCOUNT_SEGMENT = re.compile(r"(arn:[^:]*:[^:]*:[^:]*:)\$\{AWS::AccountId\}")


def for_organization(value: Any, regions: Sequence[str]) -> Any:
    """Replace the placeholders of CloudFormation in a policy.

    In the management account they would mean that account. The partition and the account of an ARN become
    wildcards, an account elsewhere the caller's, and a region one text for each of the regions.

    Args:
        value: A policy or a part of one, with `Fn::Sub`.
        regions: The regions.
    """
    match value:
        case {"Fn::Sub": str(text)}:
            found = spelled_out(text, regions)
            return found[0] if len(found) == 1 else found
        case dict():
            return {key: for_organization(item, regions) for key, item in value.items()}
        case list():
            made: list[Any] = []
            for item in value:
                one = for_organization(item, regions)
                made += one if isinstance(one, list) else [one]
            return list(dict.fromkeys(made)) if all(isinstance(each, str) for each in made) else made
    return value


def spelled_out(text: str, regions: Sequence[str]) -> list[str]:
    """Give one text for each region that a text with placeholders may mean."""
    text = text.replace("${AWS::Partition}", "*")
    text = _ACCOUNT_SEGMENT.sub(r"\1*", text).replace("${AWS::AccountId}", "${aws:PrincipalAccount}")
    if "${AWS::Region}" not in text:
        return [text]
    return [text.replace("${AWS::Region}", region) for region in regions]
