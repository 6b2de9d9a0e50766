"""Our own rules at synth: on every template of the app, whatever it was built with."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from secure_ml_constructs.enforcement import Finding, acknowledge, enforce
from secure_ml_constructs.enforcement.summary import read_summary
from secure_ml_constructs.verification.rules import Settings, read_acknowledgements
from tests.support.templates import new_app

pytestmark = pytest.mark.slow

REASON = "This bucket is made by a test and holds nothing that anybody could want to read."
PUBLIC = "SecureMl::S3BucketPublicAccessBlocked"
LOGGED = "SecureMl::S3BucketAccessLogged"


def judged(app: cdk.App, settings: Settings | None = None) -> tuple[Finding, ...]:
    """What our own rules find, and nobody accepted."""
    checks = enforce(app, packs=[], cloudformation=False, rules=settings or Settings())
    try:
        return checks.synth(out=io.StringIO()).findings
    except SystemExit:
        return read_summary(Path(app.outdir), seconds=0).findings


def places(findings: tuple[Finding, ...], rule: str) -> set[str]:
    return {finding.construct for finding in findings if finding.rule == rule}


def bucket(scope: Any, id: str = "Bucket", **arguments: Any) -> s3.Bucket:
    return s3.Bucket(
        scope, id, block_public_access=s3.BlockPublicAccess.BLOCK_ALL, versioned=True, **arguments
    )


def test_stacks_nested_stacks_and_stages_are_judged_with_their_constructs() -> None:
    app = new_app()
    stack = cdk.Stack(app, "Main")
    s3.Bucket(stack, "Plain")
    s3.Bucket(cdk.NestedStack(stack, "Inner"), "Nested")
    s3.Bucket(cdk.Stack(cdk.Stage(app, "Prod"), "Staged"), "Staged")
    assert places(judged(app), PUBLIC) == {
        "Main/Plain/Resource",
        "Main/Inner/Nested/Resource",
        "Prod/Staged/Staged/Resource",
    }


def test_an_override_and_a_raw_resource_do_not_get_past_it() -> None:
    """cdk-nag reads the properties of the construct, and sees neither."""
    app = new_app()
    stack = cdk.Stack(app, "Main")
    made = bucket(stack)
    made.node.default_child.add_property_override(  # type: ignore[union-attr]
        "PublicAccessBlockConfiguration.BlockPublicAcls", False
    )
    cdk.CfnResource(stack, "Raw", type="AWS::S3::Bucket", properties={})
    assert places(judged(app), PUBLIC) == {"Main/Bucket/Resource", "Main/Raw"}


def test_what_is_fatal_stands_whoever_acknowledges_it() -> None:
    app = new_app()
    made = s3.Bucket(cdk.Stack(app, "Main"), "Bucket")
    acknowledge(made, [PUBLIC, LOGGED], REASON)
    findings = judged(app)
    assert places(findings, PUBLIC) == {"Main/Bucket/Resource"}
    assert places(findings, LOGGED) == set()


def test_what_is_acknowledged_lies_beside_the_templates() -> None:
    app = new_app()
    made = bucket(cdk.Stack(app, "Main"))
    acknowledge(made, LOGGED, REASON)
    judged(app)
    (accepted,) = read_acknowledgements(Path(app.outdir))
    assert (accepted.rule, accepted.template) == ("S3BucketAccessLogged", "Main.template.json")
    template = json.loads((Path(app.outdir) / accepted.template).read_text())
    assert template["Resources"][accepted.logical_id]["Type"] == "AWS::S3::Bucket"
    assert accepted.reason == REASON


def test_settings_reach_the_rules() -> None:
    def build() -> cdk.App:
        app = new_app()
        bucket(cdk.Stack(app, "Main"))
        return app

    assert places(judged(build()), LOGGED)
    assert not places(judged(build(), Settings(off=frozenset({"S3BucketAccessLogged"}))), LOGGED)


def test_an_import_whose_exporter_is_not_given_is_told_apart() -> None:
    """Neither a pass nor a failure: the key may be the customer's, and nobody can say."""
    app = new_app()
    key = kms.Key.from_key_arn(cdk.Stack(app, "Main"), "Key", cdk.Fn.import_value("elsewhere"))
    bucket(key.stack, encryption_key=key, encryption=s3.BucketEncryption.KMS)
    (finding,) = [f for f in judged(app) if f.rule == "SecureMl::S3BucketCustomerKey"]
    assert "can't be resolved" in finding.description
    assert finding.severity == "error"


@pytest.mark.parametrize("rules", [None, Settings()], ids=["off", "on"])
def test_it_can_be_left_out(rules: Settings | None) -> None:
    app = new_app()
    s3.Bucket(cdk.Stack(app, "Main"), "Bucket")
    checks = enforce(app, packs=[], cloudformation=False, rules=rules, proofs=False)
    if rules is None:
        assert checks.synth(out=io.StringIO()).findings == ()
    else:
        with pytest.raises(SystemExit):
            checks.synth(out=io.StringIO())
