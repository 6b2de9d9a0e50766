"""The way out through a firewall, zone by zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import CfnTag
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from secure_ml_constructs._acknowledge import acknowledge_all, standard_packs
from secure_ml_constructs.network.domain_firewall import DomainFirewall
from secure_ml_constructs.network.network_acl import PassageAcl

_ANYWHERE = "0.0.0.0/0"
_TO_INTERNET = (
    "This is the one route to the internet gateway, of the subnet that holds nothing but the NAT gateway of "
    "a firewalled way out. What gets there has passed the firewall, and so do the answers."
)


@dataclass(frozen=True)
class Zone:
    """What one zone has, and what is made in it.

    Attributes:
        name: The zone.
        cidr: The range of its subnet for machine learning.
        route_table_id: That subnet's route table.
        firewall_cidr: The range of the subnet of the firewall's endpoint.
        public_cidr: The range of the NAT gateway's subnet.
    """

    name: str
    cidr: str
    route_table_id: str
    firewall_cidr: str
    public_cidr: str


class FirewalledEgress(Construct):
    """A way out: subnet, firewall endpoint, NAT gateway, internet gateway, all of one zone, and back. (N7)

    Answers go from the NAT gateway's subnet through the endpoint that saw the question, by a route as narrow
    as the subnet that asked. (AWS Network Firewall: Multi zone architecture with an internet gateway and a
    NAT gateway; Amazon VPC: Routing for a middlebox appliance)

    Args:
        scope: The parent construct.
        id: The construct's id.
        vpc_id: The VPC.
        vpc_cidr: Its range.
        zones: Its zones.
        domains: The domains that may be reached.
        logs_key_arn: The key of the log groups.
        retention_days: Days the logs are kept.

    Attributes:
        firewall: The firewalls.
        public_addresses: The addresses that the other end sees, one a zone.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vpc_id: str,
        vpc_cidr: str,
        zones: Sequence[Zone],
        domains: Sequence[str],
        logs_key_arn: str,
        retention_days: int,
    ) -> None:
        super().__init__(scope, id)
        self._vpc_id = vpc_id
        numbered = list(enumerate(zones, start=1))
        inner = [self._subnet(f"FirewallSubnet{n}", zone.name, zone.firewall_cidr) for n, zone in numbered]
        outer = [self._subnet(f"PublicSubnet{n}", zone.name, zone.public_cidr) for n, zone in numbered]
        self.firewall = DomainFirewall(
            self,
            "Firewall",
            vpc_id=vpc_id,
            subnet_ids=[subnet_id for subnet_id, _ in inner],
            protected=[zone.cidr for zone in zones],
            domains=domains,
            logs_key_arn=logs_key_arn,
            retention_days=retention_days,
        )
        gateway = ec2.CfnInternetGateway(self, "InternetGateway")
        attached = ec2.CfnVPCGatewayAttachment(
            self, "InternetGatewayOfVpc", vpc_id=vpc_id, internet_gateway_id=gateway.ref
        )
        addresses = []
        for (number, zone), endpoint, (_, inner_table), (outer_id, outer_table) in zip(
            numbered, self.firewall.endpoint_ids, inner, outer, strict=True
        ):
            address = ec2.CfnEIP(self, f"Address{number}", domain="vpc")
            address.add_resource_dependency(attached)
            nat = ec2.CfnNatGateway(
                self, f"Nat{number}", subnet_id=outer_id, allocation_id=address.attr_allocation_id
            )
            nat.add_resource_dependency(attached)
            addresses.append(address.attr_public_ip)
            self._route(f"ToFirewall{number}", zone.route_table_id, vpc_endpoint_id=endpoint)
            self._route(f"ToNat{number}", inner_table, nat_gateway_id=nat.ref)
            out = self._route(f"ToInternet{number}", outer_table, gateway_id=gateway.ref)
            out.add_resource_dependency(attached)
            acknowledge_all(out, dict.fromkeys(standard_packs("VPCNoUnrestrictedRouteToIGW"), _TO_INTERNET))
            self._route(f"Back{number}", outer_table, zone.cidr, vpc_endpoint_id=endpoint)
        self.public_addresses = tuple(addresses)
        PassageAcl(
            self,
            "Acl",
            vpc_id=vpc_id,
            cidr=vpc_cidr,
            subnet_ids=[subnet_id for subnet_id, _ in (*inner, *outer)],
        )

    def _subnet(self, name: str, zone: str, cidr: str) -> tuple[str, str]:
        """Make a subnet with a route table of its own, and give both ids."""
        subnet = ec2.CfnSubnet(
            self,
            name,
            vpc_id=self._vpc_id,
            availability_zone=zone,
            cidr_block=cidr,
            map_public_ip_on_launch=False,
            tags=[CfnTag(key="Name", value=name)],
        )
        subnet_id = subnet.ref
        table = ec2.CfnRouteTable(self, f"{name}Table", vpc_id=self._vpc_id).ref
        ec2.CfnSubnetRouteTableAssociation(
            self, f"{name}TableAssociation", subnet_id=subnet_id, route_table_id=table
        )
        return subnet_id, table

    def _route(self, name: str, table: str, to: str = _ANYWHERE, **target: str) -> ec2.CfnRoute:
        return ec2.CfnRoute(self, name, route_table_id=table, destination_cidr_block=to, **target)
