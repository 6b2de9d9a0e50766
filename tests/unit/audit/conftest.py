"""One environment with archive and trail, synthesized once."""

from __future__ import annotations

import pytest

from tests.support.templates import World, synth
from tests.unit.audit.environment import full_app, one_stack_app


@pytest.fixture(scope="session")
def audit() -> World:
    """Archive and trail with their defaults, in one stack of an unknown environment."""
    return World(synth(one_stack_app()))


@pytest.fixture(scope="session")
def full() -> World:
    """Every option of both."""
    return World(synth(full_app()))
