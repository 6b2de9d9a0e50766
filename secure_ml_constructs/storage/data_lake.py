"""The data lake: zones under the environment's keys, reached from the environment only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from secure_ml_constructs._acknowledge import NO_REPLICA, OBJECTS_BELOW, acknowledge, standard_packs
from secure_ml_constructs._buckets import closed, customer_key
from secure_ml_constructs._cdk import child_path, may_lose_data
from secure_ml_constructs.audit.archive_policies import ACCESS_LOG_PREFIX
from secure_ml_constructs.errors import ConfigurationError, Problem, Problems
from secure_ml_constructs.keys import EnvironmentKeys
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.storage.access import RoleAccess
from secure_ml_constructs.storage.bucket_policy import lake_bucket_policy
from secure_ml_constructs.storage.catalog import Catalog
from secure_ml_constructs.storage.zones import DEFAULT_ZONES, Zone, check_zones


class EncryptedDataLake(Construct):
    """Zones for data and models, each with its own readers and writers, closed to everyone outside.

    Zones that share a key share a bucket, each under its prefix; a locked zone has a bucket of its own. The
    bucket policies hold Denies only: what a role may do stands on the role (`grant_read`, `grant_write`).

    Ensures:
        D1: objects under the zone's customer key; uploads under no or another key denied.
        D2: public access blocked, ACLs off.
        D3: reached from the given endpoints only, with the perimeter's exceptions.
        D4: versioned; versions destroyed by the administrator, erasure and break-glass roles only.
        D5: server access logs.
        D6: reading and writing granted by zone.
        D7: Object Lock by zone; no compliance lock on personal data.
        D9: a Glue database a zone, with Lake Formation permissions.
        D11: lifecycle by zone.
        E2: TLS 1.2 or newer.

    Args:
        scope: The parent construct.
        id: The construct's id.
        perimeter: Who is trusted, and the exceptions.
        keys: The environment's keys.
        endpoints: Ids of the VPC endpoints by which the environment reaches S3.
        access_logs: The bucket for server access logs (`LogArchive.access_log_bucket`).
        zones: The zones. Default: raw, curated, features, models, output.
        catalog: Whether Glue databases and Lake Formation permissions are made. Default: yes.
        bucket_default_encryption: Accept uploads that name no encryption, which S3 then encrypts with the
            bucket's key. Default: such uploads are denied, and clients name the key (boto3: `ExtraArgs`).
        removal_policy: `DESTROY` lets CloudFormation delete empty buckets; it needs the context flag
            `secure-ml:allow-data-loss` as well. Default: `RETAIN`.

    Raises:
        ConfigurationError: Zones that overlap, repeat or are malformed; a compliance lock on personal data;
            no endpoint; destruction without the flag.

    Example:
        >>> lake = EncryptedDataLake(
        ...     stack, "Lake", perimeter=perimeter, keys=keys,
        ...     endpoints=vpc.s3_endpoint_ids, access_logs=archive.access_log_bucket,
        ... )
        >>> lake.grant_read("curated", training_role)
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        perimeter: DataPerimeter,
        keys: EnvironmentKeys,
        endpoints: Sequence[str],
        access_logs: s3.IBucket,
        zones: Sequence[Zone] = DEFAULT_ZONES,
        catalog: bool = True,
        bucket_default_encryption: bool = False,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        problems = Problems()
        check_zones(problems, zones)
        if isinstance(endpoints, str) or not endpoints:
            problems.add(
                "endpoints",
                endpoints,
                "Without an endpoint nobody could reach the lake.",
                "Give a list of endpoint ids, for instance vpc.s3_endpoint_ids.",
            )
        if removal_policy is not RemovalPolicy.RETAIN and not may_lose_data(scope):
            problems.add(
                "removal_policy",
                removal_policy.name,
                "Data would be lost with the stack.",
                "Leave the argument out, or set the context flag 'secure-ml:allow-data-loss' as well.",
            )
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        self.perimeter = perimeter
        self.zones: Mapping[str, Zone] = {zone.name: zone for zone in zones}
        self._keys = keys
        self._access: dict[str, RoleAccess] = {}
        self._names: dict[str, str] = {}
        self._arns: dict[str, str] = {}
        log_bucket = access_logs.bucket_name
        for bucket in dict.fromkeys(zone.bucket for zone in zones):
            held = [zone for zone in zones if zone.bucket == bucket]
            key_arn = keys.arn(held[0].key_class)
            made = _bucket(
                self,
                "".join(part.capitalize() for part in bucket.split("-")),
                zones=held,
                key_arn=key_arn,
                log_bucket=log_bucket,
                log_prefix=f"{ACCESS_LOG_PREFIX}lake/{bucket}/",
            )
            made.apply_removal_policy(removal_policy)
            name, arn = made.ref, made.attr_arn
            self._names[bucket], self._arns[bucket] = name, arn
            policy = lake_bucket_policy(
                perimeter,
                bucket_arn=arn,
                key_arn=key_arn,
                endpoints=endpoints,
                bucket_default_encryption=bucket_default_encryption,
            )
            # Without it the bucket that outlives its stack would be open to whoever IAM lets in.
            s3.CfnBucketPolicy(made, "Policy", bucket=name, policy_document=policy).apply_removal_policy(
                removal_policy
            )
        acknowledge(self, standard_packs("S3BucketReplicationEnabled"), NO_REPLICA)
        self._catalog = (
            Catalog(
                self,
                "Catalog",
                locations={name: (self.zone_uri(name), self.zone_arn(name)) for name in self.zones},
            )
            if catalog
            else None
        )

    # -- what it holds -------------------------------------------------------------------------------

    @cached_property
    def buckets(self) -> Mapping[str, s3.IBucket]:
        """Every bucket, by its name within the lake (`data`, `model`, `<zone>-locked`)."""
        return {
            name: s3.Bucket.from_bucket_attributes(
                self, f"{name}-bucket", bucket_arn=arn, bucket_name=self._names[name]
            )
            for name, arn in self._arns.items()
        }

    @property
    def bucket_arns(self) -> tuple[str, ...]:
        """The ARN of every bucket."""
        return tuple(self._arns.values())

    @property
    def databases(self) -> Mapping[str, str]:
        """The Glue database of each zone; empty without a catalog."""
        return self._catalog.databases if self._catalog else {}

    def bucket(self, zone: str) -> s3.IBucket:
        """Give the bucket that holds a zone."""
        return self.buckets[self._zone(zone).bucket]

    def zone_arn(self, zone: str) -> str:
        """Give the ARN of a zone's prefix, with the slash at its end."""
        held = self._zone(zone)
        return f"{self._arns[held.bucket]}/{held.path}"

    def zone_uri(self, zone: str) -> str:
        """Give the `s3://` address of a zone, with the slash at its end."""
        held = self._zone(zone)
        return f"s3://{self._names[held.bucket]}/{held.path}"

    # -- who may use it ------------------------------------------------------------------------------

    def grant_read(self, zone: str, role: iam.IRole, *, tables: bool = True) -> None:
        """Let a role list and read one zone, and query its tables. (D6)

        Args:
            zone: The zone's name.
            role: A role under the perimeter's role path; others have no use of the key.
            tables: Whether the catalog is opened as well. An isolated job reaches none. Default: yes.

        Raises:
            ConfigurationError: No such zone.
        """
        self._grant(zone, role, "read", ("s3:GetObject", "s3:GetObjectVersion"), ("kms:Decrypt",))
        if tables and self._catalog and self._first(zone, role, "query"):
            self._catalog.grant_read(zone, self._access_of(role))

    def grant_write(self, zone: str, role: iam.IRole, *, tables: bool = True) -> None:
        """Let a role write one zone: new objects, new versions and delete markers, and its tables. (D6)

        Args:
            zone: The zone's name.
            role: A role under the perimeter's role path; others have no use of the key.
            tables: Whether the catalog is opened as well. An isolated job reaches none. Default: yes.

        Raises:
            ConfigurationError: No such zone.
        """
        actions = (
            "s3:PutObject",
            "s3:DeleteObject",
            "s3:AbortMultipartUpload",
            "s3:ListMultipartUploadParts",
        )
        # S3 decrypts the parts of a multipart upload to join them.
        self._grant(zone, role, "write", actions, ("kms:GenerateDataKey", "kms:Decrypt"))
        if tables and self._catalog and self._first(zone, role, "change tables"):
            self._catalog.grant_write(zone, self._access_of(role))

    def _grant(
        self,
        zone: str,
        role: iam.IRole,
        kind: str,
        actions: tuple[str, ...],
        key_actions: tuple[str, ...],
    ) -> None:
        """Grant what has not been granted."""
        held = self._zone(zone)
        if not self._first(zone, role, kind):
            return
        access = self._access_of(role)
        objects = f"{self.zone_arn(zone)}*"
        listing = {"StringLike": {"s3:prefix": [held.path, f"{held.path}*"]}}
        access.allow(actions, [objects], wildcards={objects: OBJECTS_BELOW})
        access.allow(("s3:ListBucket",), [self._arns[held.bucket]], condition=listing)
        access.allow(key_actions, [self._keys.arn(held.key_class)])

    def _first(self, zone: str, role: iam.IRole, kind: str) -> bool:
        """Note that something is granted; tell whether it was not before."""
        granted = self._access_of(role).granted
        new = (zone, kind) not in granted
        granted.add((zone, kind))
        return new

    def _access_of(self, role: iam.IRole) -> RoleAccess:
        path = role.node.path
        if path not in self._access:
            # The addresses tell two lakes apart that grant to one role, and two imported roles of one lake.
            self._access[path] = RoleAccess(
                self, role, f"LakeAccess{self.node.addr[-8:]}{role.node.addr[-8:]}"
            )
        return self._access[path]

    def _zone(self, name: str) -> Zone:
        try:
            return self.zones[name]
        except KeyError:
            problem = Problem(
                "zone", name, "The lake has no such zone.", f"Write one of {', '.join(self.zones)}."
            )
            raise ConfigurationError(self.node.path, [problem]) from None


def _bucket(
    scope: Construct, id: str, *, zones: Sequence[Zone], key_arn: str, log_bucket: str, log_prefix: str
) -> s3.CfnBucket:
    lock = zones[0].lock
    return s3.CfnBucket(
        scope,
        id,
        bucket_encryption=customer_key(key_arn),
        lifecycle_configuration=s3.CfnBucket.LifecycleConfigurationProperty(
            rules=[_lifecycle(zone) for zone in zones]
        ),
        logging_configuration=s3.CfnBucket.LoggingConfigurationProperty(
            destination_bucket_name=log_bucket, log_file_prefix=log_prefix
        ),
        object_lock_enabled=True if lock else None,
        object_lock_configuration=s3.CfnBucket.ObjectLockConfigurationProperty(
            object_lock_enabled="Enabled",
            rule=s3.CfnBucket.ObjectLockRuleProperty(
                default_retention=s3.CfnBucket.DefaultRetentionProperty(mode=lock.mode.value, days=lock.days)
            ),
        )
        if lock
        else None,
        **closed(),
    )


def _lifecycle(zone: Zone) -> s3.CfnBucket.RuleProperty:
    return s3.CfnBucket.RuleProperty(
        id=zone.name,
        prefix=zone.path,
        status="Enabled",
        abort_incomplete_multipart_upload=s3.CfnBucket.AbortIncompleteMultipartUploadProperty(
            days_after_initiation=7
        ),
        expiration_in_days=zone.expire_days,
        noncurrent_version_expiration=s3.CfnBucket.NoncurrentVersionExpirationProperty(
            noncurrent_days=zone.old_version_days
        ),
        transitions=[
            s3.CfnBucket.TransitionProperty(storage_class="GLACIER_IR", transition_in_days=zone.archive_days)
        ]
        if zone.archive_days
        else None,
    )
