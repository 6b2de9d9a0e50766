"""The reference environment with its guardrails given: every cell that needs one is proved."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from secure_ml_constructs.enforcement import trust_of
from secure_ml_constructs.environment import SecureMlEnvironment, load_config
from secure_ml_constructs.identity.guardrails import OrganizationGuardrails
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.verification.proofs.environment import ask
from secure_ml_constructs.verification.proofs.questions import Trust, Verdict
from secure_ml_constructs.verification.templates import Templates, load
from tests.support.templates import ROOT, new_app

pytestmark = pytest.mark.slow

CONFIG = load_config(ROOT / "environments" / "reference.yaml")
PERIMETER: DataPerimeter = CONFIG.perimeter.value()


@pytest.fixture(scope="session")
def templates() -> Templates:
    app = new_app()
    SecureMlEnvironment(app, "Environment", config=CONFIG)
    app.synth()
    return load([Path(app.outdir)]).templates


@pytest.fixture(scope="session")
def trust(templates: Templates) -> Trust:
    return OrganizationGuardrails.of(PERIMETER, templates).trust()


def test_every_cell_that_needs_a_guardrail_is_proved(templates: Templates, trust: Trust) -> None:
    without = {each.question: each.verdict for each in ask(templates, trust_of(PERIMETER))}
    given = {each.question: each.verdict for each in ask(templates, trust)}
    needing = {name for name, verdict in without.items() if verdict is Verdict.NEEDS_GUARDRAIL}
    assert len(needing) >= 26
    assert {given[name] for name in needing} == {Verdict.PROVED}
    # And no other answer is graver; what was left to permissions may be denied as well.
    assert [name for name, verdict in without.items() if given[name].gravity < verdict.gravity] == []


def drop(sid: str) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        document["Statement"] = [each for each in document["Statement"] if each["Sid"] != sid]

    return change


def let_through(sid: str, pattern: str) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        for each in document["Statement"]:
            if each["Sid"] == sid:
                each["Condition"]["ArnNotLikeIfExists"]["aws:PrincipalArn"].append(pattern)

    return change


def only(sid: str, *actions: str) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        for each in document["Statement"]:
            if each["Sid"] == sid:
                each["Action"] = list(actions)

    return change


def misspell(sid: str, operator: str, written: str) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        for each in document["Statement"]:
            if each["Sid"] == sid:
                each["Condition"] = {
                    (written if name == operator else name): value
                    for name, value in each["Condition"].items()
                }

    return change


WORK = "insider/{}/SageMaker work"


@pytest.mark.parametrize(
    ("weaken", "question"),
    [
        (drop("Roles"), "insider/make-a-role/*"),
        (drop("Roles"), "insider/make-stronger/*"),
        (drop("PassRole"), "insider/pass/*"),
        (drop("TrailAndLogs"), "insider/stop/*Trail"),
        (drop("TrailAndLogs"), "insider/unlock/*"),
        (drop("Network"), "insider/open-a-way-out/*"),
        (drop("NoIsolation"), WORK.format("run-without-isolation")),
        (drop("NoIsolationOnTypes"), WORK.format("run-without-isolation")),
        (drop("NoSubnets"), WORK.format("run-outside-our-subnets")),
        (drop("NoSubnetsOnTypes"), WORK.format("run-outside-our-subnets")),
        (drop("OtherSubnets"), WORK.format("run-outside-our-subnets")),
        (drop("NoVolumeKey"), WORK.format("run-without-our-key")),
        (drop("NoVolumeKeyUnlessLocal"), WORK.format("run-without-our-key")),
        (drop("OtherVolumeKey1"), WORK.format("run-without-our-key")),
        (drop("OtherVolumeKey2"), WORK.format("run-without-our-key")),
        (drop("OtherOutputKey2"), WORK.format("write-without-our-key")),
        (drop("NoOutputKeyOnTypes"), WORK.format("write-without-our-key")),
        (drop("NoTrafficEncryption"), WORK.format("send-plain-between-containers")),
        (drop("NoInternet"), WORK.format("give-notebooks-the-internet")),
        (drop("NoRoot"), WORK.format("run-as-root")),
        (let_through("TrailAndLogs", "arn:*:iam::*:role/dev*"), "insider/stop/*Trail"),
        (let_through("Network", "arn:*:iam::*:role/*"), "insider/open-a-way-out/*"),
        (let_through("PassRole", "arn:*:iam::*:user/*"), "insider/pass/*"),
        (let_through("Roles", "arn:*:iam::*:role/cdk-hnb659fds-*"), "insider/make-a-role/*"),
        (only("TrailAndLogs", "cloudtrail:StopLogging", "logs:DeleteLogGroup"), "insider/alter/*Trail"),
        (only("Network", "ec2:CreateRoute", "ec2:ReplaceRoute"), "insider/open-a-way-out/*"),
        # Without IfExists a request that says nothing of it goes through.
        (misspell("NoIsolation", "BoolIfExists", "Bool"), WORK.format("run-without-isolation")),
    ],
)
def test_a_weakened_policy_is_found_broken(
    templates: Templates, trust: Trust, weaken: Callable[[Any], None], question: str
) -> None:
    scps = copy.deepcopy(trust.scps)
    for level in scps:
        for document in level:
            weaken(document)
    assert scps != trust.scps
    answers = ask(templates, replace(trust, scps=scps), questions=(question,))
    assert Verdict.BROKEN in {answer.verdict for answer in answers}


def test_roles_of_every_named_region_are_trusted(templates: Templates) -> None:
    """One more region is one more deploying role: the proofs have to know it as well."""
    guardrails = OrganizationGuardrails.of(PERIMETER, templates, regions=("eu-west-1", "eu-central-1"))
    trust = guardrails.trust()
    assert len(trust.deploying_roles) == 2
    answers = ask(templates, trust, questions=("insider/stop/*", "insider/make-a-role/*"))
    assert {answer.verdict for answer in answers} == {Verdict.PROVED}
