"""Models watched: drift, quality, bias, and an alarm that reaches someone."""

from secure_ml_constructs.monitoring.dashboard import EndpointDashboard, EnvironmentDashboard
from secure_ml_constructs.monitoring.shown import ShownEndpoint

__all__ = ["EndpointDashboard", "EnvironmentDashboard", "ShownEndpoint"]
