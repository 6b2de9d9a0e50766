"""Settings that are refused, each with its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from secure_ml_constructs.runtime.open_monitor.settings import SettingsError, read

GOOD = {"kind": "binary", "prediction": "said", "output": {"columns": ["said"]}}


def refused(tmp_path: Path, told: Any) -> list[str]:
    """What is said against settings."""
    path = tmp_path / "config.json"
    path.write_text(told if isinstance(told, str) else json.dumps(told))
    with pytest.raises(SettingsError) as caught:
        read(path)
    return [problem.removeprefix(f"{path}: ") for problem in caught.value.problems]


def test_the_least_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(GOOD))
    assert read(path).limits.false_alarm_rate == 0.01


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"kind": "ranking"}, "Invalid enum value 'ranking' - at `$.kind`"),
        ({"treshold": 1}, "Object contains unknown field `treshold`"),
        ({"prediction": ""}, "$.prediction: name the output's column of predictions or of `probabilities`"),
        ({"kind": "regression", "prediction": ""}, "$.prediction: a regression needs it"),
        ({"kind": "regression", "probabilities": ["said"]}, "$.probabilities: a regression has none"),
        ({"classes": ["1"]}, "$.classes: name two or more, each once"),
        ({"classes": ["0", "1", "2"]}, "$.classes: a binary model has two"),
        ({"positive": "yes"}, "$.positive: 'yes' is none of the classes"),
        (
            {"kind": "multiclass", "classes": ["0", "1", "2"], "probabilities": ["said"]},
            "$.probabilities: name a column for each class",
        ),
        ({"prediction": "other"}, "$.output.columns: other is not among them"),
        ({"facets": [{"column": "sex"}]}, "$.facets[0]: give either `values` or `above`"),
        (
            {"facets": [{"column": "sex", "values": ["f"]}], "ignore": ["sex"]},
            "$.facets[0].column: sex is ignored",
        ),
        ({"limits": {"drift": 0}}, "$.limits.drift: 0.0 is not between 0 and 1"),
        ({"limits": {"false_alarm_rate": 1}}, "$.limits.false_alarm_rate: 1.0 is not between 0 and 1"),
        ({"limits": {"alike": 0}}, "$.limits.alike: 0 is not 1 or more"),
    ],
)
def test_bad_settings(tmp_path: Path, changed: dict[str, Any], problem: str) -> None:
    assert problem in refused(tmp_path, {**GOOD, **changed})


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    assert len(refused(tmp_path, {**GOOD, "positive": "yes", "limits": {"drift": 2, "bias": -1}})) == 3


def test_files_that_are_not_there_or_no_json(tmp_path: Path) -> None:
    assert "truncated" in refused(tmp_path, "{")[0]
    with pytest.raises(SettingsError, match="No such file"):
        read(tmp_path / "none.json")
