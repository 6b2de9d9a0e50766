"""What every way of writing a value stands for."""

from __future__ import annotations

from typing import Any

import pytest

from secure_ml_constructs.verification.templates import (
    ABSENT,
    Dynamic,
    Encoded,
    Misspelt,
    Pseudo,
    Reference,
    Templates,
    TooManyWorldsError,
    Unresolved,
    show,
)

KEY = {"Type": "AWS::KMS::Key"}


def template(value: Any, **sections: Any) -> dict[str, Any]:
    thing = {"Type": "AWS::Test::Thing", "Properties": {"P": value}}
    return {"Resources": {"Key": KEY, "Thing": thing}, **sections}


def answers(value: Any, others: dict[str, Any] | None = None, **sections: Any) -> list[Any]:
    """Every value that the property can have."""
    graph = Templates.of({"main": template(value, **sections), **(others or {})})
    (thing,) = [r for r in graph.resources("AWS::Test::Thing") if r.template.name == "main"]
    return list(graph.worlds(lambda: graph.whole(thing.template, graph.get(thing, "P"))))


def answer(value: Any, others: dict[str, Any] | None = None, **sections: Any) -> Any:
    (found,) = answers(value, others, **sections)
    return found


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"Ref": "Key"}, "${Key}"),
        ({"Fn::GetAtt": ["Key", "Arn"]}, "${Key.Arn}"),
        ({"Fn::GetAtt": "Key.Arn"}, "${Key.Arn}"),
        ({"Fn::Sub": "${Key.Arn}"}, "${Key.Arn}"),
        ({"Fn::Sub": "${Key}"}, "${Key}"),
        ({"Fn::Sub": ["${K}", {"K": {"Fn::GetAtt": ["Key", "Arn"]}}]}, "${Key.Arn}"),
        ({"Fn::Join": ["", [{"Fn::GetAtt": ["Key", "Arn"]}]]}, "${Key.Arn}"),
        ({"Fn::Select": [1, ["a", {"Ref": "Key"}]]}, "${Key}"),
        ({"Fn::Select": ["0", {"Fn::Split": [",", "a,b"]}]}, "a"),
        ({"Fn::Sub": "alias/${A}/x"}, "alias/aws/x"),
        ({"Fn::Join": ["/", ["alias", {"Ref": "A"}, "x"]]}, "alias/aws/x"),
        ({"Fn::Sub": "${!Literal}-${AWS::Region}"}, "${Literal}-${AWS::Region}"),
        ({"Fn::FindInMap": ["M", "a", "b"]}, "mapped"),
        ({"Fn::FindInMap": ["M", {"Ref": "A"}, "b"]}, "of aws"),
        ({"Fn::FindInMap": ["M", "no", "b", {"DefaultValue": "instead"}]}, "instead"),
        ({"Ref": "List"}, "[a, b]"),
        ({"Fn::ToJsonString": {"a": [1, {"Ref": "A"}]}}, '{"a": [1, "aws"]}'),
        ([{"Ref": "AWS::NoValue"}, 1], "[1]"),
        ({"a": {"Ref": "AWS::NoValue"}, "b": 1}, "{b: 1}"),
        ({"Fn::Select": [0, {"Fn::Split": ["/", {"Fn::Sub": "${AWS::Region}/x"}]}]}, "${AWS::Region}"),
    ],
)
def test_what_a_function_gives(value: Any, shown: str) -> None:
    parameters = {
        "A": {"Type": "String", "Default": "aws"},
        "List": {"Type": "CommaDelimitedList", "Default": "a, b"},
    }
    mappings = {"M": {"a": {"b": "mapped"}, "aws": {"b": "of aws"}}}
    assert show(answer(value, Parameters=parameters, Mappings=mappings)) == shown


def test_a_reference_is_to_the_resource_itself() -> None:
    found = answer({"Fn::Sub": "${Key.Arn}"})
    assert isinstance(found, Reference)
    assert (found.resource.type, found.attribute) == ("AWS::KMS::Key", "Arn")


@pytest.mark.parametrize(
    "value",
    [
        {"Ref": "Nothing"},
        {"Ref": "NoDefault"},
        {"Ref": "FromSsm"},
        {"Fn::GetAtt": ["Nothing", "Arn"]},
        {"Fn::ImportValue": "nowhere"},
        {"Fn::GetStackOutput": {"StackName": "nowhere", "OutputName": "x"}},
        {"Fn::Transform": {"Name": "AWS::Include"}},
        {"Fn::Brandnew": 1},
        {"Fn::FindInMap": ["M", "a", "missing"]},
        {"Fn::Join": 7},
        {"Fn::Sub": 7},
        {"Fn::Select": [9, ["a"]]},
        {"Fn::If": ["only", "two"]},
        {"Ref": ["a", "list"]},
        {"Fn::Select": [0, {"Fn::Split": ["/", {"Fn::GetAtt": ["Key", "Arn"]}]}]},
    ],
)
def test_what_cannot_be_known(value: Any) -> None:
    parameters = {
        "NoDefault": {"Type": "String"},
        "FromSsm": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/a/path"},
    }
    for found in answers(value, Parameters=parameters, Mappings={"M": {"a": {"b": "c"}}}):
        assert isinstance(found, Unresolved)
        assert found.reason


def test_both_branches() -> None:
    value = {"Fn::If": ["Prod", {"Ref": "Key"}, {"Ref": "AWS::NoValue"}]}
    conditions = {"Prod": {"Fn::Equals": [{"Ref": "Env"}, "prod"]}}
    parameters = {"Env": {"Type": "String", "Default": "prod"}}
    found = answers(value, Conditions=conditions, Parameters=parameters)
    assert [show(each) for each in found] == ["${Key}", "nothing"]
    assert found[1] is ABSENT


def test_what_hangs_on_one_condition_changes_together() -> None:
    value = [{"Fn::If": ["Prod", 1, 2]}, {"Fn::If": ["NotProd", 3, 4]}]
    conditions = {
        "Prod": {"Fn::Equals": [{"Ref": "Env"}, "prod"]},
        "NotProd": {"Fn::Not": [{"Condition": "Prod"}]},
    }
    assert answers(value, Conditions=conditions) == [[1, 4], [2, 3]]


def test_one_parameter_has_one_value() -> None:
    value = [{"Fn::If": ["Prod", 1, 2]}, {"Fn::If": ["Dev", 3, 4]}]
    conditions = {
        "Prod": {"Fn::Equals": [{"Ref": "Env"}, "prod"]},
        "Dev": {"Fn::Equals": [{"Ref": "Env"}, "dev"]},
    }
    assert answers(value, Conditions=conditions) == [[1, 4], [2, 3], [2, 4]]


def test_a_condition_of_literals_is_settled() -> None:
    assert answers({"Fn::If": ["C", 1, 2]}, Conditions={"C": {"Fn::Equals": ["a", "a"]}}) == [1]


@pytest.mark.parametrize("function", ["Fn::And", "Fn::Or"])
def test_conditions_of_conditions(function: str) -> None:
    conditions = {
        "A": {"Fn::Equals": [{"Ref": "X"}, "1"]},
        "B": {"Fn::Equals": [{"Ref": "Y"}, "1"]},
        "C": {function: [{"Condition": "A"}, {"Condition": "B"}]},
    }
    assert set(answers({"Fn::If": ["C", 1, 2]}, Conditions=conditions)) == {1, 2}


def test_too_many_conditions_are_not_guessed() -> None:
    value = [{"Fn::If": [f"C{i}", 1, 2]} for i in range(12)]
    with pytest.raises(TooManyWorldsError):
        answers(value)


def test_a_mapping_by_region_may_give_any_of_its_values() -> None:
    value = {"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "b"]}
    mappings = {"M": {"us-east-1": {"b": "x"}, "eu-west-1": {"b": "y"}, "eu-west-2": {"b": "y"}}}
    assert set(answers(value, Mappings=mappings)) == {"x", "y"}


def test_a_parameter_may_have_any_allowed_value_where_it_has_no_default() -> None:
    parameters = {"P": {"Type": "String", "AllowedValues": ["true", "false"]}}
    assert answers({"Ref": "P"}, Parameters=parameters) == [True, False]


def test_the_text_of_a_parameter_is_the_boolean_it_becomes() -> None:
    assert answer({"Ref": "P"}, Parameters={"P": {"Type": "String", "Default": "true"}}) is True
    assert answer("true") == "true"


def test_dynamic_references() -> None:
    found = answer({"Fn::Sub": "{{resolve:secretsmanager:${Key}:SecretString}}"})
    assert isinstance(found, Dynamic)
    assert found.secret
    plain = answer("{{resolve:ssm:/a/b}}")
    assert isinstance(plain, Dynamic)
    assert not plain.secret


def test_base64() -> None:
    found = answer({"Fn::Base64": {"Fn::Sub": "echo ${AWS::Region}"}})
    assert isinstance(found, Encoded)
    assert show(found) == "echo ${AWS::Region}"


def test_exports_and_imports() -> None:
    other = {
        "Resources": {"TheirKey": KEY},
        "Outputs": {"K": {"Value": {"Ref": "TheirKey"}, "Export": {"Name": {"Fn::Sub": "${P}-key"}}}},
        "Parameters": {"P": {"Type": "String", "Default": "net"}},
    }
    found = answer({"Fn::ImportValue": "net-key"}, {"other": other})
    assert (found.resource.logical_id, found.resource.template.name) == ("TheirKey", "other")


def test_outputs_of_another_stack() -> None:
    other = {"Resources": {"K": KEY}, "Outputs": {"O": {"Value": {"Fn::GetAtt": ["K", "Arn"]}}}}
    value = {"Fn::GetStackOutput": {"StackName": "other", "OutputName": "O", "Region": "eu-west-1"}}
    assert show(answer(value, {"other": other})) == "${K.Arn}"


def test_parameters_go_down_into_nested_stacks_and_outputs_come_up() -> None:
    child = {
        "Parameters": {"KeyArn": {"Type": "String"}, "Ids": {"Type": "List<String>"}},
        "Resources": {"Thing": {"Type": "AWS::Test::Nested", "Properties": {"K": {"Ref": "KeyArn"}}}},
        "Outputs": {"Ids": {"Value": {"Ref": "Ids"}}, "Key": {"Value": {"Ref": "KeyArn"}}},
    }
    parent = template({"Fn::GetAtt": ["Stack", "Outputs.Key"]})
    parent["Resources"]["Stack"] = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {
            "TemplateURL": {"Fn::Sub": "https://bucket/x"},
            "Parameters": {"KeyArn": {"Fn::GetAtt": ["Key", "Arn"]}, "Ids": {"Fn::Join": [",", ["a", "b"]]}},
        },
        "Metadata": {"aws:asset:path": "child.nested.template.json"},
    }
    graph = Templates.of({"main": parent, "child.nested.template.json": child})
    (thing,) = graph.resources("AWS::Test::Thing")
    (nested,) = graph.resources("AWS::Test::Nested")
    assert show(graph.get(thing, "P")) == show(graph.get(nested, "K")) == "${Key.Arn}"
    assert graph.resolve(nested.template, {"Ref": "Ids"}) == ["a", "b"]


def test_a_nested_stack_that_was_not_given() -> None:
    body = template({"Fn::GetAtt": ["Stack", "Outputs.Key"]})
    body["Resources"]["Stack"] = {"Type": "AWS::CloudFormation::Stack", "Properties": {}}
    graph = Templates.of({"main": body})
    (thing,) = graph.resources("AWS::Test::Thing")
    assert isinstance(graph.get(thing, "P"), Unresolved)


def test_what_refers_to_itself_ends() -> None:
    stack = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"Parameters": {"P": {"Fn::GetAtt": ["Stack", "Outputs.O"]}}},
        "Metadata": {"aws:asset:path": "child"},
    }
    child = {
        "Parameters": {"P": {"Type": "String"}},
        "Resources": {"X": {"Type": "AWS::Test::Nested", "Properties": {"P": {"Ref": "P"}}}},
        "Outputs": {"O": {"Value": {"Ref": "P"}}},
    }
    graph = Templates.of({"main": {"Resources": {"Stack": stack}}, "child": child})
    (nested,) = graph.resources("AWS::Test::Nested")
    assert isinstance(graph.get(nested, "P"), Unresolved)


def test_a_property_in_another_case_is_no_property() -> None:
    graph = Templates.of({"main": template({"enableNetworkIsolation": True})})
    (thing,) = graph.resources("AWS::Test::Thing")
    found = graph.get(thing, "P", "EnableNetworkIsolation")
    assert isinstance(found, Misspelt)
    assert found.key == "enableNetworkIsolation"


def test_what_a_transform_may_write_is_not_known() -> None:
    graph = Templates.of({"main": template({"Fn::Transform": {"Name": "M"}, "Other": 1})})
    (thing,) = graph.resources("AWS::Test::Thing")
    assert isinstance(graph.get(thing, "P", "Missing"), Unresolved)


def test_loops_are_written_out() -> None:
    body = {
        "Resources": {
            "Fn::ForEach::Buckets": [
                "Name",
                ["A", "B"],
                {
                    "Bucket${Name}": {
                        "Type": "AWS::S3::Bucket",
                        "Properties": {"BucketName": {"Fn::Sub": "x-${Name}"}, "Tag": {"Ref": "Name"}},
                    }
                },
            ],
            "Fn::ForEach::Unknown": ["Name", {"Ref": "Nothing"}, {}],
        }
    }
    graph = Templates.of({"main": body})
    assert [(r.logical_id, show(graph.get(r, "BucketName"))) for r in graph.resources("AWS::S3::Bucket")] == [
        ("BucketA", "x-A"),
        ("BucketB", "x-B"),
    ]
    assert [key for _, key in graph.unexpanded] == ["Fn::ForEach::Unknown"]


@pytest.mark.parametrize(
    "name",
    [
        {"Ref": "Bucket"},
        {"Fn::Sub": "${Bucket}"},
        "by-name",
        {"Fn::If": ["C", {"Ref": "Bucket"}, "other"]},
        {"Fn::Sub": "${Bucket.Arn}/*"},
    ],
)
def test_who_names_a_resource(name: Any) -> None:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "by-name"}}
    policy = {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": name}}
    graph = Templates.of({"main": {"Resources": {"Bucket": bucket, "Policy": policy}}})
    (found,) = graph.named_by(next(graph.resources("AWS::S3::Bucket")), "AWS::S3::BucketPolicy", "Bucket")
    assert found.logical_id == "Policy"


def test_pseudo_parameters() -> None:
    assert answer({"Ref": "AWS::AccountId"}) == Pseudo("AWS::AccountId")


def test_a_parameter_is_what_the_conditions_of_its_world_say() -> None:
    """With a key given it is not the empty default; where the stage is told it is that one."""
    body = {
        "Parameters": {
            "Key": {"Type": "String", "Default": ""},
            "Stage": {
                "Type": "String",
                "Default": "test",
                "AllowedValues": ["test", "staging", "production"],
            },
        },
        "Conditions": {
            "Given": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Key"}, ""]}]},
            "Tests": {"Fn::Equals": ["test", {"Ref": "Stage"}]},
        },
        "Resources": {},
    }
    graph = Templates.of({"main": body})
    (main,) = graph
    key = {"Fn::If": ["Given", {"Ref": "Key"}, "none"]}
    assert {show(value) for value in graph.worlds(lambda: graph.resolve(main, key))} == {"${?}", "none"}
    text = {"Fn::Sub": "${Stage}-${Key}"}
    stage = {"Fn::If": ["Tests", {"Fn::Sub": "tests in ${Stage}"}, {"Fn::Sub": "runs in ${Stage}"}]}
    found = set(graph.worlds(lambda: graph.resolve(main, stage)))
    assert found == {"tests in test", "runs in staging", "runs in production"}
    # Outside of any condition the default stands.
    assert graph.resolve(main, text) == "test-"


def test_an_item_that_a_list_does_not_have() -> None:
    graph = Templates.of({"main": template({"Fn::Select": [2, ["a", "b"]]})})
    (thing,) = graph.resources("AWS::Test::Thing")
    assert graph.get(thing, "P") == Unresolved("The list has no item 2.")
