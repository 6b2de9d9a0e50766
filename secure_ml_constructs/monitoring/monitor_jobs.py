"""The jobs of SageMaker Model Monitor: one definition and one schedule a kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aws_cdk import Fn
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from secure_ml_constructs.monitoring.plan import WatchPlan
from secure_ml_constructs.monitoring.schema import Layout, ModelKind

__all__ = ["Kind", "Settings", "add_jobs", "cron", "kinds_of", "longest_seconds"]

_INPUT = "/opt/ml/processing/endpointdata"
_OUTPUT = "/opt/ml/processing/output"
_PROBLEMS = {
    ModelKind.BINARY: "BinaryClassification",
    ModelKind.MULTICLASS: "MulticlassClassification",
    ModelKind.REGRESSION: "Regression",
}
_HOUR = 3600


class Kind(StrEnum):
    """What Model Monitor looks at; the value is its word for it."""

    DATA_QUALITY = "DataQuality"
    MODEL_QUALITY = "ModelQuality"
    BIAS = "ModelBias"
    EXPLAINABILITY = "ModelExplainability"

    @property
    def folder(self) -> str:
        """Where its baseline and its reports lie, each within theirs."""
        return {
            Kind.DATA_QUALITY: "data-quality",
            Kind.MODEL_QUALITY: "model-quality",
            Kind.BIAS: "bias",
            Kind.EXPLAINABILITY: "explainability",
        }[self]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What all kinds share.

    Attributes:
        baselines: Where the baselines lie (`s3://…`), with a slash at its end.
        results: Where reports go (`s3://…`), with a slash at its end.
        truth: Where the truth comes to (`s3://…`), if it does.
        analyzer: The image that looks at data and quality.
        clarify: The image that looks at bias and attributions.
        role: The ARN of the jobs' role.
        resources: On what they run.
        network: Where.
        output_key: The key of reports.
        seconds: The longest that one may run.
    """

    baselines: str
    results: str
    truth: str
    analyzer: str
    clarify: str
    role: str
    resources: Mapping[str, Any]
    network: Mapping[str, Any]
    output_key: str
    seconds: int


def kinds_of(plan: WatchPlan) -> tuple[Kind, ...]:
    """Give the kinds that a plan asks for.

    Args:
        plan: What is watched.
    """
    asked = {
        Kind.DATA_QUALITY: plan.data_quality,
        Kind.MODEL_QUALITY: plan.model_quality,
        Kind.BIAS: plan.bias,
        Kind.EXPLAINABILITY: plan.explainability,
    }
    return tuple(kind for kind, what in asked.items() if what is not None)


def schedule_name(plan: WatchPlan, kind: Kind) -> str:
    """Give the name of a schedule: that of the watch's jobs, and its kind.

    Args:
        plan: What is watched.
        kind: The kind.
    """
    return f"{plan.job_prefix}-{kind.folder}"


def cron(plan: WatchPlan) -> str:
    """Give a schedule as Model Monitor takes it: at full hours.

    Amazon SageMaker AI API Reference: ScheduleConfig.

    Args:
        plan: What is watched.
    """
    hours = plan.schedule.hours
    if hours == 1:
        return "cron(0 * ? * * *)"
    return f"cron(0 {plan.schedule.hour if hours == 24 else f'0/{hours}'} ? * * *)"


def longest_seconds(plan: WatchPlan, kind: Kind) -> int:
    """Give how long a job may run: never until the next begins.

    Amazon SageMaker AI API Reference: MonitoringStoppingCondition.

    Args:
        plan: What is watched.
        kind: The kind.
    """
    hours = plan.schedule.hours
    halved = hours == 1 and kind in (Kind.MODEL_QUALITY, Kind.BIAS)
    return _HOUR // 2 if halved else min(hours * _HOUR, 86_400)


def attribute(layout: Layout, name: str) -> str:
    """Give how Model Monitor names a value: by its place where values have one, or by its path.

    Args:
        layout: Where the values are.
        name: The value.
    """
    columns = list(layout.columns)
    return str(columns.index(name)) if name in columns else name


def add_jobs(scope: Construct, plan: WatchPlan, settings: Settings) -> list[sagemaker.CfnMonitoringSchedule]:
    """Make definitions and schedules of the kinds that are asked for.

    Args:
        scope: The parent construct.
        plan: What is watched.
        settings: What all kinds share.
    """
    return [_add(scope, plan, settings, kind) for kind in kinds_of(plan)]


def _add(
    scope: Construct, plan: WatchPlan, settings: Settings, kind: Kind
) -> sagemaker.CfnMonitoringSchedule:
    definition = _DEFINE[kind](scope, plan, settings)
    # A definition is made anew with each change, under another name; Ref gives its ARN.
    name = Fn.select(1, Fn.split("/", definition.ref))
    config = sagemaker.CfnMonitoringSchedule.MonitoringScheduleConfigProperty(
        monitoring_job_definition_name=name,
        monitoring_type=kind.value,
        schedule_config={"scheduleExpression": cron(plan)},
    )
    return sagemaker.CfnMonitoringSchedule(
        scope,
        f"{kind}Schedule",
        monitoring_schedule_name=schedule_name(plan, kind),
        monitoring_schedule_config=config,
    )


def _common(plan: WatchPlan, settings: Settings, kind: Kind) -> dict[str, Any]:
    return {
        "role_arn": settings.role,
        "job_resources": {"clusterConfig": dict(settings.resources)},
        "network_config": dict(settings.network),
        "stopping_condition": {"maxRuntimeInSeconds": min(settings.seconds, longest_seconds(plan, kind))},
    }


def _output(settings: Settings, kind: Kind) -> dict[str, Any]:
    place = {
        "localPath": _OUTPUT,
        "s3Uri": f"{settings.results}{kind.folder}",
        "s3UploadMode": "EndOfJob",
    }
    return {"kmsKeyId": settings.output_key, "monitoringOutputs": [{"s3Output": place}]}


def _endpoint(plan: WatchPlan) -> dict[str, Any]:
    return {"endpointName": plan.endpoint.name, "localPath": _INPUT}


def _answer(plan: WatchPlan) -> dict[str, Any]:
    """What of an answer is the prediction."""
    schema, found = plan.schema, {}
    if schema.prediction:
        found["inferenceAttribute"] = attribute(schema.answer, schema.prediction)
    if schema.kind is ModelKind.BINARY and schema.probabilities:
        found["probabilityAttribute"] = attribute(schema.answer, schema.probabilities[-1])
    return found


def _compared(plan: WatchPlan) -> dict[str, Any]:
    """What of an answer is compared with the truth, and over which hours."""
    quality = plan.model_quality
    assert quality
    hours = plan.schedule.hours
    # Whole windows, as long ago as the truth takes to come.
    delay = -(-quality.after_hours // hours) * hours
    told: dict[str, Any] = {
        **_endpoint(plan),
        **_answer(plan),
        "startTimeOffset": f"-PT{delay + hours}H",
        "endTimeOffset": f"-PT{delay}H",
    }
    if plan.schema.kind is ModelKind.BINARY and plan.schema.probabilities:
        told["probabilityThresholdAttribute"] = plan.schema.threshold
    return told


def _data_quality(
    scope: Construct, plan: WatchPlan, settings: Settings
) -> sagemaker.CfnDataQualityJobDefinition:
    kind = Kind.DATA_QUALITY
    head = f"{settings.baselines}{kind.folder}/"
    return sagemaker.CfnDataQualityJobDefinition(
        scope,
        kind,
        data_quality_app_specification={
            "imageUri": settings.analyzer,
            "environment": {"publish_cloudwatch_metrics": "Enabled"},
        },
        data_quality_baseline_config={
            "constraintsResource": {"s3Uri": f"{head}constraints.json"},
            "statisticsResource": {"s3Uri": f"{head}statistics.json"},
        },
        data_quality_job_input={"endpointInput": _endpoint(plan)},
        data_quality_job_output_config=_output(settings, kind),
        **_common(plan, settings, kind),
    )


def _model_quality(
    scope: Construct, plan: WatchPlan, settings: Settings
) -> sagemaker.CfnModelQualityJobDefinition:
    kind = Kind.MODEL_QUALITY
    return sagemaker.CfnModelQualityJobDefinition(
        scope,
        kind,
        model_quality_app_specification={
            "imageUri": settings.analyzer,
            "problemType": _PROBLEMS[plan.schema.kind],
            "environment": {"publish_cloudwatch_metrics": "Enabled"},
        },
        model_quality_baseline_config={
            "constraintsResource": {"s3Uri": f"{settings.baselines}{kind.folder}/constraints.json"}
        },
        model_quality_job_input={
            "endpointInput": _compared(plan),
            "groundTruthS3Input": {"s3Uri": settings.truth},
        },
        model_quality_job_output_config=_output(settings, kind),
        **_common(plan, settings, kind),
    )


def _bias(scope: Construct, plan: WatchPlan, settings: Settings) -> sagemaker.CfnModelBiasJobDefinition:
    kind = Kind.BIAS
    head = f"{settings.baselines}{kind.folder}/"
    return sagemaker.CfnModelBiasJobDefinition(
        scope,
        kind,
        model_bias_app_specification={
            "imageUri": settings.clarify,
            "configUri": f"{head}analysis_config.json",
            "environment": {"publish_cloudwatch_metrics": "Enabled"},
        },
        model_bias_baseline_config={"constraintsResource": {"s3Uri": f"{head}analysis.json"}},
        model_bias_job_input={
            "endpointInput": _compared(plan),
            "groundTruthS3Input": {"s3Uri": settings.truth},
        },
        model_bias_job_output_config=_output(settings, kind),
        **_common(plan, settings, kind),
    )


def _explainability(
    scope: Construct, plan: WatchPlan, settings: Settings
) -> sagemaker.CfnModelExplainabilityJobDefinition:
    kind = Kind.EXPLAINABILITY
    head = f"{settings.baselines}{kind.folder}/"
    return sagemaker.CfnModelExplainabilityJobDefinition(
        scope,
        kind,
        model_explainability_app_specification={
            "imageUri": settings.clarify,
            "configUri": f"{head}analysis_config.json",
            "environment": {"publish_cloudwatch_metrics": "Enabled"},
        },
        model_explainability_baseline_config={"constraintsResource": {"s3Uri": f"{head}analysis.json"}},
        model_explainability_job_input={"endpointInput": {**_endpoint(plan), **_answer(plan)}},
        model_explainability_job_output_config=_output(settings, kind),
        **_common(plan, settings, kind),
    )


_DEFINE: Mapping[Kind, Any] = {
    Kind.DATA_QUALITY: _data_quality,
    Kind.MODEL_QUALITY: _model_quality,
    Kind.BIAS: _bias,
    Kind.EXPLAINABILITY: _explainability,
}


def schedule_arns(plan: WatchPlan, head: str) -> Iterator[str]:
    """Give the ARNs of the schedules.

    Args:
        plan: What is watched.
        head: What ARNs of SageMaker begin with.
    """
    return (f"{head}:monitoring-schedule/{schedule_name(plan, kind)}" for kind in kinds_of(plan))
