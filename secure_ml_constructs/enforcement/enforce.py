"""Register every check on an app, synthesize it, and say what was found."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, TextIO

import cdk_nag
from aws_cdk import App, IPolicyValidationPlugin, Validations

from secure_ml_constructs.enforcement.plugin import NAME, RulePack
from secure_ml_constructs.enforcement.proofs import ProofPack
from secure_ml_constructs.enforcement.summary import (
    REPORT,
    Summary,
    plugin_reports,
    print_summary,
    read_summary,
)
from secure_ml_constructs.errors import ConfigurationError, Problem
from secure_ml_constructs.verification.proofs.questions import Trust
from secure_ml_constructs.verification.proofs.record import FILE as RECORD
from secure_ml_constructs.verification.report.matrix import print_matrix
from secure_ml_constructs.verification.rules import Acknowledgement, Settings
from secure_ml_constructs.verification.rules.acknowledgements import write_acknowledgements

DEFAULT_SETTINGS = Settings()
_CLOUDFORMATION_ERRORS = "@aws-cdk/core:validateAgainstDefaultRules"


class Pack(StrEnum):
    """The cdk-nag rule packs."""

    AWS_SOLUTIONS = "AwsSolutions"
    HIPAA = "HIPAA.Security"
    NIST_800_53_R5 = "NIST.800.53.R5"
    PCI_DSS_321 = "PCI.DSS.321"


_CHECKS: dict[Pack, Callable[..., Any]] = {
    Pack.AWS_SOLUTIONS: cdk_nag.AwsSolutionsChecks,
    Pack.HIPAA: cdk_nag.HIPAASecurityChecks,
    Pack.NIST_800_53_R5: cdk_nag.NIST80053R5Checks,
    Pack.PCI_DSS_321: cdk_nag.PCIDSS321Checks,
}


class Enforcement:
    """The checks of one app: what `enforce` gives."""

    def __init__(self, app: App, proofs: ProofPack | None) -> None:
        self._app = app
        self._proofs = proofs
        self._started = time.monotonic()

    def synth(self, *, out: TextIO | None = None) -> Summary:
        """Synthesize the app with every check, print what came of it, and exit where something is wrong.

        Args:
            out: Where the summary is printed. Default: standard error, since the CDK's output is a program's.

        Returns:
            The summary, where nothing was found.

        Raises:
            SystemExit: With status 1, where a finding is not acknowledged.
        """
        failure = None
        try:
            self._app.synth()
        except RuntimeError as error:
            # jsii gives every JavaScript error this type; only the text tells them apart. A construct that
            # refuses itself leaves no report.
            if REPORT not in str(error):
                raise
            failure = error
        _leave_acknowledgements(folder := Path(self._app.outdir))
        summary = read_summary(folder, seconds=time.monotonic() - self._started)
        out = out or sys.stderr
        if self._proofs and self._proofs.answers:
            print_matrix(self._proofs.answers, out)
            out.write("\n")
        print_summary(summary, out)
        if failure or summary.findings:
            raise SystemExit(1)
        return summary


def enforce(
    app: App,
    *,
    packs: Sequence[Pack] = (Pack.AWS_SOLUTIONS, Pack.HIPAA, Pack.NIST_800_53_R5),
    rules: Settings | None = DEFAULT_SETTINGS,
    proofs: Trust | bool = True,
    plugins: Sequence[IPolicyValidationPlugin] = (),
    cloudformation: bool = True,
) -> Enforcement:
    """Let no unsafe app be synthesized: register every rule, and make the CDK's own validation fail. (R1)

    What is acknowledged of our own rules is left beside the templates, where `secure-ml check` finds it.

    Call it before the first stack is made: the CDK takes the switch for its validation only then.

    Args:
        app: The app.
        packs: cdk-nag packs. Default: AWS Solutions, HIPAA and NIST 800-53 r5.
        rules: The settings of our own rules, which read the synthesized templates; None leaves them out.
            Default: every rule as it comes.
        proofs: Who is no adversary, for the questions about access and reachability; False leaves them out.
            Default: whom the perimeters of the app's constructs trust, and the networks that they name.
        plugins: Further validation plugins. Default: none.
        cloudformation: Whether the CDK's built-in CloudFormation validation counts as errors. Default: yes.

    Returns:
        What synthesizes the app: call `synth()` in place of `app.synth()`.

    Raises:
        ConfigurationError: The app has stacks already, so that the CDK's validation would only warn.

    Example:
        >>> app = aws_cdk.App()
        >>> checks = enforce(app)
        >>> from secure_ml_constructs import EnvironmentKeys
        >>> keys = EnvironmentKeys(aws_cdk.Stack(app, "MachineLearning"), "Keys", perimeter=perimeter)
        >>> summary = checks.synth()
        >>> summary.findings
        ()
    """
    if cloudformation and not app.node.try_get_context(_CLOUDFORMATION_ERRORS):
        if app.node.children:
            problem = Problem(
                "app",
                app.node.children[0].node.path,
                "The app has children already, and takes no further context.",
                "Call enforce(app) right after App(), or set the context "
                f"'{_CLOUDFORMATION_ERRORS}' in cdk.json.",
            )
            raise ConfigurationError("enforce", [problem])
        app.node.set_context(_CLOUDFORMATION_ERRORS, True)
    checks = [_CHECKS[Pack(pack)](app) for pack in packs]
    if rules is not None:
        checks.append(RulePack(app, rules))
    pack = ProofPack(app, proofs if isinstance(proofs, Trust) else None) if proofs else None
    if pack:
        checks.append(pack)
    else:
        (Path(app.outdir) / RECORD).unlink(missing_ok=True)
    Validations.of(app).add_plugins(*checks, *plugins)
    return Enforcement(app, pack)


def _leave_acknowledgements(folder: Path) -> None:
    """Write what was accepted of our own rules beside the templates, for `secure-ml check`."""
    accepted = {
        Acknowledgement(
            rule=violation["ruleName"],
            template=Path(place["templatePath"]).name,
            logical_id=place["logicalId"],
            reason=violation["reason"],
        )
        for plugin in plugin_reports(folder)
        if plugin["pluginName"] == NAME
        for violation in plugin.get("suppressedViolations", [])
        for construct in violation["violatingConstructs"]
        if (place := construct.get("cloudFormationResource"))
    }
    write_acknowledgements(
        folder, sorted(accepted, key=lambda each: (each.template, each.logical_id, each.rule))
    )
