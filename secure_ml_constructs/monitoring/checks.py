"""What is looked at: data, predictions, quality, bias and explanations, and how much of a change matters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from secure_ml_constructs.errors import Problems

__all__ = ["Bias", "DataQuality", "Explainability", "Facet", "ModelQuality", "Predictions"]

_FOLDER = re.compile(r"(?:[\w!.'()=-]+/)+", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """What is unusual of predictions and of who asks for them.

    Ensures:
        G10: predictions of low confidence, undecided ones, classes that become frequent, and a caller that
            asks nearly the same again and again.

    Args:
        confidence: A prediction whose likeliest class is less probable has low confidence, 0 to 1.
        low_confidence: Rise in the share of such predictions, 0 to 1.
        entropy: Change of the mean entropy, in shares of the largest possible, 0 to 1.
        class_share: Change in a class's share of the predictions, 0 to 1.
        alike: So many nearly identical queries of one caller in a window are probing, 1 or more.

    Raises:
        ConfigurationError: A value that is none.

    Example:
        >>> predictions = Predictions(confidence=0.7, alike=50)
    """

    confidence: float = 0.6
    low_confidence: float = 0.1
    entropy: float = 0.05
    class_share: float = 0.1
    alike: int = 100

    def __post_init__(self) -> None:
        problems = Problems()
        _check_shares(problems, self, "confidence", "low_confidence", "entropy", "class_share")
        _check_count(problems, "alike", self.alike)
        problems.raise_if_any("Predictions")


@dataclass(frozen=True, kw_only=True)
class DataQuality:
    """How much requests and predictions may change. A change must also be none of chance.

    Ensures:
        M1: drift, missing and unreadable values, values out of range, rows and lines that are damaged.

    Args:
        drift: Distance of two distributions, 0 to 1.
        missing: Rise in the share of missing values, 0 to 1.
        unreadable: Rise in the share of values that are no numbers, 0 to 1.
        out_of_range: Rise in the share of values outside what the baseline held, 0 to 1.
        damaged: Share of lines that can't be read from which it is severe, 0 to 1.
        least_rows: What has fewer rows is not judged.
        false_alarm_rate: The probability that a window of undisturbed traffic raises any violation, 0 to 1.
        predictions: What is unusual of predictions. Default: `Predictions()`.

    Raises:
        ConfigurationError: A value that is none.

    Example:
        >>> quality = DataQuality(drift=0.15, least_rows=500)
    """

    drift: float = 0.1
    missing: float = 0.02
    unreadable: float = 0.01
    out_of_range: float = 0.01
    damaged: float = 0.01
    least_rows: int = 100
    false_alarm_rate: float = 0.01
    predictions: Predictions = field(default_factory=Predictions)

    def __post_init__(self) -> None:
        problems = Problems()
        shares = ("drift", "missing", "unreadable", "out_of_range", "damaged", "false_alarm_rate")
        _check_shares(problems, self, *shares)
        _check_count(problems, "least_rows", self.least_rows)
        problems.raise_if_any("DataQuality")


@dataclass(frozen=True, kw_only=True)
class ModelQuality:
    """Whether predictions are still as often right.

    Ensures:
        M1: accuracy, F1 and AUC, or MAE, RMSE and R2, against the truth.

    Args:
        ground_truth: Where the truth comes to, in the zone of the captures: a folder, below which labels lie
            by the hour of the request (`labels/risk/2026/01/31/14/….jsonl`).
        after_hours: After how many hours the truth of a window has come, 0 to 2,160 (90 days).
        fall: Of accuracy, F1, AUC or R2 that matters, 0 to 1.
        rise: Of MAE or RMSE that matters, in shares of the baseline's, 0 to 1.

    Raises:
        ConfigurationError: A folder or value that is none.

    Example:
        >>> quality = ModelQuality(ground_truth="labels/risk/", after_hours=7 * 24)
    """

    ground_truth: str
    after_hours: int = 24
    fall: float = 0.05
    rise: float = 0.1

    def __post_init__(self) -> None:
        problems = Problems()
        folder = self.ground_truth
        if "://" in folder:
            reason = "It says a bucket: the truth lies in the zone of the captures."
            problems.add("ground_truth", folder, reason, "Write the folder within that zone, 'labels/risk/'.")
        elif not _FOLDER.fullmatch(folder) or ".." in folder.split("/"):
            problems.add("ground_truth", folder, "No folder within a zone.", "Write 'labels/risk/'.")
        hours = self.after_hours
        if not 0 <= hours <= 2160:
            problems.add("after_hours", hours, "No hours until 90 days.", "Write 0 to 2160.")
        _check_shares(problems, self, "fall", "rise")
        problems.raise_if_any("ModelQuality")


@dataclass(frozen=True, kw_only=True)
class Facet:
    """A group that a model must not treat worse than the rest.

    Args:
        column: A column of the request.
        values: The group's values, for a column of categories.
        above: The group are those above it, for a column of numbers.
        disparate_impact: The lowest ratio of positive rates, group to rest, 0 to 1. Default: none; only what
            changes since the baseline counts.

    Raises:
        ConfigurationError: Both or neither of `values` and `above`, a ratio that is none.

    Example:
        >>> older = Facet(column="age", above=65, disparate_impact=0.8)
    """

    column: str
    values: Sequence[str] = ()
    above: float | None = None
    disparate_impact: float | None = None

    def __post_init__(self) -> None:
        problems = Problems()
        if isinstance(self.values, str):
            problems.add("values", self.values, "One string where a list belongs.", "Write a list.")
        elif bool(self.values) == (self.above is not None):
            given = self.values or self.above
            problems.add("values", given, "A group is told by values or by a bound.", "Give one of the two.")
        if self.disparate_impact is not None and not 0 < self.disparate_impact < 1:
            problems.add("disparate_impact", self.disparate_impact, "No ratio.", "Write between 0 and 1.")
        problems.raise_if_any("Facet")

    @property
    def name(self) -> str:
        """How metrics and reports call it."""
        return f"{self.column}={'|'.join(self.values)}" if self.values else f"{self.column}>{self.above:g}"


@dataclass(frozen=True, kw_only=True)
class Bias:
    """Whether groups are still treated as they were.

    Ensures:
        M1: the difference in positive rates, and disparate impact.

    Args:
        facets: The groups, one or more.
        difference: Change in the difference of positive rates between a group and the rest, 0 to 1.

    Raises:
        ConfigurationError: No group, one twice, a value that is none.

    Example:
        >>> bias = Bias(facets=[Facet(column="sex", values=["f"])])
    """

    facets: Sequence[Facet]
    difference: float = 0.1

    def __post_init__(self) -> None:
        problems = Problems()
        if not self.facets:
            problems.add("facets", self.facets, "Nobody to compare.", "Name a group.")
        names = [facet.name for facet in self.facets]
        for index, name in enumerate(names):
            if name in names[:index]:
                problems.add(f"facets[{index}]", name, "It is there twice.", "Leave one out.")
        _check_shares(problems, self, "difference")
        problems.raise_if_any("Bias")


@dataclass(frozen=True, kw_only=True)
class Explainability:
    """Whether predictions still rest on the same features.

    Ensures:
        M1: the order of feature attributions against the baseline's (NDCG).

    Args:
        attributions: For each feature, the value of an answer that is its attribution.
        agreement: The lowest agreement with the baseline's order, 0 to 1.

    Raises:
        ConfigurationError: No feature, a value that is none.

    Example:
        >>> explained = Explainability(attributions={"age": "shap_age", "dose": "shap_dose"})
    """

    attributions: Mapping[str, str]
    agreement: float = 0.9

    def __post_init__(self) -> None:
        problems = Problems()
        if len(self.attributions) < 2:
            given = dict(self.attributions)
            problems.add("attributions", given, "No order of fewer than two.", "Name the features.")
        _check_shares(problems, self, "agreement")
        problems.raise_if_any("Explainability")


def _check_shares(problems: Problems, value: object, *names: str) -> None:
    for name in names:
        given = getattr(value, name)
        if not 0 < given < 1:
            problems.add(name, given, "No part of a whole.", "Write between 0 and 1.")


def _check_count(problems: Problems, name: str, given: int) -> None:
    if given < 1:
        problems.add(name, given, "No number of rows.", "Write 1 or more.")
