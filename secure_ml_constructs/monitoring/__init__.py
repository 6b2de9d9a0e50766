"""Models watched: drift, quality, bias, and an alarm that reaches someone."""

from secure_ml_constructs.monitoring.baseline import Baseline
from secure_ml_constructs.monitoring.checks import (
    Bias,
    DataQuality,
    Explainability,
    Facet,
    ModelQuality,
    Predictions,
)
from secure_ml_constructs.monitoring.dashboard import EndpointDashboard, EnvironmentDashboard
from secure_ml_constructs.monitoring.image import MonitorImage
from secure_ml_constructs.monitoring.model_monitor import ModelMonitor
from secure_ml_constructs.monitoring.model_watch import ModelWatch
from secure_ml_constructs.monitoring.open_monitor import OpenMonitor
from secure_ml_constructs.monitoring.plan import WatchedEndpoint, WatchPlan
from secure_ml_constructs.monitoring.responses import Retrain, RollBack
from secure_ml_constructs.monitoring.schedule import Schedule
from secure_ml_constructs.monitoring.schema import Layout, ModelSchema
from secure_ml_constructs.monitoring.shown import ShownEndpoint

__all__ = [
    "Baseline",
    "Bias",
    "DataQuality",
    "EndpointDashboard",
    "EnvironmentDashboard",
    "Explainability",
    "Facet",
    "Layout",
    "ModelMonitor",
    "ModelQuality",
    "ModelSchema",
    "ModelWatch",
    "MonitorImage",
    "OpenMonitor",
    "Predictions",
    "Retrain",
    "RollBack",
    "Schedule",
    "ShownEndpoint",
    "WatchPlan",
    "WatchedEndpoint",
]
