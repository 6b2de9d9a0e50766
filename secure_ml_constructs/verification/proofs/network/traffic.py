"""Sets of packets: addresses × protocols × ports, with exact intersection and difference.

The address is that of the far end: where a packet goes to, or, in rules that let in, where it comes from.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_network, summarize_address_range
from typing import NamedTuple

TOP = {4: 2**32 - 1, 6: 2**128 - 1}
TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58
_PROTOCOLS = {"tcp": TCP, "udp": UDP, "icmp": ICMP, "icmpv6": ICMPV6}
_NAMES = {number: name for name, number in _PROTOCOLS.items()}
_PORTS = 65535
# More ranges than this are not written out.
_SHOWN = 6


class Box(NamedTuple):
    """One block of packets; every bound belongs to it."""

    version: int
    first: int
    last: int
    protocol: int
    last_protocol: int
    port: int
    last_port: int


def _meet(a: Box, b: Box) -> Box | None:
    if a.version != b.version:
        return None
    box = Box(
        a.version,
        max(a.first, b.first),
        min(a.last, b.last),
        max(a.protocol, b.protocol),
        min(a.last_protocol, b.last_protocol),
        max(a.port, b.port),
        min(a.last_port, b.last_port),
    )
    if box.first > box.last or box.protocol > box.last_protocol or box.port > box.last_port:
        return None
    return box


def _without(a: Box, b: Box) -> list[Box]:
    """What of `a` is not in `b`, cut along one dimension after the other."""
    common = _meet(a, b)
    if common is None:
        return [a]
    rest: list[Box] = []
    for low, high in (("first", "last"), ("protocol", "last_protocol"), ("port", "last_port")):
        if getattr(a, low) < getattr(common, low):
            rest.append(a._replace(**{high: getattr(common, low) - 1}))
        if getattr(a, high) > getattr(common, high):
            rest.append(a._replace(**{low: getattr(common, high) + 1}))
        a = a._replace(**{low: getattr(common, low), high: getattr(common, high)})
    return rest


@dataclass(frozen=True)
class Traffic:
    """A set of packets.

    Attributes:
        boxes: The blocks whose union it is; they may overlap.
    """

    boxes: tuple[Box, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.boxes)

    def __and__(self, other: Traffic) -> Traffic:
        if self is EVERYTHING:
            return other
        if other is EVERYTHING:
            return self
        met = (_meet(a, b) for a in self.boxes for b in other.boxes)
        return Traffic(tuple(dict.fromkeys(box for box in met if box is not None)))

    def __or__(self, other: Traffic) -> Traffic:
        if not other.boxes:
            return self
        if not self.boxes:
            return other
        return Traffic(tuple(dict.fromkeys(self.boxes + other.boxes)))

    def __sub__(self, other: Traffic) -> Traffic:
        rest = list(self.boxes)
        for cut in other.boxes:
            rest = [piece for box in rest for piece in _without(box, cut)]
        return Traffic(tuple(rest))

    @cached_property
    def ports(self) -> Traffic:
        """The same protocols and ports, whatever the address."""
        boxes = (box._replace(first=0, last=TOP[box.version]) for box in self.boxes)
        return Traffic(tuple(dict.fromkeys(boxes)))

    @cached_property
    def addresses(self) -> Traffic:
        """The same addresses, whatever the protocol and port."""
        return Traffic(tuple(dict.fromkeys(_addresses(b.version, b.first, b.last) for b in self.boxes)))

    @cached_property
    def answers(self) -> Traffic:
        """The same addresses and protocols, whatever the port: where answers may come from or go to."""
        boxes = (box._replace(port=0, last_port=_PORTS) for box in self.boxes)
        return Traffic(tuple(dict.fromkeys(boxes)))

    @cached_property
    def ranges(self) -> tuple[str, ...]:
        """The addresses as CIDR blocks, in order."""
        found: list[str] = []
        for version in (4, 6):
            spans = sorted((box.first, box.last) for box in self.boxes if box.version == version)
            for first, last in _merged(spans):
                if version == 4:
                    found += map(str, summarize_address_range(IPv4Address(first), IPv4Address(last)))
                else:
                    found += map(str, summarize_address_range(IPv6Address(first), IPv6Address(last)))
        return tuple(found)

    @cached_property
    def services(self) -> tuple[str, ...]:
        """The protocols and ports in words, such as `tcp 443`."""
        return tuple(dict.fromkeys(_service(box) for box in sorted(self.boxes, key=lambda b: b[3:])))

    def __str__(self) -> str:
        ranges = self.ranges
        more = f" and {len(ranges) - _SHOWN} more" if len(ranges) > _SHOWN else ""
        return f"{', '.join(self.services)} to {', '.join(ranges[:_SHOWN])}{more}"


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for first, last in spans:
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _service(box: Box) -> str:
    if (box.protocol, box.last_protocol) == (0, 255):
        protocol = "every protocol"
    elif box.protocol == box.last_protocol:
        protocol = _NAMES.get(box.protocol, f"protocol {box.protocol}")
    else:
        protocol = f"protocols {box.protocol}-{box.last_protocol}"
    if (box.port, box.last_port) == (0, _PORTS):
        return protocol
    return f"{protocol} {box.port}" if box.port == box.last_port else f"{protocol} {box.port}-{box.last_port}"


def _addresses(version: int, first: int, last: int) -> Box:
    return Box(version, first, last, 0, 255, 0, _PORTS)


@lru_cache(maxsize=4096)
def cidr(text: str) -> Traffic:
    """Everything to or from a CIDR block.

    Raises:
        ValueError: The text is no CIDR block.
    """
    network = ip_network(text, strict=False)
    return Traffic((_addresses(network.version, int(network[0]), int(network[-1])),))


@lru_cache(maxsize=4096)
def service(protocol: int | None, first: int, last: int) -> Traffic:
    """A protocol and a range of ports, at any address; None for every protocol and port."""
    if protocol is None:
        return EVERYTHING
    return Traffic(
        tuple(Box(version, 0, TOP[version], protocol, protocol, first, last) for version in (4, 6))
    )


def protocol_number(value: object) -> int | None:
    """The number of a protocol as EC2 writes it; None for every protocol.

    Raises:
        ValueError: It is no protocol.
    """
    text = str(value).lower()
    if text in ("-1", "all"):
        return None
    number = _PROTOCOLS[text] if text in _PROTOCOLS else int(text)
    if not 0 <= number <= 255:
        raise ValueError(text)
    return number


def union(parts: Iterable[Traffic]) -> Traffic:
    """Everything that is in any of the parts."""
    return Traffic(tuple(dict.fromkeys(box for part in parts for box in part.boxes)))


ANY_IPV4 = cidr("0.0.0.0/0")
ANY_IPV6 = cidr("::/0")
EVERYTHING = Traffic((*ANY_IPV4.boxes, *ANY_IPV6.boxes))
NOTHING = Traffic()
# What is on no internet: IANA's IPv4 Special-Purpose Address Registry, multicast and the reserved block.
_SPECIAL = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "224.0.0.0/3",
)
# What leaves a machine: groups name the rest to say *nothing*.
SENDABLE = EVERYTHING - union(map(cidr, ("0.0.0.0/8", "127.0.0.0/8", "255.255.255.255/32", "::/127")))
# By NAT64 a NAT gateway takes this range to IPv4. (Amazon VPC: DNS64 and NAT64)
NAT64 = cidr("64:ff9b::/96")
INTERNET = ANY_IPV4 - union(map(cidr, _SPECIAL)) | cidr("2000::/3") | NAT64
