"""What is told of a watch, whichever engine looks."""

from __future__ import annotations

from functools import partial

from secure_ml_constructs.detection.alarms import Alarms, Severity
from secure_ml_constructs.monitoring.metrics import SubjectMetric, WatchMetric, subject_metric, watch_metric
from secure_ml_constructs.monitoring.plan import WatchPlan
from secure_ml_constructs.monitoring.schema import ModelKind

# Hours that a run may begin and end later than the one before.
_LATE = 2


def watch_alarms(alarms: Alarms, plan: WatchPlan) -> None:
    """Make the alarms of a watch.

    Args:
        alarms: Where to make them.
        plan: What is watched.
    """
    _runs(alarms, plan)
    endpoint = plan.endpoint.name
    alarms.add(
        "SevereViolations",
        Severity.HIGH,
        watch_metric(endpoint, WatchMetric.HIGH_VIOLATIONS),
        threshold=1,
        above=">=",
        because=f"Requests, predictions or quality of {endpoint} changed severely: read the run's report.",
    )
    alarms.add(
        "Violations",
        Severity.MEDIUM,
        watch_metric(endpoint, WatchMetric.VIOLATIONS),
        threshold=1,
        above=">=",
        because=f"Requests, predictions or quality of {endpoint} changed: read the run's report.",
    )
    _unusual(alarms, plan)


def _runs(alarms: Alarms, plan: WatchPlan) -> None:
    endpoint = plan.endpoint.name
    alarms.add(
        "Failed",
        Severity.MEDIUM,
        watch_metric(endpoint, WatchMetric.FAILED),
        threshold=1,
        above=">=",
        because=f"A run that looks at {endpoint} failed: no capture, no baseline, or an error.",
    )
    # By the hour: a period of a day would begin whenever CloudWatch likes.
    silent = partial(alarms.add, threshold=1, above="<", minutes=60, missing="breaching")
    silent(
        "Missing",
        Severity.MEDIUM,
        watch_metric(endpoint, WatchMetric.COMPLETED, "Sum"),
        times=plan.schedule.hours + _LATE,
        because=f"Nobody has looked at {endpoint} since the last window: a run failed, or never began.",
    )
    if plan.model_quality:
        silent(
            "QualityMissing",
            Severity.MEDIUM,
            watch_metric(endpoint, WatchMetric.QUALITY_COMPLETED, "Sum"),
            times=plan.schedule.hours + _LATE,
            because=f"Nobody knows whether {endpoint} is still right: no truth has come, or a run failed.",
        )


def _unusual(alarms: Alarms, plan: WatchPlan) -> None:
    endpoint, minutes = plan.endpoint.name, plan.schedule.hours * 60
    alarms.add_band(
        "AlikeQueries",
        Severity.MEDIUM,
        watch_metric(endpoint, WatchMetric.ALIKE_QUERIES),
        minutes=minutes,
        because=f"One caller asks {endpoint} nearly the same unusually often: it may be copying the model.",
    )
    if plan.schema.probabilities:
        alarms.add_band(
            "LowConfidence",
            Severity.MEDIUM,
            watch_metric(endpoint, WatchMetric.LOW_CONFIDENCE_SHARE),
            minutes=minutes,
            because=f"Unusually many predictions of {endpoint} are unsure.",
        )
        alarms.add_band(
            "Entropy",
            Severity.MEDIUM,
            watch_metric(endpoint, WatchMetric.MEAN_ENTROPY),
            minutes=minutes,
            below=True,
            because=f"Predictions of {endpoint} are unusually undecided, or unusually sure.",
        )
    if plan.schema.kind is ModelKind.REGRESSION:
        return
    # Of two classes, the one's share says the other's.
    told = plan.schema.classes[-1:] if len(plan.schema.classes) == 2 else plan.schema.classes
    for number, name in enumerate(told):
        alarms.add_band(
            f"ClassShare{number}",
            Severity.MEDIUM,
            subject_metric(endpoint, SubjectMetric.CLASS_SHARE, name),
            minutes=minutes,
            below=True,
            because=f"{endpoint} says {name!r} unusually often, or unusually seldom.",
        )
