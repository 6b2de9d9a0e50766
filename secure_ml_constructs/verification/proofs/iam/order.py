"""IAM's order of evaluation, written once for truth values and for formulas alike.

`evaluate` puts truth values in and gets a decision; `encode` puts formulas in and gets a formula. So the two
cannot disagree about the order. IAM User Guide, "How AWS enforcement code logic evaluates requests",
"Cross-account policy evaluation logic" and "Evaluating policies with permissions boundaries"; for the methods
of APIs the API Gateway Developer Guide, "How API Gateway resource policies affect authorization workflow".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from secure_ml_constructs.verification.proofs.iam.policies import Authorization, Policies
from secure_ml_constructs.verification.proofs.iam.requests import Caller, Principal
from secure_ml_constructs.verification.proofs.iam.ternary import NotCovered

T = TypeVar("T")

# "List of AWS services that support RCPs" (AWS Organizations User Guide), the ones of its first edition.
# On others it depends on the day whether an RCP binds.
RCP_SERVICES = frozenset({"s3", "sts", "kms", "sqs", "secretsmanager"})
_ASSUME = re.compile(r"sts:(assumerole\w*|tagsession|setsourceidentity|setcontext)")
_BUCKET_POLICY = re.compile(r"s3:(get|put|delete)bucketpolicy")
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


BOOLEAN: Logic[bool] = Logic(all, any, lambda value: not value)


@dataclass(frozen=True)
class Ways:
    """Which ways to an Allow a request has.

    Attributes:
        alone: The resource's policy decides alone: for services, identity providers, anonymous callers.
        same_account: Caller and resource are of one account.
        policy_needed: The resource's own policy must let the account in, as keys and role trusts do.
        public_stops: Block Public Access stops it where the policy is public.
        by_itself: The caller needs no identity policy: the root user.
        open: Why nothing has to allow it; only a Deny stops it then.
        closed: Why nothing can allow it.
    """

    alone: bool
    same_account: bool
    policy_needed: bool = False
    public_stops: bool = False
    by_itself: bool = False
    open: str = ""
    closed: str = ""


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
    if principal.caller in (Caller.OTHER, Caller.FEDERATED_USER):
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
    if low == "execute-api:invoke" and principal.caller is not Caller.SERVICE:
        return _method_ways(principal, same, policies)
    is_root = principal.caller is Caller.ROOT
    if is_root and same and _BUCKET_POLICY.fullmatch(low):
        return NotCovered("what the root user may do with a bucket's policy although that policy denies it")
    on_bucket = re.match(r"arn:[^:]+:s3:::", resource) is not None
    return Ways(
        alone=alone,
        same_account=same,
        policy_needed=is_key or is_assume,
        public_stops=policies.block_public_access
        and on_bucket
        and not same
        and principal.caller is not Caller.SERVICE,
        by_itself=is_root,
        closed="the root user can't assume a role" if is_root and is_assume else "",
    )


def _method_ways(principal: Principal, same_account: bool, policies: Policies) -> Ways | NotCovered:
    """The ways into the method of an API.

    With IAM the identity or the API's policy allows it in one account, both across accounts, as elsewhere.
    With a Lambda authorizer it is its answer or the policy ("Table A"): one that accepts the caller suffices,
    and only a Deny stops it. With Cognito the token and the policy, where there is one, must both accept it.
    """
    method, anonymous = policies.method, principal.caller is Caller.ANONYMOUS
    if method is None and anonymous and policies.resource is None:
        return NotCovered("how the method authorizes its callers is not given")
    which = Ways(alone=anonymous, same_account=same_account, by_itself=principal.caller is Caller.ROOT)
    if method is None:
        return which
    if method.private and policies.resource is None:
        return replace(which, closed="a private API without a policy can't be invoked")
    if method.authorization is Authorization.IAM:
        return replace(which, closed="the method asks for a signature") if anonymous else which
    if method.authorization is not Authorization.NONE and not method.token:
        # Whoever it is: a signature is no token.
        return replace(which, closed="the authorizer does not accept the caller")
    if not anonymous:
        return NotCovered("a method that takes no signature: its callers are anonymous")
    if method.authorization is Authorization.LAMBDA:
        return replace(which, open="the Lambda authorizer accepts the caller, which suffices")
    if policies.resource is None:
        return replace(which, open="the API has no policy that would limit its callers")
    return which


def allowed(parts: Parts[T], which: Ways, logic: Logic[T]) -> T:
    """Put the parts together."""
    limits = [part for part in (parts.boundary, parts.session) if part is not None]
    identity = logic.every([]) if which.by_itself else parts.identity
    if which.closed:
        granted = logic.some([])
    elif which.open:
        granted = logic.every([])
    elif which.alone:
        granted = parts.direct
    elif not which.same_account:
        by_resource = logic.some([parts.direct, parts.role, parts.account])
        granted = logic.every([by_resource, identity, *limits])
    else:
        by_identity = [identity, *limits]
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
