"""AuditTrail: the template, where it can stand, bad input, and trails that exist already."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3

from secure_ml_constructs.audit import (
    AuditTrail,
    ExistingTrail,
    LogArchive,
    QueryResults,
    TrailEvents,
    TrailLocation,
)
from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.keys import EnvironmentKeys
from tests.support.compliance import findings
from tests.support.decisions import Request, Simulator
from tests.support.templates import ACCOUNT, REGION, Templates, World, new_app, synth
from tests.unit.audit.environment import ENDPOINT, PERIMETER, build

ORGANIZATION_TRAIL = ExistingTrail(
    trail_arn="arn:aws:cloudtrail:eu-central-1:999988887777:trail/organization",
    location=TrailLocation(
        bucket_name="org-trail", prefix="trails", organization="o-a1b2c3d4e5", accounts=(ACCOUNT,)
    ),
)


def build_existing(stack: cdk.Stack) -> AuditTrail:
    keys = EnvironmentKeys(stack, "Keys", perimeter=PERIMETER)
    return AuditTrail.from_existing(
        stack, "Trail", perimeter=PERIMETER, key=keys.logs, trail=ORGANIZATION_TRAIL
    )


@pytest.fixture(scope="session")
def existing() -> World:
    app = new_app()
    build_existing(cdk.Stack(app, "Audit"))
    return World(synth(app))


def trail(world: World) -> dict[str, Any]:
    properties: dict[str, Any] = world.one("AWS::CloudTrail::Trail").properties
    return properties


# -- the trail ---------------------------------------------------------------------------------------


def test_the_trail_covers_all_regions_is_validated_and_encrypted(audit: World) -> None:
    properties = trail(audit)
    assert properties["IsLogging"] is True
    assert properties["IsMultiRegionTrail"] is True
    assert properties["IncludeGlobalServiceEvents"] is True
    assert properties["EnableLogFileValidation"] is True
    assert properties["KMSKeyId"] == audit.arn(audit.one("AWS::KMS::Key", "Logs"))
    assert properties["S3BucketName"] == audit.ref(audit.one("AWS::S3::Bucket", "ArchiveBucket"))
    assert "TrailName" not in properties


def test_insights_watch_calls_and_errors_of_recorded_management_events(audit: World, full: World) -> None:
    kinds = [selector["InsightType"] for selector in trail(audit)["InsightSelectors"]]
    assert kinds == ["ApiCallRateInsight", "ApiErrorRateInsight"]
    # CloudTrail refuses Insights on a trail that records no management events.
    selectors = trail(audit)["AdvancedEventSelectors"]
    assert any(
        field["Field"] == "eventCategory" and field["Equals"] == ["Management"]
        for selector in selectors
        for field in selector["FieldSelectors"]
    )
    assert "InsightSelectors" not in trail(full)


def test_bucket_policy_and_role_stand_before_the_trail_is_made(audit: World) -> None:
    """Otherwise the first deployment fails: CloudTrail tries both when the trail is made."""
    depends = set(audit.one("AWS::CloudTrail::Trail").raw["DependsOn"])
    assert depends == {
        audit.one("AWS::S3::BucketPolicy", "ArchiveBucketPolicy").logical_id,
        audit.one("AWS::IAM::ManagedPolicy", "LogsPolicy").logical_id,
    }


def test_the_log_group_is_encrypted_kept_and_protected(audit: World) -> None:
    group = audit.one("AWS::Logs::LogGroup")
    assert group.properties == {
        "DeletionProtectionEnabled": True,
        "KmsKeyId": audit.arn(audit.one("AWS::KMS::Key", "Logs")),
        "RetentionInDays": 365,
    }
    assert trail(audit)["CloudWatchLogsLogGroupArn"] == audit.arn(group)


@pytest.mark.decision
def test_the_role_writes_to_its_log_group_alone(audit: World, simulator: Simulator) -> None:
    role = audit.one("AWS::IAM::Role", "LogsRole")
    policy = audit.one("AWS::IAM::ManagedPolicy", "LogsPolicy").properties["PolicyDocument"]
    (statement,) = role.properties["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
    assert role.properties["Path"] == PERIMETER.service_role_path

    def can(action: str, resource: str) -> bool:
        request = Request(principal=audit.arn(role), action=action, resource=resource)
        return simulator.decide(request, identity=(policy,)).allowed

    own = audit.arn(audit.one("AWS::Logs::LogGroup")).removesuffix(":*")
    stream = f"log-stream:{ACCOUNT}_CloudTrail_{REGION}"
    assert can("logs:CreateLogStream", f"{own}:{stream}")
    assert can("logs:PutLogEvents", f"{own}:{stream}")
    assert not can("logs:PutLogEvents", f"{own}-other:{stream}")
    assert not can("logs:DeleteLogStream", f"{own}:{stream}")


def test_a_given_log_group_is_written_to(full: World) -> None:
    assert not list(full.resources("AWS::Logs::LogGroup"))
    assert trail(full)["CloudWatchLogsLogGroupArn"].endswith(":log-group:ours:*")


def test_logical_ids_are_frozen_and_what_they_name_is_retained(audit: World) -> None:
    """A changed id makes a second trail beside the first, and a log group that begins empty."""
    stateful = [*audit.resources("AWS::CloudTrail::Trail"), *audit.resources("AWS::Logs::LogGroup")]
    assert {resource.logical_id for resource in stateful} == {"Trail8987F129", "TrailLogGroup7D672DC9"}
    for resource in stateful:
        assert resource.raw["DeletionPolicy"] == resource.raw["UpdateReplacePolicy"] == "Retain"


# -- an existing trail -------------------------------------------------------------------------------


def test_an_existing_trail_gets_the_questions_and_no_second_trail(existing: World, audit: World) -> None:
    kinds = {resource.type for resource in existing.resources()} - {"AWS::KMS::Key"}
    assert kinds == {
        "AWS::Athena::NamedQuery",
        "AWS::Athena::WorkGroup",
        "AWS::Glue::Database",
        "AWS::Glue::Table",
    }
    assert len(list(existing.resources("AWS::Athena::NamedQuery"))) == len(
        list(audit.resources("AWS::Athena::NamedQuery"))
    )


def test_an_organizations_files_lie_a_folder_deeper(existing: World) -> None:
    table = existing.one("AWS::Glue::Table", "Cloudtrail").properties["TableInput"]
    assert table["StorageDescriptor"]["Location"] == "s3://org-trail/trails/AWSLogs/o-a1b2c3d4e5/"
    assert table["Parameters"]["storage.location.template"] == (
        "s3://org-trail/trails/AWSLogs/o-a1b2c3d4e5/${account}/CloudTrail/${region}/${day}"
    )
    assert table["Parameters"]["projection.account.values"] == ACCOUNT


def test_an_existing_trail_says_what_it_is() -> None:
    stack = cdk.Stack(new_app(), "Audit")
    key = kms.Key.from_key_arn(stack, "Key", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/logs")
    group = logs.LogGroup.from_log_group_name(stack, "Group", "organization")
    given = AuditTrail.from_existing(
        stack,
        "Trail",
        perimeter=PERIMETER,
        key=key,
        trail=ExistingTrail(
            trail_arn=ORGANIZATION_TRAIL.trail_arn, location=ORGANIZATION_TRAIL.location, log_group=group
        ),
    )
    assert given.trail_arn == ORGANIZATION_TRAIL.trail_arn
    assert given.log_group is group
    without = AuditTrail.from_existing(
        stack, "Second", perimeter=PERIMETER, key=key, trail=ORGANIZATION_TRAIL
    )
    assert without.log_group is None


def test_no_pack_finds_anything_with_an_existing_trail() -> None:
    assert not findings(lambda app: build_existing(cdk.Stack(app, "Audit")))


def test_existing_template(existing: World, snapshot_template: Callable[[Any], None]) -> None:
    snapshot_template(existing.templates["Audit"])


# -- where it can stand ------------------------------------------------------------------------------


def separate_stacks(environment: cdk.Environment | None = None) -> Templates:
    app = new_app()
    keys_stack, network, archive_stack, trail_stack = (
        cdk.Stack(app, name, env=environment) for name in ("Keys", "Network", "Archive", "Trail")
    )
    keys = EnvironmentKeys(keys_stack, "Keys", perimeter=PERIMETER)
    endpoint = cdk.CfnResource(
        network,
        "S3Endpoint",
        type="AWS::EC2::VPCEndpoint",
        properties={"ServiceName": "s3", "VpcId": "vpc-1"},
    )
    archive = LogArchive(
        archive_stack, "Archive", perimeter=PERIMETER, key=keys.logs, endpoints=[endpoint.ref]
    )
    AuditTrail(trail_stack, "Trail", perimeter=PERIMETER, archive=archive, key=keys.logs)
    return synth(app)


@pytest.mark.parametrize(
    "environment", [None, cdk.Environment(account=ACCOUNT, region=REGION)], ids=["unknown", "known"]
)
def test_each_construct_stands_in_a_stack_of_its_own(environment: cdk.Environment | None) -> None:
    templates = separate_stacks(environment)
    # An export that another stack imports can't change: a replaced endpoint would deadlock the archive.
    for template in templates.values():
        assert not any("Export" in output for output in template.get("Outputs", {}).values())
    world = World(templates)
    assert trail(world)["S3BucketName"] == world.ref(world.one("AWS::S3::Bucket", "ArchiveBucket"))
    policy = world.bucket_policy(world.one("AWS::S3::Bucket", "ArchiveBucket"))
    endpoint = world.ref(world.one("AWS::EC2::VPCEndpoint"))
    (network,) = (s for s in policy["Statement"] if s["Sid"] == "DenyForeignNetworks")
    assert network["Condition"]["StringNotEqualsIfExists"]["aws:SourceVpce"] == [endpoint]


def test_the_trail_stack_is_deployed_after_the_archive() -> None:
    app = new_app()
    first, second = cdk.Stack(app, "First"), cdk.Stack(app, "Second")
    keys = EnvironmentKeys(first, "Keys", perimeter=PERIMETER)
    archive = LogArchive(first, "Archive", perimeter=PERIMETER, key=keys.logs, endpoints=[ENDPOINT])
    AuditTrail(second, "Trail", perimeter=PERIMETER, archive=archive, key=keys.logs)
    app.synth()
    assert first in second.dependencies


@pytest.mark.parametrize(("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")])
def test_other_partitions_have_no_arn_of_the_commercial_one(region: str, partition: str) -> None:
    app = new_app()
    stack = cdk.Stack(app, "Audit", env=cdk.Environment(account=ACCOUNT, region=region))
    build(stack)
    world = World(synth(app), region=region, partition=partition)
    # The perimeter of these tests names two roles of the commercial partition.
    mine = [
        resource.properties
        for resource in world.resources()
        if resource.type not in ("AWS::KMS::Key", "AWS::S3::BucketPolicy", "AWS::Athena::NamedQuery")
    ]
    assert "arn:aws:" not in json.dumps(mine)
    assert "arn:aws:" not in json.dumps(
        [
            {k: v for k, v in statement.items() if k != "Condition"}
            for policy in world.resources("AWS::S3::BucketPolicy")
            for statement in policy.properties["PolicyDocument"]["Statement"]
        ]
    )


def test_the_same_input_gives_the_same_bytes() -> None:
    def once() -> str:
        app = new_app()
        build(cdk.Stack(app, "Audit"))
        return json.dumps(synth(app))

    assert once() == once()


# -- bad input ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"log_retention_days": 100}, "log_retention_days"),
        ({"log_retention_days": 0}, "log_retention_days"),
        ({"events": TrailEvents(network_sources=["sts.amazonaws.com"])}, "events.network_sources[0]"),
        (
            {"events": TrailEvents(data_buckets=[f"arn:aws:s3:::bucket-{n}" for n in range(500)])},
            "events.data_buckets",
        ),
    ],
)
def test_bad_input_is_named(arguments: dict[str, Any], named: str) -> None:
    stack = cdk.Stack(new_app(), "Audit")
    with pytest.raises(ConfigurationError) as refused:
        build(stack, **arguments)
    assert refused.value.where == "Audit/Trail"
    assert [problem.argument for problem in refused.value.problems] == [named]
    assert not stack.node.try_find_child("Trail")


@pytest.mark.parametrize("which", ["bucket_arn", "access_log_bucket_arn"])
def test_recording_every_event_of_the_archive_is_refused(which: str) -> None:
    stack = cdk.Stack(new_app(), "Audit")
    keys = EnvironmentKeys(stack, "Keys", perimeter=PERIMETER)
    archive = LogArchive(stack, "Archive", perimeter=PERIMETER, key=keys.logs, endpoints=[ENDPOINT])
    events = TrailEvents(data_buckets=[getattr(archive, which)])
    with pytest.raises(ConfigurationError, match="recorded again"):
        AuditTrail(stack, "Trail", perimeter=PERIMETER, archive=archive, key=keys.logs, events=events)


def test_results_in_the_archive_are_refused() -> None:
    stack = cdk.Stack(new_app(), "Audit")
    keys = EnvironmentKeys(stack, "Keys", perimeter=PERIMETER)
    archive = LogArchive(stack, "Archive", perimeter=PERIMETER, key=keys.logs, endpoints=[ENDPOINT])
    with pytest.raises(ConfigurationError, match="locked for years"):
        AuditTrail(
            stack,
            "Trail",
            perimeter=PERIMETER,
            archive=archive,
            key=keys.logs,
            query_results=QueryResults(bucket=archive.bucket),
        )
    assert not stack.node.try_find_child("Trail")


def test_a_given_log_group_keeps_its_own_retention() -> None:
    stack = cdk.Stack(new_app(), "Audit")
    group = logs.LogGroup.from_log_group_name(stack, "Group", "ours")
    with pytest.raises(ConfigurationError, match="so is its retention"):
        build(stack, log_group=group, log_retention_days=731)


def test_every_problem_of_an_existing_trail_is_named() -> None:
    stack = cdk.Stack(new_app(), "Audit")
    bucket = s3.Bucket.from_bucket_name(stack, "Bucket", "org-trail")
    with pytest.raises(ConfigurationError) as refused:
        AuditTrail.from_existing(
            stack,
            "Trail",
            perimeter=PERIMETER,
            key=kms.Alias.from_alias_name(stack, "Key", "alias/aws/s3"),
            trail=ExistingTrail(
                trail_arn="organization",
                location=TrailLocation(
                    bucket_name="s3://org-trail",
                    prefix="/trails",
                    organization="a1b2c3d4e5",
                    accounts=("one",),
                    since="2026-01-01",
                ),
            ),
            query_results=QueryResults(bucket=bucket),
        )
    assert [problem.argument for problem in refused.value.problems] == [
        "trail.trail_arn",
        "key",
        "trail.location.bucket_name",
        "trail.location.prefix",
        "trail.location.organization",
        "trail.location.accounts[0]",
        "trail.location.since",
    ]
