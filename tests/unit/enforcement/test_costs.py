"""What an environment costs while nobody uses it."""

from __future__ import annotations

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


def test_nothing_that_stands_costs_nothing() -> None:
    assert standing_costs([{}, {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}}]) == ()
