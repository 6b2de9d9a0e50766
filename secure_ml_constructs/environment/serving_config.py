"""The served models' part of the configuration file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, model_validator

from secure_ml_constructs.environment.network_config import Section
from secure_ml_constructs.environment.people_config import attempt
from secure_ml_constructs.environment.watch_config import MonitorSection, WatchSection
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.serving import (
    Capacity,
    Capture,
    Container,
    DoorAuth,
    DoorDomain,
    DoorFirewall,
    FrontDoor,
    MutualTls,
    Payloads,
    Rollout,
    ScheduledCapacity,
    ServedModel,
    Serving,
    SpendingLimit,
    TenantModels,
    Throttle,
)


class ContainerSection(Section):
    """A container, as `Container` takes it."""

    image: str = Field(description="By digest; may hold ${AWS::AccountId} and ${AWS::Region}.")
    data: str | None = Field(default=None, description="A path in the zone of models.")
    environment: dict[str, str] = Field(default_factory=dict)

    def value(self) -> Container:
        """Give the container."""
        return Container(image=self.image, data=self.data, environment=self.environment)


class ModelSection(Section):
    """What is served: one of these."""

    containers: tuple[ContainerSection, ...] = Field(
        default=(), description="One, or several that pass a request on."
    )
    package: str | None = Field(default=None, description="The ARN of a version in the model registry.")
    tenants: dict[str, ContainerSection] = Field(
        default_factory=dict, description="A container for each tenant."
    )

    @model_validator(mode="after")
    def _one(self) -> ModelSection:
        if sum(map(bool, (self.containers, self.package, self.tenants))) != 1:
            raise ValueError("a model is containers, a package, or tenants")
        return self

    def value(self) -> ServedModel | TenantModels:
        """Give the model."""
        if self.tenants:
            return TenantModels(models={name: each.value() for name, each in self.tenants.items()})
        if self.package:
            return ServedModel.from_package(self.package)
        return ServedModel(tuple(each.value() for each in self.containers))


class ScheduledSection(Section):
    """Bounds from some time on."""

    name: str
    when: str
    minimum: int
    maximum: int
    time_zone: str = "UTC"


class CapacitySection(Section):
    """On how many instances."""

    instance_type: str = "ml.m5.large"
    minimum: int = 2
    maximum: int = 4
    invocations_per_instance: int = 600
    schedule: tuple[ScheduledSection, ...] = ()

    def value(self) -> Capacity:
        """Give the capacity."""
        given = self.model_dump(exclude={"schedule"})
        schedule = tuple(ScheduledCapacity(**each.model_dump()) for each in self.schedule)
        return Capacity(**given, schedule=schedule)


class RolloutSection(Section):
    """How a new model takes over."""

    kind: Literal["canary", "linear", "all-at-once"] = "canary"
    percent: int | None = Field(default=None, description="The part that goes first, or in each step.")
    minutes: int = 10

    @model_validator(mode="after")
    def _parts(self) -> RolloutSection:
        if self.kind == "all-at-once" and self.percent is not None:
            raise ValueError("all at once has no percent")
        return self

    def value(self) -> Rollout:
        """Give the rollout."""
        if self.kind == "canary":
            return Rollout.canary(percent=self.percent or 10, bake_minutes=self.minutes)
        if self.kind == "linear":
            return Rollout.linear(step_percent=self.percent or 25, wait_minutes=self.minutes)
        return Rollout.all_at_once(bake_minutes=self.minutes)


class CaptureSection(Section):
    """What is kept of requests and answers."""

    zone: str = "output"
    percent: int = 100


class JwtSection(Section):
    """Tokens of an issuer of yours."""

    issuer: str
    audience: tuple[str, ...]
    keys: str = Field(description="https://…, or <zone>/<path> in the lake.")
    client_claim: str = "client_id"
    scopes: tuple[str, ...] = ()


class AuthSection(Section):
    """How a door knows its callers."""

    by: Literal["iam", "cognito", "jwt"]
    clients: dict[str, str] | tuple[str, ...] = Field(
        default=(), description="Names; by name the tenant, where it is called otherwise."
    )
    jwt: JwtSection | None = None

    @model_validator(mode="after")
    def _issuer(self) -> AuthSection:
        if (self.by == "jwt") != (self.jwt is not None):
            raise ValueError("by: jwt and the section jwt belong together")
        return self

    def value(self) -> DoorAuth:
        """Give it."""
        if self.jwt:
            return DoorAuth.jwt(clients=self.clients, **self.jwt.model_dump())
        if self.by == "cognito":
            return DoorAuth.cognito(clients=self.clients)
        return DoorAuth.iam(clients=tuple(self.clients) or ("default",))


class PayloadsSection(Section):
    """What a door takes."""

    json_schema: dict[str, Any] | None = Field(default=None, description="JSON Schema, draft 4.")
    csv: bool = False
    binary: tuple[str, ...] = ()

    def value(self) -> Payloads:
        """Give them."""
        return Payloads(json=self.json_schema, csv=self.csv, binary=self.binary)


class ThrottleSection(Section):
    """What each client may ask."""

    rate: int = 50
    burst: int = 100
    daily_quota: int = 50_000


class DomainSection(Section):
    """The door's own name."""

    name: str
    certificate_arn: str
    zone_id: str | None = None
    tls_13: bool = False


class MutualTlsSection(Section):
    """Certificates that callers show."""

    truststore: str
    version: str | None = None


class FirewallSection(Section):
    """What the firewall lets through."""

    requests_per_ip: int = 6_000
    requests_per_caller: int = 3_000
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    not_countries: tuple[str, ...] = ()
    largest_body_kb: int = 64
    uninspected_rest: bool = False
    anonymous_ips: bool = True
    hosted_callers: bool = False
    counted_body_rules: tuple[str, ...] = ()
    log_retention_days: int = 365

    def value(self) -> DoorFirewall:
        """Give it."""
        return DoorFirewall(**self.model_dump())


class DoorSection(Section):
    """The way to a model."""

    kind: Literal["private", "regional"]
    auth: AuthSection
    payloads: PayloadsSection
    throttle: ThrottleSection = ThrottleSection()
    firewall: FirewallSection = FirewallSection()
    domain: DomainSection | None = None
    callers: tuple[str, ...] = Field(default=(), description="Further roles, of private doors with IAM.")
    mutual_tls: MutualTlsSection | None = None

    @model_validator(mode="after")
    def _callers_of_private_doors(self) -> DoorSection:
        if self.callers and self.kind != "private":
            raise ValueError("callers are roles that a private door's policy lets in")
        return self

    def value(self) -> FrontDoor:
        """Give the door."""
        shared: dict[str, Any] = {
            "auth": self.auth.value(),
            "payloads": self.payloads.value(),
            "throttle": Throttle(**self.throttle.model_dump()),
            "domain": DoorDomain(**self.domain.model_dump()) if self.domain else None,
            "firewall": self.firewall.value(),
            "mutual_tls": MutualTls(**self.mutual_tls.model_dump()) if self.mutual_tls else None,
        }
        if self.kind == "private":
            return FrontDoor.private(callers=self.callers, **shared)
        return FrontDoor.regional(**shared)


class ServedSection(Section):
    """A model and its door."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{1,29}$")
    model: ModelSection
    door: DoorSection
    capacity: CapacitySection = CapacitySection()
    rollout: RolloutSection | None = None
    capture: CaptureSection = CaptureSection()
    fallback: ModelSection | None = Field(
        default=None, description="The last good model, for watch.roll_back. Default: none."
    )
    watch: WatchSection | None = Field(default=None, description="Default: nobody looks at its requests.")

    @model_validator(mode="after")
    def _one_to_go_back_to(self) -> ServedSection:
        if self.fallback and self.fallback.tenants:
            raise ValueError("a fallback is one model, without tenants")
        if self.watch and self.watch.roll_back and not self.fallback:
            raise ValueError("watch.roll_back needs a fallback to go back to")
        return self

    def serving(self) -> Serving:
        """Give how it is served."""
        fallback = self.fallback.value() if self.fallback else None
        return Serving(
            capacity=self.capacity.value(),
            rollout=self.rollout.value() if self.rollout else None,
            capture=Capture(**self.capture.model_dump()),
            fallback=fallback if isinstance(fallback, ServedModel) else None,
        )


class ServingSection(Section):
    """The models that are served."""

    endpoints: tuple[ServedSection, ...] = ()
    api_logging: Literal["made", "existing"] = Field(
        default="made", description="API Gateway's log role is the account's: existing where it has one."
    )
    monitor: MonitorSection | None = Field(
        default=None, description="The image of OpenMonitor, for the models that it watches."
    )
    monthly_budget: float | None = Field(default=None, description="What a month may cost, in USD.")

    def spending(self) -> SpendingLimit | None:
        """Give the limit of a month."""
        return None if self.monthly_budget is None else SpendingLimit(monthly=self.monthly_budget)

    def check(self, problems: Problems, *, zones: Sequence[str]) -> None:
        """Record what the constructs would refuse.

        Args:
            problems: Where to record.
            zones: The names of the lake's zones.
        """
        attempt(problems, "monthly_budget", self.spending)
        names = [each.name for each in self.endpoints]
        for index, each in enumerate(self.endpoints):
            where = f"endpoints[{index}]"
            if each.name in names[:index]:
                problems.add(f"{where}.name", each.name, "There is one of this name.", "Rename it.")
            if each.capture.zone not in zones:
                fix = f"Write one of {', '.join(zones)}."
                problems.add(f"{where}.capture.zone", each.capture.zone, "The lake has no such zone.", fix)
            attempt(problems, f"{where}", each.serving)
            if each.watch:
                self._check_watch(problems, f"{where}.watch", each.watch, zones)
            attempt(problems, f"{where}.door", each.door.value)

    def _check_watch(self, problems: Problems, where: str, watch: WatchSection, zones: Sequence[str]) -> None:
        attempt(problems, where, watch.told)
        if watch.baseline.zone not in zones:
            fix = f"Write one of {', '.join(zones)}."
            problems.add(f"{where}.baseline.zone", watch.baseline.zone, "The lake has no such zone.", fix)
        if watch.model_monitor is None and self.monitor is None:
            problems.add(
                where,
                "OpenMonitor",
                "Nothing says which image it runs in.",
                "Write serving.monitor.base: <image with Python 3.13, by digest>, or .image: <yours>.",
            )
