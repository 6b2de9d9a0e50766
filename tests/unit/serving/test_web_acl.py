"""WebAcl: whom it lets in, what its log holds, and that each part is missed when it is gone."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.serving.door_firewall import DoorFirewall
from secure_ml_constructs.serving.web_acl import WebAcl
from secure_ml_constructs.serving.web_acl_rules import number_up_to
from secure_ml_constructs.verification.rules import check
from tests.support.compliance import findings
from tests.support.decisions import Request, Simulator
from tests.support.templates import ACCOUNT, REGION, Template, World, new_app, synth
from tests.unit.serving import doors
from tests.unit.serving.doors import Door

ACL = "AWS::WAFv2::WebACL"
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
    "SizeConstraintStatement": 1,
}
OF_A_FIREWALL = (
    *(ACL, "AWS::WAFv2::IPSet", "AWS::WAFv2::LoggingConfiguration", "AWS::WAFv2::WebACLAssociation"),
    "AWS::Logs::LogGroup",
)
BY_ADDRESS = ("Denied", "Countries", "NotCountries", "Reputation", "AnonymousIps", "RatePerIp", "Allowed")


def made(build: Callable[[cdk.App], Any]) -> World:
    app = new_app()
    build(app)
    return World(synth(app))


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


def rules(world: World) -> dict[str, dict[str, Any]]:
    """The rules by name, in the order of their priority."""
    found = sorted(world.one(ACL).properties["Rules"], key=lambda rule: int(rule["Priority"]))
    return {rule["Name"]: rule for rule in found}


def held(value: Any, key: str) -> Iterator[Any]:
    """Every value under a key, however deep."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name == key:
                yield item
            yield from held(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from held(item, key)


# -- whom it lets in ----------------------------------------------------------------------------------------


def test_the_order_of_the_rules(default: World, full: World) -> None:
    asked = ["RatePerCaller", "BodySize", "KnownBadInputs", "Core"]
    assert list(rules(default)) == ["Reputation", "AnonymousIps", "RatePerIp", *asked]
    addressed = ["Denied", "Countries", "Reputation", "AnonymousIps", "RatePerIp"]
    assert list(rules(full)) == [*addressed, *asked, "Allowed"]
    for world in (default, full):
        assert [rule["Priority"] for rule in rules(world).values()] == [*range(len(rules(world)))]


def test_every_rule_blocks_but_the_list_of_those_who_may_call(full: World) -> None:
    for name, rule in rules(full).items():
        if name == "Allowed":
            assert rule["Action"] == {"Allow": {}}
        elif "ManagedRuleGroupStatement" in rule["Statement"]:
            assert rule["OverrideAction"] == {"None": {}}
        else:
            assert set(rule["Action"]) == {"Block"}


def test_a_list_of_those_who_may_call_closes_the_door_to_the_rest(default: World, full: World) -> None:
    assert default.one(ACL).properties["DefaultAction"] == {"Allow": {}}
    assert set(full.one(ACL).properties["DefaultAction"]) == {"Block"}
    allowed = rules(full)["Allowed"]["Statement"]["OrStatement"]["Statements"]
    sets = {full.arn(each): each.properties for each in full.resources("AWS::WAFv2::IPSet")}
    assert [sets[each["IPSetReferenceStatement"]["Arn"]]["Addresses"] for each in allowed] == [
        ["198.51.100.0/24"],
        ["2001:db8:17::/48"],
    ]
    denied = rules(full)["Denied"]["Statement"]["OrStatement"]["Statements"]
    assert [sets[each["IPSetReferenceStatement"]["Arn"]]["IPAddressVersion"] for each in denied] == [
        "IPV4",
        "IPV6",
    ]
    assert len(sets) == 4


def test_one_list_needs_no_choice() -> None:
    world = made(lambda app: Door(app).acl(settings=DoorFirewall(allow=("198.51.100.0/24",))))
    assert set(rules(world)["Allowed"]["Statement"]) == {"IPSetReferenceStatement"}


def test_countries(full: World) -> None:
    inner = rules(full)["Countries"]["Statement"]["NotStatement"]["Statement"]
    assert inner == {"GeoMatchStatement": {"CountryCodes": ["DE", "AT", "CH"]}}
    world = made(lambda app: Door(app).acl(settings=DoorFirewall(not_countries=("KP",))))
    assert rules(world)["NotCountries"]["Statement"] == {"GeoMatchStatement": {"CountryCodes": ["KP"]}}
    assert "Block" in rules(world)["NotCountries"]["Action"]


def test_a_rate_for_each_address_and_each_caller(default: World, full: World) -> None:
    for world, per_ip, per_caller, header in (
        (default, 6_000, 3_000, "x-api-key"),
        (full, 1_200, 600, "authorization"),
    ):
        rate = rules(world)["RatePerIp"]["Statement"]["RateBasedStatement"]
        assert rate == {"AggregateKeyType": "IP", "EvaluationWindowSec": 60, "Limit": per_ip}
        rate = rules(world)["RatePerCaller"]["Statement"]["RateBasedStatement"]
        assert (rate["AggregateKeyType"], rate["EvaluationWindowSec"]) == ("CUSTOM_KEYS", 60)
        assert rate["Limit"] == per_caller
        (key,) = rate["CustomKeys"]
        assert key["Header"]["Name"] == header


def test_groups_count_only_what_is_meant_to(default: World, full: World) -> None:
    def counted(world: World, name: str) -> list[str]:
        group = rules(world)[name]["Statement"]["ManagedRuleGroupStatement"]
        overrides = group.get("RuleActionOverrides", [])
        assert all(each["ActionToUse"] == {"Count": {}} for each in overrides)
        return [each["Name"] for each in overrides]

    assert counted(default, "Core") == ["SizeRestrictions_BODY"]
    assert counted(full, "Core") == ["SizeRestrictions_BODY", "CrossSiteScripting_BODY"]
    assert counted(default, "AnonymousIps") == []
    assert counted(full, "AnonymousIps") == ["HostingProviderIPList"]
    for name in ("KnownBadInputs", "Reputation"):
        assert counted(full, name) == []


def test_without_anonymous_ips_nobody_is_asked_whether_they_hide() -> None:
    world = made(lambda app: Door(app).acl(settings=DoorFirewall(anonymous_ips=False)))
    assert "AnonymousIps" not in rules(world)
    assert "Reputation" in rules(world)


# -- bodies -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "limit"), [(1, 16), (16, 16), (17, 32), (33, 48), (48, 48), (64, 64)])
def test_a_body_is_inspected_to_its_end(size: int, limit: int) -> None:
    world = made(lambda app: Door(app).acl(settings=DoorFirewall(largest_body_kb=size)))
    acl = world.one(ACL).properties
    inspected = {"API_GATEWAY": {"DefaultSizeInspectionLimit": f"KB_{limit}"}}
    assert acl["AssociationConfig"] == {"RequestBody": inspected}
    rule = rules(world)["BodySize"]["Statement"]["SizeConstraintStatement"]
    assert rule["FieldToMatch"] == {"Body": {"OversizeHandling": "MATCH"}}
    assert (rule["ComparisonOperator"], rule["Size"]) == ("GT", size * 1024)


def too_large(statement: dict[str, Any], body: int, said: str | None, inspected: int = 65_536) -> bool:
    """What AWS WAF makes of a statement about sizes."""
    ((kind, value),) = statement.items()
    match kind:
        case "AndStatement":
            return all(too_large(each, body, said) for each in value["Statements"])
        case "NotStatement":
            return not too_large(value["Statement"], body, said)
        case "SizeConstraintStatement":
            assert value["ComparisonOperator"] == "GT"
            return body > inspected or body > value["Size"]
        case "RegexMatchStatement":
            assert value["FieldToMatch"] == {"SingleHeader": {"Name": "content-length"}}
            return said is not None and bool(re.search(value["RegexString"], said))
    raise NotImplementedError(kind)


def test_bodies_up_to_the_limit_pass_and_no_larger_ones(default: World, full: World) -> None:
    small, large = (rules(world)["BodySize"]["Statement"] for world in (default, full))
    for body, default_refuses, full_refuses in (
        (0, False, False),
        (65_536, False, False),
        (65_537, True, False),
        (5_000 * 1024, True, False),
        (5_000 * 1024 + 1, True, True),
        (50_000_000, True, True),
    ):
        assert too_large(small, body, str(body)) is default_refuses
        assert too_large(large, body, str(body)) is full_refuses
    # Whoever does not say how long it is, gets what is inspected.
    for said in (None, "", "0", "1e3", "-1", "0x10", "99999999", "65537, 65537"):
        assert too_large(large, 65_537, said) is True
        assert too_large(large, 65_536, said) is False


@pytest.mark.parametrize("most", [10, 99, 100, 101, 1999, 2000, 66_560, 5_120_000, 10_240_000])
def test_numbers_up_to(most: int) -> None:
    pattern = number_up_to(most)
    # AWS WAF quotas: characters in a pattern.
    assert len(pattern) <= 200
    near = range(max(1, most - 3_000), most + 3_000)
    powers = [10**n + d for n in range(1, 9) for d in (-1, 0, 1)]
    for number in {*near, *powers, *range(1, 3_000)}:
        assert bool(re.search(pattern, str(number))) is (number <= most), number
    assert not re.search(pattern, "0")
    assert not re.search(pattern, f"{most}\r")


# -- private doors ------------------------------------------------------------------------------------------


def test_a_private_door_asks_nothing_about_addresses(private: World, default: World) -> None:
    assert not set(rules(private)) & set(BY_ADDRESS)
    assert list(rules(private)) == [name for name in rules(default) if name not in BY_ADDRESS]


@pytest.mark.parametrize(
    "settings",
    [
        DoorFirewall(allow=("198.51.100.0/24",)),
        DoorFirewall(deny=("198.51.100.0/24",)),
        DoorFirewall(countries=("DE",)),
        DoorFirewall(not_countries=("DE",)),
        DoorFirewall(hosted_callers=True),
    ],
)
def test_a_private_door_takes_no_addresses(settings: DoorFirewall) -> None:
    door = Door(new_app())
    with pytest.raises(ConfigurationError) as caught:
        door.acl(settings=settings, private=True)
    (problem,) = caught.value.problems
    assert problem.argument.startswith("settings.")
    assert door.stack.node.try_find_child("Firewall") is None


@pytest.mark.parametrize("header", ["x-forwarded-for", "user-agent", "Authorization", ""])
def test_a_header_that_callers_choose_tells_nobody_apart(header: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Door(new_app()).acl(caller_header=header)
    assert [problem.argument for problem in caught.value.problems] == ["caller_header"]


def test_an_aws_managed_key_is_refused() -> None:
    door = Door(new_app())
    key = kms.Key.from_key_arn(door.stack, "Managed", f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/aws/logs")
    with pytest.raises(ConfigurationError, match="customer key"):
        WebAcl(door.stack, "Firewall", settings=DoorFirewall(), stage=door.stage(), logs_key=key)


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
    for kind, cost in UNITS.items():
        if kind.endswith("Statement"):
            total += cost * len(list(held(value, kind)))
    return total + sum(UNITS[group["Name"]] for group in held(value, "ManagedRuleGroupStatement"))


def test_capacity(default: World, full: World, private: World) -> None:
    found = [units(world.one(ACL).properties["Rules"]) for world in (default, private, full)]
    # Beyond 1,500 each request costs more, and beyond 5,000 there is nothing.
    assert found == [1_010, 933, 1_018]


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


def no_rates(template: Template) -> None:
    without_rule("RatePerIp")(template)
    without_rule("RatePerCaller")(template)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (without_rule("Core"), "WafManagedGroups"),
        (without_rule("KnownBadInputs"), "WafManagedGroups"),
        (without_rule("Reputation"), "WafManagedGroups"),
        (count_only("Core"), "WafManagedGroups"),
        (count_only("AnonymousIps"), "WafManagedGroups"),
        (no_rates, "WafRateLimit"),
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


@pytest.mark.parametrize("build", [doors.build, doors.build_full, doors.build_private])
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


def test_the_log_group_keeps_its_logical_id_and_its_name(default: World) -> None:
    group = default.one("AWS::Logs::LogGroup")
    assert group.logical_id == "FirewallLogGroup43A7988E"
    assert group.properties["LogGroupName"] == "aws-waf-logs-door-firewall-a7dc3b19"
