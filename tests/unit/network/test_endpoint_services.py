"""The catalogue of endpoint services, held against the CDK's own list."""

from __future__ import annotations

import re

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2

from secure_ml_constructs.network import SERVICES, EndpointProfile, EndpointService
from tests.support.templates import ROOT

pytestmark = pytest.mark.slow

REGIONS = ("us-east-1", "eu-central-1", "cn-north-1", "cn-northwest-1", "us-gov-west-1", "eusc-de-east-1")


@pytest.fixture(scope="session")
def cdk_names() -> dict[str, dict[str, str]]:
    """What the CDK calls each of its interface services in each region."""
    app = cdk.App()
    stacks = {
        region: cdk.Stack(app, region, env=cdk.Environment(region=region, account="111122223333"))
        for region in REGIONS
    }
    found = {}
    for attribute in dir(ec2.InterfaceVpcEndpointAwsService):
        if attribute.isupper():
            name = getattr(ec2.InterfaceVpcEndpointAwsService, attribute).name
            found[attribute] = {region: stack.resolve(name) for region, stack in stacks.items()}
    return found


def interfaces() -> list[EndpointService]:
    return [service for service in SERVICES.values() if not service.gateway]


@pytest.mark.parametrize("region", REGIONS)
def test_names_are_those_of_the_cdk(cdk_names: dict[str, dict[str, str]], region: str) -> None:
    by_first = {names["us-east-1"]: names for names in cdk_names.values()}
    for service in interfaces():
        assert service.full_name(region) == by_first[service.full_name("us-east-1")][region]


def test_gateways_have_the_common_prefix_everywhere() -> None:
    gateways = [service.name for service in SERVICES.values() if service.gateway]
    assert gateways == ["s3", "dynamodb", "s3express"]
    for name in gateways:
        assert SERVICES[name].full_name("cn-north-1") == f"com.amazonaws.cn-north-1.{name}"


def test_profiles_grow() -> None:
    minimal, studio, full = (set(profile.services) for profile in EndpointProfile)
    assert minimal < studio < full
    assert {"s3", "dynamodb"} <= minimal


def test_the_full_profile_reaches_all_that_the_requirement_names() -> None:
    wanted = {
        *("s3", "dynamodb", "sagemaker.api", "sagemaker.runtime", "sagemaker.studio"),
        *("sagemaker.experiments", "sagemaker.metrics", "sagemaker.featurestore-runtime", "sts", "kms"),
        *("logs", "monitoring", "events", "ecr.api", "ecr.dkr", "ec2", "secretsmanager", "ssm"),
        *("codeartifact.api", "codeartifact.repositories", "elasticfilesystem", "glue", "athena"),
        *("lakeformation", "execute-api", "bedrock-runtime"),
    }
    assert wanted <= set(EndpointProfile.FULL.services)


def test_a_studio_domain_without_internet_gets_what_its_guide_asks_for() -> None:
    # Amazon SageMaker AI: Connect Amazon SageMaker Studio in a VPC to External Resources.
    wanted = {"sagemaker.api", "sagemaker.runtime", "s3", "sagemaker.studio", "sts", "logs"}
    assert wanted <= set(EndpointProfile.STUDIO.services)


def test_the_page_names_the_right_numbers() -> None:
    page = (ROOT / "docs" / "constructs" / "secure-vpc.md").read_text()
    for profile in EndpointProfile:
        count = sum(not SERVICES[name].gateway for name in profile.services)
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{profile.name}`")]
        assert row.endswith(f"| {count} | {2 * count} | {3 * count} |")


def test_no_two_services_would_get_one_logical_id() -> None:
    names = [re.sub(r"[.-]", "", name) for name in SERVICES]
    assert len(set(names)) == len(names)


def test_a_service_of_ones_own() -> None:
    service = EndpointService(name="acme", service_name="com.amazonaws.vpce.{region}.vpce-svc-1")
    assert service.full_name("eu-west-1") == "com.amazonaws.vpce.eu-west-1.vpce-svc-1"
