"""Egress.firewalled: the way out and back, what passes it, and what is refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from ipaddress import IPv4Network
from typing import Any

import aws_cdk as cdk
import pytest

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.key_uses import KeyClass
from secure_ml_constructs.keys import EnvironmentKeys
from secure_ml_constructs.network import (
    AddressPlan,
    Egress,
    EncryptionControl,
    Endpoints,
    InternetGatewayBlock,
    SecureVpc,
    VpcGuards,
)
from secure_ml_constructs.network.settings import source
from secure_ml_constructs.verification.proofs.network import Network, Path, Unreachable
from secure_ml_constructs.verification.proofs.questions import Answer, Verdict
from secure_ml_constructs.verification.proofs.questions.ways_out import network_answers
from secure_ml_constructs.verification.templates import Templates
from tests.support.compliance import findings
from tests.support.decisions import Request, Simulator
from tests.support.templates import ACCOUNT, REGION, Resource, Template, World, new_app, synth
from tests.unit.network import environments
from tests.unit.network.acls import passes
from tests.unit.network.environments import DOMAINS, PERIMETER, secure, template_of

FIREWALLED = Egress.firewalled(domains=DOMAINS)


@pytest.fixture(scope="session")
def world() -> World:
    return environments.firewalled()


def routes(world: World) -> dict[tuple[str, str], dict[str, Any]]:
    """Routes by the name of their table and where they go; what they lead to as the template has it."""
    made = [
        resource["Properties"]
        for resource in world.templates["Network"]["Resources"].values()
        if resource["Type"] == "AWS::EC2::Route"
    ]
    return {(route["RouteTableId"]["Ref"][:-8], route["DestinationCidrBlock"]): route for route in made}


def subnet(world: World, name: str) -> Any:
    return world.one("AWS::EC2::Subnet", name).properties


# -- Out and back ------------------------------------------------------------------------------------------


def test_nothing_is_made_unless_asked_for() -> None:
    assert synthesized(egress=Egress.none()) == environments.default().templates["Network"]


@pytest.mark.parametrize("number", [1, 2])
def test_each_zone_has_its_own_way_out_and_back(world: World, number: int) -> None:
    found = routes(world)
    isolated = subnet(world, f"IsolatedSubnet{number}")
    zones = {
        subnet(world, f"{name}{number}")["AvailabilityZone"]
        for name in ("VpcIsolatedSubnet", "EgressFirewallSubnet", "EgressPublicSubnet")
    }
    assert len(zones) == 1
    firewall = world.one("AWS::NetworkFirewall::Firewall", f"Firewall{number}")
    # One subnet a firewall: the place in a list of one is no question.
    (mapping,) = firewall.properties["SubnetMappings"]
    assert mapping["SubnetId"] == world.ref(world.one("AWS::EC2::Subnet", f"FirewallSubnet{number}"))
    endpoint = {
        "Fn::Select": [
            1,
            {
                "Fn::Split": [
                    ":",
                    {"Fn::Select": [0, {"Fn::GetAtt": [firewall.logical_id, "EndpointIds"]}]},
                ]
            },
        ]
    }
    out = found[f"VpcRouteTable{number}", "0.0.0.0/0"]
    back = found[f"VpcEgressPublicSubnet{number}Table", isolated["CidrBlock"]]
    assert out["VpcEndpointId"] == endpoint
    assert back["VpcEndpointId"] == endpoint
    nat = world.one("AWS::EC2::NatGateway", f"Nat{number}")
    inner = found[f"VpcEgressFirewallSubnet{number}Table", "0.0.0.0/0"]
    assert inner["NatGatewayId"] == {"Ref": nat.logical_id}
    assert nat.properties["SubnetId"] == world.ref(world.one("AWS::EC2::Subnet", f"PublicSubnet{number}"))
    outer = found[f"VpcEgressPublicSubnet{number}Table", "0.0.0.0/0"]
    assert outer["GatewayId"] == {"Ref": world.one("AWS::EC2::InternetGateway").logical_id}


def test_there_is_no_other_route(world: World) -> None:
    assert len(routes(world)) == 4 * 2
    assert not any(s.properties["MapPublicIpOnLaunch"] for s in world.resources("AWS::EC2::Subnet"))


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"cidr": "10.0.0.0/24"},
        {"availability_zones": 3},
        {"availability_zones": 3, "cidr": "10.0.0.0/23"},
        {"cidr": AddressPlan(cidr="10.0.0.0/20", subnets=("10.0.0.0/22", "10.0.4.0/22"))},
        {"cidr": AddressPlan(cidr="10.0.0.0/24", subnets=("10.0.0.192/26", "10.0.0.0/26"))},
    ],
)
def test_no_two_subnets_overlap(arguments: dict[str, Any]) -> None:
    world = World({"Network": synthesized(egress=FIREWALLED, **arguments)})
    made = [IPv4Network(s.properties["CidrBlock"]) for s in world.resources("AWS::EC2::Subnet")]
    vpc = IPv4Network(world.one("AWS::EC2::VPC").properties["CidrBlock"])
    assert len(made) == 3 * arguments.get("availability_zones", 2)
    assert all(block.subnet_of(vpc) for block in made)
    assert not [(a, b) for a in made for b in made if a is not b and a.overlaps(b)]


def test_a_third_zone_moves_no_subnet_of_the_first_two() -> None:
    two = World({"Network": synthesized(egress=FIREWALLED)})
    three = World({"Network": synthesized(egress=FIREWALLED, availability_zones=3)})
    for name in ("IsolatedSubnet", "FirewallSubnet", "PublicSubnet"):
        for number in (1, 2):
            of = f"{name}{number}"
            assert subnet(two, of)["CidrBlock"] == subnet(three, of)["CidrBlock"]


# -- What the proofs say -----------------------------------------------------------------------------------


def answers(template: Template) -> dict[str, Answer]:
    network = Network.of(Templates.of({"Network": template}))
    return {answer.deed: answer for answer in network_answers(network, lambda _: "Vpc")}


def test_out_and_back_by_the_firewalls_is_by_design(world: World) -> None:
    found = answers(world.templates["Network"])
    internet = found["reach the internet"]
    assert internet.verdict is Verdict.BY_DESIGN
    assert internet.control == "N7"
    assert "every way passes a firewall: VpcEgressFirewallFirewall1" in internet.because
    assert found["reach another network"].verdict is Verdict.PROVED
    assert found["reach in from the internet"].verdict is Verdict.PROVED


def test_every_workload_gets_out_and_no_endpoint_does(world: World) -> None:
    network = Network.of(Templates.of(world.templates))
    for interface in network.interfaces:
        (group,) = interface.groups
        expected = Path if "JobGroup" in group.name or "WorkloadGroup" in group.name else Unreachable
        assert isinstance(network.internet(interface), expected), group.name
        assert isinstance(network.past_firewalls(interface), Unreachable)


def of(resources: dict[str, Any], name: str) -> str:
    (found,) = [logical for logical in resources if logical[:-8] == f"VpcEgress{name}"]
    return found


def other_zone(resources: dict[str, Any]) -> None:
    out = resources[of(resources, "ToFirewall1")]["Properties"]
    out["VpcEndpointId"] = resources[of(resources, "ToFirewall2")]["Properties"]["VpcEndpointId"]


def both_by_the_other_zone(resources: dict[str, Any]) -> None:
    other_zone(resources)
    back = resources[of(resources, "Back1")]["Properties"]
    back["VpcEndpointId"] = resources[of(resources, "ToFirewall2")]["Properties"]["VpcEndpointId"]


def no_return(resources: dict[str, Any]) -> None:
    del resources[of(resources, "Back1")]


def half_of_the_return(resources: dict[str, Any]) -> None:
    back = resources[of(resources, "Back1")]["Properties"]
    back["DestinationCidrBlock"] = back["DestinationCidrBlock"].replace("/18", "/19")


def return_by_the_other_zone(resources: dict[str, Any]) -> None:
    back = resources[of(resources, "Back1")]["Properties"]
    back["VpcEndpointId"] = resources[of(resources, "Back2")]["Properties"]["VpcEndpointId"]


def past_the_firewall(resources: dict[str, Any]) -> None:
    out = resources[of(resources, "ToFirewall1")]["Properties"]
    del out["VpcEndpointId"]
    out["NatGatewayId"] = {"Ref": of(resources, "Nat1")}


def a_narrow_route_past_it(resources: dict[str, Any]) -> None:
    table = resources[of(resources, "ToFirewall1")]["Properties"]["RouteTableId"]
    target = {"RouteTableId": table, "DestinationCidrBlock": "8.8.8.0/24"}
    target["NatGatewayId"] = {"Ref": of(resources, "Nat1")}
    resources["Stray"] = {"Type": "AWS::EC2::Route", "Properties": target}


def two_subnets_for_one_firewall(resources: dict[str, Any]) -> None:
    firewall = resources[of(resources, "FirewallFirewall1")]["Properties"]
    firewall["SubnetMappings"].append({"SubnetId": {"Ref": of(resources, "FirewallSubnet2")}})


@pytest.mark.parametrize(
    "change",
    [
        other_zone,
        both_by_the_other_zone,
        no_return,
        half_of_the_return,
        return_by_the_other_zone,
        past_the_firewall,
        a_narrow_route_past_it,
        two_subnets_for_one_firewall,
    ],
)
def test_a_mutated_route_is_broken(world: World, change: Callable[[dict[str, Any]], None]) -> None:
    template = copy.deepcopy(world.templates["Network"])
    change(template["Resources"])
    answer = answers(template)["reach the internet"]
    assert answer.verdict is Verdict.BROKEN, answer.because
    assert answer.path


# -- The firewall ------------------------------------------------------------------------------------------


def test_the_firewall_lets_tls_to_named_domains_through_and_drops_the_rest(world: World) -> None:
    group = world.one("AWS::NetworkFirewall::RuleGroup").properties
    listed = group["RuleGroup"]["RulesSource"]["RulesSourceList"]
    assert listed == {
        "GeneratedRulesType": "ALLOWLIST",
        "TargetTypes": ["TLS_SNI"],
        "Targets": ["pypi.org", ".pythonhosted.org"],
    }
    policy = world.one("AWS::NetworkFirewall::FirewallPolicy").properties["FirewallPolicy"]
    assert policy["StatefulDefaultActions"] == ["aws:drop_established", "aws:alert_established"]
    assert policy["StatelessDefaultActions"] == ["aws:forward_to_sfe"]
    assert policy["StatelessFragmentDefaultActions"] == ["aws:forward_to_sfe"]
    orders = {
        policy["StatefulEngineOptions"]["RuleOrder"],
        group["RuleGroup"]["StatefulRuleOptions"]["RuleOrder"],
    }
    assert orders == {"STRICT_ORDER"}
    assert policy["StatefulEngineOptions"]["StreamExceptionPolicy"] == "REJECT"
    (reference,) = policy["StatefulRuleGroupReferences"]
    assert reference["ResourceArn"] == world.ref(world.one("AWS::NetworkFirewall::RuleGroup"))


def test_the_firewall_knows_whom_it_protects(world: World) -> None:
    inside = sorted(subnet(world, f"IsolatedSubnet{n}")["CidrBlock"] for n in (1, 2))
    group = world.one("AWS::NetworkFirewall::RuleGroup").properties["RuleGroup"]
    policy = world.one("AWS::NetworkFirewall::FirewallPolicy").properties["FirewallPolicy"]
    assert sorted(group["RuleVariables"]["IPSets"]["HOME_NET"]["Definition"]) == inside
    assert sorted(policy["PolicyVariables"]["RuleVariables"]["HOME_NET"]["Definition"]) == inside


def test_firewalls_share_one_policy_and_nobody_takes_them_away_by_mistake(world: World) -> None:
    firewalls = [f.properties for f in world.resources("AWS::NetworkFirewall::Firewall")]
    assert len(firewalls) == 2
    assert len({f["FirewallName"] for f in firewalls}) == 2
    assert {f["FirewallPolicyArn"] for f in firewalls} == {
        world.ref(world.one("AWS::NetworkFirewall::FirewallPolicy"))
    }
    for firewall in firewalls:
        assert firewall["DeleteProtection"]
        assert firewall["SubnetChangeProtection"]
        assert firewall["FirewallPolicyChangeProtection"]


def test_two_networks_in_one_account_have_firewalls_of_different_names() -> None:
    app = new_app()
    secure(app, egress=FIREWALLED)
    stack = cdk.Stack(app, "Other")
    SecureVpc(stack, "Vpc", perimeter=PERIMETER, logs_key=environments.key(stack), egress=FIREWALLED)
    found = [
        f.properties["FirewallName"] for f in World(synth(app)).resources("AWS::NetworkFirewall::Firewall")
    ]
    assert len(set(found)) == len(found) == 4


def test_flows_and_alerts_of_every_firewall_are_logged(world: World) -> None:
    group = world.ref(world.one("AWS::Logs::LogGroup", "EgressFirewall"))
    logged = list(world.resources("AWS::NetworkFirewall::LoggingConfiguration"))
    assert {log.properties["FirewallArn"] for log in logged} == {
        world.ref(firewall) for firewall in world.resources("AWS::NetworkFirewall::Firewall")
    }
    for log in logged:
        destinations = log.properties["LoggingConfiguration"]["LogDestinationConfigs"]
        assert {d["LogType"] for d in destinations} == {"ALERT", "FLOW"}
        assert all(d["LogDestination"] == {"logGroup": group} for d in destinations)


# -- Names -------------------------------------------------------------------------------------------------


def resolves(world: World, name: str) -> bool:
    """What the resolver's firewall does with a query: its rules in order, no match lets it through."""
    lists = {
        world.ref(found): found.properties["Domains"]
        for found in world.resources("AWS::Route53Resolver::FirewallDomainList")
    }
    rules = world.one("AWS::Route53Resolver::FirewallRuleGroup").properties["FirewallRules"]
    for rule in sorted(rules, key=lambda rule: int(rule["Priority"])):
        for domain in lists[rule["FirewallDomainListId"]]:
            if name == domain or domain == "*" or (domain[0] == "*" and name.endswith(domain[1:])):
                return bool(rule["Action"] == "ALLOW")
    return True


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pypi.org", True),
        ("files.pythonhosted.org", True),
        (f"api.sagemaker.{REGION}.amazonaws.com", True),
        (f"data.s3.{REGION}.amazonaws.com", True),
        ("data.s3.amazonaws.com", True),
        (f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com", True),
        (f"vpce-0a1b-x.sts.{REGION}.vpce.amazonaws.com", True),
        (f"d-abc.studio.{REGION}.sagemaker.aws", True),
        (f"ip-10-0-0-1.{REGION}.compute.internal", True),
        ("c2VjcmV0.attacker.example", False),
        ("evil-pypi.org", False),
        ("pypi.org.attacker.example", False),
        ("other.pypi.org", False),
        ("data.s3.us-west-2.amazonaws.com", False),
        ("attacker.us-west-2.elb.amazonaws.com", False),
    ],
)
def test_the_resolver_answers_for_what_is_named_and_for_aws(world: World, name: str, expected: bool) -> None:
    assert resolves(world, name) is expected


def test_names_in_china() -> None:
    world = World(environments.firewalled().templates, region="cn-north-1", partition="aws-cn")
    assert resolves(world, "api.sagemaker.cn-north-1.amazonaws.com.cn")
    assert resolves(world, "d-abc.studio.cn-north-1.sagemaker.com.cn")


def test_an_alias_of_a_named_domain_is_followed(world: World) -> None:
    rules = world.one("AWS::Route53Resolver::FirewallRuleGroup").properties["FirewallRules"]
    (allowed,) = [rule for rule in rules if rule["Action"] == "ALLOW"]
    assert allowed["FirewallDomainRedirectionAction"] == "TRUST_REDIRECTION_DOMAIN"


def test_names_are_answered_for_aws_alone_where_nothing_leads_out() -> None:
    closed = World({"Network": synthesized(guards=VpcGuards(dns_firewall=True))})
    assert resolves(closed, f"api.sagemaker.{REGION}.amazonaws.com")
    assert not resolves(closed, "pypi.org")
    kinds = {resource.type for resource in closed.resources()}
    assert not kinds & {"AWS::EC2::Route", "AWS::EC2::NatGateway", "AWS::NetworkFirewall::Firewall"}


def test_a_way_out_changes_the_resolver_s_list_and_makes_no_second_one(world: World) -> None:
    closed = World({"Network": synthesized(guards=VpcGuards(dns_firewall=True))})
    for kind in ("FirewallDomainList", "FirewallRuleGroup", "FirewallRuleGroupAssociation"):
        before, after = (
            {
                name
                for name, r in w.templates["Network"]["Resources"].items()
                if r["Type"].endswith(f"::{kind}")
            }
            for w in (closed, world)
        )
        assert before == after


def test_the_rules_stand_on_the_vpc_and_every_query_is_logged(world: World) -> None:
    vpc = world.ref(world.one("AWS::EC2::VPC"))
    link = world.one("AWS::Route53Resolver::FirewallRuleGroupAssociation").properties
    assert link["VpcId"] == vpc
    assert 100 < link["Priority"] < 9900
    assert link["MutationProtection"] == "ENABLED"
    logged = world.one("AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation").properties
    config = world.one("AWS::Route53Resolver::ResolverQueryLoggingConfig")
    assert logged == {"ResolverQueryLogConfigId": world.ref(config), "ResourceId": vpc}
    group = world.one("AWS::Logs::LogGroup", "VpcNames")
    assert config.properties["DestinationArn"] == world.arn(group)


# -- Logs --------------------------------------------------------------------------------------------------


def delivered(world: World) -> list[Resource]:
    groups = world.resources("AWS::Logs::LogGroup")
    return [group for group in groups if "ResourcePolicyDocument" in group.properties]


def test_the_logs_are_encrypted_and_kept(world: World) -> None:
    assert len(delivered(world)) == 2
    for group in delivered(world):
        assert group.properties["KmsKeyId"] == environments.KEY_ARN
        assert group.properties["RetentionInDays"] == 365
        assert group.properties["DeletionProtectionEnabled"]
        assert group.raw["DeletionPolicy"] == "Retain"


@pytest.mark.decision
@pytest.mark.parametrize(
    ("action", "account", "expected"),
    [
        ("logs:PutLogEvents", ACCOUNT, True),
        ("logs:CreateLogStream", ACCOUNT, True),
        ("logs:PutLogEvents", "999988887777", False),
        ("logs:DeleteLogStream", ACCOUNT, False),
    ],
)
def test_log_delivery_writes_for_our_account_only(
    world: World, simulator: Simulator, action: str, account: str, expected: bool
) -> None:
    for group in delivered(world):
        request = Request(
            principal="delivery.logs.amazonaws.com",
            action=action,
            resource=world.arn(group).removesuffix("*") + "log-stream:1",
            context={
                "aws:SourceAccount": account,
                "aws:SourceArn": f"arn:aws:logs:{REGION}:{account}:delivery-source:1",
            },
        )
        policy = group.properties["ResourcePolicyDocument"]
        assert simulator.decide(request, resource_policy=policy).allowed is expected


@pytest.mark.decision
def test_the_log_groups_may_use_the_logs_key(simulator: Simulator) -> None:
    app = new_app()
    keys_stack, stack = cdk.Stack(app, "Keys"), cdk.Stack(app, "Network")
    keys = EnvironmentKeys(keys_stack, "Keys", perimeter=PERIMETER)
    SecureVpc(stack, "Vpc", perimeter=PERIMETER, logs_key=keys.logs, egress=FIREWALLED)
    world = World(synth(app))
    key = world.one("AWS::KMS::Key", KeyClass.LOGS.capitalize())
    for group in delivered(world):
        request = Request(
            principal=f"logs.{REGION}.amazonaws.com",
            action="kms:GenerateDataKey",
            resource=world.arn(key),
            context={"kms:EncryptionContext:aws:logs:arn": world.arn(group).removesuffix(":*")},
        )
        assert simulator.decide(request, resource_policy=key.properties["KeyPolicy"]).allowed


# -- Groups and ACLs ---------------------------------------------------------------------------------------


def test_only_with_a_way_out_do_groups_name_the_world(world: World) -> None:
    for name in ("WorkloadGroup", "JobGroup"):
        egress = world.one("AWS::EC2::SecurityGroup", name).properties["SecurityGroupEgress"]
        (wide,) = [rule for rule in egress if "CidrIp" in rule]
        assert (wide["CidrIp"], wide["FromPort"], wide["ToPort"]) == ("0.0.0.0/0", 443, 443)
        before = environments.default().one("AWS::EC2::SecurityGroup", name).properties
        assert not [rule for rule in before["SecurityGroupEgress"] if "CidrIp" in rule]
    endpoint = world.one("AWS::EC2::SecurityGroup", "EndpointGroup").properties["SecurityGroupEgress"]
    assert [rule["CidrIp"] for rule in endpoint] == ["127.0.0.1/32"]


def test_a_team_s_jobs_get_out_as_well() -> None:
    app = new_app()
    secure(app, egress=FIREWALLED).add_job_group("Radiology")
    group = World(synth(app)).one("AWS::EC2::SecurityGroup", "Radiology").properties
    assert "0.0.0.0/0" in [rule.get("CidrIp") for rule in group["SecurityGroupEgress"]]


JOB, HOST = "10.0.0.10", "151.101.0.223"


@pytest.mark.parametrize(
    ("acl", "egress", "address", "port"),
    [
        ("Acl", True, HOST, 443),  # Out of the subnet,
        ("EgressAcl", False, JOB, 443),  # into the firewall's,
        ("EgressAcl", True, HOST, 443),  # out of it, into the NAT gateway's, and out of that.
        ("EgressAcl", False, HOST, 1024),  # The answer to the NAT gateway,
        ("EgressAcl", False, HOST, 65535),
        ("EgressAcl", True, JOB, 40000),  # out of its subnet, into the firewall's and out,
        ("Acl", False, HOST, 40000),  # and home.
    ],
)
def test_acls_let_a_connection_through_step_by_step(acl: str, egress: bool, address: str, port: int) -> None:
    # Also where no gateway endpoint has opened the way already.
    endpoints = Endpoints(interface_s3=True, without=("dynamodb",))
    closed = World({"Network": synthesized(egress=FIREWALLED, endpoints=endpoints)})
    for world in (environments.firewalled(), closed):
        assert passes(world, acl=acl, egress=egress, address=address, protocol=6, port=port)


@pytest.mark.parametrize(
    ("egress", "address", "protocol", "port"),
    [
        (True, HOST, 6, 80),
        (True, HOST, 17, 443),
        (True, "8.8.8.8", 17, 53),
        (False, HOST, 6, 443),
        (False, HOST, 6, 22),
        (False, HOST, 6, 3389),
        (False, HOST, 17, 40000),
        (False, JOB, 6, 22),
        (True, JOB, 6, 22),
    ],
)
def test_acls_let_nothing_else_through(egress: bool, address: str, protocol: int, port: int) -> None:
    world = environments.firewalled()
    assert not passes(world, acl="EgressAcl", egress=egress, address=address, protocol=protocol, port=port)


def test_every_subnet_has_an_acl(world: World) -> None:
    held = [link.properties["SubnetId"] for link in world.resources("AWS::EC2::SubnetNetworkAclAssociation")]
    assert sorted(held) == sorted(world.ref(subnet) for subnet in world.resources("AWS::EC2::Subnet"))


# -- Guards ------------------------------------------------------------------------------------------------


def test_enforced_encryption_leaves_the_way_out() -> None:
    guards = VpcGuards(
        block_public_access=InternetGatewayBlock.INGRESS, encryption_control=EncryptionControl.ENFORCE
    )
    world = World({"Network": synthesized(egress=FIREWALLED, guards=guards)})
    control = world.one("AWS::EC2::VPCEncryptionControl").properties
    assert control["InternetGatewayExclusionInput"] == control["NatGatewayExclusionInput"] == "enable"
    assert answers(world.templates["Network"])["reach the internet"].verdict is Verdict.BY_DESIGN


# -- The same again ----------------------------------------------------------------------------------------


def test_what_others_read() -> None:
    app = new_app()
    vpc = secure(app, egress=FIREWALLED)
    assert vpc.firewalled_egress is not None
    assert vpc.dns_firewall is not None
    assert vpc.dns_firewall.log_group_name
    assert len(vpc.firewalled_egress.public_addresses) == 2
    assert len(vpc.firewalled_egress.firewall.firewall_arns) == 2
    without = secure(new_app())
    assert without.firewalled_egress is None
    assert without.dns_firewall is None


def test_stateful_resources_keep_their_ids(world: World) -> None:
    resources = world.templates["Network"]["Resources"].items()
    retained = {name for name, resource in resources if resource.get("DeletionPolicy") == "Retain"}
    assert retained == {
        "VpcFlowLogLogGroup41244194",
        "VpcSettingsLog4F4630AE",
        "VpcEgressFirewallLogLogGroup0464897B",
        "VpcNamesLogLogGroup1C0DB7A4",
    }
    firewall = world.one("AWS::NetworkFirewall::Firewall", "Firewall1")
    assert firewall.logical_id == "VpcEgressFirewallFirewall13DD52E3C"


def test_same_input_same_bytes(world: World) -> None:
    assert json.dumps(synthesized(egress=FIREWALLED)) == json.dumps(world.templates["Network"])


def test_no_partition_is_written_down(world: World) -> None:
    assert "arn:aws" not in json.dumps(world.templates).replace(environments.KEY_ARN, "")


def test_snapshot(world: World, snapshot_template: Callable[[dict[str, Any]], None]) -> None:
    text = json.dumps(world.templates["Network"]).replace(json.dumps(source()), '"<code>"')
    snapshot_template(json.loads(text))


@pytest.mark.parametrize("arguments", [{}, {"availability_zones": 3, "region": "eu-central-1"}])
def test_compliance(arguments: dict[str, Any]) -> None:
    def build(app: cdk.App) -> None:
        secure(app, egress=FIREWALLED, **arguments).add_job_group("TeamA")

    assert not [str(finding) for finding in findings(build)]


# -- Bad input ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "domain", ["pypi.org", "*.pythonhosted.org", "xn--bcher-kva.example", "a_b.example.org", "1.example.org"]
)
def test_taken(domain: str) -> None:
    assert Egress.firewalled(domains=[domain]).domains == (domain,)


@pytest.mark.parametrize(
    ("domains", "argument", "reason"),
    [
        ([], "domains", "There is none"),
        ("pypi.org", "domains", "One string"),
        ([f"host{n}.example.org" for n in range(501)], "domains", "501 domains"),
        (["https://pypi.org"], "domains[0]", "scheme"),
        (["pypi.org/simple"], "domains[0]", "port or path"),
        (["pypi.org:443"], "domains[0]", "port or path"),
        (["files.*.org"], "domains[0]", "first label as a whole"),
        (["*pythonhosted.org"], "domains[0]", "first label as a whole"),
        (["*.*.org"], "domains[0]", "first label as a whole"),
        (["*"], "domains[0]", "no domain name"),
        (["10.0.0.1"], "domains[0]", "IP address"),
        (["org"], "domains[0]", "top-level"),
        (["*.org"], "domains[0]", "top-level"),
        (["PyPI.org"], "domains[0]", "lower-case"),
        (["bücher.example"], "domains[0]", "lower-case"),
        (["pypi..org"], "domains[0]", "no domain name"),
        (["pypi.org."], "domains[0]", "no domain name"),
        ([".pypi.org"], "domains[0]", "no domain name"),
        (["-pypi.org"], "domains[0]", "no domain name"),
        ([" pypi.org"], "domains[0]", "no domain name"),
        ([""], "domains[0]", "no domain name"),
        ([f"{'a' * 64}.org"], "domains[0]", "no domain name"),
        (["pypi.org", "pypi.org"], "domains[1]", "twice"),
        (["s3.us-west-2.amazonaws.com"], "domains[0]", "AWS's own"),
        (["*.amazonaws.com"], "domains[0]", "AWS's own"),
        (["*.com.cn"], "domains[0]", "AWS's own"),
    ],
)
def test_refused_domains(domains: Any, argument: str, reason: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Egress.firewalled(domains=domains)
    (problem,) = caught.value.problems
    assert problem.argument == argument
    assert reason in problem.reason


def test_every_domain_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Egress.firewalled(domains=["https://a.example", "b.example", "c.*.example"])
    assert [problem.argument for problem in caught.value.problems] == ["domains[0]", "domains[2]"]


def test_a_domain_that_is_known_later_is_taken() -> None:
    token = cdk.Fn.ref("Mirror")
    assert Egress.firewalled(domains=[token]).domains == (token,)


@pytest.mark.parametrize(
    ("arguments", "argument", "hint"),
    [
        (
            {"guards": VpcGuards(block_public_access=InternetGatewayBlock.BIDIRECTIONAL)},
            "guards.block_public_access",
            "block-ingress",
        ),
        (
            {"cidr": AddressPlan(cidr="10.0.0.0/24", subnets=("10.0.0.0/25", "10.0.0.128/25"))},
            "subnets",
            "smaller",
        ),
        ({"cidr": "10.0.0.0/24", "availability_zones": 3}, "cidr", "larger"),
    ],
)
def test_refused(arguments: dict[str, Any], argument: str, hint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        secure(new_app(), egress=FIREWALLED, **arguments)
    (problem,) = caught.value.problems
    assert problem.argument == argument
    assert hint in problem.fix


def synthesized(**arguments: Any) -> Template:
    return template_of(secure, **arguments)
