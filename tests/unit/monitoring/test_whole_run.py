"""A whole run: what the state machine asks of SageMaker, done here on real data by the job itself."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from secure_ml_constructs.monitoring import (
    Baseline,
    Bias,
    Facet,
    Layout,
    ModelQuality,
    ModelSchema,
    OpenMonitor,
    Schedule,
)
from secure_ml_constructs.monitoring.metrics import NAMESPACE, SubjectMetric, WatchMetric
from secure_ml_constructs.runtime.open_monitor import job
from tests.support.templates import World, new_app, synth
from tests.support.workflows import Workflows
from tests.unit.monitoring import watches
from tests.unit.monitoring.plans import ENDPOINT
from tests.unit.runtime.open_monitor import worlds

pytestmark = pytest.mark.slow

MODEL = worlds.severe()
TOLD: dict[str, Any] = {
    "schema": ModelSchema.binary(probability="score", request=Layout(columns=MODEL.names)),
    "baseline": Baseline.of_dataset(zone="curated", path="severe/baseline.csv", label="outcome"),
    "model_quality": ModelQuality(ground_truth="labels/severe/", after_hours=0),
    "bias": Bias(facets=[Facet(column="sex", above=1.5)]),
    "schedule": Schedule.daily(),
}
WEEK = 1500


class Run:
    """A lake in a folder, and SageMaker that brings its objects to the job."""

    def __init__(self, folder: Path, workflows: Workflows, monkeypatch: pytest.MonkeyPatch) -> None:
        app = new_app()
        watches.watch(app, OpenMonitor(image=watches.GIVEN), **TOLD)
        machine = World(synth(app)).one("AWS::StepFunctions::StateMachine")
        self.states = json.loads(machine.properties["DefinitionString"])["States"]
        self.lake, self.root, self.workflows = folder / "lake", folder / "processing", workflows
        monkeypatch.setattr(job, "ROOT", self.root)
        time = {"states": {"input": {"time": "2026-03-03T02:20:00Z"}}}
        self.variables = workflows.evaluate(self.states["Window"]["Assign"], time)

    def put(self, path: str, lines: list[Any]) -> None:
        """Write an object of the lake."""
        worlds.write(self.lake / path, lines)

    def _place(self, uri: str) -> Path:
        found = re.fullmatch(r"s3://[^/]+/(.+)", uri)
        assert found
        return self.lake / found[1]

    def _local(self, path: str) -> Path:
        return self.root / Path(path).relative_to("/opt/ml/processing")

    def do(self, state: str) -> int:
        """Do what a step asks for, as a processing job is done."""
        asked = self.workflows.evaluate(self.states[state]["Arguments"], self.variables)
        shutil.rmtree(self.root, ignore_errors=True)
        for each in asked["ProcessingInputs"]:
            source, target = self._place(each["S3Input"]["S3Uri"]), self._local(each["S3Input"]["LocalPath"])
            if source.is_file():
                target.mkdir(parents=True)
                shutil.copy(source, target)
            else:
                shutil.copytree(source, target)
        entry = asked["AppSpecification"]
        assert entry["ContainerEntrypoint"] == ["python3", "-m", "open_monitor"]
        code = job.main(entry["ContainerArguments"])
        [output] = asked["ProcessingOutputConfig"]["Outputs"]
        target = self._place(output["S3Output"]["S3Uri"])
        shutil.copytree(self._local(output["S3Output"]["LocalPath"]), target, dirs_exist_ok=True)
        return code

    def report(self, kind: str) -> dict[str, Any]:
        """The report of the window, which began on the second of March."""
        place = f"output/monitoring/{ENDPOINT.name}/{kind}/2026/03/02/00/report.json"
        found: dict[str, Any] = json.loads((self.lake / place).read_text())
        return found


@pytest.fixture(scope="module")
def workflows() -> Iterator[Workflows]:
    process = Workflows()
    yield process
    process.close()


@pytest.fixture
def run(tmp_path: Path, workflows: Workflows, monkeypatch: pytest.MonkeyPatch) -> Run:
    made = Run(tmp_path, workflows, monkeypatch)
    rows, truth = MODEL.draw(5000, 1)
    (made.lake / "curated/severe").mkdir(parents=True)
    MODEL.table(rows, truth).write_csv(made.lake / "curated/severe/baseline.csv")
    assert made.do("MakeBaseline") == 0
    return made


def fill(run: Run, shift: float = 0.0) -> None:
    rows, truth = MODEL.draw(WEEK, 2)
    rows[:, 2] += shift
    captures = f"output/captures/{ENDPOINT.name}/main"
    run.put(f"{captures}/2026/03/02/10/captures.jsonl", worlds.captures(rows, MODEL.score(rows)))
    # Of another day, and of another endpoint.
    run.put(f"{captures}/2026/03/01/10/captures.jsonl", ["no capture"])
    run.put("output/captures/another/main/2026/03/02/10/captures.jsonl", ["no capture"])
    run.put("output/labels/severe/2026/03/02/10/labels.jsonl", worlds.labels(truth))


def test_an_undisturbed_day(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    fill(run)
    capsys.readouterr()
    assert run.do("Watch") == 0
    report = run.report("reports")
    assert (report["status"], report["rows"], report["violations"]) == ("completed", WEEK, [])
    assert run.do("Measure") == 0
    assert run.report("quality")["quality"]["matched"] == WEEK
    names = {each.value for each in (*WatchMetric, *SubjectMetric)}
    told: dict[str, Any] = {}
    for line in capsys.readouterr().out.splitlines():
        values = json.loads(line)
        [about] = values.pop("_aws")["CloudWatchMetrics"]
        assert about["Namespace"] == NAMESPACE
        assert values["Endpoint"] == ENDPOINT.name
        told |= values
    # What alarms and dashboards read is what the job tells.
    assert {"Completed", "QualityCompleted", "Failed", "HighViolations", "Violations"} <= set(told)
    assert {"LowConfidenceShare", "MeanEntropy", "AlikeQueries", "ClassShare", "Drift"} <= set(told)
    assert {"Accuracy", "Auc", "F1", "LargestDrift", "PositiveRateDifference"} <= set(told) & names
    assert (told["Completed"], told["QualityCompleted"], told["Failed"]) == (1, 1, 0)


def test_a_drifted_day_is_told(run: Run) -> None:
    fill(run, shift=8.0)
    assert run.do("Watch") == 0
    assert ("drift", "bmi") in {
        (each["metric"], each["subject"]) for each in run.report("reports")["violations"]
    }


def test_another_schema_fails(run: Run) -> None:
    rows, _ = MODEL.draw(200, 2)
    lines = worlds.captures(rows[:, :5], MODEL.score(rows))
    run.put(f"output/captures/{ENDPOINT.name}/main/2026/03/02/10/captures.jsonl", lines)
    assert run.do("Watch") == 1
    assert "schema mismatch" in run.report("reports")["reason"]
