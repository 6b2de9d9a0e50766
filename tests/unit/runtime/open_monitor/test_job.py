"""Weeks of a model in service: an undisturbed one, and one of each kind of trouble."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from secure_ml_constructs.runtime.open_monitor import job
from tests.unit.runtime.open_monitor import worlds
from tests.unit.runtime.open_monitor.worlds import World

pytestmark = pytest.mark.slow

ACCEPTED, WEEK = 5000, 2000


class Service:
    """A model in service: its baseline, and a folder for what it captures."""

    def __init__(self, world: World, folder: Path, **more: Any) -> None:
        """Accept it."""
        self.world, self.folder = world, folder
        self.config = folder / "config.json"
        self.config.write_text(json.dumps({**world.settings, "endpoint": "risk", **more}))
        self.rows, self.truth = world.draw(ACCEPTED, 1)
        world.table(self.rows, self.truth).write_csv(folder / "data.csv")
        told = ["--config", self.config, "--data", folder / "data.csv", "--output", folder]
        assert job.main(["baseline", *map(str, told)]) == 0

    def run(
        self, lines: Sequence[Any], labels: Sequence[Any] = (), *more: str, code: int = 0
    ) -> dict[str, Any]:
        """Watch a week, and give the report."""
        worlds.write(self.folder / "captures" / "2026" / "captures.jsonl", lines)
        worlds.write(self.folder / "labels" / "labels.jsonl", labels)
        told = ["--config", self.config, "--baseline", self.folder / "baseline.json"]
        told += ["--captures", self.folder / "captures", "--labels", self.folder / "labels"]
        assert job.main(["monitor", *map(str, told), "--output", str(self.folder / "out"), *more]) == code
        report: dict[str, Any] = json.loads((self.folder / "out" / "report.json").read_text())
        return report


def violated(report: dict[str, Any]) -> set[tuple[str, str]]:
    """What is violated, and of what."""
    return {(each["metric"], each["subject"]) for each in report["violations"]}


def checked(report: dict[str, Any], metric: str, subject: str) -> dict[str, Any]:
    """One comparison."""
    [found] = [each for each in report["checks"] if (each["metric"], each["subject"]) == (metric, subject)]
    checked: dict[str, Any] = found
    return checked


WORLDS: list[Callable[[], World]] = [worlds.cancer, worlds.progression, worlds.severe]


@pytest.mark.parametrize("world", WORLDS)
def test_an_undisturbed_week_raises_nothing(world: Callable[[], World], tmp_path: Path) -> None:
    service = Service(world(), tmp_path)
    rows, truth = service.world.draw(WEEK, 2)
    report = service.run(worlds.captures(rows, service.world.score(rows)), worlds.labels(truth))
    assert (report["status"], report["violations"], report["skipped"]) == ("completed", [], [])
    assert report["rows"] == report["quality"]["matched"] == WEEK


def test_a_drifted_week_is_told_feature_by_feature(tmp_path: Path) -> None:
    service = Service(worlds.cancer(), tmp_path)
    rows, _ = service.world.draw(WEEK, 3)
    place = service.world.names.index("mean_texture")
    rows[:, place] += 0.5 * rows[:, place].std()
    report = service.run(worlds.captures(rows, service.world.score(rows)))
    assert violated(report) == {("drift", "mean_texture")}
    exact = stats.ks_2samp(service.rows[:, place], rows[:, place])
    found = checked(report, "drift", "mean_texture")
    # Known at 127 steps of the baseline, each of which holds less than a hundredth.
    assert exact.statistic - 0.01 <= found["observed"] <= exact.statistic
    assert found["probability"] == pytest.approx(
        stats.kstwobign.sf(found["observed"] * np.sqrt(ACCEPTED * WEEK / (ACCEPTED + WEEK)))
    )


def test_the_job_imports_nothing_of_ours() -> None:
    for name, module in list(sys.modules.items()):
        if name.startswith("secure_ml_constructs.runtime.open_monitor"):
            source = Path(str(module.__file__)).read_text()
            assert "secure_ml_constructs" not in source, name


def test_quality_is_that_of_scikit_learn(tmp_path: Path) -> None:
    service = Service(worlds.cancer(), tmp_path)
    rows, truth = service.world.draw(WEEK, 2)
    score = service.world.score(rows)
    report = service.run(worlds.captures(rows, score), worlds.labels(truth))
    found = {name: each["value"] for name, each in report["quality"]["measures"].items()}
    assert found == {
        "accuracy": pytest.approx(metrics.accuracy_score(truth, score >= 0.5)),
        "f1": pytest.approx(metrics.f1_score(truth, score >= 0.5)),
        "auc": pytest.approx(metrics.roc_auc_score(truth, score), abs=1e-4),
    }
