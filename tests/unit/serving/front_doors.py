"""Front doors of every form with what stands around them, as an app would make them."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns

from secure_ml_constructs.detection import AlertTopic
from secure_ml_constructs.detection.alarms import Alerts
from secure_ml_constructs.network import EndpointProfile
from secure_ml_constructs.serving.api_logging import ApiLogging
from secure_ml_constructs.serving.caller_pool import CallerPool
from secure_ml_constructs.serving.door import Door
from secure_ml_constructs.serving.door_auth import CognitoAuth, DoorAuth, IamAuth, JwtAuth
from secure_ml_constructs.serving.door_domain import DoorDomain, MutualTls
from secure_ml_constructs.serving.door_firewall import DoorFirewall
from secure_ml_constructs.serving.front_door import FrontDoor, Payloads
from secure_ml_constructs.serving.model_endpoint import ModelEndpoint
from secure_ml_constructs.serving.served_model import ServedModel
from secure_ml_constructs.serving.tenants import TenantModels
from secure_ml_constructs.serving.throttle import Throttle
from secure_ml_constructs.serving.web_acl import WebAcl
from tests.unit.identity import hospital
from tests.unit.serving.clinic import MODEL, REGION, TENANTS, Clinic

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["age", "sex", "results"],
    "properties": {
        "age": {"type": "integer", "minimum": 0, "maximum": 120},
        "sex": {"enum": ["female", "male", "other"]},
        "weight": {"type": ["number", "null"], "minimum": 1, "maximum": 500},
        "ward": {"type": "string", "pattern": "^[A-Z]{1,3}[0-9]{1,3}$", "maxLength": 6},
        "results": {
            "type": "array",
            "minItems": 1,
            "maxItems": 50,
            "items": {"$ref": "#/definitions/result"},
        },
        "flags": {"type": "array", "uniqueItems": True, "items": {"type": "boolean"}},
    },
    "maxProperties": 6,
    "definitions": {
        "result": {
            "type": "object",
            "required": ["code", "value"],
            "properties": {
                "code": {"type": "string", "minLength": 3, "maxLength": 10},
                "value": {"type": "number"},
            },
        }
    },
}
JSON = Payloads(json=SCHEMA)
EVERYTHING = Payloads(json=SCHEMA, csv=True, binary=("application/dicom", "image/png"))
NAME = "risk.ml.hospital.example"
CERTIFICATE = "arn:aws:acm:eu-central-1:111122223333:certificate/0a1b2c3d-0000-4000-8000-000000000000"
DOMAIN = DoorDomain(name=NAME, certificate_arn=CERTIFICATE, zone_id="Z0A1B2C3D4E5F6")
KEYS_IN_LAKE = "curated/issuer/jwks.json"
PARTNER = "arn:aws:iam::444455556666:role/partner/caller"


def jwt(clients: Any = ("partner-a", "partner-b"), keys: str = KEYS_IN_LAKE, **more: Any) -> JwtAuth:
    return DoorAuth.jwt(
        issuer="https://login.hospital.example/", audience=("risk",), keys=keys, clients=clients, **more
    )


def cognito(clients: Any = ("partner-a", "partner-b")) -> CognitoAuth:
    return DoorAuth.cognito(clients=clients)


class DoorClinic(Clinic):
    """A clinic whose network has an endpoint for private APIs."""

    def __init__(self, app: cdk.App, *, region: str | None = REGION, **more: Any) -> None:
        more.setdefault("profile", EndpointProfile.FULL)
        self.hospital = hospital.build(app, teams={}, region=region, **more)
        self.stack = cdk.Stack(app, "Serving", env=cdk.Environment(region=region))
        foundation = self.hospital.foundation
        self.topic: sns.ITopic = AlertTopic(
            self.stack, "Alerts", perimeter=foundation.perimeter, key=foundation.keys.logs
        ).topic
        self.alerts = Alerts(high=self.topic)
        self.logging = ApiLogging(self.stack, "ApiLogging", perimeter=foundation.perimeter)

    def door(
        self, door: FrontDoor, id: str = "Risk", *, model: ServedModel | TenantModels = MODEL, **more: Any
    ) -> Door:
        """A model and its door, and the firewall before it, as `GuardedEndpoint` puts them together."""
        pool = None
        if isinstance(door.auth, CognitoAuth):
            pool = CallerPool(self.stack, f"{id}Callers", auth=door.auth)
            more.setdefault("component_names", pool.component_names)
        endpoint: ModelEndpoint = self.endpoint(id, model=model, **more)
        made = Door(self.stack, f"{id}Door", door=door, endpoint=endpoint, pool=pool)
        self.logging.before(made.stage)
        if door.firewall:
            WebAcl(
                self.stack,
                f"{id}Firewall",
                settings=door.firewall,
                stage=made.stage,
                logs_key=self.hospital.foundation.keys.logs,
                private=door.is_private,
                binary=door.payloads.binary_paths,
                caller_header="x-api-key" if isinstance(door.auth, IamAuth) else "authorization",
            )
        return made

    def caller(self, id: str) -> iam.IRole:
        """A role of the environment that asks models."""
        return iam.Role(
            self.stack,
            id,
            assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
            path="/secure-ml/",
            permissions_boundary=self.hospital.foundation.boundary.managed_policy,
        )


def build_private_iam(app: cdk.App) -> None:
    clinic = DoorClinic(app)
    made = clinic.door(FrontDoor.private(auth=DoorAuth.iam(), payloads=JSON))
    made.grant_invoke(clinic.caller("Ward"))


def build_private_iam_tenants(app: cdk.App) -> None:
    clinic = DoorClinic(app)
    made = clinic.door(
        FrontDoor.private(
            auth=DoorAuth.iam(clients=("ward",)), payloads=EVERYTHING, domain=DOMAIN, callers=(PARTNER,)
        ),
        model=TENANTS,
    )
    made.grant_invoke(clinic.caller("CallerA"), tenant="partner-a")
    made.grant_invoke(clinic.caller("CallerB"), tenant="partner-b")


def build_private_cognito(app: cdk.App) -> None:
    DoorClinic(app).door(FrontDoor.private(auth=cognito(("ward",)), payloads=JSON))


def build_private_jwt(app: cdk.App) -> None:
    domain = DoorDomain(name=NAME, certificate_arn=CERTIFICATE)
    DoorClinic(app).door(FrontDoor.private(auth=jwt(), payloads=JSON, domain=domain), model=TENANTS)


def build_regional_iam(app: cdk.App) -> None:
    DoorClinic(app).door(
        FrontDoor.regional(
            auth=DoorAuth.iam(),
            payloads=EVERYTHING,
            firewall=DoorFirewall(),
            domain=DOMAIN,
            mutual_tls=MutualTls(truststore="curated/doors/authorities.pem", version="3"),
        )
    )


def build_regional_cognito(app: cdk.App) -> None:
    DoorClinic(app).door(
        FrontDoor.regional(
            auth=cognito(),
            payloads=EVERYTHING,
            firewall=DoorFirewall(),
            throttle=Throttle(rate=5, burst=10, daily_quota=20_000),
        ),
        model=TENANTS,
    )


def build_regional_jwt(app: cdk.App) -> None:
    DoorClinic(app).door(
        FrontDoor.regional(
            auth=jwt({"app/1": "partner-a", "app/2": "partner-b"}),
            payloads=EVERYTHING,
            firewall=DoorFirewall(),
            domain=DoorDomain(name=NAME, certificate_arn=CERTIFICATE, tls_13=True),
        ),
        model=TENANTS,
    )


BUILDS = {
    "private-iam": build_private_iam,
    "private-iam-tenants": build_private_iam_tenants,
    "private-cognito": build_private_cognito,
    "private-jwt": build_private_jwt,
    "regional-iam": build_regional_iam,
    "regional-cognito": build_regional_cognito,
    "regional-jwt": build_regional_jwt,
}
