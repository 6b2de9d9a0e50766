"""Actions of SageMaker by what their requests can carry, and those that no setting holds.

Service Authorization Reference, "Actions, resources, and condition keys for Amazon SageMaker", and the API
Reference of each action.
"""

from __future__ import annotations

_DEFINITIONS = (
    "DataQualityJobDefinition",
    "ModelBiasJobDefinition",
    "ModelExplainabilityJobDefinition",
    "ModelQualityJobDefinition",
)
JOBS = ("HyperParameterTuningJob", "ProcessingJob", "TrainingJob")
CONTAINERS = (*_DEFINITIONS, *JOBS)
SCHEDULES = ("CreateMonitoringSchedule", "UpdateMonitoringSchedule")


def create(*names: str) -> tuple[str, ...]:
    """The actions that create some things."""
    return tuple(f"Create{each}" for each in names)


# What can carry a setting, and has to say it where nothing else is remarked.
_IN_A_NETWORK = create("AutoMLJob", "AutoMLJobV2", "Cluster", "Domain", "Job", "Model", "NotebookInstance")
SETTLED = (*create(*CONTAINERS), *_IN_A_NETWORK)
ON_MACHINES = create(*CONTAINERS, "EndpointConfig", "NotebookInstance", "TransformJob")
GROUPS = (*SETTLED, *SCHEDULES, "CreateEndpointConfig", "CreateUserProfile", "UpdateCluster", "UpdateDomain")
LOCAL = (*create(*CONTAINERS, "EndpointConfig", "TransformJob"), *SCHEDULES)
WORKSPACES = ("CreateApp", "CreateSpace", "UpdateSpace")

# Work that no setting of a request can hold, and what takes data or models where nothing else reaches.
PAST_EVERY_CONTROL = (
    *("CallPartnerAppApi", "CallWithBearerToken", "CreateHubContentPresignedUrls", "CreateSharedModel"),
    *("CreateEdgeDeploymentPlan", "CreateEdgeDeploymentStage", "CreateEdgePackagingJob"),
    *("CreateDeviceFleet", "CreatePartnerApp", "CreatePartnerAppPresignedUrl", "DeployHubModel"),
    *("RegisterDevices", "SendHeartbeat", "SendSharedModelEvent", "StartEdgeDeploymentStage"),
    *("StartSession", "TrainHubModel", "UpdateDeviceFleet", "UpdateDevices", "UpdatePartnerApp"),
    "UpdateSharedModel",
)
NOT_TO_BE_HELD = (
    *("CompleteRollout", "CreateAIBenchmarkJob", "CreateAIRecommendationJob", "CreateAIWorkloadConfig"),
    *("CreateAlgorithm", "CreateCompilationJob", "CreateInferenceExperiment", "CreateJob"),
    *("CreateInferenceRecommendationsJob", "CreateLabelingJob", "CreateModelCardExportJob"),
    *("CreateOptimizationJob", "CreatePipeline", "Sample", "SampleWithResponseStream"),
    *("StartInferenceExperiment", "UpdateInferenceComponent", "UpdateInferenceExperiment"),
    *("UpdatePipeline", "UpdatePipelineVersion", "UpdateReward"),
)
OF_OTHERS = (
    *("AttachClusterNodeNetworkInterface", "AttachClusterNodeVolume", "BatchAddClusterNodes"),
    *("CreateAppImageConfig", "CreateCluster", "CreateCodeRepository", "CreateDomain"),
    *("CreateFlowDefinition", "CreateHub", "CreateHubContentReference", "CreateHumanTaskUi", "CreateImage"),
    *("CreateImageVersion", "CreateLineageGroupPolicy", "CreateMlflowApp", "CreateMlflowTrackingServer"),
    *("CreateNotebookInstanceLifecycleConfig", "CreateProject", "CreateReservedCapacity"),
    *("CreateStudioLifecycleConfig", "CreateTrainingPlan", "CreateUserProfile", "CreateWorkforce"),
    *("CreateWorkteam", "DisableSagemakerServicecatalogPortfolio", "EnableSagemakerServicecatalogPortfolio"),
    *("ExtendTrainingPlan", "ImportHubContent", "PutLineageGroupPolicy", "PutModelPackageGroupPolicy"),
    *("PutResourcePolicy", "UpdateAppImageConfig", "UpdateCluster", "UpdateClusterInference"),
    *("UpdateClusterSoftware", "UpdateCodeRepository", "UpdateDomain", "UpdateHub", "UpdateHubContent"),
    *("UpdateHubContentReference", "UpdateImage", "UpdateImageVersion", "UpdateMlflowApp"),
    *("UpdateMlflowTrackingServer", "UpdateNotebookInstanceLifecycleConfig", "UpdateProject"),
    *("UpdateUserProfile", "UpdateWorkforce", "UpdateWorkteam"),
)
