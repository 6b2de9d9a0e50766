"""SageMaker's own network, which leads to the internet past any VPC."""

from __future__ import annotations

from collections.abc import Iterator

from secure_ml_constructs.verification.proofs.network.answers import Hop, Path
from secure_ml_constructs.verification.proofs.network.reading import Reader
from secure_ml_constructs.verification.proofs.network.traffic import INTERNET
from secure_ml_constructs.verification.templates import Absent, Resource

# The property that closes SageMaker's own interface, with the value that does. (Amazon SageMaker AI: Connect
# a Notebook Instance in a VPC to External Resources; Connect Studio notebooks in a VPC to external resources)
_CLOSED_BY = {
    "AWS::SageMaker::NotebookInstance": ("DirectInternetAccess", "Disabled"),
    "AWS::SageMaker::Domain": ("AppNetworkAccessType", "VpcOnly"),
}
_JOB = "MonitoringScheduleConfig.MonitoringJobDefinition.NetworkConfig"
# Where a type names its VPC, and what cuts it off from every network. (Amazon SageMaker AI: Run Training and
# Inference Containers in Internet-Free Mode)
_WITHOUT_VPC = {
    "AWS::SageMaker::Model": ("VpcConfig", "EnableNetworkIsolation"),
    "AWS::SageMaker::Cluster": ("VpcConfig", ""),
    "AWS::SageMaker::ProcessingJob": ("NetworkConfig.VpcConfig", "NetworkConfig.EnableNetworkIsolation"),
    "AWS::SageMaker::MonitoringSchedule": (f"{_JOB}.VpcConfig", f"{_JOB}.EnableNetworkIsolation"),
} | {
    f"AWS::SageMaker::{kind}JobDefinition": (
        "NetworkConfig.VpcConfig",
        "NetworkConfig.EnableNetworkIsolation",
    )
    for kind in ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability")
}


def way_of_its_own(reader: Reader, resource: Resource) -> str:
    """Why a resource reaches the internet past its VPC; empty where it does not.

    Args:
        reader: The templates.
        resource: The resource.
    """
    if resource.type in _CLOSED_BY:
        name, closed = _CLOSED_BY[resource.type]
        values = reader.variants(resource, lambda r: reader.get(r, name))[0]
        return "" if all(value == closed for value in values) else f"{name} is not {closed}"
    if resource.type in _WITHOUT_VPC:
        vpc, isolated = _WITHOUT_VPC[resource.type]

        def closed_off(r: Resource) -> bool:
            cut = bool(isolated) and reader.get(r, *isolated.split(".")) is True
            return cut or not isinstance(reader.get(r, *vpc.split(".")), Absent)

        if not all(reader.variants(resource, closed_off)[0]):
            return "it has no VPC" if not isolated else "it has neither a VPC nor isolation"
    return ""


def outside(reader: Reader) -> Iterator[Path]:
    """The way of each SageMaker resource that reaches the internet past any VPC.

    Args:
        reader: The templates.
    """
    for type_ in (*_CLOSED_BY, *_WITHOUT_VPC):
        for resource in reader.resources(type_):
            reason = way_of_its_own(reader, resource)
            if reason:
                hops = (Hop.at(resource, type_.rpartition("::")[2]), own_network(reason))
                yield Path(hops, INTERNET.ranges, INTERNET.services)


def own_network(reason: str) -> Hop:
    """SageMaker's network as a step."""
    return Hop(f"SageMaker's own network, which leads to the internet ({reason})")
