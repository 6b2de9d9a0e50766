"""The configuration file of an environment: its model, and how it is read.

The model holds structure; what a value may be is decided by the construct or value class that takes it, and
asked of it here, so that a wrong file hears every problem at once and each rule stands in one place.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from secure_ml_constructs.audit import ObjectLockMode, TrailEvents
from secure_ml_constructs.audit.log_archive import MINIMUM_RETENTION_DAYS
from secure_ml_constructs.environment.network_config import NetworkSection, Section
from secure_ml_constructs.environment.people_config import PeopleSection
from secure_ml_constructs.environment.serving_config import ServingSection
from secure_ml_constructs.errors import ConfigurationError, Problem, Problems
from secure_ml_constructs.key_uses import KeyClass
from secure_ml_constructs.perimeter import DataPerimeter, PerimeterException
from secure_ml_constructs.perimeter_entries import DEFAULT_EXCEPTIONS
from secure_ml_constructs.storage import DEFAULT_ZONES, DatasetLock, LockMode, PackageSource, Zone
from secure_ml_constructs.storage.zones import check_zones
from secure_ml_constructs.verification.rules import Settings

# By which the package repository is reached.
PACKAGE_ENDPOINTS = ("codeartifact.api", "codeartifact.repositories")
AccountId = Annotated[str, Field(pattern=r"^\d{12}$", description="12 digits, in quotes.")]
Region = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="For instance eu-central-1.")]
KeyArn = Annotated[str, Field(pattern=r"^arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+$")]


class ExceptionSection(Section):
    """A role that the network condition of the data lets through."""

    name: str
    reason: str = Field(min_length=20, description="Why it has to stand: read by auditors.")
    principals: tuple[str, ...] = Field(min_length=1, description="Role ARNs, or patterns of them.")


class PerimeterSection(Section):
    """Who is trusted. ARNs may hold ${AWS::Partition}, ${AWS::AccountId} and ${AWS::Region}."""

    organization: str | None = Field(default=None, description="An AWS Organizations id (o-…).")
    accounts: tuple[AccountId, ...] = ()
    role_path: str = Field(default="/secure-ml/", description="The IAM path of the environment's roles.")
    administrators: tuple[str, ...] = Field(default=(), description="Roles that administer keys and buckets.")
    deploying_roles: tuple[str, ...] | None = Field(
        default=None, description="Default: the execution role of the CDK bootstrap."
    )
    break_glass_roles: tuple[str, ...] = Field(default=(), description="Roles for emergencies.")
    erasure_roles: tuple[str, ...] = Field(default=(), description="Roles that erase a person's records.")
    exceptions: tuple[ExceptionSection, ...] = Field(default=(), description="Added to the usual ones.")

    def value(self) -> DataPerimeter:
        """Give the perimeter."""
        arguments = self.model_dump(exclude={"exceptions", "deploying_roles"})
        if self.deploying_roles is not None:
            arguments["deploying_roles"] = self.deploying_roles
        added = tuple(PerimeterException(**exception.model_dump()) for exception in self.exceptions)
        return DataPerimeter(**arguments, exceptions=(*DEFAULT_EXCEPTIONS, *added))


class KeysSection(Section):
    """The customer keys."""

    rotation_days: int = Field(default=365, ge=90, le=365)
    existing: dict[KeyClass, KeyArn] = Field(
        default_factory=dict, description="Keys of yours in place of new ones, by class."
    )


class ArchiveSection(Section):
    """The log archive."""

    retention_days: int = Field(default=2555, ge=MINIMUM_RETENTION_DAYS, le=36_500)
    mode: Literal["compliance", "governance"] = "compliance"

    @property
    def lock_mode(self) -> ObjectLockMode:
        """The mode as the construct takes it."""
        return ObjectLockMode(self.mode.upper())


class TrailSection(Section):
    """The trail."""

    log_retention_days: int = 365
    insights: bool = True
    denied_network_calls_only: bool = False
    network_sources: tuple[str, ...] | None = Field(
        default=None,
        description="Services whose endpoint traffic is recorded. Default: all that CloudTrail knows.",
    )

    def events(self) -> TrailEvents:
        """Give what the trail records."""
        return TrailEvents(
            insights=self.insights,
            denied_network_calls_only=self.denied_network_calls_only,
            network_sources=self.network_sources,
        )


class LockSection(Section):
    """Object Lock of a zone."""

    mode: Literal["compliance", "governance"] = "governance"
    days: int = Field(ge=1, le=36_500)


class ZoneSection(Section):
    """A zone of the lake."""

    name: str
    prefix: str = Field(default="", description="Default: the name.")
    key_class: Literal["data", "model"] = "data"
    personal_data: bool = False
    expire_days: int | None = None
    archive_days: int | None = None
    old_version_days: int = 90
    lock: LockSection | None = None

    def value(self) -> Zone:
        """Give the zone."""
        lock = DatasetLock(mode=LockMode(self.lock.mode.upper()), days=self.lock.days) if self.lock else None
        arguments = self.model_dump(exclude={"lock", "key_class"})
        return Zone(**arguments, key_class=KeyClass(self.key_class), lock=lock)


class LakeSection(Section):
    """The data lake."""

    zones: tuple[ZoneSection, ...] | None = Field(
        default=None, description="Default: raw, curated, features, models, output."
    )
    catalog: bool = True
    bucket_default_encryption: bool = False

    def values(self) -> tuple[Zone, ...]:
        """Give the zones."""
        return DEFAULT_ZONES if self.zones is None else tuple(zone.value() for zone in self.zones)


class AlertsSection(Section):
    """Whom findings and alarms are told to."""

    emails: tuple[str, ...] = Field(default=(), description="Each confirms once.")


class PackageSourceSection(Section):
    """The packages of one format."""

    internal: tuple[str, ...] = Field(
        default=(), description="What names of your own packages begin with: acme for pip, @acme for npm."
    )
    public: tuple[str, ...] | None = Field(
        default=None, description="Names that may come from the public registry. Default: all but your own."
    )


class PackagesSection(Section):
    """The package repository."""

    pip: PackageSourceSection | None = PackageSourceSection()
    npm: PackageSourceSection | None = None

    def values(self) -> tuple[PackageSource, ...]:
        """Give the sources."""
        made = ((self.pip, PackageSource.pypi), (self.npm, PackageSource.npm))
        return tuple(make(internal=each.internal, public=each.public) for each, make in made if each)


class EnvironmentConfig(Section):
    """An environment for machine learning, as its stacks are made from."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{1,29}$", description="In front of every stack's name.")
    account: AccountId | None = Field(default=None, description="Default: where the CDK CLI is signed in.")
    region: Region | None = None
    perimeter: PerimeterSection = PerimeterSection()
    keys: KeysSection = KeysSection()
    network: NetworkSection = NetworkSection()
    archive: ArchiveSection = ArchiveSection()
    trail: TrailSection = TrailSection()
    lake: LakeSection = LakeSection()
    alerts: AlertsSection = AlertsSection()
    packages: PackagesSection | None = Field(default=None, description="Default: no package repository.")
    people: PeopleSection | None = Field(default=None, description="Default: roles are made elsewhere.")
    serving: ServingSection | None = Field(default=None, description="Default: no model is served.")

    @model_validator(mode="after")
    def _served_by_roles(self) -> EnvironmentConfig:
        if self.serving and self.people is None:
            raise ValueError("models are served with what the roles share: add a section people")
        return self

    @model_validator(mode="after")
    def _monitor_of_packages(self) -> EnvironmentConfig:
        built = self.serving and self.serving.monitor and self.serving.monitor.base
        if built and not (self.packages and self.packages.pip):
            raise ValueError(
                "the image of OpenMonitor is built from packages: add a section packages with pip"
            )
        return self

    @model_validator(mode="after")
    def _account_and_region_together(self) -> EnvironmentConfig:
        if (self.account is None) != (self.region is None):
            raise ValueError("account and region are given both or neither")
        return self

    def rule_settings(self) -> Settings:
        """Give the settings of the rules: what is not in the templates and this file vouches for."""
        existing = self.network.existing
        return Settings(
            customer_keys=tuple(self.keys.existing.values()),
            networks=existing.ids() if existing else (),
        )

    def check(self, problems: Problems) -> None:
        """Record what the constructs would refuse.

        Args:
            problems: Where to record; arguments are paths in the file.
        """
        try:
            self.perimeter.value()
        except ConfigurationError as error:
            problems.extend("perimeter", error.problems)
        _within(problems, "network", self.network.check)
        _within(problems, "trail", self.trail.events().check)
        _within(problems, "lake", lambda found: check_zones(found, self.lake.values()))
        if self.packages:
            self._check_package_endpoints(problems)
            for number, source in enumerate(self.packages.values()):
                source.check(problems, f"packages[{number}]")
        if people := self.people:
            zones = tuple(zone.name for zone in self.lake.values())
            _within(problems, "people", lambda found: people.check(found, zones))
            self._check_team_names(problems, [team.name for team in people.teams])
        if serving := self.serving:
            names = tuple(zone.name for zone in self.lake.values())
            _within(problems, "serving", lambda found: serving.check(found, zones=names))

    def _check_team_names(self, problems: Problems, teams: list[str]) -> None:
        """Record teams to whose names those of endpoints, models and jobs of the environment would belong."""
        ours = f"{self.name}-"
        for number, team in enumerate(teams):
            if ours.startswith(f"{team}-") or f"{team}-".startswith(ours):
                problems.add(
                    f"people.teams[{number}].name",
                    team,
                    "What belongs to a team begins with its name and a hyphen, and so would what is named "
                    f"after the environment, {self.name!r}: served models and what watches them.",
                    "Rename the team, so that neither name begins with the other and a hyphen.",
                )

    def _endpoints(self) -> frozenset[str]:
        """The names of the network's endpoints; every name where they are refused, which is recorded once."""
        try:
            there = {service.name for service in self.network.endpoints.value().services}
        except ConfigurationError:
            return frozenset(PACKAGE_ENDPOINTS)
        existing = self.network.existing
        return frozenset(there | (set(existing.endpoints) if existing else set()))

    def _check_package_endpoints(self, problems: Problems) -> None:
        there = self._endpoints()
        missing = [name for name in PACKAGE_ENDPOINTS if name not in there]
        if missing:
            problems.add(
                "packages",
                self.network.endpoints.profile,
                f"The network has no endpoint for {', '.join(missing)}.",
                "Write network.endpoints.profile: studio, or add them to network.endpoints.extra.",
            )


def load_config(path: Path | str) -> EnvironmentConfig:
    """Read and check a configuration file.

    Args:
        path: A YAML file.

    Raises:
        ConfigurationError: It can't be read, or it holds what an environment can't be made from: every
            problem, each with its path in the file.
    """
    path = Path(path)
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = f"It can't be read: {error.strerror}."
        raise ConfigurationError(
            str(path), [Problem("file", str(path), reason, "Give a YAML file.")]
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = f"This is no YAML: {' '.join(str(error).split())}."
        raise ConfigurationError(str(path), [Problem("file", str(path), reason, "Mend it there.")]) from None
    return parse_config(raw, where=str(path))


def parse_config(raw: Any, *, where: str) -> EnvironmentConfig:
    """Check a configuration that has been read already.

    Args:
        raw: What the file holds.
        where: What the error names: the file.

    Raises:
        ConfigurationError: Every problem, each with its path in the file.
    """
    problems = Problems()
    if not isinstance(raw, dict):
        problems.add("file", raw, "A configuration is a mapping.", "Start with 'name: my-environment'.")
        problems.raise_if_any(where)
    try:
        config = EnvironmentConfig.model_validate(raw)
    except ValidationError as error:
        for detail in error.errors():
            fix = "Leave it out." if detail["type"] == "extra_forbidden" else "See environment.schema.json."
            problems.add(_path(detail["loc"]), detail["input"], f"{detail['msg']}.", fix)
        raise ConfigurationError(where, problems) from None
    config.check(problems)
    problems.raise_if_any(where)
    return config


def _within(problems: Problems, prefix: str, check: Any) -> None:
    found = Problems()
    check(found)
    problems.extend(prefix, found)


def _path(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "file"
