"""State machines asked: valid by the language's JSON Schema, and what their expressions come to.

The schema is that of npm's asl-validator, the expressions run in JSONata's reference implementation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.support.node import NodeProcess


class Workflows(NodeProcess):
    """The process that answers; questions go in and answers come out, one a line."""

    def __init__(self) -> None:
        super().__init__("workflows.mjs")

    def errors(self, definition: Mapping[str, Any]) -> list[str]:
        """What the schema has against a definition."""
        answer = self.ask({"definition": definition})
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
        answer = self.ask({"expression": value[2:-2], "variables": dict(variables)})
        assert "error" not in answer, f"{value}: {answer['error']}"
        return answer["value"]
