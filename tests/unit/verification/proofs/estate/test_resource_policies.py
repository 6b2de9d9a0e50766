"""The policies of resources, however they are written and attached."""

from __future__ import annotations

import json
from typing import Any

import pytest

from secure_ml_constructs.verification.proofs.iam import NotCovered, Policies
from secure_ml_constructs.verification.proofs.iam.prove import Answer, CounterExample, Proved
from tests.unit.verification.proofs.estate.building import (
    ACCOUNT,
    OPEN,
    OUTSIDER,
    asked,
    document,
    estate,
    made,
    one,
)

INSIDER = f"arn:aws:iam::{ACCOUNT}:role/insider"


def anyone(action: str, resource: Any = "*", effect: str = "Allow") -> dict[str, Any]:
    return document(action, resource, effect, Principal={"AWS": "*"})


def answer(
    resources: dict[str, Any], action: str, *, principal: str = INSIDER, rest: str = "", target: str = "T"
) -> Answer:
    """Ask whether somebody without permissions may do something to the target."""
    found = estate(resources)
    policies = Policies(resource=found.policy_of(one(found, target)))
    return asked(policies, principal, action, f"{found.arn(one(found, target))}{rest}")


# For each kind: the resources, and one action that is allowed, one that is not.
KINDS: dict[str, tuple[dict[str, Any], str, str]] = {
    "bucket": (
        {
            "T": made("S3::Bucket"),
            "P": made("S3::BucketPolicy", Bucket={"Ref": "T"}, PolicyDocument=anyone("s3:ListBucket")),
        },
        "s3:ListBucket",
        "s3:DeleteBucket",
    ),
    "bucket by its name": (
        {
            "T": made("S3::Bucket", BucketName="lake"),
            "P": made("S3::BucketPolicy", Bucket="lake", PolicyDocument=anyone("s3:ListBucket")),
        },
        "s3:ListBucket",
        "s3:DeleteBucket",
    ),
    "key": ({"T": made("KMS::Key", KeyPolicy=anyone("kms:Decrypt"))}, "kms:Decrypt", "kms:Encrypt"),
    "replica key": (
        {"T": made("KMS::ReplicaKey", KeyPolicy=anyone("kms:Decrypt"))},
        "kms:Decrypt",
        "kms:Encrypt",
    ),
    "secret": (
        {
            "T": made("SecretsManager::Secret"),
            "P": made(
                "SecretsManager::ResourcePolicy",
                SecretId={"Ref": "T"},
                ResourcePolicy=anyone("secretsmanager:GetSecretValue"),
            ),
        },
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutSecretValue",
    ),
    "topic": (
        {
            "T": made("SNS::Topic"),
            "P": made(
                "SNS::TopicPolicy", Topics=["another", {"Ref": "T"}], PolicyDocument=anyone("sns:Publish")
            ),
        },
        "sns:Publish",
        "sns:Subscribe",
    ),
    "topic, inline": (
        {
            "T": made("SNS::Topic"),
            "P": made("SNS::TopicInlinePolicy", TopicArn={"Ref": "T"}, PolicyDocument=anyone("sns:Publish")),
        },
        "sns:Publish",
        "sns:Subscribe",
    ),
    "queue": (
        {
            "T": made("SQS::Queue"),
            "P": made("SQS::QueuePolicy", Queues=[{"Ref": "T"}], PolicyDocument=anyone("sqs:SendMessage")),
        },
        "sqs:SendMessage",
        "sqs:ReceiveMessage",
    ),
    "repository": (
        {"T": made("ECR::Repository", RepositoryPolicyText=json.dumps(anyone("ecr:BatchGetImage")))},
        "ecr:BatchGetImage",
        "ecr:PutImage",
    ),
    "log group": (
        {
            "T": made("Logs::LogGroup"),
            "P": made(
                "Logs::ResourcePolicy",
                PolicyName="p",
                PolicyDocument={
                    "Fn::Sub": json.dumps(
                        anyone("logs:PutLogEvents", "arn:aws:logs:${AWS::Region}:*:log-group:*")
                    )
                },
            ),
            "Q": made("Logs::ResourcePolicy", PolicyName="q", PolicyDocument=anyone("logs:Other")),
        },
        "logs:PutLogEvents",
        "logs:DeleteLogGroup",
    ),
    "model package group": (
        {
            "T": made(
                "SageMaker::ModelPackageGroup",
                ModelPackageGroupName="g",
                ModelPackageGroupPolicy=anyone("sagemaker:DescribeModelPackage"),
            )
        },
        "sagemaker:DescribeModelPackage",
        "sagemaker:CreateModelPackage",
    ),
    "function": (
        {
            "T": made("Lambda::Function"),
            "P": made(
                "Lambda::Permission",
                FunctionName={"Fn::GetAtt": ["T", "Arn"]},
                Action="lambda:InvokeFunction",
                Principal="*",
            ),
            "Q": made(
                "Lambda::Permission",
                FunctionName={"Ref": "T"},
                Action="lambda:GetFunction",
                Principal="events.amazonaws.com",
            ),
        },
        "lambda:InvokeFunction",
        "lambda:GetFunction",
    ),
    "file system": (
        {"T": made("EFS::FileSystem", FileSystemPolicy=anyone("elasticfilesystem:ClientMount"))},
        "elasticfilesystem:ClientMount",
        "elasticfilesystem:ClientWrite",
    ),
    "file system with the default policy": (
        {"T": made("EFS::FileSystem")},
        "elasticfilesystem:ClientWrite",
        "elasticfilesystem:DeleteFileSystem",
    ),
    "event bus": (
        {
            "T": made("Events::EventBus", Name="bus"),
            "P": made(
                "Events::EventBusPolicy",
                EventBusName="bus",
                StatementId="s",
                Statement=anyone("events:PutEvents")["Statement"][0],
            ),
        },
        "events:PutEvents",
        "events:DeleteEventBus",
    ),
    "table": (
        {"T": made("DynamoDB::Table", ResourcePolicy={"PolicyDocument": anyone("dynamodb:GetItem")})},
        "dynamodb:GetItem",
        "dynamodb:PutItem",
    ),
    "domain of packages": (
        {
            "T": made(
                "CodeArtifact::Domain",
                DomainName="d",
                PermissionsPolicyDocument=anyone("codeartifact:GetAuthorizationToken"),
            )
        },
        "codeartifact:GetAuthorizationToken",
        "codeartifact:DeleteDomain",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds(kind: str) -> None:
    resources, allowed, other = KINDS[kind]
    assert isinstance(answer(resources, allowed), CounterExample)
    assert isinstance(answer(resources, other), Proved)
    assert not estate(resources).unreadable


def test_the_registry() -> None:
    found = estate({"R": made("ECR::RegistryPolicy", PolicyText=anyone("ecr:ReplicateImage"))})
    policies = Policies(resource=found.policy_of(one(found, "R")))
    repository = f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/x"
    assert isinstance(asked(policies, INSIDER, "ecr:ReplicateImage", repository), CounterExample)


def test_the_policy_of_an_api_is_about_that_api() -> None:
    resources = {"T": made("ApiGateway::RestApi", Policy=anyone("execute-api:Invoke", "execute-api:/prod/*"))}
    assert isinstance(answer(resources, "execute-api:Invoke", rest="/prod/POST/x"), CounterExample)
    assert isinstance(answer(resources, "execute-api:Invoke", rest="/test/POST/x"), Proved)


def test_no_policy() -> None:
    found = estate({"Q": made("SQS::Queue"), "B": made("S3::Bucket"), "F": made("Lambda::Function")})
    assert [found.policy_of(one(found, name)) for name in "QBF"] == [None, None, None]


def test_the_default_policy_of_a_key_lets_the_account_in_and_nobody_else() -> None:
    found = estate({"T": made("KMS::Key")})
    policies = Policies(
        resource=found.policy_of(one(found, "T")),
        identity=(found.document(next(iter(found.templates)), document("kms:*"), "identity policy", "all"),),  # type: ignore[arg-type]
    )
    assert isinstance(asked(policies, INSIDER, "kms:Decrypt", found.arn(one(found, "T"))), CounterExample)
    assert isinstance(asked(policies, OUTSIDER, "kms:Decrypt", found.arn(one(found, "T"))), Proved)


def test_a_topic_without_a_policy_has_one_that_is_not_covered() -> None:
    assert isinstance(answer({"T": made("SNS::Topic")}, "sns:Publish"), NotCovered)


def bucket(*policies: Any) -> dict[str, Any]:
    made_ = {f"P{n}": made("S3::BucketPolicy", **policy) for n, policy in enumerate(policies)}
    return {"T": made("S3::Bucket"), "U": made("S3::Bucket"), **made_}


def test_of_two_policies_no_statement_is_certain() -> None:
    allow = {"Bucket": {"Ref": "T"}, "PolicyDocument": anyone("s3:ListBucket")}
    deny = {"Bucket": {"Ref": "T"}, "PolicyDocument": anyone("s3:*", effect="Deny")}
    assert isinstance(answer(bucket(allow, deny), "s3:ListBucket"), NotCovered)
    assert isinstance(answer(bucket(allow, deny), "s3:DeleteBucket"), Proved)


def test_a_policy_of_a_bucket_that_is_not_known_may_be_any_buckets() -> None:
    stray = {"Bucket": OPEN, "PolicyDocument": anyone("s3:ListBucket")}
    for target in "TU":
        assert isinstance(answer(bucket(stray), "s3:ListBucket", target=target), NotCovered)
        assert isinstance(answer(bucket(stray), "s3:DeleteBucket", target=target), Proved)


def test_a_policy_that_cant_be_read_may_say_anything() -> None:
    broken = {"Bucket": {"Ref": "T"}, "PolicyDocument": {"Statement": "x"}}
    assert isinstance(answer(bucket(broken), "s3:ListBucket"), NotCovered)
    assert isinstance(answer(bucket(broken), "s3:ListBucket", target="U"), Proved)
    found = estate(bucket(broken))
    assert [each.name for each in found.unreadable] == ["stack/P0"]
    assert "Statement" in found.unreadable[0].reason


def test_permissions_keep_their_conditions() -> None:
    def function(**given: Any) -> dict[str, Any]:
        permission = {"FunctionName": {"Ref": "T"}, "Action": "lambda:InvokeFunction", **given}
        return {"T": made("Lambda::Function"), "P": made("Lambda::Permission", **permission)}

    service = {"principal": "events.amazonaws.com"}
    open_ = answer(function(Principal="events.amazonaws.com"), "lambda:InvokeFunction", **service)
    assert isinstance(open_, CounterExample)
    assert "aws:sourceaccount" not in open_.request.context
    tied = answer(
        function(Principal="events.amazonaws.com", SourceAccount={"Ref": "AWS::AccountId"}),
        "lambda:InvokeFunction",
        **service,
    )
    assert isinstance(tied, CounterExample)
    assert tied.request.context["aws:sourceaccount"] == ACCOUNT
    organization = function(Principal="*", PrincipalOrgID="o-ours")
    assert isinstance(answer(organization, "lambda:InvokeFunction"), Proved)
    account = answer(function(Principal="999999999999"), "lambda:InvokeFunction", principal=OUTSIDER)
    assert isinstance(account, Proved)


def test_a_permission_of_an_alias_is_for_the_alias() -> None:
    permission = {
        "FunctionName": {"Fn::Sub": "${T.Arn}:live"},
        "Action": "lambda:InvokeFunction",
        "Principal": "*",
    }
    resources = {"T": made("Lambda::Function"), "P": made("Lambda::Permission", **permission)}
    assert isinstance(answer(resources, "lambda:InvokeFunction", rest=":live"), CounterExample)
    assert isinstance(answer(resources, "lambda:InvokeFunction"), Proved)


@pytest.mark.parametrize(
    ("given", "restricts"), [(True, True), ("true", True), (False, False), (OPEN, False)]
)
def test_block_public_access(given: Any, restricts: bool) -> None:
    settings = {"RestrictPublicBuckets": given}
    found = estate(
        {"T": made("S3::Bucket", PublicAccessBlockConfiguration=settings), "U": made("S3::Bucket")}
    )
    assert found.block_public_access(one(found, "T")) is restricts
    assert not found.block_public_access(one(found, "U"))
