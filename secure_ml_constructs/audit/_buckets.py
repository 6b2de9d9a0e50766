"""What both buckets of the archive have in common."""

from __future__ import annotations

from typing import TypedDict

from aws_cdk import aws_s3 as s3

from secure_ml_constructs._acknowledge import acknowledge, health_packs

_Bucket = s3.CfnBucket


class Closed(TypedDict):
    """The properties that close a bucket."""

    ownership_controls: s3.CfnBucket.OwnershipControlsProperty
    public_access_block_configuration: s3.CfnBucket.PublicAccessBlockConfigurationProperty
    versioning_configuration: s3.CfnBucket.VersioningConfigurationProperty


def closed() -> Closed:
    """Give the properties of a bucket that is versioned, has no ACLs and is never public. (D2, D4)"""
    return Closed(
        ownership_controls=_Bucket.OwnershipControlsProperty(
            rules=[_Bucket.OwnershipControlsRuleProperty(object_ownership="BucketOwnerEnforced")]
        ),
        public_access_block_configuration=_Bucket.PublicAccessBlockConfigurationProperty(
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        ),
        versioning_configuration=_Bucket.VersioningConfigurationProperty(status="Enabled"),
    )


def housekeeping() -> list[s3.CfnBucket.RuleProperty]:
    """Give the lifecycle rules for what is no record: broken uploads and delete markers over nothing."""
    return [
        _Bucket.RuleProperty(
            id="BrokenUploads",
            status="Enabled",
            abort_incomplete_multipart_upload=_Bucket.AbortIncompleteMultipartUploadProperty(
                days_after_initiation=7
            ),
        ),
        _Bucket.RuleProperty(id="EmptyDeleteMarkers", status="Enabled", expired_object_delete_marker=True),
    ]


def acknowledge_logging(bucket: s3.CfnBucket, reason: str) -> None:
    """Accept that a bucket has no server access logs of its own."""
    acknowledge(
        bucket,
        ["AwsSolutions::AwsSolutions-S1", *health_packs("S3BucketLoggingEnabled")],
        reason,
    )
