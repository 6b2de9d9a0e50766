"""What the tests of the area build, and the people in it."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3

from secure_ml_constructs.audit import (
    AuditTrail,
    LogArchive,
    ObjectLockMode,
    QueryResults,
    TrailEvents,
)
from secure_ml_constructs.keys import EnvironmentKeys
from secure_ml_constructs.perimeter import DataPerimeter
from tests.support.templates import ACCOUNT, REGION, new_app

FOREIGN = "999988887777"
IAM = f"arn:aws:iam::{ACCOUNT}:role"
ADMINISTRATOR = f"{IAM}/ml-platform-admin"
BREAK_GLASS = f"{IAM}/ml_break-glass"
DEPLOYING = f"{IAM}/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-{REGION}"
AUDITOR = f"{IAM}/secure-ml/auditor"
INSIDER = f"{IAM}/developer"
WRITER = f"{IAM}/secure-ml/service/report"
ENDPOINT = "vpce-0a1b2c3d4e5f60718"
PERIMETER = DataPerimeter(administrators=(ADMINISTRATOR,), break_glass_roles=(BREAK_GLASS,))


def build(stack: cdk.Stack, **trail: Any) -> AuditTrail:
    """Keys, archive and trail with their defaults."""
    keys = EnvironmentKeys(stack, "Keys", perimeter=PERIMETER)
    archive = LogArchive(stack, "Archive", perimeter=PERIMETER, key=keys.logs, endpoints=[ENDPOINT])
    return AuditTrail(stack, "Trail", perimeter=PERIMETER, archive=archive, key=keys.logs, **trail)


def one_stack_app() -> cdk.App:
    """Everything in one stack."""
    app = new_app()
    build(cdk.Stack(app, "Audit"))
    return app


def build_full(stack: cdk.Stack) -> AuditTrail:
    """Every option."""
    keys = EnvironmentKeys(stack, "Keys", perimeter=PERIMETER)
    archive = LogArchive(
        stack,
        "Archive",
        perimeter=PERIMETER,
        key=keys.logs,
        endpoints=[ENDPOINT, "vpce-0ffffffffffffffff"],
        retention_days=400,
        mode=ObjectLockMode.GOVERNANCE,
        writers=[WRITER],
        access_log_bucket=s3.Bucket.from_bucket_name(stack, "OurAccessLogs", "our-access-logs"),
    )
    return AuditTrail(
        stack,
        "Trail",
        perimeter=PERIMETER,
        archive=archive,
        key=keys.logs,
        events=TrailEvents(
            data_buckets=["arn:aws:s3:::lake"],
            data_types=["AWS::SageMaker::MlflowTrackingServer"],
            network_sources=["kms.amazonaws.com"],
            denied_network_calls_only=True,
            insights=False,
        ),
        log_group=logs.LogGroup.from_log_group_arn(
            stack, "OurLogGroup", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:ours:*"
        ),
        query_results=QueryResults(bucket=s3.Bucket.from_bucket_name(stack, "Results", "our-results")),
    )


def full_app() -> cdk.App:
    """Every option, in a known environment."""
    app = new_app()
    build_full(cdk.Stack(app, "Audit", env=cdk.Environment(account=ACCOUNT, region=REGION)))
    return app
