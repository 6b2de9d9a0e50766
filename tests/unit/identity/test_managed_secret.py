"""ManagedSecret and SecretRotation: what they make, whom they let through, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.identity import ManagedSecret, Rotation, SecretRotation
from secure_ml_constructs.keys import EnvironmentKeys
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.verification.rules import Settings
from tests.support.compliance import findings
from tests.support.decisions import ALLOW_ALL, Request, Simulator
from tests.support.templates import ACCOUNT, REGION, World, new_app, synth

pytestmark = pytest.mark.slow

IAM = f"arn:aws:iam::{ACCOUNT}:role"
ADMINISTRATOR, BREAK_GLASS = f"{IAM}/ml-admin", f"{IAM}/ml-break-glass"
DEPLOYING = f"{IAM}/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-{REGION}"
READER, OTHER, INSIDER = f"{IAM}/secure-ml/serving", f"{IAM}/secure-ml/training", f"{IAM}/developer"
OUTSIDER = "arn:aws:iam::999988887777:role/outsider"
ENDPOINT = "vpce-0a1b2c3d4e5f60718"
HERE = {"aws:SourceVpce": ENDPOINT}
PERIMETER = DataPerimeter(administrators=(ADMINISTRATOR,), break_glass_roles=(BREAK_GLASS,))
READERS = ("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/secure-ml/serving",)


NETWORK = {"subnets": ["subnet-0a1b2c3d4e5f60718"], "security_group": "sg-0a1b2c3d4e5f60718"}
VOUCHED = Settings(networks=("subnet-0a1b2c3d4e5f60718", "sg-0a1b2c3d4e5f60718"))


def rotation(stack: cdk.Stack, keys: EnvironmentKeys, **arguments: Any) -> SecretRotation:
    given = {"key": keys.secrets, "logs_key": keys.logs, **NETWORK, **arguments}
    return SecretRotation(stack, "Rotate", perimeter=PERIMETER, **given)


def build(stack: cdk.Stack) -> ManagedSecret:
    keys = EnvironmentKeys(stack, "Keys", perimeter=PERIMETER)
    return ManagedSecret(
        stack,
        "Secret",
        perimeter=PERIMETER,
        key=keys.secrets,
        endpoints=[ENDPOINT],
        rotation=Rotation(by=rotation(stack, keys)),
    )


def build_full(stack: cdk.Stack) -> ManagedSecret:
    keys = EnvironmentKeys(stack, "Keys", perimeter=PERIMETER)
    by = rotation(stack, keys, length=64, exclude=" ", log_retention_days=400)
    ManagedSecret(
        stack,
        "Kept",
        perimeter=PERIMETER,
        key=keys.secrets,
        endpoints=[ENDPOINT],
        rotation=None,
        unrotated_because="The partner's identity provider gives it, and changes it each quarter.",
    )
    return ManagedSecret(
        stack,
        "Secret",
        perimeter=PERIMETER,
        key=keys.secrets,
        endpoints=[ENDPOINT],
        rotation=Rotation(by=by, days=7),
        readers=READERS,
        fields={"username": "registry"},
    )


def world(make: Callable[[cdk.Stack], ManagedSecret]) -> World:
    app = new_app()
    make(cdk.Stack(app, "Secrets"))
    return World(synth(app))


@pytest.fixture(scope="session")
def default() -> World:
    return world(build)


@pytest.fixture(scope="session")
def full() -> World:
    return world(build_full)


def policy(made: World) -> Mapping[str, Any]:
    found: Mapping[str, Any] = made.one("AWS::SecretsManager::ResourcePolicy", "SecretPolicy").properties[
        "ResourcePolicy"
    ]
    return found


def decide(
    simulator: Simulator, made: World, principal: str, action: str, context: Mapping[str, Any] | None = None
) -> bool:
    request = Request(
        principal=principal,
        action=f"secretsmanager:{action}",
        resource=f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:Secret-AbCdEf",
        context=dict(context or {}),
    )
    return simulator.decide(request, identity=(ALLOW_ALL,), resource_policy=policy(made)).allowed


@pytest.mark.decision
def test_the_environments_roles_read_from_inside(default: World, simulator: Simulator) -> None:
    for role in (READER, OTHER):
        assert decide(simulator, default, role, "GetSecretValue", HERE)
        assert not decide(simulator, default, role, "GetSecretValue")
        assert not decide(simulator, default, role, "GetSecretValue", {"aws:SourceVpce": "vpce-elsewhere"})
    assert decide(simulator, default, BREAK_GLASS, "GetSecretValue")


@pytest.mark.decision
@pytest.mark.parametrize("who", [INSIDER, ADMINISTRATOR, DEPLOYING, OUTSIDER])
def test_nobody_else_reads_it_from_wherever(default: World, simulator: Simulator, who: str) -> None:
    for context in (HERE, {}, {"aws:ViaAWSService": "true"}):
        assert not decide(simulator, default, who, "GetSecretValue", context)


@pytest.mark.decision
def test_readers_that_are_named_are_the_only_ones(full: World, simulator: Simulator) -> None:
    assert decide(simulator, full, READER, "GetSecretValue", HERE)
    assert not decide(simulator, full, OTHER, "GetSecretValue", HERE)


@pytest.mark.decision
def test_who_deploys_manages_it_and_nobody_else_does(default: World, simulator: Simulator) -> None:
    for action in ("PutResourcePolicy", "DeleteSecret", "RotateSecret", "UpdateSecret"):
        for role in (DEPLOYING, ADMINISTRATOR, BREAK_GLASS):
            assert decide(simulator, default, role, action)
        for role in (READER, INSIDER):
            assert not decide(simulator, default, role, action, HERE)


@pytest.mark.decision
@pytest.mark.parametrize("made", ["default", "full"])
def test_the_rotation_reads_and_writes_from_inside(
    made: str, simulator: Simulator, request: pytest.FixtureRequest
) -> None:
    found: World = request.getfixturevalue(made)
    role = found.arn(found.one("AWS::IAM::Role", "RotateRole"))
    for action in ("DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"):
        assert decide(simulator, found, role, action, HERE)
    for action in ("GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"):
        assert not decide(simulator, found, role, action)
        assert not decide(simulator, found, INSIDER, action, HERE)
    assert decide(simulator, found, ADMINISTRATOR, "PutSecretValue")


@pytest.mark.decision
def test_the_rotation_reaches_the_secrets_that_name_it_and_no_other(
    default: World, simulator: Simulator
) -> None:
    role = default.one("AWS::IAM::Role", "RotateRole")
    own = default.one("AWS::IAM::ManagedPolicy", "RotateAllowed").properties["PolicyDocument"]
    function = default.arn(default.one("AWS::Lambda::Function", "RotateFunction"))

    def can(names: str) -> bool:
        request = Request(
            principal=default.arn(role),
            action="secretsmanager:GetSecretValue",
            resource=f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:Secret-AbCdEf",
            context={"secretsmanager:resource/AllowRotationLambdaArn": names},
        )
        return simulator.decide(request, identity=(own,)).allowed

    assert can(function)
    assert not can(f"{function}-other")


def test_it_is_made_under_the_key_and_never_written_down(default: World, full: World) -> None:
    for made in (default, full):
        secret = made.one("AWS::SecretsManager::Secret", "Secret")
        assert "SecretString" not in secret.properties
        assert secret.properties["KmsKeyId"] == made.arn(made.one("AWS::KMS::Key", "KeysSecrets"))
        assert secret.raw["DeletionPolicy"] == "Retain"


def test_it_changes_by_itself(default: World, full: World) -> None:
    for made, days in ((default, 30), (full, 7)):
        schedule = made.one("AWS::SecretsManager::RotationSchedule", "Rotation")
        assert schedule.properties["RotationRules"] == {"AutomaticallyAfterDays": days}
        # Before the function may be called and may rotate, a first rotation would fail.
        assert len(schedule.raw["DependsOn"]) == 2


def test_the_function_is_called_for_this_account_only(default: World) -> None:
    permission = default.one("AWS::Lambda::Permission", "Permission").properties
    assert permission["Principal"] == "secretsmanager.amazonaws.com"
    assert permission["SourceAccount"] == ACCOUNT


def test_the_logical_ids_of_what_is_kept_are_frozen(default: World) -> None:
    kept = {
        resource.logical_id
        for type_ in ("AWS::SecretsManager::Secret", "AWS::Logs::LogGroup")
        for resource in default.resources(type_)
    }
    assert kept == {"RotateLog8B818883", "SecretA720EF05"}


@pytest.mark.parametrize("make", [build, build_full], ids=["default", "full"])
def test_no_pack_finds_anything(make: Callable[[cdk.Stack], ManagedSecret]) -> None:
    assert findings(lambda app: make(cdk.Stack(app, "Secrets")), VOUCHED) == []


def test_a_grant_stands_on_the_role() -> None:
    app = new_app()
    stack, people = cdk.Stack(app, "Secrets"), cdk.Stack(app, "People")
    role = iam.Role(
        people, "Role", path="/secure-ml/", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com")
    )
    build(stack).grant_read(role)
    templates = synth(app)
    granted = [r for r in templates["People"]["Resources"].values() if r["Type"] == "AWS::IAM::ManagedPolicy"]
    (document,) = [each["Properties"]["PolicyDocument"]["Statement"] for each in granted]
    assert [each["Action"] for each in document] == [
        ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
        "kms:Decrypt",
    ]


@pytest.mark.parametrize(
    ("arguments", "argument", "says"),
    [
        ({"rotation": None}, "rotation", "never changes"),
        (
            {"unrotated_because": "It changes, and still somebody says why not."},
            "unrotated_because",
            "is rotated",
        ),
        ({"endpoints": []}, "endpoints", "nobody could read"),
        ({"endpoints": ENDPOINT}, "endpoints", "nobody could read"),
        ({"readers": READER}, "readers", "One string"),
        ({"fields": {"password": "x"}}, "fields.password", "is made"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], argument: str, says: str) -> None:
    stack = cdk.Stack(new_app(), "Secrets")
    keys = EnvironmentKeys(stack, "Keys", perimeter=PERIMETER)
    given = {"endpoints": [ENDPOINT], "rotation": Rotation(by=rotation(stack, keys)), **arguments}
    with pytest.raises(ConfigurationError) as caught:
        ManagedSecret(stack, "Secret", perimeter=PERIMETER, key=keys.secrets, **given)
    (problem,) = caught.value.problems
    assert problem.argument == argument
    assert says in problem.reason
    assert stack.node.try_find_child("Secret") is None


@pytest.mark.parametrize("days", [0, 91])
def test_days_out_of_range(days: int) -> None:
    stack = cdk.Stack(new_app(), "Secrets")
    keys = EnvironmentKeys(stack, "Keys", perimeter=PERIMETER)
    by = Rotation(by=rotation(stack, keys), days=days)
    with pytest.raises(ConfigurationError, match="90 days"):
        ManagedSecret(
            stack, "Secret", perimeter=PERIMETER, key=keys.secrets, endpoints=[ENDPOINT], rotation=by
        )


def test_a_rotation_refuses_what_can_not_work() -> None:
    stack = cdk.Stack(new_app(), "Secrets")
    keys = EnvironmentKeys(stack, "Keys", perimeter=PERIMETER)
    managed = kms.Key.from_key_arn(
        stack, "Managed", f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/aws/secretsmanager"
    )
    with pytest.raises(ConfigurationError) as caught:
        SecretRotation(
            stack,
            "Rotate",
            perimeter=PERIMETER,
            key=managed,
            logs_key=keys.logs,
            subnets=[],
            security_group="sg-0a1b2c3d4e5f60718",
            length=8,
            log_retention_days=13,
        )
    assert {problem.argument for problem in caught.value.problems} == {
        "key",
        "subnets",
        "length",
        "log_retention_days",
    }


def test_default_template(default: World, snapshot_template: Callable[[dict[str, Any]], None]) -> None:
    snapshot_template(dict(default.templates)["Secrets"])
