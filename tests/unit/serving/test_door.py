"""Door: what its API takes, asks, answers, counts and logs; what is refused; and that nothing changes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from jsonschema import Draft4Validator

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.network import EndpointProfile
from secure_ml_constructs.serving.door import Door
from secure_ml_constructs.serving.door_auth import DoorAuth
from secure_ml_constructs.serving.door_domain import MutualTls
from secure_ml_constructs.serving.door_firewall import DoorFirewall
from secure_ml_constructs.serving.front_door import FrontDoor, Payloads
from tests.support.compliance import findings
from tests.support.templates import ACCOUNT, REGION, Template, World, new_app, synth
from tests.unit.serving import front_doors
from tests.unit.serving.clinic import TENANTS
from tests.unit.serving.front_doors import BUILDS, JSON, DoorClinic, cognito, jwt

pytestmark = pytest.mark.slow

KINDS = ("json", "csv", "binary/dicom", "binary/png")
CALLER = "integration.request.header.X-Amzn-SageMaker-Custom-Attributes"
COMPONENT = "integration.request.header.X-Amzn-SageMaker-Inference-Component"
_MADE: dict[str, World] = {}


def world_of(name: str) -> World:
    if name not in _MADE:
        app = new_app()
        BUILDS[name](app)
        _MADE[name] = World(synth(app))
    return _MADE[name]


@pytest.fixture(params=sorted(BUILDS))
def world(request: pytest.FixtureRequest) -> World:
    return world_of(request.param)


def methods(world: World) -> dict[str, Any]:
    """The properties of each method, by its path."""
    parts = {world.ref(each): each for each in world.resources("AWS::ApiGateway::Resource")}

    def path(resource: str) -> str:
        if resource not in parts:
            return ""
        properties = parts[resource].properties
        return f"{path(properties['ParentId'])}/{properties['PathPart']}"

    found = {path(each.properties["ResourceId"]): each for each in world.resources("AWS::ApiGateway::Method")}
    return {name: each.properties for name, each in found.items()}


def api(world: World) -> Any:
    return world.one("AWS::ApiGateway::RestApi").properties


# -- G2: who is heard ----------------------------------------------------------------------------------------


def test_every_method_knows_its_caller_and_asks_for_a_key(world: World) -> None:
    found = methods(world)
    assert found
    for method in found.values():
        assert method["HttpMethod"] == "POST"
        assert method["ApiKeyRequired"] is True
        assert method["AuthorizationType"] in ("AWS_IAM", "COGNITO_USER_POOLS", "CUSTOM")
        if method["AuthorizationType"] != "AWS_IAM":
            assert method["AuthorizerId"] == world.ref(world.one("AWS::ApiGateway::Authorizer"))


def test_tokens_of_cognito_are_for_this_door_and_good_for_minutes() -> None:
    world = world_of("regional-cognito")
    server = world.one("AWS::Cognito::UserPoolResourceServer")
    scope = f"{world.ref(server)}/predict"
    assert {tuple(method["AuthorizationScopes"]) for method in methods(world).values()} == {(scope,)}
    clients = list(world.resources("AWS::Cognito::UserPoolClient"))
    assert len(clients) == 2
    for client in clients:
        given = client.properties
        assert given["GenerateSecret"] is True
        assert given["AllowedOAuthFlows"] == ["client_credentials"]
        assert given["AllowedOAuthScopes"] == [scope]
        assert given["ExplicitAuthFlows"] == ["ALLOW_REFRESH_TOKEN_AUTH"]
        assert (given["AccessTokenValidity"], given["TokenValidityUnits"]) == (15, {"AccessToken": "minutes"})
    pool = world.one("AWS::Cognito::UserPool")
    assert pool.properties["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    assert pool.raw["DeletionPolicy"] == "Retain"
    name = world.one("AWS::Cognito::UserPoolDomain").properties["Domain"]
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,61}[a-z0-9]", name)
    assert not re.search("aws|amazon|cognito", name)


def test_a_user_pool_of_yours_is_taken() -> None:
    arn = "arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_AbCdEfGhI"
    auth = DoorAuth.user_pool(arn, clients=("ward",), client_ids={"ward": "1a2b3c"}, scopes=("risk/ask",))
    app = new_app()
    DoorClinic(app).door(FrontDoor.private(auth=auth, payloads=JSON))
    world = World(synth(app))
    assert not list(world.resources("AWS::Cognito::UserPool"))
    assert world.one("AWS::ApiGateway::Authorizer").properties["ProviderARNs"] == [arn]
    assert methods(world)["/json"]["AuthorizationScopes"] == ["risk/ask"]


def test_clients_are_told_apart_by_every_character() -> None:
    names = ("a/b", "a-b", "a.b", "A-b", "ab")
    app = new_app()
    clinic = DoorClinic(app)
    clinic.door(private(cognito(names)), "Pool")
    clinic.door(private(jwt(names)), "Issuer")
    world = World(synth(app))
    clients = world.resources("AWS::Cognito::UserPoolClient")
    assert {each.properties["ClientName"] for each in clients} == set(names)
    assert len(list(world.resources("AWS::ApiGateway::ApiKey"))) == 2 * len(names)
    assert len(list(world.resources("AWS::SecretsManager::Secret", "Issuer"))) == len(names)


def test_keys_of_an_issuer_come_by_the_way_out_that_there_is() -> None:
    app = new_app()
    clinic = DoorClinic(app)
    network: Any = clinic.hospital.foundation.network
    network.firewalled_egress = object()
    clinic.door(private(jwt(("app",), keys="https://id.example/jwks.json")))
    world = World(synth(app))
    function = world.one("AWS::Lambda::Function", "Tokens").properties
    assert function["Environment"]["Variables"]["KEYS"] == "https://id.example/jwks.json"
    reads = world.one("AWS::IAM::ManagedPolicy", "TokensReading").properties["PolicyDocument"]
    assert "s3:" not in json.dumps(reads)
    assert set(function["VpcConfig"]["SubnetIds"]) == {
        world.ref(each) for each in world.resources("AWS::EC2::Subnet")
    }


def test_the_authorizer_is_told_all_that_its_code_reads() -> None:
    from secure_ml_constructs.runtime.jwt_authorizer import Settings

    world = world_of("regional-jwt")
    function = world.one("AWS::Lambda::Function", "Tokens")
    given = function.properties["Environment"]["Variables"]
    settings = Settings.read(given)
    assert settings.issuer == "https://login.hospital.example/"
    assert list(settings.audience) == ["risk"]
    secrets = {world.ref(each) for each in world.resources("AWS::SecretsManager::Secret")}
    components = {
        world.resolve("Serving", each.properties["InferenceComponentName"])
        for each in world.resources("AWS::SageMaker::InferenceComponent")
    }
    assert {each["key"] for each in settings.clients.values()} == secrets
    assert {each["component"] for each in settings.clients.values()} == components
    assert len(components) == 2
    bucket = world.ref(world.one("AWS::S3::Bucket", "LakeData"))
    assert given["KEYS"] == f"s3://{bucket}/curated/issuer/jwks.json"
    # AWS Lambda quotas: variables in all.
    assert sum(len(name) + len(value) for name, value in given.items()) < 4096
    authorizer = world.one("AWS::ApiGateway::Authorizer").properties
    assert authorizer["Type"] == "REQUEST"
    assert authorizer["AuthorizerResultTtlInSeconds"] <= 60
    assert authorizer["IdentitySource"] == "method.request.header.Authorization"
    permission = world.one("AWS::Lambda::Permission", "Tokens").properties
    assert permission["SourceArn"].endswith(
        f"/authorizers/{world.ref(world.one('AWS::ApiGateway::Authorizer'))}"
    )
    assert permission["SourceAccount"] == ACCOUNT


# -- G3: keys ------------------------------------------------------------------------------------------------


def test_one_plan_has_a_key_for_each_client(world: World) -> None:
    plan = world.one("AWS::ApiGateway::UsagePlan")
    assert plan.properties["Quota"]["Period"] == "DAY"
    assert plan.properties["Throttle"]["RateLimit"] <= 50
    stage = world.one("AWS::ApiGateway::Stage")
    assert plan.properties["ApiStages"] == [
        {"ApiId": world.ref(world.one("AWS::ApiGateway::RestApi")), "Stage": world.ref(stage)}
    ]
    keys = {world.ref(each) for each in world.resources("AWS::ApiGateway::ApiKey")}
    used = {each.properties["KeyId"] for each in world.resources("AWS::ApiGateway::UsagePlanKey")}
    assert keys == used
    (settings,) = stage.properties["MethodSettings"]
    assert settings["ThrottlingRateLimit"] == plan.properties["Throttle"]["RateLimit"] * len(keys)


def test_a_key_is_bound_to_the_caller_where_a_token_says_who_it_is(world: World) -> None:
    bound = any(method["AuthorizationType"] == "CUSTOM" for method in methods(world).values())
    assert api(world)["ApiKeySourceType"] == ("AUTHORIZER" if bound else "HEADER")
    values = [each.properties.get("Value") for each in world.resources("AWS::ApiGateway::ApiKey")]
    if not bound:
        assert set(values) == {None}
        return
    secrets = [world.ref(each) for each in world.resources("AWS::SecretsManager::Secret")]
    assert sorted(values) == sorted(f"{{{{resolve:secretsmanager:{each}:SecretString}}}}" for each in secrets)


# -- G5: what is taken, and what is said of the rest --------------------------------------------------------


def test_json_is_held_to_its_schema(world: World) -> None:
    for path, method in methods(world).items():
        if not path.endswith("/json"):
            continue
        model = world.one("AWS::ApiGateway::Model")
        assert method["RequestModels"] == {"application/json": world.ref(model)}
        assert model.properties["ContentType"] == "application/json"
        Draft4Validator.check_schema(model.properties["Schema"])
        assert model.properties["Schema"]["required"] == ["age", "sex", "results"]
        validator = next(
            each.properties
            for each in world.resources("AWS::ApiGateway::RequestValidator")
            if world.ref(each) == method["RequestValidatorId"]
        )
        assert validator["ValidateRequestBody"] is True


def test_a_type_that_is_not_listed_gets_415(world: World) -> None:
    """Integration, passthroughBehavior: NEVER refuses what no template is for."""
    types = {"json": "application/json", "csv": "text/csv"}
    for path, method in methods(world).items():
        kind, integration = path.rsplit("/", 1)[-1], method["Integration"]
        assert (kind in types) or "/binary/" in path
        if kind in types:
            assert integration["PassthroughBehavior"] == "NEVER"
            assert list(integration["RequestTemplates"]) == [types[kind]]
        else:
            # Bytes pass no template: "Working with binary media types for REST APIs".
            assert integration["PassthroughBehavior"] == "WHEN_NO_TEMPLATES"
            assert "RequestTemplates" not in integration


def test_templates_compute_nothing(world: World) -> None:
    """The body goes on as it came, and answers are fixed: there is no Velocity to go wrong."""
    for method in methods(world).values():
        integration = method["Integration"]
        assert set(integration.get("RequestTemplates", {}).values()) <= {"$input.body"}
        for answer in integration["IntegrationResponses"]:
            for template in answer.get("ResponseTemplates", {}).values():
                assert "$" not in template
                assert "#" not in template
                assert set(json.loads(template)) == {"message"}


def answer_to(integration: Any, status: int) -> Any:
    """The integration response that API Gateway picks: by the status of an AWS service, else the default."""
    answers = integration["IntegrationResponses"]
    fitting = [
        each
        for each in answers
        if "SelectionPattern" in each and re.fullmatch(each["SelectionPattern"], str(status))
    ]
    (default,) = [each for each in answers if "SelectionPattern" not in each]
    assert len(fitting) <= 1
    return fitting[0] if fitting else default


@pytest.mark.parametrize(
    ("status", "given"),
    [
        *((200, "200"), (204, "200"), (400, "400"), (413, "413"), (424, "422"), (429, "429"), (503, "503")),
        *((403, "502"), (404, "502"), (500, "502"), (504, "502"), (301, "502"), (101, "502"), (418, "502")),
    ],
)
def test_answers_of_the_model_other_than_good_ones_are_replaced(
    world: World, status: int, given: str
) -> None:
    for method in methods(world).values():
        answer = answer_to(method["Integration"], status)
        assert answer["StatusCode"] == given
        # What has a template is not passed on.
        assert ("ResponseTemplates" in answer) is (given != "200")
        assert given in {each["StatusCode"] for each in method["MethodResponses"]}


def test_refusals_say_nothing_of_what_stands_behind(world: World) -> None:
    found = {
        each.properties["ResponseType"]: each.properties
        for each in world.resources("AWS::ApiGateway::GatewayResponse")
    }
    status = {name: each.get("StatusCode") for name, each in found.items()}
    assert status["BAD_REQUEST_BODY"] == "400"
    assert status["REQUEST_TOO_LARGE"] == "413"
    assert status["UNSUPPORTED_MEDIA_TYPE"] == "415"
    # What has no answer of its own gets these, so that none of API Gateway's own is ever given.
    assert {"DEFAULT_4XX", "DEFAULT_5XX"} <= set(status)
    for name in ("DEFAULT_4XX", "DEFAULT_5XX"):
        assert status[name] is None
        assert "$" not in found[name]["ResponseTemplates"]["application/json"]
    variables = set()
    for each in found.values():
        (template,) = each["ResponseTemplates"].values()
        variables |= set(re.findall(r"\$context[\w.]*", template))
        filled = template.replace("$context.error.messageString", '"m"').replace("$context.", "")
        assert "message" in json.loads(filled)
    assert variables == {"$context.error.validationErrorString", "$context.error.messageString"}
    assert (
        "$context.error.validationErrorString"
        in found["BAD_REQUEST_BODY"]["ResponseTemplates"]["application/json"]
    )


# -- G7, G11: the way to the model -------------------------------------------------------------------------


def test_the_model_is_asked_directly_with_a_role_that_does_nothing_else(world: World) -> None:
    endpoint = world.one("AWS::SageMaker::Endpoint").properties["EndpointName"]
    role = world.one("AWS::IAM::Role", "RiskDoorRole")
    for method in methods(world).values():
        integration = method["Integration"]
        assert integration["Type"] == "AWS"
        assert integration["Uri"] == (
            f"arn:aws:apigateway:{REGION}:runtime.sagemaker:path/endpoints/{endpoint}/invocations"
        )
        assert integration["Credentials"] == world.arn(role)
    assert role.properties["Path"] == "/secure-ml/service/"
    (policy,) = [
        each
        for each in world.resources("AWS::IAM::ManagedPolicy", "RiskDoorAsksModel")
        if world.ref(each) in role.properties["ManagedPolicyArns"]
    ]
    (statement,) = policy.properties["PolicyDocument"]["Statement"]
    assert statement["Action"] == "sagemaker:InvokeEndpoint"
    head = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
    components = {
        f"{head}:inference-component/{each.properties['InferenceComponentName']}"
        for each in world.resources("AWS::SageMaker::InferenceComponent")
    }
    given = statement["Resource"]
    assert set(given if isinstance(given, list) else [given]) == {f"{head}:endpoint/{endpoint}", *components}


def test_no_header_of_the_callers_choice_arrives(world: World) -> None:
    types = {
        **{"json": "application/json", "csv": "text/csv"},
        **{"dicom": "application/dicom", "png": "image/png"},
    }
    for path, method in methods(world).items():
        mapped = method["Integration"]["RequestParameters"]
        assert set(mapped) <= {
            "integration.request.header.Content-Type",
            "integration.request.header.Accept",
            CALLER,
            COMPONENT,
        }
        assert not [source for source in mapped.values() if source.startswith("method.request.")]
        # The container reads bytes by the type that the door says they are.
        said = mapped["integration.request.header.Content-Type"]
        assert said == f"'{types[path.rsplit('/', 1)[-1]]}'"


def test_captures_say_who_calls_as_the_authorizer_knows_it(world: World) -> None:
    known = {
        "AWS_IAM": "context.identity.userArn",
        "COGNITO_USER_POOLS": "context.authorizer.claims.client_id",
        "CUSTOM": "context.authorizer.principalId",
    }
    for method in methods(world).values():
        assert method["Integration"]["RequestParameters"][CALLER] == known[method["AuthorizationType"]]


def test_one_type_of_bytes_has_the_path_itself() -> None:
    app = new_app()
    payloads = Payloads(binary=("application/vnd.ms-x+zip",))
    DoorClinic(app).door(FrontDoor.private(auth=DoorAuth.iam(), payloads=payloads))
    world = World(synth(app))
    assert list(methods(world)) == ["/binary"]
    assert api(world)["BinaryMediaTypes"] == ["application/vnd.ms-x+zip"]


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("private-jwt", "context.authorizer.component"),
        ("regional-jwt", "context.authorizer.component"),
        ("regional-cognito", "context.authorizer.claims.client_id"),
    ],
)
def test_a_token_says_which_component_is_asked(name: str, source: str) -> None:
    found = methods(world_of(name))
    assert {method["Integration"]["RequestParameters"][COMPONENT] for method in found.values()} == {source}


def test_a_component_has_the_name_of_its_client_in_cognito() -> None:
    world = world_of("regional-cognito")
    clients = {world.ref(each) for each in world.resources("AWS::Cognito::UserPoolClient")}
    names = {
        each.properties["InferenceComponentName"]
        for each in world.resources("AWS::SageMaker::InferenceComponent")
    }
    assert clients == names


def test_with_iam_each_tenant_has_a_path_and_a_component_that_is_written_down() -> None:
    world = world_of("private-iam-tenants")
    found = methods(world)
    assert set(found) == {f"/partner-{x}/{kind}" for x in "ab" for kind in KINDS}
    named = {
        each.properties["InferenceComponentName"]
        for each in world.resources("AWS::SageMaker::InferenceComponent")
    }
    by_path = {path: method["Integration"]["RequestParameters"][COMPONENT] for path, method in found.items()}
    assert {source.strip("'") for source in by_path.values()} == named
    for path, source in by_path.items():
        assert path.split("/")[1] in source


@pytest.mark.parametrize("name", ["private-iam", "private-cognito", "regional-iam"])
def test_without_tenants_no_component_is_named(name: str) -> None:
    for method in methods(world_of(name)).values():
        assert COMPONENT not in method["Integration"]["RequestParameters"]


# -- G6: logs ----------------------------------------------------------------------------------------------


def test_who_asked_is_logged_and_what_was_asked_is_not(world: World) -> None:
    stage = world.one("AWS::ApiGateway::Stage").properties
    log = world.one("AWS::Logs::LogGroup", "AccessLog")
    assert stage["AccessLogSetting"]["DestinationArn"].endswith(f"log-group:{world.ref(log)}")
    said = json.loads(stage["AccessLogSetting"]["Format"])
    wanted = {"requestId", "ip", "caller", "user", "requestTime", "method", "path", "protocol", "status"}
    assert {*wanted, "responseLength", "latency", "wafResult"} <= set(said)
    assert all(re.fullmatch(r"\$context(\.\w+)+", variable) for variable in said.values())
    (settings,) = stage["MethodSettings"]
    assert (settings["HttpMethod"], settings["ResourcePath"]) == ("*", "/*")
    assert settings["LoggingLevel"] == "ERROR"
    assert settings["DataTraceEnabled"] is False
    key = world.arn(world.one("AWS::KMS::Key", "Logs"))
    errors = world.one("AWS::Logs::LogGroup", "ErrorLog")
    identifier = world.ref(world.one("AWS::ApiGateway::RestApi"))
    assert errors.properties["LogGroupName"] == f"API-Gateway-Execution-Logs_{identifier}/live"
    for group in (log, errors):
        assert group.properties["KmsKeyId"] == key
        assert group.raw["DeletionPolicy"] == "Retain"
    operations = [each["Operation"] for each in log.properties["DataProtectionPolicy"]["Statement"]]
    assert [next(iter(each)) for each in operations] == ["Audit", "Deidentify"]


# -- G7: where it stands -------------------------------------------------------------------------------------


def test_a_private_door_is_closed_to_other_endpoints() -> None:
    world = world_of("private-iam")
    endpoint = world.ref(world.one("AWS::EC2::VPCEndpoint", "ExecuteApi"))
    given = api(world)
    assert given["EndpointConfiguration"] == {"Types": ["PRIVATE"], "VpcEndpointIds": [endpoint]}
    (statement,) = given["Policy"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"StringNotEquals": {"aws:SourceVpce": [endpoint]}}


def test_tls_1_2_is_the_least(world: World) -> None:
    assert re.match(r"SecurityPolicy_TLS13_1_[23]_", api(world)["SecurityPolicy"])
    for kind in ("DomainName", "DomainNameV2"):
        for each in world.resources(f"AWS::ApiGateway::{kind}"):
            assert re.match(r"TLS_1_2|SecurityPolicy_TLS13_1_[23]_", each.properties["SecurityPolicy"])


@pytest.mark.parametrize("name", ["private-iam-tenants", "private-jwt", "regional-iam", "regional-jwt"])
def test_a_name_of_its_own_is_the_only_one(name: str) -> None:
    assert api(world_of(name))["DisableExecuteApiEndpoint"] is True


def test_a_private_name_leads_to_the_endpoint() -> None:
    world = world_of("private-iam-tenants")
    endpoint = world.ref(world.one("AWS::EC2::VPCEndpoint", "ExecuteApi"))
    domain = world.one("AWS::ApiGateway::DomainNameV2").properties
    assert domain["EndpointConfiguration"] == {"Types": ["PRIVATE"]}
    denied = domain["Policy"]["Statement"][1]
    assert denied["Condition"] == {"StringNotEquals": {"aws:SourceVpce": [endpoint]}}
    access = world.one("AWS::ApiGateway::DomainNameAccessAssociation").properties
    assert (access["AccessAssociationSource"], access["AccessAssociationSourceType"]) == (endpoint, "VPCE")
    mapping = world.one("AWS::ApiGateway::BasePathMappingV2").properties
    assert mapping["Stage"] == world.ref(world.one("AWS::ApiGateway::Stage"))


def test_mutual_tls_reads_its_authorities_from_the_lake() -> None:
    world = world_of("regional-iam")
    domain = world.one("AWS::ApiGateway::DomainName").properties
    bucket = world.ref(world.one("AWS::S3::Bucket", "LakeData"))
    assert domain["MutualTlsAuthentication"] == {
        "TruststoreUri": f"s3://{bucket}/curated/doors/authorities.pem",
        "TruststoreVersion": "3",
    }
    # No newer policy goes with it.
    assert domain["SecurityPolicy"] == "TLS_1_2"
    record = world.one("AWS::Route53::RecordSet").properties
    assert record["Type"] == "A"


# -- the deployment ------------------------------------------------------------------------------------------


def serving(build: Callable[[cdk.App], object]) -> Template:
    app = new_app()
    build(app)
    return synth(app)["Serving"]


def deployment(template: Template) -> str:
    resources = template["Resources"].items()
    (found,) = [name for name, each in resources if each["Type"] == "AWS::ApiGateway::Deployment"]
    return str(found)


@pytest.mark.parametrize("name", sorted(BUILDS))
def test_the_same_input_gives_the_same_bytes(name: str) -> None:
    first, second = serving(BUILDS[name]), serving(BUILDS[name])
    assert json.dumps(first) == json.dumps(second)


def plain(**change: Any) -> Callable[[cdk.App], object]:
    given: dict[str, Any] = {"auth": DoorAuth.iam(), "payloads": JSON, **change}
    return lambda app: DoorClinic(app).door(FrontDoor.private(**given))


def test_what_callers_meet_is_deployed_anew_when_it_changes() -> None:
    before = deployment(serving(plain()))
    schema = {**front_doors.SCHEMA, "maxProperties": 5}
    changes: list[dict[str, Any]] = [
        {"payloads": Payloads(json=schema)},
        {"payloads": Payloads(json=front_doors.SCHEMA, csv=True)},
        {"callers": (front_doors.PARTNER,)},
        {"auth": cognito(("ward",))},
        {"domain": front_doors.DOMAIN},
    ]
    after = [deployment(serving(plain(**change))) for change in changes]
    assert len({before, *after}) == len(changes) + 1
    # Another client, and nothing of the API.
    assert deployment(serving(plain(auth=DoorAuth.iam(clients=("a", "b"))))) == before


def test_a_deployment_is_made_when_all_of_the_api_is_there() -> None:
    template = serving(BUILDS["regional-cognito"])
    parts = {
        name
        for name, each in template["Resources"].items()
        if each["Type"].removeprefix("AWS::ApiGateway::")
        in ("RestApi", "Resource", "Method", "Model", "RequestValidator", "Authorizer", "GatewayResponse")
    }
    assert set(template["Resources"][deployment(template)]["DependsOn"]) == parts


def test_private_doors_bring_one_endpoint_for_all_of_them_and_regional_ones_none() -> None:
    def endpoints(*doors: FrontDoor) -> list[str]:
        app = new_app()
        clinic = DoorClinic(app, profile=EndpointProfile.STUDIO)
        for number, door in enumerate(doors):
            clinic.door(door, f"Risk{number}")
        world = World(synth(app))
        found = [each.properties for each in world.resources("AWS::EC2::VPCEndpoint")]
        return [
            each["ServiceName"]
            for each in found
            if "execute-api" in str(each["ServiceName"])
            and each["PrivateDnsEnabled"]
            and each["PolicyDocument"]
        ]

    inside = FrontDoor.private(auth=DoorAuth.iam(), payloads=JSON)
    assert endpoints(inside, inside) == [f"com.amazonaws.{REGION}.execute-api"]
    outside = FrontDoor.regional(auth=DoorAuth.iam(), payloads=JSON, firewall=DoorFirewall())
    assert endpoints(outside) == []


# -- what is refused -----------------------------------------------------------------------------------------


def refused(build: Callable[[DoorClinic], object], **more: Any) -> list[str]:
    clinic = DoorClinic(new_app(), **more)
    with pytest.raises(ConfigurationError) as error:
        build(clinic)
    assert error.value.where.startswith("Serving/")
    return [each.argument for each in error.value.problems]


def private(auth: DoorAuth) -> FrontDoor:
    return FrontDoor.private(auth=auth, payloads=JSON)


@pytest.mark.parametrize(
    ("build", "arguments"),
    [
        (
            lambda c: c.door(private(jwt(("partner-a", "stranger"))), model=TENANTS),
            ["door.auth.clients['stranger']"],
        ),
        (lambda c: c.door(private(jwt({"app": "stranger"}))), ["door.auth.clients['app']"]),
        (lambda c: c.door(private(jwt({"app": ""})), model=TENANTS), ["door.auth.clients['app']"]),
        (
            lambda c: c.door(
                private(DoorAuth.cognito(clients={"x": "partner-a", "y": "partner-a"})), model=TENANTS
            ),
            ["door.auth.clients"],
        ),
        (
            lambda c: c.door(private(cognito()), model=TENANTS, component_names={}),
            ["endpoint.components['partner-a']", "endpoint.components['partner-b']"],
        ),
        (lambda c: c.door(private(jwt(("a",), keys="nowhere/jwks.json"))), ["door.auth.keys"]),
        # The network has no way out.
        (lambda c: c.door(private(jwt(("a",), keys="https://id.example/jwks"))), ["door.auth.keys"]),
        (lambda c: Door(c.stack, "Bare", door=private(cognito()), endpoint=c.endpoint()), ["pool"]),
        (
            lambda c: c.door(
                FrontDoor.regional(
                    auth=DoorAuth.iam(),
                    payloads=JSON,
                    firewall=DoorFirewall(),
                    domain=front_doors.DOMAIN,
                    mutual_tls=MutualTls(truststore="nowhere/a.pem"),
                )
            ),
            ["door.mutual_tls.truststore"],
        ),
    ],
)
def test_doors_that_do_not_go_with_what_is_around_them(
    build: Callable[[DoorClinic], object], arguments: list[str]
) -> None:
    assert refused(build) == arguments


def test_the_authorizer_needs_its_endpoint() -> None:
    door = FrontDoor.regional(auth=jwt(("a",)), payloads=JSON, firewall=DoorFirewall())

    def build(clinic: DoorClinic) -> None:
        network = clinic.hospital.foundation.network
        network.endpoint_ids = {"s3": network.endpoint_ids["s3"]}
        clinic.door(door)

    assert refused(build) == ["door.auth"]


@pytest.mark.parametrize(
    ("auth", "model", "tenant", "argument"),
    [
        (DoorAuth.iam(), None, "partner-a", "tenant"),
        (DoorAuth.iam(), TENANTS, None, "tenant"),
        (DoorAuth.iam(), TENANTS, "stranger", "tenant"),
        (jwt(), TENANTS, "partner-a", "role"),
    ],
)
def test_grants_that_would_grant_nothing(
    auth: DoorAuth, model: Any, tenant: str | None, argument: str
) -> None:
    clinic = DoorClinic(new_app())
    made = clinic.door(private(auth), **({"model": model} if model else {}))
    with pytest.raises(ConfigurationError) as error:
        made.grant_invoke(clinic.caller("Ward"), tenant=tenant)
    assert [each.argument for each in error.value.problems] == [argument]


# -- what is kept --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["private-iam-tenants", "regional-cognito", "regional-jwt"])
def test_templates_are_as_they_were(name: str, snapshot_template: Callable[[dict[str, Any]], None]) -> None:
    snapshot_template(world_of(name).templates["Serving"])


def test_the_logical_ids_of_what_is_kept_are_frozen() -> None:
    """Another id would make another one: a new user pool knows no client, and a new log nothing of before."""
    kept = {
        name: {
            logical_id
            for logical_id, each in world_of(name).templates["Serving"]["Resources"].items()
            if each.get("DeletionPolicy") == "Retain" and logical_id.startswith(("RiskDoor", "RiskCallers"))
        }
        for name in ("private-iam", "regional-cognito", "regional-jwt")
    }
    logs = {"RiskDoorStageAccessLog2158C6B8", "RiskDoorStageErrorLog252DCE00"}
    assert kept == {
        "private-iam": logs,
        "regional-cognito": logs | {"RiskCallers8DF040E1"},
        "regional-jwt": logs
        | {
            "RiskDoorTokensKeyApp142c8adFAB042FF",
            "RiskDoorTokensKeyApp142c8adPolicyAD312F50",
            "RiskDoorTokensKeyApp2ce0ec36E458FE6",
            "RiskDoorTokensKeyApp2ce0ec3PolicyB7E00349",
            "RiskDoorTokensLog562ED237",
        },
    }


# -- all of it -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(BUILDS))
def test_no_finding(name: str) -> None:
    assert findings(BUILDS[name]) == []


def test_ten_doors_share_what_is_the_accounts_and_stay_small() -> None:
    app = new_app()
    clinic = DoorClinic(app)
    for number in range(10):
        clinic.door(private(DoorAuth.iam()), f"Risk{number}")
    world = World(synth(app))
    # With the models behind them: CloudFormation takes 500.
    assert len(world.templates["Serving"]["Resources"]) < 360
    assert len(list(world.resources("AWS::ApiGateway::Account"))) == 1
    assert len(list(world.resources("AWS::ApiGateway::UsagePlan"))) == 10
    assert len(list(world.resources("AWS::ApiGateway::ApiKey"))) == 10


@pytest.mark.parametrize("region", [None, "cn-north-1", "us-gov-west-1"])
def test_no_partition_is_written_down(region: str | None) -> None:
    app = new_app()
    DoorClinic(app, region=region).door(private(DoorAuth.iam()))
    text = json.dumps(synth(app)["Serving"])
    assert "arn:aws:" not in text.replace("arn:aws:iam::444455556666", "")
