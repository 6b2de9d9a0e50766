"""Which domains a firewall lets through, where its rules say nothing else."""

from __future__ import annotations

from typing import Any

from secure_ml_constructs.verification.proofs.network.reading import Reader, only
from secure_ml_constructs.verification.templates import Absent, Resource

_LISTED = {"TLS_SNI", "HTTP_HOST"}
_DROPS = {"aws:drop_strict", "aws:drop_established"}
_INSPECTS = {"aws:forward_to_sfe", "aws:drop"}


def named_domains(reader: Reader) -> dict[str, tuple[str, ...]]:
    """Give the domains by firewall, in capitals or not as they are written; no entry where rules say more.

    A firewall whose policy drops the rest, in strict order, and whose groups are all lists of domains lets
    these through and nothing else. (AWS Network Firewall: Stateful domain list rule groups)

    Args:
        reader: The templates.
    """
    found: dict[str, tuple[str, ...]] = {}
    seen: set[str] = set()
    for firewall in reader.resources("AWS::NetworkFirewall::Firewall"):
        # Paths call firewalls by their logical ids; of two with one name nothing is said.
        again = firewall.logical_id in seen
        seen.add(firewall.logical_id)
        variants, certain = reader.variants(firewall, lambda each: _of_firewall(reader, each))
        domains = variants[0] if certain else None
        if domains is None or again:
            found.pop(firewall.logical_id, None)
        else:
            found[firewall.logical_id] = domains
    return found


def _of_firewall(reader: Reader, firewall: Resource) -> tuple[str, ...] | None:
    resource = only(reader.get(firewall, "FirewallPolicyArn"), "AWS::NetworkFirewall::FirewallPolicy")
    if resource is None or resource.condition is not None:
        return None
    policy = reader.templates.whole(resource.template, reader.get(resource, "FirewallPolicy"))
    if not isinstance(policy, dict) or policy.get("StatelessRuleGroupReferences"):
        return None
    strict = policy.get("StatefulEngineOptions")
    stateless = (policy.get("StatelessDefaultActions"), policy.get("StatelessFragmentDefaultActions"))
    if (
        not isinstance(strict, dict)
        or strict.get("RuleOrder") != "STRICT_ORDER"
        or strict.get("StreamExceptionPolicy") == "CONTINUE"
        or not _DROPS & _texts(policy.get("StatefulDefaultActions"))
        or not all(_texts(each) and _texts(each) <= _INSPECTS for each in stateless)
    ):
        return None
    groups = policy.get("StatefulRuleGroupReferences", [])
    lists = [_of_group(reader, group) for group in groups] if isinstance(groups, list) else [None]
    return None if None in lists else tuple(domain for each in lists if each for domain in each)


def _of_group(reader: Reader, reference: Any) -> tuple[str, ...] | None:
    named = reference.get("ResourceArn") if isinstance(reference, dict) else None
    group = only(named, "AWS::NetworkFirewall::RuleGroup")
    if group is None or group.condition is not None:
        return None
    listed = reader.get(group, "RuleGroup", "RulesSource", "RulesSourceList")
    if isinstance(listed, Absent):
        return None
    listed = reader.templates.whole(group.template, listed)
    if (
        not isinstance(listed, dict)
        or listed.get("GeneratedRulesType") != "ALLOWLIST"
        or not _texts(listed.get("TargetTypes")) <= _LISTED
        or not isinstance(listed.get("Targets"), list)
    ):
        return None
    targets = listed["Targets"]
    return tuple(targets) if all(type(each) is str for each in targets) else None


def _texts(value: Any) -> set[str]:
    return {each for each in value if type(each) is str} if isinstance(value, list) else set()
