"""Rules for CloudFormation templates: a pack of them, and the engine that puts them to resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from secure_ml_constructs.verification.rules.acknowledgements import (
    Acknowledged,
    Acknowledgement,
    read_acknowledgements,
    sort_out,
)
from secure_ml_constructs.verification.rules.engine import Engine, Finding
from secure_ml_constructs.verification.rules.pack import pack
from secure_ml_constructs.verification.rules.reading import prepare
from secure_ml_constructs.verification.rules.rule import Rule, Severity
from secure_ml_constructs.verification.rules.settings import Settings
from secure_ml_constructs.verification.templates import Templates

__all__ = [
    "Acknowledged",
    "Acknowledgement",
    "Engine",
    "Finding",
    "Rule",
    "Settings",
    "Severity",
    "check",
    "pack",
    "prepare",
    "read_acknowledgements",
    "sort_out",
]


def check(templates: Templates | Mapping[str, Any], settings: Settings | None = None) -> list[Finding]:
    """Put the whole pack to templates.

    Args:
        templates: Templates that `verification.templates.load` has linked; or their data, by the name of the
            stack, those of nested stacks by the name of their file.
        settings: What the user decides; the defaults of `Settings` otherwise.

    Returns:
        What was found, in the order of the templates.

    Raises:
        TemplateError: A mapping holds what is no template.

    Example:
        >>> bucket = {"Type": "AWS::S3::Bucket"}
        >>> sorted({f.severity for f in check({"main": {"Resources": {"Data": bucket}}})})
        [<Severity.ERROR: 'error'>, <Severity.FATAL: 'fatal'>, <Severity.WARNING: 'warning'>]
    """
    return Engine(pack(), settings).check(templates)
