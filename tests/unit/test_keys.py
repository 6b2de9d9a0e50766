"""EnvironmentKeys: who may do what with each key, asked as decisions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.key_uses import SERVICE_USES, KeyClass, ServiceUse
from secure_ml_constructs.keys import EnvironmentKeys
from secure_ml_constructs.perimeter import DataPerimeter
from tests.support.compliance import findings
from tests.support.decisions import ALLOW_ALL, Context, Request, Simulator
from tests.support.templates import ACCOUNT, REGION, World, new_app, synth

pytestmark = pytest.mark.decision

IAM = f"arn:aws:iam::{ACCOUNT}:role"
ADMINISTRATOR = f"{IAM}/ml-platform-admin"
BREAK_GLASS = f"{IAM}/ml-break-glass"
DEPLOYING = f"{IAM}/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-{REGION}"
TRAINING = f"{IAM}/secure-ml/training"
INSIDER = f"{IAM}/developer"
PERIMETER = DataPerimeter(administrators=(ADMINISTRATOR,), break_glass_roles=(BREAK_GLASS,))
VIA = "kms:ViaService"


def build(app: cdk.App) -> cdk.Stack:
    stack = cdk.Stack(app, "Keys")
    EnvironmentKeys(stack, "Keys", perimeter=PERIMETER)
    return stack


@pytest.fixture(scope="session")
def world() -> World:
    app = new_app()
    build(app)
    return World(synth(app))


def allowed(
    world: World,
    simulator: Simulator,
    key_class: str,
    principal: str,
    action: str,
    context: Context | None = None,
) -> bool:
    key = world.one("AWS::KMS::Key", key_class.capitalize())
    request = Request(principal=principal, action=action, resource=world.arn(key), context=context or {})
    service = not principal.startswith("arn:")
    return simulator.decide(
        request,
        # A key policy that delegates asks the identity policy as well; give it everything.
        identity=() if service else (ALLOW_ALL,),
        resource_policy=key.properties["KeyPolicy"],
    ).allowed


# -- the environment's roles -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key_class", "service"),
    [
        ("data", "s3"),
        ("data", "sagemaker"),
        ("model", "ecr"),
        ("logs", "sns"),
        ("logs", "sqs"),
        ("secrets", "secretsmanager"),
        ("workspace", "elasticfilesystem"),
    ],
)
def test_roles_of_the_environment_use_a_key_through_its_services(
    world: World, simulator: Simulator, key_class: str, service: str
) -> None:
    # No VPC in the context: S3 asks KMS on the caller's behalf, from its own network.
    through = {VIA: f"{service}.{REGION}.amazonaws.com", "aws:ViaAWSService": "true"}
    assert allowed(world, simulator, key_class, TRAINING, "kms:Decrypt", through)
    assert allowed(world, simulator, key_class, TRAINING, "kms:GenerateDataKey", through)
    assert not allowed(world, simulator, key_class, TRAINING, "kms:Decrypt")
    elsewhere = {VIA: f"lambda.{REGION}.amazonaws.com"}
    assert not allowed(world, simulator, key_class, TRAINING, "kms:Decrypt", elsewhere)


@pytest.mark.parametrize("key_class", list(KeyClass))
def test_an_all_powerful_insider_gets_nothing(world: World, simulator: Simulator, key_class: str) -> None:
    for action in ("kms:Decrypt", "kms:GenerateDataKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"):
        assert not allowed(world, simulator, key_class, INSIDER, action, {VIA: f"s3.{REGION}.amazonaws.com"})
    grant = {"kms:GrantIsForAWSResource": "true"}
    assert not allowed(world, simulator, key_class, INSIDER, "kms:CreateGrant", grant)


def test_volumes_get_their_grant_and_nobody_grants_to_a_principal(world: World, simulator: Simulator) -> None:
    for_resource = {"kms:GrantIsForAWSResource": "true"}
    by_hand = {"kms:GrantIsForAWSResource": "false"}
    for principal in (TRAINING, DEPLOYING):
        assert allowed(world, simulator, "data", principal, "kms:CreateGrant", for_resource)
        assert not allowed(world, simulator, "data", principal, "kms:CreateGrant", by_hand)
        assert not allowed(world, simulator, "data", principal, "kms:CreateGrant")
    assert not allowed(world, simulator, "data", ADMINISTRATOR, "kms:CreateGrant", for_resource)


# -- administrators and users apart ------------------------------------------------------------------


@pytest.mark.parametrize("key_class", list(KeyClass))
def test_administrators_configure_and_never_use(world: World, simulator: Simulator, key_class: str) -> None:
    through_s3 = {VIA: f"s3.{REGION}.amazonaws.com"}
    for principal in (ADMINISTRATOR, DEPLOYING):
        assert allowed(world, simulator, key_class, principal, "kms:PutKeyPolicy")
        assert allowed(world, simulator, key_class, principal, "kms:DescribeKey")
        assert not allowed(world, simulator, key_class, principal, "kms:Decrypt", through_s3)
        assert not allowed(world, simulator, key_class, principal, "kms:Decrypt")


def test_only_administrator_and_break_glass_can_retire_a_key(world: World, simulator: Simulator) -> None:
    for action in ("kms:ScheduleKeyDeletion", "kms:DisableKey"):
        assert allowed(world, simulator, "data", ADMINISTRATOR, action)
        assert allowed(world, simulator, "data", BREAK_GLASS, action)
        assert not allowed(world, simulator, "data", DEPLOYING, action)
        assert not allowed(world, simulator, "data", TRAINING, action)


def test_nobody_retires_the_key_that_the_archive_rests_on(world: World, simulator: Simulator) -> None:
    """Locked versions outlive every deletion, and would be unreadable without it."""
    for principal in (ADMINISTRATOR, BREAK_GLASS, DEPLOYING, TRAINING):
        for action in ("kms:ScheduleKeyDeletion", "kms:DisableKey"):
            assert not allowed(world, simulator, "logs", principal, action)


def test_cloudformation_can_create_a_secret(world: World, simulator: Simulator) -> None:
    through = {VIA: f"secretsmanager.{REGION}.amazonaws.com"}
    assert allowed(world, simulator, "secrets", DEPLOYING, "kms:GenerateDataKey", through)
    assert not allowed(world, simulator, "data", DEPLOYING, "kms:GenerateDataKey", through)


# -- AWS services ------------------------------------------------------------------------------------

# What each service sends, from our account and from another one.
OURS: dict[str, tuple[str, dict[str, str]]] = {
    "CloudWatchLogs": (
        f"logs.{REGION}.amazonaws.com",
        {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:flow"},
    ),
    "CloudTrail": (
        "cloudtrail.amazonaws.com",
        {
            "kms:EncryptionContext:aws:cloudtrail:arn": f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/audit",
            "aws:SourceArn": f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/audit",
        },
    ),
    "CloudTrailDescribe": ("cloudtrail.amazonaws.com", {"aws:SourceAccount": ACCOUNT}),
    "LogDelivery": (
        "delivery.logs.amazonaws.com",
        {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:delivery/flow"},
    ),
    "Alarms": (
        "cloudwatch.amazonaws.com",
        {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:drift"},
    ),
    "EventBridge": (
        "events.amazonaws.com",
        {"kms:EncryptionContext:aws:sns:topicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"},
    ),
    "Budgets": (
        "budgets.amazonaws.com",
        {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": f"arn:aws:budgets::{ACCOUNT}:budget/ml"},
    ),
    "TopicToQueue": (
        "sns.amazonaws.com",
        {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"},
    ),
    "BucketNotifications": (
        "s3.amazonaws.com",
        {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": "arn:aws:s3:::raw"},
    ),
    "AthenaResults": (
        "encryption.athena.amazonaws.com",
        {
            "aws:SourceAccount": ACCOUNT,
            "aws:SourceArn": f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/audit",
            "kms:EncryptionContext:aws:athena:arn": f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/audit",
        },
    ),
}


def test_every_row_of_the_table_is_asked() -> None:
    assert {use.name for use in SERVICE_USES} == set(OURS)


@pytest.mark.parametrize("use", SERVICE_USES, ids=lambda use: use.name)
def test_a_service_uses_the_key_for_our_account_only(
    world: World, simulator: Simulator, use: ServiceUse
) -> None:
    principal, context = OURS[use.name]
    action = use.actions[0].replace("GenerateDataKey*", "GenerateDataKey")
    foreign = {key: value.replace(ACCOUNT, "999988887777") for key, value in context.items()}
    for key_class in KeyClass:
        expected = key_class in use.classes
        assert allowed(world, simulator, key_class, principal, action, context) is expected
        assert not allowed(world, simulator, key_class, principal, action, foreign)
        assert not allowed(world, simulator, key_class, principal, action)


def test_macie_and_lake_formation_read_the_lake_through_s3(world: World, simulator: Simulator) -> None:
    macie = f"{IAM}/aws-service-role/macie.amazonaws.com/AWSServiceRoleForAmazonMacie"
    through = {VIA: f"s3.{REGION}.amazonaws.com"}
    assert allowed(world, simulator, "data", macie, "kms:Decrypt", through)
    assert not allowed(world, simulator, "data", macie, "kms:Decrypt")
    assert not allowed(world, simulator, "secrets", macie, "kms:Decrypt", through)


@pytest.mark.parametrize("key_class", list(KeyClass))
def test_access_analyzer_reads_who_may_use_a_key_and_uses_none(
    world: World, simulator: Simulator, key_class: str
) -> None:
    analyzer = f"{IAM}/aws-service-role/access-analyzer.amazonaws.com/AWSServiceRoleForAccessAnalyzer"
    for action in ("kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants", "kms:ListKeyPolicies"):
        assert allowed(world, simulator, key_class, analyzer, action)
    for action in ("kms:Decrypt", "kms:CreateGrant", "kms:PutKeyPolicy"):
        assert not allowed(world, simulator, key_class, analyzer, action, {VIA: f"s3.{REGION}.amazonaws.com"})


def test_a_package_domain_gets_its_grant_when_it_is_deployed(world: World, simulator: Simulator) -> None:
    """AWS CodeArtifact: Create a domain; whoever creates it needs DescribeKey and CreateGrant, through it."""
    through = {VIA: f"codeartifact.{REGION}.amazonaws.com", "kms:GrantIsForAWSResource": "true"}
    by_hand = {**through, "kms:GrantIsForAWSResource": "false"}
    assert allowed(world, simulator, "model", DEPLOYING, "kms:DescribeKey", {VIA: through[VIA]})
    assert allowed(world, simulator, "model", DEPLOYING, "kms:CreateGrant", through)
    assert not allowed(world, simulator, "model", DEPLOYING, "kms:CreateGrant", by_hand)
    assert not allowed(world, simulator, "model", INSIDER, "kms:CreateGrant", through)


WORKFLOWS = [
    ("aws:states:stateMachineArn", f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:watch"),
    ("SourceArn", f"arn:aws:logs:{REGION}:{ACCOUNT}:*"),
    ("aws:scheduler:schedule:arn", f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/watch/daily"),
]


@pytest.mark.parametrize(("context", "arn"), WORKFLOWS)
def test_workflows_and_schedules_are_encrypted_by_their_roles_and_who_makes_them(
    world: World, simulator: Simulator, context: str, arn: str
) -> None:
    ours = {f"kms:EncryptionContext:{context}": arn}
    theirs = {name: value.replace(ACCOUNT, "999988887777") for name, value in ours.items()}
    role = f"{IAM}/secure-ml/service/watch"
    for principal in (role, DEPLOYING):
        for action in ("kms:Decrypt", "kms:GenerateDataKey"):
            assert allowed(world, simulator, "logs", principal, action, ours)
            assert not allowed(world, simulator, "logs", principal, action, theirs)
            assert not allowed(world, simulator, "logs", principal, action)
            assert not allowed(world, simulator, "data", principal, action, ours)
    # A job reads no definition and no schedule, whatever it is granted.
    for other in (ADMINISTRATOR, INSIDER, f"{IAM}/secure-ml/training"):
        assert not allowed(world, simulator, "logs", other, "kms:Decrypt", ours)


# -- the template ------------------------------------------------------------------------------------


def test_keys_rotate_are_retained_and_wait_before_deletion(world: World) -> None:
    keys = list(world.resources("AWS::KMS::Key"))
    assert len(keys) == len(KeyClass)
    for key in keys:
        assert key.properties["EnableKeyRotation"] is True
        assert key.properties["RotationPeriodInDays"] == 365
        assert key.properties["PendingWindowInDays"] == 30
        assert key.raw["DeletionPolicy"] == key.raw["UpdateReplacePolicy"] == "Retain"
        assert len(str(key.properties["KeyPolicy"])) < 32_768


def test_logical_ids_are_frozen(world: World) -> None:
    """A changed id replaces the key, and all that it encrypted could no longer be read."""
    assert {key.logical_id for key in world.resources("AWS::KMS::Key")} == {
        "KeysDataBAF9E35E",
        "KeysModelEC215355",
        "KeysLogs05AE90F5",
        "KeysSecrets4F67AF2F",
        "KeysWorkspace0312C9A2",
    }


def test_the_logs_key_names_the_regional_service_in_every_partition() -> None:
    """aws-cdk#28304: the global principal is refused when the log group is created."""
    app = new_app()
    build(app)
    templates = synth(app)
    for region, partition, principal in (
        ("cn-north-1", "aws-cn", "logs.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "aws-us-gov", "logs.us-gov-west-1.amazonaws.com"),
    ):
        key = World(templates, region=region, partition=partition).one("AWS::KMS::Key", "Logs")
        principals = [s["Principal"].get("Service") for s in key.properties["KeyPolicy"]["Statement"]]
        assert principal in principals
        assert '"arn:aws:' not in str(key.properties)


def test_the_key_stack_depends_on_nothing_and_never_names_an_endpoint(world: World) -> None:
    text = str(world.templates)
    assert "aws:SourceVpc" not in text
    assert "Fn::ImportValue" not in text
    assert "Fn::GetStackOutput" not in text


def test_an_existing_key_takes_the_place_of_a_new_one() -> None:
    app = new_app()
    stack = cdk.Stack(app, "Keys")
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000"
    given = kms.Key.from_key_arn(stack, "Given", arn)
    keys = EnvironmentKeys(stack, "Keys", perimeter=PERIMETER, existing={KeyClass.DATA: given})
    assert keys.arn(KeyClass.DATA) == arn
    assert keys.data is given
    assert len(list(World(synth(app)).resources("AWS::KMS::Key"))) == len(KeyClass) - 1


def test_a_grant_stands_on_the_role_and_makes_no_cycle() -> None:
    """aws-cdk#3732: a grant across stacks must not make the key's stack depend on the role's."""
    app = new_app()
    stack = cdk.Stack(app, "Keys")
    keys = EnvironmentKeys(stack, "Keys", perimeter=PERIMETER)
    people = cdk.Stack(app, "People")
    role = cdk.aws_iam.Role(
        people, "Role", assumed_by=cdk.aws_iam.ServicePrincipal("sagemaker.amazonaws.com")
    )
    keys.data.grant_decrypt(role)
    templates = synth(app)
    assert "kms:Decrypt" in str(templates["People"])
    assert "People" not in str(templates["Keys"])


def build_full(app: cdk.App) -> cdk.Stack:
    stack = cdk.Stack(app, "Keys")
    perimeter = DataPerimeter(
        organization="o-a1b2c3d4e5",
        accounts=("444455556666",),
        administrators=(ADMINISTRATOR,),
        break_glass_roles=(BREAK_GLASS,),
        erasure_roles=(f"{IAM}/ml-erasure",),
    )
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000"
    existing = {KeyClass.WORKSPACE: kms.Key.from_key_arn(stack, "Given", arn)}
    EnvironmentKeys(stack, "Keys", perimeter=perimeter, existing=existing, rotation_days=90)
    return stack


@pytest.mark.parametrize("form", [build, build_full])
def test_no_finding_of_the_packs(form: Callable[[cdk.App], cdk.Stack]) -> None:
    assert findings(form) == []


@pytest.mark.parametrize("form", [build, build_full])
def test_the_template(
    form: Callable[[cdk.App], cdk.Stack], snapshot_template: Callable[[dict[str, Any]], None]
) -> None:
    app = new_app()
    form(app)
    snapshot_template(synth(app)["Keys"])


# -- bad input ---------------------------------------------------------------------------------------


def test_an_aws_managed_alias_and_a_wrong_rotation_are_refused_together() -> None:
    stack = cdk.Stack(new_app(), "Keys")
    alias = kms.Alias.from_alias_name(stack, "Alias", "alias/aws/s3")
    with pytest.raises(ConfigurationError) as caught:
        EnvironmentKeys(stack, "Keys", perimeter=PERIMETER, existing={KeyClass.DATA: alias}, rotation_days=30)
    assert caught.value.where == "Keys/Keys"
    assert [problem.argument for problem in caught.value.problems] == ["existing[data]", "rotation_days"]
    assert stack.node.try_find_child("Keys") is None
