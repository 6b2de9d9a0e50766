"""Mutants of settings: switched off, removed, downgraded, shortened."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path as File
from typing import Any

from tests.mutants.mutant import (
    REMOVE,
    SETTING,
    Mutant,
    Path,
    Site,
    documents,
    is_document,
    is_function,
    leaves,
)

PROPERTIES = File(__file__).with_name("properties.csv")

_KEY = re.compile(r"(kms.*key|key.*kms|^kms|encryptionkey|^encryptionkeyarn$|masterkey)", re.IGNORECASE)
_NOT_A_KEY = re.compile(r"enable|rotation|policy|bucketkey|context|encrypted|^ssekms", re.IGNORECASE)
_TIME = re.compile(r"^(RetentionInDays|Days|Years|ExpirationInDays|NoncurrentDays|PendingWindowInDays)$")
# A literal that says something is well, and what says that it is not.
_WEAKER = {
    "Enabled": ("Disabled",),
    "ENABLED": ("DISABLED",),
    "Disabled": ("Enabled",),
    "DISABLED": ("ENABLED",),
    "COMPLIANCE": ("GOVERNANCE",),
    "ALL": ("ACCEPT", "REJECT"),
    "VpcOnly": ("PublicInternetOnly",),
    "SSO": ("IAM",),
    "BucketOwnerEnforced": ("BucketOwnerPreferred", "ObjectWriter"),
    "aws:kms": ("AES256",),
    "aws:kms:dsse": ("AES256",),
    "KMS": ("AES256",),
    "IMMUTABLE": ("MUTABLE",),
    "Private": ("Shared",),
    "TLS_1_2": ("TLS_1_0",),
    # Of a package group the second is what is weaker, of a firewall the first.
    "BLOCK": ("NONE", "ALLOW"),
    "ALLOW_SPECIFIC_REPOSITORIES": ("ALLOW",),
    "MATCH": ("NO_MATCH",),
    "NEVER": ("WHEN_NO_MATCH",),
    "ACTIVE": ("INACTIVE",),
    "AWS_IAM": ("NONE",),
    "COGNITO_USER_POOLS": ("NONE",),
    "CUSTOM": ("NONE",),
    "PRIVATE": ("EDGE",),
    "REGIONAL": ("EDGE",),
    "ON": ("OFF",),
    "Active": ("PassThrough",),
    "INFO": ("OFF",),
    "ERROR": ("OFF",),
    "Approved": ("PendingManualApproval",),
    "PendingManualApproval": ("Approved",),
}
_ENOUGH = 2_000_000_000
# Their lists hold names and columns, or are mutated as networks.
_NO_ITEMS = {
    "Tags",
    "Columns",
    "PartitionKeys",
    "SecurityGroupIngress",
    "SecurityGroupEgress",
    "RouteTableIds",
    "SubnetIds",
    "Transitions",
}
# What is in them are names and patterns, whatever they look like.
_NAMES = {"Dimensions", "EventPattern"}
_NETWORK_ONLY = ("AWS::EC2::NetworkAclEntry",)


def of(site: Site) -> Iterator[Mutant]:
    """Every mutant of a resource's settings."""
    yield from _attributes(site)
    yield from _named(site)
    if site.type in _NETWORK_ONLY:
        return
    for path, value in leaves(site.properties, ("Properties",)):
        name = _name(path)
        if isinstance(value, bool):
            yield site.set("flipped", path, SETTING, not value)
            yield site.set("removed", path, SETTING, REMOVE)
        elif _is_key(name, value):
            yield site.set("key-removed", path, SETTING, REMOVE)
            yield site.set("key-of-aws", path, SETTING, f"alias/aws/{_service(site.type)}")
        elif isinstance(value, str):
            yield from _text(site, path, value)
        elif isinstance(value, int) and _TIME.match(name) and value > 1:
            yield site.set("shortened", path, SETTING, 1)
            yield site.set("removed", path, SETTING, REMOVE)
        elif isinstance(value, int) and "RateBasedStatement" in path and name == "Limit":
            yield site.set("limit-raised", path, SETTING, _ENOUGH)
        elif isinstance(value, list) and name not in _NO_ITEMS:
            for index, item in enumerate(value):
                if isinstance(item, dict) and not is_function(item) and not is_document(item):
                    label = item.get("Name", item.get("Id"))
                    operator = f"item-dropped {label}" if isinstance(label, str) else "item-dropped"
                    yield site.set(operator, (*path, index), SETTING, REMOVE)


def _text(site: Site, path: Path, value: str) -> Iterator[Mutant]:
    if _NAMES & set(path):
        return
    if value in ("true", "false"):
        yield site.set("flipped", path, SETTING, "false" if value == "true" else "true")
    weak = ("Suspended",) if "VersioningConfiguration" in path else _WEAKER.get(value, ())
    for weaker in weak:
        yield site.set(f"weakened to {weaker}", path, SETTING, weaker)
    if value in _WEAKER:
        yield site.set("removed", path, SETTING, REMOVE)


def _attributes(site: Site) -> Iterator[Mutant]:
    """What stands beside the properties: retention at deletion, and the order of deployment."""
    for name in ("DeletionPolicy", "UpdateReplacePolicy"):
        if site.body.get(name) in ("Retain", "Snapshot", "RetainExceptOnCreate"):
            yield site.set("weakened to Delete", (name,), SETTING, "Delete")
            yield site.set("removed", (name,), SETTING, REMOVE)
    wanted = site.body.get("DependsOn", [])
    if isinstance(wanted, list):
        for index, other in enumerate(wanted):
            yield site.mutant(
                f"order-dropped {other}", ("DependsOn",), SETTING, (("DependsOn", index), REMOVE)
            )
    else:
        yield site.set(f"order-dropped {wanted}", ("DependsOn",), SETTING, REMOVE)


def _named(site: Site) -> Iterator[Mutant]:
    """Every property of the list of settings that are known to matter, for this type."""
    for names, weak in _properties().get(site.type, ()):
        for path, value in _places(site.properties, names, ("Properties",)):
            if weak is not REMOVE and value != weak:
                yield site.set(f"set to {json.dumps(weak)}", path, SETTING, weak)
            if value is None or isinstance(value, bool) or _is_key(_name(path), value):
                continue
            if any(True for _ in documents(value, ())):
                continue
            if not (isinstance(value, str) and value in _WEAKER):
                yield site.set("left-out", path, SETTING, REMOVE)


@cache
def _properties() -> dict[str, list[tuple[list[str], Any]]]:
    found: dict[str, list[tuple[list[str], Any]]] = {}
    with PROPERTIES.open() as lines:
        for row in csv.DictReader(lines):
            weak = json.loads(row["weak"]) if row["weak"] else REMOVE
            found.setdefault(row["type"], []).append((row["path"].split("."), weak))
    return found


def _places(value: Any, names: list[str], path: Path) -> Iterator[tuple[Path, Any]]:
    """Where a path of names leads; None for the value where its last steps are not there."""
    if not names:
        yield path, value
        return
    name, rest = names[0].removesuffix("[]"), names[1:]
    if value is None:
        value = {}
    if not isinstance(value, dict) or is_function(value):
        return
    found = value.get(name)
    if not names[0].endswith("[]"):
        yield from _places(found, rest, (*path, name))
    elif isinstance(found, list):
        for index, item in enumerate(found):
            yield from _places(item, rest, (*path, name, index))


def _name(path: Path) -> str:
    return next((step for step in reversed(path) if isinstance(step, str)), "")


def _is_key(name: str, value: Any) -> bool:
    return (
        (isinstance(value, str) or is_function(value))
        and _KEY.search(name) is not None
        and _NOT_A_KEY.search(name) is None
    )


def _service(type_: str) -> str:
    return {"cloudwatch": "sns", "athena": "s3"}.get(name := type_.split("::")[1].lower(), name)
