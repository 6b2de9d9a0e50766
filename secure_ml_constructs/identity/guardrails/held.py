"""How each action of SageMaker that creates or changes something is held: the reviewed table.

A Deny stands on a condition key only where the request must carry it. What no key can hold is left to the
pipeline or to whoever deploys, or is denied to all. Sources: Service Authorization Reference, "Actions,
resources, and condition keys for Amazon SageMaker"; Amazon SageMaker API Reference, each action's page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Setting(StrEnum):
    """What a request says that the guardrails hold."""

    SUBNETS = "subnets"
    GROUPS = "security groups"
    ISOLATION = "network isolation"
    TRAFFIC = "encryption between containers"
    VOLUME = "volume key"
    OUTPUT = "output key"
    TYPES = "instance types"
    RUN_TIME = "run time"
    FILES = "file systems"
    DEBUG = "remote debugging"
    REMOTE = "remote access"
    INTERNET = "direct internet"
    ROOT = "root access"
    METADATA = "metadata service version"
    APP_NETWORK = "app network access"
    ONLINE = "online store key"
    OFFLINE = "offline store key"
    SERVERLESS = "serverless"
    MODEL = "model"
    APPROVAL = "approval status"


# The names of each setting's condition key. The reference has two for every key of KMS, and does not say
# which one SageMaker sends.
KEYS: Mapping[Setting, tuple[str, ...]] = {
    Setting.SUBNETS: ("VpcSubnets",),
    Setting.GROUPS: ("VpcSecurityGroupIds",),
    Setting.ISOLATION: ("NetworkIsolation",),
    Setting.TRAFFIC: ("InterContainerTrafficEncryption",),
    Setting.VOLUME: ("VolumeKmsKey", "VolumeKmsKeyArn"),
    Setting.OUTPUT: ("OutputKmsKey", "OutputKmsKeyArn"),
    Setting.TYPES: ("InstanceTypes",),
    Setting.RUN_TIME: ("MaxRuntimeInSeconds",),
    Setting.FILES: ("FileSystemId",),
    Setting.DEBUG: ("EnableRemoteDebug",),
    Setting.REMOTE: ("RemoteAccess",),
    Setting.INTERNET: ("DirectInternetAccess",),
    Setting.ROOT: ("RootAccess",),
    Setting.METADATA: ("MinimumInstanceMetadataServiceVersion",),
    Setting.APP_NETWORK: ("AppNetworkAccessType",),
    Setting.ONLINE: ("FeatureGroupOnlineStoreKmsKey", "FeatureGroupOnlineStoreKmsKeyArn"),
    Setting.OFFLINE: ("FeatureGroupOfflineStoreKmsKey", "FeatureGroupOfflineStoreKmsKeyArn"),
    Setting.SERVERLESS: ("ServerlessMemorySize",),
    Setting.MODEL: ("ModelArn",),
    Setting.APPROVAL: ("ModelApprovalStatus",),
}
# Keys that no statement stands on, and why.
FREE_KEYS: Mapping[str, str] = {
    "AcceleratorTypes": "Elastic Inference is retired",
    "AuthMode": "create-only; the domain's construct sets it",
    "BearerTokenType": "the action is denied to all",
    "CurrentModelLifeCycleStage": "says what is, not what is asked for",
    "CurrentModelLifeCycleStageStatus": "says what is, not what is asked for",
    "CustomerMetadataPropertiesToRemove": "metadata",
    "DirectGatedModelAccess": "gated models come from AWS's own buckets, which endpoint policies name",
    "DomainSharingOutputKmsKey": "domains and profiles are made by whoever deploys",
    "DomainSharingOutputKmsKeyArn": "domains and profiles are made by whoever deploys",
    "FeatureGroupDisableGlueTableCreation": "where the catalog's table comes from",
    "FeatureGroupEnableOnlineStore": "tells whether the online store's key is due",
    "FeatureGroupOfflineStoreConfig": "tells whether the offline store's key is due",
    "FeatureGroupOfflineStoreS3Uri": "the role reaches its own zones only",
    "FileSystemAccessMode": "the file system is held by its id",
    "FileSystemDirectoryPath": "the file system is held by its id",
    "FileSystemType": "the file system is held by its id",
    "ImageArns": "AWS's own images lie in accounts of AWS, another in each region",
    "ImageVersionArns": "AWS's own images lie in accounts of AWS, another in each region",
    "IsUpdateRecord": "a record of a feature group",
    "KeepAlivePeriod": "SageMaker ends a warm pool within the hour",
    "ModelLifeCycle:Stage": "the approval status decides on deployment",
    "ModelLifeCycle:StageStatus": "the approval status decides on deployment",
    "NotebookInstanceLifecycleConfigArns": "lifecycle configurations are made by whoever deploys",
    "OwnerUserProfileArn": "the personas' own policies hold who owns a space",
    "PipelineVersionId": "which version of a pipeline runs",
    "ServerlessMaxConcurrency": "serverless variants are denied by their memory size",
    "SpaceSharingType": "the personas' own policies hold who shares a space",
    "StudioLifecycleConfigArns": "lifecycle configurations are made by whoever deploys",
    "TaggingAction": "tags open nothing here",
    "UpdatableFeatures": "a record of a feature group",
    "WorkteamArn": "work teams are made by whoever deploys",
    "WorkteamType": "work teams are made by whoever deploys",
}


class Who(StrEnum):
    """Whom an action is left to."""

    ANYONE = "anyone"
    PIPELINES = "pipeline and deploying roles"
    DEPLOYING = "deploying roles"
    NOBODY = "nobody"


@dataclass(frozen=True, kw_only=True)
class Held:
    """How one action is held.

    Attributes:
        must: What its request has to say, and in our way.
        unless_local: The same, save on instance types with disks of their own, which take no key.
        inline: The same, where it names instance types, so that it holds a job definition of its own.
        given: What has to be in our way where the request says it.
        who: Whom it is left to.
        why: Why it is left to them, or why it needs no holding.
    """

    must: tuple[Setting, ...] = ()
    unless_local: tuple[Setting, ...] = ()
    inline: tuple[Setting, ...] = ()
    given: tuple[Setting, ...] = ()
    who: Who = Who.ANYONE
    why: str = ""

    @property
    def settings(self) -> tuple[Setting, ...]:
        """Every setting that is held in one way or another."""
        return (*self.must, *self.unless_local, *self.inline, *self.given)


_S = Setting
_NETWORK = (_S.SUBNETS, _S.GROUPS)
# VpcConfig asks for subnets and groups together: where the ones are due, the others are there.
_JOB = (_S.SUBNETS, _S.ISOLATION, _S.TRAFFIC, _S.OUTPUT, _S.TYPES)
_DEFINITION = Held(must=_JOB, unless_local=(_S.VOLUME,), given=(_S.GROUPS, _S.RUN_TIME))
_SCHEDULE = Held(
    inline=(_S.SUBNETS, _S.ISOLATION, _S.TRAFFIC, _S.OUTPUT),
    unless_local=(_S.VOLUME,),
    given=(_S.GROUPS, _S.TYPES, _S.RUN_TIME),
    why="A schedule that names a job definition says nothing of its own; the definition was held.",
)
_AUTO_ML = Held(
    must=(_S.SUBNETS, _S.TRAFFIC, _S.VOLUME, _S.OUTPUT),
    given=(_S.GROUPS,),
    why="It has no isolation to ask for, and chooses its instance types itself.",
)
_SPACE = Held(given=(_S.TYPES, _S.REMOTE), why="Network and key are those of the domain.")
_PROFILE = Held(
    given=(_S.GROUPS, _S.TYPES),
    who=Who.DEPLOYING,
    why="It says with which role a person works. Network and key are those of the domain.",
)
_REQUESTS: Mapping[str, Held] = {
    "CreateTrainingJob": Held(
        must=_JOB, unless_local=(_S.VOLUME,), given=(_S.GROUPS, _S.RUN_TIME, _S.DEBUG, _S.FILES)
    ),
    "UpdateTrainingJob": Held(given=(_S.TYPES, _S.DEBUG)),
    "CreateHyperParameterTuningJob": Held(
        must=_JOB, unless_local=(_S.VOLUME,), given=(_S.GROUPS, _S.RUN_TIME, _S.FILES)
    ),
    "CreateProcessingJob": _DEFINITION,
    "CreateDataQualityJobDefinition": _DEFINITION,
    "CreateModelBiasJobDefinition": _DEFINITION,
    "CreateModelExplainabilityJobDefinition": _DEFINITION,
    "CreateModelQualityJobDefinition": _DEFINITION,
    "CreateMonitoringSchedule": _SCHEDULE,
    "UpdateMonitoringSchedule": _SCHEDULE,
    "CreateAutoMLJob": _AUTO_ML,
    "CreateAutoMLJobV2": _AUTO_ML,
    "CreateTransformJob": Held(
        must=(_S.OUTPUT, _S.TYPES),
        unless_local=(_S.VOLUME,),
        why="Network and isolation are those of its model; so is which model: every one was held.",
    ),
    "CreateModel": Held(
        must=(_S.SUBNETS, _S.ISOLATION), given=(_S.GROUPS,), why="For batch as for endpoints."
    ),
    "CreateEndpointConfig": Held(
        must=(_S.TYPES,),
        unless_local=(_S.VOLUME,),
        given=(*_NETWORK, _S.SERVERLESS),
        why="Network and isolation are those of its models; a request that names models says nothing of "
        "either. Serverless variants have neither, and are denied.",
    ),
    "CreateInferenceComponent": Held(
        must=(_S.MODEL,), why="A component without a model would bring containers that nothing holds."
    ),
    "CreateNotebookInstance": Held(must=(*_NETWORK, _S.VOLUME, _S.TYPES, _S.INTERNET, _S.ROOT, _S.METADATA)),
    "UpdateNotebookInstance": Held(given=(_S.TYPES, _S.ROOT, _S.METADATA)),
    "CreateDomain": Held(
        must=(*_NETWORK, _S.VOLUME, _S.APP_NETWORK),
        given=(_S.TYPES,),
        who=Who.DEPLOYING,
        why="It says how everybody in it works.",
    ),
    "UpdateDomain": Held(
        given=(*_NETWORK, _S.APP_NETWORK, _S.TYPES), who=Who.DEPLOYING, why="As CreateDomain."
    ),
    "CreateUserProfile": _PROFILE,
    "UpdateUserProfile": _PROFILE,
    "CreateSpace": _SPACE,
    "UpdateSpace": _SPACE,
    "CreateApp": Held(given=(_S.TYPES,), why="Network and key are those of the domain."),
    "CreateFeatureGroup": Held(given=(_S.ONLINE, _S.OFFLINE), why="A key for each store that is asked for."),
    "CreateModelPackage": Held(given=(_S.APPROVAL,)),
    "UpdateModelPackage": Held(given=(_S.APPROVAL,)),
    "CreateJob": Held(
        must=(_S.SUBNETS, _S.OUTPUT),
        given=(_S.GROUPS,),
        who=Who.PIPELINES,
        why="No key holds its volumes or its isolation.",
    ),
    "CreateLabelingJob": Held(
        must=(_S.OUTPUT,),
        given=(_S.VOLUME,),
        who=Who.PIPELINES,
        why="No key holds its network, and people see the data.",
    ),
    "CreateCluster": Held(
        must=(_S.SUBNETS,),
        given=(_S.GROUPS, _S.TYPES),
        who=Who.DEPLOYING,
        why="No key holds its volumes, and people work on its nodes as root.",
    ),
    "UpdateCluster": Held(given=(*_NETWORK, _S.TYPES), who=Who.DEPLOYING, why="As CreateCluster."),
    "CreateFlowDefinition": Held(who=Who.DEPLOYING, why="It sends predictions to people."),
}


def _left(who: Who, why: str, *actions: str) -> Iterable[tuple[str, Held]]:
    return ((action, Held(who=who, why=why)) for action in actions)


_LEFT: Mapping[str, Held] = dict(
    (
        *_left(
            Who.NOBODY,
            "It takes data or models to where no control of the environment reaches.",
            *("CallPartnerAppApi", "CreatePartnerApp", "CreatePartnerAppPresignedUrl", "UpdatePartnerApp"),
            *("CreateDeviceFleet", "CreateEdgeDeploymentPlan", "CreateEdgeDeploymentStage"),
            *("CreateEdgePackagingJob", "RegisterDevices", "SendHeartbeat", "StartEdgeDeploymentStage"),
            *("UpdateDeviceFleet", "UpdateDevices", "CreateSharedModel", "UpdateSharedModel"),
            *("SendSharedModelEvent", "CreateHubContentPresignedUrls"),
        ),
        *_left(
            Who.NOBODY,
            "It starts work whose request no key holds; the same work has an action that is held.",
            *("DeployHubModel", "TrainHubModel"),
        ),
        *_left(Who.NOBODY, "A session on the instance itself, past the workspace.", "StartSession"),
        *_left(Who.NOBODY, "A token that anyone could use who has it.", "CallWithBearerToken"),
        *_left(
            Who.PIPELINES,
            "No key holds the work that it starts.",
            *("CreateAIBenchmarkJob", "CreateAIRecommendationJob", "CreateAIWorkloadConfig"),
            *("CreateAlgorithm", "CreateCompilationJob", "CreateInferenceExperiment"),
            *("CreateInferenceRecommendationsJob", "CreateModelCardExportJob", "CreateOptimizationJob"),
            *("StartInferenceExperiment", "UpdateInferenceComponent", "UpdateInferenceExperiment"),
            *("CompleteRollout", "Sample", "SampleWithResponseStream", "UpdateReward"),
        ),
        *_left(
            Who.PIPELINES,
            "What its steps will ask for is not in the request.",
            *("CreatePipeline", "UpdatePipeline", "UpdatePipelineVersion"),
        ),
        *_left(
            Who.DEPLOYING,
            "It decides what starts in other people's workspaces.",
            *("CreateAppImageConfig", "CreateCodeRepository", "CreateImage", "CreateImageVersion"),
            *("CreateNotebookInstanceLifecycleConfig", "CreateStudioLifecycleConfig"),
            *("UpdateAppImageConfig", "UpdateCodeRepository", "UpdateImage", "UpdateImageVersion"),
            "UpdateNotebookInstanceLifecycleConfig",
        ),
        *_left(
            Who.DEPLOYING,
            "It shares with others, or brings in what is theirs.",
            *("CreateLineageGroupPolicy", "PutLineageGroupPolicy", "PutModelPackageGroupPolicy"),
            *("PutResourcePolicy", "CreateHub", "CreateHubContentReference", "ImportHubContent"),
            *("UpdateHub", "UpdateHubContent", "UpdateHubContentReference"),
            *("EnableSagemakerServicecatalogPortfolio", "DisableSagemakerServicecatalogPortfolio"),
            *("CreateProject", "UpdateProject", "CreateHumanTaskUi", "CreateWorkforce", "CreateWorkteam"),
            *("UpdateWorkforce", "UpdateWorkteam"),
        ),
        *_left(
            Who.DEPLOYING,
            "It has no key or network of ours to ask for.",
            *("CreateMlflowApp", "CreateMlflowTrackingServer", "UpdateMlflowApp"),
            "UpdateMlflowTrackingServer",
        ),
        *_left(
            Who.DEPLOYING,
            "It changes a cluster in ways that no key holds.",
            *("AttachClusterNodeNetworkInterface", "AttachClusterNodeVolume", "BatchAddClusterNodes"),
            *("UpdateClusterInference", "UpdateClusterSoftware"),
        ),
        *_left(
            Who.DEPLOYING,
            "It commits money ahead.",
            *("CreateReservedCapacity", "CreateTrainingPlan", "ExtendTrainingPlan"),
        ),
        *_left(
            Who.ANYONE,
            "It records what was done, and runs nothing.",
            *("AddAssociation", "AddTags", "AssociateTrialComponent", "BatchPutMetrics", "CreateAction"),
            *("CreateArtifact", "CreateContext", "CreateExperiment", "CreateModelCard"),
            *("CreateModelPackageGroup", "CreateTrial", "CreateTrialComponent", "DisassociateTrialComponent"),
            *("UpdateAction", "UpdateArtifact", "UpdateContext", "UpdateExperiment", "UpdateModelCard"),
            *("UpdateTrial", "UpdateTrialComponent", "UpdateFeatureMetadata", "CallMlflowAppApi"),
        ),
        *_left(
            Who.ANYONE,
            "What it names was held when it was made.",
            *("CreateEndpoint", "UpdateEndpoint", "UpdateEndpointWeightsAndCapacities"),
            *("UpdateInferenceComponentRuntimeConfig", "StartNotebookInstance", "StartMonitoringSchedule"),
            *("UpdateMonitoringAlert", "StartMlflowTrackingServer", "StartHumanLoop", "UpdateFeatureGroup"),
            *("StartPipelineExecution", "RetryPipelineExecution", "UpdatePipelineExecution"),
            *("SendPipelineExecutionStepFailure", "SendPipelineExecutionStepSuccess"),
            *("BatchRebootClusterNodes", "BatchReplaceClusterNodes", "CreateClusterSchedulerConfig"),
            *("CreateComputeQuota", "StartClusterHealthCheck", "UpdateClusterSchedulerConfig"),
            "UpdateComputeQuota",
        ),
        *_left(
            Who.ANYONE,
            "A record in a feature group; identity policies name the group.",
            *("PutRecord", "BatchWriteRecord"),
        ),
        *_left(
            Who.ANYONE,
            "From where it may be asked for is held by the organization's guardrails.",
            *("CreatePresignedDomainUrl", "CreatePresignedMlflowAppUrl"),
            *("CreatePresignedMlflowTrackingServerUrl", "CreatePresignedNotebookInstanceUrl"),
        ),
    )
)
ACTIONS: Mapping[str, Held] = dict(sorted({**_REQUESTS, **_LEFT}.items()))


def that_must(setting: Setting) -> list[str]:
    """The actions whose requests have to say something."""
    return _named(name for name, held in ACTIONS.items() if setting in held.must)


def that_must_inline(setting: Setting) -> list[str]:
    """The actions whose requests have to, where they hold a job definition of their own."""
    return _named(name for name, held in ACTIONS.items() if setting in held.inline)


def that_must_unless_local(setting: Setting) -> list[str]:
    """The actions whose requests have to, save on instance types with disks of their own."""
    return _named(name for name, held in ACTIONS.items() if setting in held.unless_local)


def on_types(actions: Iterable[str]) -> list[str]:
    """Those of some actions whose requests have to say on which types they run."""
    typed = set(that_must(Setting.TYPES))
    return [action for action in actions if action in typed]


def left_to(who: Who) -> list[str]:
    """The actions that are left to someone."""
    return _named(name for name, held in ACTIONS.items() if held.who is who)


def _named(names: Iterable[str]) -> list[str]:
    return [f"sagemaker:{name}" for name in names]
