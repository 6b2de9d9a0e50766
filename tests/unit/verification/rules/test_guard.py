"""Our engine and Guard agree on every rule that Guard can express."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from cloudformation_validate import (  # type: ignore[import-untyped]
    CompositeEngine,
    CompositeEngineConfig,
    ExternalRuleSource,
    TemplateContent,
    ValidateConfig,
)

from secure_ml_constructs.verification.rules import Settings, pack
from secure_ml_constructs.verification.rules.guard import guard_file
from tests.unit.verification.rules.test_pairs import IT, failing, finished, passing

pytestmark = pytest.mark.slow

TEXT, LEFT = guard_file(pack(), Settings())
TRANSLATED = [rule.id for rule in pack() if rule.id not in {left.id for left, _ in LEFT}]


@pytest.fixture(scope="module")
def refused() -> Callable[[Callable[[str], dict[str, Any]]], set[str]]:
    """Which rules Guard says are broken, each by its own resource, which stands alone as a Hook sees it."""
    source = ExternalRuleSource(name="secure-ml", content=TEXT)
    engine = CompositeEngine(CompositeEngineConfig(guard_rules=[source]))

    def ask(write: Callable[[str], dict[str, Any]]) -> set[str]:
        resources = {rule: finished(write(rule), rule)["Resources"][IT] for rule in TRANSLATED}
        content = TemplateContent(json.dumps({"Resources": resources}), "template.json")
        report = engine.validate_template(content, ValidateConfig(disable_builtin_rules=True))
        return {d.rule_id for d in report.diagnostics if d.entity and d.entity.logical_id == d.rule_id}

    return ask


def test_both_engines_agree(refused: Callable[[Callable[[str], dict[str, Any]]], set[str]]) -> None:
    assert refused(passing) == set()
    assert refused(failing) == set(TRANSLATED)


def test_what_is_left_out_says_why() -> None:
    assert {rule.id for rule, _ in LEFT} | set(TRANSLATED) == {rule.id for rule in pack()}
    assert all(reason.endswith(".") for _, reason in LEFT)


def test_how_many_are_translated() -> None:
    """A change that silently takes rules out of the Hook is seen here."""
    assert len(TRANSLATED) >= 160


def test_settings_are_part_of_the_file() -> None:
    settings = Settings(instance_types=("ml.z9.*",), off=frozenset({"LogGroupRetention"}))
    text, left = guard_file(pack(), settings)
    assert r"ml\.z9\..*" in text
    assert "LogGroupRetention" in {rule.id for rule, _ in left}
    assert "rule LogGroupRetention " not in text
