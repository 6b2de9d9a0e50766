"""Buckets, keys, file systems and tables."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from secure_ml_constructs.verification.rules.keys import CustomerKey
from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome, at
from secure_ml_constructs.verification.rules.pack.shared import (
    denies_plain_http,
    each_statement,
    policy,
    public_statements,
)
from secure_ml_constructs.verification.rules.pack.vocabulary import (
    INSIDER,
    POISONING,
    TAMPERING,
    THEFT,
    TRUE,
    customer_key,
)
from secure_ml_constructs.verification.rules.policies import Statement
from secure_ml_constructs.verification.rules.predicates import Bounded, Equals, absent_or
from secure_ml_constructs.verification.rules.requirements import AnyOf, At, Code, Every, values
from secure_ml_constructs.verification.rules.rule import ERROR, FATAL, WARNING, Rule
from secure_ml_constructs.verification.templates import Absent, Resource

_BUCKET = "AWS::S3::Bucket"
_POLICY = "AWS::S3::BucketPolicy"
_KEY = "AWS::KMS::Key"
_TABLE = "AWS::DynamoDB::Table"

_bucket = partial(Rule, resource_type=_BUCKET)
_bucket_policy = partial(Rule, resource_type=_POLICY)
_key = partial(Rule, resource_type=_KEY)

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


def _key_policy_public(context: Context) -> Iterator[Outcome]:
    yield from public_statements(context, "KeyPolicy")


def _key_use_bound(context: Context) -> Iterator[Outcome]:
    """Whoever may use a key by statement, beyond administering it, is bound by a condition."""
    use = ("kms:decrypt", "kms:generatedatakey", "kms:creategrant")
    for where, statement in each_statement(context, "KeyPolicy"):
        if not statement.allow or statement.conditions or not any(map(statement.covers, use)):
            continue
        if any(name.startswith("service:") for name in statement.principals):
            yield Fail("lets a service use the key for anyone: no condition names whose request it is", where)
        elif any(name.endswith((":root", "${AWS::AccountId}")) for name in statement.principals):
            yield Fail("hands every use of the key to the whole account, without a condition", where)


def _retained(context: Context) -> Iterator[Outcome]:
    for name in ("DeletionPolicy", "UpdateReplacePolicy"):
        given = context.resource.body.get(name)
        if given not in ("Retain", "RetainExceptOnCreate", "Snapshot"):
            yield Fail(f"has {given or 'no'} {name}")


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
    _key(
        id="KmsKeyRotated",
        requirement=AnyOf(
            At("EnableKeyRotation", TRUE),
            At(
                "KeySpec",
                Equals(
                    "RSA_2048",
                    "RSA_3072",
                    "RSA_4096",
                    "ECC_NIST_P256",
                    "ECC_NIST_P384",
                    "ECC_NIST_P521",
                    "ECC_SECG_P256K1",
                    "HMAC_224",
                    "HMAC_256",
                    "HMAC_384",
                    "HMAC_512",
                    "SM2",
                    "ML_DSA_44",
                    "ML_DSA_65",
                    "ML_DSA_87",
                ),
            ),
            At("Origin", Equals("EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE")),
        ),
        severity=WARNING,
        control="E1",
        threats=(INSIDER,),
        title="A key rotates",
        why="Rotation limits what one leaked key opens. Only keys of KMS's own making can.",
        fix="Set EnableKeyRotation to true.",
        standards=("KMS.4",),
    ),
    _key(
        id="KmsKeyEnabled",
        requirement=At("Enabled", absent_or(True)),
        severity=WARNING,
        control="E1",
        threats=(TAMPERING,),
        title="A key is enabled",
        why="With the key disabled everything under it stands still.",
        fix="Leave Enabled out.",
    ),
    _key(
        id="KmsKeyPolicyNotPublic",
        requirement=Code(_key_policy_public),
        severity=FATAL,
        control="E1",
        threats=(INSIDER, THEFT),
        title="A key's policy lets in nobody unknown",
        why="Principal * without a condition lets every account of AWS use the key.",
        fix="Name principals, or bind the statement by kms:CallerAccount, aws:PrincipalArn or the like.",
        standards=("KMS.5",),
    ),
    _key(
        id="KmsKeyUseBound",
        requirement=Code(_key_use_bound),
        severity=WARNING,
        control="E1",
        threats=(INSIDER,),
        title="Use of a key is bound to services, roles or requests of ours",
        why="An all-powerful insider gives themselves kms:Decrypt, where the policy hands it to the account.",
        fix="Bind it by aws:PrincipalArn, kms:ViaService, kms:EncryptionContext or aws:SourceAccount.",
    ),
    _key(
        id="KmsKeyPendingWindow",
        requirement=At("PendingWindowInDays", Bounded(30, 30, absent=True)),
        severity=WARNING,
        control="X8",
        threats=(TAMPERING,),
        title="A key to be deleted can be saved for a month",
        why="Deleting a key deletes everything under it.",
        fix="Leave PendingWindowInDays out: the default is 30.",
    ),
    *(
        Rule(
            id=id,
            resource_type=type_,
            requirement=Code(_retained, "It lies outside the properties."),
            severity=WARNING,
            control="X8",
            threats=(TAMPERING,),
            title="What holds data outlives its stack",
            why="Deleting the stack, or renaming the resource, would destroy the data or all under the key.",
            fix="Set DeletionPolicy and UpdateReplacePolicy to Retain.",
        )
        for id, type_ in (("KmsKeyRetained", _KEY), ("S3BucketRetained", _BUCKET))
    ),
    Rule(
        id="EfsEncrypted",
        resource_type="AWS::EFS::FileSystem",
        requirement=Every(At("Encrypted", TRUE), At("KmsKeyId", CustomerKey())),
        severity=ERROR,
        control="E3",
        threats=(INSIDER,),
        title="A file system is encrypted under a customer key",
        why="A key of AWS's own has no policy that keeps others in the account out, and can't be revoked.",
        fix="Set Encrypted to true and KmsKeyId to the ARN of a customer key.",
        standards=("EFS.1",),
    ),
    Rule(
        id="DynamoDbCustomerKey",
        resource_type=_TABLE,
        requirement=Every(
            At("SSESpecification.SSEEnabled", TRUE),
            At("SSESpecification.KMSMasterKeyId", CustomerKey()),
        ),
        severity=WARNING,
        control="E3",
        threats=(INSIDER,),
        title="A table is encrypted under a customer key",
        why="A key of AWS's own has no policy that keeps others in the account out, and can't be revoked.",
        fix="Set SSESpecification with SSEEnabled true, SSEType KMS and a customer key.",
    ),
    Rule(
        id="DynamoDbRecovery",
        resource_type=_TABLE,
        requirement=At("PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled", TRUE),
        severity=WARNING,
        control="X8",
        threats=(TAMPERING,),
        title="A table can be brought back to any second",
        why="Features or registrations that were poisoned have to be undone.",
        fix="Set PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled to true.",
        standards=("DynamoDB.2",),
    ),
    Rule(
        id="RdsEncrypted",
        resource_type="AWS::RDS::DBInstance",
        also=("AWS::RDS::DBCluster",),
        requirement=Every(At("StorageEncrypted", TRUE), At("KmsKeyId", CustomerKey())),
        severity=ERROR,
        control="E3",
        threats=(INSIDER,),
        title="A database is encrypted under a customer key",
        why="A key of AWS's own has no policy that keeps others in the account out, and can't be revoked.",
        fix="Set StorageEncrypted to true and KmsKeyId to the ARN of a customer key.",
        standards=("RDS.3",),
    ),
    customer_key(
        "BackupVaultCustomerKey", "AWS::Backup::BackupVault", "EncryptionKeyArn", "A backup vault is"
    ),
    Rule(
        id="EbsVolumeEncrypted",
        resource_type="AWS::EC2::Volume",
        requirement=Every(At("Encrypted", TRUE), At("KmsKeyId", CustomerKey())),
        severity=ERROR,
        control="E3",
        threats=(INSIDER,),
        title="A volume is encrypted under a customer key",
        why="Its snapshots can be shared with any account, and read there.",
        fix="Set Encrypted to true and KmsKeyId to the ARN of a customer key.",
    ),
)
