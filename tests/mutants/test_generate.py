"""The mutants: made of everything that the templates hold, each one change, and the same each time."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.mutants.generate import mutants
from tests.mutants.mutant import KINDS, Mutant
from tests.support.templates import Templates

BUCKET = {
    "Type": "AWS::S3::Bucket",
    "DeletionPolicy": "Retain",
    "Properties": {
        "ObjectLockEnabled": True,
        "VersioningConfiguration": {"Status": "Enabled"},
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [
                {
                    "BucketKeyEnabled": True,
                    "ServerSideEncryptionByDefault": {
                        "SSEAlgorithm": "aws:kms",
                        "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]},
                    },
                }
            ]
        },
    },
}
POLICY = {
    "Type": "AWS::S3::BucketPolicy",
    "DependsOn": ["Bucket"],
    "Properties": {
        "Bucket": {"Ref": "Bucket"},
        "PolicyDocument": {
            "Statement": [
                {
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": ["s3:GetObject*", "s3:PutObject"],
                    "Resource": "*",
                    "Condition": {
                        "StringNotEqualsIfExists": {"aws:SourceVpce": ["vpce-1"]},
                        "BoolIfExists": {"aws:ViaAWSService": "false"},
                    },
                },
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "logging.s3.amazonaws.com"},
                    "Action": "s3:PutObject",
                    "Resource": "arn:aws:s3:::bucket/*",
                    "Condition": {
                        "StringEquals": {"aws:SourceAccount": "111122223333"},
                        "ArnLike": {"aws:SourceArn": ["arn:aws:s3:::a", "arn:aws:s3:::b"]},
                    },
                },
            ]
        },
    },
}
GROUP = {
    "Type": "AWS::EC2::SecurityGroup",
    "Properties": {
        "SecurityGroupEgress": [
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "DestinationSecurityGroupId": "sg-1"}
        ]
    },
}
TABLE = {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Vpc"}}}
SMALL: Templates = {
    "small": {"Resources": {"Bucket": BUCKET, "Policy": POLICY, "Group": GROUP, "Table": TABLE}}
}


@pytest.fixture(scope="module")
def small() -> dict[str, Mutant]:
    return {mutant.id: mutant for mutant in mutants(SMALL)}


def resources(mutant: Mutant) -> Any:
    return mutant.apply(SMALL)["small"]["Resources"]


def statement(mutant: Mutant, index: int) -> Any:
    return resources(mutant)["Policy"]["Properties"]["PolicyDocument"]["Statement"][index]


def test_more_than_a_thousand_of_every_kind(reference_mutants: list[Mutant]) -> None:
    assert len(reference_mutants) >= 1000
    assert {mutant.kind for mutant in reference_mutants} == set(KINDS)


def test_the_same_in_every_run(templates: Templates, reference_mutants: list[Mutant]) -> None:
    ids = [mutant.id for mutant in reference_mutants]
    assert len(set(ids)) == len(ids)
    assert [mutant.id for mutant in mutants(copy.deepcopy(templates))] == ids


def test_each_changes_something_and_the_originals_stay(
    templates: Templates, reference_mutants: list[Mutant]
) -> None:
    before = json.dumps(templates)
    for mutant in reference_mutants:
        changed = mutant.apply(templates)
        assert changed[mutant.stack] != templates[mutant.stack], mutant.id
    assert json.dumps(templates) == before


def booleans(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, bool):
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from booleans(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from booleans(item, (*path, index))


def test_no_boolean_and_no_statement_is_forgotten(
    templates: Templates, reference_mutants: list[Mutant]
) -> None:
    """Counted again without the generator's own walk."""
    made = {(m.stack, m.logical_id, m.path) for m in reference_mutants}
    for stack, template in templates.items():
        for logical_id, resource in template["Resources"].items():
            for path in booleans(resource.get("Properties", {}), ("Properties",)):
                if resource["Type"] != "AWS::EC2::NetworkAclEntry":
                    assert (stack, logical_id, path) in made, (logical_id, path)
    denied = sum(m.operator == "deny-dropped" for m in reference_mutants)
    assert denied == json.dumps(templates).count('"Effect": "Deny"')
    assert denied > 30


@pytest.mark.parametrize(
    ("id", "path", "value"),
    [
        ("Bucket/Properties.ObjectLockEnabled/flipped", ["Properties", "ObjectLockEnabled"], False),
        (
            "Bucket/Properties.VersioningConfiguration.Status/weakened to Suspended",
            ["Properties", "VersioningConfiguration", "Status"],
            "Suspended",
        ),
        ("Bucket/DeletionPolicy/weakened to Delete", ["DeletionPolicy"], "Delete"),
        (
            'Bucket/Properties.AccessControl/set to "PublicRead"',
            ["Properties", "AccessControl"],
            "PublicRead",
        ),
    ],
)
def test_a_setting_is_weakened(small: dict[str, Mutant], id: str, path: list[str], value: Any) -> None:
    mutant = small[f"small/{id}"]
    assert mutant.kind == "setting"
    found = resources(mutant)["Bucket"]
    for step in path:
        found = found[step]
    assert found == value


def test_a_key_is_removed_or_becomes_one_of_aws(small: dict[str, Mutant]) -> None:
    place = (
        "small/Bucket/Properties.BucketEncryption.ServerSideEncryptionConfiguration[0]"
        ".ServerSideEncryptionByDefault"
    )

    def default(operator: str, name: str) -> Any:
        bucket = resources(small[f"{place}.{name}/{operator}"])["Bucket"]["Properties"]
        return bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0][
            "ServerSideEncryptionByDefault"
        ]

    assert "KMSMasterKeyID" not in default("key-removed", "KMSMasterKeyID")
    assert default("key-of-aws", "KMSMasterKeyID")["KMSMasterKeyID"] == "alias/aws/s3"
    assert default("weakened to AES256", "SSEAlgorithm")["SSEAlgorithm"] == "AES256"


def test_a_denial_is_weakened(small: dict[str, Mutant]) -> None:
    place = "small/Policy/Properties.PolicyDocument.Statement[0]"
    dropped = resources(small[f"{place}/deny-dropped"])["Policy"]["Properties"]["PolicyDocument"]
    assert [s["Effect"] for s in dropped["Statement"]] == ["Allow"]
    cut = statement(small[f"{place}.Action[0]/action-cut s3:GetObject*"], 0)
    assert cut["Action"] == ["s3:PutObject"]
    assert statement(small[f"{place}.Action[0]/action-narrowed"], 0)["Action"][0] == "s3:GetObject"
    excepted = statement(
        small[f"{place}.Condition.StringNotEqualsIfExists.aws:SourceVpce/everyone-excepted"], 0
    )["Condition"]
    assert excepted["StringNotLikeIfExists"] == {"aws:SourceVpce": "*"}
    assert excepted["StringNotEqualsIfExists"] == {}
    turned = statement(small[f"{place}.Condition.BoolIfExists.aws:ViaAWSService/condition-turned"], 0)
    assert turned["Condition"]["BoolIfExists"] == {"aws:ViaAWSService": "true"}
    bound = statement(small[f"{place}.Condition/deny-bound"], 0)["Condition"]
    assert set(bound) == {"StringNotEqualsIfExists", "BoolIfExists", "StringEquals"}


def test_a_denial_that_loses_a_condition_is_no_mutant(small: dict[str, Mutant]) -> None:
    """It denies more, and nothing is weaker for it."""
    of_denial = {m.operator for m in small.values() if "Statement[0]" in m.id and m.logical_id == "Policy"}
    assert not of_denial & {"condition-dropped", "key-dropped", "if-exists-put", "any-resource"}


def test_a_permission_is_widened(small: dict[str, Mutant]) -> None:
    place = "small/Policy/Properties.PolicyDocument.Statement[1]"
    assert "Condition" not in statement(small[f"{place}.Condition/condition-dropped"], 1)
    key = f"{place}.Condition.StringEquals.aws:SourceAccount"
    assert statement(small[f"{key}/any-value"], 1)["Condition"]["StringLike"] == {"aws:SourceAccount": "*"}
    assert "StringEqualsIfExists" in statement(small[f"{key}/if-exists-put"], 1)["Condition"]
    assert "StringNotEquals" in statement(small[f"{key}/negated"], 1)["Condition"]
    assert set(statement(small[f"{key}/key-dropped"], 1)["Condition"]) == {"ArnLike"}
    assert statement(small[f"{place}.Principal/any-principal"], 1)["Principal"] == "*"
    assert statement(small[f"{place}.Action/any-action of s3"], 1)["Action"] == ["s3:PutObject", "s3:*"]
    assert statement(small[f"{place}.Resource/any-resource"], 1)["Resource"] == "*"
    inverted = statement(small[f"{place}.Action/not-action"], 1)
    assert inverted["NotAction"] == "s3:PutObject"
    assert "Action" not in inverted


def test_a_network_is_opened(small: dict[str, Mutant]) -> None:
    opened = resources(small["small/Group/Properties.SecurityGroupEgress[0]/opened to 0.0.0.0/1"])["Group"]
    rule = opened["Properties"]["SecurityGroupEgress"][0]
    assert rule == {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/1"}
    route = small["small/Table/route-added ::/0 to internet-gateway"]
    assert {r["Type"] for r in resources(route).values()} >= {
        "AWS::EC2::Route",
        "AWS::EC2::InternetGateway",
        "AWS::EC2::VPCGatewayAttachment",
    }
    assert route.kind == "reachability"
