"""A model served in the network, and the only door to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from aws_cdk import aws_iam as iam
from constructs import Construct

from secure_ml_constructs._cdk import child_path
from secure_ml_constructs.detection.alarms import Alarms, Alerts
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.identity import RoleFoundation
from secure_ml_constructs.monitoring.baseline import Baseline
from secure_ml_constructs.monitoring.checks import Bias, DataQuality, Explainability, ModelQuality
from secure_ml_constructs.monitoring.model_watch import ModelWatch
from secure_ml_constructs.monitoring.plan import Engine, WatchedEndpoint, WatchPlan
from secure_ml_constructs.monitoring.responses import Response
from secure_ml_constructs.monitoring.schedule import Schedule
from secure_ml_constructs.monitoring.schema import ModelSchema
from secure_ml_constructs.monitoring.shown import ShownEndpoint
from secure_ml_constructs.serving.api_logging import ApiLogging
from secure_ml_constructs.serving.caller_pool import CallerPool
from secure_ml_constructs.serving.capacity import Capacity, Rollout, default_rollout
from secure_ml_constructs.serving.copies import Capture, Shadow, check_endpoint
from secure_ml_constructs.serving.door import Door
from secure_ml_constructs.serving.door_alarms import DoorLimits, WatchedDoor, watch_door
from secure_ml_constructs.serving.door_auth import CognitoAuth, IamAuth
from secure_ml_constructs.serving.door_checks import check_door
from secure_ml_constructs.serving.door_firewall import DoorFirewall
from secure_ml_constructs.serving.door_stage import STAGE
from secure_ml_constructs.serving.endpoint_alarms import EndpointLimits
from secure_ml_constructs.serving.front_door import FrontDoor
from secure_ml_constructs.serving.model_endpoint import VARIANT, ModelEndpoint
from secure_ml_constructs.serving.served_model import ServedModel
from secure_ml_constructs.serving.tenants import TenantModels
from secure_ml_constructs.serving.web_acl import WebAcl, check_firewall

__all__ = ["GuardedEndpoint", "Serving"]


@dataclass(frozen=True, kw_only=True)
class Serving:
    """How a model is served behind its door.

    Args:
        capacity: On how many instances. Default: two to four `ml.m5.large`.
        rollout: How a new model takes over. Default: a tenth first, for ten minutes.
        capture: What is kept of requests and answers. Default: all, in the zone `output`.
        shadow: A second model beside the first. Default: none.
        limits: What of the model is too slow and too often wrong. Default: `EndpointLimits()`.
        door_limits: What of the door is. Default: `DoorLimits()`.
        models_zone: The zone of the lake that models lie in. Default: `models`.
        fallback: The last good model, kept ready for `RollBack`. Default: none.

    Example:
        >>> serving = Serving(capacity=Capacity(minimum=2, maximum=8), rollout=Rollout.linear())
    """

    capacity: Capacity = field(default_factory=Capacity)
    rollout: Rollout | None = None
    capture: Capture = field(default_factory=Capture)
    shadow: Shadow | None = None
    limits: EndpointLimits = field(default_factory=EndpointLimits)
    door_limits: DoorLimits = field(default_factory=DoorLimits)
    models_zone: str = "models"
    fallback: ServedModel | None = None


class GuardedEndpoint(Construct):
    """A model that answers behind a firewall, authorization, validation and quota, and by no other way.

    Ensures:
        G1: the model isolated in the network, under customer keys, its requests and answers captured.
        G2: every caller is known; the API asks the model itself, without code on the way.
        G3: an API key, a rate, a burst and a quota for each client; a rate for each caller.
        G4: AWS WAF in front, on private doors without the rules about addresses.
        G5: JSON validated before it reaches the model.
        G6: every request in an encrypted access log, no body in any.
        G7: from the network only, or regional, as the door says; headers that callers send never arrive.
        G8: within bounds, and rolled back by alarms.
        G11: a tenant's role, client or claim is what names its component.
        M3: alarms on model, door and firewall.

    Args:
        scope: The parent construct.
        id: The construct's id.
        foundation: What the environment's roles share; with it lake, keys and network.
        model: What it serves: a `ServedModel`, or `TenantModels`.
        door: The way to it: `FrontDoor.private(...)` or `FrontDoor.regional(...)`.
        alerts: Whom its alarms tell.
        logging: The account's role for the logs of APIs, one for all doors.
        serving: How it is served. Default: `Serving()`.

    Raises:
        ConfigurationError: Whatever `ModelEndpoint`, `Door` and `WebAcl` refuse; nothing is made then.

    Example:
        >>> from secure_ml_constructs.serving import DoorAuth, Payloads
        >>> risk = GuardedEndpoint(
        ...     stack,
        ...     "Risk",
        ...     foundation=foundation,
        ...     model=model,
        ...     door=FrontDoor.regional(
        ...         auth=DoorAuth.iam(), payloads=Payloads(csv=True), firewall=DoorFirewall()
        ...     ),
        ...     alerts=Alerts(high=topic),
        ...     logging=ApiLogging(stack, "ApiLogging", perimeter=perimeter),
        ... )
        >>> risk.grant_invoke(role)
    """

    #: The model.
    endpoint: ModelEndpoint
    #: The API.
    door: Door
    #: The firewall.
    firewall: WebAcl
    #: Who may get a token, where the door knows its callers by Cognito.
    pool: CallerPool | None

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        foundation: RoleFoundation,
        model: ServedModel | TenantModels,
        door: FrontDoor,
        alerts: Alerts,
        logging: ApiLogging,
        serving: Serving | None = None,
    ) -> None:
        serving = serving or Serving()
        # A private door has a firewall as well: whoever is in the network may still flood it.
        settings = door.firewall or DoorFirewall()
        door = replace(door, firewall=settings)
        rollout = serving.rollout or default_rollout(serving.capacity)
        problems = Problems()
        check_endpoint(
            problems,
            foundation,
            model,
            serving.capacity,
            rollout,
            serving.capture,
            serving.shadow,
            serving.models_zone,
            serving.fallback,
        )
        check_door(problems, door, foundation, tuple(getattr(model, "models", ())))
        check_firewall(problems, "door.firewall", settings, private=door.is_private)
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        self._alerts, self._capture, self._payloads = alerts, serving.capture, door.payloads
        self.pool = None
        if isinstance(door.auth, CognitoAuth):
            self.pool = CallerPool(self, "Callers", auth=door.auth)
        names: Mapping[str, str] = self.pool.component_names if self.pool else {}
        self.endpoint = ModelEndpoint(
            self,
            "Model",
            foundation=foundation,
            model=model,
            alerts=alerts,
            capacity=serving.capacity,
            rollout=rollout,
            capture=serving.capture,
            shadow=serving.shadow,
            limits=serving.limits,
            models_zone=serving.models_zone,
            fallback=serving.fallback,
            component_names=names,
        )
        self.door = Door(self, "Door", door=door, endpoint=self.endpoint, pool=self.pool)
        logging.before(self.door.stage)
        self.firewall = WebAcl(
            self,
            "Firewall",
            settings=settings,
            stage=self.door.stage,
            logs_key=foundation.keys.logs,
            # A signature differs from request to request; a token does not.
            caller_header="x-api-key" if isinstance(door.auth, IamAuth) else "authorization",
            private=door.is_private,
            binary=door.payloads.binary_paths,
        )
        watch_door(
            self.endpoint.alarms,
            WatchedDoor(
                api_name=self.door.api_name,
                stage=STAGE,
                access_log=self.door.access_log_name,
                firewall=self.firewall.metric_name,
            ),
            serving.door_limits,
        )

    @property
    def alarms(self) -> Alarms:
        """Its alarms, those of the door among them."""
        return self.endpoint.alarms

    @property
    def url(self) -> str:
        """The door's address, with the slash at its end."""
        return self.door.url

    def watch(
        self,
        *,
        schema: ModelSchema,
        baseline: Baseline,
        engine: Engine,
        data_quality: DataQuality | None = None,
        model_quality: ModelQuality | None = None,
        bias: Bias | None = None,
        explainability: Explainability | None = None,
        schedule: Schedule | None = None,
        responses: Sequence[Response] = (),
    ) -> ModelWatch:
        """Watch the model by what it is asked and says. (M1, M2, G10)

        Args:
            schema: What it is asked and says.
            baseline: What it is compared with.
            engine: What looks: `OpenMonitor`, which works in every account, or `ModelMonitor`.
            data_quality: How much requests and predictions may change. Default: `DataQuality()`.
            model_quality: Where the truth comes to. Default: it is not known.
            bias: Which groups are compared. Default: none.
            explainability: Which attributions answers carry. Default: none.
            schedule: When. Default: once a day, the day before.
            responses: What violations start: `Retrain`, `RollBack`. Default: nothing.

        Raises:
            ConfigurationError: Whatever `ModelWatch` refuses, tenants among it; nothing is made then.
        """
        plan = WatchPlan(
            endpoint=WatchedEndpoint(
                name=self.endpoint.endpoint_name,
                variant=VARIANT,
                zone=self._capture.zone,
                captures=self.endpoint.capture_prefix,
                captured_percent=self._capture.percent,
                json_schema=self._payloads.json,
                tenants=tuple(self.endpoint.components),
            ),
            foundation=self.endpoint.foundation,
            schema=schema,
            baseline=baseline,
            schedule=schedule or Schedule.daily(),
            data_quality=data_quality or DataQuality(),
            model_quality=model_quality,
            bias=bias,
            explainability=explainability,
        )
        return ModelWatch(self, "Watch", plan=plan, engine=engine, alerts=self._alerts, responses=responses)

    def shown(self, watch: ModelWatch | None = None) -> ShownEndpoint:
        """Give the names under which dashboards show it, its door and its watch. (M3)

        Args:
            watch: What `watch` gave. Default: it is not watched.
        """
        told = [self.alarms, watch.alarms] if watch else [self.alarms]
        return ShownEndpoint(
            endpoint_name=self.endpoint.endpoint_name,
            variant=VARIANT,
            components=tuple(self.endpoint.components.values()),
            api_name=self.door.api_name,
            stage=STAGE,
            firewall=self.firewall.metric_name,
            watched=watch is not None,
            alarms=tuple(alarm.attr_arn for alarms in told for alarm in alarms.all()),
        )

    def grant_invoke(self, role: iam.IRole, *, tenant: str | None = None) -> None:
        """Let a role ask the model through the door. (G2)

        Args:
            role: The role.
            tenant: The tenant whose model it asks; needed where there are tenants.

        Raises:
            ConfigurationError: A door that knows its callers by tokens, no such tenant, or none named.
        """
        self.door.grant_invoke(role, tenant=tenant)
