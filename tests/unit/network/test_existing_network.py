"""SecureVpc.from_existing: what is taken, what is made beside it, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.network import (
    EndpointProfile,
    Endpoints,
    ExistingGroups,
    ExistingSubnet,
    ExistingVpc,
    MlNetwork,
    PrefixLists,
    SecureVpc,
)
from tests.support.compliance import findings
from tests.support.templates import World, new_app, synth
from tests.unit.network import environments
from tests.unit.network.environments import PERIMETER, SUBNETS, VPC_ID, existing, key

S3_ENDPOINT = "vpce-0123456789abcdef0"
LISTS = PrefixLists(s3="pl-01234567", dynamodb="pl-76543210")


def taken(**arguments: Any) -> ExistingVpc:
    return ExistingVpc(**{"vpc": VPC_ID, "subnets": SUBNETS, **arguments})


def from_vpc(app: cdk.App, build: Any, **arguments: Any) -> MlNetwork:
    """A network from an `IVpc` that `build` makes in the same stack."""
    stack = cdk.Stack(app, "Network")
    vpc = build(stack)
    chosen = ExistingVpc(vpc=vpc, **arguments)
    return SecureVpc.from_existing(stack, "Vpc", perimeter=PERIMETER, logs_key=key(stack), existing=chosen)


def own_vpc(*kinds: ec2.SubnetType, **arguments: Any) -> Any:
    """Make a VPC as a network team would, with one group of subnets for each kind."""
    groups = [ec2.SubnetConfiguration(name=kind.name.lower(), subnet_type=kind) for kind in kinds]
    return lambda stack: ec2.Vpc(stack, "Theirs", subnet_configuration=groups, max_azs=2, **arguments)


ISOLATED = ec2.SubnetType.PRIVATE_ISOLATED
EGRESS = ec2.SubnetType.PRIVATE_WITH_EGRESS
PUBLIC = ec2.SubnetType.PUBLIC


# -- What is taken and made --------------------------------------------------------------------------------


def test_the_network_itself_is_left_alone() -> None:
    kinds = {resource.type for resource in environments.given().resources()}
    assert kinds == {
        *("AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress"),
        *("AWS::EC2::VPCEndpoint", "AWS::IAM::ManagedPolicy", "AWS::IAM::Role", "AWS::Lambda::Function"),
        *("AWS::Logs::LogGroup", "Custom::IsolatedSubnets", "Custom::ManagedPrefixLists"),
    }


def test_the_same_attributes_as_a_network_of_ours() -> None:
    network = existing(new_app())
    assert network.vpc_id == VPC_ID
    assert network.isolated_subnet_ids == tuple(subnet.subnet_id for subnet in SUBNETS)
    assert set(network.endpoint_ids) == set(EndpointProfile.STUDIO.services)
    assert network.endpoint_zone_pairs == 36
    assert [s.availability_zone for s in network.vpc.isolated_subnets] == ["eu-central-1a", "eu-central-1b"]
    assert network.workload_security_group.security_group_id == network.workload_security_group_id


def test_endpoints_that_exist_are_shared() -> None:
    # One team removed 32 endpoints at $478 a month.
    theirs = {name: f"vpce-{number:017x}" for number, name in enumerate(EndpointProfile.STUDIO.services)}
    app = new_app()
    network = existing(app, existing=taken(endpoints=theirs))
    world = World(synth(app))
    assert not list(world.resources("AWS::EC2::VPCEndpoint"))
    assert network.endpoint_zone_pairs == 0
    assert network.endpoint_ids == theirs
    assert network.s3_endpoint_ids == (theirs["s3"],)


def test_an_endpoint_that_exists_is_not_required_again() -> None:
    app = new_app()
    network = existing(app, existing=taken(endpoints={"execute-api": "vpce-0a1b2c3d4e5f60718"}))
    assert network.require_endpoint("execute-api") == "vpce-0a1b2c3d4e5f60718"
    assert not any(
        "execute-api" in str(e.properties) for e in World(synth(app)).resources("AWS::EC2::VPCEndpoint")
    )


def test_only_what_is_missing_is_made() -> None:
    app = new_app()
    endpoints = Endpoints(profile=EndpointProfile.MINIMAL)
    beside = {"s3": S3_ENDPOINT, "s3-interface": "vpce-11111111", "glue": "vpce-22222222"}
    network = existing(app, endpoints=endpoints, existing=taken(endpoints=beside))
    made = list(World(synth(app)).resources("AWS::EC2::VPCEndpoint"))
    assert len(made) == len(EndpointProfile.MINIMAL.services) - 1
    assert network.s3_endpoint_ids == (S3_ENDPOINT, "vpce-11111111")
    assert network.endpoint_ids["glue"] == "vpce-22222222"


def test_gateways_write_into_the_given_tables_once() -> None:
    for endpoint in environments.given().resources("AWS::EC2::VPCEndpoint"):
        if endpoint.properties["VpcEndpointType"] == "Gateway":
            assert endpoint.properties["RouteTableIds"] == ["rtb-0123456789abcdef0"]


def test_groups_that_exist_are_taken() -> None:
    app = new_app()
    groups = ExistingGroups(endpoints="sg-11111111", workloads="sg-22222222", jobs="sg-33333333")
    network = existing(app, existing=taken(groups=groups))
    world = World(synth(app))
    assert not list(world.resources("AWS::EC2::SecurityGroup"))
    assert network.job_security_group_id == "sg-33333333"
    endpoints = [endpoint.properties for endpoint in world.resources("AWS::EC2::VPCEndpoint")]
    held = [e["SecurityGroupIds"] for e in endpoints if e["VpcEndpointType"] == "Interface"]
    assert held
    assert all(groups == ["sg-11111111"] for groups in held)


@pytest.mark.parametrize("admit", [True, False])
def test_another_accounts_endpoint_group_is_left_alone(admit: bool) -> None:
    app = new_app()
    network = existing(app, existing=taken(groups=ExistingGroups(endpoints="sg-11111111", admit=admit)))
    network.add_job_group("TeamA")
    rules = [r.properties for r in World(synth(app)).resources("AWS::EC2::SecurityGroupIngress")]
    assert len([rule for rule in rules if rule["GroupId"] == "sg-11111111"]) == (3 if admit else 0)


def test_a_deployment_looks_at_what_synth_cannot_see() -> None:
    check = environments.given().one("Custom::IsolatedSubnets")
    assert check.properties["VpcId"] == VPC_ID
    assert check.properties["SubnetIds"] == [subnet.subnet_id for subnet in SUBNETS]
    policy = json.dumps(environments.given().one("AWS::IAM::ManagedPolicy").properties)
    assert "ec2:DescribeRouteTables" in policy
    assert "Revoke" not in policy


def test_without_the_look_and_with_prefix_lists_there_is_no_function() -> None:
    app = new_app()
    existing(app, existing=taken(check_at_deployment=False), prefix_lists=LISTS)
    assert not list(World(synth(app)).resources("AWS::Lambda::Function"))


def test_without_the_look_prefix_lists_are_still_found() -> None:
    app = new_app()
    existing(app, existing=taken(check_at_deployment=False))
    world = World(synth(app))
    assert len(list(world.resources("Custom::ManagedPrefixLists"))) == 1
    assert not list(world.resources("Custom::IsolatedSubnets"))


def test_a_flow_log_is_made_where_it_is_asked_for() -> None:
    app = new_app()
    existing(app, flow_log_retention_days=90)
    world = World(synth(app))
    assert world.one("AWS::EC2::FlowLog").properties["ResourceId"] == VPC_ID
    assert not list(environments.given().resources("AWS::EC2::FlowLog"))


def test_an_isolated_vpc_of_the_same_app() -> None:
    app = new_app()
    network = from_vpc(app, own_vpc(ISOLATED))
    world = World(synth(app))
    subnets = [world.ref(subnet) for subnet in world.resources("AWS::EC2::Subnet")]
    assert world.one("Custom::IsolatedSubnets").properties["SubnetIds"] == subnets
    assert len(network.isolated_subnet_ids) == 2


def test_the_isolated_subnets_of_a_mixed_vpc_are_found() -> None:
    app = new_app()
    network = from_vpc(app, own_vpc(PUBLIC, EGRESS, ISOLATED, nat_gateways=1))
    world = World(synth(app))
    names = [world.resolve("Network", cdk.Stack.of(network).resolve(s)) for s in network.isolated_subnet_ids]
    assert names == [world.ref(s) for s in world.resources("AWS::EC2::Subnet", "isolated")]


def test_a_link_to_a_private_network_is_no_way_out() -> None:
    def build(stack: cdk.Stack) -> ec2.IVpc:
        vpc: ec2.Vpc = own_vpc(ISOLATED)(stack)
        for index, subnet in enumerate(vpc.isolated_subnets):
            ec2.CfnRoute(
                stack,
                f"OnPremises{index}",
                route_table_id=subnet.route_table.route_table_id,
                destination_cidr_block="192.168.0.0/16",
                gateway_id="vgw-01234567",
            )
        return vpc

    assert from_vpc(new_app(), build).isolated_subnet_ids


def test_a_vpc_that_is_being_looked_up_waits() -> None:
    app = new_app()
    stack = cdk.Stack(app, "Network", env=cdk.Environment(account="111122223333", region="eu-central-1"))
    vpc = ec2.Vpc.from_lookup(stack, "Theirs", tags={"Name": "ml"})
    SecureVpc.from_existing(
        stack, "Vpc", perimeter=PERIMETER, logs_key=key(stack), existing=ExistingVpc(vpc=vpc)
    )
    manifest = json.loads((Path(app.synth().directory) / "manifest.json").read_text())
    assert [missing["provider"] for missing in manifest["missing"]] == ["vpc-provider"]


def test_an_endpoint_that_was_there_tells_nothing_but_its_id() -> None:
    stack = cdk.Stack(new_app(), "Network")
    made = SecureVpc.from_existing(
        stack,
        "Vpc",
        perimeter=PERIMETER,
        logs_key=key(stack),
        existing=taken(endpoints={"sts": "vpce-0a1b2c3d4e5f60718"}),
    )
    assert made.endpoint_alias("sts") is None
    assert made.endpoint_alias("logs") is not None


def test_tokens_are_taken() -> None:
    app = new_app()
    stack = cdk.Stack(app, "Network")
    ids = [cdk.CfnParameter(stack, f"P{number}").value_as_string for number in range(4)]
    subnets = [
        ExistingSubnet(availability_zone=zone, subnet_id=ids[number], route_table_id=ids[2])
        for number, zone in enumerate(("a", "b"))
    ]
    chosen = ExistingVpc(vpc=ids[3], subnets=subnets)
    SecureVpc.from_existing(stack, "Vpc", perimeter=PERIMETER, logs_key=key(stack), existing=chosen)
    assert World(synth(app)).one("Custom::IsolatedSubnets").properties["VpcId"] == "parameter-P3"


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {
            "existing": taken(endpoints={"s3": S3_ENDPOINT}),
            "endpoints": Endpoints(profile=EndpointProfile.FULL),
            "prefix_lists": LISTS,
            "flow_log_retention_days": 365,
        },
    ],
    ids=["default", "full"],
)
def test_compliance(arguments: dict[str, Any]) -> None:
    assert not [str(finding) for finding in findings(lambda app: existing(app, **arguments))]


def test_snapshot(snapshot_template: Any) -> None:
    template = json.loads(json.dumps(environments.given().templates["Network"]))
    template["Resources"] = {
        name: resource
        for name, resource in template["Resources"].items()
        if resource["Type"] not in ("AWS::EC2::VPCEndpoint", "AWS::Lambda::Function")
    }
    snapshot_template(template)


# -- What is refused ---------------------------------------------------------------------------------------


def two(**arguments: Any) -> list[ExistingSubnet]:
    return [ExistingSubnet(**{**vars(SUBNETS[0]), **arguments}), SUBNETS[1]]


def bare() -> list[ExistingSubnet]:
    return [ExistingSubnet(availability_zone=s.availability_zone, subnet_id=s.subnet_id) for s in SUBNETS]


@pytest.mark.parametrize(
    ("given", "argument", "reason"),
    [
        ({"vpc": "vpc-xyz"}, "existing.vpc", "'vpc-…'"),
        ({"vpc": "default"}, "existing.vpc", "'vpc-…'"),
        ({"subnets": None}, "existing.subnets", "does not tell its subnets"),
        ({"subnets": SUBNETS[:1]}, "existing.subnets", "fewer than 2"),
        ({"subnets": []}, "existing.subnets", "fewer than 2"),
        ({"subnets": two(subnet_id="eni-01234567")}, "existing.subnets[0]", "'subnet-…'"),
        ({"subnets": two(subnet_id=SUBNETS[1].subnet_id)}, "existing.subnets", "given twice"),
        ({"subnets": [*SUBNETS, two(subnet_id="subnet-99999999")[0]]}, "existing.subnets", "same"),
        ({"subnets": bare()}, "existing.subnets", "s3 and dynamodb"),
        ({"subnets": bare(), "endpoints": {"s3": S3_ENDPOINT}}, "existing.subnets", "dynamodb"),
        ({"endpoints": {"s4": S3_ENDPOINT}}, "existing.endpoints['s4']", "no such service"),
        ({"endpoints": {"s3": "pl-01234567"}}, "existing.endpoints['s3']", "'vpce-…'"),
        ({"groups": ExistingGroups(jobs="default")}, "existing.groups.jobs", "'sg-…'"),
    ],
)
def test_refused(given: dict[str, Any], argument: str, reason: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        existing(new_app(), existing=taken(**given))
    (problem,) = caught.value.problems
    assert problem.argument == argument
    assert reason in problem.reason
    assert problem.fix


def attributes(**arguments: Any) -> Any:
    given = {
        "vpc_id": VPC_ID,
        "availability_zones": ["eu-central-1a", "eu-central-1b"],
        **arguments,
    }
    return lambda stack: ec2.Vpc.from_vpc_attributes(stack, "Theirs", **given)


IDS = ["subnet-01234567", "subnet-12345678"]
TABLES = ["rtb-01234567", "rtb-12345678"]


def test_the_default_vpc_is_refused() -> None:
    build = attributes(
        vpc_cidr_block="172.31.0.0/16", isolated_subnet_ids=IDS, isolated_subnet_route_table_ids=TABLES
    )
    with pytest.raises(ConfigurationError, match="every default VPC"):
        from_vpc(new_app(), build)


def test_an_import_that_does_not_say_its_range_is_taken() -> None:
    build = attributes(isolated_subnet_ids=IDS, isolated_subnet_route_table_ids=TABLES)
    assert from_vpc(new_app(), build).route_table_ids == tuple(TABLES)


def test_an_import_that_does_not_say_its_tables_needs_the_gateways() -> None:
    with pytest.raises(ConfigurationError, match="route_table_id"):
        from_vpc(new_app(), attributes(isolated_subnet_ids=IDS))
    gateways = {"s3": S3_ENDPOINT, "dynamodb": "vpce-11111111"}
    assert from_vpc(new_app(), attributes(isolated_subnet_ids=IDS), endpoints=gateways).s3_endpoint_ids


@pytest.mark.parametrize(("name", "reason"), [("public", "public subnet"), ("private", "subnet with egress")])
def test_subnets_that_an_import_calls_open_are_refused(name: str, reason: str) -> None:
    build = attributes(**{f"{name}_subnet_ids": IDS, f"{name}_subnet_route_table_ids": TABLES})
    subnets = [
        ExistingSubnet(availability_zone=zone, subnet_id=subnet, route_table_id=table)
        for zone, subnet, table in zip(("a", "b"), IDS, TABLES, strict=True)
    ]
    with pytest.raises(ConfigurationError) as caught:
        from_vpc(new_app(), build, subnets=subnets)
    assert [problem.argument for problem in caught.value.problems] == [
        "existing.subnets[0]",
        "existing.subnets[1]",
    ]
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("kinds", "chosen", "reason"),
    [
        ((PUBLIC, ISOLATED), "public_subnets", "gives out public addresses"),
        ((PUBLIC, EGRESS), "private_subnets", "a route out to 0.0.0.0/0"),
    ],
)
def test_subnets_that_lead_out_are_refused(
    kinds: tuple[ec2.SubnetType, ...], chosen: str, reason: str
) -> None:
    app = new_app()
    stack = cdk.Stack(app, "Network")
    vpc = own_vpc(*kinds)(stack)
    with pytest.raises(ConfigurationError, match=reason):
        SecureVpc.from_existing(
            stack,
            "Vpc",
            perimeter=PERIMETER,
            logs_key=key(stack),
            existing=ExistingVpc(vpc=vpc, subnets=getattr(vpc, chosen)),
        )


@pytest.mark.parametrize(
    "route",
    [
        {"destination_cidr_block": "0.0.0.0/0", "transit_gateway_id": "tgw-01234567"},
        {"destination_ipv6_cidr_block": "::/0", "egress_only_internet_gateway_id": "eigw-01234567"},
        {"destination_cidr_block": "8.8.8.0/24", "gateway_id": "igw-01234567"},
        {"destination_prefix_list_id": "pl-01234567", "nat_gateway_id": "nat-01234567"},
    ],
)
def test_an_isolated_subnet_with_a_way_out_is_refused(route: dict[str, Any]) -> None:
    def build(stack: cdk.Stack) -> ec2.IVpc:
        vpc: ec2.Vpc = own_vpc(ISOLATED)(stack)
        table = vpc.isolated_subnets[1].route_table.route_table_id
        ec2.CfnRoute(stack, "Out", route_table_id=table, **route)
        return vpc

    with pytest.raises(ConfigurationError) as caught:
        from_vpc(new_app(), build)
    assert [problem.argument for problem in caught.value.problems] == ["existing.subnets[1]"]


def test_a_vpc_without_isolated_subnets_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="fewer than 2"):
        from_vpc(new_app(), own_vpc(PUBLIC, EGRESS))


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({"flow_log_retention_days": 17}, "flow_log_retention_days"),
        ({"prefix_lists": PrefixLists(s3="pl-01234567")}, "prefix_lists.dynamodb"),
        ({"endpoints": Endpoints(zones={"sts": ("eu-central-1c",)})}, "endpoints.zones['sts']"),
    ],
)
def test_other_arguments_are_refused(arguments: dict[str, Any], argument: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        existing(new_app(), **arguments)
    (problem,) = caught.value.problems
    assert problem.argument == argument
