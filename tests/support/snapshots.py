"""Templates made comparable: what changes without meaning is masked."""

from __future__ import annotations

import json
import re
from typing import Any

_ASSET = re.compile(r"\b[0-9a-f]{64}\b")


def normalised(template: dict[str, Any]) -> dict[str, Any]:
    """Mask asset hashes and drop the bootstrap parameter and rule."""
    text = _ASSET.sub("<asset>", json.dumps(template))
    result: dict[str, Any] = json.loads(text)
    result.get("Parameters", {}).pop("BootstrapVersion", None)
    result.get("Rules", {}).pop("CheckBootstrapVersion", None)
    return {section: value for section, value in result.items() if value}
