"""What templates of others taught: each sample says where a rule must speak, and where it must not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from secure_ml_constructs.verification.rules import check, pack
from secure_ml_constructs.verification.templates import load

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.yaml"))
RULES = {rule.id for rule in pack()}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_each_sample(sample: Path) -> None:
    templates = load([sample]).templates
    (template,) = templates
    expected: dict[str, Any] = dict(template.section("Metadata"))
    found = {(finding.rule, finding.logical_id): finding for finding in check(templates)}
    assert expected["Finds"]
    for rule, names in expected["Finds"].items():
        assert rule in RULES
        for name in names:
            assert (rule, name) in found, (rule, name)
    for rule, names in expected["Quiet"].items():
        assert rule in RULES
        for name in names:
            assert name in template.resources
            assert (rule, name) not in found, found[rule, name].message


def test_too_many_conditions_hide_no_secret() -> None:
    (sample,) = [path for path in SAMPLES if path.stem == "many_conditions"]
    found = [f for f in check(load([sample]).templates) if f.rule == "TemplateNoSecrets"]
    assert [(finding.outcome, finding.path) for finding in found] == [("fail", "Outputs.Key.Value")]
