"""Counters of what was seen. Their size depends on the columns, never on the rows."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from .captures import Batch
from .schema import Feature, numbers
from .settings import Facet, Settings

Floats = NDArray[np.float64]


class Column(msgspec.Struct, kw_only=True):
    """A column's counts.

    Attributes:
        rows: All.
        missing: Rows without a value.
        unreadable: Rows of a column of numbers that hold something else.
        counts: Rows up to each edge and above the last; or of each category and of any other.
        below: Rows below the baseline's lowest value.
        above: Rows above its highest.
        total: The sum.
        squares: The sum of squares.
        low: The lowest.
        high: The highest.
    """

    rows: int = 0
    missing: int = 0
    unreadable: int = 0
    counts: list[int] = []
    below: int = 0
    above: int = 0
    total: float = 0.0
    squares: float = 0.0
    low: float | None = None
    high: float | None = None

    @property
    def present(self) -> int:
        """Rows that hold a value of the kind."""
        return self.rows - self.missing - self.unreadable

    @property
    def mean(self) -> float:
        """The mean of numbers."""
        return self.total / self.present if self.present else 0.0

    @property
    def variance(self) -> float:
        """The variance of numbers."""
        return max(self.squares / self.present - self.mean**2, 0.0) if self.present else 0.0

    def add(self, feature: Feature, values: pl.Series) -> Floats:
        """Count texts, and give them as numbers: of categories, their place among the feature's."""
        missing = int(values.null_count())
        self.rows += len(values)
        self.missing += missing
        if feature.kind == "number":
            read = numbers(values)
            known = read[~np.isnan(read)]
            self.unreadable += len(read) - len(known) - missing
            self.count(feature, known)
            return read
        if feature.kind == "text":
            return np.zeros(len(values))
        names = pl.Series(feature.categories, dtype=pl.String)
        places = np.arange(len(names), dtype=np.int64)
        found = values.replace_strict(names, places, default=len(names), return_dtype=pl.Int64).to_numpy()
        present = found[values.is_not_null().to_numpy()]
        self._merge(np.bincount(present, minlength=len(names) + 1))
        return found.astype(np.float64)

    def add_numbers(self, feature: Feature, values: Floats) -> None:
        """Count numbers, with NaN for what is missing."""
        known = values[~np.isnan(values)]
        self.rows += len(values)
        self.missing += len(values) - len(known)
        self.count(feature, known)

    def count(self, feature: Feature, known: Floats) -> None:
        """Count the values of numbers."""
        edges = np.array(feature.edges)
        self._merge(np.bincount(np.searchsorted(edges, known), minlength=len(edges) + 1))
        if not len(known):
            return
        low, high = float(known.min()), float(known.max())
        self.below += int((known < feature.low).sum()) if low < feature.low else 0
        self.above += int((known > feature.high).sum()) if high > feature.high else 0
        self.total += float(known.sum())
        self.squares += float(known @ known)
        self.low = low if self.low is None else min(low, self.low)
        self.high = high if self.high is None else max(high, self.high)

    def _merge(self, counts: NDArray[np.int64]) -> None:
        before = self.counts or [0] * len(counts)
        self.counts = [a + b for a, b in zip(before, counts.tolist(), strict=True)]


class Group(msgspec.Struct, kw_only=True):
    """How often a facet's group and the rest were answered, and how often in favour."""

    group: int = 0
    group_positive: int = 0
    rest: int = 0
    rest_positive: int = 0

    @property
    def rates(self) -> tuple[float, float]:
        """The positive rate of the group, and of the rest."""
        return self.group_positive / max(self.group, 1), self.rest_positive / max(self.rest, 1)

    @property
    def difference(self) -> float:
        """The group's rate less the rest's."""
        return self.rates[0] - self.rates[1]

    @property
    def impact(self) -> float | None:
        """The ratio of the rates."""
        return self.rates[0] / self.rates[1] if self.rates[1] else None


class Answers(msgspec.Struct, kw_only=True):
    """What a table's predictions say."""

    shown: Floats
    classes: Floats
    confidence: Floats
    entropy: Floats
    positive: Floats


def answers(settings: Settings, outputs: pl.DataFrame) -> Answers:
    """Read predictions; NaN where there is none."""
    nothing = np.full(outputs.height, np.nan)
    if settings.kind == "regression":
        value = numbers(outputs[settings.prediction])
        positive = np.where(np.isnan(value), np.nan, value >= settings.threshold)
        return Answers(shown=value, classes=nothing, confidence=nothing, entropy=nothing, positive=positive)
    names = settings.classes
    place = names.index(settings.positive)
    score = confidence = entropy = nothing
    classes = nothing
    if settings.probabilities:
        read = np.column_stack([numbers(outputs[name]) for name in settings.probabilities])
        if read.shape[1] == 1:
            read = np.hstack([1 - read, read] if place else [read, 1 - read])
        # What isn't between 0 and 1 is no probability.
        read[((read < 0) | (read > 1)).any(axis=1)] = np.nan
        known = ~np.isnan(read).any(axis=1)
        score = np.where(known, read[:, place], np.nan)
        confidence = np.where(known, read.max(axis=1), np.nan)
        logs = np.log(np.where(read > 0, read, 1.0))
        entropy = np.where(known, -(read * logs).sum(axis=1) / np.log(len(names)), np.nan)
        best = np.where(known, read.argmax(axis=1), 0).astype(np.float64)
        if len(names) == 2:
            best = np.where(score >= settings.threshold, float(place), float(1 - place))
        classes = np.where(known, best, np.nan)
    if settings.prediction:
        classes = places(settings, outputs[settings.prediction])
    positive = np.where(np.isnan(classes), np.nan, classes == place)
    return Answers(shown=score, classes=classes, confidence=confidence, entropy=entropy, positive=positive)


def places(settings: Settings, texts: pl.Series) -> Floats:
    """Give texts of classes as their places, NaN for any other; `1.0` is `1`."""
    known = {name: number for number, name in enumerate(settings.classes)}
    for name, number in list(known.items()):
        with suppress(ValueError):
            known.setdefault(str(float(name)), number)
    stripped = texts.str.strip_chars()
    old, new = list(known), [float(number) for number in known.values()]
    found = stripped.replace_strict(old, new, default=None, return_dtype=pl.Float64)
    return found.fill_null(np.nan).to_numpy()


class Tally(msgspec.Struct, kw_only=True):
    """All counters of a baseline or a window."""

    rows: int = 0
    columns: dict[str, Column] = {}
    predictions: dict[str, Column] = {}
    classes: list[int] = []
    unknown_classes: int = 0
    unsure: int = 0
    answered: int = 0
    facets: dict[str, Group] = {}
    attributions: dict[str, Column] = {}

    def add(
        self, settings: Settings, features: list[Feature], shapes: dict[str, Feature], batch: Batch
    ) -> Any:
        """Count a table.

        Args:
            settings: The settings.
            features: The input's columns.
            shapes: What is known of predictions.
            batch: The table.

        Returns:
            The input's values as numbers, a column each, and what the predictions say.
        """
        self.rows += batch.inputs.height
        values = {}
        for feature in features:
            column = self.columns.setdefault(feature.name, Column())
            values[feature.name] = column.add(feature, batch.inputs[feature.name])
        said = answers(settings, batch.outputs)
        for name in shapes:
            column = self.predictions.setdefault(name, Column())
            column.add_numbers(shapes[name], getattr(said, name))
        known = said.classes[~np.isnan(said.classes)].astype(np.int64)
        if settings.kind != "regression":
            counts = np.bincount(known, minlength=len(settings.classes)).tolist()
            before = self.classes or [0] * len(counts)
            self.classes = [a + b for a, b in zip(before, counts, strict=True)]
            self.unknown_classes += batch.inputs.height - len(known)
        sure = said.confidence[~np.isnan(said.confidence)]
        self.answered += len(sure)
        self.unsure += int((sure < settings.limits.confidence).sum())
        for facet in settings.facets:
            self._facet(facet, batch.inputs[facet.column], said.positive)
        for name, source in settings.attributions.items():
            read = np.abs(numbers(batch.outputs[source]))
            self.attributions.setdefault(name, Column()).add_numbers(_ANY, read)
        return values, said

    def _facet(self, facet: Facet, texts: pl.Series, positive: Floats) -> None:
        if facet.values:
            inside = texts.str.strip_chars().is_in(list(facet.values)).fill_null(False).to_numpy()
            known = texts.is_not_null().to_numpy()
        else:
            read = numbers(texts)
            inside, known = read > (facet.above or 0.0), ~np.isnan(read)
        known = known & ~np.isnan(positive)
        yes = known & (positive == 1)
        group = self.facets.setdefault(facet.name, Group())
        group.group += int((known & inside).sum())
        group.group_positive += int((yes & inside).sum())
        group.rest += int((known & ~inside).sum())
        group.rest_positive += int((yes & ~inside).sum())


# Attributions are compared by their means alone.
_ANY = Feature(name="", kind="number", edges=[0.0], low=-np.inf, high=np.inf)
