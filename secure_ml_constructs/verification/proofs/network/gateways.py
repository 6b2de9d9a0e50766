"""What routes lead to: gateways, peerings, firewalls, and where a packet is once it has passed them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from secure_ml_constructs.verification.proofs.network.answers import Hop
from secure_ml_constructs.verification.proofs.network.places import Subnet, Vpc
from secure_ml_constructs.verification.proofs.network.reading import Reader, only, why
from secure_ml_constructs.verification.proofs.network.routes import Target
from secure_ml_constructs.verification.templates import Absent, Reference, Resource, Unresolved

INTERNET, EGRESS_ONLY, NETWORK, SERVICE, UNKNOWN = "internet", "egress-only", "network", "service", "unknown"


@dataclass(frozen=True)
class End:
    """Where a way ends.

    Attributes:
        kind: The internet (`egress-only` where nothing comes back in), another network, an AWS service, or
            something that the templates do not say.
        what: What it is: its resource, or its id in words where no template has it.
        vpc: The VPC, where it is one of the templates.
    """

    kind: str
    what: Resource | str
    vpc: Vpc | None = None


@dataclass(frozen=True)
class Nat:
    """A NAT gateway in its subnet."""

    resource: Resource
    subnet: Subnet


@dataclass(frozen=True)
class Inspection:
    """An endpoint of a firewall, in its subnet.

    Attributes:
        firewall: The firewall's logical id.
        subnet: The endpoint's subnet; None where the templates do not say which of the firewall's it is.
        subnets: The subnets it may be in.
        chosen: The attribute of the custom resource that finds it; None where the templates name it.
    """

    firewall: str
    subnet: Subnet | None
    subnets: tuple[Subnet, ...]
    chosen: Reference | None = None


@dataclass(frozen=True)
class Forwarder:
    """A route's target that is an interface of a workload, which may send packets on."""

    resource: Resource


@dataclass(frozen=True)
class Transit:
    """A transit gateway, entered from a VPC."""

    resource: Resource
    vpc: Resource | None


Node = End | Nat | Inspection | Forwarder | Transit
_FIREWALL = "AWS::NetworkFirewall::Firewall"
_ENDPOINT = "AWS::EC2::VPCEndpoint"
_LITERALS = {
    "igw-": (INTERNET, "internet gateway"),
    "eigw-": (EGRESS_ONLY, "egress-only internet gateway"),
    "vgw-": (NETWORK, "virtual private gateway"),
}
_OUTSIDE = {
    "TransitGatewayId": "transit gateway",
    "LocalGatewayId": "local gateway",
    "CoreNetworkArn": "core network",
    "ServiceNetwork": "VPC Lattice service network",
}


class Gateways:
    """Follows the targets of routes.

    Args:
        reader: The templates.
        vpcs: Their VPCs.
        subnets: Their subnets.
    """

    def __init__(self, reader: Reader, vpcs: dict[Resource, Vpc], subnets: dict[Resource, Subnet]) -> None:
        self._reader = reader
        self._vpcs = vpcs
        self._subnets = subnets

    def follow(self, target: Target, vpc: Vpc | None) -> Iterator[tuple[Node, Hop, str]]:
        """Where a route leads: what is there, the step, and what of it is not resolved.

        Args:
            target: The route's target.
            vpc: The VPC of the route's table.
        """
        value = target.value
        resource = (
            value.resource if type(value) is Reference else value if isinstance(value, Resource) else None
        )
        match target.property:
            case "GatewayId" | "VpcEndpointId" if isinstance(value, str) and value.startswith("vpce-"):
                yield self._missing("endpoint", value)
            case "GatewayId":
                yield from self._gateway(value, resource)
            case "EgressOnlyInternetGatewayId":
                yield End(EGRESS_ONLY, _what(value)), self._hop("egress-only internet gateway", value), ""
            case "CarrierGatewayId":
                yield End(INTERNET, _what(value)), self._hop("carrier gateway", value), ""
            case "NatGatewayId":
                yield from self._nat(value)
            case "VpcPeeringConnectionId":
                yield from self._peering(value, resource, vpc)
            case "TransitGatewayId" if resource is not None and resource.type == "AWS::EC2::TransitGateway":
                node = Transit(resource, vpc.resource if vpc else None)
                yield node, Hop.at(resource, "transit gateway"), ""
            case "VpcEndpointId":
                yield from self._endpoint(target)
            case "InstanceId" | "NetworkInterfaceId" if resource is not None:
                yield Forwarder(resource), Hop.at(resource, "interface of"), ""
            case "GatewayEndpoint" if resource is not None:
                yield End(SERVICE, resource), Hop.at(resource, "gateway endpoint"), ""
            case name if name in _OUTSIDE:
                yield End(NETWORK, _what(value)), self._hop(_OUTSIDE[name], value), ""
            case _:
                yield self._missing("target", value)

    def _gateway(self, value: Any, resource: Resource | None) -> Iterator[tuple[Node, Hop, str]]:
        if value == "local":
            return
        if resource is not None:
            match resource.type:
                case "AWS::EC2::InternetGateway":
                    yield End(INTERNET, resource), Hop.at(resource, "internet gateway"), ""
                    return
                case "AWS::EC2::VPNGateway":
                    hop = Hop.at(resource, "virtual private gateway")
                    yield End(NETWORK, resource), hop, ""
                    return
        if isinstance(value, str):
            for prefix, (kind, words) in _LITERALS.items():
                if value.startswith(prefix):
                    yield End(kind, value), Hop(f"{words} {value}, which is not in the templates"), ""
                    return
        yield self._missing("gateway", value)

    def _nat(self, value: Any) -> Iterator[tuple[Node, Hop, str]]:
        resource = only(value, "AWS::EC2::NatGateway")
        if resource is None:
            yield self._missing("NAT gateway", value)
            return
        for named in self._reader.variants(resource, lambda r: self._reader.get(r, "SubnetId"))[0]:
            subnet = only(named, "AWS::EC2::Subnet")
            if subnet is not None and subnet in self._subnets:
                yield Nat(resource, self._subnets[subnet]), Hop.at(resource, "NAT gateway"), ""
            else:
                node, hop, reason = self._missing("subnet of a NAT gateway", named)
                yield node, hop, f"{resource.logical_id}: {reason}"

    def _peering(
        self, value: Any, resource: Resource | None, vpc: Vpc | None
    ) -> Iterator[tuple[Node, Hop, str]]:
        if resource is None or resource.type != "AWS::EC2::VPCPeeringConnection":
            yield End(NETWORK, _what(value)), self._hop("peering connection", value), ""
            return
        reader = self._reader
        hop = Hop.at(resource, "peering connection")
        variants = reader.variants(resource, lambda r: (reader.get(r, "VpcId"), reader.get(r, "PeerVpcId")))[
            0
        ]
        own = vpc.resource if vpc else None
        for sides in variants:
            known = [only(side, "AWS::EC2::VPC") for side in sides]
            # It leads from either side to the other; where the own is not among them, to both.
            others = (
                [side for side in known if side is not own] if own is not None and own in known else known
            )
            for far in dict.fromkeys(others or [own]):
                yield End(NETWORK, far or resource, self._vpcs[far] if far else None), hop, ""

    def _endpoint(self, target: Target) -> Iterator[tuple[Node, Hop, str]]:
        value, reader = target.value, self._reader
        resource = value.resource if type(value) is Reference else None
        if resource is not None:
            match resource.type:
                case "AWS::EC2::VPCEndpoint":
                    yield from self._load_balancer_endpoint(resource)
                    return
                case "AWS::NetworkFirewall::VpcEndpointAssociation":
                    hop = Hop.at(resource, "firewall endpoint")
                    for arn, named in reader.variants(
                        resource,
                        lambda r: (reader.get(r, "FirewallArn"), reader.get(r, "SubnetMapping", "SubnetId")),
                    )[0]:
                        firewall = only(arn, _FIREWALL)
                        name = firewall.logical_id if firewall else resource.logical_id
                        yield self._inspection(name, [named]), hop, ""
                    return
        firewall = self._mentioned(target, resource)
        if firewall is not None:
            custom = resource is not None and resource is not firewall
            for mappings in reader.variants(firewall, lambda r: reader.each(r, "SubnetMappings"))[0]:
                named = [mapping.get("SubnetId") for mapping in mappings if type(mapping) is dict]
                hop = Hop.at(firewall, "endpoint of firewall")
                node = self._inspection(firewall.logical_id, named)
                yield replace(node, chosen=value) if custom else node, hop, ""
            return
        yield self._missing("endpoint", value)

    def _mentioned(self, target: Target, resource: Resource | None) -> Resource | None:
        """The firewall whose endpoints a value picks from: by position, or by a custom resource."""
        if resource is not None and resource.type.startswith(("Custom::", "AWS::CloudFormation::Custom")):
            found = self._reader.templates.whole(resource.template, resource.properties)
            named = [value.resource for value in _references(found) if value.resource.type == _FIREWALL]
            return named[0] if len(set(named)) == 1 else None
        if resource is not None and resource.type == _FIREWALL:
            return resource
        if isinstance(target.value, Unresolved) and target.route is not None:
            # `Fn::Select` over `EndpointIds`, a list that only AWS writes.
            raw = target.route.properties[target.property]
            for name, found in target.route.template.resources.items():
                if found.type == _FIREWALL and _picks_endpoint(raw, name):
                    return found
        return None

    def _load_balancer_endpoint(self, resource: Resource) -> Iterator[tuple[Node, Hop, str]]:
        reader = self._reader
        for kind, subnets in reader.variants(
            resource, lambda r: (reader.get(r, "VpcEndpointType"), reader.items(r, "SubnetIds"))
        )[0]:
            if isinstance(kind, Absent) or kind == "Gateway":
                yield End(SERVICE, resource), Hop.at(resource, "gateway endpoint"), ""
            elif kind == "GatewayLoadBalancer":
                hop = Hop.at(resource, "gateway load balancer endpoint")
                yield self._inspection(resource.logical_id, subnets), hop, ""
            else:
                yield self._missing("endpoint", Reference(resource, "Ref"))

    def _inspection(self, firewall: str, named: list[Any]) -> Inspection:
        subnets = tuple(
            self._subnets[found]
            for value in named
            if (found := only(value, "AWS::EC2::Subnet")) is not None and found in self._subnets
        )
        certain = subnets[0] if len(subnets) == 1 and len(named) == 1 else None
        return Inspection(firewall, certain, subnets)

    def _missing(self, what: str, value: Any) -> tuple[Node, Hop, str]:
        reason = f"the {what} {why(value)}"
        return End(UNKNOWN, _what(value)), Hop(f"{what} that is not in the templates ({why(value)})"), reason

    def _hop(self, kind: str, value: Any) -> Hop:
        if type(value) is Reference:
            return Hop.at(value.resource, kind)
        if isinstance(value, Resource):
            return Hop.at(value, kind)
        return Hop(f"{kind} {why(value)}, which is not in the templates")


def _what(value: Any) -> Resource | str:
    if type(value) is Reference:
        return value.resource
    return value if isinstance(value, Resource) else why(value)


def _references(value: Any) -> Iterator[Reference]:
    if type(value) is Reference:
        yield value
    elif type(value) is dict:
        for item in value.values():
            yield from _references(item)
    elif type(value) is list:
        for item in value:
            yield from _references(item)
    elif hasattr(value, "references"):
        yield from value.references


def _picks_endpoint(raw: Any, name: str) -> bool:
    """Whether a value takes something out of a firewall's list of endpoints."""
    if isinstance(raw, dict):
        got = raw.get("Fn::GetAtt")
        if got in ([name, "EndpointIds"], f"{name}.EndpointIds"):
            return True
        return any(_picks_endpoint(item, name) for item in raw.values())
    return isinstance(raw, list) and any(_picks_endpoint(item, name) for item in raw)
