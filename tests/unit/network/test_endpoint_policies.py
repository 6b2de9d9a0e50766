"""Endpoint policies as decisions: what may pass, by whom, and to whose resources."""

from __future__ import annotations

import json
from typing import Any

import pytest

from secure_ml_constructs.network import EndpointProfile, Endpoints
from secure_ml_constructs.network.aws_registries import partition_accounts
from secure_ml_constructs.perimeter import DataPerimeter
from tests.support.decisions import ALLOW_ALL, Request, Simulator
from tests.support.templates import ACCOUNT, REGION, World
from tests.unit.network import environments
from tests.unit.network.environments import secure, template_of

pytestmark = pytest.mark.decision

OURS = f"arn:aws:iam::{ACCOUNT}:role/secure-ml/training"
FOREIGN_ACCOUNT = "999988887777"
FOREIGN = f"arn:aws:iam::{FOREIGN_ACCOUNT}:role/stranger"
ORGANIZATION = "o-a1b2c3d4e5"
SISTER_ACCOUNT = "444455556666"
AWS_IMAGES = "763104351884"
JUMPSTART = f"arn:aws:s3:::jumpstart-cache-prod-{REGION}/model"
PACKAGES = "arn:aws:s3:::assets-769407342218-eu-central-1/package"
LOOKALIKE = "arn:aws:s3:::assets-193858265520-eu-central-1/package"
LAYERS = f"arn:aws:s3:::prod-{REGION}-starport-layer-bucket/layer"


def policy(world: World, service: str) -> Any:
    name = f".{REGION}.{service}"
    endpoints = [endpoint.properties for endpoint in world.resources("AWS::EC2::VPCEndpoint")]
    (found,) = [endpoint for endpoint in endpoints if endpoint["ServiceName"].endswith(name)]
    return found["PolicyDocument"]


@pytest.fixture(scope="session", params=["unknown region", "known region"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "known region":
        return environments.full()
    endpoints = Endpoints(profile=EndpointProfile.FULL)
    return World({"Network": template_of(secure, endpoints=endpoints)})


@pytest.fixture(scope="session")
def organization() -> World:
    perimeter = DataPerimeter(organization=ORGANIZATION)
    return World({"Network": template_of(secure, region=REGION, perimeter=perimeter)})


def passes(
    world: World,
    simulator: Simulator,
    service: str,
    principal: str | None,
    action: str,
    resource: str,
    **request: Any,
) -> bool:
    """Whether a request passes the endpoint, where identity and resource policies allow all."""
    asked = Request(principal=principal, action=action, resource=resource, **request)
    ours = principal is not None and principal.split(":")[4] == request.get("resource_account", ACCOUNT)
    anyone = {**ALLOW_ALL, "Statement": [{**ALLOW_ALL["Statement"][0], "Principal": "*"}]}
    return simulator.decide(
        asked,
        identity=() if principal is None else (ALLOW_ALL,),
        resource_policy=None if ours else anyone,
        endpoint_policies=[policy(world, service)],
    ).allowed


OUR_BUCKET = "arn:aws:s3:::our-bucket/x"
FOREIGN_BUCKET = "arn:aws:s3:::their-bucket/x"
TRAINING = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/one"
HUB = f"arn:aws:sagemaker:{REGION}:aws:hub/SageMakerPublicHub"


def repository(account: str, region: str = REGION) -> str:
    return f"arn:aws:ecr:{region}:{account}:repository/image"


@pytest.mark.parametrize(
    ("service", "principal", "action", "resource", "owner", "expected"),
    [
        # Data: ours by ours, and nothing else.
        ("s3", OURS, "s3:PutObject", OUR_BUCKET, ACCOUNT, True),
        ("s3", OURS, "s3:PutObject", FOREIGN_BUCKET, FOREIGN_ACCOUNT, False),
        ("s3", OURS, "s3:GetObject", FOREIGN_BUCKET, FOREIGN_ACCOUNT, False),
        ("s3", FOREIGN, "s3:PutObject", OUR_BUCKET, ACCOUNT, False),
        ("s3", FOREIGN, "s3:PutObject", FOREIGN_BUCKET, FOREIGN_ACCOUNT, False),
        ("s3", None, "s3:GetObject", OUR_BUCKET, ACCOUNT, False),
        # Image layers come by presigned URL of ECR's account: a condition on the principal breaks pulls.
        ("s3", "arn:aws:iam::123456789012:role/ecr", "s3:GetObject", LAYERS, "123456789012", True),
        ("s3", OURS, "s3:PutObject", LAYERS, "123456789012", False),
        ("s3", "arn:aws:iam::123456789012:role/codeartifact", "s3:GetObject", PACKAGES, "123456789012", True),
        ("s3", OURS, "s3:GetObject", LOOKALIKE, FOREIGN_ACCOUNT, False),
        ("s3", OURS, "s3:GetObject", JUMPSTART, "123456789012", True),
        (
            "s3",
            FOREIGN,
            "s3:GetObject",
            JUMPSTART,
            "123456789012",
            False,
        ),
        ("dynamodb", OURS, "dynamodb:PutItem", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/t", ACCOUNT, True),
        (
            "dynamodb",
            OURS,
            "dynamodb:PutItem",
            f"arn:aws:dynamodb:{REGION}:{FOREIGN_ACCOUNT}:table/t",
            FOREIGN_ACCOUNT,
            False,
        ),
        # Images: ours and AWS's, never another account's.
        ("ecr.api", OURS, "ecr:BatchGetImage", repository(ACCOUNT), ACCOUNT, True),
        ("ecr.api", OURS, "ecr:BatchGetImage", repository(AWS_IMAGES), AWS_IMAGES, True),
        ("ecr.dkr", OURS, "ecr:GetDownloadUrlForLayer", repository(AWS_IMAGES), AWS_IMAGES, True),
        ("ecr.api", OURS, "ecr:PutImage", repository(AWS_IMAGES), AWS_IMAGES, False),
        ("ecr.api", OURS, "ecr:BatchGetImage", repository(FOREIGN_ACCOUNT), FOREIGN_ACCOUNT, False),
        ("ecr.dkr", OURS, "ecr:GetDownloadUrlForLayer", repository(FOREIGN_ACCOUNT), FOREIGN_ACCOUNT, False),
        ("ecr.api", FOREIGN, "ecr:BatchGetImage", repository(AWS_IMAGES), AWS_IMAGES, False),
        ("ecr.api", OURS, "ecr:BatchGetImage", repository(AWS_IMAGES, "us-east-1"), AWS_IMAGES, False),
        ("ecr.api", OURS, "ecr:GetAuthorizationToken", "*", ACCOUNT, True),
        # Roles.
        ("sts", OURS, "sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/secure-ml/other", ACCOUNT, True),
        ("sts", OURS, "sts:AssumeRole", f"arn:aws:iam::{FOREIGN_ACCOUNT}:role/x", FOREIGN_ACCOUNT, False),
        ("sts", FOREIGN, "sts:AssumeRole", f"arn:aws:iam::{FOREIGN_ACCOUNT}:role/x", FOREIGN_ACCOUNT, False),
        # SageMaker.
        ("sagemaker.api", OURS, "sagemaker:CreateTrainingJob", TRAINING, ACCOUNT, True),
        ("sagemaker.api", FOREIGN, "sagemaker:CreateTrainingJob", TRAINING, ACCOUNT, False),
        ("sagemaker.api", OURS, "sagemaker:DescribeHub", HUB, "123456789012", True),
        ("sagemaker.api", OURS, "sagemaker:UpdateHub", HUB, "123456789012", False),
        (
            "sagemaker.runtime",
            OURS,
            "sagemaker:InvokeEndpoint",
            f"arn:aws:sagemaker:{REGION}:{FOREIGN_ACCOUNT}:endpoint/theirs",
            FOREIGN_ACCOUNT,
            False,
        ),
        # Keys and logs elsewhere are ways to carry data out.
        ("kms", OURS, "kms:Encrypt", f"arn:aws:kms:{REGION}:{FOREIGN_ACCOUNT}:key/k", FOREIGN_ACCOUNT, False),
        (
            "logs",
            OURS,
            "logs:PutLogEvents",
            f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:group:log-stream:stream",
            ACCOUNT,
            True,
        ),
        # AWS's own by name.
        (
            "bedrock-runtime",
            OURS,
            "bedrock:InvokeModel",
            f"arn:aws:bedrock:{REGION}::foundation-model/amazon.titan",
            "123456789012",
            True,
        ),
    ],
)
def test_decisions(
    world: World,
    simulator: Simulator,
    service: str,
    principal: str | None,
    action: str,
    resource: str,
    owner: str,
    expected: bool,
) -> None:
    assert passes(world, simulator, service, principal, action, resource, resource_account=owner) is expected


@pytest.mark.parametrize(("resource_account", "expected"), [(ACCOUNT, True), (FOREIGN_ACCOUNT, False)])
def test_private_apis_may_be_called_with_a_token_and_no_identity(
    world: World, simulator: Simulator, resource_account: str, expected: bool
) -> None:
    api = f"arn:aws:execute-api:{REGION}:{resource_account}:a1b2c3/prod/POST/predict"
    invoke = "execute-api:Invoke"
    called = passes(world, simulator, "execute-api", None, invoke, api, resource_account=resource_account)
    assert called is expected


def test_public_parameters_are_read_by_ours_only(world: World) -> None:
    # As text: the simulator knows no parameter without an account.
    (statement,) = [s for s in policy(world, "ssm")["Statement"] if s["Sid"] == "AwsOwnedPublicParameters"]
    assert statement["Resource"] == [f"arn:aws:ssm:{REGION}::parameter/aws/service/*"]
    assert statement["Condition"] == {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}
    assert all(action.startswith("ssm:GetParameter") for action in statement["Action"])


def test_no_other_service_is_open_to_the_anonymous(world: World) -> None:
    found = set()
    for endpoint in world.resources("AWS::EC2::VPCEndpoint"):
        service = endpoint.properties["ServiceName"].split(f"{REGION}.")[1]
        for statement in endpoint.properties["PolicyDocument"]["Statement"]:
            if "aws:Principal" not in json.dumps(statement.get("Condition", {})):
                assert statement["Resource"] != "*"
                found.add((service, statement["Sid"]))
    # Our APIs by their token, and what AWS hands out presigned URLs for.
    assert found == {
        ("execute-api", "OurApisByToken"),
        ("s3", "AwsOwnedEcrImageLayers"),
        ("s3", "AwsOwnedCodeArtifactAssets"),
    }


@pytest.mark.parametrize(
    ("account", "organization_id", "expected"),
    [
        (SISTER_ACCOUNT, ORGANIZATION, True),
        (FOREIGN_ACCOUNT, "o-zzzzzzzzzz", False),
        (FOREIGN_ACCOUNT, None, False),
    ],
)
def test_an_organization_is_trusted_as_a_whole(
    organization: World,
    simulator: Simulator,
    account: str,
    organization_id: str | None,
    expected: bool,
) -> None:
    context = {"aws:PrincipalOrgID": ORGANIZATION, "aws:ResourceOrgID": organization_id}
    request = {"resource_account": account, "context": context}
    bucket = "arn:aws:s3:::shared/x"
    assert passes(organization, simulator, "s3", OURS, "s3:GetObject", bucket, **request) is expected


def test_own_images_only(simulator: Simulator) -> None:
    endpoints = Endpoints(aws_images=False)
    world = World({"Network": template_of(secure, endpoints=endpoints)})
    for account, expected in ((ACCOUNT, True), (AWS_IMAGES, False)):
        arn = repository(account)
        pull = passes(world, simulator, "ecr.api", OURS, "ecr:BatchGetImage", arn, resource_account=account)
        assert pull is expected


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_every_policy_fits(partition: str) -> None:
    # Amazon VPC: Control access to VPC endpoints using endpoint policies, 20,480 characters.
    endpoints = Endpoints(profile=EndpointProfile.FULL)
    template = template_of(secure, endpoints=endpoints)
    world = World({"Network": template}, partition=partition, region="ap-southeast-99")
    for endpoint in world.resources("AWS::EC2::VPCEndpoint"):
        text = json.dumps(endpoint.properties["PolicyDocument"])
        assert len(text) < 20_480
    assert partition_accounts()[partition][0] in json.dumps(template["Mappings"])


def test_a_registry_of_one_partition_serves_no_other() -> None:
    template = environments.default().templates["Network"]
    china = World({"Network": template}, partition="aws-cn", region="cn-north-1")
    accounts = json.dumps([e.properties["PolicyDocument"] for e in china.resources("AWS::EC2::VPCEndpoint")])
    assert "727897471807" in accounts
    assert AWS_IMAGES not in accounts
