"""VPC endpoints, and who reaches which AWS service through them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from secure_ml_constructs.verification.proofs.network.answers import Hop, Path
from secure_ml_constructs.verification.proofs.network.forwarding import Forwarding
from secure_ml_constructs.verification.proofs.network.gateways import SERVICE, End
from secure_ml_constructs.verification.proofs.network.permits import sends, spoken
from secure_ml_constructs.verification.proofs.network.places import Interface
from secure_ml_constructs.verification.proofs.network.reading import Reader
from secure_ml_constructs.verification.proofs.network.traffic import TCP, service
from secure_ml_constructs.verification.proofs.network.workloads import Workload
from secure_ml_constructs.verification.templates import Absent, Resource, show

_HTTPS = service(TCP, 443, 443)
_AWS = ("com.amazonaws.", "cn.com.amazonaws.", "aws.")


@dataclass(frozen=True)
class Endpoint:
    """A VPC endpoint of the templates.

    Attributes:
        resource: Its resource.
        service: Its service's name without prefix and region, such as `s3` or `sagemaker.api`.
        kind: `Gateway`, `Interface` or another type as CloudFormation names it.
        private_dns: Whether the service's own name leads to it; always so for a gateway, whose routes do.
        of_aws: Whether the service is AWS's own.
    """

    resource: Resource
    service: str
    kind: str
    private_dns: bool
    of_aws: bool


@dataclass(frozen=True)
class Through:
    """A way to a service.

    Attributes:
        endpoint: The endpoint it leads through.
        path: The steps.
    """

    endpoint: Endpoint
    path: Path


class Endpoints:
    """The VPC endpoints of the templates.

    Args:
        reader: The templates.
        forwarding: Where routes lead.
        workloads: Every interface, those of the endpoints among them.

    Attributes:
        all: The endpoints.
        private_links: Those behind which a service stands that is not AWS's, with their interfaces.
    """

    def __init__(self, reader: Reader, forwarding: Forwarding, workloads: tuple[Workload, ...]) -> None:
        self._forwarding = forwarding
        self._interfaces: dict[Resource, list[Interface]] = {}
        for workload in workloads:
            if workload.resource.type == "AWS::EC2::VPCEndpoint":
                self._interfaces.setdefault(workload.resource, []).append(workload.interface)
        names = ("ServiceName", "VpcEndpointType", "PrivateDnsEnabled")
        found: dict[Endpoint, None] = {}
        for resource in reader.resources("AWS::EC2::VPCEndpoint"):
            variants, _ = reader.variants(resource, lambda r: tuple(reader.get(r, name) for name in names))
            found |= dict.fromkeys(_endpoint(resource, *values) for values in variants)
        self.all = tuple(found)
        self.private_links = {
            endpoint.resource: self._interfaces.get(endpoint.resource, [])
            for endpoint in self.all
            if not endpoint.of_aws and endpoint.kind not in ("Gateway", "GatewayLoadBalancer")
        }

    def through(self, wanted: str, interface: Interface) -> tuple[Through, ...]:
        """The endpoints through which an interface may call a service by HTTPS."""
        name = _short(wanted)
        found: list[Through] = []
        for endpoint in self.all:
            if endpoint.service != name or not endpoint.of_aws:
                continue
            steps = self._gateway if endpoint.kind == "Gateway" else self._interface
            path = steps(endpoint, interface)
            if path is not None:
                found.append(Through(endpoint, path))
        return tuple(found)

    def _gateway(self, endpoint: Endpoint, interface: Interface) -> Path | None:
        if interface.subnet is None:
            return Path((interface.hop,), unresolved=interface.hop.text)
        for way in self._forwarding.ways(interface.subnet):
            leads = way.end == End(SERVICE, endpoint.resource)
            if leads and way.traffic & sends(interface.groups) & _HTTPS:
                return Path((interface.hop, *way.hops), firewalls=way.firewalls)
        return None

    def _interface(self, endpoint: Endpoint, interface: Interface) -> Path | None:
        hop = Hop.at(endpoint.resource, "interface endpoint")
        for other in self._interfaces.get(endpoint.resource, []):
            if interface.subnet is None or other.subnet is None:
                return Path((interface.hop, hop), unresolved="a subnet that is not in the templates")
            if other.subnet.vpc is interface.subnet.vpc and spoken(interface, other) & _HTTPS:
                return Path((interface.hop, hop), services=("tcp 443",))
        return None


def _endpoint(resource: Resource, name: Any, kind: Any, private_dns: Any) -> Endpoint:
    text = "" if isinstance(name, Absent) else show(name)
    type_ = "Gateway" if isinstance(kind, Absent) else show(kind)
    of_aws = text.startswith(_AWS) and ".vpce." not in text
    dns = type_ == "Gateway" or not (isinstance(private_dns, Absent) or private_dns is False)
    return Endpoint(resource, _short(text), type_, dns, of_aws)


def _short(name: str) -> str:
    """A service's name without prefix and region: `aws.sagemaker.<region>.x` gives `sagemaker.x`."""
    if name.startswith("aws."):
        service_, _, rest = name.removeprefix("aws.").partition(".")
        return f"{service_}.{rest.partition('.')[2]}"
    for prefix in _AWS[:2]:
        if name.startswith(prefix):
            return name.removeprefix(prefix).partition(".")[2]
    return name
