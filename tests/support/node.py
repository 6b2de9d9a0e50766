"""A script of Node that answers questions, one a line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


class NodeProcess:
    """The script's process; questions go in and answers come out, one a line.

    Args:
        script: The script's name, beside this file.
    """

    def __init__(self, script: str) -> None:
        node = os.environ.get("JSII_NODE") or shutil.which("node")
        assert node, "no node: run the tests through make"
        self._process = subprocess.Popen(
            [node, str(Path(__file__).with_name(script))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=10)

    def ask(self, question: Mapping[str, Any] | str) -> dict[str, Any]:
        """Put a question, as JSON or as the text of it, and give the answer."""
        assert self._process.stdin
        assert self._process.stdout
        text = question if isinstance(question, str) else json.dumps(question)
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer
