"""The endpoints of a network, each with its policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from functools import cached_property
from typing import Any

from aws_cdk import CfnCondition, CfnMapping, Fn, Stack, Token
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from secure_ml_constructs._cdk import is_token, partition
from secure_ml_constructs.network.aws_registries import (
    partition_accounts,
    registries,
    registry_accounts,
)
from secure_ml_constructs.network.endpoint_services import EndpointService
from secure_ml_constructs.network.endpoints import Endpoints
from secure_ml_constructs.perimeter import AwsOwnedResource, DataPerimeter
from secure_ml_constructs.policy import sub

# Private APIs may be called by who has a token and no IAM identity; the API's authorizer then decides.
_OUR_APIS = ("arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:*",)


class EndpointIds(Mapping[str, str]):
    """Ids by service, each asked of Node when it is first read: few constructs name more than S3's."""

    def __init__(self, endpoints: MutableMapping[str, str | ec2.CfnVPCEndpoint]) -> None:
        self._endpoints = endpoints

    def __getitem__(self, service: str) -> str:
        endpoint = self._endpoints[service]
        if not isinstance(endpoint, str):
            endpoint = self._endpoints[service] = endpoint.ref
        return endpoint

    def __iter__(self) -> Iterator[str]:
        return iter(self._endpoints)

    def __len__(self) -> int:
        return len(self._endpoints)


class EndpointSet(Construct):
    """The gateway and interface endpoints of a network. (N2, N3)

    Args:
        scope: The parent construct.
        id: The construct's id.
        perimeter: Gives each endpoint its policy.
        endpoints: Which services, and in which zones.
        existing: Ids of endpoints that are there already, by service; none is made for these.
        vpc_id: The VPC.
        zones: The zones' names, as far as they are known.
        subnet_ids: A subnet for each zone.
        route_table_ids: The route tables that gateway endpoints write their routes into.
        security_group_id: The interface endpoints' group.

    Attributes:
        ids: The endpoints' ids by service, existing ones among them.
        zone_pairs: The number of interfaces made: what is charged by the hour.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        perimeter: DataPerimeter,
        endpoints: Endpoints,
        existing: Mapping[str, str],
        vpc_id: str,
        zones: Sequence[str],
        subnet_ids: Sequence[str],
        route_table_ids: Sequence[str],
        security_group_id: str,
    ) -> None:
        super().__init__(scope, id)
        self._perimeter, self._endpoints = perimeter, endpoints
        self._vpc_id, self._zones, self._subnet_ids = vpc_id, zones, subnet_ids
        self._route_table_ids, self._group = route_table_ids, security_group_id
        self._made: dict[str, ec2.CfnVPCEndpoint] = {}
        self._every: dict[str, str | ec2.CfnVPCEndpoint] = dict(existing)
        self.ids: Mapping[str, str] = EndpointIds(self._every)
        self.zone_pairs = 0
        for service in endpoints.services:
            if service.name not in existing:
                self.add(service)

    @property
    def resources(self) -> tuple[ec2.CfnVPCEndpoint, ...]:
        """The endpoints that were made."""
        return tuple(self._made.values())

    def add(self, service: EndpointService) -> ec2.CfnVPCEndpoint:
        """Make an endpoint.

        Args:
            service: The service, which has none here yet.
        """
        region = Stack.of(self).region
        name = (
            service.deferred_name(region, self._china_prefix)
            if is_token(region) and "cn-" in service.local_prefix
            else service.full_name(region)
        )
        properties: dict[str, Any] = {"service_name": name, "vpc_id": self._vpc_id}
        if service.accepts_policy:
            properties["policy_document"] = self._perimeter.endpoint_policy(
                service.policy_name,
                anonymous_resources=[sub(arn) for arn in _OUR_APIS]
                if service.policy_name == "execute-api"
                else (),
                aws_owned=self._images
                if self._endpoints.aws_images and service.policy_name in ("ecr.api", "ecr.dkr")
                else (),
            )
        if service.gateway:
            properties["vpc_endpoint_type"] = "Gateway"
            properties["route_table_ids"] = list(dict.fromkeys(self._route_table_ids))
        else:
            positions = self._endpoints.positions(service.name, self._zones)
            self.zone_pairs += len(positions)
            properties["vpc_endpoint_type"] = "Interface"
            properties["private_dns_enabled"] = service.private_dns
            properties["security_group_ids"] = [self._group]
            properties["subnet_ids"] = [self._subnet_ids[position] for position in positions]
            if service.policy_name == "s3":
                properties["dns_options"] = ec2.CfnVPCEndpoint.DnsOptionsSpecificationProperty(
                    private_dns_only_for_inbound_resolver_endpoint="AllResolvers"
                )
        made = ec2.CfnVPCEndpoint(self, _logical(service), **properties)
        self._made[service.name] = self._every[service.name] = made
        return made

    def alias(self, service: str) -> tuple[str, str] | None:
        """Give the name of an interface endpoint and the zone of AWS's that it is in, for an alias record.

        Args:
            service: The service, as in the catalogue.

        Returns:
            Both, or None for an endpoint that was there already: it tells nothing but its id.
        """
        made = self._made.get(service)
        if made is None:
            return None
        # The first entry is that of the region (AWS::EC2::VPCEndpoint, DnsEntries).
        entry = Fn.split(":", Fn.select(0, made.attr_dns_entries))
        return Fn.select(1, entry), Fn.select(0, entry)

    @cached_property
    def _images(self) -> tuple[AwsOwnedResource, ...]:
        region = Stack.of(self).region
        if not is_token(region):
            return registries(registry_accounts(region))
        table = {partition: {"Accounts": accounts} for partition, accounts in partition_accounts().items()}
        mapping = CfnMapping(self, "AwsRegistries", mapping=table)
        return registries(mapping.find_in_map(partition(), "Accounts"))

    @cached_property
    def _china_prefix(self) -> str:
        condition = CfnCondition(self, "InChina", expression=Fn.condition_equals(partition(), "aws-cn"))
        return Token.as_string({"Fn::If": [condition.logical_id, "cn.com.amazonaws", "com.amazonaws"]})


def _logical(service: EndpointService) -> str:
    """A construct id: `sagemaker.featurestore-runtime` gives `SagemakerFeaturestoreRuntime`."""
    return "".join(part.capitalize() for part in service.name.replace("-", ".").split("."))
