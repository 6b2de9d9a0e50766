"""What is made of requests beside their answers, and whether an endpoint can be made of what it is given."""

from __future__ import annotations

from dataclasses import dataclass

from secure_ml_constructs.errors import Problems
from secure_ml_constructs.identity import RoleFoundation
from secure_ml_constructs.network.ecr_image import trusted_accounts
from secure_ml_constructs.serving.capacity import Capacity, Rollout
from secure_ml_constructs.serving.served_model import ServedModel
from secure_ml_constructs.serving.tenants import TenantModels

__all__ = ["Capture", "Shadow"]


@dataclass(frozen=True, kw_only=True)
class Capture:
    """What of the requests and answers is kept, for those who watch the model.

    Args:
        zone: The lake's zone that it is written to, below `captures/`. Default: `output`.
        percent: How much of it, 1 to 100. Default: 100.
    """

    zone: str = "output"
    percent: int = 100


@dataclass(frozen=True, kw_only=True)
class Shadow:
    """A second model that gets copies of requests; its answers are captured, and nobody is given them.

    Ensures:
        G9: a new model, or a detector, can be tried on real requests.

    Args:
        model: The model.
        instances: On how many instances, 1 or more. Default: 1.
        percent: Of how many requests it gets a copy, 1 to 100. Default: 100.
    """

    model: ServedModel
    instances: int = 1
    percent: int = 100


def check_endpoint(
    problems: Problems,
    foundation: RoleFoundation,
    model: ServedModel | TenantModels,
    capacity: Capacity,
    rollout: Rollout,
    capture: Capture,
    shadow: Shadow | None,
    models_zone: str,
    fallback: ServedModel | None = None,
) -> None:
    """Record what an endpoint can't be made of.

    Args:
        problems: Where to record.
        foundation: What the environment's roles share.
        model: What it serves.
        capacity: On how many instances.
        rollout: How a new model takes over.
        capture: What is kept of requests and answers.
        shadow: A second model beside the first.
        models_zone: The zone of the lake that models lie in.
        fallback: The last good model.
    """
    accounts = trusted_accounts(foundation, foundation.perimeter)
    zones = foundation.lake.zones
    for argument, zone in (("models_zone", models_zone), ("capture.zone", capture.zone)):
        if zone not in zones:
            problems.add(argument, zone, "The lake has no such zone.", f"Write one of {', '.join(zones)}.")
    if not 1 <= capture.percent <= 100:
        problems.add("capture.percent", capture.percent, "No part of a whole.", "Write 1 to 100.")
    model.check(problems, "model", accounts)
    if not isinstance(model, TenantModels):
        rollout.check(problems, "rollout", capacity)
    if fallback is not None:
        fallback.check(problems, "fallback", accounts)
        if isinstance(model, TenantModels):
            reason = "Each tenant's component has its own model; no configuration brings one of them back."
            problems.add("fallback", "a model beside tenants", reason, "Leave it out.")
    if shadow is None:
        return
    shadow.model.check(problems, "shadow.model", accounts)
    if isinstance(model, TenantModels) or len(model.containers) > 1 or len(shadow.model.containers) > 1:
        problems.add(
            "shadow",
            "a shadow variant",
            "SageMaker gives copies of requests to models of one container only.",
            "Leave it out, or serve one container.",
        )
    if not shadow.instances >= 1 or not 1 <= shadow.percent <= 100:
        given = f"{shadow.instances} instances, {shadow.percent} percent"
        problems.add("shadow", given, "No part of a whole.", "Write 1 or more instances, 1 to 100 percent.")
