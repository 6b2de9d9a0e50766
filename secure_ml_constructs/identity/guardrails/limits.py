"""How large, how long and on which disks SageMaker may work."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from secure_ml_constructs.errors import Problems
from secure_ml_constructs.verification.rules.instances import local_storage

# What a job may take where its request does not say: CreateTrainingJob, StoppingCondition.
DEFAULT_RUN_TIME_SECONDS = 86_400
_LONGEST_RUN_TIME_SECONDS = 2_419_200  # StoppingCondition: 28 days
_TYPE = re.compile(r"ml\.([a-z0-9-]+)\.([a-z0-9-]+|\*)")
_FILE_SYSTEM = re.compile(r"fs-[0-9a-f]{8,40}")
_MOST_TYPES = 100
# What Studio's own small apps run on; they have no instance.
_SYSTEM = "system"


@cache
def _families() -> dict[str, list[str]]:
    text = resources.files(__package__).joinpath("instance_types.json").read_text(encoding="ascii")
    found: dict[str, list[str]] = json.loads(text)
    return found


@dataclass(frozen=True, kw_only=True)
class WorkLimits:
    """How large and how long SageMaker work may be, and which file systems it may mount.

    Ensures:
        I2: instance types and run time within bounds.
        G12: nobody starts the largest machines for days.

    Args:
        instance_types: Types (`ml.m5.xlarge`), or whole families (`ml.m5.*`). Default: general, compute and
            single-GPU types of up to 16 vCPUs.
        run_time_seconds: The longest that one job may run, 60 to 2,419,200 (28 days). Default: 86,400.
        file_systems: Ids of EFS or FSx file systems that jobs may mount (`fs-…`). Default: none.

    Raises:
        ConfigurationError: A type that SageMaker does not have, a run time out of range, an id that is none.

    Example:
        >>> limits = WorkLimits(instance_types=("ml.m5.*", "ml.g5.xlarge"), run_time_seconds=6 * 3600)
    """

    instance_types: Sequence[str] = (
        *("ml.t3.*", "ml.m5.large", "ml.m5.xlarge", "ml.m5.2xlarge", "ml.m5.4xlarge"),
        *("ml.c5.large", "ml.c5.xlarge", "ml.c5.2xlarge", "ml.c5.4xlarge"),
        *("ml.g4dn.xlarge", "ml.g5.xlarge", "ml.g5.2xlarge"),
    )
    run_time_seconds: int = DEFAULT_RUN_TIME_SECONDS
    file_systems: Sequence[str] = ()

    def __post_init__(self) -> None:
        problems = Problems()
        if isinstance(self.instance_types, str) or not self.instance_types:
            problems.add(
                "instance_types", self.instance_types, "No list of types.", "Write ('ml.m5.xlarge',)."
            )
        else:
            for index, type_ in enumerate(self.instance_types):
                check_instance_type(problems, f"instance_types[{index}]", type_)
            if len(self.instance_types) > _MOST_TYPES:
                given = f"{len(self.instance_types)} of them"
                fix = "Name families ('ml.m5.*')."
                problems.add("instance_types", given, f"More than {_MOST_TYPES} fit no policy.", fix)
        if not 60 <= self.run_time_seconds <= _LONGEST_RUN_TIME_SECONDS:
            problems.add(
                "run_time_seconds",
                self.run_time_seconds,
                "A job runs for a minute at the least, and for 28 days at the most.",
                f"Write 60 to {_LONGEST_RUN_TIME_SECONDS}.",
            )
        for index, file_system in enumerate(self.file_systems):
            if not _FILE_SYSTEM.fullmatch(file_system) and "${Token[" not in file_system:
                problems.add(
                    f"file_systems[{index}]", file_system, "This is no file system's id.", "Write 'fs-…'."
                )
        problems.raise_if_any("WorkLimits")

    @property
    def all_types(self) -> list[str]:
        """The types, and what Studio's own small apps run on."""
        return [*dict.fromkeys(self.instance_types), _SYSTEM]

    @property
    def local_types(self) -> list[str]:
        """Those with disks of their own, which take no key."""
        return [each for each in dict.fromkeys(self.instance_types) if local_storage(each)]


def check_instance_type(problems: Problems, argument: str, type_: str) -> None:
    """Record an instance type or family that SageMaker does not have.

    Args:
        problems: Where to record.
        argument: The argument's name.
        type_: What the caller gave: `ml.m5.xlarge`, or a family (`ml.m5.*`).
    """
    match = _TYPE.fullmatch(type_)
    if match is None:
        problems.add(
            argument, type_, "This is no instance type.", "Write 'ml.m5.xlarge', or 'ml.m5.*' for a family."
        )
        return
    family, size = match.groups()
    sizes = _families().get(family)
    if size == "*":
        # A family may be newer than the list; the size of a known one can't.
        return
    if sizes is None:
        problems.add(
            argument,
            type_,
            "SageMaker has no such family, or it is newer than this library.",
            f"Check it; a newer family can be named as a whole: 'ml.{family}.*'.",
        )
    elif size not in sizes:
        problems.add(
            argument, type_, f"The family {family} has no such size.", f"Write one of {', '.join(sizes)}."
        )
