"""LogArchive: the template, bad input, and where it can stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms

from secure_ml_constructs.audit import LogArchive, ObjectLockMode
from secure_ml_constructs.errors import ConfigurationError
from tests.support.compliance import findings
from tests.support.templates import ACCOUNT, REGION, World, new_app
from tests.unit.audit.environment import ENDPOINT, PERIMETER, build, build_full

KEY_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000"


def archive(world: World) -> dict[str, Any]:
    properties: dict[str, Any] = world.one("AWS::S3::Bucket", "ArchiveBucket").properties
    return properties


def access_logs(world: World) -> dict[str, Any]:
    properties: dict[str, Any] = world.one("AWS::S3::Bucket", "AccessLogs").properties
    return properties


def test_the_archive_locks_every_version_for_seven_years(audit: World) -> None:
    bucket = archive(audit)
    assert bucket["ObjectLockEnabled"] is True
    assert bucket["ObjectLockConfiguration"] == {
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Days": 2555, "Mode": "COMPLIANCE"}},
    }


def test_retention_and_mode_can_be_chosen(full: World) -> None:
    lock = archive(full)["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert lock == {"Days": 400, "Mode": "GOVERNANCE"}


@pytest.mark.parametrize("which", [archive, access_logs])
def test_both_buckets_are_closed_and_versioned(
    audit: World, which: Callable[[World], dict[str, Any]]
) -> None:
    bucket = which(audit)
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert "BucketName" not in bucket


def test_the_archive_is_under_the_logs_key(audit: World) -> None:
    (rule,) = archive(audit)["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule == {
        "BucketKeyEnabled": True,
        "ServerSideEncryptionByDefault": {
            "KMSMasterKeyID": audit.arn(audit.one("AWS::KMS::Key", "Logs")),
            "SSEAlgorithm": "aws:kms",
        },
    }


def test_the_lifecycle_ends_nothing_before_its_retention(audit: World, full: World) -> None:
    for world in (audit, full):
        bucket = archive(world)
        days = bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]["Days"]
        expirations = [
            rule["ExpirationInDays"]
            for rule in bucket["LifecycleConfiguration"]["Rules"]
            if "ExpirationInDays" in rule
        ]
        assert len(expirations) == 1
        assert expirations[0] > days


def test_cold_logs_stay_readable_for_athena(audit: World) -> None:
    transitions = [
        transition["StorageClass"]
        for rule in archive(audit)["LifecycleConfiguration"]["Rules"]
        for transition in rule.get("Transitions", [])
    ]
    assert transitions == ["GLACIER_IR"]


def test_access_logs_arrive_where_s3_can_deliver_them(audit: World) -> None:
    bucket = access_logs(audit)
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    assert not {"ObjectLockEnabled", "ObjectLockConfiguration"} & set(bucket)


def test_access_logs_are_replicated_into_the_archive_under_the_customer_key(audit: World) -> None:
    replication = access_logs(audit)["ReplicationConfiguration"]
    assert replication["Role"] == audit.arn(audit.one("AWS::IAM::Role", "ReplicationRole"))
    assert replication["Rules"] == [
        {
            "DeleteMarkerReplication": {"Status": "Disabled"},
            "Destination": {
                "Bucket": audit.arn(audit.one("AWS::S3::Bucket", "ArchiveBucket")),
                "EncryptionConfiguration": {"ReplicaKmsKeyID": audit.arn(audit.one("AWS::KMS::Key", "Logs"))},
            },
            "Filter": {"Prefix": "access-logs/"},
            "Id": "ToArchive",
            "Priority": 1,
            "SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Enabled"}},
            "Status": "Enabled",
        }
    ]


def test_the_archive_does_not_log_into_what_replicates_into_it(audit: World) -> None:
    """Neither bucket could be created first, and each replica would be logged again."""
    assert "LoggingConfiguration" not in archive(audit)
    assert "LoggingConfiguration" not in access_logs(audit)


def test_a_given_access_log_bucket_takes_the_archives_own_logs(full: World) -> None:
    assert archive(full)["LoggingConfiguration"] == {
        "DestinationBucketName": "our-access-logs",
        "LogFilePrefix": "access-logs/archive/",
    }
    assert not list(full.resources("AWS::S3::Bucket", "AccessLogs"))
    assert not list(full.resources("AWS::IAM::Role", "Replication"))


def test_only_s3_assumes_the_replication_role(audit: World) -> None:
    role = audit.one("AWS::IAM::Role", "ReplicationRole").properties
    assert role["Path"] == PERIMETER.service_role_path
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
    # S3 is not documented to send a source when it replicates: a condition on one would stop it.
    assert "Condition" not in statement


def test_logical_ids_are_frozen_and_what_they_name_is_retained(audit: World) -> None:
    """A changed id makes an empty archive, and leaves the old one behind for as long as it is locked."""
    stateful = [*audit.resources("AWS::S3::Bucket"), *audit.resources("AWS::S3::BucketPolicy")]
    assert {resource.logical_id for resource in stateful} == {
        "ArchiveBucketDB32D495",
        "ArchiveBucketPolicyCBA54CA7",
        "ArchiveAccessLogsBucket27B0A470",
        "ArchiveAccessLogsBucketPolicy750F5CC1",
    }
    for resource in stateful:
        assert resource.raw["DeletionPolicy"] == resource.raw["UpdateReplacePolicy"] == "Retain"


def test_prefixes_lie_where_s3_may_write() -> None:
    stack = cdk.Stack(new_app(), "Archive")
    archive = LogArchive(
        stack,
        "Archive",
        perimeter=PERIMETER,
        key=kms.Key.from_key_arn(stack, "Key", KEY_ARN),
        endpoints=[ENDPOINT],
    )
    assert archive.access_log_prefix("lake") == "access-logs/lake/"
    assert archive.bucket.bucket_name == archive.bucket_name
    assert archive.access_log_bucket.bucket_name == archive.access_log_bucket_name


# -- compliance and snapshot -------------------------------------------------------------------------


def test_no_pack_finds_anything() -> None:
    assert not findings(lambda app: build(cdk.Stack(app, "Audit")))


def test_in_full_form_only_governance_and_what_the_trail_was_told_to_leave_out_are_found() -> None:
    found = findings(lambda app: build_full(cdk.Stack(app, "Audit")))
    assert {finding.rule for finding in found} == {
        "SecureMl::CloudTrailExperimentEvents",
        "SecureMl::CloudTrailInferenceEvents",
        "SecureMl::CloudTrailInsights",
        "SecureMl::S3TrailBucketLocked",
    }


def test_default_template(audit: World, snapshot_template: Callable[[Any], None]) -> None:
    snapshot_template(audit.templates["Audit"])


def test_full_template(full: World, snapshot_template: Callable[[Any], None]) -> None:
    snapshot_template(full.templates["Audit"])


# -- bad input ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argument", "given", "named"),
    [
        ("retention_days", 364, "retention_days"),
        ("retention_days", 0, "retention_days"),
        ("retention_days", 36_501, "retention_days"),
        ("mode", "LEGAL_HOLD", "mode"),
        ("endpoints", [], "endpoints"),
        ("endpoints", ENDPOINT, "endpoints"),
        ("endpoints", [ENDPOINT, "vpc-0a1b2c3d"], "endpoints[1]"),
        ("writers", WRITERS := "arn:aws:iam::111122223333:role/report", "writers"),
        ("writers", [WRITERS, "arn:aws:iam::111122223333:user/report"], "writers[1]"),
        ("writers", ["arn:aws:iam::111122223333:role/*"], "writers[0]"),
    ],
)
def test_bad_input_is_named(argument: str, given: object, named: str) -> None:
    stack = cdk.Stack(new_app(), "Archive")
    arguments: dict[str, Any] = {
        "perimeter": PERIMETER,
        "key": kms.Key.from_key_arn(stack, "Key", KEY_ARN),
        "endpoints": [ENDPOINT],
        argument: given,
    }
    with pytest.raises(ConfigurationError) as refused:
        LogArchive(stack, "Logs", **arguments)
    assert refused.value.where == "Archive/Logs"
    assert [problem.argument for problem in refused.value.problems] == [named]
    assert not stack.node.try_find_child("Logs")


def test_every_problem_is_named_at_once() -> None:
    stack = cdk.Stack(new_app(), "Archive")
    with pytest.raises(ConfigurationError) as refused:
        LogArchive(
            stack,
            "Logs",
            perimeter=PERIMETER,
            key=kms.Alias.from_alias_name(stack, "Key", "alias/aws/s3"),
            endpoints=[],
            retention_days=1,
            writers=["nobody"],
        )
    assert [problem.argument for problem in refused.value.problems] == [
        "key",
        "endpoints",
        "retention_days",
        "writers[0]",
    ]


def test_an_alias_is_refused_since_s3_compares_arns() -> None:
    stack = cdk.Stack(new_app(), "Archive")
    alias = kms.Alias.from_alias_name(stack, "Key", "alias/logs")
    with pytest.raises(ConfigurationError, match="never an alias"):
        LogArchive(stack, "Logs", perimeter=PERIMETER, key=alias, endpoints=[ENDPOINT])


def test_what_is_known_at_deployment_only_is_accepted() -> None:
    stack = cdk.Stack(new_app(), "Archive")
    LogArchive(
        stack,
        "Logs",
        perimeter=PERIMETER,
        key=kms.Key.from_key_arn(stack, "Key", cdk.Fn.import_value("key")),
        endpoints=[cdk.Fn.import_value("endpoint")],
        mode=ObjectLockMode.GOVERNANCE,
        writers=[cdk.Fn.import_value("writer")],
    )
