"""SageMaker's guardrails, asked as decisions: what they stop, and what legitimate work they let through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from secure_ml_constructs.identity.guardrails import SageMakerGuardrails, WorkLimits
from secure_ml_constructs.policy import document
from tests.support.decisions import Simulator
from tests.unit.identity.guardrails import work
from tests.unit.identity.guardrails.work import (
    APPROVER,
    BREAK_GLASS,
    DEPLOYED,
    DEPLOYING,
    FINE,
    LEGITIMATE,
    PIPELINE,
    SCIENTIST,
    WEAK,
    allowed,
)

pytestmark = [pytest.mark.decision, pytest.mark.slow]

# Where the request need not say it, taking it out is no weakening.
OPTIONAL = {
    ("UpdateNotebookInstance", "InstanceTypes"),
    ("CreateApp", "InstanceTypes"),
    ("CreateSpace", "InstanceTypes"),
    ("UpdateDomain", "VpcSubnets"),
    ("UpdateDomain", "AppNetworkAccessType"),
    ("UpdateUserProfile", "InstanceTypes"),
    ("CreateCluster", "InstanceTypes"),
    ("UpdateCluster", "InstanceTypes"),
}
# The types were what told that the schedule holds a definition of its own.
SCHEDULES = ("CreateMonitoringSchedule", "UpdateMonitoringSchedule")


def weakened() -> Iterator[tuple[str, str, Any]]:
    for action, (_, context) in {**LEGITIMATE, **DEPLOYED}.items():
        for key in context:
            for value in WEAK.get(key, ()):
                optional = (action, key) in OPTIONAL or (action in SCHEDULES and key == "InstanceTypes")
                if not (value is None and optional):
                    yield action, key, value


WEAKENED = list(weakened())


@pytest.mark.parametrize("action", LEGITIMATE)
def test_legitimate_work_passes(simulator: Simulator, action: str) -> None:
    kind, context = LEGITIMATE[action]
    assert allowed(simulator, action, kind, context)


@pytest.mark.parametrize(
    ("action", "key", "value"),
    [
        (action, key, value)
        for action, (_, context) in LEGITIMATE.items()
        for key in context
        for value in FINE.get(key, ())
    ],
)
def test_so_does_work_of_other_sizes_and_keys(
    simulator: Simulator, action: str, key: str, value: Any
) -> None:
    kind, context = LEGITIMATE[action]
    assert allowed(simulator, action, kind, {**context, key: value})


@pytest.mark.parametrize("action", DEPLOYED)
def test_whoever_deploys_makes_what_is_in_order(simulator: Simulator, action: str) -> None:
    kind, context = DEPLOYED[action]
    assert allowed(simulator, action, kind, context, principal=DEPLOYING)
    assert not allowed(simulator, action, kind, context)


def test_there_are_requests_enough() -> None:
    assert len(WEAKENED) >= 100


@pytest.mark.parametrize(("action", "key", "value"), WEAKENED)
def test_the_weakened_request_is_denied(simulator: Simulator, action: str, key: str, value: Any) -> None:
    kind, context = {**LEGITIMATE, **DEPLOYED}[action]
    principal = DEPLOYING if action in DEPLOYED else SCIENTIST
    assert not allowed(simulator, action, kind, {**context, key: value}, principal=principal)


@pytest.mark.parametrize(
    ("action", "change"),
    [
        # Disks of their own take no key.
        ("CreateTrainingJob", {"InstanceTypes": ["ml.g5.xlarge"], "VolumeKmsKey": None}),
        ("CreateProcessingJob", {"InstanceTypes": ["ml.g4dn.xlarge"], "VolumeKmsKey": None}),
        ("CreateTransformJob", {"InstanceTypes": ["ml.g5.2xlarge"], "VolumeKmsKey": None}),
        ("CreateEndpointConfig", {"InstanceTypes": ["ml.g5.xlarge"], "VolumeKmsKey": None}),
        ("CreateEndpointConfig", {"InstanceTypes": ["ml.g5.xlarge"]}),
        # An ordinary configuration names models, and may say for them that nothing is isolated.
        ("CreateEndpointConfig", {"NetworkIsolation": "false"}),
        ("CreateEndpointConfig", {"VpcSubnets": [work.SUBNETS[0]], "VpcSecurityGroupIds": [work.GROUPS[0]]}),
        # Who says nothing of the run time gets a day at the most.
        ("CreateTrainingJob", {"MaxRuntimeInSeconds": None}),
        ("CreateTrainingJob", {"MaxRuntimeInSeconds": "86400"}),
        ("CreateTrainingJob", {"VpcSubnets": [work.SUBNETS[1]]}),
        ("CreateTrainingJob", {"InstanceTypes": ["ml.m5.xlarge", "ml.c5.xlarge"]}),
        ("CreateTrainingJob", {"VolumeKmsKey": work.SECOND_KEY, "OutputKmsKey": work.KEY}),
        ("CreateApp", {"InstanceTypes": ["system"]}),
        ("CreateApp", {"InstanceTypes": None}),
        ("CreateSpace", {"InstanceTypes": None}),
        ("UpdateSpace", {"RemoteAccess": None}),
        ("CreateModelPackage", {"ModelApprovalStatus": None}),
        (
            "CreateFeatureGroup",
            {"FeatureGroupEnableOnlineStore": "false", "FeatureGroupOnlineStoreKmsKey": None},
        ),
        (
            "CreateFeatureGroup",
            {"FeatureGroupOfflineStoreConfig": None, "FeatureGroupOfflineStoreKmsKey": None},
        ),
    ],
)
def test_ordinary_variants_pass(simulator: Simulator, action: str, change: dict[str, Any]) -> None:
    kind, context = LEGITIMATE[action]
    assert allowed(simulator, action, kind, {**context, **change})


@pytest.mark.parametrize("action", SCHEDULES)
def test_a_schedule_that_names_a_job_definition_says_nothing_else(simulator: Simulator, action: str) -> None:
    assert allowed(simulator, action, "monitoring-schedule", {})
    # One with a definition of its own names its instance types.
    types = {"InstanceTypes": ["ml.m5.xlarge"]}
    assert not allowed(simulator, action, "monitoring-schedule", types)


UNUSUAL: list[tuple[str, dict[str, Any]]] = [
    # One type without disks of its own asks for the key.
    ("CreateTrainingJob", {"InstanceTypes": ["ml.g5.xlarge", "ml.m5.xlarge"], "VolumeKmsKey": None}),
    # A key that is given is ours, also where none is due.
    ("CreateTrainingJob", {"InstanceTypes": ["ml.g5.xlarge"], "VolumeKmsKey": work.FOREIGN_KEY}),
    ("CreateEndpointConfig", {"InstanceTypes": ["ml.g5.xlarge"], "VolumeKmsKey": work.FOREIGN_KEY}),
    ("CreateEndpointConfig", {"VpcSubnets": ["subnet-0fffffffffffffff0"]}),
    ("CreateEndpointConfig", {"ServerlessMemorySize": "2048"}),
    ("CreateEndpointConfig", {"InstanceTypes": None, "ServerlessMemorySize": "2048"}),
    ("CreateTrainingJob", {"FileSystemId": "fs-0a1b2c3d4e5f60718"}),
    # An alias or an id is no ARN: nobody knows whose it is.
    ("CreateTrainingJob", {"VolumeKmsKey": "alias/ours"}),
    ("CreateTrainingJob", {"VolumeKmsKey": "0a1b2c3d-0000-0000-0000-000000000001"}),
    ("CreateNotebookInstance", {"VpcSecurityGroupIds": None}),
    ("UpdateNotebookInstance", {"RootAccess": "Enabled"}),
    ("UpdateNotebookInstance", {"MinimumInstanceMetadataServiceVersion": "1"}),
    ("CreateFeatureGroup", {"FeatureGroupOnlineStoreKmsKey": None}),
    ("CreateSpace", {"RemoteAccess": "ENABLED"}),
    ("CreateApp", {"InstanceTypes": ["ml.p4d.24xlarge"]}),
    ("UpdateTrainingJob", {"InstanceTypes": ["ml.p4d.24xlarge"]}),
]


@pytest.mark.parametrize(("action", "change"), UNUSUAL)
def test_unusual_weakenings_are_denied(simulator: Simulator, action: str, change: dict[str, Any]) -> None:
    kind, context = LEGITIMATE[action]
    assert not allowed(simulator, action, kind, {**context, **change})


LEFT: list[tuple[str, str, dict[str, Any], tuple[str, ...], tuple[str, ...]]] = [
    ("CreatePipeline", "pipeline", {}, (PIPELINE, DEPLOYING, BREAK_GLASS), (SCIENTIST,)),
    ("UpdatePipeline", "pipeline", {}, (PIPELINE, DEPLOYING), (SCIENTIST, APPROVER)),
    ("CreateCompilationJob", "compilation-job", {}, (PIPELINE,), (SCIENTIST,)),
    ("CreateInferenceExperiment", "inference-experiment", {}, (PIPELINE,), (SCIENTIST,)),
    ("CreateLabelingJob", "labeling-job", {"OutputKmsKey": work.KEY}, (PIPELINE,), (SCIENTIST,)),
    ("CreateStudioLifecycleConfig", "studio-lifecycle-config", {}, (DEPLOYING,), (SCIENTIST, PIPELINE)),
    ("CreateMlflowTrackingServer", "mlflow-tracking-server", {}, (DEPLOYING,), (SCIENTIST, PIPELINE)),
    ("CreateHub", "hub", {}, (DEPLOYING,), (SCIENTIST,)),
    ("PutModelPackageGroupPolicy", "model-package-group", {}, (DEPLOYING,), (SCIENTIST, PIPELINE)),
    ("CreateTrainingPlan", "training-plan", {}, (DEPLOYING,), (SCIENTIST, PIPELINE)),
    ("StartSession", "space", {}, (), (SCIENTIST, PIPELINE, DEPLOYING, BREAK_GLASS)),
    ("CreateEdgePackagingJob", "edge-packaging-job", {}, (), (SCIENTIST, PIPELINE, DEPLOYING)),
    ("CreatePartnerApp", "partner-app", {}, (), (SCIENTIST, DEPLOYING)),
    ("TrainHubModel", "hub", {}, (), (SCIENTIST, PIPELINE)),
    (
        "UpdateModelPackage",
        "model-package",
        {"ModelApprovalStatus": "Approved"},
        (APPROVER, DEPLOYING),
        (SCIENTIST, PIPELINE),
    ),
    # What is free stays free.
    ("CreateEndpoint", "endpoint", {}, (SCIENTIST, PIPELINE), ()),
    ("StartPipelineExecution", "pipeline", {}, (SCIENTIST, PIPELINE), ()),
    ("BatchPutMetrics", "training-job", {}, (SCIENTIST,), ()),
    ("CreateExperiment", "experiment", {}, (SCIENTIST,), ()),
    ("AddTags", "training-job", {}, (SCIENTIST,), ()),
    ("PutRecord", "feature-group", {}, (SCIENTIST,), ()),
    ("StopTrainingJob", "training-job", {}, (SCIENTIST,), ()),
    ("DeleteEndpoint", "endpoint", {}, (SCIENTIST,), ()),
    ("DescribeTrainingJob", "training-job", {}, (SCIENTIST,), ()),
    ("InvokeEndpoint", "endpoint", {}, (SCIENTIST,), ()),
    ("CreatePresignedDomainUrl", "user-profile", {}, (SCIENTIST,), ()),
]


@pytest.mark.parametrize(("action", "kind", "context", "through", "stopped"), LEFT)
def test_what_is_left_to_some(
    simulator: Simulator,
    action: str,
    kind: str,
    context: dict[str, Any],
    through: tuple[str, ...],
    stopped: tuple[str, ...],
) -> None:
    for principal in through:
        assert allowed(simulator, action, kind, context, principal=principal), principal
    for principal in stopped:
        assert not allowed(simulator, action, kind, context, principal=principal), principal


def test_the_pipeline_is_held_by_what_its_requests_say(simulator: Simulator) -> None:
    kind, context = LEGITIMATE["CreateTrainingJob"]
    assert allowed(simulator, "CreateTrainingJob", kind, context, principal=PIPELINE)
    for principal in (PIPELINE, DEPLOYING, BREAK_GLASS):
        open_job = {**context, "NetworkIsolation": "false"}
        assert not allowed(simulator, "CreateTrainingJob", kind, open_job, principal=principal)


def with_limits(limits: WorkLimits) -> list[Any]:
    guardrails = SageMakerGuardrails(
        perimeter=work.PERIMETER,
        subnets=work.SUBNETS,
        security_groups=work.GROUPS,
        keys=(work.KEY, work.SECOND_KEY),
        limits=limits,
    )
    return work.resolved(guardrails.documents())


def test_a_shorter_run_time_has_to_be_said(simulator: Simulator) -> None:
    documents = with_limits(WorkLimits(run_time_seconds=7200))
    kind, context = LEGITIMATE["CreateTrainingJob"]
    for seconds, passes in (("7200", True), ("7201", False), (None, False)):
        change = {**context, "MaxRuntimeInSeconds": seconds}
        assert allowed(simulator, "CreateTrainingJob", kind, change, documents=documents) is passes
    assert allowed(simulator, "CreateMonitoringSchedule", "monitoring-schedule", {}, documents=documents)


def test_named_file_systems_may_be_mounted(simulator: Simulator) -> None:
    documents = with_limits(WorkLimits(file_systems=("fs-0a1b2c3d4e5f60718",)))
    kind, context = LEGITIMATE["CreateTrainingJob"]
    for name, passes in (("fs-0a1b2c3d4e5f60718", True), ("fs-0ffffffffffffffff", False), (None, True)):
        change = {**context, "FileSystemId": name}
        assert allowed(simulator, "CreateTrainingJob", kind, change, documents=documents) is passes


def test_without_types_of_local_disks_every_job_needs_the_key(simulator: Simulator) -> None:
    documents = with_limits(WorkLimits(instance_types=("ml.m5.*",)))
    kind, context = LEGITIMATE["CreateTrainingJob"]
    assert allowed(simulator, "CreateTrainingJob", kind, context, documents=documents)
    without = {**context, "VolumeKmsKey": None}
    assert not allowed(simulator, "CreateTrainingJob", kind, without, documents=documents)
    family = {**context, "InstanceTypes": ["ml.m5d.xlarge"]}
    assert not allowed(simulator, "CreateTrainingJob", kind, family, documents=documents)


def denied() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Every request of this file that is denied: who, what, on what, and what it says."""
    for action, key, value in WEAKENED:
        kind, context = {**LEGITIMATE, **DEPLOYED}[action]
        yield DEPLOYING if action in DEPLOYED else SCIENTIST, action, kind, {**context, key: value}
    for action, change in UNUSUAL:
        kind, context = LEGITIMATE[action]
        yield SCIENTIST, action, kind, {**context, **change}
    for action, kind, said, _, stopped in LEFT:
        for principal in stopped:
            yield principal, action, kind, said


@pytest.mark.parametrize("sid", [each["Sid"] for each in work.GUARDRAILS.statements()])
def test_every_statement_is_needed(sid: str) -> None:
    """Without it, some request of those above goes through."""
    (without,) = work.resolved(
        [document(each for each in work.GUARDRAILS.statements() if each["Sid"] != sid)]
    )
    assert any(
        work.allowed_by_us(
            [without], principal, f"sagemaker:{action}", work.arn(kind), work.named(said, second=second)
        )
        for principal, action, kind, said in denied()
        for second in (False, True)
    )
