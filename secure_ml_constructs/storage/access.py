"""What one role may do with the lake: a managed policy that grows with each grant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

from secure_ml_constructs._acknowledge import acknowledge_wildcards
from secure_ml_constructs.policy import Condition


class RoleAccess(Construct):
    """One managed policy for a role, beside it: in the lake's stack it would tie the lake to its users.

    Args:
        lake: The lake, below which the policy of an imported role stands: such a role is no more than a name.
        role: The role, below which the policy stands otherwise.
        id: The construct's id.
    """

    def __init__(self, lake: Construct, role: iam.IRole, id: str) -> None:
        super().__init__(role if isinstance(role, Construct) else lake, id)
        self.role = role
        self.granted: set[tuple[str, str]] = set()
        self._policy = iam.ManagedPolicy(self, "Policy", roles=[role])
        self._reasons: dict[str, str] = {}

    def allow(
        self,
        actions: Sequence[str],
        resources: Sequence[str],
        *,
        condition: Condition | None = None,
        wildcards: Mapping[str, str] | None = None,
    ) -> None:
        """Allow actions on resources.

        Args:
            actions: IAM actions.
            resources: ARNs.
            condition: Default: none.
            wildcards: For each resource with a wildcard, why it needs it.
        """
        self._policy.add_statements(
            iam.PolicyStatement(actions=list(actions), resources=list(resources), conditions=condition)
        )
        if wildcards and not self._reasons:
            # The mapping is read at synthesis, when it holds what later grants add to it.
            acknowledge_wildcards(self._policy, self._reasons)
        self._reasons.update(wildcards or {})
