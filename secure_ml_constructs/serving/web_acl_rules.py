"""The rules of a door's web ACL, in the order in which AWS WAF asks them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from secure_ml_constructs.serving.door_firewall import INSPECTED_KB, DoorFirewall

Statement = dict[str, Any]
_AS_IT_IS = [{"priority": 0, "type": "NONE"}]
_DECODED = [{"priority": 0, "type": "URL_DECODE"}]
_LOWER = [{"priority": 0, "type": "LOWERCASE"}]
_EVERY_SECONDS = 60
_KB = 1024

# No word of why: whoever is refused learns nothing to do better with.
RESPONSES = {
    403: "Forbidden",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    429: "Too Many Requests",
}


def body_key(code: int) -> str:
    """Give the name of the body of a refusal."""
    return f"refused-{code}"


def block(code: int) -> dict[str, Any]:
    """Give the action that refuses with a status code and nothing else."""
    response = {"responseCode": code, "customResponseBodyKey": body_key(code)}
    return {"block": {"customResponse": response}}


def measured(metric: str) -> dict[str, Any]:
    """Give the setting that counts requests under a name, and keeps samples of them."""
    return {"cloudWatchMetricsEnabled": True, "metricName": metric, "sampledRequestsEnabled": True}


def rules_of(
    settings: DoorFirewall,
    *,
    caller_header: str,
    private: bool,
    lists: Mapping[str, Sequence[str]],
    binary: Mapping[str, str],
    metric: str,
) -> list[dict[str, Any]]:
    """Give the rules: what is cheap to know comes first.

    Args:
        settings: Whom the door lets in.
        caller_header: The header that tells callers apart.
        private: Whether addresses say nothing about callers.
        lists: The ARNs of the lists of addresses, by `allow` and `deny`.
        binary: The type of content of each path that takes bytes, by how the path ends.
        metric: What the names of metrics begin with.
    """
    rules = (
        *(() if private else _by_address(settings, lists.get("deny", ()))),
        _rule("RatePerCaller", _rate_of_header(settings.requests_per_caller, caller_header), block(429)),
        *((_rule("BinaryType", _other_type(binary), block(415)),) if binary else ()),
        _rule("BodySize", _too_large(settings.largest_body_kb), block(413)),
        _group("KnownBadInputs", "AWSManagedRulesKnownBadInputsRuleSet"),
        # Its own rule on sizes blocks beyond 8 KB, which requests to models exceed: ours is in its place.
        _group(
            "Core",
            "AWSManagedRulesCommonRuleSet",
            counted=("SizeRestrictions_BODY", *settings.counted_body_rules),
        ),
        *((_rule("Allowed", _from(lists["allow"]), {"allow": {}}),) if "allow" in lists else ()),
    )
    return [
        {**rule, "priority": number, "visibilityConfig": measured(f"{metric}-{rule['name']}")}
        for number, rule in enumerate(rules)
    ]


def _by_address(settings: DoorFirewall, denied: Sequence[str]) -> Iterator[dict[str, Any]]:
    if denied:
        yield _rule("Denied", _from(denied), block(403))
    if settings.countries:
        elsewhere = {"notStatement": {"statement": _in(settings.countries)}}
        yield _rule("Countries", elsewhere, block(403))
    if settings.not_countries:
        yield _rule("NotCountries", _in(settings.not_countries), block(403))
    yield _group("Reputation", "AWSManagedRulesAmazonIpReputationList")
    if settings.anonymous_ips:
        hosted = ("HostingProviderIPList",) if settings.hosted_callers else ()
        yield _group("AnonymousIps", "AWSManagedRulesAnonymousIpList", counted=hosted)
    rate = {
        "aggregateKeyType": "IP",
        "evaluationWindowSec": _EVERY_SECONDS,
        "limit": settings.requests_per_ip,
    }
    yield _rule("RatePerIp", {"rateBasedStatement": rate}, block(429))


def _rule(name: str, statement: Statement, action: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "statement": statement, "action": action}


def _group(name: str, group: str, counted: Sequence[str] = ()) -> dict[str, Any]:
    managed: Statement = {"vendorName": "AWS", "name": group}
    if counted:
        managed["ruleActionOverrides"] = [{"name": each, "actionToUse": {"count": {}}} for each in counted]
    return {"name": name, "statement": {"managedRuleGroupStatement": managed}, "overrideAction": {"none": {}}}


def _from(lists: Sequence[str]) -> Statement:
    found: list[Statement] = [{"ipSetReferenceStatement": {"arn": arn}} for arn in lists]
    return found[0] if len(found) == 1 else {"orStatement": {"statements": found}}


def _in(countries: Sequence[str]) -> Statement:
    return {"geoMatchStatement": {"countryCodes": list(countries)}}


def _rate_of_header(limit: int, header: str) -> Statement:
    # Requests without the header are not counted; API Gateway refuses them.
    key = {"header": {"name": header, "textTransformations": _AS_IT_IS}}
    return {
        "rateBasedStatement": {
            "aggregateKeyType": "CUSTOM_KEYS",
            "customKeys": [key],
            "evaluationWindowSec": _EVERY_SECONDS,
            "limit": limit,
        }
    }


def _other_type(binary: Mapping[str, str]) -> Statement:
    """A path that takes bytes, and not with its type, or with none: API Gateway itself lets any through."""
    found: list[Statement] = []
    for path, content_type in binary.items():
        asked = _matches({"uriPath": {}}, f"/{re.escape(path)}/*$", _DECODED)
        # Parameters of a type may follow it (RFC 9110, Media Type).
        said = _matches(
            {"singleHeader": {"Name": "content-type"}}, f"^{re.escape(content_type)} *(;.*)?$", _LOWER
        )
        found.append({"andStatement": {"statements": [asked, {"notStatement": {"statement": said}}]}})
    return found[0] if len(found) == 1 else {"orStatement": {"statements": found}}


def _matches(field: Mapping[str, Any], pattern: str, transformations: Sequence[Any] = _AS_IT_IS) -> Statement:
    return {
        "regexMatchStatement": {
            "fieldToMatch": field,
            "regexString": pattern,
            "textTransformations": transformations,
        }
    }


def _too_large(most_kb: int) -> Statement:
    """What is larger than may be; beyond what AWS WAF inspects, what does not say that it is small enough."""
    inspected = INSPECTED_KB[-1]
    size: Statement = {
        "sizeConstraintStatement": {
            # A body that is longer than what AWS WAF is given is too large as well.
            "fieldToMatch": {"body": {"oversizeHandling": "MATCH"}},
            "comparisonOperator": "GT",
            "size": min(most_kb, inspected) * _KB,
            "textTransformations": _AS_IT_IS,
        }
    }
    if most_kb <= inspected:
        return size
    said = _matches({"singleHeader": {"Name": "content-length"}}, number_up_to(most_kb * _KB))
    return {"andStatement": {"statements": [size, {"notStatement": {"statement": said}}]}}


def number_up_to(most: int) -> str:
    """Give a regular expression of the decimal numbers from 1 to `most`: AWS WAF compares no numbers.

    Args:
        most: The largest number, 10 or more.
    """
    digits = str(most)
    found = [f"[1-9][0-9]{{0,{len(digits) - 2}}}"]
    for index, digit in enumerate(digits):
        least = 1 if index == 0 else 0
        if int(digit) > least:
            rest = len(digits) - index - 1
            found.append(f"{digits[:index]}[{least}-{int(digit) - 1}][0-9]{{{rest}}}")
    return f"^({'|'.join([*found, digits])})$"
