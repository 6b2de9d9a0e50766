"""Mutants of networks: routes that lead out, groups and lists that let through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.mutants.mutant import REACHABILITY, REMOVE, Edit, Mutant, Path, Site

_EVERYWHERE = {
    "0.0.0.0/0": "CidrIp",
    "0.0.0.0/1": "CidrIp",
    "::/0": "CidrIpv6",
}
_PEERS = (
    "CidrIp",
    "CidrIpv6",
    "SourceSecurityGroupId",
    "DestinationSecurityGroupId",
    "SourcePrefixListId",
    "DestinationPrefixListId",
)
_OUT = {
    "internet-gateway": ("AWS::EC2::InternetGateway", "GatewayId"),
    "nat-gateway": ("AWS::EC2::NatGateway", "NatGatewayId"),
    "egress-only-gateway": ("AWS::EC2::EgressOnlyInternetGateway", "EgressOnlyInternetGatewayId"),
    "transit-gateway": ("AWS::EC2::TransitGateway", "TransitGatewayId"),
    "peering": ("AWS::EC2::VPCPeeringConnection", "VpcPeeringConnectionId"),
}


def of(site: Site) -> Iterator[Mutant]:
    """Every mutant of a resource's part in the network."""
    match site.type:
        case "AWS::EC2::SecurityGroup":
            yield from _group(site)
        case "AWS::EC2::SecurityGroupIngress" | "AWS::EC2::SecurityGroupEgress":
            yield from _opened(site, ("Properties",), site.properties)
        case "AWS::EC2::RouteTable":
            yield from _routes(site)
        case "AWS::EC2::NetworkAclEntry":
            yield from _entry(site)
        case "AWS::EC2::NetworkAcl":
            yield from _entries(site)
        case "AWS::EC2::VPCEndpoint":
            yield from _endpoint(site)
        case "AWS::EC2::SubnetNetworkAclAssociation" | "AWS::EC2::SubnetRouteTableAssociation":
            # The subnet falls back on the VPC's main list or table.
            yield site.set("resource-dropped", (), REACHABILITY, REMOVE)
        case "AWS::EC2::FlowLog" | "Custom::VpcRestrictDefaultSG":
            yield site.set("resource-dropped", (), REACHABILITY, REMOVE)


def _group(site: Site) -> Iterator[Mutant]:
    for name in ("SecurityGroupIngress", "SecurityGroupEgress"):
        path = ("Properties", name)
        rules = site.properties.get(name, [])
        rules = rules if isinstance(rules, list) else []
        for index, rule in enumerate(rules):
            yield from _opened(site, (*path, index), rule)
        for cidr, peer in _EVERYWHERE.items():
            new = [*rules, {"IpProtocol": "-1", peer: cidr}]
            yield site.set(f"rule-added {cidr}", path, REACHABILITY, new)
    if "SecurityGroupEgress" in site.properties:
        yield site.set("egress-dropped", ("Properties", "SecurityGroupEgress"), REACHABILITY, REMOVE)


def _opened(site: Site, path: Path, rule: Mapping[str, Any]) -> Iterator[Mutant]:
    gone = [((*path, name), REMOVE) for name in _PEERS if name in rule]
    for cidr, peer in _EVERYWHERE.items():
        yield site.mutant(f"opened to {cidr}", path, REACHABILITY, *gone, ((*path, peer), cidr))
    if rule.get("IpProtocol") not in ("-1", -1):
        yield site.set("every-protocol", (*path, "IpProtocol"), REACHABILITY, "-1")
    if rule.get("FromPort") is not None:
        ports = (((*path, "FromPort"), 0), ((*path, "ToPort"), 65535))
        yield site.mutant("every-port", path, REACHABILITY, *ports)


def _routes(site: Site) -> Iterator[Mutant]:
    vpc = site.properties["VpcId"]
    for name, (type_, property_) in _OUT.items():
        for cidr in ("0.0.0.0/0", "0.0.0.0/1", "::/0"):
            destination = "DestinationIpv6CidrBlock" if ":" in cidr else "DestinationCidrBlock"
            route = {
                "Type": "AWS::EC2::Route",
                "Properties": {
                    "RouteTableId": {"Ref": site.logical_id},
                    destination: cidr,
                    property_: {"Ref": "MutantGateway"},
                },
            }
            edits = [
                Edit(("MutantGateway",), {"Type": type_, "Properties": {}}),
                Edit(("MutantRoute",), route),
            ]
            if name == "internet-gateway":
                attachment = {"InternetGatewayId": {"Ref": "MutantGateway"}, "VpcId": vpc}
                attachment_type = "AWS::EC2::VPCGatewayAttachment"
                edits.append(Edit(("MutantAttachment",), {"Type": attachment_type, "Properties": attachment}))
            operator = f"route-added {cidr} to {name}"
            yield Mutant(site.stack, site.logical_id, site.type, (), operator, REACHABILITY, tuple(edits))


def _entry(site: Site) -> Iterator[Mutant]:
    path: Path = ("Properties",)
    if site.properties.get("RuleAction") == "deny":
        yield site.set("deny-allows", (*path, "RuleAction"), REACHABILITY, "allow")
        yield site.set("resource-dropped", (), REACHABILITY, REMOVE)
        return
    for cidr in ("0.0.0.0/0", "::/0"):
        block = "Ipv6CidrBlock" if ":" in cidr else "CidrBlock"
        edits = [((*path, "CidrBlock"), REMOVE), ((*path, block), cidr)]
        if site.properties.get("CidrBlock") != cidr:
            yield site.mutant(f"opened to {cidr}", path, REACHABILITY, *edits)
        wide = [*edits, ((*path, "Protocol"), -1), ((*path, "PortRange"), REMOVE)]
        yield site.mutant(f"opened to {cidr} with every protocol", path, REACHABILITY, *wide)
    if "PortRange" in site.properties:
        yield site.set("every-port", (*path, "PortRange"), REACHABILITY, {"From": 0, "To": 65535})


def _entries(site: Site) -> Iterator[Mutant]:
    for egress in (True, False):
        entry = {
            "NetworkAclId": {"Ref": site.logical_id},
            "Egress": egress,
            "Protocol": -1,
            "RuleAction": "allow",
            "RuleNumber": 1,
            "CidrBlock": "0.0.0.0/0",
        }
        edit = Edit(("MutantEntry",), {"Type": "AWS::EC2::NetworkAclEntry", "Properties": entry})
        operator = f"entry-added {'out' if egress else 'in'}"
        yield Mutant(site.stack, site.logical_id, site.type, (), operator, REACHABILITY, (edit,))


def _endpoint(site: Site) -> Iterator[Mutant]:
    if "SecurityGroupIds" in site.properties:
        path = ("Properties", "SecurityGroupIds")
        yield site.set("group-removed", path, REACHABILITY, REMOVE)
        vpc = site.properties["VpcId"]
        if isinstance(vpc, dict) and "Ref" in vpc:
            default = {"Fn::GetAtt": [vpc["Ref"], "DefaultSecurityGroup"]}
            yield site.set("default-group", path, REACHABILITY, [default])
