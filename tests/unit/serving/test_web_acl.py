"""WebAcl: what its log holds, and that each part is missed when it is gone."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from constructs import Construct

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.serving.door_firewall import DoorFirewall
from secure_ml_constructs.serving.front_door import Payloads
from secure_ml_constructs.serving.web_acl import WebAcl
from secure_ml_constructs.verification.rules import check
from tests.support.compliance import findings
from tests.support.decisions import Request, Simulator
from tests.support.templates import ACCOUNT, REGION, Template, World, new_app, synth
from tests.unit.serving import doors
from tests.unit.serving.doors import ACL, Door, held, made, rules

pytestmark = pytest.mark.slow

# What AWS WAF counts for each kind of statement (AWS WAF: Web ACL capacity units; each group's page).
UNITS = {
    "AWSManagedRulesAmazonIpReputationList": 25,
    "AWSManagedRulesAnonymousIpList": 50,
    "AWSManagedRulesCommonRuleSet": 700,
    "AWSManagedRulesKnownBadInputsRuleSet": 200,
    "CustomKeys": 30,
    "GeoMatchStatement": 1,
    "IPSetReferenceStatement": 1,
    "RateBasedStatement": 2,
    "RegexMatchStatement": 3,
    "TextTransformations": 10,
    "SizeConstraintStatement": 1,
}
OF_A_FIREWALL = (
    *(ACL, "AWS::WAFv2::IPSet", "AWS::WAFv2::LoggingConfiguration", "AWS::WAFv2::WebACLAssociation"),
    "AWS::Logs::LogGroup",
)


@pytest.fixture(scope="session")
def default() -> World:
    return made(doors.build)


@pytest.fixture(scope="session")
def full() -> World:
    return made(doors.build_full)


@pytest.fixture(scope="session")
def private() -> World:
    return made(doors.build_private)


@pytest.fixture(scope="session")
def ten() -> World:
    return made(doors.build_ten)


# -- what is told, and to whom ------------------------------------------------------------------------------


def test_refusals_say_nothing_of_why(full: World) -> None:
    acl = full.one(ACL).properties
    bodies = acl["CustomResponseBodies"]
    for body in bodies.values():
        assert body["ContentType"] == "APPLICATION_JSON"
        assert set(json.loads(body["Content"])) == {"message"}
    used = {each["CustomResponseBodyKey"] for each in held(acl, "CustomResponse")}
    assert used == set(bodies)
    codes = {name: next(held(rule, "ResponseCode"), None) for name, rule in rules(full).items()}
    assert codes == {
        "Denied": 403,
        "Countries": 403,
        "Reputation": None,
        "AnonymousIps": None,
        "RatePerIp": 429,
        "RatePerCaller": 429,
        "BinaryType": 415,
        "BodySize": 413,
        "KnownBadInputs": None,
        "Core": None,
        "Allowed": None,
    }


def test_no_credential_and_no_body_is_in_the_log_or_a_sample(default: World) -> None:
    credentials = {"authorization", "cookie", "x-amz-security-token", "x-api-key"}
    fields = default.one("AWS::WAFv2::LoggingConfiguration").properties["RedactedFields"]
    assert {each["SingleHeader"]["Name"] for each in fields if "SingleHeader" in each} == credentials
    assert {"QueryString": {}} in fields
    protected = {
        each["Field"]["FieldType"]: each
        for each in default.one(ACL).properties["DataProtectionConfig"]["DataProtections"]
    }
    assert set(protected) == {"SINGLE_HEADER", "QUERY_STRING", "BODY"}
    assert set(protected["SINGLE_HEADER"]["Field"]["FieldKeys"]) == credentials
    assert protected["BODY"]["Action"] == protected["QUERY_STRING"]["Action"] == "SUBSTITUTION"
    # What a rule has matched, and whom a rate has stopped, are told with the protected value as well.
    for each in protected.values():
        assert not {"ExcludeRuleMatchDetails", "ExcludeRateBasedDetails"} & set(each)


def test_everything_is_measured_under_a_name_of_its_own(ten: World) -> None:
    names: list[str] = []
    for acl in ten.resources(ACL):
        for config in held(acl.properties, "VisibilityConfig"):
            assert config["CloudWatchMetricsEnabled"] is config["SampledRequestsEnabled"] is True
            names.append(config["MetricName"])
    assert len(names) == len(set(names)) == 10 * 11
    assert all(re.fullmatch(r"[\w-]{1,128}", name) for name in names)


def test_the_log_is_encrypted_kept_and_written_by_log_delivery_alone(default: World, full: World) -> None:
    for world, days in ((default, 365), (full, 731)):
        group = world.one("AWS::Logs::LogGroup")
        name = group.properties["LogGroupName"]
        assert name.startswith("aws-waf-logs-")
        assert group.properties["KmsKeyId"] == doors.KEY
        assert group.properties["RetentionInDays"] == days
        assert group.properties["DeletionProtectionEnabled"] is True
        assert (group.raw["DeletionPolicy"], group.raw["UpdateReplacePolicy"]) == ("Retain", "Retain")
        (statement,) = group.properties["ResourcePolicyDocument"]["Statement"]
        arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}"
        assert statement["Principal"] == {"Service": "delivery.logs.amazonaws.com"}
        assert statement["Resource"] == f"{arn}:*"
        assert statement["Condition"] == {
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
            "ArnLike": {"aws:SourceArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:*"},
        }
        logging = world.one("AWS::WAFv2::LoggingConfiguration").properties
        assert logging["LogDestinationConfigs"] == [arn]
        assert logging["ResourceArn"] == world.arn(world.one(ACL))


@pytest.mark.decision
@pytest.mark.parametrize(
    ("principal", "action", "source", "expected"),
    [
        ("delivery.logs.amazonaws.com", "logs:PutLogEvents", ACCOUNT, True),
        ("delivery.logs.amazonaws.com", "logs:CreateLogStream", ACCOUNT, True),
        ("delivery.logs.amazonaws.com", "logs:PutLogEvents", "999988887777", False),
        ("delivery.logs.amazonaws.com", "logs:DeleteLogStream", ACCOUNT, False),
        ("delivery.logs.amazonaws.com", "logs:GetLogEvents", ACCOUNT, False),
        ("wafv2.amazonaws.com", "logs:PutLogEvents", ACCOUNT, False),
    ],
)
def test_who_writes_the_log(
    default: World, simulator: Simulator, principal: str, action: str, source: str, expected: bool
) -> None:
    group = default.one("AWS::Logs::LogGroup").properties
    request = Request(
        principal=principal,
        action=action,
        resource=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group['LogGroupName']}:log-stream:1",
        context={"aws:SourceAccount": source, "aws:SourceArn": f"arn:aws:logs:{REGION}:{source}:x"},
    )
    found = simulator.decide(request, resource_policy=group["ResourcePolicyDocument"])
    assert found.allowed is expected


def test_the_stage_is_there_first_and_nothing_passes_unlogged(default: World) -> None:
    association = default.one("AWS::WAFv2::WebACLAssociation")
    stage = default.one("AWS::ApiGateway::Stage")
    logging = default.one("AWS::WAFv2::LoggingConfiguration")
    group = default.one("AWS::Logs::LogGroup")
    assert set(association.raw["DependsOn"]) == {stage.logical_id, logging.logical_id}
    assert logging.raw["DependsOn"] == [group.logical_id]
    api = default.ref(default.one("AWS::ApiGateway::RestApi"))
    assert association.properties == {
        "ResourceArn": f"arn:aws:apigateway:{REGION}::/restapis/{api}/stages/{default.ref(stage)}",
        "WebACLArn": default.arn(default.one(ACL)),
    }


# -- limits -------------------------------------------------------------------------------------------------


def units(value: Any) -> int:
    """The capacity units of rules, as AWS WAF adds them up."""
    total = sum(len(each) * UNITS["CustomKeys"] for each in held(value, "CustomKeys"))
    for each in held(value, "TextTransformations"):
        total += UNITS["TextTransformations"] * sum(one["Type"] != "NONE" for one in each)
    for kind, cost in UNITS.items():
        if kind.endswith("Statement"):
            total += cost * len(list(held(value, kind)))
    return total + sum(UNITS[group["Name"]] for group in held(value, "ManagedRuleGroupStatement"))


def test_capacity(default: World, full: World, private: World) -> None:
    found = [units(world.one(ACL).properties["Rules"]) for world in (default, private, full)]
    # Beyond 1,500 each request costs more, and beyond 5,000 there is nothing.
    assert found == [1_010, 933, 1_070]
    types = [f"image/x-{number}" for number in range(10)]
    binary = Payloads(binary=types).binary_paths
    most = made(lambda app: Door(app).acl(settings=doors.EVERYTHING, binary=binary))
    assert units(most.one(ACL).properties["Rules"]) == 1_278
    with pytest.raises(ConfigurationError, match="10 types"):
        Payloads(binary=[*types, "image/x-10"])


def test_ten_doors_in_one_environment(ten: World) -> None:
    counts = {type_: len(list(ten.resources(type_))) for type_ in (ACL, "AWS::WAFv2::IPSet")}
    # AWS WAF quotas: 100 web ACLs and 100 IP sets in a region.
    assert counts == {ACL: 10, "AWS::WAFv2::IPSet": 40}
    # Ten of them are all that an account has: each group brings its own policy.
    assert list(ten.resources("AWS::Logs::ResourcePolicy")) == []
    assert len(list(ten.resources("AWS::ApiGateway::Account"))) == 1
    groups = {each.properties["LogGroupName"] for each in ten.resources("AWS::Logs::LogGroup")}
    assert len(groups) == 10
    assert sum(len(list(ten.resources(type_))) for type_ in OF_A_FIREWALL) == 10 * 8


def test_the_same_input_gives_the_same_bytes(full: World) -> None:
    assert made(doors.build_full).templates == full.templates


@pytest.mark.parametrize(("partition", "region"), [("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1")])
def test_other_partitions(full: World, partition: str, region: str) -> None:
    world = World(full.templates, partition=partition, region=region)
    association = world.one("AWS::WAFv2::WebACLAssociation").properties
    assert association["ResourceArn"].startswith(f"arn:{partition}:apigateway:{region}::")
    logging = world.one("AWS::WAFv2::LoggingConfiguration").properties
    assert logging["LogDestinationConfigs"][0].startswith(f"arn:{partition}:logs:{region}:{ACCOUNT}:")
    template = {k: v for k, v in full.templates["Door"].items() if k == "Resources"}
    assert '"arn:aws:' not in json.dumps(template).replace(doors.KEY, "")


# -- rules --------------------------------------------------------------------------------------------------

OURS = ("Waf", "ApiFirewalled")


def broken(template: Template) -> set[str]:
    return {each.rule for each in check({"Door": template}) if each.rule.startswith(OURS)}


def without_rule(name: str) -> Callable[[Template], None]:
    def change(template: Template) -> None:
        rules = one(template, ACL)["Properties"]["Rules"]
        rules[:] = [rule for rule in rules if rule["Name"] != name]

    return change


def count_only(name: str) -> Callable[[Template], None]:
    def change(template: Template) -> None:
        for rule in one(template, ACL)["Properties"]["Rules"]:
            if rule["Name"] == name:
                key = "OverrideAction" if "OverrideAction" in rule else "Action"
                rule[key] = {"Count": {}}

    return change


def gone(type_: str) -> Callable[[Template], None]:
    def change(template: Template) -> None:
        for name in [name for name, each in template["Resources"].items() if each["Type"] == type_]:
            del template["Resources"][name]

    return change


def one(template: Template, type_: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = [each for each in template["Resources"].values() if each["Type"] == type_]
    return found[0]


def unmeasured(template: Template) -> None:
    one(template, ACL)["Properties"]["VisibilityConfig"]["CloudWatchMetricsEnabled"] = False


def everywhere(template: Template) -> None:
    one(template, "AWS::WAFv2::IPSet")["Properties"]["Addresses"] = ["0.0.0.0/0"]


def unredacted(template: Template) -> None:
    del one(template, "AWS::WAFv2::LoggingConfiguration")["Properties"]["RedactedFields"]


def empty(template: Template) -> None:
    one(template, ACL)["Properties"]["Rules"] = []


def statement(name: str, template: Template) -> Any:
    rules = one(template, ACL)["Properties"]["Rules"]
    return next(rule["Statement"] for rule in rules if rule["Name"] == name)


def any_rate(template: Template) -> None:
    statement("RatePerCaller", template)["RateBasedStatement"]["Limit"] = 2_000_000_000


def oversize_let_through(template: Template) -> None:
    size = statement("BodySize", template)["AndStatement"]["Statements"][0]["SizeConstraintStatement"]
    size["FieldToMatch"]["Body"]["OversizeHandling"] = "NO_MATCH"


def overridden(name: str, action: str) -> Callable[[Template], None]:
    def change(template: Template) -> None:
        group = statement("Core", template)["ManagedRuleGroupStatement"]
        group["RuleActionOverrides"].append({"Name": name, "ActionToUse": {action: {}}})

    return change


def everyone_allowed(template: Template) -> None:
    one(template, ACL)["Properties"]["DefaultAction"] = {"Allow": {}}


def unprotected(template: Template) -> None:
    del one(template, ACL)["Properties"]["DataProtectionConfig"]


def query_alone(template: Template) -> None:
    one(template, "AWS::WAFv2::LoggingConfiguration")["Properties"]["RedactedFields"] = [{"QueryString": {}}]


def associated_at_once(template: Template) -> None:
    association = one(template, "AWS::WAFv2::WebACLAssociation")
    acl_logging = next(name for name in association["DependsOn"] if "Logging" in name)
    association["DependsOn"].remove(acl_logging)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (without_rule("Core"), "WafManagedGroups"),
        (without_rule("KnownBadInputs"), "WafManagedGroups"),
        (without_rule("Reputation"), "WafManagedGroups"),
        (count_only("Core"), "WafManagedGroups"),
        (count_only("AnonymousIps"), "WafManagedGroups"),
        (without_rule("AnonymousIps"), "WafAnonymousIps"),
        (overridden("CrossSiteScripting_QUERYARGUMENTS", "Count"), "WafManagedGroups"),
        (overridden("CrossSiteScripting_BODY", "Allow"), "WafManagedGroups"),
        (everyone_allowed, "WafAllowsOnlyNamed"),
        (without_rule("Denied"), "WafAddressesUsed"),
        (without_rule("RatePerIp"), "WafRateLimit"),
        (without_rule("RatePerCaller"), "WafRateLimit"),
        (any_rate, "WafRateLimit"),
        (oversize_let_through, "WafBodySize"),
        (unprotected, "WafDataProtected"),
        (query_alone, "WafLogRedacted"),
        (associated_at_once, "WafLoggedFirst"),
        (without_rule("BodySize"), "WafBodySize"),
        (count_only("BodySize"), "WafBodySize"),
        (empty, "WafHasRules"),
        (unmeasured, "WafMeasured"),
        (everywhere, "WafAddressesNamed"),
        (unredacted, "WafLogRedacted"),
        (gone("AWS::WAFv2::LoggingConfiguration"), "WafLogged"),
        (gone("AWS::WAFv2::WebACLAssociation"), "ApiFirewalled"),
    ],
)
def test_what_is_taken_away_is_missed(full: World, change: Callable[[Template], None], rule: str) -> None:
    template = copy.deepcopy(full.templates["Door"])
    assert broken(template) == set()
    change(template)
    assert rule in broken(template)


def test_a_private_api_needs_no_rules_about_addresses(private: World) -> None:
    template = copy.deepcopy(private.templates["Door"])
    assert broken(template) == set()
    without_rule("RatePerCaller")(template)
    assert broken(template) == {"WafRateLimit"}


@pytest.mark.parametrize(
    "build", [doors.build, doors.build_full, doors.build_private, doors.build_for_hosted_callers]
)
def test_no_pack_finds_anything(build: Callable[[cdk.App], Any]) -> None:
    found = findings(build)
    # The stage and its API are stand-ins, of which the packs may ask nothing but the firewall.
    assert [str(each) for each in found if "Stage" not in str(each.constructs)] == []
    asked = ("APIG3", "APIGWAssociatedWithWAF", "ApiFirewalled")
    assert [str(each) for each in found if each.rule.endswith(asked)] == []


@pytest.mark.parametrize("name", ["default", "full", "private"])
def test_the_template(
    name: str, request: pytest.FixtureRequest, snapshot_template: Callable[[Template], None]
) -> None:
    world: World = request.getfixturevalue(name)
    snapshot_template(dict(world.templates)["Door"])


def test_names_tell_whose_they_are_and_fit() -> None:
    app = new_app()
    door = Door(app, "Serving")
    stage = door.stage()
    for id in ("Risk", "R" * 200):
        inner = Construct(door.stack, id)
        WebAcl(inner, "Firewall", settings=DoorFirewall(), stage=stage, logs_key=door.key)
    world = World(synth(app))
    groups = sorted(each.properties["LogGroupName"] for each in world.resources("AWS::Logs::LogGroup"))
    assert re.fullmatch(r"aws-waf-logs-serving-risk-firewall-[0-9a-f]{8}", groups[0])
    names = [each["MetricName"] for each in held(world.templates, "VisibilityConfig")]
    assert len(names) == len(set(names)) == 2 * 8
    assert max(map(len, [*names, *groups])) <= 128


def test_the_log_group_keeps_its_logical_id_and_its_name(default: World) -> None:
    group = default.one("AWS::Logs::LogGroup")
    assert group.logical_id == "FirewallLogGroup43A7988E"
    assert group.properties["LogGroupName"] == "aws-waf-logs-door-firewall-a7dc3b19"
