"""What filters and records a way out, and what carries a private link."""

from __future__ import annotations

from collections.abc import Iterator

from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome
from secure_ml_constructs.verification.rules.pack.vocabulary import HIJACK, INSIDER, SUPPLY_CHAIN, TRUE
from secure_ml_constructs.verification.rules.predicates import Equals, Items, absent_or
from secure_ml_constructs.verification.rules.requirements import At, Code, Every, values
from secure_ml_constructs.verification.rules.rule import ERROR, WARNING, Rule
from secure_ml_constructs.verification.templates import Reference

_FIREWALL = "AWS::NetworkFirewall::Firewall"
_POLICY = "AWS::NetworkFirewall::FirewallPolicy"
_VPN = "AWS::EC2::VPNConnection"
_TUNNELS = "VpnTunnelOptionsSpecifications"
_DROPS = ("aws:drop_strict", "aws:drop_established")


def _rest_dropped(context: Context) -> Iterator[Outcome]:
    path = "FirewallPolicy.StatefulDefaultActions"
    if not any(action in _DROPS for _, action in values(context, f"{path}[*]")):
        yield Fail(f"has neither {' nor '.join(_DROPS)}, so that what no rule names passes", path)


def _firewall_logged(context: Context) -> Iterator[Outcome]:
    logs = context.graph.named_by(
        context.resource, "AWS::NetworkFirewall::LoggingConfiguration", "FirewallArn"
    )
    if not logs:
        yield Fail("has no logging configuration")


def _names_logged(context: Context) -> Iterator[Outcome]:
    """A VPC with a NAT gateway has its resolver's queries logged."""
    graph = context.graph
    subnet = graph.get(context.resource, "SubnetId")
    if type(subnet) is not Reference:
        return
    vpc = graph.get(subnet.resource, "VpcId")
    if type(vpc) is not Reference:
        return
    kind = "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation"
    if not graph.named_by(vpc.resource, kind, "ResourceId"):
        yield Fail(f"leads out of {vpc.resource.logical_id}, in which no query for a name is logged")


RULES = (
    Rule(
        id="NetworkFirewallDropsTheRest",
        resource_type=_POLICY,
        requirement=Every(
            At("FirewallPolicy.StatefulEngineOptions.RuleOrder", Equals("STRICT_ORDER")),
            Code(_rest_dropped, "One of several actions is enough."),
        ),
        severity=ERROR,
        control="N7",
        threats=(INSIDER, SUPPLY_CHAIN),
        title="A firewall drops what no rule of it names",
        why="In the default order everything passes that no rule drops, and a list of domains is no limit.",
        fix="Set RuleOrder to STRICT_ORDER and add aws:drop_established to StatefulDefaultActions.",
    ),
    Rule(
        id="NetworkFirewallInspects",
        resource_type=_POLICY,
        requirement=Every(
            *(
                At(f"FirewallPolicy.{name}[*]", Equals("aws:forward_to_sfe", "aws:drop"))
                for name in ("StatelessDefaultActions", "StatelessFragmentDefaultActions")
            )
        ),
        severity=ERROR,
        control="N7",
        threats=(INSIDER, SUPPLY_CHAIN),
        title="A firewall passes nothing on before its rules have seen it",
        why="With aws:pass a packet, or every fragment of one, never meets the rules about domains.",
        fix="Set both stateless default actions to aws:forward_to_sfe.",
        standards=("NetworkFirewall.4", "NetworkFirewall.5"),
    ),
    Rule(
        id="NetworkFirewallFailsClosed",
        resource_type=_POLICY,
        requirement=At(
            "FirewallPolicy.StatefulEngineOptions.StreamExceptionPolicy", absent_or("DROP", "REJECT")
        ),
        severity=ERROR,
        control="N7",
        threats=(INSIDER,),
        title="A firewall drops a connection whose beginning it has not seen",
        why="With CONTINUE a connection that breaks midway goes on past rules that need its beginning.",
        fix="Set StreamExceptionPolicy to REJECT.",
    ),
    Rule(
        id="NetworkFirewallProtected",
        resource_type=_FIREWALL,
        requirement=Every(
            At("DeleteProtection", TRUE),
            At("SubnetChangeProtection", TRUE),
            At("FirewallPolicyChangeProtection", TRUE),
        ),
        severity=WARNING,
        control="N7",
        threats=(INSIDER,),
        title="A firewall, its subnets and its policy are not taken away by mistake",
        why="Without the firewall its routes lead nowhere, or somebody mends them past it.",
        fix="Set DeleteProtection, SubnetChangeProtection and FirewallPolicyChangeProtection to true.",
        standards=("NetworkFirewall.9", "NetworkFirewall.10"),
    ),
    Rule(
        id="NetworkFirewallLogged",
        resource_type=_FIREWALL,
        requirement=Code(_firewall_logged, "The logging configuration is another resource."),
        severity=ERROR,
        control="N7",
        threats=(INSIDER, HIJACK),
        title="What a firewall passes and drops is logged",
        why="An attempt that was dropped is the first that is seen of an intruder.",
        fix="Add an AWS::NetworkFirewall::LoggingConfiguration for the firewall.",
        standards=("NetworkFirewall.2",),
    ),
    Rule(
        id="NamesLoggedWhereNatLeadsOut",
        resource_type="AWS::EC2::NatGateway",
        requirement=Code(_names_logged, "The query log is another resource."),
        severity=WARNING,
        control="N7",
        threats=(INSIDER,),
        title="A VPC with a NAT gateway logs each name that is asked for",
        why="Names carry data to whoever answers for their domain, and no flow log shows them.",
        fix="Add an AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation for the VPC.",
    ),
    Rule(
        id="DnsFirewallProtected",
        resource_type="AWS::Route53Resolver::FirewallRuleGroupAssociation",
        requirement=At("MutationProtection", Equals("ENABLED")),
        severity=WARNING,
        control="N7",
        threats=(INSIDER,),
        title="The rules of a resolver are not taken from a VPC by mistake",
        why="Without them the resolver answers for every name, and each query can carry data out.",
        fix="Set MutationProtection to ENABLED.",
    ),
    Rule(
        id="VpnRoutesNamed",
        resource_type=_VPN,
        requirement=At("StaticRoutesOnly", TRUE),
        severity=WARNING,
        control="N10",
        threats=(INSIDER,),
        title="The routes of a VPN are named, not learned",
        why="What the other end announces is not in any template: it may draw everything to itself.",
        fix="Set StaticRoutesOnly to true, and name the ranges in AWS::EC2::VPNConnectionRoute.",
    ),
    Rule(
        id="VpnTunnelsStrong",
        resource_type=_VPN,
        requirement=Every(
            At(_TUNNELS, Items(2)),
            At(f"{_TUNNELS}[*].IKEVersions[*].Value", Equals("ikev2")),
            *(
                At(f"{_TUNNELS}[*].Phase{phase}EncryptionAlgorithms[*].Value", Equals("AES256-GCM-16"))
                for phase in (1, 2)
            ),
            *(
                At(
                    f"{_TUNNELS}[*].Phase{phase}IntegrityAlgorithms[*].Value",
                    Equals("SHA2-256", "SHA2-384", "SHA2-512"),
                )
                for phase in (1, 2)
            ),
        ),
        severity=ERROR,
        control="N10",
        threats=(INSIDER,),
        title="Both tunnels of a VPN take IKEv2 and AES-256 only",
        why="Where the options are left open, AWS agrees to IKEv1, AES-128 and SHA-1 as well.",
        fix=f"Set IKEVersions, the encryption and the integrity algorithms in both {_TUNNELS}.",
    ),
    Rule(
        id="VpnTunnelsLogged",
        resource_type=_VPN,
        requirement=Every(
            At(_TUNNELS, Items(2)),
            At(f"{_TUNNELS}[*].LogOptions.CloudwatchLogOptions.LogEnabled", TRUE),
        ),
        severity=WARNING,
        control="N10",
        threats=(INSIDER,),
        title="Both tunnels of a VPN are logged",
        why="Who tried to connect, and with what, is told nowhere else.",
        fix="Set LogEnabled in LogOptions.CloudwatchLogOptions of both tunnels.",
        standards=("EC2.171",),
    ),
)
