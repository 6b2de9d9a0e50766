"""What logs and versions rest on: locks, copies, how long they are kept, and what survives the stack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from secure_ml_constructs.verification.rules.keys import CustomerKey
from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome
from secure_ml_constructs.verification.rules.pack.buckets import takes_access_logs
from secure_ml_constructs.verification.rules.pack.vocabulary import INSIDER, POISONING, TAMPERING, TRUE
from secure_ml_constructs.verification.rules.predicates import Bounded, Equals
from secure_ml_constructs.verification.rules.requirements import At, Code, Inside, values
from secure_ml_constructs.verification.rules.rule import WARNING, Rule
from secure_ml_constructs.verification.templates import Absent, Reference, Text, Unresolved, show

_BUCKET = "AWS::S3::Bucket"
_TRAIL = "AWS::CloudTrail::Trail"
_GROUP = "AWS::Logs::LogGroup"

# Who writes to log groups what an inquiry will ask for, and the property that names the group.
_RECORDERS = (
    (_TRAIL, "CloudWatchLogsLogGroupArn"),
    ("AWS::EC2::FlowLog", "LogDestination"),
    ("AWS::EC2::FlowLog", "LogGroupName"),
    ("AWS::Route53Resolver::ResolverQueryLoggingConfig", "DestinationArn"),
    ("AWS::ApiGateway::Stage", "AccessLogSetting.DestinationArn"),
    ("AWS::ApiGatewayV2::Stage", "AccessLogSettings.DestinationArn"),
    ("AWS::Lambda::Function", "LoggingConfig.LogGroup"),
    ("AWS::CodeBuild::Project", "LogsConfig.CloudWatchLogs.GroupName"),
)
# Those whose log shows that others were tampered with.
_PROTECTED = _RECORDERS[:4]
# What services write to groups of a name of their own choice: what ran, who asked, and who was refused.
_RECORDS = re.compile(r"^(/aws/sagemaker/|API-Gateway-Execution-Logs_|aws-waf-logs-)")
_KEPT = ("Retain", "RetainExceptOnCreate", "Snapshot")
_YEAR = 365
_WEEK = 7


def _retained(context: Context) -> Iterator[Outcome]:
    for name in ("DeletionPolicy", "UpdateReplacePolicy"):
        given = context.resource.body.get(name)
        if given not in _KEPT:
            yield Fail(f"has {given or 'no'} {name}")


def _named(context: Context, recorders: tuple[tuple[str, str], ...]) -> bool:
    return any(context.graph.named_by(context.resource, type_, *path.split(".")) for type_, path in recorders)


def _group_name(context: Context) -> str:
    return show(context.graph.get(context.resource, "LogGroupName") or "")


def _machine_logs(context: Context) -> bool:
    """Whether a state machine writes its steps to the group."""
    graph = context.graph
    for machine in graph.resources("AWS::StepFunctions::StateMachine"):
        for item in graph.alternatives(machine, "LoggingConfiguration", "Destinations"):
            arn = graph.at(machine.template, item, ("CloudWatchLogsLogGroup", "LogGroupArn"))
            named = (arn,) if type(arn) is Reference else arn.references if type(arn) is Text else ()
            if any(each.resource is context.resource for each in named):
                return True
    return False


def _records(context: Context) -> bool:
    named = bool(_RECORDS.match(_group_name(context))) or _named(context, _RECORDERS)
    return named or _machine_logs(context)


def _group_kept(context: Context) -> Iterator[Outcome]:
    if _records(context):
        yield from _retained(context)


def _group_long_enough(context: Context) -> Iterator[Outcome]:
    if _records(context):
        yield from At("RetentionInDays", Bounded(_YEAR)).check(context)


def _group_protected(context: Context) -> Iterator[Outcome]:
    if _group_name(context).startswith("aws-waf-logs-") or _named(context, _PROTECTED):
        yield from At("DeletionProtectionEnabled", TRUE).check(context)


def _secret_policy_kept(context: Context) -> Iterator[Outcome]:
    secret = context.graph.get(context.resource, "SecretId")
    if type(secret) is Reference and secret.resource.body.get("DeletionPolicy") in _KEPT:
        yield from _retained(context)


def _api_logs_kept(context: Context) -> Iterator[Outcome]:
    """An account has one such setting a region: every API in it logs by this role."""
    yield from _retained(context)
    graph = context.graph
    role = graph.get(context.resource, "CloudWatchRoleArn")
    if type(role) is Reference:
        named = graph.items(role.resource, "ManagedPolicyArns")
        policies = [each.resource for each in named if type(each) is Reference]
        policies += graph.named_by(role.resource, "AWS::IAM::ManagedPolicy", "Roles")
        for part in (role.resource, *policies):
            if any(part.body.get(name) not in _KEPT for name in ("DeletionPolicy", "UpdateReplacePolicy")):
                yield Fail(f"needs {part.logical_id}, which goes with its stack", "CloudWatchRoleArn")


def _policy_kept(context: Context) -> Iterator[Outcome]:
    """A bucket that outlives its stack and its policy is open to whoever IAM lets in."""
    bucket = context.graph.get(context.resource, "Bucket")
    if type(bucket) is Reference and bucket.resource.body.get("DeletionPolicy") in _KEPT:
        yield from _retained(context)


def _locked(context: Context) -> Iterator[Outcome]:
    graph, bucket = context.graph, context.resource
    if not graph.named_by(bucket, _TRAIL, "S3BucketName"):
        return
    lock = "ObjectLockConfiguration"
    default = f"{lock}.Rule.DefaultRetention"
    years = not isinstance(graph.get(bucket, *default.split("."), "Years"), Absent)
    wanted = (
        At("ObjectLockEnabled", TRUE),
        At(f"{lock}.ObjectLockEnabled", Equals("Enabled")),
        At(f"{default}.Mode", Equals("COMPLIANCE")),
        At(f"{default}.Years", Bounded(1)) if years else At(f"{default}.Days", Bounded(_YEAR)),
    )
    # The first thing that is lacking says enough.
    yield from next(filter(None, (part.check(context) for part in wanted)), ())


def _rules(context: Context, path: str) -> list[tuple[str, Any]]:
    """The rules of a bucket's list that are on, each with its path; what is not known counts as on."""
    found: list[tuple[str, Any]] = []
    for where, rule in values(context, path):
        if isinstance(rule, Unresolved):
            found.append((where, rule))
        elif isinstance(rule, dict):
            status = context.graph.at(context.resource.template, rule, ("Status",))
            if status == "Enabled" or not isinstance(status, str | Absent):
                found.append((where, rule))
    return found


def _copied(context: Context) -> Iterator[Outcome]:
    """A bucket for access logs can't have a default lock of its own, so its objects are copied to one."""
    path = "ReplicationConfiguration.Rules"
    if takes_access_logs(context, context.resource) and not _rules(context, f"{path}[*]"):
        yield Fail("has no rule that is on", path)


def _replicas(context: Context) -> Iterator[Outcome]:
    """Objects under a key of ours don't come to lie under another's."""
    graph, template = context.graph, context.resource.template
    for where, rule in _rules(context, "ReplicationConfiguration.Rules[*]"):
        target = graph.at(template, rule, ("Destination", "Bucket"))
        name = "Destination.EncryptionConfiguration.ReplicaKmsKeyID"
        outcome = CustomerKey().check(graph.at(template, rule, tuple(name.split("."))), context)
        if outcome is not None and not isinstance(target, Absent):
            yield Fail(outcome.message, f"{where}.{name}") if isinstance(outcome, Fail) else outcome


def _ends(context: Context) -> Iterator[Outcome]:
    """Logs end, and not before a year is over."""
    graph, bucket = context.graph, context.resource
    if not graph.named_by(bucket, _TRAIL, "S3BucketName") and not takes_access_logs(context, bucket):
        return
    path = "LifecycleConfiguration.Rules"
    rules = _rules(context, f"{path}[*]")
    found = [graph.at(bucket.template, rule, ("ExpirationInDays",)) for _, rule in rules]
    if not any(isinstance(days, Unresolved) or Bounded(_YEAR).check(days, context) is None for days in found):
        yield Fail("has no rule that is on and ends objects after a year or more", path)


def _lifecycle(context: Context) -> Iterator[Outcome]:
    path = "LifecycleConfiguration.Rules"
    rules = _rules(context, f"{path}[*]")
    if any(isinstance(rule, Unresolved) for _, rule in rules):
        return
    at = partial(context.graph.at, context.resource.template)
    noncurrent = ("NoncurrentVersionExpiration", "NoncurrentVersionExpirationInDays")
    ends = ("ExpirationInDays", "ExpirationDate", *noncurrent)
    names = {name for _, rule in rules for name in rule if not isinstance(at(rule, (name,)), Absent)}
    versioned = context.graph.get(context.resource, "VersioningConfiguration", "Status") == "Enabled"
    lacking = [
        what
        for what, ending, asked in (
            ("objects or versions", ends, True),
            ("old versions", noncurrent, versioned),
            ("broken uploads", ("AbortIncompleteMultipartUpload",), True),
        )
        if asked and not names & set(ending)
    ]
    if lacking:
        yield Fail(f"has no rule that is on and ends {' and '.join(lacking)}", path)
    for where, rule in values(context, f"{path}[*]"):
        if isinstance(rule, dict) and at(rule, ("Status",)) == "Disabled":
            yield Fail("is Disabled, so that what it ends does not end", f"{where}.Status")


def _kept(resource_type: str, id: str, what: str, why: str, ask: Code, **also: Any) -> Rule:
    return Rule(
        id=id,
        resource_type=resource_type,
        requirement=ask,
        severity=WARNING,
        control="A2",
        threats=(TAMPERING, INSIDER),
        title=f"{what} survives its stack",
        why=why,
        fix="Set DeletionPolicy and UpdateReplacePolicy to Retain.",
        **also,
    )


_BESIDE = "Deletion policies lie outside the properties."

RULES = (
    _kept(
        _TRAIL, "CloudTrailRetained", "A trail", "With the stack the record ends.", Code(_retained, _BESIDE)
    ),
    _kept(
        _GROUP,
        "LogGroupOfRecordRetained",
        "A log group of record",
        "Whoever deletes the stack deletes what shows that they did.",
        Code(_group_kept, _BESIDE),
    ),
    _kept(
        "AWS::SageMaker::Domain",
        "SageMakerWorkspaceRetained",
        "A domain, a profile and a space of Studio",
        "With them go the volumes that hold what people worked on.",
        Code(_retained, _BESIDE),
        also=("AWS::SageMaker::UserProfile", "AWS::SageMaker::Space"),
    ),
    _kept(
        "AWS::SecretsManager::Secret",
        "SecretRetained",
        "A secret",
        "What others need goes with it, and what is made in its place has another value.",
        Code(_retained, _BESIDE),
    ),
    _kept(
        "AWS::SecretsManager::ResourcePolicy",
        "SecretPolicyRetained",
        "The policy of a secret that is retained",
        "The secret would stay, and without its policy be open to whoever IAM lets in.",
        Code(_secret_policy_kept, _BESIDE),
    ),
    _kept(
        "AWS::CodeArtifact::Domain",
        "CodeArtifactRetained",
        "A repository of packages",
        "What a model was built with could be neither told nor built again.",
        Code(_retained, _BESIDE),
        also=("AWS::CodeArtifact::Repository",),
    ),
    _kept(
        "AWS::Cognito::UserPool",
        "CognitoPoolRetained",
        "A user pool",
        "Which client a record names could not be told any more.",
        Code(_retained, _BESIDE),
    ),
    _kept(
        "AWS::ApiGateway::Account",
        "ApiLoggingRetained",
        "The role by which APIs log",
        "Every API of the account and region logs by it: the logs of all would end with one stack.",
        Code(_api_logs_kept, _BESIDE),
    ),
    _kept(
        "AWS::S3::BucketPolicy",
        "S3BucketPolicyRetained",
        "The policy of a bucket that is retained",
        "The bucket would stay, and without its policy be open to whoever IAM lets in.",
        Code(_policy_kept, _BESIDE),
    ),
    Rule(
        id="LogGroupOfRecordLongEnough",
        resource_type=_GROUP,
        requirement=Code(_group_long_enough, "It follows who writes to the log group."),
        severity=WARNING,
        control="A1",
        threats=(INSIDER,),
        title="A log group of record keeps a year or more",
        why="Most break-ins are found months later.",
        fix="Set RetentionInDays to 365 or more.",
        standards=("CloudWatch.16",),
    ),
    Rule(
        id="LogGroupOfRecordProtected",
        resource_type=_GROUP,
        requirement=Code(_group_protected, "It follows who writes to the log group."),
        severity=WARNING,
        control="A2",
        threats=(TAMPERING, INSIDER),
        title="The log group of a trail, a network or a firewall is protected from deletion",
        why="One call would take away what shows what was done before it.",
        fix="Set DeletionProtectionEnabled to true.",
    ),
    Rule(
        id="S3TrailBucketLocked",
        resource_type=_BUCKET,
        requirement=Code(_locked, "What makes it an archive is the trail that names it."),
        severity=WARNING,
        control="A2",
        threats=(TAMPERING, INSIDER),
        title="The bucket of a trail is locked in compliance mode for a year or more",
        why="In governance mode, or without a lock, an administrator's session removes its own traces.",
        fix="Set ObjectLockEnabled, and a DefaultRetention of mode COMPLIANCE and 365 days or more.",
    ),
    Rule(
        id="S3AccessLogsCopied",
        resource_type=_BUCKET,
        requirement=Code(_copied, "What makes it a bucket for access logs is what names it."),
        severity=WARNING,
        control="A2",
        threats=(TAMPERING, INSIDER),
        title="Server access logs are copied to another bucket",
        why="S3 delivers them to no bucket with a default lock, so where they arrive they can be removed.",
        fix="Set ReplicationConfiguration with an enabled rule to the bucket of the archive.",
    ),
    Rule(
        id="S3ReplicaCustomerKey",
        resource_type=_BUCKET,
        requirement=Code(_replicas, "Only rules that are on count."),
        severity=WARNING,
        control="D1",
        threats=(INSIDER,),
        title="Copies of objects are under a customer key",
        why="A copy under S3's own key, or AWS's, is read by whoever may read the other bucket.",
        fix="Set Destination.EncryptionConfiguration.ReplicaKmsKeyID to the ARN of a customer key.",
    ),
    Rule(
        id="S3LogBucketEnds",
        resource_type=_BUCKET,
        requirement=Code(_ends, "What makes it a bucket for logs is what names it."),
        severity=WARNING,
        control="D11",
        threats=(INSIDER,),
        title="Logs in a bucket end, after a year or more",
        why="Most break-ins are found months later; and who did what, kept for ever, is personal data.",
        fix="Add an enabled rule with ExpirationInDays of 365 or more.",
    ),
    Rule(
        id="S3BucketLifecycle",
        resource_type=_BUCKET,
        requirement=Code(_lifecycle, "It looks for rules among several."),
        severity=WARNING,
        control="D11",
        threats=(INSIDER,),
        title="A bucket says when objects, versions and broken uploads end",
        why="What is kept for ever is there to be taken, and is more than the law lets one keep.",
        fix="Add rules with Expiration, NoncurrentVersionExpiration and AbortIncompleteMultipartUpload.",
        standards=("S3.10", "S3.13"),
    ),
    Rule(
        id="S3BucketVersionsKept",
        resource_type=_BUCKET,
        requirement=Inside(
            "LifecycleConfiguration.Rules[*].NoncurrentVersionExpiration",
            "NoncurrentDays",
            Bounded(_WEEK),
        ),
        severity=WARNING,
        control="D4",
        threats=(POISONING, TAMPERING),
        title="Versions that were replaced stay for a week or more",
        why="Poisoned or deleted data is seen days later: by then the version before it is gone.",
        fix="Set NoncurrentVersionExpiration.NoncurrentDays to 7 or more.",
    ),
)
