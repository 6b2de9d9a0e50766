"""Secrets, queues and the tables around the data."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from secure_ml_constructs.verification.rules.keys import CustomerKey
from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome
from secure_ml_constructs.verification.rules.pack.shared import (
    denies_plain_http,
    policy,
    public_statements,
)
from secure_ml_constructs.verification.rules.pack.vocabulary import (
    API_ABUSE,
    INSIDER,
    TRUE,
    customer_key,
)
from secure_ml_constructs.verification.rules.predicates import Equals, Matches
from secure_ml_constructs.verification.rules.requirements import AnyOf, At, Code, Every, values
from secure_ml_constructs.verification.rules.rule import ERROR, WARNING, Rule
from secure_ml_constructs.verification.rules.secrets import secret_in
from secure_ml_constructs.verification.templates import Absent, Encoded, Pseudo, Reference, Text, show

_SECRET = "AWS::SecretsManager::Secret"
_TOPIC = "AWS::SNS::Topic"
_QUEUE = "AWS::SQS::Queue"
_RESULTS = "WorkGroupConfiguration.ResultConfiguration.EncryptionConfiguration"
_MANAGED = "WorkGroupConfiguration.ManagedQueryResultsConfiguration"


def _rotated(context: Context) -> Iterator[Outcome]:
    graph = context.graph
    for type_ in ("AWS::SecretsManager::RotationSchedule", "AWS::SecretsManager::SecretTargetAttachment"):
        found = graph.named_by(context.resource, type_, "SecretId")
        if found and type_.endswith("RotationSchedule"):
            return
        for attachment in found:
            if graph.named_by(attachment, "AWS::SecretsManager::RotationSchedule", "SecretId"):
                return
    yield Fail("has no rotation schedule")


def _secret_written(context: Context) -> Iterator[Outcome]:
    written = context.graph.get(context.resource, "SecretString")
    if isinstance(written, str) or (isinstance(written, Text) and any(type(p) is str for p in written.parts)):
        yield Fail("is written in plain text", "SecretString")
    elif isinstance(written, Encoded):
        yield Fail("is written, and Base64 hides nothing", "SecretString")


def _secret_policy(context: Context) -> Iterator[Outcome]:
    yield from public_statements(context, "ResourcePolicy", accounts=True)


def _tls(type_: str, property_: str) -> Code:
    def ask(context: Context) -> Iterator[Outcome]:
        graph = context.graph
        found = []
        for holder in graph.named_by(context.resource, type_, property_):
            statements = policy(context, "PolicyDocument", holder)
            if not isinstance(statements, list):
                return
            found += statements
        if not denies_plain_http(found):
            yield Fail("has no policy that denies requests without TLS")

    return Code(ask, "The policy is another resource.")


def _policy_public(context: Context) -> Iterator[Outcome]:
    yield from public_statements(context, "PolicyDocument")


def _lake(context: Context) -> Iterator[Outcome]:
    for name in ("CreateDatabaseDefaultPermissions", "CreateTableDefaultPermissions"):
        given = context.graph.get(context.resource, name)
        if isinstance(given, Absent) or given:
            yield Fail("gives everyone with IAM rights what Lake Formation should grant", name)


def _plain_parameter(context: Context) -> Iterator[Outcome]:
    """No parameter of the template holds a secret as its default, and no output shows one."""
    value = context.graph.get(context.resource, "Value")
    found = secret_in(show(context.graph.get(context.resource, "Name")), value)
    if found:
        yield Fail(found, "Value")


def _tags(context: Context) -> Iterator[Outcome]:
    for path, item in values(context, "Tags[*]"):
        if isinstance(item, dict):
            get = partial(context.graph.at, context.resource.template, item)
            found = secret_in(show(get(("Key",))), get(("Value",)))
            if found:
                yield Fail(found, f"{path}.Value")


def _subscription(context: Context) -> Iterator[Outcome]:
    endpoint = context.graph.get(context.resource, "Endpoint")
    if not isinstance(endpoint, Reference | Pseudo) and show(endpoint).startswith("http://"):
        yield Fail("is reached by http", "Endpoint")


RULES = (
    customer_key("SecretCustomerKey", _SECRET, "KmsKeyId", "A secret is", severity=WARNING, control="I8"),
    Rule(
        id="SecretRotated",
        resource_type=_SECRET,
        requirement=Code(_rotated, "The schedule is another resource."),
        severity=WARNING,
        control="I8",
        threats=(INSIDER,),
        title="A secret is rotated",
        why="A secret that leaked stays good until somebody changes it.",
        fix="Add an AWS::SecretsManager::RotationSchedule.",
        standards=("SecretsManager.1",),
    ),
    Rule(
        id="SecretNotInTemplate",
        resource_type=_SECRET,
        requirement=Code(_secret_written, "A value that comes from elsewhere is not in the template."),
        severity=ERROR,
        control="E5",
        threats=(INSIDER,),
        title="A secret is not written in the template",
        why="A template is read by many, and kept for years.",
        fix="Use GenerateSecretString, or put the value in after deployment.",
    ),
    Rule(
        id="SecretPolicyNotPublic",
        resource_type="AWS::SecretsManager::ResourcePolicy",
        requirement=Every(Code(_secret_policy), At("BlockPublicPolicy", TRUE)),
        severity=ERROR,
        control="I8",
        threats=(INSIDER,),
        title="A secret is read by principals of ours only",
        why="Whoever reads the secret is whoever it belongs to.",
        fix="Name principals, and set BlockPublicPolicy to true.",
    ),
    customer_key(
        "SnsCustomerKey", _TOPIC, "KmsMasterKeyId", "A topic is", severity=WARNING, standards=("SNS.1",)
    ),
    Rule(
        id="SnsTlsOnly",
        resource_type=_TOPIC,
        requirement=_tls("AWS::SNS::TopicPolicy", "Topics"),
        severity=WARNING,
        control="E2",
        threats=(INSIDER,),
        title="A topic is published to over TLS only",
        why="Findings and alarms cross the network in the clear.",
        fix="Add a policy that denies sns:Publish to * where aws:SecureTransport is false.",
    ),
    Rule(
        id="SnsPolicyNotPublic",
        resource_type="AWS::SNS::TopicPolicy",
        requirement=Code(_policy_public),
        severity=ERROR,
        control="I3",
        threats=(INSIDER, API_ABUSE),
        title="A topic's policy lets in nobody unknown",
        why="Anyone could read alarms, or drown them.",
        fix="Name principals, or bind the statement by aws:SourceAccount or aws:SourceArn.",
        standards=("SNS.4",),
    ),
    Rule(
        id="SnsSubscriptionEncrypted",
        resource_type="AWS::SNS::Subscription",
        requirement=Every(At("Protocol", Matches("^http$", "is http", negate=True)), Code(_subscription)),
        severity=WARNING,
        control="E2",
        threats=(INSIDER,),
        title="Nothing is delivered by plain http",
        why="What is sent is read by everyone on the way.",
        fix="Use https, or a service of AWS.",
    ),
    Rule(
        id="SqsEncrypted",
        resource_type=_QUEUE,
        requirement=AnyOf(At("KmsMasterKeyId", CustomerKey()), At("SqsManagedSseEnabled", TRUE)),
        severity=WARNING,
        control="E3",
        threats=(INSIDER,),
        title="A queue is encrypted",
        why="Requests wait in it with what they ask.",
        fix="Set KmsMasterKeyId to a customer key.",
        standards=("SQS.1",),
    ),
    Rule(
        id="SqsTlsOnly",
        resource_type=_QUEUE,
        requirement=_tls("AWS::SQS::QueuePolicy", "Queues"),
        severity=WARNING,
        control="E2",
        threats=(INSIDER,),
        title="A queue is reached over TLS only",
        why="What it holds crosses the network in the clear.",
        fix="Add a policy that denies sqs:* to * where aws:SecureTransport is false.",
    ),
    Rule(
        id="SqsPolicyNotPublic",
        resource_type="AWS::SQS::QueuePolicy",
        requirement=Code(_policy_public),
        severity=ERROR,
        control="I3",
        threats=(INSIDER, API_ABUSE),
        title="A queue's policy lets in nobody unknown",
        why="Anyone could read what waits in it, or fill it.",
        fix="Name principals, or bind the statement by aws:SourceAccount or aws:SourceArn.",
        standards=("SQS.3",),
    ),
    Rule(
        id="AthenaEncrypted",
        resource_type="AWS::Athena::WorkGroup",
        requirement=AnyOf(
            Every(
                At("WorkGroupConfiguration.EnforceWorkGroupConfiguration", TRUE),
                At(f"{_RESULTS}.EncryptionOption", Equals("SSE_KMS", "CSE_KMS")),
                At(f"{_RESULTS}.KmsKey", CustomerKey()),
            ),
            Every(
                At(f"{_MANAGED}.Enabled", TRUE),
                At(f"{_MANAGED}.EncryptionConfiguration.KmsKey", CustomerKey()),
            ),
        ),
        severity=WARNING,
        control="E3",
        threats=(INSIDER,),
        title="What a query finds is under a customer key",
        why="Results are a copy of the data, and callers choose where it lies unless they are held.",
        fix="Set EnforceWorkGroupConfiguration to true, and EncryptionConfiguration to SSE_KMS with a key.",
        standards=("Athena.1",),
    ),
    Rule(
        id="GlueCatalogEncrypted",
        resource_type="AWS::Glue::DataCatalogEncryptionSettings",
        requirement=Every(
            At(
                "DataCatalogEncryptionSettings.EncryptionAtRest.CatalogEncryptionMode",
                Equals("SSE-KMS", "SSE-KMS-WITH-SERVICE-ROLE"),
            ),
            At("DataCatalogEncryptionSettings.EncryptionAtRest.SseAwsKmsKeyId", CustomerKey()),
            At(
                "DataCatalogEncryptionSettings.ConnectionPasswordEncryption"
                ".ReturnConnectionPasswordEncrypted",
                TRUE,
            ),
        ),
        severity=WARNING,
        control="E3",
        threats=(INSIDER,),
        title="The catalogue and its passwords are under a customer key",
        why="The catalogue says what there is to steal, and connections hold passwords.",
        fix="Set EncryptionAtRest to SSE-KMS with a key, and encrypt connection passwords.",
    ),
    Rule(
        id="GlueJobsEncrypted",
        resource_type="AWS::Glue::SecurityConfiguration",
        requirement=Every(
            At("EncryptionConfiguration.S3Encryptions[*].S3EncryptionMode", Equals("SSE-KMS")),
            At("EncryptionConfiguration.CloudWatchEncryption.CloudWatchEncryptionMode", Equals("SSE-KMS")),
            At(
                "EncryptionConfiguration.JobBookmarksEncryption.JobBookmarksEncryptionMode",
                Equals("CSE-KMS"),
            ),
        ),
        severity=WARNING,
        control="E3",
        threats=(INSIDER,),
        title="What Glue's jobs write is under a customer key",
        why="Jobs copy data into places of their own: results, logs and bookmarks.",
        fix="Set S3Encryptions, CloudWatchEncryption and JobBookmarksEncryption to their KMS modes.",
        standards=("Glue.3",),
    ),
    Rule(
        id="LakeFormationDefaults",
        resource_type="AWS::LakeFormation::DataLakeSettings",
        requirement=Code(_lake, "An empty list is not a missing one."),
        severity=WARNING,
        control="D9",
        threats=(INSIDER,),
        title="New tables are granted to nobody",
        why="By default everyone with rights in IAM reads each new table.",
        fix="Set CreateDatabaseDefaultPermissions and CreateTableDefaultPermissions to [].",
    ),
    Rule(
        id="SsmParameterNoSecret",
        resource_type="AWS::SSM::Parameter",
        requirement=Code(_plain_parameter, "Its name says what it is."),
        severity=ERROR,
        control="E5",
        threats=(INSIDER,),
        title="A parameter made by a template holds no secret",
        why="CloudFormation makes plain parameters only, and the template holds the value as well.",
        fix="Keep it in Secrets Manager.",
    ),
    Rule(
        id="TagsNoSecret",
        resource_type="AWS::SageMaker::Endpoint",
        also=(
            "AWS::SageMaker::Model",
            "AWS::SageMaker::Domain",
            "AWS::SageMaker::UserProfile",
            "AWS::SageMaker::NotebookInstance",
            "AWS::SageMaker::Pipeline",
            "AWS::SageMaker::FeatureGroup",
            "AWS::S3::Bucket",
            "AWS::IAM::Role",
        ),
        requirement=Code(_tags, "Names and values are items of a list."),
        severity=ERROR,
        control="E5",
        threats=(INSIDER,),
        title="Tags hold no secret",
        why="Tags are shown in bills, reports and events, and are under no key.",
        fix="Take it out of the tags.",
    ),
)
