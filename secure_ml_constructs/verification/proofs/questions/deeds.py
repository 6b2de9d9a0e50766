"""Assets, and what must not be done to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from secure_ml_constructs.verification.proofs.iam.documents import Document
from secure_ml_constructs.verification.proofs.iam.domains import Values
from secure_ml_constructs.verification.proofs.iam.policies import Method
from secure_ml_constructs.verification.proofs.questions.answers import Adversary
from secure_ml_constructs.verification.templates import Resource

EVERYONE = frozenset(Adversary)


class Who(StrEnum):
    """Which roles a deed is asked of, where it is not the same for all."""

    GRANTED = "those that anything may grant it"
    ANY = "one with every permission, so that only what others say of it stops it"
    UNPERMITTED = "one without any permission of its own"
    GUARDED = "those that are named, with every permission that their own denials and boundary leave"
    NAMED = "those that are named, trusted or not, with what they are granted, from anywhere"
    SIGNING_IN = "those whom a role's trust lets in by their identity provider"
    DEPLOYING = "those that deploy, which nobody else asks about"


# The function that a secret names for its rotation.
ROTATED_BY = "secretsmanager:resource/allowrotationlambdaarn"


@dataclass(frozen=True)
class Act:
    """A request that a deed takes.

    Attributes:
        action: The action.
        resource: An ARN, or a pattern of ARNs: any that matches will do.
        policy: The policy of the resource; None where it has none.
        context: What its context has to be.
        service: The VPC endpoint's service that it passes on its way; empty for a request that an AWS
            service makes for the caller, which passes none.
        named: What the statement that grants it by design has to begin with: the asset's own ARN.
        public_access_blocked: Whether Block Public Access restricts the bucket.
        account: The account that the resource is in. Default: the asset's.
        method: The method of an API that it calls.
        endpoint: The id of the one VPC endpoint that it is about. Default: any of the service.
        roles: The ARNs of the roles whose sessions have such a context, or whose guardrails are asked about.
            Default: those of every role.
    """

    action: str
    resource: str
    policy: Document | None = None
    context: Mapping[str, Values] = field(default_factory=dict)
    service: str = ""
    named: str = ""
    public_access_blocked: bool = False
    account: str = ""
    method: Method | None = None
    endpoint: str = ""
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Deed:
    """Something that must not be done.

    Attributes:
        name: In one or two words.
        ways: Ways to do it, each the requests that all have to be let through.
        control: The control that it belongs to.
        adversaries: Who is asked about.
        guardrail: What an organization's policy has to deny, where nothing that a template holds can keep a
            principal of the account from it; empty where the resource's own policy can.
        by_design: Whether a role that is granted it by the asset's own name may do it from inside; of roles
            with every permission, whether it may be left to the permissions that they really have.
        who: Which roles of the environment are asked about; as insiders, whether those that deploy are.
        from_outside: Whether what is granted by name may be done from outside: by callers of a public door,
            or by a service with the role.
    """

    name: str
    ways: tuple[tuple[Act, ...], ...]
    control: str
    adversaries: frozenset[Adversary] = EVERYONE
    guardrail: str = ""
    by_design: bool = True
    who: Who = Who.GRANTED
    from_outside: bool = False


@dataclass(frozen=True)
class Asset:
    """Something worth having.

    Attributes:
        name: What the questions call it.
        kind: `data`, `key`, `trail` …
        deeds: What must not be done to it.
        resource: The resource; None where it is none of the templates.
        account: The account that it is in.
        missing: Why nothing can be said of it; empty where something can.
    """

    name: str
    kind: str
    deeds: tuple[Deed, ...]
    resource: Resource | None = None
    account: str = ""
    missing: str = ""


def one(*acts: Act) -> tuple[tuple[Act, ...], ...]:
    """Ways of one request each."""
    return tuple((act,) for act in acts)
