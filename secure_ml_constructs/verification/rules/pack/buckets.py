"""Buckets and who may reach them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from secure_ml_constructs.verification.rules.keys import CustomerKey
from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome, at
from secure_ml_constructs.verification.rules.pack.shared import (
    denies_plain_http,
    policy,
    public_statements,
)
from secure_ml_constructs.verification.rules.pack.vocabulary import (
    INSIDER,
    POISONING,
    TAMPERING,
    THEFT,
    TRUE,
)
from secure_ml_constructs.verification.rules.policies import Statement
from secure_ml_constructs.verification.rules.predicates import Equals, absent_or
from secure_ml_constructs.verification.rules.requirements import At, Code, Every, values
from secure_ml_constructs.verification.rules.rule import ERROR, FATAL, WARNING, Rule
from secure_ml_constructs.verification.templates import Absent, Resource

_BUCKET = "AWS::S3::Bucket"
_POLICY = "AWS::S3::BucketPolicy"
_bucket = partial(Rule, resource_type=_BUCKET)
_bucket_policy = partial(Rule, resource_type=_POLICY)
_ENCRYPTION = "BucketEncryption.ServerSideEncryptionConfiguration"
_BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
_LOG_DELIVERY = "service:logging.s3.amazonaws.com"


def takes_access_logs(context: Context, bucket: Resource) -> bool:
    """Whether a bucket is where S3 delivers server access logs: then only SSE-S3 works."""
    graph = context.graph
    path = ("LoggingConfiguration", "DestinationBucketName")
    if graph.named_by(bucket, _BUCKET, *path):
        return True
    for bucket_policy in graph.named_by(bucket, _POLICY, "Bucket"):
        found = policy(context, "PolicyDocument", bucket_policy)
        if isinstance(found, list) and any(s.allow and _LOG_DELIVERY in s.principals for s in found):
            return True
    return False


def _encrypted(context: Context) -> Iterator[Outcome]:
    if takes_access_logs(context, context.resource):
        # "Enabling Amazon S3 server access logging": a target bucket takes SSE-S3 only.
        return
    rules = values(context, f"{_ENCRYPTION}[*]")
    if not rules:
        yield Fail("is not set, so that S3's own key is used", _ENCRYPTION)
    for path, item in rules:
        get = partial(context.graph.at, context.resource.template, item)
        default = f"{path}.ServerSideEncryptionByDefault"
        algorithm = get(("ServerSideEncryptionByDefault", "SSEAlgorithm"))
        outcome = Equals("aws:kms", "aws:kms:dsse").check(algorithm, context)
        if outcome is not None:
            yield at(outcome, f"{default}.SSEAlgorithm")
            continue
        outcome = CustomerKey().check(get(("ServerSideEncryptionByDefault", "KMSMasterKeyID")), context)
        if outcome is not None:
            yield at(outcome, f"{default}.KMSMasterKeyID")


def _logged(context: Context) -> Iterator[Outcome]:
    bucket = context.resource
    if takes_access_logs(context, bucket) or not isinstance(
        context.graph.get(bucket, "LoggingConfiguration", "DestinationBucketName"), Absent
    ):
        return
    yield Fail("is not set", "LoggingConfiguration.DestinationBucketName")


def _policies(context: Context) -> list[Statement] | None:
    """All statements of a bucket's policies; None where one can't be read, which another rule reports."""
    found: list[Statement] = []
    for bucket_policy in context.graph.named_by(context.resource, _POLICY, "Bucket"):
        if not context.graph.exists(bucket_policy):
            continue
        statements = policy(context, "PolicyDocument", bucket_policy)
        if not isinstance(statements, list):
            return None
        found += statements
    return found


def _tls(context: Context) -> Iterator[Outcome]:
    found = _policies(context)
    if found is not None and not denies_plain_http(found):
        yield Fail("has no policy that denies requests without TLS")


def _endpoint_only(context: Context) -> Iterator[Outcome]:
    """A Deny for whoever comes from elsewhere than the VPC's endpoints."""
    if takes_access_logs(context, context.resource):
        return
    found = _policies(context)
    if found is None:
        return
    for statement in found:
        negated = any(
            key in ("aws:sourcevpce", "aws:sourcevpc", "aws:vpceorgid", "aws:vpceaccount")
            and operator.startswith(("stringnot", "forallvalues:stringnot", "foranyvalue:stringnot"))
            for operator, key in statement.conditions
        )
        if not statement.allow and negated and statement.covers("s3:GetObject"):
            return
    yield Fail("has no policy that denies reading from outside the environment's endpoints")


def _wrong_key(context: Context) -> Iterator[Outcome]:
    if takes_access_logs(context, context.resource):
        return
    found = _policies(context)
    if found is None:
        return
    names = ("s3:x-amz-server-side-encryption-aws-kms-key-id", "s3:x-amz-server-side-encryption")
    for statement in found:
        if not statement.allow and statement.covers("s3:PutObject") and any(map(statement.has, names)):
            return
    yield Fail("has no policy that denies uploads under another key")


def _bucket_policy_public(context: Context) -> Iterator[Outcome]:
    yield from public_statements(context, "PolicyDocument")


def _bucket_policy_accounts(context: Context) -> Iterator[Outcome]:
    for outcome in public_statements(context, "PolicyDocument", accounts=True):
        if isinstance(outcome, Fail) and "trusted_accounts" in outcome.message:
            yield outcome


RULES = (
    _bucket(
        id="S3BucketCustomerKey",
        requirement=Code(_encrypted, "Buckets for access logs are excepted, by what names them."),
        severity=ERROR,
        control="D1",
        threats=(INSIDER, THEFT),
        title="A bucket is encrypted under a customer key",
        why="Under S3's own key whoever may read the bucket may read the data: no second lock.",
        fix="Set BucketEncryption to aws:kms with KMSMasterKeyID, the ARN of a customer key.",
        standards=("S3.17",),
    ),
    _bucket(
        id="S3BucketPublicAccessBlocked",
        requirement=Every(*(At(f"PublicAccessBlockConfiguration.{block}", TRUE) for block in _BLOCKS)),
        severity=FATAL,
        control="D2",
        threats=(INSIDER, THEFT),
        title="A bucket can't become public",
        why="One wrong policy or ACL would show the data to the whole internet.",
        fix="Set all four blocks of PublicAccessBlockConfiguration to true.",
        standards=("S3.8",),
    ),
    _bucket(
        id="S3BucketNoPublicAcl",
        requirement=At("AccessControl", absent_or("Private", "BucketOwnerFullControl", "LogDeliveryWrite")),
        severity=FATAL,
        control="D2",
        threats=(INSIDER, THEFT),
        title="A bucket's ACL is not public",
        why="PublicRead shows every object to the whole internet.",
        fix="Leave AccessControl out.",
        standards=("S3.2", "S3.3"),
    ),
    _bucket(
        id="S3BucketOwnerEnforced",
        requirement=At("OwnershipControls.Rules[*].ObjectOwnership", Equals("BucketOwnerEnforced")),
        severity=WARNING,
        control="D2",
        threats=(INSIDER,),
        title="ACLs are off in a bucket",
        why="With ACLs an uploader decides who may read an object, whatever the bucket's policy says.",
        fix="Set ObjectOwnership to BucketOwnerEnforced, or leave OwnershipControls out.",
        standards=("S3.12",),
    ),
    _bucket(
        id="S3BucketVersioned",
        requirement=At("VersioningConfiguration.Status", Equals("Enabled")),
        severity=ERROR,
        control="D4",
        threats=(POISONING, TAMPERING),
        title="A bucket keeps versions",
        why="Without versions poisoned or destroyed data can't be brought back.",
        fix="Set VersioningConfiguration.Status to Enabled.",
        standards=("S3.14",),
    ),
    _bucket(
        id="S3BucketAccessLogged",
        requirement=Code(_logged, "Buckets for access logs are excepted, by what names them."),
        severity=WARNING,
        control="D5",
        threats=(INSIDER,),
        title="Access to a bucket is logged",
        why="Without logs nobody can tell what was taken.",
        fix="Set LoggingConfiguration to the bucket for server access logs.",
        standards=("S3.9",),
    ),
    _bucket(
        id="S3BucketObjectLock",
        requirement=At("ObjectLockEnabled", TRUE),
        severity=WARNING,
        control="D7",
        threats=(TAMPERING,),
        title="Objects of a bucket can be locked",
        why="A lock is what even an administrator can't undo.",
        fix="Set ObjectLockEnabled to true.",
        standards=("S3.15",),
        off="It is right for archives and evidence, and wrong where people have a right to erasure.",
    ),
    _bucket(
        id="S3BucketTlsOnly",
        requirement=Code(_tls, "The policy is another resource."),
        severity=ERROR,
        control="E2",
        threats=(INSIDER,),
        title="A bucket is reached over TLS only",
        why="Anything else crosses the network in the clear.",
        fix="Add a policy that denies s3:* to * where aws:SecureTransport is false.",
        standards=("S3.5",),
    ),
    _bucket(
        id="S3BucketEndpointOnly",
        requirement=Code(_endpoint_only, "The policy is another resource."),
        severity=ERROR,
        control="D3",
        threats=(INSIDER, THEFT),
        title="A bucket is read from the environment's endpoints only",
        why="Stolen credentials read it from anywhere in the world.",
        fix="Add a Deny with StringNotEqualsIfExists aws:SourceVpce and the exceptions of the perimeter.",
    ),
    _bucket(
        id="S3BucketWrongKeyDenied",
        requirement=Code(_wrong_key, "The policy is another resource."),
        severity=WARNING,
        control="D1",
        threats=(INSIDER, POISONING),
        title="A bucket refuses uploads under another key",
        why="An object under an attacker's key is ransom: its reader needs the attacker's leave.",
        fix="Add a Deny of s3:PutObject where s3:x-amz-server-side-encryption-aws-kms-key-id is another key.",
    ),
    _bucket_policy(
        id="S3BucketPolicyNotPublic",
        requirement=Code(_bucket_policy_public),
        severity=FATAL,
        control="D2",
        threats=(INSIDER, THEFT),
        title="A bucket's policy lets in nobody unknown",
        why="Principal * without a condition is the whole internet.",
        fix="Name principals, or bind the statement by aws:PrincipalOrgID, aws:SourceAccount or the like.",
        standards=("S3.2",),
    ),
    _bucket_policy(
        id="S3BucketPolicyAccounts",
        requirement=Code(_bucket_policy_accounts),
        severity=ERROR,
        control="D3",
        threats=(INSIDER,),
        title="A bucket's policy lets in accounts of ours only",
        why="Another account's own policies decide who there may read the data.",
        fix="Name principals of this account, or list the account in the setting trusted_accounts.",
        standards=("S3.6",),
    ),
)
