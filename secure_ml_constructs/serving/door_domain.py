"""A door's own name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aws_cdk import Aws, CfnResource
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_route53 as route53
from constructs import Construct

from secure_ml_constructs._cdk import is_token, region
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.network import MlNetwork
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.policy import allow, document

__all__ = ["DoorDomain", "MutualTls"]

_NAME = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_CERTIFICATE = re.compile(r"arn:[\w-]+:acm:[a-z0-9-]+:\d{12}:certificate/[\w-]+")
_TRUSTSTORE = re.compile(r"(?P<zone>[a-z][a-z0-9-]*)/(?P<path>[\w./=-]+\.pem)")
# Amazon API Gateway Developer Guide, "Supported security policies": without one a regional API speaks TLS
# 1.0.
TLS_12 = "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09"
TLS_13 = "SecurityPolicy_TLS13_1_3_2025_09"
# "Choose a security policy for your custom domain": mutual TLS goes with no newer one.
_TLS_12_MUTUAL = "TLS_1_2"


@dataclass(frozen=True, kw_only=True)
class DoorDomain:
    """The name that a door is called by, in place of the one that API Gateway gives it.

    Ensures:
        E2: TLS 1.2 or newer.
        G7: one way in: the name of API Gateway's own is off.

    Args:
        name: The name, for instance `risk.ml.hospital.example`.
        certificate_arn: Its certificate in ACM, in the door's region.
        zone_id: The Route 53 zone that gets the record; of a private door a private zone of the network.
            Default: a private door in a network with an endpoint of its own gets a zone of that very name,
            seen in the network only; for other doors you make the record.
        tls_13: Whether TLS 1.3 alone is spoken. Default: 1.2 as well.

    Raises:
        ConfigurationError: A name or certificate that is none.

    Example:
        >>> domain = DoorDomain(
        ...     name="risk.ml.hospital.example",
        ...     certificate_arn="arn:aws:acm:eu-central-1:111122223333:certificate/0a1b2c3d",
        ... )
    """

    name: str
    certificate_arn: str
    zone_id: str | None = None
    tls_13: bool = False

    def __post_init__(self) -> None:
        problems = Problems()
        if not is_token(self.name) and not _NAME.fullmatch(self.name):
            problems.add("name", self.name, "This is no name of a host.", "Write 'risk.ml.hospital.example'.")
        if not is_token(self.certificate_arn) and not _CERTIFICATE.fullmatch(self.certificate_arn):
            problems.add(
                "certificate_arn",
                self.certificate_arn,
                "This is no certificate of ACM.",
                "Write 'arn:aws:acm:<region>:<account>:certificate/<id>'.",
            )
        problems.raise_if_any("DoorDomain")

    @property
    def security_policy(self) -> str:
        """The versions of TLS that are spoken."""
        return TLS_13 if self.tls_13 else TLS_12


@dataclass(frozen=True, kw_only=True)
class MutualTls:
    """Callers show a certificate before they are heard.

    Args:
        truststore: Where the authorities' certificates lie: `<zone>/<path>.pem` in the lake.
        version: The version of the object, without which a change of it is not taken up. Default: the latest.

    Raises:
        ConfigurationError: A path that is none.
    """

    truststore: str
    version: str | None = None

    def __post_init__(self) -> None:
        problems = Problems()
        if not _TRUSTSTORE.fullmatch(self.truststore) or ".." in self.truststore:
            problems.add(
                "truststore",
                self.truststore,
                "This is no path in a zone of the lake.",
                "Write '<zone>/doors/authorities.pem'.",
            )
        problems.raise_if_any("MutualTls")

    @property
    def zone(self) -> str:
        """The zone."""
        return self.truststore.partition("/")[0]

    @property
    def path(self) -> str:
        """The path in it."""
        return self.truststore.partition("/")[2]


def private_domain(
    scope: Construct,
    domain: DoorDomain,
    *,
    perimeter: DataPerimeter,
    network: MlNetwork,
    stage: apigateway.CfnStage,
) -> None:
    """Give a private API its name. (G7)

    Amazon API Gateway Developer Guide, "Custom domain names for private APIs".

    Args:
        scope: Where to make it.
        domain: The name.
        perimeter: Gives the policy its Deny.
        network: By whose endpoint it is called.
        stage: What is called.
    """
    anything, endpoint = "execute-api:/*", network.endpoint_ids["execute-api"]
    made = apigateway.CfnDomainNameV2(
        scope,
        "Domain",
        domain_name=domain.name,
        certificate_arn=domain.certificate_arn,
        endpoint_configuration=apigateway.CfnDomainNameV2.EndpointConfigurationProperty(types=["PRIVATE"]),
        security_policy=domain.security_policy,
        endpoint_access_mode="STRICT",
        # Who may call is said by the API; by which way, here as well.
        policy=document(
            [
                allow("Callers", "execute-api:Invoke", anything, principal="*"),
                perimeter.deny_other_endpoints("execute-api:Invoke", anything, endpoints=[endpoint]),
            ]
        ),
    )
    mapping = apigateway.CfnBasePathMappingV2(
        scope,
        "Mapping",
        domain_name_arn=made.attr_domain_name_arn,
        rest_api_id=stage.rest_api_id,
        stage=stage.ref,
    )
    apigateway.CfnDomainNameAccessAssociation(
        scope,
        "Access",
        domain_name_arn=made.attr_domain_name_arn,
        access_association_source=endpoint,
        access_association_source_type="VPCE",
    )
    alias = network.endpoint_alias("execute-api")
    if alias:
        zone_id = domain.zone_id or _own_zone(scope, domain.name, network.vpc_id)
        record = _record(scope, domain.name, zone_id, type="A", alias_target=_target(*alias))
        record.add_resource_dependency(mapping)
    elif domain.zone_id:
        # An endpoint that was there tells no name of its own; that of the API at it leads to its addresses.
        target = f"{stage.rest_api_id}-{endpoint}.execute-api.{region()}.{Aws.URL_SUFFIX}"
        record = _record(
            scope, domain.name, domain.zone_id, type="CNAME", ttl="300", resource_records=[target]
        )
        record.add_resource_dependency(mapping)


def regional_domain(
    scope: Construct,
    domain: DoorDomain,
    *,
    truststore: tuple[str, str | None] | None,
    stage: apigateway.CfnStage,
) -> None:
    """Give a regional API its name. (G7)

    Args:
        scope: Where to make it.
        domain: The name.
        truststore: Where the certificates of callers' authorities lie, and its version; None without
            mutual TLS.
        stage: What is called.
    """
    mutual = None
    if truststore:
        mutual = apigateway.CfnDomainName.MutualTlsAuthenticationProperty(
            truststore_uri=truststore[0], truststore_version=truststore[1]
        )
    made = apigateway.CfnDomainName(
        scope,
        "Domain",
        domain_name=domain.name,
        regional_certificate_arn=domain.certificate_arn,
        endpoint_configuration=apigateway.CfnDomainName.EndpointConfigurationProperty(types=["REGIONAL"]),
        security_policy=_TLS_12_MUTUAL if mutual else domain.security_policy,
        endpoint_access_mode=None if mutual else "STRICT",
        mutual_tls_authentication=mutual,
    )
    mapping = apigateway.CfnBasePathMapping(
        scope, "Mapping", domain_name=made.ref, rest_api_id=stage.rest_api_id, stage=stage.ref
    )
    if domain.zone_id:
        target = _target(made.attr_regional_domain_name, made.attr_regional_hosted_zone_id)
        _record(scope, domain.name, domain.zone_id, type="A", alias_target=target).add_resource_dependency(
            mapping
        )


def _own_zone(scope: Construct, name: str, vpc_id: str) -> str:
    """A zone of the door's name and no more, so that it hides nothing else from the network."""
    vpc = route53.CfnHostedZone.VPCProperty(vpc_id=vpc_id, vpc_region=region())
    return route53.CfnHostedZone(scope, "Zone", name=name, vpcs=[vpc]).attr_id


def _target(name: str, zone_id: str) -> route53.CfnRecordSet.AliasTargetProperty:
    return route53.CfnRecordSet.AliasTargetProperty(dns_name=name, hosted_zone_id=zone_id)


def _record(scope: Construct, name: str, zone_id: str, **what: object) -> CfnResource:
    return route53.CfnRecordSet(
        scope,
        "Record",
        hosted_zone_id=zone_id,
        name=name,
        **what,  # type: ignore[arg-type]
    )
