"""Finds callers who ask nearly the same again and again, as who copies a model or seeks its borders does.

Rows fall into buckets by random projections (Datar et al., "Locality-sensitive hashing scheme based on
p-stable distributions", 2004): rows that are nearly alike share one. Only the fullest are kept (Misra and
Gries, "Finding repeated elements", 1982), with a bound on what is missed.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np
from numpy.typing import NDArray

from .captures import key_of
from .schema import Feature
from .tally import Floats

# Of a bucket, in deviations of the baseline, and how far out values are told apart.
WIDTH, FARTHEST = 0.5, 10.0
DIRECTIONS = 5
KEPT = 100_000
_ODD = np.array(
    [
        *(0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93),
        *(0xA0761D6478BD642F, 0xE7037ED1A0B428DB, 0x8EBC6AF09C88C6E3, 0x589965CC75374CC3),
    ],
    dtype=np.uint64,
)


class Heaviest:
    """The commonest of many keys."""

    def __init__(self, kept: int = KEPT) -> None:
        """Prepare.

        Args:
            kept: How many keys; a count is too low by at most the rows divided by it.
        """
        self._kept = kept
        self.counts: dict[int, int] = {}
        self.missed = 0

    def add(self, keys: NDArray[np.uint64]) -> None:
        """Count keys."""
        found, counts = np.unique(keys, return_counts=True)
        for key, count in zip(found.tolist(), counts.tolist(), strict=True):
            self.counts[key] = self.counts.get(key, 0) + count
        if len(self.counts) > 2 * self._kept:
            self._shrink()

    def _shrink(self) -> None:
        less = sorted(self.counts.values(), reverse=True)[self._kept]
        self.missed += less
        self.counts = {key: count - less for key, count in self.counts.items() if count > less}


class Alike(msgspec.Struct, kw_only=True):
    """A caller's most repeated query."""

    caller: str
    queries: int
    alike: int


class Buckets:
    """Puts rows into buckets."""

    def __init__(self, features: list[Feature]) -> None:
        """Choose directions: the same for the same columns."""
        self._numbers = [feature for feature in features if feature.kind == "number"]
        self._categories = [feature for feature in features if feature.kind == "category"]
        die = np.random.default_rng(0)
        chosen = die.standard_normal((max(len(self._numbers), 1), DIRECTIONS))
        self._directions = chosen / np.linalg.norm(chosen, axis=0)
        # So that no border runs through the median, where missing values are put.
        self._offsets = die.uniform(0, WIDTH, DIRECTIONS)

    def of(self, values: dict[str, Floats], rows: int) -> NDArray[np.uint64]:
        """Give each row's bucket."""
        where = np.tile(self._offsets, (rows, 1))
        for number, feature in enumerate(self._numbers):
            steps = np.clip((values[feature.name] - feature.center) / feature.scale, -FARTHEST, FARTHEST)
            where += np.nan_to_num(steps)[:, None] * self._directions[number]
        cells = np.floor(where / WIDTH).astype(np.int64).view(np.uint64)
        bucket = _mixed((cells * _ODD[:DIRECTIONS]).sum(axis=1, dtype=np.uint64))
        for feature in self._categories:
            bucket = _mixed(bucket ^ values[feature.name].astype(np.uint64))
        return bucket


def _mixed(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    keys = (keys ^ (keys >> np.uint64(30))) * _ODD[1]
    keys = (keys ^ (keys >> np.uint64(27))) * _ODD[2]
    mixed: NDArray[np.uint64] = keys ^ (keys >> np.uint64(31))
    return mixed


class Probing:
    """Counts buckets by caller."""

    def __init__(self, features: list[Feature]) -> None:
        """Prepare for the baseline's columns."""
        self._buckets = Buckets(features)
        self._pairs = Heaviest()
        self._callers = Heaviest()
        self._names: dict[int, str] = {}
        self._owners: dict[int, int] = {}

    def add(self, values: dict[str, Floats], callers: list[str]) -> None:
        """Count rows."""
        buckets = self._buckets.of(values, len(callers))
        # Most tables have few callers.
        known = {name: key_of(name) for name in set(callers)}
        keys = np.array([known[name] for name in callers], dtype=np.uint64)
        pairs = _mixed(buckets ^ keys)
        self._pairs.add(pairs)
        self._callers.add(keys)
        self._names.update({key: name for name, key in known.items()})
        first, where = np.unique(pairs, return_index=True)
        for pair, owner in zip(first.tolist(), keys[where].tolist(), strict=True):
            if pair in self._pairs.counts:
                self._owners[pair] = owner
        if max(len(self._owners), len(self._names)) > 4 * KEPT:
            self._owners = {pair: self._owners[pair] for pair in self._pairs.counts}
            kept = {*self._callers.counts, *self._owners.values()}
            self._names = {key: name for key, name in self._names.items() if key in kept}

    @property
    def missed(self) -> int:
        """By how much a count is too low at most."""
        return self._pairs.missed

    def found(self) -> Iterable[Alike]:
        """Give each caller's most repeated query, the most repeated first."""
        best: dict[int, int] = {}
        for pair, count in self._pairs.counts.items():
            owner = self._owners[pair]
            best[owner] = max(count, best.get(owner, 0))
        for owner, count in sorted(best.items(), key=lambda each: (-each[1], self._names.get(each[0], ""))):
            queries = self._callers.counts.get(owner, count)
            yield Alike(caller=self._names.get(owner, ""), queries=max(queries, count), alike=count)
