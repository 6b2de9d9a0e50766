"""What the roles of every team stand on."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from aws_cdk import CfnMapping, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from secure_ml_constructs._acknowledge import LOOKING
from secure_ml_constructs._cdk import child_path, is_token, partition
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.identity.execution import WILDCARDS as EXECUTION_WILDCARDS
from secure_ml_constructs.identity.execution import execution_statements, image_statements
from secure_ml_constructs.identity.guardrails import GuardrailPolicies
from secure_ml_constructs.identity.personas import Persona
from secure_ml_constructs.identity.team_policies import WORKSPACE_WILDCARDS, workspace_statements
from secure_ml_constructs.identity.wildcards import accept_wildcards
from secure_ml_constructs.identity.work_boundary import WorkBoundary
from secure_ml_constructs.key_uses import KeyClass
from secure_ml_constructs.keys import EnvironmentKeys
from secure_ml_constructs.network import MlNetwork
from secure_ml_constructs.network.aws_registries import partition_accounts, registry_accounts
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.policy import Statement, document
from secure_ml_constructs.storage import EncryptedDataLake

__all__ = ["RoleFoundation"]

# What volumes of jobs, endpoints and workspaces may be under.
_VOLUMES = (KeyClass.DATA, KeyClass.MODEL, KeyClass.WORKSPACE)


class RoleFoundation(Construct):
    """What the roles of every team share: boundary, guardrails, and what SageMaker needs of any role.

    Make one in an environment, and give it to each `TeamRoles`.

    Ensures:
        I1: no two teams whose names run into one another.
        I2: the roles that start work carry the guardrails.
        I3: every role carries the boundary.

    Args:
        scope: The parent construct.
        id: The construct's id.
        perimeter: Where roles lie and whom they trust.
        keys: The environment's keys.
        lake: The zones that teams read and write.
        network: Where work runs.
        boundary: The boundary of every role.
        guardrails: What roles that start work carry.

    Raises:
        ConfigurationError: Guardrails or a boundary of another perimeter.

    Example:
        >>> foundation = RoleFoundation(
        ...     stack, "People", perimeter=perimeter, keys=keys, lake=lake, network=vpc,
        ...     boundary=boundary, guardrails=guardrail_policies,
        ... )
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        perimeter: DataPerimeter,
        keys: EnvironmentKeys,
        lake: EncryptedDataLake,
        network: MlNetwork,
        boundary: WorkBoundary,
        guardrails: GuardrailPolicies,
    ) -> None:
        problems = Problems()
        for argument, other in (
            ("boundary", boundary.perimeter),
            ("guardrails", guardrails.guardrails.perimeter),
        ):
            if other != perimeter:
                problems.add(
                    argument,
                    other.role_path,
                    "It was made for another perimeter: it would hold other roles than these.",
                    "Give the one that was made with this perimeter.",
                )
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        self.perimeter = perimeter
        self.keys = keys
        self.lake = lake
        self.network = network
        self.boundary = boundary
        self.guardrails = guardrails
        #: The names of the teams that have roles.
        self.teams: list[str] = []
        images = image_statements(self._registries())
        made = self._policy("Images", "Pulls images from our registry, and from AWS's", images)
        accept_wildcards(made, images, resources=EXECUTION_WILDCARDS, actions={})
        self._images_arn = made.ref
        groups = (network.job_security_group_id, network.workload_security_group_id)
        execution = execution_statements(
            keys=self.volume_keys,
            subnets=network.isolated_subnet_ids,
            groups=tuple(dict.fromkeys((*groups, *guardrails.guardrails.security_groups))),
        )
        made = self._policy("Execution", "What SageMaker needs of the role of any job or model", execution)
        accept_wildcards(made, execution, resources=EXECUTION_WILDCARDS, actions={})
        self._execution_arn = made.ref
        workspace = workspace_statements(
            perimeter, endpoints=network.deferred_endpoint_ids, volume_keys=self.volume_keys
        )
        made = self._policy("Workspace", "What people of every team need alike, and from where", workspace)
        accept_wildcards(made, workspace, resources=WORKSPACE_WILDCARDS, actions={"sagemaker:": LOOKING})
        self._workspace_arn = made.ref

    @cached_property
    def volume_keys(self) -> tuple[str, ...]:
        """ARNs of the keys that volumes may be under."""
        return tuple(self.keys.arn(each) for each in _VOLUMES)

    @cached_property
    def execution_policies(self) -> tuple[iam.IManagedPolicy, ...]:
        """What SageMaker needs of the role of any job or model: images, network, encrypted volumes."""
        return self._imported("Images", self._images_arn), self.execution_policy

    @cached_property
    def execution_policy(self) -> iam.IManagedPolicy:
        """The same without images: for a role that names the one it runs."""
        return self._imported("Execution", self._execution_arn)

    @cached_property
    def workspace_policy(self) -> iam.IManagedPolicy:
        """What people of every team need alike, and from where they may work."""
        return self._imported("Workspace", self._workspace_arn)

    def _imported(self, name: str, arn: str) -> iam.IManagedPolicy:
        return iam.ManagedPolicy.from_managed_policy_arn(self, f"{name}Policy", arn)

    def _policy(self, id: str, description: str, statements: list[Statement]) -> iam.CfnManagedPolicy:
        return iam.CfnManagedPolicy(
            self,
            id,
            description=description,
            path=self.perimeter.role_path,
            policy_document=document(statements),
        )

    def _registries(self) -> Any:
        region = Stack.of(self).region
        if not is_token(region):
            return registry_accounts(region)
        table = {each: {"Accounts": accounts} for each, accounts in partition_accounts().items()}
        mapping = CfnMapping(self, "AwsRegistries", mapping=table)
        return mapping.find_in_map(partition(), "Accounts")


def approving_roles(perimeter: DataPerimeter) -> tuple[str, ...]:
    """Give whom guardrails let approve models: the teams' ML engineers.

    Args:
        perimeter: Where roles lie.
    """
    return _patterns(perimeter, (Persona.ML_ENGINEER,))


def pipeline_roles(perimeter: DataPerimeter) -> tuple[str, ...]:
    """Give whom guardrails let do what only pipelines do: the teams' pipelines.

    Args:
        perimeter: Where roles lie.
    """
    return _patterns(perimeter, (Persona.PIPELINE,))


def _patterns(perimeter: DataPerimeter, personas: Iterable[Persona]) -> tuple[str, ...]:
    return tuple(each.pattern(perimeter) for each in personas)
