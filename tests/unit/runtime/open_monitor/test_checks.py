"""The statistics, against scipy's."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import stats
from sklearn import metrics

from secure_ml_constructs.runtime.open_monitor import checks, likelihood
from secure_ml_constructs.runtime.open_monitor.captures import Damage
from secure_ml_constructs.runtime.open_monitor.checks import Check
from secure_ml_constructs.runtime.open_monitor.schema import describe, number_feature
from secure_ml_constructs.runtime.open_monitor.settings import Facet, Limits, Settings
from secure_ml_constructs.runtime.open_monitor.tally import Column, Group


@pytest.mark.parametrize("shift", [0.0, 0.1, 0.5])
def test_the_distance_of_numbers(shift: float) -> None:
    die = np.random.default_rng(1)
    before, now = die.gamma(2, size=4000), die.gamma(2, size=700) + shift
    feature, sides = number_feature("x", before), (Column(), Column())
    sides[0].add_numbers(feature, before)
    sides[1].add_numbers(feature, now)
    found, probability = likelihood.kolmogorov_smirnov(sides[0].counts, sides[1].counts)
    exact = stats.ks_2samp(before, now, method="asymp")
    assert exact.statistic - 0.01 < found <= exact.statistic + 1e-12
    assert probability >= exact.pvalue * 0.99
    assert sides[1].mean == pytest.approx(now.mean())
    assert sides[1].variance == pytest.approx(now.var())


def test_the_distance_of_categories() -> None:
    before, now = [500, 300, 200, 0], [90, 30, 80, 0]
    apart, probability = likelihood.categories(before, now)
    assert apart == pytest.approx(np.abs(np.array(before) / 1000 - np.array(now) / 200).sum() / 2)
    assert probability == pytest.approx(
        stats.chi2_contingency([before[:3], now[:3]], correction=False).pvalue
    )
    # What is expected less than five times is one category.
    _, pooled = likelihood.categories([500, 300, 4, 3], [90, 30, 1, 2])
    assert pooled == pytest.approx(
        stats.chi2_contingency([[500, 300, 7], [90, 30, 3]], correction=False).pvalue
    )
    assert likelihood.categories([50, 0], [20, 0]) == (0.0, 1.0)


@pytest.mark.parametrize("counts", [(0, 1000, 3, 100), (20, 1000, 9, 150), (5, 50, 0, 10)])
def test_a_share_that_rose(counts: tuple[int, int, int, int]) -> None:
    before, rows_before, now, rows = counts
    table = [[now, rows - now], [before, rows_before - before]]
    exact = stats.fisher_exact(table, alternative="greater").pvalue
    assert likelihood.more(*counts) == pytest.approx(exact)


def test_new_values_beyond_the_baseline_are_as_probable_as_the_test_says() -> None:
    die = np.random.default_rng(2)
    drawn = die.normal(size=(20_000, 150))
    above = (drawn[:, 100:] > drawn[:, :100].max(axis=1, keepdims=True)).sum(axis=1)
    for least in (1, 2, 3):
        assert likelihood.more(0, 100, least, 50) == pytest.approx((above >= least).mean(), rel=0.15)


def check(probability: float | None, excess: float = 1.0) -> Check:
    """A comparison."""
    return Check(
        metric="drift",
        subject="x",
        observed=excess,
        expected=0,
        threshold=1,
        change=excess,
        probability=probability,
    )


def test_violations_are_improbable_and_large() -> None:
    found = [check(1e-9), check(1e-9, 0.9), check(0.004, 3), check(0.02, 9), check(None)]
    checks.judge(found, 0.01)
    # Holm: the third smallest of four may be 0.01 / 2.
    assert [each.violated for each in found] == [True, False, True, False, False]
    assert [each.severity for each in found[:3:2]] == ["medium", "high"]
    found[2].probability = 0.006
    found[2].violated = False
    checks.judge(found, 0.01)
    assert not found[2].violated


def test_disparate_impact_is_violated_below_its_limit_only() -> None:
    facet = Facet(column="sex", values=("f",), disparate_impact=0.8)
    before = Group(group=1000, group_positive=500, rest=1000, rest_positive=520)
    for positive, violated in ((500, False), (400, False), (300, True), (0, True)):
        now = Group(group=1000, group_positive=positive, rest=1000, rest_positive=500)
        found = checks._impact(facet.name, before, now, 0.8)
        checks.judge([found], 0.01)
        assert found.violated == violated
        assert found.observed == positive / 500
    nobody = Group(group=1000, rest=1000)
    assert checks._impact("sex", before, nobody, 0.8).observed == 1


def test_the_order_of_attributions() -> None:
    before, now = np.array([3.0, 1.0, 2.0, 0.1]), np.array([0.2, 3.0, 1.0, 0.1])
    assert likelihood.ndcg(before, now) == pytest.approx(metrics.ndcg_score([before], [now]))
    assert likelihood.ndcg(before, 10 * before) == 1
    assert likelihood.ndcg(np.zeros(3), np.zeros(3)) == 1


def test_damage_is_graver_the_more_there_is() -> None:
    settings, damage = Settings(kind="binary", prediction="p"), Damage(lines=1000)
    damage.corrupt["no JSON"] = 9
    [lines, width] = checks._damage(settings, damage, 1000)
    assert (lines.violated, lines.severity, width.violated) == (True, "low", False)
    damage.corrupt["no JSON"] = 10
    assert checks._damage(settings, damage, 1000)[0].severity == "high"


def test_columns_are_what_most_of_their_values_are() -> None:
    numbers = pl.Series([str(each) for each in range(500)])
    assert describe("x", numbers).kind == "number"
    slips = pl.Series([*map(str, range(500)), "n/k", "-", None])
    assert describe("x", slips).kind == "number"
    codes = describe("x", pl.Series(["1", "2", "2", None]), categorical=True)
    assert (codes.kind, codes.categories, codes.singles) == ("category", ["2", "1"], 1)
    names = describe("x", pl.Series([f"patient {number}" for number in range(500)]))
    assert (names.kind, names.categories) == ("text", [])
    assert describe("x", pl.Series([None, None], dtype=pl.String)).edges == [0.0]


def test_values_that_are_no_numbers_are_not_missing_ones() -> None:
    feature = describe("x", pl.Series(["1", "2", "3"]))
    column = Column()
    read = column.add(feature, pl.Series(["1", "x", None, "inf", "9"]))
    assert (column.rows, column.missing, column.unreadable, column.above) == (5, 1, 2, 1)
    assert np.isnan(read[1:4]).all()


def test_limits_are_documented_one_by_one() -> None:
    assert all(f"{name}: " in (Limits.__doc__ or "") for name in Limits.__struct_fields__)
    assert all(f"{name}: " in (Settings.__doc__ or "") for name in Settings.__struct_fields__)
