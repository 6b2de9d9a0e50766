"""Network settings that CloudFormation has no type for, as custom resources.

This file is inlined into its function as it stands, where only Python and boto3 are to be had.
"""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import boto3


def close_default_group(ec2: Any, group_id: str) -> None:
    """Take every rule out of a security group."""
    group = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"][0]
    for rules, revoke in (
        (group["IpPermissions"], ec2.revoke_security_group_ingress),
        (group["IpPermissionsEgress"], ec2.revoke_security_group_egress),
    ):
        # Revoking a rule that is not there is no error at EC2, it is listed.
        left = rules and revoke(GroupId=group_id, IpPermissions=rules).get("UnknownIpPermissions")
        if left:
            raise RuntimeError(f"{group_id} kept rules: {left}")


def find_prefix_lists(ec2: Any, names: dict[str, str]) -> dict[str, str]:
    """Give the ids of AWS's prefix lists: {"S3": "com.amazonaws.<region>.s3"} gives {"S3": "pl-..."}."""
    ids = {}
    for key, name in names.items():
        filters = [
            {"Name": "owner-id", "Values": ["AWS"]},
            {"Name": "prefix-list-name", "Values": [name]},
        ]
        found = ec2.describe_managed_prefix_lists(Filters=filters)["PrefixLists"]
        if len(found) != 1:
            raise RuntimeError(f"{len(found)} prefix lists of AWS are named {name}")
        ids[key] = found[0]["PrefixListId"]
    return ids


def check_network(ec2: Any, vpc_id: str, subnet_ids: list[str]) -> None:
    """Refuse the default VPC, and subnets that are public or have a route out."""
    wrong = []
    if ec2.describe_vpcs(VpcIds=[vpc_id])["Vpcs"][0]["IsDefault"]:
        wrong.append(f"{vpc_id} is the default VPC")
    for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
        answer = ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute="e" + attribute[1:])
        if not answer[attribute]["Value"]:
            wrong.append(f"{vpc_id} has {attribute} off, which the endpoints' private names need")
    tables = {}
    pages = ec2.get_paginator("describe_route_tables")
    for page in pages.paginate(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}]):
        for table in page["RouteTables"]:
            for link in table["Associations"]:
                tables["main" if link.get("Main") else link.get("SubnetId")] = table["Routes"]
    for subnet in ec2.describe_subnets(SubnetIds=subnet_ids)["Subnets"]:
        subnet_id = subnet["SubnetId"]
        if subnet["VpcId"] != vpc_id:
            wrong.append(f"{subnet_id} is not in {vpc_id}")
        if subnet["MapPublicIpOnLaunch"]:
            wrong.append(f"{subnet_id} gives out public addresses")
        # A subnet without a table of its own follows the VPC's main one.
        for route in tables.get(subnet_id, tables.get("main", [])):
            to = route.get("DestinationCidrBlock") or route.get("DestinationIpv6CidrBlock")
            gateway = route.get("NatGatewayId") or route.get("EgressOnlyInternetGatewayId")
            if gateway or route.get("GatewayId", "").startswith("igw-") or to in ("0.0.0.0/0", "::/0"):
                wrong.append(f"{subnet_id} has a route out to {to}")
    if wrong:
        raise RuntimeError("; ".join(wrong))


def check_link(gateway_id: str) -> None:
    """Refuse a Direct Connect gateway with a connection that does not have to encrypt by MACsec."""
    client = boto3.client("directconnect")
    asked: dict[str, Any] = {"directConnectGatewayId": gateway_id}
    interfaces, wrong = [], []
    while True:
        page = client.describe_direct_connect_gateway_attachments(**asked)
        interfaces += page["directConnectGatewayAttachments"]
        if not page.get("nextToken"):
            break
        asked["nextToken"] = page["nextToken"]
    for interface in interfaces:
        there = boto3.client("directconnect", region_name=interface["virtualInterfaceRegion"])
        name = interface["virtualInterfaceId"]
        found = there.describe_virtual_interfaces(virtualInterfaceId=name)["virtualInterfaces"]
        under = found[0]["connectionId"] if found else ""
        if under.startswith("dxlag-"):
            lags = there.describe_lags(lagId=under)["lags"]
            connections = [each for lag in lags for each in lag["connections"]]
        else:
            connections = there.describe_connections(connectionId=under)["connections"] if under else []
        if not connections:
            wrong.append(f"the connections of {name} are not to be seen from this account")
        for connection in connections:
            mode = connection.get("encryptionMode", "no_encrypt")
            if mode != "must_encrypt":
                wrong.append(
                    f"{connection['connectionId']} of {name} has MACsec mode {mode}, not must_encrypt"
                )
    if not interfaces:
        wrong.append(f"{gateway_id} has no virtual interface yet")
    if wrong:
        raise RuntimeError("; ".join(wrong))


def run(kind: str, properties: dict[str, Any]) -> dict[str, str]:
    """Do what one kind of custom resource asks for, and give its attributes."""
    if kind == "Custom::EncryptedLink":
        check_link(properties["GatewayId"])
        return {}
    ec2 = boto3.client("ec2")
    if kind == "Custom::ManagedPrefixLists":
        return find_prefix_lists(ec2, properties["Names"])
    if kind == "Custom::VpcRestrictDefaultSG":
        close_default_group(ec2, properties["SecurityGroupId"])
    else:
        check_network(ec2, properties["VpcId"], properties["SubnetIds"])
    return {}


def handler(event: dict[str, Any], context: object) -> None:
    """Answer CloudFormation in any case: a stack that never hears waits for its timeout."""
    answer = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    answer |= {"PhysicalResourceId": event["LogicalResourceId"], "Status": "SUCCESS"}
    try:
        # Nothing is put back on deletion: the group goes with its VPC.
        if event["RequestType"] != "Delete":
            answer["Data"] = run(event["ResourceType"], event["ResourceProperties"])
    except Exception as error:
        answer |= {"Status": "FAILED", "Reason": f"{type(error).__name__}: {error}"[:1000]}
    print(json.dumps(answer))
    body = json.dumps(answer).encode()
    request = urllib.request.Request(event["ResponseURL"], body, {"Content-Type": ""}, method="PUT")
    # A failure to answer is raised: Lambda then runs all of it again, twice, which does no harm.
    urllib.request.urlopen(request, timeout=10).close()
