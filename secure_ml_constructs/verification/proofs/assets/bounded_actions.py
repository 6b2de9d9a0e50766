"""Actions that a boundary is asked about, by service, each with the kind of resource that it is about.

Service Authorization Reference, each of the services. `{l}` is region and account, `{a}` the account alone.
"""

from __future__ import annotations

from collections.abc import Mapping

# By service: what resources are called, and the actions on them; `*` for actions that know no resource.
Actions = Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]]

# What reads, writes or hands out data, credentials or packages.
DATA: Actions = {
    "athena": (("{l}:workgroup/*", ("StartQueryExecution", "GetQueryResults", "GetQueryResultsStream")),),
    "bedrock": (("{l}:provisioned-model/*", ("InvokeModel", "InvokeModelWithResponseStream")),),
    "codeartifact": (
        ("{l}:domain/*", ("GetAuthorizationToken",)),
        ("{l}:repository/?*/?*", ("ReadFromRepository",)),
        ("{l}:package/?*/?*/?*/?*/?*", ("GetPackageVersionAsset", "PublishPackageVersion")),
    ),
    "dynamodb": (("{l}:table/*", ("GetItem", "BatchGetItem", "Query", "Scan", "PutItem", "UpdateItem")),),
    "ecr": (
        (
            "{l}:repository/*",
            (
                *("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer", "PutImage"),
                *("InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload"),
            ),
        ),
    ),
    "execute-api": (("{l}:?*/?*/?*/?*", ("Invoke",)),),
    "glue": (("{l}:table/?*/?*", ("GetTable", "GetTables", "GetPartitions", "UpdateTable")),),
    "kms": (
        (
            "{l}:key/*",
            (
                *("Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"),
                *("GenerateDataKeyPair", "ReEncryptFrom", "ReEncryptTo"),
            ),
        ),
    ),
    "lakeformation": (("*", ("GetDataAccess",)),),
    "logs": (
        ("{l}:log-group:?*", ("FilterLogEvents", "StartQuery", "StartLiveTail")),
        ("{l}:log-group:?*:log-stream:*", ("GetLogEvents",)),
        ("*", ("GetLogRecord", "GetQueryResults")),
    ),
    "s3": (
        (
            "::?*/*",
            (
                *("GetObject", "GetObjectVersion", "GetObjectTagging"),
                *("PutObject", "PutObjectAcl", "PutObjectTagging"),
            ),
        ),
        ("::?*", ("ListBucket", "ListBucketMultipartUploads", "ListBucketVersions")),
    ),
    "sagemaker": (
        ("{l}:endpoint/*", ("InvokeEndpoint", "InvokeEndpointAsync", "InvokeEndpointWithResponseStream")),
        (
            "{l}:feature-group/*",
            ("GetRecord", "BatchGetRecord", "BatchWriteRecord", "PutRecord", "DeleteRecord"),
        ),
        ("{l}:experiment-trial-component/*", ("BatchGetMetrics",)),
        ("{l}:mlflow-app/*", ("CallMlflowAppApi",)),
    ),
    "secretsmanager": (("{l}:secret:*", ("GetSecretValue", "PutSecretValue")),),
    "sns": (("{l}:*", ("Publish", "Subscribe")),),
    "sqs": (("{l}:*", ("SendMessage", "ReceiveMessage")),),
    "ssm": (("{l}:parameter/*", ("GetParameter", "GetParameters", "GetParametersByPath", "PutParameter")),),
    "sts": (("role", ("AssumeRole",)),),
}
# What stops evidence, or keeps less of it.
EVIDENCE: Actions = {
    "cloudtrail": (
        (
            "{l}:trail/*",
            (
                *("DeleteTrail", "PutEventSelectors", "PutInsightSelectors", "RemoveTags", "StopLogging"),
                "UpdateTrail",
            ),
        ),
        (
            "{l}:eventdatastore/*",
            ("DeleteEventDataStore", "StopEventDataStoreIngestion", "UpdateEventDataStore"),
        ),
    ),
    "logs": (
        (
            "{l}:log-group:?*",
            (
                *("DeleteDataProtectionPolicy", "DeleteLogGroup", "DeleteRetentionPolicy"),
                *("DeleteSubscriptionFilter", "DisassociateKmsKey", "PutLogGroupDeletionProtection"),
                "PutRetentionPolicy",
            ),
        ),
        ("{l}:log-group:?*:log-stream:*", ("DeleteLogStream",)),
        ("{l}:delivery:*", ("DeleteDelivery",)),
        ("{l}:delivery-source:*", ("DeleteDeliverySource",)),
        ("{l}:delivery-destination:*", ("DeleteDeliveryDestination",)),
    ),
}
# What changes who may do what, or takes away what others rely on.
RULES: Actions = {
    "athena": (("{l}:workgroup/*", ("CreateWorkGroup", "UpdateWorkGroup", "DeleteWorkGroup")),),
    "bedrock": (("{l}:guardrail/*", ("DeleteGuardrail", "UpdateGuardrail")),),
    "cloudwatch": (("{l}:alarm:*", ("DeleteAlarms", "DisableAlarmActions", "PutMetricAlarm")),),
    "codeartifact": (("{l}:repository/?*/?*", ("DeleteRepository", "AssociateExternalConnection")),),
    "ec2": (
        ("{l}:route-table/*", ("CreateRoute",)),
        ("{l}:security-group/*", ("AuthorizeSecurityGroupEgress",)),
        ("{l}:vpc-endpoint/*", ("ModifyVpcEndpoint",)),
        ("{l}:vpc-flow-log/*", ("DeleteFlowLogs",)),
    ),
    "ecr": (("{l}:repository/*", ("PutImage", "SetRepositoryPolicy", "DeleteRepository")),),
    "elasticfilesystem": (("{l}:file-system/*", ("DeleteFileSystem", "PutFileSystemPolicy")),),
    "execute-api": (("{l}:?*/?*/?*/?*", ("InvalidateCache", "ManageConnections")),),
    "glue": (
        ("{l}:database/*", ("DeleteDatabase",)),
        ("{l}:table/?*/?*", ("DeleteTable",)),
        ("{l}:catalog", ("PutResourcePolicy",)),
    ),
    "iam": (
        (":{a}:user/*", ("CreateAccessKey", "CreateUser")),
        (":{a}:role/*", ("CreateRole", "PutRolePolicy")),
    ),
    "kms": (("{l}:key/*", ("DisableKey", "PutKeyPolicy", "ScheduleKeyDeletion")),),
    "lakeformation": (("*", ("GrantPermissions", "PutDataLakeSettings")),),
    "s3": (
        ("::?*", ("DeleteBucket", "PutBucketPolicy", "PutReplicationConfiguration")),
        ("::?*/*", ("DeleteObjectVersion",)),
    ),
    "secretsmanager": (("{l}:secret:*", ("DeleteSecret", "PutResourcePolicy", "PutSecretValue")),),
    "ssm": (("{l}:parameter/*", ("DeleteParameter", "PutParameter")),),
    "sts": ((":{a}:federated-user/*", ("GetFederationToken",)),),
}
