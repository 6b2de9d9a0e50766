"""Which domains a firewall lets through, as far as its rules are lists and nothing else."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from secure_ml_constructs.verification.proofs.network import Network
from secure_ml_constructs.verification.proofs.questions.ways_out import WayOut, way_out
from tests.unit.verification.proofs.network.cases import network
from tests.unit.verification.proofs.network.test_firewalls import CLEAR, FIREWALL

Resources = dict[str, Any]

LISTS: Resources = {
    "Firewall": {
        **FIREWALL["Firewall"],
        "Properties": {**FIREWALL["Firewall"]["Properties"], "FirewallPolicyArn": {"Ref": "Policy"}},
    },
    "Policy": {
        "Type": "AWS::NetworkFirewall::FirewallPolicy",
        "Properties": {
            "FirewallPolicy": {
                "StatelessDefaultActions": ["aws:forward_to_sfe"],
                "StatelessFragmentDefaultActions": ["aws:drop"],
                "StatefulDefaultActions": ["aws:drop_established", "aws:alert_established"],
                "StatefulEngineOptions": {"RuleOrder": "STRICT_ORDER"},
                "StatefulRuleGroupReferences": [{"Priority": 1, "ResourceArn": {"Ref": "Group"}}],
            }
        },
    },
    "Group": {
        "Type": "AWS::NetworkFirewall::RuleGroup",
        "Properties": {
            "Type": "STATEFUL",
            "RuleGroup": {
                "RulesSource": {
                    "RulesSourceList": {
                        "GeneratedRulesType": "ALLOWLIST",
                        "TargetTypes": ["TLS_SNI"],
                        "Targets": ["pypi.org", ".example.org"],
                    }
                }
            },
        },
    },
}
DOMAINS = ("pypi.org", ".example.org")


def made(changes: Resources | None = None) -> Network:
    return network({"resources": {**FIREWALL, **LISTS, **(changes or {})}})


def changed(name: str, path: str, value: Any) -> Resources:
    """A resource with a property set, or taken away."""
    body = copy.deepcopy(LISTS[name])
    *parents, last = path.split(".")
    at = body["Properties"]
    for parent in parents:
        at = at[parent]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return {name: body}


def policy(path: str, value: Any) -> Resources:
    return changed("Policy", f"FirewallPolicy.{path}", value)


def listed(path: str, value: Any) -> Resources:
    return changed("Group", f"RuleGroup.RulesSource.RulesSourceList.{path}", value)


def test_lists_are_read() -> None:
    assert made().domains == {"Firewall": DOMAINS}
    assert way_out(made()) == WayOut(open=True, domains=DOMAINS)


def test_no_way_out_needs_no_list() -> None:
    assert way_out(made({"ToFirewall": CLEAR})) == WayOut(open=False)


SECOND = {"Priority": 2, "ResourceArn": {"Ref": "Other"}}
FIRST = LISTS["Policy"]["Properties"]["FirewallPolicy"]["StatefulRuleGroupReferences"][0]
SURICATA = {
    "Type": "AWS::NetworkFirewall::RuleGroup",
    "Properties": {"Type": "STATEFUL", "RuleGroup": {"RulesSource": {"RulesString": "pass ip any any …"}}},
}


@pytest.mark.parametrize(
    "changes",
    [
        changed("Firewall", "FirewallPolicyArn", "arn:aws:network-firewall:x:1:firewall-policy/theirs"),
        {"Policy": {**LISTS["Policy"], "Condition": "Strict"}},
        {"Group": {**LISTS["Group"], "Condition": "Strict"}},
        policy("StatelessDefaultActions", ["aws:pass"]),
        policy("StatelessFragmentDefaultActions", ["aws:pass"]),
        policy("StatelessDefaultActions", None),
        policy("StatelessRuleGroupReferences", [{"Priority": 1, "ResourceArn": "theirs"}]),
        policy("StatefulDefaultActions", ["aws:alert_established"]),
        policy("StatefulDefaultActions", None),
        policy("StatefulEngineOptions", None),
        policy("StatefulEngineOptions.RuleOrder", "DEFAULT_ACTION_ORDER"),
        policy("StatefulEngineOptions.StreamExceptionPolicy", "CONTINUE"),
        policy("StatefulRuleGroupReferences", [FIRST, {"Priority": 2, "ResourceArn": "theirs"}]),
        {**policy("StatefulRuleGroupReferences", [FIRST, SECOND]), "Other": SURICATA},
        listed("GeneratedRulesType", "DENYLIST"),
        listed("TargetTypes", ["TLS_SNI", "SOMETHING_NEW"]),
        listed("Targets", [{"Ref": "Domain"}]),
        listed("Targets", {"Ref": "Domains"}),
    ],
)
def test_what_is_no_plain_list_counts_as_open(changes: Resources) -> None:
    found = made(changes)
    assert found.domains == {}
    assert way_out(found) == WayOut(open=True)


@pytest.mark.parametrize(
    "target", [".amazonaws.com", "s3.us-west-2.amazonaws.com", ".com.cn", "x.api.aws", ".S3.AmazonAWS.com"]
)
def test_a_list_that_reaches_aws_counts_as_open(target: str) -> None:
    assert way_out(made(listed("Targets", ["pypi.org", target]))) == WayOut(open=True)


def test_answers_past_the_firewall_count_as_open() -> None:
    assert way_out(made({"Back": CLEAR})) == WayOut(open=True)


def test_two_firewalls_of_one_name_tell_nothing() -> None:
    other = {"Other": {"Resources": {"Firewall": LISTS["Firewall"], "Policy": LISTS["Policy"]}}}
    assert network({"resources": {**FIREWALL, **LISTS}, "stacks": other}).domains == {}
