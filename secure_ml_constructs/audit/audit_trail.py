"""The trail: every call recorded, delivered to the archive, and ready to be asked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from aws_cdk import RemovalPolicy
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from secure_ml_constructs._acknowledge import NAMED_BY_AWS, acknowledge_wildcards
from secure_ml_constructs._cdk import child_path, is_token, region
from secure_ml_constructs._retention import check_retention
from secure_ml_constructs.audit.audit_queries import AuditQueries, QueryResults, check_results
from secure_ml_constructs.audit.cloudtrail_table import TrailLocation
from secure_ml_constructs.audit.log_archive import LogArchive
from secure_ml_constructs.audit.trail_events import TrailEvents
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.keys import refuse_aws_managed
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.policy import allow, document

__all__ = ["AuditTrail", "ExistingTrail"]

_DEFAULT_RETENTION_DAYS = 365

_Trail = cloudtrail.CfnTrail


@dataclass(frozen=True, kw_only=True)
class ExistingTrail:
    """A trail that exists already, as an organization's usually does.

    What it records is decided where it was made: `TrailEvents().selectors(...)` gives what the environment
    needs of it.

    Attributes:
        trail_arn: The trail.
        location: Where its files lie.
        log_group: The log group it writes to as well, where this account can see it. Default: none.
    """

    trail_arn: str
    location: TrailLocation
    log_group: logs.ILogGroup | None = None


class AuditTrail(Construct):
    """A trail of all regions into the log archive and a log group, and the auditor's questions to it.

    Ensures:
        A1: management events, object events, SageMaker data events (invocations, feature store, experiments),
            network activity of the VPC endpoints, Insights, validation, customer key.
        A2: delivered into the archive; every read of the archive is recorded in turn.
        A3: who uploaded, trained, deployed and invoked are saved queries.
        D5: object-level events of every bucket.
        E3: trail, log group and query results under the customer key.
        I3: the delivering role can write to the one log group only.

    Stopping or changing a trail is an act of identity: the guardrails that deny it are no part of this
    construct, the query `permission_changes` shows it.

    Args:
        scope: The parent construct.
        id: The construct's id.
        perimeter: Whose break-glass roles are looked for, and where roles live.
        archive: Where the trail delivers to.
        key: The logs key.
        events: What is recorded. Default: everything that the control asks for.
        log_group: A log group of yours that the trail writes to. Default: one is made.
        log_retention_days: Days that the log group keeps events, one of CloudWatch's values.
            Default: 365. The archive keeps them for its own retention.
        query_results: A bucket for query results. Default: Athena's managed storage.

    Raises:
        ConfigurationError: A retention that CloudWatch does not know, an event source or type that CloudTrail
            does not know, more buckets than its selectors hold, an AWS-managed key.

    Example:
        >>> trail = AuditTrail(stack, "Trail", perimeter=perimeter, archive=archive, key=keys.logs)
        >>> "who_trained" in trail.queries.saved_queries
        True
    """

    #: The trail's ARN.
    trail_arn: str
    #: The questions.
    queries: AuditQueries

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        perimeter: DataPerimeter,
        archive: LogArchive,
        key: kms.IKey,
        events: TrailEvents | None = None,
        log_group: logs.ILogGroup | None = None,
        log_retention_days: int = _DEFAULT_RETENTION_DAYS,
        query_results: QueryResults | None = None,
    ) -> None:
        events = events or TrailEvents()
        problems = Problems()
        key_arn = refuse_aws_managed(problems, "key", key)
        events.check(problems)
        for bucket in (archive.bucket_arn, archive.access_log_bucket_arn):
            if bucket in (events.data_buckets or ()):
                problems.add(
                    "events.data_buckets",
                    bucket,
                    "Each delivery into the archive would be recorded, delivered and recorded again.",
                    "Leave it out: reads of the archive and of the access logs are recorded anyway.",
                )
        _check_retention(problems, log_retention_days, log_group)
        check_results(problems, "query_results", query_results, archive.bucket_name)
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        self.perimeter = perimeter
        self._given_log_group = log_group
        self._log_group_arn = (
            log_group.log_group_arn if log_group else self._make_log_group(key_arn, log_retention_days)
        )
        role = iam.CfnRole(
            self,
            "LogsRole",
            assume_role_policy_document=perimeter.service_trust_without_source("cloudtrail.amazonaws.com"),
            description="Writes the audit trail to its log group",
            path=perimeter.service_role_path,
        )
        permissions = iam.CfnManagedPolicy(
            self,
            "LogsPolicy",
            description="Writes the audit trail to its log group",
            path=perimeter.service_role_path,
            policy_document=document(
                # AWS CloudTrail: Role policy document for CloudTrail to use CloudWatch Logs for monitoring.
                [allow("Write", ["logs:CreateLogStream", "logs:PutLogEvents"], self._log_group_arn)]
            ),
            roles=[role.ref],
        )
        if log_group is not None:
            # Where a group's ARN is spelled out, the rule sees the ":*" at its end.
            acknowledge_wildcards(permissions, {self._log_group_arn: NAMED_BY_AWS})
        trail = cloudtrail.CfnTrail(
            self,
            "Trail",
            advanced_event_selectors=events.selectors(
                region=region(), archive_arns=(archive.bucket_arn, archive.access_log_bucket_arn)
            ),
            cloud_watch_logs_log_group_arn=self._log_group_arn,
            cloud_watch_logs_role_arn=role.attr_arn,
            enable_log_file_validation=True,
            include_global_service_events=True,
            # AWS CloudTrail: Working with CloudTrail Insights: both need the trail's management events.
            insight_selectors=[
                _Trail.InsightSelectorProperty(insight_type=kind)
                for kind in ("ApiCallRateInsight", "ApiErrorRateInsight")
            ]
            if events.insights
            else None,
            is_logging=True,
            is_multi_region_trail=True,
            kms_key_id=key_arn,
            s3_bucket_name=archive.bucket_name,
        )
        # CloudTrail tries bucket and role when the trail is made: their policies have to stand by then.
        trail.add_resource_dependency(archive.policy)
        trail.add_resource_dependency(permissions)
        trail.apply_removal_policy(RemovalPolicy.RETAIN)
        self.trail_arn = trail.attr_arn
        self.queries = AuditQueries(
            self,
            "Queries",
            perimeter=perimeter,
            key=key,
            location=TrailLocation(bucket_name=archive.bucket_name),
            results=query_results,
            watched_buckets=(archive.bucket_name, archive.access_log_bucket_name),
        )

    @classmethod
    def from_existing(
        cls,
        scope: Construct,
        id: str,
        *,
        perimeter: DataPerimeter,
        key: kms.IKey,
        trail: ExistingTrail,
        query_results: QueryResults | None = None,
    ) -> AuditTrail:
        """Use a trail that exists already: none is made, the questions are.

        Args:
            scope: The parent construct.
            id: The construct's id.
            perimeter: Whose break-glass roles are looked for.
            key: The key of the query results.
            trail: The trail and where its files lie.
            query_results: A bucket for query results. Default: Athena's managed storage.

        Raises:
            ConfigurationError: A trail's ARN or a location that is none, an AWS-managed key.
        """
        return _GivenTrail(scope, id, perimeter=perimeter, key=key, trail=trail, query_results=query_results)

    @cached_property
    def log_group(self) -> logs.ILogGroup | None:
        """The log group; None where an existing trail has none that this account can see."""
        if self._given_log_group is None and self._log_group_arn is not None:
            return logs.LogGroup.from_log_group_arn(self, "ImportedLogGroup", self._log_group_arn)
        return self._given_log_group

    _given_log_group: logs.ILogGroup | None
    _log_group_arn: str | None

    def _make_log_group(self, key_arn: str, retention_days: int) -> str:
        group = logs.CfnLogGroup(
            self,
            "LogGroup",
            deletion_protection_enabled=True,
            kms_key_id=key_arn,
            retention_in_days=retention_days,
        )
        group.apply_removal_policy(RemovalPolicy.RETAIN)
        return str(group.attr_arn)


class _GivenTrail(AuditTrail):
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        perimeter: DataPerimeter,
        key: kms.IKey,
        trail: ExistingTrail,
        query_results: QueryResults | None,
    ) -> None:
        problems = Problems()
        if not is_token(trail.trail_arn) and not (
            trail.trail_arn.startswith("arn:") and ":trail/" in trail.trail_arn
        ):
            problems.add(
                "trail.trail_arn",
                trail.trail_arn,
                "This is no trail's ARN.",
                "Write 'arn:aws:cloudtrail:<region>:<account>:trail/<name>'.",
            )
        refuse_aws_managed(problems, "key", key)
        trail.location.check(problems, "trail.location")
        check_results(problems, "query_results", query_results, trail.location.bucket_name)
        problems.raise_if_any(child_path(scope, id))
        Construct.__init__(self, scope, id)
        self.trail_arn = trail.trail_arn
        self._given_log_group = trail.log_group
        self._log_group_arn = None
        self.queries = AuditQueries(
            self,
            "Queries",
            perimeter=perimeter,
            key=key,
            location=trail.location,
            results=query_results,
        )


def _check_retention(problems: Problems, days: int, log_group: logs.ILogGroup | None) -> None:
    check_retention(problems, "log_retention_days", days)
    if log_group is not None and days != _DEFAULT_RETENTION_DAYS:
        problems.add(
            "log_retention_days",
            days,
            "The log group is yours, and so is its retention.",
            "Leave one of the two arguments out.",
        )
