"""Ports of security groups, and subnets that fall back on what the VPC came with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from secure_ml_constructs.verification.rules.networks import ways_out
from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome
from secure_ml_constructs.verification.rules.pack.vocabulary import HIJACK, INSIDER, THEFT
from secure_ml_constructs.verification.rules.requirements import Code, values
from secure_ml_constructs.verification.rules.rule import ERROR, WARNING, Rule
from secure_ml_constructs.verification.templates import Reference, show

_GROUP = "AWS::EC2::SecurityGroup"
_SUBNET = "AWS::EC2::Subnet"
_ACL = "AWS::EC2::NetworkAcl"
_PEERS = ("SourceSecurityGroupId", "DestinationSecurityGroupId")
# The whole range of ports, give or take the lowest.
_ALMOST_ALL = 65000


def _ports(context: Context, rule: Any, group: Any, path: str) -> Iterator[Outcome]:
    get = partial(context.graph.at, context.resource.template, rule)
    for name in _PEERS:
        peer = get((name,))
        if (peer.resource if type(peer) is Reference else peer) == group:
            # "Elastic Fabric Adapter": the group of distributed jobs lets itself do everything.
            return
    # The rule by which a group lets nothing out: EC2 adds one that allows all where there is none.
    if str(get(("CidrIp",))).startswith(("127.", "255.255.255.255/")):
        return
    protocol = get(("IpProtocol",))
    if protocol in ("-1", -1):
        yield Fail("is -1, every protocol", f"{path}IpProtocol")
        return
    first, last = get(("FromPort",)), get(("ToPort",))
    if isinstance(first, int) and isinstance(last, int) and last - first > _ALMOST_ALL:
        yield Fail(f"to ToPort is {first} to {last}, every port", f"{path}FromPort")


def _group(context: Context) -> Iterator[Outcome]:
    for name in ("SecurityGroupIngress", "SecurityGroupEgress"):
        for path, rule in values(context, f"{name}[*]"):
            if isinstance(rule, dict):
                yield from _ports(context, rule, context.resource, f"{path}.")


def _single(context: Context) -> Iterator[Outcome]:
    group = context.graph.get(context.resource, "GroupId")
    owner = group.resource if type(group) is Reference else group
    yield from _ports(context, context.resource.properties, owner, "")


def _default_group(context: Context) -> Iterator[Outcome]:
    for path, group in values(context, "SecurityGroupIds[*]"):
        if type(group) is Reference and group.attribute == "DefaultSecurityGroup":
            yield Fail("is the default group of the VPC", path)


def _own_table(context: Context) -> Iterator[Outcome]:
    if not context.graph.named_by(context.resource, "AWS::EC2::SubnetRouteTableAssociation", "SubnetId"):
        yield Fail("has no route table of its own, so that the VPC's main one holds")


def _as_named(context: Context) -> Iterator[Outcome]:
    """What a subnet is called, by its Name or by the tag of the CDK, is what others rely on."""
    graph, subnet = context.graph, context.resource
    for path, tag in values(context, "Tags[*]"):
        key, value = (graph.at(subnet.template, tag, (name,)) for name in ("Key", "Value"))
        if key in ("Name", "aws-cdk:subnet-type") and re.search(r"\bisolated|isolated\b", show(value), re.I):
            for out in ways_out(context, subnet):
                if not out.startswith("a route table"):
                    yield Fail(f"says {show(value)}, and its route {out} leaves the VPC", path)
            return


def _own_acl(context: Context) -> Iterator[Outcome]:
    """Where a VPC has lists of its own, each subnet has one of them."""
    graph, subnet = context.graph, context.resource
    vpc = graph.get(subnet, "VpcId")
    if type(vpc) is not Reference:
        return
    if not graph.named_by(vpc.resource, _ACL, "VpcId"):
        return
    if not graph.named_by(subnet, "AWS::EC2::SubnetNetworkAclAssociation", "SubnetId"):
        yield Fail("has no network ACL of its own, so that the VPC's default one lets everything through")


_FIX_PORTS = "Name the protocol and the ports that are needed."

RULES = (
    *(
        Rule(
            id=id,
            resource_type=type_,
            requirement=Code(ask, "Groups that let themselves do everything are excepted."),
            severity=WARNING,
            control="N4",
            threats=(INSIDER, HIJACK),
            title=title,
            why="Every port is also the one on which what broke in listens.",
            fix=_FIX_PORTS,
        )
        for id, type_, ask, title in (
            ("SecurityGroupPorts", _GROUP, _group, "Rules in a security group name ports"),
            (
                "SecurityGroupIngressPorts",
                "AWS::EC2::SecurityGroupIngress",
                _single,
                "A rule that lets in names ports",
            ),
            (
                "SecurityGroupEgressPorts",
                "AWS::EC2::SecurityGroupEgress",
                _single,
                "A rule that lets out names ports",
            ),
        )
    ),
    Rule(
        id="VpcEndpointNotDefaultGroup",
        resource_type="AWS::EC2::VPCEndpoint",
        requirement=Code(_default_group),
        severity=WARNING,
        control="N4",
        threats=(INSIDER,),
        title="An endpoint is not in the default group of its VPC",
        why="Whatever names no group of its own is in it as well, and reaches the endpoint.",
        fix="Set SecurityGroupIds to a group of the endpoints.",
    ),
    Rule(
        id="SubnetIsolatedAsNamed",
        resource_type=_SUBNET,
        requirement=Code(_as_named, "Routes and tables are other resources."),
        severity=ERROR,
        control="N1",
        threats=(INSIDER, THEFT),
        title="A subnet that is called isolated is",
        why="Whoever puts a workload there relies on the name, and its data finds a way out.",
        fix="Remove the route, or call the subnet by what it is.",
    ),
    Rule(
        id="SubnetOwnRouteTable",
        resource_type=_SUBNET,
        requirement=Code(_own_table, "The association is another resource."),
        severity=WARNING,
        control="N1",
        threats=(INSIDER,),
        title="A subnet has a route table of its own",
        why="A route that is added to the VPC's main table opens every subnet that has none.",
        fix="Add an AWS::EC2::SubnetRouteTableAssociation.",
    ),
    Rule(
        id="SubnetOwnNetworkAcl",
        resource_type=_SUBNET,
        requirement=Code(_own_acl, "The association is another resource."),
        severity=WARNING,
        control="N5",
        threats=(INSIDER,),
        title="A subnet has one of the VPC's network ACLs",
        why="The default list lets everything through, both ways.",
        fix="Add an AWS::EC2::SubnetNetworkAclAssociation.",
    ),
)
