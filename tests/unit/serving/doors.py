"""Doors with a firewall, as an app would make them: the API itself is as small as it can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_kms as kms

from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.serving.api_logging import ApiLogging
from secure_ml_constructs.serving.door_firewall import DoorFirewall
from secure_ml_constructs.serving.web_acl import WebAcl
from tests.support.templates import World, new_app, synth

ACL = "AWS::WAFv2::WebACL"
PERIMETER = DataPerimeter()
KEY = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555"
BINARY = {"binary/dicom": "application/dicom", "binary/svg-xml": "image/svg+xml"}
EVERYTHING = DoorFirewall(
    requests_per_ip=1_200,
    requests_per_caller=600,
    allow=("198.51.100.0/24", "2001:db8:17::/48"),
    deny=("198.51.100.7/32", "2001:db8:17:66::/64"),
    countries=("DE", "AT", "CH"),
    largest_body_kb=5_000,
    uninspected_rest=True,
    hosted_callers=True,
    counted_body_rules=("CrossSiteScripting_BODY",),
    log_retention_days=731,
)


class Door:
    """A stack with a key of logs and a stage."""

    def __init__(self, app: cdk.App, name: str = "Door", **more: Any) -> None:
        self.stack = cdk.Stack(app, name, **more)
        self.key = kms.Key.from_key_arn(self.stack, "LogsKey", KEY)

    def stage(self, id: str = "Stage", *, private: bool = False) -> apigateway.CfnStage:
        configuration = apigateway.CfnRestApi.EndpointConfigurationProperty(
            types=["PRIVATE" if private else "REGIONAL"]
        )
        api = apigateway.CfnRestApi(self.stack, f"{id}Api", name=id, endpoint_configuration=configuration)
        return apigateway.CfnStage(
            self.stack, id, rest_api_id=api.ref, deployment_id="d4e5f6", stage_name="live"
        )

    def acl(self, id: str = "Firewall", *, settings: DoorFirewall | None = None, **more: Any) -> WebAcl:
        if "stage" not in more:
            more["stage"] = self.stage(f"{id}Stage", private=more.get("private", False))
        return WebAcl(self.stack, id, settings=settings or DoorFirewall(), logs_key=self.key, **more)


def build(app: cdk.App) -> WebAcl:
    """A firewall with nothing but what it must be told."""
    return Door(app).acl()


def build_full(app: cdk.App) -> WebAcl:
    """A firewall with all that there is to say, in front of callers with tokens."""
    return Door(app).acl(settings=EVERYTHING, caller_header="authorization", binary=BINARY)


def build_private(app: cdk.App) -> WebAcl:
    """A firewall in front of a private API."""
    return Door(app).acl(private=True)


def build_for_hosted_callers(app: cdk.App) -> WebAcl:
    """A firewall that lets in callers at hosting providers and behind anonymizing networks."""
    return Door(app).acl(settings=DoorFirewall(anonymous_ips=False))


def build_ten(app: cdk.App) -> None:
    """Ten doors of one environment, which share what the account has one of."""
    door = Door(app)
    logging = ApiLogging(door.stack, "ApiLogging", perimeter=PERIMETER)
    for number in range(10):
        stage = door.stage(f"Stage{number}")
        logging.before(stage)
        door.acl(f"Firewall{number}", settings=EVERYTHING, stage=stage)


def made(build: Callable[[cdk.App], Any]) -> World:
    """What it would become."""
    app = new_app()
    build(app)
    return World(synth(app))


def rules(world: World) -> dict[str, dict[str, Any]]:
    """The rules by name, in the order of their priority."""
    found = sorted(world.one(ACL).properties["Rules"], key=lambda rule: int(rule["Priority"]))
    return {rule["Name"]: rule for rule in found}


def held(value: Any, key: str) -> Iterator[Any]:
    """Every value under a key, however deep."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name == key:
                yield item
            yield from held(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from held(item, key)
