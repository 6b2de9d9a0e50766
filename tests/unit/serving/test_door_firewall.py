"""DoorFirewall: what it takes, and what it refuses."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from aws_cdk import Token

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.serving import door_firewall
from secure_ml_constructs.serving.door_firewall import DoorFirewall, networks


def refused(**arguments: Any) -> list[tuple[str, str]]:
    with pytest.raises(ConfigurationError) as caught:
        DoorFirewall(**arguments)
    return [(problem.argument, problem.reason) for problem in caught.value.problems]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"requests_per_ip": 10, "requests_per_caller": 2_000_000_000},
        {"allow": ("10.0.0.0/8", "198.51.100.7/32", "2001::/16", "2001:db8::1/128")},
        {"deny": ("128.0.0.0/1", "2000::/3")},
        {"allow": ("198.51.0.0/16",), "deny": ("198.51.100.0/24", "2001:db8::/32")},
        {"allow": (Token.as_string({"Ref": "Office"}),)},
        {"countries": ("DE", "XK")},
        {"not_countries": ("KP",)},
        {"largest_body_kb": 1},
        {"largest_body_kb": 10_000, "uninspected_rest": True},
        {"hosted_callers": True, "counted_body_rules": door_firewall.BODY_RULES},
        {"log_retention_days": 3653},
    ],
)
def test_what_is_taken(arguments: dict[str, Any]) -> None:
    settings = DoorFirewall(**arguments)
    assert all(getattr(settings, name) == value for name, value in arguments.items())
    assert hash(DoorFirewall()) == hash(DoorFirewall())


@pytest.mark.parametrize(
    ("arguments", "argument", "says"),
    [
        ({"requests_per_ip": 9}, "requests_per_ip", "10 at the least"),
        ({"requests_per_caller": 0}, "requests_per_caller", "10 at the least"),
        ({"requests_per_caller": 2_000_000_001}, "requests_per_caller", "at the most"),
        ({"allow": ("0.0.0.0/0",)}, "allow", "lets everybody in"),
        ({"allow": ("::/0",)}, "allow", "lets everybody in"),
        ({"allow": ("0.0.0.0/1",)}, "allow", "lets everybody in"),
        ({"allow": ("10.0.0.0/7",)}, "allow", "lets everybody in"),
        ({"allow": ("2000::/3",)}, "allow", "lets everybody in"),
        ({"allow": ("2000::/15",)}, "allow", "lets everybody in"),
        ({"allow": ("198.51.100.7",)}, "allow", "without its length"),
        ({"allow": ("198.51.100.7/24",)}, "allow", "host bits set"),
        ({"allow": ("everybody",)}, "allow", "No network"),
        ({"allow": ("198.51.100.0/33",)}, "allow", "No network"),
        ({"allow": ("",)}, "allow", "No network"),
        ({"allow": "198.51.100.0/24"}, "allow", "One string"),
        ({"allow": ("198.51.100.0/24",) * 2}, "allow", "twice"),
        ({"deny": ("0.0.0.0/0",)}, "deny", "Nobody could call"),
        ({"deny": ("::/0",)}, "deny", "Nobody could call"),
        ({"deny": tuple(f"10.{n // 256}.{n % 256}.0/24" for n in range(10_001))}, "deny", "10,000 networks"),
        ({"allow": ("198.51.100.0/24",), "deny": ("198.51.0.0/16",)}, "allow", "deny, which wins"),
        ({"allow": ("2001:db8::/48",), "deny": ("2001:db8::/48",)}, "allow", "deny, which wins"),
        ({"countries": ("DEU",)}, "countries", "ISO 3166"),
        ({"countries": ("de",)}, "countries", "ISO 3166"),
        ({"not_countries": ("EU",)}, "not_countries", "ISO 3166"),
        ({"countries": "DE"}, "countries", "One string"),
        ({"countries": ("DE", "DE")}, "countries", "twice"),
        ({"countries": tuple(sorted(door_firewall._COUNTRIES)[:51])}, "countries", "50 countries"),
        ({"countries": ("DE",), "not_countries": ("KP",)}, "not_countries", "all others are refused"),
        ({"largest_body_kb": 0}, "largest_body_kb", "10,000 KB"),
        ({"largest_body_kb": 10_001, "uninspected_rest": True}, "largest_body_kb", "10,000 KB"),
        ({"largest_body_kb": 65}, "largest_body_kb", "pass unseen"),
        ({"largest_body_kb": 64, "uninspected_rest": True}, "uninspected_rest", "inspected to its end"),
        ({"hosted_callers": True, "anonymous_ips": False}, "hosted_callers", "already"),
        ({"counted_body_rules": ("SizeRestrictions_BODY",)}, "counted_body_rules", "reads bodies"),
        ({"counted_body_rules": ("NoUserAgent_HEADER",)}, "counted_body_rules", "reads bodies"),
        ({"counted_body_rules": "GenericLFI_BODY"}, "counted_body_rules", "One string"),
        ({"counted_body_rules": ("GenericLFI_BODY",) * 2}, "counted_body_rules", "twice"),
        ({"log_retention_days": 100}, "log_retention_days", "certain numbers"),
    ],
)
def test_what_is_refused(arguments: dict[str, Any], argument: str, says: str) -> None:
    ((found, reason),) = refused(**arguments)
    assert found == argument
    assert says in reason


def test_every_problem_is_told_at_once() -> None:
    found = refused(requests_per_ip=1, allow=("0.0.0.0/0", "x"), countries=("XX",), largest_body_kb=100)
    assert [argument for argument, _ in found] == [
        "requests_per_ip",
        "allow",
        "allow",
        "countries",
        "largest_body_kb",
    ]


def test_the_countries_are_those_of_aws_waf() -> None:
    known = botocore.session.get_session().get_service_model("wafv2").shape_for("CountryCode").enum
    assert set(known) == door_firewall._COUNTRIES


def test_networks_are_told_apart_by_version() -> None:
    token = Token.as_string({"Ref": "Office"})
    given = ("2001:db8::/32", "198.51.100.0/24", token)
    assert networks(given, 4) == ["198.51.100.0/24", token]
    assert networks(given, 6) == ["2001:db8::/32"]
