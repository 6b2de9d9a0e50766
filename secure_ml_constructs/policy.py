"""Policy documents as plain JSON: the small vocabulary that every policy of the library is written in.

Plain dictionaries cross into the CDK in one call, where statement objects take one each. ARNs carry the
CloudFormation placeholders `${AWS::Partition}`, `${AWS::Region}` and `${AWS::AccountId}`, so that one text
serves every partition and an unknown environment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Statement = dict[str, Any]
Document = dict[str, Any]
Condition = dict[str, dict[str, Any]]


def sub(text: str) -> Any:
    """Give a text with CloudFormation placeholders as `Fn::Sub`, any other text as it is."""
    return {"Fn::Sub": text} if "${AWS::" in text else text


def subs(texts: Iterable[str]) -> list[Any]:
    """Give each text through `sub`, in order."""
    return [sub(text) for text in texts]


def document(statements: Iterable[Mapping[str, Any]]) -> Document:
    """Wrap statements into a policy document."""
    return {"Version": "2012-10-17", "Statement": [dict(statement) for statement in statements]}


def for_our_account(source_arn: str | None = None) -> Condition:
    """Give the condition that a service acts for the environment's own account.

    Args:
        source_arn: A pattern for the resource that it acts for, with CloudFormation placeholders. Default:
            any resource of the account.
    """
    condition: Condition = {"StringEquals": {"aws:SourceAccount": sub("${AWS::AccountId}")}}
    if source_arn:
        condition["ArnLike"] = {"aws:SourceArn": sub(source_arn)}
    return condition


def allow(
    sid: str,
    actions: Sequence[str] | str,
    resources: Sequence[Any] | Any = "*",
    *,
    principal: Any = None,
    condition: Condition | None = None,
) -> Statement:
    """Make an Allow statement; `principal` is left out for identity policies."""
    return _statement("Allow", sid, actions, resources, principal, condition)


def deny(
    sid: str,
    actions: Sequence[str] | str,
    resources: Sequence[Any] | Any = "*",
    *,
    principal: Any = "*",
    condition: Condition | None = None,
) -> Statement:
    """Make a Deny statement, by default for every principal."""
    return _statement("Deny", sid, actions, resources, principal, condition)


def service_trust(service: str, condition: Condition | None) -> Document:
    """Make the trust policy of a role that one AWS service assumes."""
    statement = allow("Service", "sts:AssumeRole", principal={"Service": service}, condition=condition)
    del statement["Resource"]
    return document([statement])


def _statement(
    effect: str,
    sid: str,
    actions: Sequence[str] | str,
    resources: Any,
    principal: Any,
    condition: Condition | None,
) -> Statement:
    statement: Statement = {"Sid": sid, "Effect": effect}
    if principal is not None:
        statement["Principal"] = principal
    statement["Action"] = actions if isinstance(actions, str) else list(actions)
    statement["Resource"] = resources
    if condition:
        statement["Condition"] = condition
    return statement
