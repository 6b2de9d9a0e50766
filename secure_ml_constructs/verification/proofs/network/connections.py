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
from secure_ml_constructs.verification.proofs.network.groups import Group, Rule, allowed
from secure_ml_constructs.verification.proofs.network.outside import own_network
from secure_ml_constructs.verification.proofs.network.places import Interface, Subnet, Vpc
from secure_ml_constructs.verification.proofs.network.traffic import (
    EVERYTHING,
    NOTHING,
    Traffic,
    union,
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
    """

    kind: str
    what: Resource | str = ""


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
        self._by_vpc: dict[Vpc, list[Interface]] = {}
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
            if interface.subnet is not None and interface.subnet.vpc is not None:
                self._by_vpc.setdefault(interface.subnet.vpc, []).append(interface)
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
        if interface.subnet is not None and interface.subnet.vpc is not None:
            for other in self._by_vpc.get(interface.subnet.vpc, ()):
                self._speak(graph, other, interface)
        return graph

    def _link(self, graph: Any, source: Any, target: Any, link: Link) -> None:
        """Add an edge; of two the one that is known counts, then the shorter."""
        if graph.has_edge(source, target):
            old: Link = graph.edges[source, target]["link"]
            if (bool(old.unresolved), len(old.hops)) <= (bool(link.unresolved), len(link.hops)):
                return
        graph.add_edge(source, target, link=link)

    # Out

    def _leave(self, graph: Any, interface: Interface) -> None:
        subnet = interface.subnet
        if interface in self._besides:
            workload = self._besides[interface]
            hops = (Hop.at(workload.resource, "workload"), own_network(workload.besides))
            for sink in (THE_INTERNET, UNGUARDED):
                self._link(graph, interface, sink, Link(hops, PUBLIC))
        if subnet is None:
            hop = interface.hop
            for sink in (THE_INTERNET, UNGUARDED, Sink("network", hop.text)):
                self._link(graph, interface, sink, Link((), EVERYTHING, hop.text))
            return
        rules = egress(interface.groups)
        self._to_unknown_groups(graph, interface, subnet, rules)
        out = sends(interface.groups)
        for way in self._forwarding.ways(subnet):
            if isinstance(way.end, Forwarder):
                self._forwarded(graph, interface, subnet, way, way.end.resource)
                continue
            if way.end.kind == SERVICE:
                continue
            traffic = way.traffic & out
            if traffic:
                self._far(graph, interface, way, way.end, traffic, rules)
            if way.end.vpc is not None:
                self._other_vpc(graph, interface, subnet, way, way.end.vpc)
        if subnet.vpc is not None:
            for other in self._by_vpc.get(subnet.vpc, ()):
                if other != interface:
                    self._speak(graph, interface, other)
        self._private(graph, interface, subnet)

    def _far(
        self, graph: Any, interface: Interface, way: Way, end: End, traffic: Traffic, rules: list[Rule]
    ) -> None:
        if end.kind in (NETWORK, UNKNOWN):
            link = Link((*_rule(rules, traffic), *way.hops), traffic, way.unresolved, way.firewalls)
            self._link(graph, interface, Sink("network", end.what), link)
        public = traffic & PUBLIC
        if end.vpc is not None or not public:
            return
        hops = (*_rule(rules, public), *way.hops)
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

    def _to_unknown_groups(self, graph: Any, interface: Interface, subnet: Subnet, rules: list[Rule]) -> None:
        for rule in rules:
            if rule.any_group or (rule.group is not None and not rule.group.known):
                traffic = rule.ports & subnet.acl.outbound
                if traffic:
                    reason = (
                        rule.unresolved or f"the group {rule.group.name}" if rule.group else rule.unresolved
                    )
                    far = Hop(f"members of {reason}, which may send on")
                    link = Link((rule.hop, far), traffic, reason)
                    for sink in (THE_INTERNET, UNGUARDED, Sink("network", reason)):
                        self._link(graph, interface, sink, link)

    def _forwarded(
        self, graph: Any, interface: Interface, subnet: Subnet, way: Way, resource: Resource
    ) -> None:
        targets = self._by_resource.get(resource, [])
        traffic = way.traffic & sends(interface.groups)
        if not targets and traffic:
            reason = f"the interface {resource.logical_id}"
            link = Link(
                (*_rule(egress(interface.groups), traffic), *way.hops), traffic, reason, way.firewalls
            )
            for sink in (THE_INTERNET, UNGUARDED, Sink("network", resource)):
                self._link(graph, interface, sink, link)
        for other in targets:
            if other == interface or other.subnet is None:
                continue
            enters = admitted(other, interface.groups, subnet.addresses, same=other.subnet is subnet)
            through = traffic.ports & enters
            if through:
                hops = (*_rule(egress(interface.groups), traffic), *way.hops, other.hop)
                self._link(graph, interface, other, Link(hops, through, way.unresolved, way.firewalls))

    def _other_vpc(self, graph: Any, interface: Interface, subnet: Subnet, way: Way, vpc: Vpc) -> None:
        sources = EVERYTHING if way.translated else subnet.addresses
        for other in self._by_vpc.get(vpc, ()):
            if other.subnet is None:
                continue
            leaves = sent(interface, other.groups, other.subnet.addresses) & way.traffic
            through = leaves.ports & admitted(other, interface.groups, sources, same=False)
            if through:
                hops = (*_rule(egress(interface.groups), leaves), *way.hops, other.hop)
                link = Link(hops, through, way.unresolved, way.firewalls)
                self._link(graph, interface, other, link)
                self._link(graph, interface, Sink("network", vpc.resource), link)

    def _speak(self, graph: Any, one: Interface, other: Interface) -> None:
        through = spoken(one, other)
        if through:
            hops = (*_rule_to(one, other, through), other.hop)
            self._link(graph, one, other, Link(hops, through))

    def _private(self, graph: Any, interface: Interface, subnet: Subnet) -> None:
        for endpoint, interfaces in self._private_links.items():
            for other in interfaces:
                unknown = other.subnet is None
                same_vpc = other.subnet is not None and other.subnet.vpc is subnet.vpc
                through = spoken(interface, other) if same_vpc else EVERYTHING if unknown else NOTHING
                if through:
                    hops = (
                        *_rule_to(interface, other, through),
                        Hop.at(endpoint, "endpoint to a service not AWS's"),
                    )
                    link = Link(hops, through, other.hop.text if unknown else "")
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
                self._link(graph, ENTRY, interface, Link((far, rule.hop, interface.hop), rule.ports, reason))
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
                hops = (*back, *_rule(rules, traffic), interface.hop)
                self._link(graph, ENTRY, interface, Link(hops, traffic, way.unresolved, way.firewalls))


def egress(groups: frozenset[Group]) -> list[Rule]:
    """The rules by which an interface in groups may send."""
    return [rule for group in sorted(groups, key=lambda g: g.name) for rule in group.egress]


def ingress(groups: frozenset[Group]) -> list[Rule]:
    """The rules by which an interface in groups may be reached."""
    return [rule for group in sorted(groups, key=lambda g: g.name) for rule in group.ingress]


def sends(groups: frozenset[Group]) -> Traffic:
    """What an interface in groups may send to addresses, whoever has them."""
    return union(group.sends for group in groups)


def takes(groups: frozenset[Group]) -> Traffic:
    """What an interface in groups takes from addresses, whoever has them."""
    return union(group.takes for group in groups)


def sent(interface: Interface, groups: frozenset[Group], addresses: Traffic) -> Traffic:
    """What an interface may send to interfaces of groups at addresses."""
    return allowed(egress(interface.groups), groups, addresses)


def admitted(interface: Interface, groups: frozenset[Group], addresses: Traffic, *, same: bool) -> Traffic:
    """What an interface takes from interfaces of groups at addresses, as ports.

    Args:
        interface: The interface.
        groups: The sender's groups.
        addresses: The sender's addresses.
        same: Whether both are in one subnet, where no network ACL stands between.
    """
    taken = allowed(ingress(interface.groups), groups, addresses)
    if not same and interface.subnet is not None:
        taken &= interface.subnet.acl.inbound
    return taken.ports


def spoken(one: Interface, other: Interface) -> Traffic:
    """What one interface may send to another of its VPC, as ports."""
    if one.subnet is None or other.subnet is None:
        return NOTHING
    same = one.subnet is other.subnet
    leaves = sent(one, other.groups, other.subnet.addresses)
    if not leaves:
        return NOTHING
    if not same:
        leaves &= one.subnet.acl.outbound
    return leaves.ports & admitted(other, one.groups, one.subnet.addresses, same=same)


def _rule(rules: list[Rule], traffic: Traffic) -> tuple[Hop, ...]:
    """The first rule that lets some of the traffic through."""
    for rule in rules:
        if rule.any_group or (rule.ports & rule.peers & traffic):
            return (rule.hop,)
    return ()


def _rule_to(one: Interface, other: Interface, through: Traffic) -> tuple[Hop, ...]:
    """The first rule on each side that lets some of what is said through."""
    found: list[Hop] = []
    sides = ((egress(one.groups), other), (ingress(other.groups), one))
    for rules, peer in sides:
        addresses = peer.subnet.addresses if peer.subnet else EVERYTHING
        for rule in rules:
            if allowed([rule], peer.groups, addresses).ports & through:
                found.append(rule.hop)
                break
    return tuple(found)
