"""The body of a dashboard as CloudWatch takes it: widgets on a grid of 24 columns.

Amazon CloudWatch API Reference: "Dashboard Body Structure and Syntax".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from secure_ml_constructs._cdk import region

__all__ = ["COLUMNS", "Line", "Widget", "alarms", "body", "graph", "heading", "largest", "searched"]

COLUMNS = 24
# An alarm widget shows a hundred at the most.
ALARMS_A_WIDGET = 100
_THIRD = COLUMNS // 3
# Models change from week to week. Periods follow the range that a reader chooses.
_START = "-P7D"


@dataclass(frozen=True, kw_only=True)
class Widget:
    """One widget, not yet placed.

    Attributes:
        kind: `metric`, `text` or `alarm`.
        properties: What it shows.
        width: In columns, 1 to 24.
        height: In rows of the grid.
    """

    kind: str
    properties: Mapping[str, Any]
    width: int = _THIRD
    height: int = 6


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a graph: a metric, or an expression.

    Attributes:
        namespace: The metric's.
        name: Its name.
        dimensions: Which of them.
        stat: The statistic.
        label: What the legend calls it. Default: what CloudWatch does.
        thousandth: Whether to show it divided by 1,000: SageMaker tells microseconds.
        expression: An expression in place of a metric.
    """

    namespace: str = ""
    name: str = ""
    dimensions: Mapping[str, str] = field(default_factory=dict)
    stat: str = "Sum"
    label: str = ""
    thousandth: bool = False
    expression: str = ""

    def rendered(self, number: int) -> list[list[Any]]:
        """Give it as entries of a metric widget.

        Args:
            number: Which line of its graph it is.
        """
        label = {"label": self.label} if self.label else {}
        if self.expression:
            return [[{"expression": self.expression, "id": f"e{number}", **label}]]
        options: dict[str, Any] = {"id": f"m{number}", "stat": self.stat}
        options |= {"visible": False} if self.thousandth else label
        dimensions = [text for pair in self.dimensions.items() for text in pair]
        metric = [self.namespace, self.name, *dimensions, options]
        if not self.thousandth:
            return [metric]
        return [metric, [{"expression": f"m{number} / 1000", "id": f"e{number}", **label}]]


def graph(
    title: str,
    lines: Sequence[Line],
    *,
    view: str = "timeSeries",
    unit: str = "",
    width: int = _THIRD,
    stacked: bool = False,
    signed: bool = False,
) -> Widget:
    """Make a graph, or single values.

    Args:
        title: What it shows.
        lines: Its lines.
        view: `timeSeries`, `singleValue` or `bar`.
        unit: What the axis is labelled with, in place of CloudWatch's units.
        width: In columns.
        stacked: Whether the lines add up.
        signed: Whether values may be below zero.
    """
    metrics = [entry for number, line in enumerate(lines) for entry in line.rendered(number)]
    properties: dict[str, Any] = {
        "metrics": metrics,
        "period": 300,
        "region": region(),
        "stacked": stacked,
        "title": title,
        "view": view,
    }
    if view == "timeSeries":
        left: dict[str, Any] = {} if signed else {"min": 0}
        if unit:
            left |= {"label": unit, "showUnits": False}
        properties["yAxis"] = {"left": left}
    return Widget(kind="metric", properties=properties, width=width)


def searched(
    namespace: str,
    names: Sequence[str],
    dimensions: Mapping[str, str | None],
    stat: str,
    *,
    besides: str = "",
) -> str:
    """Give an expression that finds metrics whose other dimensions are not known yet.

    Args:
        namespace: Theirs.
        names: Their names.
        dimensions: All dimensions that they have, with their value where it is known.
        stat: The statistic.
        besides: Further conditions of the search.
    """
    # Quotation marks are right in any schema, and needed by some. (CloudWatch search expression syntax)
    schema = ",".join((f'"{namespace}"', *dimensions))
    wanted = " OR ".join(f'"{name}"' for name in names)
    known = [f'{name}="{value}"' for name, value in dimensions.items() if value is not None]
    terms = " ".join((f"MetricName=({wanted})", *known, *([besides] if besides else ())))
    return f"SEARCH('{{{schema}}} {terms}', '{stat}')"


def largest(expression: str, most: int) -> str:
    """Give an expression of those lines alone that rise highest.

    Args:
        expression: What gives the lines.
        most: How many.
    """
    return f"SORT({expression}, MAX, DESC, {most})"


def alarms(title: str, arns: Sequence[str]) -> list[Widget]:
    """Make widgets with the states of alarms.

    Args:
        title: Whose they are.
        arns: Their ARNs.
    """
    parts = [arns[start : start + ALARMS_A_WIDGET] for start in range(0, len(arns), ALARMS_A_WIDGET)]
    return [
        Widget(
            kind="alarm",
            properties={"alarms": list(part), "sortBy": "stateUpdatedTimestamp", "title": title},
            width=COLUMNS,
            # Four in a row of the grid.
            height=2 + -(-len(part) // 4),
        )
        for part in parts
    ]


def heading(text: str) -> Widget:
    """Make a line of text over the whole width.

    Args:
        text: In Markdown.
    """
    return Widget(
        kind="text", properties={"background": "transparent", "markdown": text}, width=COLUMNS, height=1
    )


def body(rows: Iterable[Sequence[Widget]]) -> str:
    """Place widgets row by row, and give the body: the same text for the same widgets.

    Args:
        rows: The widgets of each row, from the left; a row that is too wide goes on below.
    """
    placed: list[dict[str, Any]] = []
    top = 0
    for row in rows:
        left = height = 0
        for widget in row:
            if left + widget.width > COLUMNS:
                top, left, height = top + height, 0, 0
            placed.append(
                {
                    "type": widget.kind,
                    "x": left,
                    "y": top,
                    "width": widget.width,
                    "height": widget.height,
                    "properties": dict(widget.properties),
                }
            )
            left, height = left + widget.width, max(height, widget.height)
        top += height
    told = {"periodOverride": "auto", "start": _START, "widgets": placed}
    return json.dumps(told, separators=(",", ":"), sort_keys=True)
