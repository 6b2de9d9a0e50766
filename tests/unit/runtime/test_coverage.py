"""How much of the code that runs in AWS the tests run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.templates import ROOT

pytestmark = pytest.mark.deep

GOAL = 95
RUNTIME = ROOT / "secure_ml_constructs" / "runtime"
# Beside those of runtime/, what runs a function where its construct is tested.
SUITES = ("tests/unit/runtime",)


def test_nearly_every_line_and_branch_is_run(tmp_path: Path) -> None:
    run = [sys.executable, "-m", "coverage"]
    environment = {**os.environ, "COVERAGE_FILE": str(tmp_path / "data"), "COVERAGE_CORE": "ctrace"}
    chosen = ["--branch", f"--source={RUNTIME}", "-m", "pytest", "-q", "-p", "no:cacheprovider", *SUITES]
    deselected = ["--deselect", "tests/unit/runtime/test_coverage.py"]
    subprocess.run([*run, "run", *chosen, *deselected], cwd=ROOT, env=environment, check=True)
    report = tmp_path / "report.json"
    subprocess.run([*run, "json", "-o", report], cwd=ROOT, env=environment, check=True)
    files = json.loads(report.read_text())["files"]
    covered = {
        Path(name).as_posix(): round(each["summary"]["percent_covered"]) for name, each in files.items()
    }
    assert set(covered) == {path.relative_to(ROOT).as_posix() for path in RUNTIME.rglob("*.py")}
    assert {name: percent for name, percent in covered.items() if percent < GOAL} == {}
