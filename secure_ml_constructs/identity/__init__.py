"""Who may do what: guardrails that all work stays behind, and secrets for those they are meant for."""

from secure_ml_constructs.identity.access_analyzer import AccessAnalyzer, Analysis, ArchiveRule
from secure_ml_constructs.identity.guardrails import (
    GuardrailPolicies,
    OrganizationGuardrails,
    OrganizationPolicies,
    SageMakerGuardrails,
    WorkLimits,
)
from secure_ml_constructs.identity.managed_secret import ManagedSecret, Rotation
from secure_ml_constructs.identity.secret_rotation import SecretRotation

__all__ = [
    "AccessAnalyzer",
    "Analysis",
    "ArchiveRule",
    "GuardrailPolicies",
    "ManagedSecret",
    "OrganizationGuardrails",
    "OrganizationPolicies",
    "Rotation",
    "SageMakerGuardrails",
    "SecretRotation",
    "WorkLimits",
]
