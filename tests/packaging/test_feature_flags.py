"""cdk.json names every feature flag that the installed CDK recommends, and no other."""

import json
import tarfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

# app.py sets it, so that an app run without the CLI is validated too.
SET_BY_APP = {"@aws-cdk/core:validateAgainstDefaultRules"}


@pytest.fixture(scope="module")
def recommended() -> dict[str, Any]:
    # find_spec imports nothing: loading aws_cdk would start node.
    spec = find_spec("aws_cdk")
    assert spec is not None
    assert spec.submodule_search_locations
    (bundle,) = Path(spec.submodule_search_locations[0], "_jsii").glob("aws-cdk-lib@*.jsii.tgz")
    with tarfile.open(bundle) as archive:
        member = archive.extractfile("package/recommended-feature-flags.json")
        assert member
        flags: dict[str, Any] = json.load(member)
    return flags


def test_context_holds_the_recommended_flags(recommended: dict[str, Any]) -> None:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    flags = {name: value for name, value in context.items() if name.startswith("@aws-cdk")}
    assert flags == {name: value for name, value in recommended.items() if name not in SET_BY_APP}
