"""Web application firewalls."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from secure_ml_constructs.verification.rules.networks import anywhere
from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome
from secure_ml_constructs.verification.rules.pack.vocabulary import (
    ADVERSARIAL,
    API_ABUSE,
    INSIDER,
    THEFT,
    TRUE,
    WALLET,
)
from secure_ml_constructs.verification.rules.predicates import Items
from secure_ml_constructs.verification.rules.requirements import At, Code, Every, values
from secure_ml_constructs.verification.rules.rule import ERROR, WARNING, Rule
from secure_ml_constructs.verification.templates import show

_ACL = "AWS::WAFv2::WebACL"
_acl = partial(Rule, resource_type=_ACL)
_MANAGED = (
    "AWSManagedRulesCommonRuleSet",
    "AWSManagedRulesKnownBadInputsRuleSet",
    "AWSManagedRulesAmazonIpReputationList",
)


def _rules(context: Context) -> list[dict[str, Any]]:
    """The rules of a web ACL, whole."""
    found = (context.graph.whole(context.resource.template, rule) for _, rule in values(context, "Rules[*]"))
    return [rule for rule in found if isinstance(rule, dict)]


def _statements(value: Any) -> Iterator[dict[str, Any]]:
    """A statement and all that it holds."""
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _statements(item)
    elif isinstance(value, list):
        for item in value:
            yield from _statements(item)


def _blocks(rule: dict[str, Any]) -> bool:
    return "Count" not in rule.get("Action", {}) and "Allow" not in rule.get("Action", {})


def _rate(context: Context) -> Iterator[Outcome]:
    for rule in _rules(context):
        if _blocks(rule) and any("RateBasedStatement" in part for part in _statements(rule.get("Statement"))):
            return
    yield Fail("has no rule that limits the rate of one caller", "Rules")


def _managed(context: Context) -> Iterator[Outcome]:
    named: set[str] = set()
    for index, rule in enumerate(_rules(context)):
        group = rule.get("Statement", {}).get("ManagedRuleGroupStatement", {})
        if isinstance(group, dict) and group:
            named.add(show(group.get("Name")))
            if "Count" in rule.get("OverrideAction", {}):
                yield Fail("only counts what the group would block", f"Rules[{index}].OverrideAction")
    missing = [name for name in _MANAGED if name not in named]
    if missing:
        yield Fail(f"has no group {', '.join(missing)}", "Rules")


def _size(context: Context) -> Iterator[Outcome]:
    for rule in _rules(context):
        for part in _statements(rule.get("Statement")):
            limit = part.get("SizeConstraintStatement")
            if isinstance(limit, dict) and _blocks(rule):
                field = limit.get("FieldToMatch", {})
                if isinstance(field, dict) and ("Body" in field or "JsonBody" in field):
                    return
    yield Fail("has no rule that limits the size of a body", "Rules")


def _sets(context: Context) -> Iterator[Outcome]:
    for path, cidr in values(context, "Addresses[*]"):
        if anywhere(cidr):
            yield Fail(f"is {cidr}, which is everywhere", path)


def _logged_acl(context: Context) -> Iterator[Outcome]:
    if not context.graph.named_by(context.resource, "AWS::WAFv2::LoggingConfiguration", "ResourceArn"):
        yield Fail("has no logging configuration")


RULES = (
    _acl(
        id="WafHasRules",
        requirement=At("Rules", Items(1)),
        severity=ERROR,
        control="G4",
        threats=(API_ABUSE,),
        title="A web ACL has rules",
        why="An empty one lets everything through and looks like a firewall.",
        fix="Set Rules.",
        standards=("WAF.10",),
    ),
    _acl(
        id="WafRateLimit",
        requirement=Code(_rate, "A rate rule may lie within others."),
        severity=ERROR,
        control="G4",
        threats=(WALLET, THEFT),
        title="A web ACL limits the rate of one caller",
        why="A flood from one address would be paid for, one answer at a time.",
        fix="Add a rule with RateBasedStatement and the action Block.",
    ),
    _acl(
        id="WafManagedGroups",
        requirement=Code(_managed, "It looks for groups among rules."),
        severity=ERROR,
        control="G4",
        threats=(API_ABUSE,),
        title="A web ACL has the managed groups, and they block",
        why="They know the attacks that everyone sees; a group that only counts stops none.",
        fix=f"Add {', '.join(_MANAGED)} with OverrideAction None.",
    ),
    _acl(
        id="WafBodySize",
        requirement=Code(_size, "It looks for one rule among several."),
        severity=WARNING,
        control="G4",
        threats=(WALLET, ADVERSARIAL),
        title="A web ACL limits the size of a body",
        why="Only the first part of a body is inspected: what lies behind it passes unseen.",
        fix="Add a rule with SizeConstraintStatement on Body, with OversizeHandling MATCH.",
    ),
    _acl(
        id="WafMeasured",
        requirement=Every(
            At("VisibilityConfig.CloudWatchMetricsEnabled", TRUE),
            At("VisibilityConfig.SampledRequestsEnabled", TRUE),
        ),
        severity=WARNING,
        control="G4",
        threats=(API_ABUSE,),
        title="What a web ACL does is measured",
        why="Without metrics nobody sees an attack that the firewall holds off, or that it does not.",
        fix="Set VisibilityConfig with both flags true.",
        standards=("WAF.12",),
    ),
    _acl(
        id="WafLogged",
        requirement=Code(_logged_acl, "The logging configuration is another resource."),
        severity=ERROR,
        control="G4",
        threats=(API_ABUSE,),
        title="What a web ACL sees is logged",
        why="Who was blocked, and why, is the first question after an attack.",
        fix="Add an AWS::WAFv2::LoggingConfiguration that names the web ACL.",
        standards=("WAF.11",),
    ),
    Rule(
        id="WafLogRedacted",
        resource_type="AWS::WAFv2::LoggingConfiguration",
        requirement=Every(At("RedactedFields", Items(1)), At("LogDestinationConfigs", Items(1))),
        severity=WARNING,
        control="G4",
        threats=(INSIDER,),
        title="The log of a web ACL holds no credentials",
        why="Authorization headers and queries would be in the log in the clear.",
        fix="Set RedactedFields to the authorization header and the query string.",
    ),
    Rule(
        id="WafAddressesNamed",
        resource_type="AWS::WAFv2::IPSet",
        requirement=Code(_sets, "Addresses are read as networks."),
        severity=ERROR,
        control="G4",
        threats=(API_ABUSE,),
        title="A list of addresses does not name everywhere",
        why="A list that lets everyone in is none.",
        fix="Name networks.",
    ),
)
