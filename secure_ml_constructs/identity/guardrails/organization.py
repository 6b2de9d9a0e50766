"""Organization guardrails: what no account's own policies can undo, ready to attach."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

from secure_ml_constructs._cdk import is_token
from secure_ml_constructs.enforcement import trust_of
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.identity.guardrails.other_types import (
    AI_OPT_OUT,
    S3_NOT_PUBLIC,
    bedrock_policy,
)
from secure_ml_constructs.identity.guardrails.packing import ORGANIZATION_POLICY_SIZE, pack
from secure_ml_constructs.identity.guardrails.placeholders import for_organization
from secure_ml_constructs.identity.guardrails.resource_control import resource_statements
from secure_ml_constructs.identity.guardrails.sagemaker import SageMakerGuardrails
from secure_ml_constructs.identity.guardrails.service_control import (
    identity_statements,
    network_statements,
    protecting_statements,
)
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.policy import Document, Statement
from secure_ml_constructs.verification.proofs.estate import Estate
from secure_ml_constructs.verification.proofs.questions import Trust
from secure_ml_constructs.verification.templates import Templates

__all__ = ["OrganizationGuardrails", "OrganizationPolicy", "PolicyType"]

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_ENDPOINT = re.compile(r"vpce-[0-9a-f]{8,17}")
_GUARDRAIL = re.compile(r"arn:aws[a-z-]*:bedrock:(?P<region>[a-z0-9-]+):\d{12}:guardrail/[a-z0-9]+:[1-9]\d*")
# Of addresses of each version, the widest range that is still somebody's.
_WIDEST = {4: 16, 6: 32}
_PRIVATE = ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")


class PolicyType(StrEnum):
    """The types of policies of AWS Organizations that guardrails come as."""

    SERVICE_CONTROL = "SERVICE_CONTROL_POLICY"
    RESOURCE_CONTROL = "RESOURCE_CONTROL_POLICY"
    AI_OPT_OUT = "AISERVICES_OPT_OUT_POLICY"
    S3 = "S3_POLICY"
    BEDROCK = "BEDROCK_POLICY"

    @property
    def size(self) -> int:
        """The most characters that AWS takes (Quotas and service limits for AWS Organizations)."""
        return {self.AI_OPT_OUT: 2500, self.S3: 10_000, self.BEDROCK: 10_000}.get(
            self, ORGANIZATION_POLICY_SIZE
        )


@dataclass(frozen=True, kw_only=True)
class OrganizationPolicy:
    """One policy for AWS Organizations.

    Attributes:
        name: What it is about; its file's name.
        type: Its type.
        description: For whoever reads the list of policies.
        content: Its JSON.
    """

    name: str
    type: PolicyType
    description: str
    content: Mapping[str, Any]

    @property
    def text(self) -> str:
        """Its JSON as text, one statement a line: AWS counts every character, spaces included."""
        content = dict(self.content)
        statements = content.pop("Statement", None)
        text = _compact(content)
        if statements is None:
            return text
        return f'{text[:-1]},"Statement":[\n' + ",\n".join(map(_compact, statements)) + "\n]}"


@dataclass(frozen=True, kw_only=True)
class OrganizationGuardrails:
    """Service and resource control policies, and the other types, derived from the perimeter.

    They know no account: attach them to the organizational unit of the environment's accounts. Those of
    SageMaker name subnets and keys, so they are attached to the account that has them. `AWSServiceRole…`
    roles and the management account are bound by none of them (AWS Organizations User Guide, "Tasks and
    entities not restricted by SCPs").

    Ensures:
        I7: no IAM users, long-lived keys or Bedrock API keys.
        I10: the data perimeter for identities and for resources; what was deployed stays as it is, save for
            deploying, administering and break-glass roles; the root user is denied.
        C4: no region but the named ones, cross-region inference included.
        D2: public access to S3 blocked for every account.
        I2: SageMaker work within the guardrails, where they are given.

    Args:
        perimeter: Who is trusted. It must name the organization.
        regions: The regions that work is done in.
        endpoints: Ids of VPC endpoints that data is reached by (`vpce-…`); outside them the environment's
            roles reach none. Default: none named, so that bucket policies alone say so.
        sign_in_ranges: Public addresses from which people may ask for an address that signs them in to
            Studio, notebooks and MLflow (`203.0.113.0/24`), beside the endpoints. Default: none.
        sagemaker: The guardrails of SageMaker. Default: none.
        bedrock_guardrails: Versions of guardrails of Bedrock that every call passes, by region
            (`arn:…:guardrail/<id>:<version>`, of the management account). Default: none.

    Raises:
        ConfigurationError: No organization, no region, an id, ARN or range that is none, or two perimeters.

    Example:
        >>> organized = DataPerimeter(organization="o-a1b2c3d4e5")
        >>> guardrails = OrganizationGuardrails(perimeter=organized, regions=("eu-central-1",))
        >>> [policy.name for policy in guardrails.policies()]
        ['accounts-1', 'accounts-2', 'resources', 'ai-opt-out', 's3-public-access']
    """

    perimeter: DataPerimeter
    regions: Sequence[str]
    endpoints: Sequence[str] = ()
    sign_in_ranges: Sequence[str] = ()
    sagemaker: SageMakerGuardrails | None = None
    bedrock_guardrails: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        problems = Problems()
        if self.perimeter.organization is None:
            reason = "Without one, nobody could be told from an outsider."
            problems.add("perimeter.organization", None, reason, "Name it: 'o-…'.")
        _check(problems, "regions", self.regions, _REGION, "a region", "Write 'eu-central-1'.")
        if not self.regions:
            problems.add("regions", self.regions, "Work needs one at least.", "Write ('eu-central-1',).")
        _check(problems, "endpoints", self.endpoints, _ENDPOINT, "a VPC endpoint's id", "Write 'vpce-…'.")
        if self.sagemaker and self.sagemaker.perimeter != self.perimeter:
            reason = "They would trust others than the organization's guardrails do."
            problems.add("sagemaker.perimeter", self.sagemaker.perimeter, reason, "Give both the same one.")
        _check_ranges(problems, self.sign_in_ranges, bool(self.endpoints))
        for region, arn in self.bedrock_guardrails.items():
            match = _GUARDRAIL.fullmatch(arn)
            if match is None or match["region"] != region:
                problems.add(
                    f"bedrock_guardrails[{region}]",
                    arn,
                    "This is no version of a guardrail in that region.",
                    f"Write 'arn:aws:bedrock:{region}:<account>:guardrail/<id>:<version>'; a draft is no "
                    "version.",
                )
        problems.raise_if_any("OrganizationGuardrails")

    @classmethod
    def of(
        cls, perimeter: DataPerimeter, templates: Templates, *, regions: Sequence[str] = ()
    ) -> OrganizationGuardrails:
        """Give the guardrails of what templates deploy, by the stand-ins that the proofs know it under.

        So an environment can be proved with its guardrails before either is deployed:
        `ask(templates, OrganizationGuardrails.of(perimeter, templates).trust())`. Their ids are none that
        AWS would give; what is attached needs the deployed ones.

        Args:
            perimeter: Who is trusted.
            templates: The templates; conditions fall as they first do.
            regions: The regions that work is done in. Default: those that the templates are deployed to.

        Raises:
            ConfigurationError: As for the class.
        """
        estate = Estate.worlds(templates)[0]

        def every(type_: str, attribute: str) -> list[str]:
            found = (estate.attribute(each, attribute) for each in estate.resources(type_))
            return [each for each in found if isinstance(each, str)]

        places = (estate.place(each) for each in estate.resources("AWS::IAM::Role", "AWS::KMS::Key"))
        subnets, keys = every("AWS::EC2::Subnet", "Ref"), every("AWS::KMS::Key", "Arn")
        groups = every("AWS::EC2::SecurityGroup", "GroupId")
        work: SageMakerGuardrails | None = None
        if subnets and groups and keys:
            work = SageMakerGuardrails(
                perimeter=perimeter, subnets=subnets, security_groups=groups, keys=keys
            )
        return cls(
            perimeter=perimeter,
            regions=regions or sorted({place.region for place in places}),
            endpoints=[each.id for each in estate.endpoints if isinstance(each.id, str)],
            sagemaker=work,
        )

    def policies(self) -> tuple[OrganizationPolicy, ...]:
        """Give every policy."""
        about = (
            ("accounts", "The data perimeter, regions, and what stays as it was deployed", self._accounts()),
            ("sagemaker", "SageMaker work in our network, under our keys, within bounds", self._work()),
        )
        found = [
            policy
            for name, description, statements in about
            for policy in self._control(PolicyType.SERVICE_CONTROL, name, description, statements)
        ]
        found += self._control(
            PolicyType.RESOURCE_CONTROL,
            "resources",
            "Nobody from outside the organization reaches its resources",
            resource_statements(self.perimeter),
        )
        found.append(
            OrganizationPolicy(
                name="ai-opt-out",
                type=PolicyType.AI_OPT_OUT,
                description="No content is used to improve AI services of AWS",
                content=AI_OPT_OUT,
            )
        )
        found.append(
            OrganizationPolicy(
                name="s3-public-access",
                type=PolicyType.S3,
                description="No bucket of any account can be public",
                content=S3_NOT_PUBLIC,
            )
        )
        if self.bedrock_guardrails:
            found.append(
                OrganizationPolicy(
                    name="bedrock-guardrails",
                    type=PolicyType.BEDROCK,
                    description="Every call of a model passes a guardrail",
                    content=bedrock_policy(self.bedrock_guardrails),
                )
            )
        return tuple(found)

    def scps(self) -> tuple[Document, ...]:
        """Give the service control policies."""
        return self._contents(PolicyType.SERVICE_CONTROL)

    def rcps(self) -> tuple[Document, ...]:
        """Give the resource control policies."""
        return self._contents(PolicyType.RESOURCE_CONTROL)

    def trust(self) -> Trust:
        """Give whom the perimeter trusts, with these guardrails given: what the proofs take.

        Raises:
            ConfigurationError: An id is known at deployment only, so that nothing could be proved of it.
        """
        self._refuse_tokens()

        def here(arns: Iterable[str]) -> tuple[str, ...]:
            # One role a region, as the guardrails have it; account and partition stay open.
            return tuple(
                arn.replace("${AWS::Region}", region)
                for arn in arns
                for region in (self.regions if "${AWS::Region}" in arn else ("",))
            )

        trust = trust_of(self.perimeter)
        return replace(
            trust,
            administrators=here(trust.administrators),
            deploying_roles=here(trust.deploying_roles),
            break_glass_roles=here(trust.break_glass_roles),
            erasure_roles=here(trust.erasure_roles),
            scps=(self.scps(),),
            rcps=(self.rcps(),),
        )

    def write(self, folder: Path | str) -> list[Path]:
        """Write each policy into a file of its own, in a folder a type.

        Args:
            folder: Where to; it is made.

        Returns:
            The files.

        Raises:
            ConfigurationError: An id is known at deployment only.
        """
        self._refuse_tokens()
        written: list[Path] = []
        for policy in self.policies():
            path = Path(folder, policy.type.lower(), f"{policy.name}.json")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(policy.text, encoding="utf-8")
            written.append(path)
        return written

    # -- parts ---------------------------------------------------------------------------------------

    def _accounts(self) -> Iterator[Statement]:
        yield from identity_statements(self.perimeter, self.regions)
        if self.endpoints:
            yield from network_statements(
                self.perimeter,
                self.endpoints,
                sign_in_ranges=self.sign_in_ranges,
                pipelines=self.sagemaker.pipeline_roles if self.sagemaker else (),
            )
        yield from protecting_statements(self.perimeter)

    def _work(self) -> Sequence[Statement]:
        return self.sagemaker.statements() if self.sagemaker else ()

    def _control(
        self, type_: PolicyType, name: str, description: str, statements: Iterable[Statement]
    ) -> Iterator[OrganizationPolicy]:
        # A line break for each statement and two more, since AWS counts them.
        written = [for_organization(each, self.regions) for each in statements]
        documents = pack(written, type_.size - len(written) - 2)
        for number, content in enumerate(documents, start=1):
            part = f"-{number}" if len(documents) > 1 else ""
            yield OrganizationPolicy(
                name=f"{name}{part}", type=type_, description=description, content=content
            )

    def _contents(self, type_: PolicyType) -> tuple[Document, ...]:
        return tuple(dict(policy.content) for policy in self.policies() if policy.type is type_)

    def _refuse_tokens(self) -> None:
        problems = Problems()
        given: dict[str, Sequence[str]] = {"endpoints": self.endpoints}
        if self.sagemaker:
            for name in ("subnets", "security_groups", "keys", "pipeline_roles", "approving_roles"):
                given[f"sagemaker.{name}"] = getattr(self.sagemaker, name)
        for argument, values in given.items():
            for index, value in enumerate(values):
                if is_token(value):
                    problems.add(
                        f"{argument}[{index}]",
                        value,
                        "Its text is known at deployment only.",
                        "Give what the deployed stacks put out, or use OrganizationPolicies.",
                    )
        problems.raise_if_any("OrganizationGuardrails")


def _check_ranges(problems: Problems, given: Sequence[str], with_endpoints: bool) -> None:
    if isinstance(given, str):
        problems.add(
            "sign_in_ranges", given, "One string where a tuple belongs.", "Write ('203.0.113.0/24',)."
        )
        return
    if given and not with_endpoints:
        reason = "They stand beside the endpoints: without those nothing is held to any network."
        problems.add("sign_in_ranges", given, reason, "Name the endpoints as well.")
    for index, each in enumerate(given):
        try:
            network = ip_network(each)
        except ValueError:
            network = None
        if network is None or network.prefixlen < _WIDEST[network.version] or _inside(network):
            problems.add(
                f"sign_in_ranges[{index}]",
                each,
                "This is no range of public addresses, or one of half the internet.",
                "Write the addresses that your people come from: '203.0.113.0/24'.",
            )


def _inside(network: IPv4Network | IPv6Network) -> bool:
    """Whether addresses are such that no request from the internet comes from them."""
    ranges = (ip_network(each) for each in _PRIVATE)
    return any(each.version == network.version and each.overlaps(network) for each in ranges)


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _check(
    problems: Problems, argument: str, given: Sequence[str], form: re.Pattern[str], what: str, fix: str
) -> None:
    if isinstance(given, str):
        problems.add(argument, given, "One string where a tuple belongs.", f"Write a tuple. {fix}")
        return
    for index, each in enumerate(given):
        if not is_token(each) and not form.fullmatch(each):
            problems.add(f"{argument}[{index}]", each, f"This is not {what}.", fix)
