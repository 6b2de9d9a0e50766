"""Where packets that leave a subnet can get to, by routes alone: a graph of subnets and gateways."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import networkx as nx

from secure_ml_constructs.verification.proofs.network.answers import Hop
from secure_ml_constructs.verification.proofs.network.exposure import BlockPublicAccess
from secure_ml_constructs.verification.proofs.network.gateways import (
    EGRESS_ONLY,
    INTERNET,
    NETWORK,
    UNKNOWN,
    End,
    Forwarder,
    Gateways,
    Inspection,
    Nat,
    Node,
    Transit,
)
from secure_ml_constructs.verification.proofs.network.places import Subnet
from secure_ml_constructs.verification.proofs.network.routes import Table
from secure_ml_constructs.verification.proofs.network.traffic import (
    ANY_IPV4,
    ANY_IPV6,
    EVERYTHING,
    NAT64,
    Traffic,
)
from secure_ml_constructs.verification.proofs.network.transit import TransitGateways
from secure_ml_constructs.verification.templates import Resource


@dataclass(frozen=True)
class Way:
    """One way out of a subnet.

    Attributes:
        hops: The steps after the subnet.
        nodes: What it passes, from the subnet's route table on.
        end: Where it ends: an `End`, or the interface that a route hands packets to.
        traffic: What gets through.
        unresolved: What of it is not known.
        last: The subnet from whose table it left for its end.
    """

    hops: tuple[Hop, ...]
    nodes: tuple[Node | Subnet, ...]
    end: End | Forwarder
    traffic: Traffic
    unresolved: str
    last: Subnet

    @property
    def translated(self) -> bool:
        """Whether a NAT gateway stands in it, so that nothing can be opened from its far end."""
        return any(isinstance(node, Nat) for node in self.nodes)

    @property
    def firewalls(self) -> tuple[str, ...]:
        """The firewalls that it passes."""
        return tuple(node.firewall for node in self.nodes if isinstance(node, Inspection))


@dataclass(frozen=True)
class _Walker:
    """A packet on its way."""

    node: Any
    traffic: Traffic
    hops: tuple[Hop, ...]
    nodes: tuple[Any, ...]
    unresolved: str


class Forwarding:
    """The graph of subnets, gateways and far ends.

    Args:
        subnets: The subnets.
        gateways: What routes lead to.
        transit: The transit gateways.
        access: VPC Block Public Access.

    Attributes:
        graph: Nodes are subnets, gateways and ends; each edge is a route or what a gateway does, with the
            `traffic` it takes and its `hops`.
    """

    def __init__(
        self,
        subnets: dict[Resource, Subnet],
        gateways: Gateways,
        transit: TransitGateways,
        access: BlockPublicAccess,
    ) -> None:
        self.graph = nx.MultiDiGraph()
        self._subnets = subnets
        self._gateways = gateways
        self._transit = transit
        self._access = access
        self._ways: dict[Subnet, tuple[Way, ...]] = {}
        for subnet in subnets.values():
            for table in subnet.tables:
                self._routes(subnet, table)

    def _edge(self, source: Any, target: Any, traffic: Traffic, *hops: Hop, unresolved: str = "") -> None:
        self.graph.add_edge(source, target, traffic=traffic, hops=hops, unresolved=unresolved)

    def _routes(self, subnet: Subnet, table: Table) -> None:
        if not table.known:
            end = End(UNKNOWN, table.hop.text)
            self._edge(subnet, end, EVERYTHING, table.hop, unresolved=table.hop.text)
            return
        for route, sent in table.sends(subnet.vpc.blocks if subnet.vpc else ()):
            for node, hop, missing in self._gateways.follow(route.target, subnet.vpc):
                traffic = sent
                unresolved = missing or route.unresolved
                if isinstance(node, End) and node.kind == EGRESS_ONLY:
                    traffic &= ANY_IPV6
                if isinstance(node, End) and node.kind == NETWORK and node.vpc is not None:
                    # A peering connection passes on nothing that is not its VPC's.
                    traffic &= node.vpc.addresses
                if traffic:
                    known = node in self.graph
                    self._edge(subnet, node, traffic, table.hop, route.hop, hop, unresolved=unresolved)
                    if not known:
                        self._onward(node)

    def _onward(self, node: Node) -> None:
        """What a gateway does with a packet, the same wherever it came from."""
        if isinstance(node, Nat):
            acl = node.subnet.acl
            # Whatever of the VPC the packet is from: ports count here, and the routes for addresses.
            sources = node.subnet.vpc.addresses | ANY_IPV6 if node.subnet.vpc else EVERYTHING
            enters = (acl.inbound & sources).ports
            self._edge(node, node.subnet, ANY_IPV4 & enters & acl.outbound, node.subnet.hop)
            internet = End(INTERNET, "NAT64")
            self._edge(node, internet, NAT64 & enters, Hop("IPv4 internet by NAT64"))
        elif isinstance(node, Inspection):
            for subnet in node.subnets:
                self._edge(node, subnet, EVERYTHING, subnet.hop)
            if not node.subnets:
                words = f"the subnet of firewall {node.firewall}"
                self._edge(node, End(UNKNOWN, words), EVERYTHING, Hop(words), unresolved=words)
        elif isinstance(node, Transit):
            self._transits(node)

    def _transits(self, node: Transit) -> None:
        for attachment, traffic, hop in self._transit.onward(node.resource, node.vpc):
            if attachment is None:
                end = End(NETWORK, node.resource)
                self._edge(node, end, traffic, hop, Hop("an attachment that is not in the templates"))
            elif attachment.vpc is None:
                end = End(NETWORK, attachment.resource)
                self._edge(node, end, traffic, hop, Hop.at(attachment.resource, "attachment"))
            else:
                step = Hop.at(attachment.resource, "attachment of VPC", attachment.vpc.name)
                end = End(NETWORK, attachment.vpc.resource, attachment.vpc)
                self._edge(node, end, traffic & attachment.vpc.addresses, hop, step)
                outside = traffic
                for block in attachment.vpc.blocks:
                    outside -= block
                for resource in attachment.subnets:
                    if resource in self._subnets and outside:
                        subnet = self._subnets[resource]
                        self._edge(node, subnet, outside, hop, step, subnet.hop)

    def ways(self, subnet: Subnet) -> tuple[Way, ...]:
        """Every way out of a subnet, the shortest first; what leaves passes the subnet's network ACL."""
        if subnet not in self._ways:
            self._ways[subnet] = tuple(self._walk(subnet))
        return self._ways[subnet]

    def _walk(self, subnet: Subnet) -> Iterator[Way]:
        if subnet not in self.graph:
            return
        queue = deque([_Walker(subnet, subnet.acl.outbound, (), (subnet,), "")])
        # What came by already, by node and by what was passed that matters.
        seen: dict[Any, Traffic] = {}
        while queue:
            walker = queue.popleft()
            for _, node, edge in self.graph.out_edges(walker.node, data=True):
                traffic = walker.traffic & edge["traffic"]
                if not traffic or node in walker.nodes:
                    continue
                hops = walker.hops + edge["hops"]
                unresolved = walker.unresolved or edge["unresolved"]
                nodes = (*walker.nodes, node)
                if isinstance(node, End | Forwarder):
                    way = Way(hops, nodes, node, traffic, unresolved, _last(walker.nodes))
                    if self._open(way):
                        yield way
                    continue
                passed = tuple(n for n in nodes if isinstance(n, Nat | Inspection))
                fresh = traffic - seen.get((node, passed, unresolved), Traffic())
                if fresh:
                    seen[node, passed, unresolved] = seen.get((node, passed, unresolved), Traffic()) | fresh
                    queue.append(_Walker(node, fresh, hops, nodes, unresolved))

    def _open(self, way: Way) -> bool:
        """Whether Block Public Access lets it be."""
        if not isinstance(way.end, End) or way.end.kind not in (INTERNET, EGRESS_ONLY):
            return True
        closed = self._access.of(way.last)
        translated = way.translated or way.end.kind == EGRESS_ONLY
        return not (closed.translated if translated else closed.direct)


def _last(nodes: tuple[Any, ...]) -> Subnet:
    return next(node for node in reversed(nodes) if isinstance(node, Subnet))
