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
from secure_ml_constructs.identity.personas import Persona
from secure_ml_constructs.identity.privileged_roles import PrivilegedRoles
from secure_ml_constructs.identity.role_foundation import RoleFoundation, approving_roles, pipeline_roles
from secure_ml_constructs.identity.secret_rotation import SecretRotation
from secure_ml_constructs.identity.sign_in import SessionTag, SignIn
from secure_ml_constructs.identity.team_roles import TeamRoles
from secure_ml_constructs.identity.work_boundary import WorkBoundary
from secure_ml_constructs.identity.work_logs import WorkLogs

__all__ = [
    "AccessAnalyzer",
    "Analysis",
    "ArchiveRule",
    "GuardrailPolicies",
    "ManagedSecret",
    "OrganizationGuardrails",
    "OrganizationPolicies",
    "Persona",
    "PrivilegedRoles",
    "RoleFoundation",
    "Rotation",
    "SageMakerGuardrails",
    "SecretRotation",
    "SessionTag",
    "SignIn",
    "TeamRoles",
    "WorkBoundary",
    "WorkLimits",
    "WorkLogs",
    "approving_roles",
    "pipeline_roles",
]
