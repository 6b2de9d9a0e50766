"""How right the predictions were, as far as labels have come.

Predictions and labels meet by the id of the inference, in parts on disk, so that neither is held in memory.
The parts are random by their making, and their spread gives the bounds: a jackknife that leaves one part out.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import stats

from .settings import Settings

PARTS = 64
# Steps of a score, for the area under its curve.
STEPS = 2048
_ROW = np.dtype([("key", "<u8"), ("value", "<f8"), ("score", "<f8")])
Floats = NDArray[np.float64]


class Quality(msgspec.Struct, kw_only=True):
    """A measure with its bounds.

    Attributes:
        value: What was measured.
        error: Its standard error.
        low: The lower bound at 95 %.
        high: The upper bound.
    """

    value: float
    error: float
    low: float
    high: float


class Measured(msgspec.Struct, kw_only=True):
    """What labels told."""

    predictions: int = 0
    labels: int = 0
    matched: int = 0
    repeated: int = 0
    unknown: int = 0
    measures: dict[str, Quality] = {}


class Meeting:
    """Where predictions meet labels."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        """Prepare.

        Args:
            settings: The settings.
            folder: An empty folder for the parts; about 48 bytes a prediction with a label.
        """
        self._settings = settings
        self._folder = folder
        self._files = {
            (kind, part): (folder / f"{kind}-{part}").open("w+b")
            for kind in ("said", "true")
            for part in range(PARTS)
        }
        self.labels = 0

    def said(self, keys: NDArray[np.uint64], values: Floats, scores: Floats) -> None:
        """Keep predictions: numbers, or the places of classes."""
        self._write("said", keys, values, scores)

    def true(self, keys: NDArray[np.uint64], values: Floats) -> None:
        """Keep labels."""
        self.labels += len(keys)
        self._write("true", keys, values, np.zeros(len(keys)))

    def _write(self, kind: str, keys: NDArray[np.uint64], values: Floats, scores: Floats) -> None:
        rows = np.empty(len(keys), dtype=_ROW)
        rows["key"], rows["value"], rows["score"] = keys, values, scores
        # Keys are digests: their highest bits are a fair die.
        parts = (keys >> np.uint64(58)).astype(np.int64)
        order = np.argsort(parts, kind="stable")
        ends = np.searchsorted(parts[order], np.arange(PARTS + 1))
        for part in range(PARTS):
            if ends[part] < ends[part + 1]:
                self._files[kind, part].write(rows[order[ends[part] : ends[part + 1]]].tobytes())

    def close(self) -> Measured:
        """Let them meet."""
        found = Measured(labels=self.labels)
        summed = []
        for part in range(PARTS):
            said, told = self._part("said", part), self._part("true", part)
            found.predictions += len(said)
            # Of what was said or told twice, the last counts.
            one, other = _last(said), _last(told)
            found.repeated += len(said) - len(one) + len(told) - len(other)
            _, ours, theirs = np.intersect1d(
                one["key"], other["key"], assume_unique=True, return_indices=True
            )
            one, other = one[ours], other[theirs]
            known = ~(np.isnan(one["value"]) | np.isnan(other["value"]))
            found.unknown += int((~known).sum())
            found.matched += int(known.sum())
            summed.append(self._sums(one[known], other[known]["value"]))
        if found.matched:
            found.measures = _jackknife(self._settings, np.array(summed))
        return found

    def _part(self, kind: str, part: int) -> NDArray[np.void]:
        file = self._files[kind, part]
        file.seek(0)
        rows: NDArray[np.void] = np.frombuffer(file.read(), dtype=_ROW)
        file.close()
        (self._folder / f"{kind}-{part}").unlink()
        return rows

    def _sums(self, said: NDArray[np.void], told: Floats) -> Floats:
        if self._settings.kind == "regression":
            off = said["value"] - told
            return np.array([len(told), np.abs(off).sum(), (off**2).sum(), told.sum(), (told**2).sum()])
        number = len(self._settings.classes)
        pairs = told.astype(np.int64) * number + said["value"].astype(np.int64)
        matrix = np.bincount(pairs, minlength=number * number)
        if self._settings.kind != "binary" or not self._settings.probabilities:
            return matrix.astype(np.float64)
        place = self._settings.classes.index(self._settings.positive)
        scored = ~np.isnan(said["score"])
        steps = np.minimum((said["score"][scored] * STEPS).astype(np.int64), STEPS - 1)
        right = told[scored] == place
        curve = [np.bincount(steps[kind], minlength=STEPS) for kind in (right, ~right)]
        return np.concatenate([matrix, *curve]).astype(np.float64)


def _last(rows: NDArray[np.void]) -> NDArray[np.void]:
    backwards = rows[::-1]
    _, first = np.unique(backwards["key"], return_index=True)
    return backwards[first]


def _jackknife(settings: Settings, parts: Floats) -> dict[str, Quality]:
    whole = parts.sum(axis=0)
    value = _measures(settings, whole)
    filled = parts[parts[:, 0] > 0] if settings.kind == "regression" else parts[parts.any(axis=1)]
    count = len(filled)
    if count < 2:
        return {}
    without = [_measures(settings, whole - part) for part in filled]
    far = float(stats.t.ppf(0.975, count - 1))
    found = {}
    for name, total in value.items():
        each = np.array([one.get(name, np.nan) for one in without])
        if np.isnan(each).any():
            continue
        error = float(np.sqrt((count - 1) / count * ((each - each.mean()) ** 2).sum()))
        found[name] = Quality(value=total, error=error, low=total - far * error, high=total + far * error)
    return found


def _measures(settings: Settings, sums: Floats) -> dict[str, float]:
    """Accuracy, F1 and AUC, or MAE, RMSE and R2; what can't be said of so little is left out."""
    if settings.kind == "regression":
        rows, wide, square, total, squares = sums
        if rows < 1:
            return {}
        found = {"mae": wide / rows, "rmse": float(np.sqrt(square / rows))}
        if (spread := squares - total**2 / rows) > 0:
            found["r2"] = 1 - square / spread
        return {name: float(number) for name, number in found.items()}
    number = len(settings.classes)
    matrix = sums[: number * number].reshape(number, number)
    if not matrix.sum():
        return {}
    hits, told, said = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    each = 2 * hits / np.maximum(told + said, 1)
    place = settings.classes.index(settings.positive)
    # Of two classes that of the positive one, of more the mean over those that there were.
    f1 = each[place] if number == 2 else each[(told + said) > 0].mean()
    found = {"accuracy": float(hits.sum() / matrix.sum()), "f1": float(f1)}
    if len(sums) > number * number:
        positive, negative = sums[number * number :].reshape(2, -1)
        if positive.sum() and negative.sum():
            below = np.cumsum(negative) - negative
            found["auc"] = float((positive * (below + negative / 2)).sum() / positive.sum() / negative.sum())
    return found
