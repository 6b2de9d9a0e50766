"""Counts of the commonest, and rows that are nearly alike."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure_ml_constructs.runtime.open_monitor import probing
from secure_ml_constructs.runtime.open_monitor.probing import Buckets, Heaviest, Probing
from secure_ml_constructs.runtime.open_monitor.schema import Feature
from secure_ml_constructs.runtime.open_monitor.tally import Floats


@given(parts=st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=60), max_size=20))
def test_a_count_is_too_low_by_no_more_than_is_said(parts: list[list[int]]) -> None:
    heaviest, exact = Heaviest(kept=5), Counter[int]()
    for part in parts:
        heaviest.add(np.array(part, dtype=np.uint64))
        exact.update(part)
    assert len(heaviest.counts) <= 10
    assert heaviest.missed <= sum(exact.values()) / 5
    for key, count in exact.items():
        assert count - heaviest.missed <= heaviest.counts.get(key, 0) <= count


FEATURES = [
    *(Feature(name=f"x{number}", kind="number", center=5.0, scale=2.0) for number in range(20)),
    Feature(name="ward", kind="category", categories=["a", "b"]),
    Feature(name="remark", kind="text"),
]


def rows(count: int, seed: int = 0, near: float = 2.0) -> dict[str, Floats]:
    """Values of each column."""
    die = np.random.default_rng(seed)
    found = {feature.name: die.normal(5, near, count) for feature in FEATURES}
    found["ward"] = np.zeros(count)
    return found


def test_alike_rows_share_a_bucket_and_others_do_not() -> None:
    buckets = Buckets(FEATURES)
    far = buckets.of(rows(5000), 5000)
    assert np.unique(far, return_counts=True)[1].max() < 15
    near = buckets.of(rows(1000, near=0.02), 1000)
    assert np.unique(near, return_counts=True)[1].max() > 700
    other = rows(1000, near=0.02)
    other["ward"] = np.ones(1000)
    assert not set(near.tolist()) & set(buckets.of(other, 1000).tolist())
    missing = rows(10)
    missing["x0"] = np.full(10, np.nan)
    assert len(buckets.of(missing, 10)) == 10


def test_callers_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "KEPT", 50)
    watched = Probing(FEATURES)
    watched._pairs, watched._callers = Heaviest(50), Heaviest(50)
    for turn in range(10):
        watched.add(rows(100, seed=turn), [f"caller {turn} {number}" for number in range(100)])
        watched.add(rows(40, near=0.02), ["copyist"] * 40)
    first = next(iter(watched.found()))
    assert first.caller == "copyist"
    assert 200 < first.alike <= first.queries <= 400
    assert watched.missed > 0
    assert max(len(watched._names), len(watched._owners)) <= 4 * 50 + 101
