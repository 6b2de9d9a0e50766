"""Domains with teams, synthesized once."""

from __future__ import annotations

import pytest

from tests.support.templates import World
from tests.unit.studio.workplace import build_full_teams, build_teams, world


@pytest.fixture(scope="session")
def teams() -> World:
    """Two teams in a domain with its defaults."""
    return world(build_teams)


@pytest.fixture(scope="session")
def full() -> World:
    """Teams in a domain with every option."""
    return world(build_full_teams)
