"""Whether subnets are isolated and security groups are ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import IPv4Network
from typing import Any

from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome, Unknown, at
from secure_ml_constructs.verification.rules.predicates import known_later, not_set
from secure_ml_constructs.verification.templates import (
    Absent,
    Reference,
    Resource,
    Templates,
    show,
)

# What leads a route out of the VPC. An endpoint (a firewall's, say) does not by itself.
_WAYS_OUT = {
    "GatewayId": "an internet or virtual private gateway",
    "NatGatewayId": "a NAT gateway",
    "EgressOnlyInternetGatewayId": "an egress-only gateway",
    "TransitGatewayId": "a transit gateway",
    "VpcPeeringConnectionId": "a peering connection",
    "InstanceId": "an instance",
    "NetworkInterfaceId": "a network interface",
    "CarrierGatewayId": "a carrier gateway",
    "LocalGatewayId": "a local gateway",
    "CoreNetworkArn": "a core network",
}


def ways_out(context: Context, subnet: Resource) -> Iterator[str]:
    """How a subnet's routes leave its VPC for networks that are not named, as words for a message."""
    graph, linked = context.graph, context.settings.linked_networks
    associations = graph.named_by(subnet, "AWS::EC2::SubnetRouteTableAssociation", "SubnetId")
    tables = [graph.get(association, "RouteTableId") for association in associations]
    for table in tables:
        if type(table) is not Reference:
            yield "a route table that is not in the templates"
            continue
        for route in graph.named_by(table.resource, "AWS::EC2::Route", "RouteTableId"):
            if not graph.exists(route) or _within(graph.get(route, "DestinationCidrBlock"), linked):
                continue
            for name, words in _WAYS_OUT.items():
                target = graph.get(route, name)
                if isinstance(target, Absent) or target == "local" or _is_endpoint(target):
                    continue
                if name != "NatGatewayId" or not _behind_a_firewall(graph, target):
                    yield f"{route.logical_id} to {words}"


def _within(destination: Any, ranges: Iterable[str]) -> bool:
    """Whether a route leads to nothing but a part of one of the ranges."""
    try:
        block = IPv4Network(destination)
        return any(block.subnet_of(IPv4Network(each)) for each in ranges)
    except (ValueError, TypeError):
        return False


def _behind_a_firewall(graph: Templates, gateway: Any) -> bool:
    """Whether all that a NAT gateway sends on goes to an endpoint, a firewall's say."""
    if type(gateway) is not Reference or gateway.resource.type != "AWS::EC2::NatGateway":
        return False
    subnet = graph.get(gateway.resource, "SubnetId")
    if type(subnet) is not Reference:
        return False
    tables = [
        graph.get(association, "RouteTableId")
        for association in graph.named_by(
            subnet.resource, "AWS::EC2::SubnetRouteTableAssociation", "SubnetId"
        )
    ]
    routes = [
        route
        for table in tables
        if type(table) is Reference
        for route in graph.named_by(table.resource, "AWS::EC2::Route", "RouteTableId")
    ]
    return bool(routes) and all(
        isinstance(target := graph.get(route, name), Absent) or target == "local" or _is_endpoint(target)
        for route in routes
        for name in _WAYS_OUT
    )


def _is_endpoint(target: Any) -> bool:
    return type(target) is Reference and target.resource.type == "AWS::EC2::VPCEndpoint"


@dataclass(frozen=True)
class IsolatedSubnets:
    """Every item is a subnet from which no route leaves the VPC.

    Attributes:
        least: How many there must be.
    """

    least: int = 1

    def check(self, value: Any, context: Context) -> Outcome | None:
        """Follow each item to its routes."""
        graph = context.graph
        if isinstance(value, Absent):
            return not_set(value)
        if type(value) is not list:
            return _subnet(value, context)
        items = [graph.resolve(context.resource.template, item) for item in value]
        items = [item for item in items if not isinstance(item, Absent)]
        if len(items) < self.least:
            return Fail("is empty" if not items else f"has {len(items)} of the {self.least} subnets it needs")
        unknown: Outcome | None = None
        for index, item in enumerate(items):
            outcome = _subnet(item, context)
            if isinstance(outcome, Fail):
                return at(outcome, f"[{index}]")
            unknown = unknown or (at(outcome, f"[{index}]") if outcome else None)
        return unknown


def _subnet(item: Any, context: Context) -> Outcome | None:
    if type(item) is Reference:
        if item.resource.type == "AWS::EC2::Subnet":
            out = next(ways_out(context, item.resource), None)
            if out is None:
                return None
            if out.startswith("a route table"):
                return Unknown(f"{show(item)} uses {out}.", kind="network")
            return Fail(f"is {show(item)}, which is not isolated: its route {out} leaves the VPC")
        return Unknown(f"{show(item)} is known when the stack is deployed.", kind="network")
    return _vouched(item, context, "subnet")


def _vouched(item: Any, context: Context, what: str) -> Outcome | None:
    if type(item) is str:
        if any(fnmatchcase(item, pattern) for pattern in context.settings.networks):
            return None
        if not item:
            return Fail(f"names no {what}")
        return Unknown(
            f"The {what} {item} is not in the templates: vouch for it in networks.", kind="network"
        )
    if isinstance(item, dict | list | int):
        return Fail(f"names no {what}")
    return known_later(item, "network")


@dataclass(frozen=True)
class OurGroups:
    """Every item is a security group of the templates, or one that is vouched for."""

    def check(self, value: Any, context: Context) -> Outcome | None:
        """Follow each item to a group."""
        if isinstance(value, Absent):
            return not_set(value)
        if type(value) is not list:
            return _group(value, context)
        items = [context.graph.resolve(context.resource.template, item) for item in value]
        items = [item for item in items if not isinstance(item, Absent)]
        if not items:
            return Fail("is empty")
        for index, item in enumerate(items):
            outcome = _group(item, context)
            if outcome is not None:
                return at(outcome, f"[{index}]")
        return None


def _group(item: Any, context: Context) -> Outcome | None:
    if type(item) is not Reference:
        return _vouched(item, context, "security group")
    if item.attribute == "DefaultSecurityGroup":
        return Fail("is the default group of the VPC")
    if item.resource.type == "AWS::EC2::SecurityGroup":
        return None
    return Unknown(f"{show(item)} is known when the stack is deployed.", kind="network")


def anywhere(cidr: Any) -> bool:
    """Whether a CIDR holds every address, or half of them: two halves make a whole."""
    if not isinstance(cidr, str):
        return False
    address, _, bits = cidr.partition("/")
    return bits in ("0", "1") and (":" in address or address.count(".") == 3)
