"""The managed prefix lists by which groups name S3 and DynamoDB."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from secure_ml_constructs._cdk import is_token
from secure_ml_constructs.errors import Problems

_PREFIX_LIST = re.compile(r"pl-[0-9a-f]{8,17}")


@dataclass(frozen=True, kw_only=True)
class PrefixLists:
    """The ids of AWS's managed prefix lists in the environment's region.

    They never change within a region: `aws ec2 describe-managed-prefix-lists` shows them.

    Args:
        s3: The list named `com.amazonaws.<region>.s3`.
        dynamodb: The list named `com.amazonaws.<region>.dynamodb`.
        s3express: The list named `com.amazonaws.<region>.s3express`, where that endpoint is asked for.
    """

    s3: str | None = None
    dynamodb: str | None = None
    s3express: str | None = None

    def check(self, problems: Problems, needed: Sequence[str]) -> dict[str, str]:
        """Give the id for each gateway service, and record what is missing or malformed."""
        ids: dict[str, str] = {}
        for service in needed:
            value = getattr(self, service, None)
            argument = f"prefix_lists.{service}"
            if value is None:
                reason = f"The gateway endpoint of {service} needs it: groups name its addresses by the list."
                problems.add(argument, value, reason, "Give it, or leave prefix_lists out for a lookup.")
            elif not is_token(value) and not _PREFIX_LIST.fullmatch(value):
                fix = "Write 'pl-' and 8 to 17 hexadecimal digits."
                problems.add(argument, value, "This is no prefix list id.", fix)
            else:
                ids[service] = value
        return ids
