"""What puts interfaces into subnets: the types, and where each names its subnets and groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from secure_ml_constructs.verification.proofs.network.groups import Groups
from secure_ml_constructs.verification.proofs.network.outside import way_of_its_own
from secure_ml_constructs.verification.proofs.network.places import Interface, Vpcs
from secure_ml_constructs.verification.proofs.network.reading import Reader
from secure_ml_constructs.verification.templates import Absent, Reference, Resource


@dataclass(frozen=True)
class _Kind:
    """Where a type names its subnets and groups.

    Attributes:
        subnets: The property of its subnets; a `*` steps into each item of a list.
        groups: The property of its groups.
        forwards: Whether it may send on what it gets. What only stores or answers does not.
        public: Whether AWS lets the internet in to it, whatever its subnet and groups are.
    """

    subnets: str
    groups: str
    forwards: bool = True
    public: bool = False


def _sagemaker(kind: str, subnets: str, groups: str) -> tuple[str, tuple[_Kind, ...]]:
    return f"AWS::SageMaker::{kind}", (_Kind(subnets, groups),)


_VPC_CONFIG = ("VpcConfig.Subnets", "VpcConfig.SecurityGroupIds")
_JOB_CONFIG = tuple(f"NetworkConfig.{path}" for path in _VPC_CONFIG)
_ECS = "AwsvpcConfiguration"
KINDS: dict[str, tuple[_Kind, ...]] = dict(
    (
        _sagemaker("Domain", "SubnetIds", "DefaultUserSettings.SecurityGroups"),
        _sagemaker("NotebookInstance", "SubnetId", "SecurityGroupIds"),
        _sagemaker("Model", *_VPC_CONFIG),
        _sagemaker("Cluster", *_VPC_CONFIG),
        _sagemaker("EndpointConfig", *_VPC_CONFIG),
        *(
            _sagemaker(f"{kind}JobDefinition", *_JOB_CONFIG)
            for kind in ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability")
        ),
        _sagemaker("ProcessingJob", *_JOB_CONFIG),
        _sagemaker(
            "MonitoringSchedule",
            *(f"MonitoringScheduleConfig.MonitoringJobDefinition.{path}" for path in _JOB_CONFIG),
        ),
    )
) | {
    "AWS::Lambda::Function": (_Kind("VpcConfig.SubnetIds", "VpcConfig.SecurityGroupIds"),),
    "AWS::Serverless::Function": (_Kind("VpcConfig.SubnetIds", "VpcConfig.SecurityGroupIds"),),
    "AWS::EC2::Instance": (
        _Kind("SubnetId", "SecurityGroupIds"),
        _Kind("NetworkInterfaces.*.SubnetId", "NetworkInterfaces.*.GroupSet"),
    ),
    "AWS::EC2::LaunchTemplate": (
        _Kind(
            "LaunchTemplateData.NetworkInterfaces.*.SubnetId", "LaunchTemplateData.NetworkInterfaces.*.Groups"
        ),
    ),
    "AWS::EC2::NetworkInterface": (_Kind("SubnetId", "GroupSet"),),
    "AWS::ECS::Service": (
        _Kind(f"NetworkConfiguration.{_ECS}.Subnets", f"NetworkConfiguration.{_ECS}.SecurityGroups"),
    ),
    "AWS::ECS::TaskSet": (
        _Kind(f"NetworkConfiguration.{_ECS}.Subnets", f"NetworkConfiguration.{_ECS}.SecurityGroups"),
    ),
    "AWS::EKS::Cluster": (_Kind("ResourcesVpcConfig.SubnetIds", "ResourcesVpcConfig.SecurityGroupIds"),),
    "AWS::Batch::ComputeEnvironment": (
        _Kind("ComputeResources.Subnets", "ComputeResources.SecurityGroupIds"),
    ),
    "AWS::CodeBuild::Project": (_Kind("VpcConfig.Subnets", "VpcConfig.SecurityGroupIds"),),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": (
        _Kind("Subnets", "SecurityGroups"),
        _Kind("SubnetMappings.*.SubnetId", "SecurityGroups"),
    ),
    "AWS::ElasticLoadBalancing::LoadBalancer": (_Kind("Subnets", "SecurityGroups"),),
    "AWS::MWAA::Environment": (
        _Kind("NetworkConfiguration.SubnetIds", "NetworkConfiguration.SecurityGroupIds"),
    ),
    "AWS::EMR::Cluster": (_Kind("Instances.Ec2SubnetIds", "Instances.AdditionalMasterSecurityGroups"),),
    "AWS::Glue::Connection": (
        _Kind(
            "ConnectionInput.PhysicalConnectionRequirements.SubnetId",
            "ConnectionInput.PhysicalConnectionRequirements.SecurityGroupIdList",
        ),
    ),
    "AWS::EFS::MountTarget": (_Kind("SubnetId", "SecurityGroups", forwards=False),),
    "AWS::FSx::FileSystem": (_Kind("SubnetIds", "SecurityGroupIds", forwards=False),),
    "AWS::EC2::VPCEndpoint": (_Kind("SubnetIds", "SecurityGroupIds", forwards=False),),
    # By design reached from elsewhere, and open to who is let in there.
    "AWS::ApiGatewayV2::VpcLink": (_Kind("SubnetIds", "SecurityGroupIds", public=True),),
    "AWS::EC2::InstanceConnectEndpoint": (_Kind("SubnetId", "SecurityGroupIds", public=True),),
    "AWS::EC2::ClientVpnTargetNetworkAssociation": (_Kind("SubnetId", "", public=True),),
    "AWS::EC2::VerifiedAccessEndpoint": (
        _Kind("LoadBalancerOptions.SubnetIds", "SecurityGroupIds", public=True),
        _Kind("NetworkInterfaceOptions.SubnetId", "SecurityGroupIds", public=True),
    ),
}
# Where no group is named there is none, and nothing is held back, or it is named elsewhere.
_WITHOUT_GROUPS = (
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::EC2::ClientVpnTargetNetworkAssociation",
)
# Subnets named apart from the resource, with its groups.
_SUBNET_GROUPS = {
    "AWS::RDS::DBInstance": ("DBSubnetGroupName", "AWS::RDS::DBSubnetGroup", "VPCSecurityGroups"),
    "AWS::RDS::DBCluster": ("DBSubnetGroupName", "AWS::RDS::DBSubnetGroup", "VpcSecurityGroupIds"),
    "AWS::Redshift::Cluster": (
        "ClusterSubnetGroupName",
        "AWS::Redshift::ClusterSubnetGroup",
        "VpcSecurityGroupIds",
    ),
    "AWS::ElastiCache::ReplicationGroup": (
        "CacheSubnetGroupName",
        "AWS::ElastiCache::SubnetGroup",
        "SecurityGroupIds",
    ),
}


@dataclass(frozen=True)
class Workload:
    """A resource with an interface.

    Attributes:
        resource: The resource.
        interface: The interface.
        forwards: Whether it may send on what it gets.
        public: Whether AWS lets the internet in to it by itself.
        besides: Why it has a way to the internet besides this interface; empty where it has none.
        addressed: Whether the templates give it a public address.
    """

    resource: Resource
    interface: Interface
    forwards: bool
    public: bool
    addressed: bool
    besides: str = ""


def workloads(reader: Reader, vpcs: Vpcs, groups: Groups) -> Iterator[Workload]:
    """Every interface that a resource of the templates has, one for each of its subnets."""
    addressed = _addressed(reader)
    for type_, kinds in KINDS.items():
        for resource in reader.resources(type_):
            for kind in kinds:
                variants, _ = reader.variants(
                    resource,
                    lambda r, k=kind: (_values(reader, r, k.subnets), _values(reader, r, k.groups)),  # type: ignore[misc]
                )
                for subnets, named in variants:
                    bare = resource.type in _WITHOUT_GROUPS
                    for interface in _interfaces(vpcs, groups, subnets, named, bare=bare):
                        given = resource in addressed or _asks(reader, resource)
                        besides = way_of_its_own(reader, resource)
                        yield Workload(resource, interface, kind.forwards, kind.public, given, besides)
    yield from _by_subnet_group(reader, vpcs, groups)


def _interfaces(
    vpcs: Vpcs, groups: Groups, subnets: list[Any], named: list[Any], *, bare: bool = False
) -> Iterator[Interface]:
    members = frozenset(groups.named(value) for value in named)
    if not members and bare:
        members = frozenset({groups.named("of nobody, since it is in none")})
    for value in subnets:
        subnet = vpcs.subnet(value)
        found = members
        if not found and subnet is not None and subnet.vpc is not None:
            # Without groups it is in the default one.
            found = frozenset({groups.default(subnet.vpc.resource)})
        yield Interface(subnet, found or frozenset({groups.named("of a VPC that is not in the templates")}))


def _by_subnet_group(reader: Reader, vpcs: Vpcs, groups: Groups) -> Iterator[Workload]:
    for type_, (name, group_type, members) in _SUBNET_GROUPS.items():
        for resource in reader.resources(type_):
            variants, _ = reader.variants(
                resource,
                lambda r, n=name, m=members: (  # type: ignore[misc]
                    reader.get(r, n),
                    _values(reader, r, m),
                    reader.get(r, "PubliclyAccessible"),
                ),
            )
            for named, in_groups, open_ in variants:
                subnets: list[Any] = [named]
                if type(named) is Reference and named.resource.type == group_type:
                    found, _ = reader.variants(named.resource, lambda r: _values(reader, r, "SubnetIds"))
                    subnets = [value for values in found for value in values]
                elif isinstance(named, Absent):
                    continue
                for interface in dict.fromkeys(_interfaces(vpcs, groups, subnets, in_groups)):
                    yield Workload(
                        resource, interface, True, False, not isinstance(open_, Absent) and open_ is not False
                    )


def _values(reader: Reader, resource: Resource, path: str) -> list[Any]:
    """The items at a path; those of each item where it has a `*`."""
    before, star, after = path.partition(".*.")
    if not star:
        return reader.items(resource, *path.split(".")) if path else []
    found: list[Any] = []
    for item in reader.items(resource, *before.split(".")):
        value = reader.templates.at(resource.template, item, tuple(after.split(".")))
        for one in value if type(value) is list else [value]:
            resolved = reader.templates.resolve(resource.template, one)
            if not isinstance(resolved, Absent):
                found.append(resolved)
    return found


def _addressed(reader: Reader) -> set[Resource]:
    """Resources to which an elastic address is bound."""
    found: set[Resource] = set()
    for type_ in ("AWS::EC2::EIP", "AWS::EC2::EIPAssociation"):
        for name in ("InstanceId", "NetworkInterfaceId"):
            for resource in reader.resources(type_):
                for value in reader.variants(resource, lambda r, n=name: reader.get(r, n))[0]:  # type: ignore[misc]
                    if type(value) is Reference:
                        found.add(value.resource)
    return found


def _asks(reader: Reader, resource: Resource) -> bool:
    """Whether a resource itself asks for a public address."""
    match resource.type:
        case "AWS::EC2::Instance":
            paths = ["NetworkInterfaces.*.AssociatePublicIpAddress"]
        case "AWS::EC2::LaunchTemplate":
            paths = ["LaunchTemplateData.NetworkInterfaces.*.AssociatePublicIpAddress"]
        case "AWS::ECS::Service" | "AWS::ECS::TaskSet":
            paths = [f"NetworkConfiguration.{_ECS}.AssignPublicIp"]
        case "AWS::ElasticLoadBalancingV2::LoadBalancer" | "AWS::ElasticLoadBalancing::LoadBalancer":
            scheme = reader.variants(resource, lambda r: reader.get(r, "Scheme"))[0]
            return any(value != "internal" for value in scheme)
        case _:
            return False
    variants = reader.variants(resource, lambda r: [v for path in paths for v in _values(reader, r, path)])[0]
    return any(value not in (False, "DISABLED") for values in variants for value in values)
