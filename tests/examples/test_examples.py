"""Every program under examples/ is synthesized, judged by the packs and run as it stands."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

import aws_cdk as cdk
import pytest

from secure_ml_constructs.testing import answers
from secure_ml_constructs.verification.proofs.questions import Verdict
from tests.support.compliance import findings
from tests.support.templates import ROOT, new_app

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_has_no_finding(path: Path) -> None:
    build = runpy.run_path(str(path))["build"]
    stacks: list[cdk.Stack] = []
    assert findings(lambda app: stacks.append(build(app))) == []
    assert isinstance(stacks[0], cdk.Stack)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_nothing_is_broken_in_an_example(path: Path) -> None:
    app = new_app()
    runpy.run_path(str(path))["build"](app)
    broken = [answer for answer in answers(app) if answer.verdict is Verdict.BROKEN]
    assert [f"{answer.question}: {answer.because}" for answer in broken] == []


@pytest.mark.deep
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_as_a_program(path: Path, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, path],
        cwd=tmp_path,
        env={**os.environ, "CDK_OUTDIR": str(tmp_path / "out"), "PYTHONPATH": str(ROOT)},
        check=True,
        stdin=subprocess.DEVNULL,
    )
    assert list((tmp_path / "out").rglob("*.template.json"))
