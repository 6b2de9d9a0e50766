"""Holes in a network, each found with a path that names it, and networks that have none."""

from __future__ import annotations

from pathlib import Path as File
from typing import Any

import pytest
import yaml

from secure_ml_constructs.verification.proofs.network import (
    Answer,
    Interface,
    Network,
    NotCovered,
    Path,
    Unreachable,
)
from tests.unit.verification.proofs.network.cases import network

HERE = File(__file__).parent
HOLES: dict[str, Any] = yaml.safe_load((HERE / "holes.yaml").read_text())
SAFE: dict[str, Any] = yaml.safe_load((HERE / "safe.yaml").read_text())


def ask(case: dict[str, Any]) -> Answer:
    net = network(case)
    asked: list[str] = case.get("of", ["Private", "Job"])
    return answer(net, net.interface(*asked), case["question"])


def answer(net: Network, interface: Interface, question: str) -> Answer:
    if question == "other_networks":
        return net.other_networks(interface)[0]
    found: Answer = getattr(net, question)(interface)
    return found


@pytest.mark.parametrize("name", HOLES)
def test_holes(name: str) -> None:
    case = HOLES[name]
    found = ask(case)
    assert isinstance(found, Path), found
    named = {hop.logical_id for hop in found.hops}
    assert set(case["names"]) <= named, str(found)
    assert case.get("says", "") in f"{found} {found.unresolved}"
    for range_ in case.get("ranges", ()):
        assert range_ in found.ranges


@pytest.mark.parametrize("name", SAFE)
def test_safe(name: str) -> None:
    found = ask(SAFE[name])
    assert isinstance(found, Unreachable), found


@pytest.mark.parametrize("name", HOLES)
def test_without_the_hole(name: str) -> None:
    """What opens the way is what the case adds: the base is closed."""
    question = HOLES[name]["question"]
    net = network({})
    assert isinstance(answer(net, net.interface("Private", "Job"), question), Unreachable)


def test_enough_cases() -> None:
    assert len(HOLES) >= 25
    assert len(SAFE) >= 12


def test_what_is_not_modelled_is_not_covered() -> None:
    case = {"resources": {"Accelerated": {"Type": "AWS::GlobalAccelerator::EndpointGroup"}}}
    net = network(case)
    found = net.from_internet(net.interface("Private", "Job"))
    assert isinstance(found, NotCovered)
    assert "Accelerated" in found.reason
