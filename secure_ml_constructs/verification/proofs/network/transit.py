"""Transit gateways: attachments, route tables, and what they pass on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from secure_ml_constructs.verification.proofs.network.answers import Hop
from secure_ml_constructs.verification.proofs.network.places import Vpc
from secure_ml_constructs.verification.proofs.network.reading import Reader, may_be_ours, only
from secure_ml_constructs.verification.proofs.network.traffic import EVERYTHING, NOTHING, Traffic
from secure_ml_constructs.verification.templates import Resource

_GATEWAY = "AWS::EC2::TransitGateway"
_TABLE = "AWS::EC2::TransitGatewayRouteTable"
# Attachments to VPCs, and what else may be attached, with the property that names the gateway.
_VPC_ATTACHMENTS = ("AWS::EC2::TransitGatewayAttachment", "AWS::EC2::TransitGatewayVpcAttachment")
_OTHER_ATTACHMENTS = {
    "AWS::EC2::TransitGatewayPeeringAttachment": "TransitGatewayId",
    "AWS::EC2::VPNConnection": "TransitGatewayId",
    "AWS::EC2::TransitGatewayConnect": "TransportTransitGatewayAttachmentId",
}


@dataclass(eq=False)
class Attachment:
    """What hangs on a transit gateway.

    Attributes:
        resource: The attachment.
        vpc: The VPC; None where it is another network.
        subnets: The resources of the subnets it has interfaces in.
    """

    resource: Resource
    vpc: Vpc | None = None
    subnets: list[Resource] = field(default_factory=list)

    @property
    def addresses(self) -> Traffic:
        """What it takes in where its own ranges are propagated."""
        return self.vpc.addresses if self.vpc else EVERYTHING


class TransitGateways:
    """The transit gateways of the templates.

    Args:
        reader: The templates.
        vpcs: Their VPCs.
    """

    def __init__(self, reader: Reader, vpcs: dict[Resource, Vpc]) -> None:
        self._reader = reader
        self._attachments: dict[Resource, list[Attachment]] = {g: [] for g in reader.resources(_GATEWAY)}
        self._by_resource: dict[Resource, Attachment] = {}
        for type_ in _VPC_ATTACHMENTS:
            for resource in reader.resources(type_):
                self._attach_vpc(resource, vpcs)
        for type_, name in _OTHER_ATTACHMENTS.items():
            for resource in reader.resources(type_):
                self._attach(resource, name)
        self._associations = list(self._links("Association"))
        self._propagations = list(self._links("Propagation"))

    def _attach_vpc(self, resource: Resource, vpcs: dict[Resource, Vpc]) -> None:
        reader = self._reader

        def read(r: Resource) -> tuple[Any, Any, list[Any]]:
            return reader.get(r, "TransitGatewayId"), reader.get(r, "VpcId"), reader.items(r, "SubnetIds")

        for gateway, vpc, named in reader.variants(resource, read)[0]:
            known = only(vpc, "AWS::EC2::VPC")
            subnets = [s for value in named if (s := only(value, "AWS::EC2::Subnet")) is not None]
            self._hang(gateway, Attachment(resource, vpcs.get(known) if known else None, subnets))

    def _attach(self, resource: Resource, name: str) -> None:
        for gateway in self._reader.variants(resource, lambda r: self._reader.get(r, name))[0]:
            through = only(gateway, *_VPC_ATTACHMENTS)
            if through is not None:
                # A Connect attachment runs over another one, and names that.
                gateways = [g for g, a in self._attachments.items() if any(x.resource is through for x in a)]
                for found in gateways:
                    self._hang(found, Attachment(resource))
            else:
                self._hang(gateway, Attachment(resource))

    def _hang(self, gateway: Any, attachment: Attachment) -> None:
        known = gateway if isinstance(gateway, Resource) else only(gateway, _GATEWAY)
        if known is not None:
            self._attachments[known].append(attachment)
        elif may_be_ours(gateway):
            for attachments in self._attachments.values():
                attachments.append(attachment)
        self._by_resource[attachment.resource] = attachment

    def _links(self, kind: str) -> Iterator[tuple[Any, Any]]:
        reader = self._reader
        for resource in reader.resources(f"AWS::EC2::TransitGatewayRouteTable{kind}"):
            variants, _ = reader.variants(
                resource,
                lambda r: (
                    reader.get(r, "TransitGatewayAttachmentId"),
                    reader.get(r, "TransitGatewayRouteTableId"),
                ),
            )
            yield from variants

    def onward(
        self, gateway: Resource, vpc: Resource | None
    ) -> Iterator[tuple[Attachment | None, Traffic, Hop]]:
        """Where a packet from a VPC may go on to.

        Args:
            gateway: The transit gateway.
            vpc: The VPC it comes from.

        Returns:
            Each attachment, with the addresses that lead there and the step; None for an attachment that is
            not in the templates.
        """
        mine = {a.resource for a in self._attachments[gateway] if a.vpc is not None and a.vpc.resource is vpc}
        named = [
            only(table, _TABLE)
            for attachment, table in self._associations
            if _resource(attachment) in mine or (_resource(attachment) is None and may_be_ours(attachment))
        ]
        tables = [table for table in named if table is not None]
        if not mine or not tables or len(tables) < len(named):
            yield from self._default(gateway, mine)
        for table in dict.fromkeys(tables):
            yield from self._through(table)

    def _default(
        self, gateway: Resource, mine: set[Resource]
    ) -> Iterator[tuple[Attachment | None, Traffic, Hop]]:
        """Its default table: every attachment propagates into it, and its routes may be anywhere."""
        hop = Hop.at(gateway, "default route table of transit gateway")
        for attachment in self._attachments[gateway]:
            if attachment.resource not in mine:
                # A VPC may pass on for others, as one for central egress does.
                yield attachment, EVERYTHING, hop
        yield None, EVERYTHING, hop

    def _through(self, table: Resource) -> Iterator[tuple[Attachment | None, Traffic, Hop]]:
        reader = self._reader
        routes: list[tuple[Attachment | None, Traffic, Hop]] = []
        blocked: list[Traffic] = []
        for resource in reader.resources("AWS::EC2::TransitGatewayRoute"):
            variants, certain = reader.variants(
                resource,
                lambda r: (
                    reader.get(r, "TransitGatewayRouteTableId"),
                    reader.get(r, "DestinationCidrBlock"),
                    reader.get(r, "Blackhole"),
                    reader.get(r, "TransitGatewayAttachmentId"),
                ),
            )
            for named, destination, blackhole, to in variants:
                known = only(named, _TABLE)
                if known is not table and not (known is None and may_be_ours(named)):
                    continue
                ranges, unresolved = reader.range(destination)
                ranges = ranges or EVERYTHING
                if blackhole is True:
                    if known is table and certain and not unresolved:
                        blocked.append(ranges)
                    continue
                attachment = self._by_resource.get(_resource(to)) if _resource(to) else None  # type: ignore[arg-type]
                hop = Hop.at(resource, "transit gateway route", ", ".join(ranges.ranges[:2]))
                routes.append((attachment, ranges, hop))
        for attachment_value, named in self._propagations:
            known = only(named, _TABLE)
            if known is table or (known is None and may_be_ours(named)):
                resource_ = _resource(attachment_value)
                attachment = self._by_resource.get(resource_) if resource_ else None
                ranges = attachment.addresses if attachment else EVERYTHING
                hop = Hop.at(table, "ranges propagated to transit gateway route table")
                routes.append((attachment, ranges, hop))
        for attachment, ranges, hop in routes:
            rest = NOTHING
            for box in ranges.boxes:
                piece = Traffic((box,))
                for block in blocked:
                    # A blackhole stops what is no more specific than itself.
                    if box.last - box.first >= block.boxes[0].last - block.boxes[0].first:
                        piece -= block
                rest |= piece
            if rest:
                yield attachment, rest, hop


def _resource(value: Any) -> Resource | None:
    found = getattr(value, "resource", None)
    return found if isinstance(found, Resource) else None
