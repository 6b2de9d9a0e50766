"""What auditors, administrators and those in an emergency may do, as policy statements."""

from __future__ import annotations

from collections.abc import Sequence

from secure_ml_constructs.identity.guardrails.service_control import TRAIL_CHANGES
from secure_ml_constructs.perimeter import (
    BUCKET_ADMINISTRATION,
    LISTING_ACTIONS,
    VERSION_DESTRUCTION,
    DataPerimeter,
)
from secure_ml_constructs.policy import Condition, Statement, allow, deny, sub

#: Configuration and names, never contents. After AWS's own policy SecurityAudit, for what an environment has.
LOOK = (
    *("access-analyzer:Get*", "access-analyzer:List*", "access-analyzer:ValidatePolicy"),
    *("athena:ListWorkGroups", "cloudtrail:Describe*", "cloudtrail:Get*", "cloudtrail:List*"),
    *("cloudtrail:LookupEvents", "cloudwatch:Describe*", "cloudwatch:List*", "codeartifact:Describe*"),
    *("codeartifact:GetDomainPermissionsPolicy", "codeartifact:GetRepositoryPermissionsPolicy"),
    *("codeartifact:List*", "config:Describe*", "config:Get*", "config:List*", "ec2:Describe*"),
    *("ecr:Describe*", "ecr:GetLifecyclePolicy", "ecr:GetRepositoryPolicy", "events:Describe*"),
    *("events:List*", "glue:GetDatabases", "guardduty:Get*", "guardduty:List*", "iam:Generate*", "iam:Get*"),
    *("iam:List*", "iam:Simulate*", "kms:Describe*", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus"),
    *("kms:List*", "lakeformation:List*", "logs:Describe*", "logs:ListTagsForResource", "macie2:GetFindings"),
    *("macie2:List*", "organizations:Describe*", "organizations:List*", "s3:GetAccountPublicAccessBlock"),
    *("s3:GetBucket*", "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration"),
    *("s3:GetReplicationConfiguration", "s3:ListAllMyBuckets", "sagemaker:Describe*", "sagemaker:List*"),
    *("secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy", "secretsmanager:ListSecrets"),
    *("securityhub:Describe*", "securityhub:Get*", "securityhub:List*", "sns:Get*", "sns:List*"),
    *("sqs:GetQueueAttributes", "sqs:ListQueues", "tag:GetResources"),
)
# What an auditor opens are logs; like all data, from inside.
_OPENS = (
    *("athena:*", "s3:GetObject*", "s3:PutObject*", *LISTING_ACTIONS),
    *("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"),
)
_KEYS = (
    *(
        "kms:CancelKeyDeletion",
        "kms:CreateAlias",
        "kms:DeleteAlias",
        "kms:DisableKey",
        "kms:DisableKeyRotation",
    ),
    *(
        "kms:EnableKey",
        "kms:EnableKeyRotation",
        "kms:PutKeyPolicy",
        "kms:RevokeGrant",
        "kms:RotateKeyOnDemand",
    ),
    *("kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:UpdateAlias"),
    "kms:UpdateKeyDescription",
)
_SECRETS = (
    *(
        "secretsmanager:CancelRotateSecret",
        "secretsmanager:DeleteResourcePolicy",
        "secretsmanager:DeleteSecret",
    ),
    *("secretsmanager:PutResourcePolicy", "secretsmanager:RestoreSecret", "secretsmanager:RotateSecret"),
    *("secretsmanager:TagResource", "secretsmanager:UntagResource", "secretsmanager:UpdateSecret"),
)
# Stopping and deleting what works or leaks; starting nothing.
_STOP_WORK = (
    *("sagemaker:DeleteApp", "sagemaker:DeleteEndpoint", "sagemaker:DeleteEndpointConfig"),
    *("sagemaker:DeleteModel", "sagemaker:DeleteNotebookInstance", "sagemaker:DeleteSpace"),
    *("sagemaker:DeleteUserProfile", "sagemaker:StopAutoMLJob", "sagemaker:StopHyperParameterTuningJob"),
    *(
        "sagemaker:StopMonitoringSchedule",
        "sagemaker:StopNotebookInstance",
        "sagemaker:StopPipelineExecution",
    ),
    *("sagemaker:StopProcessingJob", "sagemaker:StopTrainingJob", "sagemaker:StopTransformJob"),
)
_OURS: Condition = {"StringEquals": {"aws:ResourceAccount": sub("${AWS::AccountId}")}}
_MEET_DATA = ("s3:GetObject*", "s3:PutObject", "s3:DeleteObject*", "s3:RestoreObject", *LISTING_ACTIONS)
_USE_KEYS = ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*")
_READ_SECRETS = ("secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue")


def auditor_statements(perimeter: DataPerimeter, endpoints: Sequence[str]) -> list[Statement]:
    """Give what an auditor may do: read every setting, and no data.

    Args:
        perimeter: Who passes the network condition.
        endpoints: Ids of the VPC endpoints by which logs are asked.
    """
    return [
        allow("Look", LOOK),
        deny("LogsFromElsewhere", _OPENS, principal=None, condition=perimeter.from_elsewhere(endpoints)),
    ]


def administrator_statements() -> list[Statement]:
    """Give what an administrator may do: configure keys, buckets and secrets, and use none of them."""
    return [
        allow("Look", LOOK),
        allow("Keys", _KEYS, condition=_OURS),
        allow("Buckets", (*BUCKET_ADMINISTRATION, *VERSION_DESTRUCTION), condition=_OURS),
        allow("Secrets", _SECRETS, condition=_OURS),
        allow("StopWork", _STOP_WORK, condition=_OURS),
    ]


def emergency_statements() -> list[Statement]:
    """Give what break-glass may do: what an administrator may, and reach data and secrets."""
    return [
        *administrator_statements(),
        allow("Data", _MEET_DATA, condition=_OURS),
        allow("UseKeys", _USE_KEYS, condition=_OURS),
        allow("ReadSecrets", _READ_SECRETS, condition=_OURS),
    ]


def privileged_boundary() -> list[Statement]:
    """Give the boundary of the three: no power over identities, organization, trails or logs. (I3)"""
    return [
        # All that any of them may do, so that a policy attached later adds nothing.
        *emergency_statements(),
        allow(
            "AskTheTrail",
            (
                *("athena:BatchGetNamedQuery", "athena:Get*", "athena:List*", "athena:StartQueryExecution"),
                *("athena:StopQueryExecution", "glue:GetDatabase", "glue:GetPartition", "glue:GetPartitions"),
                *(
                    "glue:GetTable",
                    "glue:GetTables",
                    "s3:AbortMultipartUpload",
                    "s3:ListMultipartUploadParts",
                ),
            ),
        ),
        deny("TrailsAndLogs", TRAIL_CHANGES, principal=None),
    ]
