"""The log archive: what happened, kept where nobody can make it vanish."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from functools import cached_property

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from secure_ml_constructs._acknowledge import NO_REPLICA, acknowledge_all, standard_packs
from secure_ml_constructs._buckets import closed, customer_key
from secure_ml_constructs._cdk import child_path, is_token
from secure_ml_constructs.audit._buckets import LOGS_OF_LOGS, NOT_LOGGED, housekeeping
from secure_ml_constructs.audit.access_logs import AccessLogBucket
from secure_ml_constructs.audit.archive_policies import ACCESS_LOG_PREFIX, archive_policy
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.keys import refuse_aws_managed
from secure_ml_constructs.perimeter import DataPerimeter

__all__ = ["LogArchive", "ObjectLockMode"]

MINIMUM_RETENTION_DAYS = 365
_LONGEST_RETENTION_DAYS = 36_500  # Amazon S3: Object Lock considerations, 100 years
# Instant retrieval: every colder class would hide the logs from Athena.
_COLD_AFTER_DAYS, _COLD_CLASS = 90, "GLACIER_IR"

_ENDPOINT_ID = re.compile(r"vpce-[0-9a-f]{8,17}")

_Bucket = s3.CfnBucket


class ObjectLockMode(StrEnum):
    """How a locked version is held.

    `COMPLIANCE`: nobody can delete it or shorten its retention, the root user included. `GOVERNANCE`: S3
    would let a role with `s3:BypassGovernanceRetention`; the archive's policy denies that to everyone, and
    whoever deploys could take the denial out.
    """

    COMPLIANCE = "COMPLIANCE"
    GOVERNANCE = "GOVERNANCE"


class LogArchive(Construct):
    """A bucket under Object Lock for trails and logs, and beside it the bucket for server access logs.

    S3 delivers server access logs only to a bucket without Object Lock and under S3's own keys (Amazon S3:
    Logging requests with server access logging). So they arrive in a bucket of their own, which replicates
    them into the archive. The archive can't log into that bucket in turn (neither could be made first, and
    each replica would be logged again): an `AuditTrail` records reads of both as CloudTrail data events.

    Ensures:
        A2: versions are locked for the whole retention; deleting, shortening and bypassing are denied to
            everyone, administrators and break-glass roles included; only AWS services and named roles write.
        D2: public access blocked, ACLs off.
        D3: read from the environment's endpoints and by the perimeter's exceptions only.
        D5: server access logs in a bucket of their own, versioned, deletion denied, replicated into the
            archive.
        D7: Object Lock, by default in compliance mode.
        E2: TLS 1.2 or newer.
        E3: customer key; server access logs under S3's own key, and under the customer key once replicated.
        I3: AWS services deliver for this account only.

    Args:
        scope: The parent construct.
        id: The construct's id.
        perimeter: Who reads and deploys.
        key: The logs key, by its own ARN and not an alias.
        endpoints: Ids of the VPC endpoints that readers come by (`vpce-…`).
        retention_days: Days that each version is locked for, 365 to 36500. In compliance mode no one can take
            it back: try with `GOVERNANCE` first. Default: 2555, seven years.
        mode: How versions are locked. Default: `COMPLIANCE`.
        writers: Role ARNs (patterns allowed) that write to the archive besides AWS's log services.
            Default: none.
        access_log_bucket: A bucket of yours that takes server access logs and that you replicate; the archive
            then logs into it as well. Default: one is made.

    Raises:
        ConfigurationError: Retention out of range, an AWS-managed key or an alias, no endpoints or something
            that is none, a writer that is no role ARN.

    Example:
        >>> archive = LogArchive(
        ...     stack, "Archive", perimeter=perimeter, key=keys.logs, endpoints=["vpce-0a1b2c3d4e5f60718"]
        ... )
        >>> archive.access_log_prefix("lake")
        'access-logs/lake/'
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        perimeter: DataPerimeter,
        key: kms.IKey,
        endpoints: Sequence[str],
        retention_days: int = 2555,
        mode: ObjectLockMode = ObjectLockMode.COMPLIANCE,
        writers: Sequence[str] = (),
        access_log_bucket: s3.IBucket | None = None,
    ) -> None:
        problems = Problems()
        key_arn = _check_key(problems, key)
        _check_endpoints(problems, endpoints)
        _check_retention(problems, retention_days)
        _check_mode(problems, mode)
        _check_writers(problems, writers)
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        self.perimeter = perimeter
        self.key_arn = key_arn
        self.retention_days = retention_days
        self.mode = ObjectLockMode(mode)
        self._given_access_log_bucket = access_log_bucket

        archive = self._make_archive()
        self.bucket_name: str = archive.ref
        self.bucket_arn: str = archive.attr_arn
        self.replication_role_arn: str | None = None
        if access_log_bucket is None:
            made = AccessLogBucket(
                self, "AccessLogs", perimeter=perimeter, key_arn=key_arn, endpoints=endpoints, archive=archive
            )
            self.access_log_bucket_name = made.bucket_name
            self.access_log_bucket_arn = made.bucket_arn
            self.replication_role_arn = made.role_arn
        else:
            self.access_log_bucket_name = access_log_bucket.bucket_name
            self.access_log_bucket_arn = access_log_bucket.bucket_arn
        replicating = (self.replication_role_arn,) if self.replication_role_arn else ()
        # Public: a trail is refused until this policy stands, so it has to depend on it.
        self.policy = s3.CfnBucketPolicy(
            self,
            "BucketPolicy",
            bucket=self.bucket_name,
            policy_document=archive_policy(
                perimeter,
                bucket_arn=self.bucket_arn,
                key_arn=key_arn,
                endpoints=endpoints,
                writers=(*replicating, *writers),
            ),
        )
        self.policy.apply_removal_policy(RemovalPolicy.RETAIN)

    @cached_property
    def bucket(self) -> s3.IBucket:
        """The archive."""
        return s3.Bucket.from_bucket_attributes(
            self,
            "Imported",
            bucket_name=self.bucket_name,
            bucket_arn=self.bucket_arn,
            encryption_key=kms.Key.from_key_arn(self, "ImportedKey", self.key_arn),
        )

    @cached_property
    def access_log_bucket(self) -> s3.IBucket:
        """The bucket that takes server access logs, under a prefix from `access_log_prefix`."""
        if self._given_access_log_bucket is not None:
            return self._given_access_log_bucket
        return s3.Bucket.from_bucket_attributes(
            self,
            "ImportedAccessLogs",
            bucket_name=self.access_log_bucket_name,
            bucket_arn=self.access_log_bucket_arn,
        )

    def access_log_prefix(self, name: str) -> str:
        """Give the prefix that the server access logs of one bucket go to; S3 is let write nowhere else.

        Args:
            name: A name for the bucket, unique in the environment.
        """
        return f"{ACCESS_LOG_PREFIX}{name}/"

    def _make_archive(self) -> s3.CfnBucket:
        given = self._given_access_log_bucket
        logging = given and _Bucket.LoggingConfigurationProperty(
            destination_bucket_name=given.bucket_name, log_file_prefix=self.access_log_prefix("archive")
        )
        bucket = s3.CfnBucket(
            self,
            "Bucket",
            bucket_encryption=customer_key(self.key_arn),
            lifecycle_configuration=_Bucket.LifecycleConfigurationProperty(
                rules=[
                    _Bucket.RuleProperty(
                        id="Archive",
                        status="Enabled",
                        transitions=[
                            _Bucket.TransitionProperty(
                                storage_class=_COLD_CLASS, transition_in_days=_COLD_AFTER_DAYS
                            )
                        ],
                        # Lifecycle never removes a version that is still locked (Amazon S3: Object Lock
                        # considerations), so these days count from the end of the retention.
                        expiration_in_days=self.retention_days + 1,
                        noncurrent_version_expiration=_Bucket.NoncurrentVersionExpirationProperty(
                            noncurrent_days=30
                        ),
                    ),
                    *housekeeping(),
                ]
            ),
            logging_configuration=logging or None,
            object_lock_enabled=True,
            object_lock_configuration=_Bucket.ObjectLockConfigurationProperty(
                object_lock_enabled="Enabled",
                rule=_Bucket.ObjectLockRuleProperty(
                    default_retention=_Bucket.DefaultRetentionProperty(
                        days=self.retention_days, mode=self.mode.value
                    )
                ),
            ),
            **closed(),
        )
        bucket.apply_removal_policy(RemovalPolicy.RETAIN)
        reasons = dict.fromkeys(standard_packs("S3BucketReplicationEnabled"), NO_REPLICA)
        if given is None:
            reasons |= dict.fromkeys(NOT_LOGGED, LOGS_OF_LOGS)
        acknowledge_all(bucket, reasons)
        return bucket


def _check_key(problems: Problems, key: kms.IKey) -> str:
    key_arn = refuse_aws_managed(problems, "key", key)
    if ":alias/" in key_arn and not problems:
        problems.add(
            "key",
            key_arn,
            "The bucket policy compares the key that a delivery names, and S3 sees its ARN, never an alias.",
            "Give the key by its own ARN.",
        )
    return key_arn


def _check_endpoints(problems: Problems, endpoints: Sequence[str]) -> None:
    fix = "Write the ids of the VPC endpoints for S3, for instance ['vpce-0a1b2c3d4e5f60718']."
    if isinstance(endpoints, str):
        problems.add("endpoints", endpoints, "One string where a list of endpoint ids belongs.", fix)
        return
    if not endpoints:
        problems.add("endpoints", endpoints, "Without an endpoint nobody could read the archive.", fix)
    for index, endpoint in enumerate(endpoints):
        if not is_token(endpoint) and not _ENDPOINT_ID.fullmatch(endpoint):
            problems.add(f"endpoints[{index}]", endpoint, "This is no VPC endpoint's id.", fix)


def _check_retention(problems: Problems, days: int) -> None:
    if not MINIMUM_RETENTION_DAYS <= days <= _LONGEST_RETENTION_DAYS:
        problems.add(
            "retention_days",
            days,
            f"The archive keeps its records for {MINIMUM_RETENTION_DAYS} to {_LONGEST_RETENTION_DAYS} days.",
            "Write for instance 2555, seven years.",
        )


def _check_mode(problems: Problems, mode: str) -> None:
    if mode not in tuple(ObjectLockMode):
        problems.add(
            "mode", mode, "Object Lock knows no such mode.", "Write ObjectLockMode.COMPLIANCE or .GOVERNANCE."
        )


def _check_writers(problems: Problems, writers: Sequence[str]) -> None:
    fix = (
        "Write a list of role ARNs, for instance ['arn:aws:iam::111122223333:role/secure-ml/service/report']."
    )
    if isinstance(writers, str):
        problems.add("writers", writers, "One string where a list of role ARNs belongs.", fix)
        return
    for index, writer in enumerate(writers):
        role = writer.partition(":role/")[2]
        if not is_token(writer) and not (writer.startswith("arn:") and role.partition("*")[0].strip("/")):
            problems.add(f"writers[{index}]", writer, "This is no role ARN, or it names every role.", fix)
