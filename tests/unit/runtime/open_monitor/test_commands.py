"""How a processing job calls it: settings as arguments, and quality on its own when the truth came late."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from secure_ml_constructs.runtime.open_monitor import job
from tests.unit.runtime.open_monitor import worlds
from tests.unit.runtime.open_monitor.test_job import WEEK, Service, violated


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The metrics of the whole."""
    found: dict[str, Any] = {}
    for line in capsys.readouterr().out.splitlines():
        if "Subject" not in (values := json.loads(line)):
            found |= values
    return found


def test_settings_come_in_pieces(tmp_path: Path) -> None:
    world = worlds.severe()
    text = json.dumps({**world.settings, "endpoint": "risk", "threshold": 0.5})
    rows, truth = world.draw(500, 1)
    world.table(rows, truth).write_csv(tmp_path / "data.csv")
    where = ["--data", str(tmp_path / "data.csv"), "--output", str(tmp_path)]
    # Whatever a piece begins with.
    cut = text.index('"threshold"')
    for pieces in ([text], [text[:cut], text[cut:]], [*text]):
        assert job.main(["baseline", *where, "--settings", *pieces]) == 0
        assert (tmp_path / "baseline.json").exists()
        (tmp_path / "baseline.json").unlink()


def test_a_piece_may_begin_with_a_dash(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begin = '{"kind":"binary","prediction":"prediction","label":"'
    pieces = [begin, "--until", '","endpoint":"', "-1", '"}']
    assert job.main(["monitor", "--output", str(tmp_path), "--settings", *pieces]) == 1
    # It came as far as the baseline, which is not there.
    assert told(capsys)["Endpoint"] == "-1"
    assert "no baseline" in json.loads((tmp_path / "report.json").read_text())["reason"]


def test_settings_that_are_none_fail_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert job.main(["measure", "--output", str(tmp_path), "--settings", '{"kind":', '"ternary"}']) == 1
    assert "--settings" in json.loads((tmp_path / "report.json").read_text())["reason"]
    assert told(capsys)["QualityCompleted"] == 0


def test_a_baseline_is_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = worlds.severe()
    rows, truth = world.draw(500, 1)
    world.table(rows, truth).write_csv(tmp_path / "data.csv")
    where = ["--output", str(tmp_path), "--data"]
    settings = json.dumps(world.settings)
    assert job.main(["baseline", *where, str(tmp_path / "data.csv"), "--settings", settings]) == 0
    assert told(capsys) == {}
    assert job.main(["baseline", *where, str(tmp_path / "nowhere.csv"), "--settings", settings]) == 1
    assert told(capsys)["Failed"] == 1


@pytest.mark.slow
class TestMeasure:
    """The command for windows whose truth came later."""

    def measure(self, service: Service, *more: str) -> tuple[int, dict[str, Any]]:
        out = service.folder / "measured"
        arguments = {
            "config": service.config,
            "baseline": service.folder / "baseline.json",
            "captures": service.folder / "captures",
            "labels": service.folder / "labels",
            "output": out,
        }
        flags = [text for name, path in arguments.items() for text in (f"--{name}", str(path))]
        code = job.main(["measure", *flags, *more])
        return code, json.loads((out / "report.json").read_text())

    def test_it_says_of_quality_what_the_whole_says(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        service = Service(worlds.cancer(), tmp_path)
        rows, truth = service.world.draw(WEEK, 2)
        # Half of the answers were given for others' rows.
        scores = service.world.score(rows)
        scores[: WEEK // 2] = scores[: WEEK // 2][::-1]
        whole = service.run(worlds.captures(rows, scores), worlds.labels(truth))
        capsys.readouterr()
        code, report = self.measure(service)
        assert code == 0
        assert report["quality"] == whole["quality"]
        assert {subject for _, subject in violated(report)} == {"quality"}
        assert violated(report) == {each for each in violated(whole) if each[1] == "quality"}
        metrics = told(capsys)
        assert metrics["QualityCompleted"] == 1
        # Drift was told of this window before, and is not told again.
        assert not {"Completed", "LargestDrift", "LowConfidenceShare"} & set(metrics)

    def test_without_truth_it_is_worth_nothing(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        service = Service(worlds.cancer(), tmp_path)
        rows, truth = service.world.draw(200, 2)
        service.run(worlds.captures(rows, service.world.score(rows)), worlds.labels(truth))
        (service.folder / "labels" / "labels.jsonl").write_text("")
        capsys.readouterr()
        code, report = self.measure(service)
        assert code == 1
        assert "no label met a prediction" in report["reason"]
        assert (told(capsys)["Failed"], report["status"]) == (1, "failed")
