"""The one way in which the project accepts a finding: an exact id, at one construct, with a reason."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import jsii
from aws_cdk import Acknowledgment, Stack, Validations
from constructs import IConstruct, IValidation

_FINDING = re.compile(r"[\w.-]+::[\w.-]+(\[.+\])?")
_SHORTEST_REASON = 40
_NOT_IN_PCI = frozenset({"LambdaConcurrency", "LambdaDLQ", "SecretsManagerRotationEnabled"})

# What is true of several constructs is said in the same words, so that an auditor reads it once.
BOUNDARY = (
    "A permissions boundary grants nothing. It is the outer limit of roles whose own policies name actions, "
    "resources and conditions, and which carry the guardrails where they start work."
)
CALLER_NOTICES = (
    "The service that calls it notices each failure: CloudFormation fails the deployment, Secrets Manager "
    "records an event and tries again. Nobody would read a dead-letter queue."
)
CALLED_SELDOM = (
    "A service of AWS alone calls it, a few times in weeks. Reserving concurrency would take it from the "
    "account's pool, and fails in accounts whose limit is the initial ten."
)
LOOKING = "These actions describe, list and report names, states and settings. They change and open nothing."
NAMED_BY_AWS = (
    "AWS gives it its name when it makes it; the policy names what it lies in, the subnets or the log group."
)
NO_REPLICA = (
    "A replica would lie in a place that nobody named (C4): a copy in another region is the user's decision. "
    "Versions outlive deletion and overwriting."
)
NO_RESOURCE = "The actions have no resource to name (Service Authorization Reference)."
OBJECTS_BELOW = (
    "Objects are written after the policy, so that their names can't be listed. Their prefix ends with a "
    "slash, and holds nothing but what the role is for."
)
OUTSIDE_NETWORK = (
    "It calls control planes and answers CloudFormation at a presigned URL in a bucket of AWS's. From inside "
    "the VPC both would need a hole in the perimeter, in a network that is not there yet or no longer."
)
TEAM_NAMES = (
    "What a team makes is named after it: its name and a hyphen, with which no other team's names begin. The "
    "rest is the team's choice."
)
WATCH_NAMES = (
    "What a watch runs is named after it, its jobs and the streams of their logs: its name and a hyphen, "
    "with which no other watch's names begin."
)


def acknowledge(construct: IConstruct, findings: str | Sequence[str], reason: str) -> None:
    """Accept a finding at one construct and all below it.

    Args:
        construct: Where the finding is accepted.
        findings: The exact id with its plugin, as the report shows it: `AwsSolutions::AwsSolutions-S1`. A
            granular finding needs its part in brackets: without it nothing is accepted. Several ids where
            packs say the same thing under different names.
        reason: Why the rule is wrong here, or what else holds the risk; at least 40 characters.

    Raises:
        ValueError: An id without its plugin, or a reason too short to be judged.
    """
    acknowledge_all(construct, dict.fromkeys([findings] if isinstance(findings, str) else findings, reason))


def acknowledge_all(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Accept several findings at one construct, in one call into Node.

    Args:
        construct: Where they are accepted.
        reasons: The reason of each exact id, as `acknowledge` takes them.

    Raises:
        ValueError: An id without its plugin, or a reason too short to be judged.
    """
    for finding, reason in reasons.items():
        if not _FINDING.fullmatch(finding):
            raise ValueError(f"{finding!r} is no finding id: write '<plugin>::<rule>', as the report has it.")
        if len(reason) < _SHORTEST_REASON:
            raise ValueError(f"{finding}: the reason {reason!r} is too short for an auditor to judge.")
    accepted = (Acknowledgment(id=finding, reason=reason) for finding, reason in reasons.items())
    Validations.of(construct).acknowledge(*accepted)


def standard_packs(rule: str) -> list[str]:
    """Give the ids of a rule that the packs for HIPAA, NIST 800-53 r5 and PCI DSS share."""
    packs = ["HIPAA.Security", "NIST.800.53.R5"]
    if rule not in _NOT_IN_PCI:
        packs.append("PCI.DSS.321")
    return [f"{pack}::{pack}-{rule}" for pack in packs]


def acknowledge_wildcards(policy: IConstruct, reasons: Mapping[str, str]) -> None:
    """Accept the wildcards of one IAM policy, each resource by its exact finding id.

    The id holds the resolved ARN, and how a reference to another stack reads is known only when the app is
    prepared for synthesis; so the ids are worked out then.

    Args:
        policy: The policy's construct.
        reasons: Why each resource needs its wildcard, by the resource as the policy was given it.
    """
    policy.node.add_validation(_Wildcards(policy, reasons))


@jsii.implements(IValidation)
class _Wildcards:
    def __init__(self, policy: IConstruct, reasons: Mapping[str, str]) -> None:
        self._policy = policy
        self._reasons = reasons

    def validate(self) -> list[str]:
        resolved = Stack.of(self._policy).resolve(list(self._reasons))
        ids = (f"AwsSolutions::AwsSolutions-IAM5[Resource::{_flat(resource)}]" for resource in resolved)
        acknowledge_all(self._policy, dict(zip(ids, self._reasons.values(), strict=True)))
        return []


def _flat(value: Any) -> str:
    """Write a resolved reference as cdk-nag does in its finding ids."""
    match value:
        case str():
            return value.replace("${", "<").replace("}", ">")
        case {"Fn::Join": [delimiter, parts]}:
            return str(delimiter).join(_flat(part) for part in parts)
        case {"Fn::Sub": text}:
            return _flat(text)
        case {"Fn::GetAtt": [resource, attribute]}:
            return f"<{_flat(resource)}.{_flat(attribute)}>"
        case {"Fn::ImportValue": name}:
            return _flat(name)
        case {"Ref": name}:
            return f"<{name}>"
    return json.dumps(value, separators=(",", ":"))
