"""The lake's grants, asked as questions: a role reaches its zones from inside, and nothing from outside."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

from secure_ml_constructs.environment import SecureMlEnvironment, load_config
from secure_ml_constructs.testing import answers
from secure_ml_constructs.verification.proofs.questions import Verdict
from tests.support.templates import ROOT, new_app

pytestmark = pytest.mark.slow

REFERENCE = Path(ROOT) / "environments" / "reference.yaml"


@pytest.fixture(scope="session")
def verdicts() -> Mapping[str, str]:
    """The verdicts about the reference environment's lake, with one role that reads raw and writes models."""
    app = new_app()
    # Nobody but the one role.
    config = load_config(REFERENCE).model_copy(update={"people": None, "packages": None})
    environment = SecureMlEnvironment(app, "Environment", config=config)
    # People come after the lake, which never learns of them. What an imported boundary says is not known,
    # so the questions would not be covered.
    people = cdk.Stack(app, "People")
    work = iam.PolicyStatement(actions=["s3:*", "kms:*", "glue:*"], resources=["*"])
    role = iam.Role(
        people,
        "Job",
        path=environment.perimeter.role_path,
        assumed_by=iam.ServicePrincipal(
            "sagemaker.amazonaws.com",
            conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
        ),
        permissions_boundary=iam.ManagedPolicy(people, "Boundary", statements=[work]),
    )
    environment.lake.grant_read("raw", role)
    environment.lake.grant_write("models", role)
    found = answers(app, "*/hospital-ml-lake/*", "*/hospital-ml-keys/*")
    return {answer.question: str(answer.verdict) for answer in found}


def of(verdicts: Mapping[str, str], adversary: str) -> dict[str, str]:
    return {
        question.partition("/")[2].replace("hospital-ml-lake/Lake", ""): verdict
        for question, verdict in verdicts.items()
        if question.startswith(f"{adversary}/") and verdict != Verdict.PROVED
    }


def test_from_inside_it_reaches_what_it_was_granted(verdicts: Mapping[str, str]) -> None:
    assert of(verdicts, "compromised-job") == {
        "read/Data/raw": "by-design",
        "write/Model/models": "by-design",
    }


# Whoever deploys a state machine has its definition encrypted with the logs key.
DEPLOYING = {"use-while-deploying/hospital-ml-keys/KeysLogs": "by-design"}


@pytest.mark.parametrize("adversary", ["outsider", "stolen-credentials", "insider", "confused-deputy"])
def test_nobody_else_reaches_anything(verdicts: Mapping[str, str], adversary: str) -> None:
    assert any(question.startswith(adversary) for question in verdicts)
    assert of(verdicts, adversary) == (DEPLOYING if adversary == "insider" else {})
