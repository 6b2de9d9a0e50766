"""Security groups, as EC2 would read them: who reaches whom."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest

from secure_ml_constructs.network import Endpoints
from tests.support.templates import Resource, World, new_app, synth
from tests.unit.network import environments
from tests.unit.network.environments import secure

TCP, UDP, ESP = "tcp", "udp", "50"


def rules(world: World, group: Resource, direction: str) -> list[dict[str, Any]]:
    """A group's rules, those of its own and those that stand apart."""
    inline = group.properties.get(f"SecurityGroup{direction}", [])
    apart = [
        rule.properties
        for rule in world.resources(f"AWS::EC2::SecurityGroup{direction}")
        if rule.properties["GroupId"] == world.ref(group)
    ]
    if direction == "Egress" and not inline:
        # EC2 puts this in where a group is made without a rule of its own.
        return [{"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}, *apart]
    return [*inline, *apart]


def matches(rule: dict[str, Any], peer: str, protocol: str, port: int) -> bool:
    named = {value for key, value in rule.items() if "Group" in key or "PrefixList" in key}
    if peer not in named and rule.get("CidrIp") != "0.0.0.0/0":
        return False
    if rule["IpProtocol"] == "-1":
        return True
    first, last = int(rule.get("FromPort", port)), int(rule.get("ToPort", port))
    return bool(rule["IpProtocol"] == protocol) and first <= port <= last


def reaches(world: World, source: str, target: str, protocol: str, port: int) -> bool:
    """Whether a member of one group may open a connection to a member of another."""
    first, second = (world.one("AWS::EC2::SecurityGroup", name) for name in (source, target))
    return any(
        matches(rule, world.ref(second), protocol, port) for rule in rules(world, first, "Egress")
    ) and any(matches(rule, world.ref(first), protocol, port) for rule in rules(world, second, "Ingress"))


@pytest.fixture(scope="session", params=["default", "full", "existing"])
def world(request: pytest.FixtureRequest) -> World:
    worlds = {
        "default": environments.default,
        "full": environments.full,
        "existing": environments.given,
    }
    return worlds[request.param]()


@pytest.mark.parametrize(
    ("source", "target", "protocol", "port", "expected"),
    [
        ("WorkloadGroup", "EndpointGroup", TCP, 443, True),
        ("JobGroup", "EndpointGroup", TCP, 443, True),
        ("WorkloadGroup", "EndpointGroup", TCP, 80, False),
        ("EndpointGroup", "WorkloadGroup", TCP, 443, False),
        ("WorkloadGroup", "WorkloadGroup", TCP, 443, False),
        ("WorkloadGroup", "JobGroup", TCP, 22, False),
        ("JobGroup", "WorkloadGroup", TCP, 443, False),
        # Distributed training with encrypted traffic between containers.
        ("JobGroup", "JobGroup", UDP, 500, True),
        ("JobGroup", "JobGroup", ESP, 0, True),
        ("JobGroup", "JobGroup", TCP, 22, True),
        ("JobGroup", "JobGroup", TCP, 7777, True),
        ("JobGroup", "JobGroup", TCP, 55555, True),
        ("JobGroup", "JobGroup", TCP, 445, False),
        ("JobGroup", "JobGroup", UDP, 53, False),
    ],
)
def test_who_reaches_whom(
    world: World, source: str, target: str, protocol: str, port: int, expected: bool
) -> None:
    assert reaches(world, source, target, protocol, port) is expected


def test_gateway_services_are_reached_by_their_prefix_lists() -> None:
    world = environments.full()
    for name in ("WorkloadGroup", "JobGroup"):
        egress = rules(world, world.one("AWS::EC2::SecurityGroup", name), "Egress")
        for prefix_list in ("pl-0123456789abcdef0", "pl-0123456789abcdef1"):
            assert any(matches(rule, prefix_list, TCP, 443) for rule in egress)
            assert not any(matches(rule, prefix_list, TCP, 80) for rule in egress)


def test_prefix_lists_are_looked_up_by_name() -> None:
    world = environments.default()
    lookup = world.one("Custom::ManagedPrefixLists")
    assert lookup.properties["Names"] == {
        "s3": "com.amazonaws.eu-central-1.s3",
        "dynamodb": "com.amazonaws.eu-central-1.dynamodb",
    }
    raw = json.dumps(world.one("AWS::EC2::SecurityGroup", "JobGroup").raw)
    for service in ("s3", "dynamodb"):
        assert json.dumps({"Fn::GetAtt": [lookup.logical_id, service]}) in raw


def test_s3_express_is_reached_by_a_gateway_too() -> None:
    app = new_app()
    secure(app, endpoints=Endpoints(extra=("s3express",)))
    world = World(synth(app))
    assert set(world.one("Custom::ManagedPrefixLists").properties["Names"]) == {"s3", "dynamodb", "s3express"}
    egress = world.one("AWS::EC2::SecurityGroup", "JobGroup").properties["SecurityGroupEgress"]
    assert len([rule for rule in egress if "DestinationPrefixListId" in rule]) == 3


def test_no_address_but_the_one_that_is_nowhere(world: World) -> None:
    for group in world.resources("AWS::EC2::SecurityGroup"):
        for direction in ("Ingress", "Egress"):
            for rule in rules(world, group, direction):
                assert rule.get("CidrIp", "127.0.0.1/32") == "127.0.0.1/32"
                assert "CidrIpv6" not in rule


def test_endpoints_are_reached_at_443_and_by_groups_that_are_named(world: World) -> None:
    ingress = rules(world, world.one("AWS::EC2::SecurityGroup", "EndpointGroup"), "Ingress")
    assert {(rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in ingress} == {(TCP, 443, 443)}
    clients = {
        world.ref(world.one("AWS::EC2::SecurityGroup", name)) for name in ("WorkloadGroup", "JobGroup")
    }
    assert {rule["SourceSecurityGroupId"] for rule in ingress} == clients


def test_endpoints_stand_in_their_group_and_no_other(world: World) -> None:
    group = world.ref(world.one("AWS::EC2::SecurityGroup", "EndpointGroup"))
    for endpoint in world.resources("AWS::EC2::VPCEndpoint"):
        if endpoint.properties["VpcEndpointType"] == "Interface":
            assert endpoint.properties["SecurityGroupIds"] == [group]


def test_a_team_gets_a_job_group_apart_from_the_others() -> None:
    app = new_app()
    vpc = secure(app)
    team = vpc.add_job_group("TeamA")
    fabric = vpc.add_job_group("Fabric", efa=True)
    consumer = cdk.Stack(app, "Consumer")
    cdk.CfnOutput(consumer, "Team", value=team.security_group_id)
    cdk.CfnOutput(consumer, "FabricGroup", value=fabric.security_group_id)
    world = World(synth(app))
    assert reaches(world, "TeamA", "TeamA", ESP, 0)
    assert reaches(world, "TeamA", "EndpointGroup", TCP, 443)
    assert not reaches(world, "TeamA", "JobGroup", ESP, 0)
    assert not reaches(world, "JobGroup", "TeamA", TCP, 7777)
    # Elastic Fabric Adapter: everything among members, of any protocol.
    assert reaches(world, "Fabric", "Fabric", UDP, 53)
    assert not reaches(world, "Fabric", "JobGroup", UDP, 500)


def test_a_rule_that_a_caller_asks_for_is_made() -> None:
    app = new_app()
    vpc = secure(app)
    port = cdk.aws_ec2.Port.tcp(2049)
    vpc.workload_security_group.connections.allow_to(vpc.job_security_group, port, "File system")
    world = World(synth(app))
    assert reaches(world, "WorkloadGroup", "JobGroup", TCP, 2049)
