"""The reference environment: nothing leads out, nothing leads in, and the services are there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from secure_ml_constructs.environment import SecureMlEnvironment, load_config
from secure_ml_constructs.verification.proofs.network import Interface, Network, Path, Unreachable
from secure_ml_constructs.verification.templates import Templates
from tests.support.templates import ROOT, new_app, synth
from tests.unit.network.environments import FULL, existing, secure, template_of


@pytest.fixture(scope="module")
def templates() -> dict[str, Any]:
    app = new_app()
    config = load_config(ROOT / "environments" / "reference.yaml")
    SecureMlEnvironment(app, "Environment", config=config)
    return synth(app)


@pytest.fixture(scope="module")
def net(templates: dict[str, Any]) -> Network:
    return Network.of(Templates.of(templates))


def test_every_subnet_with_every_group_is_asked(net: Network) -> None:
    assert len(net.ml_subnets) == 3
    groups = {group.name for group in net.groups}
    assert {name.rstrip("0123456789ABCDEF") for name in groups if name.startswith("Vpc")} == {
        "VpcEndpointGroup",
        "VpcJobGroup",
        "VpcWorkloadGroup",
    }
    assert len(net.interfaces) == 3 * len(groups)


def test_nothing_leads_out_or_in(net: Network) -> None:
    for question in (net.internet, net.from_internet, net.past_firewalls):
        assert all(isinstance(answer, Unreachable) for answer in net.by_answer(question))
    for interface in net.interfaces:
        assert all(isinstance(answer, Unreachable) for answer in net.other_networks(interface))
    assert net.outside == ()
    assert net.wide_rules() == ()
    assert net.chains() == ()


def _clients(net: Network) -> list[Interface]:
    found = [i for i in net.interfaces if any("Job" in g.name or "Workload" in g.name for g in i.groups)]
    assert len(found) == 6
    return found


@pytest.mark.parametrize(
    "service", ["s3", "sagemaker.api", "sagemaker.runtime", "kms", "sts", "logs", "ecr.api"]
)
def test_services_are_reached_through_our_endpoints(net: Network, service: str) -> None:
    for interface in _clients(net):
        found = net.endpoints_for(service, interface)
        assert [through.endpoint.service for through in found] == [service]
        assert found[0].endpoint.private_dns
        assert found[0].path.unresolved == ""


def test_endpoints_are_no_clients(net: Network) -> None:
    for interface in set(net.interfaces) - set(_clients(net)):
        assert net.endpoints_for("sagemaker.api", interface) == ()
        assert net.endpoints_for("s3", interface) == ()


def test_the_full_network_leads_nowhere_either() -> None:
    net = Network.of(Templates.of({"Network": template_of(secure, region="eu-central-1", **FULL)}))
    for question in (net.internet, net.from_internet):
        assert all(isinstance(answer, Unreachable) for answer in net.by_answer(question))


def test_what_the_templates_do_not_hold_is_open() -> None:
    """Subnets of others are in no template of ours, so that nothing can be said of where they lead."""
    net = Network.of(Templates.of({"Network": template_of(existing)}))
    assert net.interfaces
    for answer in net.by_answer(net.internet):
        assert isinstance(answer, Path)
        assert "not in the templates" in answer.unresolved


# What takes one barrier of the reference environment away; its network has no way out until a route is there.
STRAY: dict[str, dict[str, Any]] = {
    "an internet gateway": {"GatewayId": {"Ref": "StrayGateway"}},
    "a peering": {"VpcPeeringConnectionId": "pcx-0123456789abcdef0"},
    "a transit gateway": {"TransitGatewayId": "tgw-0123456789abcdef0"},
}


@pytest.mark.parametrize("name", STRAY)
def test_a_stray_route(templates: dict[str, Any], name: str) -> None:
    changed = json.loads(json.dumps(templates))
    resources = changed["hospital-ml-network"]["Resources"]
    table = next(name for name, body in resources.items() if body["Type"] == "AWS::EC2::RouteTable")
    resources["StrayGateway"] = {"Type": "AWS::EC2::InternetGateway"}
    resources["Stray"] = {
        "Type": "AWS::EC2::Route",
        "Properties": {"RouteTableId": {"Ref": table}, "DestinationCidrBlock": "0.0.0.0/1", **STRAY[name]},
    }
    net = Network.of(Templates.of(changed))
    answers = net.by_answer(net.internet)
    assert any(isinstance(answer, Path) and "Stray" in str(answer) for answer in answers)
