"""`secure-ml prove`: what it prints, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from secure_ml_constructs.cli import main
from tests.unit.verification.proofs.questions.clinic import ACCOUNT, Clinic

pytestmark = pytest.mark.slow

CLINIC = Path(__file__).parent / "questions" / "clinic.yaml"
TRUSTED = {
    "organization": "o-abcdefghij",
    "role_paths": ["/clinic/"],
    "administrators": [f"arn:aws:iam::{ACCOUNT}:role/administrator"],
}


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "secure-ml.json"
    path.write_text(json.dumps({"proofs": TRUSTED, "trusted_accounts": [ACCOUNT]}))
    return str(path)


def prove(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["prove", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_sound_environment(capsys: pytest.CaptureFixture[str], config: str) -> None:
    code, out, err = prove(capsys, str(CLINIC), "--config", config)
    assert code == 0
    assert "outsider" in out
    assert "Needs an organization guardrail:" in out
    assert err == ""


def test_the_json_form(capsys: pytest.CaptureFixture[str], config: str) -> None:
    code, out, _ = prove(capsys, str(CLINIC), "--config", config, "--format", "json")
    found = json.loads(out)
    assert code == 0
    assert set(found["summary"]) == {"proved", "by-design", "needs-org-guardrail", "broken", "not-covered"}
    assert sum(found["summary"].values()) == len(found["answers"])
    fields = {"question", "adversary", "deed", "asset", "verdict", "counterexample", "because", "control"}
    assert all(set(answer) == fields for answer in found["answers"])
    assert {answer["adversary"] for answer in found["answers"]} == {
        "outsider",
        "stolen credentials",
        "insider",
        "compromised job",
        "confused deputy",
    }
    names = [answer["question"] for answer in found["answers"]]
    assert len(set(names)) == len(names)


def test_one_question_at_a_time(capsys: pytest.CaptureFixture[str], config: str) -> None:
    code, out, _ = prove(
        capsys, str(CLINIC), "--config", config, "--format", "json", "--question", "*/read/clinic/Secret"
    )
    answers = json.loads(out)["answers"]
    assert code == 0
    assert {answer["question"].partition("/")[2] for answer in answers} == {"read/clinic/Secret"}
    assert len(answers) == 5


def test_a_question_that_there_is_not(capsys: pytest.CaptureFixture[str], config: str) -> None:
    code, out, err = prove(capsys, str(CLINIC), "--config", config, "--question", "nobody/*")
    assert code == 2
    assert out == ""
    assert "no question is called nobody/*" in err


def template(tmp_path: Path, clinic: Clinic) -> str:
    path = tmp_path / "clinic.json"
    path.write_text(json.dumps(clinic.body))
    return str(path)


def test_a_broken_cell_is_told_and_ends_with_1(
    capsys: pytest.CaptureFixture[str], config: str, tmp_path: Path
) -> None:
    clinic = Clinic()
    clinic.drop("DataPolicy", "Versions")
    path = template(tmp_path, clinic)
    code, out, _ = prove(capsys, path, "--config", config)
    assert code == 1
    assert "insider/delete/clinic/Data/raw" in out
    assert "calls s3:DeleteObjectVersion on arn:aws:s3:::" in out
    code, out, _ = prove(capsys, path, "--config", config, "--format", "json")
    assert code == 1
    (broken, *_) = (each for each in json.loads(out)["answers"] if each["verdict"] == "broken")
    assert broken["counterexample"]["action"] == "s3:DeleteObjectVersion"
    assert broken["control"] == "D4"


def test_what_is_not_covered_ends_with_1_only_when_it_is_strict(
    capsys: pytest.CaptureFixture[str], config: str, tmp_path: Path
) -> None:
    clinic = Clinic()
    clinic["Training"]["ManagedPolicyArns"] = ["arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"]
    del clinic["Training"]["PermissionsBoundary"]
    path = template(tmp_path, clinic)
    question = ("--question", "stolen-credentials/*")
    assert prove(capsys, path, "--config", config, *question)[0] == 0
    code, out, _ = prove(capsys, path, "--config", config, "--strict", *question)
    assert code == 1
    assert "Not covered:" in out


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"proofs": {"organisation": "o-1"}}, "organisation"),
        ({"proofs": ["o-1"]}, "It is a mapping"),
    ],
)
def test_a_wrong_configuration(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, given: dict[str, Any], says: str
) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(given))
    code, out, err = prove(capsys, str(CLINIC), "--config", str(path))
    assert code == 2
    assert out == ""
    assert says in err


def test_input_that_can_not_be_read(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text('{"Resources": {')
    code, _, err = prove(capsys, str(path))
    assert code == 2
    assert "broken.json" in err


def test_check_takes_the_same_configuration(capsys: pytest.CaptureFixture[str], config: str) -> None:
    assert main(["check", str(CLINIC), "--config", config, "--severity", "fatal"]) in (0, 1)
    assert capsys.readouterr().err == ""
