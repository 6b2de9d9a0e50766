"""Which security groups may talk to which, and by which chains."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import networkx as nx

from secure_ml_constructs.verification.proofs.network.answers import Hop, Path
from secure_ml_constructs.verification.proofs.network.groups import Group, Rule, allowed
from secure_ml_constructs.verification.proofs.network.places import Vpc
from secure_ml_constructs.verification.proofs.network.traffic import EVERYTHING, SENDABLE, Traffic
from secure_ml_constructs.verification.templates import Resource


@dataclass(frozen=True)
class Talk:
    """What members of one group may send to members of another.

    Attributes:
        source: The group that opens the connection, by its logical id.
        target: The group that takes it.
        services: Protocols and ports.
        hops: The rules that let it out and in.
    """

    source: str
    target: str
    services: tuple[str, ...]
    hops: tuple[Hop, ...]


class Talks:
    """The graph of groups, whatever subnets their members are in.

    Args:
        groups: The groups.
        vpcs: The VPCs, by their resources.
    """

    def __init__(self, groups: Iterable[Group], vpcs: dict[Resource, Vpc]) -> None:
        self._groups = sorted(groups, key=lambda group: group.name)
        self._vpcs = vpcs
        self._graph = nx.DiGraph()
        self._graph.add_nodes_from(self._groups)
        by_vpc: dict[Resource | None, list[Group]] = {}
        for group in self._groups:
            by_vpc.setdefault(group.vpc, []).append(group)
        for one in self._groups:
            # Members of a group that no template makes may be in any VPC.
            others = self._groups if one.vpc is None else (*by_vpc[one.vpc], *by_vpc.get(None, []))
            for other in others:
                talk = self._talk(one, other)
                if talk is not None:
                    self._graph.add_edge(one, other, talk=talk)

    def __iter__(self) -> Iterator[Talk]:
        for _, _, talk in self._graph.edges(data="talk"):
            yield talk

    def chains(self) -> Iterator[Path]:
        """Each group whose members reach one another through other groups only: the shortest chain."""
        for group in self._groups:
            if group.known and not self._graph.has_edge(group, group):
                chain = self._circle(group)
                if chain:
                    hops = [group.hop]
                    for one, other in pairwise(chain):
                        hops += [*self._graph.edges[one, other]["talk"].hops, other.hop]
                    yield Path(tuple(hops))

    def _circle(self, group: Group) -> list[Group]:
        back = nx.single_target_shortest_path(self._graph, group)
        ways = [[group, *back[after]] for after in self._graph.successors(group) if after in back]
        return min(ways, key=len, default=[])

    def wide(self) -> Iterator[Path]:
        """Each rule of a group that names addresses beyond its VPC.

        Prefix lists that no template holds are left to the routes: they stand for AWS's own services.
        """
        for group in self._groups:
            if not group.known:
                continue
            vpc = self._vpcs.get(group.vpc) if group.vpc is not None else None
            for rule in (*group.ingress, *group.egress):
                beyond = rule.peers & SENDABLE
                for block in vpc.blocks if vpc else ():
                    beyond -= block
                if beyond and not rule.listed:
                    yield Path(
                        (group.hop, rule.step), beyond.ranges, rule.ports.services, (), rule.unresolved
                    )

    def _talk(self, one: Group, other: Group) -> Talk | None:
        leaves = allowed(one.egress, frozenset({other}), self._addresses(other)).ports
        if not leaves:
            return None
        through = leaves & allowed(other.ingress, frozenset({one}), self._addresses(one)).ports
        if not through:
            return None
        hops = (
            *self._first(one.egress, other, through),
            *self._first(other.ingress, one, through),
        )
        return Talk(one.name, other.name, through.services, hops)

    def _first(self, rules: list[Rule], peer: Group, through: Traffic) -> tuple[Hop, ...]:
        for rule in rules:
            if allowed([rule], frozenset({peer}), self._addresses(peer)).ports & through:
                return (rule.step,)
        return ()

    def _addresses(self, group: Group) -> Traffic:
        """Where a group's members may be."""
        vpc = self._vpcs.get(group.vpc) if group.vpc is not None else None
        return vpc.addresses if vpc else EVERYTHING
