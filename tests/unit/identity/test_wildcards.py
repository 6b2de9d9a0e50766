"""Wildcards of roles: each is accepted for a reason, and none without."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

from secure_ml_constructs.identity.wildcards import accept_wildcards
from secure_ml_constructs.policy import allow, document
from tests.support.compliance import findings
from tests.support.templates import new_app

STATEMENTS = [
    allow("Look", "s3:ListBucket*", "arn:aws:s3:::one/*"),
    allow("Get", "s3:GetObject", "arn:aws:s3:::two/*"),
]
WHY = "Whoever reads this test knows why the wildcard stands here."


def policy(app: cdk.App) -> iam.CfnManagedPolicy:
    return iam.CfnManagedPolicy(cdk.Stack(app, "S"), "Policy", policy_document=document(STATEMENTS))


def test_each_wildcard_with_a_reason_is_accepted_and_nothing_else_is() -> None:
    def build(app: cdk.App) -> None:
        accept_wildcards(policy(app), STATEMENTS, resources={"arn:": WHY}, actions={"s3:": WHY})

    def build_bare(app: cdk.App) -> None:
        policy(app)

    assert not [each for each in findings(build) if "IAM5" in str(each)]
    assert len([each for each in findings(build_bare) if "IAM5" in str(each)]) == 3


@pytest.mark.parametrize(
    ("resources", "actions", "named"),
    [
        ({"arn:aws:s3:::one": WHY}, {"": WHY}, "arn:aws:s3:::two/\\*"),
        ({"": WHY}, {"kms:": WHY}, "s3:ListBucket\\*"),
    ],
)
def test_a_wildcard_without_a_reason_is_an_error(
    resources: dict[str, str], actions: dict[str, str], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        accept_wildcards(policy(new_app()), STATEMENTS, resources=resources, actions=actions)
