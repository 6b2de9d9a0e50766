"""The people's part of the configuration file: guardrails, Studio, teams, and who administers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

from pydantic import Field, model_validator

from secure_ml_constructs.environment.network_config import Section
from secure_ml_constructs.errors import ConfigurationError, Problems
from secure_ml_constructs.identity import Analysis, Persona, SessionTag, SignIn, WorkLimits
from secure_ml_constructs.identity.personas import check_team
from secure_ml_constructs.studio import StudioApp, StudioApps, StudioAuth, StudioHome, StudioUser
from secure_ml_constructs.studio.team import check_people

T = TypeVar("T")
TeamPersona = Literal[
    "data-scientist", "ml-engineer", "training", "processing", "pipeline", "endpoint", "monitoring"
]


class WorkSection(Section):
    """How large and how long SageMaker work may be."""

    instance_types: tuple[str, ...] | None = Field(
        default=None, description="Types, or families (ml.m5.*). Default: up to 16 vCPUs, or a single GPU."
    )
    run_time_hours: int = Field(default=24, ge=1, le=672)
    file_systems: tuple[str, ...] = Field(default=(), description="Ids of file systems that jobs may mount.")

    def value(self) -> WorkLimits:
        """Give the limits."""
        given = {} if self.instance_types is None else {"instance_types": self.instance_types}
        return WorkLimits(
            run_time_seconds=self.run_time_hours * 3600, file_systems=self.file_systems, **given
        )


class AppsSection(Section):
    """The apps of Studio."""

    types: tuple[StudioApp, ...] = (StudioApp.JUPYTER_LAB,)
    instance_types: tuple[str, ...] | None = None
    default_instance_type: str = "ml.t3.medium"
    idle_minutes: int = 60
    longest_idle_minutes: int = 480
    volume_gb: int = 20
    largest_volume_gb: int = 100
    profiles_quota: int = Field(default=60, description="What Service Quotas says of L-AC46C40F.")

    def value(self) -> StudioApps:
        """Give the apps."""
        given = self.model_dump()
        if self.instance_types is None:
            del given["instance_types"]
        return StudioApps(**given)


class StudioSection(Section):
    """The Studio domain."""

    sign_in: Literal["identity-center", "iam"] = "identity-center"
    ranges: tuple[str, ...] = Field(
        default=(), description="With iam: public ranges from which people sign in, beside the endpoints."
    )
    apps: AppsSection = AppsSection()
    home: Literal["volumes", "efs"] = "volumes"

    @model_validator(mode="after")
    def _ranges_with_iam(self) -> StudioSection:
        if self.ranges and self.sign_in != "iam":
            raise ValueError("the identity provider says from where people sign in to Identity Center")
        return self

    def auth(self) -> StudioAuth:
        """Give how people sign in."""
        return StudioAuth.iam(ranges=self.ranges) if self.sign_in == "iam" else StudioAuth.identity_center()

    def place(self) -> StudioHome:
        """Give where home directories lie."""
        return StudioHome.efs() if self.home == "efs" else StudioHome.volumes()


class UserSection(Section):
    """Somebody who works in Studio."""

    name: str
    persona: Literal["data-scientist", "ml-engineer"] = "data-scientist"
    identity_center_user: str | None = None

    def value(self) -> StudioUser:
        """Give the user."""
        return StudioUser(
            name=self.name,
            persona=Persona(self.persona),
            identity_center_user=self.identity_center_user,
        )


class SecretSection(Section):
    """A secret of a team: a random value that the environment makes and changes."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")
    readers: tuple[TeamPersona, ...] = Field(default=("data-scientist", "ml-engineer"), min_length=1)
    rotation_days: int = Field(default=30, ge=1, le=90)


class TeamSection(Section):
    """A team."""

    name: str
    reads: tuple[str, ...] = Field(default=(), description="Zones of the lake.")
    writes: tuple[str, ...] = Field(default=(), description="Zones of the lake.")
    users: tuple[UserSection, ...] = Field(min_length=1)
    secrets: tuple[SecretSection, ...] = Field(default=(), description="What its roles may read.")

    def people(self) -> tuple[StudioUser, ...]:
        """Give its people."""
        return tuple(user.value() for user in self.users)


class TagSection(Section):
    """A session tag that the identity provider sets where people have shown a second factor."""

    key: str
    value: str = "true"


class SignInSection(Section):
    """By whom a privileged role is assumed: one of these."""

    saml_provider: str | None = Field(default=None, description="The ARN of a SAML provider.")
    roles: tuple[str, ...] = Field(
        default=(), description="ARNs of roles, as IAM Identity Center makes them."
    )
    session_tag: TagSection | None = None

    @model_validator(mode="after")
    def _one(self) -> SignInSection:
        if bool(self.saml_provider) == bool(self.roles):
            raise ValueError("people come either by saml_provider or by roles")
        if self.saml_provider and self.session_tag is None:
            raise ValueError("a SAML provider has to mark sessions with a second factor: give session_tag")
        return self

    def value(self) -> SignIn:
        """Give how people come."""
        tag = SessionTag(self.session_tag.key, self.session_tag.value) if self.session_tag else None
        if self.saml_provider and tag:
            return SignIn.saml(provider_arn=self.saml_provider, session_tag=tag)
        return SignIn.roles(arns=self.roles, session_tag=tag)


class PrivilegedSection(Section):
    """Auditor, administrator and break-glass role."""

    sign_in: SignInSection
    emergency: SignInSection | None = Field(default=None, description="Default: as sign_in.")


class AnalyzerSection(Section):
    """IAM Access Analyzer."""

    unused_days: int = Field(default=90, ge=1, le=365)
    existing: tuple[Analysis, ...] = Field(default=(), description="Analyses that the account has already.")


class PeopleSection(Section):
    """Who works in the environment."""

    work: WorkSection = WorkSection()
    studio: StudioSection | None = Field(default=None, description="Default: no Studio domain.")
    teams: tuple[TeamSection, ...] = ()
    privileged: PrivilegedSection | None = Field(
        default=None, description="Default: the roles that the perimeter names are made elsewhere."
    )
    analyzer: AnalyzerSection = AnalyzerSection()
    work_logs: Literal["made", "existing"] = Field(
        default="made",
        description="SageMaker's log groups are the account's: existing where another environment made them.",
    )

    @model_validator(mode="after")
    def _teams_have_a_place(self) -> PeopleSection:
        if self.teams and self.studio is None:
            raise ValueError("teams work in Studio: add a section studio, or leave teams out")
        return self

    def check(self, problems: Problems, zones: Sequence[str]) -> None:
        """Record what the constructs would refuse.

        Args:
            problems: Where to record.
            zones: The names of the lake's zones.
        """
        attempt(problems, "work", self.work.value)
        if self.privileged:
            attempt(problems, "privileged.sign_in", self.privileged.sign_in.value)
            if self.privileged.emergency:
                attempt(problems, "privileged.emergency", self.privileged.emergency.value)
        if self.studio is None:
            return
        apps = attempt(problems, "studio.apps", self.studio.apps.value) or StudioApps()
        auth = attempt(problems, "studio", self.studio.auth) or StudioAuth.identity_center()
        seen: dict[tuple[str, str], StudioUser] = {}
        for index, team in enumerate(self.teams):
            found = Problems()
            check_team(found, team.name, [other.name for other in self.teams[:index]])
            for argument in ("reads", "writes"):
                for position, zone in enumerate(getattr(team, argument)):
                    if zone not in zones:
                        fix = f"Write one of {', '.join(zones)}."
                        found.add(f"{argument}[{position}]", zone, "The lake has no such zone.", fix)
            names = [secret.name for secret in team.secrets]
            for position, name in enumerate(names):
                if name in names[:position]:
                    found.add(f"secrets[{position}].name", name, "There is one of this name.", "Rename it.")
            people = check_people(found, team.name, team.people(), auth=auth, apps=apps, others=seen)
            seen.update({(team.name, person.name): person for person in people})
            problems.extend(f"teams[{index}]", found)


def attempt(problems: Problems, where: str, make: Callable[[], T]) -> T | None:
    """Give what is made, or record why it is refused.

    Args:
        problems: Where to record.
        where: Its path in the file.
        make: Makes it.
    """
    try:
        return make()
    except ConfigurationError as error:
        problems.extend(where, error.problems)
        return None
