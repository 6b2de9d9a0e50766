"""What watches the environment, and whom it tells."""

from secure_ml_constructs.detection.alarms import Alarms, Alerts, Severity
from secure_ml_constructs.detection.alert_rule import AlertRule
from secure_ml_constructs.detection.alert_topic import AlertTopic

__all__ = ["Alarms", "AlertRule", "AlertTopic", "Alerts", "Severity"]
