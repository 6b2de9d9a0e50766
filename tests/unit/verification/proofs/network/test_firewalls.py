"""Every way out and every answer passes the firewall, or the path says where it does not."""

from __future__ import annotations

from pathlib import Path as File
from typing import Any

import pytest
import yaml

from secure_ml_constructs.verification.proofs.network import Answer, NotCovered, Path, Unreachable
from tests.unit.verification.proofs.network.cases import network

FIREWALL: dict[str, Any] = yaml.safe_load((File(__file__).parent / "firewall.yaml").read_text())
Resources = dict[str, Any]


def ask(changes: Resources | None = None, question: str = "past_firewalls") -> Answer:
    net = network({"resources": {**FIREWALL, **(changes or {})}})
    found: Answer = getattr(net, question)(net.interface("Private", "Job"))
    return found


def route(table: str, destination: str, **target: Any) -> Resources:
    properties = {"RouteTableId": {"Ref": table}, "DestinationCidrBlock": destination, **target}
    return {"Type": "AWS::EC2::Route", "Properties": properties}


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


CLEAR = {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Vpc"}}}


def in_zone_b(name: str) -> Resources:
    body: Resources = FIREWALL[name]
    return {**body, "Properties": {**body["Properties"], "AvailabilityZone": "eu-central-1b"}}


def test_a_way_through_the_firewall_is_a_path_that_says_so() -> None:
    found = ask(question="internet")
    assert isinstance(found, Path)
    assert found.firewalls == ("Firewall",)
    assert {"ToFirewall", "Firewall", "ToNat", "Nat", "Default", "Igw"} <= {h.logical_id for h in found.hops}


def test_out_and_back_through_the_firewall() -> None:
    assert isinstance(ask(), Unreachable)


def test_no_way_out_needs_no_firewall() -> None:
    assert isinstance(ask({"ToFirewall": CLEAR}), Unreachable)


ENDPOINT = {"Fn::GetAtt": ["Association", "EndpointId"]}
ASSOCIATION = {
    "Type": "AWS::NetworkFirewall::VpcEndpointAssociation",
    "Properties": {
        "FirewallArn": {"Ref": "Firewall"},
        "VpcId": ref("Vpc"),
        "SubnetMapping": {"SubnetId": ref("FirewallSubnet")},
    },
}
LOAD_BALANCED = {
    "Type": "AWS::EC2::VPCEndpoint",
    "Properties": {
        "VpcEndpointType": "GatewayLoadBalancer",
        "VpcId": ref("Vpc"),
        "ServiceName": "com.amazonaws.vpce.eu-central-1.vpce-svc-0a",
        "SubnetIds": [ref("FirewallSubnet")],
    },
}
FOUND = {"Fn::GetAtt": ["Finder", "eu-central-1a"]}
FINDER = {"Type": "Custom::FirewallEndpoints", "Properties": {"Firewall": ref("Firewall")}}


@pytest.mark.parametrize(
    ("extra", "endpoint"),
    [
        ({"Association": ASSOCIATION}, ENDPOINT),
        ({"Balanced": LOAD_BALANCED}, ref("Balanced")),
        ({"Finder": FINDER}, FOUND),
    ],
    ids=["endpoint association", "gateway load balancer", "custom resource"],
)
def test_endpoints_of_every_kind(extra: Resources, endpoint: Any) -> None:
    out = route("Table", "0.0.0.0/0", VpcEndpointId=endpoint)
    back = route("PublicTable", "10.0.0.0/24", VpcEndpointId=endpoint)
    assert isinstance(ask({**extra, "ToFirewall": out, "Back": back}), Unreachable)
    found = ask({**extra, "ToFirewall": out, "Back": CLEAR})
    assert isinstance(found, Path)


def test_without_a_nat_gateway_the_internet_gateway_leads_back() -> None:
    direct = {"ToNat": route("FirewallTable", "0.0.0.0/0", GatewayId=ref("Igw"))}
    found = ask(direct)
    assert isinstance(found, Path)
    assert "answers at internet gateway Igw" in str(found)
    edge = {
        "EdgeTable": CLEAR,
        "Edge": {
            "Type": "AWS::EC2::GatewayRouteTableAssociation",
            "Properties": {"GatewayId": ref("Igw"), "RouteTableId": ref("EdgeTable")},
        },
        "EdgeBack": route(
            "EdgeTable", "10.0.0.0/24", VpcEndpointId=FIREWALL["Back"]["Properties"]["VpcEndpointId"]
        ),
    }
    assert isinstance(ask({**direct, **edge}), Unreachable)
    # The table is there, and leads elsewhere.
    assert isinstance(ask({**direct, **edge, "EdgeBack": CLEAR}), Path)


HOLES: dict[str, tuple[Resources, str]] = {
    "answers straight from the NAT gateway": ({"Back": CLEAR}, "route table PublicTable → local"),
    "answers for half of the subnet": (
        {
            "Back": route("PublicTable", "10.0.0.0/25", **{"VpcEndpointId": ENDPOINT}),
            "Association": ASSOCIATION,
        },
        "PublicTable",
    ),
    "answers on a condition": ({"Back": {**FIREWALL["Back"], "Condition": "Strict"}}, "PublicTable"),
    "a range that goes round it": (
        {"Stray": route("Table", "8.8.8.0/24", NatGatewayId=ref("Nat"))},
        "route Stray 8.8.8.0/24",
    ),
    "IPv6 that goes round it": (
        {
            "Eigw": {"Type": "AWS::EC2::EgressOnlyInternetGateway", "Properties": {"VpcId": ref("Vpc")}},
            "Six": {
                "Type": "AWS::EC2::Route",
                "Properties": {
                    "RouteTableId": ref("Table"),
                    "DestinationIpv6CidrBlock": "::/0",
                    "EgressOnlyInternetGatewayId": ref("Eigw"),
                },
            },
        },
        "Eigw",
    ),
    "an endpoint in another zone": (
        {"FirewallSubnet": in_zone_b("FirewallSubnet")},
        "in another zone (eu-central-1b, not eu-central-1a)",
    ),
    "an endpoint by position among two": (
        {
            "Second": in_zone_b("FirewallSubnet"),
            "Firewall": {
                "Type": "AWS::NetworkFirewall::Firewall",
                "Properties": {
                    "SubnetMappings": [{"SubnetId": ref("FirewallSubnet")}, {"SubnetId": ref("Second")}]
                },
            },
        },
        "no order to pick by",
    ),
    "answers by another endpoint": (
        {
            "Association": ASSOCIATION,
            "Finder": FINDER,
            "ToFirewall": route("Table", "0.0.0.0/0", VpcEndpointId=FOUND),
            "Back": route("PublicTable", "10.0.0.0/24", VpcEndpointId=ENDPOINT),
        },
        "route Back",
    ),
    "a neighbour in the NAT gateway's subnet": (
        {
            "Proxy": {
                "Type": "AWS::EC2::Instance",
                "Properties": {"SubnetId": ref("Public"), "SecurityGroupIds": [ref("Open")]},
            },
            "Open": {
                "Type": "AWS::EC2::SecurityGroup",
                "Properties": {
                    "GroupDescription": "Open",
                    "VpcId": ref("Vpc"),
                    "SecurityGroupIngress": [{"IpProtocol": "-1", "CidrIp": "10.0.0.0/16"}],
                },
            },
        },
        "subnet Public (Open)",
    ),
}


@pytest.mark.parametrize("name", HOLES)
def test_holes(name: str) -> None:
    changes, words = HOLES[name]
    found = ask(changes)
    assert isinstance(found, Path), found
    assert words in str(found)


def test_halves_of_the_internet_through_the_firewall_leave_nothing_to_a_wider_route() -> None:
    """The most specific route decides: the one of the default is never taken."""
    endpoint = FIREWALL["ToFirewall"]["Properties"]["VpcEndpointId"]
    changes = {
        "ToFirewall": route("Table", "0.0.0.0/0", NatGatewayId=ref("Nat")),
        "Low": route("Table", "0.0.0.0/1", VpcEndpointId=endpoint),
        "High": route("Table", "128.0.0.0/1", VpcEndpointId=endpoint),
    }
    assert isinstance(ask(changes), Unreachable)
    assert isinstance(ask({**changes, "High": CLEAR}), Path)


def test_a_narrower_route_on_a_condition_takes_nothing_from_a_wider_one() -> None:
    endpoint = FIREWALL["ToFirewall"]["Properties"]["VpcEndpointId"]
    changes = {
        "ToFirewall": route("Table", "0.0.0.0/0", NatGatewayId=ref("Nat")),
        "Low": route("Table", "0.0.0.0/1", VpcEndpointId=endpoint),
        "High": {**route("Table", "128.0.0.0/1", VpcEndpointId=endpoint), "Condition": "Strict"},
    }
    assert isinstance(ask(changes), Path)


def test_answers_through_a_transit_gateway_are_not_followed() -> None:
    changes = {
        "Hub": {"Type": "AWS::EC2::TransitGateway"},
        "ToNat": route("FirewallTable", "0.0.0.0/0", TransitGatewayId=ref("Hub")),
    }
    assert isinstance(ask(changes), NotCovered)
