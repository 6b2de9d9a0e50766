"""Findings as a table, as SARIF and as JUnit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO
from urllib.parse import quote

from secure_ml_constructs.verification.rules import Acknowledged, Finding, Rule, pack

_LEVELS = {"fatal": "error", "error": "error", "warning": "warning"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]], out: TextIO) -> None:
    # Wide terminals get one line a finding; what is piped is never cut.
    rows = [list(row) for row in rows]
    widths = [max(len(row[i]) for row in [list(headings), *rows]) for i in range(len(headings) - 1)]
    for row in [list(headings), *rows]:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        out.write("  ".join([*cells, row[-1]]).rstrip() + "\n")


def table(
    findings: Sequence[Finding],
    acknowledged: Sequence[Acknowledged],
    summary: Mapping[str, int],
    out: TextIO,
) -> None:
    """Write findings for a person: by template, what is wrong and what to write."""
    template = None
    for finding in findings:
        if finding.template != template:
            out.write(f"{'' if template is None else chr(10)}{finding.template}\n")
            template = finding.template
        place = f":{finding.line}" if finding.line else ""
        kind = "unresolved" if finding.outcome == "unresolved" else str(finding.severity)
        out.write(f"  {finding.logical_id}{place}  {kind}  {finding.rule} ({finding.control})\n")
        out.write(f"    {finding.message}\n    {finding.fix}\n")
    for each in acknowledged:
        until = f", until {each.by.until}" if each.by.until else ""
        owner = f", {each.by.owner}" if each.by.owner else ""
        found = each.finding
        out.write(f"acknowledged  {found.template} {found.logical_id} {found.rule}{owner}{until}: ")
        out.write(f"{each.by.reason}\n")
    if findings or acknowledged:
        out.write("\n")
    out.write(", ".join(f"{count} {name}" for name, count in summary.items()) + "\n")


def rules_table(rules: Sequence[Rule], out: TextIO) -> None:
    """Write the pack for a person."""
    rows = (
        (
            rule.id,
            f"{rule.severity}{' (off)' if rule.off else ''}",
            rule.control,
            rule.resource_type,
            " ".join(rule.standards),
            rule.title,
        )
        for rule in rules
    )
    _table(("rule", "severity", "control", "type", "standards", "title"), rows, out)


def sarif(findings: Sequence[Finding], acknowledged: Sequence[Acknowledged]) -> dict[str, Any]:
    """Give findings as SARIF 2.1.0, with the rules that they name."""
    used = {finding.rule for finding in findings} | {each.finding.rule for each in acknowledged}
    rules = [rule for rule in pack() if rule.id in used]
    indexes = {rule.id: index for index, rule in enumerate(rules)}
    results = [_result(finding, indexes) for finding in findings]
    for each in acknowledged:
        suppression = {"kind": "external", "status": "accepted", "justification": each.by.reason}
        results.append({**_result(each.finding, indexes), "suppressions": [suppression]})
    driver = {
        "name": "secure-ml",
        "rules": [
            {
                "id": rule.id,
                "shortDescription": {"text": rule.title},
                "fullDescription": {"text": rule.why},
                "help": {"text": rule.fix},
                "defaultConfiguration": {"level": _LEVELS[rule.severity]},
                "properties": {"tags": ["security", rule.control, *rule.threats, *rule.standards]},
            }
            for rule in rules
        ],
    }
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def _result(finding: Finding, indexes: Mapping[str, int]) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(finding.template)}}
    if finding.line:
        physical["region"] = {"startLine": finding.line}
    name = f"{finding.logical_id}.{finding.path}" if finding.path else finding.logical_id
    return {
        "ruleId": finding.rule,
        "ruleIndex": indexes[finding.rule],
        "level": _LEVELS[finding.severity],
        "kind": "review" if finding.outcome == "unresolved" else "fail",
        "message": {"text": f"{finding.message} {finding.fix}"},
        "locations": [
            {
                "physicalLocation": physical,
                "logicalLocations": [{"fullyQualifiedName": name, "kind": "resource"}],
            }
        ],
    }


def junit(findings: Sequence[Finding], summary: Mapping[str, int]) -> str:
    """Give findings as JUnit XML: a suite for each template, a failed case for each finding."""
    from xml.etree import ElementTree as Tree

    root = Tree.Element("testsuites", name="secure-ml", tests=str(max(len(findings), 1)))
    root.set("failures", str(len(findings)))
    suites: dict[str, Any] = {}
    for finding in findings:
        suite = suites.get(finding.template)
        if suite is None:
            suite = suites[finding.template] = Tree.SubElement(root, "testsuite", name=finding.template)
        case = Tree.SubElement(suite, "testcase", classname=finding.logical_id, name=finding.rule)
        if finding.line:
            case.set("line", str(finding.line))
        failure = Tree.SubElement(case, "failure", type=str(finding.severity), message=finding.message)
        failure.text = finding.fix
    for name, suite in suites.items():
        count = sum(finding.template == name for finding in findings)
        suite.set("tests", str(count))
        suite.set("failures", str(count))
    if not findings:
        suite = Tree.SubElement(root, "testsuite", name="secure-ml", tests="1", failures="0")
        title = f"{summary['resources']} resources of {summary['files']} files"
        Tree.SubElement(suite, "testcase", classname="secure-ml", name=title)
    Tree.indent(root)
    return Tree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"
