"""Endpoints: what is chosen, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure_ml_constructs.errors import ConfigurationError, Problems
from secure_ml_constructs.network import SERVICES, EndpointProfile, Endpoints, EndpointService


def test_studio_is_the_default() -> None:
    assert Endpoints().names == EndpointProfile.STUDIO.services


def test_extra_and_without() -> None:
    own = EndpointService(name="partner", service_name="com.amazonaws.vpce.{region}.vpce-svc-1")
    chosen = Endpoints(extra=("bedrock-runtime", own, "sts"), without=("sagemaker.experiments",)).names
    assert chosen[-2:] == ("bedrock-runtime", "partner")
    assert "sagemaker.experiments" not in chosen
    assert chosen.count("sts") == 1


def test_s3_by_interface_stands_in_place_of_the_gateway() -> None:
    names = Endpoints(interface_s3=True).names
    assert "s3-interface" in names
    assert "s3" not in names


@pytest.mark.parametrize(
    ("arguments", "argument", "hint"),
    [
        ({"extra": ("bedrok-runtime",)}, "extra[0]", "'bedrock-runtime'"),
        ({"extra": ("com.amazonaws.eu-west-1.states",)}, "extra[0]", "'states'"),
        ({"extra": ("zzz",)}, "extra[0]", "EndpointService of your own"),
        ({"extra": "states"}, "extra", "('states',)"),
        ({"extra": (EndpointService(name="no name"),)}, "extra[0].name", "lower-case"),
        ({"extra": (EndpointService(name="sts", private_dns=False),)}, "extra[0].name", "'sts'"),
        ({"extra": (EndpointService(name="x", service_name="a.{b}"),)}, "extra[0].service_name", "{region}"),
        ({"extra": (EndpointService(name="x", gateway=True),)}, "extra[0].gateway", "Leave it out"),
        ({"without": ("glue",)}, "without[0]", "Write one of"),
        ({"without": "sts"}, "without", "('sts',)"),
        ({"zones": {"glue": (0,)}}, "zones['glue']", "Write one of"),
        ({"zones": {"stss": (0,)}}, "zones['stss']", "'sts'"),
        ({"zones": {"s3": (0,)}}, "zones['s3']", "Leave it out"),
        ({"zones": {"sts": ()}}, "zones['sts']", "(0, 1)"),
        ({"zones": {"sts": "eu-central-1a"}}, "zones['sts']", "(0, 1)"),
    ],
)
def test_refused(arguments: dict[str, Any], argument: str, hint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Endpoints(**arguments)
    (problem,) = caught.value.problems
    assert problem.argument == argument
    assert hint in problem.fix


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Endpoints(extra=("nope", "neither"), without=("glue",))
    assert [problem.argument for problem in caught.value.problems] == ["extra[0]", "extra[1]", "without[0]"]


def test_zones_by_index_and_by_name() -> None:
    zones = ("eu-central-1a", "eu-central-1b", "eu-central-1c")
    endpoints = Endpoints(zones={"sts": (2, 0), "kms": ("eu-central-1b",)})
    assert endpoints.positions("sts", zones) == (0, 2)
    assert endpoints.positions("kms", zones) == (1,)
    assert endpoints.positions("logs", zones) == (0, 1, 2)


@given(
    profile=st.sampled_from(EndpointProfile),
    extra=st.lists(st.sampled_from([*SERVICES, "unheard-of", ""]), max_size=4),
    without=st.lists(st.sampled_from([*SERVICES, "unheard-of"]), max_size=4),
    zones=st.dictionaries(
        st.sampled_from([*SERVICES, "unheard-of"]),
        st.lists(st.sampled_from([-1, 0, 1, 2, 3, "a", "c", "d", ""]), max_size=3),
        max_size=2,
    ),
    interface_s3=st.booleans(),
)
def test_any_input_is_refused_or_places_every_interface(**arguments: Any) -> None:
    zones = ("a", "b", "c")
    problems = Problems()
    try:
        endpoints = Endpoints(**arguments)
        endpoints.check_zones(problems, zones)
        problems.raise_if_any("Endpoints")
    except ConfigurationError:
        return
    assert len(set(endpoints.names)) == len(endpoints.names)
    for service in endpoints.services:
        if not service.gateway:
            positions = endpoints.positions(service.name, zones)
            assert positions
            assert set(positions) <= {0, 1, 2}
