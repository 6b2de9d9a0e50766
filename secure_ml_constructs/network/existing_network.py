"""A VPC, or shared subnets of one, that somebody else owns."""

from __future__ import annotations

from aws_cdk import aws_kms as kms
from constructs import Construct

from secure_ml_constructs._cdk import child_path, key_arn
from secure_ml_constructs._retention import check_retention
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.network.endpoint_set import EndpointSet
from secure_ml_constructs.network.endpoints import Endpoints
from secure_ml_constructs.network.existing_vpc import ExistingGroups, ExistingVpc
from secure_ml_constructs.network.flow_log import VpcFlowLog
from secure_ml_constructs.network.ml_network import MlNetwork
from secure_ml_constructs.network.prefix_lists import PrefixLists
from secure_ml_constructs.network.settings import NetworkSettings
from secure_ml_constructs.perimeter import DataPerimeter


class ExistingNetwork(MlNetwork):
    """An existing VPC, or shared subnets of one, behind the attributes of `SecureVpc`.

    `SecureVpc.from_existing` makes it.

    Ensures:
        N9: the default VPC and subnets with a way out are refused, at synth where the app knows and at
            deployment where only AWS does; at least 2 zones.
        N2, N3: the endpoints the profile asks for: those that exist are taken by id, the others are made,
            each with its policy. The policy of an endpoint that exists is its owner's.
        N4: groups by reference, unless they are given.
        N6: flow logs of the VPC, where asked for.

    Args:
        scope: The parent construct.
        id: The construct's id.
        perimeter: Who is trusted; gives every policy.
        logs_key: The key of the log groups.
        existing: What is there already.
        endpoints: Which endpoints there have to be. Default: `Endpoints()`, the Studio profile.
        prefix_lists: The managed prefix lists of S3 and DynamoDB. Default: looked up at deployment.
        flow_log_retention_days: Makes a flow log of the VPC, kept for so many days. Default: none, as the
            flow log is the owner's.

    Raises:
        ConfigurationError: The default VPC; a public subnet or one with a way out; fewer than 2 zones; a
            gateway endpoint to be made without a route table; an unknown service; malformed ids.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        perimeter: DataPerimeter,
        logs_key: kms.IKey,
        existing: ExistingVpc,
        endpoints: Endpoints | None = None,
        prefix_lists: PrefixLists | None = None,
        flow_log_retention_days: int | None = None,
    ) -> None:
        endpoints = endpoints or Endpoints()
        problems = Problems()
        vpc_id, vpc_cidr, subnets = existing.check(problems, endpoints)
        gateways = [service.name for service in endpoints.services if service.gateway]
        listed = prefix_lists.check(problems, gateways) if prefix_lists else {}
        if flow_log_retention_days is not None:
            check_retention(problems, "flow_log_retention_days", flow_log_retention_days)
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        self.perimeter = perimeter

        self.vpc_id = vpc_id
        self.vpc_cidr = vpc_cidr
        self.availability_zones = tuple(subnet.availability_zone for subnet in subnets)
        self.isolated_subnet_ids = tuple(subnet.subnet_id for subnet in subnets)
        self.route_table_ids = tuple(subnet.route_table_id or "" for subnet in subnets)
        logs_key_arn = key_arn(logs_key)
        if flow_log_retention_days is not None:
            VpcFlowLog(
                self,
                "FlowLog",
                perimeter=perimeter,
                vpc_id=vpc_id,
                logs_key_arn=logs_key_arn,
                retention_days=flow_log_retention_days,
            )
        self._prefix_lists = listed
        if existing.check_at_deployment or not prefix_lists:
            settings = NetworkSettings(
                self,
                "Settings",
                perimeter=perimeter,
                logs_key_arn=logs_key_arn,
                prefix_lists=() if prefix_lists else gateways,
                isolated=(vpc_id, self.isolated_subnet_ids) if existing.check_at_deployment else None,
            )
            self._prefix_lists = listed or settings.prefix_lists
        self._make_groups(existing.groups)
        self._take(
            EndpointSet(
                self,
                "Endpoints",
                perimeter=perimeter,
                endpoints=endpoints,
                existing=existing.endpoints,
                vpc_id=vpc_id,
                zones=self.availability_zones,
                subnet_ids=self.isolated_subnet_ids,
                route_table_ids=self.route_table_ids,
                security_group_id=self.endpoint_security_group_id,
            )
        )

    def _make_groups(self, given: ExistingGroups) -> None:
        self._admit = given.admit
        self.endpoint_security_group_id = given.endpoints or self._endpoint_group()
        self.workload_security_group_id = (
            given.workloads or self._client("WorkloadGroup", "Notebooks, functions and inference").group_id
        )
        self.job_security_group_id = (
            given.jobs or self._client("JobGroup", "Training and processing jobs", jobs=True).group_id
        )
