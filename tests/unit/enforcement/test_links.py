"""Links that an app names are no finding; routes beside them are, for the rules and for the proofs."""

from __future__ import annotations

import io
from collections.abc import Sequence

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sagemaker as sagemaker

from secure_ml_constructs import DataPerimeter, OnPremises, SecureVpc, enforce
from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.verification.rules import Settings
from tests.support.templates import ACCOUNT, new_app

pytestmark = pytest.mark.slow

RANGES = ("192.168.0.0/16", "172.20.0.0/14")
KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
ISOLATED = {"SecureMl::SubnetIsolated", "SecureMl::SubnetIsolatedAsNamed"}
PROVED = "SecureMlProofs::compromised-job-reach-another-network"


def found(named: Sequence[str] | None, stray: str = "", settings: Settings | None = None) -> set[str]:
    """The rules that find something in a network with a link, or with routes that somebody added."""
    app = new_app()
    checks = enforce(app, packs=[], cloudformation=False, rules=settings or Settings())
    stack = cdk.Stack(app, "Network")
    key = kms.Key.from_key_arn(stack, "LogsKey", KEY)
    link = OnPremises.vpn(ranges=named, devices=["8.8.8.8"]) if named else None
    vpc = SecureVpc(stack, "Vpc", perimeter=DataPerimeter(), logs_key=key, on_premises=link)
    sagemaker.CfnModel(
        stack,
        "Model",
        execution_role_arn=f"arn:aws:iam::{ACCOUNT}:role/secure-ml/model",
        vpc_config=sagemaker.CfnModel.VpcConfigProperty(
            subnets=list(vpc.isolated_subnet_ids), security_group_ids=[vpc.workload_security_group_id]
        ),
    )
    if stray:
        gateway = vpc.on_premises_link.gateway_id if vpc.on_premises_link else "vgw-0123456789abcdef0"
        ec2.CfnRoute(
            stack,
            "Stray",
            route_table_id=vpc.route_table_ids[0],
            destination_cidr_block=stray,
            gateway_id=gateway,
        )
    out = io.StringIO()
    try:
        summary = checks.synth(out=out)
    except SystemExit:
        return {word for word in out.getvalue().split() if word in {*ISOLATED, PROVED, INVPC}}
    assert not summary.findings
    return set()


INVPC = "SecureMl::SageMakerModelInVpc"


def test_a_link_that_a_construct_names_is_no_finding() -> None:
    assert not found(RANGES)


@pytest.mark.parametrize("stray", ["10.128.0.0/9", "172.16.0.0/12"])
def test_a_route_beside_it_is_one(stray: str) -> None:
    assert found(RANGES, stray) == {*ISOLATED, INVPC, PROVED}


def test_a_route_without_a_name_is_one() -> None:
    assert found(None, "192.168.0.0/16") == {*ISOLATED, INVPC, PROVED}


def test_the_rules_take_names_from_settings_as_well() -> None:
    named = Settings(linked_networks=("192.168.0.0/16",))
    assert found(None, "192.168.0.0/16", named) == {PROVED}
    assert found(None, "192.168.0.0/15", named) >= ISOLATED


def test_a_setting_that_is_no_range_is_refused() -> None:
    assert Settings.read({"linked_networks": ["10.1.0.0/16"]}, "file", frozenset()).linked_networks == (
        "10.1.0.0/16",
    )
    with pytest.raises(ConfigurationError) as caught:
        Settings.read({"linked_networks": ["10.1.0.0/16", "office", "10.1.0.1/8"]}, "file", frozenset())
    assert [p.argument for p in caught.value.problems] == ["linked_networks[1]", "linked_networks[2]"]
