"""Fixtures of the whole suite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tests.support.decisions import Simulator
from tests.support.snapshots import normalised


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    """The policy simulator, one process for the session."""
    process = Simulator()
    yield process
    process.close()


@pytest.fixture
def snapshot_template(snapshot: SnapshotAssertion) -> Callable[[dict[str, Any]], None]:
    """Compare a template with its snapshot, one JSON file a test."""

    def compare(template: dict[str, Any]) -> None:
        assert normalised(template) == snapshot.use_extension(JSONSnapshotExtension)

    return compare
