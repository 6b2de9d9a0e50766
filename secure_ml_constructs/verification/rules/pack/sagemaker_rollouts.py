"""How endpoints change, what takes a bad change back, and what is captured meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome
from secure_ml_constructs.verification.rules.pack.vocabulary import (
    ADVERSARIAL,
    PRESENT,
    TAMPERING,
    THEFT,
)
from secure_ml_constructs.verification.rules.predicates import Bounded, Equals, Items, Missing
from secure_ml_constructs.verification.rules.requirements import AnyOf, At, Code, When, values
from secure_ml_constructs.verification.rules.rule import WARNING, Rule
from secure_ml_constructs.verification.templates import Reference

_ENDPOINT = "AWS::SageMaker::Endpoint"
_ALARMS = "DeploymentConfig.AutoRollbackConfiguration.Alarms"
_ROUTING = "DeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration"
_ERRORS = {"Invocation5XXErrors", "InvocationModelErrors"}


def _watched(context: Context) -> Iterator[Outcome]:
    """Where the alarms are known: a change is taken back that fails, and one that is slow."""
    graph = context.graph
    found = set()
    named = graph.items(context.resource, *_ALARMS.split("."))
    for item in named:
        alarm = graph.at(context.resource.template, item, ("AlarmName",))
        if type(alarm) is not Reference or alarm.resource.type != "AWS::CloudWatch::Alarm":
            return
        found.add(graph.get(alarm.resource, "MetricName"))
    if not named:
        return
    if not found & _ERRORS:
        yield Fail("has no alarm on errors of the model", _ALARMS)
    if "ModelLatency" not in found:
        yield Fail("has no alarm on ModelLatency", _ALARMS)


def _both(context: Context) -> Iterator[Outcome]:
    """Requests and answers: either alone says little."""
    if context.graph.get(context.resource, "DataCaptureConfig", "EnableCapture") is not True:
        return
    modes = {mode for _, mode in values(context, "DataCaptureConfig.CaptureOptions[*].CaptureMode")}
    for wanted in ("Input", "Output"):
        if not modes & {wanted, "InputAndOutput"}:
            yield Fail(f"has no {wanted}", "DataCaptureConfig.CaptureOptions")
    yield from At("DataCaptureConfig.InitialSamplingPercentage", Bounded(1)).check(context)


def _exceptions(context: Context) -> Iterator[Outcome]:
    """What an endpoint keeps of its variants does not keep what is captured as it was."""
    if context.graph.get(context.resource, "RetainAllVariantProperties") is not True:
        return
    path = "ExcludeRetainedVariantProperties"
    kinds = {kind for _, kind in values(context, f"{path}[*].VariantPropertyType")}
    if "DataCaptureConfig" not in kinds:
        yield Fail("has no DataCaptureConfig", path)


RULES = (
    Rule(
        id="SageMakerEndpointRollbackWatches",
        resource_type=_ENDPOINT,
        also=("AWS::SageMaker::InferenceComponent",),
        requirement=Code(_watched, "The alarms are other resources."),
        severity=WARNING,
        control="G8",
        threats=(TAMPERING,),
        title="A change that fails or is slow is rolled back",
        why="A model that answers wrongly often fails first, and one that was made to cost more is slow.",
        fix="Name alarms on Invocation5XXErrors and on ModelLatency in AutoRollbackConfiguration.",
    ),
    Rule(
        id="SageMakerComponentAutoRollback",
        resource_type="AWS::SageMaker::InferenceComponent",
        requirement=When(At("DeploymentConfig", PRESENT), At(_ALARMS, Items(1))),
        severity=WARNING,
        control="G8",
        threats=(TAMPERING,),
        title="A bad change of an inference component is rolled back by an alarm",
        why="A tampered or broken model would stay until somebody looks.",
        fix="Name alarms in DeploymentConfig.AutoRollbackConfiguration.",
    ),
    Rule(
        id="SageMakerEndpointGradual",
        resource_type=_ENDPOINT,
        requirement=AnyOf(
            At(_ROUTING, Missing()),
            At(f"{_ROUTING}.Type", Equals("CANARY", "LINEAR")),
        ),
        severity=WARNING,
        control="G8",
        threats=(TAMPERING, ADVERSARIAL),
        title="A new model takes over step by step",
        why="All at once, every caller gets its answers before an alarm can tell.",
        fix="Set TrafficRoutingConfiguration.Type to CANARY or LINEAR.",
    ),
    Rule(
        id="SageMakerCaptureWhole",
        resource_type="AWS::SageMaker::EndpointConfig",
        requirement=Code(_both, "It looks for modes among a list."),
        severity=WARNING,
        control="M1",
        threats=(ADVERSARIAL, THEFT),
        title="Both requests and answers are captured, and some of them",
        why="Drift shows in both, and an extraction in what was asked; of none of the calls nothing shows.",
        fix="Set CaptureOptions with Input and Output, and InitialSamplingPercentage to 1 or more.",
    ),
    Rule(
        id="SageMakerCaptureFollows",
        resource_type=_ENDPOINT,
        requirement=Code(_exceptions, "It looks for a kind among a list."),
        severity=WARNING,
        control="M1",
        threats=(TAMPERING,),
        title="What an endpoint captures follows its configuration",
        why="An endpoint that keeps what it has would keep a capture that was turned off by hand.",
        fix="Add DataCaptureConfig to ExcludeRetainedVariantProperties.",
    ),
)
