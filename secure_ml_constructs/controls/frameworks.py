"""What published mappings say of a setting: which demands of which framework it serves, and who says so.

Nothing here is our own judgement. The data was gathered on 2026-11-21 from the sources that each entry names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class Reference:
    """One framework, as one source maps it.

    Attributes:
        framework: The framework: `NIST 800-53 r5`.
        source: Who maps the setting to it: `cdk-nag 3.0.2`.
        ids: The demands, as the source writes them; the last may say how many more there are.
    """

    framework: str
    source: str
    ids: tuple[str, ...]


@dataclass(frozen=True)
class Mapped:
    """A setting that published sources map.

    Attributes:
        resource_type: The type.
        property: The property's path.
        standards: Its Security Hub controls.
        references: What the sources say.
    """

    resource_type: str
    property: str
    standards: tuple[str, ...]
    references: tuple[Reference, ...]


@cache
def mapped() -> tuple[Mapped, ...]:
    """Every setting that a source maps."""
    text = (resources.files(__package__) / "frameworks.json").read_text(encoding="utf-8")
    return tuple(
        Mapped(
            item["resource_type"],
            item["property"],
            tuple(item["standards"]),
            tuple(Reference(name, source, tuple(ids)) for name, source, ids in item["references"]),
        )
        for item in json.loads(text)
    )


def references(
    resource_types: Iterable[str], properties: Iterable[str], standards: Iterable[str]
) -> tuple[Reference, ...]:
    """What is said of a rule's settings.

    Args:
        resource_types: The types that the rule judges.
        properties: The properties that it reads.
        standards: The Security Hub controls that it covers.

    Returns:
        One entry for each framework and source, by framework.
    """
    types, paths, numbers = set(resource_types), set(properties), set(standards)
    found: dict[tuple[str, str], dict[str, None]] = {}
    for setting in mapped():
        same = setting.resource_type in types and setting.property in paths
        # A control of Security Hub is one setting, on whichever resource a rule judges it.
        if same or numbers & set(setting.standards):
            for reference in setting.references:
                ids = found.setdefault((reference.framework, reference.source), {})
                ids.update(dict.fromkeys(reference.ids))
    return tuple(Reference(name, source, tuple(ids)) for (name, source), ids in sorted(found.items()))
