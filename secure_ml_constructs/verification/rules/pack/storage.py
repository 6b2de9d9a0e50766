"""Keys, file systems and tables."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from secure_ml_constructs.verification.rules.keys import CustomerKey
from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome
from secure_ml_constructs.verification.rules.pack.shared import (
    each_statement,
    public_statements,
)
from secure_ml_constructs.verification.rules.pack.vocabulary import (
    INSIDER,
    TAMPERING,
    THEFT,
    TRUE,
    customer_key,
)
from secure_ml_constructs.verification.rules.policies import Statement
from secure_ml_constructs.verification.rules.predicates import Bounded, Equals, absent_or
from secure_ml_constructs.verification.rules.requirements import AnyOf, At, Code, Every
from secure_ml_constructs.verification.rules.rule import ERROR, FATAL, WARNING, Rule

_BUCKET = "AWS::S3::Bucket"
_KEY = "AWS::KMS::Key"
_TABLE = "AWS::DynamoDB::Table"
_key = partial(Rule, resource_type=_KEY)


def _key_policy_public(context: Context) -> Iterator[Outcome]:
    yield from public_statements(context, "KeyPolicy")


_USE = ("kms:decrypt", "kms:generatedatakey", "kms:creategrant")
_ADMINISTRATION = ("kms:putkeypolicy", "kms:schedulekeydeletion", "kms:disablekey")


def _key_use_bound(context: Context) -> Iterator[Outcome]:
    """Whoever may use a key by statement, beyond administering it, is bound by a condition."""
    for where, statement in each_statement(context, "KeyPolicy"):
        if not statement.allow or (statement.conditions and _names_who(statement)):
            continue
        whole = any(name.endswith((":root", "${AWS::AccountId}")) for name in statement.principals)
        uses = any(map(statement.covers, _USE))
        if uses and not statement.conditions:
            if any(name.startswith("service:") for name in statement.principals):
                yield Fail("lets a service use the key, and no condition says for whose request", where)
            elif whole:
                yield Fail("hands every use of the key to the whole account, without a condition", where)
        elif whole and (uses or any(map(statement.covers, _ADMINISTRATION))):
            yield Fail("leaves it to the whole account: no condition says which of its principals", where)


def _names_who(statement: Statement) -> bool:
    """Whether a condition tells apart the principals of one account."""
    return statement.bound("aws:PrincipalArn", "aws:userid", "aws:username", "aws:PrincipalOrgPaths") or any(
        key.startswith("aws:principaltag/") for _, key in statement.conditions
    )


def _retained(context: Context) -> Iterator[Outcome]:
    for name in ("DeletionPolicy", "UpdateReplacePolicy"):
        given = context.resource.body.get(name)
        if given not in ("Retain", "RetainExceptOnCreate", "Snapshot"):
            yield Fail(f"has {given or 'no'} {name}")


RULES = (
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
