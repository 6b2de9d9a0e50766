"""What a watch is told, and what an engine makes of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from constructs import Construct

from secure_ml_constructs._cdk import is_token
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.identity import RoleFoundation
from secure_ml_constructs.monitoring.baseline import Baseline
from secure_ml_constructs.monitoring.checks import Bias, DataQuality, Explainability, ModelQuality
from secure_ml_constructs.monitoring.schedule import Schedule
from secure_ml_constructs.monitoring.schema import ModelSchema, columns_of

__all__ = ["Built", "Engine", "WatchPlan", "WatchedEndpoint"]


@dataclass(frozen=True, kw_only=True)
class WatchedEndpoint:
    """What a watch has to know of an endpoint; `GuardedEndpoint.watch` fills it in.

    Args:
        name: The endpoint's name.
        variant: The variant whose captures are read.
        zone: The lake's zone that captures are written to.
        captures: Where within the zone, with a slash at its end; names of endpoint and variant follow.
        captured_percent: How many of the requests are captured, 0 (none) to 100.
        json_schema: The JSON schema of a request, where the door has one.
        tenants: Whose models it holds, where it holds those of several.
    """

    name: str
    variant: str
    zone: str = "output"
    captures: str = "captures/"
    captured_percent: int = 100
    json_schema: Mapping[str, Any] | None = None
    tenants: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class WatchPlan:
    """All that an engine is told.

    Args:
        endpoint: What is watched.
        foundation: What the environment's roles share; with it lake, keys and network.
        schema: What the model is asked and says.
        baseline: What it is compared with.
        schedule: When.
        data_quality: How much requests and predictions may change.
        model_quality: Whether predictions are right, where the truth is known.
        bias: Which groups are compared.
        explainability: Which attributions are.
    """

    endpoint: WatchedEndpoint
    foundation: RoleFoundation
    schema: ModelSchema
    baseline: Baseline
    schedule: Schedule
    data_quality: DataQuality = field(default_factory=DataQuality)
    model_quality: ModelQuality | None = None
    bias: Bias | None = None
    explainability: Explainability | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a request, as far as anything says them."""
        declared = tuple(self.schema.request.columns) or tuple(self.baseline.columns)
        return declared or self.door_columns or ()

    @property
    def door_columns(self) -> tuple[str, ...] | None:
        """The fields of a record by the door's JSON schema."""
        schema = self.endpoint.json_schema
        return columns_of(schema, self.schema.request) if schema else None

    @property
    def captures(self) -> str:
        """Where the variant's captures lie within their zone, with a slash at its end."""
        return f"{self.endpoint.captures}{self.endpoint.name}/{self.endpoint.variant}/"

    @property
    def results(self) -> str:
        """Where statistics and reports go, within the zone of the captures, with a slash at its end."""
        return f"monitoring/{self.endpoint.name}/"

    @property
    def job_prefix(self) -> str:
        """What the names of its jobs begin with: no other watch's do."""
        name = self.endpoint.name
        return f"{name[:28].strip('-')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"

    def check(self, problems: Problems) -> None:
        """Record what contradicts itself, the lake or the endpoint."""
        self._check_places(problems)
        self._check_columns(problems)
        if is_token(self.endpoint.name):
            problems.add(
                "endpoint.name",
                self.endpoint.name,
                "Jobs are named after it, and their settings hold it.",
                "Give the endpoint a name that is known when the app is synthesized.",
            )
        if self.endpoint.captured_percent < 1:
            problems.add(
                "endpoint.captured_percent",
                self.endpoint.captured_percent,
                "Without captures there is nothing to look at.",
                "Capture requests and answers.",
            )
        if self.endpoint.tenants:
            problems.add(
                "endpoint.tenants",
                self.endpoint.tenants,
                "Captures of an endpoint are not parted by tenant: a change of the one would be told of all.",
                "Give each tenant whose model is watched an endpoint of its own.",
            )

    def _check_places(self, problems: Problems) -> None:
        zones = self.foundation.lake.zones
        known = f"Write one of {', '.join(zones)}."
        for argument, zone in (("baseline.zone", self.baseline.zone), ("endpoint.zone", self.endpoint.zone)):
            if zone not in zones:
                problems.add(argument, zone, "The lake has no such zone.", known)
        if self.model_quality is None:
            return
        truth = self.model_quality.ground_truth
        others = [
            zone for name, zone in zones.items() if name != self.endpoint.zone and truth.startswith(zone.path)
        ]
        if others:
            problems.add(
                "model_quality.ground_truth",
                truth,
                f"It names the zone {others[0].name!r}: the truth lies in the zone of the captures.",
                f"Write a folder within {self.endpoint.zone!r}, for instance 'labels/risk/'.",
            )
        if truth.startswith((self.endpoint.captures, "monitoring/")):
            problems.add(
                "model_quality.ground_truth",
                truth,
                "Captures or results lie there.",
                "Write a folder of its own, 'labels/risk/'.",
            )
        if not self.baseline.label:
            problems.add(
                "model_quality",
                truth,
                "The baseline has no column with the truth: nothing says how good the model was.",
                "Name it: Baseline.of_dataset(..., label=...).",
            )

    def _check_columns(self, problems: Problems) -> None:
        door = self.door_columns
        for argument, declared in (
            ("baseline.columns", self.baseline.columns),
            ("schema.request.columns", self.schema.request.columns),
        ):
            if door and declared and set(declared) != set(door):
                odd = sorted(set(declared) ^ set(door))
                problems.add(
                    argument,
                    tuple(declared),
                    f"The door's schema says otherwise of {', '.join(odd)}.",
                    f"Write {', '.join(door)}, or say where the records are (Layout).",
                )
        asked, held = self.schema.request.columns, self.baseline.columns
        if asked and held and set(asked) != set(held):
            reason = f"The schema says otherwise of {', '.join(sorted(set(asked) ^ set(held)))}."
            problems.add("baseline.columns", tuple(held), reason, "Let both name the same columns.")
        columns = self.columns
        wanted = [(f"bias.facets[{n}]", facet.column) for n, facet in enumerate(_facets(self.bias))]
        if self.explainability:
            wanted += [("explainability.attributions", name) for name in self.explainability.attributions]
        for argument, column in wanted:
            if columns and column not in columns:
                fix = f"Write one of {', '.join(columns)}."
                problems.add(argument, column, "The schema has no such column.", fix)
            elif column in self.schema.ignore:
                problems.add(argument, column, "The schema ignores this column.", "Watch it.")


def _facets(bias: Bias | None) -> tuple[Any, ...]:
    return tuple(bias.facets) if bias else ()


@dataclass(frozen=True, kw_only=True)
class Built:
    """What an engine made.

    Args:
        job_role_arn: The role of its jobs.
        results_uri: Where reports lie (`s3://…`), with a slash at its end.
    """

    job_role_arn: str
    results_uri: str


class Engine(Protocol):
    """What looks at a model: it makes whatever runs, and gives the metrics of `metrics`."""

    def check(self, problems: Problems, plan: WatchPlan) -> None:
        """Record what it can't do.

        Args:
            problems: Where to record.
            plan: What it is told.
        """

    def build(self, scope: Construct, plan: WatchPlan) -> Built:
        """Make what runs.

        Args:
            scope: The parent construct.
            plan: What it is told, checked.
        """
