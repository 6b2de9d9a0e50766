"""What an environment costs while nobody uses it."""

from __future__ import annotations

from typing import Any

from secure_ml_constructs.enforcement.costs import standing_costs


def test_interface_endpoints_count_by_zone_and_gateways_not_at_all() -> None:
    template = {
        "Resources": {
            "Api": {
                "Type": "AWS::EC2::VPCEndpoint",
                "Properties": {"VpcEndpointType": "Interface", "SubnetIds": ["a", "b", "c"]},
            },
            "S3": {"Type": "AWS::EC2::VPCEndpoint", "Properties": {"VpcEndpointType": "Gateway"}},
            "Key": {"Type": "AWS::KMS::Key"},
        }
    }
    endpoints, keys = standing_costs([template, template])
    assert (endpoints.item, endpoints.count) == ("interface endpoint-AZ pairs", 6)
    assert round(endpoints.monthly) == 44
    assert (keys.item, keys.count, keys.monthly) == ("customer keys", 2, 2.0)


def test_a_way_out_and_a_link_are_charged_by_the_hour() -> None:
    firewall = {"SubnetMappings": [{"SubnetId": "a"}]}
    template = {
        "Resources": {
            "One": {"Type": "AWS::NetworkFirewall::Firewall", "Properties": firewall},
            "Two": {"Type": "AWS::NetworkFirewall::Firewall", "Properties": firewall},
            "Nat": {"Type": "AWS::EC2::NatGateway"},
            "Address": {"Type": "AWS::EC2::EIP"},
            "Vpn": {"Type": "AWS::EC2::VPNConnection"},
        }
    }
    costs = {cost.item: (cost.count, round(cost.monthly, 2)) for cost in standing_costs([template])}
    assert costs == {
        "NAT gateways": (1, 32.85),
        "Network Firewall endpoints": (2, 576.7),
        "VPN connections": (1, 36.5),
        "public IPv4 addresses": (1, 3.65),
    }


def test_nothing_that_stands_costs_nothing() -> None:
    assert standing_costs([{}, {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}}]) == ()


def test_instances_that_serve_cost_whether_they_are_asked_or_not() -> None:
    def config(*variants: tuple[str, int]) -> dict[str, Any]:
        made = [{"InstanceType": type_, "InitialInstanceCount": count} for type_, count in variants]
        return {"Type": "AWS::SageMaker::EndpointConfig", "Properties": {"ProductionVariants": made}}

    template = {
        "Resources": {
            "One": config(("ml.m5.large", 2)),
            "Two": config(("ml.m5.large", 1), ("ml.p5.48xlarge", 1)),
        }
    }
    found = {cost.item: (cost.count, round(cost.monthly)) for cost in standing_costs([template])}
    assert found == {
        "serving instances, ml.m5.large": (3, 252),
        "serving instances with no price here": (1, 0),
    }
