"""Whatever a firewall is asked to be, it is refused or it holds, and nothing is found in it."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.serving.door_firewall import BODY_RULES, DoorFirewall
from secure_ml_constructs.verification.rules import check
from tests.fuzz.strategies import mostly
from tests.fuzz.test_constructs import told
from tests.support.compliance import findings
from tests.support.templates import World, new_app, synth
from tests.unit.serving.doors import ACL, Door, held, rules

NETWORKS = st.lists(
    mostly(
        st.ip_addresses(v=4).map(lambda each: f"{each}/32")
        | st.integers(0, 255).map(lambda number: f"198.{number}.0.0/16")
        | st.ip_addresses(v=6).map(lambda each: f"{each}/128"),
        st.sampled_from(["0.0.0.0/0", "::/0", "198.51.100.7", "office", ""]),
        times=20,
    ),
    max_size=3,
).map(tuple)
COUNTRIES = st.lists(mostly(st.sampled_from(["DE", "AT", "XK"]), st.text(max_size=3)), max_size=2).map(tuple)
RATES = mostly(st.integers(10, 100_000), st.integers(-1, 9), times=20)
ARGUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "requests_per_ip": RATES,
        "requests_per_caller": RATES,
        "allow": NETWORKS,
        "deny": NETWORKS,
        "countries": COUNTRIES,
        "not_countries": COUNTRIES,
        "anonymous_ips": st.booleans(),
        "hosted_callers": st.booleans(),
        "counted_body_rules": st.lists(st.sampled_from(BODY_RULES), max_size=2).map(tuple),
        "log_retention_days": mostly(st.sampled_from([365, 3653]), st.integers(-1, 500)),
    },
)
BODIES: st.SearchStrategy[dict[str, Any]] = st.builds(dict, largest_body_kb=st.integers(1, 64)) | st.builds(
    dict, largest_body_kb=st.integers(0, 11_000), uninspected_rest=st.booleans()
)


def holds(arguments: dict[str, Any], private: bool) -> bool:
    """Whether the arguments were taken; fails where what was taken does not hold."""
    app = new_app()
    try:
        Door(app).acl(settings=DoorFirewall(**arguments), private=private)
    except ConfigurationError as error:
        told(error)
        return False
    templates = synth(app)
    world = World(templates)
    found = rules(world)
    assert {"RatePerCaller", "BodySize", "KnownBadInputs", "Core"} <= set(found)
    assert private or {"Reputation", "RatePerIp"} <= set(found)
    acl = world.one(ACL).properties
    assert ("Allow" in acl["DefaultAction"]) is not bool(arguments.get("allow"))
    lists = {world.arn(each) for each in world.resources("AWS::WAFv2::IPSet")}
    assert set(held(acl, "Arn")) == lists
    assert all(len(pattern) <= 200 for pattern in held(acl, "RegexString"))
    broken = {each.rule for each in check(templates) if each.rule.startswith("Waf")}
    # Acknowledged where callers at hosting providers are let in on purpose.
    hosted = not private and not arguments.get("anonymous_ips", True)
    assert broken == ({"WafAnonymousIps"} if hosted else set())
    return True


def test_any_arguments_are_refused_or_hold() -> None:
    taken: list[bool] = []

    @settings(max_examples=60, deadline=None, database=None, derandomize=True)
    @given(arguments=ARGUMENTS, body=BODIES, private=st.booleans())
    def draw(arguments: dict[str, Any], body: dict[str, Any], private: bool) -> None:
        taken.append(holds({**arguments, **body}, private))

    draw()
    # Often enough of either to tell something.
    assert 10 <= sum(taken) <= len(taken) - 10


@pytest.mark.deep
@settings(
    max_examples=max(1, int(os.environ.get("FUZZ_EXAMPLES", "3000")) // 10),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(arguments=ARGUMENTS, body=BODIES, private=st.booleans())
def test_any_arguments_are_refused_or_have_no_finding(
    arguments: dict[str, Any], body: dict[str, Any], private: bool
) -> None:
    given_ = {**arguments, **body}
    if holds(given_, private):
        found = findings(lambda app: Door(app).acl(settings=DoorFirewall(**given_), private=private))
        assert [str(each) for each in found if "Stage" not in str(each.constructs)] == []
