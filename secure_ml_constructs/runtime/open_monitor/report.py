"""What a run leaves: a report for machines, one for people, and metrics."""

from __future__ import annotations

import html
import json
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from .captures import EXAMPLES, Damage
from .checks import Baseline, Check
from .quality import Measured
from .settings import Settings
from .tally import Column, Group, Tally

# CloudWatch reads no more metrics from a line.
_PER_LINE = 100
BARS = 16
# What has a metric for each column, class and facet, as each metric has its price. Of the rest, the furthest.
SINGLY = {"drift", "prediction_drift", "class_share", "positive_rate_difference", "disparate_impact"}


class Run(msgspec.Struct, kw_only=True):
    """A run's outcome.

    Attributes:
        status: `failed` where nothing can be said.
        reason: Why it failed.
        since: The window's begin.
        until: Its end.
        rows: Judged rows.
        damage: What could not be read of captures.
        labels_damage: What could not be read of labels.
        checks: Every comparison.
        skipped: What could not be judged, and why.
        quality: What labels told.
        window: The counters.
        notes: What a reader should know besides.
        quality_only: Nothing but quality was judged.
    """

    status: str
    reason: str = ""
    since: str = ""
    until: str = ""
    rows: int = 0
    damage: Damage = msgspec.field(default_factory=Damage)
    labels_damage: Damage = msgspec.field(default_factory=Damage)
    checks: list[Check] = []
    skipped: list[str] = []
    quality: Measured = msgspec.field(default_factory=Measured)
    window: Tally = msgspec.field(default_factory=Tally)
    notes: list[str] = []
    quality_only: bool = False

    @property
    def violations(self) -> list[Check]:
        """The violations, the gravest first."""
        rank = {"high": 0, "medium": 1, "low": 2}
        found = [check for check in self.checks if check.violated]
        return sorted(
            found, key=lambda check: (rank[check.severity], -check.excess, check.metric, check.subject)
        )


def write(folder: Path, settings: Settings | None, baseline: Baseline | None, run: Run) -> None:
    """Write `report.json`, `violations.json` and `report.html`."""
    folder.mkdir(parents=True, exist_ok=True)
    told: dict[str, Any] = msgspec.to_builtins(run)
    told["violations"] = msgspec.to_builtins(run.violations)
    told["facets"] = {name: _facet(group) for name, group in run.window.facets.items()}
    (folder / "report.json").write_text(_json(told))
    (folder / "violations.json").write_text(_json({"violations": told["violations"]}))
    (folder / "report.html").write_text(page(settings, baseline, run))


def tell(settings: Settings | None, run: Run) -> None:
    """Print metrics."""
    for line in metrics(settings or Settings(kind="binary"), run):
        print(line, flush=True)


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n"


def _facet(group: Group) -> dict[str, Any]:
    return {"rates": group.rates, "difference": group.difference, "impact": group.impact}


def metrics(settings: Settings, run: Run) -> list[str]:
    """Give lines in CloudWatch's embedded metric format.

    With the dimension Endpoint alone: what alarms watch. With Subject too: each column's and class's checks.
    """
    found = run.violations
    whole: dict[str, float] = {
        "Failed": int(run.status == "failed"),
        "QualityCompleted" if run.quality_only else "Completed": int(run.status != "failed"),
        "Rows": run.rows,
        "CorruptLines": sum(run.damage.corrupt.values()) + sum(run.labels_damage.corrupt.values()),
        "WrongWidthRows": sum(run.damage.width.values()),
        "Violations": len(found),
        **{
            f"{severity.title()}Violations": sum(check.severity == severity for check in found)
            for severity in ("high", "medium", "low")
        },
    }
    each: dict[str, dict[str, float]] = {}
    for check in run.checks:
        # The furthest of all subjects, so that one alarm suffices.
        name = "Largest" + _title(check.metric)
        whole[name] = max(whole.get(name, 0.0), check.excess)
        if check.metric == "alike_queries":
            # A caller's name is no dimension: each would be a new metric.
            whole["AlikeQueries"] = max(whole.get("AlikeQueries", 0.0), check.observed)
        elif check.metric in SINGLY:
            each.setdefault(check.subject, {})[_title(check.metric)] = check.observed
    if run.window.answered and not run.quality_only:
        whole["LowConfidenceShare"] = run.window.unsure / run.window.answered
        whole["MeanEntropy"] = run.window.predictions["entropy"].mean
    for name, quality in run.quality.measures.items():
        whole[_title(name)] = quality.value
    lines = _lines(settings, {"Endpoint": settings.endpoint}, whole)
    for subject, values in each.items():
        lines += _lines(settings, {"Endpoint": settings.endpoint, "Subject": subject[:250] or "-"}, values)
    return lines


def _title(name: str) -> str:
    return "".join(part.title() for part in name.split("_"))


def _lines(settings: Settings, dimensions: dict[str, str], values: dict[str, float]) -> list[str]:
    now, names, lines = int(time.time() * 1000), sorted(values), []
    for start in range(0, len(names), _PER_LINE):
        part = names[start : start + _PER_LINE]
        about = {
            "Namespace": settings.namespace,
            "Dimensions": [list(dimensions)],
            "Metrics": [{"Name": name} for name in part],
        }
        told = {"_aws": {"Timestamp": now, "CloudWatchMetrics": [about]}, **dimensions}
        lines.append(json.dumps({**told, **{name: values[name] for name in part}}, allow_nan=False))
    return lines


_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1b1f24}
table{border-collapse:collapse;width:100%;margin:.5rem 0 2rem}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #d8dee4;vertical-align:top}
td.n{text-align:right;font-variant-numeric:tabular-nums}
.high{background:#ffe2e0}.medium{background:#fff3cd}.low{background:#eef2f6}
.was{fill:#9aa7b4}.now{fill:#0b62a8}.key{font-size:13px}
"""


def page(settings: Settings | None, baseline: Baseline | None, run: Run) -> str:
    """Give the report for people: one page without a script, that loads nothing.

    Every name in it may be of a caller's choice, and is text.
    """
    title = f"Monitoring of {settings.endpoint if settings else 'an endpoint'}"
    window = f"{run.since or 'the beginning'} to {run.until or 'the end'}"
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{html.escape(title)}</h1>",
        f"<p>{html.escape(run.status.replace('_', ' '))}: {run.rows} rows of {run.damage.lines} lines, "
        f"{html.escape(window)}; {len(run.violations)} violations.</p>",
    ]
    if run.reason:
        parts.append(f'<p class="high"><strong>{html.escape(run.reason)}</strong></p>')
    parts.append(_checks("Violations", run.violations))
    damage = [
        *((reason, count) for reason, count in run.damage.corrupt.most_common(EXAMPLES)),
        *((f"labels: {reason}", count) for reason, count in run.labels_damage.corrupt.most_common(EXAMPLES)),
        *run.damage.width.most_common(EXAMPLES),
    ]
    if damage:
        rows = [[reason, str(count)] for reason, count in damage]
        parts.append(_table("What could not be read", ["reason", "lines or rows"], rows))
        parts.append(_table("Where", ["first places"], [[each] for each in run.damage.examples]))
    if run.skipped or run.notes:
        parts.append(_table("Not judged, and notes", [""], [[each] for each in (*run.skipped, *run.notes)]))
    if run.quality.measures:
        rows = [
            [name, _number(one.value), f"{_number(one.low)} to {_number(one.high)}"]
            for name, one in sorted(run.quality.measures.items())
        ]
        parts.append(_table("Quality", ["measure", "value", "95 % bounds"], rows))
    if run.window.facets:
        rows = [
            [name, *map(_number, (*group.rates, group.difference, group.impact or 0.0))]
            for name, group in run.window.facets.items()
        ]
        names = ["facet", "its positive rate", "the rest's", "difference", "ratio"]
        parts.append(_table("Facets", names, rows))
    if baseline is not None and run.window.rows:
        parts.append(_features(baseline, run.window))
    parts.append(_checks("All checks", [check for check in run.checks if not check.violated]))
    parts.append("</body></html>\n")
    return "".join(parts)


def _number(value: float) -> str:
    return f"{value:.4g}"


def _table(title: str, names: list[str], rows: list[list[str]], classes: list[str] | None = None) -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    body = "".join(
        f'<tr class="{classes[number] if classes else ""}">'
        + "".join(
            f"<td{' class=n' if place else ''}>{html.escape(text)}</td>" for place, text in enumerate(row)
        )
        + "</tr>"
        for number, row in enumerate(rows)
    )
    return f"<h2>{html.escape(title)}</h2><table><tr>{head}</tr>{body}</table>"


def _checks(title: str, checks: list[Check]) -> str:
    if not checks:
        return f"<h2>{title}</h2><p>None.</p>"
    names = ["metric", "of", "observed", "expected", "allowed", "probability", "severity"]
    rows = [
        [
            check.metric.replace("_", " "),
            check.subject,
            _number(check.observed),
            _number(check.expected),
            _number(check.threshold),
            "-" if check.probability is None else f"{check.probability:.2g}",
            check.severity if check.violated else "",
        ]
        for check in checks
    ]
    return _table(title, names, rows, [check.severity if check.violated else "" for check in checks])


def _features(baseline: Baseline, window: Tally) -> str:
    rows = []
    for feature in baseline.features:
        was, now = baseline.tally.columns[feature.name], window.columns[feature.name]
        if feature.kind == "text" or not now.present:
            continue
        means = f"{_number(was.mean)} → {_number(now.mean)}" if feature.kind == "number" else ""
        missing = f"{was.missing / max(was.rows, 1):.2%} → {now.missing / max(now.rows, 1):.2%}"
        cells = "".join(
            f"<td>{html.escape(text)}</td>" for text in (feature.name, feature.kind, means, missing)
        )
        rows.append(f"<tr>{cells}<td>{bars(was, now)}</td></tr>")
    head = "<tr><th>column</th><th>kind</th><th>mean</th><th>missing</th><th>distribution</th></tr>"
    key = (
        '<p class="key">Grey: baseline. Blue: this window. Pairs of bars are equal steps of the baseline.</p>'
    )
    return f"<h2>Columns</h2>{key}<table>{head}{''.join(rows)}</table>"


def bars(was: Column, now: Column) -> str:
    """Draw two distributions side by side."""
    count = min(BARS, len(was.counts))
    ends = np.linspace(0, len(was.counts), count + 1).astype(int)[:-1]
    sides = [np.add.reduceat(np.array(each.counts, dtype=np.float64), ends) for each in (was, now)]
    shares = [side / max(side.sum(), 1.0) for side in sides]
    top = max(float(side.max()) for side in shares) or 1.0
    drawn = []
    for number in range(count):
        for place, (name, side) in enumerate(zip(("was", "now"), shares, strict=True)):
            tall = 40 * float(side[number]) / top
            where = number * 14 + place * 6
            drawn.append(
                f'<rect class="{name}" x="{where}" y="{40 - tall:.1f}" width="6" height="{tall:.1f}"/>'
            )
    wide = count * 14
    return f'<svg width="{wide}" height="40" viewBox="0 0 {wide} 40" role="img">{"".join(drawn)}</svg>'
