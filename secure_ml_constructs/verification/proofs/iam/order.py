"""IAM's order of evaluation, written once for truth values and for formulas alike.

`evaluate` puts truth values in and gets a decision; `encode` puts formulas in and gets a formula. So the two
cannot disagree about the order. IAM User Guide, "How AWS enforcement code logic evaluates requests",
"Cross-account policy evaluation logic" and "Evaluating policies with permissions boundaries".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from secure_ml_constructs.verification.proofs.iam.policies import Policies
from secure_ml_constructs.verification.proofs.iam.requests import Caller, Principal
from secure_ml_constructs.verification.proofs.iam.ternary import NotCovered

T = TypeVar("T")

# "List of AWS services that support RCPs" (AWS Organizations User Guide), the ones of its first edition.
# On others it depends on the day whether an RCP binds.
RCP_SERVICES = frozenset({"s3", "sts", "kms", "sqs", "secretsmanager"})
_ASSUME = re.compile(r"sts:(assumerole\w*|tagsession|setsourceidentity|setcontext)")
_KEY = re.compile(r"arn:[^:]+:kms:[^:]*:[^:]*:key/.*")
_BY_IDENTITY_PROVIDER = re.compile(r"sts:(assumerolewith(saml|webidentity)|tagsession|setsourceidentity)")


@dataclass(frozen=True, kw_only=True)
class Parts(Generic[T]):
    """What the documents say, part by part.

    Attributes:
        denied: For each Deny, whether it applies.
        scps: For each level, whether an SCP of it allows.
        endpoint: Whether the endpoint's policy allows; None where none stands in the way. So below.
        boundary: Whether the boundary allows.
        session: Whether the session policy allows.
        identity: Whether an identity policy allows.
        direct: Whether the resource's policy allows the very session or user, or anyone.
        role: Whether it allows the role.
        account: Whether it allows the account, which leaves the choice to identity policies.
        public: Whether Block Public Access takes the resource's policy for public.
    """

    denied: Sequence[T]
    scps: Sequence[T]
    endpoint: T | None
    boundary: T | None
    session: T | None
    identity: T
    direct: T
    role: T
    account: T
    public: T


@dataclass(frozen=True)
class Logic(Generic[T]):
    """The connectives."""

    every: Callable[[Sequence[T]], T]
    some: Callable[[Sequence[T]], T]
    negation: Callable[[T], T]


@dataclass(frozen=True)
class Ways:
    """Which ways to an Allow a request has.

    Attributes:
        alone: The resource's policy decides alone: for services, identity providers, anonymous callers.
        same_account: Caller and resource are of one account.
        policy_needed: The resource's own policy must let the account in, as keys and role trusts do.
        public_stops: Block Public Access stops it where the policy is public.
    """

    alone: bool
    same_account: bool
    policy_needed: bool
    public_stops: bool


def ways(
    principal: Principal, action: str, resource: str, resource_account: str | None, policies: Policies
) -> Ways | NotCovered:
    """Find out which ways to an Allow a request has.

    Args:
        principal: Who calls.
        action: The action.
        resource: The resource's ARN, or a pattern of ARNs.
        resource_account: The account that owns it.
        policies: The documents.
    """
    low = action.lower()
    if principal.caller is Caller.OTHER:
        return NotCovered(f"principals such as {principal.name}")
    is_key, is_assume = _KEY.fullmatch(resource) is not None, _ASSUME.fullmatch(low) is not None
    if (is_key or is_assume) and policies.resource is None:
        return NotCovered(f"the {'key policy' if is_key else 'role trust'} is not given, and there is one")
    alone = not principal.in_account
    if principal.caller is Caller.FEDERATED and not _BY_IDENTITY_PROVIDER.fullmatch(low):
        return NotCovered("an identity provider as the caller of anything but AssumeRoleWith…")
    if not alone and resource_account is None:
        return NotCovered("the account of the resource is not known: give aws:ResourceAccount")
    same = not alone and principal.account == resource_account
    on_bucket = re.match(r"arn:[^:]+:s3:::", resource) is not None
    return Ways(
        alone=alone,
        same_account=same,
        policy_needed=is_key or is_assume,
        public_stops=policies.block_public_access
        and on_bucket
        and not same
        and principal.caller is not Caller.SERVICE,
    )


def allowed(parts: Parts[T], which: Ways, logic: Logic[T]) -> T:
    """Put the parts together."""
    limits = [part for part in (parts.boundary, parts.session) if part is not None]
    if which.alone:
        granted = parts.direct
    elif not which.same_account:
        by_resource = logic.some([parts.direct, parts.role, parts.account])
        granted = logic.every([by_resource, parts.identity, *limits])
    else:
        by_identity = [parts.identity, *limits]
        if which.policy_needed:
            by_identity.append(parts.account)
        # A resource's policy that names the session or user grants past the boundary and the session
        # policy; one that names the role grants within them.
        granted = logic.some([parts.direct, logic.every([parts.role, *limits]), logic.every(by_identity)])
    needed = [granted, *parts.scps]
    if parts.endpoint is not None:
        needed.append(parts.endpoint)
    stops = [*parts.denied]
    if which.public_stops:
        stops.append(parts.public)
    return logic.every([*needed, logic.negation(logic.some(stops))])
