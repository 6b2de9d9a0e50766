"""Networks of our own, each the base with what a case changes."""

from __future__ import annotations

import copy
from pathlib import Path as File
from typing import Any

import yaml

from secure_ml_constructs.verification.proofs.network import Network
from secure_ml_constructs.verification.templates import Templates

BASE: dict[str, Any] = yaml.safe_load((File(__file__).parent / "base.yaml").read_text())


def network(case: dict[str, Any]) -> Network:
    """The base with what a case adds, changes and takes away."""
    resources = copy.deepcopy(BASE)
    for name, body in case.get("resources", {}).items():
        if body is None:
            del resources[name]
        else:
            resources[name] = body
    main = {"Resources": resources, **case.get("sections", {})}
    return Network.of(Templates.of({"Main": main, **case.get("stacks", {})}))
