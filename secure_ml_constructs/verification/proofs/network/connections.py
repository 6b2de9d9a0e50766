"""Which interface may open a connection to what: a graph whose paths are chains of interfaces."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import networkx as nx

from secure_ml_constructs.verification.proofs.network.answers import Hop
from secure_ml_constructs.verification.proofs.network.forwarding import Forwarding, Way
from secure_ml_constructs.verification.proofs.network.gateways import (
    EGRESS_ONLY,
    INTERNET,
    NETWORK,
    SERVICE,
    UNKNOWN,
    End,
    Forwarder,
)
from secure_ml_constructs.verification.proofs.network.groups import Rule
from secure_ml_constructs.verification.proofs.network.outside import own_network
from secure_ml_constructs.verification.proofs.network.permits import (
    admitted,
    egress,
    first_rule,
    first_rules,
    ingress,
    sends,
    sent,
    spoken,
    takes,
)
from secure_ml_constructs.verification.proofs.network.places import Interface, Vpc
from secure_ml_constructs.verification.proofs.network.traffic import (
    EVERYTHING,
    NOTHING,
    Traffic,
)
from secure_ml_constructs.verification.proofs.network.traffic import (
    INTERNET as PUBLIC,
)
from secure_ml_constructs.verification.proofs.network.workloads import Workload
from secure_ml_constructs.verification.templates import Resource


@dataclass(frozen=True)
class Sink:
    """A far end of the graph.

    Attributes:
        kind: `internet`, `unguarded` (the internet, past every firewall), `network`, or `entry`: the internet
            as the one that opens connections.
        what: Which network.
        ranges: Which of its addresses, where routes tell them apart.
    """

    kind: str
    what: Resource | str = ""
    ranges: tuple[str, ...] = ()


THE_INTERNET, UNGUARDED, ENTRY = Sink("internet"), Sink("unguarded"), Sink("entry")


@dataclass(frozen=True)
class Link:
    """An edge of the graph: why the one may reach the other."""

    hops: tuple[Hop, ...]
    traffic: Traffic
    unresolved: str = ""
    firewalls: tuple[str, ...] = ()


class Connections:
    """The graph of interfaces and far ends.

    Args:
        forwarding: Where routes lead.
        workloads: The interfaces of the templates' resources.
        possible: Interfaces that a later workload may have.
        private_links: Endpoints behind which somebody else's service stands, with their interfaces.

    Attributes:
        graph: Nodes are interfaces and sinks; each edge carries its `link`.
    """

    def __init__(
        self,
        forwarding: Forwarding,
        workloads: Iterable[Workload],
        possible: Iterable[Interface],
        private_links: dict[Resource, list[Interface]],
    ) -> None:
        self.graph = nx.DiGraph()
        self._forwarding = forwarding
        self._private_links = private_links
        self._by_resource: dict[Resource, list[Interface]] = {}
        self._by_vpc: dict[Resource | None, list[Interface]] = {}
        self._addressed: set[Interface] = set()
        self._public: dict[Interface, Resource] = {}
        self._besides: dict[Interface, Workload] = {}
        nodes: dict[Interface, None] = {}
        for workload in workloads:
            self._by_resource.setdefault(workload.resource, []).append(workload.interface)
            if workload.addressed:
                self._addressed.add(workload.interface)
            if workload.public:
                self._public.setdefault(workload.interface, workload.resource)
            if workload.besides:
                self._besides.setdefault(workload.interface, workload)
            if workload.forwards:
                nodes[workload.interface] = None
        nodes |= dict.fromkeys(possible)
        self.interfaces = tuple(nodes)
        for interface in nodes:
            self._by_vpc.setdefault(interface.vpc, []).append(interface)
        self._adrift = [interface for interface in self._by_vpc.get(None, ()) if interface.adrift]
        self.graph.add_nodes_from((THE_INTERNET, UNGUARDED, ENTRY, *nodes))
        for interface in nodes:
            self._leave(self.graph, interface)
            self._enter(self.graph, interface)

    def including(self, interface: Interface) -> Any:
        """The graph with an interface that may not be among those foreseen."""
        if interface in self.graph:
            return self.graph
        graph = self.graph.copy()
        graph.add_node(interface)
        self._leave(graph, interface)
        self._enter(graph, interface)
        for other in self._neighbours(interface):
            self._speak(graph, other, interface)
        return graph

    def _neighbours(self, interface: Interface) -> list[Interface]:
        """The interfaces that may be in its VPC; those of a VPC that is not resolved may be anywhere."""
        if interface.adrift:
            return [*self.interfaces]
        found = self._by_vpc.get(interface.vpc, [])
        return found if interface.vpc is None else [*found, *self._adrift]

    def _link(self, graph: Any, source: Any, target: Any, link: Link) -> None:
        """Add an edge; of two the one that is known counts, then the shorter."""
        if graph.has_edge(source, target):
            old: Link = graph.edges[source, target]["link"]
            if (bool(old.unresolved), len(old.hops)) <= (bool(link.unresolved), len(link.hops)):
                return
        graph.add_edge(source, target, link=link)

    # Out

    def _leave(self, graph: Any, interface: Interface) -> None:
        if interface in self._besides:
            workload = self._besides[interface]
            hops = (Hop.at(workload.resource, "workload"), own_network(workload.besides))
            for sink in (THE_INTERNET, UNGUARDED):
                self._link(graph, interface, sink, Link(hops, PUBLIC))
        for other in self._neighbours(interface):
            if other != interface:
                self._speak(graph, interface, other)
        self._private(graph, interface)
        subnet = interface.subnet
        if subnet is None:
            hop = interface.hop
            for sink in (THE_INTERNET, UNGUARDED, Sink("network", hop.text)):
                self._link(graph, interface, sink, Link((), EVERYTHING, hop.text))
            return
        rules = egress(interface.groups)
        self._to_unknown_groups(graph, interface, rules)
        out = sends(interface.groups)
        for way in self._forwarding.ways(subnet):
            if isinstance(way.end, Forwarder):
                self._forwarded(graph, interface, way, way.end.resource)
                continue
            if way.end.kind == SERVICE:
                continue
            traffic = way.traffic & out
            if traffic:
                self._far(graph, interface, way, way.end, traffic, rules)
            if way.end.vpc is not None:
                self._other_vpc(graph, interface, way, way.end.vpc)

    def _far(
        self, graph: Any, interface: Interface, way: Way, end: End, traffic: Traffic, rules: list[Rule]
    ) -> None:
        if end.kind in (NETWORK, UNKNOWN):
            link = Link((*first_rule(rules, traffic), *way.hops), traffic, way.unresolved, way.firewalls)
            # A sink for each range, so that no shorter way to one hides the way to another.
            self._link(graph, interface, Sink("network", end.what, traffic.ranges), link)
        public = traffic & PUBLIC
        if end.vpc is not None or not public:
            return
        hops = (*first_rule(rules, public), *way.hops)
        if end.kind == INTERNET and not way.translated:
            hops = (*hops[:-1], self._note(interface, hops[-1], public))
        link = Link(hops, public, way.unresolved, way.firewalls)
        self._link(graph, interface, THE_INTERNET, link)
        if not way.firewalls:
            self._link(graph, interface, UNGUARDED, link)

    def _note(self, interface: Interface, hop: Hop, public: Traffic) -> Hop:
        """Say where no public address is: an address can be bound later, so that it closes nothing."""
        subnet = interface.subnet
        if interface in self._addressed or (subnet and subnet.public) or public.boxes[0].version == 6:
            return hop
        return replace(hop, text=f"{hop.text} (no public address yet: whoever may bind one opens it)")

    def _to_unknown_groups(self, graph: Any, interface: Interface, rules: list[Rule]) -> None:
        for rule in rules:
            traffic = rule.ports & interface.outbound
            if traffic and (rule.any_group or (rule.group is not None and not rule.group.known)):
                reason = rule.unresolved or "a group that is not in the templates"
                link = Link((rule.step, Hop(f"members of {reason}, which may send on")), traffic, reason)
                for sink in (THE_INTERNET, UNGUARDED, Sink("network", reason)):
                    self._link(graph, interface, sink, link)

    def _forwarded(self, graph: Any, interface: Interface, way: Way, resource: Resource) -> None:
        """Hand packets to an interface that a route names, whatever address they are for."""
        targets = self._by_resource.get(resource, [])
        traffic = way.traffic & sends(interface.groups)
        hops = (*first_rule(egress(interface.groups), traffic), *way.hops)
        if not targets and traffic:
            link = Link(hops, traffic, f"the interface {resource.logical_id}", way.firewalls)
            for sink in (THE_INTERNET, UNGUARDED, Sink("network", resource)):
                self._link(graph, interface, sink, link)
        for other in targets:
            through = traffic.ports & admitted(other, interface, interface.addresses)
            if through and other != interface:
                link = Link((*hops, other.hop), through, way.unresolved, way.firewalls)
                self._link(graph, interface, other, link)

    def _other_vpc(self, graph: Any, interface: Interface, way: Way, vpc: Vpc) -> None:
        sources = EVERYTHING if way.translated else interface.addresses
        for other in self._by_vpc.get(vpc.resource, ()):
            leaves = sent(interface, other) & way.traffic
            through = leaves.ports & admitted(other, interface, sources)
            if through:
                hops = (*first_rule(egress(interface.groups), leaves), *way.hops, other.hop)
                link = Link(hops, through, way.unresolved, way.firewalls)
                self._link(graph, interface, other, link)
                self._link(graph, interface, Sink("network", vpc.resource), link)

    def _speak(self, graph: Any, one: Interface, other: Interface) -> None:
        through = spoken(one, other)
        if through:
            hops = (*first_rules(one, other, through), other.hop)
            self._link(graph, one, other, Link(hops, through))

    def _private(self, graph: Any, interface: Interface) -> None:
        for endpoint, interfaces in self._private_links.items():
            for other in interfaces:
                near = other.vpc is interface.vpc or other.adrift or interface.adrift
                through = spoken(interface, other) if near else NOTHING
                if through:
                    last = Hop.at(endpoint, "endpoint to a service not AWS's")
                    link = Link((*first_rules(interface, other, through), last), through)
                    self._link(graph, interface, Sink("network", endpoint), link)

    # In

    def _enter(self, graph: Any, interface: Interface) -> None:
        subnet = interface.subnet
        if subnet is None:
            self._link(graph, ENTRY, interface, Link((interface.hop,), EVERYTHING, interface.hop.text))
            return
        if interface in self._public:
            hop = Hop.at(self._public[interface], "open to its callers on the internet:")
            self._link(graph, ENTRY, interface, Link((hop, interface.hop), EVERYTHING))
        rules = ingress(interface.groups)
        for rule in rules:
            if (rule.group is not None and not rule.group.known) and rule.ports & subnet.acl.inbound:
                far = Hop(f"members of {rule.group.name}, which may be open")
                reason = rule.unresolved or rule.group.name
                self._link(graph, ENTRY, interface, Link((far, rule.step, interface.hop), rule.ports, reason))
        lets_in = takes(interface.groups) & subnet.acl.inbound & PUBLIC
        if not lets_in:
            return
        for way in self._forwarding.ways(subnet):
            if way.translated or not isinstance(way.end, End) or way.end.kind in (EGRESS_ONLY, SERVICE):
                continue
            if way.end.vpc is not None:
                continue
            # Its table leads back there: without answers there is no connection.
            traffic = lets_in & way.traffic.answers
            if traffic:
                back = tuple(reversed(way.hops))
                hops = (*back, *first_rule(rules, traffic), interface.hop)
                self._link(graph, ENTRY, interface, Link(hops, traffic, way.unresolved, way.firewalls))
