"""APIs: the doors by which callers come, how each method knows them, and what they reach behind it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import combinations, product
from typing import Any

from secure_ml_constructs.verification.proofs.assets.registry import Registry
from secure_ml_constructs.verification.proofs.iam.policies import Authorization, Method
from secure_ml_constructs.verification.proofs.iam.ternary import Unknown
from secure_ml_constructs.verification.proofs.questions.answers import Adversary
from secure_ml_constructs.verification.proofs.questions.deeds import Act, Asset, Deed, Who
from secure_ml_constructs.verification.templates import Resource

_API, _METHOD = "AWS::ApiGateway::RestApi", "AWS::ApiGateway::Method"
_HTTP_API, _ROUTE = "AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Route"
_CALLERS = frozenset({Adversary.OUTSIDER, Adversary.STOLEN, Adversary.JOB, Adversary.DEPUTY})
# A role that is one tenant's is nobody to another; who has a token comes from anywhere.
_TENANTS = frozenset({Adversary.OUTSIDER, Adversary.STOLEN, Adversary.JOB})
_STAGE = "AWS::ApiGateway::Stage"
_RESOURCE = "AWS::ApiGateway::Resource"
_COMPONENT = "AWS::SageMaker::InferenceComponent"
# Amazon SageMaker Runtime: InvokeEndpoint.
_INVOCATIONS = re.compile(r".*:runtime\.sagemaker:path/+endpoints/([^/]+)/invocations", re.DOTALL)
_HEADER = "integration.request.header.x-amzn-sagemaker-inference-component"
_HOW = {"JWT": Authorization.COGNITO, "": Authorization.NONE}


def api_assets(registry: Registry) -> Iterator[Asset]:
    """Every API, with the methods that its callers may try."""
    estate = registry.estate
    for kind, part, naming in ((_API, _METHOD, "RestApiId"), (_HTTP_API, _ROUTE, "ApiId")):
        methods: dict[Any, list[Resource]] = defaultdict(list)
        for method in estate.resources(part):
            methods[estate.value(method, naming)].append(method)
        for api in estate.resources(kind):
            its_own = methods.get(estate.attribute(api, "Ref"), [])
            yield _api(registry, api, its_own)
            if kind == _API:
                yield from _tenants(registry, api, its_own)


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
    from_elsewhere: list[tuple[Act, ...]] = []
    signed: list[tuple[Act, ...]] = []
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
        if private and how is Authorization.IAM:
            signed.append((act,))
        if private and how in (Authorization.COGNITO, Authorization.LAMBDA):
            # What a stolen token is good for.
            from_elsewhere.append((replace(act, method=Method(authorization=how, token=True, private=True)),))
    deeds = [Deed("call without authorization", tuple(ways), "G2", _CALLERS, from_outside=not private)]
    if signed:
        # Whoever may sign: only the policy of the API keeps them to its endpoints.
        stolen = frozenset({Adversary.STOLEN})
        deeds.append(Deed("call from another network", tuple(signed), "G7", stolen, who=Who.ANY))
    if from_elsewhere:
        deeds.append(
            Deed(
                "call with a token from elsewhere",
                tuple(from_elsewhere),
                "G7",
                frozenset({Adversary.OUTSIDER}),
            )
        )
    return Asset(name, "api", tuple(deeds), api, place.account)


def _tenants(registry: Registry, api: Resource, methods: list[Resource]) -> Iterator[Asset]:
    """What a tenant of an endpoint reaches of another's, where methods lead to several components."""
    estate, place = registry.estate, registry.estate.place(api)
    name, api_id = registry.name(api), estate.attribute(api, "Ref")
    head = f"arn:{place.partition}:execute-api:{place.region}:{place.account}"
    # Whole ARNs: a wildcard for the stage would stand for a part of another tenant's path as well.
    stages = (each for each in estate.resources(_STAGE) if estate.value(each, "RestApiId") == api_id)
    stage = next((estate.value(each, "StageName") for each in stages), "stage")
    kept: dict[Any, int] = defaultdict(int)
    for component in estate.resources(_COMPONENT):
        kept[estate.value(component, "EndpointName")] += 1
    ways: list[tuple[Act, ...]] = []
    written_down: dict[str, list[Act]] = defaultdict(list)
    found, missing = False, ""
    for method in methods:
        uri = estate.value(method, "Integration", "Uri")
        asked = _INVOCATIONS.fullmatch(uri) if isinstance(uri, str) else None
        if asked is None or kept[asked[1]] < 2:
            continue
        found = True
        source = _source(estate.value(method, "Integration"))
        path = _path(registry, method)
        given = estate.value(method, "AuthorizationType")
        how = Authorization.NONE if isinstance(given, Unknown) else Authorization(given or "NONE")
        if isinstance(source, Unknown) or isinstance(path, Unknown) or isinstance(stage, Unknown):
            unknown = next(each for each in (source, path, stage) if isinstance(each, Unknown))
            missing = f"what names the component of {method.logical_id}: {unknown.reason}"
            continue
        verb = estate.value(method, "HttpMethod")
        verb = verb if isinstance(verb, str) and verb != "ANY" else "POST"
        arn = f"{head}:{api_id}/{stage}/{verb}{path}"
        # Any network: a tenant may call from where tenants may.
        act = Act(
            "execute-api:Invoke", arn, service="execute-api", method=Method(authorization=how, token=True)
        )
        chosen = source.startswith("method.request.")
        if how is Authorization.IAM and source.startswith("'"):
            written_down[source].append(act)
        elif source and (chosen or source.startswith("'")):
            ways.append((act,))
        # What is left is the authorizer's word about its caller, or names nothing, which SageMaker refuses.
    for one, other in combinations(written_down.values(), 2):
        ways += product(one, other)
    if found:
        deed = Deed("reach another's component", tuple(ways), "G11", _TENANTS, by_design=False)
        yield Asset(name, "tenants", (deed,), api, place.account, missing)


def _source(integration: Any) -> str | Unknown:
    """What the header that names the component is filled with; empty where nothing is."""
    if not isinstance(integration, Mapping):
        return Unknown("the integration is not known")
    templates = integration.get("RequestTemplates") or {}
    if isinstance(templates, Unknown) or "requestOverride" in str(templates):
        return Unknown("a template may change headers")
    mapped = integration.get("RequestParameters") or {}
    if isinstance(mapped, Unknown):
        return mapped
    source = next((value for name, value in mapped.items() if name.lower() == _HEADER), "")
    if isinstance(source, Unknown):
        # By whom it is written is known, where it begins and ends as a text does.
        return source
    known = not source or source.startswith(("'", "method.request.", "context.authorizer."))
    return source if known else Unknown(f"{source} is neither written down, nor of caller or authorizer")


def _path(registry: Registry, method: Resource) -> str | Unknown:
    """The path of a method."""
    estate = registry.estate
    parts = {estate.attribute(each, "Ref"): each for each in estate.resources(_RESOURCE)}
    at, path = estate.value(method, "ResourceId"), ""
    for _ in range(len(parts) + 1):
        if isinstance(at, Unknown):
            return at
        if at not in parts:
            return path or "/"
        part = estate.value(parts[at], "PathPart")
        if isinstance(part, Unknown):
            return part
        path = f"/{part.strip('{+}')}{path}"
        at = estate.value(parts[at], "ParentId")
    return Unknown("its path comes to itself again")
