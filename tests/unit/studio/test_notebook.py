"""SecureNotebook: what it makes, who opens it from where, and what it refuses."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.identity import ManagedSecret
from secure_ml_constructs.keys import EnvironmentKeys
from secure_ml_constructs.network import Endpoints, SecureVpc
from secure_ml_constructs.studio import GitRepository, NotebookMachine, SecureNotebook
from secure_ml_constructs.studio.notebook import on_start
from secure_ml_constructs.testing import answers
from secure_ml_constructs.verification.proofs.questions import Verdict
from tests.support.compliance import VOUCHED, findings
from tests.support.decisions import ALLOW_ALL, Request, Simulator
from tests.support.roles import job_role
from tests.support.templates import ACCOUNT, REGION, World, new_app, synth
from tests.unit.studio.workplace import LOSES_DATA, PERIMETER, world

pytestmark = pytest.mark.slow

GIT = "https://git.hospital.example/ml/triage.git"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/sso-anna"


def parts(app: cdk.App, **endpoints: Any) -> dict[str, Any]:
    keys = EnvironmentKeys(cdk.Stack(app, "Keys"), "Keys", perimeter=PERIMETER)
    network = SecureVpc(
        cdk.Stack(app, "Network"),
        "Vpc",
        perimeter=PERIMETER,
        logs_key=keys.logs,
        endpoints=Endpoints(**(endpoints or {"extra": ("sagemaker.notebook",)})),
    )
    return {"perimeter": PERIMETER, "keys": keys, "network": network}


def build(app: cdk.App, **arguments: Any) -> SecureNotebook:
    given = parts(app)
    stack = cdk.Stack(app, "Work")
    role = job_role(stack, "Role", PERIMETER)
    notebook = SecureNotebook(stack, "Notebook", **{**given, "role": role, **arguments})
    notebook.grant_open(iam.Role.from_role_name(stack, "Anna", "sso-anna"))
    return notebook


def secret(stack: cdk.Stack, given: dict[str, Any]) -> ManagedSecret:
    return ManagedSecret(
        stack,
        "Git",
        perimeter=PERIMETER,
        key=given["keys"].secrets,
        endpoints=[given["network"].endpoint_ids["secretsmanager"]],
        rotation=None,
        unrotated_because="The Git server issues it, and its owner changes it each quarter.",
        fields={"username": "ml-notebooks"},
    )


def build_full(app: cdk.App) -> SecureNotebook:
    app.node.set_context("secure-ml:allow-data-loss", True)
    given = parts(app)
    stack = cdk.Stack(app, "Work")
    return SecureNotebook(
        stack,
        "Notebook",
        **given,
        role=job_role(stack, "Role", PERIMETER),
        machine=NotebookMachine(instance_type="ml.m5.xlarge", volume_gb=100, idle_minutes=30),
        repository=GitRepository(url=GIT, secret=secret(stack, given), branch="release/1"),
        removal_policy=RemovalPolicy.DESTROY,
    )


@pytest.fixture(scope="session")
def default() -> World:
    return world(build)


@pytest.fixture(scope="session")
def full() -> World:
    return world(build_full)


@pytest.mark.parametrize("make", [build, build_full])
def test_no_finding(make: Callable[[cdk.App], Any]) -> None:
    assert findings(make, replace(VOUCHED, repository_hosts=("git.hospital.example",))) == []


@pytest.mark.parametrize("make", [build, build_full])
def test_the_template(
    make: Callable[[cdk.App], Any], snapshot_template: Callable[[dict[str, Any]], None]
) -> None:
    snapshot_template(world(make).templates["Work"])


def test_nothing_about_it_is_open(default: World, full: World) -> None:
    for made in (default, full):
        found = made.one("AWS::SageMaker::NotebookInstance")
        properties = found.properties
        assert found.logical_id == "Notebook985EE735"
        assert properties["DirectInternetAccess"] == "Disabled"
        assert properties["RootAccess"] == "Disabled"
        assert properties["PlatformIdentifier"] == "notebook-al2023-v1"
        service = properties["InstanceMetadataServiceConfiguration"]
        assert service == {"MinimumInstanceMetadataServiceVersion": "2"}
        assert properties["KmsKeyId"] == made.arn(made.one("AWS::KMS::Key", "Workspace"))
        assert properties["SubnetId"] == made.ref(made.one("AWS::EC2::Subnet", "IsolatedSubnet1"))
        group = made.ref(made.one("AWS::EC2::SecurityGroup", "WorkloadGroup"))
        assert properties["SecurityGroupIds"] == [group]


def test_it_is_kept_unless_losing_it_is_asked_for_twice(default: World, full: World) -> None:
    assert default.one("AWS::SageMaker::NotebookInstance").raw["DeletionPolicy"] == "Retain"
    assert full.one("AWS::SageMaker::NotebookInstance").raw["DeletionPolicy"] == "Delete"
    with pytest.raises(ConfigurationError, match="allow-data-loss"):
        build(new_app(), removal_policy=RemovalPolicy.DESTROY)
    build(new_app(**LOSES_DATA), removal_policy=RemovalPolicy.DESTROY)


def test_it_stops_when_it_is_idle(default: World, full: World) -> None:
    for made, minutes in ((default, 60), (full, 30)):
        hook = made.one("AWS::SageMaker::NotebookInstanceLifecycleConfig")
        (start,) = hook.properties["OnStart"]
        assert base64.b64decode(start["Content"]).decode() == on_start(minutes)
        notebook = made.one("AWS::SageMaker::NotebookInstance").properties
        assert notebook["LifecycleConfigName"] == made.ref(hook)
        (stops,) = made.resources("AWS::IAM::ManagedPolicy", "NotebookStops")
        (statement,) = stops.properties["PolicyDocument"]["Statement"]
        assert statement["Action"] == "sagemaker:StopNotebookInstance"
        name = made.ref(made.one("AWS::SageMaker::NotebookInstance"))
        assert statement["Resource"] == f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:notebook-instance/{name}"


def test_its_code_comes_by_a_secret_that_its_role_reads(full: World, default: World) -> None:
    repository = full.one("AWS::SageMaker::CodeRepository")
    assert repository.properties["GitConfig"] == {
        "RepositoryUrl": GIT,
        "Branch": "release/1",
        "SecretArn": full.ref(full.one("AWS::SecretsManager::Secret")),
    }
    notebook = full.one("AWS::SageMaker::NotebookInstance").properties
    assert notebook["DefaultCodeRepository"] == full.ref(repository)
    reads = full.one("AWS::IAM::ManagedPolicy", "Reads")
    assert reads.properties["Roles"] == [full.ref(full.one("AWS::IAM::Role", "Role1"))]
    assert not list(default.resources("AWS::SageMaker::CodeRepository"))


def test_code_commit_takes_no_secret() -> None:
    app = new_app()
    url = f"https://git-codecommit.{REGION}.amazonaws.com/v1/repos/triage"
    build(app, repository=GitRepository(url=url))
    config = World(synth(app)).one("AWS::SageMaker::CodeRepository").properties["GitConfig"]
    assert config == {"RepositoryUrl": url, "Branch": "main"}


def test_an_address_may_be_known_at_deployment_only() -> None:
    app = new_app()
    region = f"https://git-codecommit.{cdk.Aws.REGION}.amazonaws.com/v1/repos/triage"
    assert GitRepository(url=region).in_code_commit
    build(app, repository=GitRepository(url=region))
    config = World(synth(app)).one("AWS::SageMaker::CodeRepository").properties["GitConfig"]
    assert config["RepositoryUrl"] == f"https://git-codecommit.{REGION}.amazonaws.com/v1/repos/triage"
    build(new_app(), repository=GitRepository(url=cdk.Fn.import_value("repository")))


@pytest.mark.decision
def test_it_is_opened_from_the_endpoints_by_whom_it_is_granted(default: World, simulator: Simulator) -> None:
    (opens,) = default.resources("AWS::IAM::ManagedPolicy", "NotebookOpens")
    assert opens.properties["Roles"] == ["sso-anna"]
    own = opens.properties["PolicyDocument"]
    name = default.ref(default.one("AWS::SageMaker::NotebookInstance"))
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:notebook-instance/"

    def opened(identity: tuple[Any, ...], which: str = name, endpoint: str | None = None) -> bool:
        request = Request(
            principal=ROLE,
            action="sagemaker:CreatePresignedNotebookInstanceUrl",
            resource=arn + which,
            context={"aws:SourceVpce": endpoint},
        )
        return simulator.decide(request, identity=identity).allowed

    for service in ("SagemakerApi", "SagemakerNotebook"):
        endpoint = default.ref(default.one("AWS::EC2::VPCEndpoint", service))
        assert opened((own,), endpoint=endpoint)
        assert not opened((own,), which="another", endpoint=endpoint)
    for elsewhere in (None, "vpce-0a1b2c3d4e5f60718"):
        assert not opened((own,), endpoint=elsewhere)
        assert not opened((ALLOW_ALL, own), endpoint=elsewhere)


@pytest.mark.slow
def test_no_question_is_broken() -> None:
    app = new_app()
    build_full(app)
    broken = [each for each in answers(app) if each.verdict is Verdict.BROKEN]
    assert [f"{each.question}: {each.because}" for each in broken] == []


def test_no_partition_is_written_down() -> None:
    for make in (build, build_full):
        text = json.dumps(world(make).templates["Work"]["Resources"])
        assert "arn:aws:" not in text.replace("arn:aws:iam::111122223333:role/ml-", "")


def repository(**given: Any) -> dict[str, Any]:
    return {"repository": GitRepository(**given)}


def machine(**given: Any) -> dict[str, Any]:
    return {"machine": NotebookMachine(**given)}


@pytest.mark.parametrize(
    ("argument", "given"),
    [
        ("machine.instance_type", machine(instance_type="ml.t3.gigantic")),
        ("machine.instance_type", machine(instance_type="ml.p4d.24xlarge")),
        ("machine.instance_type", machine(instance_type="t3.medium")),
        ("machine.volume_gb", machine(volume_gb=4)),
        ("machine.volume_gb", machine(volume_gb=20_000)),
        ("machine.idle_minutes", machine(idle_minutes=5)),
        ("machine.idle_minutes", machine(idle_minutes=10_000)),
        ("repository.secret", repository(url=GIT)),
        ("repository.url", repository(url="http://git.hospital.example/x")),
        ("repository.url", repository(url="git@git.hospital.example:ml/x.git")),
        ("repository.url", repository(url="https://anna:hunter2@git.hospital.example/x")),
        ("repository.branch", repository(url=GIT, branch="a branch")),
        # A host that only looks like AWS's.
        ("repository.secret", repository(url="https://git-codecommit.evil.example/x.amazonaws.com")),
    ],
)
def test_a_wrong_argument_is_refused(argument: str, given: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        build(new_app(), **given)
    assert argument in {problem.argument for problem in caught.value.problems}, caught.value
    assert "hunter2" not in str(caught.value)


def test_a_secret_for_code_commit_and_a_network_without_endpoints_are_refused() -> None:
    app = new_app()
    given = parts(app, without=("sts",))
    stack = cdk.Stack(app, "Work")
    url = f"https://git-codecommit.{REGION}.amazonaws.com/v1/repos/triage"
    with pytest.raises(ConfigurationError) as caught:
        SecureNotebook(
            stack,
            "Notebook",
            **given,
            role=job_role(stack, "Role", PERIMETER),
            repository=GitRepository(url=url, secret=secret(stack, given)),
        )
    assert [problem.argument for problem in caught.value.problems] == ["repository.secret", "network"]
    assert "sagemaker.notebook, sts" in str(caught.value)
