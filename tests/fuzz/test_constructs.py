"""Every argument is either refused by one clear error, or makes a stack that nothing is found in.

A few environments share an app, so that the packs run once for all of them.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import aws_cdk as cdk
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from secure_ml_constructs.audit import AuditTrail, LogArchive, ObjectLockMode, TrailEvents
from secure_ml_constructs.detection import AlertTopic
from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.identity import AccessAnalyzer, Analysis
from secure_ml_constructs.keys import EnvironmentKeys
from secure_ml_constructs.network import Endpoints, SecureVpc
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.storage import EncryptedDataLake, PackageFormat, PackageRepository, PackageSource
from tests.fuzz import strategies
from tests.support.compliance import VOUCHED, findings
from tests.support.roles import job_role

# What arguments ask for by name, less to record and shorter to keep: the rules say so at synth.
CHOSEN = frozenset(
    {
        "CloudTrailInsights",
        "CloudTrailNetworkEvents",
        "CloudTrailObjectEvents",
        "LogGroupLongEnough",
        "LogGroupOfRecordLongEnough",
    }
)
ENDPOINT = "vpce-0a1b2c3d4e5f60718"
IN_ONE_APP = 6
outcomes: Counter[str] = Counter()

Build = Callable[[cdk.Stack, DataPerimeter, EnvironmentKeys, dict[str, Any]], Any]


def lake(
    stack: cdk.Stack, perimeter: DataPerimeter, keys: EnvironmentKeys, arguments: dict[str, Any]
) -> None:
    made = EncryptedDataLake(
        stack,
        "Made",
        perimeter=perimeter,
        keys=keys,
        endpoints=[ENDPOINT],
        access_logs=cdk.aws_s3.Bucket.from_bucket_name(stack, "AccessLogs", "access-logs"),
        **arguments,
    )
    role = job_role(stack, "Role", perimeter)
    for zone in made.zones:
        made.grant_read(zone, role)
        made.grant_write(zone, role)


def network(
    stack: cdk.Stack, perimeter: DataPerimeter, keys: EnvironmentKeys, arguments: dict[str, Any]
) -> None:
    arguments = dict(arguments)
    if "endpoints" in arguments:
        arguments["endpoints"] = Endpoints(**arguments["endpoints"])
    SecureVpc(stack, "Made", perimeter=perimeter, logs_key=keys.logs, **arguments)


def archive(
    stack: cdk.Stack, perimeter: DataPerimeter, keys: EnvironmentKeys, arguments: dict[str, Any]
) -> None:
    arguments = {**arguments, "mode": ObjectLockMode(arguments.get("mode", "COMPLIANCE"))}
    LogArchive(stack, "Made", perimeter=perimeter, key=keys.logs, endpoints=[ENDPOINT], **arguments)


def trail(
    stack: cdk.Stack, perimeter: DataPerimeter, keys: EnvironmentKeys, arguments: dict[str, Any]
) -> None:
    arguments = dict(arguments)
    if "events" in arguments:
        arguments["events"] = TrailEvents(**arguments["events"])
    kept = LogArchive(stack, "Archive", perimeter=perimeter, key=keys.logs, endpoints=[ENDPOINT])
    AuditTrail(stack, "Made", perimeter=perimeter, archive=kept, key=keys.logs, **arguments)


def packages(
    stack: cdk.Stack, perimeter: DataPerimeter, keys: EnvironmentKeys, arguments: dict[str, Any]
) -> None:
    sources = [
        PackageSource(format=PackageFormat(name), internal=internal, public=public)
        for name, (internal, public) in arguments.items()
    ]
    made = PackageRepository(
        stack, "Made", perimeter=perimeter, key=keys.model, endpoints=[ENDPOINT], sources=sources
    )
    role = job_role(stack, "Role", perimeter)
    made.grant_read(role)
    if any(source.internal for source in sources):
        made.grant_publish(role)


def topic(
    stack: cdk.Stack, perimeter: DataPerimeter, keys: EnvironmentKeys, arguments: dict[str, Any]
) -> None:
    made = AlertTopic(stack, "Made", perimeter=perimeter, key=keys.logs, **arguments)
    AccessAnalyzer(stack, "Access", perimeter=perimeter, topic=made.topic, existing=list(Analysis))


CASES: dict[str, tuple[Build, st.SearchStrategy[dict[str, Any]]]] = {
    "archive": (archive, strategies.archives),
    "lake": (lake, strategies.lakes),
    "network": (network, strategies.networks),
    "packages": (packages, strategies.packages),
    "topic": (topic, strategies.topics),
    "trail": (trail, strategies.trails),
}


def told(error: ConfigurationError) -> None:
    """A refusal says what is wrong and what to write instead."""
    assert error.problems
    assert all(problem.argument and problem.reason and problem.fix for problem in error.problems)


def check(case: str, batch: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]) -> None:
    """Build each argument in a stack of its own; what is not refused must have no finding."""
    build, _ = CASES[case]

    def fill(app: cdk.App) -> None:
        for number, (perimeter_arguments, keys_arguments, arguments) in enumerate(batch):
            stack = cdk.Stack(app, f"Stack{number}")
            outcomes[f"{case} tried"] += 1
            try:
                perimeter = DataPerimeter(**perimeter_arguments)
                keys = EnvironmentKeys(stack, "Keys", perimeter=perimeter, **keys_arguments)
            except ConfigurationError as error:
                told(error)
                assert not stack.node.children
                continue
            try:
                build(stack, perimeter, keys, arguments)
                outcomes[f"{case} made"] += 1
            except ConfigurationError as error:
                told(error)
                assert stack.node.try_find_child("Made") is None, "half-made"

    assert findings(fill, replace(VOUCHED, off=CHOSEN)) == []


def batches(case: str) -> st.SearchStrategy[list[Any]]:
    each = st.tuples(strategies.perimeters, strategies.keys, CASES[case][1])
    return st.lists(each, min_size=IN_ONE_APP, max_size=IN_ONE_APP)


quick = settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
deep = settings(
    max_examples=max(1, int(os.environ.get("FUZZ_EXAMPLES", "1000")) // IN_ONE_APP // len(CASES)),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


def run(case: str, chosen: settings) -> None:
    """Search one construct's arguments, and see that enough of them got through to be worth anything."""
    before = Counter(outcomes)
    chosen(given(batches(case))(lambda batch: check(case, batch)))()
    tried = outcomes[f"{case} tried"] - before[f"{case} tried"]
    made = outcomes[f"{case} made"] - before[f"{case} made"]
    print(f"{case}: {tried} tried, {made} made")
    assert made >= 0.2 * tried, f"only {made} of {tried} were accepted: the search says little"


@pytest.mark.parametrize("case", CASES)
def test_a_few_arguments(case: str) -> None:
    run(case, quick)


@pytest.mark.deep
@pytest.mark.parametrize("case", CASES)
def test_many_arguments(case: str) -> None:
    run(case, deep)
