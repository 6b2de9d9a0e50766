"""ModelMonitor: its jobs and schedules, what its role may do, what its runs come to, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Annotations, Match

from secure_ml_constructs.detection.alarms import Alerts
from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.monitoring.checks import Bias, Explainability, Facet, ModelQuality
from secure_ml_constructs.monitoring.metrics import NAMESPACE
from secure_ml_constructs.monitoring.model_monitor import ModelMonitor
from secure_ml_constructs.monitoring.model_watch import ModelWatch
from secure_ml_constructs.monitoring.monitor_jobs import Kind
from secure_ml_constructs.monitoring.monitor_outcomes import states
from secure_ml_constructs.monitoring.open_monitor import OpenMonitor
from secure_ml_constructs.monitoring.plan import Engine
from secure_ml_constructs.monitoring.schedule import Schedule
from secure_ml_constructs.monitoring.schema import Layout, ModelSchema
from secure_ml_constructs.testing import answers
from secure_ml_constructs.verification.proofs.questions import Verdict
from tests.support.compliance import findings
from tests.support.decisions import Policy, Request, Simulator
from tests.support.templates import ACCOUNT, REGION, Template, World, new_app, world_of
from tests.unit.identity import hospital
from tests.unit.monitoring.plans import COLUMNS, SCHEMA, plan

JOB = "AWS::SageMaker::{}JobDefinition"
SCHEDULE = "AWS::SageMaker::MonitoringSchedule"
ALARM = "AWS::CloudWatch::Alarm"
MACHINE = "AWS::StepFunctions::StateMachine"
BASELINES = "risk/2026-11/monitoring/"
ENGINE = ModelMonitor(baselines=BASELINES)
EXPLAINING = ModelMonitor(baselines=BASELINES, model_name="Clinical-Risk", instance_type="ml.m5.2xlarge")
QUALITY = ModelQuality(ground_truth="labels/risk/", after_hours=30)
EVERYTHING: dict[str, Any] = {
    "model_quality": QUALITY,
    "bias": Bias(facets=[Facet(column="sex", values=["f"])]),
    "explainability": Explainability(attributions={"age": "shap_age", "dose": "shap_dose"}),
}
DIGEST = "@sha256:" + "0a" * 32
HEAD = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"


def watch(
    app: cdk.App, engine: Engine = ENGINE, *, region: str | None = REGION, **more: Any
) -> tuple[cdk.Stack, ModelWatch]:
    foundation = hospital.build(app, teams={}, region=region).foundation
    stack = cdk.Stack(app, "Watch", env=cdk.Environment(region=region))
    topic = sns.Topic.from_topic_arn(stack, "Topic", f"arn:aws:sns:{REGION}:{ACCOUNT}:urgent")
    told = plan(foundation, **more)
    return stack, ModelWatch(stack, "Watch", plan=told, engine=engine, alerts=Alerts(high=topic))


def build(app: cdk.App) -> None:
    """The data alone, once a day."""
    watch(app)


def build_full(app: cdk.App) -> None:
    """All four kinds."""
    watch(app, EXPLAINING, schedule=Schedule.every(hours=6), **EVERYTHING)


@pytest.fixture(scope="session")
def default() -> World:
    return world_of(build)


@pytest.fixture(scope="session")
def full() -> World:
    return world_of(build_full)


def job(world: World, kind: Kind) -> Any:
    return world.one(JOB.format(kind)).properties


# -- jobs and schedules -------------------------------------------------------------------------------------


def test_only_what_is_asked_for(default: World, full: World) -> None:
    def kinds(world: World) -> set[str]:
        return {
            each.properties["MonitoringScheduleConfig"]["MonitoringType"]
            for each in world.resources(SCHEDULE)
        }

    assert kinds(default) == {"DataQuality"}
    assert kinds(full) == {each.value for each in Kind}


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_is_isolated_and_encrypted(full: World, kind: Kind) -> None:
    found = job(full, kind)
    network = found["NetworkConfig"]
    assert network["EnableNetworkIsolation"] is True
    assert network["EnableInterContainerTrafficEncryption"] is True
    subnets = {full.ref(each) for each in full.resources("AWS::EC2::Subnet")}
    assert set(network["VpcConfig"]["Subnets"]) == subnets
    (group,) = network["VpcConfig"]["SecurityGroupIds"]
    assert group == full.ref(full.one("AWS::EC2::SecurityGroup", "Job"))
    key = full.arn(full.one("AWS::KMS::Key", "KeysData"))
    cluster = found["JobResources"]["ClusterConfig"]
    assert cluster["VolumeKmsKeyId"] == key
    assert (cluster["InstanceType"], cluster["InstanceCount"]) == ("ml.m5.2xlarge", 1)
    output = found[f"{kind}JobOutputConfig"]
    assert output["KmsKeyId"] == key
    (place,) = output["MonitoringOutputs"]
    bucket = full.ref(full.one("AWS::S3::Bucket", "LakeData"))
    endpoint = "serving-risk-c8a1b2c3d4"
    assert place["S3Output"]["S3Uri"] == f"s3://{bucket}/output/monitoring/{endpoint}/{kind.folder}"
    assert found["RoleArn"] == full.arn(full.one("AWS::IAM::Role", "JobRole"))


def test_disks_that_encrypt_themselves_get_no_key() -> None:
    world = world_of(lambda app: watch(app, replace(ENGINE, instance_type="ml.g5.xlarge")))
    cluster = job(world, Kind.DATA_QUALITY)["JobResources"]["ClusterConfig"]
    assert "VolumeKmsKeyId" not in cluster


@pytest.mark.parametrize(
    ("schedule", "cron"),
    [
        (Schedule.hourly(), "cron(0 * ? * * *)"),
        (Schedule.daily(hour=4), "cron(0 4 ? * * *)"),
        (Schedule.every(hours=6), "cron(0 0/6 ? * * *)"),
    ],
)
def test_a_schedule_runs_its_definition(schedule: Schedule, cron: str) -> None:
    world = world_of(lambda app: watch(app, schedule=schedule))
    found = world.one(SCHEDULE)
    config = found.properties["MonitoringScheduleConfig"]
    assert config["ScheduleConfig"]["ScheduleExpression"] == cron
    raw = found.raw["Properties"]["MonitoringScheduleConfig"]["MonitoringJobDefinitionName"]
    definition = world.one(JOB.format("DataQuality"))
    assert raw == {"Fn::Select": [1, {"Fn::Split": ["/", {"Ref": definition.logical_id}]}]}
    # The role may read before the first run.
    assert world.one("AWS::IAM::ManagedPolicy", "JobRole").logical_id in found.raw["DependsOn"]
    assert len(found.properties["MonitoringScheduleName"]) <= 63


@pytest.mark.parametrize(
    ("schedule", "seconds", "others"),
    [(Schedule.hourly(), 3600, 1800), (Schedule.every(hours=2), 5400, 5400), (Schedule.daily(), 5400, 5400)],
)
def test_no_run_lasts_until_the_next(schedule: Schedule, seconds: int, others: int) -> None:
    engine = replace(EXPLAINING, run_time_seconds=5400)
    world = world_of(lambda app: watch(app, engine, schedule=schedule, **EVERYTHING))
    found = {kind: job(world, kind)["StoppingCondition"]["MaxRuntimeInSeconds"] for kind in Kind}
    assert found[Kind.DATA_QUALITY] == found[Kind.EXPLAINABILITY] == seconds
    assert found[Kind.MODEL_QUALITY] == found[Kind.BIAS] == others


def test_baselines_lie_in_the_lake(full: World) -> None:
    zone = f"s3://{full.ref(full.one('AWS::S3::Bucket', 'LakeData'))}/curated/{BASELINES}"
    data = job(full, Kind.DATA_QUALITY)["DataQualityBaselineConfig"]
    assert data["ConstraintsResource"]["S3Uri"] == f"{zone}data-quality/constraints.json"
    assert data["StatisticsResource"]["S3Uri"] == f"{zone}data-quality/statistics.json"
    quality = job(full, Kind.MODEL_QUALITY)["ModelQualityBaselineConfig"]
    assert quality["ConstraintsResource"]["S3Uri"] == f"{zone}model-quality/constraints.json"
    for kind in (Kind.BIAS, Kind.EXPLAINABILITY):
        found = job(full, kind)
        head = f"{zone}{kind.folder}/"
        assert found[f"{kind}BaselineConfig"]["ConstraintsResource"]["S3Uri"] == f"{head}analysis.json"
        assert found[f"{kind}AppSpecification"]["ConfigUri"] == f"{head}analysis_config.json"


def test_the_truth_is_compared_when_it_has_come(full: World) -> None:
    bucket = full.ref(full.one("AWS::S3::Bucket", "LakeData"))
    for kind in (Kind.MODEL_QUALITY, Kind.BIAS):
        told = job(full, kind)[f"{kind}JobInput"]
        assert told["GroundTruthS3Input"]["S3Uri"] == f"s3://{bucket}/output/labels/risk/"
        # Whole windows of six hours, at least thirty ago.
        offsets = told["EndpointInput"]["StartTimeOffset"], told["EndpointInput"]["EndTimeOffset"]
        assert offsets == ("-PT36H", "-PT30H")
    assert (
        "StartTimeOffset"
        not in job(full, Kind.EXPLAINABILITY)["ModelExplainabilityJobInput"]["EndpointInput"]
    )


LABELS: dict[str, Any] = {"model_quality": QUALITY}
PLACED = ModelSchema.binary(
    probability="risk",
    prediction="ill",
    threshold=0.7,
    request=Layout(columns=COLUMNS),
    answer=Layout(columns=("ill", "risk")),
)
CLASSES = ModelSchema.multiclass(classes=("a", "b", "c"), prediction="class", probabilities=("p", "q", "r"))


@pytest.mark.parametrize(
    ("schema", "problem", "told"),
    [
        (
            SCHEMA,
            "BinaryClassification",
            {"ProbabilityAttribute": "risk", "ProbabilityThresholdAttribute": 0.5},
        ),
        (
            PLACED,
            "BinaryClassification",
            {"InferenceAttribute": "0", "ProbabilityAttribute": "1", "ProbabilityThresholdAttribute": 0.7},
        ),
        (CLASSES, "MulticlassClassification", {"InferenceAttribute": "class"}),
        (ModelSchema.regression(prediction="days"), "Regression", {"InferenceAttribute": "days"}),
    ],
)
def test_what_of_an_answer_is_the_prediction(schema: ModelSchema, problem: str, told: dict[str, Any]) -> None:
    world = world_of(lambda app: watch(app, schema=schema, **LABELS))
    found = job(world, Kind.MODEL_QUALITY)
    assert found["ModelQualityAppSpecification"]["ProblemType"] == problem
    endpoint = found["ModelQualityJobInput"]["EndpointInput"]
    assert {key: value for key, value in endpoint.items() if "Attribute" in key} == told
    assert endpoint["EndpointName"] == "serving-risk-c8a1b2c3d4"


def test_images_of_the_region(default: World, full: World) -> None:
    analyzer = f"048819808253.dkr.ecr.{REGION}.amazonaws.com/sagemaker-model-monitor-analyzer"
    clarify = f"017069133835.dkr.ecr.{REGION}.amazonaws.com/sagemaker-clarify-processing:1.0"
    assert job(default, Kind.DATA_QUALITY)["DataQualityAppSpecification"]["ImageUri"] == analyzer
    assert job(full, Kind.MODEL_QUALITY)["ModelQualityAppSpecification"]["ImageUri"] == analyzer
    for kind in (Kind.BIAS, Kind.EXPLAINABILITY):
        assert job(full, kind)[f"{kind}AppSpecification"]["ImageUri"] == clarify


@pytest.mark.parametrize(
    ("where", "image"),
    [
        ({"region": "us-west-2"}, "159807026194.dkr.ecr.us-west-2.amazonaws.com"),
        ({"region": "cn-north-1", "partition": "aws-cn"}, "453000072557.dkr.ecr.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_a_region_that_is_not_known_yet(where: dict[str, str], image: str) -> None:
    world = world_of(lambda app: watch(app, region=None), **where)
    found = job(world, Kind.DATA_QUALITY)["DataQualityAppSpecification"]["ImageUri"]
    assert found == f"{image}/sagemaker-model-monitor-analyzer"
    assert "arn:aws:sagemaker" not in json.dumps(world.templates)


def test_images_of_our_own() -> None:
    ours = "${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}/analyzer" + DIGEST
    world = world_of(lambda app: watch(app, replace(ENGINE, analyzer_image=ours)))
    found = job(world, Kind.DATA_QUALITY)["DataQualityAppSpecification"]["ImageUri"]
    assert found == f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/analyzer{DIGEST}"


def test_that_it_is_closed_to_new_customers_is_said() -> None:
    stack, _ = watch(new_app())
    Annotations.from_stack(stack).has_warning("*", Match.string_like_regexp("closed to new customers"))


# -- the role -----------------------------------------------------------------------------------------------


def allowed(world: World, simulator: Simulator, action: str, resource: str, **context: str) -> bool:
    role = world.one("AWS::IAM::Role", "JobRole")
    documents: dict[str, Policy] = {
        world.ref(each): each.properties["PolicyDocument"]
        for each in world.resources("AWS::IAM::ManagedPolicy")
    }
    own = world.one("AWS::IAM::ManagedPolicy", "JobRole")
    assert own.properties["Roles"] == [world.ref(role)]
    identity = [documents[arn] for arn in role.properties["ManagedPolicyArns"]]
    endpoint = next(
        world.ref(each)
        for each in world.resources("AWS::EC2::VPCEndpoint")
        if each.properties["ServiceName"].endswith(".s3")
    )
    told = {"aws:SourceVpce": endpoint, "aws:RequestedRegion": REGION, **context}
    request = Request(
        principal=world.arn(role),
        action=action,
        resource=resource,
        context=told,
        organization=hospital.PERIMETER.organization,
    )
    boundary = documents[role.properties["PermissionsBoundary"]]
    return simulator.decide(
        request,
        identity=[*identity, own.properties["PolicyDocument"]],
        boundary=[boundary],
        ignore=("aws:SourceVpce",),
    ).allowed


@pytest.mark.decision
@pytest.mark.parametrize(
    ("action", "path", "may"),
    [
        ("s3:GetObject", "output/captures/serving-risk-c8a1b2c3d4/main/2026/11/20/01/a.jsonl", True),
        ("s3:GetObject", "output/captures/serving-other/main/2026/11/20/01/a.jsonl", False),
        ("s3:GetObject", "output/labels/risk/2026/11/20/01/a.jsonl", True),
        ("s3:GetObject", "output/labels/other/a.jsonl", False),
        ("s3:GetObject", f"curated/{BASELINES}data-quality/constraints.json", True),
        ("s3:GetObject", "curated/risk/2026-11/baseline.csv", False),
        ("s3:GetObject", "raw/patients.csv", False),
        ("s3:PutObject", "output/monitoring/serving-risk-c8a1b2c3d4/bias/analysis.json", True),
        ("s3:PutObject", "output/monitoring/serving-other/analysis.json", False),
        ("s3:PutObject", "output/captures/serving-risk-c8a1b2c3d4/main/a.jsonl", False),
        ("s3:PutObject", f"curated/{BASELINES}data-quality/constraints.json", False),
        ("s3:DeleteObject", "output/monitoring/serving-risk-c8a1b2c3d4/bias/analysis.json", False),
    ],
)
def test_what_the_role_reads_and_writes(
    full: World, simulator: Simulator, action: str, path: str, may: bool
) -> None:
    bucket = full.ref(full.one("AWS::S3::Bucket", "LakeData"))
    assert allowed(full, simulator, action, f"arn:aws:s3:::{bucket}/{path}") is may


@pytest.mark.decision
def test_the_role_logs_as_schedules_do(full: World, simulator: Simulator) -> None:
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/sagemaker/ProcessingJobs:log-stream:"
    put = "logs:PutLogEvents"
    assert allowed(full, simulator, put, f"{group}model-monitoring-202611200100-1/algo-1")
    # Another watch's job tells its metrics by its stream.
    assert not allowed(full, simulator, put, f"{group}serving-other-1a2b3c4d-20261120t01/algo-1")


@pytest.mark.decision
def test_the_role_asks_one_model_and_only_where_attributions_are(
    default: World, full: World, simulator: Simulator
) -> None:
    prefix = default.one(SCHEDULE).properties["MonitoringScheduleName"].removesuffix("-data-quality")
    model, shadow = f"{HEAD}:model/clinical-risk", f"{HEAD}:endpoint/{prefix}-1"
    assert allowed(full, simulator, "sagemaker:DescribeModel", model)
    assert allowed(full, simulator, "sagemaker:CreateEndpoint", shadow)
    assert allowed(full, simulator, "sagemaker:DeleteEndpoint", shadow)
    # A session that was stolen starts nothing.
    elsewhere = {"aws:SourceVpce": "vpce-0a1b2c3d4e5f60718"}
    assert not allowed(full, simulator, "sagemaker:CreateEndpoint", shadow, **elsewhere)
    assert not allowed(
        full, simulator, "sagemaker:DeleteEndpoint", f"{HEAD}:endpoint/serving-risk-c8a1b2c3d4"
    )
    assert not allowed(full, simulator, "sagemaker:DescribeModel", f"{HEAD}:model/other")
    for action, resource in (("DescribeModel", model), ("CreateEndpoint", shadow)):
        assert not allowed(default, simulator, f"sagemaker:{action}", resource)


@pytest.mark.decision
@pytest.mark.parametrize(
    ("type_", "may"), [("ml.g5.xlarge", True), ("ml.m5.xlarge", False), ("ml.p5.48xlarge", False)]
)
def test_the_endpoint_of_a_run_is_held_by_the_guardrails(
    full: World, simulator: Simulator, type_: str, may: bool
) -> None:
    prefix = full.one(SCHEDULE, "DataQuality").properties["MonitoringScheduleName"]
    config = f"{HEAD}:endpoint-config/{prefix.removesuffix('-data-quality')}-1"
    context: dict[str, Any] = {"sagemaker:InstanceTypes": [type_]}
    # What runs on disks of its own takes no key; the others would need one, which Clarify gives none.
    assert allowed(full, simulator, "sagemaker:CreateEndpointConfig", config, **context) is may


# -- what runs come to --------------------------------------------------------------------------------------


def chosen(rule: dict[str, Any], told: dict[str, Any]) -> bool:
    """What Step Functions makes of a rule of a Choice, as far as ours go."""
    if "And" in rule:
        return all(chosen(each, told) for each in rule["And"])
    if "Or" in rule:
        return any(chosen(each, told) for each in rule["Or"])
    name = rule["Variable"].removeprefix("$.")
    if "IsPresent" in rule:
        return (name in told) is rule["IsPresent"]
    if "StringMatches" in rule:
        return fnmatchcase(told[name], rule["StringMatches"])
    return bool(told[name] == rule["StringEquals"])


def tell(machine: dict[str, Any], told: dict[str, Any]) -> dict[str, int]:
    """The metrics that are told of a job."""
    which = machine["States"][machine["StartAt"]]
    name = [*(rule["Next"] for rule in which["Choices"] if chosen(rule, told)), which["Default"]][0]
    state = machine["States"][name]
    if state["Type"] == "Succeed":
        return {}
    assert state["End"] is True
    assert state["Parameters"]["Namespace"] == NAMESPACE
    for each in state["Parameters"]["MetricData"]:
        assert each["Dimensions"] == [{"Name": "Endpoint", "Value": "serving-risk-c8a1b2c3d4"}]
    return {each["MetricName"]: each["Value"] for each in state["Parameters"]["MetricData"]}


VIOLATED = "CompletedWithViolations: Job completed successfully with 3 violations."
CLEAN = "Completed: Job completed successfully with no violations."


@pytest.mark.parametrize(
    ("kind", "status", "exit_", "metrics"),
    [
        ("data-quality", "Completed", CLEAN, {"Completed": 1, "Violations": 0, "MediumViolations": 0}),
        ("data-quality", "Completed", None, {"Completed": 1, "Violations": 0, "MediumViolations": 0}),
        ("data-quality", "Completed", VIOLATED, {"Completed": 1, "Violations": 1, "MediumViolations": 1}),
        ("data-quality", "Failed", "AlgorithmError: See job logs", {"Failed": 1}),
        ("bias", "Failed", VIOLATED, {"Failed": 1}),
        ("explainability", "Stopped", None, {"Failed": 1}),
        (
            "model-quality",
            "Completed",
            VIOLATED,
            {"QualityCompleted": 1, "Violations": 1, "HighViolations": 1},
        ),
        ("model-quality", "Completed", CLEAN, {"QualityCompleted": 1, "Violations": 0, "HighViolations": 0}),
        ("bias", "Completed", VIOLATED, {"Violations": 1, "MediumViolations": 1}),
        ("explainability", "Completed", VIOLATED, {"Violations": 1, "MediumViolations": 1}),
    ],
)
def test_what_a_run_comes_to(
    full: World, kind: str, status: str, exit_: str | None, metrics: dict[str, int]
) -> None:
    machine = json.loads(full.one(MACHINE).properties["DefinitionString"])
    (name,) = (
        each.properties["MonitoringScheduleName"]
        for each in full.resources(SCHEDULE)
        if each.properties["MonitoringScheduleName"].endswith(f"-{kind}")
    )
    told = {
        "ProcessingJobName": "model-monitoring-202611200100-96f1b8b5",
        "ProcessingJobStatus": status,
        "MonitoringScheduleArn": f"{HEAD}:monitoring-schedule/{name}",
    }
    if exit_ is not None:
        told["ExitMessage"] = exit_
    assert tell(machine, told) == metrics


def test_that_labels_were_merged_says_nothing_of_the_model(full: World) -> None:
    machine = json.loads(full.one(MACHINE).properties["DefinitionString"])
    told = {
        "ProcessingJobName": "groundtruth-merge-202611200100-96f1b8b5",
        "ProcessingJobStatus": "Completed",
        "MonitoringScheduleArn": f"{HEAD}:monitoring-schedule/risk-model-quality",
    }
    assert tell(machine, told) == {}
    assert tell(machine, {**told, "ProcessingJobStatus": "Failed"}) == {"Failed": 1}


def test_a_kind_that_nobody_asked_for_tells_nothing() -> None:
    machine = states("serving-risk-c8a1b2c3d4", [Kind.DATA_QUALITY], "aws")
    told = {
        "ProcessingJobName": "model-monitoring-1",
        "ProcessingJobStatus": "Completed",
        "MonitoringScheduleArn": f"{HEAD}:monitoring-schedule/risk-bias",
    }
    assert tell(machine, told) == {}


def test_the_rule_hears_of_its_own_schedules_only(full: World) -> None:
    rule = full.one("AWS::Events::Rule").properties
    names = {each.properties["MonitoringScheduleName"] for each in full.resources(SCHEDULE)}
    assert rule["EventPattern"]["source"] == ["aws.sagemaker"]
    assert rule["EventPattern"]["detail-type"] == ["SageMaker Processing Job State Change"]
    detail = rule["EventPattern"]["detail"]
    assert set(detail["MonitoringScheduleArn"]) == {f"{HEAD}:monitoring-schedule/{name}" for name in names}
    assert detail["ProcessingJobStatus"] == ["Completed", "Failed", "Stopped"]
    (target,) = rule["Targets"]
    assert target["InputPath"] == "$.detail"
    assert target["Arn"] == full.arn(full.one(MACHINE))


@pytest.mark.decision
def test_what_tells_writes_metrics_of_watches_alone(full: World, simulator: Simulator) -> None:
    policy = full.one("AWS::IAM::ManagedPolicy", "OutcomesAllowed").properties["PolicyDocument"]
    role = full.arn(full.one("AWS::IAM::Role", "OutcomesRole"))

    def puts(namespace: str) -> bool:
        request = Request(
            principal=role,
            action="cloudwatch:PutMetricData",
            resource="*",
            context={"cloudwatch:namespace": namespace},
        )
        return simulator.decide(request, identity=[policy]).allowed

    assert puts("SecureMl/ModelWatch")
    assert not puts("SecureMl/Doors")


# -- the same alarms ----------------------------------------------------------------------------------------


def alarms(world: World) -> dict[str, Any]:
    return {each.logical_id: each.properties for each in world.resources(ALARM) if each.stack == "Watch"}


def test_changing_the_engine_changes_no_alarm(default: World) -> None:
    image = f"${{AWS::AccountId}}.dkr.ecr.{REGION}.amazonaws.com/open-monitor{DIGEST}"
    other = world_of(lambda app: watch(app, OpenMonitor(image=image)))
    assert alarms(default)
    assert alarms(other) == alarms(default)


# -- what is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("engine", "more", "argument"),
    [
        (replace(ENGINE, baselines="risk/baselines"), {}, "engine.baselines"),
        (replace(ENGINE, baselines="s3://bucket/risk/"), {}, "engine.baselines"),
        (replace(ENGINE, baselines="../risk/"), {}, "engine.baselines"),
        (replace(ENGINE, instance_type="ml.p5.48xlarge"), {}, "engine.instance_type"),
        (replace(ENGINE, run_time_seconds=59), {}, "engine.run_time_seconds"),
        (replace(ENGINE, run_time_seconds=86_401), {}, "engine.run_time_seconds"),
        (replace(ENGINE, volume_gb=0), {}, "engine.volume_gb"),
        (replace(ENGINE, analyzer_image="public.ecr.aws/x/y"), {}, "engine.analyzer_image"),
        (
            replace(ENGINE, clarify_image=f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/clarify:1.0"),
            {},
            "engine.clarify_image",
        ),
        (replace(ENGINE, model_name="a_b"), {}, "engine.model_name"),
        (ENGINE, {"explainability": EVERYTHING["explainability"]}, "engine.model_name"),
        (ENGINE, {"bias": EVERYTHING["bias"]}, "bias"),
        (ENGINE, {"schema": replace(SCHEMA, ignore=("dose",))}, "schema.ignore"),
        (ENGINE, {"schema": replace(CLASSES, prediction=""), **LABELS}, "schema.prediction"),
    ],
)
def test_what_is_refused(engine: ModelMonitor, more: dict[str, Any], argument: str) -> None:
    app = new_app()
    with pytest.raises(ConfigurationError) as caught:
        watch(app, engine, **more)
    assert [problem.argument for problem in caught.value.problems] == [argument]
    assert caught.value.where == "Watch/Watch"


def test_a_region_where_aws_has_no_image() -> None:
    app = new_app()
    with pytest.raises(ConfigurationError, match="AWS has no such image in eu-south-2") as caught:
        watch(app, EXPLAINING, region="eu-south-2", **EVERYTHING)
    assert [problem.argument for problem in caught.value.problems] == ["engine.clarify_image"]
    # One of its own, or no kind that needs it.
    ours = f"${{AWS::AccountId}}.dkr.ecr.eu-south-2.amazonaws.com/clarify{DIGEST}"
    watch(new_app(), replace(EXPLAINING, clarify_image=ours), region="eu-south-2", **EVERYTHING)
    watch(new_app(), region="eu-south-2")


# -- the whole ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("build", [build, build_full])
def test_no_pack_finds_anything_but_that_it_is_closed(build: Callable[[cdk.App], None]) -> None:
    found = findings(build)
    assert len(found) == 1
    assert "closed to new customers" in found[0].description


@pytest.mark.parametrize("build", [build, build_full])
def test_nothing_that_is_asked_of_it_is_broken(build: Callable[[cdk.App], None]) -> None:
    app = new_app()
    build(app)
    broken = [answer for answer in answers(app) if answer.verdict is Verdict.BROKEN]
    assert [f"{answer.question}: {answer.because}" for answer in broken] == []


@pytest.mark.parametrize("name", ["default", "full"])
def test_the_template(
    name: str, request: pytest.FixtureRequest, snapshot_template: Callable[[Template], None]
) -> None:
    world: World = request.getfixturevalue(name)
    kept = {key: each for key, each in world.templates["Watch"]["Resources"].items() if each["Type"] != ALARM}
    snapshot_template({"Resources": kept})
