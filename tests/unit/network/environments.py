"""The networks that the tests of this folder look at, each synthesized once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_kms as kms

from secure_ml_constructs.network import (
    Egress,
    EncryptionControl,
    EndpointProfile,
    Endpoints,
    ExistingSubnet,
    ExistingVpc,
    InternetGatewayBlock,
    MlNetwork,
    OnPremises,
    PrefixLists,
    SecureVpc,
    VpcGuards,
)
from secure_ml_constructs.perimeter import DataPerimeter
from tests.support.templates import ACCOUNT, World, new_app, synth

PERIMETER = DataPerimeter()
KEY_ARN = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
SUBNETS = (
    ExistingSubnet(
        availability_zone="eu-central-1a",
        subnet_id="subnet-0123456789abcdef0",
        route_table_id="rtb-0123456789abcdef0",
    ),
    ExistingSubnet(
        availability_zone="eu-central-1b",
        subnet_id="subnet-0123456789abcdef1",
        route_table_id="rtb-0123456789abcdef0",
    ),
)
VPC_ID = "vpc-0123456789abcdef0"
FULL: dict[str, Any] = {
    "availability_zones": 3,
    "endpoints": Endpoints(
        profile=EndpointProfile.FULL, extra=("states",), zones={"codeartifact.api": (0, 1)}
    ),
    "prefix_lists": PrefixLists(s3="pl-0123456789abcdef0", dynamodb="pl-0123456789abcdef1"),
    "flow_log_retention_days": 3653,
    "guards": VpcGuards(
        block_public_access=InternetGatewayBlock.BIDIRECTIONAL,
        encryption_control=EncryptionControl.ENFORCE,
    ),
}


RANGES = ("192.168.0.0/16", "172.20.0.0/14")
VPN = OnPremises.vpn(ranges=RANGES, devices=["9.9.9.9", "8.8.8.8"], ports=(443, 5432))
DOMAINS = ("pypi.org", "*.pythonhosted.org")


def key(stack: cdk.Stack) -> kms.IKey:
    return kms.Key.from_key_arn(stack, "LogsKey", KEY_ARN)


def secure(app: cdk.App, *, region: str | None = None, **arguments: Any) -> SecureVpc:
    """A `SecureVpc` in a stack of its own."""
    env = cdk.Environment(account=ACCOUNT, region=region) if region else None
    stack = cdk.Stack(app, "Network", env=env)
    arguments.setdefault("perimeter", PERIMETER)
    return SecureVpc(stack, "Vpc", logs_key=key(stack), **arguments)


def existing(app: cdk.App, **arguments: Any) -> MlNetwork:
    """An existing network in a stack of its own."""
    stack = cdk.Stack(app, "Network")
    taken = arguments.pop("existing", ExistingVpc(vpc=VPC_ID, subnets=SUBNETS))
    return SecureVpc.from_existing(
        stack, "Vpc", perimeter=PERIMETER, logs_key=key(stack), existing=taken, **arguments
    )


def template_of(build: Callable[..., Any], **arguments: Any) -> dict[str, Any]:
    app = new_app()
    build(app, **arguments)
    return synth(app)["Network"]


@cache
def default() -> World:
    """Only the required arguments, in an unknown environment."""
    return World({"Network": template_of(secure)})


@cache
def full() -> World:
    """Every option, in a known region."""
    return World({"Network": template_of(secure, region="eu-central-1", **FULL)})


@cache
def firewalled() -> World:
    """A way out, in an unknown environment."""
    return World({"Network": template_of(secure, egress=Egress.firewalled(domains=DOMAINS))})


@cache
def linked() -> World:
    """A VPN to two ranges, in an unknown environment."""
    return World({"Network": template_of(secure, on_premises=VPN)})


@cache
def given() -> World:
    """An existing network with only the required arguments."""
    return World({"Network": template_of(existing)})
