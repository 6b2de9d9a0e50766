"""Which apps Studio offers, on which machines and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from secure_ml_constructs.errors import Problems
from secure_ml_constructs.studio.instance_types import APPS, check_type, check_types, chosen, known

# AWS CloudFormation: AWS::SageMaker::Domain StudioWebPortalSettings, HiddenAppTypes.
_APP_TYPES = (
    *("JupyterServer", "JupyterLab", "CodeEditor", "RStudioServerPro", "Canvas", "TensorBoard"),
    "DetailedProfiler",
)
# What the guardrails leave to nobody, or what brings its own network: partners' apps, clusters, and what runs
# in Canvas.
HIDDEN_TOOLS = (
    *("AutoMl", "Comet", "DataWrangler", "DeepchecksLLMEvaluation", "EmrClusters", "Fiddler"),
    *("HyperPodClusters", "LakeraGuard", "Projects"),
)
# IdleSettings: 60 minutes or more; EbsStorageSettings: 5 to 16,384 GB.
SHORTEST_IDLE_MINUTES = 60
_SMALLEST, _LARGEST = 5, 16_384
_WEEK = 7 * 24 * 60


class StudioApp(StrEnum):
    """An app that people work in."""

    JUPYTER_LAB = "JupyterLab"
    CODE_EDITOR = "CodeEditor"


@dataclass(frozen=True, kw_only=True)
class StudioApps:
    """The apps of a Studio domain, and their bounds.

    Ensures:
        S3: idle apps shut down; instance types limited; every other kind of app hidden and not granted.
        G12: volumes and machines within bounds.

    Args:
        types: The apps. Each person gets a space for each. Default: JupyterLab.
        instance_types: Types (`ml.t3.medium`) or families (`ml.t3.*`) that apps may run on. Default: general
            types of up to 8 vCPUs, and single-GPU types.
        default_instance_type: What an app starts on. Default: `ml.t3.medium`.
        idle_minutes: Minutes without use until an app is shut down, 60 to 10,080 (a week). Default: 60.
        longest_idle_minutes: The most that a person may choose instead. Default: 480.
        volume_gb: The size of a space's volume in GB, 5 to 16,384. Default: 20.
        largest_volume_gb: The most that a person may choose instead. Default: 100.
        profiles_quota: How many user profiles the account may have, which is what Service Quotas says of
            L-AC46C40F, "Maximum number of Studio user profiles allowed per account". Default: 60.

    Raises:
        ConfigurationError: No app or one named twice, a type that Studio does not have, a default that is
            not among them, bounds out of range.

    Example:
        >>> StudioApps(instance_types=("ml.t3.*", "ml.g5.xlarge"), idle_minutes=120).idle_minutes
        120
    """

    types: Sequence[StudioApp] = (StudioApp.JUPYTER_LAB,)
    instance_types: Sequence[str] = (
        *("ml.t3.medium", "ml.t3.large", "ml.t3.xlarge", "ml.m5.large", "ml.m5.xlarge", "ml.m5.2xlarge"),
        *("ml.g4dn.xlarge", "ml.g5.xlarge"),
    )
    default_instance_type: str = "ml.t3.medium"
    idle_minutes: int = 60
    longest_idle_minutes: int = 480
    volume_gb: int = 20
    largest_volume_gb: int = 100
    profiles_quota: int = 60

    def __post_init__(self) -> None:
        problems = Problems()
        if not self.types or len(set(self.types)) < len(self.types):
            problems.add(
                "types", self.types, "No app, or one named twice.", "Write (StudioApp.JUPYTER_LAB,)."
            )
        check_types(problems, "instance_types", APPS, self.instance_types)
        if not problems:
            check_type(problems, "default_instance_type", APPS, self.default_instance_type)
            if self.default_instance_type not in self.allowed_types:
                problems.add(
                    "default_instance_type",
                    self.default_instance_type,
                    "It is not among instance_types.",
                    "Add it there, or write one of them.",
                )
        _check_bounds(
            problems,
            ("idle_minutes", self.idle_minutes),
            ("longest_idle_minutes", self.longest_idle_minutes),
            (SHORTEST_IDLE_MINUTES, _WEEK),
            "Studio counts from an hour; what stays on for more than a week is not idle but forgotten.",
        )
        _check_bounds(
            problems,
            ("volume_gb", self.volume_gb),
            ("largest_volume_gb", self.largest_volume_gb),
            (_SMALLEST, _LARGEST),
            "A space's volume has 5 to 16,384 GB.",
        )
        if self.profiles_quota < 1:
            problems.add(
                "profiles_quota", self.profiles_quota, "Nobody could work.", "Write the quota's value."
            )
        problems.raise_if_any("StudioApps")

    @property
    def allowed_types(self) -> tuple[str, ...]:
        """Every instance type that apps may run on, by its whole name."""
        return chosen(APPS, self.instance_types)

    @property
    def hidden_types(self) -> list[str]:
        """Every other instance type that Studio knows."""
        allowed = self.allowed_types
        return [each for each in known(APPS) if each not in allowed]

    @property
    def hidden_apps(self) -> list[str]:
        """Every other kind of app."""
        return [each for each in _APP_TYPES if each not in self.types]


def _check_bounds(
    problems: Problems,
    given: tuple[str, int],
    most: tuple[str, int],
    bounds: tuple[int, int],
    reason: str,
) -> None:
    for argument, value in (given, most):
        if not bounds[0] <= value <= bounds[1]:
            problems.add(argument, value, reason, f"Write {bounds[0]} to {bounds[1]}.")
    if given[1] > most[1]:
        problems.add(most[0], most[1], f"It is less than {given[0]}.", f"Write {given[1]} or more.")
