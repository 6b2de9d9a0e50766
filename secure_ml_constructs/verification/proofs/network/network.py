"""The network of an environment, and the questions about it."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Any

import networkx as nx

from secure_ml_constructs.verification.proofs.iam.ternary import NotCovered
from secure_ml_constructs.verification.proofs.network.acls import Acls
from secure_ml_constructs.verification.proofs.network.answers import Answer, Hop, Path, Unreachable
from secure_ml_constructs.verification.proofs.network.connections import (
    ENTRY,
    THE_INTERNET,
    UNGUARDED,
    Connections,
    Link,
    Sink,
)
from secure_ml_constructs.verification.proofs.network.domains import named_domains
from secure_ml_constructs.verification.proofs.network.exposure import BlockPublicAccess
from secure_ml_constructs.verification.proofs.network.forwarding import Forwarding
from secure_ml_constructs.verification.proofs.network.gateways import Gateways
from secure_ml_constructs.verification.proofs.network.groups import Group, Groups
from secure_ml_constructs.verification.proofs.network.inspection import Inspections
from secure_ml_constructs.verification.proofs.network.outside import outside
from secure_ml_constructs.verification.proofs.network.permits import sends
from secure_ml_constructs.verification.proofs.network.places import Interface, Subnet, Vpc, Vpcs
from secure_ml_constructs.verification.proofs.network.reading import Reader
from secure_ml_constructs.verification.proofs.network.routes import Tables
from secure_ml_constructs.verification.proofs.network.services import Endpoints, Through
from secure_ml_constructs.verification.proofs.network.talk import Talk, Talks
from secure_ml_constructs.verification.proofs.network.traffic import INTERNET as PUBLIC
from secure_ml_constructs.verification.proofs.network.transit import TransitGateways
from secure_ml_constructs.verification.proofs.network.workloads import Workload, workloads
from secure_ml_constructs.verification.templates import Templates

# Types that open ways which the model does not follow. Without them in the templates there are none such.
_NOT_MODELLED = {
    "AWS::CloudFront::VpcOrigin": "CloudFront reaches into the VPC",
    "AWS::GlobalAccelerator::EndpointGroup": "Global Accelerator reaches into the VPC",
    "AWS::VpcLattice::TargetGroup": "VPC Lattice reaches into the VPC",
    "AWS::VpcLattice::ResourceGateway": "a resource gateway of VPC Lattice reaches into the VPC",
    "AWS::AppRunner::VpcIngressConnection": "App Runner reaches into the VPC",
    "AWS::EC2::TransitGatewayPolicyTable": "a policy table decides at the transit gateway",
    "AWS::EC2::TrafficMirrorSession": "a mirror session copies traffic to elsewhere",
    "AWS::EC2::SecurityGroupVpcAssociation": "a group is used in another VPC as well",
}


class Network:
    """The network of templates.

    Args:
        templates: The templates.

    Attributes:
        vpcs: The VPCs.
        subnets: The subnets.
        groups: The security groups, default groups among them.
        workloads: The resources that have interfaces, one entry an interface.
        ml_subnets: The subnets for machine learning.
        interfaces: The interfaces to ask about: those of the workloads, and in each of these subnets one with
            each group of its VPC, which a later workload may have.
        outside: The way of each SageMaker resource that reaches the internet past any VPC.
        firewalls: The firewalls that anything passes on its way.
        domains: The domains that a firewall lets through; no entry where its rules are other than a list.
    """

    def __init__(self, templates: Templates) -> None:
        reader = Reader(templates)
        self._templates = templates
        self._groups = Groups(reader)
        tables = Tables(reader, self._groups)
        vpcs = Vpcs(reader, tables, Acls(reader))
        self.vpcs: tuple[Vpc, ...] = tuple(vpcs.vpcs.values())
        self.subnets: tuple[Subnet, ...] = tuple(vpcs.subnets.values())
        self.workloads: tuple[Workload, ...] = tuple(workloads(reader, vpcs, self._groups))
        gateways = Gateways(reader, vpcs.vpcs, vpcs.subnets)
        self._forwarding = Forwarding(
            vpcs.subnets,
            gateways,
            TransitGateways(reader, vpcs.vpcs),
            BlockPublicAccess(reader),
        )
        self._endpoints = Endpoints(reader, self._forwarding, self.workloads)
        self.ml_subnets: tuple[Subnet, ...] = self._find_ml_subnets()
        possible = [
            Interface(subnet, frozenset({group}))
            for subnet in self.ml_subnets
            for group in self._groups.of(subnet.vpc.resource if subnet.vpc else None)
        ]
        # A group of a VPC that no template makes is for subnets that none makes either.
        possible += [
            Interface(None, frozenset({group})) for group in self._groups if group.known and not group.vpc
        ]
        self._connections = Connections(
            self._forwarding, self.workloads, possible, self._endpoints.private_links
        )
        self.groups: tuple[Group, ...] = tuple(self._groups)
        self.interfaces: tuple[Interface, ...] = self._connections.interfaces
        self._inspections = Inspections(reader, tables, gateways)
        self._gap = self._find_gap(reader)
        self.outside: tuple[Path, ...] = tuple(outside(reader))
        self.firewalls: tuple[str, ...] = tuple(
            dict.fromkeys(
                firewall
                for subnet in self.subnets
                for way in self._forwarding.ways(subnet)
                for firewall in way.firewalls
            )
        )
        self.domains: Mapping[str, tuple[str, ...]] = named_domains(reader) if self.firewalls else {}
        self._talks = Talks(self.groups, vpcs.vpcs)

    @classmethod
    def of(cls, templates: Templates) -> Network:
        """Build the network of templates, once for all questions."""
        collecting = gc.isenabled()
        gc.disable()
        try:
            return cls(templates)
        finally:
            if collecting:
                gc.enable()

    def _find_ml_subnets(self) -> tuple[Subnet, ...]:
        """Subnets that SageMaker works in or has endpoints in; without any, all of them."""
        sagemaker = {endpoint.resource for endpoint in self._endpoints.all if "sagemaker" in endpoint.service}
        found = {
            workload.interface.subnet
            for workload in self.workloads
            if workload.resource.type.startswith("AWS::SageMaker::") or workload.resource in sagemaker
        }
        chosen = tuple(subnet for subnet in self.subnets if subnet in found)
        return chosen or self.subnets

    def _find_gap(self, reader: Reader) -> str:
        """What keeps every answer from being *unreachable*."""
        gaps = list(reader.gaps)
        for type_, words in _NOT_MODELLED.items():
            gaps += [f"{words} by {resource.logical_id}" for resource in reader.resources(type_)]
        gaps += [
            f"{name} of {template.name} is not expanded" for template, name in self._templates.unexpanded
        ]
        nested = self._templates.nested
        for stack in reader.resources("AWS::CloudFormation::Stack"):
            if stack not in nested:
                gaps.append(f"the template of the nested stack {stack.logical_id} was not given")
        return "; ".join(dict.fromkeys(gaps))

    def interface(self, subnet: str, *groups: str) -> Interface:
        """The interface in a subnet with groups, by their logical ids.

        Raises:
            KeyError: There is no such subnet or group.
        """
        subnets = {found.name: found for found in self.subnets}
        by_name = {found.name: found for found in self.groups}
        return Interface(subnets[subnet], frozenset(by_name[name] for name in groups))

    # Questions

    def internet(self, interface: Interface) -> Answer:
        """Whether an interface may send to any address of the internet, itself or through others.

        What is sent counts, whether or not an answer comes back.
        """
        return self._path(interface, THE_INTERNET, "no route, gateway or group leads to an internet address")

    def from_internet(self, interface: Interface) -> Answer:
        """Whether somebody on the internet may open a connection to an interface, itself or through others.

        There is one only where the subnet's table leads back. (Amazon VPC: Enable internet access)
        """
        graph = self._connections.including(interface)
        try:
            nodes = nx.shortest_path(graph, ENTRY, interface)
        except nx.NetworkXNoPath:
            return self._none("no gateway leads in that the groups and network ACLs let through")
        return _as_path((Hop("the internet"),), _links(graph, nodes))

    def other_networks(self, interface: Interface) -> tuple[Answer, ...]:
        """The networks that an interface may send to, itself or through others: one path each, or none."""
        graph = self._connections.including(interface)
        found = nx.single_source_shortest_path(graph, interface)
        sinks = [node for node in found if isinstance(node, Sink) and node.kind == "network"]
        paths = [_as_path((interface.hop,), _links(graph, found[sink])) for sink in sinks]
        if not paths:
            return (self._none("no route, gateway or group leads to another network"),)
        return tuple(sorted(paths, key=lambda path: (len(path.hops), str(path))))

    def past_firewalls(self, interface: Interface) -> Answer:
        """Whether anything of an interface gets to the internet, or an answer back, past the firewalls.

        Unreachable where every way out and back passes one, the same endpoint of it and in the zone where the
        way starts; also where there is no way out.
        """
        found = self._path(interface, UNGUARDED, "no way to the internet but through a firewall")
        if not isinstance(found, Unreachable):
            return found
        graph = self._connections.including(interface)
        uncovered: NotCovered | None = None
        for node in (interface, *nx.descendants(graph, interface)):
            if not isinstance(node, Interface) or node.subnet is None:
                continue
            for way in self._forwarding.ways(node.subnet):
                if way.firewalls and way.traffic & sends(node.groups) & PUBLIC:
                    broken = self._inspections.broken(node.subnet, way)
                    if isinstance(broken, Path):
                        return broken
                    uncovered = uncovered or broken
        return uncovered or found

    def talks(self) -> tuple[Talk, ...]:
        """Which groups may send to which, whatever subnets their members are in."""
        return tuple(self._talks)

    def chains(self) -> tuple[Path, ...]:
        """Groups whose members reach one another, though no rule says so, through members of other groups."""
        return tuple(self._talks.chains())

    def wide_rules(self) -> tuple[Path, ...]:
        """Rules of groups that name addresses beyond the VPC, with those addresses."""
        return tuple(self._talks.wide())

    def endpoints_for(self, service: str, interface: Interface) -> tuple[Through, ...]:
        """The VPC endpoints through which an interface may call an AWS service; none where none lets it.

        Args:
            service: The service as its endpoint names it, `s3` or `sagemaker.api` say, or the full name.
            interface: The interface that calls.
        """
        return self._endpoints.through(service, interface)

    def by_answer(
        self, question: Callable[[Interface], Answer], interfaces: Iterable[Interface] | None = None
    ) -> dict[Answer, tuple[Interface, ...]]:
        """Ask for many interfaces, and put those with the same answer together.

        Args:
            question: The question, `network.internet` say.
            interfaces: Which; all of `interfaces` by default.
        """
        found: dict[Answer, list[Interface]] = {}
        for interface in self.interfaces if interfaces is None else interfaces:
            found.setdefault(question(interface), []).append(interface)
        return {answer: tuple(each) for answer, each in found.items()}

    def _path(self, interface: Interface, sink: Sink, because: str) -> Answer:
        graph = self._connections.including(interface)
        try:
            nodes = nx.shortest_path(graph, interface, sink)
        except nx.NetworkXNoPath:
            return self._none(because)
        return _as_path((interface.hop,), _links(graph, nodes))

    def _none(self, because: str) -> Answer:
        return NotCovered(self._gap) if self._gap else Unreachable(because)


def _links(graph: Any, nodes: list[Any]) -> list[Link]:
    return [graph.edges[one, other]["link"] for one, other in pairwise(nodes)]


def _as_path(start: tuple[Hop, ...], links: list[Link]) -> Path:
    last = links[-1] if links else Link((), links[0].traffic)
    return Path(
        hops=start + tuple(hop for link in links for hop in link.hops),
        ranges=last.traffic.ranges,
        services=last.traffic.services,
        firewalls=tuple(dict.fromkeys(firewall for link in links for firewall in link.firewalls)),
        unresolved="; ".join(dict.fromkeys(link.unresolved for link in links if link.unresolved)),
    )
