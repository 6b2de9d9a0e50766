"""Which groups talk, by which chains, and which rules reach beyond the VPC."""

from __future__ import annotations

from typing import Any

import pytest

from secure_ml_constructs.verification.proofs.network import Network
from secure_ml_constructs.verification.templates import Templates


def rule(peer: str | None = None, *, port: int = 443, **far: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **far}
    if peer:
        found["peer"] = peer
    return found


def groups(**rules: tuple[list[dict[str, Any]], list[dict[str, Any]]]) -> Network:
    """Groups by name, each with its rules in and out."""
    resources: dict[str, Any] = {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
    }
    for name, (into, out) in rules.items():
        nothing = {"IpProtocol": "-1", "CidrIp": "127.0.0.1/32"}
        resources[name] = {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {
                "VpcId": {"Ref": "Vpc"},
                "SecurityGroupIngress": [_of(each, "Source") for each in into],
                "SecurityGroupEgress": [_of(each, "Destination") for each in out] or [nothing],
            },
        }
    return Network.of(Templates.of({"Main": {"Resources": resources}}))


def _of(each: dict[str, Any], end: str) -> dict[str, Any]:
    found = {key: value for key, value in each.items() if key != "peer"}
    if "peer" in each:
        found[f"{end}SecurityGroupId"] = {"Fn::GetAtt": [each["peer"], "GroupId"]}
    return found


def pairs(net: Network) -> set[tuple[str, str, tuple[str, ...]]]:
    return {(t.source, t.target, t.services) for t in net.talks() if "default" not in t.source + t.target}


def test_both_ends_must_let_it_through() -> None:
    net = groups(A=([], [rule("B"), rule("C")]), B=([rule("A")], []), C=([rule("A", port=80)], []))
    assert pairs(net) == {("A", "B", ("tcp 443",))}


def test_ports_are_cut() -> None:
    net = groups(
        A=([], [{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 500, "peer": "B"}]),
        B=([{"IpProtocol": "-1", "peer": "A"}], []),
    )
    assert pairs(net) == {("A", "B", ("tcp 1-500",))}


def test_addresses_of_the_vpc_are_its_groups() -> None:
    net = groups(A=([], [rule(CidrIp="10.0.4.0/24")]), B=([rule(CidrIp="10.0.0.0/8")], []))
    assert ("A", "B", ("tcp 443",)) in pairs(net)
    net = groups(A=([], [rule(CidrIp="10.1.4.0/24")]), B=([rule(CidrIp="10.0.0.0/8")], []))
    assert ("A", "B", ("tcp 443",)) not in pairs(net)


def test_a_group_open_to_itself_through_a_chain() -> None:
    net = groups(
        A=([rule("C")], [rule("B")]),
        B=([rule("A")], [rule("C", port=22)]),
        C=([rule("B", port=22)], [rule("A")]),
    )
    chains = net.chains()
    assert len(chains) == 3
    named = [hop.logical_id for hop in chains[0].hops]
    assert named == ["A", "A", "B", "B", "B", "C", "C", "C", "A", "A"]


@pytest.mark.parametrize("closed", ["A", "B", "C"])
def test_a_chain_that_one_group_breaks(closed: str) -> None:
    rules = {
        "A": ([rule("C")], [rule("B")]),
        "B": ([rule("A")], [rule("C")]),
        "C": ([rule("B")], [rule("A")]),
    }
    rules[closed] = ([], rules[closed][1])
    assert groups(**rules).chains() == ()


def test_a_group_whose_own_rule_names_it_is_no_chain() -> None:
    assert groups(A=([rule("A")], [rule("A")])).chains() == ()


@pytest.mark.parametrize(
    ("into", "out", "beyond"),
    [
        ([rule(CidrIp="10.0.0.0/8")], [], True),
        ([], [rule(CidrIp="0.0.0.0/0")], True),
        ([rule(CidrIpv6="::/0")], [], True),
        ([rule(CidrIp="10.0.3.0/24")], [], False),
        ([], [], False),
        ([], [rule(DestinationPrefixListId="pl-0a")], False),
    ],
    ids=["wider in", "everywhere out", "IPv6 in", "within", "nothing out", "AWS's list"],
)
def test_rules_beyond_the_vpc(into: list[Any], out: list[Any], beyond: bool) -> None:
    found = groups(A=(into, out)).wide_rules()
    found = tuple(path for path in found if path.hops[0].logical_id == "A")
    assert bool(found) is beyond
    for path in found:
        assert "10.0.0.0/16" not in path.ranges
