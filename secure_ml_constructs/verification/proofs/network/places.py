"""VPCs, their subnets, and the interfaces that workloads have in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from secure_ml_constructs.verification.proofs.network.acls import Acl, Acls
from secure_ml_constructs.verification.proofs.network.answers import Hop
from secure_ml_constructs.verification.proofs.network.groups import Group
from secure_ml_constructs.verification.proofs.network.reading import Reader, may_be_ours, only
from secure_ml_constructs.verification.proofs.network.routes import Table, Tables
from secure_ml_constructs.verification.proofs.network.traffic import (
    ANY_IPV4,
    ANY_IPV6,
    EVERYTHING,
    NOTHING,
    SENDABLE,
    Traffic,
)
from secure_ml_constructs.verification.templates import Absent, Reference, Resource, show

_VPC = "AWS::EC2::VPC"


@dataclass(eq=False)
class Vpc:
    """A VPC.

    Attributes:
        name: Its logical id.
        resource: Its resource.
        blocks: Its address blocks that are known, for which its local route stands.
        addresses: Every address that it may have.
        subnets: Its subnets.
    """

    name: str
    resource: Resource
    blocks: tuple[Traffic, ...]
    addresses: Traffic
    subnets: list[Subnet] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"<VPC {self.name}>"


@dataclass(eq=False)
class Subnet:
    """A subnet.

    Attributes:
        name: Its logical id.
        resource: Its resource.
        vpc: Its VPC; None where it is not in the templates.
        addresses: Every address that it may have.
        zone: Its availability zone as it is written; empty where AWS chooses.
        public: Whether its interfaces get public addresses.
        acl: Its network ACL.
        tables: The route tables that it may use.
        adrift: Whether its VPC is not resolved, so that it may be any of the templates.
    """

    name: str
    resource: Resource
    vpc: Vpc | None
    addresses: Traffic
    zone: str
    public: bool
    acl: Acl
    tables: list[Table]
    adrift: bool = False

    def __repr__(self) -> str:
        return f"<subnet {self.name}>"

    @property
    def hop(self) -> Hop:
        """The subnet as a step."""
        return Hop.at(self.resource, "subnet")


@dataclass(frozen=True)
class Interface:
    """A network interface that there is or may be: a subnet and the groups it is in.

    Attributes:
        subnet: The subnet; None where it is not in the templates.
        groups: The security groups.
    """

    subnet: Subnet | None
    groups: frozenset[Group]

    def __str__(self) -> str:
        groups = ", ".join(sorted(group.name for group in self.groups))
        return f"{self.subnet.name if self.subnet else 'an unknown subnet'} with {groups}"

    @property
    def vpc(self) -> Resource | None:
        """Its VPC: the subnet's, or that of its groups, as both are of one."""
        if self.subnet is not None and self.subnet.vpc is not None:
            return self.subnet.vpc.resource
        return next((group.vpc for group in self.groups if group.vpc is not None), None)

    @property
    def adrift(self) -> bool:
        """Whether its VPC is not resolved, so that it may be any of the templates."""
        if self.vpc is not None:
            return False
        return any(group.adrift for group in self.groups) or (self.subnet is not None and self.subnet.adrift)

    @property
    def addresses(self) -> Traffic:
        """The addresses that it may have."""
        return self.subnet.addresses if self.subnet else SENDABLE

    @property
    def inbound(self) -> Traffic:
        """What its subnet's network ACL lets in."""
        return self.subnet.acl.inbound if self.subnet else EVERYTHING

    @property
    def outbound(self) -> Traffic:
        """What its subnet's network ACL lets out."""
        return self.subnet.acl.outbound if self.subnet else EVERYTHING

    @property
    def hop(self) -> Hop:
        """The interface as a step."""
        if self.subnet is None:
            return Hop("a subnet that is not in the templates")
        groups = " + ".join(sorted(group.name for group in self.groups))
        hop = self.subnet.hop
        return Hop(f"{hop.text} ({groups})", hop.template, hop.logical_id, hop.construct)


class Vpcs:
    """The VPCs and subnets of the templates.

    Args:
        reader: The templates.
        tables: Their route tables.
        acls: Their network ACLs.
    """

    def __init__(self, reader: Reader, tables: Tables, acls: Acls) -> None:
        self._reader = reader
        self._tables = tables
        self.vpcs = {r: self._vpc(r) for r in reader.resources(_VPC)}
        links = self._associations()
        self.subnets: dict[Resource, Subnet] = {}
        for resource in reader.resources("AWS::EC2::Subnet"):
            subnet = self._subnet(resource, acls, links)
            if subnet is None:
                continue
            self.subnets[resource] = subnet
            if subnet.vpc is not None:
                subnet.vpc.subnets.append(subnet)

    def _vpc(self, resource: Resource) -> Vpc:
        reader = self._reader
        blocks: list[Traffic] = []
        addresses = NOTHING

        def read(r: Resource) -> tuple[Any, ...]:
            pools = (reader.get(r, "Ipv4IpamPoolId"), reader.get(r, "Ipv6IpamPoolId"))
            provided = reader.get(r, "AmazonProvidedIpv6CidrBlock")
            return reader.get(r, "CidrBlock"), reader.get(r, "Ipv6CidrBlock"), pools, provided

        more = [
            other
            for other in reader.resources("AWS::EC2::VPCCidrBlock")
            if any(
                only(vpc, _VPC) is resource or (only(vpc, _VPC) is None and may_be_ours(vpc))
                for vpc in reader.variants(other, lambda r: reader.get(r, "VpcId"))[0]
            )
        ]
        for owner in (resource, *more):
            variants, certain = reader.variants(owner, read)
            for first, second, pools, provided in variants:
                for value, version in ((first, 4), (second, 6)):
                    block, unresolved = reader.range(value, version)
                    addresses |= block
                    if block and not unresolved and certain:
                        blocks.append(block)
                pool4, pool6 = pools
                if not isinstance(pool4, Absent) and isinstance(first, Absent):
                    addresses |= ANY_IPV4
                if (not isinstance(pool6, Absent) and isinstance(second, Absent)) or (
                    not isinstance(provided, Absent) and provided is not False
                ):
                    addresses |= ANY_IPV6
        return Vpc(resource.logical_id, resource, tuple(dict.fromkeys(blocks)), addresses or EVERYTHING)

    def _associations(self) -> dict[Resource | None, list[tuple[Any, bool]]]:
        reader = self._reader
        found: dict[Resource | None, list[tuple[Any, bool]]] = {}
        for resource in reader.resources("AWS::EC2::SubnetRouteTableAssociation"):
            variants, certain = reader.variants(
                resource, lambda r: (reader.get(r, "SubnetId"), reader.get(r, "RouteTableId"))
            )
            for subnet, table in variants:
                known = only(subnet, "AWS::EC2::Subnet")
                if known is not None:
                    found.setdefault(known, []).append((table, certain))
                elif may_be_ours(subnet):
                    found.setdefault(None, []).append((table, False))
        return found

    def _subnet(
        self, resource: Resource, acls: Acls, links: dict[Resource | None, list[tuple[Any, bool]]]
    ) -> Subnet | None:
        reader = self._reader
        names = ("VpcId", "CidrBlock", "Ipv6CidrBlock", "AvailabilityZone", "MapPublicIpOnLaunch")
        variants, _ = reader.variants(resource, lambda r: tuple(reader.get(r, name) for name in names))
        if not variants:
            return None
        # One whose VPC hangs on a condition counts as one whose VPC is not resolved.
        named = only(variants[0][0], _VPC) if len({only(v[0], _VPC) for v in variants}) == 1 else None
        vpc = self.vpcs.get(named) if named else None
        within = vpc.addresses if vpc else EVERYTHING
        addresses, public, zones = NOTHING, False, []
        for _, first, second, zone, launched in variants:
            for value, version in ((first, 4), (second, 6)):
                block, unresolved = reader.range(value, version)
                # A subnet lies in its VPC, so that what is not resolved is no wider.
                addresses |= block & within if unresolved else block
            public = public or not (isinstance(launched, Absent) or launched is False)
            zones.append("" if isinstance(zone, Absent) else show(zone))
        mine = links.get(resource, [])
        tables = self._tables.of(
            [table for table, _ in mine], any(certain for _, certain in mine), vpc.resource if vpc else None
        )
        if not mine:
            # One whose subnet is not known may be this one's; a subnet that has its own takes no second.
            tables += self._tables.of([table for table, _ in links.get(None, [])], True, None)
        return Subnet(
            resource.logical_id,
            resource,
            vpc,
            addresses | self._more(resource, within) or within,
            zones[0] if len(set(zones)) == 1 else "",
            public,
            acls.of(resource),
            tables,
            vpc is None and any(may_be_ours(values[0]) for values in variants),
        )

    def _more(self, subnet: Resource, within: Traffic) -> Traffic:
        reader = self._reader
        found = NOTHING
        for resource in reader.resources("AWS::EC2::SubnetCidrBlock"):
            for named, value in reader.variants(
                resource, lambda r: (reader.get(r, "SubnetId"), reader.get(r, "Ipv6CidrBlock"))
            )[0]:
                if only(named, "AWS::EC2::Subnet") in (subnet, None):
                    block, unresolved = reader.range(value, 6)
                    found |= (block & within if unresolved else block) or ANY_IPV6 & within
        return found

    def subnet(self, value: Any) -> Subnet | None:
        """The subnet that a value names; None where it is not in the templates."""
        return self.subnets.get(value.resource) if type(value) is Reference else None
