"""What a synthesis came to: read from the assembly's folder, printed for a person."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from rich.table import Table

from secure_ml_constructs.enforcement.costs import PRICES, StandingCost, standing_costs
from secure_ml_constructs.verification.report.matrix import console as terminal

REPORT = "validation-report.json"


@dataclass(frozen=True, order=True)
class Finding:
    """A violation that stops the synthesis.

    Attributes:
        rule: The id with its plugin, as it would be acknowledged.
        construct: The construct's path.
        severity: `warning`, `error` or `fatal`.
        description: What is wrong.
    """

    rule: str
    construct: str
    severity: str
    description: str


@dataclass(frozen=True, order=True)
class AcceptedFinding:
    """A violation that somebody acknowledged.

    Attributes:
        rule: The id with its plugin.
        construct: The construct's path.
        reason: Why it was accepted.
    """

    rule: str
    construct: str
    reason: str


@dataclass(frozen=True)
class Summary:
    """What a synthesis came to.

    Attributes:
        resources: The number of resources by stack, in the order of the assembly.
        findings: What stops it.
        accepted: What was acknowledged.
        costs: What costs money while nobody uses it.
        seconds: Time taken, in seconds.
        report: The full report.
    """

    resources: dict[str, int]
    findings: tuple[Finding, ...]
    accepted: tuple[AcceptedFinding, ...]
    costs: tuple[StandingCost, ...]
    seconds: float
    report: Path


def read_summary(folder: Path, *, seconds: float) -> Summary:
    """Read the summary out of a cloud assembly.

    Args:
        folder: The assembly (`cdk.out`).
        seconds: How long the synthesis took.
    """
    templates = dict(_templates(folder))
    findings: list[Finding] = []
    accepted: list[AcceptedFinding] = []
    for plugin in plugin_reports(folder):
        for violation in plugin["violations"]:
            rule = _qualified(plugin["pluginName"], violation["ruleName"])
            severity = violation.get("severity", "error")
            findings += [
                Finding(rule, path, severity, violation["description"]) for path in _constructs(violation)
            ]
        for violation in plugin.get("suppressedViolations", []):
            accepted += [
                AcceptedFinding(violation["acknowledgedId"], path, violation["reason"])
                for path in _constructs(violation)
            ]
    return Summary(
        resources={name: len(template.get("Resources", {})) for name, template in templates.items()},
        findings=tuple(sorted(findings)),
        accepted=tuple(sorted(accepted)),
        costs=standing_costs(templates.values()),
        seconds=seconds,
        report=folder / REPORT,
    )


def plugin_reports(folder: Path) -> list[dict[str, Any]]:
    """Read what each plugin reported; one that found nothing leaves no trace.

    Args:
        folder: The assembly (`cdk.out`).
    """
    report = folder / REPORT
    # Without a plugin that found something, the CDK may write no report at all.
    reports: list[dict[str, Any]] = json.loads(report.read_text())["pluginReports"] if report.exists() else []
    return reports


def print_summary(summary: Summary, out: TextIO) -> None:
    """Print a summary for a person.

    Args:
        summary: What to print.
        out: Where to; colours only where it is a terminal.
    """
    console = terminal(out)
    stacks = Table("Stack", "Resources", box=None, pad_edge=False)
    stacks.columns[1].justify = "right"
    for name, count in summary.resources.items():
        stacks.add_row(name, str(count))
    stacks.add_row("[bold]Total[/bold]", f"[bold]{sum(summary.resources.values())}[/bold]")
    console.print(stacks)
    console.print()
    if summary.costs:
        console.print("Costs while nobody uses it, at list price (us-east-1, USD a month):")
        for cost in summary.costs:
            console.print(f"  {cost.count:>4}  {cost.item:<40} about {cost.monthly:>8,.0f}")
        console.print(f"        {'together':<40} about {sum(c.monthly for c in summary.costs):>8,.0f}")
        console.print(f"  [dim]Prices of {PRICES}; traffic, storage and requests come on top.[/dim]")
        console.print()
    for finding in summary.findings:
        console.print(f"{finding.severity.upper()} {finding.rule}", style="red", markup=False)
        console.print(f"  at {finding.construct}\n  {finding.description}", markup=False)
    if summary.accepted:
        rules = Counter(accepted.rule.split("[")[0] for accepted in summary.accepted)
        console.print(f"{len(summary.accepted)} acknowledged findings, each with its reason in the report:")
        for rule, count in sorted(rules.items()):
            console.print(f"  {count:>4}  {rule}", markup=False)
        console.print()
    count = len(summary.findings)
    verdict = (
        f"[red]{count} finding{'s' if count > 1 else ''}[/red]" if count else "[green]No findings[/green]"
    )
    console.print(f"{verdict} in {summary.seconds:.1f} s. Report: {summary.report}")


def _templates(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every template of an assembly by stack name: stages and nested stacks as well."""
    manifest = json.loads((folder / "manifest.json").read_text())
    for name, artifact in manifest.get("artifacts", {}).items():
        properties = artifact.get("properties", {})
        if artifact["type"] == "aws:cloudformation:stack":
            template = json.loads((folder / properties["templateFile"]).read_text())
            yield properties.get("stackName", name), template
        elif artifact["type"] == "cdk:cloud-assembly":
            yield from _templates(folder / properties["directoryName"])
    for nested in sorted(folder.glob("*.nested.template.json")):
        yield nested.name.removesuffix(".nested.template.json"), json.loads(nested.read_text())


def _qualified(plugin: str, rule: str) -> str:
    # As the CDK wants it acknowledged: a name with spaces is written with hyphens.
    return rule if "::" in rule else f"{plugin.replace(' ', '-')}::{rule}"


def _constructs(violation: dict[str, Any]) -> list[str]:
    found = [
        construct.get("constructPath") or construct.get("resourceLogicalId") or "?"
        for construct in violation.get("violatingConstructs", [])
    ]
    return found or ["?"]
