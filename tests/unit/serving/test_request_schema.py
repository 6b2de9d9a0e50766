"""The schema of requests: what it holds them to, run as draft 4, and what of it would not be held."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from secure_ml_constructs.errors import ConfigurationError, Problems
from secure_ml_constructs.serving.front_door import Payloads
from secure_ml_constructs.serving.request_schema import check_schema, model_schema
from tests.unit.serving.front_doors import SCHEMA

VALID: dict[str, Any] = {
    "age": 71,
    "sex": "female",
    "weight": 64.5,
    "ward": "ICU12",
    "results": [{"code": "CRP", "value": 41.2}, {"code": "LEUCO", "value": 11}],
    "flags": [True, False],
}


def problems_of(schema: object) -> list[str]:
    found = Problems()
    check_schema(found, "json", schema)
    return [problem.argument for problem in found]


# -- requests -----------------------------------------------------------------------------------------------


def changed(change: Callable[[dict[str, Any]], Any]) -> Any:
    made = copy.deepcopy(VALID)
    whole = change(made)
    return made if whole is None else whole


def put(name: str, value: Any) -> Any:
    return changed(lambda made: made.update({name: value}))


def drop(name: str) -> Any:
    return changed(lambda made: made.pop(name) and None)


def puts(name: str, *values: Any) -> list[Any]:
    return [put(name, value) for value in values]


def result(**change: Any) -> Any:
    return put("results", [{"code": "CRP", "value": 1, **change}])


_NO_NUMBERS: list[Any] = ["1", None, True, [1], {}]
INVALID: list[Any] = [
    *([], "text", 1, None, True, [VALID], {}),
    *(drop("age"), drop("sex"), drop("results")),
    *puts("age", -1, 121, 1.5, "71", None, True, [71], {}, 1e9),
    *puts("sex", "Female", "", 1, None, True, ["female"], {"is": "female"}),
    *puts("weight", 0, 501, "64", True, [], {}, -1),
    *puts("ward", "icu12", "ICU", "12", "ICU1234", "", "ICU12\n ", 1, None, " ICU12"),
    *puts("results", [], {}, None, "CRP", 1, [None], [[]], ["CRP"], [{}]),
    put("results", [{"code": "CRP", "value": 1}] * 51),
    *(result(code=value) for value in ("", "CR", "C" * 11, 1, None, ["CRP"])),
    *[result(value=each) for each in _NO_NUMBERS],
    put("results", [{"code": "CRP"}]),
    put("results", [{"value": 1}]),
    *puts("flags", [True, True], ["yes"], [0], True, {}, None),
    put("one", 1),
]


@pytest.fixture(scope="module")
def validator() -> Draft4Validator:
    schema = model_schema(SCHEMA)
    Draft4Validator.check_schema(schema)
    return Draft4Validator(schema)


@pytest.mark.parametrize(
    "request_",
    [
        VALID,
        {"age": 0, "sex": "other", "results": [{"code": "CRP", "value": -1}]},
        {**VALID, "weight": None},
        put("results", [{"code": "CRP", "value": 1, "unit": "mg/l"}] * 50),
        put("flags", []),
    ],
    ids=json.dumps,
)
def test_valid_requests_reach_the_model(validator: Draft4Validator, request_: Any) -> None:
    assert list(validator.iter_errors(request_)) == []


def test_there_are_enough_invalid_requests() -> None:
    assert len({json.dumps(each) for each in INVALID}) >= 50


@pytest.mark.parametrize("request_", INVALID, ids=lambda each: json.dumps(each)[:50])
def test_invalid_requests_do_not(validator: Draft4Validator, request_: Any) -> None:
    assert list(validator.iter_errors(request_))


# -- the schema itself ---------------------------------------------------------------------------------------


def test_the_schema_of_the_tests_is_taken() -> None:
    assert problems_of(SCHEMA) == []
    assert model_schema(SCHEMA)["$schema"] == "http://json-schema.org/draft-04/schema#"


OBJECT = {"type": "object"}


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({**OBJECT, "additionalProperties": False}, "json#/additionalProperties"),
        ({**OBJECT, "anyOf": [OBJECT]}, "json#/anyOf"),
        ({**OBJECT, "oneOf": [OBJECT]}, "json#/oneOf"),
        ({**OBJECT, "discriminator": "kind"}, "json#/discriminator"),
        ({**OBJECT, "example": {}}, "json#/example"),
        ({**OBJECT, "readOnly": True}, "json#/readOnly"),
        (
            {**OBJECT, "properties": {"a/b": {"type": "number", "minimum": 0, "exclusiveMinimum": True}}},
            "json#/properties/a~1b/exclusiveMinimum",
        ),
        (
            {**OBJECT, "properties": {"a": {"type": "number", "maximum": 0, "exclusiveMaximum": True}}},
            "json#/properties/a/exclusiveMaximum",
        ),
        (
            {"type": "array", "items": {"type": "integer", "format": "int32"}},
            "json#/items/format",
        ),
        ({"type": "array", "items": [OBJECT, {"type": "string", "format": "date"}]}, "json#/items/1/format"),
        ({**OBJECT, "const": 1}, "json#/const"),
        ({**OBJECT, "if": OBJECT}, "json#/if"),
        ({**OBJECT, "$id": "x"}, "json#/$id"),
        ({**OBJECT, "$defs": {}}, "json#/$defs"),
        ({**OBJECT, "id": "x"}, "json#/id"),
        ({**OBJECT, "contains": OBJECT}, "json#/contains"),
        ({**OBJECT, "propertyNames": OBJECT}, "json#/propertyNames"),
        ({**OBJECT, "requires": ["a"]}, "json#/requires"),
        ({**OBJECT, "$schema": "https://json-schema.org/draft/2020-12/schema"}, "json#/$schema"),
        ({**OBJECT, "not": {"oneOf": [OBJECT]}}, "json#/not/oneOf"),
        ({**OBJECT, "allOf": [OBJECT, {"anyOf": [OBJECT]}]}, "json#/allOf/1/anyOf"),
        ({**OBJECT, "dependencies": {"a": {"oneOf": []}}}, "json#/dependencies/a/oneOf"),
        ({**OBJECT, "dependencies": {"a": []}}, "json#/dependencies/a"),
        ({**OBJECT, "dependencies": []}, "json#/dependencies"),
        ({**OBJECT, "patternProperties": {"(": OBJECT}}, "json#/patternProperties/("),
        ({"type": "array", "additionalItems": {"anyOf": []}}, "json#/additionalItems/anyOf"),
        ({"properties": {}}, "json#"),
        ({}, "json#"),
        ({"type": "text"}, "json#/type"),
        ({"type": []}, "json#/type"),
        ({"type": ["object", "object"]}, "json#/type"),
        ({**OBJECT, "required": []}, "json#/required"),
        ({**OBJECT, "required": ["a", "a"]}, "json#/required"),
        ({**OBJECT, "required": True}, "json#/required"),
        ({**OBJECT, "properties": []}, "json#/properties"),
        ({**OBJECT, "properties": {"a": True}}, "json#/properties/a"),
        ({**OBJECT, "minProperties": -1}, "json#/minProperties"),
        ({"type": "string", "minLength": 1.5}, "json#/minLength"),
        ({"type": "string", "maxLength": True}, "json#/maxLength"),
        ({"type": "string", "pattern": "("}, "json#/pattern"),
        ({"type": "string", "enum": []}, "json#/enum"),
        ({"type": "string", "enum": ["a", "a"]}, "json#/enum"),
        ({"type": "number", "multipleOf": 0}, "json#/multipleOf"),
        ({"type": "number", "minimum": "0"}, "json#/minimum"),
        ({"type": "array", "uniqueItems": 1}, "json#/uniqueItems"),
        ({"type": "array", "items": []}, "json#/items"),
        ({**OBJECT, "allOf": []}, "json#/allOf"),
        ({**OBJECT, "title": 1}, "json#/title"),
        ({**OBJECT, "description": "ends here */"}, "json#/description"),
        ({**OBJECT, "properties": {"a": {"$ref": "#/definitions/b"}}}, "json#/properties/a/$ref"),
        ({**OBJECT, "properties": {"a": {"$ref": "https://example.com/s"}}}, "json#/properties/a/$ref"),
        (
            {
                **OBJECT,
                "definitions": {"b": OBJECT},
                "properties": {"a": {"$ref": "#/definitions/b", "maxProperties": 1}},
            },
            "json#/properties/a/$ref",
        ),
        (
            {**OBJECT, "definitions": {"b": {"type": "array", "items": {"$ref": "#/definitions/b"}}}},
            "json#/definitions/b",
        ),
        ("{}", "json"),
        ({"type": {1, 2}}, "json"),
        ({"type": "number", "minimum": float("nan")}, "json"),
        ({**OBJECT, "description": "x" * 500_000}, "json"),
    ],
    ids=lambda each: each if isinstance(each, str) else None,
)
def test_what_would_not_be_held_is_refused_with_its_path(schema: Any, path: str) -> None:
    assert problems_of(schema) == [path]


def test_two_definitions_that_lead_to_each_other_are_both_named() -> None:
    schema = {
        **OBJECT,
        "definitions": {
            "a": {**OBJECT, "properties": {"b": {"$ref": "#/definitions/b"}}},
            "b": {**OBJECT, "properties": {"a": {"$ref": "#/definitions/a"}}},
            "c": {"type": "array", "items": {"$ref": "#/definitions/a"}},
        },
    }
    assert problems_of(schema) == ["json#/definitions/a", "json#/definitions/b"]


def test_all_problems_are_told_at_once_with_what_to_write() -> None:
    with pytest.raises(ConfigurationError) as error:
        Payloads(json={**OBJECT, "oneOf": [], "properties": {"a": {"format": "date"}}}, binary=("png",))
    assert [each.argument for each in error.value.problems] == [
        "json#/oneOf",
        "json#/properties/a/format",
        "binary[0]",
    ]
    assert all(each.reason and each.fix for each in error.value.problems)


_WORDS = st.sampled_from(
    ["type", "properties", "items", "required", "enum", "anyOf", "minimum", "pattern", "$ref", "not", "allOf"]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["object", "a", "(", "#/definitions/a"]),
    lambda deeper: st.lists(deeper, max_size=3) | st.dictionaries(_WORDS, deeper, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(_WORDS, _VALUES, max_size=4))
def test_what_is_taken_is_a_schema_of_draft_4(schema: dict[str, Any]) -> None:
    if problems_of(schema) == []:
        Draft4Validator.check_schema(model_schema(schema))
