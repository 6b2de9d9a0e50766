"""The three commands."""

from __future__ import annotations

import argparse
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import polars as pl

from .captures import Damage, Reader, Window, files, truths
from .checks import Baseline, compare, compare_quality
from .probing import Probing
from .quality import Measured, Meeting
from .report import Run, tell, write
from .settings import Settings, SettingsError, parse, read
from .tables import load, make, truth
from .tally import Tally

# Where SageMaker Processing puts inputs, and takes outputs from.
ROOT = Path("/opt/ml/processing")


def make_baseline(settings: Settings, data: Path, folder: Path) -> Baseline:
    """Make `baseline.json` of a data set.

    Raises:
        SettingsError: The data set doesn't have what the settings name.
    """
    with tempfile.TemporaryDirectory() as scratch:
        baseline = make(settings, data, Path(scratch))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "baseline.json").write_bytes(msgspec.json.encode(baseline))
    return baseline


def watch(
    settings: Settings,
    baseline: Baseline,
    captures: Path,
    labels: Path | None,
    window: Window,
    quality_only: bool = False,
) -> Run:
    """Compare captures with a baseline.

    Args:
        settings: The settings.
        baseline: What is expected.
        captures: The folder of captures.
        labels: The folder of labels, if there are any.
        window: Which captures count.
        quality_only: Only whether they were right: the rest was told before the truth was known.
    """
    reader = Reader(settings, baseline.names, tuple(each.name for each in baseline.features), window)
    tally, probing, told = Tally(), Probing(baseline.features), Damage()
    with tempfile.TemporaryDirectory() as scratch:
        meeting = Meeting(settings, Path(scratch))
        for batch in reader.read(files(captures)):
            values, said = tally.add(settings, baseline.features, baseline.shapes, batch)
            probing.add(values, batch.callers)
            shown = said.shown if settings.kind == "regression" else said.classes
            has = np.array([label is not None for label in batch.labels])
            if labels is not None or has.any():
                meeting.said(batch.ids, shown, said.shown)
            if has.any():
                given = pl.Series(batch.labels, dtype=pl.String)
                meeting.true(batch.ids[has], truth(settings, given)[has])
        if labels is not None:
            for keys, texts in truths(files(labels), told):
                read_labels = truth(settings, pl.Series(texts, dtype=pl.String))
                meeting.true(np.array(keys, dtype=np.uint64), read_labels)
        measured = meeting.close()
    run = Run(
        status="completed",
        since=window.since,
        until=window.until,
        rows=tally.rows,
        damage=reader.damage,
        labels_damage=told,
        quality=measured,
        window=tally,
        quality_only=quality_only,
    )
    if not tally.rows:
        run.status, run.reason = "failed", _worthless(reader.damage, captures)
        return run
    if quality_only and not measured.matched:
        run.status, run.reason = "failed", f"no label met a prediction, of {measured.labels} labels"
        return run
    if quality_only:
        run.checks, run.skipped = compare_quality(settings, baseline, measured)
        run.status = "completed_with_violations" if run.violations else "completed"
        return run
    run.checks, run.skipped = compare(settings, baseline, tally, reader.damage, measured, probing)
    if probing.missed:
        run.notes.append(f"counts of alike queries are too low by up to {probing.missed}")
    if run.violations:
        run.status = "completed_with_violations"
    return run


def _worthless(damage: Damage, captures: Path) -> str:
    if damage.width:
        return f"schema mismatch: every row is a {', a '.join(damage.width)}"
    if damage.corrupt:
        return f"no capture can be read: {', '.join(damage.corrupt)}"
    if damage.outside:
        return f"no capture in the window, {damage.outside} outside it"
    return f"no capture in {captures}"


def _window(until: str, hours: float) -> Window:
    if not until:
        return Window()
    try:
        end = datetime.fromisoformat(until.replace("Z", "+00:00")).astimezone(UTC)
    except ValueError:
        raise SettingsError([f"--until: {until!r} is no time, write 2026-01-31T12:00:00Z"]) from None
    begin = end - timedelta(hours=hours)
    return Window(begin.strftime("%Y-%m-%dT%H:%M:%S"), end.strftime("%Y-%m-%dT%H:%M:%S"))


def main(arguments: list[str] | None = None) -> int:
    """Run a command.

    Returns:
        0 for a run that could judge, whatever it found; 1 for one that could not, and its report says why.
    """
    parser = argparse.ArgumentParser(prog="open_monitor", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("baseline", "monitor", "measure"):
        command = commands.add_parser(name)
        command.add_argument("--config", type=Path, default=ROOT / "input/config/config.json")
        command.add_argument(
            "--settings",
            nargs=argparse.REMAINDER,
            help="the settings themselves, in place of a file: what is left, joined",
        )
        command.add_argument("--output", type=Path, default=ROOT / "output")
        if name == "baseline":
            command.add_argument("--data", type=Path, default=ROOT / "input/data")
        else:
            command.add_argument("--baseline", type=Path, default=ROOT / "input/baseline/baseline.json")
            command.add_argument("--captures", type=Path, default=ROOT / "input/captures")
            command.add_argument("--labels", type=Path, default=ROOT / "input/labels")
            command.add_argument("--until", default="", help="end of the window, as 2026-01-31T12:00:00Z")
            command.add_argument("--hours", type=float, default=24.0, help="length of the window")
    told = parser.parse_args(arguments)
    settings = baseline = None
    try:
        # A processing job takes arguments of 256 characters, and its record keeps them: what it judged by.
        settings = parse("".join(told.settings), "--settings") if told.settings else read(told.config)
        if told.command == "baseline":
            baseline = make_baseline(settings, told.data, told.output)
            run = Run(status="completed", rows=baseline.tally.rows, quality=baseline.quality)
            run.window = baseline.tally
        else:
            baseline = load(told.baseline, settings)
            window = _window(told.until, told.hours)
            labels = told.labels if told.labels.exists() else None
            run = watch(settings, baseline, told.captures, labels, window, told.command == "measure")
    except SettingsError as error:
        reason, only = "; ".join(error.problems), told.command == "measure"
        run = Run(status="failed", reason=reason, quality_only=only, quality=Measured())
    write(told.output, settings, baseline, run)
    # That a baseline was made is not that somebody looked, and what it holds is nobody's traffic.
    if told.command != "baseline" or run.status == "failed":
        tell(settings, run)
    return int(run.status == "failed")
