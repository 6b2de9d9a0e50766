"""The state machines of responses and outcomes are valid by the language's own schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from secure_ml_constructs.monitoring import monitor_outcomes, roll_back
from secure_ml_constructs.monitoring.monitor_jobs import Kind
from tests.support.workflows import Workflows

DEFINITIONS: Mapping[str, dict[str, Any]] = {
    "rollback": roll_back.states("risk", "good", "aws"),
    "outcomes of data": monitor_outcomes.states("risk", [Kind.DATA_QUALITY], "aws"),
    "outcomes of all": monitor_outcomes.states("risk", list(Kind), "aws-cn"),
}


@pytest.fixture(scope="module")
def workflows() -> Iterator[Workflows]:
    process = Workflows()
    yield process
    process.close()


@pytest.mark.parametrize("name", DEFINITIONS)
def test_it_is_valid(name: str, workflows: Workflows) -> None:
    assert workflows.errors(DEFINITIONS[name]) == []


@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_schema_notices(name: str, workflows: Workflows) -> None:
    definition = DEFINITIONS[name]
    assert workflows.errors({**definition, "StartAt": "Nowhere"})
    unreached = {**definition["States"], "Unreached": {"Type": "Succeed"}}
    assert workflows.errors({**definition, "States": unreached})
