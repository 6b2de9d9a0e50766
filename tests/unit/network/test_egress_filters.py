"""What a way out passes: the firewall's rules, the resolver's, and what both write down."""

from __future__ import annotations

import aws_cdk as cdk
import pytest

from secure_ml_constructs.key_uses import KeyClass
from secure_ml_constructs.keys import EnvironmentKeys
from secure_ml_constructs.network import Egress, SecureVpc, VpcGuards
from tests.support.decisions import Request, Simulator
from tests.support.templates import ACCOUNT, REGION, Resource, World, new_app, synth
from tests.unit.network import environments
from tests.unit.network.environments import DOMAINS, PERIMETER, secure, template_of

pytestmark = pytest.mark.slow

FIREWALLED = Egress.firewalled(domains=DOMAINS)


@pytest.fixture(scope="session")
def world() -> World:
    return environments.firewalled()


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
    inside = sorted(
        world.one("AWS::EC2::Subnet", f"IsolatedSubnet{n}").properties["CidrBlock"] for n in (1, 2)
    )
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
    closed = World({"Network": template_of(secure, guards=VpcGuards(dns_firewall=True))})
    assert resolves(closed, f"api.sagemaker.{REGION}.amazonaws.com")
    assert not resolves(closed, "pypi.org")
    kinds = {resource.type for resource in closed.resources()}
    assert not kinds & {"AWS::EC2::Route", "AWS::EC2::NatGateway", "AWS::NetworkFirewall::Firewall"}


def test_a_way_out_changes_the_resolver_s_list_and_makes_no_second_one(world: World) -> None:
    closed = World({"Network": template_of(secure, guards=VpcGuards(dns_firewall=True))})
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
