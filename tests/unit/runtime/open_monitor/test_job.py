"""Weeks of a model in service: an undisturbed one, and one of each kind of trouble."""

from __future__ import annotations

import json
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
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


def test_the_job_runs_by_itself(tmp_path: Path) -> None:
    shutil.copytree(Path(job.__file__).parent, tmp_path / "open_monitor")
    (tmp_path / "config.json").write_text("{}")
    command = [sys.executable, "-m", "open_monitor", "monitor", "--config", "config.json", "--output", "."]
    done = subprocess.run(command, cwd=tmp_path, env={}, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "")
    assert "missing required field `kind`" in json.loads((tmp_path / "report.json").read_text())["reason"]
    for path in (tmp_path / "open_monitor").glob("*.py"):
        assert "secure_ml_constructs" not in path.read_text(), path.name


def test_the_module_exits_with_the_code_of_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told = ["open_monitor", "monitor", "--config", str(tmp_path / "none"), "--output", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", told)
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("secure_ml_constructs.runtime.open_monitor", run_name="__main__")
    assert caught.value.code == 1


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


def test_poisoned_inputs_are_told_by_their_range_and_their_share(tmp_path: Path) -> None:
    service = Service(worlds.cancer(), tmp_path)
    rows, _ = service.world.draw(WEEK, 4)
    place = service.world.names.index("worst_area")
    # A trigger: one request of eight carries a value that no patient has.
    rows[::8, place] = 3 * rows[:, place].max()
    report = service.run(worlds.captures(rows, service.world.score(rows)))
    assert {("above_range", "worst_area"), ("drift", "worst_area")} <= violated(report)
    found = checked(report, "above_range", "worst_area")
    assert (found["observed"], found["expected"]) == (1 / 8, 0)
    table = [[WEEK // 8, WEEK - WEEK // 8], [0, ACCEPTED]]
    exact = stats.fisher_exact(table, alternative="greater").pvalue
    assert found["probability"] == pytest.approx(exact)
    assert {each["subject"] for each in report["violations"] if each["metric"] == "drift"} == {"worst_area"}


def test_poisoned_labels_are_told_by_quality(tmp_path: Path) -> None:
    service = Service(worlds.cancer(), tmp_path)
    rows, truth = service.world.draw(WEEK, 5)
    truth = np.where(np.arange(WEEK) % 6 == 0, 1 - truth, truth)
    score = service.world.score(rows)
    report = service.run(worlds.captures(rows, score), worlds.labels(truth))
    assert violated(report) == {("accuracy", "quality"), ("auc", "quality"), ("f1", "quality")}
    found = report["quality"]["measures"]
    for name, measure in {
        "accuracy": lambda chosen: metrics.accuracy_score(truth[chosen], score[chosen] >= 0.5),
        "f1": lambda chosen: metrics.f1_score(truth[chosen], score[chosen] >= 0.5),
        "auc": lambda chosen: metrics.roc_auc_score(truth[chosen], score[chosen]),
    }.items():
        bounds = stats.bootstrap(
            (np.arange(WEEK),), measure, n_resamples=400, vectorized=False, rng=np.random.default_rng(0)
        )
        assert found[name]["error"] == pytest.approx(bounds.standard_error, rel=0.3), name
        assert found[name]["low"] == pytest.approx(bounds.confidence_interval.low, abs=0.01), name


def test_the_quality_of_numbers(tmp_path: Path) -> None:
    service = Service(worlds.progression(), tmp_path)
    rows, truth = service.world.draw(WEEK, 5)
    said = service.world.score(rows) + 60
    report = service.run(worlds.captures(rows, said), worlds.labels(truth))
    assert {("mae", "quality"), ("r2", "quality"), ("rmse", "quality")} <= violated(report)
    assert ("prediction_drift", "prediction") in violated(report)
    assert {name: each["value"] for name, each in report["quality"]["measures"].items()} == {
        "mae": pytest.approx(metrics.mean_absolute_error(truth, said)),
        "rmse": pytest.approx(metrics.root_mean_squared_error(truth, said)),
        "r2": pytest.approx(metrics.r2_score(truth, said)),
    }


def test_a_biased_week(tmp_path: Path) -> None:
    facets = [{"column": "sex", "above": 1.5, "disparate_impact": 0.8}]
    service = Service(worlds.severe(), tmp_path, facets=facets)
    rows, _ = service.world.draw(WEEK, 6)
    score, group = service.world.score(rows), rows[:, service.world.names.index("sex")] > 1.5
    fair = service.run(worlds.captures(rows, score))
    assert fair["violations"] == []
    # Every other one of the group loses what chance there was, and nothing in the requests tells.
    hit = group & (np.arange(WEEK) % 2 == 0)
    score[hit] = np.minimum(score[hit], 0.3)
    report = service.run(worlds.captures(rows, score))
    told = {("positive_rate_difference", "sex>1.5"), ("disparate_impact", "sex>1.5")}
    assert told <= violated(report)
    assert {metric for metric, _ in violated(report)} <= {"prediction_drift", "class_share", *dict(told)}
    yes = score >= 0.5
    difference = yes[group].mean() - yes[~group].mean()
    assert checked(report, "positive_rate_difference", "sex>1.5")["observed"] == pytest.approx(difference)
    impact = checked(report, "disparate_impact", "sex>1.5")
    assert impact["observed"] == pytest.approx(yes[group].mean() / yes[~group].mean())
    assert impact["observed"] < 0.8 < checked(fair, "disparate_impact", "sex>1.5")["observed"]


def as_json(world: World, rows: worlds.Floats, without: str = "", more: str = "") -> list[dict[str, Any]]:
    """Requests and answers in JSON with names."""
    lines = []
    for number, (row, score) in enumerate(zip(rows, world.score(rows), strict=True)):
        record = {name: float(value) for name, value in zip(world.names, row, strict=True) if name != without}
        if more:
            record[more] = 1.0
        request = worlds.payload(json.dumps({"instances": [record]}), "application/json", "JSON")
        said = json.dumps({"predictions": [{"score": float(score)}]})
        answer = worlds.payload(said, "application/json", "JSON", "OUTPUT")
        lines.append(worlds.capture(request, answer, f"event-{number}"))
    return lines


JSON = {"input": {"records": "instances"}, "output": {"records": "predictions"}}


def test_missing_and_extra_columns_are_named(tmp_path: Path) -> None:
    service = Service(worlds.cancer(), tmp_path, **JSON)
    rows, _ = service.world.draw(500, 7)
    assert service.run(as_json(service.world, rows))["violations"] == []
    report = service.run(as_json(service.world, rows, without="mean_area", more="mean_volume"))
    assert violated(report) == {("missing_column", "mean_area"), ("extra_column", "mean_volume")}
    assert {each["severity"] for each in report["violations"]} == {"high", "medium"}


def test_missing_values_are_told_and_a_few_are_not(tmp_path: Path) -> None:
    service = Service(worlds.cancer(), tmp_path)
    rows, _ = service.world.draw(WEEK, 8)
    score = service.world.score(rows)
    rows[:20, 3] = np.nan
    assert service.run(worlds.captures(rows, score))["violations"] == []
    rows[:100, 3] = np.nan
    assert violated(service.run(worlds.captures(rows, score))) == {("missing", service.world.names[3])}


def test_rows_that_lost_a_column_cannot_be_judged(tmp_path: Path) -> None:
    service = Service(worlds.cancer(), tmp_path)
    rows, _ = service.world.draw(500, 9)
    lines = worlds.captures(rows[:, 1:], service.world.score(rows))
    report = service.run(lines, code=1)
    assert report["status"] == "failed"
    assert report["reason"] == "schema mismatch: every row is a request of 29 values, not 30"
    whole = worlds.captures(rows, service.world.score(rows))
    report = service.run(whole + lines[:2])
    assert [(each["metric"], each["severity"]) for each in report["violations"]] == [("wrong_width", "low")]


def test_corrupt_lines_are_counted_and_located(tmp_path: Path) -> None:
    service = Service(worlds.cancer(), tmp_path)
    rows, _ = service.world.draw(500, 10)
    lines: list[Any] = [*worlds.captures(rows, service.world.score(rows))]
    lines[7:7] = ['{"captureData": {"endpointInput"', '{"eventVersion": "0"}', "patient Maier", ""]
    report = service.run(lines)
    assert report["rows"] == 500
    assert (report["damage"]["lines"], sum(report["damage"]["corrupt"].values())) == (503, 3)
    assert [each.split(":")[:2] for each in report["damage"]["examples"]] == [
        ["captures.jsonl", "8"],
        ["captures.jsonl", "9"],
        ["captures.jsonl", "10"],
    ]
    assert violated(report) == {("corrupt_lines", "captures")}
    assert "Maier" not in "".join(path.read_text() for path in (tmp_path / "out").iterdir())


def test_attributions_that_change_their_order_are_told(tmp_path: Path) -> None:
    world = worlds.severe()
    shown = {name: f"why.{name}" for name in world.names}
    columns = ["score", *shown.values()]
    folder = tmp_path / "made"
    folder.mkdir()

    class Explained(Service):
        def lines(self, rows: worlds.Floats, order: Sequence[int]) -> list[dict[str, Any]]:
            why = self.world.attributed(rows)[:, order]
            lines = worlds.captures(rows, self.world.score(rows))
            for line, score, row in zip(lines, self.world.score(rows), why, strict=True):
                line["captureData"]["endpointOutput"]["data"] = worlds.text([score, *row.tolist()])
            return lines

    rows, truth = world.draw(ACCEPTED, 1)
    table = world.table(rows, truth)
    why = world.attributed(rows)
    table = table.with_columns(pl.Series(shown[name], why[:, at]) for at, name in enumerate(world.names))
    settings = {**world.settings, "output": {"columns": columns}, "attributions": shown}
    service = Explained.__new__(Explained)
    service.world, service.folder, service.config = world, folder, folder / "config.json"
    service.config.write_text(json.dumps(settings))
    table.write_csv(folder / "data.csv")
    told = ["--config", service.config, "--data", folder / "data.csv", "--output", folder]
    assert job.main(["baseline", *map(str, told)]) == 0
    rows, _ = world.draw(WEEK, 11)
    same = list(range(len(world.names)))
    assert service.run(service.lines(rows, same))["violations"] == []
    report = service.run(service.lines(rows, same[::-1]))
    assert violated(report) == {("attribution_drift", "order of features")}
    before = np.abs(why).mean(axis=0)
    now = np.abs(world.attributed(rows)[:, ::-1]).mean(axis=0)
    exact = metrics.ndcg_score([before], [now])
    assert checked(report, "attribution_drift", "order of features")["observed"] == pytest.approx(exact)


def test_low_confidence_and_entropy(tmp_path: Path) -> None:
    service = Service(worlds.cancer(), tmp_path)
    rows, _ = service.world.draw(WEEK, 12)
    score = service.world.score(rows)
    # The same classes, and no longer sure of a third of them.
    unsure = np.arange(WEEK) % 3 == 0
    score[unsure] = np.where(score[unsure] >= 0.5, 0.55, 0.45)
    report = service.run(worlds.captures(rows, score))
    assert {("low_confidence", "prediction"), ("entropy", "prediction")} <= violated(report)
    assert "class_share" not in {metric for metric, _ in violated(report)}
    both = np.stack([score, 1 - score])
    assert checked(report, "low_confidence", "prediction")["observed"] == pytest.approx(
        (both.max(0) < 0.6).mean()
    )
    mean = stats.entropy(both, base=2, axis=0).mean()
    assert checked(report, "entropy", "prediction")["observed"] == pytest.approx(mean)


def test_a_class_that_jumps(tmp_path: Path) -> None:
    service = Service(worlds.cancer(), tmp_path)
    rows, _ = service.world.draw(WEEK, 13)
    score = service.world.score(rows)
    score[np.arange(WEEK) % 2 == 0] = 0.97
    report = service.run(worlds.captures(rows, score))
    assert {("class_share", "0"), ("class_share", "1"), ("prediction_drift", "class")} <= violated(report)
    assert checked(report, "class_share", "1")["observed"] == pytest.approx((score >= 0.5).mean())


def test_a_caller_who_asks_the_same_again_and_again(tmp_path: Path) -> None:
    service = Service(worlds.cancer(), tmp_path, caller="client")
    rows, _ = service.world.draw(WEEK, 14)
    lines = worlds.captures(rows, service.world.score(rows), customAttributes=["trace=1;client=ward-3"])
    assert service.run(lines)["violations"] == []
    die = np.random.default_rng(0)
    probe = rows[0] + die.normal(0, 0.01, (250, rows.shape[1])) * rows.std(axis=0)
    prober = worlds.captures(probe, service.world.score(probe), customAttributes="client=copyist,trace=2")
    report = service.run(lines + prober)
    assert ("alike_queries", "copyist") in violated(report)
    assert 100 <= checked(report, "alike_queries", "copyist")["observed"] <= 250
    # As many that are not alike are a busy caller.
    busy, _ = service.world.draw(250, 15)
    lines += worlds.captures(busy, service.world.score(busy), customAttributes="client=copyist,trace=2")
    assert service.run(lines)["violations"] == []


def test_what_makes_a_run_worthless_is_said(tmp_path: Path) -> None:
    service = Service(worlds.cancer(), tmp_path)
    assert service.run([], code=1)["reason"].startswith("no capture in ")
    assert service.run(["x"], code=1)["reason"] == "no capture can be read: no JSON"
    rows, _ = service.world.draw(200, 1)
    lines = worlds.captures(rows, service.world.score(rows))
    late = service.run(lines, (), "--until", "2026-03-05T00:00:00Z", code=1)
    assert late["reason"] == "no capture in the window, 200 outside it"
    assert service.run(lines, (), "--until", "2026-03-03T00:00:00Z")["rows"] == 200
    assert "--until" in service.run(lines, (), "--until", "yesterday", code=1)["reason"]
    (tmp_path / "baseline.json").unlink()
    assert service.run(lines, code=1)["reason"].startswith("no baseline")
    assert "Failed" in (tmp_path / "out" / "report.html").read_text().title()


def test_too_few_rows_are_not_judged(tmp_path: Path) -> None:
    service = Service(worlds.cancer(), tmp_path)
    rows, _ = service.world.draw(50, 1)
    report = service.run(worlds.captures(rows * 10, service.world.score(rows)))
    assert report["violations"] == []
    assert report["skipped"] == ["everything but damage: 50 rows are fewer than 100"]


def test_a_single_violation_is_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    service = Service(worlds.cancer(), tmp_path)
    rows, _ = service.world.draw(WEEK, 3)
    rows[:, 0] *= 1.3
    capsys.readouterr()
    report = service.run(worlds.captures(rows, service.world.score(rows)))
    assert report["status"] == "completed_with_violations"
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    whole = next(each for each in told if "Subject" not in each)
    assert (whole["Endpoint"], whole["Violations"], whole["Failed"], whole["Rows"]) == (
        "risk",
        len(report["violations"]),
        0,
        WEEK,
    )
    for line in told:
        [about] = line["_aws"]["CloudWatchMetrics"]
        assert all(isinstance(line[each["Name"]], int | float) for each in about["Metrics"])
        assert all(isinstance(line[name], str) for names in about["Dimensions"] for name in names)
    listed = json.loads((tmp_path / "out" / "violations.json").read_text())["violations"]
    assert listed == report["violations"]
    wanted = {"metric", "subject", "observed", "expected", "threshold", "severity", "probability"}
    assert all(wanted <= set(each) for each in listed)
