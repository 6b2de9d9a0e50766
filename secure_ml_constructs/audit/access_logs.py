"""The one bucket that S3 delivers server access logs to."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from secure_ml_constructs._acknowledge import (
    OBJECTS_BELOW,
    acknowledge_all,
    acknowledge_wildcards,
    standard_packs,
)
from secure_ml_constructs._buckets import closed
from secure_ml_constructs.audit._buckets import LOGS_OF_LOGS, NOT_LOGGED, housekeeping
from secure_ml_constructs.audit.archive_policies import ACCESS_LOG_PREFIX, access_log_policy
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.policy import allow, document

# The copy in the archive is the record; this one may go once it is as old as the shortest record there. S3
# expires nothing whose replication is pending or has failed.
_DAYS = 365

_Bucket = s3.CfnBucket


class AccessLogBucket(Construct):
    """A bucket for server access logs, replicated into the archive; made by `LogArchive`.

    Ensures:
        D5: under S3's own keys, without Object Lock (S3 delivers to no other), versioned, deletion denied,
            replicated into the archive without delete markers.

    Args:
        scope: The archive.
        id: The construct's id.
        perimeter: Who reads and deploys.
        key_arn: The key of the replicas.
        endpoints: Ids of the VPC endpoints that readers come by.
        archive: Where the replicas go.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        perimeter: DataPerimeter,
        key_arn: str,
        endpoints: Sequence[str],
        archive: s3.CfnBucket,
    ) -> None:
        super().__init__(scope, id)
        archive_arn = archive.attr_arn
        role = iam.CfnRole(
            self,
            "ReplicationRole",
            assume_role_policy_document=perimeter.service_trust_without_source("s3.amazonaws.com"),
            description="Replicates server access logs into the log archive",
            path=perimeter.service_role_path,
        )
        self.role_arn: str = role.attr_arn
        bucket = s3.CfnBucket(
            self,
            "Bucket",
            bucket_encryption=_Bucket.BucketEncryptionProperty(
                server_side_encryption_configuration=[
                    _Bucket.ServerSideEncryptionRuleProperty(
                        server_side_encryption_by_default=_Bucket.ServerSideEncryptionByDefaultProperty(
                            sse_algorithm="AES256"
                        )
                    )
                ]
            ),
            lifecycle_configuration=_Bucket.LifecycleConfigurationProperty(
                rules=[
                    _Bucket.RuleProperty(
                        id="AccessLogs",
                        status="Enabled",
                        expiration_in_days=_DAYS,
                        noncurrent_version_expiration=_Bucket.NoncurrentVersionExpirationProperty(
                            noncurrent_days=30
                        ),
                    ),
                    *housekeeping(),
                ]
            ),
            replication_configuration=_replication(self.role_arn, archive_arn, key_arn),
            **closed(),
        )
        bucket.apply_removal_policy(RemovalPolicy.RETAIN)
        self.bucket_name: str = bucket.ref
        self.bucket_arn: str = bucket.attr_arn
        policy = s3.CfnBucketPolicy(
            self,
            "BucketPolicy",
            bucket=self.bucket_name,
            policy_document=access_log_policy(perimeter, bucket_arn=self.bucket_arn, endpoints=endpoints),
        )
        policy.apply_removal_policy(RemovalPolicy.RETAIN)
        permissions = iam.CfnManagedPolicy(
            self,
            "ReplicationPolicy",
            description="Reads server access logs and writes their replicas into the log archive",
            path=perimeter.service_role_path,
            policy_document=_permissions(self.bucket_arn, archive_arn, key_arn),
            roles=[role.ref],
        )
        acknowledge_all(
            bucket,
            {
                **dict.fromkeys(NOT_LOGGED, LOGS_OF_LOGS),
                **dict.fromkeys(
                    standard_packs("S3DefaultEncryptionKMS"),
                    "S3 delivers server access logs only to a bucket under its own keys (SSE-S3). The "
                    "replicas in the archive are under the customer key.",
                ),
            },
        )
        wildcards = {f"{arn}/{ACCESS_LOG_PREFIX}*": OBJECTS_BELOW for arn in (self.bucket_arn, archive_arn)}
        acknowledge_wildcards(permissions, wildcards)


def _replication(
    role_arn: str, archive_arn: str, key_arn: str
) -> s3.CfnBucket.ReplicationConfigurationProperty:
    return _Bucket.ReplicationConfigurationProperty(
        role=role_arn,
        rules=[
            _Bucket.ReplicationRuleProperty(
                id="ToArchive",
                status="Enabled",
                priority=1,
                filter=_Bucket.ReplicationRuleFilterProperty(prefix=ACCESS_LOG_PREFIX),
                delete_marker_replication=_Bucket.DeleteMarkerReplicationProperty(status="Disabled"),
                destination=_Bucket.ReplicationDestinationProperty(
                    bucket=archive_arn,
                    encryption_configuration=_Bucket.EncryptionConfigurationProperty(
                        replica_kms_key_id=key_arn
                    ),
                ),
                # S3 asks for it as soon as a replica key is named.
                source_selection_criteria=_Bucket.SourceSelectionCriteriaProperty(
                    sse_kms_encrypted_objects=_Bucket.SseKmsEncryptedObjectsProperty(status="Enabled")
                ),
            )
        ],
    )


def _permissions(source: str, target: str, key_arn: str) -> dict[str, object]:
    # Amazon S3: Setting up permissions for live replication; Replicating encrypted objects.
    return document(
        [
            allow("Configuration", ["s3:GetReplicationConfiguration", "s3:ListBucket"], source),
            allow(
                "Read",
                [
                    "s3:GetObjectVersionAcl",
                    "s3:GetObjectVersionForReplication",
                    "s3:GetObjectVersionTagging",
                ],
                f"{source}/{ACCESS_LOG_PREFIX}*",
            ),
            allow("Replicate", ["s3:ReplicateObject", "s3:ReplicateTags"], f"{target}/{ACCESS_LOG_PREFIX}*"),
            # With a bucket key the context is the bucket, without one the object.
            allow(
                "EncryptReplicas",
                ["kms:Encrypt", "kms:GenerateDataKey"],
                key_arn,
                condition={"ArnLike": {"kms:EncryptionContext:aws:s3:arn": [target, f"{target}/*"]}},
            ),
        ]
    )
