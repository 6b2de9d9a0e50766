"""An environment with models that answer, as an app would make them."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_sns as sns

from secure_ml_constructs.detection import AlertTopic
from secure_ml_constructs.detection.alarms import Alerts
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.serving.capacity import Capacity, Rollout, ScheduledCapacity
from secure_ml_constructs.serving.copies import Capture, Shadow
from secure_ml_constructs.serving.model_endpoint import ModelEndpoint
from secure_ml_constructs.serving.served_model import Container, ServedModel
from secure_ml_constructs.serving.tenants import TenantModels
from tests.unit.identity import hospital

REGISTRY = "${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}"
DIGEST = "@sha256:" + "0a" * 32
DETECTOR = f"763104351884.dkr.ecr.eu-central-1.amazonaws.com/sklearn{DIGEST}"
REGION = "eu-central-1"


def container(data: str = "risk/2026-11/model.tar.gz", **more: Any) -> Container:
    return Container(image=f"{REGISTRY}/risk{DIGEST}", data=data, **more)


MODEL = ServedModel((container(),))


class Clinic:
    """An app with all that a model stands on, and a stack for it."""

    def __init__(self, app: cdk.App, perimeter: DataPerimeter = hospital.PERIMETER) -> None:
        self.hospital = hospital.build(app, teams={}, region=REGION, perimeter=perimeter)
        self.stack = cdk.Stack(app, "Serving", env=cdk.Environment(region=REGION))
        foundation = self.hospital.foundation
        self.topic: sns.ITopic = AlertTopic(
            self.stack, "Alerts", perimeter=foundation.perimeter, key=foundation.keys.logs
        ).topic
        self.alerts = Alerts(high=self.topic)

    def endpoint(
        self, id: str = "Risk", *, model: ServedModel | TenantModels = MODEL, **more: Any
    ) -> ModelEndpoint:
        more.setdefault("alerts", self.alerts)
        return ModelEndpoint(self.stack, id, foundation=self.hospital.foundation, model=model, **more)


def build(app: cdk.App) -> None:
    """The endpoint with nothing but what it must be told."""
    Clinic(app).endpoint()


def build_full(app: cdk.App) -> None:
    """An endpoint with a shadow, a schedule and limits of its own."""
    Clinic(app).endpoint(
        model=ServedModel((container("risk/2026-11/", environment={"WORKERS": "2"}),)),
        capacity=Capacity(
            instance_type="ml.g5.xlarge",
            minimum=3,
            maximum=9,
            schedule=(ScheduledCapacity(name="night", when="cron(0 19 * * ? *)", minimum=2, maximum=3),),
        ),
        rollout=Rollout.linear(),
        capture=Capture(zone="curated", percent=20),
        shadow=Shadow(model=ServedModel((container("risk/next/model.tar.gz"),)), percent=10),
    )


def build_pipeline(app: cdk.App) -> None:
    """A detector ahead of the model, and a model of the registry."""
    clinic = Clinic(app)
    clinic.endpoint(model=ServedModel.pipeline(Container(image=DETECTOR), container()))
    package = "arn:aws:sagemaker:eu-central-1:111122223333:model-package/risk/3"
    clinic.endpoint("Packaged", model=ServedModel.from_package(package))


TENANTS = TenantModels(
    models={"partner-a": container("a/model.tar.gz"), "partner-b": container("b/model.tar.gz")}
)


def build_tenants(app: cdk.App) -> None:
    """A component for each of two tenants."""
    Clinic(app).endpoint(model=TENANTS)
