"""What only whole processes show: the same bytes each time, and the exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.templates import ROOT, cdk_context
from tests.unit.environment.test_environment import NAMES


def test_the_same_configuration_gives_the_same_bytes(tmp_path: Path) -> None:
    """Two processes, two folders, two hash seeds."""

    def synthesize(name: str, seed: str) -> dict[str, bytes]:
        out = tmp_path / name
        program = (
            "from tests.support.templates import new_app\n"
            "from tests.unit.environment.test_environment import environment\n"
            "app = new_app(); environment(app); app.synth()\n"
        )
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "CDK_OUTDIR": str(out), "PYTHONHASHSEED": seed},
            check=True,
        )
        return {path.name: path.read_bytes() for path in sorted(out.rglob("*.template.json"))}

    first, second = synthesize("first", "1"), synthesize("second", "2")
    assert list(first) == [f"{path}.template.json" for path in sorted(name[:-14] for name in first)]
    assert len(first) == len(NAMES)
    assert first == second


def test_the_process_of_an_unsafe_app_exits_with_one(tmp_path: Path) -> None:
    program = tmp_path / "app.py"
    program.write_text(
        "import aws_cdk as cdk\n"
        "from aws_cdk import aws_s3 as s3\n"
        "from secure_ml_constructs.enforcement import enforce\n"
        "app = cdk.App()\n"
        "checks = enforce(app)\n"
        "s3.Bucket(cdk.Stack(app, 'Stack'), 'Bucket')\n"
        "checks.synth()\n"
    )
    done = subprocess.run([sys.executable, program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "AwsSolutions-S10" in done.stderr


def test_the_reference_environment_passes_every_check_there_is(tmp_path: Path) -> None:
    """As `make synth` runs it, CloudFormation's own validation among the checks."""
    done = subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env={
            **os.environ,
            "CDK_OUTDIR": str(tmp_path / "cdk.out"),
            "CDK_CONTEXT_JSON": json.dumps(cdk_context()),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "CloudFormation-Validate::" not in done.stdout + done.stderr
