"""The hospital with its two teams, synthesized once."""

from __future__ import annotations

import pytest

from tests.support.templates import Templates, World, new_app, synth
from tests.unit.identity.hospital import build
from tests.unit.identity.people import People


@pytest.fixture(scope="session")
def templates() -> Templates:
    """The templates by stack."""
    app = new_app()
    build(app)
    return synth(app)


@pytest.fixture(scope="session")
def people(templates: Templates) -> People:
    """Its roles, for those who ask no simulator."""
    return People(World(templates), None)  # type: ignore[arg-type]  # nothing is simulated here
