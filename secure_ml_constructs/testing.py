"""One-line helpers for the test suites of those who use the library, with or without the CDK."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from secure_ml_constructs.verification.rules import (
    Finding,
    Settings,
    Severity,
    check,
    read_acknowledgements,
    sort_out,
)
from secure_ml_constructs.verification.templates import load

if TYPE_CHECKING:
    from constructs import IConstruct

__all__ = ["Found", "assert_refused", "assert_secure", "findings"]

_WEIGHT = {Severity.WARNING: 0, Severity.ERROR: 1, Severity.FATAL: 2}


@dataclass(frozen=True, order=True)
class Found:
    """A rule that something does not keep.

    Attributes:
        rule: The rule's id.
        severity: How much it weighs.
        where: The construct's path, or the template and the resource.
        message: What is wrong.
    """

    rule: str
    severity: Severity
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.severity.value} {self.rule} at {self.where}: {self.message}"


def findings(
    subject: str | Path | Mapping[str, Any] | IConstruct,
    *,
    settings: Settings | None = None,
    severity: Severity | str = Severity.WARNING,
) -> list[Found]:
    """Put every rule to something, and give what was found and nobody acknowledged.

    Args:
        subject: A template's file, a folder or a `cdk.out`; templates as data, by stack name; or a CDK app or
            anything in one, which is then synthesized and keeps the rules as a plugin.
        settings: What the user decides. Default: every rule as it comes.
        severity: The least severity that counts. Default: warnings and all that is graver.

    Raises:
        TemplateError: A file that can't be read, or data that is no template.

    Example:
        >>> [found.rule for found in findings({"Main": {"Resources": {}}})]
        []
    """
    settings = settings or Settings()
    if isinstance(subject, (str, Path)):
        loaded = load([subject])
        accepted = [each for folder in loaded.assemblies for each in read_acknowledgements(folder)]
        remaining, _ = sort_out(check(loaded.templates, settings), accepted)
        found = [_plain(finding) for finding in remaining]
    elif isinstance(subject, Mapping):
        found = [_plain(finding) for finding in check(subject, settings)]
    else:
        found = sorted(set(_of_app(subject, settings)))
    return [each for each in found if _WEIGHT[each.severity] >= _WEIGHT[Severity(severity)]]


def assert_secure(
    subject: str | Path | Mapping[str, Any] | IConstruct,
    *,
    settings: Settings | None = None,
    severity: Severity | str = Severity.WARNING,
) -> None:
    """Fail a test where any rule is not kept; see `findings` for the arguments.

    Raises:
        AssertionError: Something was found: every finding, a line each.

    Example:
        >>> assert_secure({"Main": {"Resources": {}}})
    """
    found = findings(subject, settings=settings, severity=severity)
    if found:
        lines = "\n".join(f"  {each}" for each in found)
        raise AssertionError(f"{len(found)} findings\n{lines}")


def assert_refused(
    subject: str | Path | Mapping[str, Any] | IConstruct, *rules: str, settings: Settings | None = None
) -> None:
    """Fail a test where a rule that should speak up does not; see `findings` for the other arguments.

    Args:
        subject: What is judged.
        rules: The ids of the rules.
        settings: What the user decides.

    Raises:
        AssertionError: One of the rules found nothing.

    Example:
        >>> bare = {"Main": {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}}}
        >>> assert_refused(bare, "S3BucketAccessLogged")
    """
    found = {each.rule for each in findings(subject, settings=settings)}
    silent = [rule for rule in rules if rule not in found]
    if silent:
        raise AssertionError(
            f"{', '.join(silent)} found nothing; found were {', '.join(sorted(found)) or 'none'}"
        )


def _plain(finding: Finding) -> Found:
    return Found(finding.rule, finding.severity, f"{finding.template} {finding.logical_id}", finding.message)


def _of_app(construct: IConstruct, settings: Settings) -> Iterator[Found]:
    from aws_cdk import App, Validations

    from secure_ml_constructs.enforcement.plugin import NAME, RulePack
    from secure_ml_constructs.enforcement.summary import REPORT, read_summary

    app = construct.node.root
    if not isinstance(app, App):
        raise TypeError(
            f"{construct.node.path or construct} stands in no App, so that nothing can be synthesized."
        )
    folder = Path(app.outdir)
    Validations.of(app).add_plugins(RulePack(folder, settings))
    try:
        app.synth(force=True)
    except RuntimeError as error:
        if REPORT not in str(error):
            raise
    for finding in read_summary(folder, seconds=0).findings:
        if finding.rule.startswith(f"{NAME}::"):
            yield Found(
                finding.rule.removeprefix(f"{NAME}::"),
                Severity(finding.severity),
                finding.construct,
                finding.description,
            )
