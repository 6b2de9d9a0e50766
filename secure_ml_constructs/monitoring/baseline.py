"""What a model is compared with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from secure_ml_constructs.errors import Problems

__all__ = ["Baseline"]

_FORMS = (".csv", ".parquet", ".jsonl")
_PATH = re.compile(r"(?:[\w!.'()=-]+/)*[\w!.'()=-]+/?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The data that a model was accepted with: made by `of_dataset`.

    It holds what requests hold, what the model answered, and the truth if it is known.

    Args:
        zone: The lake's zone that it lies in.
        path: Where, within the zone: a file (`.csv` with names, `.parquet`, `.jsonl`) or a folder of one kind
            with a slash at its end.
        label: The column with the truth.
        columns: The columns of a request that it has.

    Raises:
        ConfigurationError: Another form, a path that is none.

    Example:
        >>> baseline = Baseline.of_dataset(zone="curated", path="risk/2026-11/baseline.csv", label="ill")
    """

    zone: str
    path: str
    label: str = ""
    columns: Sequence[str] = ()

    def __post_init__(self) -> None:
        problems = Problems()
        if not _PATH.fullmatch(self.path) or ".." in self.path.split("/"):
            problems.add("path", self.path, "No path within a zone.", "Write 'risk/baseline.csv'.")
        elif not self.path.endswith(("/", *_FORMS)):
            fix = f"Write a file that ends with {', '.join(_FORMS)}, or a folder with a slash."
            problems.add("path", self.path, "The form can't be told.", fix)
        if isinstance(self.columns, str):
            problems.add("columns", self.columns, "One string where a list belongs.", "Write a list.")
        elif self.label and self.label in self.columns:
            reason = "A request that holds the truth needs no model."
            problems.add("label", self.label, reason, "Take it out of the columns.")
        problems.raise_if_any("Baseline")

    @classmethod
    def of_dataset(cls, *, zone: str, path: str, label: str = "", columns: Sequence[str] = ()) -> Baseline:
        """Compare with a data set in the lake; its statistics are made once, by the first run.

        Args:
            zone: The lake's zone that it lies in.
            path: Where, within the zone.
            label: The column with the truth. Default: there is none, and quality has nothing to be compared
                with.
            columns: The columns of a request that it has, to be held against the door's schema. Default: not
                known before the first run, which refuses what does not fit.
        """
        return cls(zone=zone, path=path, label=label, columns=columns)
