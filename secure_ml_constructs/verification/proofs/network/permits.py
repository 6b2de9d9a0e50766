"""What groups and network ACLs let through between interfaces."""

from __future__ import annotations

from secure_ml_constructs.verification.proofs.network.answers import Hop
from secure_ml_constructs.verification.proofs.network.groups import Group, Rule, allowed
from secure_ml_constructs.verification.proofs.network.places import Interface
from secure_ml_constructs.verification.proofs.network.traffic import NOTHING, Traffic, union


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


def sent(one: Interface, other: Interface) -> Traffic:
    """What the groups of one interface let out to another."""
    return allowed(egress(one.groups), other.groups, other.addresses)


def admitted(one: Interface, other: Interface, sources: Traffic) -> Traffic:
    """What one interface takes from another that comes from the sources, as ports."""
    taken = allowed(ingress(one.groups), other.groups, sources)
    if not _neighbours(one, other):
        taken &= one.inbound
    return taken.ports


def spoken(one: Interface, other: Interface) -> Traffic:
    """What one interface may send to another of its VPC, as ports."""
    leaves = sent(one, other)
    if not leaves:
        return NOTHING
    if not _neighbours(one, other):
        leaves &= one.outbound
    return leaves.ports & admitted(other, one, one.addresses)


def first_rule(rules: list[Rule], traffic: Traffic) -> tuple[Hop, ...]:
    """The first rule that lets some of the traffic through."""
    for rule in rules:
        if rule.any_group or (rule.ports & rule.peers & traffic):
            return (rule.step,)
    return ()


def first_rules(one: Interface, other: Interface, through: Traffic) -> tuple[Hop, ...]:
    """The first rule on each side that lets some of what is said through."""
    found: list[Hop] = []
    for rules, peer in ((egress(one.groups), other), (ingress(other.groups), one)):
        for rule in rules:
            if allowed([rule], peer.groups, peer.addresses).ports & through:
                found.append(rule.step)
                break
    return tuple(found)


def _neighbours(one: Interface, other: Interface) -> bool:
    """Whether both are in one subnet, where no network ACL stands between."""
    return one.subnet is not None and one.subnet is other.subnet
