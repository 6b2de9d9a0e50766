"""When a notebook instance stops itself: run against a Jupyter that answers as it is told."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from secure_ml_constructs.runtime import notebook_idle_stop
from secure_ml_constructs.studio.notebook import on_start

ARN = "arn:aws:sagemaker:eu-central-1:111122223333:notebook-instance/triage"


class Jupyter(HTTPServer):
    """What is open on the instance."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answerer)
        self.told: dict[str, Any] = {"/api/sessions": [], "/api/terminals": []}


class Answerer(BaseHTTPRequestHandler):
    server: Jupyter

    def do_GET(self) -> None:
        body = json.dumps(self.server.told[self.path]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def jupyter() -> Iterator[Jupyter]:
    server = Jupyter()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, jupyter: Jupyter) -> list[list[str]]:
    """The commands that it runs."""
    commands: list[list[str]] = []
    metadata, uptime = tmp_path / "metadata.json", tmp_path / "uptime"
    metadata.write_text(json.dumps({"ResourceArn": ARN, "ResourceName": "triage"}))
    uptime.write_text("90000.00 1.00\n")
    monkeypatch.setattr(notebook_idle_stop, "METADATA", str(metadata))
    monkeypatch.setattr(notebook_idle_stop, "UPTIME", str(uptime))
    monkeypatch.setattr(notebook_idle_stop, "JUPYTER", f"http://127.0.0.1:{jupyter.server_port}/api/")
    monkeypatch.setattr(subprocess, "run", lambda command, check: commands.append(command))
    return commands


def ago(minutes: float) -> str:
    return (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def kernel(minutes: float, state: str = "idle") -> dict[str, Any]:
    return {"kernel": {"execution_state": state, "last_activity": ago(minutes)}}


@pytest.mark.parametrize(
    # Made when they are asked for: the clock goes on between collecting a test and running it.
    ("told", "stops"),
    [
        (lambda: ([kernel(61)], []), True),
        (lambda: ([kernel(59)], []), False),
        (lambda: ([kernel(90), kernel(5)], []), False),
        (lambda: ([kernel(600, "busy")], []), False),
        (lambda: ([kernel(90)], [{"name": "1", "last_activity": ago(2)}]), False),
        (lambda: ([kernel(90)], [{"name": "1", "last_activity": ago(70)}]), True),
        (lambda: ([], [{"name": "1"}]), True),
        (lambda: ([], []), True),
    ],
)
def test_it_stops_when_nothing_has_happened_for_as_long_as_it_says(
    jupyter: Jupyter, stopped: list[list[str]], told: Callable[[], tuple[list[Any], list[Any]]], stops: bool
) -> None:
    sessions, terminals = told()
    jupyter.told = {"/api/sessions": sessions, "/api/terminals": terminals}
    notebook_idle_stop.main(60)
    command = "aws sagemaker stop-notebook-instance --region eu-central-1 --notebook-instance-name triage"
    assert stopped == ([command.split()] if stops else [])


def test_one_that_has_just_started_is_left_on(
    stopped: list[list[str]], jupyter: Jupyter, tmp_path: Path
) -> None:
    (tmp_path / "uptime").write_text("120.00 1.00\n")
    # A volume that was stopped for the night remembers yesterday's activity.
    jupyter.told["/api/sessions"] = [kernel(900)]
    notebook_idle_stop.main(60)
    assert stopped == []


def test_a_jupyter_that_does_not_answer_is_no_idle_one(
    stopped: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notebook_idle_stop, "JUPYTER", "http://127.0.0.1:9/api/")
    with pytest.raises(OSError, match="refused"):
        notebook_idle_stop.main(60)
    assert stopped == []


def test_the_script_is_shell_and_holds_the_program(tmp_path: Path) -> None:
    script = on_start(45)
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    program = script.split("<<'PROGRAM'\n")[1].split("PROGRAM\n")[0]
    compile(program, "stop-when-idle.py", "exec")
    assert program == Path(notebook_idle_stop.__file__).read_text()
    assert script.rstrip().endswith("stop-when-idle.py 45")
    # SageMaker: OnStart, at most 16,384 characters in base64.
    assert len(script) * 4 / 3 < 16_384
