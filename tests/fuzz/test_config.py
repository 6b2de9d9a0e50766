"""A configuration is either refused with paths that exist in it, or synthesizes."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secure_ml_constructs.environment import SecureMlEnvironment
from secure_ml_constructs.environment.config import parse_config
from secure_ml_constructs.errors import ConfigurationError
from tests.fuzz import strategies
from tests.fuzz.test_constructs import told
from tests.support.templates import new_app, synth

_scalar = st.none() | st.booleans() | st.integers(-2, 70_000) | st.text(max_size=8)
_anything = st.recursive(
    _scalar,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def _plain(arguments: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _plain(value) if isinstance(value, dict) else list(value) if isinstance(value, tuple) else value
        for name, value in arguments.items()
    }


_zone = st.fixed_dictionaries(
    {"name": st.from_regex(r"[a-z]{1,6}", fullmatch=True)},
    optional={
        "personal_data": st.booleans(),
        "key_class": st.sampled_from(["data", "model"]),
        "expire_days": st.integers(-1, 400),
        "lock": st.fixed_dictionaries({"days": st.integers(0, 400)}),
    },
)
configurations = st.fixed_dictionaries(
    {"name": strategies.mostly(st.from_regex(r"[a-z][a-z0-9-]{1,12}", fullmatch=True), _anything)},
    optional={
        "perimeter": strategies.mostly(strategies.perimeters.map(_plain), _anything),
        "network": strategies.mostly(strategies.networks.map(_plain), _anything),
        "keys": strategies.mostly(strategies.keys.map(_plain), _anything),
        "archive": strategies.mostly(
            st.fixed_dictionaries({"retention_days": st.integers(300, 4000)}), _anything
        ),
        "lake": strategies.mostly(st.fixed_dictionaries({"zones": st.lists(_zone, max_size=3)}), _anything),
        "account": st.just("111122223333"),
        "region": st.sampled_from(["eu-central-1", "cn-north-1", "nowhere"]),
        "surprise": _anything,
    },
)


def check(raw: Any) -> None:
    try:
        config = parse_config(raw, where="fuzz.yaml")
    except ConfigurationError as error:
        told(error)
        return
    app = new_app()
    SecureMlEnvironment(app, "Environment", config=config)
    # Keys, network, archive, lake and alerts.
    assert len(synth(app)) == 5


@settings(
    max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
@given(configurations | _anything)
def test_a_few_configurations(raw: Any) -> None:
    check(raw)


@pytest.mark.deep
@settings(
    max_examples=max(1, int(os.environ.get("FUZZ_EXAMPLES", "1000")) // 10),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(configurations)
def test_many_configurations(raw: Any) -> None:
    check(raw)
