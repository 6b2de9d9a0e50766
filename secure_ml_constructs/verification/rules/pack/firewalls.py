"""Web application firewalls."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from secure_ml_constructs.verification.rules.networks import anywhere
from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome
from secure_ml_constructs.verification.rules.pack.deployment import waits_for
from secure_ml_constructs.verification.rules.pack.vocabulary import (
    ADVERSARIAL,
    API_ABUSE,
    INSIDER,
    THEFT,
    TRUE,
    WALLET,
)
from secure_ml_constructs.verification.rules.predicates import Items
from secure_ml_constructs.verification.rules.requirements import At, Code, Every, Inside, values
from secure_ml_constructs.verification.rules.rule import ERROR, WARNING, Rule
from secure_ml_constructs.verification.templates import Reference, show

_ACL = "AWS::WAFv2::WebACL"
_acl = partial(Rule, resource_type=_ACL)
_ASSOCIATION = "AWS::WAFv2::WebACLAssociation"
_LOGGING = "AWS::WAFv2::LoggingConfiguration"
_REPUTATION = "AWSManagedRulesAmazonIpReputationList"
_ANONYMOUS = "AWSManagedRulesAnonymousIpList"
_MANAGED = ("AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet", _REPUTATION)
# Rules that are in the way of honest callers: input that looks like an attack, and machines at providers.
_MAY_COUNT = re.compile(r"_BODY$|^HostingProviderIPList$")
# In a second: a fifth of what "Amazon API Gateway quotas" gives a whole account.
_MOST_OF_ONE = 2000
_WINDOW = 300
_INSPECTED = 65536
_CREDENTIALS = ("authorization", "cookie", "x-amz-security-token", "x-api-key")


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


def _mappings(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _blocks(rule: dict[str, Any]) -> bool:
    return "Count" not in rule.get("Action", {}) and "Allow" not in rule.get("Action", {})


def _private(context: Context) -> bool:
    """Whether only private APIs are behind it: AWS WAF sees no address of a caller there."""
    graph = context.graph
    apis = []
    for association in graph.named_by(context.resource, _ASSOCIATION, "WebACLArn"):
        arn = graph.get(association, "ResourceArn")
        behind = [each.resource for each in getattr(arn, "references", ())]
        apis.append([each for each in behind if each.type == "AWS::ApiGateway::RestApi"])
    return bool(apis) and all(
        found and all("PRIVATE" in graph.items(api, "EndpointConfiguration", "Types") for api in found)
        for found in apis
    )


def _rate(context: Context) -> Iterator[Outcome]:
    """By address and by what a caller says of itself: either alone is passed by changing the other."""
    kinds = set()
    for index, rule in enumerate(_rules(context)):
        for part in _statements(rule.get("Statement")):
            limit = part.get("RateBasedStatement")
            if not isinstance(limit, dict) or not _blocks(rule):
                continue
            kinds.add("a caller" if limit.get("AggregateKeyType") == "CUSTOM_KEYS" else "an address")
            most, seconds = limit.get("Limit"), limit.get("EvaluationWindowSec", _WINDOW)
            if isinstance(most, int) and isinstance(seconds, int) and most > _MOST_OF_ONE * seconds:
                yield Fail(f"lets {most} requests through in {seconds} seconds", f"Rules[{index}].Statement")
    wanted = {"a caller"} if _private(context) else {"a caller", "an address"}
    for kind in sorted(wanted - kinds):
        yield Fail(f"has no rule that limits the rate of {kind}", "Rules")


def _managed(context: Context) -> Iterator[Outcome]:
    named: set[str] = set()
    for index, rule in enumerate(_rules(context)):
        group = rule.get("Statement", {}).get("ManagedRuleGroupStatement", {})
        if isinstance(group, dict) and group:
            named.add(show(group.get("Name")))
            if "Count" in rule.get("OverrideAction", {}):
                yield Fail("only counts what the group would block", f"Rules[{index}].OverrideAction")
            yield from _overridden(group, f"Rules[{index}].Statement.ManagedRuleGroupStatement")
    missing = [name for name in _MANAGED if name not in named]
    if _private(context):
        missing = [name for name in missing if name != _REPUTATION]
    if missing:
        yield Fail(f"has no group {', '.join(missing)}", "Rules")


def _overridden(group: Mapping[str, Any], path: str) -> Iterator[Outcome]:
    for item in _mappings(group.get("RuleActionOverrides")):
        action, name = item.get("ActionToUse", {}), show(item.get("Name"))
        if "Allow" in action:
            yield Fail(f"allows what {name} would block, past the rules that follow", path)
        elif "Count" in action and not _MAY_COUNT.search(name):
            yield Fail(f"only counts what {name} would block", path)
    for item in _mappings(group.get("ExcludedRules")):
        if not _MAY_COUNT.search(show(item.get("Name"))):
            yield Fail(f"only counts what {show(item.get('Name'))} would block", path)


def _anonymous(context: Context) -> Iterator[Outcome]:
    names = [
        show(part["ManagedRuleGroupStatement"].get("Name"))
        for rule in _rules(context)
        for part in _statements(rule.get("Statement"))
        if isinstance(part.get("ManagedRuleGroupStatement"), dict)
    ]
    if _ANONYMOUS not in names and not _private(context):
        yield Fail(f"has no group {_ANONYMOUS}", "Rules")


def _let_in(context: Context) -> Iterator[Outcome]:
    """Where everyone is let in, a rule that allows does no more than pass by the rules after it."""
    default = context.graph.get(context.resource, "DefaultAction")
    if isinstance(default, dict) and "Allow" in default:
        for index, rule in enumerate(_rules(context)):
            if "Allow" in rule.get("Action", {}):
                yield Fail("allows where everyone else is allowed as well", f"Rules[{index}].Action")


def _used(context: Context) -> Iterator[Outcome]:
    """A list that no firewall asks stops nobody."""
    lists = context.resource
    for acl in context.graph.resources(_ACL, "AWS::WAFv2::RuleGroup"):
        rules = context.graph.whole(acl.template, context.graph.get(acl, "Rules"))
        for part in _statements(rules):
            named = part.get("IPSetReferenceStatement")
            arn = named.get("Arn") if isinstance(named, dict) else None
            # One that is given by a parameter may be this one.
            if arn and (type(arn) is not Reference or arn.resource is lists):
                return
    yield Fail("is named by no web ACL")


def _size(context: Context) -> Iterator[Outcome]:
    for rule in _rules(context):
        for part in _statements(rule.get("Statement")):
            limit = part.get("SizeConstraintStatement")
            if isinstance(limit, dict) and _blocks(rule):
                field, size = limit.get("FieldToMatch", {}), limit.get("Size")
                body = field.get("Body", field.get("JsonBody")) if isinstance(field, dict) else None
                if not isinstance(body, dict):
                    continue
                if body.get("OversizeHandling") != "MATCH":
                    yield Fail("lets through what is longer than what is inspected", "Rules")
                if isinstance(size, int) and size > _INSPECTED:
                    yield Fail(f"lets through {size} bytes, of which {_INSPECTED} are inspected", "Rules")
                return
    yield Fail("has no rule that limits the size of a body", "Rules")


def _sets(context: Context) -> Iterator[Outcome]:
    for path, cidr in values(context, "Addresses[*]"):
        if anywhere(cidr):
            yield Fail(f"is {cidr}, which is everywhere", path)


def _logged_acl(context: Context) -> Iterator[Outcome]:
    if not context.graph.named_by(context.resource, _LOGGING, "ResourceArn"):
        yield Fail("has no logging configuration")


def _logged_first(context: Context) -> Iterator[Outcome]:
    acl = context.graph.get(context.resource, "WebACLArn")
    if type(acl) is Reference:
        for found in context.graph.named_by(acl.resource, _LOGGING, "ResourceArn"):
            if not waits_for(context.resource, found):
                yield Fail(f"does not wait for {found.logical_id}", "DependsOn")


def _redacted(context: Context) -> Iterator[Outcome]:
    found = [field for _, field in values(context, "RedactedFields[*]") if isinstance(field, dict)]
    whole = [context.graph.whole(context.resource.template, field) for field in found]
    names = {show(field["SingleHeader"].get("Name")).lower() for field in whole if "SingleHeader" in field}
    missing = [name for name in _CREDENTIALS if name not in names]
    if not any("QueryString" in field for field in whole):
        missing.append("the query string")
    if missing:
        yield Fail(f"lacks {', '.join(missing)}", "RedactedFields")


def _sampled(context: Context) -> Iterator[Outcome]:
    """Samples show requests to whoever may read the firewall, whatever its log leaves out."""
    if context.graph.get(context.resource, "VisibilityConfig", "SampledRequestsEnabled") is False:
        return
    kinds: set[Any] = set()
    headers: set[str] = set()
    for _, item in values(context, "DataProtectionConfig.DataProtections[*]"):
        whole = context.graph.whole(context.resource.template, item)
        field = whole.get("Field", {}) if isinstance(whole, dict) else {}
        kinds.add(field.get("FieldType"))
        if field.get("FieldType") == "SINGLE_HEADER":
            headers.update(show(key).lower() for key in field.get("FieldKeys", ()))
    missing = [name for name in _CREDENTIALS if name not in headers]
    missing += [kind for kind in ("QUERY_STRING", "BODY") if kind not in kinds]
    if missing:
        yield Fail(f"lacks {', '.join(missing)}", "DataProtectionConfig.DataProtections")


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
        title="A web ACL limits the rate of one address, and of one caller",
        why="Whoever changes the address keeps the key, and whoever changes the key the address.",
        fix="Add rules with RateBasedStatement and the action Block, by IP and by a header; behind a private "
        f"API by a header. Let neither pass more than {_MOST_OF_ONE} requests a second.",
    ),
    _acl(
        id="WafManagedGroups",
        requirement=Code(_managed, "It looks for groups among rules."),
        severity=ERROR,
        control="G4",
        threats=(API_ABUSE,),
        title="A web ACL has the managed groups, and they block",
        why="They know the attacks that everyone sees; a group that only counts stops none.",
        fix=f"Add {', '.join(_MANAGED)} with OverrideAction None, and override none of their rules but those "
        "on bodies. Only a private API does without the list of addresses.",
    ),
    _acl(
        id="WafAnonymousIps",
        requirement=Code(_anonymous, "It looks for a group among rules."),
        severity=WARNING,
        control="G4",
        threats=(THEFT, API_ABUSE),
        title="Callers who hide where they are do not reach a public API",
        why="Whoever extracts a model comes from many rented addresses, so that no limit on one holds.",
        fix=f"Add {_ANONYMOUS} with OverrideAction None; where partners call from hosting providers, let "
        "HostingProviderIPList count.",
    ),
    _acl(
        id="WafAllowsOnlyNamed",
        requirement=Code(_let_in, "It reads two properties beside each other."),
        severity=WARNING,
        control="G4",
        threats=(API_ABUSE,),
        title="A web ACL that allows by name blocks the rest",
        why="Where all others are let in too, a list of those who may call keeps nobody out.",
        fix="Set DefaultAction to Block, or leave the rule out.",
    ),
    _acl(
        id="WafDataProtected",
        requirement=Code(_sampled, "It looks for fields among a list."),
        severity=WARNING,
        control="G4",
        threats=(INSIDER,),
        title="Samples of requests show neither credentials nor bodies",
        why="Whoever may look at the firewall would read keys and what people ask the model.",
        fix="Set DataProtectionConfig for the headers with credentials, QUERY_STRING and BODY.",
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
            Inside("Rules[*].VisibilityConfig", "CloudWatchMetricsEnabled", TRUE),
            Inside("Rules[*].VisibilityConfig", "SampledRequestsEnabled", TRUE),
        ),
        severity=WARNING,
        control="G4",
        threats=(API_ABUSE,),
        title="What a web ACL and its rules do is measured",
        why="Without metrics nobody sees an attack that the firewall holds off, or that it does not.",
        fix="Set VisibilityConfig with both flags true, of the web ACL and of each rule.",
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
        requirement=Every(
            At("LogDestinationConfigs", Items(1)), Code(_redacted, "It looks for fields among a list.")
        ),
        severity=WARNING,
        control="G4",
        threats=(INSIDER,),
        title="The log of a web ACL holds no credentials",
        why="Keys, tokens and queries would be in the log in the clear.",
        fix=f"Set RedactedFields to the headers {', '.join(_CREDENTIALS)} and to the query string.",
    ),
    Rule(
        id="WafLoggedFirst",
        resource_type=_ASSOCIATION,
        requirement=Code(_logged_first, "The order follows from references."),
        severity=WARNING,
        control="G4",
        threats=(API_ABUSE,),
        title="A web ACL is logged before it is associated",
        why="Until it is, requests are let in of which nothing tells afterwards.",
        fix="Add the logging configuration to DependsOn.",
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
    Rule(
        id="WafAddressesUsed",
        resource_type="AWS::WAFv2::IPSet",
        requirement=Code(_used, "The web ACL is another resource."),
        severity=WARNING,
        control="G4",
        threats=(API_ABUSE,),
        title="A list of addresses is asked by a web ACL",
        why="A list that no firewall asks stops nobody, and looks as if it did.",
        fix="Name the list in an IPSetReferenceStatement, or leave it out.",
    ),
)
