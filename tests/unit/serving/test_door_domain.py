"""A door's own name: who finds it, and where it leads."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_apigateway as apigateway

from secure_ml_constructs.network import MlNetwork
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.serving.door_domain import DoorDomain, private_domain
from tests.support.templates import REGION, World, new_app, synth
from tests.unit.serving.front_doors import (
    CERTIFICATE,
    DOMAIN,
    NAME,
    build_private_iam_tenants,
    build_private_jwt,
    build_regional_jwt,
)

pytestmark = pytest.mark.slow

RECORD, ZONE = "AWS::Route53::RecordSet", "AWS::Route53::HostedZone"
GIVEN = "vpce-0a1b2c3d4e5f60718"


@pytest.fixture(scope="module")
def own() -> World:
    app = new_app()
    build_private_jwt(app)
    return World(synth(app))


def test_a_private_name_is_known_in_the_network_and_nowhere_else(own: World) -> None:
    zone = own.one(ZONE)
    # The door's name and nothing above it: the rest of that name is found as before.
    assert zone.properties["Name"] == NAME
    assert zone.properties["VPCs"] == [{"VPCId": own.ref(own.one("AWS::EC2::VPC")), "VPCRegion": REGION}]
    assert zone.raw.get("DeletionPolicy", "Delete") == "Delete"
    assert own.one(RECORD).properties["HostedZoneId"] == own.ref(zone)


def test_it_leads_to_the_endpoint_of_private_apis(own: World) -> None:
    endpoint = own.ref(own.one("AWS::EC2::VPCEndpoint", "ExecuteApi"))
    record = own.one(RECORD).properties
    assert (record["Name"], record["Type"]) == (NAME, "A")
    assert record["AliasTarget"]["DNSName"].startswith(f"{endpoint}-")
    assert record["AliasTarget"]["HostedZoneId"] == "Z7HUB22UULQXV"
    # Nobody is led to a name that answers for nothing yet.
    mapping = own.one("AWS::ApiGateway::BasePathMappingV2")
    assert mapping.logical_id in own.one(RECORD).raw["DependsOn"]


def test_a_zone_of_yours_gets_the_record() -> None:
    app = new_app()
    build_private_iam_tenants(app)
    world = World(synth(app))
    assert list(world.resources(ZONE)) == []
    record = world.one(RECORD).properties
    assert record["HostedZoneId"] == DOMAIN.zone_id
    assert record["AliasTarget"]["DNSName"].startswith("vpce-")


def test_a_regional_name_without_a_zone_is_yours_to_publish() -> None:
    app = new_app()
    build_regional_jwt(app)
    world = World(synth(app))
    assert list(world.resources(ZONE)) == list(world.resources(RECORD)) == []
    assert world.one("AWS::ApiGateway::DomainName").properties["DomainName"] == NAME


class Given(MlNetwork):
    """A network whose endpoint was there before."""

    def __init__(self, scope: cdk.Stack, id: str) -> None:
        super().__init__(scope, id)
        self.endpoint_ids = {"execute-api": GIVEN}
        self.vpc_id = "vpc-0a1b2c3d4e5f60718"

    def endpoint_alias(self, service: str) -> None:
        """It tells nothing but its id."""


@pytest.mark.parametrize("zone_id", [None, "Z0A1B2C3D4E5F6"])
def test_an_endpoint_that_was_there_is_found_by_the_apis_name_at_it(zone_id: str | None) -> None:
    app = new_app()
    stack = cdk.Stack(app, "Serving")
    stage = apigateway.CfnStage(stack, "Stage", rest_api_id="a1b2c3", deployment_id="d4e5f6")
    domain = DoorDomain(name=NAME, certificate_arn=CERTIFICATE, zone_id=zone_id)
    private_domain(stack, domain, perimeter=DataPerimeter(), network=Given(stack, "Network"), stage=stage)
    world = World(synth(app))
    assert list(world.resources(ZONE)) == []
    found = [each.properties for each in world.resources(RECORD)]
    assert [each["ResourceRecords"] for each in found] == (
        [[f"a1b2c3-{GIVEN}.execute-api.{REGION}.amazonaws.com"]] if zone_id else []
    )
    assert all(each["Type"] == "CNAME" and each["HostedZoneId"] == zone_id for each in found)
