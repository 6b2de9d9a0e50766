"""The helper that all compliance tests rest on finds something where there is something to find."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3

from tests.support.compliance import findings


def test_every_pack_finds_a_bare_bucket() -> None:
    rules = [finding.rule for finding in findings(lambda app: s3.Bucket(cdk.Stack(app, "Bare"), "Bucket"))]
    assert {rule.split("::")[0] for rule in rules} == {
        "AwsSolutions",
        "HIPAA.Security",
        "NIST.800.53.R5",
        "PCI.DSS.321",
        "SecureMl",
    }
