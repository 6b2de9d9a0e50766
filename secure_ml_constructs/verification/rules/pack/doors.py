"""API Gateway, and what signs people in."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome
from secure_ml_constructs.verification.rules.pack.shared import each_statement, public_statements
from secure_ml_constructs.verification.rules.pack.vocabulary import (
    ADVERSARIAL,
    API_ABUSE,
    HIJACK,
    INSIDER,
    PRESENT,
    THEFT,
    TRUE,
    WALLET,
)
from secure_ml_constructs.verification.rules.predicates import Equals, Items, Matches, absent_or
from secure_ml_constructs.verification.rules.requirements import AnyOf, At, Code, Every, values
from secure_ml_constructs.verification.rules.rule import ERROR, FATAL, WARNING, Rule
from secure_ml_constructs.verification.templates import Reference, show

_API = "AWS::ApiGateway::RestApi"
_STAGE = "AWS::ApiGateway::Stage"
_METHOD = "AWS::ApiGateway::Method"
_api = partial(Rule, resource_type=_API)
_stage = partial(Rule, resource_type=_STAGE)
_TLS = r"^(TLS_1_2$|SecurityPolicy_TLS1[23]_)"


def _protected(context: Context) -> Iterator[Outcome]:
    """Some association names the stage, or a part of its ARN."""
    graph, stage = context.graph, context.resource
    api = graph.get(stage, "RestApiId")
    if type(api) is Reference and _private(context, api):
        return
    if graph.named_by(stage, "AWS::WAFv2::WebACLAssociation", "ResourceArn"):
        return
    if type(api) is Reference:
        for association in graph.named_by(api.resource, "AWS::WAFv2::WebACLAssociation", "ResourceArn"):
            if "/stages/" in show(graph.get(association, "ResourceArn")):
                return
    yield Fail("has no web application firewall")


def _private(context: Context, api: Reference) -> bool:
    return "PRIVATE" in context.graph.items(api.resource, "EndpointConfiguration", "Types")


def _methods(context: Context) -> Iterator[Outcome]:
    method, graph = context.resource, context.graph
    if graph.get(method, "HttpMethod") == "OPTIONS":
        # A preflight carries no credentials.
        return
    authorization = graph.get(method, "AuthorizationType")
    outcome = Equals("AWS_IAM", "COGNITO_USER_POOLS", "CUSTOM").check(authorization, context)
    if outcome is not None:
        yield Fail(f"is {show(authorization)}, so that anyone may call", "AuthorizationType")


def _validated(context: Context) -> Iterator[Outcome]:
    method, graph = context.resource, context.graph
    if graph.get(method, "HttpMethod") not in ("POST", "PUT", "PATCH", "ANY"):
        return
    validator = graph.get(method, "RequestValidatorId")
    if not validator:
        yield Fail("is not set, so that anything reaches the model", "RequestValidatorId")
        return
    if type(validator) is Reference and graph.get(validator.resource, "ValidateRequestBody") is not True:
        yield Fail("does not look at the body", "RequestValidatorId")
    if not graph.get(method, "RequestModels"):
        yield Fail("is not set: without a schema nothing is validated", "RequestModels")


def _throttled(context: Context) -> Iterator[Outcome]:
    for _, setting in values(context, "MethodSettings[*]"):
        whole: Any = context.graph.whole(context.resource.template, setting)
        if not isinstance(whole, dict):
            continue
        everywhere = (whole.get("HttpMethod"), whole.get("ResourcePath")) == ("*", "/*")
        if everywhere and whole.get("ThrottlingRateLimit") and whole.get("ThrottlingBurstLimit"):
            return
    yield Fail("has no throttle for all methods", "MethodSettings")


def _bodies(context: Context) -> Iterator[Outcome]:
    for path, traced in values(context, "MethodSettings[*].DataTraceEnabled"):
        outcome = absent_or(False).check(traced, context)
        if isinstance(outcome, Fail):
            yield Fail("is on, so that every request and answer is in the log", path)


def _default_name(context: Context) -> Iterator[Outcome]:
    """An API with a name of its own has no other, past that name's certificate and firewall."""
    api, graph = context.resource, context.graph
    mapped = graph.named_by(api, "AWS::ApiGateway::BasePathMapping", "RestApiId")
    if mapped and graph.get(api, "DisableExecuteApiEndpoint") is not True:
        yield Fail("is not true, though the API has a name of its own", "DisableExecuteApiEndpoint")
    for path, kind in values(context, "EndpointConfiguration.Types[*]"):
        if kind == "EDGE":
            yield Fail("is EDGE: the way to the model leaves the region", path)
    if not graph.items(api, "EndpointConfiguration", "Types"):
        path = "EndpointConfiguration.Types"
        yield Fail("is not set, which means EDGE: the way leaves the region", path)


def _api_policy(context: Context) -> Iterator[Outcome]:
    """A private API is bound to endpoints: without a policy of that kind it is open to every VPC."""
    api, graph = context.resource, context.graph
    private = "PRIVATE" in graph.items(api, "EndpointConfiguration", "Types")
    document = graph.get(api, "Policy")
    if private and not document:
        yield Fail("is not set, so that the private API is open to every VPC", "Policy")
    elif private:
        for outcome in public_statements(context, "Policy"):
            # AWS writes an Allow for all beside a Deny for the rest: "API Gateway resource policy examples".
            if not isinstance(outcome, Fail) or not _denies_others(context):
                yield outcome


def _denies_others(context: Context) -> bool:
    for _, statement in each_statement(context, "Policy"):
        keys = {key for operator, key in statement.conditions if "not" in operator}
        if not statement.allow and keys & {"aws:sourcevpce", "aws:sourcevpc"}:
            return True
    return False


RULES = (
    _stage(
        id="ApiAccessLogged",
        requirement=At("AccessLogSetting.DestinationArn", PRESENT),
        severity=ERROR,
        control="G6",
        threats=(API_ABUSE, THEFT),
        title="Who calls an API is logged",
        why="An extraction is seen in who asks how often, and nowhere else.",
        fix="Set AccessLogSetting with a log group and a format.",
        standards=("APIGateway.1",),
    ),
    _stage(
        id="ApiExecutionLogged",
        requirement=Every(
            At("MethodSettings", Items(1)), At("MethodSettings[*].LoggingLevel", Equals("ERROR", "INFO"))
        ),
        severity=WARNING,
        control="G6",
        threats=(API_ABUSE,),
        title="Errors of an API are logged",
        why="What was refused, and why, shows who is trying.",
        fix="Set LoggingLevel to ERROR.",
        standards=("APIGateway.1",),
    ),
    _stage(
        id="ApiBodiesNotLogged",
        requirement=Code(_bodies, "A flag may be text or boolean."),
        severity=ERROR,
        control="G6",
        threats=(INSIDER,),
        title="No body is in the log of an API",
        why="Requests to a model hold what people would not write into a log.",
        fix="Leave DataTraceEnabled out.",
    ),
    _stage(
        id="ApiThrottled",
        requirement=Code(_throttled, "It looks for one setting among several."),
        severity=ERROR,
        control="G3",
        threats=(WALLET, THEFT),
        title="An API is throttled",
        why="The default is the whole account's limit: one caller can use it up, at our cost.",
        fix='Set ThrottlingRateLimit and ThrottlingBurstLimit for HttpMethod "*" and ResourcePath "/*".',
    ),
    _stage(
        id="ApiCacheOffOrEncrypted",
        requirement=AnyOf(
            At("CacheClusterEnabled", absent_or(False)),
            At("MethodSettings[*].CacheDataEncrypted", TRUE),
        ),
        severity=WARNING,
        control="E3",
        threats=(INSIDER,),
        title="No prediction is kept in a cache in the clear",
        why="A cache gives one caller's answer to another, and keeps it.",
        fix="Leave CacheClusterEnabled out.",
        standards=("APIGateway.5",),
    ),
    _stage(
        id="ApiFirewalled",
        requirement=Code(_protected, "The association is another resource."),
        severity=ERROR,
        control="G4",
        threats=(API_ABUSE, WALLET),
        title="A stage that the internet reaches is behind a web application firewall",
        why="Nothing else stops floods and known attacks before they cost something.",
        fix="Add an AWS::WAFv2::WebACLAssociation that names the stage.",
        standards=("APIGateway.4",),
    ),
    Rule(
        id="ApiMethodAuthorized",
        resource_type=_METHOD,
        requirement=Code(_methods, "OPTIONS is excepted."),
        severity=FATAL,
        control="G2",
        threats=(API_ABUSE, THEFT, WALLET),
        title="Nobody calls a model without authentication",
        why="An open method is the model for everyone, at our cost.",
        fix="Set AuthorizationType to AWS_IAM, COGNITO_USER_POOLS or CUSTOM.",
    ),
    Rule(
        id="ApiRequestValidated",
        resource_type=_METHOD,
        requirement=Code(_validated, "The validator is another resource."),
        severity=WARNING,
        control="G5",
        threats=(ADVERSARIAL, API_ABUSE),
        title="Requests are validated before they reach the model",
        why="A model answers whatever it is given; malformed input is how one probes it.",
        fix="Set RequestValidatorId to one with ValidateRequestBody, and RequestModels with a schema.",
    ),
    Rule(
        id="ApiUsagePlanBounded",
        resource_type="AWS::ApiGateway::UsagePlan",
        requirement=Every(
            At("Throttle.RateLimit", PRESENT),
            At("Throttle.BurstLimit", PRESENT),
            At("Quota.Limit", PRESENT),
            At("Quota.Period", PRESENT),
        ),
        severity=ERROR,
        control="G3",
        threats=(WALLET, THEFT),
        title="A usage plan has a rate, a burst and a quota",
        why="Extraction and membership inference need a great many queries: a quota is what they run into.",
        fix="Set Throttle and Quota.",
    ),
    _api(
        id="ApiRegional",
        requirement=Code(_default_name, "It follows the mappings of names."),
        severity=WARNING,
        control="G7",
        threats=(API_ABUSE,),
        title="An API is private or regional, and has one name",
        why="The default name goes past the certificate and firewall of the API's own.",
        fix="Set EndpointConfiguration to PRIVATE or REGIONAL, and DisableExecuteApiEndpoint to true.",
    ),
    _api(
        id="ApiPrivateBound",
        requirement=Code(_api_policy),
        severity=ERROR,
        control="G7",
        threats=(API_ABUSE, INSIDER),
        title="A private API is bound to endpoints of ours",
        why="Without a policy that says so, every VPC of every account reaches it.",
        fix="Set Policy with a Deny where aws:SourceVpce is none of ours.",
    ),
    Rule(
        id="ApiDomainTls",
        resource_type="AWS::ApiGateway::DomainName",
        also=("AWS::ApiGateway::DomainNameV2",),
        requirement=At("SecurityPolicy", Matches(_TLS, "is no policy of TLS 1.2 or newer")),
        severity=ERROR,
        control="E2",
        threats=(API_ABUSE,),
        title="A domain speaks TLS 1.2 or newer",
        why="Older versions can be read by others on the way. The default still allows 1.0.",
        fix="Set SecurityPolicy to TLS_1_2 or newer.",
    ),
    Rule(
        id="ApiV2RouteAuthorized",
        resource_type="AWS::ApiGatewayV2::Route",
        requirement=At("AuthorizationType", Equals("AWS_IAM", "JWT", "CUSTOM")),
        severity=FATAL,
        control="G2",
        threats=(API_ABUSE, THEFT, WALLET),
        title="Nobody calls a model without authentication",
        why="An open route is the model for everyone, at our cost.",
        fix="Set AuthorizationType to AWS_IAM, JWT or CUSTOM.",
        standards=("APIGateway.8",),
    ),
    Rule(
        id="ApiV2AccessLogged",
        resource_type="AWS::ApiGatewayV2::Stage",
        requirement=At("AccessLogSettings.DestinationArn", PRESENT),
        severity=WARNING,
        control="G6",
        threats=(API_ABUSE, THEFT),
        title="Who calls an API is logged",
        why="An extraction is seen in who asks how often, and nowhere else.",
        fix="Set AccessLogSettings with a log group and a format.",
        standards=("APIGateway.9",),
    ),
    Rule(
        id="CognitoMfa",
        resource_type="AWS::Cognito::UserPool",
        requirement=At("MfaConfiguration", Equals("ON")),
        severity=WARNING,
        control="I6",
        threats=(API_ABUSE, HIJACK),
        title="People sign in with a second factor",
        why="A password alone is stolen every day.",
        fix="Set MfaConfiguration to ON.",
    ),
)
