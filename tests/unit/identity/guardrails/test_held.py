"""The reviewed table against the service authorization data: nothing new goes by unseen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from secure_ml_constructs.identity.guardrails.held import ACTIONS, FREE_KEYS, KEYS, Setting, Who
from tools.instance_types import TARGET as TYPES
from tools.instance_types import text as types_text
from tools.sagemaker_actions import TARGET, text

REFERENCE: dict[str, list[str]] = json.loads(Path(TARGET).read_text())
OF_KEY = {key: setting for setting, keys in KEYS.items() for key in keys}


def test_the_reference_is_fresh() -> None:
    assert TARGET.read_text() == text(), "run tools/sagemaker_actions.py and review what is new"
    assert TYPES.read_text() == types_text(), "run tools/instance_types.py"


def test_every_action_that_creates_or_changes_is_reviewed() -> None:
    assert set(ACTIONS) == set(REFERENCE)


@pytest.mark.parametrize("action", REFERENCE)
def test_every_key_of_a_request_is_held_or_free_for_a_reason(action: str) -> None:
    asked = {OF_KEY[key] for key in REFERENCE[action] if key in OF_KEY}
    unknown = set(REFERENCE[action]) - set(OF_KEY) - set(FREE_KEYS)
    assert not unknown, "neither held nor free"
    held = set(ACTIONS[action].settings)
    assert held <= asked, "the request can't carry it"
    # Deliberately not asked there; the row says why.
    not_asked = {
        ("CreateEndpointConfig", Setting.ISOLATION),
        ("CreateEndpointConfig", Setting.MODEL),
        ("CreateTransformJob", Setting.MODEL),
    }
    assert {(action, each) for each in asked - held} <= not_asked
    if asked - held or ACTIONS[action].who is not Who.ANYONE or not held:
        assert len(ACTIONS[action].why) > 10


def test_no_key_is_both_held_and_free() -> None:
    assert not set(OF_KEY) & set(FREE_KEYS)
    every = {key for keys in REFERENCE.values() for key in keys}
    assert set(OF_KEY) | set(FREE_KEYS) <= every


def test_keys_of_kms_are_held_under_both_names() -> None:
    """The reference has two names for each; a third would have to be seen."""
    every = {key for keys in REFERENCE.values() for key in keys if "KmsKey" in key}
    assert every - set(FREE_KEYS) == {key for keys in KEYS.values() for key in keys if "KmsKey" in key}
    for setting in (Setting.VOLUME, Setting.OUTPUT, Setting.ONLINE, Setting.OFFLINE):
        first, second = KEYS[setting]
        assert second == f"{first}Arn"
