"""Images in Amazon ECR, by their digest and from known registries."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_cdk import Stack
from constructs import Construct

from secure_ml_constructs._cdk import is_token
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.network.aws_registries import partition_accounts
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.policy import sub

_IMAGE = re.compile(
    r"(?P<account>\d{12}|\$\{AWS::AccountId\}|\$\{Token\[[^\]]+\]\})\.dkr\.ecr(?:-fips)?\."
    r"(?P<region>[^./]+|\$\{Token\[[^\]]+\]\})\."
    r"[^/]+/(?P<repository>[^@:]+)@sha256:(?:[0-9a-f]{64}|.*\$\{Token\[.*)"
)


@dataclass(frozen=True)
class EcrImage:
    """An image by its digest.

    Attributes:
        account: The registry's account; may be `${AWS::AccountId}` or a token.
        region: The registry's region; likewise.
        repository: The repository's name.
    """

    account: str
    region: str
    repository: str

    @classmethod
    def read(cls, text: str) -> EcrImage | None:
        """Read `<account>.dkr.ecr.<region>.<suffix>/<repository>@sha256:<digest>`; None for anything else.

        Args:
            text: The image.
        """
        found = _IMAGE.fullmatch(text)
        return cls(**found.groupdict()) if found else None

    @classmethod
    def check(
        cls, problems: Problems, argument: str, text: str, *, accounts: Collection[str], of_aws: bool = True
    ) -> EcrImage | None:
        """Read an image, and record one that may be another tomorrow, or is a stranger's.

        Args:
            problems: Where to record.
            argument: Its place among the arguments.
            text: The image.
            accounts: The accounts that are trusted.
            of_aws: Whether AWS's accounts with SageMaker's images are too.
        """
        image = cls.read(text)
        if image is None:
            problems.add(
                argument,
                text,
                "This is no image in ECR by its digest; a tag can be moved to another image.",
                "Write '<account>.dkr.ecr.<region>.amazonaws.com/<repository>@sha256:<digest>', for instance "
                "by repository.repository_uri_for_digest(...).",
            )
            return None
        if image.account.startswith("$") or image.account in accounts:
            return image
        if of_aws and image.account in _of_aws():
            return image
        known = "neither this one, nor one of the perimeter"
        problems.add(
            argument,
            text,
            f"Account {image.account} is {known}, nor one of AWS."
            if of_aws
            else f"Account {image.account} is {known}.",
            "Copy the image into a repository of yours, or name the account in the perimeter.",
        )
        return None

    def repository_arn(self) -> Any:
        """Give the ARN of its repository."""
        return sub(f"arn:${{AWS::Partition}}:ecr:{self.region}:{self.account}:repository/{self.repository}")


def trusted_accounts(scope: Construct, perimeter: DataPerimeter) -> Sequence[str]:
    """Give the accounts whose images may run: the perimeter's, and the stack's own where it is known.

    Args:
        scope: A construct of that stack.
        perimeter: Who is trusted.
    """
    own = Stack.of(scope).account
    return tuple(perimeter.accounts) if is_token(own) else (*perimeter.accounts, own)


@cache
def _of_aws() -> frozenset[str]:
    return frozenset(each for accounts in partition_accounts().values() for each in accounts)
