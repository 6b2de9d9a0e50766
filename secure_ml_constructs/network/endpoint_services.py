"""The services an environment reaches without a way out, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# Names that differ from `com.amazonaws.<region>.<name>` in some region's partition.
_PREFIXES = {"cn-": "cn.com.amazonaws", "eusc-": "eu.amazonaws"}


@dataclass(frozen=True, kw_only=True)
class EndpointService:
    """One service that VPC endpoints reach.

    Give a value of your own for a service that the catalogue lacks.

    Attributes:
        name: A short name: the endpoint's name in policies, in `SecureVpc.endpoint_ids` and in logical ids.
        service_name: The full name with `{region}` for the region. Default: `com.amazonaws.{region}.<name>`.
        gateway: True for a gateway endpoint, which costs nothing and has no security group.
        accepts_policy: False where the service refuses an endpoint policy; then only the security group and
            the callers' identity policies hold it.
        private_dns: False where the service has no private DNS name.
        local_prefix: Regions, by their first letters, in which AWS names the endpoint with a prefix of the
            partition (`cn-`, `eusc-`).
        policy_of: The service whose perimeter entries count, where it is not the name. Default: the name.
    """

    name: str
    service_name: str = ""
    gateway: bool = False
    accepts_policy: bool = True
    private_dns: bool = True
    local_prefix: tuple[str, ...] = ()
    policy_of: str = ""

    @property
    def pattern(self) -> str:
        """The full name, with `{region}` for the region."""
        return self.service_name or f"com.amazonaws.{{region}}.{self.name}"

    @property
    def policy_name(self) -> str:
        """The service as the perimeter's entries call it."""
        return self.policy_of or self.name

    def full_name(self, region: str) -> str:
        """Give the service name in a region that is known at synth."""
        name = self.pattern.format(region=region)
        for start in self.local_prefix:
            if region.startswith(start):
                return f"{_PREFIXES[start]}{name.removeprefix('com.amazonaws')}"
        return name

    def deferred_name(self, region: str, prefix: str) -> str:
        """Give the name of a service that is called otherwise in China, where the region is a token.

        Args:
            region: The token.
            prefix: A token that gives `com.amazonaws` or, in China, the prefix used there.
        """
        return f"{prefix}{self.pattern.format(region=region).removeprefix('com.amazonaws')}"


class EndpointProfile(StrEnum):
    """A named set of endpoints: what an environment of one kind calls.

    MINIMAL trains and serves. STUDIO adds what notebooks and their users call. FULL adds data, events,
    private APIs and foundation models. S3 and DynamoDB are in each.
    """

    MINIMAL = "minimal"
    STUDIO = "studio"
    FULL = "full"

    @property
    def services(self) -> tuple[str, ...]:
        """The names of the profile's services, in the catalogue's order."""
        return _PROFILES[self]


_CN = ("cn-",)

# Each accepts an endpoint policy where nothing else is said: by its own guide ("... and interface VPC
# endpoints"), by AWS's sample policies (aws-samples/data-perimeter-policy-examples) or by what
# DescribeVpcEndpointServices answered, as moto records it. AWS's list (AWS PrivateLink: AWS services that
# integrate) names the services and leaves that question to the call.
_SERVICES = (
    EndpointService(name="s3", gateway=True),
    EndpointService(name="dynamodb", gateway=True),
    # Amazon S3: AWS PrivateLink for Amazon S3.
    EndpointService(
        name="s3-interface", service_name="com.amazonaws.{region}.s3", local_prefix=_CN, policy_of="s3"
    ),
    # -- training and serving
    EndpointService(name="sagemaker.api", local_prefix=_CN),
    EndpointService(name="sagemaker.runtime", local_prefix=_CN),
    EndpointService(name="sagemaker.metrics"),
    EndpointService(name="sts", local_prefix=_CN),
    EndpointService(name="kms"),
    EndpointService(name="logs"),
    EndpointService(name="monitoring", local_prefix=_CN),
    EndpointService(name="ecr.api", local_prefix=("cn-", "eusc-")),
    EndpointService(name="ecr.dkr", local_prefix=("cn-", "eusc-")),
    # -- Studio
    EndpointService(name="sagemaker.studio", service_name="aws.sagemaker.{region}.studio"),
    EndpointService(name="sagemaker.experiments", service_name="aws.sagemaker.{region}.experiments"),
    EndpointService(name="sagemaker.featurestore-runtime", local_prefix=_CN),
    EndpointService(name="ec2", local_prefix=_CN),
    EndpointService(name="elasticfilesystem", local_prefix=_CN),
    EndpointService(name="secretsmanager"),
    EndpointService(name="ssm"),
    EndpointService(name="codeartifact.api"),
    EndpointService(name="codeartifact.repositories"),
    # -- data, events, doors, foundation models
    EndpointService(name="events"),
    EndpointService(name="glue"),
    EndpointService(name="athena", local_prefix=_CN),
    EndpointService(name="lakeformation"),
    EndpointService(name="execute-api", local_prefix=("cn-", "eusc-")),
    EndpointService(name="bedrock-runtime"),
    EndpointService(name="sagemaker.notebook", service_name="aws.sagemaker.{region}.notebook"),
    # -- on request
    EndpointService(name="sagemaker.partner-app", service_name="aws.sagemaker.{region}.partner-app"),
    EndpointService(name="application-autoscaling", local_prefix=_CN),
    EndpointService(name="batch", local_prefix=_CN),
    EndpointService(name="bedrock"),
    EndpointService(name="bedrock-agent"),
    EndpointService(name="bedrock-agent-runtime"),
    EndpointService(name="cloudformation", local_prefix=_CN),
    EndpointService(name="cloudtrail"),
    EndpointService(name="codebuild"),
    EndpointService(name="codecommit"),
    EndpointService(name="git-codecommit"),
    # Recorded as refusing a policy.
    EndpointService(name="codepipeline", accepts_policy=False),
    EndpointService(name="comprehend"),
    EndpointService(name="comprehendmedical"),
    EndpointService(name="config"),
    EndpointService(name="databrew", local_prefix=_CN),
    EndpointService(name="datazone"),
    EndpointService(name="ec2messages"),
    EndpointService(name="elasticmapreduce"),
    EndpointService(name="emr-serverless"),
    EndpointService(name="fsx", local_prefix=_CN),
    EndpointService(name="guardduty-data"),
    EndpointService(name="kinesis-firehose"),
    EndpointService(name="kinesis-streams", local_prefix=_CN),
    EndpointService(name="lambda", local_prefix=_CN),
    EndpointService(name="rds-data"),
    EndpointService(name="redshift-data", local_prefix=_CN),
    EndpointService(name="rekognition"),
    EndpointService(name="s3express", gateway=True),
    EndpointService(name="s3tables"),
    EndpointService(name="s3vectors"),
    EndpointService(name="servicecatalog", local_prefix=_CN),
    EndpointService(name="sns"),
    EndpointService(name="sqs", local_prefix=_CN),
    EndpointService(name="ssmmessages"),
    EndpointService(name="states", local_prefix=_CN),
    EndpointService(name="textract"),
    EndpointService(name="xray", local_prefix=_CN),
)

SERVICES: dict[str, EndpointService] = {service.name: service for service in _SERVICES}


def _through(last: str) -> tuple[str, ...]:
    names = [name for name in SERVICES if name != "s3-interface"]
    return tuple(names[: names.index(last) + 1])


_PROFILES = {
    EndpointProfile.MINIMAL: _through("ecr.dkr"),
    EndpointProfile.STUDIO: _through("codeartifact.repositories"),
    EndpointProfile.FULL: _through("sagemaker.notebook"),
}
