"""What policies say and do not mean: conditions that hold nobody, permissions by exclusion."""

from __future__ import annotations

from collections.abc import Iterator

from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome
from secure_ml_constructs.verification.rules.pack.identity import documents
from secure_ml_constructs.verification.rules.pack.shared import policy, public_statements
from secure_ml_constructs.verification.rules.pack.vocabulary import HIJACK, INSIDER, THEFT
from secure_ml_constructs.verification.rules.policies import Statement
from secure_ml_constructs.verification.rules.requirements import Code
from secure_ml_constructs.verification.rules.rule import ERROR, WARNING, Rule

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
    """Each statement of a resource's policies with the path of its document."""
    kind = context.resource.type
    if kind in _PATHS:
        yield from _own(context)
    if kind not in _PATHS or kind == "AWS::IAM::Role":
        for where, read in documents(context):
            for statement in read:
                yield where, statement


def _at(path: str, statement: Statement) -> str:
    return f"{path}.Statement[{statement.index}]"


# What a service says of the object that it encrypts, by which its permission is meant for ours.
_CONTEXT = "kms:encryptioncontext:"
# Whether a call is made by a service, by itself or in somebody's name.
_SERVICE_CALLS = ("aws:principalisawsservice", "aws:viaawsservice")
# Where a request comes from, and whose it is: a denial excepts ours, by a negated operator.
_OURS = ("aws:principalorgid", "aws:sourcevpce", "aws:sourcevpc", "aws:vpceorgid", "aws:vpceaccount")
_ENCRYPTION = "s3:x-amz-server-side-encryption"
_EQUAL = ("stringequals", "stringlike", "arnequals", "arnlike")


def _excepts(statement: Statement) -> bool:
    return any(_negated(operator) for operator, _ in statement.conditions)


def _negated(operator: str) -> bool:
    return operator.rpartition(":")[2].startswith(("stringnot", "arnnot"))


def _binds(context: Context) -> Iterator[Outcome]:
    for path, statement in _statements(context):
        if not statement.allow:
            continue
        for (operator, key), compared in statement.conditions.items():
            if key not in _KEYS and not key.startswith(_CONTEXT):
                continue
            if operator == "stringequals" and "*" not in compared:
                continue
            if operator == "null" or statement.bound(key):
                continue
            if key == "aws:principalarn" and _negated(operator) and statement.bound(*(_KEYS - {key})):
                # It takes some roles out of what another condition lets in.
                continue
            yield Fail(f"has a condition on {key} that holds nobody", _at(path, statement))


def _applies(context: Context) -> Iterator[Outcome]:
    for path, statement in _statements(context):
        if statement.allow:
            continue
        for (operator, key), compared in statement.conditions.items():
            where = _at(path, statement)
            if "*" in compared and "like" in operator and _negated(operator):
                yield Fail(f"excepts everyone by {key}, so that it denies nobody", where)
            elif key == "aws:principalisawsservice" and operator == "bool":
                # "AWS global condition context keys": requests without credentials have no such key.
                yield Fail(f"does not hold where {key} is absent: without IfExists", where)
            elif key in _SERVICE_CALLS and "false" not in compared:
                yield Fail(f"denies only what AWS services do ({key} is true)", where)
            elif key == _ENCRYPTION and operator.startswith(_EQUAL) and "aws:kms" in compared:
                yield Fail(f"denies what is encrypted as it should be ({key})", where)
            elif key in _OURS and operator.startswith(_EQUAL) and not _excepts(statement):
                yield Fail(f"denies our own by {key}, and nobody else", where)


def _own(context: Context) -> Iterator[tuple[str, Statement]]:
    path = _PATHS[context.resource.type]
    found = policy(context, path)
    if isinstance(found, list):
        for statement in found:
            yield path, statement


def _excludes(context: Context) -> Iterator[Outcome]:
    for path, statement in _own(context):
        if statement.allow and statement.inverted:
            names = ", ".join(statement.inverted)
            yield Fail(f"allows all but what it names ({names})", _at(path, statement))


def _accounts(context: Context) -> Iterator[Outcome]:
    path = _PATHS[context.resource.type]
    for outcome in public_statements(context, path, accounts=True):
        if isinstance(outcome, Fail) and "trusted_accounts" in outcome.message:
            yield outcome


def _apart(context: Context) -> Iterator[Outcome]:
    """Nobody both decides who may use a key and uses it; a bare delegation is another rule's."""
    for path, statement in _own(context):
        if (
            statement.allow
            and statement.conditions
            and statement.covers("kms:PutKeyPolicy")
            and statement.covers("kms:Decrypt")
        ):
            yield Fail("lets the same principals use the key and change who may", _at(path, statement))


RULES = (
    Rule(
        id="PolicyAllowsByName",
        resource_type="AWS::S3::BucketPolicy",
        also=tuple(type_ for type_ in _PATHS if type_ != "AWS::S3::BucketPolicy"),
        requirement=Code(_excludes),
        severity=ERROR,
        control="I3",
        threats=(INSIDER, HIJACK),
        title="A resource's policy allows by name, not by exclusion",
        why="All but what is named holds whatever AWS adds next, and whoever nobody thought of.",
        fix="Write Principal, Action and Resource in place of their Not forms.",
    ),
    Rule(
        id="PolicyAccountsTrusted",
        resource_type="AWS::KMS::Key",
        also=("AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy", "AWS::IAM::Role"),
        requirement=Code(_accounts),
        severity=ERROR,
        control="I3",
        threats=(INSIDER, THEFT),
        title="Keys, topics, queues and roles let in accounts of ours only",
        why="Another account's own policies decide who there may act.",
        fix="Name principals of this account, or list the account in the setting trusted_accounts.",
    ),
    Rule(
        id="KmsKeyRolesApart",
        resource_type="AWS::KMS::Key",
        requirement=Code(_apart),
        severity=WARNING,
        control="E1",
        threats=(INSIDER,),
        title="Who administers a key does not use it",
        why="One stolen session would open the data and shut out everyone else.",
        fix="Divide the statement: administration for administrators, use for roles and services.",
    ),
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
