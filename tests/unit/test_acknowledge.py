"""The ids that findings are accepted by are those that the packs have."""

from __future__ import annotations

import ast
import re
import tarfile
from pathlib import Path

import cdk_nag
import pytest

import secure_ml_constructs
from secure_ml_constructs._acknowledge import standard_packs

pytestmark = pytest.mark.slow

_FILES = {
    "HIPAA.Security": "hipaa-security",
    "NIST.800.53.R5": "nist-800-53-r5",
    "PCI.DSS.321": "pci-dss-321",
}


@pytest.fixture(scope="module")
def rules() -> dict[str, set[str]]:
    """The names of each pack's rules, from its own source."""
    (archive,) = (Path(cdk_nag.__file__).parent / "_jsii").glob("*.tgz")
    found = {}
    with tarfile.open(archive) as files:
        for pack, name in _FILES.items():
            source = files.extractfile(f"package/lib/packs/{name}.js")
            assert source is not None
            text = source.read().decode()
            found[pack] = set(re.findall(r"rule: \w+\.(\w+)", text)) | set(
                re.findall(r"ruleSuffixOverride: '(\w+)'", text)
            )
    return found


def used() -> set[str]:
    """The rules that constructs name to `standard_packs`."""
    found = set()
    for path in Path(secure_ml_constructs.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "standard_packs":
                (argument,) = node.args
                found.add(str(ast.literal_eval(argument)))
    return found


def test_every_pack_is_named_that_has_the_rule_and_no_other(rules: dict[str, set[str]]) -> None:
    assert len(used()) >= 10
    for rule in used():
        ids = [f"{pack}::{pack}-{rule}" for pack in _FILES if rule in rules[pack]]
        assert standard_packs(rule) == ids
