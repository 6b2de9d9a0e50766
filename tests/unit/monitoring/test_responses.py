"""Responses: what begins by which alarm, with which role, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sns as sns

from secure_ml_constructs.detection.alarms import Alarms, Alerts, Severity
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.monitoring.responses import Response, Retrain, RollBack
from secure_ml_constructs.monitoring.roll_back import states
from secure_ml_constructs.monitoring.watch_alarms import watch_alarms
from secure_ml_constructs.testing import answers
from secure_ml_constructs.verification.proofs.questions import Verdict
from tests.support.compliance import findings
from tests.support.decisions import Policy, Request, Simulator
from tests.support.templates import ACCOUNT, REGION, Resource, Template, World, new_app, world_of
from tests.unit.identity import hospital
from tests.unit.monitoring.plans import plan

RULE = "AWS::Events::Rule"
ALARM = "AWS::CloudWatch::Alarm"
ROLE = "AWS::IAM::Role"
MACHINE = "AWS::StepFunctions::StateMachine"
FOREIGN = "999988887777"
SAGEMAKER = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
PIPELINE = f"{SAGEMAKER}:pipeline/clinical-risk"
CONFIG = "Clinical-Risk-2026-10"
ENDPOINT = f"{SAGEMAKER}:endpoint/serving-risk-c8a1b2c3d4"
HIGH, MEDIUM = Severity.HIGH, Severity.MEDIUM


def respond(app: cdk.App, responses: Sequence[Response]) -> None:
    foundation = hospital.build(app, teams={}, region=REGION).foundation
    stack = cdk.Stack(app, "Watch", env=cdk.Environment(region=REGION))
    topic = sns.Topic.from_topic_arn(stack, "Topic", f"arn:aws:sns:{REGION}:{ACCOUNT}:urgent")
    alarms = Alarms(stack, "Alarms", alerts=Alerts(high=topic))
    watched = plan(foundation)
    watch_alarms(alarms, watched)
    for response in responses:
        response.build(stack, endpoint=watched.endpoint, alarms=alarms, foundation=foundation)


def build(app: cdk.App) -> None:
    """Both, with what they must be told."""
    respond(app, [Retrain(pipeline_arn=PIPELINE), RollBack(to=CONFIG)])


def build_full(app: cdk.App) -> None:
    """Both, the other way round, and a configuration of which nothing is known at synth."""
    other = cdk.Stack(app, "Other", env=cdk.Environment(region=REGION))
    # A template without resources is none.
    cdk.CfnWaitConditionHandle(other, "Handle")
    config = cdk.CfnParameter(other, "Config", default="Risk-A1").value_as_string
    parameters = {"Reason": "drift", "Epochs": "3"}
    retrain = Retrain(pipeline_arn=PIPELINE, parameters=parameters, severity=HIGH)
    respond(app, [retrain, RollBack(to=config, severity=MEDIUM)])


@pytest.fixture(scope="session")
def default() -> World:
    return world_of(build)


@pytest.fixture(scope="session")
def full() -> World:
    return world_of(build_full)


# -- what begins by which alarm -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "rule", "alarm"),
    [
        ("default", "Retrain", "AlarmsViolations"),
        ("default", "RollBackRule", "AlarmsSevereViolations"),
        ("full", "Retrain", "AlarmsSevereViolations"),
        ("full", "RollBackRule", "AlarmsViolations"),
    ],
)
def test_each_waits_for_one_alarm(name: str, rule: str, alarm: str, request: pytest.FixtureRequest) -> None:
    world: World = request.getfixturevalue(name)
    found = world.one(RULE, rule).properties
    assert found["EventPattern"] == {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "resources": [world.arn(world.one(ALARM, alarm))],
        "detail": {"state": {"value": ["ALARM"]}},
    }
    assert found["State"] == "ENABLED"


def test_a_pipeline_gets_its_parameters(default: World, full: World) -> None:
    (target,) = default.one(RULE, "Retrain").properties["Targets"]
    assert target["Arn"] == PIPELINE
    assert target["SageMakerPipelineParameters"] == {"PipelineParameterList": []}
    (target,) = full.one(RULE, "Retrain").properties["Targets"]
    assert target["SageMakerPipelineParameters"]["PipelineParameterList"] == [
        {"Name": "Epochs", "Value": "3"},
        {"Name": "Reason", "Value": "drift"},
    ]
    assert "Input" not in target


def test_no_word_of_an_event_reaches_the_state_machine(default: World) -> None:
    (target,) = default.one(RULE, "RollBackRule").properties["Targets"]
    assert target["Arn"] == default.arn(default.one(MACHINE))
    assert target["Input"] == "{}"


@pytest.mark.parametrize("rule", ["Retrain", "RollBackRule"])
def test_nothing_begins_by_what_is_an_hour_old(default: World, rule: str) -> None:
    (target,) = default.one(RULE, rule).properties["Targets"]
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 24}


FAILURES = [
    ("RetrainFailed", "AWS/Events", "FailedInvocations", RULE, "Retrain"),
    ("RollBackUnstarted", "AWS/Events", "FailedInvocations", RULE, "RollBackRule"),
    *(
        (f"RollBack{name}", "AWS/States", name, MACHINE, "RollBack")
        for name in ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted", "ExecutionThrottled")
    ),
]


@pytest.mark.parametrize(("alarm", "namespace", "metric", "type_", "of"), FAILURES)
def test_what_could_not_begin_or_end_is_told(
    default: World, alarm: str, namespace: str, metric: str, type_: str, of: str
) -> None:
    found = default.one(ALARM, alarm).properties
    assert (found["Namespace"], found["MetricName"], found["Threshold"]) == (namespace, metric, 1)
    assert found["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert found["AlarmActions"] == [f"arn:aws:sns:{REGION}:{ACCOUNT}:urgent"]
    watched = default.one(type_, of)
    (dimension,) = found["Dimensions"]
    if type_ == RULE:
        assert dimension == {"Name": "RuleName", "Value": default.ref(watched)}
    else:
        assert dimension == {"Name": "StateMachineArn", "Value": default.arn(watched)}


# -- roles --------------------------------------------------------------------------------------------------


def policies(world: World, role: Resource) -> list[Policy]:
    arns = role.properties["ManagedPolicyArns"]
    found = {
        world.ref(each): each.properties["PolicyDocument"]
        for each in world.resources("AWS::IAM::ManagedPolicy")
    }
    return [found[arn] for arn in arns]


def may(
    world: World, simulator: Simulator, role: Resource, action: str, resource: str, **context: str
) -> bool:
    ask = Request(principal=world.arn(role), action=action, resource=resource, context=context)
    boundary = {
        world.ref(each): each.properties["PolicyDocument"]
        for each in world.resources("AWS::IAM::ManagedPolicy")
    }[role.properties["PermissionsBoundary"]]
    return simulator.decide(ask, identity=policies(world, role), boundary=[boundary]).allowed


@pytest.mark.decision
@pytest.mark.parametrize(
    ("role", "service", "arn"),
    [
        ("WatchRetrain", "events.amazonaws.com", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/watch"),
        ("RollBackRule", "events.amazonaws.com", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/watch"),
        ("RollBackRole", "states.amazonaws.com", f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:back"),
    ],
)
def test_roles_are_taken_for_the_account_only(
    default: World, simulator: Simulator, role: str, service: str, arn: str
) -> None:
    (found,) = (each for each in default.resources(ROLE) if role in f"Watch{each.logical_id}")
    trust = found.properties["AssumeRolePolicyDocument"]
    assert found.properties["Path"] == "/secure-ml/service/"

    def takes(who: str, source: str, account: str) -> bool:
        request = Request(
            principal=who,
            action="sts:AssumeRole",
            resource=default.arn(found),
            context={"aws:SourceArn": source, "aws:SourceAccount": account},
        )
        return simulator.decide(request, resource_policy=trust).allowed

    assert takes(service, arn, ACCOUNT)
    assert not takes(service, arn.replace(ACCOUNT, FOREIGN), FOREIGN)
    assert not takes(service, arn.replace(ACCOUNT, FOREIGN), ACCOUNT)
    assert not takes("lambda.amazonaws.com", arn, ACCOUNT)


@pytest.mark.decision
def test_what_retrains_starts_one_pipeline(default: World, simulator: Simulator) -> None:
    (role,) = (each for each in default.resources(ROLE) if each.logical_id.startswith("Retrain"))
    start = "sagemaker:StartPipelineExecution"
    assert may(default, simulator, role, start, PIPELINE)
    assert not may(default, simulator, role, start, f"{SAGEMAKER}:pipeline/other")
    assert not may(default, simulator, role, "sagemaker:UpdatePipeline", PIPELINE)
    assert not may(default, simulator, role, "sagemaker:UpdateEndpoint", ENDPOINT)


@pytest.mark.decision
def test_what_rolls_back_updates_one_endpoint(default: World, full: World, simulator: Simulator) -> None:
    update = "sagemaker:UpdateEndpoint"
    good, other = (f"{SAGEMAKER}:endpoint-config/{name}" for name in (CONFIG.lower(), "other"))
    (role,) = (each for each in default.resources(ROLE) if each.logical_id.startswith("RollBackRole"))
    assert may(default, simulator, role, update, ENDPOINT)
    assert may(default, simulator, role, update, good)
    assert not may(default, simulator, role, update, other)
    assert not may(default, simulator, role, update, f"{SAGEMAKER}:endpoint/other")
    assert may(default, simulator, role, "sagemaker:DescribeEndpoint", ENDPOINT)
    for action in ("InvokeEndpoint", "DeleteEndpoint", "UpdateEndpointWeightsAndCapacities"):
        assert not may(default, simulator, role, f"sagemaker:{action}", ENDPOINT)
    # Names that are known later: any configuration, for the one endpoint.
    (role,) = (each for each in full.resources(ROLE) if each.logical_id.startswith("RollBackRole"))
    assert may(full, simulator, role, update, other)
    assert not may(full, simulator, role, update, f"{SAGEMAKER}:endpoint/other")


@pytest.mark.decision
def test_the_key_of_volumes_is_granted_to_aws_only(default: World, simulator: Simulator) -> None:
    (role,) = (each for each in default.resources(ROLE) if each.logical_id.startswith("RollBackRole"))
    key = default.one("AWS::KMS::Key", "KeysModel")

    def uses(action: str, **context: str) -> bool:
        request = Request(
            principal=default.arn(role), action=action, resource=default.arn(key), context=context
        )
        return simulator.decide(
            request, identity=policies(default, role), resource_policy=key.properties["KeyPolicy"]
        ).allowed

    assert uses("kms:CreateGrant", **{"kms:GrantIsForAWSResource": "true"})
    assert not uses("kms:CreateGrant", **{"kms:GrantIsForAWSResource": "false"})
    assert not uses("kms:Decrypt", **{"kms:ViaService": f"sagemaker.{REGION}.amazonaws.com"})


@pytest.mark.decision
def test_what_starts_the_state_machine_does_nothing_else(default: World, simulator: Simulator) -> None:
    (role,) = (each for each in default.resources(ROLE) if each.logical_id.startswith("RollBackRule"))
    statements = policies(default, role)[0]["Statement"]
    assert [(each["Action"], each["Resource"]) for each in statements] == [
        ("states:StartExecution", default.arn(default.one(MACHINE)))
    ]
    assert not may(default, simulator, role, "sagemaker:UpdateEndpoint", ENDPOINT)


def test_roles_carry_the_guardrails(default: World) -> None:
    guardrails = {default.ref(each) for each in default.resources("AWS::IAM::ManagedPolicy", "Guardrails")}
    roles = [each for each in default.resources(ROLE) if each.stack == "Watch"]
    assert len(roles) == 3
    for role in roles:
        assert guardrails < set(role.properties["ManagedPolicyArns"])


# -- the state machine --------------------------------------------------------------------------------------


def chosen(rule: dict[str, Any], state: dict[str, Any]) -> bool:
    """What Step Functions makes of a rule of a Choice, as far as ours go."""
    if "And" in rule:
        return all(chosen(each, state) for each in rule["And"])
    if "Or" in rule:
        return any(chosen(each, state) for each in rule["Or"])
    return bool(state[rule["Variable"].removeprefix("$.")] == rule["StringEquals"])


def walk(machine: dict[str, Any], seen: Iterator[tuple[str, str]]) -> Iterator[str]:
    """Run the definition against what SageMaker says one time after the other, and give what it does."""
    name, told = machine["StartAt"], {}
    while True:
        state = machine["States"][name]
        match state["Type"]:
            case "Task":
                action = state["Resource"].rpartition(":")[2]
                if action == "describeEndpoint":
                    status, config = next(seen)
                    answer = {"EndpointStatus": status, "EndpointConfigName": config}
                    told = {
                        key.removesuffix(".$"): answer[path.removeprefix("$.")]
                        for key, path in state["ResultSelector"].items()
                    }
                else:
                    yield action
                name = state["Next"]
            case "Wait":
                name = state["Next"]
            case "Choice":
                fitting = [rule["Next"] for rule in state["Choices"] if chosen(rule, told)]
                name = [*fitting, state["Default"]][0]
            case kind:
                yield f"{kind}:{name}"
                return


GOOD, BAD = "good", "bad"


@pytest.mark.parametrize(
    ("seen", "done"),
    [
        ([("InService", BAD), ("Updating", BAD), ("InService", GOOD)], ["updateEndpoint", "Succeed:Done"]),
        # It serves already: nothing is updated.
        ([("InService", GOOD)], ["Succeed:Done"]),
        # Another deployment is under way.
        (
            [("Updating", "old"), ("RollingBack", "old"), ("InService", BAD), ("InService", GOOD)],
            ["updateEndpoint", "Succeed:Done"],
        ),
        ([("Updating", BAD), ("InService", GOOD)], ["Succeed:Done"]),
        (
            [("UpdateRollbackFailed", BAD), ("Updating", BAD), ("InService", GOOD)],
            ["updateEndpoint", "Succeed:Done"],
        ),
        # SageMaker went back to what was there, or the endpoint is beyond help.
        (
            [("InService", BAD), ("Updating", BAD), ("RollingBack", BAD), ("InService", BAD)],
            ["updateEndpoint", "Fail:NotTaken"],
        ),
        ([("InService", BAD), ("UpdateRollbackFailed", GOOD)], ["updateEndpoint", "Fail:NotTaken"]),
        ([("Failed", BAD)], ["Fail:Lost"]),
        ([("InService", BAD), ("Deleting", BAD)], ["updateEndpoint", "Fail:Lost"]),
    ],
)
def test_a_rollback_is_seen_through(seen: list[tuple[str, str]], done: list[str]) -> None:
    assert list(walk(states("risk", GOOD, "aws"), iter(seen))) == done


def test_every_state_is_reached_and_there(default: World) -> None:
    machine = json.loads(default.one(MACHINE).properties["DefinitionString"])
    named = {machine["StartAt"]}
    for state in machine["States"].values():
        named |= {state[key] for key in ("Next", "Default") if key in state}
        named |= {rule["Next"] for rule in state.get("Choices", ())}
        assert ("Next" in state) == (state["Type"] in ("Task", "Wait"))
        if state["Type"] == "Task":
            assert state["Retry"]
    assert named == set(machine["States"])
    assert machine["TimeoutSeconds"] == 4 * 3600


def test_instances_and_captures_stay_as_they_are(default: World) -> None:
    machine = json.loads(default.one(MACHINE).properties["DefinitionString"])
    assert machine["States"]["Update"]["Parameters"] == {
        "EndpointName": "serving-risk-c8a1b2c3d4",
        "EndpointConfigName": CONFIG,
        "RetainAllVariantProperties": True,
    }


def test_each_step_is_logged_without_data_under_our_key(default: World) -> None:
    logging = default.one(MACHINE).properties["LoggingConfiguration"]
    assert (logging["Level"], logging["IncludeExecutionData"]) == ("ALL", False)
    group = default.one("AWS::Logs::LogGroup", "RollBackLog")
    (destination,) = logging["Destinations"]
    assert destination["CloudWatchLogsLogGroup"]["LogGroupArn"] == default.arn(group)
    assert group.properties["KmsKeyId"] == default.arn(default.one("AWS::KMS::Key", "KeysLogs"))
    assert group.raw["DeletionPolicy"] == "Retain"


@pytest.mark.decision
def test_only_delivery_for_the_account_writes_the_log(default: World, simulator: Simulator) -> None:
    group = default.one("AWS::Logs::LogGroup", "RollBackLog")
    stream = default.arn(group).replace(":*", ":log-stream:a")

    def writes(principal: str, account: str) -> bool:
        source = f"arn:aws:logs:{REGION}:{account}:*"
        request = Request(
            principal=principal,
            action="logs:PutLogEvents",
            resource=stream,
            context={"aws:SourceArn": source, "aws:SourceAccount": account},
        )
        policy = group.properties["ResourcePolicyDocument"]
        return simulator.decide(request, resource_policy=policy).allowed

    assert writes("delivery.logs.amazonaws.com", ACCOUNT)
    assert not writes("delivery.logs.amazonaws.com", FOREIGN)
    assert not writes("events.amazonaws.com", ACCOUNT)


def test_other_partitions() -> None:
    world = world_of(build, region="cn-north-1", partition="aws-cn")
    machine = json.loads(world.one(MACHINE).properties["DefinitionString"])
    assert machine["States"]["Look"]["Resource"] == "arn:aws-cn:states:::aws-sdk:sagemaker:describeEndpoint"


# -- what is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "argument"),
    [
        (Retrain(pipeline_arn="clinical-risk"), "pipeline_arn"),
        (Retrain(pipeline_arn=PIPELINE.replace("risk", "Risk")), "pipeline_arn"),
        (Retrain(pipeline_arn=f"{PIPELINE}/execution/1"), "pipeline_arn"),
        (Retrain(pipeline_arn=PIPELINE, parameters={"a b": "1"}), "parameters['a b']"),
        (Retrain(pipeline_arn=PIPELINE, parameters={"a": ""}), "parameters['a']"),
        (Retrain(pipeline_arn=PIPELINE, parameters={"a": "x" * 1025}), "parameters['a']"),
        (Retrain(pipeline_arn=PIPELINE, parameters={f"p{n}": "1" for n in range(201)}), "parameters"),
        (RollBack(to=""), "to"),
        (RollBack(to=f"{SAGEMAKER}:endpoint-config/good"), "to"),
        (RollBack(to="good_one"), "to"),
        (RollBack(to="a" * 64), "to"),
    ],
)
def test_what_is_refused(response: Response, argument: str) -> None:
    problems = Problems()
    response.check(problems, "responses[0]")
    assert [problem.argument for problem in problems] == [f"responses[0].{argument}"]


def test_what_is_known_later_is_taken() -> None:
    token = cdk.Aws.STACK_NAME
    problems = Problems()
    for response in (
        Retrain(pipeline_arn=token, parameters={"a": token}),
        Retrain(pipeline_arn=PIPELINE, parameters={f"p{n}": "x" * 1024 for n in range(200)}),
        RollBack(to=token),
        RollBack(to="a" * 63),
    ):
        response.check(problems, "responses[0]")
    assert list(problems) == []


# -- the whole ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("build", [build, build_full])
def test_no_pack_finds_anything(build: Callable[[cdk.App], None]) -> None:
    assert findings(build) == []


@pytest.mark.parametrize("build", [build, build_full])
def test_nothing_that_is_asked_of_them_is_broken(build: Callable[[cdk.App], None]) -> None:
    app = new_app()
    build(app)
    broken = [answer for answer in answers(app) if answer.verdict is Verdict.BROKEN]
    assert [f"{answer.question}: {answer.because}" for answer in broken] == []


@pytest.mark.parametrize("name", ["default", "full"])
def test_the_template(
    name: str, request: pytest.FixtureRequest, snapshot_template: Callable[[Template], None]
) -> None:
    world: World = request.getfixturevalue(name)
    kept = {
        key: each
        for key, each in world.templates["Watch"]["Resources"].items()
        if key.startswith(("Retrain", "RollBack", "AlarmsRetrain", "AlarmsRollBack"))
    }
    snapshot_template({"Resources": kept})
