"""Captures in every documented form, and in none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure_ml_constructs.runtime.open_monitor import captures
from secure_ml_constructs.runtime.open_monitor.captures import Damage, Reader, Window
from secure_ml_constructs.runtime.open_monitor.settings import Settings
from tests.unit.runtime.open_monitor import worlds
from tests.unit.runtime.open_monitor.worlds import capture, payload

NAMES = ("age", "ward")


def reader(window: Window | None = None, **settings: Any) -> Reader:
    """A reader of ages and wards, and a score."""
    told = {"kind": "binary", "probabilities": ["score"], "output": {"columns": ["score"]}, **settings}
    return Reader(msgspec.convert(told, Settings), NAMES, NAMES, window)


def read(tmp_path: Path, lines: list[Any], found: Reader) -> list[tuple[Any, ...]]:
    """The rows of captures: age, ward, score."""
    path = worlds.write(tmp_path / "captures.jsonl", lines)
    batches = list(found.read([path]))
    return [
        (*row, *answer)
        for batch in batches
        for row, answer in zip(batch.inputs.rows(), batch.outputs.rows(), strict=True)
    ]


def one(request: dict[str, str], answer: dict[str, str] | None = None, **metadata: Any) -> list[Any]:
    """One line."""
    return [capture(request, answer or payload("0.5", mode="OUTPUT"), "e", **metadata)]


TWO = payload("0.5\n0.25", mode="OUTPUT")
ROWS = [("61", "3a", "0.5"), ("62", None, "0.25")]
RECORDS = [{"age": 61, "ward": "3a"}, {"age": 62, "ward": None}]


@pytest.mark.parametrize(
    ("request_", "settings"),
    [
        (payload("61,3a\n62,"), {}),
        (payload("61,3a\r\n62,\r\n"), {}),
        (payload('61,"3a"\n62,'), {}),
        (payload("61,3a\n62,", encoding="BASE64"), {}),
        (payload("age,ward\n61,3a\n62,"), {"input": {"header": True}}),
        (payload('ward,age\n"3a",61\n,62'), {"input": {"header": True}}),
        (payload(json.dumps(RECORDS), "application/json", "JSON"), {}),
        (payload(json.dumps(RECORDS), "application/json", "BASE64"), {}),
        (payload(json.dumps([[61, "3a"], [62, None]]), "application/json", "JSON"), {}),
        (
            payload(json.dumps({"a": {"instances": RECORDS}}), "application/json", "JSON"),
            {"input": {"records": "a.instances"}},
        ),
        (
            payload(json.dumps({"i": [{"features": [61, "3a"]}, {"features": [62, ""]}]}), encoding="JSON"),
            {"input": {"records": "i", "values": "features"}},
        ),
        (payload("\n".join(map(json.dumps, RECORDS)), "application/jsonlines", "JSON"), {}),
        (payload("\n".join(map(json.dumps, RECORDS)), "application/x-ndjson", "BASE64"), {}),
    ],
)
def test_encodings(tmp_path: Path, request_: dict[str, str], settings: dict[str, Any]) -> None:
    found = reader(**settings)
    assert read(tmp_path, one(request_, TWO), found) == ROWS
    assert not found.damage.corrupt
    assert not found.damage.width


@pytest.mark.parametrize(
    ("answer", "output"),
    [
        ('{"predictions": [{"score": 0.5}, {"score": 0.25}]}', {"records": "predictions"}),
        ('{"predictions": [0.5, 0.25]}', {"records": "predictions"}),
        ("[0.5, 0.25]", {}),
        ("[[0.5], [0.25]]", {}),
        ('[{"a": {"score": 0.5}}, {"a": {"score": 0.25}}]', {"values": "a"}),
    ],
)
def test_answers(tmp_path: Path, answer: str, output: dict[str, Any]) -> None:
    said = payload(answer, "application/json", "JSON", "OUTPUT")
    found = reader(output={"columns": ["score"], **output})
    assert read(tmp_path, one(payload("61,3a\n62,"), said), found) == ROWS


def test_one_value_of_many_is_a_record_and_dots_are_a_path(tmp_path: Path) -> None:
    said = payload("[0.5, 0.1]", "application/json", "JSON", "OUTPUT")
    found = reader(output={"columns": ["score", "why"]})
    assert read(tmp_path, one(payload("61,3a"), said), found) == [("61", "3a", "0.5")]
    said = payload('{"p": {"score": [0.5, 0.1]}}', "application/json", "JSON", "OUTPUT")
    found = reader(probabilities=["p.score.1"], output={"columns": ["p.score.1"]})
    assert read(tmp_path, one(payload("61,3a"), said), found) == [("61", "3a", "0.1")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "no JSON"),
        ("[]", "Expected `object`, got `array`"),
        ({}, "missing required field `captureData`"),
        (one({**payload("1,2"), "encoding": "AVRO"}), "encoding is none of"),
        (one({**payload("%%%"), "encoding": "BASE64"}), "BASE64 that holds no text"),
        (one({**payload("/w=="), "encoding": "BASE64"}), "BASE64 that holds no text"),
        (one(payload("{", "application/json", "JSON")), "payload is no JSON"),
        (one(payload("")), "no records"),
        (one(payload("1,2\n3,4")), "different numbers of records"),
        (json.dumps(one(payload("1,2"))[0]).replace('"1,2"', "5"), "Expected `str`, got `int`"),
    ],
)
def test_what_cannot_be_read_is_counted(tmp_path: Path, line: Any, reason: str) -> None:
    found = reader()
    good = one(payload("61,3a"))
    assert (
        read(tmp_path, [*good, *(line if isinstance(line, list) else [line]), *good], found)
        == [("61", "3a", "0.5")] * 2
    )
    [told] = found.damage.corrupt
    assert reason in told or told == "no JSON"
    assert found.damage.examples == [f"captures.jsonl:2: {told}"]
    assert found.damage.lines == 3


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    found = reader(input={"records": "instances"})
    assert read(tmp_path, one(payload("{}", "application/json", "JSON")), found) == []
    assert found.damage.corrupt == {"no instances in the payload": 1}


def test_a_line_that_never_ends_is_left_after_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(captures, "LONGEST_LINE", 1000)
    found = reader()
    good = one(payload("61,3a"))[0]
    assert len(read(tmp_path, [good, "x" * 5000, good], found)) == 2
    assert found.damage.corrupt == {"longer than any capture": 1}


def test_tables_are_of_bounded_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = worlds.write(tmp_path / "captures.jsonl", one(payload("61,3a")) * 25)
    monkeypatch.setattr(captures, "ROWS", 10)
    assert [batch.inputs.height for batch in reader().read([path])] == [10, 10, 5]
    monkeypatch.setattr(captures, "BYTES", 1)
    assert len(list(reader().read([path]))) == 25


def test_columns_by_name(tmp_path: Path) -> None:
    found = reader()
    lines = one(payload('{"age": 1, "weight": 2}', "application/json", "JSON"))
    assert read(tmp_path, lines * 3, found) == [("1", None, "0.5")] * 3
    assert (found.damage.absent, found.damage.extra) == ({"ward": 3}, {"weight": 3})
    many = {f"name{number}": 1 for number in range(500)}
    read(tmp_path, one(payload(json.dumps({**many, "age": 1, "ward": 2}), encoding="JSON")), found)
    assert len(found.damage.extra) == 101


def test_widths_are_counted_and_bounded(tmp_path: Path) -> None:
    found = reader()
    lines = [line for width in range(3, 60) for line in one(payload(",".join("1" * width)))]
    assert read(tmp_path, lines, found) == []
    assert sum(found.damage.width.values()) == 57
    assert found.damage.width["request of 3 values, not 2"] == 1
    assert len(found.damage.width) == captures.EXAMPLES + 1


@pytest.mark.parametrize(
    ("attributes", "key", "caller"),
    [
        (None, "", ""),
        ("ward-3", "", "ward-3"),
        (["a=1", "client=w"], "client", "w"),
        ("a=1,client=w", "client", "w"),
        ("a=1", "client", ""),
    ],
)
def test_callers(tmp_path: Path, attributes: Any, key: str, caller: str) -> None:
    path = worlds.write(tmp_path / "c.jsonl", one(payload("61,3a"), customAttributes=attributes))
    [batch] = reader(caller=key).read([path])
    assert batch.callers == [caller]


def test_a_window_is_of_captured_times(tmp_path: Path) -> None:
    found = reader(Window("2026-03-02T10:00:00", "2026-03-02T11:00:00"))
    times = ["2026-03-02T09:59:59Z", "2026-03-02T10:00:00Z", "2026-03-02T10:59:59.9Z", "2026-03-02T11:00:00Z"]
    lines = [line for time in times for line in one(payload("61,3a"), inferenceTime=time)]
    assert len(read(tmp_path, lines, found)) == 2
    assert found.damage.outside == 2


def test_labels_come_with_captures_or_after_them(tmp_path: Path) -> None:
    lines = one(payload("61,3a\n62,"), TWO, inferenceId="mine")
    lines[0]["groundTruthData"] = {"data": "1\n0", "encoding": "CSV"}
    path = worlds.write(tmp_path / "c.jsonl", lines)
    [batch] = reader().read([path])
    assert batch.labels == ["1", "0"]
    told = []
    for data, encoding in (("1\n0", "CSV"), ("MQow", "BASE64"), ("[1, 0]", "JSON"), ("1", "JSON")):
        truth = {"groundTruthData": {"data": data, "encoding": encoding}}
        told.append({**truth, "eventMetadata": {"eventId": "mine"}, "eventVersion": "0"})
    damage = Damage()
    bad = [{**told[0], "groundTruthData": {"data": "%", "encoding": "BASE64"}}, "{", ""]
    path = worlds.write(tmp_path / "l.jsonl", [*told, *bad])
    [(keys, labels)] = captures.truths([path], damage)
    assert labels == ["1", "0", "1", "0", "1", "0", "1"]
    assert keys[:2] == batch.ids.tolist() == keys[2:4]
    assert (damage.lines, sum(damage.corrupt.values())) == (6, 2)
    lines[0]["groundTruthData"]["data"] = "1"
    found = reader()
    assert read(tmp_path, lines, found) == []
    assert found.damage.corrupt == {"labels and records have different numbers": 1}


def test_labels_come_some_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captures, "ROWS", 10)
    path = worlds.write(tmp_path / "l.jsonl", worlds.labels(np.ones(25)))
    assert [len(keys) for keys, _ in captures.truths([path], Damage())] == [10, 10, 5]


def test_files_are_those_of_captures_in_order(tmp_path: Path) -> None:
    for name in ("2026/03/02/11/b.jsonl", "2026/03/02/10/a.jsonl", "_SUCCESS"):
        worlds.write(tmp_path / name, [])
    assert [path.name for path in captures.files(tmp_path)] == ["a.jsonl", "b.jsonl"]


plain = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.floats(allow_nan=False, allow_infinity=False)
)


@given(rows=st.lists(st.tuples(plain, plain), min_size=1, max_size=5))
def test_whatever_is_sent_a_row_stays_a_row(tmp_path_factory: pytest.TempPathFactory, rows: Any) -> None:
    folder = tmp_path_factory.mktemp("rows")
    answer = payload("\n".join("1" for _ in rows), mode="OUTPUT")
    for kind, data in (("JSON", json.dumps(rows)), ("CSV", "\n".join(map(worlds.text, rows)))):
        found = reader()
        lines = one(payload(data, f"text/{kind}", kind), answer)
        path = worlds.write(folder / "c.jsonl", lines)
        for batch in found.read([path]):
            assert batch.inputs.height == batch.outputs.height == len(batch.ids) == len(batch.callers)
            assert isinstance(batch.inputs, pl.DataFrame)
        if kind == "JSON":
            assert not found.damage.corrupt
