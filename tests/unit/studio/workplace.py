"""Domains as the tests make them, each in a stack beside its network and keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import aws_cdk as cdk
from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam

from secure_ml_constructs.audit import LogArchive
from secure_ml_constructs.identity import (
    GuardrailPolicies,
    Persona,
    RoleFoundation,
    SageMakerGuardrails,
    WorkBoundary,
    approving_roles,
    pipeline_roles,
)
from secure_ml_constructs.keys import EnvironmentKeys, KeyClass
from secure_ml_constructs.network import SecureVpc
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.storage import EncryptedDataLake
from secure_ml_constructs.studio import (
    SecureStudioDomain,
    StudioApp,
    StudioApps,
    StudioAuth,
    StudioHome,
    StudioUser,
)
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


def foundation(studio: SecureStudioDomain) -> RoleFoundation:
    """What the roles of every team stand on, in stacks beside the domain's."""
    app = studio.node.root
    assert isinstance(app, cdk.App)
    keys, network = studio.keys, studio.network
    archive = LogArchive(
        cdk.Stack(app, "Archive"),
        "Archive",
        perimeter=PERIMETER,
        key=keys.logs,
        endpoints=network.s3_endpoint_ids,
    )
    lake = EncryptedDataLake(
        cdk.Stack(app, "Lake"),
        "Lake",
        perimeter=PERIMETER,
        keys=keys,
        endpoints=network.s3_endpoint_ids,
        access_logs=archive.access_log_bucket,
    )
    people = cdk.Stack(app, "People")
    guardrails = SageMakerGuardrails(
        perimeter=PERIMETER,
        subnets=network.isolated_subnet_ids,
        security_groups=(network.workload_security_group_id, network.job_security_group_id),
        keys=tuple(keys.arn(each) for each in (KeyClass.DATA, KeyClass.MODEL, KeyClass.WORKSPACE)),
        approving_roles=approving_roles(PERIMETER),
        pipeline_roles=pipeline_roles(PERIMETER),
    )
    return RoleFoundation(
        people,
        "Foundation",
        perimeter=PERIMETER,
        keys=keys,
        lake=lake,
        network=network,
        boundary=WorkBoundary(people, "Boundary", perimeter=PERIMETER, network=network),
        guardrails=GuardrailPolicies(people, "Guardrails", guardrails=guardrails),
    )


def center(name: str, **given: Any) -> StudioUser:
    return StudioUser(name=name, identity_center_user=f"{name}@hospital.example", **given)


def build_teams(app: cdk.App) -> SecureStudioDomain:
    """Two teams in Identity Center mode, each in a stack of its own."""
    studio = build(app)
    below = foundation(studio)
    studio.add_team(
        "oncology",
        foundation=below,
        users=[center("anna"), center("ben", persona=Persona.ML_ENGINEER)],
        reads=["curated"],
        writes=["output", "models"],
        scope=cdk.Stack(app, "Oncology"),
    )
    studio.add_team(
        "cardio",
        foundation=below,
        users=[center("cleo")],
        reads=["features"],
        writes=["output"],
        scope=cdk.Stack(app, "Cardio"),
    )
    return studio


def build_full_teams(app: cdk.App) -> SecureStudioDomain:
    """A team in IAM mode with everything that can be asked for, beside one whose people share a role."""
    studio = build_full(app)
    below = foundation(studio)
    here = cdk.Stack(app, "Oncology")
    team = studio.add_team("oncology", foundation=below, users=["anna", "ben"], reads=["curated"], scope=here)
    team.grant_sign_in(iam.Role.from_role_name(here, "Anna", "sso-anna"), user="anna")
    team.grant_sign_in(iam.Role.from_role_name(here, "Everyone", "sso-oncology"))
    return studio


@cache
def world(make: Callable[[cdk.App], Any]) -> World:
    """The templates that a builder makes."""
    app = new_app()
    make(app)
    return World(synth(app))
