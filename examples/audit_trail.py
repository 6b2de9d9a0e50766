"""A trail with an auditor who asks it, beside the questions to an organization's trail."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from secure_ml_constructs import AuditTrail, DataPerimeter, EnvironmentKeys, LogArchive
from secure_ml_constructs.audit import ExistingTrail, TrailEvents, TrailLocation


def build(app: cdk.App) -> cdk.Stack:
    """Make archive and trail, and let one role ask both trails."""
    stack = cdk.Stack(app, "Audit")
    perimeter = DataPerimeter(
        organization="o-a1b2c3d4e5",
        break_glass_roles=("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/ml-break-glass",),
    )
    keys = EnvironmentKeys(stack, "Keys", perimeter=perimeter)
    archive = LogArchive(
        stack, "Archive", perimeter=perimeter, key=keys.logs, endpoints=["vpce-0a1b2c3d4e5f60718"]
    )
    trail = AuditTrail(
        stack,
        "Trail",
        perimeter=perimeter,
        archive=archive,
        key=keys.logs,
        events=TrailEvents(denied_network_calls_only=True),
    )
    organization = AuditTrail.from_existing(
        stack,
        "OrganizationTrail",
        perimeter=perimeter,
        key=keys.logs,
        trail=ExistingTrail(
            trail_arn="arn:aws:cloudtrail:eu-central-1:999988887777:trail/organization",
            location=TrailLocation(
                bucket_name="central-log-archive",
                organization="o-a1b2c3d4e5",
                accounts=("111122223333", "444455556666"),
            ),
        ),
    )
    auditor = iam.Role.from_role_arn(stack, "Auditor", "arn:aws:iam::111122223333:role/secure-ml/auditor")
    for source in (trail, organization):
        source.queries.grant_run(auditor)
    cdk.CfnOutput(stack, "Workgroup", value=trail.queries.workgroup_name)
    return stack


if __name__ == "__main__":
    app = cdk.App()
    build(app)
    app.synth()
