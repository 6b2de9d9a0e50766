"""Reads what SageMaker's data capture wrote, line by line, and gives tables of texts.

Amazon SageMaker AI, "Capture data from real-time endpoint" and "Ingest Ground Truth labels and merge them
with predictions": a line is a JSON object with `captureData`, `eventMetadata` and `eventVersion`; a payload
is CSV, JSON or BASE64 and holds one record or several; labels carry the inference id, or else the event's.
"""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from .settings import Layout, Settings

# Of one table; and the longest line, above what an endpoint takes and answers.
ROWS, BYTES, LONGEST_LINE = 50_000, 32 << 20, 64 << 20
NOTHING = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"]
# How many examples of one thing a report has.
EXAMPLES = 20


class Payload(msgspec.Struct):
    """A request, an answer or a label."""

    data: str
    encoding: str
    observedContentType: str = ""  # noqa: N815 as SageMaker calls it


class _Captured(msgspec.Struct):
    endpointInput: Payload  # noqa: N815
    endpointOutput: Payload  # noqa: N815


class _Metadata(msgspec.Struct):
    eventId: str = ""  # noqa: N815
    inferenceId: str | None = None  # noqa: N815
    inferenceTime: str = ""  # noqa: N815
    customAttributes: str | list[str] | None = None  # noqa: N815

    @property
    def key(self) -> str:
        return self.inferenceId or self.eventId


class _Capture(msgspec.Struct):
    captureData: _Captured  # noqa: N815
    eventMetadata: _Metadata = msgspec.field(default_factory=_Metadata)  # noqa: N815
    groundTruthData: Payload | None = None  # noqa: N815


class _Truth(msgspec.Struct):
    groundTruthData: Payload  # noqa: N815
    eventMetadata: _Metadata  # noqa: N815


class Batch(msgspec.Struct):
    """Rows of captures: all that was said of them, as texts; null where there was nothing."""

    inputs: pl.DataFrame
    outputs: pl.DataFrame
    ids: NDArray[np.uint64]
    callers: list[str]
    labels: list[str | None]


class UnreadableError(ValueError):
    """A line or payload can't be read."""


class Damage(msgspec.Struct):
    """What could not be read, by reason. Examples name a place and never what is written there."""

    lines: int = 0
    corrupt: Counter[str] = msgspec.field(default_factory=Counter)
    width: Counter[str] = msgspec.field(default_factory=Counter)
    examples: list[str] = msgspec.field(default_factory=list)
    outside: int = 0
    extra: Counter[str] = msgspec.field(default_factory=Counter)
    absent: Counter[str] = msgspec.field(default_factory=Counter)

    def note(self, path: Path, number: int, reason: str) -> None:
        """Count a line that can't be read."""
        self.corrupt[reason] += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(f"{path.name}:{number}: {reason}")

    def names(self, row: dict[str, Any], expected: tuple[str, ...]) -> None:
        """Count the names that a row has too many and too few."""
        if len(row) == len(expected) and all(name in row for name in expected):
            return
        self.absent.update(name for name in expected if name not in row)
        # Names come from callers, who could send a new one each time.
        unknown = [name for name in row if name not in expected]
        self.extra.update(name if name in self.extra or len(self.extra) < 100 else "…" for name in unknown)


class Window(msgspec.Struct, frozen=True):
    """From when (inclusive) until when (exclusive), as UTC texts of seconds; empty is open."""

    since: str = ""
    until: str = ""

    def has(self, time: str) -> bool:
        """Whether a captured time lies within."""
        return self.since <= time[:19] and (not self.until or time[:19] < self.until)


def key_of(name: str) -> int:
    """Give a number for an id that no other id has, as far as 64 bits go."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")


def row_keys(first: int, count: int) -> list[int]:
    """Give the keys of the rows of one request, of which `first` is the first."""
    return [(first + row * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF for row in range(count)]


def files(folder: Path) -> list[Path]:
    """Give the capture files below a folder, in the order of their names, which hold the hour."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix in (".jsonl", ".json"))


class Reader:
    """Reads captures in tables of bounded size."""

    def __init__(
        self,
        settings: Settings,
        names: tuple[str, ...],
        columns: tuple[str, ...],
        window: Window | None = None,
    ) -> None:
        """Prepare.

        Args:
            settings: What the payloads look like.
            names: Names of a request's values, in order.
            columns: Those that are wanted.
            window: Which captures count; all without it.
        """
        self.damage = Damage()
        self._settings = settings
        self._window = window or Window()
        self._input = _Side("request", settings.input, names, columns, self.damage)
        said = settings.outputs
        self._output = _Side("answer", settings.output, settings.output.columns or said, said, self.damage)
        self._decoder = msgspec.json.Decoder(_Capture)
        self._reset()

    def _reset(self) -> None:
        self._keys: list[int] = []
        self._callers: list[str] = []
        self._labels: list[str | None] = []
        self._size = 0

    def read(self, paths: list[Path]) -> Iterator[Batch]:
        """Give the captures of files, table by table."""
        for path in paths:
            with path.open("rb") as file:
                for number, line in enumerate(_lines(file), 1):
                    if not line or line.isspace():
                        continue
                    self.damage.lines += 1
                    try:
                        self._line(line)
                    except (UnreadableError, msgspec.DecodeError) as error:
                        self.damage.note(path, number, _reason(error))
                    if len(self._keys) >= ROWS or self._size >= BYTES:
                        yield self._batch()
        if self._keys:
            yield self._batch()

    def _batch(self) -> Batch:
        keys = np.array(self._keys, dtype=np.uint64)
        batch = Batch(self._input.table(), self._output.table(), keys, self._callers, self._labels)
        self._reset()
        return batch

    def _line(self, line: bytes) -> None:
        if len(line) > LONGEST_LINE:
            raise UnreadableError("longer than any capture")
        capture = self._decoder.decode(line)
        if not self._window.has(capture.eventMetadata.inferenceTime):
            self.damage.outside += 1
            return
        given, said = (
            self._input.parse(capture.captureData.endpointInput),
            self._output.parse(capture.captureData.endpointOutput),
        )
        if len(given) != len(said):
            raise UnreadableError("request and answer have different numbers of records")
        labels: list[str | None] = [None] * len(given)
        if capture.groundTruthData is not None:
            labels = list(_labels(capture.groundTruthData, len(given)))
        keys = row_keys(key_of(capture.eventMetadata.key), len(given))
        caller = self._caller(capture.eventMetadata.customAttributes)
        for request, answer, key, label in zip(given, said, keys, labels, strict=True):
            if not (self._input.fits(request) and self._output.fits(answer)):
                continue
            self._input.add(request)
            self._output.add(answer)
            self._keys.append(key)
            self._callers.append(caller)
            self._labels.append(label)
        self._size += len(line)

    def _caller(self, attributes: str | list[str] | None) -> str:
        if not attributes:
            return ""
        text = attributes if isinstance(attributes, str) else ";".join(attributes)
        if not self._settings.caller:
            return text[:256]
        for pair in text.replace(",", ";").split(";"):
            name, _, value = pair.partition("=")
            if name.strip() == self._settings.caller:
                return value.strip()[:256]
        return ""


class _Side:
    """Requests or answers: rows as texts of CSV lines, so that one parser reads a whole table."""

    def __init__(
        self, name: str, layout: Layout, names: tuple[str, ...], columns: tuple[str, ...], damage: Damage
    ) -> None:
        self.name, self.layout, self.damage = name, layout, damage
        self.names, self.columns = names, columns
        self._lines: list[str] = []

    def parse(self, payload: Payload) -> list[Any]:
        text = payload.data
        if payload.encoding == "BASE64":
            try:
                text = base64.b64decode(text, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                raise UnreadableError("BASE64 that holds no text") from None
        elif payload.encoding not in ("CSV", "JSON"):
            raise UnreadableError("encoding is none of CSV, JSON and BASE64")
        kind = payload.observedContentType.lower()
        if "jsonlines" in kind or "x-ndjson" in kind:
            return [self._values(_json(line)) for line in text.splitlines() if line.strip()]
        if payload.encoding == "JSON" or "json" in kind:
            return self._records(_json(text))
        return self._csv(text)

    def _csv(self, text: str) -> list[Any]:
        text = text.strip("\r\n")
        if not text:
            raise UnreadableError("no records")
        rows: list[Any]
        if '"' in text:
            rows = list(csv.reader(io.StringIO(text)))
        else:
            rows = [line.removesuffix("\r") for line in text.split("\n")]
        if self.layout.header:
            first = rows.pop(0)
            names = first if isinstance(first, list) else first.split(",")
            split = (row if isinstance(row, list) else row.split(",") for row in rows)
            return [dict(zip(names, row, strict=True)) if len(row) == len(names) else row for row in split]
        return rows

    def _records(self, payload: Any) -> list[Any]:
        found = _at(payload, self.layout.records)
        if not isinstance(found, list):
            found = [found]
        elif found and not self.layout.records and not isinstance(found[0], list | dict):
            # A list of plain values: of one record's, or of one value for each record.
            found = [[each] for each in found] if len(self.names) == 1 else [found]
        return [self._values(record) for record in found]

    def _values(self, record: Any) -> Any:
        values = _at(record, self.layout.values)
        if isinstance(values, dict):
            # A name with dots is a path.
            return {**values, **{name: _at(values, name) for name in self.columns if "." in name}}
        return values if isinstance(values, list) else [values]

    def fits(self, row: Any) -> bool:
        if isinstance(row, dict):
            return True
        width = len(row) if isinstance(row, list) else row.count(",") + 1
        if width != len(self.names):
            told = f"{self.name} of {width} values, not {len(self.names)}"
            widths = self.damage.width
            widths[told if told in widths or len(widths) < EXAMPLES else f"{self.name} of other widths"] += 1
            return False
        return True

    def add(self, row: Any) -> None:
        if isinstance(row, str):
            self._lines.append(row or '""')
            return
        if isinstance(row, dict):
            if self.name == "request":
                self.damage.names(row, self.names)
            row = [row.get(name) for name in self.names]
        # A line of nothing would be skipped.
        self._lines.append(",".join(map(_cell, row)) or '""')

    def table(self) -> pl.DataFrame:
        text = "\n".join(self._lines).encode()
        self._lines = []
        table = pl.read_csv(
            text + b"\n",
            has_header=False,
            schema=dict.fromkeys(self.names, pl.String),
            null_values=NOTHING,
        )
        return table.select(self.columns)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if "," in text or '"' in text or "\n" in text or "\r" in text:
        return '"' + text.replace('"', '""').replace("\r", " ").replace("\n", " ") + '"'
    return text


def _at(value: Any, path: str) -> Any:
    for name in path.split(".") if path else ():
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            raise UnreadableError(f"no {path} in the payload")
    return value


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise UnreadableError("payload is no JSON") from None


def _labels(payload: Payload, count: int) -> list[str]:
    text = payload.data
    if payload.encoding == "BASE64":
        try:
            text = base64.b64decode(text, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise UnreadableError("BASE64 that holds no text") from None
    if payload.encoding == "JSON":
        value = _json(text)
        found = [_cell(each) for each in (value if isinstance(value, list) else [value])]
    else:
        found = [line.strip().strip('"') for line in text.strip("\r\n").splitlines()]
    if count and len(found) != count:
        raise UnreadableError("labels and records have different numbers")
    return found


def truths(paths: list[Path], damage: Damage) -> Iterator[tuple[list[int], list[str]]]:
    """Give labels with the keys of their rows, some at a time."""
    decoder = msgspec.json.Decoder(_Truth)
    keys: list[int] = []
    labels: list[str] = []
    for path in paths:
        with path.open("rb") as file:
            for number, line in enumerate(_lines(file), 1):
                if not line or line.isspace():
                    continue
                damage.lines += 1
                try:
                    truth = decoder.decode(line)
                    found = _labels(truth.groundTruthData, 0)
                except (UnreadableError, msgspec.DecodeError) as error:
                    damage.note(path, number, _reason(error))
                    continue
                keys += row_keys(key_of(truth.eventMetadata.key), len(found))
                labels += found
                if len(keys) >= ROWS:
                    yield keys, labels
                    keys, labels = [], []
    if keys:
        yield keys, labels


def _lines(file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline(LONGEST_LINE + 1):
        yield line
        while len(line) > LONGEST_LINE and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE + 1)


def _reason(error: Exception) -> str:
    # msgspec says where in the line, and quotes the names of fields only.
    text = str(error)
    return text if isinstance(error, UnreadableError) or "at `$" in text or "missing" in text else "no JSON"
