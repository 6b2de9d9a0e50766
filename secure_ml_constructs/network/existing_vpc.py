"""What somebody else made of a network, and what can be checked of it before it is deployed into."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aws_cdk import aws_ec2 as ec2

from secure_ml_constructs._cdk import is_token
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.network.addresses import is_default_vpc, is_private
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


@dataclass(frozen=True, kw_only=True)
class ExistingGroups:
    """Security groups that are there already; each that is left out is made.

    Args:
        endpoints: The group of the interface endpoints.
        workloads: The group of notebooks, functions and inference.
        jobs: The group of training and processing jobs.
        admit: False where `endpoints` is another account's, as in a shared VPC: its owner then has to let the
            groups made here in. Default: True, a rule is added to it.
    """

    endpoints: str | None = None
    workloads: str | None = None
    jobs: str | None = None
    admit: bool = True


@dataclass(frozen=True, kw_only=True)
class ExistingVpc:
    """What is there already: a VPC, or shared subnets of one.

    Args:
        vpc: The VPC, or its id.
        subnets: The isolated subnets, one for each zone. Default: the isolated subnets of `vpc`, where that
            is an `IVpc`.
        endpoints: Endpoints of this VPC, as id by service (`{"s3": "vpce-0123456789abcdef0"}`); none is made
            for these, and bucket policies name them. Default: none.
        groups: Security groups that exist. Default: all are made.
        check_at_deployment: False where no function may run at deployment, or AWS does not show the network
            to this account: nothing then looks at the routes of a network that the app does not make.
    """

    vpc: ec2.IVpc | str
    subnets: Sequence[ec2.ISubnet | ExistingSubnet] | None = None
    endpoints: Mapping[str, str] = field(default_factory=dict)
    groups: ExistingGroups = field(default_factory=ExistingGroups)
    check_at_deployment: bool = True

    def check(self, problems: Problems, wanted: Endpoints) -> tuple[str, str, list[ExistingSubnet]]:
        """Give the VPC's id, its range as far as it is known, and its subnets; record what is wrong.

        Args:
            problems: Where to record.
            wanted: The endpoints there have to be.
        """
        vpc_id, cidr = _check_vpc(problems, self.vpc)
        subnets = _check_subnets(problems, self.vpc, self.subnets)
        known = tuple(dict.fromkeys((*wanted.names, *SERVICES)))
        for name, endpoint_id in self.endpoints.items():
            argument = f"existing.endpoints[{name!r}]"
            if name not in known:
                problems.add(argument, endpoint_id, "There is no such service.", fix_for(name, known))
            _check_id(problems, argument, endpoint_id, "vpce")
        for argument in ("endpoints", "workloads", "jobs"):
            if group := getattr(self.groups, argument):
                _check_id(problems, f"existing.groups.{argument}", group, "sg")
        if subnets:
            wanted.check_zones(problems, [subnet.availability_zone for subnet in subnets])
        missing = [s.name for s in wanted.services if s.gateway and s.name not in self.endpoints]
        if missing and not all(subnet.route_table_id for subnet in subnets):
            reason = f"The gateway endpoint of {' and '.join(missing)} is to be made, and needs route tables."
            fix = "Give each subnet's route_table_id, or the endpoint's id in existing.endpoints."
            problems.add("existing.subnets", [subnet.subnet_id for subnet in subnets], reason, fix)
        return vpc_id, cidr, subnets


def _check_id(problems: Problems, argument: str, value: str, prefix: str) -> None:
    """Record an id that can't be one: `vpc-…`, `subnet-…`, `sg-…`, `vpce-…`."""
    if not is_token(value) and not re.fullmatch(rf"{prefix}-[0-9a-f]{{8}}([0-9a-f]{{9}})?", value):
        fix = f"Write '{prefix}-' and 8 or 17 hexadecimal digits."
        problems.add(argument, value, f"This is no id of the form '{prefix}-…'.", fix)


def _check_vpc(problems: Problems, vpc: ec2.IVpc | str) -> tuple[str, str]:
    """Give a VPC's id and range, the range empty where it is not known; record what is wrong."""
    if isinstance(vpc, str):
        _check_id(problems, "existing.vpc", vpc, "vpc")
        return vpc, ""
    vpc_id = vpc.vpc_id
    try:
        cidr = vpc.vpc_cidr_block
    except RuntimeError:  # An import that does not say.
        cidr = ""
    if vpc_id != _PENDING:
        _check_id(problems, "existing.vpc", vpc_id, "vpc")
    if is_default_vpc(cidr):
        reason = "172.31.0.0/16 is the range of every default VPC, whose subnets are public."
        problems.add(
            "existing.vpc", vpc_id, reason, "Give a VPC that was made for the purpose, or use SecureVpc."
        )
    return vpc_id, cidr


def _check_subnets(
    problems: Problems, vpc: ec2.IVpc | str, subnets: Sequence[ec2.ISubnet | ExistingSubnet] | None
) -> list[ExistingSubnet]:
    """Give the subnets as plain values; record those that are public, lead out, or are too few."""
    pending = not isinstance(vpc, str) and vpc.vpc_id == _PENDING
    if subnets is None:
        if isinstance(vpc, str):
            fix = "Give an ExistingSubnet for each availability zone."
            problems.add("existing.subnets", None, "A VPC's id alone does not tell its subnets.", fix)
            return []
        subnets = vpc.isolated_subnets or (vpc.private_subnets if pending else [])
    chosen = [subnet if isinstance(subnet, ExistingSubnet) else _plain(subnet) for subnet in subnets]
    if pending:
        return chosen
    routes = _routes(subnet for subnet in subnets if not isinstance(subnet, ExistingSubnet))
    for index, (subnet, given) in enumerate(zip(chosen, subnets, strict=True)):
        _check_id(problems, f"existing.subnets[{index}]", subnet.subnet_id, "subnet")
        wrong = "" if isinstance(given, ExistingSubnet) else _way_out(given, subnet.route_table_id, routes)
        if not wrong and not isinstance(vpc, str):
            wrong = _kind(vpc, subnet.subnet_id)
        if wrong:
            fix = "Give an isolated subnet: no public addresses, no route to an internet or NAT gateway."
            problems.add(f"existing.subnets[{index}]", subnet.subnet_id, wrong, fix)
    ids = [subnet.subnet_id for subnet in chosen]
    if len(set(ids)) < len(ids):
        problems.add("existing.subnets", ids, "A subnet is given twice.", "Give each once.")
    zones = [subnet.availability_zone for subnet in chosen]
    if len(set(zones)) < 2:
        reason = "These are fewer than 2 availability zones; SageMaker asks for two."
        problems.add("existing.subnets", ids, reason, "Give isolated subnets in 2 or more zones.")
    elif len(set(zones)) < len(zones):
        reason = "An endpoint takes one subnet of a zone, and two lie in the same."
        problems.add("existing.subnets", ids, reason, "Give one isolated subnet for each zone.")
    return chosen


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


def _way_out(subnet: ec2.ISubnet, table: str | None, routes: Sequence[ec2.CfnRoute]) -> str:
    """Tell what is wrong with a subnet as far as the app knows how it is made."""
    for child in subnet.node.children:
        if isinstance(child, ec2.CfnSubnet) and child.map_public_ip_on_launch:
            return "It gives out public addresses."
    for route in routes:
        if route.route_table_id == table:
            to = route.destination_cidr_block or route.destination_ipv6_cidr_block
            gateway = route.gateway_id or route.nat_gateway_id or route.egress_only_internet_gateway_id
            if to in _EVERYWHERE or (gateway and not is_private(to)):
                return f"Its route table has a route out to {to or 'a prefix list'}."
    return ""


def _routes(subnets: Iterable[ec2.ISubnet]) -> list[ec2.CfnRoute]:
    # Routes may stand anywhere in the app. A prefix list of the gateway endpoints is not among them.
    for subnet in subnets:
        nodes = subnet.node.root.node.find_all()
        return [node for node in nodes if isinstance(node, ec2.CfnRoute)]
    return []
