"""Labels that meet predictions, however they come."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics

from secure_ml_constructs.runtime.open_monitor.captures import key_of
from secure_ml_constructs.runtime.open_monitor.quality import Meeting
from secure_ml_constructs.runtime.open_monitor.settings import Settings

KEYS = np.array([key_of(f"event-{number}") for number in range(3000)], dtype=np.uint64)
NONE = np.full(len(KEYS), np.nan)


def test_classes_of_more_than_two(tmp_path: Path) -> None:
    die = np.random.default_rng(0)
    truth = die.integers(0, 3, len(KEYS)).astype(float)
    said = np.where(die.random(len(KEYS)) < 0.8, truth, die.integers(0, 3, len(KEYS)))
    meeting = Meeting(
        Settings(kind="multiclass", prediction="p", classes=("a", "b", "c"), positive="a"), tmp_path
    )
    meeting.said(KEYS, said, NONE)
    # Labels come in another order, and some twice.
    meeting.true(KEYS[:10], np.zeros(10))
    meeting.true(KEYS[::-1], truth[::-1])
    found = meeting.close()
    assert (found.matched, found.repeated, found.labels) == (3000, 10, 3010)
    assert {name: each.value for name, each in found.measures.items()} == {
        "accuracy": pytest.approx(metrics.accuracy_score(truth, said)),
        "f1": pytest.approx(metrics.f1_score(truth, said, average="macro")),
    }
    assert list(tmp_path.iterdir()) == []


def test_labels_without_a_prediction_and_of_no_class_are_counted(tmp_path: Path) -> None:
    meeting = Meeting(Settings(kind="binary", prediction="p"), tmp_path)
    meeting.said(KEYS[:2000], np.ones(2000), NONE[:2000])
    told = np.ones(2000)
    told[-5:] = np.nan
    meeting.true(KEYS[500:2500], told)
    found = meeting.close()
    assert (found.predictions, found.labels, found.matched, found.unknown) == (2000, 2000, 1500, 0)
    meeting = Meeting(Settings(kind="binary", prediction="p"), tmp_path)
    meeting.said(KEYS[:2000], np.ones(2000), NONE[:2000])
    meeting.true(KEYS[:2000], told)
    found = meeting.close()
    assert (found.matched, found.unknown) == (1995, 5)
    assert found.measures["accuracy"].value == 1


@pytest.mark.parametrize("kind", ["binary", "regression"])
def test_too_few_to_say_anything(tmp_path: Path, kind: str) -> None:
    settings = Settings(kind="regression" if kind == "regression" else "binary", prediction="p")
    meeting = Meeting(settings, tmp_path)
    meeting.said(KEYS[:1], np.ones(1), NONE[:1])
    meeting.true(KEYS[:1], np.ones(1))
    found = meeting.close()
    assert (found.matched, found.measures) == (1, {})


def test_what_one_part_alone_decides_has_no_bounds(tmp_path: Path) -> None:
    # All positives lie in one part: without it there is no curve.
    settings = Settings(kind="binary", probabilities=("p",))
    truth = (KEYS >> np.uint64(58) == 0).astype(float)
    meeting = Meeting(settings, tmp_path)
    meeting.said(KEYS, truth, truth)
    meeting.true(KEYS, truth)
    assert set(meeting.close().measures) == {"accuracy", "f1"}


def test_one_value_has_no_spread_to_explain(tmp_path: Path) -> None:
    meeting = Meeting(Settings(kind="regression", prediction="p"), tmp_path)
    meeting.said(KEYS, np.ones(len(KEYS)), np.ones(len(KEYS)))
    meeting.true(KEYS, np.zeros(len(KEYS)))
    assert set(meeting.close().measures) == {"mae", "rmse"}
    meeting = Meeting(Settings(kind="regression", prediction="p"), tmp_path)
    meeting.said(KEYS[:2], np.ones(2), np.ones(2))
    meeting.true(KEYS[:2], np.zeros(2))
    assert meeting.close().matched == 2
