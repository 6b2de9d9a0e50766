"""Conditions that say something and hold nobody."""

from __future__ import annotations

from collections.abc import Iterator

from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome
from secure_ml_constructs.verification.rules.pack.identity import documents
from secure_ml_constructs.verification.rules.pack.shared import policy
from secure_ml_constructs.verification.rules.pack.vocabulary import HIJACK, INSIDER, THEFT
from secure_ml_constructs.verification.rules.policies import Statement
from secure_ml_constructs.verification.rules.requirements import Code
from secure_ml_constructs.verification.rules.rule import WARNING, Rule

# Where each type has a policy of its own; those of IAM are read apart.
_PATHS = {
    "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::EC2::VPCEndpoint": "PolicyDocument",
    "AWS::SNS::TopicPolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
    "AWS::SecretsManager::ResourcePolicy": "ResourcePolicy",
    "AWS::IAM::Role": "AssumeRolePolicyDocument",
}
_IAM = ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::RolePolicy")
# Keys of which each request has one value, and by which a statement is meant for somebody or something.
_KEYS = {
    "aws:principalorgid",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourcevpce",
    "aws:sourcevpc",
    "aws:resourceorgid",
    "aws:resourceaccount",
    "iam:passedtoservice",
    "kms:calleraccount",
    "kms:viaservice",
}


def _statements(context: Context) -> Iterator[tuple[str, Statement]]:
    path = _PATHS.get(context.resource.type)
    if path is not None:
        found = policy(context, path)
        if isinstance(found, list):
            for statement in found:
                yield f"{path}.Statement[{statement.index}]", statement
    if path is None or context.resource.type == "AWS::IAM::Role":
        for where, read in documents(context):
            for statement in read:
                yield f"{where}.Statement[{statement.index}]", statement


def _negated(operator: str) -> bool:
    return operator.rpartition(":")[2].startswith(("stringnot", "arnnot"))


def _binds(context: Context) -> Iterator[Outcome]:
    for where, statement in _statements(context):
        if not statement.allow:
            continue
        for key in sorted({key for _, key in statement.conditions} & _KEYS):
            if statement.bound(key):
                continue
            operators = [operator for operator, name in statement.conditions if name == key]
            others = _KEYS - {key}
            if all(map(_negated, operators)) and statement.bound(*others):
                # It takes some out of what another condition lets in.
                continue
            if operators == ["null"]:
                continue
            yield Fail(f"has a condition on {key} that holds nobody", where)


def _applies(context: Context) -> Iterator[Outcome]:
    for where, statement in _statements(context):
        if statement.allow:
            continue
        for (operator, key), values in statement.conditions.items():
            if _negated(operator) and "*" in values and "like" in operator:
                yield Fail(f"excepts everyone by {key}, so that it denies nobody", where)


RULES = (
    Rule(
        id="PolicyConditionsBind",
        resource_type="AWS::S3::BucketPolicy",
        also=(*(type_ for type_ in _PATHS if type_ != "AWS::S3::BucketPolicy"), *_IAM),
        requirement=Code(_binds),
        severity=WARNING,
        control="I3",
        threats=(INSIDER, HIJACK),
        title="A condition of a permission holds somebody",
        why="With IfExists, ForAllValues, a star or a negation it lets through what it looks to stop.",
        fix="Compare by StringEquals or ArnLike, without IfExists and ForAllValues, with names.",
    ),
    Rule(
        id="PolicyDenialsApply",
        resource_type="AWS::S3::BucketPolicy",
        also=(*(type_ for type_ in _PATHS if type_ != "AWS::S3::BucketPolicy"), *_IAM),
        requirement=Code(_applies),
        severity=WARNING,
        control="I3",
        threats=(INSIDER, THEFT),
        title="A denial denies somebody",
        why="A star among the exceptions excepts everyone.",
        fix="Name who is excepted.",
    ),
)
