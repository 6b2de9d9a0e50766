"""What every bucket of the library has in common."""

from __future__ import annotations

from functools import cache
from typing import TypedDict

from aws_cdk import aws_s3 as s3

_Bucket = s3.CfnBucket


class Closed(TypedDict):
    """The properties that close a bucket."""

    ownership_controls: s3.CfnBucket.OwnershipControlsProperty
    public_access_block_configuration: s3.CfnBucket.PublicAccessBlockConfigurationProperty
    versioning_configuration: s3.CfnBucket.VersioningConfigurationProperty


@cache
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


@cache
def customer_key(key_arn: str) -> s3.CfnBucket.BucketEncryptionProperty:
    """Give a bucket's encryption under a customer key, with a bucket key: fewer calls to KMS. (E3)"""
    return _Bucket.BucketEncryptionProperty(
        server_side_encryption_configuration=[
            _Bucket.ServerSideEncryptionRuleProperty(
                bucket_key_enabled=True,
                server_side_encryption_by_default=_Bucket.ServerSideEncryptionByDefaultProperty(
                    sse_algorithm="aws:kms", kms_master_key_id=key_arn
                ),
            )
        ]
    )
