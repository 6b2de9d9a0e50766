"""Buckets: data by zone, logs, and what keeps both as they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from secure_ml_constructs.verification.proofs.assets.registry import Registry
from secure_ml_constructs.verification.proofs.iam.domains import ABSENT, Values, exactly, like, unlike
from secure_ml_constructs.verification.proofs.iam.ternary import Unknown
from secure_ml_constructs.verification.proofs.questions.answers import Adversary
from secure_ml_constructs.verification.proofs.questions.deeds import Act, Asset, Deed, Who, one
from secure_ml_constructs.verification.templates import Resource

_BUCKET = "AWS::S3::Bucket"
_ALGORITHM = "s3:x-amz-server-side-encryption"
_KEY = "s3:x-amz-server-side-encryption-aws-kms-key-id"
_CUSTOMER = "s3:x-amz-server-side-encryption-customer-algorithm"
_FROM_INSIDE = frozenset({Adversary.INSIDER, Adversary.JOB})

# Amazon S3, "Actions, resources, and condition keys": what changes how a bucket keeps its objects.
_LOSES = ("s3:DeleteBucket", "s3:PutBucketVersioning", "s3:PutLifecycleConfiguration")
_OPENS = (
    "s3:DeleteBucketPolicy",
    "s3:PutBucketAcl",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutEncryptionConfiguration",
    "s3:PutInventoryConfiguration",
    "s3:PutReplicationConfiguration",
)
# What has names, sizes and contents of objects written elsewhere, lets them be asked for in other ways, or
# keeps less of them.
_CONFIGURES = (
    *_LOSES,
    *_OPENS,
    "s3:CreateBucketMetadataTableConfiguration",
    "s3:DeleteBucketOwnershipControls",
    "s3:DeleteBucketWebsite",
    "s3:PutAccelerateConfiguration",
    "s3:PutAnalyticsConfiguration",
    "s3:PutBucketCORS",
    "s3:PutBucketLogging",
    "s3:PutBucketNotification",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketWebsite",
    "s3:PutIntelligentTieringConfiguration",
    "s3:PutMetricsConfiguration",
)
_LISTS = ("s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:ListBucketVersions")
# What changes an object, or what is kept of it, without taking it away.
_ALTERS = (
    "s3:InitiateReplication",
    "s3:ObjectOwnerOverrideToBucketOwner",
    "s3:PutObject",
    "s3:PutObjectAcl",
    "s3:PutObjectTagging",
    "s3:PutObjectVersionAcl",
    "s3:PutObjectVersionTagging",
    "s3:ReplicateDelete",
    "s3:ReplicateObject",
    "s3:ReplicateTags",
    "s3:UpdateObjectEncryption",
)
_TAKES_AWAY = (
    "s3:DeleteObject",
    "s3:DeleteObjectTagging",
    "s3:DeleteObjectVersion",
    "s3:DeleteObjectVersionTagging",
)
_DISCLOSES = (
    "s3:GetObject",
    "s3:GetObjectAcl",
    "s3:GetObjectTagging",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionAcl",
    "s3:GetObjectVersionTagging",
)
# What S3 refuses for a bucket without Object Lock.
_UNLOCKS = ("s3:BypassGovernanceRetention", "s3:PutObjectLegalHold", "s3:PutObjectRetention")
_BESIDES = ("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:RestoreObject")
_INSIDER = frozenset({Adversary.INSIDER})
_JOB = frozenset({Adversary.JOB})
_STOLEN = frozenset({Adversary.STOLEN})
_WITH_ROLES = _JOB | _STOLEN


def bucket_assets(registry: Registry) -> Iterator[Asset]:
    """Every bucket, and each of its zones."""
    logs = _log_buckets(registry)
    zones = _zones(registry)
    for bucket in registry.estate.resources(_BUCKET):
        arn = registry.estate.arn(bucket)
        name = registry.name(bucket)
        if isinstance(arn, Unknown):
            yield Asset(name, "data", (), bucket, missing=f"the bucket's name: {arn.reason}")
            continue
        make = _Bucket(registry, bucket, arn, is_log=id(bucket) in logs)
        if make.is_log:
            yield make.asset(name, "logs", make.log_deeds())
            continue
        prefixes = zones.get(id(bucket)) or [""]
        for prefix in prefixes:
            zone = f"{name}/{prefix.rstrip('/')}" if prefix else name
            yield make.asset(zone, "data", make.zone_deeds(prefix))
        deeds = make.bucket_deeds("D4", "D3") + make.listing(prefixes)
        yield make.asset(f"{name} (bucket)", "bucket", deeds)


class _Bucket:
    def __init__(self, registry: Registry, bucket: Resource, arn: str, *, is_log: bool) -> None:
        self.is_log = is_log
        self.registry = registry
        self.bucket = bucket
        self.arn = arn
        self.policy = registry.policy(bucket)
        self.blocked = registry.estate.block_public_access(bucket)
        status = registry.estate.value(bucket, "VersioningConfiguration", "Status")
        self.versioned = status == "Enabled"
        locked = registry.estate.value(bucket, "ObjectLockEnabled")
        self.alters = (*_ALTERS, *(_UNLOCKS if locked not in (None, False) else ()))
        self.key = _default_key(registry, bucket)

    def asset(self, name: str, kind: str, deeds: tuple[Deed, ...]) -> Asset:
        account = self.registry.estate.place(self.bucket).account
        return Asset(name, kind, deeds, self.bucket, account)

    def zone_deeds(self, prefix: str) -> tuple[Deed, ...]:
        return (
            Deed("read", self._reads(prefix), "D3"),
            Deed("write", self._writes(prefix), "D3"),
            Deed("delete", one(*self._deletions(prefix)), "D4"),
        )

    def log_deeds(self) -> tuple[Deed, ...]:
        # A new version or a delete marker hides a log from every query, even where no version is lost.
        hiding = (*self._deletions(""), self._on_objects("s3:DeleteObject", ""))
        lifted = (self._on_objects("s3:BypassGovernanceRetention", ""),)
        return (
            Deed("read", self._reads(""), "D5"),
            Deed("write", self._writes(""), "A2"),
            Deed("delete", one(*hiding, *lifted), "A2", by_design=False),
            self._left("alter", "A2", _WITH_ROLES, self._each(self.alters)),
            *self.bucket_deeds("A2", "A2"),
        )

    def bucket_deeds(self, keeps: str, closed: str) -> tuple[Deed, ...]:
        deeds = [
            Deed("lose versions", self._on_bucket(_LOSES), keeps, by_design=False),
            Deed("open up", self._on_bucket(_OPENS), closed, by_design=False),
            self._left("reconfigure", closed, _WITH_ROLES, self._on_bucket(_CONFIGURES)),
            self._left("reach from outside", "D3", _STOLEN, self._outside()),
            Deed("reach without TLS 1.2", self._plain(), "E2", _JOB, by_design=False, who=Who.ANY),
            self._deploying("read while deploying", "D3", self._reads("")),
            self._deploying("destroy while deploying", keeps, self._destroys()),
        ]
        if self.key is not None:
            ways = tuple(self._uploads("", encrypted=False))
            deeds.append(
                Deed("store under another key", ways, "D1", _FROM_INSIDE, by_design=False, who=Who.ANY)
            )
        return tuple(deeds)

    def listing(self, prefixes: Sequence[str]) -> tuple[Deed, ...]:
        """What is in a bucket with zones is listed zone by zone."""
        if not all(prefixes):
            return ()
        ((act,),) = self._on_bucket(("s3:ListBucket",))
        others = unlike(*(f"{each}*" for each in prefixes), absent=False)
        ways = one(*(replace(act, context={"s3:prefix": each}) for each in (ABSENT, others)))
        return (Deed("list past the zones", ways, "D6", _WITH_ROLES),)

    def _left(
        self, name: str, control: str, adversaries: frozenset[Adversary], ways: tuple[tuple[Act, ...], ...]
    ) -> Deed:
        """What the bucket's policy should deny by itself, and not leave to the permissions of roles."""
        return Deed(name, ways, control, adversaries, who=Who.ANY)

    def _deploying(self, name: str, control: str, ways: tuple[tuple[Act, ...], ...]) -> Deed:
        return Deed(name, ways, control, _INSIDER, who=Who.DEPLOYING)

    def _each(self, actions: Iterable[str]) -> tuple[tuple[Act, ...], ...]:
        return one(*(self._on_objects(action, "") for action in actions))

    def _outside(self) -> tuple[tuple[Act, ...], ...]:
        on_objects = (*_DISCLOSES, *self.alters, *_TAKES_AWAY, *_BESIDES)
        return self._each(on_objects) + self._on_bucket(_LISTS)

    def _plain(self) -> tuple[tuple[Act, ...], ...]:
        ways = self._each(("s3:GetObject", "s3:PutObject")) + self._on_bucket(("s3:ListBucket",))
        wrong = ({"aws:securetransport": exactly("false")}, {"s3:tlsversion": exactly("1.1")})
        return one(*(replace(act, context=context) for context in wrong for (act,) in ways))

    def _destroys(self) -> tuple[tuple[Act, ...], ...]:
        if not self.is_log:
            return (*one(*self._deletions("")), *self._on_bucket(("s3:PutBucketVersioning",)))
        on_objects = (*self.alters, *_TAKES_AWAY, *_BESIDES)
        return (*self._each(on_objects), *self._on_bucket(("s3:DeleteBucket", "s3:DeleteBucketPolicy")))

    def _on_objects(self, action: str, prefix: str) -> Act:
        return Act(
            action,
            f"{self.arn}/{prefix}*",
            self.policy,
            service="s3",
            named=f"{self.arn}/{prefix}",
            public_access_blocked=self.blocked,
        )

    def _on_bucket(self, actions: Iterable[str]) -> tuple[tuple[Act, ...], ...]:
        act = Act("", self.arn, self.policy, service="s3", named=self.arn, public_access_blocked=self.blocked)
        return one(*(replace(act, action=action) for action in actions))

    def _reads(self, prefix: str) -> tuple[tuple[Act, ...], ...]:
        decrypt = self.registry.through("s3", self.key, "kms:Decrypt", self.bucket)
        actions = ("s3:GetObject", "s3:GetObjectVersion") if self.versioned else ("s3:GetObject",)
        return tuple((self._on_objects(action, prefix), *decrypt) for action in actions)

    def _writes(self, prefix: str) -> tuple[tuple[Act, ...], ...]:
        encrypt = self.registry.through("s3", self.key, "kms:GenerateDataKey", self.bucket)
        if not encrypt:
            return ((self._on_objects("s3:PutObject", prefix),),)
        return (*self._uploads(prefix, encrypted=True), *self._uploads(prefix, encrypted=False))

    def _uploads(self, prefix: str, *, encrypted: bool) -> Iterator[tuple[Act, ...]]:
        """Uploads under the bucket's key, or by headers under another one or none."""
        found = self.registry.key(self.key)
        put = self._on_objects("s3:PutObject", prefix)

        def headers(algorithm: Values, key: Values, customer: Values = ABSENT) -> Act:
            return replace(put, context={_ALGORITHM: algorithm, _KEY: key, _CUSTOMER: customer})

        ours = exactly(found[0]) if found else ABSENT
        if encrypted:
            encrypt = self.registry.through("s3", self.key, "kms:GenerateDataKey", self.bucket)
            yield headers(exactly("aws:kms"), ours), *encrypt
            yield headers(ABSENT, ABSENT), *encrypt
            return
        yield (headers(exactly("AES256"), ABSENT),)
        other = Values(like=("arn:*:kms:*:*:key/?*",), unlike=(found[0],), absent=False) if found else ABSENT
        yield (headers(like("aws:kms", "aws:kms:dsse"), other),)
        # Without a key of its own, the AWS-managed one is taken.
        yield (headers(like("aws:kms", "aws:kms:dsse"), ABSENT),)
        yield (headers(ABSENT, ABSENT, exactly("AES256")),)

    def _deletions(self, prefix: str) -> tuple[Act, ...]:
        if not self.versioned:
            return (self._on_objects("s3:DeleteObject", prefix),)
        return (self._on_objects("s3:DeleteObjectVersion", prefix),)


def _default_key(registry: Registry, bucket: Resource) -> Any:
    rules = registry.estate.value(bucket, "BucketEncryption", "ServerSideEncryptionConfiguration")
    for rule in rules if isinstance(rules, list) else [rules]:
        if isinstance(rule, Unknown):
            return rule
        default = rule.get("ServerSideEncryptionByDefault") if isinstance(rule, dict) else None
        if isinstance(default, Unknown):
            return default
        if isinstance(default, dict) and str(default.get("SSEAlgorithm", "")).startswith("aws:kms"):
            return default.get("KMSMasterKeyID")
    return None


def _log_buckets(registry: Registry) -> set[int]:
    """Buckets that logs come to: of a trail, of S3, of flows, and what is replicated from such a bucket."""
    estate = registry.estate
    by_name: dict[str, Resource] = {}
    for bucket in estate.resources(_BUCKET):
        for attribute in ("Ref", "Arn"):
            name = estate.attribute(bucket, attribute)
            if isinstance(name, str):
                by_name[name] = bucket
    found: set[int] = set()

    def note(name: Any) -> None:
        if isinstance(name, str) and (bucket := by_name.get(name) or by_name.get(name.partition("/")[0])):
            found.add(id(bucket))

    for trail in estate.resources("AWS::CloudTrail::Trail"):
        note(estate.value(trail, "S3BucketName"))
    for log in estate.resources("AWS::EC2::FlowLog"):
        note(estate.value(log, "LogDestination"))
    for bucket in estate.resources(_BUCKET):
        note(estate.value(bucket, "LoggingConfiguration", "DestinationBucketName"))
    for bucket in estate.resources(_BUCKET):
        rules = estate.value(bucket, "ReplicationConfiguration", "Rules")
        if id(bucket) in found and isinstance(rules, list):
            for rule in rules:
                destination = rule.get("Destination") if isinstance(rule, dict) else None
                note(destination.get("Bucket") if isinstance(destination, dict) else None)
    return found


def _zones(registry: Registry) -> dict[int, list[str]]:
    """The prefixes that a bucket is parted into: by the catalog, by Lake Formation, by its lifecycle."""
    estate = registry.estate
    places: set[str] = set()
    for database in estate.resources("AWS::Glue::Database"):
        location = estate.value(database, "DatabaseInput", "LocationUri")
        if isinstance(location, str) and location.startswith("s3://"):
            places.add(location.removeprefix("s3://").rstrip("/") + "/")
    for registered in estate.resources("AWS::LakeFormation::Resource"):
        arn = estate.value(registered, "ResourceArn")
        if isinstance(arn, str) and ":s3:::" in arn:
            places.add(arn.partition(":s3:::")[2].rstrip("/") + "/")
    found: dict[int, list[str]] = {}
    for bucket in estate.resources(_BUCKET):
        name = estate.attribute(bucket, "Ref")
        prefixes = {
            place.partition("/")[2]
            for place in places
            if isinstance(name, str) and place.startswith(f"{name}/")
        }
        rules = estate.value(bucket, "LifecycleConfiguration", "Rules")
        for rule in rules if isinstance(rules, list) else ():
            prefix = rule.get("Prefix") if isinstance(rule, dict) else None
            if isinstance(prefix, str) and prefix.endswith("/"):
                prefixes.add(prefix)
        found[id(bucket)] = sorted(prefix for prefix in prefixes if prefix)
    return found
