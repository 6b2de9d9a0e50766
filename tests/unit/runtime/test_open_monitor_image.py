"""The build of OpenMonitor's image, run with stand-ins for AWS, Docker and pip."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.templates import ROOT

SCRIPT = ROOT / "secure_ml_constructs" / "runtime" / "open_monitor_image" / "build.sh"
REGISTRY = "111122223333.dkr.ecr.eu-central-1.amazonaws.com"
BASE = f"222233334444.dkr.ecr.eu-central-1.amazonaws.com/python@sha256:{'0' * 64}"
ENVIRONMENT = {
    "BASE": BASE,
    "BUILD_NUMBER": "7",
    "PACKAGES_DOMAIN": "packages-1",
    "PACKAGES_INDEX": "packages-1.d.codeartifact.eu-central-1.amazonaws.com/pypi/packages/simple/",
    "REPOSITORY": "monitor",
    "REPOSITORY_URI": f"{REGISTRY}/monitor",
    "SCAN_WAIT_SECONDS": "0",
    "TAG": "0a1b2c3d",
}
# Each writes down what it was called with; `aws` answers from files that the test fills.
STANDINS = {
    "aws": """
echo "aws $*" >> "$CALLS"
case "$2" in
  describe-images) [[ -e "$ANSWERS/released" ]] ;;
  get-authorization-token) echo token ;;
  get-login-password) echo password ;;
  describe-image-scan-findings)
    if [[ "$*" == *Status* ]]; then
      line="$(head -1 "$ANSWERS/statuses")"
      if [[ "$(wc -l < "$ANSWERS/statuses")" -gt 1 ]]; then sed -i 1d "$ANSWERS/statuses"; fi
      if [[ "$line" == none ]]; then exit 254; fi
      echo "$line"
    else
      cat "$ANSWERS/critical"
    fi ;;
  batch-get-image) echo manifest ;;
  put-image) [[ ! -e "$ANSWERS/faster" ]] || { touch "$ANSWERS/released"; exit 254; } ;;
esac
""",
    "docker": 'echo "docker $*" >> "$CALLS"; [[ "$1" != login ]] || [[ "$(cat)" == password ]]',
    "python3": 'echo "python3 $* index=$PIP_INDEX_URL" >> "$CALLS"',
}


@dataclass(frozen=True)
class Outcome:
    code: int
    said: str
    calls: list[str]

    def called(self, start: str) -> list[str]:
        return [each for each in self.calls if each.startswith(start)]


def run(folder: Path, *, statuses: str = "COMPLETE", critical: str = "0", **there: bool) -> Outcome:
    tools, answers, calls = folder / "bin", folder / "answers", folder / "calls"
    for each in (tools, answers):
        each.mkdir()
    for name, text in STANDINS.items():
        (tools / name).write_text(f"#!/usr/bin/env bash\n{text}")
        (tools / name).chmod(0o755)
    (answers / "statuses").write_text(statuses.replace(" ", "\n") + "\n")
    (answers / "critical").write_text(critical + "\n")
    for name in there:
        (answers / name).touch()
    calls.touch()
    done = subprocess.run(
        ["bash", str(SCRIPT)],
        cwd=folder,
        env={
            **ENVIRONMENT,
            "ANSWERS": str(answers),
            "CALLS": str(calls),
            "PATH": f"{tools}:{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    return Outcome(done.returncode, done.stdout + done.stderr, calls.read_text().splitlines())


def test_it_builds_scans_and_gives_the_tag(tmp_path: Path) -> None:
    done = run(tmp_path, statuses="none IN_PROGRESS COMPLETE")
    assert done.code == 0, done.said
    (download,) = done.called("python3 -m pip download")
    assert "--require-hashes" in download
    assert "--only-binary :all:" in download
    assert f"index=https://aws:token@{ENVIRONMENT['PACKAGES_INDEX']}" in download
    (build,) = done.called("docker build")
    assert "--network none" in build
    assert f"BASE={BASE}" in build
    assert "token" not in build
    (push,) = done.called("docker push")
    assert push.endswith(f"{REGISTRY}/monitor:candidate-0a1b2c3d-7")
    assert [each.split()[-1] for each in done.called("docker login")] == [REGISTRY, BASE.partition("/")[0]]
    (put,) = done.called("aws ecr put-image")
    assert "--image-tag 0a1b2c3d --image-manifest manifest" in put
    order = [each.split()[1] + each.split()[2] for each in done.calls if "scan" in each or "put-" in each]
    assert order[-1] == "ecrput-image"


def test_what_is_there_is_not_built_again(tmp_path: Path) -> None:
    done = run(tmp_path, released=True)
    assert done.code == 0
    assert [each.split()[0] for each in done.calls] == ["aws"]


def test_critical_vulnerabilities_get_no_tag(tmp_path: Path) -> None:
    done = run(tmp_path, critical="2")
    assert done.code == 1
    assert "found 2 critical vulnerabilities" in done.said
    assert done.called("aws ecr put-image") == []


@pytest.mark.parametrize("statuses", ["FAILED", "UNSUPPORTED_IMAGE", "PENDING", "none"])
def test_what_is_not_scanned_gets_no_tag(tmp_path: Path, statuses: str) -> None:
    done = run(tmp_path, statuses=statuses)
    assert done.code == 1
    assert "was not scanned" in done.said
    assert done.called("aws ecr put-image") == []


def test_continuous_scanning_counts(tmp_path: Path) -> None:
    assert run(tmp_path, statuses="ACTIVE").code == 0


def test_another_build_may_be_faster(tmp_path: Path) -> None:
    assert run(tmp_path, faster=True).code == 0


@pytest.mark.parametrize("missing", sorted(set(ENVIRONMENT) - {"SCAN_WAIT_SECONDS"}))
def test_nothing_is_done_half_where_it_was_not_told(
    tmp_path: Path, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(ENVIRONMENT, missing)
    done = run(tmp_path)
    assert done.code != 0
    assert done.called("aws ecr put-image") == []
