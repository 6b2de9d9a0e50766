"""Whether images, model data and code come from where they may."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome
from secure_ml_constructs.verification.rules.predicates import known_later, misspelt
from secure_ml_constructs.verification.templates import (
    Absent,
    Misspelt,
    Reference,
    Text,
    Unresolved,
    show,
)

_ECR = re.compile(r"^(?P<account>\d{12}|\$\{[^}]+\})\.dkr\.ecr(-fips)?\.[^/]+\.[^/]+/.+")
_DIGEST = re.compile(r"@sha256:([0-9a-f]{64}|.*\$\{)")
# s3://bucket/…, https://bucket.s3.region.amazonaws.com/… and https://s3.region.amazonaws.com/bucket/…
_BUCKET = re.compile(
    r"^(?:s3://|https://s3[.-][^/]*amazonaws\.com[^/]*/|https://)"
    r"(?P<name>[^/]+?)(?:\.s3[.-][^/]*amazonaws\.com[^/]*)?(?:/|$)"
)


@dataclass(frozen=True)
class PinnedImage:
    """An image in ECR, named by its digest: a tag can be moved to another image.

    The registry is the account's own, one of `trusted_accounts`, one of AWS's own for SageMaker, or matches
    the setting `registries`.
    """

    def check(self, value: Any, context: Context) -> Outcome | None:
        """Read the image's address; a missing one is another rule's."""
        if isinstance(value, Absent):
            return misspelt(value) if isinstance(value, Misspelt) else None
        shown = show(value)
        if any(fnmatchcase(shown, pattern) for pattern in context.settings.registries):
            return None
        if isinstance(value, Unresolved | Reference) or (type(value) is Text and value.unresolved):
            return known_later(value)
        if type(value) not in (str, Text):
            return Fail("names no image")
        if not _DIGEST.search(shown):
            return Fail(f"is {shown}, named by a tag and not by @sha256:…")
        if type(value) is Text and any(r.resource.type == "AWS::ECR::Repository" for r in value.references):
            return None
        registry = _ECR.match(shown)
        if registry is None:
            return Fail(f"is {shown}, which is not in ECR")
        account = registry["account"]
        known = {"${AWS::AccountId}", *context.settings.trusted_accounts} | _aws_accounts()
        if account in known:
            return None
        if account.startswith("$"):
            return known_later(value)
        return Fail(f"is in the registry of {account}, which is not in trusted_accounts or registries")


@cache
def _aws_accounts() -> frozenset[str]:
    """The accounts of AWS that publish images, by the data that the endpoint policies use."""
    file = Path(__file__).parents[2] / "network" / "aws_registries.json"
    accounts = json.loads(file.read_text(encoding="utf-8"))["accounts"]
    return frozenset(account for found in accounts.values() for account in found)


@dataclass(frozen=True)
class MonitorImage:
    """An image that AWS publishes for monitoring, of which it gives no digest, or a pinned one of ours."""

    def check(self, value: Any, context: Context) -> Outcome | None:
        """Read the image's address."""
        shown = show(value)
        registry = _ECR.match(shown)
        if registry and re.search(r"/sagemaker-(model-monitor-analyzer|clarify-processing)\b", shown):
            if registry["account"] in _aws_accounts():
                return None
            if registry["account"].startswith("$"):
                return known_later(value)
        return PinnedImage().check(value, context)


@dataclass(frozen=True)
class ApprovedBucket:
    """A place in a bucket of the templates, or of the setting `buckets`."""

    def check(self, value: Any, context: Context) -> Outcome | None:
        """Follow the place to its bucket; a missing one is another rule's."""
        if isinstance(value, Absent):
            return misspelt(value) if isinstance(value, Misspelt) else None
        if type(value) is Reference:
            # A bucket, or what a resource says about where it writes.
            return None if value.resource.type.startswith("AWS::") else known_later(value)
        if type(value) is Text:
            if any(r.resource.type == "AWS::S3::Bucket" for r in value.references):
                return None
            if value.unresolved or value.references:
                return known_later(value)
        if isinstance(value, Unresolved):
            return known_later(value)
        place = _BUCKET.match(show(value))
        name = place["name"] if place else show(value).removeprefix("arn:aws:s3:::").split("/")[0]
        if any(fnmatchcase(name, pattern) for pattern in context.settings.buckets):
            return None
        if any(
            show(context.graph.get(bucket, "BucketName")) == name
            for bucket in context.graph.resources("AWS::S3::Bucket")
        ):
            return None
        if not name:
            return Fail("names no bucket")
        return Fail(f"is in {name}, a bucket of neither the templates nor the setting buckets")


@dataclass(frozen=True)
class ApprovedHost:
    """An https address on a host of the setting `repository_hosts`, with no password in it."""

    def check(self, value: Any, context: Context) -> Outcome | None:
        """Read the address; a missing one is another rule's."""
        if isinstance(value, Absent):
            return misspelt(value) if isinstance(value, Misspelt) else None
        if type(value) is Reference and value.resource.type == "AWS::SageMaker::CodeRepository":
            return None
        if not isinstance(value, str | Text) or (isinstance(value, Text) and value.unresolved):
            return known_later(value)
        shown = show(value)
        if re.search(r"://[^/@]*:[^/@]*@", shown):
            return Fail("has a password in it")
        if "://" not in shown:
            # The name of a CodeRepository, whose own address another rule reads.
            return None
        scheme, _, rest = shown.partition("://")
        host = rest.split("/")[0].rpartition("@")[2]
        if scheme != "https":
            return Fail(f"is reached by {scheme}, not by https")
        if any(fnmatchcase(host, pattern) for pattern in context.settings.repository_hosts):
            return None
        return Fail(f"is on {host}, which is not in repository_hosts")
