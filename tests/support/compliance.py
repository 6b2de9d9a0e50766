"""Run the rule packs over what a test builds."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import IPolicyValidationPlugin, Validations
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks

from secure_ml_constructs.enforcement.plugin import RulePack
from secure_ml_constructs.verification.rules import Settings
from tests.support.templates import new_app

# Keys that tests give by their ARN: no template says whose they are.
VOUCHED = Settings(customer_keys=("arn:*:key/11111111-2222-*", "arn:*:key/00000000-*", "arn:*:key/0000-1111"))


@dataclass(frozen=True)
class Finding:
    """One violation that is not acknowledged."""

    rule: str
    constructs: tuple[str, ...]
    description: str

    def __str__(self) -> str:
        return f"{self.rule} at {', '.join(self.constructs)}: {self.description}"


def findings(build: Callable[[cdk.App], Any], settings: Settings = VOUCHED) -> list[Finding]:
    """Run AwsSolutions, HIPAA, NIST 800-53 r5, PCI DSS and our own rules on the app that `build` fills.

    Args:
        build: Makes stacks in the app it is given.
        settings: Those of our own rules.

    A pack without findings leaves no trace in the report; test_compliance.py shows that each runs.
    """
    app = new_app()
    build(app)
    packs: list[IPolicyValidationPlugin] = [
        AwsSolutionsChecks(app),
        HIPAASecurityChecks(app),
        NIST80053R5Checks(app),
        PCIDSS321Checks(app),
        RulePack(app, settings),
    ]
    Validations.of(app).add_plugins(*packs)
    try:
        app.synth()
    except RuntimeError as error:
        if "validation-report.json" not in str(error):
            raise
    report = json.loads((Path(app.outdir) / "validation-report.json").read_text())
    return [
        Finding(
            f"{plugin['pluginName']}::{violation['ruleName']}",
            tuple(construct["constructPath"] for construct in violation["violatingConstructs"]),
            violation["description"],
        )
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
    ]
