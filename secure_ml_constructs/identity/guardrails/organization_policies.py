"""The organization's guardrails as resources of a stack."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property

from aws_cdk import Names, RemovalPolicy
from aws_cdk import aws_organizations as organizations
from constructs import Construct

from secure_ml_constructs._cdk import child_path, is_token
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.identity.guardrails.organization import OrganizationGuardrails, PolicyType

__all__ = ["OrganizationPolicies"]

# AttachPolicy, TargetId.
_TARGET = re.compile(r"r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}|\d{12}")
# Quotas and service limits for AWS Organizations: five of a type for each target, one of which is AWS's
# FullAWSAccess (SCP) or RCPFullAWSAccess (RCP).
_MOST_CONTROL_POLICIES = 4


class OrganizationPolicies(Construct):
    """Policies of AWS Organizations made of `OrganizationGuardrails`, attached to accounts or units.

    The stack belongs into the management account, or into one that policies are delegated to, in
    `us-east-1`; each policy type has to be enabled in the organization before (AWS Organizations User Guide,
    "Enabling a policy type"). Attach them to a unit of one trial account first. A policy is retained when
    its construct goes: taking a guardrail away is done by hand.

    Ensures:
        I10: what `OrganizationGuardrails` ensures, for the accounts below the targets.

    Args:
        scope: The parent construct.
        id: The construct's id.
        guardrails: What to make.
        targets: Ids of what the policies are attached to: roots (`r-…`), units (`ou-…`) or accounts.
        work_targets: Ids of the accounts that the guardrails of SageMaker are attached to; they name the
            account's own subnets and keys. Default: the targets.

    Raises:
        ConfigurationError: An id that is none, or more policies on a target than AWS takes.

    Example:
        >>> from secure_ml_constructs import DataPerimeter
        >>> organized = DataPerimeter(organization="o-a1b2c3d4e5")
        >>> policies = OrganizationPolicies(
        ...     stack,
        ...     "Guardrails",
        ...     guardrails=OrganizationGuardrails(perimeter=organized, regions=("eu-central-1",)),
        ...     targets=("ou-ab12-0a1b2c3d",),
        ... )
        >>> list(policies.ids)
        ['accounts-1', 'accounts-2', 'resources', 'ai-opt-out', 's3-public-access']
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        guardrails: OrganizationGuardrails,
        targets: Sequence[str],
        work_targets: Sequence[str] | None = None,
    ) -> None:
        policies = guardrails.policies()
        attached = {
            policy.name: list(targets if work_targets is None or not _is_work(policy.name) else work_targets)
            for policy in policies
        }
        problems = Problems()
        _check_targets(problems, "targets", targets)
        _check_targets(problems, "work_targets", work_targets or ())
        for type_ in (PolicyType.SERVICE_CONTROL, PolicyType.RESOURCE_CONTROL):
            names = [policy.name for policy in policies if policy.type is type_]
            for target in dict.fromkeys(target for name in names for target in attached[name]):
                count = sum(target in attached[name] for name in names)
                if count > _MOST_CONTROL_POLICIES:
                    problems.add(
                        "targets",
                        target,
                        f"{count} policies of one type, beside AWS's own, where a target takes five.",
                        "Attach those of SageMaker to the accounts (work_targets), the others to their unit.",
                    )
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        self.guardrails = guardrails
        self._made: dict[str, organizations.CfnPolicy] = {}
        for policy in policies:
            part = "".join(word.capitalize() for word in policy.name.split("-"))
            made = organizations.CfnPolicy(
                self,
                part,
                # The type asks for one, unique in the organization.
                name=f"{Names.unique_resource_name(self, max_length=90, separator='-')}-{policy.name}",
                type=policy.type,
                description=policy.description,
                content=policy.content,
                target_ids=attached[policy.name],
            )
            made.apply_removal_policy(RemovalPolicy.RETAIN)
            self._made[policy.name] = made

    @cached_property
    def ids(self) -> Mapping[str, str]:
        """The ids of the policies (`p-…`), by name."""
        return {name: policy.attr_id for name, policy in self._made.items()}


def _is_work(name: str) -> bool:
    return name.startswith("sagemaker")


def _check_targets(problems: Problems, argument: str, given: Sequence[str]) -> None:
    fix = "Write 'ou-…', 'r-…' or the 12 digits of an account."
    if isinstance(given, str) or (argument == "targets" and not given):
        problems.add(argument, given, "No list of targets.", f"Write a tuple. {fix}")
        return
    for index, each in enumerate(given):
        if not is_token(each) and not _TARGET.fullmatch(each):
            problems.add(f"{argument}[{index}]", each, "This is no root, unit or account.", fix)
