"""What filters and records a way out, and what carries a private link."""

from __future__ import annotations

from collections.abc import Iterator

from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome, Unknown
from secure_ml_constructs.verification.rules.pack.vocabulary import HIJACK, INSIDER, SUPPLY_CHAIN, TRUE
from secure_ml_constructs.verification.rules.predicates import Equals, Items, absent_or
from secure_ml_constructs.verification.rules.requirements import At, Code, Every, values
from secure_ml_constructs.verification.rules.rule import ERROR, WARNING, Rule
from secure_ml_constructs.verification.templates import Reference, Resource

_FIREWALL = "AWS::NetworkFirewall::Firewall"
_POLICY = "AWS::NetworkFirewall::FirewallPolicy"
_VPN = "AWS::EC2::VPNConnection"
_TUNNELS = "VpnTunnelOptionsSpecifications"
_DROPS = ("aws:drop_strict", "aws:drop_established")

# What tunnels agree on, each to be named: AWS takes everything where a list is left out. (AWS Site-to-Site
# VPN: Tunnel options)
_OPTIONS: dict[str, tuple[str | int, ...]] = {
    "IKEVersions": ("ikev2",),
    **{
        f"Phase{phase}{name}": values
        for phase in (1, 2)
        for name, values in (
            ("EncryptionAlgorithms", ("AES256-GCM-16",)),
            ("IntegrityAlgorithms", ("SHA2-256", "SHA2-384", "SHA2-512")),
            ("DHGroupNumbers", tuple(range(14, 25))),
        )
    },
}
_STRONG = tuple(
    requirement
    for name, values in _OPTIONS.items()
    for requirement in (
        At(f"{_TUNNELS}[*].{name}", Items(1)),
        At(f"{_TUNNELS}[*].{name}[*].Value", Equals(*values)),
    )
)


def _rest_dropped(context: Context) -> Iterator[Outcome]:
    path = "FirewallPolicy.StatefulDefaultActions"
    if not any(action in _DROPS for _, action in values(context, f"{path}[*]")):
        yield Fail(f"has neither {' nor '.join(_DROPS)}, so that what no rule names passes", path)


def _firewall_logged(context: Context) -> Iterator[Outcome]:
    graph = context.graph
    logs = graph.named_by(context.resource, "AWS::NetworkFirewall::LoggingConfiguration", "FirewallArn")
    kinds = {
        graph.at(log.template, item, ("LogType",))
        for log in logs
        for item in graph.items(log, "LoggingConfiguration", "LogDestinationConfigs")
    }
    missing = [kind for kind in ("ALERT", "FLOW") if kind not in kinds]
    if missing:
        yield Fail(f"has no log of type {' and '.join(missing)}")


def _vpc(context: Context) -> Resource | None:
    """The VPC of a NAT gateway, where the templates have it."""
    subnet = context.graph.get(context.resource, "SubnetId")
    vpc = context.graph.get(subnet.resource, "VpcId") if type(subnet) is Reference else None
    return vpc.resource if type(vpc) is Reference else None


def _names_logged(context: Context) -> Iterator[Outcome]:
    """A VPC with a NAT gateway has its resolver's queries logged."""
    vpc = _vpc(context)
    kind = "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation"
    if vpc and not context.graph.named_by(vpc, kind, "ResourceId"):
        yield Fail(f"leads out of {vpc.logical_id}, in which no query for a name is logged")


def _names_filtered(context: Context) -> Iterator[Outcome]:
    """A VPC with a NAT gateway has its resolver answer for a list of names, and for no other."""
    graph, vpc = context.graph, _vpc(context)
    if vpc is None:
        return
    unknown = ""
    for association in graph.named_by(vpc, "AWS::Route53Resolver::FirewallRuleGroupAssociation", "VpcId"):
        group = graph.get(association, "FirewallRuleGroupId")
        if type(group) is not Reference:
            unknown = f"The rules of {association.logical_id} are not in the templates."
            continue
        for item in graph.items(group.resource, "FirewallRules"):
            action, named = (
                graph.at(group.resource.template, item, (name,))
                for name in ("Action", "FirewallDomainListId")
            )
            if action != "BLOCK" or type(named) is not Reference:
                continue
            if "*" in graph.items(named.resource, "Domains"):
                return
    if unknown:
        yield Unknown(unknown, kind="network")
    else:
        yield Fail(f"leads out of {vpc.logical_id}, whose resolver answers for every name")


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
        id="NamesListedWhereNatLeadsOut",
        resource_type="AWS::EC2::NatGateway",
        requirement=Code(_names_filtered, "The resolver's rules are other resources."),
        severity=WARNING,
        control="N7",
        threats=(INSIDER, SUPPLY_CHAIN),
        title="A VPC with a NAT gateway has names answered by a list",
        why="A query for a name of somebody's domain carries data to them, past every firewall.",
        fix="Associate a rule group of DNS Firewall with the VPC that blocks * after the domains it allows.",
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
        requirement=Every(At(_TUNNELS, Items(2)), *_STRONG),
        severity=ERROR,
        control="N10",
        threats=(INSIDER,),
        title="Both tunnels of a VPN take IKEv2 and AES-256 only",
        why="Where one is left open, AWS agrees to IKEv1, AES-128, SHA-1 or a 1024-bit group as well.",
        fix=f"Set {', '.join(_OPTIONS)} in both {_TUNNELS}.",
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
