"""The model and the independent simulator decide alike, on pairs made over all that is modelled."""

from __future__ import annotations

import json
import time
from collections import Counter

import pytest

from secure_ml_constructs.verification.proofs.iam import Kind, NotCovered, decide
from tests.support.decisions import Simulator
from tests.unit.verification.proofs import oracle, pairs

pytestmark = pytest.mark.slow

OPERATORS = {
    f"{prefix}{base}"
    for prefix in ("", "ForAllValues:", "ForAnyValue:")
    for base in ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase")
} | {
    "StringNotEqualsIgnoreCase",
    "ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike", "Bool", "Null", "BinaryEquals",
    "NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan",
    "NumericGreaterThanEquals", "DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals",
    "DateGreaterThan", "DateGreaterThanEquals", "IpAddress", "NotIpAddress",
    "StringEqualsIfExists", "StringNotEqualsIfExists", "ArnNotLikeIfExists", "BoolIfExists",
    "NotIpAddressIfExists", "ForAllValues:StringLikeIfExists",
}  # fmt: skip


def agree(simulator: Simulator, count: int, seed: int) -> None:
    decided: Counter[bool] = Counter()
    uncovered: list[str] = []
    operators: set[str] = set()
    kinds: set[Kind | None] = set()
    for pair in pairs.make(count, seed):
        ours = decide(oracle.policies(pair), oracle.request(pair))
        if isinstance(ours, NotCovered):
            uncovered.append(ours.reason)
            continue
        theirs = oracle.simulated(simulator, pair)
        assert ours.allowed == theirs, f"we say {ours}, the simulator {theirs}:\n{json.dumps(vars(pair))}"
        decided[theirs] += 1
        kinds.add(ours.kind)
        text = json.dumps(vars(pair))
        operators |= {each for each in OPERATORS if f'"{each}":' in text}
    # Pairs that decide nothing would agree as well.
    assert decided[True] > count / 8, decided
    assert decided[False] > count / 8, decided
    assert len(uncovered) <= count / 100, Counter(uncovered)
    assert operators == OPERATORS, OPERATORS - operators
    assert kinds >= set(Kind), set(Kind) - kinds


@pytest.mark.decision
def test_agreement_on_pairs(simulator: Simulator) -> None:
    start = time.perf_counter()
    agree(simulator, 500, seed=1)
    assert time.perf_counter() - start < 30


@pytest.mark.decision
@pytest.mark.deep
@pytest.mark.parametrize("seed", range(10, 15))
def test_agreement_on_many_pairs(simulator: Simulator, seed: int) -> None:
    agree(simulator, 2000, seed)
