"""State machines asked: valid by the language's JSON Schema, and what their expressions come to.

The schema is that of npm's asl-validator, the expressions run in JSONata's reference implementation.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


class Workflows:
    """The process that answers; questions go in and answers come out, one a line."""

    def __init__(self) -> None:
        node = os.environ.get("JSII_NODE") or shutil.which("node")
        assert node, "no node: run the tests through make"
        self._process = subprocess.Popen(
            [node, str(Path(__file__).with_name("workflows.mjs"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=10)

    def _ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def errors(self, definition: Mapping[str, Any]) -> list[str]:
        """What the schema has against a definition."""
        answer = self._ask({"definition": definition})
        assert "error" not in answer, answer["error"]
        assert answer["isValid"] is not bool(answer["errors"])
        found: list[str] = answer["errors"]
        return found

    def evaluate(self, value: Any, variables: Mapping[str, Any]) -> Any:
        """What a value of a definition comes to, all its expressions evaluated.

        Args:
            value: Text, list or mapping; texts in `{% … %}` are expressions.
            variables: `states` (as `$states`) and what was assigned.
        """
        if isinstance(value, list):
            return [self.evaluate(each, variables) for each in value]
        if isinstance(value, dict):
            return {key: self.evaluate(each, variables) for key, each in value.items()}
        if not isinstance(value, str) or not value.startswith("{%"):
            return value
        assert value.endswith("%}")
        answer = self._ask({"expression": value[2:-2], "variables": dict(variables)})
        assert "error" not in answer, f"{value}: {answer['error']}"
        return answer["value"]
