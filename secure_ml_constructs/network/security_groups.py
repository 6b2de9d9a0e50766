"""Security groups by reference: who may talk to what, and no address but those that were asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from secure_ml_constructs._acknowledge import acknowledge, standard_packs

ANYWHERE = "0.0.0.0/0"
# What members of a job's group say to one another: the traffic encryption's key exchange and payload, MPI's
# secure shell, and the frameworks' ports, which they choose freely. (Amazon SageMaker AI: Protect
# Communications Between ML Compute Instances in a Distributed Training Job; Give SageMaker AI Training Jobs
# Access to Resources in Your Amazon VPC)
_AMONG_JOBS = (
    ("IkeAmongJobs", "udp", 500, 500, "Key exchange of encrypted training"),
    ("EspAmongJobs", "50", None, None, "Encrypted training traffic"),
    ("MpiAmongJobs", "tcp", 22, 22, "MPI launch"),
    ("FrameworksAmongJobs", "tcp", 1024, 65535, "Distributed training frameworks"),
)
# Elastic Fabric Adapter: "all inbound and outbound traffic to and from the security group itself".
_AMONG_EFA = (("AllAmongJobs", "-1", None, None, "Elastic Fabric Adapter"),)

_BY_NAME = (
    "Domains can't be named in a group. What goes to port 443 of any address has the firewall's endpoint as "
    "its only route, and that lets the named domains through; the proofs follow every way out and back."
)
_FABRIC = (
    "Elastic Fabric Adapter asks for all traffic among the members of a group (Amazon EC2: Get started with "
    "EFA). The rule is about open addresses; this one's source is the group itself."
)


class EndpointGroup(Construct):
    """The group of the interface endpoints: 443 in from the groups that are named, nothing out. (N4)

    Args:
        scope: The parent construct.
        id: The construct's id.
        vpc_id: The VPC.

    Attributes:
        group_id: The group's id.
        resource: The group itself.
    """

    def __init__(self, scope: Construct, id: str, *, vpc_id: str) -> None:
        super().__init__(scope, id)
        group = ec2.CfnSecurityGroup(
            self,
            "Group",
            group_description="Interface endpoints",
            vpc_id=vpc_id,
            # Without any rule EC2 would put in its own, which lets everything out. (AWS CloudFormation:
            # AWS::EC2::SecurityGroup, "Remove the default outbound rule")
            security_group_egress=[
                ec2.CfnSecurityGroup.EgressProperty(
                    ip_protocol="-1", cidr_ip="127.0.0.1/32", description="Nothing out"
                )
            ],
        )
        self.resource = group
        self.group_id = group.attr_group_id


class ClientGroup(Construct):
    """The group of workloads: 443 out to the endpoints and to the gateway services' addresses. (N4)

    Args:
        scope: The parent construct.
        id: The construct's id.
        vpc_id: The VPC.
        description: What is in the group.
        endpoint_group_id: The interface endpoints' group; it gets a rule that lets this one in.
        prefix_lists: The managed prefix list of each gateway service.
        jobs: True where members talk with one another, as encrypted distributed training does.
        efa: True where they do so by Elastic Fabric Adapter, which needs everything open among them.
        admit: False where the endpoints' group is not ours to change.
        beyond: What else is reached, as ranges with a port: anywhere by a firewalled way out, or on-premises.

    Attributes:
        group_id: The group's id.
        resource: The group itself.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vpc_id: str,
        description: str,
        endpoint_group_id: str,
        prefix_lists: Mapping[str, str],
        jobs: bool = False,
        efa: bool = False,
        admit: bool = True,
        beyond: Sequence[tuple[str, int]] = (),
    ) -> None:
        super().__init__(scope, id)
        egress = ec2.CfnSecurityGroup.EgressProperty
        group = ec2.CfnSecurityGroup(
            self,
            "Group",
            group_description=description,
            vpc_id=vpc_id,
            # Inline, so that at no moment EC2's own rule stands in their place.
            security_group_egress=[
                egress(
                    ip_protocol="tcp",
                    from_port=443,
                    to_port=443,
                    destination_security_group_id=endpoint_group_id,
                    description="Interface endpoints",
                ),
                *(
                    egress(
                        ip_protocol="tcp",
                        from_port=443,
                        to_port=443,
                        destination_prefix_list_id=prefix_list,
                        description=f"Gateway endpoint of {service}",
                    )
                    for service, prefix_list in prefix_lists.items()
                ),
                *(
                    egress(
                        ip_protocol="tcp",
                        from_port=port,
                        to_port=port,
                        cidr_ip=block,
                        description="Named domains, by the firewall" if block == ANYWHERE else "On-premises",
                    )
                    for block, port in beyond
                ),
            ],
        )
        if any(block == ANYWHERE for block, _ in beyond):
            acknowledge(group, "SecureMl::SecurityGroupEgressNamed", _BY_NAME)
        self.resource = group
        self.group_id = group.attr_group_id
        if admit:
            # Apart from its group, since the two groups name one another.
            ec2.CfnSecurityGroupIngress(
                self,
                "ToEndpoints",
                group_id=endpoint_group_id,
                source_security_group_id=self.group_id,
                ip_protocol="tcp",
                from_port=443,
                to_port=443,
                description=description,
            )
        # A group can't name itself before it is there.
        for name, protocol, first, last, purpose in _AMONG_EFA if efa else _AMONG_JOBS if jobs else ():
            for kind, peer in (
                (ec2.CfnSecurityGroupIngress, "source_security_group_id"),
                (ec2.CfnSecurityGroupEgress, "destination_security_group_id"),
            ):
                direction = "In" if kind is ec2.CfnSecurityGroupIngress else "Out"
                rule = kind(
                    self,
                    f"{name}{direction}",
                    group_id=self.group_id,
                    ip_protocol=protocol,
                    from_port=first,
                    to_port=last,
                    description=purpose,
                    **{peer: self.group_id},
                )
                if efa and direction == "In":
                    acknowledge(rule, standard_packs("EC2RestrictedCommonPorts"), _FABRIC)
