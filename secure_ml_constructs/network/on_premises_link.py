"""The private link to on-premises networks."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import CfnResource
from aws_cdk import aws_directconnect as directconnect
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from secure_ml_constructs._cdk import account, partition, region
from secure_ml_constructs.network.delivered_log import DeliveredLog
from secure_ml_constructs.network.on_premises import OnPremises

# For a device's routing protocol, which static routes leave unused. (AWS Site-to-Site VPN: Customer gateway
# options)
_ASN = 65000
_TUNNELS = 2
_SHA2 = ("SHA2-384", "SHA2-512")
# ECP groups of 384 and 521 bits.
_GROUPS = (20, 21)


class OnPremisesLink(Construct):
    """A virtual private gateway, what links it to the other end, and routes to named ranges alone. (N10)

    Args:
        scope: The parent construct.
        id: The construct's id.
        vpc_id: The VPC.
        vpc_cidr: Its range.
        route_table_ids: The tables that get the routes.
        on_premises: The other end.
        logs_key_arn: The key of the tunnels' log group.
        retention_days: Days the log is kept.
        after: What has to succeed before the link is made.

    Attributes:
        gateway_id: The virtual private gateway.
        log_group_name: The group of the tunnels' log; empty without VPN.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vpc_id: str,
        vpc_cidr: str,
        route_table_ids: Sequence[str],
        on_premises: OnPremises,
        logs_key_arn: str,
        retention_days: int,
        after: CfnResource | None = None,
    ) -> None:
        super().__init__(scope, id)
        gateway = ec2.CfnVPNGateway(self, "Gateway", type="ipsec.1")
        self.gateway_id = gateway.ref
        attached = ec2.CfnVPCGatewayAttachment(
            self, "GatewayOfVpc", vpc_id=vpc_id, vpn_gateway_id=self.gateway_id
        )
        self.log_group_name = ""
        if on_premises.devices:
            log = DeliveredLog(self, "Log", logs_key_arn=logs_key_arn, retention_days=retention_days)
            self.log_group_name = log.name
            self._tunnels(on_premises, log.name)
        else:
            link = directconnect.CfnDirectConnectGatewayAssociation(
                self,
                "DirectConnect",
                associated_gateway_id=self.gateway_id,
                direct_connect_gateway_id=on_premises.gateway_id,
                # What the other end is told of us.
                allowed_prefixes_to_direct_connect_gateway=[vpc_cidr],
            )
            link.add_resource_dependency(attached)
            if after is not None:
                link.add_resource_dependency(after)
        for number, table in enumerate(route_table_ids, start=1):
            for index, block in enumerate(on_premises.ranges, start=1):
                route = ec2.CfnRoute(
                    self,
                    f"Table{number}Range{index}",
                    route_table_id=table,
                    destination_cidr_block=block,
                    gateway_id=self.gateway_id,
                )
                route.add_resource_dependency(attached)

    def _tunnels(self, on_premises: OnPremises, log_group: str) -> None:
        # Without the ":*" at the end of what CloudFormation calls its ARN.
        log_arn = f"arn:{partition()}:logs:{region()}:{account()}:log-group:{log_group}"
        options = [_tunnel(log_arn)] * _TUNNELS
        for number, device in enumerate(on_premises.devices, start=1):
            far = ec2.CfnCustomerGateway(
                self, f"Device{number}", type="ipsec.1", ip_address=device, bgp_asn=_ASN
            )
            connection = ec2.CfnVPNConnection(
                self,
                f"Vpn{number}",
                type="ipsec.1",
                customer_gateway_id=far.ref,
                vpn_gateway_id=self.gateway_id,
                static_routes_only=True,
                # Else whoever may describe the connection reads the keys.
                pre_shared_key_storage="SecretsManager",
                vpn_tunnel_options_specifications=options,
            )
            connection_id = connection.ref
            for index, block in enumerate(on_premises.ranges, start=1):
                ec2.CfnVPNConnectionRoute(
                    self,
                    f"Vpn{number}Range{index}",
                    destination_cidr_block=block,
                    vpn_connection_id=connection_id,
                )


def _tunnel(log_arn: str) -> ec2.CfnVPNConnection.VpnTunnelOptionsSpecificationProperty:
    """IKEv2 with AES-256 in GCM and elliptic curves: the strongest that AWS offers, and nothing below."""
    of = ec2.CfnVPNConnection
    ciphers = "AES256-GCM-16"
    return of.VpnTunnelOptionsSpecificationProperty(
        ike_versions=[of.IKEVersionsRequestListValueProperty(value="ikev2")],
        phase1_encryption_algorithms=[of.Phase1EncryptionAlgorithmsRequestListValueProperty(value=ciphers)],
        phase1_integrity_algorithms=[
            of.Phase1IntegrityAlgorithmsRequestListValueProperty(value=each) for each in _SHA2
        ],
        phase1_dh_group_numbers=[
            of.Phase1DHGroupNumbersRequestListValueProperty(value=each) for each in _GROUPS
        ],
        phase2_encryption_algorithms=[of.Phase2EncryptionAlgorithmsRequestListValueProperty(value=ciphers)],
        phase2_integrity_algorithms=[
            of.Phase2IntegrityAlgorithmsRequestListValueProperty(value=each) for each in _SHA2
        ],
        phase2_dh_group_numbers=[
            of.Phase2DHGroupNumbersRequestListValueProperty(value=each) for each in _GROUPS
        ],
        dpd_timeout_action="restart",
        log_options=of.VpnTunnelLogOptionsSpecificationProperty(
            cloudwatch_log_options=of.CloudwatchLogOptionsSpecificationProperty(
                log_enabled=True, log_group_arn=log_arn, log_output_format="json"
            )
        ),
    )
