"""Monitoring jobs and schedules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from secure_ml_constructs.verification.rules.artifacts import MonitorImage
from secure_ml_constructs.verification.rules.keys import CustomerKey
from secure_ml_constructs.verification.rules.networks import IsolatedSubnets, OurGroups
from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome, Predicate, Unknown, at
from secure_ml_constructs.verification.rules.pack.vocabulary import (
    INSIDER,
    POISONING,
    SUPPLY_CHAIN,
    TAMPERING,
    THEFT,
    TRUE,
    approved_bucket,
    customer_key,
    in_vpc,
    isolation,
    no_secrets,
    traffic_encryption,
)
from secure_ml_constructs.verification.rules.predicates import Matches, absent_or
from secure_ml_constructs.verification.rules.requirements import At, Code
from secure_ml_constructs.verification.rules.rule import ERROR, WARNING, Rule, Severity
from secure_ml_constructs.verification.templates import Absent, Reference, Unresolved

_SCHEDULE = "AWS::SageMaker::MonitoringSchedule"
_CONFIG = "MonitoringScheduleConfig"
_INLINE = f"{_CONFIG}.MonitoringJobDefinition"

_schedule = partial(Rule, resource_type=_SCHEDULE)


@dataclass(frozen=True)
class _Kind:
    """One kind of monitoring job: its name in ids, in words and in properties."""

    name: str
    words: str
    isolation: int
    traffic: int
    severity: Severity = WARNING

    @property
    def type(self) -> str:
        return f"AWS::SageMaker::{self.name}JobDefinition"


_KINDS = (
    _Kind("DataQuality", "A data-quality job", 11, 9),
    _Kind("ModelQuality", "A model-quality job", 25, 13, ERROR),
    _Kind("ModelBias", "A bias job", 12, 15),
    _Kind("ModelExplainability", "An explainability job", 20, 10, ERROR),
)


def _of(kind: _Kind) -> Iterator[Rule]:
    prefix = f"SageMaker{kind.name}Job"
    yield isolation(
        f"{prefix}NetworkIsolation",
        kind.type,
        "NetworkConfig.EnableNetworkIsolation",
        kind.words,
        severity=kind.severity,
        control="M1",
        standards=(f"SageMaker.{kind.isolation}",),
    )
    yield traffic_encryption(
        f"{prefix}TrafficEncryption",
        kind.type,
        "NetworkConfig.EnableInterContainerTrafficEncryption",
        kind.words,
        standards=(f"SageMaker.{kind.traffic}",),
    )
    yield in_vpc(
        f"{prefix}InVpc", kind.type, "NetworkConfig.VpcConfig", kind.words, severity=WARNING, control="M1"
    )
    yield customer_key(
        f"{prefix}VolumeKey",
        kind.type,
        "JobResources.ClusterConfig.VolumeKmsKeyId",
        f"The volume of {kind.words[0].lower()}{kind.words[1:]} is",
        severity=WARNING,
        control="M1",
    )
    yield customer_key(
        f"{prefix}OutputKey",
        kind.type,
        f"{kind.name}JobOutputConfig.KmsKeyId",
        f"The report of {kind.words[0].lower()}{kind.words[1:]} is",
        severity=WARNING,
        control="M1",
    )
    specification = f"{kind.name}AppSpecification"
    yield Rule(
        id=f"{prefix}Image",
        resource_type=kind.type,
        requirement=At(f"{specification}.ImageUri", MonitorImage()),
        severity=WARNING,
        control="T2",
        threats=(SUPPLY_CHAIN,),
        title=f"{kind.words} runs an image of AWS, or one of ours by its digest",
        why="Whoever can push to the repository, or owns it, can put another image under the same tag.",
        fix=f"Name AWS's monitoring image, or one of ours by its digest, in {specification}.ImageUri.",
    )
    yield no_secrets(
        f"{prefix}NoSecrets", kind.type, f"{specification}.Environment", kind.words, severity=WARNING
    )


def _job(context: Context) -> tuple[Any, str] | Outcome:
    """The job that a schedule runs: where its settings are written, and under which path."""
    graph, resource = context.graph, context.resource
    inline = graph.get(resource, *_INLINE.split("."))
    if isinstance(inline, dict):
        return inline, _INLINE
    path = f"{_CONFIG}.MonitoringJobDefinitionName"
    name = graph.get(resource, *path.split("."))
    if isinstance(name, Unresolved):
        name = _by_arn(context) or name
    if type(name) is Reference:
        return name.resource, path
    if isinstance(name, Absent):
        return Fail("names no job", path)
    for kind in _KINDS:
        for definition in graph.resources(kind.type):
            if graph.get(definition, "JobDefinitionName") == name:
                return definition, path
    reason = name.reason if isinstance(name, Unresolved) else "The job definition is not in the templates."
    return Unknown(reason, path)


def _by_arn(context: Context) -> Any:
    """What a name is cut out of, where it is the last part of a definition's ARN, as Ref gives it."""
    written: Any = context.resource.properties
    for step in f"{_CONFIG}.MonitoringJobDefinitionName".split("."):
        written = written.get(step) if isinstance(written, dict) else None
    match written:
        case {"Fn::Select": [_, {"Fn::Split": ["/", arn]}]}:
            return context.graph.at(context.resource.template, {"Arn": arn}, ("Arn",))
    return None


def _followed(inner: str, *checks: tuple[str, Predicate]) -> Callable[[Context], Iterator[Outcome]]:
    """Ask the job of a schedule, wherever it is written."""

    def ask(context: Context) -> Iterator[Outcome]:
        job = _job(context)
        if not isinstance(job, tuple):
            yield job
            return
        where, path = job
        for name, predicate in checks:
            steps = (*inner.split("."), *name.split(".")) if name else tuple(inner.split("."))
            if isinstance(where, dict):
                value = context.graph.at(context.resource.template, where, steps)
            else:
                value = context.graph.get(where, *steps)
            outcome = predicate.check(value, context)
            if outcome is not None:
                yield at(outcome, f"{path}.{'.'.join(steps)}" if path == _INLINE else path)

    return ask


def _keys(context: Context) -> Iterator[Outcome]:
    # A named definition has rules of its own for its keys, under other names for its output.
    if isinstance(context.graph.get(context.resource, *_INLINE.split(".")), dict):
        for path in (
            f"{_INLINE}.MonitoringOutputConfig.KmsKeyId",
            f"{_INLINE}.MonitoringResources.ClusterConfig.VolumeKmsKeyId",
        ):
            yield from At(path, CustomerKey()).check(context)


_FOLLOWS = "Where the schedule names a job definition, the setting is there."

RULES = (
    *(rule for kind in _KINDS for rule in _of(kind)),
    _schedule(
        id="SageMakerMonitoringScheduleNetworkIsolation",
        requirement=Code(_followed("NetworkConfig.EnableNetworkIsolation", ("", TRUE)), _FOLLOWS),
        severity=WARNING,
        control="M1",
        threats=(INSIDER, THEFT),
        title="What a monitoring schedule runs is isolated",
        why="A poisoned package in the job could send out what was captured.",
        fix="Set NetworkConfig.EnableNetworkIsolation to true in the job, inline or in its definition.",
        standards=("SageMaker.14",),
    ),
    _schedule(
        id="SageMakerMonitoringScheduleTrafficEncryption",
        requirement=Code(
            _followed("NetworkConfig.EnableInterContainerTrafficEncryption", ("", TRUE)), _FOLLOWS
        ),
        severity=WARNING,
        control="E4",
        threats=(INSIDER,),
        title="What a monitoring schedule runs encrypts the traffic between its containers",
        why="Captured data crosses the network in the clear between the instances of one job.",
        fix="Set NetworkConfig.EnableInterContainerTrafficEncryption to true in the job.",
        standards=("SageMaker.22",),
    ),
    _schedule(
        id="SageMakerMonitoringScheduleInVpc",
        requirement=Code(
            _followed(
                "NetworkConfig.VpcConfig", ("Subnets", IsolatedSubnets()), ("SecurityGroupIds", OurGroups())
            ),
            _FOLLOWS,
        ),
        severity=WARNING,
        control="M1",
        threats=(INSIDER,),
        title="What a monitoring schedule runs is in isolated subnets",
        why="Outside the VPC nothing of the environment's network holds.",
        fix="Set NetworkConfig.VpcConfig in the job, inline or in its definition.",
    ),
    _schedule(
        id="SageMakerMonitoringScheduleKeys",
        requirement=Code(_keys),
        severity=WARNING,
        control="M1",
        threats=(INSIDER, THEFT),
        title="Volume and report of a monitoring schedule are under customer keys",
        why="A key of AWS's own has no policy that keeps others in the account out, and can't be revoked.",
        fix="Set VolumeKmsKeyId and the output's KmsKeyId of the inline job.",
    ),
    _schedule(
        id="SageMakerMonitoringScheduleImage",
        requirement=At(f"{_INLINE}.MonitoringAppSpecification.ImageUri", MonitorImage()),
        severity=WARNING,
        control="T2",
        threats=(SUPPLY_CHAIN,),
        title="A monitoring schedule runs an image of AWS, or one of ours by its digest",
        why="Whoever can push to the repository, or owns it, can put another image under the same tag.",
        fix="Name AWS's monitoring image, or one of ours by its digest.",
    ),
    *(
        approved_bucket(
            f"SageMakerMonitoringSchedule{name}",
            _SCHEDULE,
            f"{_INLINE}.MonitoringAppSpecification.{prop}",
            "A script of a monitoring schedule",
            threats=(SUPPLY_CHAIN, TAMPERING),
        )
        for name, prop in (
            ("Preprocessor", "RecordPreprocessorSourceUri"),
            ("Postprocessor", "PostAnalyticsProcessorSourceUri"),
        )
    ),
    _schedule(
        id="SageMakerMonitoringScheduleActive",
        requirement=At("MonitoringScheduleStatus", absent_or("Scheduled", "Pending")),
        severity=WARNING,
        control="M1",
        threats=(TAMPERING, POISONING),
        title="A monitoring schedule runs",
        why="A stopped schedule looks like monitoring and is none.",
        fix="Leave MonitoringScheduleStatus out.",
    ),
    _schedule(
        id="SageMakerMonitoringScheduleDaily",
        requirement=At(
            f"{_CONFIG}.ScheduleConfig.ScheduleExpression",
            Matches(r"^cron\(", "is no cron expression: the job runs once or never"),
        ),
        severity=WARNING,
        control="M1",
        threats=(TAMPERING, POISONING),
        title="A monitoring schedule has a time at which it runs",
        why="Without one the job runs never, or once.",
        fix="Set ScheduleConfig.ScheduleExpression to run daily or more often.",
    ),
)
