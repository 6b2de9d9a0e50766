"""Every planted hole is found, by a request that names it and that the simulator lets through as well."""

from __future__ import annotations

import pytest

from secure_ml_constructs.verification.proofs.questions import Answer, Verdict
from secure_ml_constructs.verification.report.matrix import counterexample
from tests.support.decisions import Simulator
from tests.unit.verification.proofs.questions import replay
from tests.unit.verification.proofs.questions.clinic import Clinic
from tests.unit.verification.proofs.questions.holes import HOLES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def whole() -> dict[str, Answer]:
    """The answers about the environment without a hole."""
    return {answer.question: answer for answer in Clinic().ask()}


def test_without_a_hole_nothing_is_broken(whole: dict[str, Answer]) -> None:
    verdicts = {answer.verdict for answer in whole.values()}
    assert verdicts == {Verdict.PROVED, Verdict.BY_DESIGN, Verdict.NEEDS_GUARDRAIL}


def test_what_is_by_design_or_needs_a_guardrail_is_let_through_by_the_simulator(
    whole: dict[str, Answer], simulator: Simulator
) -> None:
    steps = [step for answer in whole.values() for step in answer.steps if replay.known(step)]
    assert len(steps) > 20
    for step in steps:
        assert replay.allowed(simulator, step), step.request


def test_there_are_holes_enough() -> None:
    assert len(HOLES) >= 60


@pytest.mark.parametrize("name", HOLES)
def test_the_hole_is_found(name: str, whole: dict[str, Answer], simulator: Simulator) -> None:
    hole = HOLES[name]
    clinic = Clinic()
    hole.make(clinic)
    (answer,) = (each for each in clinic.ask(hole.question) if each.question == hole.question)
    if hole.question in whole:
        assert whole[hole.question].verdict is not Verdict.BROKEN
    assert answer.verdict is Verdict.BROKEN, answer.because
    said = "\n".join((answer.because, *counterexample(answer)))
    assert hole.names in said
    assert answer.steps or answer.path
    for step in filter(replay.known, answer.steps):
        assert replay.allowed(simulator, step), step.request
