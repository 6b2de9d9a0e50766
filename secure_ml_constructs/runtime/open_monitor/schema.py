"""What the columns are: taken from a sample of the baseline, and kept with it."""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from .captures import NOTHING

# Steps of a number's distribution, and categories that are counted one by one.
STEPS, CATEGORIES = 128, 200


class Feature(msgspec.Struct, kw_only=True):
    """A column.

    Attributes:
        name: As the baseline calls it.
        kind: `text` are names and remarks: too many values to count, and perhaps persons'.
        edges: Values of the baseline at equal steps of its distribution.
        low: The lowest value of the baseline.
        high: The highest.
        center: The median.
        scale: What a normal distribution of this spread has as its deviation.
        categories: The values, the commonest first.
        singles: How many values were seen once: as many are to be expected that were never seen.
    """

    name: str
    kind: Literal["number", "category", "text"]
    edges: list[float] = []
    low: float = 0.0
    high: float = 0.0
    center: float = 0.0
    scale: float = 1.0
    categories: list[str] = []
    singles: int = 0


def numbers(values: pl.Series) -> NDArray[np.float64]:
    """Give texts as numbers, with NaN for what is none."""
    read = values.str.strip_chars().cast(pl.Float64, strict=False)
    return np.where(np.isfinite(found := read.fill_null(np.nan).to_numpy()), found, np.nan)


def cleaned(values: pl.Series) -> pl.Series:
    """Give texts with null for what means nothing."""
    return values.set(values.is_in(NOTHING), None)


def number_feature(name: str, values: NDArray[np.float64]) -> Feature:
    """Describe numbers by a sample of them."""
    values = values[np.isfinite(values)]
    if not len(values):
        return Feature(name=name, kind="number", edges=[0.0])
    steps = np.linspace(0, 1, STEPS + 1)[1:-1]
    edges = np.unique(np.quantile(values, steps, method="inverted_cdf"))
    lower, center, upper = np.quantile(values, [0.25, 0.5, 0.75])
    scale = (upper - lower) / 1.349 or float(values.std()) or 1.0
    return Feature(
        name=name,
        kind="number",
        edges=edges.tolist(),
        low=float(values.min()),
        high=float(values.max()),
        center=float(center),
        scale=float(scale),
    )


def describe(name: str, values: pl.Series, categorical: bool = False) -> Feature:
    """Describe a column by a sample of its texts.

    Args:
        name: The column's.
        values: The sample.
        categorical: Its numbers are codes.
    """
    present = values.drop_nulls()
    read = numbers(present)
    # A few slips among numbers are counted as such, and make no categories of the rest.
    if not categorical and np.isfinite(read).sum() >= 0.99 * len(present):
        return number_feature(name, read)
    counts = (
        present.rename("value").value_counts(name="count").sort(["count", "value"], descending=[True, False])
    )
    if len(counts) > CATEGORIES and len(counts) > 0.2 * len(present):
        return Feature(name=name, kind="text")
    kept = counts["value"].head(CATEGORIES).to_list()
    return Feature(name=name, kind="category", categories=kept, singles=int((counts["count"] == 1).sum()))
