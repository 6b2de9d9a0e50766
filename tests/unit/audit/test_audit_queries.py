"""The workgroup, and who may ask."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

from tests.support.decisions import Request, Simulator
from tests.support.templates import ACCOUNT, REGION, World, new_app, synth
from tests.unit.audit.environment import AUDITOR, ENDPOINT, PERIMETER, build

# -- the workgroup -----------------------------------------------------------------------------------


def test_results_lie_in_athenas_storage_under_the_customer_key(audit: World) -> None:
    configuration = audit.one("AWS::Athena::WorkGroup").properties["WorkGroupConfiguration"]
    assert configuration["EnforceWorkGroupConfiguration"] is True
    assert "ResultConfiguration" not in configuration
    assert configuration["ManagedQueryResultsConfiguration"] == {
        "Enabled": True,
        "EncryptionConfiguration": {"KmsKey": audit.arn(audit.one("AWS::KMS::Key", "Logs"))},
    }


def test_results_can_go_to_a_bucket(full: World) -> None:
    configuration = full.one("AWS::Athena::WorkGroup").properties["WorkGroupConfiguration"]
    assert "ManagedQueryResultsConfiguration" not in configuration
    assert configuration["ResultConfiguration"] == {
        "EncryptionConfiguration": {
            "EncryptionOption": "SSE_KMS",
            "KmsKey": full.arn(full.one("AWS::KMS::Key", "Logs")),
        },
        "ExpectedBucketOwner": ACCOUNT,
        "OutputLocation": "s3://our-results/athena-results/",
    }


# -- who may ask -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def granted() -> World:
    app = new_app()
    stack = cdk.Stack(app, "Audit")
    trail = build(stack)
    role = iam.Role(stack, "Auditor", assumed_by=iam.AccountRootPrincipal(), path=PERIMETER.role_path)
    trail.queries.grant_run(role)
    trail.queries.grant_run(role)
    return World(synth(app))


@pytest.mark.decision
def test_an_auditor_can_ask_and_read_what_the_questions_read(granted: World, simulator: Simulator) -> None:
    policy = granted.one("AWS::IAM::ManagedPolicy", "Auditor").properties["PolicyDocument"]
    bucket = granted.one("AWS::S3::Bucket", "ArchiveBucket")
    workgroup = granted.ref(granted.one("AWS::Athena::WorkGroup"))
    key = granted.one("AWS::KMS::Key", "Logs")
    athena = f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup"

    def can(action: str, resource: str, *, resource_policy: Any = None, **context: str) -> bool:
        request = Request(
            principal=AUDITOR,
            action=action,
            resource=resource,
            context={name.replace("__", ":"): value for name, value in context.items()},
        )
        return simulator.decide(request, identity=(policy,), resource_policy=resource_policy).allowed

    assert can("athena:StartQueryExecution", f"{athena}/{workgroup}")
    assert not can("athena:StartQueryExecution", f"{athena}/primary")
    assert not can("athena:UpdateWorkGroup", f"{athena}/{workgroup}")
    logs = f"{granted.arn(bucket)}/AWSLogs/{ACCOUNT}/CloudTrail/file.json.gz"
    archive = granted.bucket_policy(bucket)
    assert can("s3:GetObject", logs, resource_policy=archive, aws__ViaAWSService="true")
    assert can("s3:GetObject", logs, resource_policy=archive, aws__SourceVpce=ENDPOINT)
    assert not can("s3:GetObject", logs, resource_policy=archive)
    assert not can("s3:PutObject", logs, resource_policy=archive, aws__SourceVpce=ENDPOINT)
    arn, key_policy = granted.arn(key), key.properties["KeyPolicy"]
    for service in ("s3", "athena"):
        through = {"kms__ViaService": f"{service}.{REGION}.amazonaws.com"}
        assert can("kms:Decrypt", arn, resource_policy=key_policy, **through)
    assert not can("kms:Decrypt", arn, resource_policy=key_policy)
    database = granted.one("AWS::Glue::Database")
    glue = f"arn:aws:glue:{REGION}:{ACCOUNT}"
    assert can("glue:GetTable", f"{glue}:table/{granted.ref(database)}/cloudtrail")
    assert not can("glue:GetTable", f"{glue}:table/patients/records")
    assert not can("glue:UpdateTable", f"{glue}:table/{granted.ref(database)}/cloudtrail")


def test_a_role_made_elsewhere_gets_its_policy_beside_the_questions() -> None:
    app = new_app()
    stack = cdk.Stack(app, "Audit")
    trail = build(stack)
    trail.queries.grant_run(iam.Role.from_role_arn(stack, "Auditor", AUDITOR))
    world = World(synth(app))
    policy = world.one("AWS::IAM::ManagedPolicy", "AuditQueries").properties
    assert policy["Roles"] == ["auditor"]


def test_a_role_of_a_later_stack_makes_no_cycle() -> None:
    app = new_app()
    audit, people = cdk.Stack(app, "Audit"), cdk.Stack(app, "People")
    trail = build(audit)
    role = iam.Role(people, "Auditor", assumed_by=iam.AccountRootPrincipal(), path=PERIMETER.role_path)
    trail.queries.grant_run(role)
    world = World(synth(app))
    assert world.one("AWS::IAM::ManagedPolicy", "AuditQueries").stack == "People"
    assert people not in audit.dependencies
