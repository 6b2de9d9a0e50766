"""The examples in the docstrings run, each with the things it takes as given."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import aws_cdk as cdk
import pytest

import secure_ml_constructs
from secure_ml_constructs.audit import LogArchive
from secure_ml_constructs.detection import AlertTopic
from secure_ml_constructs.environment import load_config
from secure_ml_constructs.identity import Persona, SageMakerGuardrails, SecretRotation
from secure_ml_constructs.keys import EnvironmentKeys
from secure_ml_constructs.network import SecureVpc
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.storage import PackageRepository
from tests.support.roles import job_role
from tests.support.templates import ROOT, new_app
from tests.unit.identity import hospital
from tests.unit.serving import clinic

pytestmark = pytest.mark.slow


def examples() -> Iterator[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    for module in pkgutil.walk_packages(secure_ml_constructs.__path__, "secure_ml_constructs."):
        # Both run in AWS, beside modules that are only there.
        if not module.name.endswith(("network_settings", "__main__")):
            yield from finder.find(importlib.import_module(module.name))


FOUND = [example for example in examples() if example.examples]


def given(names: set[str]) -> dict[str, Any]:
    """What an example names without making it: app, stack, perimeter and the constructs before it."""
    app = new_app()
    stack = cdk.Stack(app, "Example")
    perimeter = DataPerimeter()
    values: dict[str, Any] = {"app": app, "stack": stack, "perimeter": perimeter, "aws_cdk": cdk}
    if names & {"keys", "vpc", "archive", "role", "training_role", "rotation"}:
        keys = values["keys"] = EnvironmentKeys(cdk.Stack(app, "Given"), "Keys", perimeter=perimeter)
        vpc = values["vpc"] = SecureVpc(cdk.Stack(app, "Net"), "Vpc", perimeter=perimeter, logs_key=keys.logs)
        values["archive"] = LogArchive(
            cdk.Stack(app, "Kept"),
            "Archive",
            perimeter=perimeter,
            key=keys.logs,
            endpoints=vpc.s3_endpoint_ids,
        )
        values["role"] = values["training_role"] = job_role(stack, "Role", perimeter)
        if "by=rotation" in names:
            values["rotation"] = SecretRotation(
                stack,
                "Given",
                perimeter=perimeter,
                key=keys.secrets,
                logs_key=keys.logs,
                subnets=vpc.isolated_subnet_ids,
                security_group=vpc.workload_security_group_id,
            )
    if "foundation" in names or "boundary=boundary" in names:
        given_ = hospital.build(app, teams={}).foundation
        values |= {"perimeter": given_.perimeter}
        values |= {"keys": given_.keys, "vpc": given_.network, "lake": given_.lake}
        values |= {"foundation": given_, "boundary": given_.boundary}
        values |= {"guardrail_policies": given_.guardrails, "Persona": Persona}
    if "packages=packages" in names:
        endpoints = [values["vpc"].endpoint_ids[f"codeartifact.{name}"] for name in ("api", "repositories")]
        values["packages"] = PackageRepository(
            stack, "Packages", perimeter=values["perimeter"], key=values["keys"].model, endpoints=endpoints
        )
    if "sign_in=" in names:
        values |= {"watched_perimeter": hospital.PERIMETER, "sign_in": hospital.SIGN_IN}
    if names & {"model=model", "plan=plan"}:
        key = values["keys"].logs
        alerts = AlertTopic(stack, "Alerts", perimeter=values["perimeter"], key=key)
        values |= {"model": clinic.MODEL, "topic": alerts.topic}
    if "guardrails" in names:
        values["guardrails"] = SageMakerGuardrails(
            perimeter=perimeter,
            subnets=("subnet-0a1b2c3d4e5f60718",),
            security_groups=("sg-0a1b2c3d4e5f60718",),
            keys=("arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-0000-0000-000000000000",),
        )
    return values


def test_there_are_examples() -> None:
    assert len(FOUND) >= 15


@pytest.mark.parametrize(
    "example", FOUND, ids=lambda example: example.name.removeprefix("secure_ml_constructs.")
)
def test_an_example_runs(example: doctest.DocTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "environments")
    text = "".join(part.source for part in example.examples)
    names = {
        name
        for name in (
            "keys",
            "vpc",
            "archive",
            "role",
            "training_role",
            "rotation",
            "by=rotation",
            "guardrails",
            "foundation",
            "boundary=boundary",
            "sign_in=",
            "model=model",
            "packages=packages",
            "plan=plan",
        )
        if name in text
    }
    example.globs.update({**given(names), "load_config": load_config, **example.globs})
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    report: list[str] = []
    failed, _ = runner.run(example, out=report.append)
    assert not failed, "".join(report)
