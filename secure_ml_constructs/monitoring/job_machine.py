"""On what the jobs of a watch may run."""

from __future__ import annotations

from fnmatch import fnmatchcase

from secure_ml_constructs.errors import Problems
from secure_ml_constructs.identity import RoleFoundation
from secure_ml_constructs.identity.guardrails.limits import check_instance_type


def check_machine(
    problems: Problems, foundation: RoleFoundation, *, instance_type: str, volume_gb: int, seconds: int
) -> None:
    """Record what the guardrails would deny, or SageMaker refuse.

    Args:
        problems: Where to record.
        foundation: What the environment's roles share.
        instance_type: The type.
        volume_gb: The size of the disk, in GB.
        seconds: The longest that a job may run.
    """
    limits = foundation.guardrails.guardrails.limits
    check_instance_type(problems, "engine.instance_type", instance_type)
    if not any(fnmatchcase(instance_type, each) for each in limits.instance_types):
        fix = f"Write one of {', '.join(limits.instance_types)}."
        problems.add("engine.instance_type", instance_type, "The guardrails deny this type.", fix)
    if not 60 <= seconds <= limits.run_time_seconds:
        reason = "No run time that the guardrails allow."
        problems.add("engine.run_time_seconds", seconds, reason, f"Write 60 to {limits.run_time_seconds}.")
    if not 1 <= volume_gb <= 16_384:
        problems.add("engine.volume_gb", volume_gb, "No size of a disk.", "Write 1 to 16384.")
