"""Ways round the rules, each tried: what a judge of L1 properties or of literal text does not see."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk import cloudformation_include as include
from constructs import IConstruct

from secure_ml_constructs.verification.rules import Finding, check, pack
from secure_ml_constructs.verification.templates import load
from tests.support.templates import new_app

NOTEBOOK = "AWS::SageMaker::NotebookInstance"
RULE = "SageMakerNotebookNoDirectInternet"
KEY_RULE = "SageMakerNotebookCustomerKey"
ROOT_RULE = "SageMakerNotebookNoRoot"
SAFE: dict[str, Any] = {
    "InstanceType": "ml.t3.medium",
    "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
    "DirectInternetAccess": "Disabled",
    "RootAccess": "Disabled",
    "KmsKeyId": {"Fn::GetAtt": ["Key", "Arn"]},
}
KEY = {"Type": "AWS::KMS::Key", "Properties": {"EnableKeyRotation": True, "KeyPolicy": {"Statement": []}}}


def judged(
    properties: Mapping[str, Any], *, type: str = NOTEBOOK, **sections: Any
) -> dict[str, list[Finding]]:
    """What is found at the one resource, by rule; `sections` are further parts of the template."""
    template = {"Resources": {"Judged": {"Type": type, "Properties": properties}, "Key": KEY}, **sections}
    return by_rule(check({"main": template}))


def by_rule(findings: list[Finding], logical_id: str = "Judged") -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        if logical_id in finding.logical_id:
            found.setdefault(finding.rule, []).append(finding)
    return found


def in_assembly(app: cdk.App, logical_id: str = "Judged") -> dict[str, list[Finding]]:
    """Synthesize, and judge what was written."""
    return by_rule(check(load([app.synth().directory]).templates), logical_id)


def outcome(found: Mapping[str, list[Finding]], rule: str) -> str | None:
    return found[rule][0].outcome if rule in found else None


def test_the_safe_one_passes() -> None:
    """So what is found below is found because of the way round."""
    rules = {RULE, KEY_RULE, ROOT_RULE}
    assert rules <= {rule.id for rule in pack()}
    assert not rules & set(judged(SAFE))


# What the CDK lets pass


def notebook(scope: cdk.Stack) -> sagemaker.CfnNotebookInstance:
    return sagemaker.CfnNotebookInstance(
        scope,
        "Judged",
        instance_type="ml.t3.medium",
        role_arn="arn:aws:iam::111122223333:role/notebook",
        direct_internet_access="Disabled",
        root_access="Disabled",
    )


def test_a_property_override() -> None:
    app = new_app()
    notebook(cdk.Stack(app, "Stack")).add_property_override("DirectInternetAccess", "Enabled")
    assert outcome(in_assembly(app), RULE) == "fail"


def test_an_override_that_deletes() -> None:
    app = new_app()
    notebook(cdk.Stack(app, "Stack")).add_property_deletion_override("DirectInternetAccess")
    assert outcome(in_assembly(app), RULE) == "fail"


def test_a_raw_resource() -> None:
    app = new_app()
    cdk.CfnResource(
        cdk.Stack(app, "Stack"), "Judged", type=NOTEBOOK, properties={"DirectInternetAccess": "Enabled"}
    )
    assert outcome(in_assembly(app), RULE) == "fail"


def test_an_included_template(tmp_path: Path) -> None:
    properties = {"InstanceType": "ml.t3.medium", "RoleArn": "arn:aws:iam::111122223333:role/notebook"}
    template = {
        "Resources": {"Judged": {"Type": NOTEBOOK, "Properties": {**properties, "RootAccess": "Enabled"}}}
    }
    file = tmp_path / "included.json"
    file.write_text(json.dumps(template))
    app = new_app()
    include.CfnInclude(cdk.Stack(app, "Stack"), "Included", template_file=str(file))
    found = in_assembly(app)
    assert outcome(found, ROOT_RULE) == "fail"
    assert outcome(found, KEY_RULE) == "fail"


def test_a_nested_stack() -> None:
    app = new_app()
    nested = cdk.NestedStack(cdk.Stack(app, "Stack"), "Nested")
    sagemaker.CfnNotebookInstance(
        nested, "Judged", instance_type="ml.t3.medium", role_arn="r", direct_internet_access="Enabled"
    )
    assert outcome(in_assembly(app), RULE) == "fail"


def test_a_stage() -> None:
    app = new_app()
    stage = cdk.Stage(app, "Production")
    notebook(cdk.Stack(stage, "Stack")).add_property_override("DirectInternetAccess", "Enabled")
    assert outcome(in_assembly(app), RULE) == "fail"


def test_a_parameter_of_a_nested_stack() -> None:
    """Safe by its default, unsafe by what the parent gives it."""
    app = new_app()
    parent = cdk.Stack(app, "Stack")
    nested = cdk.NestedStack(parent, "Nested", parameters={"Access": "Enabled"})
    access = cdk.CfnParameter(nested, "Access", default="Disabled")
    sagemaker.CfnNotebookInstance(
        nested,
        "Judged",
        instance_type="ml.t3.medium",
        role_arn="r",
        direct_internet_access=access.value_as_string,
    )
    assert outcome(in_assembly(app), RULE) == "fail"


def test_a_rule_of_a_group_beside_it() -> None:
    """`allow_all_outbound=False` and then a rule of its own that opens the group."""
    app = new_app()
    stack = cdk.Stack(app, "Stack")
    vpc = ec2.CfnVPC(stack, "Vpc", cidr_block="10.0.0.0/16")
    group = ec2.CfnSecurityGroup(stack, "Group", group_description="Jobs", vpc_id=vpc.ref)
    ec2.CfnSecurityGroupEgress(
        stack, "Judged", group_id=group.attr_group_id, ip_protocol="-1", cidr_ip="0.0.0.0/0"
    )
    assert outcome(in_assembly(app), "SecurityGroupEgressRuleNamed") == "fail"


@jsii.implements(cdk.IAspect)
class Opens:
    """What another team adds to the app."""

    def visit(self, node: IConstruct) -> None:
        if isinstance(node, sagemaker.CfnNotebookInstance):
            node.direct_internet_access = "Enabled"


def test_an_aspect_that_runs_last() -> None:
    app = new_app()
    notebook(cdk.Stack(app, "Stack"))
    cdk.Aspects.of(app).add(Opens(), priority=1000)
    assert outcome(in_assembly(app), RULE) == "fail"


# What CloudFormation does with a template


@pytest.mark.parametrize("condition", [{"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-central-1"]}, None])
@pytest.mark.parametrize("unsafe_first", [True, False])
def test_a_branch_of_a_condition(condition: Any, unsafe_first: bool) -> None:
    branches = ["Enabled", "Disabled"] if unsafe_first else ["Disabled", "Enabled"]
    conditions = {"Wide": condition} if condition else {}
    found = judged({**SAFE, "DirectInternetAccess": {"Fn::If": ["Wide", *branches]}}, Conditions=conditions)
    assert outcome(found, RULE) == "fail"


def test_a_branch_that_takes_the_key_away() -> None:
    key = {"Fn::If": ["Encrypt", {"Fn::GetAtt": ["Key", "Arn"]}, {"Ref": "AWS::NoValue"}]}
    encrypt = {"Encrypt": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-central-1"]}}
    assert outcome(judged({**SAFE, "KmsKeyId": key}, Conditions=encrypt), KEY_RULE) == "fail"


def test_a_condition_that_can_only_fall_one_way_is_no_finding() -> None:
    never = {"Never": {"Fn::Equals": ["a", "b"]}}
    found = judged(
        {**SAFE, "DirectInternetAccess": {"Fn::If": ["Never", "Enabled", "Disabled"]}}, Conditions=never
    )
    assert RULE not in found


def test_a_whole_policy_in_a_branch() -> None:
    public = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}]}
    document = {"Fn::If": ["Open", public, {"Statement": []}]}
    conditions = {"Open": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-central-1"]}}
    found = judged(
        {"Bucket": "data", "PolicyDocument": document},
        type="AWS::S3::BucketPolicy",
        Conditions=conditions,
    )
    assert outcome(found, "S3BucketPolicyNotPublic") == "fail"


def test_a_transform_beside_the_properties() -> None:
    """`Fn::Transform` may write any property: what is not there may yet come."""
    properties = {k: v for k, v in SAFE.items() if k != "DirectInternetAccess"}
    properties["Fn::Transform"] = {"Name": "AWS::Include", "Parameters": {"Location": "s3://b/k"}}
    assert outcome(judged(properties), RULE) == "unresolved"


def test_a_transform_as_a_value() -> None:
    value = {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://b/k"}}}
    assert outcome(judged({**SAFE, "DirectInternetAccess": value}), RULE) == "unresolved"


def test_a_transform_in_a_policy() -> None:
    statement = {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://b/k"}}}
    found = judged(
        {"Bucket": "data", "PolicyDocument": {"Statement": [statement]}}, type="AWS::S3::BucketPolicy"
    )
    assert outcome(found, "S3BucketPolicyNotPublic") == "unresolved"


def test_a_parameter_whose_default_is_unsafe() -> None:
    parameters = {"Access": {"Type": "String", "Default": "Enabled"}}
    found = judged({**SAFE, "DirectInternetAccess": {"Ref": "Access"}}, Parameters=parameters)
    assert outcome(found, RULE) == "fail"


def test_a_parameter_without_a_default() -> None:
    parameters = {"Access": {"Type": "String"}}
    found = judged({**SAFE, "DirectInternetAccess": {"Ref": "Access"}}, Parameters=parameters)
    assert outcome(found, RULE) == "unresolved"


def test_a_parameter_that_allows_what_is_unsafe() -> None:
    parameters = {"Access": {"Type": "String", "AllowedValues": ["Disabled", "Enabled"]}}
    found = judged({**SAFE, "DirectInternetAccess": {"Ref": "Access"}}, Parameters=parameters)
    assert outcome(found, RULE) == "fail"


@pytest.mark.parametrize("value", ["true", "True", "TRUE", True])
def test_a_boolean_as_text(value: Any) -> None:
    """CloudFormation takes the text for the boolean."""
    variant = {"VariantName": "one", "ModelName": "m", "EnableSSMAccess": value}
    found = judged({"ProductionVariants": [variant]}, type="AWS::SageMaker::EndpointConfig")
    assert outcome(found, "SageMakerEndpointConfigNoSsmAccess") == "fail"


@pytest.mark.parametrize("value", ["false", "False", False])
def test_isolation_switched_off_as_text(value: Any) -> None:
    found = judged({"EnableNetworkIsolation": value}, type="AWS::SageMaker::Model")
    assert outcome(found, "SageMakerModelNetworkIsolation") == "fail"


@pytest.mark.parametrize("name", ["directInternetAccess", "DirectinternetAccess", "DIRECTINTERNETACCESS"])
def test_a_property_in_the_wrong_case(name: str) -> None:
    """CloudFormation knows no such property, so the default, Enabled, holds."""
    properties = {key: value for key, value in SAFE.items() if key != "DirectInternetAccess"}
    found = judged({**properties, name: "Disabled"})
    assert outcome(found, RULE) == "fail"
    assert name in found[RULE][0].message


@pytest.mark.parametrize(
    "value",
    [
        {"Fn::Sub": "Enabled"},
        {"Fn::Sub": ["${Access}", {"Access": "Enabled"}]},
        {"Fn::Sub": ["En${Rest}", {"Rest": {"Fn::Join": ["", ["ab", "led"]]}}]},
        {"Fn::Join": ["", ["En", "abled"]]},
        {"Fn::Select": [1, ["Disabled", "Enabled"]]},
        {"Fn::Select": [0, {"Fn::Split": [",", "Enabled,Disabled"]}]},
        {"Fn::FindInMap": ["Access", "all", "value"]},
    ],
)
def test_a_value_hidden_in_a_function(value: Any) -> None:
    mappings = {"Access": {"all": {"value": "Enabled"}}}
    found = judged({**SAFE, "DirectInternetAccess": value}, Mappings=mappings)
    assert outcome(found, RULE) == "fail"


@pytest.mark.parametrize(
    "value",
    [
        {"Fn::Sub": "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:alias/aws/sagemaker"},
        {"Fn::Sub": ["alias/${Owner}/sagemaker", {"Owner": "aws"}]},
        {"Fn::Join": ["/", ["alias", "aws", "sagemaker"]]},
        {"Fn::If": ["Own", {"Fn::GetAtt": ["Key", "Arn"]}, "alias/aws/sagemaker"]},
    ],
)
def test_a_key_of_aws_hidden_in_a_function(value: Any) -> None:
    conditions = {"Own": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-central-1"]}}
    assert outcome(judged({**SAFE, "KmsKeyId": value}, Conditions=conditions), KEY_RULE) == "fail"


def test_a_loop() -> None:
    """`Fn::ForEach` writes resources that stand nowhere in the template."""
    loop = [
        "Name",
        ["A", "B"],
        {"Judged${Name}": {"Type": NOTEBOOK, "Properties": {"RootAccess": "Enabled"}}},
    ]
    template = {"Transform": "AWS::LanguageExtensions", "Resources": {"Fn::ForEach::Notebooks": loop}}
    found = by_rule(check({"main": template}))
    assert {finding.logical_id for finding in found[ROOT_RULE]} == {"JudgedA", "JudgedB"}


def test_a_resource_under_a_condition() -> None:
    resource = {"Type": NOTEBOOK, "Condition": "Wide", "Properties": {**SAFE, "RootAccess": "Enabled"}}
    template = {
        "Conditions": {"Wide": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-central-1"]}},
        "Resources": {"Judged": resource, "Key": KEY},
    }
    assert outcome(by_rule(check({"main": template})), ROOT_RULE) == "fail"


def test_an_open_policy_as_json_text() -> None:
    document = json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}]})
    found = judged({"RepositoryPolicyText": document}, type="AWS::ECR::Repository")
    assert any("olicy" in rule for rule in found if outcome(found, rule) == "fail")


@pytest.mark.parametrize("cidr", ["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "::/0", {"Fn::Sub": "0.0.0.0/0"}])
def test_everywhere_in_halves(cidr: Any) -> None:
    name = "CidrIpv6" if cidr == "::/0" else "CidrIp"
    group = {"GroupDescription": "Jobs", "SecurityGroupEgress": [{"IpProtocol": "-1", name: cidr}]}
    found = judged(group, type="AWS::EC2::SecurityGroup")
    assert outcome(found, "SecurityGroupEgressNamed") == "fail"


@pytest.mark.parametrize(
    "statement",
    [
        {"effect": "Allow", "principal": "*", "action": "s3:*", "resource": "*"},
        {"Effect": "allow", "Principal": {"AWS": ["*"]}, "Action": ["S3:*"], "Resource": "*"},
        {"Effect": "Allow", "NotPrincipal": {"AWS": "111122223333"}, "Action": "s3:*", "Resource": "*"},
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": "*",
            "Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
        },
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": "*",
            "Condition": {"StringLike": {"aws:PrincipalOrgID": "*"}},
        },
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": "*",
            "Condition": {"ForAllValues:StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
        },
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
        },
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": "*",
            "Condition": {"Null": {"aws:PrincipalOrgID": "true"}},
        },
    ],
)
def test_a_public_policy_in_other_words(statement: Any) -> None:
    found = judged(
        {"Bucket": "data", "PolicyDocument": {"Statement": [statement]}}, type="AWS::S3::BucketPolicy"
    )
    assert outcome(found, "S3BucketPolicyNotPublic") == "fail"


def test_one_statement_without_a_list() -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    found = judged(
        {"Bucket": "data", "PolicyDocument": {"Statement": statement}}, type="AWS::S3::BucketPolicy"
    )
    assert outcome(found, "S3BucketPolicyNotPublic") == "fail"
