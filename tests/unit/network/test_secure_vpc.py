"""SecureVpc: what its template holds, and what it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.key_uses import KeyClass
from secure_ml_constructs.keys import EnvironmentKeys
from secure_ml_constructs.network import (
    AddressPlan,
    EndpointProfile,
    Endpoints,
    EndpointService,
    InternetGatewayBlock,
    PrefixLists,
    SecureVpc,
    VpcGuards,
)
from secure_ml_constructs.network.settings import source
from tests.support.compliance import findings
from tests.support.decisions import Request, Simulator
from tests.support.templates import ACCOUNT, REGION, World, new_app, synth
from tests.unit.network import environments
from tests.unit.network.acls import passes
from tests.unit.network.environments import FULL, PERIMETER, key, secure, template_of

WAYS_OUT = (
    *("AWS::EC2::CarrierGateway", "AWS::EC2::CustomerGateway", "AWS::EC2::EgressOnlyInternetGateway"),
    *("AWS::EC2::EIP", "AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::Route"),
    *("AWS::EC2::TransitGatewayAttachment", "AWS::EC2::TransitGatewayVpcAttachment"),
    *("AWS::EC2::VPCGatewayAttachment", "AWS::EC2::VPCPeeringConnection", "AWS::EC2::VPNConnection"),
    *("AWS::EC2::VPNGateway", "AWS::EC2::VPNGatewayRoutePropagation"),
    *("AWS::NetworkManager::VpcAttachment", "AWS::VpcLattice::ServiceNetworkVpcAssociation"),
)


@pytest.fixture(scope="session", params=["default", "full"])
def world(request: pytest.FixtureRequest) -> World:
    return environments.default() if request.param == "default" else environments.full()


# -- N1: no way out ----------------------------------------------------------------------------------------


def test_nothing_leads_out(world: World) -> None:
    # No route table can hold a route but the local one and those that gateway endpoints write.
    kinds = {resource.type for resource in world.resources()}
    assert not kinds & set(WAYS_OUT)
    tables = {world.ref(table) for table in world.resources("AWS::EC2::RouteTable")}
    for endpoint in world.resources("AWS::EC2::VPCEndpoint"):
        if endpoint.properties["VpcEndpointType"] == "Gateway":
            assert set(endpoint.properties["RouteTableIds"]) == tables
            assert endpoint.properties["ServiceName"].rsplit(".", 1)[1] in ("s3", "dynamodb")


def test_every_subnet_is_isolated_and_has_a_table_of_its_own(world: World) -> None:
    subnets = list(world.resources("AWS::EC2::Subnet"))
    assert not any(subnet.properties["MapPublicIpOnLaunch"] for subnet in subnets)
    assert len({subnet.properties["AvailabilityZone"] for subnet in subnets}) == len(subnets)
    links = {
        link.properties["SubnetId"]: link.properties["RouteTableId"]
        for link in world.resources("AWS::EC2::SubnetRouteTableAssociation")
    }
    assert set(links) == {world.ref(subnet) for subnet in subnets}
    assert len(set(links.values())) == len(subnets)


@pytest.mark.parametrize(("zones", "count"), [(2, 2), (3, 3), (("eu-west-1a", "eu-west-1c"), 2)])
def test_two_or_three_zones_in_an_unknown_region(zones: Any, count: int) -> None:
    world = World({"Network": template_of(secure, availability_zones=zones)})
    found = [subnet.properties["AvailabilityZone"] for subnet in world.resources("AWS::EC2::Subnet")]
    assert len(set(found)) == count
    if isinstance(zones, tuple):
        assert tuple(found) == zones


def test_names_resolve_by_private_dns() -> None:
    world = environments.default()
    vpc = world.one("AWS::EC2::VPC")
    assert vpc.properties["EnableDnsHostnames"]
    assert vpc.properties["EnableDnsSupport"]
    for endpoint in world.resources("AWS::EC2::VPCEndpoint"):
        if endpoint.properties["VpcEndpointType"] == "Interface":
            assert endpoint.properties["PrivateDnsEnabled"]


def test_guards_are_options() -> None:
    assert not list(environments.default().resources("AWS::EC2::VPCBlockPublicAccessOptions"))
    world = environments.full()
    block = world.one("AWS::EC2::VPCBlockPublicAccessOptions")
    assert block.properties == {"InternetGatewayBlockMode": "block-bidirectional"}
    control = world.one("AWS::EC2::VPCEncryptionControl")
    assert control.properties == {
        "Mode": "enforce",
        "VpcId": world.ref(world.one("AWS::EC2::VPC")),
    }


def test_block_public_access_is_made_once_in_an_account_and_region() -> None:
    app = new_app()
    guards = VpcGuards(block_public_access=InternetGatewayBlock.INGRESS)
    secure(app, guards=guards)
    stack = cdk.Stack(app, "Other")
    with pytest.raises(ConfigurationError, match="Network/Vpc makes it"):
        SecureVpc(stack, "Vpc", perimeter=PERIMETER, logs_key=key(stack), guards=guards)
    elsewhere = cdk.Stack(app, "Elsewhere", env=cdk.Environment(account=ACCOUNT, region="eu-west-1"))
    SecureVpc(elsewhere, "Vpc", perimeter=PERIMETER, logs_key=key(elsewhere), guards=guards)
    secure(new_app(), guards=guards)


# -- N2: endpoints -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", list(EndpointProfile))
def test_a_profile_makes_its_endpoints(profile: EndpointProfile) -> None:
    app = new_app()
    vpc = secure(app, endpoints=Endpoints(profile=profile))
    world = World(synth(app))
    made = [endpoint.properties["ServiceName"] for endpoint in world.resources("AWS::EC2::VPCEndpoint")]
    assert len(made) == len(set(made)) == len(profile.services)
    assert set(vpc.endpoint_ids) == set(profile.services)
    interfaces = [e for e in world.resources("AWS::EC2::VPCEndpoint") if "SubnetIds" in e.properties]
    assert vpc.endpoint_zone_pairs == sum(len(e.properties["SubnetIds"]) for e in interfaces)


def test_an_endpoint_that_is_required_is_the_one_that_extra_would_have_made() -> None:
    def made(**more: Any) -> dict[str, Any]:
        app = new_app()
        vpc = secure(app, endpoints=Endpoints(profile=EndpointProfile.MINIMAL, **more))
        before = vpc.endpoint_zone_pairs
        ids = {vpc.require_endpoint("execute-api") for _ in range(2)}
        assert ids == {vpc.endpoint_ids["execute-api"]}
        assert vpc.endpoint_alias("execute-api")
        assert vpc.endpoint_zone_pairs == before + (0 if more else len(vpc.availability_zones))
        return {each.logical_id: each.properties for each in World(synth(app)).resources()}

    assert made() == made(extra=("execute-api",))


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    ("region", "partition", "name"),
    [
        (REGION, "aws", f"com.amazonaws.{REGION}.execute-api"),
        ("cn-north-1", "aws-cn", "cn.com.amazonaws.cn-north-1.execute-api"),
    ],
)
def test_a_required_endpoint_has_its_name_in_every_partition(
    region: str, partition: str, name: str, known: bool
) -> None:
    app = new_app()
    stack = cdk.Stack(app, "Network", env=cdk.Environment(region=region if known else None))
    vpc = SecureVpc(stack, "Vpc", perimeter=PERIMETER, logs_key=key(stack))
    vpc.require_endpoint("execute-api")
    world = World(synth(app), region=region, partition=partition)
    made = [each.properties["ServiceName"] for each in world.resources("AWS::EC2::VPCEndpoint")]
    assert name in made


@pytest.mark.parametrize(
    ("service", "fix"), [("executeapi", "'execute-api'"), ("dynamodb", "Endpoints(extra=")]
)
def test_a_required_endpoint_must_be_one_that_can_come_later(service: str, fix: str) -> None:
    vpc = secure(new_app(), endpoints=Endpoints(profile=EndpointProfile.MINIMAL, without=("dynamodb",)))
    before = set(vpc.endpoint_ids)
    with pytest.raises(ConfigurationError, match=re.escape(fix)):
        vpc.require_endpoint(service)
    assert set(vpc.endpoint_ids) == before


def test_a_service_that_is_not_in_every_zone_gets_the_named_ones() -> None:
    # aws-cdk#4912: one zone without the service fails the whole stack.
    world = environments.full()
    subnets = [world.ref(subnet) for subnet in world.resources("AWS::EC2::Subnet")]
    placed = {e.properties["ServiceName"]: e.properties.get("SubnetIds") for e in endpoints(world)}
    assert placed["com.amazonaws.eu-central-1.codeartifact.api"] == subnets[:2]
    assert placed["com.amazonaws.eu-central-1.codeartifact.repositories"] == subnets


@pytest.mark.parametrize(
    ("region", "known", "names"),
    [
        ("cn-north-1", True, {"cn.com.amazonaws.cn-north-1.sts", "com.amazonaws.cn-north-1.kms"}),
        ("cn-north-1", False, {"cn.com.amazonaws.cn-north-1.sts", "com.amazonaws.cn-north-1.kms"}),
        ("us-gov-west-1", True, {"com.amazonaws.us-gov-west-1.sts", "com.amazonaws.us-gov-west-1.kms"}),
        ("us-gov-west-1", False, {"com.amazonaws.us-gov-west-1.sts", "com.amazonaws.us-gov-west-1.kms"}),
        ("eu-central-1", False, {"com.amazonaws.eu-central-1.sts", "aws.sagemaker.eu-central-1.studio"}),
    ],
)
def test_service_names_in_each_partition(region: str, known: bool, names: set[str]) -> None:
    template = template_of(secure, region=region) if known else environments.default().templates["Network"]
    partition = {"cn": "aws-cn", "us": "aws-us-gov", "eu": "aws"}[region[:2]]
    world = World({"Network": template}, region=region, partition=partition)
    assert names <= {endpoint.properties["ServiceName"] for endpoint in endpoints(world)}


def test_no_partition_is_written_down() -> None:
    for world in (environments.default(), environments.full(), environments.given()):
        template = json.loads(json.dumps(world.templates["Network"]).replace(environments.KEY_ARN, ""))
        assert "arn:aws" not in json.dumps(template)


def test_s3_by_interface_needs_no_address_anywhere() -> None:
    without = Endpoints(interface_s3=True, without=("dynamodb",))
    app = new_app()
    vpc = secure(app, endpoints=without)
    world = World(synth(app))
    assert set(vpc.endpoint_ids) >= {"s3-interface"}
    assert len(vpc.s3_endpoint_ids) == 1
    (s3,) = [e for e in endpoints(world) if e.properties["ServiceName"].endswith(".s3")]
    assert s3.properties["VpcEndpointType"] == "Interface"
    assert s3.properties["DnsOptions"] == {"PrivateDnsOnlyForInboundResolverEndpoint": "AllResolvers"}
    assert not list(world.resources("Custom::ManagedPrefixLists"))
    assert "0.0.0.0/0" not in json.dumps(world.templates).replace(json.dumps(source()), "")


def test_a_service_without_policy_has_none() -> None:
    own = EndpointService(name="acme", service_name="com.acme.{region}", accepts_policy=False)
    world = World({"Network": template_of(secure, endpoints=Endpoints(extra=(own, "codepipeline")))})
    bare = [e.properties["ServiceName"] for e in endpoints(world) if "PolicyDocument" not in e.properties]
    assert sorted(name.rsplit(".", 1)[0] for name in bare) == [
        f"com.acme.{REGION}"[:8],
        "com.amazonaws." + REGION,
    ]


# -- N5: NACLs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("egress", "address", "protocol", "port", "expected"),
    [
        (True, "3.5.140.10", 6, 443, True),  # A request to S3 by the gateway endpoint,
        (False, "3.5.140.10", 6, 32768, True),  # its answer to a Linux host,
        (False, "3.5.140.10", 6, 1024, True),  # and to a function.
        (True, "10.0.200.7", 50, 0, True),  # Encrypted training across zones.
        (False, "10.0.3.7", 17, 500, True),
        (True, "3.5.140.10", 6, 80, False),
        (True, "3.5.140.10", 17, 443, False),
        (True, "8.8.8.8", 17, 53, False),
        (False, "3.5.140.10", 6, 443, False),
        (False, "3.5.140.10", 6, 22, False),
        (False, "3.5.140.10", 6, 3389, False),
        (False, "3.5.140.10", 17, 40000, False),
        (False, "192.168.0.1", 50, 0, False),
    ],
)
def test_nacl(world: World, egress: bool, address: str, protocol: int, port: int, expected: bool) -> None:
    assert passes(world, egress=egress, address=address, protocol=protocol, port=port) is expected


def test_the_nacl_stands_on_every_subnet(world: World) -> None:
    held = {link.properties["SubnetId"] for link in world.resources("AWS::EC2::SubnetNetworkAclAssociation")}
    assert held == {world.ref(subnet) for subnet in world.resources("AWS::EC2::Subnet")}


# -- N6: flow logs -----------------------------------------------------------------------------------------


def test_flow_logs_are_encrypted_and_kept() -> None:
    world = environments.full()
    log = world.one("AWS::EC2::FlowLog")
    group = world.one("AWS::Logs::LogGroup", "FlowLog")
    assert log.properties["TrafficType"] == "ALL"
    assert log.properties["ResourceId"] == world.ref(world.one("AWS::EC2::VPC"))
    assert log.properties["LogDestination"] == world.arn(group)
    assert "${pkt-dst-aws-service}" in log.properties["LogFormat"]
    assert group.properties == {
        "DeletionProtectionEnabled": True,
        "KmsKeyId": environments.KEY_ARN,
        "RetentionInDays": 3653,
    }
    assert group.raw["DeletionPolicy"] == "Retain"


@pytest.mark.decision
@pytest.mark.parametrize(
    ("account", "source", "expected"),
    [
        (ACCOUNT, f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc-flow-log/fl-1", True),
        ("999988887777", f"arn:aws:ec2:{REGION}:999988887777:vpc-flow-log/fl-1", False),
        (ACCOUNT, f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-1", False),
    ],
)
def test_only_our_flow_logs_take_the_role(
    simulator: Simulator, account: str, source: str, expected: bool
) -> None:
    role = environments.default().one("AWS::IAM::Role", "FlowLog")
    trust = role.properties["AssumeRolePolicyDocument"]
    decision = simulator.decide(
        Request(
            principal="vpc-flow-logs.amazonaws.com",
            action="sts:AssumeRole",
            resource=environments.default().arn(role),
            context={"aws:SourceAccount": account, "aws:SourceArn": source},
        ),
        resource_policy=trust,
    )
    assert decision.allowed is expected


@pytest.mark.decision
def test_the_flow_log_group_may_use_the_logs_key(simulator: Simulator) -> None:
    # aws-cdk#28304: a log group under a key whose policy does not name the regional logs service fails.
    app = new_app()
    keys_stack, stack = cdk.Stack(app, "Keys"), cdk.Stack(app, "Network")
    keys = EnvironmentKeys(keys_stack, "Keys", perimeter=PERIMETER)
    SecureVpc(stack, "Vpc", perimeter=PERIMETER, logs_key=keys.logs)
    world = World(synth(app))
    key_resource = world.one("AWS::KMS::Key", KeyClass.LOGS.capitalize())
    for group in world.resources("AWS::Logs::LogGroup"):
        assert group.properties["KmsKeyId"] == world.arn(key_resource)
        request = Request(
            principal=f"logs.{REGION}.amazonaws.com",
            action="kms:GenerateDataKey",
            resource=world.arn(key_resource),
            context={"kms:EncryptionContext:aws:logs:arn": world.arn(group).removesuffix(":*")},
        )
        assert simulator.decide(request, resource_policy=key_resource.properties["KeyPolicy"]).allowed


# -- The function ------------------------------------------------------------------------------------------


def test_the_function_is_small_and_brings_no_asset() -> None:
    world = environments.default()
    function = world.one("AWS::Lambda::Function")
    assert function.properties["Code"] == {"ZipFile": source()}
    assert function.properties["Runtime"] == lambda_.Runtime.PYTHON_3_14.to_string()
    log = world.one("AWS::Logs::LogGroup", "Settings")
    assert function.properties["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": world.ref(log)}
    assert log.properties == {"KmsKeyId": environments.KEY_ARN, "RetentionInDays": 365}


@pytest.mark.parametrize(
    ("action", "resource", "expected"),
    [
        ("ec2:RevokeSecurityGroupIngress", "default", True),
        ("ec2:RevokeSecurityGroupEgress", "default", True),
        ("ec2:RevokeSecurityGroupEgress", "security-group/sg-0123456789abcdef0", False),
        ("ec2:AuthorizeSecurityGroupIngress", "default", False),
        ("logs:PutLogEvents", "log", True),
    ],
)
@pytest.mark.decision
def test_the_function_may_close_the_default_group_and_no_other(
    simulator: Simulator, action: str, resource: str, expected: bool
) -> None:
    # aws-cdk#31628: the stock one has a managed policy.
    world = environments.default()
    role = world.one("AWS::IAM::Role", "Settings")
    (policy,) = list(world.resources("AWS::IAM::ManagedPolicy", "Settings"))
    assert role.properties["ManagedPolicyArns"] == [world.ref(policy)]
    closed = world.one("Custom::VpcRestrictDefaultSG").properties["SecurityGroupId"]
    group = f"security-group/{closed}" if resource == "default" else resource
    arn = (
        world.arn(world.one("AWS::Logs::LogGroup", "Settings")).removesuffix("*") + "log-stream:1"
        if resource == "log"
        else f"arn:aws:ec2:{REGION}:{ACCOUNT}:{group}"
    )
    request = Request(principal=world.arn(role), action=action, resource=arn)
    decision = simulator.decide(request, identity=[policy.properties["PolicyDocument"]])
    assert decision.allowed is expected


def test_the_default_group_of_this_vpc_is_closed() -> None:
    raw = environments.default().one("Custom::VpcRestrictDefaultSG").raw
    vpc = environments.default().one("AWS::EC2::VPC").logical_id
    assert raw["Properties"]["SecurityGroupId"] == {"Fn::GetAtt": [vpc, "DefaultSecurityGroup"]}


def test_a_silent_function_is_noticed_in_minutes() -> None:
    for kind in ("Custom::VpcRestrictDefaultSG", "Custom::ManagedPrefixLists"):
        assert environments.default().one(kind).properties["ServiceTimeout"] == "120"


def test_no_lookup_where_prefix_lists_are_given() -> None:
    world = environments.full()
    assert not list(world.resources("Custom::ManagedPrefixLists"))
    policy = json.dumps(world.one("AWS::IAM::ManagedPolicy", "Settings").properties)
    assert "DescribeManagedPrefixLists" not in policy


# -- Between stacks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("strength", ["strong", "weak"])
def test_what_others_name_never_holds_the_network(strength: str) -> None:
    # A replaced endpoint must not wait for the policies that name it, whatever the app's flag says.
    app = new_app(**{"@aws-cdk/core:defaultCrossStackReferences": strength})
    vpc = secure(app)
    consumer = cdk.Stack(app, "Consumer")
    named = {
        "Endpoints": ",".join(vpc.endpoint_ids.values()),
        "Groups": vpc.job_security_group_id + vpc.workload_security_group.security_group_id,
        "EndpointGroup": vpc.endpoint_security_group_id,
        "Subnets": ",".join(vpc.isolated_subnet_ids),
        "Vpc": vpc.vpc.vpc_id,
    }
    for name, value in named.items():
        cdk.CfnOutput(consumer, name, value=value)
    templates = synth(app)
    assert not [o for o in templates["Network"]["Outputs"].values() if "Export" in o]
    assert "Fn::ImportValue" not in json.dumps(templates["Consumer"])
    assert "Fn::GetStackOutput" in json.dumps(templates["Consumer"])
    world = World(templates)
    listed = world.resolve("Consumer", templates["Consumer"]["Outputs"]["Endpoints"]["Value"]).split(",")
    assert listed == [world.ref(endpoint) for endpoint in endpoints(world)]


def test_what_others_read() -> None:
    app = new_app()
    vpc = secure(app)
    assert [subnet.subnet_id for subnet in vpc.vpc.isolated_subnets] == list(vpc.isolated_subnet_ids)
    assert vpc.vpc.vpc_cidr_block == "10.0.0.0/16"
    assert not vpc.vpc.public_subnets
    assert vpc.s3_endpoint_ids == (vpc.endpoint_ids["s3"],)
    assert vpc.job_security_group.security_group_id == vpc.job_security_group_id
    assert vpc.endpoint_security_group.security_group_id == vpc.endpoint_security_group_id


# -- The same again ----------------------------------------------------------------------------------------


def test_same_input_same_bytes() -> None:
    again = template_of(secure, region="eu-central-1", **FULL)
    assert json.dumps(again) == json.dumps(environments.full().templates["Network"])


def test_stateful_resources_keep_their_ids() -> None:
    world = environments.default()
    retained = {r.logical_id for r in world.resources() if r.raw.get("DeletionPolicy") == "Retain"}
    assert retained == {"VpcFlowLogLogGroup41244194", "VpcSettingsLog4F4630AE"}
    assert world.one("AWS::EC2::VPC").logical_id == "Vpc8378EB38"
    subnets = [subnet.logical_id for subnet in world.resources("AWS::EC2::Subnet")]
    assert subnets == ["VpcIsolatedSubnet1B041BAB7", "VpcIsolatedSubnet2187CB793"]


def test_a_third_zone_moves_no_name() -> None:
    three = World({"Network": template_of(secure, availability_zones=3)})
    before = {r.logical_id for r in environments.default().resources()}
    assert before < {r.logical_id for r in three.resources()}


def test_snapshot(world: World, snapshot_template: Callable[[dict[str, Any]], None]) -> None:
    template = json.loads(json.dumps(world.templates["Network"]).replace(json.dumps(source()), '"<code>"'))
    snapshot_template(template)


@pytest.mark.parametrize(
    "arguments", [{}, {**FULL, "region": "eu-central-1"}, {"endpoints": Endpoints(interface_s3=True)}]
)
def test_compliance(arguments: dict[str, Any]) -> None:
    def build(app: cdk.App) -> None:
        vpc = secure(app, **arguments)
        vpc.add_job_group("TeamA")
        vpc.add_job_group("Fabric", efa=True)

    assert not [str(finding) for finding in findings(build)]


# -- Bad input ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "argument", "hint"),
    [
        ({"cidr": "10.0.0.0/28"}, "cidr", "/24 or larger"),
        ({"cidr": AddressPlan(apart_from=("10.0.0.0/8",))}, "apart_from[0]", "another range"),
        ({"availability_zones": 1}, "availability_zones", "Write 2 or 3"),
        ({"availability_zones": 4}, "availability_zones", "Write 2 or 3"),
        ({"availability_zones": 0}, "availability_zones", "Write 2 or 3"),
        ({"availability_zones": ["eu-central-1a"]}, "availability_zones", "Write 2 or 3"),
        ({"availability_zones": ["a", "a"]}, "availability_zones", "each zone once"),
        ({"availability_zones": "eu-central-1a"}, "availability_zones", "list of names"),
        ({"endpoints": Endpoints(zones={"sts": (2,)})}, "endpoints.zones['sts']", "below 2"),
        ({"endpoints": Endpoints(zones={"sts": ("eu-central-1a",)})}, "endpoints.zones['sts']", "below 2"),
        ({"flow_log_retention_days": 100}, "flow_log_retention_days", "Write 120"),
        ({"flow_log_retention_days": 9999}, "flow_log_retention_days", "Write 3653"),
        ({"prefix_lists": PrefixLists(s3="pl-x", dynamodb="pl-01234567")}, "prefix_lists.s3", "'pl-'"),
        ({"prefix_lists": PrefixLists(s3="pl-01234567")}, "prefix_lists.dynamodb", "leave prefix_lists out"),
    ],
)
def test_refused(arguments: dict[str, Any], argument: str, hint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        secure(new_app(), **arguments)
    assert caught.value.where == "Network/Vpc"
    (problem,) = caught.value.problems
    assert problem.argument == argument
    assert hint in problem.fix


def test_every_problem_at_once_and_nothing_is_made() -> None:
    app = new_app()
    stack = cdk.Stack(app, "Network")
    with pytest.raises(ConfigurationError) as caught:
        SecureVpc(
            stack,
            "Vpc",
            perimeter=PERIMETER,
            logs_key=key(stack),
            cidr="8.8.8.0/30",
            availability_zones=1,
            flow_log_retention_days=2,
        )
    arguments = [problem.argument for problem in caught.value.problems]
    assert arguments == ["availability_zones", "cidr", "cidr", "flow_log_retention_days"]
    assert stack.node.try_find_child("Vpc") is None


def endpoints(world: World) -> list[Any]:
    return list(world.resources("AWS::EC2::VPCEndpoint"))
