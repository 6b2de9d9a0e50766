"""What nobody can do whatever their own policies say."""

from secure_ml_constructs.identity.guardrails.guardrail_policies import GuardrailPolicies
from secure_ml_constructs.identity.guardrails.limits import WorkLimits
from secure_ml_constructs.identity.guardrails.organization import (
    OrganizationGuardrails,
    OrganizationPolicy,
    PolicyType,
)
from secure_ml_constructs.identity.guardrails.organization_policies import OrganizationPolicies
from secure_ml_constructs.identity.guardrails.sagemaker import SageMakerGuardrails

__all__ = [
    "GuardrailPolicies",
    "OrganizationGuardrails",
    "OrganizationPolicies",
    "OrganizationPolicy",
    "PolicyType",
    "SageMakerGuardrails",
    "WorkLimits",
]
