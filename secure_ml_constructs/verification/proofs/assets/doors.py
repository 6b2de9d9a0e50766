"""APIs: the doors by which callers come, and how each method knows them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from secure_ml_constructs.verification.proofs.assets.registry import Registry
from secure_ml_constructs.verification.proofs.iam.policies import Authorization, Method
from secure_ml_constructs.verification.proofs.iam.ternary import Unknown
from secure_ml_constructs.verification.proofs.questions.answers import Adversary
from secure_ml_constructs.verification.proofs.questions.deeds import Act, Asset, Deed
from secure_ml_constructs.verification.templates import Resource

_API, _METHOD = "AWS::ApiGateway::RestApi", "AWS::ApiGateway::Method"
_HTTP_API, _ROUTE = "AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Route"
_CALLERS = frozenset({Adversary.OUTSIDER, Adversary.STOLEN, Adversary.JOB, Adversary.DEPUTY})
_HOW = {"JWT": Authorization.COGNITO, "": Authorization.NONE}


def api_assets(registry: Registry) -> Iterator[Asset]:
    """Every API, with the methods that its callers may try."""
    estate = registry.estate
    for kind, part, naming in ((_API, _METHOD, "RestApiId"), (_HTTP_API, _ROUTE, "ApiId")):
        methods: dict[Any, list[Resource]] = defaultdict(list)
        for method in estate.resources(part):
            methods[estate.value(method, naming)].append(method)
        for api in estate.resources(kind):
            yield _api(registry, api, methods.get(estate.attribute(api, "Ref"), []))


def _api(registry: Registry, api: Resource, methods: list[Resource]) -> Asset:
    estate = registry.estate
    name, place = registry.name(api), estate.place(api)
    api_id = estate.attribute(api, "Ref")
    if isinstance(api_id, Unknown):
        return Asset(name, "api", (), api, place.account, f"the API's id: {api_id.reason}")
    if estate.value(api, "Body") is not None or estate.value(api, "BodyS3Location") is not None:
        return Asset(name, "api", (), api, place.account, "the methods of its OpenAPI document are not read")
    arn = f"arn:{place.partition}:execute-api:{place.region}:{place.account}:{api_id}"
    policy = registry.policy(api) if api.type == _API else None
    private = "PRIVATE" in str(estate.value(api, "EndpointConfiguration", "Types"))
    ways: list[tuple[Act, ...]] = []
    for method in methods:
        verb = estate.value(method, "HttpMethod") or str(estate.value(method, "RouteKey")).partition(" ")[0]
        given = estate.value(method, "AuthorizationType")
        if verb == "OPTIONS" or isinstance(given, Unknown):
            # A browser asks by OPTIONS before it has anything to show.
            continue
        how = _HOW.get(given or "") or Authorization(given)
        verb = "*" if verb in ("ANY", "$default") or not isinstance(verb, str) else verb
        act = Act(
            "execute-api:Invoke",
            f"{arn}/?*/{verb}/*",
            policy,
            service="execute-api",
            named=arn,
            method=Method(authorization=how, token=False, private=private),
        )
        ways.append((act,))
    deed = Deed("call without authorization", tuple(ways), "G2", _CALLERS, from_outside=not private)
    return Asset(name, "api", (deed,), api, place.account)
