"""The auditor's questions, saved: who uploaded, trained, deployed, invoked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from aws_cdk import Names
from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from secure_ml_constructs._acknowledge import OBJECTS_BELOW, acknowledge_wildcards
from secure_ml_constructs._cdk import account, child_path, is_token, partition, region
from secure_ml_constructs.audit.cloudtrail_table import (
    COLUMNS,
    INPUT_FORMAT,
    OUTPUT_FORMAT,
    PARTITIONS,
    SERDE,
    TrailLocation,
)
from secure_ml_constructs.audit.saved_queries import SavedQuery, load_queries, roles_condition
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.keys import refuse_aws_managed
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.policy import Statement, allow, document

__all__ = ["AuditQueries", "QueryResults"]

# A query over a year of a busy trail stays below; a mistake without a day does not run for ever.
_MOST_BYTES_SCANNED = 2 * 1024**4
_TABLES = {"cloudtrail": "CloudTrail", "network_activity": "CloudTrail-NetworkActivity"}


@dataclass(frozen=True, kw_only=True)
class QueryResults:
    """A bucket of yours for query results, instead of Athena's own storage.

    Attributes:
        bucket: The bucket; never the archive, which would lock every result for years.
        prefix: The prefix of the results.
    """

    bucket: s3.IBucket
    prefix: str = "athena-results/"


class AuditQueries(Construct):
    """Saved Athena queries over a trail's files, in a workgroup of their own.

    Partitions are projected: nothing has to be crawled or repaired. Results lie in Athena's managed storage
    for a day and then go, unless a bucket is given.

    Ensures:
        A3: who uploaded, trained, deployed and invoked, and what else an auditor asks, each a saved query.
        E3: results under the customer key; the workgroup's settings can't be overridden by a client.

    Args:
        scope: The parent construct.
        id: The construct's id.
        perimeter: Whose break-glass roles the emergency query looks for.
        key: The key of the results, and the one the trail's files are under.
        location: Where the trail's files lie.
        results: A bucket for the results. Default: Athena's managed storage.
        watched_buckets: Names of the buckets that `archive_access` asks about. Default: the trail's bucket.

    Raises:
        ConfigurationError: A location that is none, results in the trail's own bucket, an AWS-managed key.

    Example:
        >>> queries = AuditQueries(
        ...     stack,
        ...     "Questions",
        ...     perimeter=perimeter,
        ...     key=keys.logs,
        ...     location=TrailLocation(bucket_name="org-trail", organization="o-a1b2c3d4e5"),
        ... )
        >>> sorted(queries.saved_queries)[:2]
        ['archive_access', 'denied_at_endpoints']
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        perimeter: DataPerimeter,
        key: kms.IKey,
        location: TrailLocation,
        results: QueryResults | None = None,
        watched_buckets: Iterable[str] = (),
    ) -> None:
        problems = Problems()
        key_arn = refuse_aws_managed(problems, "key", key)
        location.check(problems)
        check_results(problems, "results", results, location.bucket_name)
        watched = [*watched_buckets] or [location.bucket_name]
        for index, bucket in enumerate(watched):
            if not is_token(bucket) and "'" in bucket:
                problems.add(
                    f"watched_buckets[{index}]", bucket, "This is no bucket's name.", "Write the name alone."
                )
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        self._key_arn = key_arn
        self._location = location
        self._results = results
        self._bucket_arn = _sub(f"arn:${{AWS::Partition}}:s3:::{location.bucket_name}")
        self._granted: set[str] = set()
        name = Names.unique_resource_name(self, max_length=100, separator="_").lower()
        self.workgroup_name: str = self._make_workgroup(name, key_arn)
        self.database_name: str = self._make_tables(name)
        fill = {
            "trail": f'"{name}"."cloudtrail"',
            "network": f'"{name}"."network_activity"',
            "archive": ", ".join(f"'{bucket}'" for bucket in watched),
            "break_glass": roles_condition(perimeter.break_glass_roles),
            "region": "${AWS::Region}",
        }
        #: The questions by name, as they stand in Athena.
        self.saved_queries: Mapping[str, SavedQuery] = MappingProxyType(
            {query.name: query.filled(fill) for query in load_queries()}
        )
        for query in self.saved_queries.values():
            athena.CfnNamedQuery(
                self,
                query.name.title().replace("_", ""),
                database=self.database_name,
                description=query.description,
                name=query.name,
                query_string=_sub(query.sql),
                work_group=self.workgroup_name,
            )

    def grant_run(self, role: iam.IRole) -> None:
        """Let a role run the queries and read what they read: in the workgroup, through Athena and S3.

        Args:
            role: A role under the perimeter's role path; the archive and the key let no other in.
        """
        path = role.node.path
        if path in self._granted:
            return
        self._granted.add(path)
        # Beside the role: here it would make the audit stack depend on its users. A role that was made
        # elsewhere is no construct. The addresses tell trails, and roles, apart.
        made_here = isinstance(role, Construct)
        scope: Construct = role if isinstance(role, Construct) else self
        policy = iam.CfnManagedPolicy(
            scope,
            f"AuditQueries{(self if made_here else role).node.addr[-8:]}",
            description="Asks the audit trail",
            policy_document=document(self.run_statements()),
            roles=[role.role_name],
        )
        reason = (
            "An auditor reads every log file there is; the bucket lets the role in by the endpoints only."
        )
        wildcards = {f"{self._bucket_arn}/*": reason}
        if self._results:
            wildcards[f"{self._results.bucket.bucket_arn}/{self._results.prefix}*"] = OBJECTS_BELOW
        acknowledge_wildcards(policy, wildcards)

    def run_statements(self) -> list[Statement]:
        """Give the identity statements of `grant_run`."""
        catalog = "arn:${AWS::Partition}:glue:${AWS::Region}:${AWS::AccountId}:"
        statements = [
            allow(
                "RunAuditQueries",
                [
                    "athena:BatchGetNamedQuery",
                    "athena:GetNamedQuery",
                    "athena:GetQueryExecution",
                    "athena:GetQueryResults",
                    "athena:GetQueryResultsStream",
                    "athena:GetWorkGroup",
                    "athena:ListNamedQueries",
                    "athena:ListQueryExecutions",
                    "athena:StartQueryExecution",
                    "athena:StopQueryExecution",
                ],
                _sub(
                    "arn:${AWS::Partition}:athena:${AWS::Region}:${AWS::AccountId}:"
                    f"workgroup/{self.workgroup_name}"
                ),
            ),
            allow(
                "ReadAuditTables",
                [
                    "glue:GetDatabase",
                    "glue:GetPartition",
                    "glue:GetPartitions",
                    "glue:GetTable",
                    "glue:GetTables",
                ],
                [
                    _sub(f"{catalog}{part}")
                    for part in (
                        "catalog",
                        f"database/{self.database_name}",
                        *(f"table/{self.database_name}/{table}" for table in _TABLES),
                    )
                ],
            ),
            allow("ReadTrail", ["s3:GetObject", "s3:GetObjectVersion"], f"{self._bucket_arn}/*"),
            allow("ListTrail", ["s3:GetBucketLocation", "s3:ListBucket"], self._bucket_arn),
            allow("ReadEncrypted", "kms:Decrypt", self._location.key_arn or self._key_arn),
            allow("EncryptResults", ["kms:Decrypt", "kms:GenerateDataKey"], self._key_arn),
        ]
        if self._results:
            target = self._results.bucket.bucket_arn
            statements += [
                allow(
                    "WriteResults",
                    [
                        "s3:AbortMultipartUpload",
                        "s3:GetObject",
                        "s3:ListMultipartUploadParts",
                        "s3:PutObject",
                    ],
                    f"{target}/{self._results.prefix}*",
                ),
                allow("ListResults", ["s3:GetBucketLocation", "s3:ListBucket"], target),
            ]
        return statements

    def _make_workgroup(self, name: str, key_arn: str) -> str:
        group = athena.CfnWorkGroup
        storage: dict[str, object]
        if self._results is None:
            # Amazon Athena: Managed query results.
            storage = {
                "managed_query_results_configuration": group.ManagedQueryResultsConfigurationProperty(
                    enabled=True,
                    encryption_configuration=group.ManagedStorageEncryptionConfigurationProperty(
                        kms_key=key_arn
                    ),
                )
            }
        else:
            storage = {
                "result_configuration": group.ResultConfigurationProperty(
                    output_location=f"s3://{self._results.bucket.bucket_name}/{self._results.prefix}",
                    expected_bucket_owner=account(),
                    encryption_configuration=group.EncryptionConfigurationProperty(
                        encryption_option="SSE_KMS", kms_key=key_arn
                    ),
                )
            }
        workgroup = athena.CfnWorkGroup(
            self,
            "Workgroup",
            name=name,
            description="Questions to the audit trail",
            state="ENABLED",
            work_group_configuration=group.WorkGroupConfigurationProperty(
                bytes_scanned_cutoff_per_query=_MOST_BYTES_SCANNED,
                enforce_work_group_configuration=True,
                engine_version=group.EngineVersionProperty(selected_engine_version="Athena engine version 3"),
                publish_cloud_watch_metrics_enabled=True,
                requester_pays_enabled=False,
                **storage,  # type: ignore[arg-type]
            ),
        )
        return str(workgroup.ref)

    def _make_tables(self, name: str) -> str:
        catalog = account()
        database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=catalog,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=name, description="The audit trail's files, as tables"
            ),
        )
        reference: str = database.ref
        for table_name, folder in _TABLES.items():
            glue.CfnTable(
                self,
                table_name.title().replace("_", ""),
                catalog_id=catalog,
                database_name=reference,
                # A plain mapping: so many typed columns take three times as long.
                table_input={
                    "name": table_name,
                    "tableType": "EXTERNAL_TABLE",
                    "parameters": {
                        "classification": "cloudtrail",
                        **{key: _sub(value) for key, value in self._location.projection(folder).items()},
                    },
                    "partitionKeys": _columns(PARTITIONS),
                    "storageDescriptor": {
                        "columns": _columns(COLUMNS),
                        "inputFormat": INPUT_FORMAT,
                        "location": f"{self._location.root()}/",
                        "outputFormat": OUTPUT_FORMAT,
                        "serdeInfo": {"serializationLibrary": SERDE},
                    },
                },
            )
        return reference


def check_results(problems: Problems, argument: str, results: QueryResults | None, trail_bucket: str) -> None:
    """Record a problem where results would lie among the trail's files."""
    if results and results.bucket.bucket_name == trail_bucket:
        problems.add(
            f"{argument}.bucket",
            trail_bucket,
            "Query results in the trail's own bucket would be locked for years, and read as logs.",
            "Give another bucket, or leave the argument out for Athena's managed storage.",
        )


def _sub(text: str) -> str:
    # As tokens and not as Fn::Sub: that would read a placeholder of Athena's as one of its own.
    for placeholder, token in _pseudo_parameters():
        text = text.replace(placeholder, token)
    return text


@cache
def _pseudo_parameters() -> tuple[tuple[str, str], ...]:
    return (
        ("${AWS::AccountId}", account()),
        ("${AWS::Partition}", partition()),
        ("${AWS::Region}", region()),
    )


def _columns(columns: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in columns.items()]
