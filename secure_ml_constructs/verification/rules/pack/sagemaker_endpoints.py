"""Endpoints and what they serve."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from secure_ml_constructs.verification.rules.instances import local_storage
from secure_ml_constructs.verification.rules.keys import CustomerKey
from secure_ml_constructs.verification.rules.networks import IsolatedSubnets, OurGroups
from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome, at
from secure_ml_constructs.verification.rules.pack.vocabulary import (
    ADVERSARIAL,
    INSIDER,
    KEY,
    PRESENT,
    TAMPERING,
    THEFT,
    TRUE,
    WALLET,
    approved_bucket,
    customer_key,
    instance_type,
    no_secrets,
    pinned_image,
)
from secure_ml_constructs.verification.rules.predicates import Bounded, Missing, absent_or
from secure_ml_constructs.verification.rules.requirements import AnyOf, At, Code, Every, Inside, values
from secure_ml_constructs.verification.rules.rule import ERROR, WARNING, Rule
from secure_ml_constructs.verification.templates import Absent

_CONFIG = "AWS::SageMaker::EndpointConfig"
_ENDPOINT = "AWS::SageMaker::Endpoint"
_COMPONENT = "AWS::SageMaker::InferenceComponent"
_EXPERIMENT = "AWS::SageMaker::InferenceExperiment"
_VARIANTS = ("ProductionVariants", "ShadowProductionVariants")

_config = partial(Rule, resource_type=_CONFIG)
_endpoint = partial(Rule, resource_type=_ENDPOINT)


def _volume_key(context: Context) -> Iterator[Outcome]:
    """Instances with local storage encrypt it by hardware, and refuse a key."""
    key = context.graph.get(context.resource, "KmsKeyId")
    types = [value for _, value in values(context, "ProductionVariants[*].InstanceType")]
    named = [value for value in types if not isinstance(value, Absent)]
    if isinstance(key, Absent) and named and all(local_storage(value) for value in named):
        return
    outcome = CustomerKey().check(key, context)
    if outcome is not None:
        yield at(outcome, "KmsKeyId")


def _carries_containers(context: Context) -> bool:
    """Whether no model stands behind a variant, so that inference components bring the containers."""
    models = [value for _, value in values(context, "ProductionVariants[*].ModelName")]
    return any(isinstance(model, Absent) for model in models)


def _config_isolation(context: Context) -> Iterator[Outcome]:
    if _carries_containers(context):
        yield from At("EnableNetworkIsolation", TRUE).check(context)


def _config_vpc(context: Context) -> Iterator[Outcome]:
    if _carries_containers(context):
        yield from At("VpcConfig.Subnets", IsolatedSubnets()).check(context)
        yield from At("VpcConfig.SecurityGroupIds", OurGroups()).check(context)


def _instances(context: Context) -> Iterator[Outcome]:
    for path, variant in values(context, "ProductionVariants[*]"):
        template = context.resource.template
        if isinstance(variant, dict) and context.graph.at(template, variant, ("InstanceType",)):
            count = context.graph.at(template, variant, ("InitialInstanceCount",))
            scaling = context.graph.at(template, variant, ("ManagedInstanceScaling", "MinInstanceCount"))
            outcome = Bounded(2).check(scaling or count, context)
            if outcome is not None:
                yield at(outcome, f"{path}.InitialInstanceCount")


def _watched(context: Context) -> Iterator[Outcome]:
    """Some alarm has the endpoint among its dimensions."""
    for alarm in context.graph.resources("AWS::CloudWatch::Alarm"):
        written = str(alarm.properties)
        if "EndpointName" in written and "SageMaker" in written:
            return
    yield Fail("has no alarm on its invocations, errors or latency")


def _monitored(context: Context) -> Iterator[Outcome]:
    if not context.graph.by_type.get("AWS::SageMaker::MonitoringSchedule"):
        yield Fail("has no monitoring schedule")


def _alarms(context: Context) -> Iterator[Outcome]:
    path = "DeploymentConfig.AutoRollbackConfiguration.Alarms"
    if not context.graph.items(context.resource, *path.split(".")):
        yield Fail("names no alarm", path)


def _target(context: Context) -> Iterator[Outcome]:
    resource, graph = context.resource, context.graph
    if graph.get(resource, "ServiceNamespace") == "sagemaker":
        outcome = Bounded(1, 100).check(graph.get(resource, "MaxCapacity"), context)
        if outcome is not None:
            yield at(outcome, "MaxCapacity")


RULES = (
    _config(
        id="SageMakerEndpointConfigCustomerKey",
        requirement=Code(_volume_key, "Types with local storage are excepted by a list."),
        severity=ERROR,
        control="G1",
        threats=(INSIDER, THEFT),
        title="The volumes of an endpoint are under a customer key",
        why="The model lies on them. Types with local storage refuse a key and encrypt by hardware.",
        fix="Set KmsKeyId to the ARN of a customer key; leave it out where every type has local storage.",
    ),
    _config(
        id="SageMakerEndpointConfigNetworkIsolation",
        requirement=Code(_config_isolation, "It depends on whether variants name models."),
        severity=ERROR,
        control="G1",
        threats=(INSIDER, THEFT),
        title="An endpoint for inference components runs in network isolation",
        why="No model carries the setting there: the containers could send out what they serve.",
        fix="Set EnableNetworkIsolation to true.",
    ),
    _config(
        id="SageMakerEndpointConfigInVpc",
        requirement=Code(_config_vpc),
        severity=ERROR,
        control="G1",
        threats=(INSIDER, THEFT),
        title="An endpoint for inference components runs in isolated subnets",
        why="No model carries the setting there, so the containers run outside the VPC.",
        fix="Set VpcConfig to isolated subnets and security groups of the environment.",
    ),
    _config(
        id="SageMakerEndpointConfigDataCapture",
        # "Serverless Inference: feature exclusions": it captures nothing, and takes no configuration for it.
        requirement=AnyOf(
            At("DataCaptureConfig.EnableCapture", TRUE),
            At("ProductionVariants[*].ServerlessConfig", PRESENT),
        ),
        severity=WARNING,
        control="M1",
        threats=(ADVERSARIAL, THEFT),
        title="Requests and answers are captured",
        why="Without them nobody sees drift, adversarial input or the queries of an extraction.",
        fix="Set DataCaptureConfig with EnableCapture true, a customer key and a bucket of the environment.",
    ),
    customer_key(
        "SageMakerEndpointConfigCaptureKey",
        _CONFIG,
        "DataCaptureConfig.KmsKeyId",
        "Captured requests are",
        control="G1",
        within="DataCaptureConfig",
    ),
    approved_bucket(
        "SageMakerEndpointConfigCaptureBucket",
        _CONFIG,
        "DataCaptureConfig.DestinationS3Uri",
        "What an endpoint captures",
    ),
    customer_key(
        "SageMakerEndpointConfigAsyncKey",
        _CONFIG,
        "AsyncInferenceConfig.OutputConfig.KmsKeyId",
        "The answers of asynchronous inference are",
        control="G14",
        within="AsyncInferenceConfig",
    ),
    approved_bucket(
        "SageMakerEndpointConfigAsyncBucket",
        _CONFIG,
        "AsyncInferenceConfig.OutputConfig.S3OutputPath",
        "What asynchronous inference answers",
        control="G14",
    ),
    _config(
        id="SageMakerEndpointConfigAsyncNotification",
        requirement=At(
            "AsyncInferenceConfig.OutputConfig.NotificationConfig.IncludeInferenceResponseIn", Missing()
        ),
        severity=WARNING,
        control="G14",
        threats=(INSIDER,),
        title="Notifications carry no predictions",
        why="Whoever subscribes to the topic would read the answers.",
        fix="Leave IncludeInferenceResponseIn out.",
    ),
    _config(
        id="SageMakerEndpointConfigNoSsmAccess",
        requirement=Every(*(At(f"{v}[*].EnableSSMAccess", absent_or(False)) for v in _VARIANTS)),
        severity=ERROR,
        control="G1",
        threats=(INSIDER, THEFT),
        title="Nobody can open a session on an endpoint's instances",
        why="A session on the instance reads the model and every request that passes.",
        fix="Leave EnableSSMAccess out.",
    ),
    _config(
        id="SageMakerEndpointConfigCoreDumpKey",
        requirement=Every(*(Inside(f"{v}[*].CoreDumpConfig", "KmsKeyId", KEY) for v in _VARIANTS)),
        severity=ERROR,
        control="G1",
        threats=(INSIDER, THEFT),
        title="Core dumps are under a customer key",
        why="A core dump holds the model and the requests that were in memory.",
        fix="Set CoreDumpConfig.KmsKeyId, or leave CoreDumpConfig out.",
    ),
    *(
        approved_bucket(
            f"SageMakerEndpointConfig{name}CoreDumpBucket",
            _CONFIG,
            f"{variants}[*].CoreDumpConfig.DestinationS3Uri",
            "A core dump",
            threats=(INSIDER, THEFT),
        )
        for name, variants in zip(("", "Shadow"), _VARIANTS, strict=True)
    ),
    _config(
        id="SageMakerEndpointConfigTwoInstances",
        requirement=Code(_instances, "Only variants on instances have a count."),
        severity=WARNING,
        control="G8",
        threats=(WALLET,),
        title="An endpoint runs on two instances or more",
        why="One instance is one zone: its failure is the endpoint's.",
        fix="Set InitialInstanceCount to 2 or more.",
        standards=("SageMaker.4",),
    ),
    _config(
        id="SageMakerEndpointConfigNoServerless",
        requirement=Every(*(At(f"{v}[*].ServerlessConfig", Missing()) for v in _VARIANTS)),
        severity=ERROR,
        control="G1",
        threats=(INSIDER, THEFT),
        title="No serverless inference",
        why="It supports neither a VPC nor network isolation nor data capture.",
        fix="Serve the variant on instances.",
    ),
    _config(
        id="SageMakerEndpointConfigScalingBounded",
        requirement=Inside(
            "ProductionVariants[*].ManagedInstanceScaling", "MaxInstanceCount", Bounded(1, 100)
        ),
        severity=WARNING,
        control="G12",
        threats=(WALLET,),
        title="Managed scaling has an upper bound",
        why="A flood of requests would otherwise be paid for.",
        fix="Set ManagedInstanceScaling.MaxInstanceCount to at most 100.",
    ),
    *(
        instance_type(f"SageMakerEndpointConfig{name}InstanceType", _CONFIG, f"{variants}[*].InstanceType")
        for name, variants in zip(("", "Shadow"), _VARIANTS, strict=True)
    ),
    _endpoint(
        id="SageMakerEndpointAutoRollback",
        requirement=Code(_alarms),
        severity=WARNING,
        control="G8",
        threats=(TAMPERING,),
        title="A bad deployment is rolled back by an alarm",
        why="A tampered or broken model would stay until somebody looks.",
        fix="Name alarms in DeploymentConfig.AutoRollbackConfiguration.",
    ),
    _endpoint(
        id="SageMakerEndpointAlarms",
        requirement=Code(_watched, "It looks for another resource."),
        severity=WARNING,
        control="M3",
        threats=(WALLET, THEFT),
        title="An endpoint is watched by alarms",
        why="A flood, an outage or an extraction shows in invocations, errors and latency first.",
        fix="Add a CloudWatch alarm with the endpoint's name among its dimensions.",
    ),
    _endpoint(
        id="SageMakerEndpointMonitored",
        requirement=Code(_monitored, "It looks for another resource."),
        severity=WARNING,
        control="M1",
        threats=(TAMPERING, ADVERSARIAL),
        title="An endpoint has a monitoring schedule",
        why="Drift and tampering show in the distribution of what is asked and answered.",
        fix="Add an AWS::SageMaker::MonitoringSchedule.",
        off="Model Monitor is closed to new customers since September 2026: other monitors are as good.",
    ),
    Rule(
        id="SageMakerScalableTargetBounded",
        resource_type="AWS::ApplicationAutoScaling::ScalableTarget",
        requirement=Code(_target, "Only targets of SageMaker count."),
        severity=WARNING,
        control="G12",
        threats=(WALLET,),
        title="Scaling of an endpoint has an upper bound",
        why="A flood of requests would otherwise be paid for.",
        fix="Set MaxCapacity to at most 100.",
    ),
    pinned_image(
        "SageMakerInferenceComponentImagePinned",
        _COMPONENT,
        "Specification.Container.Image",
        "The image of an inference component",
    ),
    no_secrets(
        "SageMakerInferenceComponentNoSecrets",
        _COMPONENT,
        "Specification.Container.Environment",
        "An inference component",
    ),
    approved_bucket(
        "SageMakerInferenceComponentDataBucket",
        _COMPONENT,
        "Specification.Container.ArtifactUrl",
        "The model data of an inference component",
        severity=ERROR,
        control="G1",
        threats=(TAMPERING, THEFT),
    ),
    customer_key(
        "SageMakerInferenceExperimentVolumeKey",
        _EXPERIMENT,
        "KmsKey",
        "The volumes of an inference experiment are",
        severity=WARNING,
        standards=("SageMaker.23",),
    ),
    customer_key(
        "SageMakerInferenceExperimentDataKey",
        _EXPERIMENT,
        "DataStorageConfig.KmsKey",
        "What an inference experiment records is",
        severity=WARNING,
        standards=("SageMaker.24",),
    ),
    approved_bucket(
        "SageMakerInferenceExperimentBucket",
        _EXPERIMENT,
        "DataStorageConfig.Destination",
        "What an inference experiment records",
    ),
)
