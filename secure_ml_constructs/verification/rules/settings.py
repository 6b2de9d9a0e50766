"""What the user of the pack decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network
from typing import Any

from secure_ml_constructs.errors import Problems
from secure_ml_constructs.verification.rules.rule import ERROR, WARNING, Severity

KINDS = ("key", "network", "principal", "other")


def _unresolved() -> dict[str, Severity]:
    return {"key": ERROR, "network": ERROR, "principal": ERROR, "other": WARNING}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where judgement differs between environments. Patterns are those of a shell: `ml.m5.*`.

    Attributes:
        instance_types: Instance types that may be used. The default leaves the largest accelerators out: they
            are what hijackers want, and an environment that trains on them says so.
        registries: Images that may be used besides those in the account's own ECR: AWS's deep-learning
            containers, say. Patterns over the whole URI. Those named here need no digest.
        buckets: Names of buckets that are not in the templates and may hold data and models.
        customer_keys: ARNs or ids of keys that are not in the templates and are known to be the customer's.
        networks: Ids of subnets and security groups that are not in the templates and known to be isolated.
        linked_networks: Ranges of other networks that routes may lead to, as CIDR blocks: on-premises ones.
        repository_hosts: Hosts from which code may be taken.
        trusted_accounts: Account ids that policies may name.
        off: Ids of rules that are not asked.
        on: Ids of rules that are off by default and are asked.
        severities: Another severity for a rule, by its id.
        unresolved: The severity of what can't be resolved, by kind.
    """

    instance_types: tuple[str, ...] = ("system", "ml.[tmcr][0-9]*", "ml.g*", "ml.inf*", "ml.geospatial*")
    registries: tuple[str, ...] = ()
    buckets: tuple[str, ...] = ()
    customer_keys: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    linked_networks: tuple[str, ...] = ()
    repository_hosts: tuple[str, ...] = (
        "github.com",
        "gitlab.com",
        "bitbucket.org",
        "git-codecommit.*.amazonaws.com*",
    )
    trusted_accounts: tuple[str, ...] = ()
    off: frozenset[str] = frozenset()
    on: frozenset[str] = frozenset()
    severities: Mapping[str, Severity] = field(default_factory=dict)
    unresolved: Mapping[str, Severity] = field(default_factory=_unresolved)

    @classmethod
    def read(cls, data: Any, where: str, rules: frozenset[str]) -> Settings:
        """Read settings from the data of a configuration file.

        Args:
            data: The file's content.
            where: What errors call it.
            rules: The ids of all rules.

        Raises:
            ConfigurationError: An unknown name, or a value that it can't have; every problem at once.
        """
        problems = Problems()
        if not isinstance(data, dict):
            problems.add("settings", data, "Settings are a mapping.", "Write names and values.")
            problems.raise_if_any(where)
        known = {item.name for item in fields(cls)}
        given: dict[str, Any] = {}
        for name, value in data.items():
            if name not in known:
                problems.add(
                    str(name), value, "There is no such setting.", f"Use one of {', '.join(sorted(known))}."
                )
            elif name in ("severities", "unresolved"):
                given[name] = _severities(name, value, rules if name == "severities" else KINDS, problems)
            elif not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                problems.add(name, value, "It is a list of texts.", "Write a list.")
            elif name == "linked_networks":
                given[name] = _blocks(name, value, problems)
            elif name in ("off", "on"):
                for rule in set(value) - rules:
                    problems.add(name, rule, "There is no such rule.", "See `secure-ml rules`.")
                given[name] = frozenset(value)
            else:
                given[name] = tuple(value)
        problems.raise_if_any(where)
        if "unresolved" in given:
            given["unresolved"] = {**_unresolved(), **given["unresolved"]}
        return cls(**given)


def _blocks(name: str, value: list[str], problems: Problems) -> tuple[str, ...]:
    for index, block in enumerate(value):
        try:
            IPv4Network(block)
        except ValueError:
            fix = "Write for instance '192.168.0.0/16'."
            problems.add(f"{name}[{index}]", block, "This is no IPv4 range.", fix)
    return tuple(value)


def _severities(
    name: str, value: Any, keys: frozenset[str] | tuple[str, ...], problems: Problems
) -> dict[str, Severity]:
    found: dict[str, Severity] = {}
    if not isinstance(value, dict):
        problems.add(
            name, value, "It is a mapping to severities.", "Write fatal, error or warning for each name."
        )
        return found
    for key, severity in value.items():
        if key not in keys:
            problems.add(
                f"{name}.{key}", severity, "There is nothing of this name.", "See `secure-ml rules`."
            )
        elif severity not in list(Severity):
            problems.add(f"{name}.{key}", severity, "This is no severity.", "Write fatal, error or warning.")
        else:
            found[key] = Severity(severity)
    return found
