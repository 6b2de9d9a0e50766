"""Domains as the tests make them, each in a stack beside its network and keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import aws_cdk as cdk
from aws_cdk import RemovalPolicy

from secure_ml_constructs.keys import EnvironmentKeys
from secure_ml_constructs.network import SecureVpc
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.studio import SecureStudioDomain, StudioApp, StudioApps, StudioAuth, StudioHome
from tests.support.templates import ACCOUNT, World, new_app, synth

IAM = f"arn:aws:iam::{ACCOUNT}:role"
OFFICE = "198.51.0.0/24"
PERIMETER = DataPerimeter(administrators=(f"{IAM}/ml-admin",), break_glass_roles=(f"{IAM}/ml-break-glass",))
LOSES_DATA = {"secure-ml:allow-data-loss": True}


@dataclass(frozen=True)
class Place:
    """What a domain stands on."""

    keys: EnvironmentKeys
    network: SecureVpc
    stack: cdk.Stack

    @property
    def given(self) -> dict[str, Any]:
        """The arguments that every construct of the area takes."""
        return {"perimeter": PERIMETER, "keys": self.keys, "network": self.network}


def place(app: cdk.App) -> Place:
    keys = EnvironmentKeys(cdk.Stack(app, "Keys"), "Keys", perimeter=PERIMETER)
    network = SecureVpc(cdk.Stack(app, "Network"), "Vpc", perimeter=PERIMETER, logs_key=keys.logs)
    return Place(keys, network, cdk.Stack(app, "Studio"))


def build(app: cdk.App, **arguments: Any) -> SecureStudioDomain:
    """The domain with nothing but what it needs."""
    here = place(app)
    given = {**here.given, "auth": StudioAuth.identity_center(), **arguments}
    return SecureStudioDomain(here.stack, "Studio", **given)


def build_full(app: cdk.App) -> SecureStudioDomain:
    """The domain with everything that can be asked for."""
    app.node.set_context("secure-ml:allow-data-loss", True)
    return build(
        app,
        auth=StudioAuth.iam(ranges=(OFFICE,)),
        apps=StudioApps(
            types=(StudioApp.JUPYTER_LAB, StudioApp.CODE_EDITOR),
            instance_types=("ml.t3.*", "ml.g5.xlarge"),
            default_instance_type="ml.t3.large",
            idle_minutes=90,
            longest_idle_minutes=240,
            volume_gb=50,
            largest_volume_gb=200,
        ),
        home=StudioHome.efs(),
        removal_policy=RemovalPolicy.DESTROY,
    )


@cache
def world(make: Callable[[cdk.App], Any]) -> World:
    """The templates that a builder makes."""
    app = new_app()
    make(app)
    return World(synth(app))
