"""The guardrails of SageMaker as managed policies of an account."""

from __future__ import annotations

from functools import cached_property

from aws_cdk import aws_iam as iam
from constructs import Construct

from secure_ml_constructs._cdk import child_path
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.identity.guardrails.sagemaker import SageMakerGuardrails

__all__ = ["GuardrailPolicies"]

# IAM and AWS STS quotas: managed policies attached to a role, 10 by default. The rest is the role's own.
_MOST_POLICIES = 4


class GuardrailPolicies(Construct):
    """Managed policies that deny SageMaker work outside the guardrails, for every role that starts some.

    A role has to carry all of them: each holds a part of the statements.

    Ensures:
        I2: what `SageMakerGuardrails` ensures, for the roles that carry them.

    Args:
        scope: The parent construct.
        id: The construct's id.
        guardrails: What they deny.

    Raises:
        ConfigurationError: So many subnets, keys or instance types that more than four policies would be
            needed, where a role can carry ten.

    Example:
        >>> policies = GuardrailPolicies(stack, "Guardrails", guardrails=guardrails)
        >>> arns = policies.arns
    """

    def __init__(self, scope: Construct, id: str, *, guardrails: SageMakerGuardrails) -> None:
        documents = guardrails.documents()
        problems = Problems()
        if len(documents) > _MOST_POLICIES:
            problems.add(
                "guardrails",
                f"{len(documents)} policies",
                f"A role would have to carry more than {_MOST_POLICIES}.",
                "Name fewer keys, subnets or instance types; a family counts as one ('ml.m5.*').",
            )
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        self.guardrails = guardrails
        made = [
            iam.CfnManagedPolicy(
                self,
                f"Policy{number}",
                description="Denies SageMaker work outside network, keys and bounds; attach with its like",
                path=guardrails.perimeter.role_path,
                policy_document=document,
            )
            for number, document in enumerate(documents, start=1)
        ]
        #: The ARNs of the policies, for `managed_policy_arns` of a role.
        self.arns: tuple[str, ...] = tuple(policy.ref for policy in made)

    @cached_property
    def managed_policies(self) -> tuple[iam.IManagedPolicy, ...]:
        """The policies, for `managed_policies` of a role."""
        return tuple(
            iam.ManagedPolicy.from_managed_policy_arn(self, f"Imported{number}", arn)
            for number, arn in enumerate(self.arns, start=1)
        )
