"""enforce(): an unsafe app is stopped, a safe one passes, and both say what they are."""

from __future__ import annotations

import io

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_s3 as s3
from constructs import IValidation

from secure_ml_constructs.enforcement import Pack, Summary, acknowledge, enforce
from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.keys import EnvironmentKeys
from secure_ml_constructs.perimeter import DataPerimeter
from tests.support.templates import new_app

pytestmark = pytest.mark.slow

REASON = "This bucket is made by a test and holds nothing that anybody could want to read."


def run(app: cdk.App, **arguments: object) -> tuple[Summary | None, str]:
    """Synthesize; give the summary, or None where the synthesis was stopped, and what was printed."""
    out = io.StringIO()
    try:
        return enforce(app, **arguments).synth(out=out), out.getvalue()  # type: ignore[arg-type]
    except SystemExit:
        return None, out.getvalue()


def app_with_bucket(*, accept: tuple[str, ...] = (), stage: bool = False) -> cdk.App:
    app = new_app(**{"@aws-cdk/core:validateAgainstDefaultRules": True})
    stack = cdk.Stack(cdk.Stage(app, "Prod") if stage else app, "Stack")
    bucket = s3.Bucket(stack, "Bucket")
    for finding in accept:
        acknowledge(bucket, finding, REASON)
    return app


def test_an_unsafe_app_is_stopped_and_every_finding_is_named() -> None:
    summary, printed = run(app_with_bucket())
    assert summary is None
    assert "AwsSolutions::AwsSolutions-S1" in printed
    assert "at Stack/Bucket/Resource" in printed
    assert "NIST.800.53.R5::" in printed
    assert "HIPAA.Security::" in printed


def test_a_stack_inside_a_stage_is_judged_as_well() -> None:
    summary, printed = run(app_with_bucket(stage=True), packs=[Pack.AWS_SOLUTIONS], rules=None)
    assert summary is None
    assert "Prod/Stack/Bucket" in printed


def test_a_safe_app_passes_with_a_summary() -> None:
    app = new_app(**{"@aws-cdk/core:validateAgainstDefaultRules": True})
    EnvironmentKeys(cdk.Stack(app, "Keys"), "Keys", perimeter=DataPerimeter())
    summary, printed = run(app)
    assert summary is not None
    assert summary.resources == {"Keys": 5}
    assert not summary.findings
    assert not summary.accepted
    assert "No findings in" in printed
    assert "validation-report.json" in printed


def test_accepted_findings_pass_and_are_listed() -> None:
    accept = ("AwsSolutions::AwsSolutions-S1", "AwsSolutions::AwsSolutions-S10")
    summary, printed = run(
        app_with_bucket(accept=accept), packs=[Pack.AWS_SOLUTIONS], rules=None, proofs=False
    )
    assert summary is not None
    assert {accepted.rule for accepted in summary.accepted} == set(accept)
    assert all(accepted.reason == REASON for accepted in summary.accepted)
    assert "2 acknowledged findings" in printed


def test_one_finding_too_many_stops_what_the_others_would_let_pass() -> None:
    summary, printed = run(
        app_with_bucket(accept=("AwsSolutions::AwsSolutions-S1",)),
        packs=[Pack.AWS_SOLUTIONS],
        rules=None,
        proofs=False,
    )
    assert summary is None
    assert "1 finding in" in printed


def test_the_cdks_own_validation_is_an_error() -> None:
    """A property that CloudFormation would refuse must not get as far as a deployment."""
    app = cdk.App(analytics_reporting=False)
    checks = enforce(app, packs=[])
    cdk.CfnResource(cdk.Stack(app, "Stack"), "Key", type="AWS::KMS::Key", properties={"KeySpec": "ROT13"})
    out = io.StringIO()
    with pytest.raises(SystemExit):
        checks.synth(out=out)
    assert "KeySpec" in out.getvalue()
    assert "CloudFormation-Validate::" in out.getvalue()


def test_enforcing_too_late_is_refused_with_the_way_out() -> None:
    app = cdk.App()
    cdk.Stack(app, "Stack")
    with pytest.raises(ConfigurationError, match=r"right after App\(\)"):
        enforce(app)


def test_another_error_of_the_app_is_not_swallowed() -> None:
    app = new_app(**{"@aws-cdk/core:validateAgainstDefaultRules": True})
    checks = enforce(app)
    cdk.Stack(app, "Stack").node.add_validation(_Refusal())
    with pytest.raises(RuntimeError, match="refused"):
        checks.synth(out=io.StringIO())


@jsii.implements(IValidation)
class _Refusal:
    def validate(self) -> list[str]:
        return ["refused"]


@pytest.mark.parametrize("finding", ["AwsSolutions-S1", "S1", "AwsSolutions::"])
def test_an_id_that_would_accept_nothing_is_refused(finding: str) -> None:
    """cdk-nag ignores such an id in silence, or drops the finding from its report."""
    with pytest.raises(ValueError, match="no finding id"):
        acknowledge(cdk.Stack(new_app(), "Stack"), finding, REASON)


def test_a_reason_has_to_be_one() -> None:
    with pytest.raises(ValueError, match="too short"):
        acknowledge(cdk.Stack(new_app(), "Stack"), "AwsSolutions::AwsSolutions-S1", "ok")
