"""Reads the data that a baseline is made of, table by table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import polars as pl

from .captures import ROWS, Batch, row_keys
from .checks import Baseline
from .probing import Buckets, Heaviest
from .quality import Meeting
from .schema import Feature, cleaned, describe, number_feature, numbers
from .settings import Settings, SettingsError
from .tally import Floats, Tally, answers, places

# Rows that the columns are described by; all rows are counted.
SAMPLE = 200_000
READERS = (".csv", ".parquet", ".jsonl")


def tables(path: Path) -> Iterator[pl.DataFrame]:
    """Give a data set as tables of texts.

    Args:
        path: A CSV file with a line of names, a Parquet or a JSON Lines file, or a folder of one kind.

    Raises:
        SettingsError: There is none, or it can't be read.
    """
    found = sorted(each for each in (path.rglob("*") if path.is_dir() else [path]) if each.suffix in READERS)
    if not found or not all(each.exists() for each in found):
        raise SettingsError([f"{path}: no {', '.join(READERS)} file is there"])
    if len({each.suffix for each in found}) > 1:
        raise SettingsError([f"{path}: files of several kinds are there"])
    try:
        if found[0].suffix == ".csv":
            scanned = pl.scan_csv(found, infer_schema=False)
        elif found[0].suffix == ".parquet":
            scanned = pl.scan_parquet(found)
        else:
            scanned = pl.scan_ndjson(found)
        texts = scanned.with_columns(pl.all().cast(pl.String))
        for table in texts.collect_batches(chunk_size=ROWS, maintain_order=True):
            yield table.with_columns(cleaned(table[name]) for name in table.columns)
    except pl.exceptions.PolarsError as error:
        raise SettingsError([f"{path}: {str(error).splitlines()[0]}"]) from error


def sample(parts: Iterator[pl.DataFrame]) -> pl.DataFrame:
    """Give rows taken at random from all, the same each time."""
    die = np.random.default_rng(0)
    kept = None
    for part in parts:
        drawn = part.with_columns(pl.Series("\0", die.random(part.height)))
        kept = drawn if kept is None else pl.concat([kept, drawn])
        if kept.height > 2 * SAMPLE:
            kept = kept.sort("\0").head(SAMPLE)
    if kept is None or not kept.height:
        raise SettingsError(["the baseline's data has no rows"])
    return kept.sort("\0").head(SAMPLE).drop("\0")


def make(settings: Settings, path: Path, scratch: Path) -> Baseline:
    """Make a baseline.

    Args:
        settings: The settings.
        path: The data set, with the columns of the input and the output, and the label if there is one.
        scratch: An empty folder.

    Raises:
        SettingsError: The data set doesn't have what the settings name.
    """
    first = sample(tables(path))
    beside = {*settings.outputs, settings.label}
    names = settings.input.columns or tuple(name for name in first.columns if name not in beside)
    wanted = {
        "$.input.columns": names,
        "$.output": settings.outputs,
        "$.label": (settings.label,) if settings.label else (),
        "$.facets": tuple(facet.column for facet in settings.facets),
        "$.attributions": tuple(settings.attributions),
        "$.categorical": settings.categorical,
    }
    problems = [
        f"{place}: the baseline's data has no column {name}"
        for place, columns in wanted.items()
        for name in columns
        if name not in first.columns
    ]
    if problems:
        raise SettingsError(problems)
    features = [
        describe(name, first[name], name in settings.categorical)
        for name in names
        if name not in settings.ignore
    ]
    shapes = _shapes(settings, first)
    tally, meeting, heaviest = Tally(), Meeting(settings, scratch), Heaviest()
    buckets = Buckets(features)
    for table in tables(path):
        keys = np.array(row_keys(tally.rows, table.height), dtype=np.uint64)
        # Numbers in a row are no digests.
        keys = keys * np.uint64(0x9E3779B97F4A7C15)
        batch = Batch(table.select(names), table.select(settings.outputs), keys, [], [])
        values, said = tally.add(settings, features, shapes, batch)
        heaviest.add(buckets.of(values, table.height))
        if settings.label:
            meeting.said(keys, said.shown if settings.kind == "regression" else said.classes, said.shown)
            meeting.true(keys, truth(settings, table[settings.label]))
    for feature in features:
        column = tally.columns[feature.name]
        if feature.kind == "number" and column.low is not None and column.high is not None:
            feature.low, feature.high = column.low, column.high
            column.below = column.above = 0
    alike = max(heaviest.counts.values()) / tally.rows
    return Baseline(
        kind=settings.kind,
        names=names,
        features=features,
        shapes=shapes,
        tally=tally,
        quality=meeting.close(),
        alike=alike,
    )


def truth(settings: Settings, labels: pl.Series) -> Floats:
    """Give labels as numbers: of classes, their places."""
    return numbers(labels) if settings.kind == "regression" else places(settings, labels)


def load(path: Path, settings: Settings) -> Baseline:
    """Read a baseline.

    Raises:
        SettingsError: There is none, or it doesn't fit the settings.
    """
    try:
        baseline = msgspec.json.decode(path.read_bytes(), type=Baseline)
    except OSError as error:
        raise SettingsError([f"no baseline: {path}: {error.strerror}"]) from error
    except msgspec.DecodeError as error:
        raise SettingsError([f"no baseline: {path}: {error}"]) from error
    problems = []
    if baseline.kind != settings.kind:
        problems.append(f"$.kind: the baseline is of a {baseline.kind} model")
    if settings.input.columns and set(baseline.names) != set(settings.input.columns):
        problems.append("$.input.columns: the baseline has others")
    for facet in settings.facets:
        if facet.name not in baseline.tally.facets:
            problems.append(f"$.facets: the baseline has not counted {facet.name}")
    for name in settings.attributions:
        if name not in baseline.tally.attributions:
            problems.append(f"$.attributions: the baseline has none of {name}")
    if settings.kind != "regression" and len(baseline.tally.classes) != len(settings.classes):
        problems.append("$.classes: the baseline has others")
    if bool(settings.probabilities) != ("entropy" in baseline.shapes) and settings.kind != "regression":
        problems.append("$.probabilities: the baseline is otherwise")
    if problems:
        raise SettingsError([f"schema mismatch: {problem}" for problem in problems])
    return baseline


def _shapes(settings: Settings, first: pl.DataFrame) -> dict[str, Feature]:
    said = answers(settings, first.select(settings.outputs))
    names = ("shown",) if settings.kind == "regression" else ("shown", "confidence", "entropy")
    if settings.kind != "regression" and not settings.probabilities:
        return {}
    return {name: number_feature(name, getattr(said, name)) for name in names}
