"""What other constructs need to know of a network, whoever made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import jsii
from aws_cdk import CfnResource, IListProducer, IResolveContext, Lazy
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from secure_ml_constructs.errors import Problems
from secure_ml_constructs.network.endpoint_services import SERVICES
from secure_ml_constructs.network.endpoint_set import EndpointSet
from secure_ml_constructs.network.endpoints import fix_for
from secure_ml_constructs.network.references import weak_by_default, weaken
from secure_ml_constructs.network.security_groups import ClientGroup, EndpointGroup


@jsii.implements(IListProducer)
class _Ids:
    def __init__(self, ids: Mapping[str, str]) -> None:
        self._ids = ids

    def produce(self, context: IResolveContext) -> list[str]:
        return list(self._ids.values())


class MlNetwork(Construct):
    """The network of an environment: `SecureVpc`, or an existing one behind the same attributes.

    Attributes:
        vpc_id: The VPC's id.
        vpc_cidr: The VPC's range; empty where it is not known.
        availability_zones: The zones' names, possibly tokens.
        isolated_subnet_ids: A subnet for each zone.
        route_table_ids: The subnets' route tables; empty strings where they are not known.
        endpoint_ids: The endpoints' ids by service, as in the catalogue (`sagemaker.api`).
        endpoint_security_group_id: The group of the interface endpoints.
        workload_security_group_id: The group of notebooks, functions and endpoints.
        job_security_group_id: The group of training and processing jobs.
        linked_ranges: Ranges of on-premises networks that are reached by a private link.
    """

    vpc_id: str
    vpc_cidr: str
    availability_zones: tuple[str, ...]
    isolated_subnet_ids: tuple[str, ...]
    route_table_ids: tuple[str, ...]
    endpoint_ids: Mapping[str, str]
    endpoint_security_group_id: str
    workload_security_group_id: str
    job_security_group_id: str
    linked_ranges: tuple[str, ...] = ()
    _prefix_lists: Mapping[str, str]
    _endpoints: EndpointSet
    _admit: bool = True
    _beyond: Sequence[tuple[str, int]] = ()

    @property
    def s3_endpoint_ids(self) -> tuple[str, ...]:
        """The ids of every endpoint by which S3 is reached: what bucket policies name."""
        return tuple(self.endpoint_ids[name] for name in ("s3", "s3-interface") if name in self.endpoint_ids)

    @cached_property
    def deferred_endpoint_ids(self) -> list[str]:
        """A token for the ids of all endpoints at synth, those among them that are required until then."""
        return Lazy.uncached_list(_Ids(self.endpoint_ids))

    @property
    def endpoint_zone_pairs(self) -> int:
        """Interface endpoints times zones: what is charged by the hour."""
        return self._endpoints.zone_pairs

    def require_endpoint(self, service: str) -> str:
        """Give the id of an interface endpoint, which is made where the network has none yet.

        For what can't work without one service, such as a private API. The endpoint is the network's, as if
        `Endpoints(extra=…)` had named it: in every zone, with the perimeter's policy, one for all who ask.

        Args:
            service: The service, as in the catalogue.

        Raises:
            ConfigurationError: A service that the catalogue does not know, or whose endpoint is a gateway,
                which routes and rules of the network have to know of.
        """
        if service not in self.endpoint_ids:
            problems = Problems()
            known = SERVICES.get(service)
            if known is None:
                fix = fix_for(service, tuple(SERVICES))
                problems.add("service", service, "The catalogue has no such service.", fix)
            elif known.gateway:
                fix = f"Name it when the network is made: Endpoints(extra=({service!r},))."
                problems.add(
                    "service", service, "A gateway's routes and rules are made with the network.", fix
                )
            else:
                self._weaken(self._endpoints.add(known))
            problems.raise_if_any(self.node.path)
        return self.endpoint_ids[service]

    def endpoint_alias(self, service: str) -> tuple[str, str] | None:
        """Give the name of an interface endpoint and the zone of AWS's that it is in, for an alias record.

        Args:
            service: The service, as in the catalogue.

        Returns:
            Both, or None for an endpoint that was there already: it tells nothing but its id.
        """
        return self._endpoints.alias(service)

    @cached_property
    def vpc(self) -> ec2.IVpc:
        """The VPC with its isolated subnets."""
        return ec2.Vpc.from_vpc_attributes(
            self,
            "Vpc",
            vpc_id=self.vpc_id,
            vpc_cidr_block=self.vpc_cidr or None,
            availability_zones=list(self.availability_zones),
            isolated_subnet_ids=list(self.isolated_subnet_ids),
            isolated_subnet_route_table_ids=list(self.route_table_ids) if all(self.route_table_ids) else None,
        )

    @cached_property
    def endpoint_security_group(self) -> ec2.ISecurityGroup:
        """The group of the interface endpoints: 443 in from the groups below."""
        return self._group("EndpointSecurityGroup", self.endpoint_security_group_id)

    @cached_property
    def workload_security_group(self) -> ec2.ISecurityGroup:
        """The group of notebooks, functions and inference: 443 out to the endpoints."""
        return self._group("WorkloadSecurityGroup", self.workload_security_group_id)

    @cached_property
    def job_security_group(self) -> ec2.ISecurityGroup:
        """The group of jobs: as workloads, and members may talk as encrypted distributed training does."""
        return self._group("JobSecurityGroup", self.job_security_group_id)

    def add_job_group(self, id: str, *, efa: bool = False) -> ec2.ISecurityGroup:
        """Make a further job group: members of one group can't talk to those of another.

        Args:
            id: The construct's id, for instance a team's or a pipeline's name.
            efa: True for instance types with Elastic Fabric Adapter, which need all traffic among members.
        """
        group = self._client(id, f"Jobs of {id}", jobs=True, efa=efa)
        return self._group(f"{id}SecurityGroup", group.group_id)

    def _take(self, endpoints: EndpointSet) -> None:
        self._endpoints, self.endpoint_ids = endpoints, endpoints.ids
        self._weaken(*endpoints.resources)

    def _weaken(self, *resources: CfnResource) -> None:
        if not self._weak_by_default:
            weaken(*resources)

    @cached_property
    def _weak_by_default(self) -> bool:
        return weak_by_default(self)

    def _client(self, id: str, description: str, *, jobs: bool = False, efa: bool = False) -> ClientGroup:
        made = ClientGroup(
            self,
            id,
            vpc_id=self.vpc_id,
            description=description,
            endpoint_group_id=self.endpoint_security_group_id,
            prefix_lists=self._prefix_lists,
            jobs=jobs,
            efa=efa,
            admit=self._admit,
            beyond=self._beyond,
        )
        self._weaken(made.resource)
        return made

    def _endpoint_group(self) -> str:
        made = EndpointGroup(self, "EndpointGroup", vpc_id=self.vpc_id)
        self._weaken(made.resource)
        return made.group_id

    def _group(self, id: str, group_id: str) -> ec2.ISecurityGroup:
        # Not "all outbound": a rule that a caller asks for is then really made.
        return ec2.SecurityGroup.from_security_group_id(self, id, group_id, allow_all_outbound=False)
