"""AWS's own image registries that SageMaker's images come from, by region."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

from secure_ml_constructs.perimeter import AwsOwnedResource

PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "us-isof-": "aws-iso-f",
    "eu-isoe-": "aws-iso-e",
    "eusc-": "aws-eusc",
}
_PULL = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:DescribeImages",
    "ecr:GetDownloadUrlForLayer",
)
_NOBODY = "000000000000"


def partition_of(region: str) -> str:
    """Give the partition that a region belongs to."""
    return next((name for prefix, name in PARTITIONS.items() if region.startswith(prefix)), "aws")


def registry_accounts(region: str) -> Sequence[str]:
    """Give the accounts whose registries hold SageMaker's images in one region.

    A region that the data does not know gets those of its whole partition: they are AWS's all the same.
    """
    return _by_region().get(region) or partition_accounts()[partition_of(region)]


@cache
def partition_accounts() -> dict[str, list[str]]:
    """Give the accounts by partition.

    An account id is unique within its partition only, so one partition's list must never serve another. A
    partition without data gets an id that nobody has, since a condition can't be empty.
    """
    found: dict[str, set[str]] = {"aws": set(), **{name: set() for name in PARTITIONS.values()}}
    for region, accounts in _by_region().items():
        found[partition_of(region)].update(accounts)
    return {name: sorted(accounts) or [_NOBODY] for name, accounts in found.items()}


def registries(accounts: Any) -> tuple[AwsOwnedResource, ...]:
    """Give the entries that let AWS's images be pulled through the registry's endpoints.

    Args:
        accounts: The owners, as a list or an intrinsic that gives one.
    """
    return tuple(
        AwsOwnedResource(
            name="Images",
            service=service,
            actions=_PULL,
            resources=("arn:${AWS::Partition}:ecr:${AWS::Region}:*:repository/*",),
            accounts=accounts,
            reason="AWS's deep-learning, algorithm and Studio images lie in registries of AWS's accounts. "
            "(Amazon SageMaker AI: Docker Registry Paths and Example Code)",
        )
        for service in ("ecr.api", "ecr.dkr")
    )


@cache
def _by_region() -> dict[str, list[str]]:
    text = resources.files(__package__).joinpath("aws_registries.json").read_text()
    accounts: dict[str, list[str]] = json.loads(text)["accounts"]
    return accounts
