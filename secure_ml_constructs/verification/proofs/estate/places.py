"""Where templates are deployed: account, region and partition."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from secure_ml_constructs.verification.templates import Template

# They stand for what nobody told; no condition and no mapping is settled by them.
ACCOUNT = "111122223333"
REGION = "eu-west-1"
_ENVIRONMENT = re.compile(r"aws://([^/]+)/([^/]+)")
_PARTITIONS = {"cn": "aws-cn", "us-gov": "aws-us-gov", "us-iso": "aws-iso", "us-isob": "aws-iso-b"}


@dataclass(frozen=True)
class Place:
    """Where a template is deployed.

    Attributes:
        account: The account's id.
        region: The region.
        partition: `aws`, `aws-cn` …
        assumed: The pseudo parameters that nobody told: a value stands for any other.
    """

    account: str
    region: str
    partition: str
    assumed: frozenset[str] = frozenset()

    @property
    def suffix(self) -> str:
        """What `AWS::URLSuffix` gives."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"


def find_places(
    templates: Iterable[Template], account: str | None, region: str | None, partition: str | None
) -> dict[Template, Place]:
    """Find out where each template is deployed.

    Args:
        templates: The templates.
        account: The account of all; None to take each from the CDK's manifest beside the template.
        region: The region of all; None as above.
        partition: The partition of all; None for the one of the region, `aws` where that is not known.
    """
    manifests: dict[Path, dict[str, tuple[str, str]]] = {}
    found: dict[Template, Place] = {}
    for template in templates:
        root = template
        while root.parent is not None:
            root = root.parent.template
        path = Path(root.path)
        if path.parent not in manifests:
            manifests[path.parent] = _environments(path.parent / "manifest.json")
        noted = manifests[path.parent].get(path.name, ("", ""))
        found[template] = _place(account or noted[0], region or noted[1], partition)
    return found


def _place(account: str, region: str, partition: str | None) -> Place:
    assumed = {name for name, value in (("AWS::AccountId", account), ("AWS::Region", region)) if not value}
    head = re.match(r"(cn|us-gov|us-isob|us-iso)-", region)
    by_region = _PARTITIONS[head[1]] if head else "aws"
    return Place(account or ACCOUNT, region or REGION, partition or by_region, frozenset(assumed))


def _environments(manifest: Path) -> dict[str, tuple[str, str]]:
    """Account and region by template file, empty where the CDK knew none; nothing without a manifest."""
    try:
        artifacts: Any = json.loads(manifest.read_text(encoding="utf-8"))["artifacts"].values()
        found: dict[str, tuple[str, str]] = {}
        for artifact in artifacts:
            name = artifact.get("properties", {}).get("templateFile")
            noted = _ENVIRONMENT.fullmatch(str(artifact.get("environment", "")))
            if name and noted:
                account, region = noted.groups()
                found[name] = (
                    account if account.isdigit() else "",
                    "" if region == "unknown-region" else region,
                )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # Other tools write a manifest.json too.
        return {}
    return found
