"""The command that decides one request."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from secure_ml_constructs.cli import main

ROLE = "arn:aws:iam::111122223333:role/ml/training"
REQUEST = {
    "principal": ROLE,
    "action": "s3:GetObject",
    "resource": "arn:aws:s3:::lake/raw/a",
    "context": {"aws:ResourceAccount": "111122223333", "aws:SecureTransport": True},
}
ALLOW = {"Sid": "All", "Effect": "Allow", "Action": "*", "Resource": "*"}
DENY = {"Sid": "Shut", "Effect": "Deny", "Action": "s3:*", "Resource": "*"}


class Files:
    """Writes documents, and runs the command on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, request: Any = REQUEST, **documents: Any) -> int:
        arguments = ["--request", self.write("request", request)]
        for name, found in documents.items():
            for index, statement in enumerate(found):
                document = {"Version": "2012-10-17", "Statement": [statement]}
                arguments += [f"--{name}", self.write(f"{name}-{index}", document)]
        return main(["decide", *arguments, "--format", "json"])

    def write(self, name: str, value: Any) -> str:
        path = self.folder / f"{name}.json"
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        return str(path)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.mark.parametrize("kind", ["identity", "boundary", "session", "resource", "endpoint", "scp", "rcp"])
def test_each_kind_of_document_denies(files: Files, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    principal = {"Principal": "*"} if kind in ("resource", "endpoint", "rcp") else {}
    assert files.run(identity=[ALLOW]) == 0
    assert json.loads(capsys.readouterr().out)["statement"] == "All"
    given = {"identity": [ALLOW], kind: [{**ALLOW, **principal}, {**DENY, **principal}]}
    assert files.run(**given) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["decision"], answer["statement"]) == ("denied", "Shut")
    assert answer["document"].endswith(f"{kind}-1.json") or kind == "resource"
    # What allows everything stands in nobody's way.
    assert files.run(**{**given, kind: [{**ALLOW, **principal}]}) == 0


def test_parts_of_a_resource_policy_are_named_by_their_file(
    files: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    both = [{**ALLOW, "Principal": "*"}, {**DENY, "Principal": "*"}]
    assert files.run(resource=both) == 1
    assert json.loads(capsys.readouterr().out)["document"].endswith("resource-1.json")


def test_not_covered(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    statement = {**ALLOW, "Condition": {"StringEqual": {"aws:userid": "x"}}}
    assert files.run(identity=[statement]) == 2
    assert json.loads(capsys.readouterr().out)["decision"] == "not-covered"
    path = files.write("request", REQUEST)
    document = files.write("document", {"Statement": [statement]})
    assert main(["decide", "--request", path, "--identity", document]) == 2
    assert capsys.readouterr().out.startswith("not covered: ")
    assert main(["decide", "--request", path, "--identity", files.write("all", {"Statement": [ALLOW]})]) == 0
    assert "statement 'All'" in capsys.readouterr().out


@pytest.mark.parametrize(
    "request_",
    [
        "{",
        [],
        {"action": "s3:GetObject"},
        {**REQUEST, "resources": "*"},
        {**REQUEST, "action": "GetObject"},
        {**REQUEST, "principal": {"Robot": "x"}},
        {**REQUEST, "context": ["a"]},
        {**REQUEST, "context": {"aws:userid": {"Ref": "x"}}},
    ],
)
def test_unreadable_requests(files: Files, request_: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert files.run(request_, identity=[ALLOW]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "request.json" in captured.err


def test_unreadable_documents(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    assert files.run(identity=[{**ALLOW, "Effect": "Perhaps"}]) == 2
    assert "identity-0.json" in capsys.readouterr().err
    request = files.write("request", REQUEST)
    assert main(["decide", "--request", request, "--scp", str(files.folder / "none.json")]) == 2
    assert "none.json" in capsys.readouterr().err


def test_block_public_access(files: Files) -> None:
    request = files.write("request", {**REQUEST, "principal": None})
    document = {"Version": "2012-10-17", "Statement": [{**ALLOW, "Principal": "*"}]}
    arguments = ["decide", "--request", request, "--resource", files.write("public", document)]
    assert main(arguments) == 0
    assert main([*arguments, "--block-public-access"]) == 1


def test_the_help_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    assert "decide" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stopped:
        main(["decide", "--help"])
    assert stopped.value.code == 0
    assert "0 allowed, 1 denied" in capsys.readouterr().out


def test_a_request_is_needed() -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["decide"])
    assert stopped.value.code == 2


def test_it_loads_no_solver(files: Files) -> None:
    arguments = ["decide", "--request", files.write("request", REQUEST)]
    program = (
        "import sys; from secure_ml_constructs.cli import main;"
        f"main({arguments!r});"
        "print(sorted({'aws_cdk', 'z3', 'networkx'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert done.stdout.startswith("denied: ")
