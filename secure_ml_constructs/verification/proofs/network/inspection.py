"""Whether what goes out, and its answers, pass the same endpoint of a firewall, in their own zone."""

from __future__ import annotations

from collections.abc import Iterator

from secure_ml_constructs.verification.proofs.iam.ternary import NotCovered
from secure_ml_constructs.verification.proofs.network.answers import Hop, Path
from secure_ml_constructs.verification.proofs.network.forwarding import Way
from secure_ml_constructs.verification.proofs.network.gateways import (
    INTERNET,
    End,
    Gateways,
    Inspection,
    Nat,
    Transit,
)
from secure_ml_constructs.verification.proofs.network.places import Subnet
from secure_ml_constructs.verification.proofs.network.reading import Reader, only
from secure_ml_constructs.verification.proofs.network.routes import Table, Tables
from secure_ml_constructs.verification.templates import Reference, Resource


class Inspections:
    """Follows answers back to the firewall.

    A firewall that sees one direction only can't judge a connection. (AWS Network Firewall: Avoiding
    asymmetric routing)

    Args:
        reader: The templates.
        tables: Their route tables.
        gateways: What routes lead to.
    """

    def __init__(self, reader: Reader, tables: Tables, gateways: Gateways) -> None:
        self._gateways = gateways
        self._edges: dict[Resource, list[Table]] = {}
        for resource in reader.resources("AWS::EC2::GatewayRouteTableAssociation"):
            variants, certain = reader.variants(
                resource, lambda r: (reader.get(r, "GatewayId"), reader.get(r, "RouteTableId"))
            )
            for gateway, named in variants:
                table = only(named, "AWS::EC2::RouteTable")
                if type(gateway) is Reference and table is not None and certain:
                    self._edges.setdefault(gateway.resource, []).append(tables.tables[table])

    def broken(self, subnet: Subnet, way: Way) -> Path | NotCovered | None:
        """What is wrong with a way that passes a firewall; None where both directions do, in one zone.

        Args:
            subnet: Where the way starts.
            way: The way.
        """
        start = (subnet.hop, *way.hops)
        source = subnet
        for index, node in enumerate(way.nodes):
            if isinstance(node, Nat):
                source = node.subnet
            elif isinstance(node, Inspection):
                entered = next(n for n in reversed(way.nodes[:index]) if isinstance(n, Subnet))
                hop = _other_zone(node, entered)
                if hop is not None:
                    return Path((*start, hop), firewalls=way.firewalls)
                back = self._back(way, index, node, source)
                if isinstance(back, NotCovered):
                    return back
                if back:
                    return Path((*start, *back), firewalls=way.firewalls)
        return None

    def _back(self, way: Way, index: int, node: Inspection, source: Subnet) -> tuple[Hop, ...] | NotCovered:
        """The steps by which answers miss the firewall; none where they pass it."""
        after = way.nodes[index + 1 :]
        if any(isinstance(passed, Transit) for passed in after):
            return NotCovered("answers come back through a transit gateway, where they are not followed")
        translated = next((passed for passed in after if isinstance(passed, Nat)), None)
        if translated is not None:
            where = Hop.at(translated.resource, "answers at NAT gateway")
            tables, at = translated.subnet.tables, translated.subnet
        elif isinstance(way.end, End) and way.end.kind == INTERNET and isinstance(way.end.what, Resource):
            where = Hop.at(way.end.what, "answers at internet gateway")
            tables, at = self._edges.get(way.end.what, []), source
            if not tables:
                return where, Hop(f"no route table of its own, so straight to {source.name}")
        else:
            return Hop("answers from the other end"), Hop("no table that leads them to the firewall")
        for table in tables:
            for hop in self._misses(table, at, node, source):
                return where, table.hop, hop
        return ()

    def _misses(self, table: Table, at: Subnet, node: Inspection, source: Subnet) -> Iterator[Hop]:
        """What of a table does not lead answers to the endpoint that saw the question."""
        rest = source.addresses
        for route, traffic in table.sends(at.vpc.blocks if at.vpc else ()):
            if not traffic & source.addresses:
                continue
            targets = [target for target, _, _ in self._gateways.follow(route.target, at.vpc)]
            if targets != [node] or route.unresolved or not route.certain:
                yield route.hop
            rest -= traffic
        if rest or not table.known:
            yield Hop(f"local, straight to {source.name}")


def _other_zone(node: Inspection, entered: Subnet) -> Hop | None:
    if node.chosen is not None:
        # A custom resource finds the endpoint, as AWS lists them in no order.
        return None
    if node.subnet is None:
        return Hop(f"an endpoint of {node.firewall} in any zone: the list has no order to pick by")
    if not entered.zone or node.subnet.zone != entered.zone:
        zones = f"{node.subnet.zone or 'not said'}, not {entered.zone or 'said'}"
        return Hop(f"the endpoint of {node.firewall} in another zone ({zones})")
    return None
