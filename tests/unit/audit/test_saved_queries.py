"""The auditor's questions, run over made-up records."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
import sqlglot

from secure_ml_constructs.audit.cloudtrail_table import COLUMNS, PARTITIONS
from secure_ml_constructs.audit.saved_queries import load_queries
from tests.support.templates import ACCOUNT, REGION, World
from tests.unit.audit.environment import BREAK_GLASS, ENDPOINT, FOREIGN

TODAY = datetime.datetime.now(datetime.UTC)
QUESTIONS = [query.name for query in load_queries()]


# -- the questions, answered -------------------------------------------------------------------------


def record(service: str, name: str, who: str = "scientist", **fields: Any) -> dict[str, Any]:
    """One CloudTrail record of a role session, as CloudTrail writes it but with lower-case names."""
    request = fields.pop("request", {})
    result = {
        "useridentity": {
            "type": "AssumedRole",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{who}/{who}-session",
            "accountid": ACCOUNT,
            "sessioncontext": {
                "sessionissuer": {"type": "Role", "arn": f"arn:aws:iam::{ACCOUNT}:role/secure-ml/{who}"},
                "sourceidentity": fields.pop("person", None),
            },
        },
        "eventtime": TODAY.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventsource": f"{service}.amazonaws.com",
        "eventname": name,
        "awsregion": REGION,
        "sourceipaddress": "10.0.0.7",
        "requestparameters": json.dumps(request),
        "vpcendpointid": ENDPOINT,
        "account": ACCOUNT,
        "region": REGION,
        "day": TODAY.strftime("%Y/%m/%d"),
    }
    return {**result, **fields}


def issued(role: str) -> dict[str, Any]:
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/x/x"
    return {
        "type": "AssumedRole",
        "arn": session,
        "accountid": ACCOUNT,
        "sessioncontext": {"sessionissuer": {"type": "Role", "arn": role}},
    }


OLD = (TODAY - datetime.timedelta(days=31)).strftime("%Y/%m/%d")
SIXTY_DAYS_AGO = (TODAY - datetime.timedelta(days=60)).strftime("%Y/%m/%d")
HUNDRED_DAYS_AGO = (TODAY - datetime.timedelta(days=100)).strftime("%Y/%m/%d")
ARCHIVE_BUCKET, ACCESS_LOG_BUCKET = "the-archive", "the-access-logs"
ALMOST_BREAK_GLASS = f"arn:aws:iam::{ACCOUNT}:role/mlXbreak-glass"
RECORDS = [
    record("s3", "PutObject", person="ada", request={"bucketName": "lake", "key": "raw/scan.dcm"}),
    record("s3", "PutObject", request={"bucketName": "lake", "key": "raw/old.dcm"}, day=OLD),
    record("s3", "GetObject", request={"bucketName": "lake", "key": "raw/scan.dcm"}),
    record("s3", "GetObject", request={"bucketName": "lake", "key": "raw/a.dcm"}, errorcode="AccessDenied"),
    record("s3", "GetObject", "auditor", request={"bucketName": ARCHIVE_BUCKET, "key": "AWSLogs/x"}),
    record("s3", "DeleteObject", request={"bucketName": ACCESS_LOG_BUCKET}, errorcode="AccessDenied"),
    record(
        "s3",
        "GetObject",
        request={"bucketName": ARCHIVE_BUCKET},
        useridentity={"type": "AWSService", "invokedby": "cloudtrail.amazonaws.com"},
    ),
    record("sagemaker", "PutRecord", request={"featureGroupName": "vitals"}),
    record(
        "sagemaker",
        "CreateTrainingJob",
        person="ada",
        request={
            "trainingJobName": "tumour-7",
            "roleArn": f"arn:aws:iam::{ACCOUNT}:role/secure-ml/training",
            "algorithmSpecification": {"trainingImage": "image@sha256:1"},
            "inputDataConfig": [{"dataSource": {"s3DataSource": {"s3Uri": "s3://lake/raw"}}}],
            "enableNetworkIsolation": True,
        },
    ),
    record("sagemaker", "StartPipelineExecution", request={"pipelineName": "nightly"}),
    record("sagemaker", "CreateEndpoint", "pipeline", request={"endpointName": "tumour"}),
    record(
        "sagemaker",
        "UpdateModelPackage",
        "approver",
        request={"modelPackageArn": "arn:package", "modelApprovalStatus": "Approved"},
    ),
    *[record("sagemaker", "InvokeEndpoint", "clinic", request={"endpointName": "tumour"}) for _ in range(3)],
    record(
        "sagemaker", "InvokeEndpoint", "clinic", request={"endpointName": "tumour"}, errorcode="ModelError"
    ),
    record("elsewhere", "InvokeEndpoint", "clinic", request={"endpointName": "other"}),
    record("glue", "GetTable", "prober", errorcode="AccessDeniedException"),
    record("glue", "GetTable", "clumsy", errorcode="EntityNotFoundException"),
    record("kms", "Decrypt", resources=[{"arn": "arn:key", "type": "AWS::KMS::Key"}]),
    record("kms", "DescribeKey", resources=[{"arn": "arn:key", "type": "AWS::KMS::Key"}]),
    record("iam", "PutRolePolicy", "admin", request={"roleName": "training"}),
    record("ec2", "RunInstances", "thief", region="ap-south-1", awsregion="ap-south-1"),
    record("ec2", "DescribeInstances", useridentity=issued(BREAK_GLASS)),
    record("ec2", "StopInstances", useridentity=issued(ALMOST_BREAK_GLASS)),
    record("sts", "AssumeRole", "curious", request={"roleArn": BREAK_GLASS}, errorcode="AccessDenied"),
    record("s3", "ListObjects", request={"bucketName": "lake"}, day=SIXTY_DAYS_AGO),
    record("s3", "HeadBucket", request={"bucketName": "lake"}, day=SIXTY_DAYS_AGO),
    record("s3", "DeleteObject", request={"bucketName": "lake"}, day=HUNDRED_DAYS_AGO),
    record("monitoring", "PutMetricData", "watcher", day=SIXTY_DAYS_AGO),
    record("lambda", "GetFunction20150331v2", "watcher", day=SIXTY_DAYS_AGO),
    record("signin", "ConsoleLogin", useridentity={"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root"}),
]
NETWORK_RECORDS = [
    record(
        "s3",
        "PutObject",
        errorcode="VpceAccessDenied",
        useridentity={"type": "AWSAccount", "accountid": FOREIGN},
    ),
    record("s3", "GetObject"),
]
# Every question with the columns looked at, and the rows that have to come back.
ANSWERS: dict[str, tuple[tuple[str, ...], set[tuple[Any, ...]]]] = {
    "who_uploaded": (
        ("who", "target", "object"),
        {("ada", "lake", "raw/scan.dcm"), ("scientist", "vitals", None)},
    ),
    "who_read": (
        ("role", "bucket", "calls", "refused"),
        {("scientist", "lake", 2, 1), ("auditor", ARCHIVE_BUCKET, 1, 0), (None, ARCHIVE_BUCKET, 1, 0)},
    ),
    "who_trained": (
        ("who", "job", "image", "first_input", "isolated"),
        {
            ("ada", "tumour-7", "image@sha256:1", "s3://lake/raw", "true"),
            ("scientist", "nightly", None, None, None),
        },
    ),
    "who_deployed": (
        ("who", "target", "approval"),
        {("pipeline", "tumour", None), ("approver", "arn:package", "Approved")},
    ),
    "who_invoked": (("role", "endpoint", "calls", "failed"), {("clinic", "tumour", 4, 1)}),
    "denied_calls": (
        ("role", "action", "calls"),
        {
            ("scientist", "GetObject", 1),
            ("scientist", "DeleteObject", 1),
            ("curious", "AssumeRole", 1),
            ("prober", "GetTable", 1),
        },
    ),
    "denied_at_endpoints": (("caller_account", "action"), {(FOREIGN, "PutObject")}),
    "key_use": (("key_arn", "action", "calls"), {("arn:key", "Decrypt", 1)}),
    "emergency_access": (
        ("caller_type", "action"),
        {("AssumedRole", "DescribeInstances"), ("AssumedRole", "AssumeRole"), ("Root", "ConsoleLogin")},
    ),
    "permission_changes": (("role", "action"), {("admin", "PutRolePolicy")}),
    "archive_access": (
        ("role", "bucket", "outcome"),
        {("auditor", ARCHIVE_BUCKET, "done"), ("scientist", ACCESS_LOG_BUCKET, "AccessDenied")},
    ),
    "other_regions": (("region", "role", "action"), {("ap-south-1", "thief", "RunInstances")}),
    "used_permissions": (
        ("role", "action", "calls", "days"),
        {
            ("scientist", "s3:PutObject", 2, 2),
            ("scientist", "s3:GetObject", 1, 1),
            ("auditor", "s3:GetObject", 1, 1),
            ("scientist", "sagemaker:PutRecord", 1, 1),
            ("scientist", "sagemaker:CreateTrainingJob", 1, 1),
            ("scientist", "sagemaker:StartPipelineExecution", 1, 1),
            ("pipeline", "sagemaker:CreateEndpoint", 1, 1),
            ("approver", "sagemaker:UpdateModelPackage", 1, 1),
            ("clinic", "sagemaker:InvokeEndpoint", 4, 1),
            ("clinic", "elsewhere:InvokeEndpoint", 1, 1),
            ("clumsy", "glue:GetTable", 1, 1),
            ("scientist", "kms:Decrypt", 1, 1),
            ("scientist", "kms:DescribeKey", 1, 1),
            ("admin", "iam:PutRolePolicy", 1, 1),
            ("thief", "ec2:RunInstances", 1, 1),
            (BREAK_GLASS, "ec2:DescribeInstances", 1, 1),
            (ALMOST_BREAK_GLASS, "ec2:StopInstances", 1, 1),
            ("scientist", "s3:ListBucket", 2, 1),
            ("watcher", "cloudwatch:PutMetricData", 1, 1),
            ("watcher", "lambda:GetFunction", 1, 1),
        },
    ),
}


@pytest.fixture(scope="module")
def database() -> Iterator[Any]:
    columns = {**COLUMNS, **PARTITIONS}
    shape = _shape(f"array<struct<{','.join(f'{name}:{kind}' for name, kind in columns.items())}>>")
    connection = duckdb.connect()
    for table, records in (("cloudtrail", RECORDS), ("network_activity", NETWORK_RECORDS)):
        rows = f"SELECT unnest(from_json(?::JSON, '{shape}')) AS record"
        text = json.dumps([{name: one.get(name) for name in columns} for one in records])
        connection.execute(f"CREATE TABLE {table} AS SELECT unnest(record) FROM ({rows})", [text])
    yield connection
    connection.close()


def _shape(kind: str) -> str:
    """A Hive type as DuckDB's from_json takes it."""
    if kind.startswith("array<"):
        return f"[{_shape(kind[6:-1])}]"
    if not kind.startswith("struct<"):
        return '"MAP(VARCHAR, VARCHAR)"' if kind.startswith("map<") else '"VARCHAR"'
    fields, depth, part = [], 0, ""
    for letter in kind[7:-1] + ",":
        depth += {"<": 1, ">": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            name, _, inner = part.partition(":")
            fields.append(f'"{name}": {_shape(inner)}')
            part = ""
        else:
            part += letter
    return "{" + ", ".join(fields) + "}"


@pytest.fixture(scope="session")
def texts(audit: World) -> dict[str, str]:
    """The questions as they would stand in Athena."""
    return {
        query.properties["Name"]: query.properties["QueryString"]
        for query in audit.resources("AWS::Athena::NamedQuery")
    }


def test_every_question_has_an_answer_to_compare(texts: dict[str, str]) -> None:
    assert set(texts) == set(QUESTIONS) == set(ANSWERS)


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_finds_what_it_asks_for_and_nothing_else(
    audit: World, texts: dict[str, str], database: Any, name: str
) -> None:
    sql = texts[name]
    for bucket, stand_in in (("ArchiveBucket", ARCHIVE_BUCKET), ("AccessLogsBucket", ACCESS_LOG_BUCKET)):
        sql = sql.replace(audit.ref(audit.one("AWS::S3::Bucket", bucket)), stand_in)
    statement = sqlglot.parse_one(sql, dialect="athena")
    for table in statement.find_all(sqlglot.exp.Table):
        table.set("db", None)
    cursor = database.execute(statement.sql(dialect="duckdb"))
    names = [column[0] for column in cursor.description]
    columns, expected = ANSWERS[name]
    rows = {tuple(_short(row[names.index(column)]) for column in columns) for row in cursor.fetchall()}
    assert rows == expected


def _short(value: Any) -> Any:
    """The role's name for its ARN, or its session's."""
    if isinstance(value, str) and (match := re.search(r"(?:role/secure-ml|assumed-role)/(\w+)", value)):
        return match.group(1)
    return value


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_question_reads_the_whole_trail(texts: dict[str, str], name: str) -> None:
    """Without the partition key `day` Athena reads every file there is."""
    where = sqlglot.parse_one(texts[name], dialect="athena").find(sqlglot.exp.Where)
    assert where
    bound = where.find(sqlglot.exp.GTE)
    assert bound
    assert bound.this.name == "day"


def test_a_description_is_what_the_file_says_first() -> None:
    for query in load_queries():
        assert query.description.endswith(".")
        assert len(query.description) > 30


def test_the_questions_ask_the_tables_that_were_made(audit: World, texts: dict[str, str]) -> None:
    database = audit.one("AWS::Glue::Database").properties["DatabaseInput"]["Name"]
    made = {
        (database, table.properties["TableInput"]["Name"]) for table in audit.resources("AWS::Glue::Table")
    }
    asked = {
        (table.db, table.name)
        for sql in texts.values()
        for table in sqlglot.parse_one(sql, dialect="athena").find_all(sqlglot.exp.Table)
    }
    assert asked == made
