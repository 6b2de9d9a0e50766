"""Who starts what by itself, and what is told where nothing starts: each way that passes, and its twin."""

from __future__ import annotations

import json
from typing import Any

import pytest

from secure_ml_constructs.monitoring.metrics import NAMESPACE, SubjectMetric, WatchMetric
from secure_ml_constructs.verification.rules import check


def speaks(rule: str, resources: dict[str, Any]) -> bool:
    return any(finding.rule == rule for finding in check({"main": {"Resources": resources}}))


def resource(type_: str, **properties: Any) -> dict[str, Any]:
    return {"Type": type_, "Properties": properties}


def lets_in(service: str, **properties: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "*", "Resource": "*"}
    return {**properties, "PolicyDocument": {"Statement": [statement]}}


def events(target: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {
        "Rule": resource(
            "AWS::Events::Rule", EventPattern={"source": ["aws.sagemaker"]}, Targets=[{"Id": "T", **target}]
        ),
        **others,
    }


IT = {"Fn::GetAtt": ["It", "Arn"]}
SERVICE = "events.amazonaws.com"


@pytest.mark.parametrize(
    ("others", "entered"),
    [
        ({"It": resource("AWS::StepFunctions::StateMachine")}, False),
        ({"It": resource("AWS::SageMaker::Pipeline")}, False),
        ({"It": resource("AWS::SNS::Topic")}, False),
        (
            {
                "It": resource("AWS::SNS::Topic"),
                "P": resource("AWS::SNS::TopicPolicy", **lets_in(SERVICE, Topics=[IT])),
            },
            True,
        ),
        (
            {
                "It": resource("AWS::SNS::Topic"),
                "P": resource("AWS::SNS::TopicPolicy", **lets_in("s3.amazonaws.com", Topics=[IT])),
            },
            False,
        ),
        ({"It": resource("AWS::Lambda::Function")}, False),
        (
            {
                "It": resource("AWS::Lambda::Function"),
                "P": resource("AWS::Lambda::Permission", FunctionName=IT, Principal=SERVICE),
            },
            True,
        ),
        (
            {
                "It": resource("AWS::Lambda::Function"),
                "P": resource("AWS::Lambda::Permission", FunctionName=IT, Principal="s3.amazonaws.com"),
            },
            False,
        ),
        ({"It": resource("AWS::Logs::LogGroup")}, False),
        (
            {
                "It": resource(
                    "AWS::Logs::LogGroup", ResourcePolicyDocument=lets_in(SERVICE)["PolicyDocument"]
                )
            },
            True,
        ),
    ],
)
def test_a_target_without_a_role_has_a_policy(others: dict[str, Any], entered: bool) -> None:
    assert speaks("EventTargetEntered", events({"Arn": IT}, **others)) != entered
    with_role = events({"Arn": IT, "RoleArn": "arn:aws:iam::111122223333:role/start"}, **others)
    assert not speaks("EventTargetEntered", with_role)


def told(rule: str, metric: str = "FailedInvocations") -> dict[str, Any]:
    return resource(
        "AWS::CloudWatch::Alarm",
        Namespace="AWS/Events",
        MetricName=metric,
        Dimensions=[{"Name": "RuleName", "Value": {"Ref": rule}}],
    )


@pytest.mark.parametrize(
    ("target", "others", "lasts"),
    [
        ({}, {}, False),
        ({"RetryPolicy": {"MaximumRetryAttempts": 3}}, {}, True),
        ({"RetryPolicy": {"MaximumRetryAttempts": 0}}, {}, False),
        ({"DeadLetterConfig": {"Arn": "arn:aws:sqs:eu-west-1:111122223333:lost"}}, {}, True),
        ({}, {"Alarm": told("Rule")}, True),
        ({"RetryPolicy": {"MaximumRetryAttempts": 0}}, {"Alarm": told("Rule")}, False),
        ({}, {"Alarm": told("Other"), "Other": resource("AWS::Events::Rule")}, False),
        ({}, {"Alarm": told("Rule", "Invocations")}, False),
    ],
)
def test_what_could_not_be_started_is_tried_again_kept_or_told(
    target: dict[str, Any], others: dict[str, Any], lasts: bool
) -> None:
    assert speaks("EventTargetRetried", events({"Arn": "x", **target}, **others)) != lasts


def schedule(group: Any, source: Any, **others: Any) -> dict[str, Any]:
    condition = {"StringEquals": {"aws:SourceAccount": "111122223333"}}
    if source is not None:
        condition["ArnLike"] = {"aws:SourceArn": source}
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "scheduler.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": condition,
    }
    target = {"Arn": "x", "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}}
    return {
        "Ours": resource("AWS::Scheduler::ScheduleGroup"),
        "It": resource("AWS::Scheduler::Schedule", Target=target, **({"GroupName": group} if group else {})),
        "Role": resource("AWS::IAM::Role", AssumeRolePolicyDocument={"Statement": [statement]}),
        **others,
    }


OURS = {"Ref": "Ours"}
GROUPS = "arn:aws:scheduler:eu-west-1:111122223333:schedule-group/"


@pytest.mark.parametrize(
    ("group", "source", "bound"),
    [
        (OURS, {"Fn::GetAtt": ["Ours", "Arn"]}, True),
        ("watch", f"{GROUPS}watch", True),
        (OURS, f"{GROUPS}*", False),
        (OURS, "arn:aws:scheduler:*:111122223333:schedule/*", False),
        (OURS, None, False),
        (None, {"Fn::GetAtt": ["Ours", "Arn"]}, False),
        ("default", f"{GROUPS}default", False),
        (OURS, [{"Fn::GetAtt": ["Ours", "Arn"]}, f"{GROUPS}*"], False),
    ],
)
def test_a_role_serves_the_group_of_its_schedule(group: Any, source: Any, bound: bool) -> None:
    assert speaks("SchedulerOwnGroup", schedule(group, source)) != bound


def alarm(**properties: Any) -> dict[str, Any]:
    return {"It": resource("AWS::CloudWatch::Alarm", **properties)}


@pytest.mark.parametrize("name", [*WatchMetric, *SubjectMetric])
def test_a_metric_of_a_watch_is_named_by_its_dimensions(name: WatchMetric | SubjectMetric) -> None:
    """The rules never import what makes the metrics: this holds the two to one another."""
    wanted = ["Endpoint", "Subject"] if isinstance(name, SubjectMetric) else ["Endpoint"]
    dimensions = [{"Name": each, "Value": "x"} for each in wanted]
    metric = {"Namespace": NAMESPACE, "MetricName": name.value}
    assert not speaks("AlarmDimensions", alarm(**metric, Dimensions=dimensions))
    assert speaks("AlarmDimensions", alarm(**metric, Dimensions=dimensions[:-1]))


@pytest.mark.parametrize(
    ("operator", "statistic", "missing", "tells"),
    [
        ("LessThanThreshold", "Sum", "breaching", True),
        ("LessThanThreshold", "Sum", "notBreaching", False),
        ("LessThanOrEqualToThreshold", "SampleCount", None, False),
        ("LessThanThreshold", "Average", "notBreaching", True),
        ("GreaterThanThreshold", "Sum", "notBreaching", True),
    ],
)
def test_silence_is_told_where_too_few_are(
    operator: str, statistic: str, missing: str | None, tells: bool
) -> None:
    treated = {"TreatMissingData": missing} if missing else {}
    made = alarm(ComparisonOperator=operator, Statistic=statistic, **treated)
    assert speaks("AlarmOnSilence", made) != tells


@pytest.mark.parametrize(
    ("expression", "narrow"),
    [
        ("ANOMALY_DETECTION_BAND(seen)", True),
        ("ANOMALY_DETECTION_BAND(seen, 3)", True),
        ("ANOMALY_DETECTION_BAND( seen , 5.5 )", False),
        ("ANOMALY_DETECTION_BAND(seen,100)", False),
        ("ANOMALY_DETECTION_BAND(seen, 0)", False),
        ("seen / 100", True),
    ],
)
def test_a_band_is_narrow(expression: str, narrow: bool) -> None:
    made = alarm(Metrics=[{"Id": "usual", "Expression": expression}])
    assert speaks("AlarmBandNarrow", made) != narrow


ACCOUNT = "${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com"


@pytest.mark.parametrize(
    ("image", "judged"),
    [
        ("$.image", False),
        ("$$.Execution.Input.image", False),
        ("{% $image %}", False),
        ("{%$uri & '@' & $digest%}", False),
        ("{% 'registry/image:' & $tag & 'x' %}", False),
        ("{% 'registry/image:latest' %}", True),
        ('{%"registry/image:latest"%}', True),
        ("registry/image:latest", True),
        (f"{ACCOUNT}/image:latest", True),
        (f"{ACCOUNT}/image@sha256:{'0' * 64}", False),
        (f"{{% '{ACCOUNT}/image@sha256:{'0' * 64}' %}}", False),
    ],
)
def test_an_image_that_a_step_computes_is_settled_when_it_runs(image: str, judged: bool) -> None:
    """By JSONPath or by JSONata; a literal is one in either language."""
    step = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sagemaker:createProcessingJob.sync",
        "Arguments": {"AppSpecification": {"ImageUri": image}},
        "End": True,
    }
    definition = {"QueryLanguage": "JSONata", "StartAt": "Job", "States": {"Job": step}}
    made = resource("AWS::StepFunctions::StateMachine", DefinitionString={"Fn::Sub": json.dumps(definition)})
    assert speaks("StepFunctionsStepsImagesPinned", {"It": made}) == judged


def test_the_steps_of_a_machine_and_of_a_build_are_of_record() -> None:
    """By whatever way they name the group."""
    group = resource("AWS::Logs::LogGroup", RetentionInDays=30)
    destination = {"CloudWatchLogsLogGroup": {"LogGroupArn": {"Fn::Sub": "${It.Arn}"}}}
    machine = resource(
        "AWS::StepFunctions::StateMachine", LoggingConfiguration={"Destinations": [destination]}
    )
    logs = {"CloudWatchLogs": {"Status": "ENABLED", "GroupName": {"Ref": "It"}}}
    build = resource("AWS::CodeBuild::Project", LogsConfig=logs)
    for rule in ("LogGroupOfRecordRetained", "LogGroupOfRecordLongEnough"):
        assert not speaks(rule, {"It": group})
        assert speaks(rule, {"It": group, "Machine": machine})
        assert speaks(rule, {"It": group, "Build": build})
