"""ModelWatch and its open engine: alarms, what the jobs are told, what is kept, and what is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import aws_cdk as cdk
import msgspec
import pytest

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.monitoring import ModelSchema, ModelWatch, OpenMonitor, Schedule
from secure_ml_constructs.monitoring.metrics import NAMESPACE, SubjectMetric, WatchMetric
from secure_ml_constructs.monitoring.plan import Built, WatchPlan
from secure_ml_constructs.monitoring.settings import MOST_PIECES, PIECE, pieces, settings
from secure_ml_constructs.runtime.open_monitor.settings import Settings
from secure_ml_constructs.serving import DoorAuth, FrontDoor, Payloads
from tests.support.compliance import findings
from tests.support.templates import Template, World, new_app, synth
from tests.unit.monitoring import watches
from tests.unit.monitoring.plans import BASELINE, ENDPOINT, JSON_SCHEMA, SCHEMA, plan
from tests.unit.serving.clinic import TENANTS, Clinic
from tests.unit.serving.front_doors import DoorClinic
from tests.unit.serving.test_guarded_endpoint import guard

pytestmark = pytest.mark.slow

BUILDS = (watches.build, watches.build_full)


def template(build: Callable[[cdk.App], None]) -> Template:
    app = new_app()
    build(app)
    return synth(app)["Serving"]


@pytest.fixture(scope="module")
def plain() -> World:
    app = new_app()
    watches.build(app)
    return World(synth(app))


@pytest.fixture(scope="module")
def full() -> World:
    app = new_app()
    watches.build_full(app)
    return World(synth(app))


@pytest.fixture(scope="module")
def clinic() -> Clinic:
    return Clinic(new_app())


# -- alarms -------------------------------------------------------------------------------------------------


def alarms(world: World) -> dict[str, dict[str, Any]]:
    """The watch's alarms by their ids."""
    found = {}
    for alarm in world.resources("AWS::CloudWatch::Alarm", "WatchAlarms"):
        found[re.sub(r"^WatchAlarms|[0-9A-F]{8}$", "", alarm.logical_id)] = alarm.properties
    return found


def test_runs_that_fail_or_never_come_alarm(plain: World, full: World) -> None:
    for world, hours in ((plain, 24), (full, 6)):
        missing = alarms(world)["Missing"]
        assert missing["TreatMissingData"] == "breaching"
        assert (missing["MetricName"], missing["Namespace"]) == ("Completed", NAMESPACE)
        assert missing["ComparisonOperator"] == "LessThanThreshold"
        # PutMetricAlarm, EvaluationPeriods: at most seven days.
        assert missing["Period"] * missing["EvaluationPeriods"] == (hours + 2) * 3600 <= 604_800
        failed = alarms(world)["Failed"]
        assert (failed["MetricName"], failed["Threshold"]) == ("Failed", 1)
        assert failed["TreatMissingData"] == "notBreaching"
    assert "QualityMissing" not in alarms(plain)
    quality = alarms(full)["QualityMissing"]
    assert (quality["MetricName"], quality["TreatMissingData"]) == ("QualityCompleted", "breaching")


def test_violations_are_told_by_severity(full: World) -> None:
    topic = full.ref(full.one("AWS::SNS::Topic"))
    for id, metric, severity in (
        ("SevereViolations", "HighViolations", "high"),
        ("Violations", "Violations", "medium"),
    ):
        alarm = alarms(full)[id]
        assert alarm["MetricName"] == metric
        assert alarm["AlarmDescription"].startswith(f"[{severity}] ")
        assert alarm["Dimensions"] == [{"Name": "Endpoint", "Value": ENDPOINT.name}]
        assert alarm["AlarmActions"] == [topic]


def test_what_is_unusual_is_learned(full: World) -> None:
    bands = {id: alarm for id, alarm in alarms(full).items() if "Metrics" in alarm}
    assert set(bands) == {"AlikeQueries", "LowConfidence", "Entropy", "ClassShare0"}
    for id, alarm in bands.items():
        seen, usual = alarm["Metrics"]
        assert usual["Expression"] == f"ANOMALY_DETECTION_BAND({seen['Id']}, 3)"
        assert alarm["ThresholdMetricId"] == usual["Id"]
        assert seen["MetricStat"]["Period"] == 6 * 3600
        both = id in ("Entropy", "ClassShare0")
        assert alarm["ComparisonOperator"] == (
            "LessThanLowerOrGreaterThanUpperThreshold" if both else "GreaterThanUpperThreshold"
        )
    dimensions = bands["ClassShare0"]["Metrics"][0]["MetricStat"]["Metric"]["Dimensions"]
    assert {"Name": "Subject", "Value": "ill"} in dimensions


@pytest.mark.parametrize(
    ("schema", "bands"),
    [
        (ModelSchema.regression(), {"AlikeQueries"}),
        (ModelSchema.binary(), {"AlikeQueries", "ClassShare0"}),
        (
            ModelSchema.multiclass(classes=("a", "b", "c"), probabilities=("x", "y", "z")),
            {"AlikeQueries", "LowConfidence", "Entropy", "ClassShare0", "ClassShare1", "ClassShare2"},
        ),
    ],
)
def test_what_a_model_does_not_say_has_no_alarm(schema: ModelSchema, bands: set[str]) -> None:
    app = new_app()
    watches.watch(app, OpenMonitor(image=watches.GIVEN), schema=schema)
    assert {id for id, alarm in alarms(World(synth(app))).items() if "Metrics" in alarm} == bands


class Other:
    """Another engine."""

    def check(self, problems: Any, plan: WatchPlan) -> None:
        """It refuses nothing."""

    def build(self, scope: Any, plan: WatchPlan) -> Built:
        """It makes nothing."""
        return Built(job_role_arn="role", results_uri="s3://bucket/")


def test_another_engine_changes_no_alarm(full: World) -> None:
    app = new_app()
    clinic = Clinic(app)
    told = plan(clinic.hospital.foundation, **watches.FULL)
    ModelWatch(clinic.stack, "Watch", plan=told, engine=Other(), alerts=clinic.alerts)
    other = World(synth(app))

    def raw(world: World) -> dict[str, Any]:
        return {each.logical_id: each.raw for each in world.resources("AWS::CloudWatch::Alarm", "Watch")}

    assert raw(other) == raw(full)


def test_alarms_watch_metrics_of_the_contract(full: World) -> None:
    known = {each.value for each in (*WatchMetric, *SubjectMetric)}
    for alarm in alarms(full).values():
        metric = alarm if "MetricName" in alarm else alarm["Metrics"][0]["MetricStat"]["Metric"]
        assert metric["MetricName"] in known
        assert metric["Namespace"] == NAMESPACE


# -- what the jobs are told ---------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [{}, watches.FULL])
def test_the_job_reads_its_settings(clinic: Clinic, more: dict[str, Any]) -> None:
    told = plan(clinic.hospital.foundation, **more)
    read = msgspec.convert(settings(told), Settings)
    assert read.problems() == []
    assert (read.endpoint, read.namespace) == (ENDPOINT.name, NAMESPACE)
    assert read.input.columns == ("age", "dose", "sex")
    assert (read.positive, read.label, read.limits.drift) == ("ill", "outcome", 0.1)
    if more:
        assert [facet.name for facet in read.facets] == ["sex=f", "age>65"]
        assert read.output.columns == ("risk", "why_age", "why_dose")
        assert read.outputs == read.output.columns
    joined = "".join(pieces(told))
    assert msgspec.json.decode(joined, type=Settings) == read
    assert max(map(len, pieces(told))) <= PIECE


def test_every_limit_of_the_job_can_be_set(clinic: Clinic) -> None:
    told = settings(plan(clinic.hospital.foundation, **watches.FULL))["limits"]
    assert set(told) == {each.name for each in msgspec.structs.fields(type(Settings(kind="binary").limits))}


# -- what is made -------------------------------------------------------------------------------------------


def test_the_schedule_says_when_and_is_encrypted(full: World) -> None:
    schedule = full.one("AWS::Scheduler::Schedule").properties
    assert schedule["ScheduleExpression"] == "cron(20 0/6 * * ? *)"
    assert schedule["ScheduleExpressionTimezone"] == "UTC"
    assert schedule["KmsKeyArn"] == full.arn(full.one("AWS::KMS::Key", "Logs"))
    target = schedule["Target"]
    assert json.loads(target["Input"]) == {"time": "<aws.scheduler.scheduled-time>"}
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 10}
    assert target["Arn"] == full.arn(full.one("AWS::StepFunctions::StateMachine"))


def test_the_machine_is_encrypted_logged_and_traced(full: World) -> None:
    machine = full.one("AWS::StepFunctions::StateMachine").properties
    key = full.arn(full.one("AWS::KMS::Key", "Logs"))
    assert machine["EncryptionConfiguration"]["KmsKeyId"] == key
    assert machine["LoggingConfiguration"]["Level"] == "ALL"
    # What a step is told names places of data.
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
    assert machine["TracingConfiguration"] == {"Enabled": True}
    log = full.one("AWS::Logs::LogGroup", "Watch")
    assert log.properties["KmsKeyId"] == key
    assert log.raw["DeletionPolicy"] == "Retain"


def test_partitions_are_written_nowhere(plain: World) -> None:
    assert not re.findall(r"arn:aws[:-]", json.dumps(plain.templates["Serving"]))


# -- of a guarded endpoint ----------------------------------------------------------------------------------


DOOR_SCHEMA = {**JSON_SCHEMA, "required": ["instances"]}
FROM_DOOR = ModelSchema.binary(
    probability="risk", request=replace(SCHEMA.request, columns=(), records="instances")
)


def test_a_guarded_endpoint_is_watched_by_what_it_captures() -> None:
    app = new_app()
    clinic = DoorClinic(app)
    door = FrontDoor.private(auth=DoorAuth.iam(), payloads=Payloads(json=DOOR_SCHEMA))
    endpoint = guard(clinic, door)
    made = endpoint.watch(schema=FROM_DOOR, baseline=BASELINE, engine=OpenMonitor(image=watches.GIVEN))
    assert made.plan.schedule == Schedule.daily()
    assert made.plan.columns == ("age", "dose", "sex")
    world = World(synth(app))
    name = world.one("AWS::SageMaker::Endpoint").properties["EndpointName"]
    machine = json.loads(world.one("AWS::StepFunctions::StateMachine").properties["DefinitionString"])
    capture = world.one("AWS::SageMaker::EndpointConfig").properties["DataCaptureConfig"]
    inputs = machine["States"]["Watch"]["Arguments"]["ProcessingInputs"]
    [uri] = [each["S3Input"]["S3Uri"] for each in inputs if each["InputName"] == "captures"]
    # "Capture data from real-time endpoint": below the endpoint's name, the variant's and the hour.
    assert uri == f"{{% '{capture['DestinationS3Uri']}/{name}/main/' & $window.folder %}}"


def test_an_endpoint_of_tenants_is_not_watched_as_one() -> None:
    clinic = DoorClinic(new_app())
    door = FrontDoor.private(auth=DoorAuth.iam(clients=("ward",)), payloads=Payloads(csv=True))
    endpoint = guard(clinic, door, model=TENANTS)
    with pytest.raises(ConfigurationError, match=r"endpoint\.tenants"):
        endpoint.watch(schema=SCHEMA, baseline=BASELINE, engine=OpenMonitor(image=watches.GIVEN))
    assert endpoint.node.try_find_child("Watch") is None


# -- what is refused ----------------------------------------------------------------------------------------


def refused(clinic: Clinic, engine: OpenMonitor, **more: Any) -> list[str]:
    told = plan(clinic.hospital.foundation, **more)
    with pytest.raises(ConfigurationError) as caught:
        ModelWatch(clinic.stack, "Refused", plan=told, engine=engine, alerts=clinic.alerts)
    assert clinic.stack.node.try_find_child("Refused") is None
    assert caught.value.where == "Serving/Refused"
    return [problem.argument for problem in caught.value.problems]


def test_everything_is_refused_at_once(clinic: Clinic) -> None:
    found = refused(
        clinic,
        OpenMonitor(image=watches.GIVEN),
        endpoint=replace(ENDPOINT, captured_percent=0, tenants=("a",)),
        baseline=replace(BASELINE, zone="nowhere"),
    )
    assert found == ["baseline.zone", "endpoint.captured_percent", "endpoint.tenants"]


@pytest.mark.parametrize(
    ("engine", "argument"),
    [
        (OpenMonitor(image="111122223333.dkr.ecr.eu-central-1.amazonaws.com/m:latest"), "engine.image"),
        (OpenMonitor(image="docker.io/evidently/latest"), "engine.image"),
        (OpenMonitor(image=watches.GIVEN, instance_type="ml.p4d.24xlarge"), "engine.instance_type"),
        (OpenMonitor(image=watches.GIVEN, instance_type="m5.large"), "engine.instance_type"),
        (OpenMonitor(image=watches.GIVEN, volume_gb=0), "engine.volume_gb"),
        (OpenMonitor(image=watches.GIVEN, run_time_seconds=100_000), "engine.run_time_seconds"),
    ],
)
def test_engines_that_could_not_run(clinic: Clinic, engine: OpenMonitor, argument: str) -> None:
    assert set(refused(clinic, engine)) == {argument}


def test_more_columns_than_a_job_can_be_told(clinic: Clinic) -> None:
    columns = tuple(f"measurement_of_a_long_name_{number:04}" for number in range(1000))
    schema = replace(SCHEMA, request=replace(SCHEMA.request, columns=columns), categorical=())
    assert len(pieces(plan(clinic.hospital.foundation, schema=schema))) > MOST_PIECES
    assert refused(clinic, OpenMonitor(image=watches.GIVEN), schema=schema) == ["schema"]


# -- as a whole ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("build", BUILDS)
def test_no_pack_finds_anything(build: Callable[[cdk.App], None]) -> None:
    assert [each for each in findings(build) if any("Serving" in path for path in each.constructs)] == []


@pytest.mark.parametrize("build", BUILDS)
def test_the_template(
    build: Callable[[cdk.App], None], snapshot_template: Callable[[dict[str, Any]], None]
) -> None:
    found = template(build)
    assert json.dumps(found) == json.dumps(template(build))
    snapshot_template(found)


def test_logical_ids_of_what_is_kept_are_frozen(full: World) -> None:
    kept = {
        each.logical_id for each in full.resources(name="Watch") if each.raw.get("DeletionPolicy") == "Retain"
    }
    assert kept == {"WatchMachineLog459AF6F2"}
