"""The network's part of the configuration file."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

from secure_ml_constructs._retention import check_retention
from secure_ml_constructs.errors import ConfigurationError, Problems
from secure_ml_constructs.network import (
    AddressPlan,
    Egress,
    EncryptionControl,
    EndpointProfile,
    Endpoints,
    ExistingGroups,
    ExistingSubnet,
    ExistingVpc,
    InternetGatewayBlock,
    OnPremises,
    PrefixLists,
    VpcGuards,
)
from secure_ml_constructs.network.secure_vpc import check_block, check_zones


class Section(BaseModel):
    """A part of the file: nothing unknown, nothing changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EndpointsSection(Section):
    """Which VPC endpoints there are."""

    profile: EndpointProfile = EndpointProfile.STUDIO
    extra: tuple[str, ...] = Field(default=(), description="Further services, by catalogue name.")
    without: tuple[str, ...] = Field(default=(), description="Services of the profile to leave out.")
    zones: dict[str, tuple[int | str, ...]] = Field(
        default_factory=dict, description="For services that not every zone offers: the zones they get."
    )
    interface_s3: bool = False
    aws_images: bool = True

    def value(self) -> Endpoints:
        """Give the endpoints."""
        return Endpoints(**{name: getattr(self, name) for name in type(self).model_fields})


class PrefixListsSection(Section):
    """AWS's managed prefix lists in the region; looked up at deployment where left out."""

    s3: str | None = None
    dynamodb: str | None = None

    def value(self) -> PrefixLists:
        """Give the prefix lists."""
        return PrefixLists(s3=self.s3, dynamodb=self.dynamodb)


class FirewalledSection(Section):
    """A way out through a firewall."""

    domains: tuple[str, ...] = Field(description="Host names, or *.example.org for all below one.")

    def value(self) -> Egress:
        """Give the way out."""
        return Egress.firewalled(domains=self.domains)


class EgressSection(Section):
    """A way out, where one is asked for by name."""

    firewalled: FirewalledSection


class VpnSection(Section):
    """A Site-to-Site VPN."""

    ranges: tuple[str, ...]
    devices: tuple[str, ...] = Field(description="Public IPv4 addresses of one or two VPN devices.")
    ports: tuple[int, ...] = (443,)

    def value(self) -> OnPremises:
        """Give the link."""
        return OnPremises.vpn(ranges=self.ranges, devices=self.devices, ports=self.ports)


class DirectConnectSection(Section):
    """A Direct Connect gateway over connections that encrypt by MACsec."""

    ranges: tuple[str, ...]
    gateway_id: str
    ports: tuple[int, ...] = (443,)
    check_at_deployment: bool = Field(
        default=True, description="False where another account, which owns the connections, vouches for them."
    )

    def value(self) -> OnPremises:
        """Give the link."""
        return OnPremises.direct_connect(**{name: getattr(self, name) for name in type(self).model_fields})


class OnPremisesSection(Section):
    """A private link to named ranges: one of these."""

    vpn: VpnSection | None = None
    direct_connect: DirectConnectSection | None = None

    @model_validator(mode="after")
    def _one(self) -> OnPremisesSection:
        if (self.vpn is None) == (self.direct_connect is None):
            raise ValueError("a link is either vpn or direct_connect")
        return self

    @property
    def kind(self) -> str:
        """Which of them."""
        return "vpn" if self.vpn else "direct_connect"

    def value(self) -> OnPremises:
        """Give the link."""
        given: VpnSection | DirectConnectSection = getattr(self, self.kind)
        return given.value()


class ExistingSubnetSection(Section):
    """An isolated subnet that the network team owns."""

    availability_zone: str
    subnet_id: str
    route_table_id: str | None = None


class ExistingGroupsSection(Section):
    """Security groups that exist; each left out is made."""

    endpoints: str | None = None
    workloads: str | None = None
    jobs: str | None = None
    admit: bool = Field(default=True, description="False where another account owns the endpoints' group.")


class ExistingVpcSection(Section):
    """A VPC, or shared subnets of one, that the network team owns."""

    vpc: str = Field(description="Its id.")
    subnets: tuple[ExistingSubnetSection, ...]
    endpoints: dict[str, str] = Field(default_factory=dict, description="Endpoint ids by service.")
    groups: ExistingGroupsSection = ExistingGroupsSection()
    check_at_deployment: bool = True

    def ids(self) -> tuple[str, ...]:
        """Give the ids of the subnets and groups."""
        groups = (self.groups.endpoints, self.groups.workloads, self.groups.jobs)
        return (*(subnet.subnet_id for subnet in self.subnets), *(group for group in groups if group))

    def value(self) -> ExistingVpc:
        """Give the network as the construct takes it."""
        return ExistingVpc(
            vpc=self.vpc,
            subnets=[ExistingSubnet(**subnet.model_dump()) for subnet in self.subnets],
            endpoints=self.endpoints,
            groups=ExistingGroups(**self.groups.model_dump()),
            check_at_deployment=self.check_at_deployment,
        )


class NetworkSection(Section):
    """The network: a new VPC, or an existing one."""

    cidr: str = "10.0.0.0/16"
    availability_zones: int | tuple[str, ...] = 2
    endpoints: EndpointsSection = EndpointsSection()
    prefix_lists: PrefixListsSection | None = None
    flow_log_retention_days: int = 365
    block_public_access: InternetGatewayBlock | None = None
    encryption_control: EncryptionControl | None = None
    dns_firewall: bool = Field(
        default=False,
        description="Names are answered for AWS alone; with a way out, for its domains as well.",
    )
    egress: EgressSection | None = Field(default=None, description="Default: nothing leads out.")
    on_premises: OnPremisesSection | None = Field(default=None, description="Default: no link.")
    existing: ExistingVpcSection | None = None

    @model_validator(mode="after")
    def _new_or_existing(self) -> NetworkSection:
        new = {
            "cidr",
            "availability_zones",
            "block_public_access",
            "encryption_control",
            "dns_firewall",
            "egress",
            "on_premises",
        } & self.model_fields_set
        if self.existing and new:
            raise ValueError(f"an existing network has its own {', '.join(sorted(new))}")
        return self

    def guards(self) -> VpcGuards:
        """Give the guards that AWS keeps."""
        return VpcGuards(
            block_public_access=self.block_public_access,
            encryption_control=self.encryption_control,
            dns_firewall=self.dns_firewall,
        )

    def way_out(self) -> Egress:
        """Give the way out."""
        return self.egress.firewalled.value() if self.egress else Egress.none()

    def link(self) -> OnPremises | None:
        """Give the link with on-premises."""
        return self.on_premises.value() if self.on_premises else None

    def check(self, problems: Problems) -> None:
        """Record what the network would refuse."""
        check_retention(problems, "flow_log_retention_days", self.flow_log_retention_days)
        zones: tuple[str, ...] = ()
        if not self.existing:
            zones = check_zones(problems, self.availability_zones)
            AddressPlan(cidr=self.cidr).check(problems, len(zones), spare=self.egress is not None)
        self._check_ways_out(problems)
        try:
            endpoints = self.endpoints.value()
        except ConfigurationError as error:
            problems.extend("endpoints", error.problems)
            return
        if self.existing:
            self.existing.value().check(problems, endpoints)
        elif zones:
            endpoints.check_zones(problems, zones)
        if self.prefix_lists:
            gateways = [service.name for service in endpoints.services if service.gateway]
            self.prefix_lists.value().check(problems, gateways)

    def _check_ways_out(self, problems: Problems) -> None:
        try:
            domains = self.way_out().domains
            check_block(problems, "block_public_access", self.block_public_access, domains)
        except ConfigurationError as error:
            problems.extend("egress.firewalled", error.problems)
        if self.on_premises is None:
            return
        where = f"on_premises.{self.on_premises.kind}"
        try:
            self.on_premises.value().check(problems, self.cidr, argument=where)
        except ConfigurationError as error:
            problems.extend(where, error.problems)
