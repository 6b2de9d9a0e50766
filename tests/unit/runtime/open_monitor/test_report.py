"""What a run leaves for people."""

from __future__ import annotations

import json
from html.parser import HTMLParser

from secure_ml_constructs.runtime.open_monitor import report
from secure_ml_constructs.runtime.open_monitor.checks import Baseline, Check
from secure_ml_constructs.runtime.open_monitor.quality import Measured
from secure_ml_constructs.runtime.open_monitor.report import Run
from secure_ml_constructs.runtime.open_monitor.schema import Feature
from secure_ml_constructs.runtime.open_monitor.settings import Settings
from secure_ml_constructs.runtime.open_monitor.tally import Column, Group, Tally

EVIL = "<script>alert(1)</script>"


class Tags(HTMLParser):
    """The elements of a page that are open, and all that there were."""

    def __init__(self, page: str) -> None:
        """Read it."""
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Open one."""
        self.seen.add(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the last."""
        assert self.open.pop() == tag


def run() -> tuple[Baseline, Run]:
    """A run in which every name is a script."""
    number, category = Column(rows=10, counts=[4, 6]), Column(rows=10, counts=[10, 0, 0])
    unseen = Column(rows=10, missing=10)
    features = [
        Feature(name=EVIL, kind="number", edges=[1.0]),
        Feature(name="ward", kind="category", categories=["a", "b"]),
        Feature(name="remark", kind="text"),
        Feature(name="empty", kind="number", edges=[0.0]),
    ]
    columns = {EVIL: number, "ward": category, "remark": Column(rows=10), "empty": unseen}
    tally = Tally(rows=10, columns=columns, facets={EVIL: Group(group=5, rest=5, rest_positive=2)})
    baseline = Baseline(
        kind="binary", names=(EVIL,), features=features, shapes={}, tally=tally, quality=Measured(), alike=0.0
    )
    check = Check(
        metric="drift", subject=EVIL, observed=1, expected=0, threshold=0.1, change=1, violated=True
    )
    found = Run(status="failed", reason=EVIL, window=tally, rows=10, checks=[check], skipped=[EVIL])
    found.damage.corrupt[EVIL] = 1
    found.damage.examples.append(EVIL)
    found.labels_damage.corrupt[EVIL] = 1
    return baseline, found


def test_whatever_callers_write_is_text() -> None:
    baseline, found = run()
    page = report.page(Settings(kind="binary", endpoint=EVIL), baseline, found)
    tags = Tags(page)
    assert (tags.open, "script" in tags.seen) == ([], False)
    assert "default-src 'none'" in page
    assert page.count("&lt;script&gt;") >= 7


def test_a_drawing_is_of_shares() -> None:
    drawn = report.bars(Column(counts=[1, 3]), Column(counts=[20, 0]))
    assert drawn.count("<rect") == 4
    assert 'height="40.0"' in drawn
    assert 'height="0.0"' in drawn
    assert report.bars(Column(counts=list(range(128))), Column(counts=[0] * 128)).count("<rect") == 32


def test_lines_of_metrics_are_no_longer_than_cloudwatch_reads() -> None:
    lines = report._lines(Settings(kind="binary"), {"Endpoint": "e"}, {f"m{n}": n for n in range(250)})
    counts = [len(json.loads(line)["_aws"]["CloudWatchMetrics"][0]["Metrics"]) for line in lines]
    assert counts == [100, 100, 50]


def test_callers_are_no_dimension() -> None:
    _, found = run()
    check = Check(
        metric="alike_queries", subject="copyist", observed=150, expected=1, threshold=100, change=150
    )
    found.checks.append(check)
    lines = report.metrics(Settings(kind="binary"), found)
    assert not any("copyist" in line for line in lines)
    assert json.loads(lines[0])["AlikeQueries"] == 150
