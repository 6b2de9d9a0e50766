"""The rules, by service."""

from __future__ import annotations

from functools import cache

from secure_ml_constructs.verification.rules.rule import Rule


@cache
def pack() -> tuple[Rule, ...]:
    """Every rule, those that are off by default included."""
    from secure_ml_constructs.verification.rules.pack import (
        alerts,
        audit,
        bedrock,
        buckets,
        builds,
        callers,
        compute,
        conditions,
        deployment,
        documents,
        doors,
        egress,
        evidence,
        firewalls,
        identity,
        limits,
        network,
        perimeters,
        roles,
        sagemaker_endpoints,
        sagemaker_jobs,
        sagemaker_models,
        sagemaker_monitoring,
        sagemaker_notebooks,
        sagemaker_rollouts,
        sagemaker_workspace,
        segments,
        services,
        storage,
        trail_coverage,
        workflows,
    )

    return (
        *sagemaker_workspace.RULES,
        *sagemaker_notebooks.RULES,
        *sagemaker_models.RULES,
        *sagemaker_endpoints.RULES,
        *sagemaker_rollouts.RULES,
        *sagemaker_monitoring.RULES,
        *sagemaker_jobs.RULES,
        *documents.RULES,
        *bedrock.RULES,
        *storage.RULES,
        *buckets.RULES,
        *network.RULES,
        *identity.RULES,
        *roles.RULES,
        *doors.RULES,
        *callers.RULES,
        *firewalls.RULES,
        *egress.RULES,
        *services.RULES,
        *compute.RULES,
        *builds.RULES,
        *workflows.RULES,
        *audit.RULES,
        *evidence.RULES,
        *alerts.RULES,
        *limits.RULES,
        *trail_coverage.RULES,
        *conditions.RULES,
        *segments.RULES,
        *perimeters.RULES,
        *deployment.RULES,
    )
