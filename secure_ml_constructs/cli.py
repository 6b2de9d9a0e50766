"""The command `secure-ml`: judge templates and decide requests, without Node and without the CDK."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from secure_ml_constructs.verification.rules import Acknowledged, Engine, Finding, Rule, Settings
    from secure_ml_constructs.verification.templates import Loaded

CLEAN, FINDINGS, UNREADABLE = 0, 1, 2
SEVERITIES = ("warning", "error", "fatal")


@dataclass(frozen=True)
class Result:
    """What `check` found.

    Attributes:
        findings: What is listed, by template and resource.
        acknowledged: What somebody accepts.
        summary: The counts.
    """

    findings: list[Finding]
    acknowledged: list[Acknowledged]
    summary: dict[str, int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: What follows the command's name; those of the process otherwise.

    Returns:
        The exit code: 0 clean or allowed, 1 findings or denied, 2 input that can't be read.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    options = _parser(given[:1]).parse_args(given)
    try:
        code: int = options.run(options, sys.stdout)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has seen enough, and what is left unwritten has no reader.
        sys.stdout = None
        return FINDINGS
    return code


def _parser(asked: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("secure-ml", description="Judge CloudFormation templates for ML.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="judge templates", description=_check.__doc__)
    check.add_argument("paths", nargs="+", metavar="PATH", help="a template, a folder or a cdk.out")
    check.add_argument("--format", choices=("table", "json", "sarif", "junit"), default="table")
    check.add_argument(
        "--severity",
        choices=SEVERITIES,
        default="warning",
        metavar="LEVEL",
        help="list this severity and graver ones, and exit 1 for them: warning (default), error or fatal",
    )
    check.add_argument("--config", metavar="FILE", help="settings, as YAML or JSON")
    check.set_defaults(run=_check)
    rules = commands.add_parser("rules", help="list the rules", description=_rules.__doc__)
    rules.add_argument("--format", choices=("table", "json"), default="table")
    rules.set_defaults(run=_rules)
    guard = commands.add_parser("guard", help="write a Guard file", description=_guard.__doc__)
    guard.add_argument("--config", metavar="FILE", help="settings, as YAML or JSON")
    guard.add_argument("--list-untranslated", action="store_true", help="name the rest, with the reasons")
    guard.set_defaults(run=_guard)
    decide = commands.add_parser("decide", help="decide one request to AWS by its policies")
    if asked == ["decide"]:
        # Whoever judges templates waits for none of this.
        from secure_ml_constructs.verification.proofs.decide import add_arguments

        add_arguments(decide)
    prove = commands.add_parser("prove", help="ask what must not happen", description=_prove.__doc__)
    prove.add_argument("paths", nargs="+", metavar="PATH", help="a template, a folder or a cdk.out")
    prove.add_argument("--format", choices=("table", "json"), default="table")
    prove.add_argument(
        "--question",
        metavar="PATTERN",
        action="append",
        help="only questions of this name, as in 'insider/*/Lake*'; may be repeated",
    )
    prove.add_argument("--strict", action="store_true", help="exit 1 for what is not covered as well")
    prove.add_argument("--config", metavar="FILE", help="settings, as YAML or JSON; its section 'proofs'")
    prove.set_defaults(run=_prove)
    return parser


def _check(options: argparse.Namespace, out: TextIO) -> int:
    """Judge templates. Exit code: 0 clean, 1 findings, 2 input that can't be read."""
    from secure_ml_constructs.errors import ConfigurationError
    from secure_ml_constructs.verification.rules import Engine, pack
    from secure_ml_constructs.verification.templates import TemplateError, load

    try:
        settings = _settings(options.config)
        loaded = load(options.paths)
        result = _judge(Engine(pack(), settings), loaded, options.severity)
    except (TemplateError, ConfigurationError) as error:
        print(f"secure-ml: {error}", file=sys.stderr)
        return UNREADABLE
    for skipped in loaded.skipped:
        print(f"secure-ml: skipped {skipped}", file=sys.stderr)
    _write(result, options.format, out)
    return FINDINGS if result.findings else CLEAN


def _prove(options: argparse.Namespace, out: TextIO) -> int:
    """Ask every question about templates. Exit code: 0 nothing broken, 1 broken, 2 unreadable input."""
    from secure_ml_constructs.verification.proofs import prove
    from secure_ml_constructs.verification.report.matrix import print_matrix
    from secure_ml_constructs.verification.templates import TemplateError

    try:
        given = _file(options.config) if options.config else {}
    except TemplateError as error:
        print(f"secure-ml: {error}", file=sys.stderr)
        return UNREADABLE
    section = given.get("proofs") if isinstance(given, dict) else given
    return prove.run(options, out, print_matrix, section)


def _settings(config: str | None) -> Settings | None:
    if config is None:
        return None
    from secure_ml_constructs.verification.rules import Settings, pack

    given = _file(config)
    if isinstance(given, dict):
        # The proofs have a section of their own.
        given = {name: value for name, value in given.items() if name != "proofs"}
    return Settings.read(given, config, frozenset(rule.id for rule in pack()))


def _file(config: str) -> Any:
    from secure_ml_constructs.verification.templates import TemplateError
    from secure_ml_constructs.verification.templates.source import parse

    try:
        text = Path(config).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise TemplateError(config, None, "This is no UTF-8 text.") from None
    except OSError as error:
        raise TemplateError(config, None, f"It can't be read: {error.strerror}.") from None
    return parse(text, config)[0]


def _judge(engine: Engine, loaded: Loaded, severity: str) -> Result:
    from secure_ml_constructs.verification.rules import Severity, read_acknowledgements, sort_out

    accepted = [each for folder in loaded.assemblies for each in read_acknowledgements(folder)]
    remaining, acknowledged = sort_out(engine.check(loaded.templates), accepted)
    least = Severity(severity).rank
    listed = [finding for finding in remaining if finding.severity.rank >= least]
    failed = [finding.severity for finding in listed if finding.outcome == "fail"]
    summary = {
        "files": len({template.path for template in loaded.templates}),
        "resources": len(loaded.templates),
        **{name: failed.count(Severity(name)) for name in reversed(SEVERITIES)},
        "unresolved": len(listed) - len(failed),
        "acknowledged": len(acknowledged),
    }
    return Result(listed, acknowledged, summary)


def _write(result: Result, form: str, out: TextIO) -> None:
    if form == "json":
        fields = ("rule", "severity", "control", "template", "logical_id", "resource_type", "path", "message")
        findings = ({name: getattr(f, name) for name in (*fields, "fix")} for f in result.findings)
        # One finding a line: there may be thousands, and so a line is what differs.
        lines = ",\n  ".join(map(json.dumps, findings))
        summary = json.dumps(result.summary)
        out.write(f'{{"findings": [\n  {lines}\n],\n"summary": {summary}}}\n')
        return
    from secure_ml_constructs.verification.report import formats

    if form == "table":
        formats.table(result.findings, result.acknowledged, result.summary, out)
    elif form == "sarif":
        _json(formats.sarif(result.findings, result.acknowledged), out)
    else:
        out.write(formats.junit(result.findings, result.summary))


def _rules(options: argparse.Namespace, out: TextIO) -> int:
    """List every rule, those that are off by default included."""
    from secure_ml_constructs.verification.rules import pack

    if options.format == "json":
        _json([_described(rule) for rule in pack()], out)
        return CLEAN
    from secure_ml_constructs.verification.report import formats

    formats.rules_table(pack(), out)
    return CLEAN


def _guard(options: argparse.Namespace, out: TextIO) -> int:
    """Write the rules that CloudFormation Guard can express as a file for a Guard Hook."""
    from secure_ml_constructs.errors import ConfigurationError
    from secure_ml_constructs.verification.rules import Settings, pack
    from secure_ml_constructs.verification.rules.guard import guard_file
    from secure_ml_constructs.verification.templates import TemplateError

    try:
        settings = _settings(options.config) or Settings()
    except (TemplateError, ConfigurationError) as error:
        print(f"secure-ml: {error}", file=sys.stderr)
        return UNREADABLE
    text, left = guard_file(pack(), settings)
    if options.list_untranslated:
        out.writelines(f"{rule.id}: {reason}\n" for rule, reason in left)
    else:
        out.write(text)
    return CLEAN


def _described(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "severity": rule.severity,
        "control": rule.control,
        "resource_type": rule.resource_type,
        "title": rule.title,
        "standards": list(rule.standards),
        "threats": list(rule.threats),
        "why": rule.why,
        "fix": rule.fix,
        "also": list(rule.also),
        "default": not rule.off,
        "off_because": rule.off,
    }


def _json(value: Any, out: TextIO) -> None:
    json.dump(value, out, indent=2)
    out.write("\n")


if __name__ == "__main__":
    sys.exit(main())
