"""What the pairs of policies and requests are made of: deeds, context keys and their values, callers."""

from __future__ import annotations

from dataclasses import dataclass

ACCOUNT, OTHER = "111122223333", "444455556666"


@dataclass(frozen=True)
class Deed:
    """An action, resources it is done to, and the keys that its request may carry."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    keys: tuple[str, ...]
    resource_policy: bool = True


DEEDS = (
    Deed(
        ("s3:GetObject",),
        (
            "arn:aws:s3:::lake/raw/patients.csv",
            "arn:aws:s3:::lake/team-a/x:y.bin",
            "arn:aws:s3:::lake/raw/2026/",
        ),
        ("s3:ExistingObjectTag/team", "s3:signatureAge", "s3:TlsVersion", "s3:ResourceAccount"),
    ),
    Deed(
        ("s3:PutObject",),
        ("arn:aws:s3:::lake/out/model.tar.gz",),
        (
            "s3:x-amz-server-side-encryption",
            "s3:x-amz-server-side-encryption-aws-kms-key-id",
            "s3:x-amz-acl",
            "s3:RequestObjectTagKeys",
            "s3:RequestObjectTag/team",
        ),
    ),
    Deed(("s3:ListBucket",), ("arn:aws:s3:::lake",), ("s3:prefix", "s3:delimiter", "s3:max-keys")),
    Deed(
        ("kms:Decrypt", "kms:GenerateDataKey"),
        (f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab",),
        (
            "kms:ViaService",
            "kms:CallerAccount",
            "kms:EncryptionContextKeys",
            "kms:EncryptionAlgorithm",
        ),
    ),
    Deed(
        ("kms:CreateGrant",),
        (f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab",),
        ("kms:GrantIsForAWSResource", "kms:GrantOperations", "kms:GranteePrincipal", "kms:ViaService"),
    ),
    Deed(
        ("sts:AssumeRole",),
        (f"arn:aws:iam::{ACCOUNT}:role/ml/training", f"arn:aws:iam::{ACCOUNT}:role/admin"),
        ("sts:ExternalId", "sts:RoleSessionName", "aws:TagKeys", "aws:RequestTag/team"),
    ),
    Deed(("sqs:SendMessage",), (f"arn:aws:sqs:eu-central-1:{ACCOUNT}:jobs",), ()),
    Deed(("sns:Publish",), (f"arn:aws:sns:eu-central-1:{ACCOUNT}:alarms",), ()),
    Deed(
        ("secretsmanager:GetSecretValue",),
        (f"arn:aws:secretsmanager:eu-central-1:{ACCOUNT}:secret:ml/db-AbCdEf",),
        ("secretsmanager:VersionStage", "secretsmanager:SecretId"),
    ),
    Deed(
        ("sagemaker:CreateTrainingJob",),
        (f"arn:aws:sagemaker:eu-central-1:{ACCOUNT}:training-job/job-1",),
        (
            "sagemaker:VpcSubnets",
            "sagemaker:VpcSecurityGroupIds",
            "sagemaker:InstanceTypes",
            "sagemaker:NetworkIsolation",
            "aws:TagKeys",
            "aws:RequestTag/team",
        ),
        resource_policy=False,
    ),
    Deed(
        ("sagemaker:InvokeEndpoint",),
        (f"arn:aws:sagemaker:eu-central-1:{ACCOUNT}:endpoint/triage",),
        ("sagemaker:TargetModel",),
        resource_policy=False,
    ),
    Deed(
        ("dynamodb:GetItem",),
        (f"arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/features",),
        ("dynamodb:LeadingKeys", "dynamodb:Attributes", "dynamodb:Select"),
    ),
)

# Values that keys take, by what operators suit them.
TEXTS: dict[str, tuple[str, ...]] = {
    "aws:SourceVpce": ("vpce-0a1b2c3d", "vpce-0a1b2c3e", "vpce-99999999"),
    "aws:SourceVpc": ("vpc-1111", "vpc-2222"),
    "aws:PrincipalOrgID": ("o-abcdefghij", "o-zzzzzzzzzz"),
    "aws:PrincipalOrgPaths": ("o-abcdefghij/r-ab12/ou-ab12-1/", "o-abcdefghij/r-ab12/ou-ab12-2/"),
    "aws:PrincipalTag/team": ("team-a", "team-b", "TEAM-A", "raw"),
    "aws:PrincipalTag/digest": ("cGF0aWVudA==", "bW9kZWw="),
    "aws:RequestedRegion": ("eu-central-1", "eu-west-1", "us-east-1"),
    "aws:CalledVia": ("athena.amazonaws.com", "cloudformation.amazonaws.com"),
    "aws:SourceAccount": (ACCOUNT, OTHER),
    "aws:userid": ("AROAEXAMPLEID:alice", "AROAEXAMPLEID:bob"),
    "aws:UserAgent": ("boto3/1.40", "aws-cli/2"),
    "aws:TagKeys": ("team", "cost", "Team"),
    "aws:RequestTag/team": ("team-a", "team-b"),
    "s3:ExistingObjectTag/team": ("team-a", "team-b", "raw"),
    "s3:ResourceAccount": (ACCOUNT, OTHER),
    "s3:RequestObjectTagKeys": ("team", "phi"),
    "s3:RequestObjectTag/team": ("team-a", "team-b"),
    "s3:x-amz-server-side-encryption": ("aws:kms", "AES256"),
    "s3:x-amz-acl": ("private", "public-read"),
    "s3:prefix": ("raw/", "raw/2026/", "team-a/", "home/alice"),
    "s3:delimiter": ("/",),
    "kms:ViaService": ("s3.eu-central-1.amazonaws.com", "sagemaker.eu-central-1.amazonaws.com"),
    "kms:CallerAccount": (ACCOUNT, OTHER),
    "kms:EncryptionContextKeys": ("aws:s3:arn", "department"),
    "kms:EncryptionAlgorithm": ("SYMMETRIC_DEFAULT", "RSAES_OAEP_SHA_256"),
    "kms:GrantOperations": ("Decrypt", "GenerateDataKey", "CreateGrant"),
    "sts:ExternalId": ("ward-7", "ward-8"),
    "sts:RoleSessionName": ("alice", "bob"),
    "secretsmanager:VersionStage": ("AWSCURRENT", "AWSPREVIOUS"),
    "sagemaker:VpcSubnets": ("subnet-a", "subnet-b", "subnet-x"),
    "sagemaker:VpcSecurityGroupIds": ("sg-a", "sg-x"),
    "sagemaker:InstanceTypes": ("ml.m5.xlarge", "ml.p4d.24xlarge", "ml.m5.large"),
    "sagemaker:TargetModel": ("model-1.tar.gz", "model-2.tar.gz"),
    "dynamodb:LeadingKeys": ("alice", "bob"),
    "dynamodb:Attributes": ("name", "age"),
    "dynamodb:Select": ("ALL_ATTRIBUTES", "COUNT"),
}
ARNS: dict[str, tuple[str, ...]] = {
    "aws:SourceArn": (
        f"arn:aws:s3:::lake/{ACCOUNT}",
        f"arn:aws:sagemaker:eu-central-1:{ACCOUNT}:domain/d-1",
        f"arn:aws:cloudtrail:eu-central-1:{ACCOUNT}:trail/main",
    ),
    "s3:x-amz-server-side-encryption-aws-kms-key-id": (
        f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1234abcd",
        f"arn:aws:kms:eu-central-1:{OTHER}:key/1234abcd",
    ),
    "kms:GranteePrincipal": (f"arn:aws:iam::{ACCOUNT}:role/ml/training", f"arn:aws:iam::{OTHER}:role/x"),
    "secretsmanager:SecretId": (f"arn:aws:secretsmanager:eu-central-1:{ACCOUNT}:secret:ml/db-AbCdEf",),
    "aws:PrincipalArn": (
        f"arn:aws:iam::{ACCOUNT}:role/ml/training",
        f"arn:aws:iam::{ACCOUNT}:role/admin",
        f"arn:aws:iam::{OTHER}:role/ml/training",
    ),
}
NUMBERS: dict[str, tuple[str, ...]] = {
    "s3:signatureAge": ("1000", "600000", "599999.5"),
    "s3:TlsVersion": ("1.1", "1.2", "1.3"),
    "s3:max-keys": ("10", "1000"),
    "aws:MultiFactorAuthAge": ("60", "3600", "7200"),
}
DATES: dict[str, tuple[str, ...]] = {
    "aws:CurrentTime": ("2026-11-21T12:00:00Z", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00+02:00"),
    "aws:TokenIssueTime": ("2026-11-21T11:59:59Z", "2026-11-21T12:00:00Z"),
    "aws:EpochTime": ("1795262400", "1767225600"),
}
BOOLEANS = (
    "aws:SecureTransport",
    "aws:ViaAWSService",
    "aws:MultiFactorAuthPresent",
    "aws:PrincipalIsAWSService",
    "kms:GrantIsForAWSResource",
    "sagemaker:NetworkIsolation",
)
ADDRESSES = ("10.0.1.7", "10.0.2.200", "203.0.113.9", "2001:db8::1", "2001:db8:1::5")
BLOCKS = (
    "10.0.0.0/16", "10.0.1.0/24", "10.0.1.7", "203.0.113.0/25", "203.0.113.9/32", "0.0.0.0/1",
    "2001:db8::/32", "2001:db8:1::/48", "2001:db8::/64",
)  # fmt: skip
MANY = {
    "aws:PrincipalOrgPaths", "aws:CalledVia", "aws:TagKeys", "s3:RequestObjectTagKeys",
    "kms:EncryptionContextKeys", "kms:GrantOperations", "sagemaker:VpcSubnets",
    "sagemaker:VpcSecurityGroupIds", "sagemaker:InstanceTypes", "dynamodb:LeadingKeys", "dynamodb:Attributes",
}  # fmt: skip
GLOBAL = (
    "aws:SourceVpce", "aws:SourceVpc", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:PrincipalTag/team",
    "aws:PrincipalTag/digest", "aws:RequestedRegion", "aws:CalledVia", "aws:SourceAccount", "aws:userid",
    "aws:UserAgent", "aws:SourceArn", "aws:PrincipalArn", "aws:MultiFactorAuthAge", "aws:CurrentTime",
    "aws:TokenIssueTime", "aws:EpochTime", "aws:SecureTransport", "aws:ViaAWSService",
    "aws:MultiFactorAuthPresent", "aws:PrincipalIsAWSService", "aws:SourceIp",
)  # fmt: skip
CALLERS: tuple[str | None, ...] = (
    f"arn:aws:iam::{ACCOUNT}:role/ml/training",
    f"arn:aws:iam::{ACCOUNT}:role/admin",
    f"arn:aws:sts::{ACCOUNT}:assumed-role/training/alice",
    f"arn:aws:iam::{ACCOUNT}:user/carol",
    f"arn:aws:iam::{OTHER}:role/ml/training",
    f"arn:aws:sts::{OTHER}:assumed-role/training/mallory",
    "sagemaker.amazonaws.com",
    "logging.s3.amazonaws.com",
    None,
)
