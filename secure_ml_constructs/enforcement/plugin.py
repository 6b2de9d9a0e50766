"""The rule pack as a validation plugin: it reads the templates, so that no override gets past it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import jsii
from aws_cdk import (
    App,
    IPolicyValidationContext,
    IPolicyValidationPlugin,
    PolicyValidationPluginReport,
    PolicyViolatingResource,
    PolicyViolation,
)

from secure_ml_constructs.enforcement.links import linked_networks
from secure_ml_constructs.verification.rules import Finding, Settings, check, pack
from secure_ml_constructs.verification.templates import load

NAME = "SecureMl"


@jsii.implements(IPolicyValidationPlugin)
class RulePack:
    """Judges every template of an app, those of stages and nested stacks as well. (R1)

    Args:
        app: The app; what it writes is read, and the networks that its constructs name count as named.
        settings: What the user decides.
    """

    def __init__(self, app: App, settings: Settings) -> None:
        self._app = app
        self._folder = Path(app.outdir)
        self._settings = settings

    @property
    def name(self) -> str:
        """The name in front of every finding's id."""
        return NAME

    @property
    def version(self) -> str:
        """The version of the pack: the library's."""
        return version("secure-ml-constructs")

    @property
    def rule_ids(self) -> list[str]:
        """The ids of every rule of the pack."""
        return [rule.id for rule in pack()]

    def validate(self, context: IPolicyValidationContext) -> PolicyValidationPluginReport:
        """Judge what was synthesized.

        Args:
            context: What the CDK says of the synthesis; the templates are read from the assembly, since the
                context leaves nested stacks out.
        """
        named = (*self._settings.linked_networks, *linked_networks(self._app))
        settings = replace(self._settings, linked_networks=named)
        findings = check(load([self._folder]).templates, settings)
        return PolicyValidationPluginReport(success=not findings, violations=_violations(findings))


def _violations(findings: list[Finding]) -> list[PolicyViolation]:
    # One violation for each text, since the text is the violation's and the resources are its list.
    grouped: dict[tuple[str, str, str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        grouped[finding.rule, finding.severity.value, finding.message, finding.fix].append(finding)
    return [
        PolicyViolation(
            rule_name=rule,
            description=message,
            fix=fix,
            # Never left out: a violation without severity counts as none once anything is acknowledged.
            severity=severity,
            rule_metadata={"control": of[0].control, "outcome": of[0].outcome},
            violating_resources=[
                PolicyViolatingResource(
                    resource_logical_id=finding.logical_id,
                    template_path=finding.template,
                    locations=[finding.path],
                )
                for finding in of
            ],
        )
        for (rule, severity, message, fix), of in grouped.items()
    ]
