"""The table of requests: who asks for what, from where, and what the answer has to be.

A row is (who, from where, action, resource, what the request says besides). `people.py` says how a resource
is named in short. `JOB` stands for all that a job in order says.
"""

from __future__ import annotations

from typing import Any

JOB: dict[str, Any] = {"JOB": "in order"}
Row = tuple[str, str, str, str, dict[str, Any]]
SCIENTIST, ENGINEER = "radiology/data-scientist", "radiology/ml-engineer"
TRAINING, PROCESSING = "radiology/training", "radiology/processing"
PIPELINE, ENDPOINT, MONITORING = "radiology/pipeline", "radiology/endpoint", "radiology/monitoring"
TO_SAGEMAKER = {"iam:PassedToService": "sagemaker.amazonaws.com"}
THROUGH_S3 = {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}
THROUGH_SAGEMAKER = {"kms:ViaService": "sagemaker.eu-central-1.amazonaws.com"}
FOR_AWS = {**THROUGH_SAGEMAKER, "kms:GrantIsForAWSResource": "true"}
SIGNED_IN = {"sts:AWSServiceName": "codeartifact.amazonaws.com"}
# What `pip install` asks for.
INSTALLING = (
    ("codeartifact:GetAuthorizationToken", "packages:domain/DOMAIN"),
    ("codeartifact:ReadFromRepository", "packages:repository/DOMAIN/packages"),
    ("sts:GetServiceBearerToken", "*", SIGNED_IN),
)


def upload(key: str) -> dict[str, Any]:
    """What an upload says; `KEY:` stands for a key's ARN."""
    return {
        "s3:x-amz-server-side-encryption": "aws:kms",
        "s3:x-amz-server-side-encryption-aws-kms-key-id": f"KEY:{key}",
    }


def listing(prefix: str) -> dict[str, Any]:
    """What listing a prefix says."""
    return {"s3:prefix": prefix}


def rows(who: str, where: str, *requests: tuple[Any, ...]) -> list[Row]:
    """Rows of one role from one place."""
    return [(who, where, action, resource, dict(*more)) for action, resource, *more in requests]


_IMAGES = (
    ("ecr:GetAuthorizationToken", "*"),
    (
        "ecr:BatchGetImage",
        "arn:aws:ecr:eu-central-1:763104351884:repository/pytorch-training",
        {"aws:ResourceAccount": "763104351884", "aws:ResourceOrgID": None},
    ),
    (
        "ecr:GetDownloadUrlForLayer",
        "arn:aws:ecr:eu-central-1:763104351884:repository/pytorch-training",
        {"aws:ResourceAccount": "763104351884", "aws:ResourceOrgID": None},
    ),
    ("ecr:BatchGetImage", "ecr:repository/segmentation"),
)
_INTERFACES = (
    ("ec2:CreateNetworkInterface", "SUBNET"),
    ("ec2:CreateNetworkInterface", "arn:aws:ec2:eu-central-1:111122223333:network-interface/*"),
    ("ec2:CreateNetworkInterface", "GROUP"),
    (
        "ec2:CreateNetworkInterfacePermission",
        "arn:aws:ec2:eu-central-1:111122223333:network-interface/eni-1",
        {"ec2:Subnet": "SUBNET"},
    ),
    ("ec2:DescribeSubnets", "*"),
)
_VOLUMES = (
    ("kms:CreateGrant", "key:Workspace", FOR_AWS),
    ("kms:DescribeKey", "key:Workspace"),
)

#: What has to pass: everyday work.
PASS: list[Row] = [
    # -- a data scientist in a notebook
    *rows(
        SCIENTIST,
        "inside",
        ("s3:GetObject", "zone:curated/scans.parquet"),
        ("s3:GetObject", "zone:output/report.json"),
        ("s3:GetObject", "zone:models/lungs/model.tar.gz"),
        ("s3:ListBucket", "bucket:LakeData", listing("curated/")),
        ("s3:PutObject", "zone:output/code.tar.gz", upload("Data")),
        ("sagemaker:CreateTrainingJob", "sagemaker:training-job/radiology-lungs", JOB),
        (
            "sagemaker:CreateTrainingJob",
            "sagemaker:training-job/radiology-lungs",
            {**JOB, "InstanceTypes": ["ml.g5.xlarge"], "VolumeKmsKey": None},
        ),
        ("sagemaker:CreateProcessingJob", "sagemaker:processing-job/radiology-crop", JOB),
        ("sagemaker:CreateHyperParameterTuningJob", "sagemaker:hyper-parameter-tuning-job/radiology-1", JOB),
        (
            "sagemaker:CreateTransformJob",
            "sagemaker:transform-job/radiology-all",
            {
                **JOB,
                "VpcSubnets": None,
                "VpcSecurityGroupIds": None,
                "NetworkIsolation": None,
                "InterContainerTrafficEncryption": None,
                "MaxRuntimeInSeconds": None,
            },
        ),
        ("sagemaker:StopTrainingJob", "sagemaker:training-job/radiology-lungs"),
        ("sagemaker:StopProcessingJob", "sagemaker:processing-job/radiology-crop"),
        ("sagemaker:DescribeTrainingJob", "sagemaker:training-job/radiology-lungs"),
        ("sagemaker:DescribeEndpoint", "sagemaker:endpoint/radiology-lungs"),
        ("sagemaker:DescribePipelineExecution", "sagemaker:pipeline/radiology-nightly/execution/a1"),
        ("sagemaker:ListTrainingJobs", "*"),
        ("sagemaker:ListTags", "sagemaker:training-job/radiology-lungs"),
        ("sagemaker:AddTags", "sagemaker:training-job/radiology-lungs"),
        ("sagemaker:CreateExperiment", "sagemaker:experiment/radiology-lungs"),
        ("sagemaker:CreateTrial", "sagemaker:experiment-trial/radiology-lungs"),
        ("sagemaker:CreateTrialComponent", "sagemaker:experiment-trial-component/radiology-lungs"),
        ("sagemaker:CreateModelPackageGroup", "sagemaker:model-package-group/radiology-lungs"),
        (
            "sagemaker:CreateModelPackage",
            "sagemaker:model-package/radiology-lungs/1",
            {"ModelApprovalStatus": "PendingManualApproval"},
        ),
        ("sagemaker:InvokeEndpoint", "sagemaker:endpoint/radiology-lungs"),
        ("sagemaker:GetRecord", "sagemaker:feature-group/radiology-patients"),
        ("iam:PassRole", "role:radiology/training", TO_SAGEMAKER),
        ("iam:PassRole", "role:radiology/processing", TO_SAGEMAKER),
        ("logs:GetLogEvents", "log:TrainingJobs:log-stream:radiology-lungs/algo-1"),
        ("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "radiology/lungs"}),
        ("athena:StartQueryExecution", "athena:workgroup/radiology-main"),
        ("athena:GetQueryResults", "athena:workgroup/radiology-main"),
        *INSTALLING,
        *_VOLUMES,
    ),
    # Athena and S3 ask for the caller.
    *rows(
        SCIENTIST,
        "through",
        ("s3:GetObject", "zone:curated/scans.parquet"),
        ("kms:Decrypt", "key:Data", THROUGH_S3),
        ("kms:GenerateDataKey", "key:Data", THROUGH_S3),
        ("kms:CreateGrant", "key:Workspace", FOR_AWS),
    ),
    # Studio's pages and SageMaker's own writing come from elsewhere.
    *rows(
        SCIENTIST,
        "outside",
        ("sagemaker:ListApps", "*"),
        ("sagemaker:DescribeTrainingJob", "sagemaker:training-job/radiology-lungs"),
        ("logs:CreateLogStream", "log:studio:log-stream:d-1/radiology-anna/JupyterLab/default"),
        ("logs:PutLogEvents", "log:studio:log-stream:d-1/radiology-anna/JupyterLab/default"),
        ("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "radiology"}),
        *_VOLUMES,
    ),
    # -- an ML engineer
    *rows(
        ENGINEER,
        "inside",
        ("s3:GetObject", "zone:models/lungs/model.tar.gz"),
        ("s3:GetObject", "zone:output/report.json"),
        ("s3:PutObject", "zone:output/pipeline.json", upload("Data")),
        *INSTALLING,
        (
            "sagemaker:CreateModel",
            "sagemaker:model/radiology-lungs",
            {"VpcSubnets": "JOB", "VpcSecurityGroupIds": "JOB", "NetworkIsolation": "true"},
        ),
        (
            "sagemaker:CreateEndpointConfig",
            "sagemaker:endpoint-config/radiology-lungs",
            {"InstanceTypes": ["ml.m5.xlarge"], "VolumeKmsKey": "JOB"},
        ),
        # Types with disks of their own take no key.
        (
            "sagemaker:CreateEndpointConfig",
            "sagemaker:endpoint-config/radiology-lungs",
            {"InstanceTypes": ["ml.g5.xlarge"]},
        ),
        ("sagemaker:CreateEndpoint", "sagemaker:endpoint/radiology-lungs"),
        ("sagemaker:CreateEndpoint", "sagemaker:endpoint-config/radiology-lungs"),
        ("sagemaker:UpdateEndpoint", "sagemaker:endpoint/radiology-lungs"),
        ("sagemaker:DeleteEndpoint", "sagemaker:endpoint/radiology-lungs"),
        (
            "sagemaker:UpdateModelPackage",
            "sagemaker:model-package/radiology-lungs/1",
            {"ModelApprovalStatus": "Approved"},
        ),
        (
            "sagemaker:UpdateModelPackage",
            "sagemaker:model-package/radiology-lungs/1",
            {"ModelApprovalStatus": "Rejected"},
        ),
        ("sagemaker:StartPipelineExecution", "sagemaker:pipeline/radiology-nightly"),
        ("sagemaker:StopPipelineExecution", "sagemaker:pipeline/radiology-nightly/execution/a1"),
        ("sagemaker:CreateMonitoringSchedule", "sagemaker:monitoring-schedule/radiology-drift", JOB),
        ("sagemaker:StopMonitoringSchedule", "sagemaker:monitoring-schedule/radiology-drift"),
        ("sagemaker:InvokeEndpoint", "sagemaker:endpoint/radiology-lungs"),
        ("sagemaker:CreateProcessingJob", "sagemaker:processing-job/radiology-test", JOB),
        ("iam:PassRole", "role:radiology/endpoint", TO_SAGEMAKER),
        ("iam:PassRole", "role:radiology/monitoring", TO_SAGEMAKER),
        *_VOLUMES,
    ),
    # -- jobs: SageMaker pulls, attaches and logs from its own network, and reads through the VPC
    *rows(TRAINING, "outside", *_IMAGES, *_INTERFACES, *_VOLUMES),
    *rows(ENDPOINT, "outside", *_IMAGES, *_INTERFACES),
    *rows(
        TRAINING,
        "outside",
        ("logs:CreateLogStream", "log:TrainingJobs:log-stream:radiology-lungs/algo-1"),
        ("logs:PutLogEvents", "log:TrainingJobs:log-stream:radiology-lungs/algo-1"),
        ("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "/aws/sagemaker/TrainingJobs"}),
    ),
    *rows(
        TRAINING,
        "inside",
        *_IMAGES,
        ("s3:GetObject", "zone:curated/scans.parquet"),
        ("s3:ListBucket", "bucket:LakeData", listing("curated/2026/")),
        ("s3:PutObject", "zone:models/lungs/model.tar.gz", upload("Model")),
        ("s3:PutObject", "zone:output/metrics.json", upload("Data")),
        ("s3:AbortMultipartUpload", "zone:models/lungs/model.tar.gz"),
    ),
    *rows(
        TRAINING,
        "through",
        ("kms:Decrypt", "key:Data", THROUGH_S3),
        ("kms:GenerateDataKey", "key:Model", THROUGH_S3),
    ),
    *rows(
        PROCESSING,
        "inside",
        ("s3:GetObject", "zone:curated/scans.parquet"),
        ("s3:PutObject", "zone:output/cropped.parquet", upload("Data")),
    ),
    *rows(ENDPOINT, "inside", ("s3:GetObject", "zone:models/lungs/model.tar.gz")),
    *rows(ENDPOINT, "through", ("kms:Decrypt", "key:Model", THROUGH_S3)),
    *rows(ENDPOINT, "outside", ("logs:PutLogEvents", "log:Endpoints/radiology-lungs:log-stream:all/i-1")),
    *rows(
        MONITORING,
        "inside",
        ("s3:GetObject", "zone:output/captured/1.jsonl"),
        ("s3:PutObject", "zone:output/drift.json", upload("Data")),
    ),
    # -- a pipeline: SageMaker starts its steps from its own network
    *rows(
        PIPELINE,
        "outside",
        ("sagemaker:CreateTrainingJob", "sagemaker:training-job/radiology-nightly-1", JOB),
        ("sagemaker:CreateProcessingJob", "sagemaker:processing-job/radiology-nightly-1", JOB),
        ("sagemaker:DescribeTrainingJob", "sagemaker:training-job/radiology-nightly-1"),
        (
            "sagemaker:CreateModelPackage",
            "sagemaker:model-package/radiology-lungs/2",
            {"ModelApprovalStatus": "PendingManualApproval"},
        ),
        (
            "sagemaker:CreateModel",
            "sagemaker:model/radiology-nightly",
            {"VpcSubnets": "JOB", "VpcSecurityGroupIds": "JOB", "NetworkIsolation": "true"},
        ),
        ("sagemaker:AddTags", "sagemaker:training-job/radiology-nightly-1"),
        ("iam:PassRole", "role:radiology/training", TO_SAGEMAKER),
        ("iam:PassRole", "role:radiology/processing", TO_SAGEMAKER),
        ("iam:PassRole", "role:radiology/endpoint", TO_SAGEMAKER),
    ),
    # -- another team, in its own name
    *rows(
        "cardiology/data-scientist",
        "inside",
        ("s3:GetObject", "zone:features/ecg.parquet"),
        ("sagemaker:CreateTrainingJob", "sagemaker:training-job/cardiology-ecg", JOB),
        ("iam:PassRole", "role:cardiology/training", TO_SAGEMAKER),
    ),
    # -- beside the teams
    *rows(
        "auditor",
        "outside",
        ("iam:GetRolePolicy", "role:radiology/training"),
        ("kms:GetKeyPolicy", "key:Data"),
        ("s3:GetBucketPolicy", "bucket:LakeData"),
        ("sagemaker:DescribeTrainingJob", "sagemaker:training-job/radiology-lungs"),
        ("cloudtrail:LookupEvents", "*"),
    ),
    *rows(
        "auditor",
        "inside",
        ("athena:StartQueryExecution", "WORKGROUP"),
        ("s3:GetObject", "ARCHIVE"),
    ),
    *rows(
        "auditor",
        "through",
        ("s3:GetObject", "ARCHIVE"),
        ("kms:Decrypt", "key:Logs", THROUGH_S3),
    ),
    *rows(
        "administrator",
        "outside",
        ("kms:PutKeyPolicy", "key:Data"),
        ("kms:ScheduleKeyDeletion", "key:Data"),
        ("s3:PutBucketPolicy", "bucket:LakeData"),
        ("sagemaker:StopTrainingJob", "sagemaker:training-job/radiology-lungs"),
    ),
    *rows("administrator", "inside", ("s3:DeleteObjectVersion", "zone:curated/scans.parquet")),
    *rows(
        "break-glass",
        "outside",
        ("s3:GetObject", "zone:curated/scans.parquet"),
        ("kms:Decrypt", "key:Data"),
        ("secretsmanager:GetSecretValue", "secret:token-AbCdEf"),
        ("sagemaker:DeleteEndpoint", "sagemaker:endpoint/radiology-lungs"),
    ),
]
