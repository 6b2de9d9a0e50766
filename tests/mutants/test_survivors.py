"""The score on the reference environment: settings in every run, the rest by sample; all of it when deep."""

from __future__ import annotations

import json

import pytest

from tests.mutants.concerned import OF_RESOURCES
from tests.mutants.mutant import Mutant, spread
from tests.mutants.questions import Proofs
from tests.mutants.reviewed import entries, entry_of, unused
from tests.mutants.runner import Runner
from tests.mutants.score import Score
from tests.mutants.verdict import Verdict, with_proofs

GOAL = 98


@pytest.fixture(scope="module")
def settings(runner: Runner, reference_mutants: list[Mutant]) -> list[Verdict]:
    return runner.run(mutant for mutant in reference_mutants if mutant.kind == "setting")


def test_nearly_every_setting_has_a_rule(settings: list[Verdict]) -> None:
    score = Score.of(settings).kinds["setting"]
    assert score.killed + score.survived > 350
    assert score.score >= GOAL


def test_every_setting_that_goes_unnoticed_was_read(settings: list[Verdict]) -> None:
    unread = [v.mutant.id for v in settings if not v.killed and entry_of(v.mutant) is None]
    assert not unread, "Write a rule, or say in reviewed.yaml why not."


def test_the_list_names_nothing_that_is_gone_or_noticed(settings: list[Verdict]) -> None:
    left = unused(verdict.mutant for verdict in settings if not verdict.killed)
    assert [entry for entry in left if entry.kind == "setting"] == []


def test_reasons_are_sentences() -> None:
    for entry in entries():
        assert entry.reason.endswith("."), entry
        assert len(entry.reason.split()) >= 5, entry


def test_what_has_no_endpoint_leaves_no_network_activity(runner: Runner, settings: list[Verdict]) -> None:
    """The reason that is given for selectors that may go."""
    endpoints = json.dumps(runner.templates["hospital-ml-network"])
    dropped = [
        v.mutant.operator.removeprefix("item-dropped Network ")
        for v in settings
        if not v.killed and v.mutant.operator.startswith("item-dropped Network")
    ]
    assert dropped
    for service in dropped:
        assert f'".{service}"' not in endpoints, service


def test_a_sample_of_the_rest(runner: Runner, reference_mutants: list[Mutant]) -> None:
    """Who may do what and who reaches whom is for proofs; what rules see of it may not fall."""
    rest = [mutant for mutant in reference_mutants if mutant.kind == "access"]
    network = [mutant for mutant in reference_mutants if mutant.kind == "reachability"]
    score = Score.of(runner.run([*spread(rest, 300), *spread(network, 60)]))
    assert score.kinds["access"].score > 55
    assert score.kinds["reachability"].score > 85


def test_nothing_of_a_sample_is_left_unread_with_proofs(
    runner: Runner, proofs: Proofs, reference_mutants: list[Mutant]
) -> None:
    """Of policies of resources and of roles, from the first to the last."""
    rest = [mutant for mutant in reference_mutants if mutant.kind == "access"]
    of_resources = [mutant for mutant in rest if mutant.type in OF_RESOURCES]
    of_roles = [mutant for mutant in rest if mutant.type not in OF_RESOURCES]
    score = Score.of(with_proofs(runner.run([*spread(of_resources, 60), *spread(of_roles, 60)]), proofs))
    assert score.kinds["access"].proved
    assert score.unread == []


@pytest.mark.deep
def test_all_of_it(runner: Runner, proofs: Proofs, reference_mutants: list[Mutant]) -> None:
    score = Score.of(with_proofs(runner.run(reference_mutants), proofs))
    assert sum(tally.mutants for tally in score.kinds.values()) == len(reference_mutants) >= 1000
    assert score.kinds["setting"].score >= GOAL
    assert score.kinds["access"].score >= GOAL
    assert score.kinds["reachability"].score >= 90
    survivors = [verdict.mutant for verdict in score.survivors]
    assert score.unread == []
    assert unused(survivors) == []
    json.dumps(score.data())


@pytest.mark.deep
def test_every_short_way_comes_to_the_same(runner: Runner, reference_mutants: list[Mutant]) -> None:
    for verdict in runner.run(reference_mutants):
        assert bool(verdict.rules) == bool(runner.whole(verdict.mutant)), verdict.mutant.id
