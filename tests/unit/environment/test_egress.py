"""The environment with a firewalled way out and a link: no finding, nothing broken but what is mutated."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from secure_ml_constructs.enforcement.proofs import trust_of_app
from secure_ml_constructs.environment import SecureMlEnvironment
from secure_ml_constructs.environment.config import parse_config
from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.verification.proofs.environment import ask
from secure_ml_constructs.verification.proofs.questions import Answer, Trust, Verdict
from secure_ml_constructs.verification.templates import Templates
from tests.support.compliance import findings
from tests.support.templates import ROOT, new_app, synth

pytestmark = pytest.mark.slow

EGRESS = ROOT / "environments" / "egress.yaml"
NETWORK = "hospital-ml-egress-network"
BY_JOBS = ("compromised-job/carry-data-out/*", "compromised-job/reach-*")
RANGES = ("192.168.16.0/20",)


@pytest.fixture(scope="session")
def made() -> tuple[dict[str, Any], Trust]:
    app = new_app()
    SecureMlEnvironment.from_file(app, "Environment", EGRESS)
    return synth(app), trust_of_app(app)


def answers(templates: dict[str, Any], trust: Trust, *questions: str) -> list[Answer]:
    return ask(Templates.of(templates), trust, questions=questions or BY_JOBS)


def test_no_finding() -> None:
    assert not findings(lambda app: SecureMlEnvironment.from_file(app, "Environment", EGRESS))


def test_it_stays_small(made: tuple[dict[str, Any], Trust]) -> None:
    assert all(len(template["Resources"]) < 350 for template in made[0].values())


def test_the_link_is_named_by_the_construct(made: tuple[dict[str, Any], Trust]) -> None:
    assert made[1].networks == RANGES


@pytest.mark.slow
def test_nothing_is_broken(made: tuple[dict[str, Any], Trust]) -> None:
    found = answers(*made, "*")
    assert not [answer.question for answer in found if answer.verdict is Verdict.BROKEN]
    open_by_design = {
        answer.deed: answer.control
        for answer in found
        if answer.verdict is Verdict.BY_DESIGN and answer.kind == "network"
    }
    assert open_by_design == {"reach the internet": "N7", "reach another network": "N10"}


def test_what_jobs_carry_past_the_endpoints_passes_the_list(made: tuple[dict[str, Any], Trust]) -> None:
    carried = [answer for answer in answers(*made) if answer.deed == "carry data out"]
    assert carried
    assert {answer.verdict for answer in carried} == {Verdict.BY_DESIGN}
    assert all("compares names with pypi.org," in answer.because for answer in carried)


def change_one(kind: str, change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    def changes(templates: dict[str, Any]) -> None:
        resources = templates[NETWORK]["Resources"].values()
        change(next(each["Properties"] for each in resources if each["Type"] == kind))

    return changes


def reaches_aws(group: dict[str, Any]) -> None:
    group["RuleGroup"]["RulesSource"]["RulesSourceList"]["Targets"].append(".amazonaws.com")


def lets_the_rest_through(policy: dict[str, Any]) -> None:
    policy["FirewallPolicy"]["StatefulDefaultActions"] = ["aws:alert_established"]


def opened_endpoint(endpoint: dict[str, Any]) -> None:
    endpoint["PolicyDocument"] = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
    }


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("AWS::NetworkFirewall::RuleGroup", reaches_aws),
        ("AWS::NetworkFirewall::FirewallPolicy", lets_the_rest_through),
        ("AWS::EC2::VPCEndpoint", opened_endpoint),
    ],
)
def test_what_jobs_carry_past_a_weaker_list_or_endpoint_is_broken(
    made: tuple[dict[str, Any], Trust], kind: str, change: Callable[[dict[str, Any]], None]
) -> None:
    templates = copy.deepcopy(made[0])
    change_one(kind, change)(templates)
    verdicts = [a.verdict for a in answers(templates, made[1]) if a.deed == "carry data out"]
    assert Verdict.BROKEN in verdicts


# -- The file ----------------------------------------------------------------------------------------------


def problems(**network: Any) -> dict[str, str]:
    with pytest.raises(ConfigurationError) as caught:
        parse_config({"name": "hospital-ml", "network": network}, where="file")
    return {problem.argument: problem.reason for problem in caught.value.problems}


VPN = {"ranges": ["192.168.0.0/16"], "devices": ["203.0.113.10"]}


@pytest.mark.parametrize(
    ("network", "argument", "reason"),
    [
        ({"egress": {}}, "network.egress.firewalled", "required"),
        ({"egress": {"firewalled": {"domains": []}}}, "network.egress.firewalled.domains", "none"),
        (
            {"egress": {"firewalled": {"domains": ["https://pypi.org"]}}},
            "network.egress.firewalled.domains[0]",
            "scheme",
        ),
        (
            {
                "egress": {"firewalled": {"domains": ["pypi.org"]}},
                "block_public_access": "block-bidirectional",
            },
            "network.block_public_access",
            "stop the way out",
        ),
        (
            {
                "egress": {"firewalled": {"domains": ["pypi.org"]}},
                "cidr": "10.0.0.0/24",
                "availability_zones": 3,
            },
            "network.cidr",
            "no room",
        ),
        ({"on_premises": {}}, "network.on_premises", "either vpn or direct_connect"),
        (
            {"on_premises": {"vpn": VPN, "direct_connect": {"ranges": [], "gateway_id": ""}}},
            "network.on_premises",
            "either vpn or direct_connect",
        ),
        (
            {"on_premises": {"vpn": {**VPN, "ranges": ["0.0.0.0/0"]}}},
            "network.on_premises.vpn.ranges[0]",
            "wider than a /8",
        ),
        (
            {"on_premises": {"vpn": VPN}, "cidr": "192.168.4.0/22"},
            "network.on_premises.vpn.ranges[0]",
            "overlaps the VPC's",
        ),
        (
            {"on_premises": {"direct_connect": {"ranges": ["192.168.0.0/16"], "gateway_id": "dxgw"}}},
            "network.on_premises.direct_connect.gateway_id",
            "no Direct Connect gateway",
        ),
    ],
)
def test_refused(network: dict[str, Any], argument: str, reason: str) -> None:
    found = problems(**network)
    assert reason in found[argument]
    assert len(found) == 1


@pytest.mark.parametrize("name", ["egress", "on_premises"])
def test_an_existing_network_has_its_own_ways_out(name: str) -> None:
    value = {"egress": {"firewalled": {"domains": ["pypi.org"]}}, "on_premises": {"vpn": VPN}}[name]
    existing = {"vpc": "vpc-01234567", "subnets": []}
    found = problems(**{name: value, "existing": existing})
    assert f"has its own {name}" in found["network"]


def test_direct_connect_from_the_file() -> None:
    link = {"ranges": ["192.168.0.0/16"], "gateway_id": "01234567-89ab-cdef-0123-456789abcdef"}
    network = {"on_premises": {"direct_connect": link}}
    config = parse_config({"name": "hospital-ml", "network": network}, where="file")
    app = new_app()
    made = SecureMlEnvironment(app, "Environment", config=config)
    assert made.network.linked_ranges == ("192.168.0.0/16",)
