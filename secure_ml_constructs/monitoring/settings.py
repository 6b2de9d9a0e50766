"""What the job of `OpenMonitor` is told, as its `Settings` read it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from secure_ml_constructs.monitoring.metrics import NAMESPACE
from secure_ml_constructs.monitoring.plan import WatchPlan
from secure_ml_constructs.monitoring.schema import Layout

# CreateProcessingJob, ContainerArguments: at most 100, of at most 256 characters. Some say the rest.
PIECE, MOST_PIECES = 256, 90


def settings(plan: WatchPlan) -> dict[str, Any]:
    """Give the settings of a watch.

    Args:
        plan: What is watched.
    """
    schema, data = plan.schema, plan.data_quality
    predictions = data.predictions
    limits: dict[str, Any] = {
        "false_alarm_rate": data.false_alarm_rate,
        "least_rows": data.least_rows,
        "drift": data.drift,
        "missing": data.missing,
        "unreadable": data.unreadable,
        "out_of_range": data.out_of_range,
        "damaged": data.damaged,
        "class_share": predictions.class_share,
        "confidence": predictions.confidence,
        "low_confidence": predictions.low_confidence,
        "entropy": predictions.entropy,
        "alike": predictions.alike,
    }
    if plan.model_quality:
        limits |= {"quality": plan.model_quality.fall, "error": plan.model_quality.rise}
    if plan.bias:
        limits["bias"] = plan.bias.difference
    if plan.explainability:
        limits["attribution"] = plan.explainability.agreement
    attributions = dict(plan.explainability.attributions) if plan.explainability else {}
    said = [*schema.outputs, *attributions.values()]
    return {
        "kind": schema.kind.value,
        "endpoint": plan.endpoint.name,
        "namespace": NAMESPACE,
        "input": _layout(schema.request, plan.columns),
        "output": _layout(schema.answer, tuple(schema.answer.columns) or tuple(dict.fromkeys(said))),
        "prediction": schema.prediction,
        "probabilities": list(schema.probabilities),
        "classes": list(schema.classes),
        "positive": schema.positive,
        "threshold": schema.threshold,
        "label": plan.baseline.label,
        "ignore": list(schema.ignore),
        "categorical": list(schema.categorical),
        "attributions": attributions,
        "facets": [
            {
                "column": facet.column,
                "values": list(facet.values),
                "above": facet.above,
                "disparate_impact": facet.disparate_impact,
            }
            for facet in (plan.bias.facets if plan.bias else ())
        ],
        "limits": limits,
    }


def _layout(layout: Layout, columns: tuple[str, ...]) -> dict[str, Any]:
    return {
        "columns": list(columns),
        "header": layout.header,
        "records": layout.records,
        "values": layout.values,
    }


def text(plan: WatchPlan) -> str:
    """Give the settings as one line of JSON, the same each time."""
    return json.dumps(settings(plan), sort_keys=True, separators=(",", ":"))


def pieces(plan: WatchPlan) -> list[str]:
    """Give the settings in the pieces that a processing job takes as arguments."""
    told = text(plan)
    return [told[start : start + PIECE] for start in range(0, len(told), PIECE)]


def digest(plan: WatchPlan, image: str) -> str:
    """Give a word that stands for all that a baseline is made by: another word, another baseline.

    Args:
        plan: What is watched.
        image: What tells the job's code.
    """
    made_by = "\n".join((text(plan), plan.baseline.zone, plan.baseline.path, image))
    return hashlib.sha256(made_by.encode()).hexdigest()[:8]
