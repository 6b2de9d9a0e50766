"""Every row of the table, asked of the synthesized policies by both engines."""

from __future__ import annotations

from typing import Any

import pytest

from secure_ml_constructs.network import EndpointProfile
from tests.support.decisions import ALLOW_ALL, Simulator, identity
from tests.support.templates import REGION, World, new_app, synth
from tests.unit.identity.hospital import build
from tests.unit.identity.people import People
from tests.unit.identity.refusals import FAIL
from tests.unit.identity.requests import PASS, SCIENTIST, Row

pytestmark = [pytest.mark.decision, pytest.mark.slow]


@pytest.fixture(scope="session")
def people(simulator: Simulator) -> People:
    app = new_app()
    build(app, profile=EndpointProfile.FULL, region=REGION)
    return People(World(synth(app)), simulator)


def label(row: Row) -> str:
    return f"{row[0]} {row[1]} {row[2]} {row[3]}"


def allowed(people: People, row: Row) -> bool:
    who, where, action, resource, says = row
    world = people.world
    arns = {
        "SUBNET": world.arn(next(iter(world.resources("AWS::EC2::Subnet")))),
        "GROUP": world.arn(world.one("AWS::EC2::SecurityGroup", "Job")),
        "VPC": world.arn(world.one("AWS::EC2::VPC")),
        "ARCHIVE": f"{people.resource('bucket:ArchiveBucket')}/AWSLogs/1.json.gz",
        "WORKGROUP": people.resource(f"athena:workgroup/{world.ref(world.one('AWS::Athena::WorkGroup'))}"),
    }

    def filled(key: str, value: Any) -> Any:
        if value == "JOB":
            return people.job[key]
        if isinstance(value, str) and value.startswith("KEY:"):
            return people.resource(f"key:{value.removeprefix('KEY:')}")
        return arns.get(value, value) if isinstance(value, str) else value

    context: dict[str, Any] = {**people.job} if "JOB" in says else {}
    context |= {key: filled(key, value) for key, value in says.items() if key != "JOB"}
    return people.allowed(who, where, action, arns.get(resource, resource), context)


def test_the_table_is_long_enough_and_even() -> None:
    assert len(PASS) + len(FAIL) >= 150
    assert 0.4 <= len(PASS) / (len(PASS) + len(FAIL)) <= 0.6
    assert len({row[0] for row in PASS}) >= 10


@pytest.mark.parametrize("row", PASS, ids=label)
def test_it_passes(people: People, row: Row) -> None:
    assert allowed(people, row)


@pytest.mark.parametrize("row", FAIL, ids=label)
def test_it_fails(people: People, row: Row) -> None:
    assert not allowed(people, row)


def test_a_workspace_starts_where_studio_grants_it_and_within_the_guardrails(people: People) -> None:
    """Studio attaches what opens apps and spaces; boundary, guardrails and endpoints let it through."""
    app = "sagemaker:app/d-1/radiology-anna/JupyterLab/default"
    granted = identity("sagemaker:CreateApp", "sagemaker:CreateSpace", resource="*")
    small, large = {"InstanceTypes": ["ml.t3.medium"]}, {"InstanceTypes": ["ml.p4d.24xlarge"]}
    for where in ("inside", "outside"):
        assert people.allowed(SCIENTIST, where, "sagemaker:CreateApp", app, small, also=granted)
        assert not people.allowed(SCIENTIST, where, "sagemaker:CreateApp", app, large, also=granted)
        assert not people.allowed(SCIENTIST, where, "sagemaker:CreateApp", app, small)


def test_what_a_role_is_given_later_stays_within_the_boundary(people: People) -> None:
    """With every permission on top: no power, and no data from elsewhere."""
    for who in ("radiology/data-scientist", "radiology/training", "radiology/pipeline"):
        for action, resource in (
            ("iam:CreateRole", "arn:aws:iam::111122223333:role/secure-ml/new"),
            ("iam:AttachRolePolicy", "role:radiology/training"),
            ("kms:PutKeyPolicy", "key:Data"),
            ("cloudtrail:StopLogging", "arn:aws:cloudtrail:eu-central-1:111122223333:trail/trail"),
            ("logs:DeleteLogGroup", "log:TrainingJobs"),
            ("sts:AssumeRole", "arn:aws:iam::111122223333:role/developer"),
            ("lambda:InvokeFunction", "arn:aws:lambda:eu-central-1:111122223333:function:x"),
        ):
            assert not people.allowed(who, "inside", action, resource, also=ALLOW_ALL), (who, action)
        assert people.allowed(who, "inside", "s3:GetObject", "zone:raw/scans.dcm", also=ALLOW_ALL)
        assert not people.allowed(who, "outside", "s3:GetObject", "zone:raw/scans.dcm", also=ALLOW_ALL)
        assert not people.allowed(
            who,
            "outside",
            "ssm:GetParameter",
            "arn:aws:ssm:eu-central-1:111122223333:parameter/x",
            also=ALLOW_ALL,
        )
        here = {"aws:RequestedRegion": "us-east-1"}
        assert not people.allowed(
            who, "inside", "sagemaker:CreateExperiment", "sagemaker:experiment/x", here, also=ALLOW_ALL
        )


@pytest.mark.parametrize("who", ["auditor", "administrator", "break-glass"])
def test_nobody_is_given_power_over_identities_trails_or_logs_later(people: People, who: str) -> None:
    for action, resource in (
        ("iam:CreateRole", "arn:aws:iam::111122223333:role/secure-ml/new"),
        ("iam:AttachRolePolicy", "role:radiology/training"),
        ("cloudtrail:StopLogging", "arn:aws:cloudtrail:eu-central-1:111122223333:trail/trail"),
        ("logs:DeleteLogGroup", "log:TrainingJobs"),
        ("sagemaker:CreateTrainingJob", "sagemaker:training-job/radiology-x"),
    ):
        assert not people.allowed(who, "outside", action, resource, also=ALLOW_ALL), action
