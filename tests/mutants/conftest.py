"""The reference environment, once for all tests of mutants."""

from __future__ import annotations

import pytest

from tests.mutants.environments import engine, reference, trust
from tests.mutants.generate import mutants
from tests.mutants.mutant import Mutant
from tests.mutants.questions import Proofs
from tests.mutants.runner import Runner
from tests.support.templates import Templates


@pytest.fixture(scope="session")
def templates() -> Templates:
    return reference()


@pytest.fixture(scope="session")
def reference_mutants(templates: Templates) -> list[Mutant]:
    return mutants(templates)


@pytest.fixture(scope="session")
def runner(templates: Templates) -> Runner:
    return Runner(templates, engine())


@pytest.fixture(scope="session")
def proofs(templates: Templates) -> Proofs:
    return Proofs(templates, trust())
