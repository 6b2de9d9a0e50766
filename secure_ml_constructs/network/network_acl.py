"""The network ACLs: of the isolated subnets, and of those that a way out passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from secure_ml_constructs._acknowledge import acknowledge

_ANYWHERE = "0.0.0.0/0"
_ALL = -1
_TCP = 6
# From 1024, since a function in the VPC takes any; without 3389, which is remote desktop before it is an
# answer. (Amazon VPC: Network ACLs, ephemeral ports; AWS Security Hub: EC2.21)
_EPHEMERAL = ((1024, 3388), (3390, 65535))
_SECOND_LINE = (
    "AWS Solutions wants security groups in place of NACLs. These stand behind security groups, not in their "
    "place: they hold whatever is put into the subnets to what the subnets are for."
)


@dataclass(frozen=True)
class _Entry:
    name: str
    number: int
    cidr: str
    egress: bool = False
    ports: tuple[int, int] | None = None

    @property
    def port_range(self) -> ec2.CfnNetworkAclEntry.PortRangeProperty | None:
        if self.ports is None:
            return None
        return ec2.CfnNetworkAclEntry.PortRangeProperty(from_=self.ports[0], to=self.ports[1])


class _Acl(Construct):
    """An ACL with its entries, on its subnets."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vpc_id: str,
        subnet_ids: Sequence[str],
        entries: Sequence[_Entry],
    ) -> None:
        super().__init__(scope, id)
        acl = ec2.CfnNetworkAcl(self, "Resource", vpc_id=vpc_id).ref
        for entry in entries:
            ec2.CfnNetworkAclEntry(
                self,
                entry.name,
                network_acl_id=acl,
                egress=entry.egress,
                rule_number=entry.number,
                rule_action="allow",
                protocol=_TCP if entry.ports else _ALL,
                cidr_block=entry.cidr,
                port_range=entry.port_range,
            )
        for index, subnet_id in enumerate(subnet_ids, start=1):
            ec2.CfnSubnetNetworkAclAssociation(
                self, f"Subnet{index}", network_acl_id=acl, subnet_id=subnet_id
            )
        acknowledge(self, "AwsSolutions::AwsSolutions-VPC3", _SECOND_LINE)


class IsolatedAcl(_Acl):
    """The ACL of the isolated subnets: the VPC's own range, and what was asked for beside it. (N5)

    A NACL can't name a prefix list or a domain, so that where a gateway endpoint or a firewalled way out is
    used 443 goes out to any address and answers come in from any. The route tables, which lead nowhere else,
    carry the guarantee.

    Args:
        scope: The parent construct.
        id: The construct's id.
        vpc_id: The VPC.
        cidr: The VPC's range.
        subnet_ids: The subnets it stands on.
        anywhere: True where S3 or DynamoDB is reached by a gateway endpoint, or domains through a firewall.
        linked: On-premises ranges, each with a port that is reached there.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vpc_id: str,
        cidr: str,
        subnet_ids: Sequence[str],
        anywhere: bool,
        linked: Sequence[tuple[str, int]] = (),
    ) -> None:
        entries = [
            _Entry("WithinIn", 100, cidr),
            _Entry("WithinOut", 100, cidr, egress=True),
        ]
        if anywhere:
            entries.append(_Entry("HttpsOut", 110, _ANYWHERE, egress=True, ports=(443, 443)))
            entries += _answers("AnswersIn", 110, _ANYWHERE)
        for index, (block, port) in enumerate(linked):
            entries.append(
                _Entry(f"LinkedOut{index + 1}", 120 + index, block, egress=True, ports=(port, port))
            )
        for index, block in enumerate(dict.fromkeys(block for block, _ in linked)):
            entries += _answers(f"Linked{index + 1}AnswersIn", 120 + 2 * index, block)
        super().__init__(scope, id, vpc_id=vpc_id, subnet_ids=subnet_ids, entries=entries)


class PassageAcl(_Acl):
    """The ACL of subnets that what leaves the VPC passes: firewalls' and NAT gateways'. (N5, N7)

    Args:
        scope: The parent construct.
        id: The construct's id.
        vpc_id: The VPC.
        cidr: The VPC's range.
        subnet_ids: The subnets it stands on.
    """

    def __init__(
        self, scope: Construct, id: str, *, vpc_id: str, cidr: str, subnet_ids: Sequence[str]
    ) -> None:
        entries = [
            _Entry("HttpsIn", 100, cidr, ports=(443, 443)),
            _Entry("HttpsOut", 100, _ANYWHERE, egress=True, ports=(443, 443)),
            *_answers("AnswersIn", 110, _ANYWHERE),
            *_answers("AnswersOut", 110, cidr, egress=True),
        ]
        super().__init__(scope, id, vpc_id=vpc_id, subnet_ids=subnet_ids, entries=entries)


def _answers(name: str, number: int, block: str, *, egress: bool = False) -> list[_Entry]:
    return [
        _Entry(f"{name}{index + 1}", number + index, block, egress=egress, ports=ports)
        for index, ports in enumerate(_EPHEMERAL)
    ]
