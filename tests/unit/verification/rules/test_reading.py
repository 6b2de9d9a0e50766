"""Reading ahead changes when the work is done, and nothing that is found."""

from functools import partial
from typing import Any

import pytest

from secure_ml_constructs.verification.rules import Engine, pack, prepare
from secure_ml_constructs.verification.templates import Templates

CONDITIONAL = {"Fn::If": ["Open", "*", {"AWS": {"Ref": "AWS::AccountId"}}]}


def body() -> dict[str, Any]:
    statements = [
        {"Effect": "Allow", "Principal": CONDITIONAL, "Action": "s3:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": {"Ref": "Missing"}}, "Action": "s3:*", "Resource": "*"},
    ]
    policy = {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": {"Statement": statements}}
    return {
        "Conditions": {"Open": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}},
        "Resources": {
            "Bucket": {"Type": "AWS::S3::Bucket"},
            "Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": policy},
        },
    }


def test_what_is_found_stays_the_same() -> None:
    engine = Engine(pack())
    found = engine.check(Templates.of({"main": body()}))
    assert engine.check(prepare(Templates.of({"main": body()}))) == found
    outcomes = {finding.outcome for finding in found if finding.rule == "S3BucketPolicyNotPublic"}
    assert outcomes == {"fail", "unresolved"}


def test_one_template_deployed_twice_is_read_twice() -> None:
    """The two have the same document and not the same parameters."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Ref": "Who"},
        "Action": "s3:GetObject",
        "Resource": "*",
    }
    policy = {"Bucket": "b", "PolicyDocument": {"Statement": [statement]}}
    child = {
        "Parameters": {"Who": {"Type": "String"}},
        "Resources": {"Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": policy}},
    }
    for names in (("Ours", "Open"), ("Open", "Ours")):
        given = {"Ours": {"Ref": "AWS::AccountId"}, "Open": "*"}
        stacks = {
            name: {
                "Type": "AWS::CloudFormation::Stack",
                "Properties": {"TemplateURL": "child", "Parameters": {"Who": given[name]}},
            }
            for name in names
        }
        found = Engine(pack()).check({"main": {"Resources": stacks}, "child": child})
        assert sum(finding.rule == "S3BucketPolicyNotPublic" for finding in found) == 1


@pytest.mark.parametrize(
    ("value", "times"), [({"Fn::Join": ["-", ["a", "b"]]}, 1), ({"Fn::If": ["Open", "a", "b"]}, 4)]
)
def test_what_no_condition_decides_is_worked_out_once(value: Any, times: int) -> None:
    graph = Templates.of({"main": body()})
    (template,) = graph
    worked: list[Any] = []

    def ask() -> None:
        graph.holds(template, "Open")
        for _ in range(2):
            graph.once("it", value, lambda: worked.append(graph.resolve(template, value)))

    assert len(list(graph.worlds(ask))) == 2
    assert len(worked) == times


def test_what_is_gone_is_not_taken_for_another() -> None:
    """Where an object is freed the next one gets its place in memory."""
    graph = Templates.of({"main": body()})
    assert [graph.once("it", [i], partial(int, i)) for i in range(8)] == list(range(8))
