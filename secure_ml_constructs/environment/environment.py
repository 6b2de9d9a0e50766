"""The environment: one configuration, stacks split by lifetime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from aws_cdk import Environment, Stack
from aws_cdk import aws_kms as kms
from constructs import Construct

from secure_ml_constructs.audit import AuditTrail, LogArchive
from secure_ml_constructs.detection import AlertTopic
from secure_ml_constructs.detection.alarms import Alerts
from secure_ml_constructs.environment.config import PACKAGE_ENDPOINTS, EnvironmentConfig, load_config
from secure_ml_constructs.environment.people import EnvironmentPeople
from secure_ml_constructs.keys import EnvironmentKeys
from secure_ml_constructs.monitoring import (
    EndpointDashboard,
    EnvironmentDashboard,
    ModelWatch,
    MonitorImage,
)
from secure_ml_constructs.network import MlNetwork, SecureVpc
from secure_ml_constructs.serving import ApiLogging, GuardedEndpoint, SpendingBudget
from secure_ml_constructs.storage import EncryptedDataLake, PackageRepository


class SecureMlEnvironment(Construct):
    """Network, keys, data lake and audit from one configuration, in stacks that depend one way only.

    Keys name roles and services and never an endpoint; the network takes the logs key; the archive and the
    lake name the network's endpoints. So no stack waits for one that waits for it, and an endpoint can be
    replaced: what names it reads its id from the network's outputs.

    Ensures:
        What the constructs it is made of ensure: `EnvironmentKeys`, `SecureVpc`, `LogArchive`, `AuditTrail`,
        `EncryptedDataLake`, `AlertTopic`, `PackageRepository`, and for people `WorkBoundary`,
        `GuardrailPolicies`, `RoleFoundation`, `PrivilegedRoles`, `AccessAnalyzer`, `ManagedSecret` and
        `SecureStudioDomain` with its teams; for models `GuardedEndpoint`, `ApiLogging`,
        `SpendingBudget`, `ModelWatch`, `MonitorImage`, `EndpointDashboard` and `EnvironmentDashboard`.

    Args:
        scope: The app or a stage.
        id: The construct's id.
        config: The configuration, for instance from `load_config`.

    Raises:
        ConfigurationError: What a construct refuses.

    Example:
        >>> environment = SecureMlEnvironment(app, "Environment", config=load_config("reference.yaml"))
        >>> environment.lake.grant_read("curated", role)
    """

    #: The customer keys.
    keys: EnvironmentKeys
    #: The network.
    network: MlNetwork
    #: The log archive.
    archive: LogArchive
    #: The trail and the auditor's questions.
    trail: AuditTrail
    #: The data lake.
    lake: EncryptedDataLake
    #: What findings and alarms are told to.
    alerts: AlertTopic
    #: Packages for pip and npm; None without a section `packages`.
    packages: PackageRepository | None
    #: Roles, Studio and teams; None without a section `people`.
    people: EnvironmentPeople | None
    #: The models that are served, by name.
    endpoints: Mapping[str, GuardedEndpoint]
    #: Who looks at them, by name of the model; those that nobody watches are missing.
    watches: Mapping[str, ModelWatch]

    def __init__(self, scope: Construct, id: str, *, config: EnvironmentConfig) -> None:
        super().__init__(scope, id)
        self.config = config
        self._stacks: list[Stack] = []
        self.perimeter = config.perimeter.value()

        # In this order, and no arrow back. What holds data or keys is protected from deletion.
        keys_stack = self._stack("Keys", "customer keys", keeps=True)
        self.keys = self._make_keys(keys_stack)
        network_stack = self._stack("Network", "network and endpoints", keeps=False)
        self.network = self._make_network(network_stack)
        archive_stack = self._stack("Archive", "log archive and trail", keeps=True)
        self.archive = LogArchive(
            archive_stack,
            "Archive",
            perimeter=self.perimeter,
            key=self.keys.logs,
            endpoints=self.network.s3_endpoint_ids,
            retention_days=config.archive.retention_days,
            mode=config.archive.lock_mode,
        )
        self.trail = AuditTrail(
            archive_stack,
            "Trail",
            perimeter=self.perimeter,
            archive=self.archive,
            key=self.keys.logs,
            events=config.trail.events(),
            log_retention_days=config.trail.log_retention_days,
        )
        lake_stack = self._stack("Lake", "data lake", keeps=True)
        self.lake = EncryptedDataLake(
            lake_stack,
            "Lake",
            perimeter=self.perimeter,
            keys=self.keys,
            endpoints=self.network.s3_endpoint_ids,
            access_logs=self.archive.access_log_bucket,
            zones=config.lake.values(),
            catalog=config.lake.catalog,
            bucket_default_encryption=config.lake.bucket_default_encryption,
        )
        self.alerts = AlertTopic(
            self._stack("Alerts", "alerts", keeps=False),
            "Alerts",
            perimeter=self.perimeter,
            key=self.keys.logs,
            emails=config.alerts.emails,
        )
        self.packages = self._make_packages()
        self.people = None
        if config.people:
            self.people = EnvironmentPeople(
                self._stack,
                config.people,
                perimeter=self.perimeter,
                keys=self.keys,
                network=self.network,
                lake=self.lake,
                trail=self.trail,
                alerts=self.alerts,
                packages=self.packages,
            )

        image = self._make_image()
        self.endpoints = self._make_endpoints()
        self.watches = self._make_watches(image)
        self._make_dashboards()

    @classmethod
    def from_file(cls, scope: Construct, id: str, path: Path | str) -> SecureMlEnvironment:
        """Make the environment that a configuration file describes.

        Args:
            scope: The app or a stage.
            id: The construct's id.
            path: A YAML file.

        Raises:
            ConfigurationError: Every problem of the file at once.
        """
        return cls(scope, id, config=load_config(path))

    @property
    def stacks(self) -> Sequence[Stack]:
        """The stacks, in the order in which they depend on one another."""
        return tuple(self._stacks)

    def _stack(self, name: str, holds: str, *, keeps: bool) -> Stack:
        config = self.config
        stack = Stack(
            self,
            name,
            stack_name=f"{config.name}-{name.lower()}",
            description=f"Secure ML environment {config.name}: {holds}",
            env=Environment(account=config.account, region=config.region),
            termination_protection=keeps,
        )
        self._stacks.append(stack)
        return stack

    def _make_keys(self, stack: Stack) -> EnvironmentKeys:
        section = self.config.keys
        return EnvironmentKeys(
            stack,
            "Keys",
            perimeter=self.perimeter,
            existing={
                key_class: kms.Key.from_key_arn(stack, f"Existing{key_class.capitalize()}", arn)
                for key_class, arn in section.existing.items()
            },
            rotation_days=section.rotation_days,
        )

    def _make_endpoints(self) -> Mapping[str, GuardedEndpoint]:
        section, people = self.config.serving, self.people
        if section is None or people is None:
            return {}
        alerts = Alerts(high=self.alerts.topic)
        shared = self._stack("Doors", "what the doors share", keeps=False)
        logging = (
            ApiLogging.existing(shared, "ApiLogging")
            if section.api_logging == "existing"
            else ApiLogging(shared, "ApiLogging", perimeter=self.perimeter)
        )
        if limit := section.spending():
            SpendingBudget(shared, "Budget", limit=limit, alerts=alerts)
        # A stack each: a model comes and goes without the others.
        return {
            each.name: GuardedEndpoint(
                self._stack(f"Serving-{each.name}", f"the model {each.name} and its door", keeps=False),
                "".join(part.capitalize() for part in each.name.split("-")),
                foundation=people.foundation,
                model=each.model.value(),
                door=each.door.value(),
                alerts=alerts,
                logging=logging,
                serving=each.serving(),
            )
            for each in section.endpoints
        }

    def _make_watches(self, image: MonitorImage | str) -> Mapping[str, ModelWatch]:
        section = self.config.serving
        made: dict[str, ModelWatch] = {}
        for each in section.endpoints if section else ():
            served = self.endpoints.get(each.name)
            if each.watch and served:
                fallback = served.endpoint.fallback_config if each.watch.roll_back else ""
                made[each.name] = served.watch(
                    engine=each.watch.engine(image),
                    responses=each.watch.responses(fallback),
                    **each.watch.told(),
                )
        return made

    def _make_image(self) -> MonitorImage | str:
        section = self.config.serving.monitor if self.config.serving else None
        if section is None or section.base is None or self.packages is None or self.people is None:
            return (section and section.image) or ""
        return MonitorImage(
            self._stack("Monitor", "the image that looks at models", keeps=True),
            "Image",
            foundation=self.people.foundation,
            packages=self.packages,
            base=section.base,
        )

    def _make_dashboards(self) -> None:
        if not self.endpoints:
            return
        # Last, as it names what all others made.
        stack = self._stack("Dashboards", "dashboards", keeps=False)
        shown = {name: each.shown(self.watches.get(name)) for name, each in self.endpoints.items()}
        for name, each in shown.items():
            EndpointDashboard(stack, "".join(part.capitalize() for part in name.split("-")), endpoint=each)
        EnvironmentDashboard(stack, "Environment", endpoints=list(shown.values()))

    def _make_packages(self) -> PackageRepository | None:
        section = self.config.packages
        if section is None:
            return None
        return PackageRepository(
            self._stack("Packages", "packages for pip and npm", keeps=True),
            "Packages",
            perimeter=self.perimeter,
            key=self.keys.model,
            endpoints=[self.network.endpoint_ids[name] for name in PACKAGE_ENDPOINTS],
            sources=section.values(),
        )

    def _make_network(self, stack: Stack) -> MlNetwork:
        section = self.config.network
        prefix_lists = section.prefix_lists.value() if section.prefix_lists else None
        if section.existing:
            return SecureVpc.from_existing(
                stack,
                "Vpc",
                perimeter=self.perimeter,
                logs_key=self.keys.logs,
                existing=section.existing.value(),
                endpoints=section.endpoints.value(),
                prefix_lists=prefix_lists,
            )
        zones = section.availability_zones
        return SecureVpc(
            stack,
            "Vpc",
            perimeter=self.perimeter,
            logs_key=self.keys.logs,
            cidr=section.cidr,
            availability_zones=zones,
            endpoints=section.endpoints.value(),
            prefix_lists=prefix_lists,
            flow_log_retention_days=section.flow_log_retention_days,
            guards=section.guards(),
            egress=section.way_out(),
            on_premises=section.link(),
        )
