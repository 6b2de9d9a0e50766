"""What an environment costs while nobody uses it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

PRICES = "2026-11"
_HOURS = 730
_CONFIG = "AWS::SageMaker::EndpointConfig"
Properties = dict[str, Any]


@dataclass(frozen=True)
class StandingCost:
    """One kind of thing that is charged by the hour or the month.

    Attributes:
        item: What it is.
        count: How many.
        monthly: Their price in US dollars a month, at the list price of us-east-1.
    """

    item: str
    count: int
    monthly: float


def _interface_zones(properties: Properties) -> int:
    return len(properties.get("SubnetIds", [])) if properties.get("VpcEndpointType") == "Interface" else 0


def _one(properties: Properties) -> int:
    return 1


# Amazon SageMaker AI pricing, real-time inference, by the hour: the types that environments begin with.
_INSTANCES = {
    "ml.m5.large": 0.115,
    "ml.m5.xlarge": 0.23,
    "ml.m5.2xlarge": 0.461,
    "ml.c5.large": 0.102,
    "ml.c5.xlarge": 0.204,
    "ml.c5.2xlarge": 0.408,
    "ml.g4dn.xlarge": 0.736,
    "ml.g5.xlarge": 1.408,
}


def _instances(properties: Properties, type_: str | None) -> int:
    """The instances that an endpoint starts with, of one type, or of all that have no price here."""
    return sum(
        variant.get("InitialInstanceCount", 0)
        for variants in ("ProductionVariants", "ShadowProductionVariants")
        for variant in properties.get(variants, ())
        if (variant.get("InstanceType") == type_ if type_ else variant.get("InstanceType") not in _INSTANCES)
    )


# What is charged for standing there, its price a month and how one resource counts. (AWS PrivateLink pricing,
# AWS KMS pricing, AWS Secrets Manager pricing, Amazon VPC pricing, AWS VPN pricing, AWS Network
# Firewall pricing)
_ITEMS: tuple[tuple[str, str, float, Callable[[Properties], int]], ...] = (
    ("interface endpoint-AZ pairs", "AWS::EC2::VPCEndpoint", 0.01 * _HOURS, _interface_zones),
    ("customer keys", "AWS::KMS::Key", 1.0, _one),
    ("secrets", "AWS::SecretsManager::Secret", 0.40, _one),
    ("NAT gateways", "AWS::EC2::NatGateway", 0.045 * _HOURS, _one),
    ("public IPv4 addresses", "AWS::EC2::EIP", 0.005 * _HOURS, _one),
    ("VPN connections", "AWS::EC2::VPNConnection", 0.05 * _HOURS, _one),
    (
        "Network Firewall endpoints",
        "AWS::NetworkFirewall::Firewall",
        0.395 * _HOURS,
        lambda properties: len(properties.get("SubnetMappings", [])),
    ),
    ("web ACLs", "AWS::WAFv2::WebACL", 5.0, _one),
    *(
        (f"serving instances, {type_}", _CONFIG, price * _HOURS, partial(_instances, type_=type_))
        for type_, price in _INSTANCES.items()
    ),
    ("serving instances with no price here", _CONFIG, 0.0, partial(_instances, type_=None)),
)


def standing_costs(templates: Iterable[dict[str, Any]]) -> tuple[StandingCost, ...]:
    """Count what is charged by the hour or the month.

    Args:
        templates: CloudFormation templates.
    """
    counts: Counter[str] = Counter()
    for template in templates:
        for resource in template.get("Resources", {}).values():
            for item, kind, _, count in _ITEMS:
                if resource["Type"] == kind:
                    counts[item] += count(resource.get("Properties", {}))
    return tuple(
        StandingCost(item, counts[item], counts[item] * price) for item, _, price, _ in _ITEMS if counts[item]
    )
