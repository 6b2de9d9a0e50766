"""OnPremises: the link to named ranges, what gets there, and what is refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.network import Egress, EncryptionControl, OnPremises, VpcGuards
from secure_ml_constructs.network.settings import source
from secure_ml_constructs.verification.proofs.network import Network, Path
from secure_ml_constructs.verification.proofs.questions import Answer, Verdict
from secure_ml_constructs.verification.proofs.questions.ways_out import network_answers
from secure_ml_constructs.verification.templates import Templates
from tests.support.compliance import findings
from tests.support.decisions import Request, Simulator
from tests.support.templates import ACCOUNT, REGION, Template, World, new_app
from tests.unit.network import environments
from tests.unit.network.acls import passes
from tests.unit.network.environments import RANGES, VPN, secure, template_of

pytestmark = pytest.mark.slow

GATEWAY = "01234567-89ab-cdef-0123-456789abcdef"
DIRECT = OnPremises.direct_connect(ranges=RANGES, gateway_id=GATEWAY)


@pytest.fixture(scope="session")
def world() -> World:
    return environments.linked()


@pytest.fixture(scope="session")
def direct() -> World:
    return World({"Network": template_of(secure, on_premises=DIRECT)})


# -- Routes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["world", "direct"])
def test_the_named_ranges_are_the_only_routes(name: str, request: pytest.FixtureRequest) -> None:
    world = request.getfixturevalue(name)
    gateway = world.ref(world.one("AWS::EC2::VPNGateway"))
    tables = {world.ref(table) for table in world.resources("AWS::EC2::RouteTable")}
    made = [route.properties for route in world.resources("AWS::EC2::Route")]
    assert {route["GatewayId"] for route in made} == {gateway}
    assert {(r["RouteTableId"], r["DestinationCidrBlock"]) for r in made} == {
        (table, block) for table in tables for block in RANGES
    }
    assert not list(world.resources("AWS::EC2::VPNGatewayRoutePropagation"))


def test_routes_wait_for_the_gateway_to_be_attached(world: World) -> None:
    attached = world.one("AWS::EC2::VPCGatewayAttachment").logical_id
    assert all(attached in route.raw["DependsOn"] for route in world.resources("AWS::EC2::Route"))


def test_nothing_is_made_unless_asked_for() -> None:
    kinds = {resource.type for resource in environments.default().resources()}
    assert not {
        kind for kind in kinds if "VPN" in kind or "DirectConnect" in kind or kind == "AWS::EC2::Route"
    }


# -- What the proofs say -----------------------------------------------------------------------------------


OTHER, INTERNET = "reach another network", "reach the internet"


def answer(template: Template, deed: str = OTHER, networks: tuple[str, ...] = RANGES) -> Answer:
    network = Network.of(Templates.of({"Network": template}))
    found = {each.deed: each for each in network_answers(network, lambda _: "Vpc", networks=networks)}
    assert found["reach in from the internet"].verdict is Verdict.PROVED
    return found[deed]


@pytest.mark.parametrize("name", ["world", "direct"])
def test_exactly_the_named_ranges_are_reached(name: str, request: pytest.FixtureRequest) -> None:
    world = request.getfixturevalue(name)
    found = answer(world.templates["Network"])
    assert (found.verdict, found.control) == (Verdict.BY_DESIGN, "N10")
    assert answer(world.templates["Network"], INTERNET).verdict is Verdict.PROVED
    network = Network.of(Templates.of(world.templates))
    reached = {
        block
        for interface in network.interfaces
        for path in network.other_networks(interface)
        if isinstance(path, Path)
        for block in path.ranges
    }
    assert reached == set(RANGES)


def stray(destination: str) -> Callable[[dict[str, Any]], None]:
    def change(resources: dict[str, Any]) -> None:
        name, route = next((n, r) for n, r in resources.items() if r["Type"] == "AWS::EC2::Route")
        added = copy.deepcopy(route)
        added["Properties"]["DestinationCidrBlock"] = destination
        resources[f"{name}Stray"] = added

    return change


def learned(resources: dict[str, Any]) -> None:
    (gateway,) = [name for name, r in resources.items() if r["Type"] == "AWS::EC2::VPNGateway"]
    tables = [{"Ref": name} for name, r in resources.items() if r["Type"] == "AWS::EC2::RouteTable"]
    resources["Learned"] = {
        "Type": "AWS::EC2::VPNGatewayRoutePropagation",
        "Properties": {"RouteTableIds": tables, "VpnGatewayId": {"Ref": gateway}},
    }


@pytest.mark.parametrize("change", [stray("172.16.0.0/12"), stray("10.128.0.0/9"), learned])
def test_a_further_route_is_broken(world: World, change: Callable[[dict[str, Any]], None]) -> None:
    template = copy.deepcopy(world.templates["Network"])
    change(template["Resources"])
    assert answer(template).verdict is Verdict.BROKEN


@pytest.mark.parametrize("change", [stray("192.168.0.0/15"), stray("0.0.0.0/0"), learned])
def test_a_route_to_public_addresses_is_a_way_to_the_internet(
    world: World, change: Callable[[dict[str, Any]], None]
) -> None:
    template = copy.deepcopy(world.templates["Network"])
    change(template["Resources"])
    assert answer(template, INTERNET).verdict is Verdict.BROKEN


def test_a_range_that_nobody_named_is_broken(world: World) -> None:
    assert answer(world.templates["Network"], networks=RANGES[:1]).verdict is Verdict.BROKEN


# -- The link ----------------------------------------------------------------------------------------------


def test_each_device_has_a_connection_with_static_routes(world: World) -> None:
    devices = {world.ref(d): d.properties for d in world.resources("AWS::EC2::CustomerGateway")}
    assert {device["IpAddress"] for device in devices.values()} == set(VPN.devices)
    connections = list(world.resources("AWS::EC2::VPNConnection"))
    assert {c.properties["CustomerGatewayId"] for c in connections} == set(devices)
    routed = {
        (r.properties["VpnConnectionId"], r.properties["DestinationCidrBlock"])
        for r in world.resources("AWS::EC2::VPNConnectionRoute")
    }
    assert routed == {(world.ref(c), block) for c in connections for block in RANGES}
    for connection in connections:
        assert connection.properties["StaticRoutesOnly"] is True
        assert connection.properties["PreSharedKeyStorage"] == "SecretsManager"


def test_tunnels_take_strong_ciphers_only_and_are_logged(world: World) -> None:
    group = world.one("AWS::Logs::LogGroup", "OnPremises")
    for connection in world.resources("AWS::EC2::VPNConnection"):
        tunnels = connection.properties["VpnTunnelOptionsSpecifications"]
        assert len(tunnels) == 2
        for tunnel in tunnels:

            def values(name: str, tunnel: dict[str, Any] = tunnel) -> set[Any]:
                return {item["Value"] for item in tunnel[name]}

            assert values("IKEVersions") == {"ikev2"}
            for phase in ("Phase1", "Phase2"):
                assert values(f"{phase}EncryptionAlgorithms") == {"AES256-GCM-16"}
                assert values(f"{phase}IntegrityAlgorithms") == {"SHA2-384", "SHA2-512"}
                assert values(f"{phase}DHGroupNumbers") == {20, 21}
            logged = tunnel["LogOptions"]["CloudwatchLogOptions"]
            assert logged["LogEnabled"] is True
            assert logged["LogGroupArn"] == world.arn(group).removesuffix(":*")
            assert "PreSharedKey" not in tunnel


def test_direct_connect_tells_the_other_end_of_this_vpc_only(direct: World) -> None:
    link = direct.one("AWS::DirectConnect::DirectConnectGatewayAssociation")
    assert link.properties == {
        "AllowedPrefixesToDirectConnectGateway": ["10.0.0.0/16"],
        "AssociatedGatewayId": direct.ref(direct.one("AWS::EC2::VPNGateway")),
        "DirectConnectGatewayId": GATEWAY,
    }


def test_direct_connect_is_made_only_once_macsec_has_been_seen(direct: World) -> None:
    check = direct.one("Custom::EncryptedLink")
    assert check.properties["GatewayId"] == GATEWAY
    link = direct.one("AWS::DirectConnect::DirectConnectGatewayAssociation")
    assert check.logical_id in link.raw["DependsOn"]


def test_whose_connections_are_another_account_s_may_leave_that_out() -> None:
    vouched = OnPremises.direct_connect(ranges=RANGES, gateway_id=GATEWAY, check_at_deployment=False)
    world = World({"Network": template_of(secure, on_premises=vouched)})
    assert not list(world.resources("Custom::EncryptedLink"))
    assert "directconnect:" not in json.dumps(world.one("AWS::IAM::ManagedPolicy", "Settings").properties)


@pytest.mark.decision
@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("directconnect:DescribeConnections", True),
        ("directconnect:DescribeLags", True),
        ("directconnect:DescribeVirtualInterfaces", True),
        ("directconnect:DescribeDirectConnectGatewayAttachments", True),
        ("directconnect:UpdateConnection", False),
        ("directconnect:DescribeLoa", False),
    ],
)
def test_the_function_may_look_at_the_link(
    direct: World, simulator: Simulator, action: str, expected: bool
) -> None:
    role = direct.one("AWS::IAM::Role", "Settings")
    policy = direct.one("AWS::IAM::ManagedPolicy", "Settings")
    request = Request(
        principal=direct.arn(role),
        action=action,
        resource=f"arn:aws:directconnect:{REGION}:{ACCOUNT}:dxcon/dxcon-01234567"
        if action.endswith("Connection") or action.endswith("Connections") or action.endswith("Loa")
        else "*",
    )
    assert simulator.decide(request, identity=[policy.properties["PolicyDocument"]]).allowed is expected


# -- Groups and ACLs ---------------------------------------------------------------------------------------


def test_groups_name_the_ranges_with_their_ports(world: World) -> None:
    for name in ("WorkloadGroup", "JobGroup"):
        rules = world.one("AWS::EC2::SecurityGroup", name).properties["SecurityGroupEgress"]
        named = {(r["CidrIp"], r["FromPort"], r["ToPort"], r["IpProtocol"]) for r in rules if "CidrIp" in r}
        assert named == {(block, port, port, "tcp") for block in RANGES for port in VPN.ports}
    assert not [
        rule.properties
        for rule in world.resources("AWS::EC2::SecurityGroupIngress")
        if "SourceSecurityGroupId" not in rule.properties
    ]


@pytest.mark.parametrize(
    ("egress", "address", "protocol", "port", "expected"),
    [
        (True, "192.168.7.7", 6, 443, True),
        (True, "172.23.255.255", 6, 5432, True),
        (False, "192.168.7.7", 6, 40000, True),
        (False, "172.20.0.1", 6, 1024, True),
        (True, "192.168.7.7", 6, 22, False),
        (True, "192.168.7.7", 17, 443, False),
        (True, "172.24.0.1", 6, 5432, False),
        (False, "192.168.7.7", 6, 443, False),
        (False, "192.168.7.7", 6, 3389, False),
        (False, "192.168.7.7", 17, 40000, False),
    ],
)
def test_acls(egress: bool, address: str, protocol: int, port: int, expected: bool) -> None:
    world = environments.linked()
    found = passes(world, egress=egress, address=address, protocol=protocol, port=port)
    assert found is expected


def test_the_most_that_is_taken_fits_a_network_acl() -> None:
    # Amazon VPC quotas: 20 rules in each direction.
    widest = OnPremises.vpn(ranges=[f"192.168.{n}.0/24" for n in range(8)], devices=["8.8.8.8"])
    most = OnPremises.vpn(ranges=RANGES, devices=["8.8.8.8"], ports=(443, 1521, 1433, 3306, 5432, 8443))
    for link in (widest, most):
        world = World({"Network": template_of(secure, on_premises=link)})
        entries = [entry.properties for entry in world.resources("AWS::EC2::NetworkAclEntry")]
        for egress in (True, False):
            numbers = [e["RuleNumber"] for e in entries if bool(e.get("Egress")) is egress]
            assert len(numbers) == len(set(numbers)) <= 20


def test_enforced_encryption_leaves_the_link() -> None:
    guards = VpcGuards(encryption_control=EncryptionControl.ENFORCE)
    world = World({"Network": template_of(secure, on_premises=VPN, guards=guards)})
    control = world.one("AWS::EC2::VPCEncryptionControl").properties
    assert control["VirtualPrivateGatewayExclusionInput"] == "enable"
    assert "NatGatewayExclusionInput" not in control


# -- The same again ----------------------------------------------------------------------------------------


def test_what_others_read() -> None:
    vpc = secure(new_app(), on_premises=VPN)
    assert vpc.linked_ranges == RANGES
    assert vpc.on_premises_link is not None
    assert vpc.on_premises_link.log_group_name
    without = secure(new_app())
    assert without.on_premises_link is None
    assert without.linked_ranges == ()


def test_stateful_resources_keep_their_ids(world: World) -> None:
    retained = {r.logical_id for r in world.resources() if r.raw.get("DeletionPolicy") == "Retain"}
    assert retained == {
        "VpcFlowLogLogGroup41244194",
        "VpcSettingsLog4F4630AE",
        "VpcOnPremisesLogLogGroup1A9F464A",
    }
    assert world.one("AWS::EC2::VPNGateway").logical_id == "VpcOnPremisesGatewayF4C3E8A0"


@pytest.mark.parametrize("name", ["world", "direct"])
def test_snapshot(
    name: str, request: pytest.FixtureRequest, snapshot_template: Callable[[dict[str, Any]], None]
) -> None:
    world = request.getfixturevalue(name)
    text = json.dumps(world.templates["Network"]).replace(json.dumps(source()), '"<code>"')
    assert "arn:aws" not in text.replace(environments.KEY_ARN, "")
    snapshot_template(json.loads(text))


@pytest.mark.parametrize("link", [VPN, DIRECT], ids=["vpn", "direct connect"])
def test_compliance(link: OnPremises) -> None:
    def build(app: cdk.App) -> None:
        egress = Egress.firewalled(domains=["pypi.org"])
        secure(app, on_premises=link, egress=egress).add_job_group("TeamA")

    assert not [str(finding) for finding in findings(build)]


# -- Bad input ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "argument", "reason"),
    [
        ({"ranges": []}, "ranges", "no list"),
        ({"ranges": "192.168.0.0/16"}, "ranges", "no list"),
        ({"ranges": [f"192.168.{n}.0/24" for n in range(9)]}, "ranges", "no list"),
        ({"ranges": ["0.0.0.0/0"]}, "ranges[0]", "wider than a /8"),
        ({"ranges": ["10.0.0.0/7"]}, "ranges[0]", "wider than a /8"),
        ({"ranges": ["8.8.8.0/24"]}, "ranges[0]", "not private"),
        ({"ranges": ["192.168.0.1/16"]}, "ranges[0]", "no IPv4 range"),
        ({"ranges": ["head office"]}, "ranges[0]", "prefix"),
        ({"ranges": ["192.168.0.0/16", "192.168.1.0/24"]}, "ranges[1]", "overlaps 192.168.0.0/16"),
        ({"ports": ()}, "ports", "0 rules"),
        ({"ports": (0,)}, "ports[0]", "no port"),
        ({"ports": (443, 443)}, "ports[1]", "named twice"),
        ({"ports": tuple(range(1, 14))}, "ports", "13 rules"),
        ({"devices": []}, "devices", "one or two"),
        ({"devices": "8.8.8.8"}, "devices", "one or two"),
        ({"devices": ["8.8.8.8", "9.9.9.9", "1.1.1.1"]}, "devices", "one or two"),
        ({"devices": ["8.8.8.8", "8.8.8.8"]}, "devices[1]", "named twice"),
        ({"devices": ["vpn.example.org"]}, "devices[0]", "no IPv4 address"),
        ({"devices": ["192.168.0.1"]}, "devices[0]", "not public"),
    ],
)
def test_refused_vpn(given: dict[str, Any], argument: str, reason: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        OnPremises.vpn(**{"ranges": ["192.168.0.0/16"], "devices": ["8.8.8.8"], **given})
    (problem,) = caught.value.problems
    assert problem.argument == argument
    assert reason in problem.reason


@pytest.mark.parametrize("gateway", ["", "dxgw-1", "vgw-0123456789abcdef0", GATEWAY.upper()])
def test_refused_direct_connect(gateway: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        OnPremises.direct_connect(ranges=["8.8.8.0/24"], gateway_id=gateway)
    assert [problem.argument for problem in caught.value.problems] == ["ranges[0]", "gateway_id"]


def test_what_is_known_later_is_taken() -> None:
    token = cdk.Fn.ref("Gateway")
    assert OnPremises.direct_connect(ranges=RANGES, gateway_id=token).gateway_id == token
    assert OnPremises.vpn(ranges=RANGES, devices=[token]).devices == (token,)


@pytest.mark.parametrize("block", ["10.0.0.0/8", "10.0.1.0/24"])
def test_a_range_that_overlaps_the_vpc_is_refused(block: str) -> None:
    link = OnPremises.vpn(ranges=["192.168.0.0/16", block], devices=["8.8.8.8"])
    with pytest.raises(ConfigurationError) as caught:
        secure(new_app(), on_premises=link)
    (problem,) = caught.value.problems
    assert problem.argument == "on_premises.ranges[1]"
    assert "another range for the VPC" in problem.fix
