"""AlertRule: the way of an event to the topic, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sns as sns

from secure_ml_constructs import AlertRule, AlertTopic, DataPerimeter, EnvironmentKeys
from secure_ml_constructs.errors import ConfigurationError
from tests.support.compliance import findings
from tests.support.decisions import Request, Simulator
from tests.support.templates import ACCOUNT, REGION, World, new_app, synth

FOREIGN = "999988887777"
PERIMETER = DataPerimeter()
PATTERN: Mapping[str, Any] = {"source": ["aws.guardduty"], "detail": {"severity": [{"numeric": [">=", 7]}]}}


def build(app: cdk.App) -> AlertRule:
    stack = cdk.Stack(app, "Alerts")
    keys = EnvironmentKeys(stack, "Keys", perimeter=PERIMETER)
    alerts = AlertTopic(stack, "Alerts", perimeter=PERIMETER, key=keys.logs)
    return AlertRule(
        cdk.Stack(app, "Rules"),
        "Findings",
        perimeter=PERIMETER,
        topic=alerts.topic,
        pattern=PATTERN,
        description="Findings of GuardDuty",
    )


@pytest.fixture(scope="session")
def world() -> World:
    app = new_app()
    build(app)
    return World(synth(app))


def test_an_event_goes_to_the_topic_with_the_role(world: World) -> None:
    rule = world.one("AWS::Events::Rule").properties
    assert rule["EventPattern"] == PATTERN
    assert rule["State"] == "ENABLED"
    (target,) = rule["Targets"]
    assert target["Arn"] == world.arn(world.one("AWS::SNS::Topic"))
    assert target["RoleArn"] == world.arn(world.one("AWS::IAM::Role"))


@pytest.mark.decision
def test_only_eventbridge_takes_the_role_and_only_for_our_rules(world: World, simulator: Simulator) -> None:
    role = world.one("AWS::IAM::Role")

    def takes(service: str, rule: str, account: str) -> bool:
        request = Request(
            principal=service,
            action="sts:AssumeRole",
            resource=world.arn(role),
            context={"aws:SourceArn": rule, "aws:SourceAccount": account},
        )
        trust = role.properties["AssumeRolePolicyDocument"]
        return simulator.decide(request, resource_policy=trust).allowed

    ours = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/findings"
    assert takes("events.amazonaws.com", ours, ACCOUNT)
    assert not takes("events.amazonaws.com", ours.replace(ACCOUNT, FOREIGN), FOREIGN)
    assert not takes("events.amazonaws.com", ours.replace(ACCOUNT, FOREIGN), ACCOUNT)
    assert not takes("events.amazonaws.com", ours, FOREIGN)
    assert not takes("lambda.amazonaws.com", ours, ACCOUNT)


@pytest.mark.decision
def test_the_role_publishes_encrypted_and_does_nothing_else(world: World, simulator: Simulator) -> None:
    arn = world.arn(world.one("AWS::IAM::Role"))
    topic, key = world.one("AWS::SNS::Topic"), world.one("AWS::KMS::Key", "KeysLogs")
    own = world.one("AWS::IAM::ManagedPolicy").properties["PolicyDocument"]

    def may(action: str, resource: str, policy: Any, context: Mapping[str, str] | None = None) -> bool:
        request = Request(principal=arn, action=action, resource=resource, context=dict(context or {}))
        return simulator.decide(request, identity=(own,), boundary=(own,), resource_policy=policy).allowed

    told = world.one("AWS::SNS::TopicPolicy").properties["PolicyDocument"]
    key_policy = key.properties["KeyPolicy"]
    through = {"kms:ViaService": f"sns.{REGION}.amazonaws.com", "aws:ViaAWSService": "true"}
    assert may("sns:Publish", world.arn(topic), told)
    for action in ("kms:GenerateDataKey", "kms:Decrypt"):
        assert may(action, world.arn(key), key_policy, through)
        assert not may(action, world.arn(key), key_policy)
    assert not may("sns:Subscribe", world.arn(topic), told)
    assert not may("sns:Publish", f"{world.arn(topic)}-other", None)
    assert not may("kms:CreateGrant", world.arn(key), key_policy, through)


def test_an_alarm_tells_of_what_could_not_be_delivered(world: World) -> None:
    alarm = world.one("AWS::CloudWatch::Alarm").properties
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Events", "FailedInvocations")
    assert alarm["Dimensions"] == [{"Name": "RuleName", "Value": world.ref(world.one("AWS::Events::Rule"))}]
    assert alarm["AlarmActions"] == [world.arn(world.one("AWS::SNS::Topic"))]
    assert alarm["TreatMissingData"] == "notBreaching"
    assert alarm["Threshold"] == 1


@pytest.mark.parametrize("encrypted", [True, False])
def test_a_topic_of_ones_own_is_taken(encrypted: bool) -> None:
    app = new_app()
    stack = cdk.Stack(app, "Rules")
    arn = f"arn:aws:sns:{REGION}:{ACCOUNT}:security"
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
    topic = sns.Topic.from_topic_attributes(stack, "Own", topic_arn=arn, key_arn=key if encrypted else None)
    AlertRule(stack, "Findings", perimeter=PERIMETER, topic=topic, pattern=PATTERN, description="Findings")
    made = World(synth(app))
    assert made.one("AWS::Events::Rule").properties["Targets"][0]["Arn"] == arn
    statements = made.one("AWS::IAM::ManagedPolicy").properties["PolicyDocument"]["Statement"]
    assert [each["Resource"] for each in statements] == ([arn, key] if encrypted else [arn])


def test_no_pack_finds_anything() -> None:
    assert findings(build) == []


def test_the_template(world: World, snapshot_template: Callable[[dict[str, Any]], None]) -> None:
    snapshot_template(dict(world.templates)["Rules"])


@pytest.mark.parametrize("pattern", [{}, {"source": []}, {"detail-type": ["Finding"]}])
def test_a_pattern_without_a_source_is_refused(pattern: dict[str, Any]) -> None:
    stack = cdk.Stack(new_app(), "Rules")
    topic = sns.Topic.from_topic_arn(stack, "Own", f"arn:aws:sns:{REGION}:{ACCOUNT}:security")
    with pytest.raises(ConfigurationError, match="names no source") as caught:
        AlertRule(stack, "Findings", perimeter=PERIMETER, topic=topic, pattern=pattern, description="All")
    assert caught.value.where == "Rules/Findings"
    assert stack.node.try_find_child("Findings") is None
