"""Address ranges: what a VPC and its subnets may have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from secure_ml_constructs.errors import Problems

# RFC 1918, and RFC 6598 that AWS allows as well. (Amazon VPC: VPC CIDR blocks)
_PRIVATE = tuple(IPv4Network(r) for r in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))
_DEFAULT_VPC = IPv4Network("172.31.0.0/16")
# Docker in Studio and notebook instances routes this range to itself, and SageMaker refuses jobs in it.
# (Amazon SageMaker AI: Troubleshooting, "IP addresses in the range 172.17.0.0/16")
_DOCKER = IPv4Network("172.17.0.0/16")
# A VPC has /16 to /28; smaller than /24 leaves a subnet too few addresses beside the interfaces of a profile.
_LARGEST, _SMALLEST, _SMALLEST_SUBNET = 16, 24, 28


@dataclass(frozen=True, kw_only=True)
class AddressPlan:
    """The ranges of a VPC and of its subnets.

    Args:
        cidr: The VPC's range, private, /16 to /24. Default: `10.0.0.0/16`.
        subnets: A range per availability zone, in order. Default: the VPC's range in equal parts, with one
            part left over where a way out needs room.
        apart_from: Ranges that the VPC must not overlap, since it may have to be linked with them:
            on-premises networks, other VPCs.
    """

    cidr: str = "10.0.0.0/16"
    subnets: Sequence[str] = ()
    apart_from: Sequence[str] = ()

    def check(self, problems: Problems, zones: int, *, spare: bool = False) -> tuple[str, ...]:
        """Give the subnets' ranges for a number of zones, and record what is wrong with the plan.

        Args:
            problems: Where to record.
            zones: How many zones.
            spare: Whether `spare` is asked for as well, so that room must be left.
        """
        vpc = parse(problems, "cidr", self.cidr)
        if vpc is None:
            return ()
        _check_vpc(problems, vpc)
        for index, text in enumerate(self.apart_from):
            other = parse(problems, f"apart_from[{index}]", text)
            if other and vpc.overlaps(other):
                reason, fix = f"The VPC's range {vpc} overlaps it.", "Take another range for the VPC."
                problems.add(f"apart_from[{index}]", text, reason, fix)
        if self.subnets:
            ranges = self._check_subnets(problems, vpc, zones)
        elif not 2 <= zones <= 3 or vpc.prefixlen > _SMALLEST:
            return ()
        else:
            # The halves or quarters: with three zones a quarter stays free, with two where it is needed.
            cut = 2 if spare else zones - 1
            ranges = tuple(str(part) for part in list(vpc.subnets(prefixlen_diff=cut))[:zones])
        if spare and len(self.spare(ranges, zones)) < zones:
            reason = f"{2 * zones} ranges of /{_SMALLEST_SUBNET} for firewalls and NAT gateways find no room."
            if self.subnets:
                problems.add("subnets", list(self.subnets), reason, "Take smaller ones.")
            else:
                problems.add("cidr", self.cidr, reason, "Write a larger range, for instance a /16.")
        return ranges

    def spare(self, ranges: Sequence[str], zones: int) -> list[tuple[str, str]]:
        """Give two small ranges for each zone that no subnet has, from the end, as far as there are any.

        Args:
            ranges: The subnets' ranges.
            zones: How many zones.
        """
        try:
            taken = [IPv4Network(each) for each in ranges]
            blocks = list(IPv4Network(self.cidr).subnets(new_prefix=_SMALLEST_SUBNET))
        except ValueError:
            return []
        free = [str(b) for b in reversed(blocks) if not any(b.overlaps(each) for each in taken)]
        return list(zip(free[::2], free[1::2], strict=False))[:zones]

    def _check_subnets(self, problems: Problems, vpc: IPv4Network, zones: int) -> tuple[str, ...]:
        if len(self.subnets) != zones:
            reason = f"{len(self.subnets)} ranges for {zones} availability zones."
            problems.add("subnets", list(self.subnets), reason, "Write one range for each zone.")
        seen: list[IPv4Network] = []
        for index, text in enumerate(self.subnets):
            argument = f"subnets[{index}]"
            subnet = parse(problems, argument, text)
            if subnet is None:
                continue
            if not subnet.subnet_of(vpc):
                problems.add(
                    argument, text, f"It lies outside of the VPC's range {vpc}.", "Take a part of it."
                )
            elif subnet.prefixlen > _SMALLEST_SUBNET:
                problems.add(argument, text, "A subnet has /28 or more.", "Take a larger range.")
            for other in seen:
                if subnet.overlaps(other):
                    reason = f"It overlaps {other}, another subnet's range."
                    problems.add(argument, text, reason, "Give each subnet a range of its own.")
            seen.append(subnet)
        return tuple(self.subnets)


def parse(problems: Problems, argument: str, text: str) -> IPv4Network | None:
    """Read a range, or record why it is none."""
    fix = "Write for instance '10.0.0.0/16'."
    if "/" not in text:
        problems.add(argument, text, "A range needs the length of its prefix.", fix)
        return None
    try:
        return IPv4Network(text)
    except ValueError as error:
        problems.add(argument, text, f"This is no IPv4 range: {error}.", fix)
        return None


def _check_vpc(problems: Problems, vpc: IPv4Network) -> None:
    text = str(vpc)
    if vpc.prefixlen < _LARGEST:
        problems.add("cidr", text, "A VPC's range is at most a /16.", f"Write '{vpc.network_address}/16'.")
    elif vpc.prefixlen > _SMALLEST:
        reason = "The range is too small: jobs and endpoints need at least a /24."
        problems.add("cidr", text, reason, "Write a /24 or larger, for instance a /16.")
    if not any(vpc.subnet_of(private) for private in _PRIVATE):
        reason = "The range is not private."
        problems.add("cidr", text, reason, f"Take a part of {', '.join(str(p) for p in _PRIVATE)}.")
    elif vpc.overlaps(_DOCKER):
        reason = f"{_DOCKER} is Docker's own on notebook and job hosts; addresses in it are not reached."
        problems.add("cidr", text, reason, "Take another range, for instance '10.0.0.0/16'.")
    elif vpc == _DEFAULT_VPC:
        reason = "This is the range of every default VPC, which this one must never be mistaken for."
        problems.add("cidr", text, reason, "Take another range, for instance '10.0.0.0/16'.")


def is_default_vpc(cidr: str) -> bool:
    """Tell whether a range is that of every default VPC. (Amazon VPC: Default VPCs, components)"""
    return cidr == str(_DEFAULT_VPC)


def is_private(cidr: str | None) -> bool:
    """Tell whether a route's destination is a private range, as on-premises networks have."""
    try:
        destination = IPv4Network(cidr or "")
    except ValueError:
        return False
    return any(destination.subnet_of(private) for private in _PRIVATE)
