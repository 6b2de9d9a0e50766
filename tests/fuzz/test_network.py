"""Whatever a network is asked to be, it is refused or it holds."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.network import (
    SERVICES,
    AddressPlan,
    EncryptionControl,
    EndpointProfile,
    Endpoints,
    PrefixLists,
    VpcGuards,
)
from secure_ml_constructs.network.settings import source
from tests.support.compliance import findings
from tests.support.templates import World, new_app, synth
from tests.unit.network.environments import secure
from tests.unit.network.test_secure_vpc import WAYS_OUT

NAMES = st.sampled_from(sorted(SERVICES))
RANGES = st.sampled_from(
    ["10.0.0.0/16", "10.0.0.0/24", "192.168.0.0/17", "100.64.0.0/20", "10.0.0.0/25", "8.0.0.0/16"]
)
LISTS = st.sampled_from(["pl-01234567", "pl-0123456789abcdef0", "pl-", None])


@st.composite
def endpoints(draw: st.DrawFn) -> Endpoints | None:
    arguments = {
        "profile": draw(st.sampled_from(EndpointProfile)),
        "extra": draw(st.lists(NAMES, max_size=3)),
        "without": draw(st.lists(NAMES, max_size=2)),
        "zones": draw(
            st.dictionaries(NAMES, st.lists(st.integers(0, 3), min_size=1, max_size=2), max_size=1)
        ),
        "interface_s3": draw(st.booleans()),
        "aws_images": draw(st.booleans()),
    }
    try:
        return Endpoints(**arguments)
    except ConfigurationError:
        return None


ARGUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "region": st.sampled_from(["eu-central-1", "cn-north-1", "us-gov-west-1", "ap-new-9"]),
        "cidr": RANGES | st.builds(AddressPlan, cidr=RANGES, apart_from=st.lists(RANGES, max_size=1)),
        "availability_zones": st.integers(0, 5) | st.lists(st.sampled_from("abc"), max_size=4),
        "endpoints": endpoints(),
        "prefix_lists": st.builds(PrefixLists, s3=LISTS, dynamodb=LISTS),
        "flow_log_retention_days": st.sampled_from([0, 1, 365, 366, 3653]),
        "guards": st.builds(VpcGuards, encryption_control=st.none() | st.sampled_from(EncryptionControl)),
    },
)


def holds(arguments: dict[str, Any]) -> bool:
    """Whether the arguments were taken; fails where what was taken does not hold."""
    app = new_app()
    try:
        vpc = secure(app, **arguments)
    except ConfigurationError:
        return False
    templates = synth(app)
    world = World(templates)
    assert not {resource.type for resource in world.resources()} & set(WAYS_OUT)
    pairs = 0
    for endpoint in world.resources("AWS::EC2::VPCEndpoint"):
        given = endpoint.properties
        assert "PolicyDocument" in given or given["ServiceName"].endswith(".codepipeline")
        assert len(json.dumps(given.get("PolicyDocument"))) < 20_480
        if given["VpcEndpointType"] == "Interface":
            assert given["SubnetIds"]
            assert given["SecurityGroupIds"]
            pairs += len(given["SubnetIds"])
    assert pairs == vpc.endpoint_zone_pairs
    assert vpc.s3_endpoint_ids or "s3" in arguments["endpoints"].without
    groups = json.dumps(
        [
            resource.properties
            for resource in world.resources()
            if resource.type.startswith("AWS::EC2::SecurityGroup")
        ]
    )
    assert "/0" not in groups
    text = json.dumps(templates["Network"]).replace(json.dumps(source()), "")
    assert '"arn:aws:ec2' not in text
    return True


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(arguments=ARGUMENTS)
def test_any_arguments_are_refused_or_hold(arguments: dict[str, Any]) -> None:
    holds(arguments)


@pytest.mark.deep
@settings(
    max_examples=max(1, int(os.environ.get("FUZZ_EXAMPLES", "3000")) // 10),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(arguments=ARGUMENTS)
def test_any_arguments_are_refused_or_have_no_finding(arguments: dict[str, Any]) -> None:
    if holds(arguments):
        assert not [str(finding) for finding in findings(lambda app: secure(app, **arguments))]
