"""What a secure ML environment must hold: ids that constructs ensure, rules guard and the report lists."""

from secure_ml_constructs.controls.catalogue import CONTROLS, Control, Evidence
from secure_ml_constructs.controls.threats import THREATS, Threat

__all__ = ["CONTROLS", "THREATS", "Control", "Evidence", "Threat"]
