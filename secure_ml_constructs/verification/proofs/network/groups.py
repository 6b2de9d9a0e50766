"""Security groups: what they let in and out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from secure_ml_constructs.verification.proofs.network.answers import Hop
from secure_ml_constructs.verification.proofs.network.reading import Reader, may_be_ours, only, why
from secure_ml_constructs.verification.proofs.network.traffic import (
    ANY_IPV4,
    ANY_IPV6,
    EVERYTHING,
    ICMP,
    ICMPV6,
    NOTHING,
    SENDABLE,
    Traffic,
    cidr,
    protocol_number,
    service,
)
from secure_ml_constructs.verification.templates import Reference, Resource, show

_GROUP = "AWS::EC2::SecurityGroup"
_VPC = "AWS::EC2::VPC"
INGRESS, EGRESS = "Ingress", "Egress"


@dataclass(eq=False)
class Rule:
    """One rule of a group.

    Attributes:
        ports: Protocols and ports, at any address.
        peers: The addresses of the other end; nothing where it is a group.
        group: The group at the other end; None where it is addresses.
        any_group: Whether the other end is a group that the templates do not say.
        listed: Whether the other end is a prefix list that the templates do not hold.
        hop: The rule as a step.
        unresolved: What of it is not known.
    """

    ports: Traffic
    hop: Hop
    peers: Traffic = NOTHING
    group: Group | None = None
    any_group: bool = False
    listed: bool = False
    unresolved: str = ""

    @property
    def step(self) -> Hop:
        """The rule as a step that says what of it is not known."""
        if not self.unresolved or self.unresolved in self.hop.text:
            return self.hop
        return replace(self.hop, text=f"{self.hop.text}, not resolved: {self.unresolved}")


@dataclass(eq=False)
class Group:
    """A security group.

    Attributes:
        name: Its logical id, or its id where no template makes it.
        resource: Its resource; the VPC for its default group; None where no template makes it.
        vpc: The VPC's resource; None where it is not in the templates.
        adrift: Whether its VPC is not resolved, so that it may be any of the templates.
        ingress: What it lets in.
        egress: What it lets out.
    """

    name: str
    resource: Resource | None = None
    vpc: Resource | None = None
    adrift: bool = False
    ingress: list[Rule] = field(default_factory=list)
    egress: list[Rule] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"<group {self.name}>"

    @cached_property
    def sends(self) -> Traffic:
        """What it lets out to addresses, whoever has them."""
        return to_addresses(self.egress) & SENDABLE

    @cached_property
    def takes(self) -> Traffic:
        """What it lets in from addresses, whoever has them."""
        return to_addresses(self.ingress)

    @property
    def known(self) -> bool:
        """Whether the templates say what it lets through."""
        return self.resource is not None

    @property
    def hop(self) -> Hop:
        """The group as a step."""
        if self.resource is None:
            return Hop(f"security group {self.name}, which is not in the templates")
        if self.resource.type == _VPC:
            return Hop.at(self.resource, "default security group of VPC")
        return Hop.at(self.resource, "security group")


class Groups:
    """All security groups of the templates.

    Args:
        reader: The templates.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._known: dict[Any, Group] = {}
        for resource in reader.resources(_GROUP):
            named, _ = reader.variants(resource, lambda r: reader.get(r, "VpcId"))
            vpcs = {only(value, _VPC) for value in named}
            vpc = vpcs.pop() if len(vpcs) == 1 else None
            adrift = vpc is None and any(may_be_ours(value) for value in named)
            self._known[resource] = Group(resource.logical_id, resource, vpc, adrift)
        self._emptied = self._emptied_defaults()
        for vpc in reader.resources(_VPC):
            self._default(vpc)
        for group in list(self._known.values()):
            if group.resource is not None and group.resource.type == _GROUP:
                self._inline(group, group.resource)
        for direction in (INGRESS, EGRESS):
            for resource in reader.resources(f"{_GROUP}{direction}"):
                self._separate(resource, direction)

    def __iter__(self) -> Any:
        return iter(self._known.values())

    def of(self, vpc: Resource | None) -> list[Group]:
        """The groups of a VPC, its default group last; without one, those of VPCs that no template makes."""
        found = [g for g in self._known.values() if g.vpc is vpc and g.known]
        return sorted(found, key=lambda g: (g.resource is vpc, g.name))

    def named(self, value: Any) -> Group:
        """The group that a value names; one that lets everything through where no template makes it."""
        if type(value) is Reference:
            known = self._known.get(value.resource)
            if known is not None and (
                value.resource.type == _GROUP or value.attribute == "DefaultSecurityGroup"
            ):
                return known
        name = why(value)
        if name not in self._known:
            group = Group(name)
            open_to_all = Rule(EVERYTHING, group.hop, EVERYTHING, unresolved=group.hop.text)
            group.ingress = group.egress = [open_to_all]
            self._known[name] = group
        return self._known[name]

    def default(self, vpc: Resource) -> Group:
        """The default group of a VPC."""
        return self._known[vpc]

    def _emptied_defaults(self) -> set[Resource]:
        """VPCs of which a custom resource names the default group: such a resource takes its rules away."""
        found = set()
        for type_ in list(self._reader.templates.by_type):
            if type_.startswith(("Custom::", "AWS::CloudFormation::CustomResource")):
                for resource in self._reader.resources(type_):
                    values, always = self._reader.variants(
                        resource, lambda r: self._reader.get(r, "SecurityGroupId")
                    )
                    for value in values:
                        if always and type(value) is Reference and value.attribute == "DefaultSecurityGroup":
                            found.add(value.resource)
        return found

    def _default(self, vpc: Resource) -> None:
        group = Group(f"default group of {vpc.logical_id}", vpc, vpc)
        if vpc not in self._emptied:
            hop = Hop.at(vpc, "default security group of VPC")
            group.egress.append(Rule(EVERYTHING, hop, EVERYTHING))
            group.ingress.append(Rule(EVERYTHING, hop, group=group))
        self._known[vpc] = group

    def _inline(self, group: Group, resource: Resource) -> None:
        for direction, rules in ((INGRESS, group.ingress), (EGRESS, group.egress)):
            name = f"SecurityGroup{direction}"
            variants, _ = self._reader.variants(resource, lambda r, n=name: self._reader.each(r, n))  # type: ignore[misc]
            for found in variants:
                for rule in found:
                    rules += self._rules(rule, direction, resource)
                if direction == EGRESS and not found:
                    # AWS CloudFormation: AWS::EC2::SecurityGroup, "Remove the default outbound rule": only
                    # rules in the group itself take it away.
                    hop = Hop.at(resource, "security group", "without egress rules, so that EC2 lets all out")
                    rules.append(Rule(EVERYTHING, hop, EVERYTHING))

    def _separate(self, resource: Resource, direction: str) -> None:
        reader = self._reader

        def read(r: Resource) -> tuple[Any, Any]:
            return reader.get(r, "GroupId"), reader.templates.whole(r.template, r.properties)

        for target, properties in reader.variants(resource, read)[0]:
            if type(target) is Reference and target.resource in self._known:
                groups = [self._known[target.resource]]
            elif may_be_ours(target):
                groups = [group for group in self._known.values() if group.known]
            else:
                groups = []
            for rule in self._rules(properties, direction, resource):
                if type(target) is not Reference:
                    rule.unresolved = rule.unresolved or f"the group of {resource.logical_id}: {why(target)}"
                for group in groups:
                    (group.ingress if direction == INGRESS else group.egress).append(rule)

    def _rules(self, rule: Any, direction: str, resource: Resource) -> list[Rule]:
        if type(rule) is not dict:
            hop = Hop.at(resource, "rules of", f"that are not resolved: {why(rule)}")
            return [Rule(EVERYTHING, hop, EVERYTHING, any_group=True, unresolved=hop.text)]
        ports = _ports(rule)
        end = "Source" if direction == INGRESS else "Destination"
        word = "from" if direction == INGRESS else "to"
        found: list[Rule] = []

        def add(text: str, **far: Any) -> None:
            kind = "security group" if resource.type == _GROUP else "rule"
            hop = Hop.at(resource, kind, f"({', '.join(ports.services)} {word} {text})")
            found.append(Rule(ports, hop, **far))

        for name, version in (("CidrIp", 4), ("CidrIpv6", 6)):
            if name in rule:
                peers, unresolved = self._reader.range(rule[name], version)
                add(show(rule[name]), peers=peers, unresolved=unresolved)
        if f"{end}PrefixListId" in rule:
            value = rule[f"{end}PrefixListId"]
            peers, unresolved = self.prefix_list(value)
            listed = only(value, "AWS::EC2::PrefixList") is None
            add(f"prefix list {show(value)}", peers=peers, unresolved=unresolved, listed=listed)
        for name in (f"{end}SecurityGroupId", f"{end}SecurityGroupName"):
            if name in rule:
                value = rule[name]
                known = self._known.get(value.resource) if type(value) is Reference else None
                unknown = f"the group {why(value)}" if known is None else ""
                ours = known is None and may_be_ours(value)
                add(show(value), group=known or self.named(value), any_group=ours, unresolved=unknown)
        if not found:
            add("an end that is not resolved", peers=EVERYTHING, any_group=True, unresolved="its other end")
        return found

    def prefix_list(self, value: Any) -> tuple[Traffic, str]:
        """The addresses of a prefix list; any where the templates do not hold it."""
        resource = only(value, "AWS::EC2::PrefixList")
        if resource is None:
            return EVERYTHING, f"the addresses of prefix list {show(value)}"
        found, unresolved = NOTHING, ""
        for entries in self._reader.variants(resource, lambda r: self._reader.each(r, "Entries"))[0]:
            if not entries:
                return EVERYTHING, f"the entries of {resource.logical_id}"
            for entry in entries:
                text = entry.get("Cidr") if type(entry) is dict else None
                try:
                    found |= cidr(text) if type(text) is str else EVERYTHING
                except ValueError:
                    text, found = None, EVERYTHING
                if type(text) is not str:
                    unresolved = f"an entry of {resource.logical_id}"
        return found, unresolved


def _ports(rule: dict[str, Any]) -> Traffic:
    """Protocol and ports; every one where they can't be read."""
    try:
        protocol = protocol_number(rule.get("IpProtocol", -1))
    except ValueError:
        return EVERYTHING
    first, last = rule.get("FromPort", 0), rule.get("ToPort", 65535)
    if protocol in (None, ICMP, ICMPV6) or -1 in (first, last):
        return service(protocol, 0, 65535)
    try:
        return service(protocol, int(first), int(last))
    except (TypeError, ValueError):
        return service(protocol, 0, 65535)


def allowed(rules: list[Rule], groups: frozenset[Group], addresses: Traffic) -> Traffic:
    """What rules let through to or from interfaces of the groups at the addresses."""
    found = NOTHING
    for rule in rules:
        if rule.any_group or (rule.group is not None and rule.group in groups):
            found |= rule.ports & addresses
        found |= rule.ports & rule.peers & addresses
    return found


def to_addresses(rules: list[Rule]) -> Traffic:
    """What rules let through to or from addresses, whoever has them."""
    found = NOTHING
    for rule in rules:
        found |= rule.ports & rule.peers
        if rule.any_group:
            found |= rule.ports & (ANY_IPV4 | ANY_IPV6)
    return found
