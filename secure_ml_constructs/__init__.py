"""Secure machine-learning environments on AWS: constructs that build them, checks that prove them.

Names are imported on first use, so that `import secure_ml_constructs.verification` loads no CDK.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from secure_ml_constructs.audit import AuditTrail as AuditTrail
    from secure_ml_constructs.audit import LogArchive as LogArchive
    from secure_ml_constructs.detection import AlertRule as AlertRule
    from secure_ml_constructs.detection import Alerts as Alerts
    from secure_ml_constructs.detection import AlertTopic as AlertTopic
    from secure_ml_constructs.enforcement import acknowledge as acknowledge
    from secure_ml_constructs.enforcement import enforce as enforce
    from secure_ml_constructs.environment import EnvironmentConfig as EnvironmentConfig
    from secure_ml_constructs.environment import SecureMlEnvironment as SecureMlEnvironment
    from secure_ml_constructs.environment import load_config as load_config
    from secure_ml_constructs.errors import ConfigurationError as ConfigurationError
    from secure_ml_constructs.identity import AccessAnalyzer as AccessAnalyzer
    from secure_ml_constructs.identity import GuardrailPolicies as GuardrailPolicies
    from secure_ml_constructs.identity import ManagedSecret as ManagedSecret
    from secure_ml_constructs.identity import OrganizationGuardrails as OrganizationGuardrails
    from secure_ml_constructs.identity import OrganizationPolicies as OrganizationPolicies
    from secure_ml_constructs.identity import Persona as Persona
    from secure_ml_constructs.identity import PrivilegedRoles as PrivilegedRoles
    from secure_ml_constructs.identity import RoleFoundation as RoleFoundation
    from secure_ml_constructs.identity import SageMakerGuardrails as SageMakerGuardrails
    from secure_ml_constructs.identity import SecretRotation as SecretRotation
    from secure_ml_constructs.identity import SignIn as SignIn
    from secure_ml_constructs.identity import TeamRoles as TeamRoles
    from secure_ml_constructs.identity import WorkBoundary as WorkBoundary
    from secure_ml_constructs.identity import WorkLimits as WorkLimits
    from secure_ml_constructs.identity import WorkLogs as WorkLogs
    from secure_ml_constructs.keys import EnvironmentKeys as EnvironmentKeys
    from secure_ml_constructs.keys import KeyClass as KeyClass
    from secure_ml_constructs.monitoring import Baseline as Baseline
    from secure_ml_constructs.monitoring import Bias as Bias
    from secure_ml_constructs.monitoring import DataQuality as DataQuality
    from secure_ml_constructs.monitoring import EndpointDashboard as EndpointDashboard
    from secure_ml_constructs.monitoring import EnvironmentDashboard as EnvironmentDashboard
    from secure_ml_constructs.monitoring import Explainability as Explainability
    from secure_ml_constructs.monitoring import Facet as Facet
    from secure_ml_constructs.monitoring import Layout as Layout
    from secure_ml_constructs.monitoring import ModelMonitor as ModelMonitor
    from secure_ml_constructs.monitoring import ModelQuality as ModelQuality
    from secure_ml_constructs.monitoring import ModelSchema as ModelSchema
    from secure_ml_constructs.monitoring import ModelWatch as ModelWatch
    from secure_ml_constructs.monitoring import MonitorImage as MonitorImage
    from secure_ml_constructs.monitoring import OpenMonitor as OpenMonitor
    from secure_ml_constructs.monitoring import Predictions as Predictions
    from secure_ml_constructs.monitoring import Retrain as Retrain
    from secure_ml_constructs.monitoring import RollBack as RollBack
    from secure_ml_constructs.monitoring import Schedule as Schedule
    from secure_ml_constructs.monitoring import ShownEndpoint as ShownEndpoint
    from secure_ml_constructs.monitoring import WatchedEndpoint as WatchedEndpoint
    from secure_ml_constructs.monitoring import WatchPlan as WatchPlan
    from secure_ml_constructs.network import Egress as Egress
    from secure_ml_constructs.network import EndpointProfile as EndpointProfile
    from secure_ml_constructs.network import Endpoints as Endpoints
    from secure_ml_constructs.network import OnPremises as OnPremises
    from secure_ml_constructs.network import SecureVpc as SecureVpc
    from secure_ml_constructs.perimeter import DataPerimeter as DataPerimeter
    from secure_ml_constructs.serving import ApiLogging as ApiLogging
    from secure_ml_constructs.serving import Capacity as Capacity
    from secure_ml_constructs.serving import Capture as Capture
    from secure_ml_constructs.serving import Container as Container
    from secure_ml_constructs.serving import DoorAuth as DoorAuth
    from secure_ml_constructs.serving import DoorDomain as DoorDomain
    from secure_ml_constructs.serving import DoorFirewall as DoorFirewall
    from secure_ml_constructs.serving import DoorLimits as DoorLimits
    from secure_ml_constructs.serving import EndpointLimits as EndpointLimits
    from secure_ml_constructs.serving import FrontDoor as FrontDoor
    from secure_ml_constructs.serving import GuardedEndpoint as GuardedEndpoint
    from secure_ml_constructs.serving import ModelEndpoint as ModelEndpoint
    from secure_ml_constructs.serving import MutualTls as MutualTls
    from secure_ml_constructs.serving import Payloads as Payloads
    from secure_ml_constructs.serving import Rollout as Rollout
    from secure_ml_constructs.serving import ScheduledCapacity as ScheduledCapacity
    from secure_ml_constructs.serving import ServedModel as ServedModel
    from secure_ml_constructs.serving import Serving as Serving
    from secure_ml_constructs.serving import Shadow as Shadow
    from secure_ml_constructs.serving import SpendingBudget as SpendingBudget
    from secure_ml_constructs.serving import SpendingLimit as SpendingLimit
    from secure_ml_constructs.serving import TenantModels as TenantModels
    from secure_ml_constructs.serving import Throttle as Throttle
    from secure_ml_constructs.storage import EncryptedDataLake as EncryptedDataLake
    from secure_ml_constructs.storage import PackageRepository as PackageRepository
    from secure_ml_constructs.storage import PackageSource as PackageSource
    from secure_ml_constructs.storage import Zone as Zone
    from secure_ml_constructs.studio import GitRepository as GitRepository
    from secure_ml_constructs.studio import NotebookMachine as NotebookMachine
    from secure_ml_constructs.studio import SecureNotebook as SecureNotebook
    from secure_ml_constructs.studio import SecureStudioDomain as SecureStudioDomain
    from secure_ml_constructs.studio import StudioApps as StudioApps
    from secure_ml_constructs.studio import StudioAuth as StudioAuth
    from secure_ml_constructs.studio import StudioHome as StudioHome
    from secure_ml_constructs.studio import StudioTeam as StudioTeam
    from secure_ml_constructs.studio import StudioUser as StudioUser

_HOME = {
    "AccessAnalyzer": "identity",
    "AlertRule": "detection",
    "AlertTopic": "detection",
    "Alerts": "detection",
    "ApiLogging": "serving",
    "AuditTrail": "audit",
    "Baseline": "monitoring",
    "Bias": "monitoring",
    "Capacity": "serving",
    "Capture": "serving",
    "ConfigurationError": "errors",
    "Container": "serving",
    "DataPerimeter": "perimeter",
    "DataQuality": "monitoring",
    "DoorAuth": "serving",
    "DoorDomain": "serving",
    "DoorFirewall": "serving",
    "DoorLimits": "serving",
    "Egress": "network",
    "EncryptedDataLake": "storage",
    "EndpointDashboard": "monitoring",
    "EndpointLimits": "serving",
    "EndpointProfile": "network",
    "Endpoints": "network",
    "EnvironmentConfig": "environment",
    "EnvironmentDashboard": "monitoring",
    "EnvironmentKeys": "keys",
    "Explainability": "monitoring",
    "Facet": "monitoring",
    "FrontDoor": "serving",
    "GitRepository": "studio",
    "GuardedEndpoint": "serving",
    "GuardrailPolicies": "identity",
    "KeyClass": "keys",
    "Layout": "monitoring",
    "LogArchive": "audit",
    "ManagedSecret": "identity",
    "ModelEndpoint": "serving",
    "ModelMonitor": "monitoring",
    "ModelQuality": "monitoring",
    "ModelSchema": "monitoring",
    "ModelWatch": "monitoring",
    "MonitorImage": "monitoring",
    "MutualTls": "serving",
    "NotebookMachine": "studio",
    "OnPremises": "network",
    "OpenMonitor": "monitoring",
    "OrganizationGuardrails": "identity",
    "OrganizationPolicies": "identity",
    "PackageRepository": "storage",
    "PackageSource": "storage",
    "Payloads": "serving",
    "Persona": "identity",
    "Predictions": "monitoring",
    "PrivilegedRoles": "identity",
    "Retrain": "monitoring",
    "RoleFoundation": "identity",
    "RollBack": "monitoring",
    "Rollout": "serving",
    "SageMakerGuardrails": "identity",
    "Schedule": "monitoring",
    "ScheduledCapacity": "serving",
    "SecretRotation": "identity",
    "SecureMlEnvironment": "environment",
    "SecureNotebook": "studio",
    "SecureStudioDomain": "studio",
    "SecureVpc": "network",
    "ServedModel": "serving",
    "Serving": "serving",
    "Shadow": "serving",
    "ShownEndpoint": "monitoring",
    "SignIn": "identity",
    "SpendingBudget": "serving",
    "SpendingLimit": "serving",
    "StudioApps": "studio",
    "StudioAuth": "studio",
    "StudioHome": "studio",
    "StudioTeam": "studio",
    "StudioUser": "studio",
    "TeamRoles": "identity",
    "TenantModels": "serving",
    "Throttle": "serving",
    "WatchPlan": "monitoring",
    "WatchedEndpoint": "monitoring",
    "WorkBoundary": "identity",
    "WorkLimits": "identity",
    "WorkLogs": "identity",
    "Zone": "storage",
    "acknowledge": "enforcement",
    "enforce": "enforcement",
    "load_config": "environment",
}

__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
