"""EncryptedDataLake: what reaches a zone and what does not, asked as decisions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.key_uses import KeyClass
from secure_ml_constructs.keys import EnvironmentKeys
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.storage import DatasetLock, EncryptedDataLake, LockMode, Zone
from tests.support.compliance import findings
from tests.support.decisions import ALLOW_ALL, Context, Decision, Policy, Request, Simulator
from tests.support.roles import job_role
from tests.support.templates import ACCOUNT, REGION, World, new_app, synth

pytestmark = pytest.mark.slow

IAM = f"arn:aws:iam::{ACCOUNT}:role"
ADMINISTRATOR = f"{IAM}/ml-platform-admin"
BREAK_GLASS = f"{IAM}/ml-break-glass"
ERASURE = f"{IAM}/ml-erasure"
DEPLOYING = f"{IAM}/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-{REGION}"
INSIDER = f"{IAM}/developer"
OUTSIDER = "arn:aws:iam::999988887777:role/stranger"
MACIE = f"{IAM}/aws-service-role/macie.amazonaws.com/AWSServiceRoleForAmazonMacie"
FEATURE_STORE = f"{IAM}/secure-ml/service/feature-store"
ENDPOINT = "vpce-0a1b2c3d4e5f60718"
INSIDE: dict[str, str] = {"aws:SourceVpce": ENDPOINT}
# What S3 sees where Athena reads for the caller: no VPC, and the mark of a forwarded call.
FORWARDED: dict[str, str] = {"aws:ViaAWSService": "true"}

ANY_ACCOUNT = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role"
PERIMETER = DataPerimeter(
    administrators=(f"{ANY_ACCOUNT}/ml-platform-admin",),
    break_glass_roles=(f"{ANY_ACCOUNT}/ml-break-glass",),
    erasure_roles=(f"{ANY_ACCOUNT}/ml-erasure",),
)


def build(app: cdk.App, *, together: bool = False, **arguments: Any) -> EncryptedDataLake:
    """A lake between its keys and its users: in three stacks, or in one."""
    keys_stack = cdk.Stack(app, "Keys")
    stack = keys_stack if together else cdk.Stack(app, "Lake")
    people = keys_stack if together else cdk.Stack(app, "People")
    keys = EnvironmentKeys(keys_stack, "Keys", perimeter=PERIMETER)
    lake = EncryptedDataLake(
        stack,
        "Lake",
        perimeter=PERIMETER,
        keys=keys,
        endpoints=[ENDPOINT],
        access_logs=s3.Bucket.from_bucket_name(stack, "AccessLogs", "access-logs"),
        **arguments,
    )
    training = job_role(people, "Training", PERIMETER)
    lake.grant_read("curated", training)
    lake.grant_write("models", training)
    return lake


@pytest.fixture(scope="session")
def world() -> World:
    app = new_app()
    build(app)
    return World(synth(app))


class Lake:
    """The lake with its policies at hand."""

    def __init__(self, world: World, simulator: Simulator) -> None:
        self.world = world
        self.simulator = simulator
        self.training = world.arn(world.one("AWS::IAM::Role", "Training"))
        self.training_policy: Policy = world.one("AWS::IAM::ManagedPolicy", "Training").properties[
            "PolicyDocument"
        ]

    def key(self, name: str = "Data") -> str:
        return self.world.arn(self.world.one("AWS::KMS::Key", name))

    def upload(self, name: str = "Data") -> dict[str, str]:
        return {
            "s3:x-amz-server-side-encryption": "aws:kms",
            "s3:x-amz-server-side-encryption-aws-kms-key-id": self.key(name),
        }

    def ask(
        self,
        principal: str | None,
        action: str,
        path: str | None = "curated/patients.parquet",
        context: Context | None = None,
        *,
        identity: Policy = ALLOW_ALL,
        bucket: str = "Data",
    ) -> Decision:
        resource = self.world.one("AWS::S3::Bucket", f"Lake{bucket}")
        arn = self.world.arn(resource)
        return self.simulator.decide(
            Request(
                principal=principal,
                action=action,
                resource=f"{arn}/{path}" if path else arn,
                context=context or {},
            ),
            identity=(identity,) if principal and principal.startswith("arn:") else (),
            resource_policy=self.world.bucket_policy(resource),
        )


@pytest.fixture(scope="session")
def lake(world: World, simulator: Simulator) -> Lake:
    return Lake(world, simulator)


# -- D3: from where, and by whom -----------------------------------------------------------------------


def test_a_role_of_the_environment_reads_through_its_endpoint_and_nowhere_else(lake: Lake) -> None:
    role = f"{IAM}/secure-ml/scientist"
    assert lake.ask(role, "s3:GetObject", context=INSIDE).allowed
    assert lake.ask(
        role, "s3:GetObject", context={"aws:SourceVpce": "vpce-99999999999999999"}
    ).denied_explicitly
    # Stolen credentials on the internet: the request has no endpoint at all.
    assert lake.ask(role, "s3:GetObject").denied_explicitly
    assert lake.ask(role, "s3:DeleteObject").denied_explicitly
    assert lake.ask(role, "s3:ListBucket", path=None).denied_explicitly
    assert lake.ask(role, "s3:ListBucket", path=None, context=INSIDE).allowed


def test_a_call_that_athena_makes_for_the_caller_works(lake: Lake) -> None:
    role = f"{IAM}/secure-ml/scientist"
    assert lake.ask(role, "s3:GetObject", context=FORWARDED).allowed
    assert lake.ask(role, "s3:PutObject", context={**FORWARDED, **lake.upload()}).allowed


@pytest.mark.parametrize("role", [MACIE, FEATURE_STORE, BREAK_GLASS])
def test_the_named_exceptions_pass_without_an_endpoint(lake: Lake, role: str) -> None:
    assert lake.ask(role, "s3:GetObject").allowed


def test_outsiders_and_anonymous_callers_get_nothing_even_through_the_endpoint(lake: Lake) -> None:
    assert lake.ask(OUTSIDER, "s3:GetObject", context=INSIDE).denied_explicitly
    assert lake.ask(OUTSIDER, "s3:GetObject", context=FORWARDED).denied_explicitly
    assert not lake.ask(None, "s3:GetObject", context=INSIDE).allowed


def test_the_deploying_role_changes_the_policy_and_reads_no_object(lake: Lake) -> None:
    assert lake.ask(DEPLOYING, "s3:PutBucketPolicy", path=None).allowed
    assert lake.ask(DEPLOYING, "s3:PutLifecycleConfiguration", path=None).allowed
    assert lake.ask(DEPLOYING, "s3:GetBucketPolicy", path=None).allowed
    # HeadBucket: CloudFormation asks whether the bucket is there.
    assert lake.ask(DEPLOYING, "s3:ListBucket", path=None).allowed
    for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:GetObjectVersion"):
        assert lake.ask(DEPLOYING, action).denied_explicitly


def test_nobody_else_changes_the_bucket(lake: Lake) -> None:
    for action in (
        "s3:PutBucketPolicy",
        "s3:PutEncryptionConfiguration",
        "s3:DeleteBucket",
        "s3:PutBucketAcl",
    ):
        for principal in (INSIDER, f"{IAM}/secure-ml/scientist", ERASURE):
            assert lake.ask(principal, action, path=None, context=INSIDE).denied_explicitly
        assert lake.ask(ADMINISTRATOR, action, path=None).allowed
    # Looking at the configuration is free: AWS Config, Access Analyzer and auditors do.
    assert lake.ask(INSIDER, "s3:GetEncryptionConfiguration", path=None).allowed


# -- D4: destruction -----------------------------------------------------------------------------------


def test_versions_are_destroyed_by_named_roles_only(lake: Lake) -> None:
    for principal in (INSIDER, DEPLOYING, f"{IAM}/secure-ml/scientist"):
        assert lake.ask(principal, "s3:DeleteObjectVersion", context=INSIDE).denied_explicitly
        assert lake.ask(principal, "s3:PutBucketVersioning", path=None, context=INSIDE).denied_explicitly
    for principal in (ADMINISTRATOR, ERASURE, BREAK_GLASS):
        assert lake.ask(principal, "s3:DeleteObjectVersion", context=INSIDE).allowed
    # A delete marker is no destruction.
    assert lake.ask(f"{IAM}/secure-ml/scientist", "s3:DeleteObject", context=INSIDE).allowed


# -- D1, E2: encryption and transport ------------------------------------------------------------------


def test_only_uploads_under_the_zones_key_are_taken(lake: Lake) -> None:
    role = f"{IAM}/secure-ml/scientist"

    def put(bucket: str = "Data", **headers: str) -> Decision:
        names = {"algorithm": "", "key": "-aws-kms-key-id", "customer": "-customer-algorithm"}
        context = {f"s3:x-amz-server-side-encryption{names[k]}": v for k, v in headers.items()}
        path = "models/model.tar.gz" if bucket == "Model" else "curated/patients.parquet"
        return lake.ask(role, "s3:PutObject", path, {**INSIDE, **context}, bucket=bucket)

    assert put(algorithm="aws:kms", key=lake.key("Data")).allowed
    assert put("Model", algorithm="aws:kms", key=lake.key("Model")).allowed
    assert put().denied_explicitly
    assert put(algorithm="AES256").denied_explicitly
    assert put(algorithm="aws:kms").denied_explicitly, "S3 would take the AWS-managed key"
    assert put(algorithm="aws:kms", key=lake.key("Logs")).denied_explicitly
    assert put("Model", algorithm="aws:kms", key=lake.key("Data")).denied_explicitly
    assert put(algorithm="aws:kms:dsse", key=lake.key("Data")).denied_explicitly
    assert put(algorithm="aws:kms", key=lake.key("Data"), customer="AES256").denied_explicitly


def test_bucket_default_encryption_takes_an_upload_without_headers_and_no_wrong_one(
    simulator: Simulator,
) -> None:
    app = new_app()
    build(app, bucket_default_encryption=True)
    lake = Lake(World(synth(app)), simulator)
    role = f"{IAM}/secure-ml/scientist"
    algorithm = "s3:x-amz-server-side-encryption"
    assert lake.ask(role, "s3:PutObject", context=INSIDE).allowed
    assert lake.ask(role, "s3:PutObject", context={**INSIDE, **lake.upload()}).allowed
    assert lake.ask(role, "s3:PutObject", context={**INSIDE, algorithm: "AES256"}).denied_explicitly
    assert lake.ask(role, "s3:PutObject", context={**INSIDE, algorithm: "aws:kms"}).denied_explicitly
    wrong = {**INSIDE, **lake.upload("Logs")}
    assert lake.ask(role, "s3:PutObject", context=wrong).denied_explicitly


def test_plain_http_and_old_tls_are_refused(lake: Lake) -> None:
    role = f"{IAM}/secure-ml/scientist"
    assert lake.ask(role, "s3:GetObject", context={**INSIDE, "s3:TlsVersion": "1.3"}).allowed
    assert lake.ask(role, "s3:GetObject", context={**INSIDE, "s3:TlsVersion": "1.2"}).allowed
    assert lake.ask(role, "s3:GetObject", context={**INSIDE, "s3:TlsVersion": "1.1"}).denied_explicitly
    assert lake.ask(
        role, "s3:GetObject", context={**INSIDE, "aws:SecureTransport": "false"}
    ).denied_explicitly


# -- D6: zones -----------------------------------------------------------------------------------------


def test_a_training_role_reads_its_input_writes_its_output_and_nothing_else(lake: Lake) -> None:
    def ask(action: str, path: str | None, bucket: str, **context: str) -> bool:
        return lake.ask(
            lake.training,
            action,
            path,
            {**INSIDE, **context},
            identity=lake.training_policy,
            bucket=bucket,
        ).allowed

    assert ask("s3:GetObject", "curated/patients.parquet", "Data")
    assert ask("s3:PutObject", "models/1/model.tar.gz", "Model", **lake.upload("Model"))
    assert ask("s3:AbortMultipartUpload", "models/1/model.tar.gz", "Model")
    assert ask("s3:ListBucket", None, "Data", **{"s3:prefix": "curated/2026/"})
    for action, path, bucket in (
        ("s3:GetObject", "raw/patients.csv", "Data"),
        ("s3:GetObject", "curated-copy/patients.csv", "Data"),
        ("s3:GetObject", "models/1/model.tar.gz", "Model"),
        ("s3:DeleteObjectVersion", "models/1/model.tar.gz", "Model"),
    ):
        assert not ask(action, path, bucket), (action, path)
    assert not ask("s3:PutObject", "curated/poison.parquet", "Data", **lake.upload())
    assert not ask("s3:ListBucket", None, "Data", **{"s3:prefix": "raw/"})
    assert not ask("s3:ListBucket", None, "Data")


def test_the_key_follows_the_zone(lake: Lake) -> None:
    """Reading takes Decrypt on the zone's key, by the role's policy and by the key's."""
    for name, action, expected in (
        ("Data", "kms:Decrypt", True),
        ("Data", "kms:GenerateDataKey", False),
        ("Model", "kms:GenerateDataKey", True),
        ("Model", "kms:Decrypt", True),
        ("Secrets", "kms:Decrypt", False),
    ):
        key = lake.world.one("AWS::KMS::Key", name)
        request = Request(
            principal=lake.training,
            action=action,
            resource=lake.world.arn(key),
            context={"kms:ViaService": f"s3.{REGION}.amazonaws.com", **FORWARDED},
        )
        decision = lake.simulator.decide(
            request, identity=(lake.training_policy,), resource_policy=key.properties["KeyPolicy"]
        )
        assert decision.allowed is expected, (name, action)


def test_granting_twice_changes_nothing() -> None:
    once, twice = new_app(), new_app()
    build(once)
    lake = build(twice)
    role = twice.node.find_child("People").node.find_child("Training")
    lake.grant_read("curated", role)  # type: ignore[arg-type]
    assert synth(once) == synth(twice)


# -- the template --------------------------------------------------------------------------------------


def test_every_bucket_is_versioned_private_logged_and_retained(world: World) -> None:
    buckets = list(world.resources("AWS::S3::Bucket"))
    assert len(buckets) == 2
    for bucket in buckets:
        properties = bucket.properties
        assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
        assert len(properties["PublicAccessBlockConfiguration"]) == 4
        assert properties["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        assert properties["LoggingConfiguration"]["DestinationBucketName"] == "access-logs"
        assert bucket.raw["DeletionPolicy"] == bucket.raw["UpdateReplacePolicy"] == "Retain"
        (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
        assert rule["BucketKeyEnabled"] is True
        assert len(str(world.bucket_policy(bucket))) < 20_480


def test_lifecycle_follows_the_zones(world: World) -> None:
    rules = {
        rule["Id"]: rule
        for bucket in world.resources("AWS::S3::Bucket")
        for rule in bucket.properties["LifecycleConfiguration"]["Rules"]
    }
    assert set(rules) == {"raw", "curated", "features", "models", "output"}
    assert rules["output"]["ExpirationInDays"] == 365
    assert rules["raw"]["Transitions"] == [{"StorageClass": "GLACIER_IR", "TransitionInDays": 180}]
    assert all(rule["Prefix"] == f"{name}/" for name, rule in rules.items())


def test_the_catalog_opens_no_table_by_itself(world: World) -> None:
    databases = list(world.resources("AWS::Glue::Database"))
    assert len(databases) == 5
    assert all(d.properties["DatabaseInput"]["CreateTableDefaultPermissions"] == [] for d in databases)
    assert len({d.properties["DatabaseInput"]["Name"] for d in databases}) == 5
    locations = {r.properties["ResourceArn"] for r in world.resources("AWS::LakeFormation::Resource")}
    assert len(locations) == 5
    assert all(not location.endswith("/") for location in locations)
    granted = {
        tuple(r.properties["Permissions"])
        for r in world.resources("AWS::LakeFormation::PrincipalPermissions")
    }
    assert ("SELECT", "DESCRIBE") in granted


def test_a_lake_without_a_catalog_has_none() -> None:
    app = new_app()
    build(app, catalog=False)
    types = {r["Type"] for t in synth(app).values() for r in t["Resources"].values()}
    assert not any("Glue" in name or "LakeFormation" in name for name in types)


def test_logical_ids_are_frozen(world: World) -> None:
    """A changed id replaces the bucket; the data would stay behind in one that nothing names."""
    assert {bucket.logical_id for bucket in world.resources("AWS::S3::Bucket")} == {
        "LakeData97EF135C",
        "LakeModel21E69AD1",
    }


def test_a_locked_zone_has_a_bucket_of_its_own() -> None:
    app = new_app()
    zones = (
        Zone(name="curated"),
        Zone(name="models", key_class=KeyClass.MODEL),
        Zone(name="trial-2026", lock=DatasetLock(mode=LockMode.COMPLIANCE, days=3650)),
    )
    build(app, zones=zones)
    world = World(synth(app))
    bucket = world.one("AWS::S3::Bucket", "LakeTrial2026Locked")
    assert bucket.properties["ObjectLockEnabled"] is True
    assert bucket.properties["ObjectLockConfiguration"] == {
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 3650}},
    }
    assert "ObjectLockEnabled" not in world.one("AWS::S3::Bucket", "LakeData").properties


def test_one_stack_or_many_and_no_cycle() -> None:
    """aws-cdk#26539: grants across stacks; each arrangement must synthesize."""
    apart, together = new_app(), new_app()
    build(apart)
    build(together, together=True)
    templates = synth(apart)
    synth(together)
    assert "People" not in str(templates["Lake"]) + str(templates["Keys"])
    assert '"Export"' not in str(templates)


def test_no_partition_is_written_down(world: World) -> None:
    assert "arn:aws:" not in json.dumps(world.templates)


def test_the_template(world: World, snapshot_template: Callable[[dict[str, Any]], None]) -> None:
    snapshot_template(world.templates["Lake"])


FULL: dict[str, Any] = {
    "zones": (
        Zone(name="raw", prefix="landing/raw/", personal_data=True, expire_days=900, archive_days=90),
        Zone(name="curated", personal_data=True, old_version_days=7),
        Zone(name="trial-2026", lock=DatasetLock(mode=LockMode.COMPLIANCE, days=3650)),
        Zone(name="models", key_class=KeyClass.MODEL, lock=DatasetLock(days=30)),
    ),
    "bucket_default_encryption": True,
}


@pytest.mark.parametrize("arguments", [{}, {"together": True}, FULL], ids=["default", "together", "full"])
def test_no_finding_of_the_packs(arguments: dict[str, Any]) -> None:
    assert findings(lambda app: build(app, **arguments)) == []


def test_the_full_template(snapshot_template: Callable[[dict[str, Any]], None]) -> None:
    app = new_app()
    build(app, **FULL)
    snapshot_template(synth(app)["Lake"])


# -- destruction takes two things, and other bad input -------------------------------------------------


def test_data_is_let_go_with_argument_and_flag_only() -> None:
    with pytest.raises(ConfigurationError, match="allow-data-loss"):
        build(new_app(), removal_policy=cdk.RemovalPolicy.DESTROY)
    app = new_app(**{"secure-ml:allow-data-loss": True})
    build(app, removal_policy=cdk.RemovalPolicy.DESTROY)
    assert World(synth(app)).one("AWS::S3::Bucket", "LakeData").raw["DeletionPolicy"] == "Delete"


@pytest.mark.parametrize(
    ("arguments", "argument", "reason"),
    [
        ({"zones": ()}, "zones", "needs a zone"),
        ({"zones": (Zone(name="a"), Zone(name="a"))}, "zones[1].name", "Two zones"),
        (
            {"zones": (Zone(name="a", prefix="data/"), Zone(name="b", prefix="data/b/"))},
            "zones[1].prefix",
            "holds the other",
        ),
        ({"zones": (Zone(name="Raw Data"),)}, "zones[0].name", "lower-case"),
        ({"zones": (Zone(name="a", prefix="/data"),)}, "zones[0].prefix", "ends with a slash"),
        ({"zones": (Zone(name="a", prefix="*/"),)}, "zones[0].prefix", "no wildcard"),
        ({"zones": (Zone(name="a", key_class=KeyClass.LOGS),)}, "zones[0].key_class", "data and models"),
        ({"zones": (Zone(name="a", expire_days=0),)}, "zones[0].expire_days", "1 day"),
        ({"zones": (Zone(name="a", old_version_days=6),)}, "zones[0].old_version_days", "noticed"),
        ({"zones": (Zone(name="a", expire_days=30, archive_days=90),)}, "zones[0].archive_days", "expire"),
        ({"zones": (Zone(name="a", lock=DatasetLock(days=0)),)}, "zones[0].lock.days", "1 day"),
        (
            {
                "zones": (
                    Zone(
                        name="a",
                        personal_data=True,
                        lock=DatasetLock(mode=LockMode.COMPLIANCE, days=10),
                    ),
                )
            },
            "zones[0].lock.mode",
            "erase a person's records",
        ),
    ],
)
def test_a_wrong_zone_is_refused(arguments: dict[str, Any], argument: str, reason: str) -> None:
    app = new_app()
    with pytest.raises(ConfigurationError) as caught:
        build(app, **arguments)
    assert caught.value.where == "Lake/Lake"
    assert [problem.argument for problem in caught.value.problems] == [argument]
    assert reason in caught.value.problems[0].reason
    assert app.node.find_child("Lake").node.try_find_child("Lake") is None


def test_an_imported_role_gets_its_policy_as_well() -> None:
    app = new_app()
    lake = build(app)
    for name in ("one", "two"):
        lake.grant_read("curated", iam.Role.from_role_arn(lake, name, f"{IAM}/secure-ml/{name}"))
    lake.grant_read("raw", iam.Role.from_role_arn(lake, "other", f"{IAM}/secure-ml/one"))
    world = World(synth(app))
    policies = [policy for policy in world.resources("AWS::IAM::ManagedPolicy") if policy.stack == "Lake"]
    assert sorted(policy.properties["Roles"][0] for policy in policies) == ["one", "one", "two"]


def test_a_zone_that_does_not_exist_is_named() -> None:
    app = new_app()
    lake = build(app)
    role = iam.Role.from_role_arn(lake, "Other", f"{IAM}/secure-ml/other")
    with pytest.raises(ConfigurationError, match=r"'gold'.*Write one of raw, curated"):
        lake.grant_read("gold", role)


def test_no_endpoint_is_refused() -> None:
    app = new_app()
    stack = cdk.Stack(app, "Lake")
    with pytest.raises(ConfigurationError, match="endpoints"):
        EncryptedDataLake(
            stack,
            "Lake",
            perimeter=PERIMETER,
            keys=EnvironmentKeys(stack, "Keys", perimeter=PERIMETER),
            endpoints=[],
            access_logs=s3.Bucket.from_bucket_name(stack, "AccessLogs", "access-logs"),
        )
