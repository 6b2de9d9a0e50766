"""On which instance types Studio's apps and notebook instances run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources

from secure_ml_constructs.errors import Problems

APPS = "apps"
NOTEBOOKS = "notebooks"
_MOST_TYPES = 100


@cache
def _families() -> Mapping[str, Mapping[str, Sequence[str]]]:
    # Of apps what CloudFormation knows (AWS::SageMaker::Domain StudioWebPortalSettings, HiddenInstanceTypes);
    # of notebooks what the service does (Amazon SageMaker API Reference: CreateNotebookInstance).
    text = resources.files(__package__).joinpath("instance_types.json").read_text(encoding="ascii")
    found: dict[str, dict[str, list[str]]] = json.loads(text)
    return found


def known(kind: str) -> tuple[str, ...]:
    """Give every instance type that apps (`APPS`) or notebook instances (`NOTEBOOKS`) run on."""
    return tuple(f"ml.{family}.{size}" for family, sizes in _families()[kind].items() for size in sizes)


def chosen(kind: str, wanted: Sequence[str]) -> tuple[str, ...]:
    """Give the types that a list of types and families (`ml.m5.*`) names."""
    families = tuple(each.removesuffix("*") for each in wanted if each.endswith(".*"))
    return tuple(each for each in known(kind) if each in wanted or each.startswith(families or ("-",)))


def check_types(problems: Problems, argument: str, kind: str, wanted: Sequence[str]) -> None:
    """Record what is wrong with a list of instance types.

    Args:
        problems: Where to record.
        argument: The argument's name.
        kind: `APPS` or `NOTEBOOKS`.
        wanted: What the caller gave: types, or families (`ml.m5.*`).
    """
    if isinstance(wanted, str) or not wanted:
        problems.add(argument, wanted, "No list of instance types.", "Write ('ml.t3.medium',).")
        return
    if len(wanted) > _MOST_TYPES:
        given = f"{len(wanted)} of them"
        problems.add(argument, given, f"More than {_MOST_TYPES} fit no policy.", "Name families ('ml.m5.*').")
    for index, each in enumerate(wanted):
        check_type(problems, f"{argument}[{index}]", kind, each)


def check_type(problems: Problems, argument: str, kind: str, wanted: str) -> None:
    """Record an instance type or family that SageMaker does not have here."""
    if not chosen(kind, (wanted,)):
        sizes = _families()[kind].get(".".join(wanted.split(".")[1:2]))
        fix = f"This family has {', '.join(sizes)}." if sizes else "Write for instance 'ml.t3.medium'."
        problems.add(argument, wanted, f"SageMaker has no such instance type for {kind}.", fix)
