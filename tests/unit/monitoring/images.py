"""The image of OpenMonitor in an environment, as apps would make it."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk

from secure_ml_constructs.monitoring import MonitorImage
from secure_ml_constructs.storage import PackageRepository
from tests.unit.serving.clinic import DIGEST, REGISTRY, Clinic

BASE = f"{REGISTRY}/python{DIGEST}"


def image(app: cdk.App, base: str = BASE, **more: Any) -> MonitorImage:
    clinic = Clinic(app)
    foundation = clinic.hospital.foundation
    endpoints = foundation.network.endpoint_ids
    packages = PackageRepository(
        clinic.stack,
        "Packages",
        perimeter=foundation.perimeter,
        key=foundation.keys.model,
        endpoints=[endpoints["codeartifact.api"], endpoints["codeartifact.repositories"]],
    )
    return MonitorImage(clinic.stack, "Image", foundation=foundation, packages=packages, base=base, **more)


def build(app: cdk.App) -> None:
    image(app)
