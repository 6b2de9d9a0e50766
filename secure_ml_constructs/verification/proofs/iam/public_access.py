"""What S3 Block Public Access takes for a public bucket policy.

Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage", "The meaning of public":
with RestrictPublicBuckets, a bucket with such a policy is open to AWS services and its own account only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from secure_ml_constructs.verification.proofs.iam.documents import Condition, Document, Statement
from secure_ml_constructs.verification.proofs.iam.operators import network
from secure_ml_constructs.verification.proofs.iam.patterns import Token
from secure_ml_constructs.verification.proofs.iam.ternary import Ternary, Unknown, every, negation, some

# A fixed value of one of these makes a grant to everyone a grant to somebody.
_FIXED = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourcearn",
        "aws:sourceaccount",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "s3:dataaccesspointarn",
        "s3:dataaccesspointaccount",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
    }
)
# Documented for no or for some operators only: what they do is asked for where it matters.
_UNSURE = frozenset(
    {"aws:principalisawsservice", "aws:principalservicename", "aws:principalservicenameslist"}
)
_VPCE = re.compile(r"aws:(vpce|sourceorg|sourcevpcarn)")


def is_public(policy: Document) -> Ternary:
    """Whether a bucket policy is public; `Unknown` where the page does not say."""
    return some(_statement(statement) for statement in policy.statements)


def _statement(statement: Statement) -> Ternary:
    element = statement.principals
    if not statement.allow or element is None:
        return False
    if element.unknown is not None:
        return element.unknown
    if element.inverted:
        return Unknown("whether an Allow with NotPrincipal makes a bucket public")
    if not element.anyone:
        return False
    stands = True if statement.unsure is None else statement.unsure
    return every((stands, *(negation(_narrows(condition)) for condition in statement.conditions)))


def _narrows(condition: Condition) -> Ternary:
    if condition.key == "aws:sourceip":
        return _narrow_addresses(condition)
    if condition.key in _UNSURE or _VPCE.match(condition.key):
        return Unknown(f"whether {condition.key} keeps a bucket from being public")
    if condition.key not in _FIXED:
        return False
    operator = condition.operator
    if operator is None or operator.negated or operator.family == "null":
        return False
    if condition.if_exists or condition.quantifier:
        return Unknown(f"whether {condition.written} keeps a bucket from being public")
    if all(_fixed(value) for value in condition.values):
        return True
    # "… a fixed value (a value that doesn't contain a wildcard)"; some wildcards are let pass.
    return Unknown(f"whether wildcards in {condition.key} make a bucket public")


def _fixed(value: Iterable[Token] | Unknown) -> bool:
    return not isinstance(value, Unknown) and all(
        isinstance(token, str) and not re.search(r"[*?]", token) for token in value
    )


def _narrow_addresses(condition: Condition) -> Ternary:
    """Blocks of at most /8, or /32 for IPv6, are narrow."""
    if condition.operator is None or condition.operator.name != "IpAddress" or condition.quantifier:
        return False
    if condition.if_exists:
        return Unknown("whether IpAddressIfExists keeps a bucket from being public")
    found: list[Ternary] = []
    for value in condition.values:
        block = None if isinstance(value, Unknown) else network("".join(map(str, value)))
        if block is None:
            return Unknown("a block of addresses that is not known")
        found.append(block.prefixlen >= (8 if block.version == 4 else 32) or block.is_private)
    return every(found)
