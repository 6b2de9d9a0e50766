"""Ways out that are meant: to the internet through a firewall, and to named networks."""

from __future__ import annotations

from typing import Any

import pytest

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.verification.proofs.questions import Answer, Trust, Verdict
from secure_ml_constructs.verification.proofs.questions.ways_out import network_answers
from tests.unit.verification.proofs.network.cases import network
from tests.unit.verification.proofs.network.test_firewalls import CLEAR, FIREWALL

Resources = dict[str, Any]


def ask(deed: str, resources: Resources, networks: tuple[str, ...] = ()) -> Answer:
    found = network_answers(network({"resources": resources}), lambda _: "Vpc", networks=networks)
    (answer,) = [each for each in found if each.deed == deed]
    return answer


def route(destination: str, **target: Any) -> Resources:
    properties = {"RouteTableId": {"Ref": "Table"}, "DestinationCidrBlock": destination, **target}
    return {"Type": "AWS::EC2::Route", "Properties": properties}


GATEWAY = {"Type": "AWS::EC2::VPNGateway", "Properties": {"Type": "ipsec.1"}}
LINK: Resources = {
    "Gateway": GATEWAY,
    "Toward": route("192.168.0.0/20", GatewayId={"Ref": "Gateway"}),
}
OTHER = "reach another network"


def test_a_link_that_nobody_named_is_broken() -> None:
    answer = ask(OTHER, LINK)
    assert answer.verdict is Verdict.BROKEN
    assert answer.control == "N10"


@pytest.mark.parametrize(
    "networks", [("192.168.0.0/20",), ("192.168.0.0/16",), ("192.168.0.0/21", "192.168.8.0/21")]
)
def test_a_link_to_what_is_named_is_by_design(networks: tuple[str, ...]) -> None:
    answer = ask(OTHER, LINK, networks)
    assert answer.verdict is Verdict.BY_DESIGN
    assert answer.control == "N10"
    assert answer.because == "it leads to named networks only: 192.168.0.0/20"


@pytest.mark.parametrize(
    "networks", [("192.168.0.0/21",), ("192.168.1.0/24", "192.168.8.0/21"), ("10.0.0.0/8",), ()]
)
def test_a_link_that_leads_to_more_than_is_named_is_broken(networks: tuple[str, ...]) -> None:
    assert ask(OTHER, LINK, networks).verdict is Verdict.BROKEN


@pytest.mark.parametrize(
    "stray",
    [
        {"Stray": route("172.16.0.0/16", GatewayId={"Ref": "Gateway"})},
        {"Stray": route("192.168.16.0/20", GatewayId={"Ref": "Gateway"})},
        {"Stray": route("192.168.0.0/16", GatewayId={"Ref": "Gateway"})},
        {"Stray": route("0.0.0.0/0", GatewayId={"Ref": "Gateway"})},
        {"Stray": route("172.16.0.0/16", TransitGatewayId="tgw-0123456789abcdef0")},
        {"Stray": route("172.16.0.0/16", VpcPeeringConnectionId="pcx-0123456789abcdef0")},
        {
            "Stray": {
                "Type": "AWS::EC2::VPNGatewayRoutePropagation",
                "Properties": {"RouteTableIds": [{"Ref": "Table"}], "VpnGatewayId": {"Ref": "Gateway"}},
            }
        },
    ],
    ids=["beside", "next to", "around", "default", "transit gateway", "peering", "learned"],
)
def test_a_named_range_hides_no_other_by_the_same_gateway(stray: Resources) -> None:
    assert ask(OTHER, {**LINK, **stray}, ("192.168.0.0/20",)).verdict is Verdict.BROKEN


def test_a_firewall_before_it_names_no_network() -> None:
    """What stands behind a firewall is another network all the same."""
    routed = {"RouteTableId": {"Ref": "FirewallTable"}, "DestinationCidrBlock": "0.0.0.0/0"}
    changes = {
        **FIREWALL,
        "Gateway": GATEWAY,
        "ToNat": {"Type": "AWS::EC2::Route", "Properties": {**routed, "GatewayId": {"Ref": "Gateway"}}},
    }
    assert ask(OTHER, changes).verdict is Verdict.BROKEN


def test_through_a_firewall_and_back_is_by_design() -> None:
    answer = ask("reach the internet", FIREWALL)
    assert answer.verdict is Verdict.BY_DESIGN
    assert (answer.control, answer.because) == ("N7", "every way passes a firewall: Firewall")


def test_answers_past_the_firewall_are_broken() -> None:
    answer = ask("reach the internet", {**FIREWALL, "Back": CLEAR})
    assert answer.verdict is Verdict.BROKEN
    assert answer.control == "N7"
    assert any("PublicTable" in hop for hop in answer.path)


def test_trust_reads_networks_and_refuses_what_is_none() -> None:
    assert Trust.read({"networks": ["192.168.0.0/16"]}, "file").networks == ("192.168.0.0/16",)
    with pytest.raises(ConfigurationError) as caught:
        Trust.read({"networks": ["192.168.0.0/16", "head office", "10.0.0.1/8"]}, "file")
    assert [p.argument for p in caught.value.problems] == ["proofs.networks[1]", "proofs.networks[2]"]
