"""Two teams in one environment: keys, network, lake, guardrails and roles, as an app would make them."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk

from secure_ml_constructs.audit import AuditTrail, LogArchive
from secure_ml_constructs.identity import (
    GuardrailPolicies,
    PrivilegedRoles,
    RoleFoundation,
    SageMakerGuardrails,
    SessionTag,
    SignIn,
    TeamRoles,
    WorkBoundary,
    approving_roles,
    pipeline_roles,
)
from secure_ml_constructs.keys import EnvironmentKeys
from secure_ml_constructs.network import EndpointProfile, Endpoints, SecureVpc
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.storage import DEFAULT_ZONES, EncryptedDataLake, PackageRepository, Zone

_ANY = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role"
PERIMETER = DataPerimeter(
    organization="o-a1b2c3d4e5",
    administrators=(f"{_ANY}/ml-administration/*",),
    break_glass_roles=(f"{_ANY}/ml-emergency/*",),
    erasure_roles=(f"{_ANY}/ml-erasure",),
)
SIGN_IN = SignIn.saml(
    provider_arn="arn:${AWS::Partition}:iam::${AWS::AccountId}:saml-provider/Hospital",
    session_tag=SessionTag("mfa"),
)
TEAMS = {
    "radiology": (("curated", "output"), ("output", "models")),
    "cardiology": (("features", "models"), ("features",)),
}
#: The team whose people were not given the packages.
WITHOUT_PACKAGES = "cardiology"


@dataclass(frozen=True)
class Hospital:
    """What was made."""

    foundation: RoleFoundation
    stacks: dict[str, cdk.Stack]
    teams: dict[str, TeamRoles]
    privileged: PrivilegedRoles


def build(
    app: cdk.App,
    *,
    perimeter: DataPerimeter = PERIMETER,
    teams: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] | None = None,
    zones: tuple[Zone, ...] = DEFAULT_ZONES,
    profile: EndpointProfile = EndpointProfile.STUDIO,
    catalog: bool = False,
    region: str | None = None,
) -> Hospital:
    """Make the environment and its teams, a stack for each lifetime and each team."""
    stacks: dict[str, cdk.Stack] = {}

    def stack(name: str) -> cdk.Stack:
        stacks[name] = cdk.Stack(app, name, env=cdk.Environment(region=region))
        return stacks[name]

    keys = EnvironmentKeys(stack("Keys"), "Keys", perimeter=perimeter)
    vpc = SecureVpc(
        stack("Network"),
        "Vpc",
        perimeter=perimeter,
        logs_key=keys.logs,
        endpoints=Endpoints(profile=profile),
    )
    archive = LogArchive(
        stack("Archive"), "Archive", perimeter=perimeter, key=keys.logs, endpoints=vpc.s3_endpoint_ids
    )
    trail = AuditTrail(stacks["Archive"], "Trail", perimeter=perimeter, archive=archive, key=keys.logs)
    lake = EncryptedDataLake(
        stack("Lake"),
        "Lake",
        perimeter=perimeter,
        keys=keys,
        endpoints=vpc.s3_endpoint_ids,
        access_logs=archive.access_log_bucket,
        zones=zones,
        catalog=catalog,
    )
    packages = PackageRepository(
        stack("Packages"),
        "Packages",
        perimeter=perimeter,
        key=keys.model,
        endpoints=[vpc.endpoint_ids[f"codeartifact.{name}"] for name in ("api", "repositories")],
    )
    people = stack("People")
    guardrails = SageMakerGuardrails(
        perimeter=perimeter,
        subnets=vpc.isolated_subnet_ids,
        security_groups=(vpc.job_security_group_id, vpc.workload_security_group_id),
        keys=(keys.data.key_arn, keys.model.key_arn, keys.workspace.key_arn),
        pipeline_roles=pipeline_roles(perimeter),
        approving_roles=approving_roles(perimeter),
    )
    foundation = RoleFoundation(
        people,
        "Roles",
        perimeter=perimeter,
        keys=keys,
        lake=lake,
        network=vpc,
        boundary=WorkBoundary(people, "Boundary", perimeter=perimeter, network=vpc),
        guardrails=GuardrailPolicies(people, "Guardrails", guardrails=guardrails),
    )
    made = {
        team: TeamRoles(
            stack(f"Team{team.title().replace('-', '')}"),
            "Roles",
            foundation=foundation,
            team=team,
            reads=reads,
            writes=writes,
        )
        for team, (reads, writes) in (TEAMS if teams is None else teams).items()
    }
    for team, roles in made.items():
        if team != WITHOUT_PACKAGES:
            packages.grant_read(roles.data_scientist)
            packages.grant_read(roles.ml_engineer)
    privileged = PrivilegedRoles(
        people, "Privileged", perimeter=perimeter, network=vpc, sign_in=SIGN_IN, queries=trail.queries
    )
    return Hospital(foundation, stacks, made, privileged)
