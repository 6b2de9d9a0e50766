"""AlertTopic: who may tell it something, who may listen, and what it refuses."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_kms as kms

from secure_ml_constructs import AlertTopic, DataPerimeter, EnvironmentKeys
from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.testing import answers
from secure_ml_constructs.testing import findings as rule_findings
from secure_ml_constructs.verification.proofs.questions import Trust, Verdict
from tests.support.compliance import findings
from tests.support.decisions import ALLOW_ALL, Request, Simulator
from tests.support.templates import ACCOUNT, REGION, World, new_app, synth

pytestmark = pytest.mark.slow

IAM = f"arn:aws:iam::{ACCOUNT}:role"
ADMINISTRATOR, BREAK_GLASS = f"{IAM}/ml-admin", f"{IAM}/ml-break-glass"
DEPLOYING = f"{IAM}/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-{REGION}"
SERVING, INSIDER = f"{IAM}/secure-ml/serving", f"{IAM}/developer"
FOREIGN = "999988887777"
OUTSIDER = f"arn:aws:iam::{FOREIGN}:role/outsider"
ENDPOINT = "vpce-0a1b2c3d4e5f60718"
HERE = {"aws:SourceVpce": ENDPOINT}
PERIMETER = DataPerimeter(administrators=(ADMINISTRATOR,), break_glass_roles=(BREAK_GLASS,))
# What each service says of whom it acts for.
SERVICES = {
    "cloudwatch.amazonaws.com": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:drift",
    "budgets.amazonaws.com": f"arn:aws:budgets::{ACCOUNT}:budget/ml",
}


def build(app: cdk.App) -> AlertTopic:
    stack = cdk.Stack(app, "Alerts")
    keys = EnvironmentKeys(stack, "Keys", perimeter=PERIMETER)
    return AlertTopic(stack, "Alerts", perimeter=PERIMETER, key=keys.logs)


def build_full(app: cdk.App) -> AlertTopic:
    stack = cdk.Stack(app, "Alerts")
    keys = EnvironmentKeys(stack, "Keys", perimeter=PERIMETER)
    return AlertTopic(
        stack,
        "Alerts",
        perimeter=PERIMETER,
        key=keys.logs,
        emails=["ml-oncall@example.org", "security@example.org"],
        endpoints=[ENDPOINT],
    )


def world(make: Callable[[cdk.App], AlertTopic]) -> World:
    app = new_app()
    make(app)
    return World(synth(app))


@pytest.fixture(scope="session")
def default() -> World:
    return world(build)


@pytest.fixture(scope="session")
def full() -> World:
    return world(build_full)


def decide(
    simulator: Simulator,
    made: World,
    principal: str | None,
    action: str = "Publish",
    context: Mapping[str, Any] | None = None,
) -> bool:
    topic = made.one("AWS::SNS::Topic")
    request = Request(
        principal=principal, action=f"sns:{action}", resource=made.arn(topic), context=dict(context or {})
    )
    return simulator.decide(
        request,
        identity=(ALLOW_ALL,) if principal and principal.startswith("arn:") else (),
        resource_policy=made.one("AWS::SNS::TopicPolicy").properties["PolicyDocument"],
    ).allowed


# -- who tells it something ----------------------------------------------------------------------------


@pytest.mark.decision
@pytest.mark.parametrize("service", SERVICES)
def test_a_service_publishes_for_our_account_only(default: World, simulator: Simulator, service: str) -> None:
    ours = {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": SERVICES[service]}
    assert decide(simulator, default, service, context=ours)
    theirs = {key: value.replace(ACCOUNT, FOREIGN) for key, value in ours.items()}
    for context in (theirs, {**ours, "aws:SourceAccount": FOREIGN}, {}, {"aws:SourceAccount": ACCOUNT}):
        assert not decide(simulator, default, service, context=context)
    assert not decide(simulator, default, service, context={**ours, "aws:SecureTransport": "false"})
    assert not decide(simulator, default, service, "Subscribe", ours)


@pytest.mark.decision
@pytest.mark.parametrize("service", ["s3.amazonaws.com", "events.amazonaws.com"])
def test_no_other_service_publishes(default: World, simulator: Simulator, service: str) -> None:
    """EventBridge neither: it can't be told apart for whom it publishes, and takes a role."""
    for context in ({}, {"aws:SourceAccount": ACCOUNT}):
        assert not decide(simulator, default, service, context=context)


@pytest.mark.decision
def test_no_role_forges_an_alert(default: World, simulator: Simulator) -> None:
    roles: tuple[str | None, ...] = (INSIDER, SERVING, DEPLOYING, ADMINISTRATOR, OUTSIDER, None)
    for who in roles:
        assert not decide(simulator, default, who, context=HERE)
    assert decide(simulator, default, BREAK_GLASS)


@pytest.mark.decision
def test_roles_of_the_environment_publish_from_its_endpoints_where_they_are_given(
    full: World, simulator: Simulator
) -> None:
    assert decide(simulator, full, SERVING, context=HERE)
    assert not decide(simulator, full, SERVING)
    assert not decide(simulator, full, SERVING, context={"aws:SourceVpce": "vpce-0badbadbadbadbad0"})
    assert not decide(simulator, full, SERVING, context={**HERE, "aws:SecureTransport": "false"})
    assert not decide(simulator, full, INSIDER, context=HERE)
    assert decide(simulator, full, BREAK_GLASS)
    for service, source in SERVICES.items():
        sent = {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": source}
        assert decide(simulator, full, service, context=sent)
    # EventBridge's role calls from no network of ours.
    assert decide(simulator, full, f"{IAM}/secure-ml/service/rule")


# -- who listens ---------------------------------------------------------------------------------------


@pytest.mark.decision
@pytest.mark.parametrize(
    "action", ["Subscribe", "DeleteTopic", "SetTopicAttributes", "AddPermission", "RemovePermission"]
)
def test_only_who_administers_sets_who_listens(default: World, simulator: Simulator, action: str) -> None:
    for who in (ADMINISTRATOR, DEPLOYING, BREAK_GLASS):
        assert decide(simulator, default, who, action)
    strangers: tuple[str | None, ...] = (INSIDER, SERVING, f"{IAM}/secure-ml/service/rule", OUTSIDER, None)
    for stranger in strangers:
        assert not decide(simulator, default, stranger, action, HERE)


@pytest.mark.decision
def test_nothing_is_delivered_by_plain_http(default: World, simulator: Simulator) -> None:
    for protocol, allowed in (("http", False), ("https", True), ("email", True), ("sqs", True)):
        context = {"sns:Protocol": protocol}
        assert decide(simulator, default, DEPLOYING, "Subscribe", context) is allowed


@pytest.mark.decision
def test_people_look_and_outsiders_do_not(default: World, simulator: Simulator) -> None:
    assert decide(simulator, default, INSIDER, "GetTopicAttributes")
    for action in ("GetTopicAttributes", "ListSubscriptionsByTopic"):
        assert not decide(simulator, default, OUTSIDER, action)


# -- the template --------------------------------------------------------------------------------------


def test_it_is_under_the_key_and_told_to_whom_it_is_for(default: World, full: World) -> None:
    for made, listeners in ((default, []), (full, ["ml-oncall@example.org", "security@example.org"])):
        topic = made.one("AWS::SNS::Topic")
        assert topic.properties["KmsMasterKeyId"] == made.arn(made.one("AWS::KMS::Key", "KeysLogs"))
        assert "TopicName" not in topic.properties
        found = [each.properties for each in made.resources("AWS::SNS::Subscription")]
        assert [each["Endpoint"] for each in found] == listeners
        assert {each["Protocol"] for each in found} <= {"email"}


def test_it_names_only_actions_that_sns_takes_in_a_topics_policy(full: World) -> None:
    """With any other action SNS refuses the whole policy."""
    taken = {
        "sns:AddPermission",
        "sns:DeleteTopic",
        "sns:GetTopicAttributes",
        "sns:ListSubscriptionsByTopic",
        "sns:Publish",
        "sns:RemovePermission",
        "sns:SetTopicAttributes",
        "sns:Subscribe",
    }
    policy = full.one("AWS::SNS::TopicPolicy").properties["PolicyDocument"]
    for statement in policy["Statement"]:
        named = statement["Action"]
        assert set([named] if isinstance(named, str) else named) <= taken


def test_every_partition_is_served() -> None:
    app = new_app()
    stack = cdk.Stack(app, "Alerts")
    keys = EnvironmentKeys(stack, "Keys", perimeter=DataPerimeter())
    AlertTopic(stack, "Alerts", perimeter=DataPerimeter(), key=keys.logs)
    made = World(synth(app), region="us-gov-west-1", partition="aws-us-gov")
    policy = str(made.one("AWS::SNS::TopicPolicy").properties["PolicyDocument"])
    assert "arn:aws:" not in policy
    assert "arn:aws-us-gov:cloudwatch:us-gov-west-1" in policy


def test_an_alarm_takes_it_from_another_stack() -> None:
    app = new_app()
    alerts = build(app)
    stack = cdk.Stack(app, "Serving")
    metric = cloudwatch.Metric(namespace="AWS/SageMaker", metric_name="Invocation5XXErrors")
    alarm = metric.create_alarm(stack, "Errors", threshold=1, evaluation_periods=1)
    alarm.add_alarm_action(actions.SnsAction(alerts.topic))
    made = World(synth(app))
    assert made.one("AWS::CloudWatch::Alarm").properties["AlarmActions"] == [
        made.arn(made.one("AWS::SNS::Topic"))
    ]


@pytest.mark.parametrize("make", [build, build_full], ids=["default", "full"])
def test_no_pack_finds_anything(make: Callable[[cdk.App], AlertTopic]) -> None:
    assert findings(make) == []


@pytest.mark.parametrize("made", ["default", "full"])
def test_the_template(
    made: str, request: pytest.FixtureRequest, snapshot_template: Callable[[dict[str, Any]], None]
) -> None:
    found: World = request.getfixturevalue(made)
    snapshot_template(dict(found.templates)["Alerts"])


# -- what notices a weaker one -------------------------------------------------------------------------


def weakened(made: World, change: Callable[[dict[str, Any], list[dict[str, Any]]], Any]) -> dict[str, Any]:
    """The templates, with the topic's properties and the statements of its policy changed."""
    templates: dict[str, Any] = copy.deepcopy(dict(made.templates))
    resources = templates["Alerts"]["Resources"].values()
    (topic,) = (each["Properties"] for each in resources if each["Type"] == "AWS::SNS::Topic")
    (policy,) = (each["Properties"] for each in resources if each["Type"] == "AWS::SNS::TopicPolicy")
    change(topic, policy["PolicyDocument"]["Statement"])
    return templates


def dropped(sid: str) -> Callable[[dict[str, Any], list[dict[str, Any]]], None]:
    def change(topic: dict[str, Any], statements: list[dict[str, Any]]) -> None:
        (found,) = (each for each in statements if each["Sid"] == sid)
        statements.remove(found)

    return change


def unbound(topic: dict[str, Any], statements: list[dict[str, Any]]) -> None:
    (found,) = (each for each in statements if each["Sid"] == "Alarms")
    del found["Condition"]


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("SnsCustomerKey", lambda topic, _: topic.update(KmsMasterKeyId="alias/aws/sns")),
        ("SnsTlsOnly", dropped("DenyPlainTransport")),
        ("PolicyServicesForUs", unbound),
    ],
)
def test_a_rule_notices(default: World, rule: str, change: Callable[..., Any]) -> None:
    def found(templates: Mapping[str, Any]) -> set[str]:
        return {each.rule for each in rule_findings(templates)}

    assert rule not in found(default.templates)
    assert rule in found(weakened(default, change))


@pytest.mark.parametrize(
    ("question", "change"),
    [
        ("insider/forge/Alerts/Alerts", dropped("DenyForgery")),
        ("insider/listen/Alerts/Alerts", dropped("DenyAdministration")),
        ("insider/silence/Alerts/Alerts", dropped("DenyAdministration")),
        ("confused-deputy/forge/Alerts/Alerts", unbound),
    ],
)
def test_a_proof_notices(default: World, question: str, change: Callable[..., Any]) -> None:
    def verdict(templates: Mapping[str, Any]) -> Verdict:
        trust = Trust(role_paths=("/secure-ml/",), administrators=(ADMINISTRATOR, BREAK_GLASS))
        (answer,) = answers(templates, question, trust=trust)
        return answer.verdict

    assert verdict(default.templates) is Verdict.PROVED
    assert verdict(weakened(default, change)) is Verdict.BROKEN


# -- bad input -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "argument", "says"),
    [
        ({"emails": "ml@example.org"}, "emails", "One string"),
        ({"emails": ["ml.example.org"]}, "emails[0]", "no e-mail address"),
        ({"emails": ["ml@example.org", "ml@example.org"]}, "emails[1]", "twice"),
        ({"endpoints": ENDPOINT}, "endpoints", "One string"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], argument: str, says: str) -> None:
    stack = cdk.Stack(new_app(), "Alerts")
    keys = EnvironmentKeys(stack, "Keys", perimeter=PERIMETER)
    with pytest.raises(ConfigurationError) as caught:
        AlertTopic(stack, "Alerts", perimeter=PERIMETER, key=keys.logs, **arguments)
    (problem,) = caught.value.problems
    assert problem.argument == argument
    assert says in problem.reason
    assert stack.node.try_find_child("Alerts") is None


def test_a_key_that_aws_manages_is_refused_with_the_rest() -> None:
    stack = cdk.Stack(new_app(), "Alerts")
    managed = kms.Alias.from_alias_name(stack, "Managed", "alias/aws/sns")
    with pytest.raises(ConfigurationError) as caught:
        AlertTopic(stack, "Alerts", perimeter=PERIMETER, key=managed, emails=["nobody"])
    assert [problem.argument for problem in caught.value.problems] == ["key", "emails[0]"]


def test_an_address_that_is_not_known_yet_is_taken() -> None:
    app = new_app()
    stack = cdk.Stack(app, "Alerts")
    keys = EnvironmentKeys(stack, "Keys", perimeter=PERIMETER)
    address = cdk.CfnParameter(stack, "Address").value_as_string
    AlertTopic(stack, "Alerts", perimeter=PERIMETER, key=keys.logs, emails=[address])
    assert World(synth(app)).one("AWS::SNS::Subscription").properties["Endpoint"] == "parameter-Address"
