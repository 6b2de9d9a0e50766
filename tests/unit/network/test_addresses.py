"""AddressPlan: ranges that are taken and ranges that are refused."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure_ml_constructs.errors import ConfigurationError, Problems
from secure_ml_constructs.network import AddressPlan


def plan(zones: int = 2, **arguments: Any) -> tuple[str, ...]:
    problems = Problems()
    ranges = AddressPlan(**arguments).check(problems, zones)
    problems.raise_if_any("Vpc")
    return ranges


def test_two_zones_halve_the_range() -> None:
    assert plan() == ("10.0.0.0/17", "10.0.128.0/17")


def test_three_zones_take_three_quarters() -> None:
    assert plan(3) == ("10.0.0.0/18", "10.0.64.0/18", "10.0.128.0/18")


def test_the_smallest_range_still_has_room() -> None:
    assert plan(3, cidr="100.64.7.0/24") == ("100.64.7.0/26", "100.64.7.64/26", "100.64.7.128/26")


def test_given_subnets_are_taken() -> None:
    subnets = ("10.0.0.0/20", "10.0.16.0/20")
    assert plan(subnets=subnets, apart_from=("10.1.0.0/16", "192.168.0.0/16")) == subnets


@pytest.mark.parametrize(
    ("arguments", "argument", "reason"),
    [
        ({"cidr": "10.0.0.0"}, "cidr", "length of its prefix"),
        ({"cidr": "10.0.0.1/16"}, "cidr", "host bits"),
        ({"cidr": "10.0.0/16"}, "cidr", "no IPv4 range"),
        ({"cidr": "fd00::/56"}, "cidr", "no IPv4 range"),
        ({"cidr": "10.0.0.0/8"}, "cidr", "at most a /16"),
        ({"cidr": "10.0.0.0/25"}, "cidr", "too small"),
        ({"cidr": "8.8.0.0/16"}, "cidr", "not private"),
        ({"cidr": "172.17.128.0/20"}, "cidr", "Docker"),
        ({"cidr": "172.31.0.0/16"}, "cidr", "default VPC"),
        ({"apart_from": ("10.0.64.0/20",)}, "apart_from[0]", "overlaps"),
        ({"apart_from": ("10.0.0.0/8",)}, "apart_from[0]", "overlaps"),
        ({"apart_from": ("somewhere",)}, "apart_from[0]", "length of its prefix"),
        ({"subnets": ("10.0.0.0/20",)}, "subnets", "1 ranges for 2"),
        ({"subnets": ("10.0.0.0/20", "10.1.0.0/20")}, "subnets[1]", "outside"),
        ({"subnets": ("10.0.0.0/20", "10.0.8.0/24")}, "subnets[1]", "overlaps"),
        ({"subnets": ("10.0.0.0/20", "10.0.16.0/29")}, "subnets[1]", "/28"),
        ({"subnets": ("10.0.0.0/20", "x/20")}, "subnets[1]", "no IPv4 range"),
    ],
)
def test_refused(arguments: dict[str, Any], argument: str, reason: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        plan(**arguments)
    (problem,) = caught.value.problems
    assert problem.argument == argument
    assert reason in problem.reason
    assert problem.fix


@given(
    base=st.integers(0, 2**32 - 1),
    length=st.integers(0, 32),
    zones=st.integers(2, 3),
    others=st.lists(st.sampled_from(["10.0.0.0/8", "172.16.0.0/12", "192.168.7.0/24"]), max_size=2),
)
def test_any_range_is_refused_or_cut_into_parts_of_it(
    base: int, length: int, zones: int, others: list[str]
) -> None:
    network = IPv4Network((base & (0xFFFFFFFF << (32 - length)) & 0xFFFFFFFF, length))
    try:
        parts = [IPv4Network(part) for part in plan(zones, cidr=str(network), apart_from=others)]
    except ConfigurationError:
        return
    assert network.is_private or network.subnet_of(IPv4Network("100.64.0.0/10"))
    assert len(parts) == zones
    assert all(part.subnet_of(network) and part.num_addresses >= 64 for part in parts)
    assert not any(a.overlaps(b) for a in parts for b in parts if a is not b)
    assert not any(network.overlaps(IPv4Network(other)) for other in others)
