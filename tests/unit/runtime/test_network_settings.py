"""The function behind the network's custom resources, run against EC2 as moto plays it."""

from __future__ import annotations

import ast
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3
import pytest
from moto import mock_aws

from secure_ml_constructs.network.settings import source
from secure_ml_constructs.runtime import network_settings

pytestmark = pytest.mark.slow

REGION = "eu-central-1"
Answer = dict[str, Any]
Call = Callable[..., Answer]


class CloudFormation(HTTPServer):
    """The presigned address that CloudFormation waits at."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.answers: list[Answer] = []
        self.status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/answer?Signature=x"


class Receiver(BaseHTTPRequestHandler):
    server: CloudFormation

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        # A content type would be part of the signature.
        assert self.headers["Content-Type"] == ""
        self.server.answers.append(json.loads(body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def cloudformation() -> Iterator[CloudFormation]:
    server = CloudFormation()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def ec2() -> Iterator[Any]:
    """One account for all tests, since making one takes a second; each test has a VPC of its own."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        with mock_aws(config={"core": {"passthrough": {"urls": [r"http://127\.0\.0\.1:.*"]}}}):
            client = boto3.client("ec2")
            # Each client reads EC2's model anew.
            patch.setattr(boto3, "client", {"ec2": client}.__getitem__)
            yield client


@pytest.fixture
def call(ec2: Any, cloudformation: CloudFormation) -> Call:
    def send(kind: str, request: str = "Create", **properties: Any) -> Answer:
        event = {
            "RequestType": request,
            "ResourceType": f"Custom::{kind}",
            "ResponseURL": cloudformation.url,
            "StackId": "arn:aws:cloudformation:eu-central-1:111122223333:stack/network/1",
            "RequestId": "request",
            "LogicalResourceId": "Settings",
            "ResourceProperties": {"ServiceToken": "arn", "ServiceTimeout": "120", **properties},
        }
        network_settings.handler(event, None)
        (answer,) = cloudformation.answers
        cloudformation.answers.clear()
        assert {key: answer[key] for key in ("StackId", "RequestId", "LogicalResourceId")} == {
            key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")
        }
        assert answer["PhysicalResourceId"] == "Settings"
        return answer

    return send


@pytest.fixture
def network(ec2: Any) -> dict[str, Any]:
    """An isolated VPC as a network team makes it."""
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24")["Subnet"]["SubnetId"]
        for number in range(2)
    ]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnets[0])
    return {"VpcId": vpc, "SubnetIds": subnets, "table": table}


def check(call: Call, network: dict[str, Any]) -> Answer:
    return call("IsolatedSubnets", VpcId=network["VpcId"], SubnetIds=network["SubnetIds"])


# -- The default group -------------------------------------------------------------------------------------


def default_group(ec2: Any, network: dict[str, Any]) -> str:
    filters = [
        {"Name": "vpc-id", "Values": [network["VpcId"]]},
        {"Name": "group-name", "Values": ["default"]},
    ]
    return str(ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"])


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_the_default_group_is_emptied(
    ec2: Any, call: Call, network: dict[str, Any], request_type: str
) -> None:
    group = default_group(ec2, network)
    itself = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}]
    ssh = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=itself)
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=ssh)
    vpc = network["VpcId"]
    other = ec2.create_security_group(GroupName="other", Description="other", VpcId=vpc)["GroupId"]

    answer = call("VpcRestrictDefaultSG", request_type, SecurityGroupId=group)

    assert answer["Status"] == "SUCCESS"
    assert answer["Data"] == {}
    found = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    assert found["IpPermissions"] == found["IpPermissionsEgress"] == []
    assert ec2.describe_security_groups(GroupIds=[other])["SecurityGroups"][0]["IpPermissionsEgress"]


def test_an_empty_group_stays_so(ec2: Any, call: Call, network: dict[str, Any]) -> None:
    group = default_group(ec2, network)
    for _ in range(2):
        assert call("VpcRestrictDefaultSG", SecurityGroupId=group)["Status"] == "SUCCESS"


def test_deletion_does_nothing(ec2: Any, call: Call, network: dict[str, Any]) -> None:
    group = default_group(ec2, network)
    answer = call("VpcRestrictDefaultSG", "Delete", SecurityGroupId=group)
    assert answer["Status"] == "SUCCESS"
    assert "Data" not in answer
    assert ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissionsEgress"]
    # Not even where what it was made for has long gone.
    assert call("IsolatedSubnets", "Delete", VpcId="vpc-gone", SubnetIds=[])["Status"] == "SUCCESS"


def test_a_group_that_is_not_there_fails_with_the_reason(call: Call) -> None:
    answer = call("VpcRestrictDefaultSG", SecurityGroupId="sg-0123456789abcdef0")
    assert answer["Status"] == "FAILED"
    assert "sg-0123456789abcdef0" in answer["Reason"]


def test_a_rule_that_stays_fails() -> None:
    class Stubborn:
        def describe_security_groups(self, **_: Any) -> Any:
            rule = {"IpProtocol": "-1"}
            return {"SecurityGroups": [{"IpPermissions": [rule], "IpPermissionsEgress": []}]}

        def revoke_security_group_ingress(self, **given: Any) -> Any:
            return {"Return": True, "UnknownIpPermissions": given["IpPermissions"]}

        revoke_security_group_egress = revoke_security_group_ingress

    with pytest.raises(RuntimeError, match="sg-1 kept rules"):
        network_settings.close_default_group(Stubborn(), "sg-1")


# -- Prefix lists ------------------------------------------------------------------------------------------


def test_prefix_lists_are_found_by_name(ec2: Any, call: Call) -> None:
    names = {service: f"com.amazonaws.{REGION}.{service}" for service in ("s3", "dynamodb")}
    answer = call("ManagedPrefixLists", Names=names)
    assert answer["Status"] == "SUCCESS"
    found = ec2.describe_managed_prefix_lists(Filters=[{"Name": "owner-id", "Values": ["AWS"]}])
    by_name = {entry["PrefixListName"]: entry["PrefixListId"] for entry in found["PrefixLists"]}
    assert answer["Data"] == {service: by_name[name] for service, name in names.items()}


def test_a_list_that_only_looks_like_aws_is_not_taken(ec2: Any, call: Call) -> None:
    name = f"com.amazonaws.{REGION}.dynamodb"
    ec2.create_managed_prefix_list(PrefixListName=name, MaxEntries=1, AddressFamily="IPv4")
    ours = ec2.describe_managed_prefix_lists(Filters=[{"Name": "prefix-list-name", "Values": [name]}])
    assert len(ours["PrefixLists"]) == 2
    assert call("ManagedPrefixLists", Names={"dynamodb": name})["Status"] == "SUCCESS"


def test_no_such_list_fails_with_its_name(call: Call) -> None:
    answer = call("ManagedPrefixLists", Names={"s3": "com.amazonaws.nowhere.s3"})
    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == "RuntimeError: 0 prefix lists of AWS are named com.amazonaws.nowhere.s3"


# -- An existing network -----------------------------------------------------------------------------------


def test_an_isolated_network_is_taken(call: Call, network: dict[str, Any]) -> None:
    answer = check(call, network)
    assert answer["Status"] == "SUCCESS", answer
    assert answer["Data"] == {}


def test_a_gateway_endpoint_is_no_way_out(ec2: Any, call: Call, network: dict[str, Any]) -> None:
    ec2.create_vpc_endpoint(
        VpcId=network["VpcId"],
        ServiceName=f"com.amazonaws.{REGION}.s3",
        RouteTableIds=[network["table"]],
    )
    assert check(call, network)["Status"] == "SUCCESS"


def refused(answer: Answer) -> str:
    assert answer["Status"] == "FAILED"
    return str(answer["Reason"])


def test_the_default_vpc_is_refused(ec2: Any, call: Call) -> None:
    (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["Subnets"]
    ids = [subnet["SubnetId"] for subnet in subnets]
    reason = refused(call("IsolatedSubnets", VpcId=vpc["VpcId"], SubnetIds=ids))
    assert f"{vpc['VpcId']} is the default VPC" in reason
    assert f"{ids[0]} gives out public addresses" in reason


def test_a_network_without_names_is_refused(ec2: Any, call: Call, network: dict[str, Any]) -> None:
    ec2.modify_vpc_attribute(VpcId=network["VpcId"], EnableDnsHostnames={"Value": False})
    assert "has EnableDnsHostnames off" in refused(check(call, network))


def test_a_subnet_of_another_network_is_refused(ec2: Any, call: Call, network: dict[str, Any]) -> None:
    other = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=other, CidrBlock="10.9.0.0/24")["Subnet"]["SubnetId"]
    network["SubnetIds"].append(subnet)
    assert f"{subnet} is not in {network['VpcId']}" in refused(check(call, network))


def test_a_subnet_that_gives_out_public_addresses_is_refused(
    ec2: Any, call: Call, network: dict[str, Any]
) -> None:
    subnet = network["SubnetIds"][1]
    ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    assert refused(check(call, network)) == f"RuntimeError: {subnet} gives out public addresses"


def main_table(ec2: Any, network: dict[str, Any]) -> str:
    filters = [
        {"Name": "vpc-id", "Values": [network["VpcId"]]},
        {"Name": "association.main", "Values": ["true"]},
    ]
    return str(ec2.describe_route_tables(Filters=filters)["RouteTables"][0]["RouteTableId"])


def gateway(ec2: Any, network: dict[str, Any], kind: str) -> dict[str, str]:
    """Give a route's target of one kind, attached to the network."""
    vpc = network["VpcId"]
    if kind == "internet":
        made = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=made, VpcId=vpc)
        return {"GatewayId": made}
    if kind == "nat":
        address = ec2.allocate_address(Domain="vpc")["AllocationId"]
        made = ec2.create_nat_gateway(SubnetId=network["SubnetIds"][0], AllocationId=address)
        return {"NatGatewayId": made["NatGateway"]["NatGatewayId"]}
    if kind == "egress-only":
        made = ec2.create_egress_only_internet_gateway(VpcId=vpc)["EgressOnlyInternetGateway"]
        return {"EgressOnlyInternetGatewayId": made["EgressOnlyInternetGatewayId"]}
    return {"TransitGatewayId": ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]}


@pytest.mark.parametrize(
    ("where", "kind", "destination"),
    [
        ("own table", "internet", {"DestinationCidrBlock": "0.0.0.0/0"}),
        ("main table", "internet", {"DestinationCidrBlock": "8.8.8.0/24"}),
        ("own table", "nat", {"DestinationCidrBlock": "10.9.0.0/16"}),
        ("main table", "egress-only", {"DestinationIpv6CidrBlock": "2001:db8::/32"}),
        ("own table", "transit", {"DestinationCidrBlock": "0.0.0.0/0"}),
    ],
)
def test_a_way_out_is_refused(
    ec2: Any, call: Call, network: dict[str, Any], where: str, kind: str, destination: dict[str, str]
) -> None:
    own = where == "own table"
    table = network["table"] if own else main_table(ec2, network)
    ec2.create_route(RouteTableId=table, **destination, **gateway(ec2, network, kind))
    (to,) = destination.values()
    subnet = network["SubnetIds"][0 if own else 1]
    assert refused(check(call, network)) == f"RuntimeError: {subnet} has a route out to {to}"


def test_a_link_to_a_private_network_is_taken(ec2: Any, call: Call, network: dict[str, Any]) -> None:
    target = gateway(ec2, network, "transit")
    ec2.create_route(RouteTableId=network["table"], DestinationCidrBlock="192.168.0.0/16", **target)
    assert check(call, network)["Status"] == "SUCCESS"


# -- The answer --------------------------------------------------------------------------------------------


def test_a_long_reason_is_cut(call: Call) -> None:
    # CloudFormation takes 4,096 bytes in all.
    answer = call("ManagedPrefixLists", Names={"s3": "x" * 5000})
    assert len(json.dumps(answer)) < 4096


def test_an_answer_that_does_not_arrive_is_an_error(call: Call, cloudformation: CloudFormation) -> None:
    cloudformation.status = 503
    with pytest.raises(OSError, match="503"):
        call("ManagedPrefixLists", Names={})


def test_the_code_needs_nothing_but_what_lambda_has() -> None:
    allowed = {"__future__", "boto3", "json", "typing", "urllib.request"}
    imported = set()
    for node in ast.walk(ast.parse(source())):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module or "")
    assert imported <= allowed
