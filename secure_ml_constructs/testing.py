"""One-line helpers for the test suites of those who use the library, with or without the CDK."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
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
    from aws_cdk import App
    from constructs import IConstruct

    from secure_ml_constructs.verification.proofs.questions import Answer, Trust

__all__ = ["Found", "answers", "assert_proved", "assert_refused", "assert_secure", "findings"]

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


def answers(
    subject: str | Path | Mapping[str, Any] | IConstruct,
    *questions: str,
    trust: Trust | None = None,
) -> list[Answer]:
    """Ask what must not happen, and give an answer for each adversary, deed and asset.

    Args:
        subject: A template's file, a folder or a `cdk.out`; templates as data, by stack name; or a CDK app or
            anything in one, which is then synthesized.
        questions: Names, or patterns of them such as `insider/*`. Default: every question.
        trust: Who is no adversary, and the organization's guardrails. Default: who was trusted when the
            `cdk.out` was made, or whom the perimeters of the app's constructs trust.

    Raises:
        TemplateError: A file that can't be read, or data that is no template.

    Example:
        >>> bare = {"Main": {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}}}
        >>> [str(answer.verdict) for answer in answers(bare, "outsider/read/*")]
        ['proved']
    """
    from secure_ml_constructs.verification.proofs.environment import ask
    from secure_ml_constructs.verification.proofs.record import read_trust
    from secure_ml_constructs.verification.templates import Templates

    asked = questions or ("*",)
    if isinstance(subject, Mapping):
        return ask(Templates.of(subject), trust, questions=asked)
    if not isinstance(subject, (str, Path)):
        folder, found = _synthesized(subject)
        return ask(load([folder]).templates, trust or found, questions=asked)
    loaded = load([subject])
    for assembly in loaded.assemblies:
        trust = trust or read_trust(assembly)
    return ask(loaded.templates, trust, questions=asked)


def assert_proved(
    subject: str | Path | Mapping[str, Any] | IConstruct,
    *questions: str,
    trust: Trust | None = None,
    by_design: bool = True,
) -> None:
    """Fail a test where something can happen that must not; see `answers` for the arguments.

    Args:
        subject: What is judged.
        questions: Names, or patterns of them. Default: every question.
        trust: Who is no adversary.
        by_design: Whether what is allowed by design passes, and what only a guardrail of the organization
            can deny. Default: yes.

    Raises:
        AssertionError: A question that is answered otherwise, with the request that gets through; or a
            pattern that no question has.

    Example:
        >>> bare = {"Main": {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}}}
        >>> assert_proved(bare, "outsider/read/*", by_design=False)
    """
    from secure_ml_constructs.verification.proofs.questions import Verdict
    from secure_ml_constructs.verification.report.matrix import counterexample

    found = answers(subject, *questions, trust=trust)
    unknown = [each for each in questions if not any(fnmatchcase(answer.question, each) for answer in found)]
    if unknown:
        raise AssertionError(f"no question is called {', '.join(unknown)}")
    passes = {Verdict.PROVED}
    if by_design:
        passes |= {Verdict.BY_DESIGN, Verdict.NEEDS_GUARDRAIL}
    bad = [answer for answer in found if answer.verdict not in passes]
    if bad:
        lines = "\n".join(
            "\n    ".join((f"  {each.verdict} {each.question}: {each.because}", *counterexample(each)))
            for each in bad
        )
        raise AssertionError(f"{len(bad)} of {len(found)} are not proved\n{lines}")


def _synthesized(construct: IConstruct) -> tuple[Path, Trust]:
    from secure_ml_constructs.enforcement.proofs import trust_of_app

    app = _app(construct)
    app.synth(force=True)
    return Path(app.outdir), trust_of_app(app)


def _plain(finding: Finding) -> Found:
    return Found(finding.rule, finding.severity, f"{finding.template} {finding.logical_id}", finding.message)


def _app(construct: IConstruct) -> App:
    from aws_cdk import App

    app = construct.node.root
    if not isinstance(app, App):
        raise TypeError(
            f"{construct.node.path or construct} stands in no App, so that nothing can be synthesized."
        )
    return app


def _of_app(construct: IConstruct, settings: Settings) -> Iterator[Found]:
    from aws_cdk import Validations

    from secure_ml_constructs.enforcement.plugin import NAME, RulePack
    from secure_ml_constructs.enforcement.summary import REPORT, read_summary

    app = _app(construct)
    folder = Path(app.outdir)
    Validations.of(app).add_plugins(RulePack(app, settings))
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
