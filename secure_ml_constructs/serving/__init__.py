"""Models that answer predictions, and the only door to them."""

from secure_ml_constructs.serving.api_logging import ApiLogging
from secure_ml_constructs.serving.door_firewall import DoorFirewall
from secure_ml_constructs.serving.spending import SpendingBudget, SpendingLimit

__all__ = ["ApiLogging", "DoorFirewall", "SpendingBudget", "SpendingLimit"]
