"""The command: what it prints where, how it ends, and what it does not load."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from secure_ml_constructs.cli import main
from secure_ml_constructs.verification.rules import pack
from secure_ml_constructs.verification.rules.acknowledgements import Acknowledgement, write_acknowledgements

TOPIC = {"Type": "AWS::SNS::Topic", "Properties": {"KmsMasterKeyId": "alias/aws/sns"}}
SUMMARY = ["files", "resources", "fatal", "error", "warning", "unresolved", "acknowledged"]
FINDING = ["rule", "severity", "control", "template", "logical_id", "resource_type", "path", "message", "fix"]


def write(folder: Path, name: str, resources: dict[str, Any]) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"Resources": resources}, indent=1))
    return str(path)


def notebook(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::SageMaker::NotebookInstance", "Properties": properties}


@pytest.fixture
def clean(tmp_path: Path) -> str:
    return write(tmp_path, "clean.json", {"Alias": {"Type": "AWS::KMS::Alias"}})


@pytest.fixture
def unsafe(tmp_path: Path) -> str:
    return write(tmp_path, "unsafe.json", {"Topic": TOPIC, "Notebook": notebook(KmsKeyId={"Ref": "Nothing"})})


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["check", *arguments])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_clean(clean: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, clean)
    assert (code, err) == (0, "")
    assert out == "1 files, 1 resources, 0 fatal, 0 error, 0 warning, 0 unresolved, 0 acknowledged\n"


def test_json(unsafe: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, unsafe, "--format", "json")
    found = json.loads(out)
    assert (code, err) == (1, "")
    assert list(found) == ["findings", "summary"]
    assert list(found["summary"]) == SUMMARY
    assert all(list(finding) == FINDING for finding in found["findings"])
    by_rule = {finding["rule"]: finding for finding in found["findings"]}
    topic = by_rule["SnsCustomerKey"]
    assert (topic["template"], topic["logical_id"], topic["path"]) == (unsafe, "Topic", "KmsMasterKeyId")
    assert topic["severity"] == "warning"
    assert by_rule["SageMakerNotebookNoRoot"]["severity"] == "error"
    unresolved = by_rule["SageMakerNotebookCustomerKey"]
    assert unresolved["severity"] == "error"
    summary = found["summary"]
    assert (summary["files"], summary["resources"], summary["unresolved"]) == (1, 2, 1)
    assert sum(summary[name] for name in ("fatal", "error", "warning", "unresolved")) == len(
        found["findings"]
    )


@pytest.mark.parametrize(("level", "code"), [("warning", 1), ("error", 0), ("fatal", 0)])
def test_severity_says_what_is_listed_and_what_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], level: str, code: int
) -> None:
    path = write(tmp_path, "t.json", {"Topic": TOPIC})
    ended, out, _ = run(capsys, path, "--severity", level, "--format", "json")
    assert ended == code
    assert bool(json.loads(out)["findings"]) == bool(code)


def test_table(unsafe: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, unsafe)
    assert code == 1
    assert out.startswith(f"{unsafe}\n")
    assert "Topic:6  warning  SnsCustomerKey (E3)" in out
    assert "Set KmsMasterKeyId to the ARN of a customer key." in out
    assert "unresolved  SageMakerNotebookCustomerKey" in out


def test_sarif(unsafe: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, unsafe, "--format", "sarif")
    (sarif,) = json.loads(out)["runs"]
    rules = sarif["tool"]["driver"]["rules"]
    assert code == 1
    for result in sarif["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning")
        (location,) = result["locations"]
        assert location["physicalLocation"]["region"]["startLine"] > 1
    topic = next(result for result in sarif["results"] if result["ruleId"] == "SnsCustomerKey")
    assert topic["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "Topic.KmsMasterKeyId"


def test_junit(unsafe: str, clean: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, unsafe, "--format", "junit")
    root = ElementTree.fromstring(out)
    (suite,) = root
    assert suite.get("name") == unsafe
    assert int(suite.get("failures", "0")) == len(list(suite.iter("failure"))) > 0
    _, out, _ = run(capsys, clean, "--format", "junit")
    assert not list(ElementTree.fromstring(out).iter("failure"))


@pytest.mark.parametrize(
    ("content", "said"),
    [("", "empty"), ('{"Resources": {\n"A": {', "broken.json:2: This is no JSON"), ("[1]", "no Resources")],
)
def test_what_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, said: str
) -> None:
    path = tmp_path / "broken.json"
    path.write_text(content)
    code, out, err = run(capsys, str(path), "--format", "json")
    assert (code, out) == (2, "")
    assert said in err
    assert str(path) in err


def test_nothing_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "/nowhere/at/all.json")[0] == 2


def test_what_is_skipped_is_told_beside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "t.json", {"Alias": {"Type": "AWS::KMS::Alias"}})
    (tmp_path / "package.json").write_text("{}")
    code, out, err = run(capsys, str(tmp_path), "--format", "json")
    assert code == 0
    assert json.loads(out)["findings"] == []
    assert "package.json" in err


def test_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, "t.json", {"Topic": TOPIC})
    config = tmp_path / "config.yaml"
    config.write_text("off: [SnsTlsOnly]\nseverities: {SnsCustomerKey: error}\n")
    _, out, _ = run(capsys, path, "--config", str(config), "--format", "json")
    assert [(f["rule"], f["severity"]) for f in json.loads(out)["findings"]] == [("SnsCustomerKey", "error")]


@pytest.mark.parametrize(
    "config",
    [
        "off: [NoSuchRule]",
        "nonsense: 1",
        "off: x",
        "severities: {SnsTlsOnly: loud}",
        "unresolved: {x: error}",
        "[]",
    ],
)
def test_settings_that_are_refused(
    clean: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], config: str
) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(config)
    code, out, err = run(capsys, clean, "--config", str(file))
    assert (code, out) == (2, "")
    assert str(file) in err


def test_acknowledgements_of_a_cdk_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bucket = {"Type": "AWS::S3::Bucket"}
    write(tmp_path, "main.template.json", {"Topic": TOPIC, "Bucket": bucket})
    stack = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "main.template.json"}}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"Main": stack}}))
    reason = "The topic carries nothing but build numbers."
    rules = ("SnsCustomerKey", "SnsTlsOnly", "S3BucketPublicAccessBlocked", "S3BucketVersioned")
    accepted = [
        Acknowledgement(
            rule=rule,
            template="main.template.json",
            logical_id="*",
            reason=reason,
            until="2001-01-01" if rule == "S3BucketVersioned" else "",
        )
        for rule in rules
    ]
    write_acknowledgements(tmp_path, accepted)
    _, out, _ = run(capsys, str(tmp_path), "--format", "json")
    found = json.loads(out)
    remaining = {finding["rule"] for finding in found["findings"]}
    assert found["summary"]["acknowledged"] == 2
    assert not remaining & {"SnsCustomerKey", "SnsTlsOnly"}
    # A fatal finding can't be accepted, and one that has expired is not.
    assert {"S3BucketPublicAccessBlocked", "S3BucketVersioned"} <= remaining
    _, out, _ = run(capsys, str(tmp_path))
    assert reason in out


def test_broken_acknowledgements(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "main.template.json", {"Topic": TOPIC})
    stack = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "main.template.json"}}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"Main": stack}}))
    (tmp_path / "secure-ml-acknowledgements.json").write_text('[{"rule": "x"}]')
    assert run(capsys, str(tmp_path))[0] == 2


def test_the_list_of_rules(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "--format", "json"]) == 0
    rules = {rule["id"]: rule for rule in json.loads(capsys.readouterr().out)}
    assert set(rules) == {rule.id for rule in pack()}
    isolation = rules["SageMakerModelNetworkIsolation"]
    assert isolation["standards"] == ["SageMaker.5"]
    assert {"id", "severity", "control", "resource_type", "title", "standards"} <= set(isolation)
    assert not rules["SageMakerModelPrivateRegistry"]["default"]
    assert main(["rules"]) == 0
    assert "SageMakerModelPrivateRegistry" in capsys.readouterr().out


def test_the_guard_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["guard"]) == 0
    text = capsys.readouterr().out
    assert "rule SageMakerModelNetworkIsolation when" in text
    assert main(["guard", "--list-untranslated"]) == 0
    left = capsys.readouterr().out.splitlines()
    assert any(line.startswith("SubnetIsolated: ") for line in left)
    assert len(left) + text.count("\nrule ") == len(pack())
    assert main(["guard", "--config", "/nowhere.yaml"]) == 2


def test_it_loads_nothing_heavy(unsafe: str) -> None:
    program = (
        "import sys; from secure_ml_constructs.cli import main;"
        f"main(['check', {unsafe!r}, '--format', 'json']);"
        "heavy = {'aws_cdk', 'jsii', 'constructs', 'z3', 'networkx', 'pydantic', 'rich', 'yaml', 'asyncio'};"
        "heavy.add('secure_ml_constructs.verification.proofs');"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
