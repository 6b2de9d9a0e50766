"""A VPC without a way out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar
from weakref import WeakKeyDictionary

from aws_cdk import CfnTag, Fn, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from constructs import Construct, IConstruct

from secure_ml_constructs._cdk import child_path, is_token, key_arn
from secure_ml_constructs._retention import check_retention
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.network.addresses import AddressPlan
from secure_ml_constructs.network.dns_firewall import DnsFirewall
from secure_ml_constructs.network.egress import Egress
from secure_ml_constructs.network.endpoint_set import EndpointSet
from secure_ml_constructs.network.endpoints import Endpoints
from secure_ml_constructs.network.existing_network import ExistingNetwork
from secure_ml_constructs.network.existing_vpc import ExistingVpc
from secure_ml_constructs.network.firewalled_egress import FirewalledEgress, Zone
from secure_ml_constructs.network.flow_log import VpcFlowLog
from secure_ml_constructs.network.ml_network import MlNetwork
from secure_ml_constructs.network.network_acl import IsolatedAcl
from secure_ml_constructs.network.on_premises import OnPremises
from secure_ml_constructs.network.on_premises_link import OnPremisesLink
from secure_ml_constructs.network.prefix_lists import PrefixLists
from secure_ml_constructs.network.security_groups import ANYWHERE
from secure_ml_constructs.network.settings import NetworkSettings
from secure_ml_constructs.perimeter import DataPerimeter


class InternetGatewayBlock(StrEnum):
    """What VPC Block Public Access stops, in every VPC of the account and region."""

    BIDIRECTIONAL = "block-bidirectional"
    INGRESS = "block-ingress"


class EncryptionControl(StrEnum):
    """What VPC encryption control does about traffic that the network does not encrypt."""

    MONITOR = "monitor"
    ENFORCE = "enforce"


@dataclass(frozen=True, kw_only=True)
class VpcGuards:
    """Guards that AWS itself keeps over a VPC.

    Args:
        block_public_access: VPC Block Public Access. A setting of the whole account and region, so one
            network in each makes it. Default: left as it is.
        encryption_control: VPC encryption control; charged by the hour. Enforcing admits only instance types
            that encrypt in transit. Default: none.
        dns_firewall: The resolver answers for AWS's names in the region alone, and logs every query: names
            carry data out wherever routes lead. With a way out it does so always, for the way out's domains
            as well. Default: it answers for every name.
    """

    block_public_access: InternetGatewayBlock | None = None
    encryption_control: EncryptionControl | None = None
    dns_firewall: bool = False


class SecureVpc(MlNetwork):
    """A VPC with isolated subnets, from which AWS services are reached by endpoints, and nothing else is.

    Ensures:
        N1: isolated subnets in 2 or 3 zones; no internet gateway, NAT or other route out unless asked for by
            name; no public addresses; VPC Block Public Access, encryption control, DNS Firewall as options.
        N2: gateway and interface endpoints by profile, with private DNS.
        N3: a policy on every endpoint whose service takes one: our principals, our resources, AWS's own by
            name.
        N4: groups by reference, 443 to endpoints only, S3 and DynamoDB by managed prefix list; the default
            group emptied; jobs that can train distributed and encrypted.
        N5: NACLs that let the gateway endpoints, and what is asked for by name, work and nothing else.
        N6: flow logs of all traffic under a customer key.
        N7: a way out only by name: out and back through the firewall endpoint of the same zone, to named
            domains by TLS, with names answered for these alone and every query logged.
        N10: a link to on-premises only by name: an encrypted one, with routes to named ranges alone.

    Args:
        scope: The parent construct.
        id: The construct's id.
        perimeter: Who is trusted; gives every policy.
        logs_key: The key of the log groups; its policy must let CloudWatch Logs use it, as
            `EnvironmentKeys.logs` does.
        cidr: The VPC's range, private, /16 to /24, or an `AddressPlan`. Default: `10.0.0.0/16`.
        availability_zones: 2 or 3 to take the region's first, or their names. Default: 2, which every region
            has; each zone costs an interface for every endpoint.
        endpoints: Which endpoints. Default: `Endpoints()`, the Studio profile.
        prefix_lists: The managed prefix lists of S3 and DynamoDB. Default: looked up at deployment.
        flow_log_retention_days: Days the flow log is kept, and what a way out or a link writes down. Default:
            365.
        guards: What AWS itself guards. Default: none.
        egress: `Egress.firewalled(domains=[…])` for a way out to named domains. Default: `Egress.none()`.
        on_premises: `OnPremises.vpn(…)` or `OnPremises.direct_connect(…)`. Default: no link.

    Attributes:
        dns_firewall: The resolver's firewall with its query log; None where it answers for every name.
        firewalled_egress: The way out with its firewalls, addresses and logs; None where there is none.
        on_premises_link: The link with its gateway and log; None where there is none.

    Raises:
        ConfigurationError: A range too small, not private or overlapping; fewer than 2 or more than 3 zones;
            a zone that is not there; a malformed prefix list; a retention CloudWatch Logs does not know; a
            second VPC Block Public Access in one account and region; one that would stop a way out that is
            asked for; no room for the subnets of one; an on-premises range that overlaps the VPC's.

    Example:
        >>> vpc = SecureVpc(stack, "Vpc", perimeter=perimeter, logs_key=keys.logs)
        >>> vpc.endpoint_zone_pairs
        36
    """

    _blocking: ClassVar[WeakKeyDictionary[IConstruct, dict[str, str]]] = WeakKeyDictionary()

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        perimeter: DataPerimeter,
        logs_key: kms.IKey,
        cidr: str | AddressPlan = "10.0.0.0/16",
        availability_zones: int | Sequence[str] = 2,
        endpoints: Endpoints | None = None,
        prefix_lists: PrefixLists | None = None,
        flow_log_retention_days: int = 365,
        guards: VpcGuards | None = None,
        egress: Egress | None = None,
        on_premises: OnPremises | None = None,
    ) -> None:
        endpoints = endpoints or Endpoints()
        guards = guards or VpcGuards()
        domains = egress.domains if egress else ()
        plan = AddressPlan(cidr=cidr) if isinstance(cidr, str) else cidr
        problems = Problems()
        zones = check_zones(problems, availability_zones)
        ranges = plan.check(problems, len(zones), spare=bool(domains))
        if zones:
            endpoints.check_zones(problems, zones)
        gateways = [service.name for service in endpoints.services if service.gateway]
        listed = prefix_lists.check(problems, gateways) if prefix_lists else {}
        check_retention(problems, "flow_log_retention_days", flow_log_retention_days)
        if guards.block_public_access:
            self._claim_block(problems, scope, id, guards.block_public_access)
        check_block(problems, "guards.block_public_access", guards.block_public_access, domains)
        if on_premises:
            on_premises.check(problems, plan.cidr)
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        self.perimeter = perimeter

        vpc = ec2.CfnVPC(
            self,
            "Resource",
            cidr_block=plan.cidr,
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags=[_name(id)],
        )
        self.vpc_id = vpc.ref
        self.vpc_cidr = plan.cidr
        offered = [] if all(zones) else Fn.get_azs()
        self.availability_zones = tuple(zone or Fn.select(index, offered) for index, zone in enumerate(zones))
        self._make_subnets(vpc, id, ranges)
        logs_key_arn = key_arn(logs_key)
        VpcFlowLog(
            self,
            "FlowLog",
            perimeter=perimeter,
            vpc_id=self.vpc_id,
            logs_key_arn=logs_key_arn,
            retention_days=flow_log_retention_days,
        )
        settings = NetworkSettings(
            self,
            "Settings",
            perimeter=perimeter,
            logs_key_arn=logs_key_arn,
            default_group=vpc.attr_default_security_group,
            prefix_lists=() if prefix_lists else gateways,
            link=on_premises.gateway_id if on_premises and on_premises.check_at_deployment else None,
        )
        self._prefix_lists = listed or settings.prefix_lists
        linked = on_premises.reached if on_premises else ()
        self.linked_ranges = on_premises.ranges if on_premises else ()
        self._beyond = (*(((ANYWHERE, 443),) if domains else ()), *linked)
        self._make_groups()
        IsolatedAcl(
            self,
            "Acl",
            vpc_id=self.vpc_id,
            cidr=plan.cidr,
            subnet_ids=self.isolated_subnet_ids,
            anywhere=bool(gateways or domains),
            linked=linked,
        )
        self._take(
            EndpointSet(
                self,
                "Endpoints",
                perimeter=perimeter,
                endpoints=endpoints,
                existing={},
                vpc_id=self.vpc_id,
                zones=zones,
                subnet_ids=self.isolated_subnet_ids,
                route_table_ids=self.route_table_ids,
                security_group_id=self.endpoint_security_group_id,
            )
        )
        self.dns_firewall: DnsFirewall | None = None
        if domains or guards.dns_firewall:
            # Here in either case: with a way out or without, it is the same one.
            self.dns_firewall = DnsFirewall(
                self,
                "Names",
                vpc_id=self.vpc_id,
                domains=domains,
                logs_key_arn=logs_key_arn,
                retention_days=flow_log_retention_days,
            )
        self.firewalled_egress: FirewalledEgress | None = None
        if domains:
            self.firewalled_egress = FirewalledEgress(
                self,
                "Egress",
                vpc_id=self.vpc_id,
                vpc_cidr=plan.cidr,
                zones=[
                    Zone(zone, block, table, *outer)
                    for zone, block, table, outer in zip(
                        self.availability_zones,
                        ranges,
                        self.route_table_ids,
                        plan.spare(ranges, len(ranges)),
                        strict=True,
                    )
                ],
                domains=domains,
                logs_key_arn=logs_key_arn,
                retention_days=flow_log_retention_days,
            )
        self.on_premises_link: OnPremisesLink | None = None
        if on_premises:
            self.on_premises_link = OnPremisesLink(
                self,
                "OnPremises",
                vpc_id=self.vpc_id,
                vpc_cidr=plan.cidr,
                route_table_ids=self.route_table_ids,
                on_premises=on_premises,
                logs_key_arn=logs_key_arn,
                retention_days=flow_log_retention_days,
                after=settings.link,
            )
        self._guard(guards, leaves=bool(domains), linked=bool(on_premises))

    @classmethod
    def from_existing(
        cls,
        scope: Construct,
        id: str,
        *,
        perimeter: DataPerimeter,
        logs_key: kms.IKey,
        existing: ExistingVpc,
        endpoints: Endpoints | None = None,
        prefix_lists: PrefixLists | None = None,
        flow_log_retention_days: int | None = None,
    ) -> ExistingNetwork:
        """Take a VPC, or shared subnets of one, that the network team owns. See `ExistingNetwork`."""
        return ExistingNetwork(
            scope,
            id,
            perimeter=perimeter,
            logs_key=logs_key,
            existing=existing,
            endpoints=endpoints,
            prefix_lists=prefix_lists,
            flow_log_retention_days=flow_log_retention_days,
        )

    def _make_subnets(self, vpc: ec2.CfnVPC, name: str, ranges: Sequence[str]) -> None:
        subnets, subnet_ids, tables = [], [], []
        for number, (zone, block) in enumerate(zip(self.availability_zones, ranges, strict=True), start=1):
            subnet = ec2.CfnSubnet(
                self,
                f"IsolatedSubnet{number}",
                vpc_id=self.vpc_id,
                availability_zone=zone,
                cidr_block=block,
                map_public_ip_on_launch=False,
                tags=[_name(f"{name} isolated {number}")],
            )
            subnet_id = subnet.ref
            # A table each: a firewalled way out, where one is asked for, differs by zone.
            table = ec2.CfnRouteTable(self, f"RouteTable{number}", vpc_id=self.vpc_id).ref
            ec2.CfnSubnetRouteTableAssociation(
                self, f"RouteTableAssociation{number}", subnet_id=subnet_id, route_table_id=table
            )
            subnets.append(subnet)
            subnet_ids.append(subnet_id)
            tables.append(table)
        self._weaken(vpc, *subnets)
        self.isolated_subnet_ids = tuple(subnet_ids)
        self.route_table_ids = tuple(tables)

    def _make_groups(self) -> None:
        self.endpoint_security_group_id = self._endpoint_group()
        workload = self._client("WorkloadGroup", "Notebooks, functions and inference")
        job = self._client("JobGroup", "Training and processing jobs", jobs=True)
        self.workload_security_group_id = workload.group_id
        self.job_security_group_id = job.group_id

    @classmethod
    def _claim_block(cls, problems: Problems, scope: Construct, id: str, mode: InternetGatewayBlock) -> None:
        """Record the setting as this network's, or the problem that another one has made it."""
        stack = Stack.of(scope)
        made = cls._blocking.setdefault(scope.node.root, {})
        by = made.setdefault(f"{stack.account}/{stack.region}", f"{scope.node.path}/{id}")
        if by != f"{scope.node.path}/{id}":
            reason = f"It is a setting of the whole account and region, and {by} makes it."
            problems.add("guards.block_public_access", mode, reason, "Leave it out here.")

    def _guard(self, guards: VpcGuards, *, leaves: bool, linked: bool) -> None:
        if guards.block_public_access:
            ec2.CfnVPCBlockPublicAccessOptions(
                self, "BlockPublicAccess", internet_gateway_block_mode=guards.block_public_access.value
            )
        enforced = guards.encryption_control is EncryptionControl.ENFORCE
        excluded = "enable" if leaves and enforced else None
        linked_excluded = "enable" if linked and enforced else None
        if guards.encryption_control:
            ec2.CfnVPCEncryptionControl(
                self,
                "EncryptionControl",
                vpc_id=self.vpc_id,
                mode=guards.encryption_control.value,
                # Where traffic leaves the network that AWS encrypts. (Amazon VPC: VPC encryption controls)
                internet_gateway_exclusion_input=excluded,
                nat_gateway_exclusion_input=excluded,
                virtual_private_gateway_exclusion_input=linked_excluded,
            )


def _name(text: str) -> CfnTag:
    return CfnTag(key="Name", value=text)


def check_block(
    problems: Problems, argument: str, mode: InternetGatewayBlock | None, domains: Sequence[str]
) -> None:
    """Record a VPC Block Public Access that would stop a way out that is asked for."""
    if domains and mode is InternetGatewayBlock.BIDIRECTIONAL:
        fix = f"Write '{InternetGatewayBlock.INGRESS.value}', which lets NAT gateways be."
        problems.add(argument, mode.value, "It would stop the way out that egress asks for.", fix)


def check_zones(problems: Problems, wanted: int | Sequence[str]) -> tuple[str, ...]:
    """Give the zones' names, empty where they are not known, and record what is wrong."""
    names = ("",) * wanted if isinstance(wanted, int) and wanted > 0 else wanted
    if isinstance(names, (int, str)):
        fix = "Write 2 or 3, or a list of names such as ['eu-central-1a', 'eu-central-1b']."
        problems.add("availability_zones", wanted, "This is neither a number of zones nor a list.", fix)
        return ()
    if len(names) < 2:
        reason = "One zone is one outage away from none, and SageMaker asks for two."
        problems.add("availability_zones", wanted, reason, "Write 2 or 3.")
    elif len(names) > 3:
        reason = "Each zone costs an interface for every endpoint; more than three gain nothing."
        problems.add("availability_zones", wanted, reason, "Write 2 or 3.")
    known = [name for name in names if name and not is_token(name)]
    if len(set(known)) < len(known):
        problems.add("availability_zones", wanted, "A zone is named twice.", "Name each zone once.")
    return tuple(names)
