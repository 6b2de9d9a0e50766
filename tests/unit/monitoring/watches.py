"""Watches in an environment, as apps would make them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk

from secure_ml_constructs.monitoring import (
    Bias,
    Explainability,
    Facet,
    ModelQuality,
    ModelWatch,
    OpenMonitor,
    Schedule,
)
from tests.unit.monitoring.plans import plan
from tests.unit.serving.clinic import DIGEST, REGISTRY, Clinic

ARN = "arn:aws:{service}:eu-central-1:111122223333:{name}"
GIVEN = f"{REGISTRY}/open-monitor{DIGEST}"


@dataclass(frozen=True)
class Pushed:
    """An image that a build pushes, by its names alone."""

    repository_arn: str = ARN.format(service="ecr", name="repository/open-monitor")
    repository_name: str = "open-monitor"
    repository_uri: str = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/open-monitor"
    tag: str = "0a1b2c3d4e5f"
    project_name: str = "open-monitor-build"
    project_arn: str = ARN.format(service="codebuild", name="project/open-monitor-build")


FULL: dict[str, Any] = {
    "model_quality": ModelQuality(ground_truth="labels/risk/", after_hours=25),
    "bias": Bias(facets=[Facet(column="sex", values=["f"]), Facet(column="age", above=65)]),
    "explainability": Explainability(attributions={"age": "why_age", "dose": "why_dose"}),
    "schedule": Schedule.every(hours=6),
}


def watch(app: cdk.App, engine: OpenMonitor, **more: Any) -> ModelWatch:
    clinic = Clinic(app)
    told = plan(clinic.hospital.foundation, **more)
    return ModelWatch(clinic.stack, "Watch", plan=told, engine=engine, alerts=clinic.alerts)


def build(app: cdk.App) -> None:
    """With nothing but what it must be told, and an image of one's own."""
    watch(app, OpenMonitor(image=GIVEN))


def build_full(app: cdk.App) -> None:
    """All that can be looked at, with an image that is built, and disks of the instance's own."""
    engine = OpenMonitor(image=Pushed(), instance_type="ml.g5.xlarge", volume_gb=200, run_time_seconds=3600)
    watch(app, engine, **FULL)
