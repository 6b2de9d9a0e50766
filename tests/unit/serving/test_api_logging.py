"""ApiLogging: one role for an account and region, which nobody takes away."""

from __future__ import annotations

from collections.abc import Callable

import aws_cdk as cdk
import pytest
from aws_cdk import aws_apigateway as apigateway

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.serving.api_logging import ApiLogging
from tests.support.compliance import findings
from tests.support.decisions import Request, Simulator
from tests.support.templates import ACCOUNT, REGION, Template, World, new_app, synth

PERIMETER = DataPerimeter()
LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group"


def stage(stack: cdk.Stack) -> apigateway.CfnStage:
    return apigateway.CfnStage(stack, "Stage", rest_api_id="a1b2c3", deployment_id="d4e5f6")


def build(app: cdk.App) -> None:
    stack = cdk.Stack(app, "Logging")
    ApiLogging(stack, "ApiLogging", perimeter=PERIMETER)


@pytest.fixture(scope="session")
def made() -> World:
    app = new_app()
    build(app)
    return World(synth(app))


def test_the_account_logs_with_a_role_of_ours(made: World) -> None:
    role = made.one("AWS::IAM::Role")
    account = made.one("AWS::ApiGateway::Account")
    assert account.properties == {"CloudWatchRoleArn": made.arn(role)}
    assert role.properties["Path"] == PERIMETER.service_role_path
    (trust,) = role.properties["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "apigateway.amazonaws.com"}
    policy = made.ref(made.one("AWS::IAM::ManagedPolicy"))
    assert role.properties["ManagedPolicyArns"] == [policy]
    assert role.properties["PermissionsBoundary"] == policy


def test_all_of_it_stays_when_the_stack_goes(made: World) -> None:
    # A setting that names a role which is gone ends the logs of every other API (aws-cdk#10878).
    kept = {each.type: each.raw for each in made.resources()}
    assert set(kept) == {"AWS::IAM::ManagedPolicy", "AWS::IAM::Role", "AWS::ApiGateway::Account"}
    for raw in kept.values():
        assert (raw["DeletionPolicy"], raw["UpdateReplacePolicy"]) == ("Retain", "Retain")


@pytest.mark.decision
@pytest.mark.parametrize(
    ("action", "resource", "allowed"),
    [
        ("logs:CreateLogGroup", f"{LOGS}:API-Gateway-Execution-Logs_a1b2c3/live", True),
        ("logs:PutLogEvents", f"{LOGS}:Door-AccessLog-x:log-stream:1", True),
        ("logs:DescribeLogGroups", "*", True),
        ("logs:PutLogEvents", f"arn:aws:logs:{REGION}:999988887777:log-group:x:log-stream:1", False),
        ("logs:PutLogEvents", f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:x:log-stream:1", False),
        ("logs:DeleteLogGroup", f"{LOGS}:API-Gateway-Execution-Logs_a1b2c3/live", False),
        ("logs:PutRetentionPolicy", f"{LOGS}:API-Gateway-Execution-Logs_a1b2c3/live", False),
        ("sagemaker:InvokeEndpoint", f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/risk", False),
    ],
)
def test_what_it_may_do(made: World, simulator: Simulator, action: str, resource: str, allowed: bool) -> None:
    policy = made.one("AWS::IAM::ManagedPolicy").properties["PolicyDocument"]
    role = made.arn(made.one("AWS::IAM::Role"))
    request = Request(principal=role, action=action, resource=resource)
    assert simulator.decide(request, identity=[policy], boundary=[policy]).allowed is allowed


def test_a_stage_waits_for_it() -> None:
    app = new_app()
    stack = cdk.Stack(app, "Door")
    ApiLogging(stack, "ApiLogging", perimeter=PERIMETER).before(stage(stack))
    world = World(synth(app))
    account = world.one("AWS::ApiGateway::Account").logical_id
    assert world.one("AWS::ApiGateway::Stage").raw["DependsOn"] == [account]


def test_a_stage_of_another_stack_waits_for_the_whole_stack() -> None:
    app = new_app()
    shared, door = cdk.Stack(app, "Shared"), cdk.Stack(app, "Door")
    ApiLogging(shared, "ApiLogging", perimeter=PERIMETER).before(stage(door))
    artifacts = {each.stack_name: each for each in app.synth().stacks}
    assert "Shared" in [each.id for each in artifacts["Door"].dependencies]


def test_one_that_exists_is_taken_and_nothing_is_made() -> None:
    app = new_app()
    stack = cdk.Stack(app, "Door")
    ApiLogging.existing(stack, "ApiLogging").before(stage(stack))
    world = World(synth(app))
    assert [each.type for each in world.resources()] == ["AWS::ApiGateway::Stage"]
    assert "DependsOn" not in world.one("AWS::ApiGateway::Stage").raw


def test_a_second_one_for_the_account_is_refused() -> None:
    app = new_app()
    build(app)
    other = cdk.Stack(app, "Other")
    with pytest.raises(ConfigurationError, match="already") as caught:
        ApiLogging(other, "ApiLogging", perimeter=PERIMETER)
    assert "ApiLogging.existing" in caught.value.problems[0].fix
    assert other.node.try_find_child("ApiLogging") is None
    ApiLogging.existing(other, "ApiLogging")


def test_another_region_account_and_app_have_their_own() -> None:
    app = new_app()
    for name, account, region in (
        ("A", ACCOUNT, REGION),
        ("B", ACCOUNT, "eu-west-1"),
        ("C", "2" * 12, REGION),
    ):
        stack = cdk.Stack(app, name, env=cdk.Environment(account=account, region=region))
        ApiLogging(stack, "ApiLogging", perimeter=PERIMETER)
    build(new_app())


def test_no_pack_finds_anything() -> None:
    assert findings(build) == []


def test_the_template(made: World, snapshot_template: Callable[[Template], None]) -> None:
    snapshot_template(dict(made.templates)["Logging"])
