"""How far apart two counts are, and how probable that is by chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats


def kolmogorov_smirnov(before: list[int], now: list[int]) -> tuple[float, float]:
    """Give the largest distance of two distributions, and its probability.

    Both are known at the baseline's edges alone, so that the distance is at most that of all values, and the
    probability at least as high: it errs towards silence.
    """
    first, second = np.array(before, dtype=np.float64), np.array(now, dtype=np.float64)
    one, other = first.sum(), second.sum()
    apart = float(np.abs(np.cumsum(first) / one - np.cumsum(second) / other).max())
    return apart, float(special.kolmogorov(np.sqrt(one * other / (one + other)) * apart))


def categories(before: list[int], now: list[int]) -> tuple[float, float]:
    """Give the total variation distance of two sets of categories, and its probability (chi-squared)."""
    table = np.array([before, now], dtype=np.float64)
    sums = table.sum(axis=1, keepdims=True)
    apart = float(np.abs(table[0] / sums[0] - table[1] / sums[1]).sum() / 2)
    expected = table.sum(axis=0) * sums / sums.sum()
    # Cochran's rule: what is expected fewer than five times is counted together.
    rare = expected.min(axis=0) < 5
    pooled = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)]) if rare.any() else table
    pooled = pooled[:, pooled.sum(axis=0) > 0]
    if pooled.shape[1] < 2:
        return apart, 1.0
    wanted = pooled.sum(axis=0) * sums / sums.sum()
    return apart, float(stats.chi2.sf(((pooled - wanted) ** 2 / wanted).sum(), pooled.shape[1] - 1))


def more(before: int, rows_before: int, now: int, rows: int) -> float:
    """Give the probability that a share rose as much by chance (Fisher's exact test, one side)."""
    return float(stats.hypergeom.sf(now - 1, rows_before + rows, before + now, rows))


def ndcg(before: NDArray[np.float64], now: NDArray[np.float64]) -> float:
    """Give how well the order of a window agrees with that of the baseline, 1 for fully."""
    discount = 1 / np.log2(np.arange(len(before)) + 2)
    ideal = (np.sort(before)[::-1] * discount).sum()
    return float((before[np.argsort(-now, kind="stable")] * discount).sum() / ideal) if ideal else 1.0
