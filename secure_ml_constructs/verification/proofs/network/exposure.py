"""VPC Block Public Access: which subnets it closes towards internet gateways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from secure_ml_constructs.verification.proofs.network.places import Subnet
from secure_ml_constructs.verification.proofs.network.reading import Reader, may_be_ours
from secure_ml_constructs.verification.templates import Absent, Reference, Resource, Template

_OPTIONS = "AWS::EC2::VPCBlockPublicAccessOptions"
_EXCLUSION = "AWS::EC2::VPCBlockPublicAccessExclusion"
_DIRECT_OUT, _THROUGH_NAT, _IN = "direct", "nat", "in"
_CLOSES = {
    "block-bidirectional": frozenset({_DIRECT_OUT, _THROUGH_NAT, _IN}),
    # NAT gateways and egress-only gateways go on working: nothing can be opened through them from outside.
    "block-ingress": frozenset({_DIRECT_OUT, _IN}),
}
_EXCLUDES = {
    "allow-bidirectional": frozenset({_DIRECT_OUT, _THROUGH_NAT, _IN}),
    "allow-egress": frozenset({_THROUGH_NAT}),
}


@dataclass(frozen=True)
class Closed:
    """What is closed for a subnet.

    Attributes:
        direct: Whether a way through an internet gateway with an address of its own is.
        translated: Whether a way through a NAT gateway or an egress-only gateway is.
    """

    direct: bool
    translated: bool


class BlockPublicAccess:
    """The setting, where the templates make it.

    It is one of an account in a region. Only nested stacks are sure to share both, so it counts for the VPCs
    of its own template and of those nested with it. (Amazon VPC: Block public access to VPCs and subnets)

    Args:
        reader: The templates.
    """

    def __init__(self, reader: Reader) -> None:
        self._closed: dict[Template, frozenset[str]] = {}
        for resource in reader.resources(_OPTIONS):
            modes, certain = reader.variants(resource, lambda r: reader.get(r, "InternetGatewayBlockMode"))
            if certain and isinstance(modes[0], str):
                closes = _CLOSES.get(modes[0], frozenset())
                # Of two settings, nobody knows which comes last.
                self._closed[_root(resource)] = self._closed.get(_root(resource), closes) & closes
        self._exclusions: list[tuple[Any, frozenset[str]]] = []
        for resource in reader.resources(_EXCLUSION):
            variants, _ = reader.variants(
                resource,
                lambda r: (
                    reader.get(r, "VpcId"),
                    reader.get(r, "SubnetId"),
                    reader.get(r, "InternetGatewayExclusionMode"),
                ),
            )
            for vpc, subnet, mode in variants:
                opened = _EXCLUDES.get(mode) if isinstance(mode, str) else None
                for named in (vpc, subnet):
                    if not isinstance(named, Absent):
                        self._exclusions.append((named, opened or _EXCLUDES["allow-bidirectional"]))

    def of(self, subnet: Subnet) -> Closed:
        """What is closed where a subnet's routes lead to an internet gateway."""
        closed = self._closed.get(_root(subnet.resource), frozenset())
        ours = {subnet.resource, subnet.vpc.resource if subnet.vpc else None}
        for named, opened in self._exclusions:
            if type(named) is Reference:
                applies = named.resource in ours or named.resource.type not in (
                    "AWS::EC2::VPC",
                    "AWS::EC2::Subnet",
                )
            else:
                applies = may_be_ours(named)
            if applies:
                closed -= opened
        return Closed(_DIRECT_OUT in closed, _THROUGH_NAT in closed)


def _root(resource: Resource) -> Template:
    template = resource.template
    while template.parent is not None:
        template = template.parent.template
    return template
