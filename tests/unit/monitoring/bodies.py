"""What CloudWatch documents of dashboards, and of the metrics that are on ours."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema

from secure_ml_constructs.runtime.open_monitor import report
from secure_ml_constructs.runtime.open_monitor.checks import Check
from secure_ml_constructs.runtime.open_monitor.quality import Measured, Quality
from secure_ml_constructs.runtime.open_monitor.settings import Settings
from secure_ml_constructs.runtime.open_monitor.tally import Column, Tally

WATCH = "SecureMl/ModelWatch"

# Amazon CloudWatch API Reference: "Dashboard Body Structure and Syntax".
_GRID = {
    "x": {"type": "integer", "minimum": 0, "maximum": 23},
    "y": {"type": "integer", "minimum": 0},
    "width": {"type": "integer", "minimum": 1, "maximum": 24},
    "height": {"type": "integer", "minimum": 1, "maximum": 1000},
}
_AXIS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "label": {"type": "string"},
        "min": {"type": "number"},
        "max": {"type": "number"},
        "showUnits": {"type": "boolean"},
    },
}
_METRIC = {
    "type": "object",
    "additionalProperties": False,
    "required": ["metrics", "region"],
    "properties": {
        "metrics": {
            "type": "array",
            "minItems": 1,
            "maxItems": 500,
            "items": {"type": "array", "minItems": 1},
        },
        "period": {"type": "integer", "multipleOf": 60, "minimum": 60},
        "region": {"type": "string", "pattern": "^[a-z]{2}-[a-z-]+-[0-9]$"},
        "stacked": {"type": "boolean"},
        "title": {"type": "string"},
        "view": {"enum": ["timeSeries", "singleValue", "gauge", "bar", "pie", "table"]},
        "yAxis": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"left": _AXIS, "right": _AXIS},
        },
    },
}
_TEXT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["markdown"],
    "properties": {"markdown": {"type": "string"}, "background": {"enum": ["solid", "transparent"]}},
}
_ALARM = {
    "type": "object",
    "additionalProperties": False,
    "required": ["alarms"],
    "properties": {
        "alarms": {
            "type": "array",
            "minItems": 1,
            "maxItems": 100,
            "items": {"type": "string", "pattern": r"^arn:aws[a-z-]*:cloudwatch:[^:]+:\d{12}:"},
        },
        "sortBy": {"enum": ["default", "stateUpdatedTimestamp", "timestamp"]},
        "title": {"type": "string"},
        "states": {"type": "array", "items": {"enum": ["OK", "ALARM", "INSUFFICIENT_DATA"]}},
    },
}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["widgets"],
    "properties": {
        "start": {"type": "string", "pattern": r"^-P(T\d+[HM]|\d+[DWM])$"},
        "periodOverride": {"enum": ["auto", "inherit"]},
        "widgets": {
            "type": "array",
            "maxItems": 500,
            "items": {
                "type": "object",
                "required": ["type", "properties", *_GRID],
                "oneOf": [
                    {"properties": {"type": {"const": kind}, "properties": inner, **_GRID}}
                    for kind, inner in (("metric", _METRIC), ("text", _TEXT), ("alarm", _ALARM))
                ],
            },
        },
    },
}
_OPTIONS = {"id", "label", "stat", "visible", "expression"}
_STAT = re.compile(r"Sum|Average|Maximum|Minimum|SampleCount|p\d+(\.\d+)?")
_SEARCH = re.compile(
    r"SEARCH\('\{(?P<schema>[^}]+)\} MetricName=\((?P<names>[^)]*)\)(?P<terms>[^']*)', '(?P<stat>\w+)'\)"
)

_INVOKED = {
    *("Invocations", "InvocationsPerInstance", "Invocation4XXErrors", "Invocation5XXErrors"),
    *("InvocationModelErrors", "ModelLatency", "OverheadLatency", "ConcurrentRequestsPerModel"),
}
_USED = {
    *("CPUUtilization", "MemoryUtilization", "DiskUtilization", "GPUUtilization", "GPUMemoryUtilization"),
}
# Which metrics AWS documents under which dimensions.
_DOCUMENTED: dict[tuple[str, frozenset[str]], set[str]] = {
    # Amazon SageMaker AI: Metrics for monitoring Amazon SageMaker AI with Amazon CloudWatch.
    ("AWS/SageMaker", frozenset({"EndpointName", "VariantName"})): _INVOKED,
    ("AWS/SageMaker", frozenset({"InferenceComponentName"})): _INVOKED - {"InvocationsPerInstance"},
    ("/aws/sagemaker/Endpoints", frozenset({"EndpointName", "VariantName"})): _USED,
    # Amazon API Gateway: Amazon API Gateway dimensions and metrics.
    ("AWS/ApiGateway", frozenset({"ApiName", "Stage"})): {
        *(
            "4XXError",
            "5XXError",
            "Count",
            "Latency",
            "IntegrationLatency",
            "CacheHitCount",
            "CacheMissCount",
        ),
    },
    # AWS WAF: AWS WAF metrics and dimensions, for a regional web ACL.
    ("AWS/WAFV2", frozenset({"Region", "Rule", "WebACL"})): {
        *("AllowedRequests", "BlockedRequests", "CountedRequests"),
    },
}


def written() -> dict[frozenset[str], set[str]]:
    """The metrics that the job writes, by their dimensions: told by running what writes them."""
    kinds = (
        *("drift", "prediction_drift", "class_share", "positive_rate_difference", "disparate_impact"),
        *("alike_queries", "missing", "above_range", "below_range"),
    )
    checks = [
        Check(metric=kind, subject="age", observed=0.1, expected=0.0, threshold=0.1, change=0.1)
        for kind in kinds
    ]
    measures = {
        name: Quality(value=0.5, error=0.1, low=0.3, high=0.7)
        for name in ("accuracy", "f1", "auc", "mae", "rmse", "r2")
    }
    window = Tally(rows=9, answered=9, unsure=1, predictions={"entropy": Column(rows=9)})
    told = Settings(kind="binary", endpoint="risk", namespace=WATCH)
    found: dict[frozenset[str], set[str]] = {}
    lines = [
        line
        for quality in (False, True)
        for line in report.metrics(
            told,
            report.Run(
                status="completed",
                rows=9,
                checks=checks,
                quality=Measured(measures=measures),
                window=window,
                quality_only=quality,
            ),
        )
    ]
    for line in lines:
        (about,) = json.loads(line)["_aws"]["CloudWatchMetrics"]
        (dimensions,) = about["Dimensions"]
        assert about["Namespace"] == WATCH
        found.setdefault(frozenset(dimensions), set()).update(each["Name"] for each in about["Metrics"])
    return found


def metrics(body: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, str | None]]]:
    """Every metric that is named, also in a search: namespace, name, dimensions (None: any value)."""
    for widget in body["widgets"]:
        for entry in widget["properties"].get("metrics", ()):
            *named, options = entry
            assert isinstance(options, dict), entry
            assert set(options) <= _OPTIONS, entry
            if named:
                namespace, name, *pairs = named
                assert _STAT.fullmatch(options["stat"])
                assert len(pairs) % 2 == 0
                yield namespace, name, dict(zip(pairs[::2], pairs[1::2], strict=True))
            elif "SEARCH" in options["expression"]:
                yield from _found(options["expression"])
            else:
                assert re.fullmatch(r"m\d+ / 1000", options["expression"])


def _found(expression: str) -> Iterator[tuple[str, str, dict[str, str | None]]]:
    # Amazon CloudWatch: CloudWatch search expression syntax, at most 1,024 characters.
    assert len(expression) <= 1024
    searches = list(_SEARCH.finditer(expression))
    assert len(searches) == 1, expression
    (search,) = searches
    rest = expression.replace(search.group(), "S")
    assert rest == "S" or re.fullmatch(r"SORT\(S, MAX, DESC, \d+\)", rest), rest
    namespace, *dimensions = search["schema"].replace('"', "").split(",")
    known = dict(re.findall(r'(?<!NOT )\b(\w+)="([^"]*)"', search["terms"]))
    assert set(known) <= set(dimensions)
    for name in re.findall(r'"([^"]+)"', search["names"]):
        yield namespace, name, {each: known.get(each) for each in dimensions}


def check_body(text: str) -> dict[str, Any]:
    """Hold a dashboard's body to what CloudWatch documents, and give it."""
    body: dict[str, Any] = json.loads(text)
    jsonschema.validate(body, SCHEMA)
    assert len(text.encode()) < 1_000_000
    _check_grid(body["widgets"])
    ours = written()
    for namespace, name, dimensions in metrics(body):
        if namespace == WATCH:
            assert name in ours[frozenset(dimensions)], name
        else:
            assert name in _DOCUMENTED[namespace, frozenset(dimensions)], (namespace, name)
    for widget in body["widgets"]:
        ids = [entry[-1]["id"] for entry in widget["properties"].get("metrics", ())]
        assert len(ids) == len(set(ids))
        assert all(re.fullmatch(r"[a-z]\w*", each) for each in ids)
    # Amazon CloudWatch quotas: metrics on one dashboard.
    assert sum(len(widget["properties"].get("metrics", ())) for widget in body["widgets"]) <= 2_500
    return body


def _check_grid(widgets: list[dict[str, Any]]) -> None:
    taken: set[tuple[int, int]] = set()
    for widget in widgets:
        columns = range(widget["x"], widget["x"] + widget["width"])
        assert columns.stop <= 24
        cells = {(x, y) for x in columns for y in range(widget["y"], widget["y"] + widget["height"])}
        assert not cells & taken, widget["properties"].get("title")
        taken |= cells
