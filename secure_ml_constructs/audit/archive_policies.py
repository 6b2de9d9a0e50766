"""The bucket policies of the log archive and of the access-log bucket.

One rule for both: services of AWS write, the environment reads, whoever deploys configures, nobody destroys.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from secure_ml_constructs.perimeter import (
    BUCKET_ADMINISTRATION,
    LISTING_ACTIONS,
    OBJECT_ACTIONS,
    DataPerimeter,
)
from secure_ml_constructs.policy import Condition, Document, Statement, allow, deny, document, sub

ACCESS_LOG_PREFIX = "access-logs/"

_ACCOUNT = sub("${AWS::AccountId}")
# Denied to everyone without exception. Object Lock refuses most of it as well; what it does not refuse are
# delete markers, and in governance mode the bypass. A re-encryption under a key that is then deleted would
# destroy what can't be deleted.
_DESTRUCTION = (
    "s3:BypassGovernanceRetention",
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:DeleteObject*",
    "s3:InitiateReplication",
    "s3:PutObjectRetention",
    "s3:ReplicateDelete",
    "s3:UpdateObjectEncryption",
)
# A new version on top of a log file hides the true one from every query.
_WRITING = (
    "s3:ObjectOwnerOverrideToBucketOwner",
    "s3:PutObject",
    "s3:PutObjectAcl",
    "s3:PutObjectTagging",
    "s3:PutObjectVersionAcl",
    "s3:PutObjectVersionTagging",
    "s3:ReplicateObject",
    "s3:ReplicateTags",
)
_KEY_HEADER = "s3:x-amz-server-side-encryption-aws-kms-key-id"
_ALGORITHM_HEADER = "s3:x-amz-server-side-encryption"


def archive_policy(
    perimeter: DataPerimeter,
    *,
    bucket_arn: str,
    key_arn: str,
    endpoints: Sequence[str],
    writers: Iterable[str],
) -> Document:
    """Give the archive's bucket policy. (A2, D3, E2, E3)

    Args:
        perimeter: Whom it lets through.
        bucket_arn: The archive.
        key_arn: The only key that a request may name.
        endpoints: The VPC endpoints that readers come by.
        writers: Role ARNs that write besides the AWS services named here.
    """
    objects = f"{bucket_arn}/*"
    return document(
        [
            *_common(perimeter, bucket_arn, endpoints, writers),
            deny(
                "DenyLegalHold",
                "s3:PutObjectLegalHold",
                objects,
                condition=perimeter.not_roles((*perimeter.administrators, *perimeter.break_glass_roles)),
            ),
            # Only a header that is there is judged: a delivery without one gets the bucket's own encryption.
            deny("DenyOtherKeys", "s3:PutObject", objects, condition=_present_and_not(_KEY_HEADER, key_arn)),
            deny(
                "DenyOtherEncryption",
                "s3:PutObject",
                objects,
                condition=_present_and_not(_ALGORITHM_HEADER, "aws:kms"),
            ),
            *_cloud_trail(bucket_arn),
            *_log_delivery(bucket_arn),
        ]
    )


def access_log_policy(perimeter: DataPerimeter, *, bucket_arn: str, endpoints: Sequence[str]) -> Document:
    """Give the policy of the bucket for server access logs. (D5)

    Args:
        perimeter: Whom it lets through.
        bucket_arn: The bucket.
        endpoints: The VPC endpoints that readers come by.
    """
    # Amazon S3: Enabling Amazon S3 server access logging, grant permissions by a bucket policy.
    delivery = allow(
        "ServerAccessLogs",
        "s3:PutObject",
        f"{bucket_arn}/{ACCESS_LOG_PREFIX}*",
        principal={"Service": "logging.s3.amazonaws.com"},
        condition={
            "StringEquals": {"aws:SourceAccount": _ACCOUNT},
            "ArnLike": {"aws:SourceArn": sub("arn:${AWS::Partition}:s3:::*")},
        },
    )
    # The archive's key names its readers; this bucket is under S3's own keys, and the account's other
    # principals could read it through any service that reads S3 for them.
    readers = (
        perimeter.environment_roles,
        *perimeter.break_glass_roles,
        *(arn for exception in perimeter.exceptions for arn in exception.principals),
    )
    reading = deny("DenyReading", "s3:GetObject*", f"{bucket_arn}/*", condition=perimeter.not_roles(readers))
    return document([*_common(perimeter, bucket_arn, endpoints, ()), reading, delivery])


def _common(
    perimeter: DataPerimeter, bucket_arn: str, endpoints: Sequence[str], writers: Iterable[str]
) -> list[Statement]:
    objects = f"{bucket_arn}/*"
    everything = [bucket_arn, objects]
    deploying = perimeter.deploying_roles
    return [
        *perimeter.deny_plain_transport("s3:*", everything),
        perimeter.deny_outsiders("s3:*", everything),
        perimeter.deny_foreign_networks(OBJECT_ACTIONS, objects, endpoints=endpoints),
        # CloudFormation asks for the bucket by HeadBucket, which is s3:ListBucket. Names, not contents.
        perimeter.deny_foreign_networks(
            LISTING_ACTIONS, bucket_arn, endpoints=endpoints, also=deploying, sid="DenyForeignListing"
        ),
        deny("DenyDestruction", _DESTRUCTION, everything),
        # Administrators as well: what they may do to other buckets would hide or outlive the logs here.
        deny(
            "DenyConfiguration", BUCKET_ADMINISTRATION, bucket_arn, condition=perimeter.not_roles(deploying)
        ),
        deny("DenyWriting", _WRITING, objects, condition=perimeter.not_roles(writers)),
        deny("DenyDeployersObjects", OBJECT_ACTIONS, objects, condition=perimeter.roles(deploying)),
    ]


def _present_and_not(key: str, value: Any) -> Condition:
    return {"StringNotEquals": {key: value}, "Null": {key: "false"}}


def _cloud_trail(bucket_arn: str) -> list[Statement]:
    # AWS CloudTrail: Amazon S3 bucket policy for CloudTrail. The trail's name is made by CloudFormation after
    # this policy, so that the pattern ends at the account; the trail's region is left open, for a trail that
    # stands in another region.
    principal = {"Service": "cloudtrail.amazonaws.com"}
    ours = {"aws:SourceArn": sub("arn:${AWS::Partition}:cloudtrail:*:${AWS::AccountId}:trail/*")}
    return [
        allow(
            "CloudTrailAclCheck",
            "s3:GetBucketAcl",
            bucket_arn,
            principal=principal,
            condition={"ArnLike": ours},
        ),
        allow(
            "CloudTrailWrite",
            "s3:PutObject",
            _account_logs(bucket_arn),
            principal=principal,
            condition={"ArnLike": ours, "StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}},
        ),
    ]


def _log_delivery(bucket_arn: str) -> list[Statement]:
    # Amazon VPC: Publish flow logs to Amazon S3, bucket permissions; the same for all vended logs.
    principal = {"Service": "delivery.logs.amazonaws.com"}
    account = {"aws:SourceAccount": _ACCOUNT}
    ours = {"aws:SourceArn": sub("arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:*")}
    return [
        allow(
            "LogDeliveryAclCheck",
            "s3:GetBucketAcl",
            bucket_arn,
            principal=principal,
            condition={"ArnLike": ours, "StringEquals": account},
        ),
        allow(
            "LogDeliveryWrite",
            "s3:PutObject",
            _account_logs(bucket_arn),
            principal=principal,
            condition={
                "ArnLike": ours,
                "StringEquals": {**account, "s3:x-amz-acl": "bucket-owner-full-control"},
            },
        ),
    ]


def _account_logs(bucket_arn: str) -> Any:
    return {"Fn::Join": ["", [bucket_arn, "/AWSLogs/", {"Ref": "AWS::AccountId"}, "/*"]]}
