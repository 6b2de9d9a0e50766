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
from secure_ml_constructs.network import (
    AddressPlan,
    Egress,
    EncryptionControl,
    Endpoints,
    InternetGatewayBlock,
    VpcGuards,
)
from secure_ml_constructs.network.settings import source
from secure_ml_constructs.verification.proofs.network import Network, Path, Unreachable
from secure_ml_constructs.verification.proofs.questions import Answer, Verdict
from secure_ml_constructs.verification.proofs.questions.ways_out import network_answers
from secure_ml_constructs.verification.templates import Templates
from tests.support.compliance import findings
from tests.support.templates import Template, World, new_app, synth
from tests.unit.network import environments
from tests.unit.network.acls import passes
from tests.unit.network.environments import DOMAINS, secure, template_of

pytestmark = pytest.mark.slow

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
