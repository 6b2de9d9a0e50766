"""Models of real data, and what their endpoints capture."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class World:
    """A model, and the population that its requests come from: rows of a public data set."""

    names: tuple[str, ...]
    rows: Floats
    truth: Floats
    model: Any
    settings: dict[str, Any]
    more: dict[str, Any] = field(default_factory=dict)

    def draw(self, count: int, seed: int) -> tuple[Floats, Floats]:
        """Requests and their truth, drawn with replacement: the population stays the same."""
        chosen = np.random.default_rng(seed).integers(0, len(self.rows), count)
        return self.rows[chosen].copy(), self.truth[chosen]

    def score(self, rows: Floats) -> Floats:
        """The probability of the positive class, or the number."""
        known = np.nan_to_num(rows)
        if self.settings["kind"] == "regression":
            return np.asarray(self.model.predict(known), dtype=np.float64)
        return np.asarray(self.model.predict_proba(known)[:, 1], dtype=np.float64)

    def attributed(self, rows: Floats) -> Floats:
        """The exact attributions of a linear model: weight times distance from the mean."""
        linear = self.model[-1]
        scaled = self.model[0].transform(np.nan_to_num(rows))
        return np.asarray(scaled * np.ravel(linear.coef_), dtype=np.float64)

    def table(self, rows: Floats, truth: Floats) -> pl.DataFrame:
        """A data set for a baseline."""
        columns: dict[str, Any] = {name: rows[:, place] for place, name in enumerate(self.names)}
        columns["score"] = self.score(rows)
        columns["outcome"] = truth if self.settings["kind"] == "regression" else truth.astype(int)
        return pl.DataFrame(columns)


@cache
def cancer() -> World:
    """Whether a tumour is benign: 30 measures, 569 patients."""
    data = load_breast_cancer()
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, C=0.1))
    model.fit(data.data[::2], data.target[::2])
    settings = {"kind": "binary", "probabilities": ["score"], "label": "outcome"}
    return _world(data, data.target, model, {**settings, "output": {"columns": ["score"]}})


@cache
def progression() -> World:
    """How far diabetes goes in a year: 10 measures, 442 patients."""
    data = load_diabetes(scaled=False)
    model = make_pipeline(StandardScaler(), LinearRegression()).fit(data.data[::2], data.target[::2])
    settings = {"kind": "regression", "prediction": "score", "label": "outcome", "threshold": 150.0}
    return _world(data, data.target, model, {**settings, "output": {"columns": ["score"]}})


@cache
def severe() -> World:
    """Whether diabetes goes further than in most: a facet, sex, is in the data."""
    data = load_diabetes(scaled=False)
    truth = (data.target > 140).astype(float)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(data.data[::2], truth[::2])
    settings = {"kind": "binary", "probabilities": ["score"], "label": "outcome"}
    facets = [{"column": "sex", "above": 1.5}]
    return _world(data, truth, model, {**settings, "facets": facets, "output": {"columns": ["score"]}})


def _world(data: Any, truth: Any, model: Any, settings: dict[str, Any]) -> World:
    names = tuple(str(name).replace(" ", "_") for name in data.feature_names)
    return World(names=names, rows=data.data, truth=truth.astype(float), model=model, settings=settings)


def text(values: Iterable[Any]) -> str:
    """A CSV line."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow("" if _nothing(each) else each for each in values)
    return out.getvalue()


def _nothing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))


def payload(data: str, kind: str = "text/csv", encoding: str = "CSV", mode: str = "INPUT") -> dict[str, str]:
    """A captured request or answer."""
    if encoding == "BASE64":
        data = base64.b64encode(data.encode()).decode()
    return {"observedContentType": kind, "mode": mode, "data": data, "encoding": encoding}


def capture(request: dict[str, str], answer: dict[str, str], event: str, **metadata: Any) -> dict[str, Any]:
    """A line of data capture, as "Capture data from real-time endpoint" shows it."""
    return {
        "captureData": {"endpointInput": request, "endpointOutput": answer},
        "eventMetadata": {"eventId": event, "inferenceTime": "2026-03-02T10:00:00Z", **metadata},
        "eventVersion": "0",
    }


def captures(rows: Floats, scores: Floats, batch: int = 1, **metadata: Any) -> list[dict[str, Any]]:
    """Requests of so many rows each, as CSV."""
    lines = []
    for start in range(0, len(rows), batch):
        part = slice(start, start + batch)
        request = payload("\n".join(text(row.tolist()) for row in rows[part]))
        answer = payload("\n".join(map(str, scores[part].tolist())), mode="OUTPUT")
        lines.append(capture(request, answer, f"event-{start}", **metadata))
    return lines


def labels(truth: Floats, batch: int = 1) -> list[dict[str, Any]]:
    """Labels, as "Ingest Ground Truth labels and merge them with predictions" shows them."""
    return [
        {
            "groundTruthData": {
                "data": "\n".join(f"{each:g}" for each in truth[start : start + batch]),
                "encoding": "CSV",
            },
            "eventMetadata": {"eventId": f"event-{start}"},
            "eventVersion": "0",
        }
        for start in range(0, len(truth), batch)
    ]


def write(path: Path, lines: Sequence[Any]) -> Path:
    """Write JSON Lines; what is text already stays as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path
