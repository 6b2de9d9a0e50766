"""The image of OpenMonitor: who builds it, from what, and who may pull and push it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from secure_ml_constructs.enforcement import trust_of
from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.verification.proofs.environment import ask
from secure_ml_constructs.verification.proofs.questions import Verdict
from secure_ml_constructs.verification.templates import Templates as Read
from tests.support.compliance import findings
from tests.support.decisions import ALLOW_ALL, Policy, Request, Simulator
from tests.support.templates import ACCOUNT, REGION, ROOT, World, new_app, synth
from tests.unit.identity.hospital import PERIMETER
from tests.unit.monitoring.images import BASE, build, image
from tests.unit.serving.clinic import DIGEST

ROLE = "AWS::IAM::Role"
TRUST = trust_of(PERIMETER)
ELSEWHERE = {"aws:SourceVpce": "vpce-0fedcba9876543210"}


@pytest.fixture(scope="session")
def world() -> World:
    app = new_app()
    build(app)
    return World(synth(app))


@pytest.fixture(scope="session")
def asset(world: World) -> Path:
    """The folder that the build is given."""
    location = project(world)["Source"]["Location"]
    found = [each for each in Path(new_folder(build)).glob("asset.*") if each.name[6:] in location]
    assert len(found) == 1
    return found[0]


def new_folder(fill: Callable[[cdk.App], Any]) -> str:
    app = new_app()
    fill(app)
    return str(app.synth().directory)


def project(world: World) -> dict[str, Any]:
    found: dict[str, Any] = world.one("AWS::CodeBuild::Project").properties
    return found


def told(world: World) -> dict[str, str]:
    return {each["Name"]: each["Value"] for each in project(world)["Environment"]["EnvironmentVariables"]}


# -- what is made --------------------------------------------------------------------------------------------


def test_the_template(world: World, snapshot_template: Callable[[dict[str, Any]], None]) -> None:
    template = world.templates["Serving"]
    kept = {name: each for name, each in template["Resources"].items() if name.startswith("Image")}
    # It stands for the code, whose changes are no changes of the template.
    text = json.dumps({**template, "Resources": kept}).replace(told(world)["TAG"], "<tag>")
    snapshot_template(json.loads(text))


def test_nothing_is_found_wrong() -> None:
    assert findings(build) == []


def test_what_is_kept_keeps_its_logical_id(world: World) -> None:
    stateful = ("AWS::ECR::Repository", "AWS::Logs::LogGroup")
    kept = [each.logical_id for kind in stateful for each in world.resources(kind, "Image")]
    assert kept == ["ImageRepositoryC2BE7AD4", "ImageLogFFAEB1DB"]
    for kind in stateful:
        for each in world.resources(kind, "Image"):
            assert each.raw["DeletionPolicy"] == each.raw["UpdateReplacePolicy"] == "Retain"


def test_the_build_is_given_the_job_its_packages_and_nothing_else(asset: Path) -> None:
    runtime = ROOT / "secure_ml_constructs" / "runtime"
    given = {str(each.relative_to(asset)) for each in asset.rglob("*") if each.is_file()}
    code = {f"open_monitor/{each.name}" for each in (runtime / "open_monitor").glob("*.py")}
    assert given == code | {
        "open_monitor.txt",
        "open_monitor_image/Dockerfile",
        "open_monitor_image/build.sh",
    }
    for name in given:
        assert (asset / name).read_bytes() == (runtime / name).read_bytes()


def test_the_tag_stands_for_what_the_image_is_made_of(monkeypatch: pytest.MonkeyPatch) -> None:
    first = image(new_app())
    again = image(new_app())
    other = image(new_app(), base=BASE[:-1] + "b")
    assert first.tag == again.tag != other.tag
    monkeypatch.setattr("secure_ml_constructs.monitoring.image.digest", lambda: "changed")
    assert image(new_app()).tag != first.tag


def test_the_build_is_told_what_it_is_for(world: World) -> None:
    repository = world.one("AWS::ECR::Repository")
    made = project(world)
    variables = told(world)
    assert variables["BASE"] == f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/python{DIGEST}"
    assert variables["REPOSITORY"] == repository.properties["RepositoryName"]
    assert variables["PACKAGES_INDEX"].endswith("/pypi/packages/simple/")
    assert made["VpcConfig"]["Subnets"]
    assert made["VpcConfig"]["SecurityGroupIds"]
    spec = json.loads(made["Source"]["BuildSpec"])
    assert spec["phases"]["build"]["commands"] == [
        'BUILD_NUMBER="$CODEBUILD_BUILD_NUMBER" bash open_monitor_image/build.sh'
    ]


# -- who may do what -----------------------------------------------------------------------------------------


def builder(world: World) -> tuple[str, Policy]:
    role = world.one(ROLE, "ImageRole")
    policy = world.one("AWS::IAM::ManagedPolicy", "ImagePolicy")
    assert role.properties["PermissionsBoundary"] == role.properties["ManagedPolicyArns"][0]
    return world.arn(role), policy.properties["PolicyDocument"]


def repository(world: World) -> tuple[str, Policy]:
    made = world.one("AWS::ECR::Repository")
    policy = json.loads(json.dumps(made.properties["RepositoryPolicyText"]))
    # Such a policy stands on its repository; the simulator wants it named.
    for statement in policy["Statement"]:
        assert "Resource" not in statement
        statement["Resource"] = "*"
    return f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{made.properties['RepositoryName']}", policy


def here(world: World, service: str) -> dict[str, str]:
    return {"aws:SourceVpce": world.ref(world.one("AWS::EC2::VPCEndpoint", service))}


OURS = f"arn:aws:iam::{ACCOUNT}:role/secure-ml/watch/job"
ANOTHER = f"arn:aws:iam::{ACCOUNT}:role/secure-ml/training"
INSIDER = f"arn:aws:iam::{ACCOUNT}:role/developer"
STRANGER = "arn:aws:iam::999999999999:role/somebody"
ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT}:role/platform-admin"


@pytest.mark.parametrize(
    ("principal", "action", "allowed"),
    [
        (OURS, "ecr:BatchGetImage", True),
        (OURS, "ecr:GetDownloadUrlForLayer", True),
        (OURS, "ecr:PutImage", False),
        (OURS, "ecr:DeleteRepository", False),
        (ANOTHER, "ecr:BatchGetImage", False),
        (ANOTHER, "ecr:PutImage", False),
        (INSIDER, "ecr:BatchGetImage", False),
        (INSIDER, "ecr:PutImage", False),
        (INSIDER, "ecr:DescribeImages", True),
        (INSIDER, "ecr:SetRepositoryPolicy", False),
        (INSIDER, "ecr:BatchDeleteImage", False),
    ],
)
def test_who_pulls_and_who_pushes(
    world: World, simulator: Simulator, principal: str, action: str, allowed: bool
) -> None:
    arn, policy = repository(world)
    # SageMaker pulls with the job's role, from outside the VPC.
    request = Request(principal=principal, action=action, resource=arn, context=inside())
    assert simulator.decide(request, identity=[ALLOW_ALL], resource_policy=policy).allowed is allowed


def inside() -> dict[str, str]:
    return {"aws:PrincipalOrgID": TRUST.organization or "", "aws:PrincipalIsAWSService": "false"}


@pytest.mark.parametrize(
    ("action", "endpoint"),
    [
        ("ecr:BatchGetImage", "EcrDkr"),
        ("ecr:InitiateLayerUpload", "EcrDkr"),
        ("ecr:UploadLayerPart", "EcrDkr"),
        ("ecr:CompleteLayerUpload", "EcrDkr"),
        ("ecr:PutImage", "EcrApi"),
    ],
)
def test_the_build_pushes_from_the_network_and_from_nowhere_else(
    world: World, simulator: Simulator, action: str, endpoint: str
) -> None:
    role, identity = builder(world)
    arn, policy = repository(world)
    request = Request(principal=role, action=action, resource=arn)
    for way, allowed in ((here(world, endpoint), True), (ELSEWHERE, False)):
        context = {**inside(), **way, "aws:ViaAWSService": "false"}
        decision = simulator.decide(
            replace(request, context=context),
            identity=[identity],
            boundary=[identity],
            resource_policy=policy,
        )
        assert decision.allowed is allowed


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:GetObject", "arn:aws:s3:::another-bucket/object"),
        ("ecr:PutImage", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/clinical-risk"),
        ("ecr:BatchGetImage", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/clinical-risk"),
        ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:x"),
        ("sagemaker:CreateProcessingJob", f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:processing-job/x"),
        (
            "codeartifact:PublishPackageVersion",
            f"arn:aws:codeartifact:{REGION}:{ACCOUNT}:package/x/packages/pypi/none/x",
        ),
    ],
)
def test_the_build_may_do_nothing_else(
    world: World, simulator: Simulator, action: str, resource: str
) -> None:
    role, identity = builder(world)
    context = {**here(world, "EcrApi"), "aws:ViaAWSService": "false", "aws:PrincipalIsAWSService": "false"}
    request = Request(principal=role, action=action, resource=resource, context=context)
    assert not simulator.decide(request, identity=[identity], boundary=[identity]).allowed


def test_every_question_about_it_is_answered(world: World) -> None:
    answers = [each for each in ask(Read.of(world.templates), TRUST) if "/Image" in each.asset]
    assert {each.deed for each in answers} >= {"pull", "push", "assume"}
    bad = [each for each in answers if each.verdict in (Verdict.BROKEN, Verdict.NOT_COVERED)]
    assert bad == []
    assert not any(each.verdict is Verdict.BY_DESIGN and each.adversary == "insider" for each in answers)


def test_without_its_policy_the_repository_is_found_open(world: World) -> None:
    templates = json.loads(json.dumps(world.templates))
    name = world.one("AWS::ECR::Repository").logical_id
    for sid, deed in (("DenyPulling", "pull"), ("DenyPushing", "push")):
        weakened = json.loads(json.dumps(templates))
        policy = weakened["Serving"]["Resources"][name]["Properties"]["RepositoryPolicyText"]
        policy["Statement"] = [each for each in policy["Statement"] if each["Sid"] != sid]
        broken = [
            each
            for each in ask(Read.of(weakened), TRUST)
            if each.verdict is Verdict.BROKEN and each.deed == deed
        ]
        assert broken, sid


# -- what is refused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "reason"),
    [
        ("python:3.13", "no image in ECR by its digest"),
        (f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/python:3.13", "no image in ECR by its digest"),
        (f"public.ecr.aws/docker/library/python{DIGEST}", "no image in ECR by its digest"),
        (BASE.replace("${AWS::Region}", "us-east-1"), "the registry of eu-central-1 only"),
    ],
)
def test_a_base_that_is_refused(base: str, reason: str) -> None:
    app = new_app()
    with pytest.raises(ConfigurationError, match=reason) as caught:
        image(app, base)
    assert [each.argument for each in caught.value.problems] == ["base"]
    assert caught.value.where == "Serving/Image"
    (stack,) = [each for each in app.node.children if each.node.id == "Serving"]
    assert stack.node.try_find_child("Image") is None
