"""VPC endpoints and their policies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from secure_ml_constructs.verification.proofs.estate.documents import Reader
from secure_ml_constructs.verification.proofs.iam.documents import Document, Kind
from secure_ml_constructs.verification.proofs.iam.ternary import Unknown
from secure_ml_constructs.verification.templates import Resource, Templates

# `com.amazonaws.eu-west-1.s3`, `cn.com.amazonaws.cn-north-1.sts`, `aws.sagemaker.eu-west-1.studio`.
_SERVICE = re.compile(
    r"(?:(?:cn\.)?com\.amazonaws|aws)\.(?:(?P<family>[a-z]+)\.)?(?P<region>[a-z-]+-\d)\.(?P<rest>.+)"
)
# AWS PrivateLink Guide, "Default endpoint policy".
_FULL_ACCESS = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}


@dataclass(frozen=True)
class Endpoint:
    """A VPC endpoint.

    Attributes:
        resource: The resource.
        id: Its id.
        vpc: The id of its VPC.
        service: The service without region: `s3`, `sagemaker.api`, `sagemaker.studio`; the whole name for one
            that is not AWS's.
        type: `Gateway`, `Interface` and so on.
        documents: Its policy; where it has none, AWS's default, which allows everything.
    """

    resource: Resource
    id: str | Unknown
    vpc: str | Unknown
    service: str | Unknown
    type: str | Unknown
    documents: tuple[Document, ...]


def read_endpoints(templates: Templates, reader: Reader) -> Iterator[Endpoint]:
    """Read every endpoint.

    Args:
        templates: The templates.
        reader: Reads the policies.
    """
    settled = reader.settled
    for resource in templates.resources("AWS::EC2::VPCEndpoint"):
        if not settled.exists(resource):
            continue
        policy = settled.resolve(resource.template, resource.properties.get("PolicyDocument"))
        service = settled.given(resource, "ServiceName")
        kind = settled.given(resource, "VpcEndpointType")
        name = reader.name(resource, "" if policy else "default policy")
        yield Endpoint(
            resource=resource,
            id=settled.attribute(resource, "Id"),
            vpc=_text(settled.given(resource, "VpcId"), "its VPC is not named"),
            service=_short(service)
            if isinstance(service, str)
            else _text(service, "its service is not named"),
            type=_text("Gateway" if kind is None else kind, "its type is no text"),
            documents=(reader.read(resource.template, policy or _FULL_ACCESS, Kind.ENDPOINT, name),),
        )


def _text(value: object, reason: str) -> str | Unknown:
    return value if isinstance(value, str | Unknown) else Unknown(reason)


def _short(name: str) -> str:
    match = _SERVICE.fullmatch(name)
    if match is None:
        return name
    return ".".join(filter(None, (match["family"], match["rest"])))
