"""The package's public face."""

from __future__ import annotations

import ast
import inspect
import re

import pytest

import secure_ml_constructs
from tests.support.templates import ROOT


@pytest.mark.parametrize("name", secure_ml_constructs.__all__)
def test_every_exported_name_is_there_and_documented(name: str) -> None:
    value = getattr(secure_ml_constructs, name)
    assert inspect.getdoc(value)
    assert name in dir(secure_ml_constructs)


def test_the_type_checker_sees_the_same_names() -> None:
    tree = ast.parse(inspect.getsource(secure_ml_constructs))
    typed = {
        alias.asname
        for block in ast.walk(tree)
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert typed == set(secure_ml_constructs.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        secure_ml_constructs.Nothing  # noqa: B018


def test_what_the_readme_lists_can_be_imported() -> None:
    rows = [row for row in (ROOT / "README.md").read_text().splitlines() if "](docs/constructs/" in row]
    listed = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert len(listed) > 25
    assert {name for name in listed if not hasattr(secure_ml_constructs, name)} == set()
