"""AWS's own images for monitoring, by region."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

from aws_cdk import Aws, CfnMapping, Stack
from constructs import Construct

from secure_ml_constructs._cdk import is_token, region

__all__ = ["aws_image", "regions"]


def regions(name: str) -> tuple[str, ...]:
    """Give the regions in which AWS has an image.

    Args:
        name: `analyzer` or `clarify`.
    """
    return tuple(_known()[name]["accounts"])


def aws_image(scope: Construct, name: str) -> str:
    """Give the address of an image of AWS's in the stack's region, which need not be known yet.

    Amazon SageMaker AI: "Docker Registry Paths and Example Code".

    Args:
        scope: Where a table of regions stands, if one is needed.
        name: `analyzer` or `clarify`.
    """
    told, where = _known()[name], Stack.of(scope).region
    if is_token(where):
        table = {each: {"Account": account} for each, account in told["accounts"].items()}
        mapping = CfnMapping(scope, f"{name.capitalize()}Registries", mapping=table)
        registry = mapping.find_in_map(region(), "Account")
    else:
        registry = told["accounts"][where]
    return f"{registry}.dkr.ecr.{region()}.{Aws.URL_SUFFIX}/{told['repository']}"


@cache
def _known() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("aws_images.json").read_text(encoding="ascii")
    known: dict[str, Any] = json.loads(text)
    return known
