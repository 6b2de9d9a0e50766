"""What an environment has that is worth protecting, and the requests that would harm it."""

from __future__ import annotations

from collections.abc import Iterator

from secure_ml_constructs.verification.proofs.assets.boundaries import boundary_assets, trusted_assets
from secure_ml_constructs.verification.proofs.assets.buckets import bucket_assets
from secure_ml_constructs.verification.proofs.assets.doors import api_assets
from secure_ml_constructs.verification.proofs.assets.guardrails import guardrail_assets
from secure_ml_constructs.verification.proofs.assets.power import (
    endpoint_assets,
    network_assets,
    role_assets,
)
from secure_ml_constructs.verification.proofs.assets.registry import Registry
from secure_ml_constructs.verification.proofs.assets.resources import resource_assets
from secure_ml_constructs.verification.proofs.assets.rest import rest_assets
from secure_ml_constructs.verification.proofs.assets.work import work_assets
from secure_ml_constructs.verification.proofs.assets.workspaces import workspace_assets
from secure_ml_constructs.verification.proofs.estate import Estate
from secure_ml_constructs.verification.proofs.questions.deeds import Asset
from secure_ml_constructs.verification.proofs.questions.trust import Trust

__all__ = ["Registry", "find_assets"]


def find_assets(estate: Estate, trust: Trust) -> Iterator[Asset]:
    """Find every asset of an estate, in the order in which the matrix lists them."""
    registry = Registry(estate)
    yield from bucket_assets(registry)
    yield from resource_assets(registry)
    yield from api_assets(registry)
    yield from work_assets(registry)
    yield from guardrail_assets(registry, trust)
    yield from workspace_assets(registry)
    yield from role_assets(registry, trust)
    yield from boundary_assets(registry, trust)
    yield from trusted_assets(registry, trust)
    yield from rest_assets(registry, trust)
    yield from network_assets(registry)
    yield from endpoint_assets(registry, trust)
