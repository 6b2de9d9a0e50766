"""Network ACLs: ordered, stateless, by subnet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from secure_ml_constructs.verification.proofs.network.reading import Reader, may_be_ours, only
from secure_ml_constructs.verification.proofs.network.traffic import (
    EVERYTHING,
    NOTHING,
    Traffic,
    protocol_number,
    service,
)
from secure_ml_constructs.verification.templates import Absent, Resource

_ACL = "AWS::EC2::NetworkAcl"
_ASSOCIATION = "AWS::EC2::SubnetNetworkAclAssociation"


@dataclass(frozen=True)
class Acl:
    """What a subnet's network ACL lets through.

    Attributes:
        names: The lists' logical ids.
        inbound: What it lets in.
        outbound: What it lets out.
    """

    names: tuple[str, ...]
    inbound: Traffic
    outbound: Traffic


DEFAULT = Acl(("default network ACL",), EVERYTHING, EVERYTHING)


@dataclass(frozen=True)
class _Entry:
    """One entry. A Deny counts only where all of it is known, an Allow wherever it may be."""

    number: int | None
    egress: bool | None
    allow: bool | None
    traffic: Traffic
    resolved: bool


class Acls:
    """The network ACLs of the templates.

    Args:
        reader: The templates.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._entries: dict[Resource, list[_Entry]] = {acl: [] for acl in reader.resources(_ACL)}
        for resource in reader.resources("AWS::EC2::NetworkAclEntry"):
            self._read(resource)
        self._acls = {resource: self._acl(resource) for resource in self._entries}
        self._subnets: dict[Resource, list[Acl]] = {}
        self._any: list[Acl] = []
        for resource in reader.resources(_ASSOCIATION):
            self._associate(resource)

    def of(self, subnet: Resource) -> Acl:
        """What a subnet lets through; with more than one list in question, what any of them does."""
        acls = [*self._subnets.get(subnet, [DEFAULT]), *self._any]
        if len(acls) == 1:
            return acls[0]
        found = Acl((), NOTHING, NOTHING)
        for acl in acls:
            found = Acl(found.names + acl.names, found.inbound | acl.inbound, found.outbound | acl.outbound)
        return found

    def _associate(self, resource: Resource) -> None:
        reader = self._reader
        variants, always = reader.variants(
            resource, lambda r: (reader.get(r, "SubnetId"), reader.get(r, "NetworkAclId"))
        )
        for subnet, named in variants:
            acl = only(named, _ACL)
            which = (
                self._acls[acl] if acl else Acl((f"ACL of {resource.logical_id}",), EVERYTHING, EVERYTHING)
            )
            known = only(subnet, "AWS::EC2::Subnet")
            if known is not None:
                found = self._subnets.setdefault(known, [])
                found.append(which)
                if not always and DEFAULT not in found:
                    found.append(DEFAULT)
            elif may_be_ours(subnet):
                self._any.append(which)

    def _read(self, resource: Resource) -> None:
        variants, always = self._reader.variants(resource, self._entry)
        for target, entry in variants:
            if not always:
                entry = _Entry(entry.number, entry.egress, entry.allow, entry.traffic, False)
            acl = only(target, _ACL)
            if acl is not None:
                self._entries[acl].append(entry)
            elif may_be_ours(target):
                doubtful = _Entry(entry.number, entry.egress, entry.allow, entry.traffic, False)
                for entries in self._entries.values():
                    entries.append(doubtful)

    def _entry(self, resource: Resource) -> tuple[Any, _Entry]:
        get = self._reader.get
        number, egress, action = (
            get(resource, "RuleNumber"),
            get(resource, "Egress"),
            get(resource, "RuleAction"),
        )
        traffic, resolved = NOTHING, True
        for name, version in (("CidrBlock", 4), ("Ipv6CidrBlock", 6)):
            addresses, unresolved = self._reader.range(get(resource, name), version)
            traffic |= addresses
            resolved = resolved and not unresolved
        try:
            protocol = protocol_number(get(resource, "Protocol"))
            ports = service(protocol, 0, 65535)
            # Only TCP and UDP have ports; the range is not looked at for others.
            first, last = get(resource, "PortRange", "From"), get(resource, "PortRange", "To")
            if protocol in (6, 17) and not isinstance(first, Absent):
                ports = service(protocol, int(first), int(last))
            elif protocol in (1, 58):
                # An entry may name one type of ICMP: as an Allow it counts for all, as a Deny for none.
                resolved = resolved and isinstance(get(resource, "Icmp"), Absent)
        except (TypeError, ValueError):
            ports, resolved = EVERYTHING, False
        side = False if isinstance(egress, Absent) else egress
        return get(resource, "NetworkAclId"), _Entry(
            int(number) if isinstance(number, int) or (type(number) is str and number.isdigit()) else None,
            side if isinstance(side, bool) else None,
            {"allow": True, "deny": False}.get(action) if isinstance(action, str) else None,
            traffic & ports,
            resolved,
        )

    def _acl(self, resource: Resource) -> Acl:
        found = self._entries[resource]
        sides = []
        for egress in (False, True):
            allowed = NOTHING
            entries = [entry for entry in found if entry.egress in (egress, None)]
            denies = [e for e in entries if e.allow is False and e.resolved and e.egress is egress]
            for entry in entries:
                if entry.allow is False:
                    continue
                rest = entry.traffic
                for deny in denies:
                    if entry.number is not None and deny.number is not None and deny.number < entry.number:
                        rest -= deny.traffic
                allowed |= rest
            sides.append(allowed)
        return Acl((resource.logical_id,), *sides)
