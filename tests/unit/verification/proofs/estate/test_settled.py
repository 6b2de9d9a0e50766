"""Stand-ins, places and worlds."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from secure_ml_constructs.verification.proofs.estate import MOST_WORLDS, Estate
from secure_ml_constructs.verification.proofs.estate.forms import FORMS
from secure_ml_constructs.verification.proofs.iam import Unknown
from secure_ml_constructs.verification.templates import Resource, Templates, TooManyWorldsError, load

ARN = "arn:aws:{}:eu-west-1:111122223333:{}"


def estate(resources: dict[str, Any], **sections: Any) -> Estate:
    return Estate.of(Templates.of({"stack": {"Resources": resources, **sections}}))


def one(found: Estate, logical_id: str) -> Resource:
    return next(each for t in found.templates for n, each in t.resources.items() if n == logical_id)


def text(value: Any, resources: dict[str, Any] | None = None, **sections: Any) -> str | Unknown:
    found = estate(resources or {}, **sections)
    return found.text(next(iter(found.templates)), value)


@pytest.mark.parametrize(
    ("type_", "properties", "ref", "arn"),
    [
        ("S3::Bucket", {"BucketName": "lake"}, "lake", "arn:aws:s3:::lake"),
        ("S3::Bucket", {}, r"stack-thing-[0-9a-f]{12}", r"arn:aws:s3:::stack-thing-[0-9a-f]{12}"),
        (
            "KMS::Key",
            {},
            r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
            ARN.format("kms", "key/[0-9a-f-]{36}"),
        ),
        ("IAM::Role", {"RoleName": "r", "Path": "/a/b/"}, "r", "arn:aws:iam::111122223333:role/a/b/r"),
        ("IAM::Role", {}, "stack-Thing", "arn:aws:iam::111122223333:role/stack-Thing"),
        ("IAM::ManagedPolicy", {}, "arn:aws:iam::111122223333:policy/stack-Thing", "same"),
        ("SNS::Topic", {}, ARN.format("sns", "stack-Thing"), "same"),
        (
            "SecretsManager::Secret",
            {"Name": "s"},
            ARN.format("secretsmanager", "secret:s-[0-9a-f]{6}"),
            "same",
        ),
        (
            "SQS::Queue",
            {},
            "https://sqs.eu-west-1.amazonaws.com/111122223333/stack-Thing",
            ARN.format("sqs", "stack-Thing"),
        ),
        ("Logs::LogGroup", {}, "stack-Thing", ARN.format("logs", r"log-group:stack-Thing:\*")),
        ("EC2::VPCEndpoint", {}, "vpce-[0-9a-f]{17}", ARN.format("ec2", "vpc-endpoint/vpce-[0-9a-f]{17}")),
        ("SageMaker::Model", {"ModelName": "My"}, ARN.format("sagemaker", "model/my"), "same"),
        ("SageMaker::Domain", {}, "d-[0-9a-f]{12}", ARN.format("sagemaker", "domain/d-[0-9a-f]{12}")),
        ("SSM::Parameter", {"Name": "/a/b"}, "/a/b", ARN.format("ssm", "parameter/a/b")),
        (
            "Glue::Table",
            {"DatabaseName": "d", "TableInput": {"Name": "t"}},
            "t",
            ARN.format("glue", "table/d/t"),
        ),
    ],
)
def test_forms(type_: str, properties: dict[str, Any], ref: str, arn: str) -> None:
    found = estate({"Thing": {"Type": f"AWS::{type_}", "Properties": properties}})
    thing = one(found, "Thing")
    assert re.fullmatch(ref, str(found.attribute(thing, "Ref")))
    assert re.fullmatch(ref if arn == "same" else arn, str(found.arn(thing)))


@pytest.mark.parametrize("type_", sorted(FORMS))
def test_every_form_can_be_filled(type_: str) -> None:
    resources = {
        name: {"Type": type_, "Properties": {"DomainName": name, "DatabaseName": "d"}} for name in "AB"
    }
    found = estate(resources)
    first, second = (one(found, name) for name in "AB")
    for attribute in ("Ref", "Arn", *FORMS[type_].others):
        made = found.attribute(first, attribute)
        assert isinstance(made, str)
        assert made
        assert "{" not in made
        assert made != found.attribute(second, attribute)
    assert str(found.arn(first)).startswith("arn:aws:")
    assert str(found.arn(first)).count(":") >= 5


def test_names_in_another_case_are_no_shared_name() -> None:
    found = estate({name: {"Type": "AWS::S3::Bucket"} for name in ("Data", "data")})
    assert found.arn(one(found, "Data")) != found.arn(one(found, "data"))


def test_texts_are_put_together_from_stand_ins() -> None:
    role = {"Role": {"Type": "AWS::IAM::Role"}}
    joined = {"Fn::Join": ["", [{"Fn::GetAtt": ["Role", "Arn"]}, "/", {"Ref": "AWS::Region"}]]}
    assert text(joined, role) == "arn:aws:iam::111122223333:role/stack-Role/eu-west-1"
    part = {"Fn::Select": [4, {"Fn::Split": [":", {"Fn::GetAtt": ["Role", "Arn"]}]}]}
    assert text(part, role) == "111122223333"
    assert text({"Fn::Sub": "${AWS::StackName}.${AWS::URLSuffix}/${!aws:username}"}) == (
        "stack.amazonaws.com/${aws:username}"
    )


@pytest.mark.parametrize("type_", ["Custom::Lists", "AWS::CloudFormation::CustomResource"])
def test_what_a_function_answers_is_not_known(type_: str) -> None:
    custom = {"Custom": {"Type": type_}}
    answer = {"Fn::GetAtt": ["Custom", "List"]}
    assert isinstance(text(answer, custom), Unknown)
    assert isinstance(text({"Fn::Join": ["", ["arn:", answer]]}, custom), Unknown)


def test_an_unknown_type_is_a_name_inside_a_text_and_not_known_where_it_may_be_an_arn() -> None:
    thing = {"Thing": {"Type": "AWS::Batch::JobQueue"}}
    assert isinstance(text({"Ref": "Thing"}, thing), Unknown)
    assert isinstance(text({"Fn::Sub": "${Thing}/*"}, thing), Unknown)
    assert text({"Fn::Sub": "arn:aws:batch:::${Thing}"}, thing) == "arn:aws:batch:::stack-Thing"


def test_a_name_that_is_a_parameter_is_not_known() -> None:
    bucket = {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Ref": "Name"}}}}
    objects = {"Fn::Sub": "arn:aws:s3:::${Bucket}/*"}
    assert isinstance(text(objects, bucket, Parameters={"Name": {"Type": "String"}}), Unknown)
    given = {"Name": {"Type": "String", "Default": "lake"}}
    assert text(objects, bucket, Parameters=given) == "arn:aws:s3:::lake/*"


def test_parameters() -> None:
    parameters = {"Given": {"Type": "String", "Default": "x"}, "Open": {"Type": "String"}}
    assert text({"Ref": "Given"}, Parameters=parameters) == "x"
    assert isinstance(text({"Fn::Sub": "a${Open}"}, Parameters=parameters), Unknown)
    assert isinstance(text("{{resolve:ssm:x}}"), Unknown)


POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
}


def role(policies: Any, **others: Any) -> dict[str, Any]:
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {"AssumeRolePolicyDocument": trust, "Policies": policies},
        **others,
    }


def under(condition: str) -> Any:
    policy = {"PolicyName": "p", "PolicyDocument": POLICY}
    return role([{"Fn::If": [condition, policy, {"Ref": "AWS::NoValue"}]}])


def equals(left: Any, right: Any) -> dict[str, Any]:
    return {"Fn::Equals": [left, right]}


def worlds(resources: dict[str, Any], conditions: dict[str, Any], **arguments: Any) -> list[Estate]:
    parameters = {"Stage": {"Type": "String", "Default": "dev"}}
    body = {"Resources": resources, "Conditions": conditions, "Parameters": parameters}
    return Estate.worlds(Templates.of({"stack": body}), **arguments)


def test_one_world_for_each_way_a_condition_of_a_policy_falls() -> None:
    found = worlds({"A": under("Prod"), "B": under("Prod")}, {"Prod": equals({"Ref": "Stage"}, "prod")})
    assert [[len(each.documents) for each in world.roles] for world in found] == [[1, 1], [0, 0]]
    with pytest.raises(TooManyWorldsError):
        Estate.of(found[0].templates)


def test_a_role_under_a_condition_is_in_one_world_only() -> None:
    found = worlds({"A": role([], Condition="Prod")}, {"Prod": equals({"Ref": "Stage"}, "prod")})
    assert [len(world.roles) for world in found] == [1, 0]


def test_the_place_settles_conditions() -> None:
    conditions = {"China": equals({"Ref": "AWS::Partition"}, "aws-cn")}
    (found,) = worlds({"A": under("China")}, conditions)
    assert not found.roles[0].documents
    (found,) = worlds({"A": under("China")}, conditions, region="cn-north-1")
    assert found.roles[0].documents
    assert str(found.roles[0].arn).startswith("arn:aws-cn:iam:")


@pytest.mark.parametrize("side", [{"Ref": "AWS::Region"}, {"Fn::Sub": "${AWS::Region}"}])
def test_what_is_assumed_of_the_place_settles_nothing(side: Any) -> None:
    conditions = {"Here": equals(side, "eu-west-1")}
    assert len(worlds({"A": under("Here")}, conditions)) == 2
    assert len(worlds({"A": under("Here")}, conditions, region="eu-west-1")) == 1


def test_a_text_that_was_read_before_settles_nothing_either() -> None:
    here = {"Fn::Sub": "${AWS::Region}"}
    conditional = {"Fn::If": ["Here", {"PolicyName": "p", "PolicyDocument": POLICY}, {"Ref": "AWS::NoValue"}]}
    resources = {"A": role([{"PolicyName": here, "PolicyDocument": POLICY}, conditional])}
    found = worlds(resources, {"Here": equals(here, "eu-west-1")})
    assert [len(world.roles[0].documents) for world in found] == [2, 1]


def test_a_mapping_by_region_needs_the_region() -> None:
    mappings = {"Map": {"eu-west-1": {"Id": "a"}, "eu-central-1": {"Id": "b"}}}
    value = {"Fn::FindInMap": ["Map", {"Ref": "AWS::Region"}, "Id"]}
    body = {"Resources": {}, "Mappings": mappings}
    found = Estate.of(Templates.of({"stack": body}))
    assert isinstance(found.text(next(iter(found.templates)), value), Unknown)
    found = Estate.of(Templates.of({"stack": body}), region="eu-central-1")
    assert found.text(next(iter(found.templates)), value) == "b"


def test_too_many_worlds() -> None:
    count = MOST_WORLDS.bit_length()
    conditions = {f"C{n}": equals({"Ref": "Stage"}, {"Ref": f"P{n}"}) for n in range(count)}
    with pytest.raises(TooManyWorldsError):
        worlds({f"R{n}": under(f"C{n}") for n in range(count)}, conditions)


def test_a_condition_that_no_policy_met_is_not_known_afterwards() -> None:
    (found,) = worlds({"A": role([])}, {"Prod": equals({"Ref": "Stage"}, "prod")})
    template = next(iter(found.templates))
    value = {"Fn::If": ["Prod", "a", "b"]}
    assert isinstance(found.text(template, value), Unknown)
    assert isinstance(found.text(template, value), Unknown)
    assert found.text(template, "c") == "c"


def test_account_and_region_are_those_of_the_manifest(tmp_path: Path) -> None:
    for name, environment in (
        ("known", "aws://123456789012/us-gov-west-1"),
        ("open", "aws://unknown-account/eu"),
    ):
        folder = tmp_path / name
        folder.mkdir()
        artifact = {
            "type": "aws:cloudformation:stack",
            "environment": environment,
            "properties": {"templateFile": "s.template.json"},
        }
        (folder / "manifest.json").write_text(json.dumps({"artifacts": {"s": artifact}}))
        (folder / "s.template.json").write_text(json.dumps({"Resources": {"A": role([])}}))
    found = Estate.of(load([tmp_path / "known"]).templates)
    assert found.roles[0].arn == "arn:aws-us-gov:iam::123456789012:role/s-A"
    assert not found.place(found.roles[0].resource).assumed
    found = Estate.of(load([tmp_path / "open"]).templates)
    assert found.place(found.roles[0].resource).assumed == {"AWS::AccountId"}
    assert Estate.of(found.templates, account="210987654321").place(found.roles[0].resource).assumed == set()


def test_stacks_of_one_name_have_resources_of_their_own(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "s.json").write_text(json.dumps({"Resources": {"A": role([])}}))
    found = Estate.of(load([tmp_path / "a", tmp_path / "b"]).templates)
    assert len({each.arn for each in found.roles}) == 2


def test_growth_is_linear() -> None:
    bodies = {f"stack{n}": {"Resources": {f"A{m}": under("C") for m in range(5)}} for n in range(20)}
    for body in bodies.values():
        body["Conditions"] = {"C": equals({"Ref": "AWS::Partition"}, "aws-cn")}
    assert len(Estate.of(Templates.of(bodies)).roles) == 100


def test_texts_of_json_in_a_template() -> None:
    document = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "*", "Resource": {"Ref": "P"}},
    }
    value = {"Fn::ToJsonString": document}
    assert isinstance(text(value), Unknown)
    assert "arn:x" in str(text(value, Parameters={"P": {"Type": "String", "Default": "arn:x"}}))
