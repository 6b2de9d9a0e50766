"""What can be checked of a network that somebody else made, before it is deployed into."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import aws_ec2 as ec2

from secure_ml_constructs._cdk import is_token
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.network.addresses import is_default_vpc
from secure_ml_constructs.network.endpoint_services import SERVICES
from secure_ml_constructs.network.endpoints import Endpoints, fix_for

# What Vpc.from_lookup gives until the CDK CLI has looked: nothing can be said of it yet.
_PENDING = "vpc-12345"
_EVERYWHERE = ("0.0.0.0/0", "::/0")


@dataclass(frozen=True, kw_only=True)
class ExistingSubnet:
    """One subnet, where no `ISubnet` is at hand.

    Args:
        availability_zone: Its zone's name.
        subnet_id: Its id.
        route_table_id: Its route table. Needed only where a gateway endpoint is to be made.
    """

    availability_zone: str
    subnet_id: str
    route_table_id: str | None = None


def check_id(problems: Problems, argument: str, value: str, prefix: str) -> None:
    """Record an id that can't be one: `vpc-…`, `subnet-…`, `sg-…`, `vpce-…`."""
    if not is_token(value) and not re.fullmatch(rf"{prefix}-[0-9a-f]{{8}}([0-9a-f]{{9}})?", value):
        fix = f"Write '{prefix}-' and 8 or 17 hexadecimal digits."
        problems.add(argument, value, f"This is no id of the form '{prefix}-…'.", fix)


def check_vpc(problems: Problems, vpc: ec2.IVpc | str) -> tuple[str, str]:
    """Give a VPC's id and range, the range empty where it is not known; record what is wrong."""
    if isinstance(vpc, str):
        check_id(problems, "vpc", vpc, "vpc")
        return vpc, ""
    vpc_id = vpc.vpc_id
    try:
        cidr = vpc.vpc_cidr_block
    except RuntimeError:  # An import that does not say.
        cidr = ""
    if vpc_id != _PENDING:
        check_id(problems, "vpc", vpc_id, "vpc")
    if is_default_vpc(cidr):
        reason = "172.31.0.0/16 is the range of every default VPC, whose subnets are public."
        problems.add("vpc", vpc_id, reason, "Give a VPC that was made for the purpose, or use SecureVpc.")
    return vpc_id, cidr


def check_subnets(
    problems: Problems, vpc: ec2.IVpc | str, subnets: Sequence[ec2.ISubnet | ExistingSubnet] | None
) -> list[ExistingSubnet]:
    """Give the subnets as plain values; record those that are public, lead out, or are too few."""
    pending = not isinstance(vpc, str) and vpc.vpc_id == _PENDING
    if subnets is None:
        if isinstance(vpc, str):
            fix = "Give an ExistingSubnet for each availability zone."
            problems.add("subnets", None, "A VPC's id alone does not tell its subnets.", fix)
            return []
        subnets = vpc.isolated_subnets or (vpc.private_subnets if pending else [])
    chosen = [subnet if isinstance(subnet, ExistingSubnet) else _plain(subnet) for subnet in subnets]
    if pending:
        return chosen
    for index, (subnet, given) in enumerate(zip(chosen, subnets, strict=True)):
        check_id(problems, f"subnets[{index}]", subnet.subnet_id, "subnet")
        wrong = "" if isinstance(given, ExistingSubnet) else _way_out(given)
        if not wrong and not isinstance(vpc, str):
            wrong = _kind(vpc, subnet.subnet_id)
        if wrong:
            fix = "Give an isolated subnet: no public addresses, no route to an internet or NAT gateway."
            problems.add(f"subnets[{index}]", subnet.subnet_id, wrong, fix)
    ids = [subnet.subnet_id for subnet in chosen]
    if len(set(ids)) < len(ids):
        problems.add("subnets", ids, "A subnet is given twice.", "Give each once.")
    zones = [subnet.availability_zone for subnet in chosen]
    if len(set(zones)) < 2:
        reason = "These are fewer than 2 availability zones; SageMaker asks for two."
        problems.add("subnets", ids, reason, "Give isolated subnets in 2 or more zones.")
    elif len(set(zones)) < len(zones):
        reason = "An endpoint takes one subnet of a zone, and two lie in the same."
        problems.add("subnets", ids, reason, "Give one isolated subnet for each zone.")
    return chosen


def check_endpoints(problems: Problems, endpoints: Endpoints, existing: Mapping[str, str]) -> None:
    """Record existing endpoints of unknown services and ids that are none."""
    known = tuple(dict.fromkeys((*endpoints.names, *SERVICES)))
    for name, endpoint_id in existing.items():
        argument = f"existing_endpoints[{name!r}]"
        if name not in known:
            problems.add(argument, endpoint_id, "There is no such service.", fix_for(name, known))
        check_id(problems, argument, endpoint_id, "vpce")


def _plain(subnet: ec2.ISubnet) -> ExistingSubnet:
    try:
        table: str | None = subnet.route_table.route_table_id
    except RuntimeError:  # An import that does not say.
        table = None
    return ExistingSubnet(
        availability_zone=subnet.availability_zone, subnet_id=subnet.subnet_id, route_table_id=table
    )


def _kind(vpc: ec2.IVpc, subnet_id: str) -> str:
    if subnet_id in [subnet.subnet_id for subnet in vpc.public_subnets]:
        return "It is a public subnet of the VPC."
    if subnet_id in [subnet.subnet_id for subnet in vpc.private_subnets]:
        return "It is a subnet with egress: the VPC has it among those that reach a NAT gateway."
    return ""


def _way_out(subnet: ec2.ISubnet) -> str:
    """Tell what is wrong with a subnet as far as the app knows how it is made."""
    for child in subnet.node.children:
        if isinstance(child, ec2.CfnSubnet) and child.map_public_ip_on_launch:
            return "It gives out public addresses."
    try:
        table = subnet.route_table.route_table_id
    except RuntimeError:
        return ""
    if not is_token(table):
        return ""
    # Routes may stand anywhere in the app, so that all of it is searched, but only for a table made in it.
    for route in _routes(subnet):
        if route.route_table_id == table:
            if route.gateway_id or route.nat_gateway_id or route.egress_only_internet_gateway_id:
                return "Its route table leads to an internet, NAT or egress-only gateway."
            if {route.destination_cidr_block, route.destination_ipv6_cidr_block} & set(_EVERYWHERE):
                return "Its route table leads to any address."
    return ""


def _routes(subnet: ec2.ISubnet) -> Iterable[ec2.CfnRoute]:
    return (node for node in subnet.node.root.node.find_all() if isinstance(node, ec2.CfnRoute))
