"""Sets of packets, held against sets of single packets."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure_ml_constructs.verification.proofs.network.traffic import (
    EVERYTHING,
    INTERNET,
    Box,
    Traffic,
    cidr,
    service,
)


def _span(top: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(0, top), st.integers(0, top)).map(lambda pair: (min(pair), max(pair)))


BOXES = st.builds(
    lambda version, a, p, q: Box(version, *a, *p, *q),
    st.sampled_from((4, 6)),
    _span(4),
    _span(2),
    _span(3),
)
SETS = st.lists(BOXES, max_size=4).map(lambda boxes: Traffic(tuple(boxes)))
PACKETS = set(product((4, 6), range(5), range(3), range(4)))


def packets(traffic: Traffic) -> set[tuple[int, int, int, int]]:
    return {
        (version, address, protocol, port)
        for version, address, protocol, port in PACKETS
        for box in traffic.boxes
        if box.version == version
        and box.first <= address <= box.last
        and box.protocol <= protocol <= box.last_protocol
        and box.port <= port <= box.last_port
    }


@given(SETS, SETS)
def test_as_sets(a: Traffic, b: Traffic) -> None:
    assert packets(a & b) == packets(a) & packets(b)
    assert packets(a | b) == packets(a) | packets(b)
    assert packets(a - b) == packets(a) - packets(b)
    assert bool(a - b) == bool(packets(a) - packets(b))


@given(SETS)
def test_everything(a: Traffic) -> None:
    assert packets(a & EVERYTHING) == packets(EVERYTHING & a) == packets(a)
    assert not a - EVERYTHING


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8/32", True),
        ("0.0.0.0/1", True),
        ("10.0.0.0/8", False),
        ("172.16.0.0/12", False),
        ("172.32.0.0/32", True),
        ("169.254.169.254/32", False),
        ("2a05:d014::/36", True),
        ("fd00::/8", False),
        ("64:ff9b::808:808/128", True),
    ],
)
def test_the_internet(address: str, public: bool) -> None:
    assert bool(cidr(address) & INTERNET) is public


def test_in_words() -> None:
    two = cidr("10.0.0.0/25") | cidr("10.0.0.128/25")
    assert (two & service(6, 443, 443)).ranges == ("10.0.0.0/24",)
    assert str(cidr("10.0.0.0/24") & service(17, 53, 54)) == "udp 53-54 to 10.0.0.0/24"
    assert str(cidr("::/1")) == "every protocol to ::/1"
