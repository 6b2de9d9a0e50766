"""The types that have a policy of their own, and which of their actions do what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What is asked of one type of resource.

    Attributes:
        type: The type.
        name: What the kind is called.
        endpoint: The VPC endpoint's service by which requests come.
        deeds: Each with the actions that do it and the control that it belongs to.
        key: The property that names the key it is encrypted under; empty where reading asks for none.
        via: The service that uses that key for the caller.
        reads: The deeds that use the key.
        kept: The deeds that no role may be granted by design.
        outside: The deeds that a service does with the role, from outside the network.
        guardrail: What an organization's policy has to deny where the type takes no policy of its own.
    """

    type: str
    name: str
    endpoint: str
    deeds: Sequence[tuple[str, str, Sequence[str]]]
    key: str = ""
    via: str = ""
    reads: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    guardrail: str = ""


# Service Authorization Reference, the services' own pages.
KINDS = (
    Kind(
        type="AWS::KMS::Key",
        name="key",
        endpoint="kms",
        deeds=(
            ("use", "E1", ("kms:Decrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom")),
            ("destroy", "E1", ("kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:DeleteImportedKeyMaterial")),
            ("take over", "E1", ("kms:PutKeyPolicy",)),
        ),
        kept=("destroy", "take over"),
    ),
    Kind(
        type="AWS::SecretsManager::Secret",
        name="secret",
        endpoint="secretsmanager",
        deeds=(
            ("read", "I8", ("secretsmanager:GetSecretValue",)),
            (
                "replace",
                "I8",
                (
                    "secretsmanager:PutSecretValue",
                    "secretsmanager:UpdateSecret",
                    "secretsmanager:UpdateSecretVersionStage",
                    "secretsmanager:DeleteSecret",
                    "secretsmanager:RotateSecret",
                    "secretsmanager:CancelRotateSecret",
                ),
            ),
            (
                "open up",
                "I8",
                (
                    "secretsmanager:PutResourcePolicy",
                    "secretsmanager:DeleteResourcePolicy",
                    "secretsmanager:ReplicateSecretToRegions",
                    "secretsmanager:RemoveRegionsFromReplication",
                    "secretsmanager:StopReplicationToReplica",
                ),
            ),
        ),
        key="KmsKeyId",
        via="secretsmanager",
        reads=("read",),
        kept=("open up",),
    ),
    Kind(
        type="AWS::ECR::Repository",
        name="images",
        endpoint="ecr.dkr",
        deeds=(
            ("pull", "T2", ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")),
            (
                "push",
                "T2",
                (
                    "ecr:PutImage",
                    "ecr:InitiateLayerUpload",
                    "ecr:UploadLayerPart",
                    "ecr:CompleteLayerUpload",
                ),
            ),
            # A lifecycle policy expires images as well.
            ("delete", "T2", ("ecr:BatchDeleteImage", "ecr:DeleteRepository", "ecr:PutLifecyclePolicy")),
            (
                "open up",
                "T2",
                (
                    "ecr:SetRepositoryPolicy",
                    "ecr:DeleteRepositoryPolicy",
                    "ecr:PutImageTagMutability",
                    "ecr:PutImageScanningConfiguration",
                ),
            ),
        ),
        kept=("delete", "open up"),
        # SageMaker pulls with the role of the job, from its own network. (Amazon SageMaker AI: Use a Private
        # Docker Registry for Real-Time Inference Containers)
        outside=("pull",),
    ),
    Kind(
        type="AWS::CodeArtifact::Repository",
        name="packages",
        endpoint="codeartifact.repositories",
        deeds=(
            ("pull", "N8", ("codeartifact:ReadFromRepository", "codeartifact:GetPackageVersionAsset")),
            ("push", "N8", ("codeartifact:PublishPackageVersion", "codeartifact:PutPackageMetadata")),
            (
                "let in",
                "N8",
                (
                    "codeartifact:AssociateExternalConnection",
                    "codeartifact:UpdateRepository",
                    "codeartifact:CopyPackageVersions",
                    "codeartifact:PutPackageOriginConfiguration",
                ),
            ),
            (
                "delete",
                "N8",
                (
                    "codeartifact:DeletePackage",
                    "codeartifact:DeletePackageVersions",
                    "codeartifact:DeleteRepository",
                    "codeartifact:DisassociateExternalConnection",
                    "codeartifact:DisposePackageVersions",
                    "codeartifact:UpdatePackageVersionsStatus",
                ),
            ),
        ),
        kept=("let in", "delete"),
    ),
    Kind(
        type="AWS::CodeArtifact::Domain",
        name="package domain",
        endpoint="codeartifact.api",
        deeds=(
            ("sign in", "N8", ("codeartifact:GetAuthorizationToken",)),
            (
                "regroup",
                "N8",
                (
                    "codeartifact:UpdatePackageGroupOriginConfiguration",
                    "codeartifact:CreatePackageGroup",
                    "codeartifact:DeletePackageGroup",
                    "codeartifact:UpdatePackageGroup",
                ),
            ),
            ("rearrange", "N8", ("codeartifact:CreateRepository", "codeartifact:DeleteDomain")),
        ),
        kept=("regroup", "rearrange"),
    ),
    # CodeArtifact does not ask a policy about its own replacement ("Repository policies", "Domain policies").
    Kind(
        type="AWS::CodeArtifact::Domain",
        name="package domain's policy",
        endpoint="codeartifact.api",
        deeds=(
            (
                "open up",
                "N8",
                ("codeartifact:PutDomainPermissionsPolicy", "codeartifact:DeleteDomainPermissionsPolicy"),
            ),
        ),
        kept=("open up",),
        guardrail="changing the policies of package domains and repositories to all but administrators",
    ),
    Kind(
        type="AWS::CodeArtifact::Repository",
        name="packages' policy",
        endpoint="codeartifact.api",
        deeds=(
            (
                "open up",
                "N8",
                (
                    "codeartifact:PutRepositoryPermissionsPolicy",
                    "codeartifact:DeleteRepositoryPermissionsPolicy",
                ),
            ),
        ),
        kept=("open up",),
        guardrail="changing the policies of package domains and repositories to all but administrators",
    ),
    Kind(
        type="AWS::SNS::Topic",
        name="topic",
        endpoint="sns",
        deeds=(
            ("listen", "X5", ("sns:Subscribe",)),
            ("forge", "X5", ("sns:Publish",)),
            ("silence", "X5", ("sns:DeleteTopic", "sns:SetTopicAttributes")),
            ("open up", "X5", ("sns:AddPermission", "sns:RemovePermission")),
        ),
        kept=("silence", "open up"),
    ),
    Kind(
        type="AWS::SQS::Queue",
        name="queue",
        endpoint="sqs",
        deeds=(
            ("read", "E3", ("sqs:ReceiveMessage",)),
            ("forge", "E3", ("sqs:SendMessage",)),
            ("empty", "E3", ("sqs:PurgeQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes")),
        ),
        key="KmsMasterKeyId",
        via="sqs",
        reads=("read", "forge"),
        kept=("empty",),
    ),
    Kind(
        type="AWS::SageMaker::ModelPackageGroup",
        name="registry",
        endpoint="sagemaker.api",
        deeds=(
            ("approve", "T4", ("sagemaker:UpdateModelPackage",)),
            ("replace", "T4", ("sagemaker:CreateModelPackage", "sagemaker:DeleteModelPackage")),
            (
                "open up",
                "T4",
                ("sagemaker:PutModelPackageGroupPolicy", "sagemaker:DeleteModelPackageGroupPolicy"),
            ),
        ),
        kept=("open up",),
        guardrail="changing the model registry by others than the pipeline's roles",
    ),
    Kind(
        type="AWS::SageMaker::Endpoint",
        name="endpoint",
        endpoint="sagemaker.runtime",
        deeds=(
            (
                "invoke past its door",
                "G2",
                ("sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream"),
            ),
            ("replace", "G8", ("sagemaker:UpdateEndpoint", "sagemaker:DeleteEndpoint")),
        ),
        guardrail="sagemaker:InvokeEndpoint and changes of endpoints to all but the environment's roles",
    ),
    Kind(
        type="AWS::CloudTrail::Trail",
        name="trail",
        endpoint="cloudtrail",
        deeds=(
            ("stop", "A1", ("cloudtrail:StopLogging", "cloudtrail:DeleteTrail")),
            (
                "alter",
                "A1",
                ("cloudtrail:UpdateTrail", "cloudtrail:PutEventSelectors", "cloudtrail:PutInsightSelectors"),
            ),
        ),
        kept=("stop", "alter"),
        guardrail="stopping, deleting and changing trails to all but the deploying roles",
    ),
    Kind(
        type="AWS::Logs::LogGroup",
        name="log group",
        endpoint="logs",
        deeds=(
            ("delete", "A2", ("logs:DeleteLogGroup", "logs:DeleteLogStream", "logs:PutRetentionPolicy")),
            ("unlock", "E3", ("logs:DisassociateKmsKey",)),
        ),
        kept=("delete", "unlock"),
        guardrail="deleting log groups and streams, shortening their retention and taking their key away",
    ),
)
