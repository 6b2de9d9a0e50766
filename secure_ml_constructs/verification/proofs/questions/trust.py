"""Who is no adversary, and which guardrails the organization has."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from ipaddress import ip_network
from typing import Any

from secure_ml_constructs.errors import Problems
from secure_ml_constructs.verification.proofs.estate import Place, Role

# AWS CDK: Bootstrapping, the role that CloudFormation deploys with.
DEPLOYING = (
    "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/"
    "cdk-hnb659fds-cfn-exec-role-${AWS::AccountId}-${AWS::Region}"
)
Guardrails = tuple[tuple[Mapping[str, Any], ...], ...]


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Whom the owner of an environment trusts. ARNs may hold `${AWS::AccountId}` and the like, and wildcards.

    Attributes:
        organization: The organization's id. Default: those that the policies name.
        accounts: Trusted accounts besides the environment's own.
        role_paths: IAM paths of environments' roles. Default: the roles of the templates alone.
        administrators: Roles that administer keys and buckets.
        deploying_roles: Roles that CloudFormation works with. Default: the CDK's.
        break_glass_roles: Roles for emergencies.
        erasure_roles: Roles that erase one person's records.
        exceptions: Roles that the perimeter lets through by name, such as service-linked ones.
        networks: Ranges of other networks that may be reached, as CIDR blocks: on-premises ones.
        scps: Service control policies, by level of the organization from the root down.
        rcps: Resource control policies, likewise.
    """

    organization: str | None = None
    accounts: tuple[str, ...] = ()
    role_paths: tuple[str, ...] = ()
    administrators: tuple[str, ...] = ()
    deploying_roles: tuple[str, ...] = (DEPLOYING,)
    break_glass_roles: tuple[str, ...] = ()
    erasure_roles: tuple[str, ...] = ()
    exceptions: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    scps: Guardrails = ()
    rcps: Guardrails = ()

    @property
    def trusted_roles(self) -> tuple[str, ...]:
        """Every role that is no adversary."""
        named = (*self.administrators, *self.deploying_roles, *self.break_glass_roles)
        return tuple(dict.fromkeys((*named, *self.erasure_roles, *self.exceptions)))

    def trusts(self, role: Role, place: Place) -> bool:
        """Whether a role is no adversary.

        Args:
            role: The role.
            place: Where it is.
        """
        patterns = (filled(each, place) for each in self.trusted_roles)
        return isinstance(role.arn, str) and any(fnmatchcase(role.arn, each) for each in patterns)

    def stranger(self, *accounts: str) -> str:
        """An account of nobody whom we trust: the one that outsiders call from.

        Args:
            accounts: The environment's own.
        """
        ours = {*self.accounts, *accounts}
        return next(each for each in (f"99998888{n:04}" for n in range(7777, 10_000)) if each not in ours)

    @classmethod
    def read(cls, data: Any, where: str) -> Trust:
        """Read it from a configuration file.

        Args:
            data: The file's `proofs` section.
            where: What errors call it.

        Raises:
            ConfigurationError: An unknown name, or a value that it can't have; every problem at once.
        """
        problems = Problems()
        if not isinstance(data, Mapping):
            problems.add("proofs", data, "It is a mapping.", "Write names and values.")
            problems.raise_if_any(where)
        known = {each.name for each in fields(cls)}
        given: dict[str, Any] = {}
        for name, value in data.items():
            if name not in known:
                fix = f"Use one of {', '.join(sorted(known))}."
                problems.add(f"proofs.{name}", value, "There is no such setting.", fix)
            elif name == "organization":
                if value is not None and not isinstance(value, str):
                    problems.add(f"proofs.{name}", value, "It is a text.", "Write it in quotes.")
                given[name] = value
            elif name in ("scps", "rcps"):
                given[name] = _levels(name, value, problems)
            elif not isinstance(value, list) or not all(isinstance(each, str) for each in value):
                problems.add(f"proofs.{name}", value, "It is a list of texts.", "Write a list.")
            else:
                given[name] = tuple(value)
        for index, block in enumerate(given.get("networks", ())):
            try:
                ip_network(block)
            except ValueError:
                fix = "Write for instance '192.168.0.0/16'."
                problems.add(f"proofs.networks[{index}]", block, "This is no CIDR block.", fix)
        problems.raise_if_any(where)
        return cls(**given)

    def as_json(self) -> dict[str, Any]:
        """The form that `read` takes."""
        found: dict[str, Any] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, tuple):
                value = [list(item) if isinstance(item, tuple) else item for item in value]
            found[each.name] = value
        return found


def _levels(name: str, value: Any, problems: Problems) -> Guardrails:
    levels = value if isinstance(value, list) else [value]
    found: list[tuple[Mapping[str, Any], ...]] = []
    for index, level in enumerate(levels):
        documents = level if isinstance(level, Sequence) and not isinstance(level, str) else [level]
        if not all(isinstance(each, Mapping) and "Statement" in each for each in documents):
            problems.add(
                f"proofs.{name}[{index}]",
                level,
                "A level is a list of policy documents.",
                "Write the documents themselves, each with its Statement.",
            )
            continue
        found.append(tuple(documents))
    return tuple(found)


def filled(pattern: str, place: Place) -> str:
    """A pattern of ARNs in one place, its pseudo parameters filled in."""
    known = {
        "AWS::AccountId": place.account,
        "AWS::Partition": place.partition,
        "AWS::Region": place.region,
        "AWS::URLSuffix": place.suffix,
    }
    return re.sub(r"\$\{([^}]+)\}", lambda match: known.get(match[1], match[0]), pattern)
