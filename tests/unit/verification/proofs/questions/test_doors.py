"""Doors: whether a token is good from elsewhere, and what a tenant reaches of another's."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from secure_ml_constructs.verification.proofs.environment import ask
from secure_ml_constructs.verification.proofs.questions import Answer, Trust, Verdict
from secure_ml_constructs.verification.templates import Templates

TRUST = Trust(role_paths=("/clinic/",))
HEADER = "integration.request.header.X-Amzn-SageMaker-Inference-Component"
BOUND = "context.authorizer.component"
QUESTION = "*/reach-another's-component/*"
ELSEWHERE = "outsider/call-with-a-token-from-elsewhere/door/Api"


def component(name: str, endpoint: str = "risk") -> Any:
    return {
        "Type": "AWS::SageMaker::InferenceComponent",
        "Properties": {"InferenceComponentName": name, "EndpointName": endpoint},
    }


def path(part: str, parent: Any) -> Any:
    return {
        "Type": "AWS::ApiGateway::Resource",
        "Properties": {"RestApiId": {"Ref": "Api"}, "ParentId": parent, "PathPart": part},
    }


def method(at: Any, authorization: str, source: str | None, **more: Any) -> Any:
    return {
        "Type": "AWS::ApiGateway::Method",
        "Properties": {
            "RestApiId": {"Ref": "Api"},
            "ResourceId": at,
            "HttpMethod": "POST",
            "AuthorizationType": authorization,
            "Integration": {
                "Type": "AWS",
                "Uri": {
                    "Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}:runtime.sagemaker:"
                    "path/endpoints/risk/invocations"
                },
                "RequestParameters": {HEADER: source} if source else {},
                **more,
            },
        },
    }


def role(*paths: str) -> Any:
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    head = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}"
    grant = {
        "Sid": "Ask",
        "Effect": "Allow",
        "Action": "execute-api:Invoke",
        "Resource": [{"Fn::Sub": f"{head}/{each}"} for each in paths],
    }
    policy = {"Version": "2012-10-17", "Statement": [grant]}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "Path": "/clinic/",
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [{"PolicyName": "p", "PolicyDocument": policy}],
        },
    }


POLICY: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"},
        {
            "Sid": "Others",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "execute-api:Invoke",
            "Resource": "execute-api:/*",
            "Condition": {"StringNotEquals": {"aws:SourceVpce": {"Ref": "Endpoint"}}},
        },
    ],
}


def door(authorization: str, source: str | None, *, private: bool = False, **more: Any) -> dict[str, Any]:
    """An API with one method, in front of an endpoint with two components."""
    properties: dict[str, Any] = {"Name": "door"}
    properties["EndpointConfiguration"] = {"Types": ["PRIVATE" if private else "REGIONAL"]}
    if private:
        properties["Policy"] = copy.deepcopy(POLICY)
    return {
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": properties},
        "Stage": {
            "Type": "AWS::ApiGateway::Stage",
            "Properties": {"RestApiId": {"Ref": "Api"}, "StageName": "live"},
        },
        "Endpoint": {
            "Type": "AWS::EC2::VPCEndpoint",
            "Properties": {
                "VpcId": "vpc-1",
                "VpcEndpointType": "Interface",
                "ServiceName": {"Fn::Sub": "com.amazonaws.${AWS::Region}.execute-api"},
            },
        },
        "One": component("one"),
        "Two": component("two"),
        "Ask": method({"Fn::GetAtt": ["Api", "RootResourceId"]}, authorization, source, **more),
    }


def by_path(*grants: str) -> dict[str, Any]:
    """An API with a path for each tenant, and a role for the first."""
    made = door("AWS_IAM", "'one'")
    del made["Ask"]
    for name in ("one", "two"):
        made[f"Tenant{name}"] = path(name, {"Fn::GetAtt": ["Api", "RootResourceId"]})
        for kind in ("json", "csv"):
            made[f"Path{name}{kind}"] = path(kind, {"Ref": f"Tenant{name}"})
            made[f"Post{name}{kind}"] = method({"Ref": f"Path{name}{kind}"}, "AWS_IAM", f"'{name}'")
    made["Caller"] = role(*grants)
    return made


def answers(resources: dict[str, Any], question: str = QUESTION) -> dict[str, Answer]:
    found = ask(Templates.of({"door": {"Resources": resources}}), TRUST, questions=(question,))
    return {each.question: each for each in found}


def verdicts(resources: dict[str, Any]) -> set[Verdict]:
    found = answers(resources)
    assert {each.control for each in found.values()} == {"G11"}
    return {each.verdict for each in found.values()}


@pytest.mark.parametrize("authorization", ["CUSTOM", "COGNITO_USER_POOLS"])
@pytest.mark.parametrize("private", [False, True])
def test_what_the_authorizer_says_is_proved(authorization: str, private: bool) -> None:
    assert verdicts(door(authorization, BOUND, private=private)) == {Verdict.PROVED}
    # Without a name SageMaker asks no component.
    assert verdicts(door(authorization, None, private=private)) == {Verdict.PROVED}


@pytest.mark.parametrize("authorization", ["CUSTOM", "COGNITO_USER_POOLS"])
@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize(
    "source",
    ["method.request.header.X-Tenant", "method.request.path.tenant", "method.request.body.t", "'one'"],
)
def test_what_a_caller_chooses_is_a_hole(authorization: str, private: bool, source: str) -> None:
    assert Verdict.BROKEN in verdicts(door(authorization, source, private=private))


def test_a_role_for_one_tenant_is_proved_and_a_role_for_two_is_not() -> None:
    assert verdicts(by_path("live/POST/one/*")) == {Verdict.PROVED}
    for grants in (
        ("live/POST/*",),
        ("*",),
        ("live/POST/one/*", "live/POST/two/csv"),
        ("live/POST/one/json", "*/two/json"),
    ):
        found = answers(by_path(*grants))
        broken = {each.adversary for each in found.values() if each.verdict is Verdict.BROKEN}
        assert broken, grants
        (step, *_) = next(each.steps for each in found.values() if each.steps)
        assert step.request.action == "execute-api:Invoke"


def test_a_role_that_names_the_component_itself_is_a_hole() -> None:
    made = door("AWS_IAM", "method.request.header.X-Tenant")
    made["Caller"] = role("live/POST/")
    assert Verdict.BROKEN in verdicts(made)
    made["Caller"] = role("live/GET/")
    assert verdicts(made) == {Verdict.PROVED}


def test_what_is_not_known_is_not_proved() -> None:
    override = {"application/json": "#set($context.requestOverride.header.X-Amzn = $input.params('t'))"}
    assert verdicts(door("CUSTOM", BOUND, RequestTemplates=override)) == {Verdict.NOT_COVERED}
    assert verdicts(door("CUSTOM", "stageVariables.tenant")) == {Verdict.NOT_COVERED}


def test_an_endpoint_for_everybody_is_not_asked_about() -> None:
    made = door("CUSTOM", None)
    del made["Two"]
    assert answers(made) == {}
    made["Two"] = component("two", "another")
    assert answers(made) == {}


@pytest.mark.parametrize("authorization", ["CUSTOM", "COGNITO_USER_POOLS"])
def test_a_token_is_good_by_our_endpoint_only(authorization: str) -> None:
    made = door(authorization, BOUND, private=True)
    assert answers(made, ELSEWHERE)[ELSEWHERE].verdict is Verdict.PROVED
    assert "Others" in answers(made, ELSEWHERE)[ELSEWHERE].because
    del made["Api"]["Properties"]["Policy"]["Statement"][1]
    broken = answers(made, ELSEWHERE)[ELSEWHERE]
    assert broken.verdict is Verdict.BROKEN
    assert broken.control == "G7"


def test_who_signs_is_kept_to_our_endpoint_by_the_policy_of_the_door() -> None:
    question = "stolen-credentials/call-from-another-network/door/Api"
    made = door("AWS_IAM", None, private=True)
    assert answers(made, question)[question].verdict is Verdict.PROVED
    assert "Others" in answers(made, question)[question].because
    del made["Api"]["Properties"]["Policy"]["Statement"][1]
    assert answers(made, question)[question].verdict is Verdict.BY_DESIGN
    assert answers(door("AWS_IAM", None), question) == {}


def test_of_a_regional_door_it_is_not_asked() -> None:
    assert answers(door("CUSTOM", BOUND), ELSEWHERE) == {}


@pytest.mark.parametrize("authorization", ["CUSTOM", "COGNITO_USER_POOLS"])
def test_without_a_token_nobody_is_heard_signed_or_not(authorization: str) -> None:
    made = door(authorization, BOUND)
    made["Caller"] = role("*")
    found = answers(made, "*/call-without-authorization/*")
    assert len(found) == 4
    assert {each.verdict for each in found.values()} == {Verdict.PROVED}
