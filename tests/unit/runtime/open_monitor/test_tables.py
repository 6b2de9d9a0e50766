"""Baselines of data sets of every kind, and of none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest

from secure_ml_constructs.runtime.open_monitor import tables
from secure_ml_constructs.runtime.open_monitor.checks import Baseline
from secure_ml_constructs.runtime.open_monitor.settings import Settings, SettingsError

TOLD = {"kind": "binary", "probabilities": ["score"], "label": "truth", "output": {"columns": ["score"]}}


def data(rows: int = 1000) -> pl.DataFrame:
    """A data set with every kind of column."""
    die = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "id": [f"patient {number}" for number in range(rows)],
            "age": die.integers(20, 90, rows),
            "dose": [None if number % 10 == 0 else number / 7 for number in range(rows)],
            "ward": [["a", "b", "c"][number % 3] for number in range(rows)],
            "score": die.random(rows),
            "truth": die.integers(0, 2, rows),
        }
    )


def settings(**more: Any) -> Settings:
    """Settings for it."""
    return msgspec.convert({**TOLD, **more}, Settings)


def made(tmp_path: Path, told: Settings, table: pl.DataFrame, kind: str = "csv") -> Baseline:
    """A baseline of a file."""
    path = tmp_path / f"data.{kind}"
    if kind == "csv":
        table.write_csv(path)
    elif kind == "parquet":
        table.write_parquet(path)
    else:
        table.write_ndjson(path)
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    return tables.make(told, path, scratch)


def test_every_kind_of_file_says_the_same(tmp_path: Path) -> None:
    found = [made(tmp_path, settings(), data(), kind) for kind in ("csv", "parquet", "jsonl")]
    assert len({msgspec.json.encode(each) for each in found}) == 1
    kinds = {feature.name: feature.kind for feature in found[0].features}
    assert kinds == {"id": "text", "age": "number", "dose": "number", "ward": "category"}
    assert found[0].tally.columns["dose"].missing == 100
    # Names of persons stay out.
    assert b"patient" not in msgspec.json.encode(found[0])


def test_the_same_data_gives_the_same_bytes_and_reads_back(tmp_path: Path) -> None:
    one, other = (made(tmp_path, settings(), data()) for _ in range(2))
    text = msgspec.json.encode(one)
    assert text == msgspec.json.encode(other)
    (tmp_path / "baseline.json").write_bytes(text)
    assert tables.load(tmp_path / "baseline.json", settings()) == one


def test_more_rows_than_are_sampled_are_counted_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "SAMPLE", 300)
    monkeypatch.setattr(tables, "ROWS", 100)
    found = made(tmp_path, settings(), data(2000))
    age = next(feature for feature in found.features if feature.name == "age")
    assert found.tally.columns["age"].rows == found.tally.rows == 2000
    assert (age.low, age.high) == (20, 89)
    assert found.tally.columns["age"].below == found.tally.columns["age"].above == 0


def test_columns_that_are_ignored_keep_their_place(tmp_path: Path) -> None:
    found = made(tmp_path, settings(ignore=["id"]), data())
    assert found.names == ("id", "age", "dose", "ward")
    assert [feature.name for feature in found.features] == ["age", "dose", "ward"]


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (
            {"input": {"columns": ["age", "height"]}},
            "$.input.columns: the baseline's data has no column height",
        ),
        ({"label": "fact"}, "$.label: the baseline's data has no column fact"),
        (
            {"facets": [{"column": "sex", "values": ["f"]}]},
            "$.facets: the baseline's data has no column sex",
        ),
        ({"probabilities": ["p"]}, "$.output: the baseline's data has no column p"),
        (
            {"attributions": {"height": "score"}},
            "$.attributions: the baseline's data has no column height",
        ),
        ({"categorical": ["code"]}, "$.categorical: the baseline's data has no column code"),
    ],
)
def test_data_without_what_is_named(tmp_path: Path, more: dict[str, Any], problem: str) -> None:
    with pytest.raises(SettingsError) as caught:
        made(tmp_path, settings(**more), data())
    assert problem in caught.value.problems


def test_data_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="file is there"):
        list(tables.tables(tmp_path))
    with pytest.raises(SettingsError, match="file is there"):
        list(tables.tables(tmp_path / "none.csv"))
    (tmp_path / "a.csv").write_text("age\n")
    with pytest.raises(SettingsError, match="no rows"):
        tables.sample(tables.tables(tmp_path))
    (tmp_path / "b.jsonl").write_text("{")
    with pytest.raises(SettingsError, match="several kinds"):
        list(tables.tables(tmp_path))
    (tmp_path / "c.parquet").write_text("nothing of the kind")
    with pytest.raises(SettingsError, match=r"c\.parquet"):
        list(tables.tables(tmp_path / "c.parquet"))


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"kind": "regression", "prediction": "score", "probabilities": []}, "the baseline is of a binary"),
        ({"input": {"columns": ["age", "height"]}}, "$.input.columns: the baseline has others"),
        ({"facets": [{"column": "ward", "values": ["a"]}]}, "has not counted ward=a"),
        ({"attributions": {"age": "score"}}, "the baseline has none of age"),
        ({"kind": "binary", "classes": ["0", "1", "2"]}, "$.classes: the baseline has others"),
        ({"probabilities": [], "prediction": "score"}, "$.probabilities: the baseline is otherwise"),
    ],
)
def test_a_baseline_of_something_else(tmp_path: Path, more: dict[str, Any], problem: str) -> None:
    path = tmp_path / "baseline.json"
    path.write_bytes(msgspec.json.encode(made(tmp_path, settings(), data())))
    with pytest.raises(SettingsError, match="schema mismatch") as caught:
        tables.load(path, settings(**more))
    assert any(problem in each for each in caught.value.problems)
    path.write_text(json.dumps({"version": 1}))
    with pytest.raises(SettingsError, match="no baseline"):
        tables.load(path, settings())
