"""Who may do what: guardrails that all work stays behind."""

from secure_ml_constructs.identity.guardrails import GuardrailPolicies, SageMakerGuardrails, WorkLimits

__all__ = ["GuardrailPolicies", "SageMakerGuardrails", "WorkLimits"]
