"""Who can't reach the resources of the environment's accounts: statements of a resource control policy."""

from __future__ import annotations

from collections.abc import Iterator

from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.policy import Condition, Statement, deny

# AWS Organizations User Guide, "List of AWS services that support RCPs". Of sts the one action that a
# principal of an account calls: identity providers have no organization.
RESOURCE_ACTIONS = ("kms:*", "s3:*", "secretsmanager:*", "sqs:*", "sts:AssumeRole")
_WITH_TRANSPORT = ("kms:*", "s3:*", "secretsmanager:*", "sqs:*")


def resource_statements(perimeter: DataPerimeter) -> Iterator[Statement]:
    """Nobody from outside, no service on behalf of an outsider, nothing in plain text. (D3, I3, I10, E2)"""
    yield perimeter.deny_outsiders(RESOURCE_ACTIONS, "*")
    # Only where the service says for whom it acts: those that never do would be shut out.
    deputies: Condition = {
        **perimeter.trusted("Source", negate=True),
        "Bool": {"aws:PrincipalIsAWSService": "true"},
        "Null": {"aws:SourceAccount": "false"},
    }
    yield deny("DenyDeputiesOfOutsiders", RESOURCE_ACTIONS, "*", condition=deputies)
    plain: Condition = {"BoolIfExists": {"aws:SecureTransport": "false"}}
    yield deny("DenyPlainTransport", _WITH_TRANSPORT, "*", condition=plain)
