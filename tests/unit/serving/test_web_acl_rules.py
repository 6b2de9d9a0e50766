"""The rules of a door's web ACL: whom they let in, in which order, and how much of a body."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest
from aws_cdk import aws_kms as kms

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.serving.door_firewall import DoorFirewall
from secure_ml_constructs.serving.front_door import Payloads
from secure_ml_constructs.serving.web_acl import WebAcl
from secure_ml_constructs.serving.web_acl_rules import number_up_to
from tests.support.templates import ACCOUNT, REGION, World, new_app
from tests.unit.serving import doors
from tests.unit.serving.doors import ACL, Door, made, rules

BY_ADDRESS = ("Denied", "Countries", "NotCountries", "Reputation", "AnonymousIps", "RatePerIp", "Allowed")


@pytest.fixture(scope="session")
def default() -> World:
    return made(doors.build)


@pytest.fixture(scope="session")
def full() -> World:
    return made(doors.build_full)


@pytest.fixture(scope="session")
def private() -> World:
    return made(doors.build_private)


# -- whom it lets in ----------------------------------------------------------------------------------------


def test_the_order_of_the_rules(default: World, full: World) -> None:
    asked = ["RatePerCaller", "BodySize", "KnownBadInputs", "Core"]
    assert list(rules(default)) == ["Reputation", "AnonymousIps", "RatePerIp", *asked]
    addressed = ["Denied", "Countries", "Reputation", "AnonymousIps", "RatePerIp"]
    assert list(rules(full)) == [*addressed, asked[0], "BinaryType", *asked[1:], "Allowed"]
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


TRANSFORMED: dict[str, Callable[[str], str]] = {"URL_DECODE": unquote, "LOWERCASE": str.lower}


def wrong_type(statement: dict[str, Any], path: str, said: str | None) -> bool:
    """What AWS WAF makes of a statement about a path and a type of content."""
    ((kind, value),) = statement.items()
    match kind:
        case "OrStatement":
            return any(wrong_type(each, path, said) for each in value["Statements"])
        case "AndStatement":
            return all(wrong_type(each, path, said) for each in value["Statements"])
        case "NotStatement":
            return not wrong_type(value["Statement"], path, said)
        case "RegexMatchStatement":
            field = value["FieldToMatch"]
            assert field in ({"UriPath": {}}, {"SingleHeader": {"Name": "content-type"}})
            text = path if "UriPath" in field else said
            for each in value["TextTransformations"]:
                text = text and TRANSFORMED[each["Type"]](text)
            return text is not None and bool(re.search(value["RegexString"], text))
    raise NotImplementedError(kind)


@pytest.fixture(scope="module")
def one_type() -> dict[str, Any]:
    """The rule of a door that takes bytes of one type."""
    binary = Payloads(binary=("application/dicom",), csv=True).binary_paths
    world = made(lambda app: Door(app).acl(private=True, binary=binary))
    statement: dict[str, Any] = rules(world)["BinaryType"]["Statement"]
    return statement


@pytest.mark.parametrize("path", ["/binary", "/live/binary", "/live/partner-a/binary", "/live/bin%61ry/"])
@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ("application/dicom", False),
        ("Application/DICOM", False),
        ("application/dicom; transfer-syntax=*", False),
        ("application/dicom;x=y", False),
        (None, True),
        ("", True),
        ("application/json", True),
        ("application/dicom+json", True),
        ("application/x-python-pickle", True),
        ("text/plain; application/dicom", True),
        ("application/dicom, text/plain", True),
    ],
)
def test_bytes_of_another_type_are_refused(
    one_type: dict[str, Any], path: str, said: str | None, refused: bool
) -> None:
    assert wrong_type(one_type, path, said) is refused


@pytest.mark.parametrize(
    "path", ["/live/json", "/csv", "/live/binary-partner/json", "/live/xbinary", "/live/binary/json", "/"]
)
@pytest.mark.parametrize("said", ["application/json", "text/csv", "", None])
def test_other_paths_are_not_asked_for_the_type_of_bytes(
    one_type: dict[str, Any], path: str, said: str | None
) -> None:
    assert wrong_type(one_type, path, said) is False


def test_of_several_types_each_path_takes_its_own(full: World, default: World) -> None:
    statement = rules(full)["BinaryType"]["Statement"]
    for path, own in doors.BINARY.items():
        for said in (*doors.BINARY.values(), "image/svgxml", "application/json"):
            assert wrong_type(statement, f"/live/partner-a/{path}", said) is (said != own)
    assert wrong_type(statement, "/live/json", "application/json") is False
    assert "BinaryType" not in rules(default)


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
