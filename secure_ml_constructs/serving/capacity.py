"""How many instances serve, and how a new model takes the place of an old one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from aws_cdk import aws_sagemaker as sagemaker

from secure_ml_constructs.errors import Problems
from secure_ml_constructs.identity.guardrails.limits import check_instance_type

__all__ = ["Capacity", "Rollout", "ScheduledCapacity"]

_CRON = re.compile(r"(cron|at|rate)\(.+\)")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
# CreateEndpoint, BlueGreenUpdatePolicy: what the old instances are kept for when all traffic has moved, and
# eight hours at the most for the whole.
_TERMINATION_SECONDS = 300
_LONGEST_ROLLOUT_SECONDS = 28_800
_Endpoint = sagemaker.CfnEndpoint
# The rule SageMakerScalableTargetBounded.
_MOST_INSTANCES = 100


@dataclass(frozen=True, kw_only=True)
class ScheduledCapacity:
    """Bounds of the number of instances from some time on.

    Args:
        name: What to call it, for instance `weekday-mornings`.
        when: `cron(0 7 ? * MON-FRI *)`, `at(2026-12-24T18:00:00)` or `rate(…)`, as Application Auto Scaling
            reads it.
        minimum: Instances at the least, 1 or more.
        maximum: Instances at the most.
        time_zone: An IANA name. Default: `UTC`.
    """

    name: str
    when: str
    minimum: int
    maximum: int
    time_zone: str = "UTC"


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """Instances behind an endpoint, within bounds.

    Ensures:
        G8: two instances, in two zones, and more as requests come in.
        G12: a flood of requests is paid for up to the upper bound.

    Args:
        instance_type: An instance type of SageMaker hosting. Default: `ml.m5.large`.
        minimum: Instances at the least, 1 to `maximum`. Default: 2; with one, its failure is the endpoint's.
        maximum: Instances at the most, up to 100. Default: 4.
        invocations_per_instance: Invocations a minute at which another instance is added. Default: 600.
        schedule: Other bounds from some time on. Default: none.

    Raises:
        ConfigurationError: Bounds that are none, a type that SageMaker does not have, serverless.

    Example:
        >>> capacity = Capacity(
        ...     instance_type="ml.c5.xlarge",
        ...     maximum=10,
        ...     schedule=(
        ...         ScheduledCapacity(name="mornings", when="cron(0 7 ? * MON-FRI *)", minimum=4, maximum=10),
        ...         ScheduledCapacity(name="evenings", when="cron(0 19 ? * MON-FRI *)", minimum=2, maximum=4),
        ...     ),
        ... )
    """

    instance_type: str = "ml.m5.large"
    minimum: int = 2
    maximum: int = 4
    invocations_per_instance: int = 600
    schedule: Sequence[ScheduledCapacity] = ()

    def __post_init__(self) -> None:
        problems = Problems()
        if "serverless" in self.instance_type.lower():
            problems.add(
                "instance_type",
                self.instance_type,
                "Serverless inference has neither a VPC, nor network isolation, nor data capture.",
                "Name an instance type, for instance 'ml.m5.large'.",
            )
        else:
            check_instance_type(problems, "instance_type", self.instance_type)
            if self.instance_type.endswith("*"):
                problems.add("instance_type", self.instance_type, "A family.", "Name one type.")
        _check_bounds(problems, "", self.minimum, self.maximum)
        if self.invocations_per_instance < 1:
            problems.add(
                "invocations_per_instance",
                self.invocations_per_instance,
                "Less than one a minute.",
                "Write 1 or more.",
            )
        names = [each.name for each in self.schedule]
        for index, each in enumerate(self.schedule):
            where = f"schedule[{index}]."
            _check_bounds(problems, where, each.minimum, each.maximum)
            if not _NAME.fullmatch(each.name):
                problems.add(
                    f"{where}name",
                    each.name,
                    "This is no name.",
                    "Write up to 64 letters, digits and hyphens.",
                )
            elif each.name in names[:index]:
                problems.add(f"{where}name", each.name, "There is one of this name.", "Give it another.")
            if not _CRON.fullmatch(each.when):
                problems.add(
                    f"{where}when", each.when, "This is no time.", "Write 'cron(0 7 ? * MON-FRI *)'."
                )
        problems.raise_if_any("Capacity")


def _check_bounds(problems: Problems, where: str, minimum: int, maximum: int) -> None:
    if minimum < 1:
        problems.add(
            f"{where}minimum",
            minimum,
            "An endpoint on instances has one at the least.",
            "Write 1, or better 2.",
        )
    if not minimum <= maximum <= _MOST_INSTANCES:
        problems.add(
            f"{where}maximum",
            maximum,
            f"Not between the least, {minimum}, and {_MOST_INSTANCES}.",
            "Write the most instances that you would pay for.",
        )


class _Shift(StrEnum):
    CANARY = "CANARY"
    LINEAR = "LINEAR"
    ALL_AT_ONCE = "ALL_AT_ONCE"


@dataclass(frozen=True)
class Rollout:
    """How traffic moves to a new model; alarms take it back.

    Made by `canary`, `linear` or `all_at_once`.

    Ensures:
        G8: a model that answers badly is rolled back by the endpoint's alarms.

    Example:
        >>> rollout = Rollout.canary(percent=10, bake_minutes=15)
    """

    shift: _Shift
    percent: int = 100
    wait_minutes: int = 10

    @classmethod
    def canary(cls, *, percent: int = 10, bake_minutes: int = 10) -> Rollout:
        """Move a part of the traffic, wait, and then move the rest.

        Args:
            percent: The part of the instances that goes first, 1 to 50.
            bake_minutes: Minutes during which alarms take it back, 1 to 60.

        Raises:
            ConfigurationError: Out of range.
        """
        return cls._made(_Shift.CANARY, ("percent", percent, 1), ("bake_minutes", bake_minutes))

    @classmethod
    def linear(cls, *, step_percent: int = 25, wait_minutes: int = 5) -> Rollout:
        """Move the traffic in equal steps.

        Args:
            step_percent: The part of the instances in a step, 10 to 50.
            wait_minutes: Minutes after each step during which alarms take it back, 1 to 60.

        Raises:
            ConfigurationError: Out of range.
        """
        return cls._made(_Shift.LINEAR, ("step_percent", step_percent, 10), ("wait_minutes", wait_minutes))

    @classmethod
    def all_at_once(cls, *, bake_minutes: int = 10) -> Rollout:
        """Move all traffic at once, and keep the old instances while it is watched.

        Args:
            bake_minutes: Minutes during which alarms take it back, 1 to 60.

        Raises:
            ConfigurationError: Out of range.
        """
        return cls._made(_Shift.ALL_AT_ONCE, ("percent", 100, 100), ("bake_minutes", bake_minutes))

    @classmethod
    def _made(cls, shift: _Shift, part: tuple[str, int, int], wait: tuple[str, int]) -> Rollout:
        # CreateEndpoint, TrafficRoutingConfig: CanarySize up to 50 percent, LinearStepSize 10 to 50 percent.
        problems = Problems()
        name, percent, least = part
        if not least <= percent <= (100 if shift is _Shift.ALL_AT_ONCE else 50):
            problems.add(name, percent, f"SageMaker takes {least} to 50 percent.", "Write less, or more.")
        if not 1 <= wait[1] <= 60:
            problems.add(wait[0], wait[1], "SageMaker waits 1 to 60 minutes.", "Write 1 to 60.")
        problems.raise_if_any(f"Rollout.{shift.lower()}")
        return cls(shift, percent, wait[1])

    def policy(self) -> sagemaker.CfnEndpoint.BlueGreenUpdatePolicyProperty:
        """Give it as SageMaker reads it."""
        part = _Endpoint.CapacitySizeProperty(type="CAPACITY_PERCENT", value=self.percent)
        return _Endpoint.BlueGreenUpdatePolicyProperty(
            traffic_routing_configuration=_Endpoint.TrafficRoutingConfigProperty(
                type=self.shift.value,
                wait_interval_in_seconds=self.wait_minutes * 60,
                canary_size=part if self.shift is _Shift.CANARY else None,
                linear_step_size=part if self.shift is _Shift.LINEAR else None,
            ),
            termination_wait_in_seconds=_TERMINATION_SECONDS,
            maximum_execution_timeout_in_seconds=_LONGEST_ROLLOUT_SECONDS,
        )

    def check(self, problems: Problems, argument: str, capacity: Capacity) -> None:
        """Record where the instances are too few to be moved in parts.

        Args:
            problems: Where to record.
            argument: What to call it.
            capacity: The instances.
        """
        if self.shift is not _Shift.ALL_AT_ONCE and capacity.minimum < 2:
            problems.add(
                argument,
                f"{self.percent} percent of {capacity.minimum} instance",
                "The part that goes first would be larger than half of the capacity.",
                "Write Capacity(minimum=2) or more, or Rollout.all_at_once().",
            )


def default_rollout(capacity: Capacity) -> Rollout:
    """Give the rollout where none is named: a tenth first, or all where there is one instance.

    Args:
        capacity: The instances.
    """
    return Rollout.canary() if capacity.minimum > 1 else Rollout.all_at_once()
