"""What the roles of a watch may do, and what they may not: asked of two engines."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.decisions import Simulator
from tests.support.templates import ACCOUNT, REGION, World, world_of
from tests.unit.identity.people import People
from tests.unit.monitoring import watches

pytestmark = [pytest.mark.decision, pytest.mark.slow]

ENDPOINT = "serving-risk-c8a1b2c3d4"
JOBS = f"{ENDPOINT}-3f9d24d6"
WRITTEN = "output/monitoring/" + ENDPOINT
TRUSTED = {
    "job": "sagemaker.amazonaws.com",
    "machine": "states.amazonaws.com",
    "schedule": "scheduler.amazonaws.com",
}


class Watch(People):
    """The roles of one watch, by what takes them."""

    def __init__(self, world: World, simulator: Simulator) -> None:
        super().__init__(world, simulator)
        self.roles = {}
        for role in world.resources("AWS::IAM::Role", "Watch"):
            service = role.properties["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"]
            [name] = [name for name, each in TRUSTED.items() if each == service]
            assert name not in self.roles
            self.roles[name] = role
        machine = world.one("AWS::StepFunctions::StateMachine")
        self.machine = world.arn(machine)
        self.definition: dict[str, Any] = json.loads(machine.properties["DefinitionString"])

    def asked(self, state: str) -> dict[str, Any]:
        """What the request of a job says, as its conditions see it."""
        told = self.definition["States"][state]["Arguments"]
        cluster = told["ProcessingResources"]["ClusterConfig"]
        network = told["NetworkConfig"]
        return {
            "VpcSubnets": network["VpcConfig"]["Subnets"],
            "VpcSecurityGroupIds": network["VpcConfig"]["SecurityGroupIds"],
            "NetworkIsolation": str(network["EnableNetworkIsolation"]).lower(),
            "InterContainerTrafficEncryption": str(network["EnableInterContainerTrafficEncryption"]).lower(),
            "InstanceTypes": [cluster["InstanceType"]],
            "VolumeKmsKey": cluster.get("VolumeKmsKeyId"),
            "OutputKmsKey": told["ProcessingOutputConfig"]["KmsKeyId"],
            "MaxRuntimeInSeconds": str(told["StoppingCondition"]["MaxRuntimeInSeconds"]),
        }


@pytest.fixture(scope="module")
def full(simulator: Simulator) -> Watch:
    return Watch(world_of(watches.build_full), simulator)


@pytest.fixture(scope="module")
def plain(simulator: Simulator) -> Watch:
    return Watch(world_of(watches.build), simulator)


# -- the jobs' role -----------------------------------------------------------------------------------------


READ = (
    f"output/captures/{ENDPOINT}/main/2026/01/31/14/captures.jsonl",
    "output/labels/risk/2026/01/31/14/labels.jsonl",
    "curated/risk/2026-11/baseline.csv",
    f"{WRITTEN}/baseline/0a1b2c3d/baseline.json",
)
NOT_READ = (
    "output/captures/another-endpoint/main/2026/01/31/14/captures.jsonl",
    f"output/captures/{ENDPOINT}/shadow/2026/01/31/14/captures.jsonl",
    f"output/captures/{ENDPOINT}2/main/2026/01/31/14/captures.jsonl",
    "output/labels/another/2026/01/31/14/labels.jsonl",
    "output/monitoring/another-endpoint/baseline/0a1b2c3d/baseline.json",
    "output/predictions.csv",
    "curated/risk/2026-11/baseline.csv.bak",
    "curated/risk/2026-11/patients.csv",
    "raw/patients.csv",
    "features/risk.parquet",
    "models/risk/2026-11/model.tar.gz",
)


@pytest.mark.parametrize("path", READ)
def test_jobs_read_captures_labels_and_the_baseline(full: Watch, path: str) -> None:
    place = f"zone:{path}"
    assert full.allowed("job", "inside", "s3:GetObject", place)
    # A stolen session is worth nothing elsewhere.
    assert not full.allowed("job", "outside", "s3:GetObject", place)
    prefix = {"s3:prefix": path}
    assert full.allowed("job", "inside", "s3:ListBucket", "bucket:LakeData", prefix)


@pytest.mark.parametrize("path", NOT_READ)
def test_jobs_read_nothing_else(full: Watch, path: str) -> None:
    assert not full.allowed("job", "inside", "s3:GetObject", f"zone:{path}")
    bucket = "bucket:LakeModel" if path.startswith("models/") else "bucket:LakeData"
    assert not full.allowed("job", "inside", "s3:ListBucket", bucket, {"s3:prefix": path})


def test_labels_are_read_where_there_are_some_alone(plain: Watch, full: Watch) -> None:
    labels = f"zone:{READ[1]}"
    assert full.allowed("job", "inside", "s3:GetObject", labels)
    assert not plain.allowed("job", "inside", "s3:GetObject", labels)


def upload(watch: Watch, key: str = "key:Data") -> dict[str, str]:
    return {
        "s3:x-amz-server-side-encryption": "aws:kms",
        "s3:x-amz-server-side-encryption-aws-kms-key-id": watch.resource(key),
    }


@pytest.mark.parametrize("path", [f"{WRITTEN}/reports/2026/01/31/00/report.json", READ[3]])
def test_jobs_write_their_results(full: Watch, path: str) -> None:
    assert full.allowed("job", "inside", "s3:PutObject", f"zone:{path}", upload(full))
    assert not full.allowed("job", "inside", "s3:PutObject", f"zone:{path}", upload(full, "key:Workspace"))
    assert not full.allowed("job", "outside", "s3:PutObject", f"zone:{path}", upload(full))


@pytest.mark.parametrize("path", [*READ[:3], *NOT_READ])
def test_jobs_write_nothing_else(full: Watch, path: str) -> None:
    key = "key:Model" if path.startswith("models/") else "key:Data"
    assert not full.allowed("job", "inside", "s3:PutObject", f"zone:{path}", upload(full, key))


@pytest.mark.parametrize("path", [*READ, f"{WRITTEN}/reports/2026/01/31/00/report.json"])
def test_jobs_destroy_nothing(full: Watch, path: str) -> None:
    for action in ("s3:DeleteObject", "s3:DeleteObjectVersion"):
        assert not full.allowed("job", "inside", action, f"zone:{path}")


def test_jobs_open_data_with_the_key_of_data(full: Watch) -> None:
    through = {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}
    assert full.allowed("job", "through", "kms:Decrypt", "key:Data", through)
    for key in ("key:Secrets", "key:Model", "key:Logs"):
        assert not full.allowed("job", "through", "kms:Decrypt", key, through)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("secretsmanager:GetSecretValue", "secret:door/partner-a-AbCdEf"),
        ("sagemaker:CreateTrainingJob", "sagemaker:training-job/x"),
        ("sagemaker:CreateProcessingJob", f"sagemaker:processing-job/{JOBS}-w-20260131t00"),
        ("sagemaker:InvokeEndpoint", f"sagemaker:endpoint/{ENDPOINT}"),
        ("sagemaker:UpdateEndpoint", f"sagemaker:endpoint/{ENDPOINT}"),
        ("iam:PassRole", "role:job"),
        ("logs:GetLogEvents", f"log:Endpoints/{ENDPOINT}:log-stream:main/i-1"),
        ("logs:PutLogEvents", "log:ProcessingJobs:log-stream:another-w-20260131t00/algo-1"),
    ],
)
def test_jobs_do_nothing_else(full: Watch, action: str, resource: str) -> None:
    context = full.asked("MakeBaseline") if "Create" in action else {}
    assert not full.allowed("job", "inside", action, resource, context)


def test_jobs_write_their_own_log(full: Watch) -> None:
    stream = f"log:ProcessingJobs:log-stream:{JOBS}-w-20260131t00/algo-1-1"
    assert full.allowed("job", "inside", "logs:PutLogEvents", stream)


# -- the state machine's role -------------------------------------------------------------------------------


OWN = f"sagemaker:processing-job/{JOBS}-w-20260131t00"
CREATE = "sagemaker:CreateProcessingJob"


@pytest.mark.parametrize("name", ["plain", "full"])
@pytest.mark.parametrize("state", ["MakeBaseline", "Watch", "Measure"])
def test_every_job_passes_the_guardrails(request: pytest.FixtureRequest, name: str, state: str) -> None:
    watch: Watch = request.getfixturevalue(name)
    if state in watch.definition["States"]:
        asked = watch.asked(state)
        # Disks of such types take no key.
        assert (asked["VolumeKmsKey"] is None) == (name == "full")
        assert watch.allowed("machine", "outside", CREATE, OWN, asked)


@pytest.mark.parametrize(
    "change",
    [
        {"VpcSubnets": None, "VpcSecurityGroupIds": None},
        {"VpcSubnets": ["subnet-0123456789abcdef0"]},
        {"VpcSecurityGroupIds": ["sg-0123456789abcdef0"]},
        {"NetworkIsolation": "false"},
        {"NetworkIsolation": None},
        {"InterContainerTrafficEncryption": "false"},
        {"VolumeKmsKey": None},
        {"OutputKmsKey": None},
        {"OutputKmsKey": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000"},
        {"InstanceTypes": ["ml.p4d.24xlarge"]},
        {"MaxRuntimeInSeconds": "2419200"},
    ],
    ids=str,
)
def test_what_the_definition_does_not_say_the_guardrails_deny(plain: Watch, change: dict[str, Any]) -> None:
    assert not plain.allowed("machine", "outside", CREATE, OWN, {**plain.asked("Watch"), **change})


def test_it_starts_jobs_of_its_own_names_with_their_role(full: Watch) -> None:
    asked = full.asked("Watch")
    assert not full.allowed("machine", "outside", CREATE, "sagemaker:processing-job/another-w-1", asked)
    passed = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    assert full.allowed("machine", "outside", "iam:PassRole", "role:job", passed)
    assert not full.allowed(
        "machine", "outside", "iam:PassRole", "role:job", {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
    )
    for other in ("role:machine", f"arn:aws:iam::{ACCOUNT}:role/secure-ml/teams/radiology/training"):
        assert not full.allowed("machine", "outside", "iam:PassRole", other, passed)


BUILD = f"arn:aws:codebuild:{REGION}:{ACCOUNT}:project/open-monitor-build"
IMAGES = "ecr:repository/open-monitor"
RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/StepFunctionsGetEvent"


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("codebuild:StartBuild", BUILD),
        ("ecr:DescribeImages", IMAGES),
        ("events:PutRule", f"{RULE}ForCodeBuildStartBuildRule"),
        ("events:PutRule", f"{RULE}sForSageMakerProcessingJobsRule"),
        ("sagemaker:ListProcessingJobs", "*"),
        ("sagemaker:DescribeProcessingJob", OWN),
        ("sagemaker:StopProcessingJob", OWN),
    ],
)
def test_it_does_what_its_steps_ask_for(full: Watch, action: str, resource: str) -> None:
    assert full.allowed("machine", "outside", action, resource)


@pytest.mark.parametrize(
    ("action", "resource"), [("codebuild:StartBuild", BUILD), ("ecr:DescribeImages", IMAGES)]
)
def test_it_builds_nothing_where_the_image_is_given(plain: Watch, action: str, resource: str) -> None:
    assert not plain.allowed("machine", "outside", action, resource)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("codebuild:StartBuild", f"{BUILD}-of-another"),
        ("events:PutRule", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/another"),
        ("ecr:PutImage", IMAGES),
        ("sagemaker:CreateTrainingJob", f"sagemaker:training-job/{JOBS}-w-1"),
        ("sagemaker:UpdateEndpoint", f"sagemaker:endpoint/{ENDPOINT}"),
        ("sagemaker:StopProcessingJob", "sagemaker:processing-job/another"),
        ("states:StartExecution", f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:another"),
        ("kms:Decrypt", "key:Data"),
        *(("s3:GetObject", f"zone:{path}") for path in READ),
    ],
)
def test_it_does_nothing_else_and_reaches_no_data(full: Watch, action: str, resource: str) -> None:
    for where in ("outside", "inside"):
        assert not full.allowed("machine", where, action, resource)


@pytest.mark.parametrize(("namespace", "expected"), [("SecureMl/ModelWatch", True), ("AWS/SageMaker", False)])
def test_it_tells_failures_and_nothing_else(full: Watch, namespace: str, expected: bool) -> None:
    context = {"cloudwatch:namespace": namespace}
    assert full.allowed("machine", "outside", "cloudwatch:PutMetricData", "*", context) is expected


def test_it_encrypts_what_it_does_and_nothing_of_others(full: Watch) -> None:
    key = "kms:EncryptionContext:aws:states:stateMachineArn"
    machine = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:watch"
    for action in ("kms:Decrypt", "kms:GenerateDataKey"):
        assert full.allowed("machine", "outside", action, "key:Logs", {key: machine})
        assert not full.allowed("machine", "outside", action, "key:Logs")


# -- the schedule's role ------------------------------------------------------------------------------------


def test_the_schedule_starts_this_machine_and_nothing_else(full: Watch) -> None:
    assert full.allowed("schedule", "outside", "states:StartExecution", full.machine)
    assert not full.allowed("schedule", "outside", "states:StartExecution", f"{full.machine}-of-another")
    assert not full.allowed("schedule", "outside", "states:UpdateStateMachine", full.machine)
    context = "kms:EncryptionContext:aws:scheduler:schedule:arn"
    schedules = f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule"
    own, other = f"{schedules}/{JOBS}/daily", f"{schedules}/default/daily"
    assert full.allowed("schedule", "outside", "kms:Decrypt", "key:Logs", {context: own})
    assert not full.allowed("schedule", "outside", "kms:Decrypt", "key:Logs", {context: other})


# -- who takes them -----------------------------------------------------------------------------------------


def test_services_take_them_for_our_account_alone(full: Watch) -> None:
    group = full.world.one("AWS::Scheduler::ScheduleGroup")
    sources = {
        "job": None,
        "machine": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:*",
        "schedule": full.world.arn(group),
    }
    for who, source in sources.items():
        [statement] = full.trust(who)["Statement"]
        condition = statement["Condition"]
        assert condition["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
        assert condition.get("ArnLike", {}).get("aws:SourceArn") == source
        assert full.roles[who].properties["PermissionsBoundary"]
