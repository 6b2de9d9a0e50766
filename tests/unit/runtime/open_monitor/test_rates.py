"""How often undisturbed windows raise an alarm, and how often disturbed ones do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from secure_ml_constructs.runtime.open_monitor import job
from secure_ml_constructs.runtime.open_monitor.captures import Window
from secure_ml_constructs.runtime.open_monitor.settings import Settings
from tests.unit.runtime.open_monitor import worlds
from tests.unit.runtime.open_monitor.worlds import Floats, World

WORLDS: list[Callable[[], World]] = [worlds.cancer, worlds.progression, worlds.severe]


def alarms(
    world: World,
    folder: Path,
    windows: int,
    *,
    accepted: int = 5000,
    rows: int = 1000,
    disturb: Callable[[Floats], None] = lambda _: None,
) -> tuple[float, float]:
    """The shares of windows with any violation, and with one of drift.

    Each twenty windows have a baseline of their own: an unlucky one would be unlucky in all.
    """
    settings = msgspec.convert(world.settings, Settings)
    any_, drift, baseline = 0, 0, None
    for number in range(windows):
        if number % 20 == 0:
            world.table(*world.draw(accepted, 10_000 + number)).write_csv(folder / "data.csv")
            baseline = job.make_baseline(settings, folder / "data.csv", folder)
        assert baseline is not None
        drawn, truth = world.draw(rows, number)
        disturb(drawn)
        worlds.write(folder / "captures" / "c.jsonl", worlds.captures(drawn, world.score(drawn), 50))
        worlds.write(folder / "labels" / "l.jsonl", worlds.labels(truth, 50))
        run = job.watch(settings, baseline, folder / "captures", folder / "labels", Window())
        any_ += bool(run.violations)
        drift += any(check.metric == "drift" for check in run.violations)
    return any_ / windows, drift / windows


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS)
def test_undisturbed_windows_are_quiet(world: Callable[[], World], tmp_path: Path) -> None:
    found, _ = alarms(world(), tmp_path, 40, rows=300)
    assert found <= 0.05


@pytest.mark.deep
@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize(("accepted", "rows"), [(500, 150), (2000, 300), (5000, 1000), (1000, 5000)])
def test_two_hundred_undisturbed_windows_raise_at_most_four_alarms(
    world: Callable[[], World], accepted: int, rows: int, tmp_path: Path
) -> None:
    found, _ = alarms(world(), tmp_path, 200, accepted=accepted, rows=rows)
    assert found <= 0.02


def shifted(by: float, world: World) -> Callable[[Floats], None]:
    """Move one feature by so many of its deviations."""
    spread = world.rows[:, 1].std()

    def disturb(rows: Floats) -> None:
        rows[:, 1] += by * spread

    return disturb


@pytest.mark.slow
def test_a_shift_of_half_a_deviation_is_seen(tmp_path: Path) -> None:
    world = worlds.cancer()
    _, found = alarms(world, tmp_path, 20, rows=1000, disturb=shifted(0.5, world))
    assert found == 1


@pytest.mark.deep
@pytest.mark.parametrize(("by", "rows", "least"), [(0.3, 1000, 0.95), (0.4, 300, 0.9), (0.5, 300, 0.98)])
def test_power(by: float, rows: int, least: float, tmp_path: Path) -> None:
    world = worlds.cancer()
    _, found = alarms(world, tmp_path, 200, rows=rows, disturb=shifted(by, world))
    assert found >= least


@pytest.mark.deep
def test_a_trifle_raises_nothing_however_many_rows_there_are(tmp_path: Path) -> None:
    world = worlds.cancer()
    found, _ = alarms(world, tmp_path, 5, accepted=50_000, rows=50_000, disturb=shifted(0.1, world))
    assert found == 0


def test_windows_are_drawn_from_the_same_population() -> None:
    one, _ = worlds.cancer().draw(50, 1)
    assert {tuple(row) for row in one} <= {tuple(row) for row in worlds.cancer().rows}
    assert not np.array_equal(one, worlds.cancer().draw(50, 2)[0])
