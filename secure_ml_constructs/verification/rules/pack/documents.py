"""Settings inside documents: the steps of pipelines and state machines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from secure_ml_constructs.verification.rules.artifacts import PinnedImage
from secure_ml_constructs.verification.rules.instances import local_storage
from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome, Unknown
from secure_ml_constructs.verification.rules.pack.vocabulary import (
    HIJACK,
    INSIDER,
    SUPPLY_CHAIN,
    THEFT,
    WALLET,
)
from secure_ml_constructs.verification.rules.requirements import Code
from secure_ml_constructs.verification.rules.rule import ERROR, WARNING, Rule
from secure_ml_constructs.verification.rules.secrets import secret_in
from secure_ml_constructs.verification.templates import Absent, Text, Unresolved, show

_PIPELINE = "AWS::SageMaker::Pipeline"
_MACHINE = "AWS::StepFunctions::StateMachine"


@dataclass(frozen=True)
class _Job:
    """What one kind of job must say, as paths into its request."""

    isolation: str = ""
    traffic: str = ""
    network: str = ""
    volume: tuple[str, ...] = ()
    output: str = ""
    types: str = ""
    runtime: str = ""


_TRAINING = _Job(
    isolation="EnableNetworkIsolation",
    traffic="EnableInterContainerTrafficEncryption",
    network="VpcConfig",
    volume=("ResourceConfig", "VolumeKmsKeyId"),
    output="OutputDataConfig.KmsKeyId",
    types="ResourceConfig.InstanceType",
    runtime="StoppingCondition.MaxRuntimeInSeconds",
)
_PROCESSING = _Job(
    isolation="NetworkConfig.EnableNetworkIsolation",
    traffic="NetworkConfig.EnableInterContainerTrafficEncryption",
    network="NetworkConfig.VpcConfig",
    volume=("ProcessingResources.ClusterConfig", "VolumeKmsKeyId"),
    output="ProcessingOutputConfig.KmsKeyId",
    types="ProcessingResources.ClusterConfig.InstanceType",
    runtime="StoppingCondition.MaxRuntimeInSeconds",
)
_TRANSFORM = _Job(
    volume=("TransformResources", "VolumeKmsKeyId"),
    output="TransformOutput.KmsKeyId",
    types="TransformResources.InstanceType",
)
_MODEL = _Job(isolation="EnableNetworkIsolation", network="VpcConfig")
# AutoML has no isolation of its own; its network and keys lie in SecurityConfig.
_AUTOML = _Job(
    traffic="SecurityConfig.EnableInterContainerTrafficEncryption",
    network="SecurityConfig.VpcConfig",
    volume=("SecurityConfig", "VolumeKmsKeyId"),
    output="OutputDataConfig.KmsKeyId",
)

_STEPS = {
    "Training": _TRAINING,
    "Processing": _PROCESSING,
    "Transform": _TRANSFORM,
    "Model": _MODEL,
    "AutoML": _AUTOML,
    "QualityCheck": _PROCESSING,
    "ClarifyCheck": _PROCESSING,
}
_TASKS = {
    "createTrainingJob": _TRAINING,
    "createProcessingJob": _PROCESSING,
    "createTransformJob": _TRANSFORM,
    "createModel": _MODEL,
    "createAutoMLJobV2": _AUTOML,
}


def _document(context: Context, *paths: str) -> tuple[str, Any] | Outcome | None:
    """The first document that is there, read; why it can't be; or None."""
    graph, resource = context.graph, context.resource
    for path in paths:
        value = graph.get(resource, *path.split("."))
        if isinstance(value, Absent):
            continue
        if isinstance(value, Unresolved):
            return Unknown(value.reason, path)
        if isinstance(value, dict):
            return path, graph.whole(resource.template, value)
        if not isinstance(value, str | Text):
            return Unknown(f"{show(value)} is known when the stack is deployed.", path)
        # A reference in the text stands as ${…}: a value that is there, which is all that is asked of most.
        try:
            return path, json.loads(show(value))
        except ValueError:
            return Unknown("The definition is no JSON.", path)
    return None


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        if not isinstance(value, dict):
            return value if isinstance(value, Unresolved) else None
        # Step Functions writes `Name.$` for what it computes.
        value = value.get(name, value.get(f"{name}.$"))
    return value


def _steps(value: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each step of a pipeline: name, kind and request, those within conditions too."""
    for step in value if isinstance(value, list) else []:
        if not isinstance(step, dict):
            continue
        arguments = step.get("Arguments", {})
        name, kind = show(step.get("Name")), show(step.get("Type"))
        if kind == "Condition" and isinstance(arguments, dict):
            yield from _steps(arguments.get("IfSteps", []))
            yield from _steps(arguments.get("ElseSteps", []))
        elif kind == "Tuning" and isinstance(arguments, dict):
            definitions = arguments.get("TrainingJobDefinitions") or [arguments.get("TrainingJobDefinition")]
            for definition in definitions:
                if isinstance(definition, dict):
                    yield name, "Training", definition
        elif isinstance(arguments, dict):
            yield name, kind, arguments


def _states(value: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each SageMaker task of a state machine, within maps and parallel branches too."""
    states = value.get("States", {}) if isinstance(value, dict) else {}
    for name, state in states.items() if isinstance(states, dict) else ():
        if not isinstance(state, dict):
            continue
        resource = show(state.get("Resource"))
        if ":states:::sagemaker:" in resource or ":states:::aws-sdk:sagemaker:" in resource:
            action = resource.rsplit(":sagemaker:", 1)[1].split(".")[0]
            request = state.get("Parameters", state.get("Arguments", {}))
            if isinstance(request, dict):
                if action == "createHyperParameterTuningJob":
                    definition = request.get("TrainingJobDefinition", {})
                    yield name, "createTrainingJob", definition if isinstance(definition, dict) else {}
                else:
                    yield name, action, request
        for branch in state.get("Branches", []):
            yield from _states(branch)
        for inner in ("Iterator", "ItemProcessor"):
            yield from _states(state.get(inner))


def _jobs(context: Context) -> Iterator[tuple[str, str, _Job, dict[str, Any]] | Outcome]:
    """Each job in the document: its path, its name, what it must say and its request."""
    if context.resource.type == _PIPELINE:
        read = _document(context, "PipelineDefinition.PipelineDefinitionBody")
        if isinstance(read, tuple):
            path, body = read
            body = body if isinstance(body, dict) else {}
            for name, kind, request in _steps(body.get("Steps")):
                if kind in _STEPS:
                    yield path, name, _STEPS[kind], request
            return
    else:
        read = _document(context, "DefinitionString", "Definition")
        if isinstance(read, tuple):
            path, body = read
            for name, action, request in _states(body):
                if action in _TASKS:
                    yield path, name, _TASKS[action], request
            return
    if read is not None:
        yield read


def _ask(question: Any, *, unread: bool) -> Code:
    def ask(context: Context) -> Iterator[Outcome]:
        for found in _jobs(context):
            if not isinstance(found, tuple):
                # A definition that can't be read is told once.
                if unread:
                    yield found
                continue
            path, name, job, request = found
            for message in question(job, request, context):
                yield Fail(f"{message} in the step {name!r}", path)

    return Code(ask, "It reads a document inside a property.")


def _network(job: _Job, request: dict[str, Any], context: Context) -> Iterator[str]:
    if not job.network:
        return
    network = _at(request, job.network)
    if not network:
        yield f"sets no {job.network}"
    elif isinstance(network, dict):
        for name in ("Subnets", "SecurityGroupIds"):
            if not (network.get(name) or network.get(f"{name}.$")):
                yield f"sets no {job.network}.{name}"


def _isolation(job: _Job, request: dict[str, Any], context: Context) -> Iterator[str]:
    if job.isolation and _at(request, job.isolation) is not True:
        yield f"does not set {job.isolation} to true"


def _traffic(job: _Job, request: dict[str, Any], context: Context) -> Iterator[str]:
    if job.traffic and _at(request, job.traffic) is not True:
        yield f"does not set {job.traffic} to true"


def _keys(job: _Job, request: dict[str, Any], context: Context) -> Iterator[str]:
    if job.volume:
        place, name = job.volume
        resources = _at(request, place)
        key = _at(resources, name)
        local = local_storage(_at(request, job.types)) if job.types else False
        if local and key:
            yield f"sets {place}.{name}, which types with local storage refuse,"
        elif not local and not key:
            yield f"sets no {place}.{name}"
        elif isinstance(key, str) and "alias/aws/" in key:
            yield f"sets {place}.{name} to a key of AWS"
    if job.output:
        key = _at(request, job.output)
        if not key:
            yield f"sets no {job.output}"
        elif isinstance(key, str) and "alias/aws/" in key:
            yield f"sets {job.output} to a key of AWS"


def _runtime(job: _Job, request: dict[str, Any], context: Context) -> Iterator[str]:
    if job.runtime and not _at(request, job.runtime):
        yield f"sets no {job.runtime}"


def _variables(job: _Job, request: dict[str, Any], context: Context) -> Iterator[str]:
    for where in ("Environment", "HyperParameters", "PrimaryContainer.Environment"):
        found = _at(request, where)
        for name, value in found.items() if isinstance(found, dict) else ():
            secret = secret_in(name, value)
            if secret:
                yield f"{secret} ({where}.{name})"


# A text in JSONata, which is a literal in its way.
_LITERAL = re.compile(r"\{%\s*['\"](?P<text>[^'\"]*)['\"]\s*%\}")
# The registry of the account, whose number CloudFormation fills in.
_OURS = "${AWS::AccountId}.dkr."
_IMAGES = ("AlgorithmSpecification.TrainingImage", "AppSpecification.ImageUri", "PrimaryContainer.Image")


def _images(job: _Job, request: dict[str, Any], context: Context) -> Iterator[str]:
    for where in _IMAGES:
        image = _at(request, where)
        literal = _LITERAL.fullmatch(image) if isinstance(image, str) else None
        image = literal["text"] if literal else image
        # What the step computes (JSONPath, JSONata), or a parameter of the pipeline, is settled when it runs.
        if isinstance(image, str) and (image.startswith(_OURS) or not image.startswith(("$", "{%"))):
            outcome = PinnedImage().check(image, context)
            if isinstance(outcome, Fail):
                yield f"has an image that {outcome.message}"


def _remote_debug(job: _Job, request: dict[str, Any], context: Context) -> Iterator[str]:
    if _at(request, "RemoteDebugConfig.EnableRemoteDebug") not in (None, False):
        yield "sets EnableRemoteDebug, which opens a session on the job,"


def _entry(kind: str, type_: str, what: str) -> Iterator[Rule]:
    def rule(name: str, question: Any, title: str, why: str, fix: str, **more: Any) -> Rule:
        given: dict[str, Any] = {"severity": ERROR, "control": "T1", "threats": (INSIDER, THEFT), **more}
        return Rule(
            id=f"{kind}{name}",
            resource_type=type_,
            requirement=_ask(question, unread=question is _network),
            title=f"{what} {title}",
            why=why,
            fix=fix,
            **given,
        )

    yield rule(
        "StepsInVpc",
        _network,
        "runs its jobs in the VPC",
        "A job outside the VPC is a way out for all the data that its role reads.",
        "Set VpcConfig, with Subnets and SecurityGroupIds, in the request of the step.",
    )
    yield rule(
        "StepsIsolated",
        _isolation,
        "runs its jobs in network isolation",
        "A poisoned package in a job could send out the data that it trains on.",
        "Set EnableNetworkIsolation to true in the request of the step.",
        threats=(INSIDER, SUPPLY_CHAIN),
    )
    yield rule(
        "StepsTrafficEncrypted",
        _traffic,
        "encrypts the traffic between the containers of its jobs",
        "Data and gradients cross the network in the clear.",
        "Set EnableInterContainerTrafficEncryption to true in the request of the step.",
        severity=WARNING,
        control="E4",
    )
    yield rule(
        "StepsCustomerKeys",
        _keys,
        "keeps volumes and output of its jobs under customer keys",
        "Without a key the output is under whatever the bucket has, and the volume under AWS's own.",
        "Set VolumeKmsKeyId, but for types with local storage, and the output's KmsKeyId.",
    )
    yield rule(
        "StepsBounded",
        _runtime,
        "bounds the time of its jobs",
        "A job that hangs, or mines, runs for five days otherwise.",
        "Set StoppingCondition.MaxRuntimeInSeconds in the request of the step.",
        severity=WARNING,
        threats=(WALLET, HIJACK),
    )
    yield rule(
        "StepsNoSecrets",
        _variables,
        "holds no secret in the parameters of its jobs",
        "They are readable to everyone who may describe the pipeline or the job.",
        "Keep the secret in Secrets Manager and let the container read it with its role.",
        control="E5",
    )
    yield rule(
        "StepsImagesPinned",
        _images,
        "runs images of ours, named by their digest",
        "Whoever can push to the repository, or owns it, can put another image under the same tag.",
        "Write the image as <account>.dkr.ecr.<region>.amazonaws.com/<repository>@sha256:<digest>.",
        control="T2",
        threats=(SUPPLY_CHAIN,),
    )
    yield rule(
        "StepsNoRemoteDebug",
        _remote_debug,
        "opens no session on its jobs",
        "A session on the job reads the data and the model.",
        "Leave RemoteDebugConfig out.",
    )


RULES = (
    *_entry("SageMakerPipeline", _PIPELINE, "A pipeline"),
    *_entry("StepFunctions", _MACHINE, "A state machine"),
)
