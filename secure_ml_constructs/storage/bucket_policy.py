"""The policy of a bucket of the lake."""

from __future__ import annotations

from collections.abc import Sequence

from secure_ml_constructs.perimeter import (
    BUCKET_ADMINISTRATION,
    LISTING_ACTIONS,
    OBJECT_ACTIONS,
    VERSION_DESTRUCTION,
    DataPerimeter,
)
from secure_ml_constructs.policy import Document, Statement, deny, document

_ALGORITHM = "s3:x-amz-server-side-encryption"
_KEY = "s3:x-amz-server-side-encryption-aws-kms-key-id"
_CUSTOMER_PROVIDED = "s3:x-amz-server-side-encryption-customer-algorithm"


def lake_bucket_policy(
    perimeter: DataPerimeter,
    *,
    bucket_arn: str,
    key_arn: str,
    endpoints: Sequence[str],
    bucket_default_encryption: bool,
) -> Document:
    """Give the policy of a bucket: Denies only, since what is allowed stands on the roles. (D1, D3, D4, E2)

    Args:
        perimeter: Who is trusted.
        bucket_arn: The bucket.
        key_arn: The one key that its objects are encrypted with.
        endpoints: Ids of the S3 endpoints that requests come by.
        bucket_default_encryption: Whether an upload may leave the encryption to the bucket's default.
    """
    objects = f"{bucket_arn}/*"
    both = [bucket_arn, objects]
    return document(
        [
            *perimeter.deny_plain_transport("s3:*", both),
            perimeter.deny_outsiders("s3:*", both),
            perimeter.deny_foreign_networks(OBJECT_ACTIONS, objects, endpoints=endpoints),
            # CloudFormation asks for the bucket by HeadBucket, which is s3:ListBucket. Names, not contents.
            perimeter.deny_foreign_networks(
                LISTING_ACTIONS,
                bucket_arn,
                endpoints=endpoints,
                also=perimeter.deploying_roles,
                sid="DenyForeignListing",
            ),
            perimeter.deny_administration(BUCKET_ADMINISTRATION, bucket_arn),
            perimeter.deny_destruction(VERSION_DESTRUCTION, both),
            *_only_this_key(objects, key_arn, bucket_default_encryption),
        ]
    )


def _only_this_key(objects: str, key_arn: str, bucket_default: bool) -> list[Statement]:
    # A negated operator is true where the header is absent, so these two deny an upload that names no
    # encryption as well. A part of a multipart upload takes the encryption of its start. An upload that says
    # aws:kms and names no key would get the AWS-managed one: the second Deny meets it in both forms.
    given = {"Null": {_ALGORITHM: "false"}} if bucket_default else {}
    return [
        deny(
            "DenyOtherEncryption",
            "s3:PutObject",
            objects,
            condition={"StringNotEquals": {_ALGORITHM: "aws:kms"}, **given},
        ),
        deny(
            "DenyOtherKey", "s3:PutObject", objects, condition={"StringNotEquals": {_KEY: key_arn}, **given}
        ),
        deny(
            "DenyCustomerProvidedKeys",
            "s3:PutObject",
            objects,
            condition={"Null": {_CUSTOMER_PROVIDED: "false"}},
        ),
    ]
