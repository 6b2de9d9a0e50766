"""Route tables: what each sends where, the most specific route first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from secure_ml_constructs.verification.proofs.network.answers import Hop
from secure_ml_constructs.verification.proofs.network.groups import Groups
from secure_ml_constructs.verification.proofs.network.reading import Reader, may_be_ours, only, why
from secure_ml_constructs.verification.proofs.network.traffic import (
    ANY_IPV4,
    ANY_IPV6,
    INTERNET,
    NOTHING,
    Traffic,
    cidr,
)
from secure_ml_constructs.verification.templates import ABSENT, Absent, Resource, show

_TABLE = "AWS::EC2::RouteTable"
_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
# VPC Lattice puts these into every table of a VPC of its service network. (VPC Lattice: Control traffic using
# security groups; link-local ranges)
LATTICE = cidr("169.254.171.0/24") | cidr("fd00:ec2:80::/64")


@dataclass(frozen=True)
class Target:
    """What a route leads to, as it is written.

    Attributes:
        property: The property, `GatewayId` say; a name of ours for routes that no property writes.
        value: Its value.
        route: The route; None for what no route of the templates says.
    """

    property: str
    value: Any
    route: Resource | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Route:
    """One route.

    Attributes:
        destinations: Its ranges.
        target: Where it leads.
        hop: The route as a step.
        certain: Whether it is there with these ranges in every world, so that a less specific one gives way.
        unresolved: What of it is not known.
    """

    destinations: tuple[Traffic, ...]
    target: Target
    hop: Hop
    certain: bool = True
    unresolved: str = ""


@dataclass(eq=False)
class Table:
    """A route table.

    Attributes:
        hop: The table as a step.
        routes: Its routes.
        known: Whether the templates hold it.
        resource: Its resource; None for a main table.
    """

    hop: Hop
    routes: list[Route] = field(default_factory=list)
    known: bool = True
    resource: Resource | None = None

    def sends(self, local: tuple[Traffic, ...]) -> Iterator[tuple[Route, Traffic]]:
        """Each route with the addresses for which it decides.

        Args:
            local: The blocks of the VPC, for which its own route stands unless another names a part of one.
        """
        for route in self.routes:
            taken = NOTHING
            for destination in route.destinations:
                rest = destination
                if not route.unresolved:
                    for block in local:
                        if _size(destination) > _size(block):
                            rest -= block
                    for other in self.routes:
                        if other is not route and other.certain and not other.unresolved:
                            for narrower in other.destinations:
                                if _size(narrower) < _size(destination):
                                    rest -= narrower
                taken |= rest
            if taken:
                yield route, taken


def _size(addresses: Traffic) -> int:
    return max((box.last - box.first + 1 for box in addresses.boxes), default=0)


class Tables:
    """The route tables of the templates.

    Args:
        reader: The templates.
        groups: Their groups, which read prefix lists.
    """

    def __init__(self, reader: Reader, groups: Groups) -> None:
        self._reader = reader
        self._groups = groups
        self.tables = {r: Table(Hop.at(r, "route table"), resource=r) for r in reader.resources(_TABLE)}
        self.main: dict[Resource, Table] = {
            vpc: Table(Hop.at(vpc, "main route table of VPC")) for vpc in reader.resources("AWS::EC2::VPC")
        }
        for resource in reader.resources("AWS::EC2::Route"):
            variants, always = reader.variants(resource, self._route)
            for table, route in variants:
                same = all(other.destinations == route.destinations for _, other in variants)
                certain = same and self._always(resource, always)
                self._add(table, route, certain)
        self._propagated()
        self._endpoints()
        self._lattice()

    def _always(self, resource: Resource, always: bool) -> bool:
        if always or resource.condition is None:
            return True
        _, exists = self._reader.variants(resource, lambda r: True)
        return exists

    def _add(self, value: Any, route: Route, certain: bool = True) -> None:
        table = only(value, _TABLE)
        if table is not None:
            self.tables[table].routes.append(
                route
                if certain
                else Route(route.destinations, route.target, route.hop, False, route.unresolved)
            )
        elif may_be_ours(value):
            unresolved = f"the route table of {route.hop.logical_id}: {why(value)}"
            doubtful = Route(route.destinations, route.target, route.hop, False, unresolved)
            for other in (*self.tables.values(), *self.main.values()):
                other.routes.append(doubtful)

    def _route(self, resource: Resource) -> tuple[Any, Route]:
        get = self._reader.get
        destinations: list[Traffic] = []
        unresolved, words = "", []
        for name in _DESTINATIONS:
            value = get(resource, name)
            if isinstance(value, Absent):
                continue
            words.append(show(value))
            if name == "DestinationPrefixListId":
                found, reason = self._groups.prefix_list(value)
                destinations += [Traffic((box,)) for box in found.boxes]
            else:
                found, reason = self._reader.range(value, 6 if "Ipv6" in name else 4)
                destinations.append(found)
            unresolved = unresolved or reason
        if not destinations:
            destinations, unresolved = [ANY_IPV4, ANY_IPV6], "its destination"
        target = Target("", ABSENT)
        for name in resource.properties:
            if name not in (*_DESTINATIONS, "RouteTableId"):
                value = get(resource, name)
                if not isinstance(value, Absent):
                    target = Target(name, value, resource)
        hop = Hop.at(resource, "route", ", ".join(words))
        return get(resource, "RouteTableId"), Route(tuple(destinations), target, hop, True, unresolved)

    def _propagated(self) -> None:
        """Routes that a gateway or a route server learns: any range may come."""
        reader = self._reader
        for type_, list_, gateway, kind in (
            ("AWS::EC2::VPNGatewayRoutePropagation", "RouteTableIds", "VpnGatewayId", "GatewayId"),
            ("AWS::EC2::RouteServerPropagation", "RouteTableId", "RouteServerId", "RouteServerId"),
        ):
            for resource in reader.resources(type_):
                hop = Hop.at(resource, "propagated routes")

                def read(r: Resource, l: str = list_, g: str = gateway) -> tuple[list[Any], Any]:  # noqa: E741
                    return reader.items(r, l), reader.get(r, g)

                for tables, value in reader.variants(resource, read)[0]:
                    words = f"the ranges that {resource.logical_id} learns"
                    route = Route((ANY_IPV4, ANY_IPV6), Target(kind, value), hop, False, words)
                    for table in tables:
                        self._add(table, route, False)

    def _endpoints(self) -> None:
        """A gateway endpoint adds a route for its service's addresses to each of its tables."""
        reader = self._reader
        for resource in reader.resources("AWS::EC2::VPCEndpoint"):

            def read(r: Resource) -> tuple[Any, list[Any]]:
                return reader.get(r, "VpcEndpointType"), reader.items(r, "RouteTableIds")

            for kind, tables in reader.variants(resource, read)[0]:
                if isinstance(kind, Absent) or kind == "Gateway":
                    hop = Hop.at(resource, "route of gateway endpoint")
                    words = f"the addresses of {resource.logical_id}"
                    # AWS's addresses are on the internet, and which is known on deployment only.
                    route = Route((INTERNET,), Target("GatewayEndpoint", resource), hop, False, words)
                    for table in tables:
                        self._add(table, route, False)

    def _lattice(self) -> None:
        reader = self._reader
        for resource in reader.resources("AWS::VpcLattice::ServiceNetworkVpcAssociation"):
            for vpc in reader.variants(resource, lambda r: reader.get(r, "VpcIdentifier"))[0]:
                known = only(vpc, "AWS::EC2::VPC")
                hop = Hop.at(resource, "VPC Lattice association")
                route = Route((LATTICE,), Target("ServiceNetwork", resource), hop, False)
                ours = [known] if known else list(self.main) if may_be_ours(vpc) else []
                for owner in ours:
                    self.main[owner].routes.append(route)
                    for table in self.tables.values():
                        named = reader.variants(table.resource, lambda r: reader.get(r, "VpcId"))[0]  # type: ignore[arg-type]
                        if any(only(value, "AWS::EC2::VPC") in (owner, None) for value in named):
                            table.routes.append(route)

    def of(self, associations: list[Any], certain: bool, vpc: Resource | None) -> list[Table]:
        """The tables that a subnet or gateway may use.

        Args:
            associations: The values that name its table.
            certain: Whether one of them is there in every world.
            vpc: Its VPC, whose main table stands in where no other does.
        """
        found: list[Table] = []
        for value in associations:
            table = only(value, _TABLE)
            if table is not None:
                found.append(self.tables[table])
            else:
                found.append(
                    Table(Hop(f"a route table that is not in the templates ({why(value)})"), known=False)
                )
        if not certain:
            if vpc is not None:
                found.append(self.main[vpc])
            else:
                found.append(
                    Table(Hop("the main route table of a VPC that is not in the templates"), known=False)
                )
        return list(dict.fromkeys(found))
