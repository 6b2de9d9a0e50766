"""VPC endpoints: which service, which VPC, which policy."""

from __future__ import annotations

from typing import Any

import pytest

from secure_ml_constructs.verification.proofs.iam import NotCovered, Policies, Unknown
from secure_ml_constructs.verification.proofs.iam.documents import Kind
from secure_ml_constructs.verification.proofs.iam.prove import CounterExample, Proved
from tests.unit.verification.proofs.estate.building import (
    ACCOUNT,
    OBJECT,
    OPEN,
    asked,
    document,
    estate,
    made,
)

INSIDER = f"arn:aws:iam::{ACCOUNT}:role/insider"


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("com.amazonaws.${AWS::Region}.s3", "s3"),
        ("cn.com.amazonaws.cn-north-1.sagemaker.api", "sagemaker.api"),
        ("com.amazonaws.us-gov-west-1.ecr.dkr", "ecr.dkr"),
        ("aws.sagemaker.${AWS::Region}.studio", "sagemaker.studio"),
        ("com.amazonaws.vpce.eu-west-1.vpce-svc-0123", "vpce.vpce-svc-0123"),
        ("com.partner.service", "com.partner.service"),
    ],
)
def test_services(name: str, service: str) -> None:
    endpoint = made("EC2::VPCEndpoint", ServiceName={"Fn::Sub": name}, VpcId={"Ref": "V"})
    found = estate({"V": made("EC2::VPC"), "E": endpoint})
    assert found.endpoints[0].service == service
    assert found.endpoints[0].vpc == found.attribute(next(found.resources("AWS::EC2::VPC")), "Ref")
    assert found.endpoints[0].type == "Gateway"


def through(policy: Any) -> Any:
    endpoint = made("EC2::VPCEndpoint", ServiceName="com.amazonaws.eu-west-1.s3", PolicyDocument=policy)
    found = estate({"E": endpoint})
    all_ = found.document(next(iter(found.templates)), document("*"), Kind.IDENTITY, "all")
    policies = Policies(identity=(all_,), endpoint=found.endpoints[0].documents)
    return asked(policies, INSIDER, "s3:GetObject", OBJECT)


def test_policies() -> None:
    assert isinstance(through({"Ref": "AWS::NoValue"}), CounterExample)
    assert isinstance(through(document("s3:Get*", Principal="*")), CounterExample)
    assert isinstance(through(document("s3:Put*", Principal="*")), Proved)
    assert isinstance(through({"Statement": "x"}), NotCovered)
    assert isinstance(through(OPEN), NotCovered)


def test_what_is_not_said() -> None:
    (endpoint,) = estate({"E": made("EC2::VPCEndpoint", VpcId=OPEN)}).endpoints
    assert isinstance(endpoint.vpc, Unknown)
    assert isinstance(endpoint.service, Unknown)
