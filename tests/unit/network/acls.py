"""What network ACLs of a template say of a packet."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from tests.support.templates import World


def passes(world: World, *, egress: bool, address: str, protocol: int, port: int, acl: str = "Acl") -> bool:
    """Its rules in order, and no after the last."""
    entries = [entry.properties for entry in world.resources("AWS::EC2::NetworkAclEntry", f"Vpc{acl}")]
    for entry in sorted(entries, key=lambda entry: int(entry["RuleNumber"])):
        ports = entry.get("PortRange")
        if (
            bool(entry.get("Egress")) is egress
            and entry["Protocol"] in (-1, protocol)
            and IPv4Address(address) in IPv4Network(entry["CidrBlock"])
            and (not ports or ports["From"] <= port <= ports["To"])
        ):
            return bool(entry["RuleAction"] == "allow")
    return False
