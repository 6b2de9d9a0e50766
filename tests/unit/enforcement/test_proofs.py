"""The proofs at synth: a broken cell stops it and names the construct; a sound app gets its matrix."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3

from secure_ml_constructs.cli import main
from secure_ml_constructs.enforcement import Summary, acknowledge, enforce, trust_of
from secure_ml_constructs.environment import SecureMlEnvironment, load_config
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.verification.proofs.environment import ask
from secure_ml_constructs.verification.proofs.questions import Trust
from secure_ml_constructs.verification.proofs.record import FILE, read_trust
from secure_ml_constructs.verification.templates import load
from tests.support.decisions import Simulator
from tests.support.templates import new_app
from tests.unit.verification.proofs.questions import replay

pytestmark = pytest.mark.slow

REFERENCE = Path(__file__).parents[3] / "environments" / "reference.yaml"


def reference(app: cdk.App) -> SecureMlEnvironment:
    return SecureMlEnvironment(app, "Environment", config=load_config(REFERENCE))


def policies(environment: SecureMlEnvironment) -> list[s3.CfnBucketPolicy]:
    found = environment.lake.node.find_all()
    return [each for each in found if isinstance(each, s3.CfnBucketPolicy)]


def run(app: cdk.App, **arguments: Any) -> tuple[Summary | None, str]:
    """Synthesize; give the summary, or None where the synthesis was stopped, and what was printed."""
    checks = enforce(app, packs=[], rules=None, cloudformation=False, **arguments)
    out = io.StringIO()
    try:
        return checks.synth(out=out), out.getvalue()
    except SystemExit:
        return None, out.getvalue()


@pytest.fixture(scope="module")
def sound() -> tuple[Path, str]:
    app = new_app()
    reference(app)
    summary, printed = run(app)
    assert summary is not None, printed
    return Path(app.outdir), printed


def test_the_reference_environment_gets_its_matrix(sound: tuple[Path, str]) -> None:
    _, printed = sound
    assert "outsider" in printed
    assert "proved denied" in printed
    assert "broken" not in printed
    assert "not covered" not in printed


def test_what_was_answered_lies_beside_the_templates(sound: tuple[Path, str]) -> None:
    folder, _ = sound
    record = json.loads((folder / FILE).read_text())
    assert {answer["verdict"] for answer in record["answers"]} == {
        "proved",
        "by-design",
        "needs-org-guardrail",
    }
    assert record["summary"]["proved"] > 300
    # Found without being told, from the constructs of the app.
    assert record["trust"]["organization"] == "o-a1b2c3d4e5"


def test_every_request_that_gets_through_is_let_through_by_the_simulator(
    sound: tuple[Path, str], simulator: Simulator
) -> None:
    folder, _ = sound
    found = ask(load([folder]).templates, read_trust(folder))
    steps = [step for answer in found for step in answer.steps if replay.known(step)]
    assert len(steps) > 20
    for step in steps:
        assert replay.allowed(simulator, step), step.request


def test_the_command_line_gives_the_same_answers(
    sound: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = sound
    assert main(["prove", str(folder), "--format", "json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    record = json.loads((folder / FILE).read_text())
    assert printed == {"answers": record["answers"], "summary": record["summary"]}


@pytest.fixture
def broken() -> cdk.App:
    app = new_app()
    for policy in policies(reference(app)):
        # The Deny that insiders' destruction of versions meets.
        document = policy.policy_document
        kept = [each for each in document["Statement"] if each["Sid"] != "DenyDestruction"]
        policy.add_property_override("PolicyDocument.Statement", kept)
    return app


def test_a_broken_cell_stops_the_synthesis_and_names_the_construct(broken: cdk.App) -> None:
    summary, printed = run(broken)
    assert summary is None
    assert "SecureMlProofs::insider-delete" in printed
    assert "at Environment/Lake/Lake/Data" in printed
    assert "calls s3:DeleteObjectVersion on arn:aws:s3:::" in printed


def test_it_can_be_left_out(broken: cdk.App) -> None:
    stale = Path(broken.outdir, FILE)
    stale.parent.mkdir(exist_ok=True)
    stale.write_text("{}")
    summary, printed = run(broken, proofs=False)
    assert summary is not None
    assert "insider" not in printed
    assert not stale.exists()


def test_it_can_be_accepted_at_its_construct(broken: cdk.App) -> None:
    (environment,) = (each for each in broken.node.children if isinstance(each, SecureMlEnvironment))
    reason = "A test accepts it, so that the other findings can be seen alone."
    acknowledge(environment.lake, ["SecureMlProofs::insider-delete"], reason)
    acknowledge(environment.lake, ["SecureMlProofs::insider-lose-versions"], reason)
    summary, printed = run(broken)
    assert summary is not None, printed
    assert {each.reason for each in summary.accepted} == {reason}


def test_who_is_trusted_can_be_said() -> None:
    app = new_app()
    reference(app)
    summary, printed = run(app, proofs=Trust(organization="o-a1b2c3d4e5"))
    assert summary is None
    assert "role/ml-" in printed, "administrators are insiders where nobody vouches for them"


def test_trust_follows_the_perimeters() -> None:
    first = DataPerimeter(organization="o-a1b2c3d4e5", administrators=("arn:aws:iam::111122223333:role/one",))
    second = DataPerimeter(role_path="/other/", administrators=("arn:aws:iam::111122223333:role/two",))
    trust = trust_of(first, second)
    assert trust.organization == "o-a1b2c3d4e5"
    assert trust.role_paths == ("/secure-ml/", "/other/")
    assert [arn.rpartition("/")[2] for arn in trust.administrators] == ["one", "two"]
    assert trust_of() == Trust()
