"""What runs by itself: state machines, rules for events, schedules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome
from secure_ml_constructs.verification.rules.pack.shared import policy
from secure_ml_constructs.verification.rules.pack.vocabulary import (
    HIJACK,
    INSIDER,
    KEY,
    PRESENT,
    SUPPLY_CHAIN,
    TAMPERING,
    TRUE,
    customer_key,
)
from secure_ml_constructs.verification.rules.policies import Statement
from secure_ml_constructs.verification.rules.predicates import Bounded, Equals, Items, Missing, absent_or
from secure_ml_constructs.verification.rules.requirements import AnyOf, At, Code, Every, values
from secure_ml_constructs.verification.rules.rule import ERROR, WARNING, Rule
from secure_ml_constructs.verification.templates import Absent, Reference, Resource, show

_MACHINE = "AWS::StepFunctions::StateMachine"
_EVENT_RULE = "AWS::Events::Rule"
_SCHEDULE = "AWS::Scheduler::Schedule"
_machine = partial(Rule, resource_type=_MACHINE)
_schedule = partial(Rule, resource_type=_SCHEDULE)

# "Using resource-based policies for Amazon EventBridge": what lets EventBridge in by a policy of its own, and
# where that policy stands. Everything else is started with a role.
_LETS_IN = {
    "AWS::Lambda::Function": ("AWS::Lambda::Permission", "FunctionName"),
    "AWS::SNS::Topic": ("AWS::SNS::TopicPolicy", "Topics"),
    "AWS::SQS::Queue": ("AWS::SQS::QueuePolicy", "Queues"),
}
_NEEDS_ROLE = re.compile(
    r"^AWS::(StepFunctions|ECS|Batch|CodeBuild|CodePipeline|SageMaker|Kinesis|KinesisFirehose|Redshift|Glue"
    r"|SSM)::"
)
_EVENTS = "events.amazonaws.com"
_LOST = ("FailedInvocations", "InvocationsFailedToBeSentToDlq", "InvocationsSentToDlq")
_GROUP_ARN = re.compile(r":schedule-group/[^*?]+$")


def _entered(context: Context) -> Iterator[Outcome]:
    """A target without a role is let in by a policy of its own, or not at all."""
    graph, template = context.graph, context.resource.template
    for path, target in values(context, "Targets[*]"):
        if not isinstance(target, dict) or graph.at(template, target, ("RoleArn",)):
            continue
        started = graph.at(template, target, ("Arn",))
        if type(started) is not Reference:
            # Whether a target of another stack has a policy is said there.
            continue
        if _NEEDS_ROLE.match(started.resource.type):
            yield Fail(f"is not set: nothing lets EventBridge start {show(started)}", f"{path}.RoleArn")
        elif not _has_policy(context, started.resource):
            yield Fail(f"is not set, and {show(started)} has no policy either", f"{path}.RoleArn")


def _has_policy(context: Context, target: Resource) -> bool:
    """Whether a policy of the target itself lets EventBridge in; types that take none are not asked."""
    graph = context.graph
    if target.type == "AWS::Logs::LogGroup":
        own = policy(context, "ResourcePolicyDocument", target)
        return _lets_in(own) or bool(graph.by_type.get("AWS::Logs::ResourcePolicy"))
    if target.type not in _LETS_IN:
        return True
    found = graph.named_by(target, *_LETS_IN[target.type])
    if target.type == "AWS::Lambda::Function":
        return any(show(graph.get(each, "Principal")) == _EVENTS for each in found)
    return any(_lets_in(policy(context, "PolicyDocument", each)) for each in found)


def _lets_in(found: list[Statement] | Outcome | None) -> bool:
    if not isinstance(found, list):
        # What can't be read may well let it in.
        return found is not None
    return any(each.allow and f"service:{_EVENTS}" in each.principals for each in found)


def _losses_told(context: Context) -> bool:
    """Whether an alarm tells what the rule could not start."""
    graph = context.graph
    for alarm in graph.resources("AWS::CloudWatch::Alarm"):
        if graph.get(alarm, "Namespace") != "AWS/Events" or graph.get(alarm, "MetricName") not in _LOST:
            continue
        for item in graph.alternatives(alarm, "Dimensions"):
            value = graph.at(alarm.template, item, ("Value",))
            if type(value) is Reference and value.resource is context.resource:
                return True
    return False


def _lasting(target: dict[str, Any], context: Context) -> Outcome | None:
    """What is wrong with how a target is tried again; None where an event is tried again, or kept."""
    at = partial(context.graph.at, context.resource.template, target)
    if at(("DeadLetterConfig", "Arn")):
        return None
    return Bounded(1).check(at(("RetryPolicy", "MaximumRetryAttempts")), context)


def _events_last(context: Context) -> Iterator[Outcome]:
    told = _losses_told(context)
    for path, target in values(context, "Targets[*]"):
        attempts = ("RetryPolicy", "MaximumRetryAttempts")
        if isinstance(target, dict) and (outcome := _lasting(target, context)) is not None:
            stated = context.graph.at(context.resource.template, target, attempts)
            # Told, EventBridge's own day of retries is enough; never trying again is not.
            if not told or not isinstance(stated, Absent):
                where = f"{path}.{'.'.join(attempts)}"
                yield Fail(outcome.message, where) if isinstance(outcome, Fail) else outcome


def _schedule_lasts(context: Context) -> Iterator[Outcome]:
    target = context.graph.get(context.resource, "Target")
    if isinstance(target, dict) and (outcome := _lasting(target, context)) is not None:
        where = "Target.RetryPolicy.MaximumRetryAttempts"
        yield Fail(outcome.message, where) if isinstance(outcome, Fail) else outcome


def _own_group(context: Context) -> Iterator[Outcome]:
    """The group of a schedule, and the role that is bound to it."""
    graph = context.graph
    group = graph.get(context.resource, "GroupName")
    if isinstance(group, Absent) or group == "default":
        yield Fail("is the default group, in which everybody's schedules are", "GroupName")
        return
    role = graph.get(context.resource, "Target", "RoleArn")
    if type(role) is not Reference or role.resource.type != "AWS::IAM::Role":
        # Of another stack: what its trust says is judged there.
        return
    found = policy(context, "AssumeRolePolicyDocument", role.resource)
    for statement in found if isinstance(found, list) else ():
        if not statement.allow or "service:scheduler.amazonaws.com" not in statement.principals:
            continue
        sources = [
            value
            for (operator, key), texts in statement.conditions.items()
            if key == "aws:sourcearn" and operator in ("arnequals", "arnlike", "stringequals", "stringlike")
            for value in texts
        ]
        named = f"${{{group.resource.logical_id}." if type(group) is Reference else f"/{show(group)}"
        if not sources or not all(_GROUP_ARN.search(each) or each.startswith(named) for each in sources):
            yield Fail(
                f"is {show(role)}, which trusts schedules of any group: its trust names no group's ARN",
                "Target.RoleArn",
            )


RULES = (
    _machine(
        id="StepFunctionsLogged",
        requirement=Every(
            At("LoggingConfiguration.Level", Equals("ALL", "ERROR")),
            At("LoggingConfiguration.Destinations", Items(1)),
        ),
        severity=WARNING,
        control="A1",
        threats=(TAMPERING,),
        title="A state machine logs what it does",
        why="Otherwise nobody can tell which step trained or deployed what.",
        fix="Set LoggingConfiguration with Level ALL and a log group, without execution data.",
        standards=("StepFunctions.1",),
    ),
    _machine(
        id="StepFunctionsLogWithoutData",
        requirement=At("LoggingConfiguration.IncludeExecutionData", absent_or(False)),
        severity=WARNING,
        control="A1",
        threats=(INSIDER,),
        title="The log of a state machine holds no data",
        why="What steps are told and answer, predictions too, could be read by all who read logs.",
        fix="Leave LoggingConfiguration.IncludeExecutionData out.",
    ),
    _machine(
        id="StepFunctionsCustomerKey",
        requirement=Every(
            At("EncryptionConfiguration.Type", Equals("CUSTOMER_MANAGED_KMS_KEY")),
            At("EncryptionConfiguration.KmsKeyId", KEY),
        ),
        severity=WARNING,
        control="E3",
        threats=(INSIDER,),
        title="A state machine and its runs are under a customer key",
        why="A key of AWS's own has no policy that keeps others in the account out, and can't be revoked.",
        fix="Set EncryptionConfiguration to CUSTOMER_MANAGED_KMS_KEY with the ARN of a customer key.",
    ),
    _machine(
        id="StepFunctionsTraced",
        requirement=At("TracingConfiguration.Enabled", TRUE),
        severity=WARNING,
        control="A1",
        threats=(TAMPERING,),
        title="A state machine is traced",
        why="A trace shows which call of which service a run made, and where it was held up.",
        fix="Set TracingConfiguration.Enabled to true.",
    ),
    _machine(
        id="StepFunctionsDefinitionPinned",
        requirement=AnyOf(
            At("DefinitionString", PRESENT),
            At("Definition", PRESENT),
            At("DefinitionS3Location.Version", PRESENT),
        ),
        severity=WARNING,
        control="T1",
        threats=(TAMPERING, SUPPLY_CHAIN),
        title="The definition of a state machine is in the template, or named by its version",
        why="Whoever can write the object would change what the machine does at the next deployment.",
        fix="Set DefinitionString, by which the steps are judged as well, or DefinitionS3Location.Version.",
    ),
    Rule(
        id="EventTargetEntered",
        resource_type=_EVENT_RULE,
        requirement=Code(_entered, "Which of two things is needed depends on the target."),
        severity=WARNING,
        control="X5",
        threats=(HIJACK,),
        title="EventBridge may start each target of a rule",
        why="A target that lets nobody in never starts: the rule looks well, and nothing is told or done.",
        fix="Set RoleArn of the target, or give the function, topic, queue or log group a policy.",
    ),
    Rule(
        id="EventTargetRetried",
        resource_type=_EVENT_RULE,
        requirement=Code(_events_last, "An alarm on the rule does as well."),
        severity=WARNING,
        control="X5",
        threats=(HIJACK,),
        title="An event that could start nothing is tried again, kept or told",
        why="A finding that is dropped while a topic or its key was out of reach is told by nobody else.",
        fix="Set the target's RetryPolicy or DeadLetterConfig, or an alarm on the rule's FailedInvocations.",
    ),
    customer_key("SchedulerCustomerKey", _SCHEDULE, "KmsKeyArn", "A schedule is", severity=WARNING),
    _schedule(
        id="SchedulerEnabled",
        requirement=Every(At("State", absent_or("ENABLED")), At("EndDate", Missing())),
        severity=WARNING,
        control="M2",
        threats=(TAMPERING,),
        title="A schedule is on, and does not end",
        why="What looks for drift or tampering by a schedule that is off finds nothing, and says nothing.",
        fix="Leave State and EndDate out.",
    ),
    _schedule(
        id="SchedulerRetried",
        requirement=Code(_schedule_lasts, "One of two settings is enough."),
        severity=WARNING,
        control="M2",
        threats=(TAMPERING,),
        title="A schedule says how often it tries again, or where it leaves what it could not start",
        why="By default it tries for a day, and then drops the run: the next is there long before.",
        fix="Set Target.RetryPolicy, or Target.DeadLetterConfig.",
    ),
    _schedule(
        id="SchedulerOwnGroup",
        requirement=Code(_own_group, "It follows the role to its trust."),
        severity=ERROR,
        control="I3",
        threats=(HIJACK, INSIDER),
        title="A schedule is in a group of its own, and its role serves this group alone",
        why="Whoever may pass the role to a schedule of any group starts with it what they like.",
        fix="Set GroupName, and let the role's trust name the group's ARN by aws:SourceArn.",
    ),
)
