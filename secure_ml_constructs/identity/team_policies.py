"""What each persona of a team may do, as policy statements: in its team's name, and nothing else.

Names carry the separation: what belongs to a team begins with its name and a hyphen, which each action of
SageMaker that creates, changes or describes takes as resource (Service Authorization Reference, "Actions,
resources, and condition keys for Amazon SageMaker AI"). Tags would not do: few requests carry them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from secure_ml_constructs._acknowledge import LOOKING, NAMED_BY_AWS, NO_RESOURCE, TEAM_NAMES
from secure_ml_constructs.identity.execution import volume_statements
from secure_ml_constructs.identity.personas import Persona
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.policy import Statement, allow, deny, sub, subs

_JOBS = ("training-job", "processing-job", "transform-job", "hyper-parameter-tuning-job", "automl-job")
_MODELS = ("model", "endpoint", "endpoint-config", "inference-component")
_EXPERIMENTS = ("experiment", "experiment-trial", "experiment-trial-component")
_REGISTRY = ("model-package", "model-package-group")
_MONITORING = (
    "monitoring-schedule",
    "data-quality-job-definition",
    "model-quality-job-definition",
    "model-bias-job-definition",
    "model-explainability-job-definition",
)
_EVERY_KIND = (*_JOBS, *_MODELS, *_EXPERIMENTS, *_REGISTRY, *_MONITORING, "pipeline", "feature-group")
_START_JOBS = (
    *(
        "CreateTrainingJob",
        "UpdateTrainingJob",
        "StopTrainingJob",
        "CreateProcessingJob",
        "StopProcessingJob",
    ),
    *("CreateTransformJob", "StopTransformJob", "CreateHyperParameterTuningJob"),
    *("StopHyperParameterTuningJob", "CreateAutoMLJobV2", "StopAutoMLJob"),
)
_RECORD = (
    *(
        "CreateExperiment",
        "UpdateExperiment",
        "DeleteExperiment",
        "CreateTrial",
        "UpdateTrial",
        "DeleteTrial",
    ),
    *("CreateTrialComponent", "UpdateTrialComponent"),
    *("DeleteTrialComponent", "AssociateTrialComponent", "DisassociateTrialComponent"),
    *("BatchPutMetrics", "BatchGetMetrics"),
)
_REGISTER = ("CreateModelPackage", "CreateModelPackageGroup")
_DEPLOY = (
    *("CreateModel", "DeleteModel", "CreateEndpointConfig", "DeleteEndpointConfig", "CreateEndpoint"),
    *("UpdateEndpoint", "UpdateEndpointWeightsAndCapacities", "DeleteEndpoint", "CreateInferenceComponent"),
    *("UpdateInferenceComponentRuntimeConfig", "DeleteInferenceComponent"),
)
_WATCH = (
    *("CreateMonitoringSchedule", "UpdateMonitoringSchedule", "StartMonitoringSchedule"),
    *("StopMonitoringSchedule", "DeleteMonitoringSchedule", "CreateDataQualityJobDefinition"),
    *("DeleteDataQualityJobDefinition", "CreateModelQualityJobDefinition", "DeleteModelQualityJobDefinition"),
    *(
        "CreateModelBiasJobDefinition",
        "DeleteModelBiasJobDefinition",
        "CreateModelExplainabilityJobDefinition",
    ),
    "DeleteModelExplainabilityJobDefinition",
)
_RUN_PIPELINES = (
    *("StartPipelineExecution", "StopPipelineExecution", "RetryPipelineExecution"),
    "UpdatePipelineExecution",
)
_ASK = (
    *("InvokeEndpoint", "InvokeEndpointAsync", "InvokeEndpointWithResponseStream"),
    *("GetRecord", "BatchGetRecord"),
)
_LOOK = ("AddTags", "Describe*", "ListTags")
_QUERY = (
    "athena:GetQueryExecution",
    "athena:GetQueryResults",
    "athena:GetQueryResultsStream",
    "athena:GetWorkGroup",
    "athena:StartQueryExecution",
    "athena:StopQueryExecution",
)
# What Studio's own pages ask for in the person's name, from the browser and not from the VPC, and what
# SageMaker writes for a workspace from its own network. None of it reads or moves data.
_FROM_ANYWHERE = (
    *("sagemaker:CreateApp", "sagemaker:DeleteApp", "sagemaker:CreateSpace", "sagemaker:UpdateSpace"),
    *("sagemaker:DeleteSpace", "sagemaker:Describe*", "sagemaker:List*", "sagemaker:AddTags"),
    # Where it may be asked for is said by whoever allows it.
    "sagemaker:CreatePresignedDomainUrl",
    *("logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams", "cloudwatch:PutMetricData"),
    *("kms:CreateGrant", "kms:DescribeKey"),
)
_ARN, _HERE = "arn:${AWS::Partition}", "${AWS::Region}:${AWS::AccountId}"
_LOGS = f"{_ARN}:logs:{_HERE}:log-group:/aws/sagemaker/"
_JOB_LOGS = ("TrainingJobs", "ProcessingJobs", "TransformJobs")
#: Why a resource has a wildcard, by its beginning.
WILDCARDS = {
    "*": NO_RESOURCE,
    f"{_ARN}:sagemaker:": TEAM_NAMES,
    f"{_ARN}:athena:": TEAM_NAMES,
    f"{_ARN}:logs:": TEAM_NAMES,
}
#: Likewise of what people of every team may do.
WORKSPACE_WILDCARDS = {"*": LOOKING, f"{_LOGS}studio:": NAMED_BY_AWS}


@dataclass(frozen=True, kw_only=True)
class TeamPolicies:
    """The statements of one team.

    Attributes:
        team: The team's name.
        volume_keys: ARNs of the keys of volumes.
    """

    team: str
    volume_keys: Sequence[str]

    def data_scientist(self, passed: Mapping[Persona, str]) -> list[Statement]:
        """What a data scientist does: jobs, experiments, models registered, predictions asked for.

        Args:
            passed: The roles of the team by persona.
        """
        return [
            self._own((*_START_JOBS, *_RECORD, *_REGISTER, *_LOOK, *_ASK), _EVERY_KIND),
            *self._people(),
            self._passes(passed, Persona.TRAINING, Persona.PROCESSING),
        ]

    def ml_engineer(self, passed: Mapping[Persona, str]) -> list[Statement]:
        """What an ML engineer does: models approved, deployed and watched, pipelines run.

        Args:
            passed: The roles of the team by persona.
        """
        return [
            self._own((*_START_JOBS, *_DEPLOY, *_WATCH, *_RUN_PIPELINES, *_LOOK, *_ASK), _EVERY_KIND),
            self._own(("UpdateModelPackage",), ("model-package",), sid="Approve"),
            *self._people(),
            self._passes(passed, Persona.TRAINING, Persona.PROCESSING, Persona.ENDPOINT, Persona.MONITORING),
        ]

    def pipeline(self, passed: Mapping[Persona, str]) -> list[Statement]:
        """What a pipeline does: each step's work, with that work's own role; it reaches no data itself.

        Args:
            passed: The roles of the team by persona.
        """
        return [
            self._own((*_START_JOBS, *_RECORD, *_REGISTER, *_DEPLOY, *_WATCH, *_LOOK), _EVERY_KIND),
            *volume_statements(self.volume_keys),
            self._passes(passed, Persona.TRAINING, Persona.PROCESSING, Persona.ENDPOINT, Persona.MONITORING),
        ]

    def jobs(self) -> list[Statement]:
        """What jobs and models do beside what SageMaker needs of any role: write their own log streams."""
        streams = [*(f"{each}:log-stream:{self.team}-*" for each in _JOB_LOGS), f"Endpoints/{self.team}-*"]
        groups = (f"{each}:log-stream:" for each in _JOB_LOGS)
        return [
            allow(
                "OwnLogs",
                ("logs:CreateLogStream", "logs:PutLogEvents"),
                subs(f"{_LOGS}{each}" for each in streams),
            ),
            allow("LookAtStreams", "logs:DescribeLogStreams", subs(f"{_LOGS}{each}" for each in groups)),
            self._metrics(),
        ]

    def _own(self, names: Sequence[str], kinds: Sequence[str], sid: str = "Own") -> Statement:
        # One statement for all kinds: an action speaks of its own kind and of no other.
        actions = [f"sagemaker:{name}" for name in dict.fromkeys(names)]
        return allow(sid, actions, subs(f"{_ARN}:sagemaker:{_HERE}:{kind}/{self.team}-*" for kind in kinds))

    def _people(self) -> Iterator[Statement]:
        streams = (f"{each}:log-stream:{self.team}-*" for each in _JOB_LOGS)
        yield allow("ReadLogs", "logs:GetLogEvents", subs(f"{_LOGS}{each}" for each in streams))
        yield allow("Query", _QUERY, sub(f"{_ARN}:athena:{_HERE}:workgroup/{self.team}-*"))
        yield self._metrics()

    def _metrics(self) -> Statement:
        return allow(
            "OwnMetrics",
            "cloudwatch:PutMetricData",
            condition={"StringLike": {"cloudwatch:namespace": [self.team, f"{self.team}/*"]}},
        )

    @staticmethod
    def _passes(passed: Mapping[Persona, str], *personas: Persona) -> Statement:
        return allow(
            "Pass",
            "iam:PassRole",
            [passed[each] for each in personas],
            condition={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        )


def workspace_statements(
    perimeter: DataPerimeter, *, endpoints: Sequence[str], volume_keys: Sequence[str]
) -> list[Statement]:
    """Give what people of every team need alike, and from where they may work.

    Args:
        perimeter: Who passes the network condition.
        endpoints: Ids of the VPC endpoints by which people work.
        volume_keys: ARNs of the keys of volumes.
    """
    elsewhere = deny("WorkFromElsewhere", (), principal=None, condition=perimeter.from_elsewhere(endpoints))
    del elsewhere["Action"]
    return [
        # Names and states; what shows more has a resource to name.
        allow("List", "sagemaker:List*"),
        allow(
            "WorkspaceLogs",
            ("logs:CreateLogStream", "logs:PutLogEvents"),
            sub(f"{_LOGS}studio:log-stream:*"),
        ),
        *volume_statements(volume_keys),
        {**elsewhere, "NotAction": list(_FROM_ANYWHERE)},
    ]
