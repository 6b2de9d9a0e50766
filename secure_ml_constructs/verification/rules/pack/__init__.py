"""The rules, by service."""

from __future__ import annotations

from functools import cache

from secure_ml_constructs.verification.rules.rule import Rule


@cache
def pack() -> tuple[Rule, ...]:
    """Every rule, those that are off by default included."""
    from secure_ml_constructs.verification.rules.pack import (
        audit,
        bedrock,
        deployment,
        documents,
        doors,
        evidence,
        identity,
        limits,
        network,
        sagemaker_endpoints,
        sagemaker_jobs,
        sagemaker_models,
        sagemaker_monitoring,
        sagemaker_workspace,
        services,
        storage,
    )

    return (
        *sagemaker_workspace.RULES,
        *sagemaker_models.RULES,
        *sagemaker_endpoints.RULES,
        *sagemaker_monitoring.RULES,
        *sagemaker_jobs.RULES,
        *documents.RULES,
        *bedrock.RULES,
        *storage.RULES,
        *network.RULES,
        *identity.RULES,
        *doors.RULES,
        *services.RULES,
        *audit.RULES,
        *evidence.RULES,
        *limits.RULES,
        *deployment.RULES,
    )
