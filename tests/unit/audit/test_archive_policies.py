"""The two bucket policies, asked as decisions: who delivers, reads, configures, and that nobody destroys."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.decisions import ALLOW_ALL, Decision, Request, Simulator
from tests.support.templates import ACCOUNT, REGION, World
from tests.unit.audit.environment import (
    ADMINISTRATOR,
    AUDITOR,
    BREAK_GLASS,
    DEPLOYING,
    ENDPOINT,
    FOREIGN,
    INSIDER,
    WRITER,
)

pytestmark = [pytest.mark.decision, pytest.mark.slow]

Context = Mapping[str, str | list[str] | None]
HERE: Context = {"aws:SourceVpce": ENDPOINT}
ACL = {"s3:x-amz-acl": "bucket-owner-full-control"}
DELIVERED = f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/2026/11/21/file.json.gz"
TRAIL = {"aws:SourceArn": f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/audit"}
FLOW = {
    "aws:SourceAccount": ACCOUNT,
    "aws:SourceArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:delivery-source:flow",
}
SERVER = {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": "arn:aws:s3:::lake-raw"}
EVERYONE = (INSIDER, AUDITOR, ADMINISTRATOR, BREAK_GLASS, DEPLOYING)
ARCHIVE, ACCESS_LOGS = "ArchiveBucket", "AccessLogsBucket"


def decide(
    world: World,
    simulator: Simulator,
    principal: str | None,
    action: str,
    key: str | None = None,
    context: Context | None = None,
    *,
    bucket: str = ARCHIVE,
    identity: tuple[Any, ...] = (ALLOW_ALL,),
) -> bool:
    return ask(world, simulator, principal, action, key, context, bucket=bucket, identity=identity).allowed


def ask(
    world: World,
    simulator: Simulator,
    principal: str | None,
    action: str,
    key: str | None = None,
    context: Context | None = None,
    *,
    bucket: str = ARCHIVE,
    identity: tuple[Any, ...] = (ALLOW_ALL,),
) -> Decision:
    resource = world.one("AWS::S3::Bucket", bucket)
    arn = world.arn(resource)
    return simulator.decide(
        Request(
            principal=principal,
            action=action,
            resource=arn if key is None else f"{arn}/{key}",
            context=context or {},
        ),
        identity=identity if principal and principal.startswith("arn:") else (),
        resource_policy=world.bucket_policy(resource),
    )


def foreign(context: Context) -> Context:
    return {k: v.replace(ACCOUNT, FOREIGN) if isinstance(v, str) else v for k, v in context.items()}


# -- deliveries --------------------------------------------------------------------------------------


def test_our_trail_delivers_and_a_foreign_one_does_not(audit: World, simulator: Simulator) -> None:
    service = "cloudtrail.amazonaws.com"
    logs_key = audit.arn(audit.one("AWS::KMS::Key", "Logs"))
    encrypted = {
        "s3:x-amz-server-side-encryption": "aws:kms",
        "s3:x-amz-server-side-encryption-aws-kms-key-id": logs_key,
    }
    ours = {**TRAIL, **ACL}
    assert decide(audit, simulator, service, "s3:GetBucketAcl", context=TRAIL)
    assert decide(audit, simulator, service, "s3:PutObject", DELIVERED, ours)
    assert decide(audit, simulator, service, "s3:PutObject", DELIVERED, {**ours, **encrypted})
    assert not decide(audit, simulator, service, "s3:PutObject", DELIVERED, foreign(ours))
    assert not decide(audit, simulator, service, "s3:PutObject", DELIVERED, TRAIL)
    assert not decide(audit, simulator, service, "s3:PutObject", f"AWSLogs/{FOREIGN}/file.json.gz", ours)
    assert not decide(audit, simulator, service, "s3:GetBucketAcl", context=foreign(TRAIL))
    assert not decide(audit, simulator, service, "s3:GetObject", DELIVERED, TRAIL)


def test_log_delivery_writes_for_our_account_only(audit: World, simulator: Simulator) -> None:
    service = "delivery.logs.amazonaws.com"
    key = f"AWSLogs/{ACCOUNT}/vpcflowlogs/{REGION}/file.gz"
    assert decide(audit, simulator, service, "s3:GetBucketAcl", context=FLOW)
    assert decide(audit, simulator, service, "s3:PutObject", key, {**FLOW, **ACL})
    assert not decide(audit, simulator, service, "s3:PutObject", key, {**foreign(FLOW), **ACL})
    assert not decide(audit, simulator, service, "s3:PutObject", key, FLOW)
    assert not decide(audit, simulator, service, "s3:GetBucketAcl", context=foreign(FLOW))


@pytest.mark.parametrize(
    "header",
    [
        {"s3:x-amz-server-side-encryption": "AES256"},
        {
            "s3:x-amz-server-side-encryption": "aws:kms",
            "s3:x-amz-server-side-encryption-aws-kms-key-id": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/other",
        },
    ],
)
def test_a_delivery_under_another_key_is_refused(
    audit: World, simulator: Simulator, header: dict[str, str]
) -> None:
    context = {**TRAIL, **ACL, **header}
    assert not decide(audit, simulator, "cloudtrail.amazonaws.com", "s3:PutObject", DELIVERED, context)


def test_server_access_logs_come_from_our_buckets_only(audit: World, simulator: Simulator) -> None:
    def logged(
        context: Context, key: str = "access-logs/lake/2026-11-21-A", bucket: str = ACCESS_LOGS
    ) -> bool:
        return decide(
            audit, simulator, "logging.s3.amazonaws.com", "s3:PutObject", key, context, bucket=bucket
        )

    assert logged(SERVER)
    assert not logged(foreign(SERVER))
    assert not logged({"aws:SourceAccount": ACCOUNT})
    # A bucket's owner picks the prefix: it must not be one that looks like a trail's.
    assert not logged(SERVER, f"AWSLogs/{ACCOUNT}/CloudTrail/forged.json.gz")
    assert not logged(SERVER, bucket=ARCHIVE)


def test_access_logs_are_read_by_the_environment_only_and_not_by_way_of_a_service(
    audit: World, simulator: Simulator
) -> None:
    def reads(principal: str, context: Context) -> bool:
        key = "access-logs/lake/2026-11-21-A"
        return decide(audit, simulator, principal, "s3:GetObject", key, context, bucket=ACCESS_LOGS)

    by_athena: Context = {"aws:ViaAWSService": "true", "aws:CalledVia": ["athena.amazonaws.com"]}
    for context in (HERE, by_athena):
        assert reads(AUDITOR, context)
        assert not reads(INSIDER, context)
        assert not reads(ADMINISTRATOR, context)
    assert reads(BREAK_GLASS, {})


def test_the_replication_role_moves_access_logs_and_does_nothing_else(
    audit: World, simulator: Simulator
) -> None:
    role = audit.arn(audit.one("AWS::IAM::Role", "ReplicationRole"))
    own = (audit.one("AWS::IAM::ManagedPolicy", "ReplicationPolicy").properties["PolicyDocument"],)
    key = "access-logs/lake/2026-11-21-A"

    def can(action: str, key: str | None = key, bucket: str = ARCHIVE) -> bool:
        return decide(audit, simulator, role, action, key, bucket=bucket, identity=own)

    assert can("s3:GetReplicationConfiguration", None, ACCESS_LOGS)
    assert can("s3:ListBucket", None, ACCESS_LOGS)
    for action in ("GetObjectVersionForReplication", "GetObjectVersionAcl", "GetObjectVersionTagging"):
        assert can(f"s3:{action}", bucket=ACCESS_LOGS)
    assert can("s3:ReplicateObject")
    assert can("s3:ReplicateTags")
    assert not can("s3:ReplicateDelete")
    assert not can("s3:ReplicateObject", DELIVERED)
    assert not can("s3:GetObject")
    assert not can("s3:PutObject", bucket=ACCESS_LOGS)


def test_the_replication_role_encrypts_replicas_of_the_archive_only(
    audit: World, simulator: Simulator
) -> None:
    role = audit.arn(audit.one("AWS::IAM::Role", "ReplicationRole"))
    own = audit.one("AWS::IAM::ManagedPolicy", "ReplicationPolicy").properties["PolicyDocument"]
    key = audit.one("AWS::KMS::Key", "Logs")
    archive = audit.arn(audit.one("AWS::S3::Bucket", ARCHIVE))

    def can(action: str, context: str, service: str = "s3") -> bool:
        request = Request(
            principal=role,
            action=action,
            resource=audit.arn(key),
            context={
                "kms:EncryptionContext:aws:s3:arn": context,
                "kms:ViaService": f"{service}.{REGION}.amazonaws.com",
            },
        )
        policy = key.properties["KeyPolicy"]
        return simulator.decide(request, identity=(own,), resource_policy=policy).allowed

    for action in ("kms:Encrypt", "kms:GenerateDataKey"):
        assert can(action, archive)
        assert can(action, f"{archive}/access-logs/lake/2026-11-21-A")
        assert not can(action, "arn:aws:s3:::elsewhere")
        assert not can(action, archive, "ec2")
    assert not can("kms:Decrypt", archive)


# -- nobody destroys ---------------------------------------------------------------------------------

OBJECT_DESTRUCTION = (
    "s3:BypassGovernanceRetention",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:InitiateReplication",
    "s3:PutObjectRetention",
    "s3:ReplicateDelete",
    "s3:UpdateObjectEncryption",
)
BUCKET_DESTRUCTION = ("s3:DeleteBucket", "s3:DeleteBucketPolicy")


@pytest.mark.parametrize("bucket", [ARCHIVE, ACCESS_LOGS])
@pytest.mark.parametrize("principal", [*EVERYONE, "s3.amazonaws.com", "cloudtrail.amazonaws.com"])
def test_nobody_deletes_shortens_or_bypasses(
    audit: World, simulator: Simulator, principal: str, bucket: str
) -> None:
    context = HERE if principal.startswith("arn:") else TRAIL
    for actions, key in ((OBJECT_DESTRUCTION, DELIVERED), (BUCKET_DESTRUCTION, None)):
        for action in actions:
            decision = ask(audit, simulator, principal, action, key, context, bucket=bucket)
            assert decision.denied_explicitly, action


@pytest.mark.parametrize("principal", [INSIDER, AUDITOR, ADMINISTRATOR, BREAK_GLASS])
def test_only_who_deploys_configures(audit: World, simulator: Simulator, principal: str) -> None:
    for bucket, action in itertools.product(
        (ARCHIVE, ACCESS_LOGS),
        (
            "s3:PutBucketPolicy",
            "s3:PutLifecycleConfiguration",
            "s3:PutBucketObjectLockConfiguration",
            "s3:PutBucketVersioning",
            "s3:PutBucketLogging",
            "s3:PutReplicationConfiguration",
            "s3:PutEncryptionConfiguration",
            "s3:PutBucketPublicAccessBlock",
        ),
    ):
        assert not decide(audit, simulator, principal, action, None, HERE, bucket=bucket), action
        assert decide(audit, simulator, DEPLOYING, action, bucket=bucket), action


def test_who_deploys_never_touches_an_object(audit: World, simulator: Simulator) -> None:
    # By our endpoint, by none, and through a service that acts for it.
    for context in (HERE, {}, {"aws:ViaAWSService": "true"}):
        for action in ("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:RestoreObject"):
            for bucket in (ARCHIVE, ACCESS_LOGS):
                assert not decide(audit, simulator, DEPLOYING, action, DELIVERED, context, bucket=bucket)
    # CloudFormation looks whether the bucket is there.
    assert decide(audit, simulator, DEPLOYING, "s3:ListBucket")


# -- who reads and writes ----------------------------------------------------------------------------


def test_an_auditor_reads_by_the_endpoint_and_through_athena(audit: World, simulator: Simulator) -> None:
    def reads(context: Context, principal: str | None = AUDITOR) -> bool:
        return decide(audit, simulator, principal, "s3:GetObject", DELIVERED, context)

    assert reads(HERE)
    assert reads({"aws:ViaAWSService": "true"})
    assert not reads({})
    assert not reads({"aws:SourceVpce": "vpce-0deadbeefdeadbeef"})
    assert not reads(HERE, None)
    assert reads({}, BREAK_GLASS)
    assert decide(audit, simulator, AUDITOR, "s3:ListBucket", None, HERE)
    assert not decide(audit, simulator, AUDITOR, "s3:ListBucket")


@pytest.mark.parametrize("bucket", [ARCHIVE, ACCESS_LOGS])
def test_a_foreign_account_is_denied_whatever_is_allowed_later(
    audit: World, simulator: Simulator, bucket: str
) -> None:
    stranger = AUDITOR.replace(ACCOUNT, FOREIGN)
    for action, key in (("s3:GetObject", DELIVERED), ("s3:ListBucket", None), ("s3:GetBucketPolicy", None)):
        assert ask(audit, simulator, stranger, action, key, HERE, bucket=bucket).denied_explicitly, action


def test_transport_is_tls_1_2(audit: World, simulator: Simulator) -> None:
    for bucket in (ARCHIVE, ACCESS_LOGS):

        def reads(context: Context, bucket: str = bucket) -> bool:
            return decide(
                audit, simulator, AUDITOR, "s3:GetObject", DELIVERED, {**HERE, **context}, bucket=bucket
            )

        assert reads({"s3:TlsVersion": "1.2"})
        assert not reads({"s3:TlsVersion": "1.1"})
        assert not reads({"aws:SecureTransport": "false"})


@pytest.mark.parametrize("principal", EVERYONE)
def test_nobody_of_ours_writes_over_a_log(audit: World, simulator: Simulator, principal: str) -> None:
    for action, bucket in itertools.product(
        ("s3:PutObject", "s3:PutObjectTagging", "s3:ReplicateObject"), (ARCHIVE, ACCESS_LOGS)
    ):
        assert not decide(audit, simulator, principal, action, DELIVERED, HERE, bucket=bucket)


def test_a_named_writer_writes(full: World, audit: World, simulator: Simulator) -> None:
    assert decide(full, simulator, WRITER, "s3:PutObject", "reports/2026.pdf")
    assert not decide(full, simulator, WRITER, "s3:DeleteObject", "reports/2026.pdf")
    assert not decide(audit, simulator, WRITER, "s3:PutObject", "reports/2026.pdf")


def test_a_legal_hold_is_the_administrators(audit: World, simulator: Simulator) -> None:
    for principal, expected in {
        ADMINISTRATOR: True,
        BREAK_GLASS: True,
        AUDITOR: False,
        INSIDER: False,
    }.items():
        assert decide(audit, simulator, principal, "s3:PutObjectLegalHold", DELIVERED, HERE) is expected


def test_a_policy_fits_into_what_s3_takes(audit: World, full: World) -> None:
    for world in (audit, full):
        for policy in world.resources("AWS::S3::BucketPolicy"):
            assert len(json.dumps(policy.properties["PolicyDocument"])) < 20_480
