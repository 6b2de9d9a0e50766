"""What tests of watches are about: an endpoint by its names, and a plan for it."""

from __future__ import annotations

from typing import Any

from secure_ml_constructs.identity import RoleFoundation
from secure_ml_constructs.monitoring.baseline import Baseline
from secure_ml_constructs.monitoring.plan import WatchedEndpoint, WatchPlan
from secure_ml_constructs.monitoring.schedule import Schedule
from secure_ml_constructs.monitoring.schema import Layout, ModelSchema

COLUMNS = ("age", "dose", "sex")
ENDPOINT = WatchedEndpoint(name="serving-risk-c8a1b2c3d4", variant="main")
SCHEMA = ModelSchema.binary(
    probability="risk", classes=("well", "ill"), request=Layout(columns=COLUMNS), categorical=("sex",)
)
BASELINE = Baseline.of_dataset(zone="curated", path="risk/2026-11/baseline.csv", label="outcome")
JSON_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "instances": {
            "type": "array",
            "items": {"type": "object", "properties": {name: {"type": "number"} for name in COLUMNS}},
        }
    },
}


def plan(foundation: RoleFoundation, **more: Any) -> WatchPlan:
    told: dict[str, Any] = {
        "endpoint": ENDPOINT,
        "schema": SCHEMA,
        "baseline": BASELINE,
        "schedule": Schedule.daily(),
    }
    return WatchPlan(foundation=foundation, **{**told, **more})
