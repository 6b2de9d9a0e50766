"""What both buckets of the archive have in common."""

from __future__ import annotations

from functools import cache

from aws_cdk import aws_s3 as s3

from secure_ml_constructs._acknowledge import standard_packs

_Bucket = s3.CfnBucket


@cache
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


LOGS_OF_LOGS = (
    "Logging the buckets of logs never ends: the access-log bucket would log into itself, the archive into "
    "the bucket whose replicas it takes. An AuditTrail records every read of both as a CloudTrail data event."
)
# What the packs call a bucket that has no server access logs of its own.
NOT_LOGGED = (
    "AwsSolutions::AwsSolutions-S1",
    "SecureMl::S3BucketAccessLogged",
    *standard_packs("S3BucketLoggingEnabled"),
)
