"""What the image of OpenMonitor is made of: the job, its pinned packages, and how it is built."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from aws_cdk import AssetHashType
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

# Below `runtime/`.
_PARTS = ("open_monitor", "open_monitor.txt", "open_monitor_image")


def source(scope: Construct, id: str) -> assets.Asset:
    """Give the files as an asset, the same for the same bytes wherever the package is installed.

    Args:
        scope: The parent construct.
        id: The asset's id.
    """
    return assets.Asset(
        scope,
        id,
        path=str(resources.files("secure_ml_constructs.runtime")),
        exclude=[
            "**",
            *(f"!{each}" for each in _PARTS),
            *(f"!{each}/**" for each in _PARTS),
            "**/__pycache__",
        ],
        asset_hash=digest(),
        asset_hash_type=AssetHashType.CUSTOM,
    )


@cache
def digest() -> str:
    """Give what the files come to."""
    told = hashlib.sha256()
    runtime = resources.files("secure_ml_constructs.runtime")
    for part in _PARTS:
        for name, data in _files(runtime.joinpath(part), part):
            # Lengths first, so that what moves from one file to the next is seen.
            told.update(f"{len(name)} {len(data)} {name}".encode() + data)
    return told.hexdigest()


def _files(place: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    if place.is_file():
        yield name, place.read_bytes()
        return
    for each in sorted(place.iterdir(), key=lambda child: child.name):
        if each.name != "__pycache__":
            yield from _files(each, f"{name}/{each.name}")
