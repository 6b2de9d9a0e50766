"""Bounds on time and cost, and switches that are easily left open."""

from __future__ import annotations

from collections.abc import Iterator

from secure_ml_constructs.verification.rules.outcome import Context, Outcome
from secure_ml_constructs.verification.rules.pack.vocabulary import (
    API_ABUSE,
    HIJACK,
    INSIDER,
    PRESENT,
    TAMPERING,
    THEFT,
    TRUE,
    WALLET,
)
from secure_ml_constructs.verification.rules.predicates import Bounded, Matches, Missing, absent_or
from secure_ml_constructs.verification.rules.requirements import At, Code
from secure_ml_constructs.verification.rules.rule import ERROR, WARNING, Rule

_BUCKET = "AWS::S3::Bucket"
_KEY = "AWS::KMS::Key"
_GROUP = "AWS::Athena::WorkGroup"
_ENDPOINT = "AWS::EC2::VPCEndpoint"
# In seconds: half a working day.
_LONGEST_SESSION = 4 * 3600


def _names_resolve(context: Context) -> Iterator[Outcome]:
    """EC2 refuses an endpoint with private DNS in a VPC that does not resolve names."""
    graph, vpc = context.graph, context.resource
    endpoints = graph.named_by(vpc, _ENDPOINT, "VpcId")
    if not any(graph.get(endpoint, "PrivateDnsEnabled") is True for endpoint in endpoints):
        return
    yield from At("EnableDnsSupport", absent_or(True)).check(context)
    # Absent, host names are off in every VPC but the default one ("AWS::EC2::VPC").
    yield from At("EnableDnsHostnames", TRUE).check(context)


def _rotates_yearly(context: Context) -> Iterator[Outcome]:
    if context.graph.get(context.resource, "EnableKeyRotation") is True:
        yield from At("RotationPeriodInDays", Bounded(90, 365, absent=True)).check(context)


RULES = (
    Rule(
        id="VpcResolvesNames",
        resource_type="AWS::EC2::VPC",
        requirement=Code(_names_resolve, "The endpoints are other resources."),
        severity=ERROR,
        control="N2",
        threats=(TAMPERING,),
        title="A VPC with private DNS resolves names",
        why="EC2 refuses an endpoint with private DNS where it can't, and the deployment rolls back.",
        fix="Set EnableDnsSupport and EnableDnsHostnames to true.",
    ),
    Rule(
        id="KmsKeyRotatedYearly",
        resource_type=_KEY,
        requirement=Code(_rotates_yearly, "It is asked only of keys that rotate."),
        severity=WARNING,
        control="E1",
        threats=(INSIDER,),
        title="A key rotates at least once a year",
        why="The longer a key's material lives, the more one leak opens.",
        fix="Leave RotationPeriodInDays out: the default is 365.",
    ),
    Rule(
        id="KmsKeyLockoutChecked",
        resource_type=_KEY,
        requirement=At("BypassPolicyLockoutSafetyCheck", absent_or(False)),
        severity=ERROR,
        control="E1",
        threats=(TAMPERING,),
        title="KMS checks that a key's policy locks nobody out for ever",
        why="With the check off, a mistake in the policy makes key and data unmanageable.",
        fix="Leave BypassPolicyLockoutSafetyCheck out.",
    ),
    Rule(
        id="S3BucketNoWebsite",
        resource_type=_BUCKET,
        requirement=At("WebsiteConfiguration", Missing()),
        severity=ERROR,
        control="D2",
        threats=(THEFT, INSIDER),
        title="A bucket is no web site",
        why="The address of a web site is public and speaks http only.",
        fix="Leave WebsiteConfiguration out.",
    ),
    Rule(
        id="S3BucketNoOpenCors",
        resource_type=_BUCKET,
        requirement=At(
            "CorsConfiguration.CorsRules[*].AllowedOrigins[*]",
            Matches(
                r"^(https?://)?\*(\.[a-z]+)?$",
                "lets pages of every site read what the user may read",
                negate=True,
            ),
        ),
        severity=WARNING,
        control="D3",
        threats=(INSIDER, API_ABUSE),
        title="A bucket names the pages that may read it",
        why="Any page that a signed-in user opens could fetch objects in their name.",
        fix="Name origins in AllowedOrigins, or leave CorsConfiguration out.",
    ),
    Rule(
        id="IamRoleSessionBounded",
        resource_type="AWS::IAM::Role",
        requirement=At("MaxSessionDuration", Bounded(most=_LONGEST_SESSION, absent=True)),
        severity=WARNING,
        control="I6",
        threats=(INSIDER, HIJACK),
        title="A session of a role lasts four hours at most",
        why="Stolen credentials are good for as long as the session lasts.",
        fix="Leave MaxSessionDuration out: the default is one hour.",
    ),
    Rule(
        id="AthenaEnforced",
        resource_type=_GROUP,
        requirement=At("WorkGroupConfiguration.EnforceWorkGroupConfiguration", TRUE),
        severity=WARNING,
        control="E3",
        threats=(INSIDER,),
        title="A workgroup's settings hold for every query",
        why="Otherwise whoever asks may choose where results lie, and under which key.",
        fix="Set EnforceWorkGroupConfiguration to true.",
    ),
    Rule(
        id="AthenaScanBounded",
        resource_type=_GROUP,
        requirement=At("WorkGroupConfiguration.BytesScannedCutoffPerQuery", PRESENT),
        severity=WARNING,
        control="G12",
        threats=(WALLET,),
        title="A query has a bound on what it reads",
        why="One query without a partition reads, and is paid for, the whole lake.",
        fix="Set BytesScannedCutoffPerQuery.",
    ),
    Rule(
        id="AthenaMetrics",
        resource_type=_GROUP,
        requirement=At("WorkGroupConfiguration.PublishCloudWatchMetricsEnabled", TRUE),
        severity=WARNING,
        control="A5",
        threats=(INSIDER, WALLET),
        title="What a workgroup reads can be watched",
        why="An unusual amount read is how taking the lake away looks.",
        fix="Set PublishCloudWatchMetricsEnabled to true.",
    ),
    Rule(
        id="LambdaLogGroupNamed",
        resource_type="AWS::Lambda::Function",
        requirement=At("LoggingConfig.LogGroup", PRESENT),
        severity=WARNING,
        control="E3",
        threats=(INSIDER,),
        title="A function logs to a group of ours",
        why="The group that Lambda makes has no customer key, and keeps for ever what is logged.",
        fix="Set LoggingConfig.LogGroup to a group with key and retention.",
    ),
)
