"""Every row of the table, asked of the synthesized policies by both engines."""

from __future__ import annotations

from typing import Any

import pytest

from secure_ml_constructs.network import EndpointProfile
from tests.support.decisions import Simulator
from tests.support.templates import REGION, World, new_app, synth
from tests.unit.identity.hospital import build
from tests.unit.identity.people import People
from tests.unit.identity.refusals import FAIL
from tests.unit.identity.requests import PASS, Row

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
