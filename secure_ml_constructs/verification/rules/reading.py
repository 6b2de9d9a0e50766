"""Read what many rules ask for, before they ask: policy documents with their references."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from secure_ml_constructs.verification.rules.policies import statements
from secure_ml_constructs.verification.templates import Templates

_DOCUMENTS = (
    "PolicyDocument",
    "AssumeRolePolicyDocument",
    "KeyPolicy",
    "RepositoryPolicyText",
    "ResourcePolicy",
)


def prepare(templates: Templates) -> Templates:
    """Follow the references in every policy document, once.

    Rules do it themselves where it was not done; whoever judges the same templates often does it first.

    Args:
        templates: Linked templates.

    Returns:
        The same.
    """
    with uncollected():
        for template in templates:
            for resource in template.resources.values():
                for name in _DOCUMENTS:
                    document = resource.properties.get(name)
                    if document is not None:
                        templates.start()
                        statements(templates, template, document)
    return templates


@contextmanager
def uncollected() -> Iterator[None]:
    """Leave the garbage be: none of thousands of small objects is in a circle, and looking takes long."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
