"""The states that tell of Model Monitor's runs what the metrics of a watch tell of any engine's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from secure_ml_constructs.monitoring.metrics import ENDPOINT, NAMESPACE, WatchMetric
from secure_ml_constructs.monitoring.monitor_jobs import Kind

__all__ = ["TERMINAL", "states"]

#: The states of a job in which it stays.
TERMINAL = ("Completed", "Failed", "Stopped")
# Amazon SageMaker AI: "Interpret results" of Model Monitor, execution status.
_VIOLATED = "CompletedWithViolations*"
# Joins captures and labels before a job that compares them: that it is done says nothing of the model.
_MERGE = "groundtruth-merge-*"
# What tells that somebody looked. Bias and attributions have no alarm of their own for silence.
_LOOKED = {
    Kind.DATA_QUALITY: WatchMetric.COMPLETED,
    Kind.MODEL_QUALITY: WatchMetric.QUALITY_COMPLETED,
}
# Model Monitor tells no severity. A model that is wrong is severe; that it may be, is not.
_SEVERITY = {Kind.MODEL_QUALITY: WatchMetric.HIGH_VIOLATIONS}


def states(endpoint: str, kinds: Iterable[Kind], partition: str) -> dict[str, Any]:
    """Give the definition of the state machine, which is told a job as EventBridge does.

    Amazon EventBridge: "SageMaker Processing Job State Change", as DescribeProcessingJob.

    Args:
        endpoint: The endpoint's name.
        kinds: What Model Monitor looks at.
        partition: AWS's.
    """

    def tell(values: dict[WatchMetric, int]) -> dict[str, Any]:
        dimensions = [{"Name": ENDPOINT, "Value": endpoint}]
        data = [
            {"MetricName": name.value, "Dimensions": dimensions, "Value": value}
            for name, value in values.items()
        ]
        return {
            "Type": "Task",
            "Resource": f"arn:{partition}:states:::aws-sdk:cloudwatch:putMetricData",
            "Parameters": {"Namespace": NAMESPACE, "MetricData": data},
            "Retry": [
                {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 10, "BackoffRate": 2, "MaxAttempts": 6}
            ],
            "End": True,
        }

    def like(variable: str, pattern: str) -> dict[str, Any]:
        return {"Variable": f"$.{variable}", "StringMatches": pattern}

    def is_(variable: str, value: str) -> dict[str, Any]:
        return {"Variable": f"$.{variable}", "StringEquals": value}

    failed = {"Or": [is_("ProcessingJobStatus", each) for each in TERMINAL if each != "Completed"]}
    violated = {
        "And": [{"Variable": "$.ExitMessage", "IsPresent": True}, like("ExitMessage", _VIOLATED)],
    }
    choices: list[dict[str, Any]] = [
        {**failed, "Next": "Failed"},
        {**like("ProcessingJobName", _MERGE), "Next": "Nothing"},
    ]
    found: dict[str, Any] = {
        "Failed": tell({WatchMetric.FAILED: 1}),
        "Nothing": {"Type": "Succeed"},
    }
    for kind in kinds:
        schedule = like("MonitoringScheduleArn", f"*-{kind.folder}")
        looked = {_LOOKED[kind]: 1} if kind in _LOOKED else {}
        severity = _SEVERITY.get(kind, WatchMetric.MEDIUM_VIOLATIONS)
        for name, rule, violations in (
            (f"{kind}Violated", {"And": [schedule, violated]}, 1),
            (f"{kind}Clean", schedule, 0),
        ):
            choices.append({**rule, "Next": name})
            found[name] = tell({**looked, WatchMetric.VIOLATIONS: violations, severity: violations})
    return {
        "Comment": "Tells of a run of Model Monitor what the metrics of a watch tell of any engine's.",
        "StartAt": "Which",
        "TimeoutSeconds": 3600,
        "States": {"Which": {"Type": "Choice", "Choices": choices, "Default": "Nothing"}, **found},
    }
