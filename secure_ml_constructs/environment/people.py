"""The stacks of people: secrets, roles, Studio, and one for each team."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from aws_cdk import Stack

from secure_ml_constructs.audit import AuditTrail
from secure_ml_constructs.detection import AlertTopic
from secure_ml_constructs.environment.people_config import PeopleSection, TeamSection
from secure_ml_constructs.identity import (
    AccessAnalyzer,
    GuardrailPolicies,
    ManagedSecret,
    Persona,
    PrivilegedRoles,
    RoleFoundation,
    Rotation,
    SageMakerGuardrails,
    SecretRotation,
    WorkBoundary,
    WorkLogs,
    approving_roles,
    pipeline_roles,
)
from secure_ml_constructs.keys import EnvironmentKeys
from secure_ml_constructs.network.ml_network import MlNetwork
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.storage import EncryptedDataLake, PackageRepository
from secure_ml_constructs.studio import SecureStudioDomain, StudioTeam


class StackMaker(Protocol):
    """Makes one of the environment's stacks."""

    def __call__(self, name: str, holds: str, *, keeps: bool) -> Stack:
        """Make it."""


class EnvironmentPeople:
    """Who works in an environment, a stack for each lifetime: secrets, roles, Studio, and each team.

    Args:
        make_stack: Makes a stack.
        section: The people's part of the configuration.
        perimeter: Who is trusted.
        keys: The environment's keys.
        network: Its network.
        lake: Its lake.
        trail: Its trail, whose saved queries the auditor may run.
        alerts: Whom findings are told to.
        packages: The package repository, if there is one.
    """

    #: What every role stands on.
    foundation: RoleFoundation
    #: What looks for access that outsiders have and nobody uses.
    analyzer: AccessAnalyzer
    #: Auditor, administrator and break-glass role; None where they are made elsewhere.
    privileged: PrivilegedRoles | None
    #: The Studio domain; None without one.
    studio: SecureStudioDomain | None
    #: The teams, by name.
    teams: Mapping[str, StudioTeam]
    #: The teams' secrets, by team and name.
    secrets: Mapping[tuple[str, str], ManagedSecret]

    def __init__(
        self,
        make_stack: StackMaker,
        section: PeopleSection,
        *,
        perimeter: DataPerimeter,
        keys: EnvironmentKeys,
        network: MlNetwork,
        lake: EncryptedDataLake,
        trail: AuditTrail,
        alerts: AlertTopic,
        packages: PackageRepository | None,
    ) -> None:
        self._make_stack = make_stack
        self._perimeter, self._keys, self._network = perimeter, keys, network
        self._packages = packages
        self.secrets = self._make_secrets(section)
        stack = make_stack("People", "roles, guardrails and the logs of work", keeps=True)
        self.foundation = self._make_foundation(stack, section, lake)
        self.analyzer = AccessAnalyzer(
            stack,
            "AccessAnalyzer",
            perimeter=perimeter,
            topic=alerts.topic,
            unused_days=section.analyzer.unused_days,
            existing=section.analyzer.existing,
        )
        if section.work_logs == "made":
            WorkLogs(stack, "WorkLogs", key=keys.logs)
        self.privileged = None
        if given := section.privileged:
            self.privileged = PrivilegedRoles(
                stack,
                "Privileged",
                perimeter=perimeter,
                network=network,
                sign_in=given.sign_in.value(),
                emergency=given.emergency.value() if given.emergency else None,
                queries=trail.queries,
            )
        self.studio = None
        self.teams = {}
        if section.studio:
            self.studio = SecureStudioDomain(
                make_stack("Studio", "the Studio domain", keeps=True),
                "Studio",
                perimeter=perimeter,
                keys=keys,
                network=network,
                auth=section.studio.auth(),
                apps=section.studio.apps.value(),
                home=section.studio.place(),
            )
            self.teams = {team.name: self._make_team(self.studio, team) for team in section.teams}

    def _make_foundation(
        self, stack: Stack, section: PeopleSection, lake: EncryptedDataLake
    ) -> RoleFoundation:
        perimeter, keys, network = self._perimeter, self._keys, self._network
        guardrails = SageMakerGuardrails(
            perimeter=perimeter,
            subnets=network.isolated_subnet_ids,
            security_groups=(network.job_security_group_id, network.workload_security_group_id),
            keys=tuple(key.key_arn for key in (keys.data, keys.model, keys.workspace)),
            limits=section.work.value(),
            pipeline_roles=pipeline_roles(perimeter),
            approving_roles=approving_roles(perimeter),
        )
        return RoleFoundation(
            stack,
            "Roles",
            perimeter=perimeter,
            keys=keys,
            lake=lake,
            network=network,
            boundary=WorkBoundary(stack, "Boundary", perimeter=perimeter, network=network),
            guardrails=GuardrailPolicies(stack, "Guardrails", guardrails=guardrails),
        )

    def _make_secrets(self, section: PeopleSection) -> dict[tuple[str, str], ManagedSecret]:
        found: dict[tuple[str, str], ManagedSecret] = {}
        if not any(team.secrets for team in section.teams):
            return found
        network, perimeter = self._network, self._perimeter
        # A stack before the roles: secrets stay when a team goes.
        stack = self._make_stack("Secrets", "the teams' secrets", keeps=True)
        rotation = SecretRotation(
            stack,
            "Rotation",
            perimeter=perimeter,
            key=self._keys.secrets,
            logs_key=self._keys.logs,
            subnets=network.isolated_subnet_ids,
            security_group=network.workload_security_group_id,
        )
        for team in section.teams:
            for secret in team.secrets:
                found[team.name, secret.name] = ManagedSecret(
                    stack,
                    f"{_pascal(team.name)}{_pascal(secret.name)}",
                    perimeter=perimeter,
                    key=self._keys.secrets,
                    endpoints=[network.endpoint_ids["secretsmanager"]],
                    rotation=Rotation(by=rotation, days=secret.rotation_days),
                    readers=[_pattern(perimeter, team.name, each) for each in secret.readers],
                )
        return found

    def _make_team(self, studio: SecureStudioDomain, team: TeamSection) -> StudioTeam:
        made = studio.add_team(
            team.name,
            foundation=self.foundation,
            users=team.people(),
            reads=team.reads,
            writes=team.writes,
            scope=self._make_stack(f"Team-{team.name}", f"team {team.name}", keeps=True),
        )
        if self._packages:
            for persona in (Persona.DATA_SCIENTIST, Persona.ML_ENGINEER):
                self._packages.grant_read(made.roles.of(persona))
        for secret in team.secrets:
            for reader in secret.readers:
                self.secrets[team.name, secret.name].grant_read(made.roles.of(Persona(reader)))
        return made


def _pattern(perimeter: DataPerimeter, team: str, persona: str) -> str:
    path = Persona(persona).path(perimeter, team)
    return f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role{path}*"


def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))
