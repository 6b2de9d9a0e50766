"""Models of more classes, without probabilities, and columns of categories."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from scipy import stats
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from secure_ml_constructs.runtime.open_monitor import job
from secure_ml_constructs.runtime.open_monitor.captures import Window
from secure_ml_constructs.runtime.open_monitor.checks import Baseline
from secure_ml_constructs.runtime.open_monitor.probing import Heaviest, Probing
from secure_ml_constructs.runtime.open_monitor.report import Run
from secure_ml_constructs.runtime.open_monitor.settings import Settings
from tests.unit.runtime.open_monitor import worlds

pytestmark = pytest.mark.slow

WINE = load_wine()
MODEL = make_pipeline(StandardScaler(), LogisticRegression()).fit(WINE.data[::2], WINE.target[::2])
NAMES = [str(name).replace("/", "_") for name in WINE.feature_names]
CLASSES = [str(name) for name in WINE.target_names]
REGIONS = ["north", "south", "west"]


def drawn(count: int, seed: int) -> pl.DataFrame:
    """Wines, with what the model says of them and a region."""
    die = np.random.default_rng(seed)
    chosen = die.integers(0, len(WINE.data), count)
    rows = WINE.data[chosen]
    said = MODEL.predict_proba(rows)
    columns = {name: rows[:, at] for at, name in enumerate(NAMES)}
    columns |= {f"p{at}": said[:, at] for at in range(3)}
    table = pl.DataFrame(columns).with_columns(
        region=pl.Series(die.choice(REGIONS, count, p=[0.6, 0.3, 0.1])),
        said=pl.Series([CLASSES[place] for place in said.argmax(axis=1)]),
        truth=pl.Series([CLASSES[WINE.target[place]] for place in chosen]),
    )
    return table.select(*NAMES, "region", *(f"p{at}" for at in range(3)), "said", "truth")


def watched(table: pl.DataFrame, tmp_path: Path, told: dict[str, Any], answers: list[str]) -> Run:
    """A window of wines, its labels in the captures."""
    settings, baseline = accepted(tmp_path, told)
    lines = []
    for number, row in enumerate(table.iter_rows(named=True)):
        request = worlds.payload(worlds.text(row[name] for name in (*NAMES, "region")))
        answer = worlds.payload(worlds.text(row[name] for name in answers), mode="OUTPUT")
        line = worlds.capture(request, answer, f"event-{number}")
        if row["truth"] is not None:
            line["groundTruthData"] = {"data": row["truth"], "encoding": "CSV"}
        lines.append(line)
    worlds.write(tmp_path / "captures" / "c.jsonl", lines)
    return job.watch(settings, baseline, tmp_path / "captures", None, Window())


def accepted(tmp_path: Path, told: dict[str, Any]) -> tuple[Settings, Baseline]:
    """The model's baseline."""
    settings = msgspec.convert(told, Settings)
    assert settings.problems() == []
    drawn(5000, 1).write_csv(tmp_path / "data.csv")
    return settings, job.make_baseline(settings, tmp_path / "data.csv", tmp_path)


SHARED = {"kind": "multiclass", "classes": CLASSES, "positive": "class_1", "label": "truth"}
ODDS: dict[str, Any] = {
    **SHARED,
    "probabilities": ["p0", "p1", "p2"],
    "output": {"columns": ["p0", "p1", "p2"]},
}
ODDS["ignore"] = ["said"]
ODDS["input"] = {"columns": [*NAMES, "region"]}
PLAIN: dict[str, Any] = {
    **SHARED,
    "prediction": "said",
    "output": {"columns": ["said"]},
    "input": ODDS["input"],
}
PLAIN["facets"] = [{"column": "region", "values": ["south", "west"]}]


def violated(run: Run) -> set[tuple[str, str]]:
    """What is violated, and of what."""
    return {(check.metric, check.subject) for check in run.violations}


@pytest.mark.parametrize(("told", "answers"), [(ODDS, ["p0", "p1", "p2"]), (PLAIN, ["said"])])
def test_an_undisturbed_week(told: dict[str, Any], answers: list[str], tmp_path: Path) -> None:
    table = drawn(1000, 2)
    run = watched(table, tmp_path, told, answers)
    assert (violated(run), run.skipped) == (set(), [])
    right = (table["said"] == table["truth"]).mean()
    assert run.quality.measures["accuracy"].value == pytest.approx(right)
    assert run.window.classes == [int((table["said"] == name).sum()) for name in CLASSES]


def test_categories_that_shift(tmp_path: Path) -> None:
    table = drawn(1000, 3)
    moved = table.with_columns(region=pl.Series(["west", *["south"] * 2, *["north"] * 2] * 200))
    run = watched(moved, tmp_path, PLAIN, ["said"])
    assert violated(run) == {("drift", "region")}
    [found] = [check for check in run.checks if (check.metric, check.subject) == ("drift", "region")]
    before = [int((drawn(5000, 1)["region"] == name).sum()) for name in REGIONS]
    exact = stats.chi2_contingency([before, [400, 400, 200]], correction=False)
    assert found.probability == pytest.approx(exact.pvalue)
    assert found.observed == pytest.approx(
        0.5 * sum(abs(b / 5000 - n / 1000) for b, n in zip(before, [400, 400, 200], strict=True))
    )


def test_categories_that_nobody_knows(tmp_path: Path) -> None:
    table = drawn(1000, 4).with_row_index()
    east = pl.when(pl.col("index") % 20 == 0).then(pl.lit("east")).otherwise("region")
    assert violated(watched(table.with_columns(region=east), tmp_path, PLAIN, ["said"])) == {
        ("new_category", "region")
    }


def test_a_model_that_says_something_else(tmp_path: Path) -> None:
    table = drawn(1000, 5).with_columns(said=pl.lit("error"))
    run = watched(table, tmp_path, PLAIN, ["said"])
    assert violated(run) == {("unknown_prediction", "prediction")}
    assert (run.quality.matched, run.quality.unknown) == (0, 1000)
    assert any(text.startswith("quality: 0 labels") for text in run.skipped)
    assert any(text.startswith("bias of region=south|west") for text in run.skipped)
    odd = drawn(1000, 5).with_columns(p0=pl.lit(7.0))
    run = watched(odd, tmp_path, ODDS, ["p0", "p1", "p2"])
    assert violated(run) == {("unknown_prediction", "prediction")}
    assert sum(text.startswith("drift of ") for text in run.skipped) == 3


def test_few_values_of_a_column_are_not_judged(tmp_path: Path) -> None:
    table = drawn(1000, 6).with_row_index()
    few = pl.when(pl.col("index") < 50).then("alcohol").otherwise(None)
    run = watched(table.with_columns(alcohol=few), tmp_path, PLAIN, ["said"])
    assert violated(run) == {("missing", "alcohol")}
    assert "drift of alcohol: fewer than 100 values" in run.skipped


def test_a_baseline_without_a_label_knows_no_quality(tmp_path: Path) -> None:
    told = {**PLAIN, "label": ""}
    run = watched(drawn(500, 7), tmp_path, told, ["said"])
    assert (violated(run), run.skipped) == (set(), ["quality: the baseline had no label"])


def test_attributions_of_few_rows_are_not_judged(tmp_path: Path) -> None:
    told = {**PLAIN, "attributions": {"alcohol": "p0"}, "output": {"columns": ["said", "p0"]}}
    table = drawn(500, 8).with_columns(p0=pl.lit(None), truth=pl.lit(None))
    run = watched(table, tmp_path, told, ["said", "p0"])
    assert (violated(run), run.skipped) == (set(), ["attributions: fewer than 100 rows"])


def test_the_report_says_by_how_much_counts_may_be_too_low(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, baseline = accepted(tmp_path, PLAIN)
    few = Probing(baseline.features)
    few._pairs = Heaviest(5)
    monkeypatch.setattr(job, "Probing", lambda features: few)
    run = watched(drawn(500, 9), tmp_path, msgspec.to_builtins(settings), ["said"])
    assert run.notes == [f"counts of alike queries are too low by up to {few.missed}"]
    assert json.loads(msgspec.json.encode(run))["status"] == "completed"
