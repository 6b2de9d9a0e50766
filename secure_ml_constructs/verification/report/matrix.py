"""The matrix: adversaries across, assets down, one glyph a cell."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from rich.console import Console
from rich.text import Text

from secure_ml_constructs.verification.proofs.questions import Adversary, Answer, Verdict, summarize

_GLYPHS = {
    Verdict.PROVED: ("✓", "+", "green"),
    Verdict.BY_DESIGN: ("◆", "d", "cyan"),
    Verdict.NEEDS_GUARDRAIL: ("▲", "g", "yellow"),
    Verdict.NOT_COVERED: ("?", "?", "magenta"),
    Verdict.BROKEN: ("✗", "X", "bold red"),
}
_TITLES = {
    Adversary.OUTSIDER: "outsider",
    Adversary.STOLEN: "stolen",
    Adversary.INSIDER: "insider",
    Adversary.JOB: "job",
    Adversary.DEPUTY: "deputy",
}
# More assets of a kind than this, all alike, share a row.
_MANY = 6
_WORDS = {
    Verdict.PROVED: "proved denied",
    Verdict.BY_DESIGN: "allowed by design",
    Verdict.NEEDS_GUARDRAIL: "needs an organization guardrail",
    Verdict.NOT_COVERED: "not covered",
    Verdict.BROKEN: "broken",
}


def console(out: TextIO) -> Console:
    """A console on a stream; colours only where it is a terminal, or the CDK CLI's own output is one."""
    # Below the CDK CLI the output is a pipe, and the CLI says by FORCE_COLOR whether its own is a terminal.
    # Its '0' means no; rich would take any value for yes.
    terminal = os.environ.get("FORCE_COLOR", "0") != "0" or out.isatty()
    return Console(file=out, highlight=False, force_terminal=terminal, soft_wrap=True)


def print_matrix(answers: Sequence[Answer], out: TextIO) -> None:
    """Print the matrix, what its signs mean, and each cell that somebody has to see to.

    Args:
        answers: The answers.
        out: Where to. Where it takes no more than ASCII, letters stand in for the signs.
    """
    screen = console(out)
    plain = _is_ascii(out)
    rows = list(_rows(answers))
    width = max((len(name) for _, name, _ in rows), default=0) + 2
    screen.print(" " * (width + 2) + " ".join(title.center(9) for title in _TITLES.values()).rstrip())
    shown = None
    for kind, name, verdicts in rows:
        if kind != shown:
            screen.print(kind, style="bold")
            shown = kind
        line = Text(f"  {name.ljust(width)}")
        for verdict in verdicts:
            *signs, style = _GLYPHS[verdict] if verdict else (" ", " ", "")
            line.append(signs[plain].center(10), style=style)
        line.rstrip()
        screen.print(line)
    counted = summarize(answers)
    legend = (
        f"[{_GLYPHS[verdict][2]}]{_GLYPHS[verdict][plain]}[/] {_WORDS[verdict]} ({counted[verdict]})"
        for verdict in reversed(Verdict)
        if counted[verdict]
    )
    screen.print("\n" + "   ".join(legend))
    for verdict in (Verdict.BROKEN, Verdict.NOT_COVERED, Verdict.NEEDS_GUARDRAIL, Verdict.BY_DESIGN):
        _print_cells(screen, [answer for answer in answers if answer.verdict is verdict], verdict)


def _print_cells(screen: Console, answers: Sequence[Answer], verdict: Verdict) -> None:
    if not answers:
        return
    screen.print(f"\n{_WORDS[verdict].capitalize()}:", style=_GLYPHS[verdict][2])
    by_reason: dict[str, list[Answer]] = {}
    for answer in answers:
        by_reason.setdefault(answer.because, []).append(answer)
    for reason, alike in by_reason.items():
        names = ", ".join(answer.question for answer in alike[:3])
        more = f" and {len(alike) - 3} more" if len(alike) > 3 else ""
        controls = ", ".join(sorted({answer.control for answer in alike}))
        screen.print(f"  {names}{more}\n    {reason} ({controls})", markup=False)
        if verdict is Verdict.BROKEN:
            for line in counterexample(alike[0]):
                screen.print(f"    {line}", markup=False)


def counterexample(answer: Answer) -> Iterable[str]:
    """A counter-example in lines that a person reads."""
    for step in answer.steps:
        request = step.request
        yield f"{request.principal.name or 'anybody'} calls {request.action} on {request.resource}"
        shown = {key: value for key, value in request.context.items() if key not in _OBVIOUS}
        if request.resource_account not in (request.principal.account, None):
            shown["aws:resourceaccount"] = str(request.resource_account)
        if shown:
            yield "  with " + ", ".join(f"{key}={value}" for key, value in sorted(shown.items()))
    if answer.path:
        yield " → ".join(answer.path)


# What follows from who calls, and says nothing new.
_OBVIOUS = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalisawsservice",
        "aws:principalservicename",
        "aws:principaltype",
        "aws:resourceaccount",
        "kms:calleraccount",
        "s3:resourceaccount",
    }
)


def _rows(answers: Sequence[Answer]) -> Iterator[tuple[str, str, tuple[Verdict | None, ...]]]:
    """Kind, name and verdicts of each row; of many alike, one row for all."""
    cells: dict[tuple[str, str], dict[Adversary, Verdict]] = {}
    for answer in answers:
        row = cells.setdefault((answer.kind, answer.asset), {})
        worst = min(answer.verdict, row.get(answer.adversary, answer.verdict), key=lambda each: each.gravity)
        row[answer.adversary] = worst
    alike: dict[tuple[str, tuple[Verdict | None, ...]], list[str]] = {}
    for (kind, asset), row in cells.items():
        alike.setdefault((kind, tuple(row.get(adversary) for adversary in Adversary)), []).append(asset)
    kinds = dict.fromkeys(kind for kind, _ in cells)
    for kind in kinds:
        for (of, verdicts), names in alike.items():
            if of != kind:
                continue
            if len(names) > _MANY:
                yield kind, f"{names[0]} and {len(names) - 1} more", verdicts
            else:
                yield from ((kind, name, verdicts) for name in names)


def _is_ascii(out: TextIO) -> bool:
    try:
        "✓◆▲✗".encode(getattr(out, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return True
    return False
