"""Private links that somebody asked for by name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from secure_ml_constructs._cdk import is_token
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.network.addresses import is_private, parse

_WIDEST = 8
# A network ACL has 20 rules in each direction, and the answers of a range take two.
# (Amazon VPC: Amazon VPC quotas, network ACLs)
_MOST_RANGES, _MOST_RULES = 8, 12
# A device each for two sites, each with two tunnels.
_MOST_DEVICES = 2
_GATEWAY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, kw_only=True)
class OnPremises:
    """A private link to named ranges. Made by `OnPremises.vpn(…)` or `OnPremises.direct_connect(…)`.

    Nothing is learned from the other end: its routes are those that are named. Connections are opened from
    the VPC only.

    Ensures:
        N10: private ranges by name, none wider than a /8, none that is the internet or the VPC's own.

    Attributes:
        ranges: The ranges at the other end.
        ports: The TCP ports that are reached there.
        devices: The other end's VPN devices, by their public addresses.
        gateway_id: The Direct Connect gateway.
        check_at_deployment: Whether the deployment looks for MACsec.

    Example:
        >>> link = OnPremises.vpn(ranges=["192.168.16.0/20"], devices=["203.0.113.10"], ports=[5432])
        >>> link.reached
        (('192.168.16.0/20', 5432),)
    """

    ranges: tuple[str, ...]
    ports: tuple[int, ...]
    devices: tuple[str, ...] = ()
    gateway_id: str = ""
    check_at_deployment: bool = True

    @classmethod
    def vpn(
        cls, *, ranges: Sequence[str], devices: Sequence[str], ports: Sequence[int] = (443,)
    ) -> OnPremises:
        """A Site-to-Site VPN with static routes.

        Args:
            ranges: The ranges at the other end: private, /8 or narrower, apart from one another.
            devices: The public IPv4 addresses of one or two VPN devices there.
            ports: The TCP ports that are reached there. Default: 443.

        Raises:
            ConfigurationError: No range; one that is public, too wide or overlaps another; a port that is
                none; more rules than a network ACL takes; an address that is none or not public; no device.
        """
        problems = _check(ranges, ports)
        if isinstance(devices, str) or not 1 <= len(devices) <= _MOST_DEVICES:
            fix = f"Write a list of one or {_MOST_DEVICES}."
            problems.add("devices", devices, "There is no list of one or two devices.", fix)
        for index, device in enumerate(() if isinstance(devices, str) else devices):
            reason = "" if is_token(device) else _wrong_device(device)
            if not reason and device in devices[:index]:
                reason = "It is named twice."
            if reason:
                problems.add(f"devices[{index}]", device, reason, "Write its public IPv4 address.")
        problems.raise_if_any("OnPremises.vpn")
        return cls(ranges=tuple(ranges), ports=tuple(ports), devices=tuple(devices))

    @classmethod
    def direct_connect(
        cls,
        *,
        ranges: Sequence[str],
        gateway_id: str,
        ports: Sequence[int] = (443,),
        check_at_deployment: bool = True,
    ) -> OnPremises:
        """A Direct Connect gateway that is there already, over connections that encrypt by MACsec.

        Args:
            ranges: The ranges at the other end: private, /8 or narrower, apart from one another.
            gateway_id: The Direct Connect gateway's id.
            ports: The TCP ports that are reached there. Default: 443.
            check_at_deployment: False where the connections are another account's, which then vouches for
                MACsec. Default: the deployment fails where a connection does not have to encrypt.

        Raises:
            ConfigurationError: What `vpn` refuses of ranges and ports; an id that is none.
        """
        problems = _check(ranges, ports)
        if not is_token(gateway_id) and not _GATEWAY.fullmatch(gateway_id):
            fix = "Write for instance '01234567-89ab-cdef-0123-456789abcdef'."
            problems.add("gateway_id", gateway_id, "This is no Direct Connect gateway's id.", fix)
        problems.raise_if_any("OnPremises.direct_connect")
        return cls(
            ranges=tuple(ranges),
            ports=tuple(ports),
            gateway_id=gateway_id,
            check_at_deployment=check_at_deployment,
        )

    @property
    def reached(self) -> tuple[tuple[str, int], ...]:
        """Each range with each port."""
        return tuple((block, port) for block in self.ranges for port in self.ports)

    def check(self, problems: Problems, vpc: str, *, argument: str = "on_premises") -> None:
        """Record ranges that overlap the VPC's."""
        own = parse(Problems(), "cidr", vpc)
        for index, block in enumerate(self.ranges):
            if own and own.overlaps(IPv4Network(block)):
                reason = f"It overlaps the VPC's range {own}, which is never reached by a link."
                fix = "Take another range for the VPC."
                problems.add(f"{argument}.ranges[{index}]", block, reason, fix)


def _check(ranges: Sequence[str], ports: Sequence[int]) -> Problems:
    problems = Problems()
    if isinstance(ranges, str) or not 1 <= len(ranges) <= _MOST_RANGES:
        fix = f"Name one to {_MOST_RANGES}; join neighbours."
        problems.add("ranges", ranges, f"There is no list of one to {_MOST_RANGES} ranges.", fix)
        return problems
    seen: list[IPv4Network] = []
    for index, text in enumerate(ranges):
        block = parse(problems, f"ranges[{index}]", text)
        if block is None:
            continue
        reason = ""
        if block.prefixlen < _WIDEST:
            reason = f"It is wider than a /{_WIDEST}: nobody has all of it."
        elif not is_private(text):
            reason = "It is not private: by public addresses the link would be a way to the internet."
        elif other := next((known for known in seen if block.overlaps(known)), None):
            reason = f"It overlaps {other}."
        if reason:
            problems.add(f"ranges[{index}]", text, reason, "Name the private range that is needed.")
        seen.append(block)
    for index, port in enumerate(ports):
        if not 1 <= port <= 65535 or port in ports[:index]:
            reason = "This is no port, or it is named twice."
            problems.add(f"ports[{index}]", port, reason, "Write 1 to 65535, each once.")
    if not ports or len(ports) * len(ranges) > _MOST_RULES:
        reason = f"With these ranges they make {len(ports) * len(ranges)} rules, of 1 to {_MOST_RULES}."
        problems.add("ports", list(ports), reason, "Name at least one, and fewer or wider ranges.")
    return problems


def _wrong_device(device: str) -> str:
    try:
        address = IPv4Address(device)
    except ValueError:
        return "This is no IPv4 address."
    nobody_s = address.is_loopback or address.is_link_local or address.is_multicast or address.is_reserved
    if nobody_s or address.is_unspecified or is_private(f"{device}/32"):
        return "It is not public, so that AWS can't reach it."
    return ""
