"""Whatever an endpoint and its door are asked to be: refused, or nothing is found and nothing broken."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secure_ml_constructs import testing
from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.serving import (
    Capacity,
    Capture,
    Container,
    DoorAuth,
    DoorFirewall,
    EndpointLimits,
    FrontDoor,
    Payloads,
    Rollout,
    ServedModel,
    Serving,
    Shadow,
    TenantModels,
    Throttle,
)
from secure_ml_constructs.verification.proofs.questions import Verdict
from tests.fuzz.strategies import mostly
from tests.fuzz.test_constructs import told
from tests.support.compliance import VOUCHED, findings
from tests.support.templates import new_app
from tests.unit.serving.clinic import DETECTOR, DIGEST, REGISTRY
from tests.unit.serving.front_doors import DoorClinic
from tests.unit.serving.test_guarded_endpoint import guard

pytestmark = pytest.mark.slow

IMAGES = mostly(
    st.sampled_from([f"{REGISTRY}/risk{DIGEST}", DETECTOR]),
    st.sampled_from([f"{REGISTRY}/risk:latest", "python:3.12", ""]),
    times=12,
)
DATA = mostly(
    st.sampled_from([None, "risk/model.tar.gz", "risk/2026/"]),
    st.sampled_from(["s3://x/m.tar.gz", "../m.tar.gz", "/", "m.pkl"]),
    times=12,
)
CONTAINERS = st.builds(Container, image=IMAGES, data=DATA)
TENANTS = ("partner-a", "partner-b")
MODELS = st.one_of(
    st.builds(lambda each: ServedModel((each,)), CONTAINERS),
    st.builds(ServedModel.pipeline, CONTAINERS, CONTAINERS),
    st.builds(
        lambda one, two, copies: TenantModels(
            models=dict(zip(TENANTS, (one, two), strict=True)), copies=copies
        ),
        CONTAINERS,
        CONTAINERS,
        mostly(st.integers(1, 2), st.integers(-1, 5), times=6),
    ),
)
NUMBERS = mostly(st.integers(1, 6), st.integers(-2, 150), times=8)
CAPACITIES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "instance_type": mostly(
            st.sampled_from(["ml.m5.large", "ml.g5.xlarge", "ml.c5.xlarge"]),
            st.sampled_from(["ml.m5.huge", "m5.large", "serverless"]),
            times=10,
        ),
        "minimum": NUMBERS,
        "maximum": st.integers(4, 100),
    },
)
ROLLOUTS = st.sampled_from([None, Rollout.canary(), Rollout.linear(), Rollout.all_at_once()])
AUTHS = st.sampled_from(
    [
        DoorAuth.iam(),
        DoorAuth.iam(clients=("ward", "lab")),
        DoorAuth.cognito(clients=TENANTS),
        DoorAuth.jwt(
            issuer="https://login.example.org/",
            audience=("risk",),
            keys="curated/issuer/jwks.json",
            clients=TENANTS,
        ),
        DoorAuth.cognito(clients={"app": "partner-z"}),
    ]
)
PAYLOADS = st.sampled_from(
    [Payloads(csv=True), Payloads(json={"type": "object"}), Payloads(binary=("application/dicom",), csv=True)]
)
ARGUMENTS = st.fixed_dictionaries(
    {
        "model": MODELS,
        "capacity": CAPACITIES,
        "rollout": ROLLOUTS,
        "capture": st.builds(
            Capture,
            zone=mostly(st.sampled_from(["output", "curated"]), st.just("nowhere"), times=10),
            percent=mostly(st.integers(1, 100), st.integers(-5, 200), times=10),
        ),
        "shadow": st.none()
        | st.builds(Shadow, model=st.builds(lambda each: ServedModel((each,)), CONTAINERS)),
        "private": st.booleans(),
        "auth": AUTHS,
        "payloads": PAYLOADS,
        "rate": mostly(st.integers(1, 200), st.sampled_from([0, 20_000]), times=10),
        "countries": st.sampled_from([(), ("DE",), ("DE", "AT")]),
        "latency": mostly(st.integers(1, 60_000), st.just(0), times=10),
    }
)

outcomes: Counter[str] = Counter()


def add(clinic: DoorClinic, id: str, given: dict[str, Any]) -> None:
    """Make one, or see that it is refused whole."""
    try:
        firewall = DoorFirewall(countries=given["countries"])
        shared = {
            "auth": given["auth"],
            "payloads": given["payloads"],
            "throttle": Throttle(rate=given["rate"], daily_quota=10_000),
            "firewall": firewall,
        }
        door = FrontDoor.private(**shared) if given["private"] else FrontDoor.regional(**shared)
        serving = Serving(
            capacity=Capacity(**given["capacity"]),
            rollout=given["rollout"],
            capture=given["capture"],
            shadow=given["shadow"],
            limits=EndpointLimits(latency_ms=given["latency"]),
        )
        guard(clinic, door, id, model=given["model"], serving=serving)
        outcomes["made"] += 1
    except ConfigurationError as error:
        told(error)
        assert clinic.stack.node.try_find_child(id) is None, "half-made"
        outcomes["refused"] += 1


def holds(batch: list[dict[str, Any]]) -> None:
    def fill(app: Any) -> None:
        clinic = DoorClinic(app)
        for number, each in enumerate(batch):
            add(clinic, f"Made{number}", each)

    found = findings(fill, VOUCHED)
    assert [str(each) for each in found if any("Serving" in path for path in each.constructs)] == []
    app = new_app()
    fill(app)
    broken = [each.question for each in testing.answers(app, "*/Serving/*") if each.verdict is Verdict.BROKEN]
    assert broken == []


def test_a_few_are_refused_or_hold() -> None:
    outcomes.clear()

    @settings(max_examples=4, deadline=None, database=None, derandomize=True)
    @given(batch=st.lists(ARGUMENTS, min_size=8, max_size=8))
    def draw(batch: list[dict[str, Any]]) -> None:
        holds(batch)

    draw()
    # Often enough of either to tell something.
    assert outcomes["made"] >= 8
    assert outcomes["refused"] >= 8


@pytest.mark.deep
@settings(
    max_examples=max(1, int(os.environ.get("FUZZ_EXAMPLES", "400")) // 40),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(batch=st.lists(ARGUMENTS, min_size=10, max_size=10))
def test_many_are_refused_or_hold(batch: list[dict[str, Any]]) -> None:
    holds(batch)
