"""Names for what has to be known by its name before it is there."""

from __future__ import annotations

import re

from aws_cdk import Stack
from constructs import Construct

from secure_ml_constructs._cdk import is_token


def physical_name(construct: Construct, last: str, *, longest: int = 63, prefix: str = "") -> str:
    """Give a name that no other stack has, the same each time, in lower case.

    Lower case: SageMaker writes names so in ARNs, and as they were given in logs and metrics.

    Args:
        construct: What the name is for.
        last: The last word of it.
        longest: The most characters.
        prefix: What it has to begin with.
    """
    stack = Stack.of(construct).stack_name
    digest = construct.node.addr[-8:]
    words = re.sub(r"[^a-z0-9]+", "-", f"{'' if is_token(stack) else stack}-{last}".lower()).strip("-")
    return f"{prefix}{words[: longest - len(prefix) - len(digest) - 1].strip('-')}-{digest}"
