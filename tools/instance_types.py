"""Write secure_ml_constructs/identity/guardrails/instance_types.json from botocore's model of SageMaker.

Usage: python tools/instance_types.py
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import botocore.session

TARGET = (
    Path(__file__).parents[1] / "secure_ml_constructs" / "identity" / "guardrails" / "instance_types.json"
)
_SHAPES = (
    *("AppInstanceType", "ClusterInstanceType", "InstanceType", "ProcessingInstanceType"),
    *("ProductionVariantInstanceType", "TrainingInstanceType", "TransformInstanceType"),
)


def families() -> dict[str, list[str]]:
    """The sizes of every family of instances that SageMaker knows."""
    model = botocore.session.get_session().get_service_model("sagemaker")
    found: defaultdict[str, set[str]] = defaultdict(set)
    for shape in _SHAPES:
        for name in model.shape_for(shape).enum:
            family, _, size = name.removeprefix("ml.").partition(".")
            if size:
                found[family].add(size)
    return {family: sorted(sizes) for family, sizes in sorted(found.items())}


def text() -> str:
    """The file, one family a line."""
    lines = (f" {json.dumps(family)}: {json.dumps(sizes)}" for family, sizes in families().items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
