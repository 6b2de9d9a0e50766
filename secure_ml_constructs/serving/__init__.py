"""Models that answer predictions, and the only door to them."""

from secure_ml_constructs.serving.api_logging import ApiLogging
from secure_ml_constructs.serving.capacity import Capacity, Rollout, ScheduledCapacity
from secure_ml_constructs.serving.copies import Capture, Shadow
from secure_ml_constructs.serving.door_alarms import DoorLimits
from secure_ml_constructs.serving.door_auth import DoorAuth
from secure_ml_constructs.serving.door_domain import DoorDomain, MutualTls
from secure_ml_constructs.serving.door_firewall import DoorFirewall
from secure_ml_constructs.serving.endpoint_alarms import EndpointLimits
from secure_ml_constructs.serving.front_door import FrontDoor, Payloads
from secure_ml_constructs.serving.guarded_endpoint import GuardedEndpoint, Serving
from secure_ml_constructs.serving.model_endpoint import ModelEndpoint
from secure_ml_constructs.serving.served_model import Container, ServedModel
from secure_ml_constructs.serving.spending import SpendingBudget, SpendingLimit
from secure_ml_constructs.serving.tenants import TenantModels
from secure_ml_constructs.serving.throttle import Throttle

__all__ = [
    "ApiLogging",
    "Capacity",
    "Capture",
    "Container",
    "DoorAuth",
    "DoorDomain",
    "DoorFirewall",
    "DoorLimits",
    "EndpointLimits",
    "FrontDoor",
    "GuardedEndpoint",
    "ModelEndpoint",
    "MutualTls",
    "Payloads",
    "Rollout",
    "ScheduledCapacity",
    "ServedModel",
    "Serving",
    "Shadow",
    "SpendingBudget",
    "SpendingLimit",
    "TenantModels",
    "Throttle",
]
