"""One request as IAM sees it: who, what, on what, in which context."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from secure_ml_constructs.verification.proofs.iam.keys import MULTIVALUED
from secure_ml_constructs.verification.proofs.iam.patterns import Value

_ROLE = re.compile(r"arn:[^:]+:iam::(\d{12}):role/(?:.*/)?([^/]+)")
_SESSION = re.compile(r"arn:[^:]+:sts::(\d{12}):assumed-role/([^/]+)/(.+)")
_USER = re.compile(r"arn:[^:]+:iam::(\d{12}):user/.+")
_ROOT = re.compile(r"arn:[^:]+:iam::(\d{12}):root")
_FEDERATED_USER = re.compile(r"arn:[^:]+:sts::(\d{12}):federated-user/.+")
_SERVICE = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?")
_PROVIDER = re.compile(r"arn:[^:]+:iam::(\d{12}):(saml|oidc)-provider/.+")


class Caller(StrEnum):
    """What kind of principal calls."""

    ROLE = "role"
    SESSION = "session"
    USER = "user"
    ROOT = "root user"
    FEDERATED_USER = "federated user"
    SERVICE = "service"
    FEDERATED = "federated"
    ANONYMOUS = "anonymous"
    OTHER = "other"


# What `aws:PrincipalType` says.
_TYPES = {
    Caller.ROLE: "AssumedRole",
    Caller.SESSION: "AssumedRole",
    Caller.USER: "User",
    Caller.ROOT: "Account",
}


@dataclass(frozen=True)
class Principal:
    """Who calls.

    Attributes:
        caller: What kind of principal.
        name: Its ARN or name; empty for an anonymous caller.
        account: Its account; None for services, identity providers by name, and anonymous callers.
        role: The name of the role of roles and their sessions.
    """

    caller: Caller
    name: str
    account: str | None = None
    role: str | None = None

    @classmethod
    def read(cls, given: str | Mapping[str, str] | None) -> Principal:
        """Read a principal as requests give it.

        Args:
            given: An ARN, a service's name, `{"Federated": …}` or its like, or None for an anonymous caller.
                The ARN of a role stands for a session of that role whose name is not known.
        """
        if given is None or given == "*":
            return cls(Caller.ANONYMOUS, "")
        if not isinstance(given, str):
            ((kind, name),) = given.items()
            if kind == "Federated":
                provider = _PROVIDER.fullmatch(name)
                return cls(Caller.FEDERATED, name, provider[1] if provider else None)
            given = name
        if match := _ROLE.fullmatch(given):
            return cls(Caller.ROLE, given, match[1], match[2])
        if match := _SESSION.fullmatch(given):
            return cls(Caller.SESSION, given, match[1], match[2])
        if match := _USER.fullmatch(given):
            return cls(Caller.USER, given, match[1])
        if match := _PROVIDER.fullmatch(given):
            return cls(Caller.FEDERATED, given, match[1])
        if _SERVICE.fullmatch(given):
            return cls(Caller.SERVICE, given)
        if match := _ROOT.fullmatch(given):
            return cls(Caller.ROOT, given, match[1])
        if match := _FEDERATED_USER.fullmatch(given):
            return cls(Caller.FEDERATED_USER, given, match[1])
        return cls(Caller.OTHER, given)

    @property
    def in_account(self) -> bool:
        """Whether it is the root user, a user or a role of an account, which SCPs bind."""
        return self.has_policies or self.caller is Caller.ROOT

    @property
    def has_policies(self) -> bool:
        """Whether it is a user or role, which identity policies and boundaries are for."""
        return self.caller in (Caller.ROLE, Caller.SESSION, Caller.USER)

    @property
    def service_linked(self) -> bool:
        """Whether it is a service-linked role, which neither SCP nor RCP binds."""
        return ":role/aws-service-role/" in self.name or (self.role or "").startswith("AWSServiceRoleFor")


@dataclass(frozen=True)
class Request:
    """One request.

    Attributes:
        principal: Who calls.
        action: The action, `service:Name`.
        resource: The resource's ARN, or `*` for an action that knows none.
        context: The context by keys in lower case; a key with several values has a tuple.
    """

    principal: Principal
    action: str
    resource: str
    context: Mapping[str, Value] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        principal: str | Mapping[str, str] | None,
        action: str,
        resource: str,
        context: Mapping[str, Any] | None = None,
    ) -> Request:
        """Make a request; what follows from the principal and the resource alone is filled in.

        Args:
            principal: As `Principal.read` takes it.
            action: The action.
            resource: The resource.
            context: Keys in any case; a value of None takes a key out that would be filled in.
        """
        who = Principal.read(principal)
        filled: dict[str, Value] = {key: value for key, value in _facts(who, resource).items() if value}
        for key, value in (context or {}).items():
            read = _value(key.lower(), value)
            if read is None:
                filled.pop(key.lower(), None)
            else:
                filled[key.lower()] = read
        return cls(who, action, resource, filled)

    @property
    def service(self) -> str:
        """The service of the action, in lower case."""
        return self.action.partition(":")[0].lower()

    @property
    def resource_account(self) -> str | None:
        """The account that owns the resource, where it is known."""
        return account_of(self.resource, self.context)

    def as_json(self) -> dict[str, Any]:
        """The request as `secure-ml decide --request` reads it."""
        context = {key: list(v) if isinstance(v, tuple) else v for key, v in self.context.items()}
        principal: Any = self.principal.name or None
        if self.principal.caller is Caller.FEDERATED:
            principal = {"Federated": principal}
        return {
            "principal": principal,
            "action": self.action,
            "resource": self.resource,
            "context": context,
        }


def account_of(resource: str, context: Mapping[str, Value]) -> str | None:
    """The account that owns a resource: by its ARN, else by `aws:ResourceAccount`."""
    parts = resource.split(":")
    if len(parts) >= 6 and re.fullmatch(r"\d{12}", parts[4]):
        return parts[4]
    given = context.get("aws:resourceaccount")
    return given if isinstance(given, str) else None


def _facts(principal: Principal, resource: str) -> dict[str, str | None]:
    """What AWS puts into the context of every such request.

    IAM User Guide, "AWS global condition context keys", the availability of each key.
    """
    if principal.caller is Caller.ANONYMOUS:
        return {"aws:resourceaccount": account_of(resource, {})}
    facts = {
        "aws:resourceaccount": account_of(resource, {}),
        "aws:principalisawsservice": str(principal.caller is Caller.SERVICE).lower(),
    }
    if principal.caller is Caller.SERVICE:
        facts["aws:principalservicename"] = principal.name
    elif principal.in_account:
        facts["aws:principalaccount"] = principal.account
        facts["aws:principaltype"] = _TYPES[principal.caller]
        # The key names the role, with its path, which a session's ARN does not tell.
        facts["aws:principalarn"] = None if principal.caller is Caller.SESSION else principal.name
    return facts


def _value(key: str, given: Any) -> Value | None:
    if given is None:
        return None
    if isinstance(given, bool):
        given = str(given).lower()
    if isinstance(given, Sequence) and not isinstance(given, str):
        return tuple(str(each) for each in given) or None
    return (str(given),) if key in MULTIVALUED else str(given)
