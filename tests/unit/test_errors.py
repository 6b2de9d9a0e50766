"""The error that a wrong argument gets."""

from __future__ import annotations

import pytest

from secure_ml_constructs.errors import ConfigurationError, Problem, Problems


def test_every_problem_is_told_at_once_with_its_way_out() -> None:
    problems = Problems()
    problems.add("cidr", "10.0.0.0/30", "It is too small.", "Write a /20.")
    problems.add("zones", 1, "One zone fails.", "Write 2 or 3.")
    with pytest.raises(ConfigurationError) as caught:
        problems.raise_if_any("Network/Vpc")
    assert str(caught.value) == (
        "Network/Vpc: 2 problems\n"
        "  - cidr='10.0.0.0/30': It is too small. Write a /20.\n"
        "  - zones=1: One zone fails. Write 2 or 3."
    )
    assert isinstance(caught.value, ValueError)


def test_nothing_is_raised_where_nothing_is_wrong() -> None:
    Problems().raise_if_any("Network/Vpc")
    assert not Problems()


def test_a_nested_value_keeps_its_path() -> None:
    problems = Problems()
    problems.extend("perimeter", [Problem("organization", "x", "No.", "Yes.")])
    with pytest.raises(ConfigurationError, match=r"perimeter\.organization='x'"):
        problems.raise_if_any("environment.yaml")
