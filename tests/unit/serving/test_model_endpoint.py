"""ModelEndpoint: what it makes, what its role may do, what happens to a new model, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import aws_cdk as cdk
import pytest

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.serving.capacity import Capacity, Rollout
from secure_ml_constructs.serving.copies import Capture, Shadow
from secure_ml_constructs.serving.endpoint_alarms import EndpointLimits
from secure_ml_constructs.serving.served_model import Container, ServedModel
from secure_ml_constructs.serving.tenants import TenantModels
from tests.support.compliance import findings
from tests.support.templates import ACCOUNT, REGION, Resource, Template, World, new_app, synth
from tests.unit.identity import hospital
from tests.unit.serving import clinic
from tests.unit.serving.clinic import Clinic, container

pytestmark = pytest.mark.slow

BUILDS = (clinic.build, clinic.build_full, clinic.build_pipeline, clinic.build_tenants)
SERVED = "AWS::SageMaker::"


def made(build: Callable[[cdk.App], None]) -> World:
    app = new_app()
    build(app)
    return World(synth(app))


@pytest.fixture(scope="session")
def default() -> World:
    return made(clinic.build)


@pytest.fixture(scope="session")
def full() -> World:
    return made(clinic.build_full)


@pytest.fixture(scope="session")
def pipeline() -> World:
    return made(clinic.build_pipeline)


@pytest.fixture(scope="session")
def tenants() -> World:
    return made(clinic.build_tenants)


def after(build: Callable[[Clinic], object]) -> Template:
    """The template of the serving stack."""
    app = new_app()
    build(Clinic(app))
    return synth(app)["Serving"]


# -- what it makes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["default", "full", "pipeline", "tenants"])
def test_every_model_is_isolated_and_in_the_network(name: str, request: pytest.FixtureRequest) -> None:
    world: World = request.getfixturevalue(name)
    models = list(world.resources("AWS::SageMaker::Model"))
    assert models
    subnets = {world.ref(each) for each in world.resources("AWS::EC2::Subnet")}
    for model in models:
        assert model.properties["EnableNetworkIsolation"] is True
        assert set(model.properties["VpcConfig"]["Subnets"]) == subnets
        (group,) = model.properties["VpcConfig"]["SecurityGroupIds"]
        assert group.startswith("sg-")
    for config in world.resources("AWS::SageMaker::EndpointConfig"):
        for variants in ("ProductionVariants", "ShadowProductionVariants"):
            for variant in config.properties.get(variants, ()):
                assert not {"EnableSSMAccess", "CoreDumpConfig", "ServerlessConfig"} & set(variant)


def key(world: World, name: str) -> str:
    return world.arn(world.one("AWS::KMS::Key", name))


def test_volumes_captures_and_logs_are_under_customer_keys(default: World) -> None:
    config = default.one("AWS::SageMaker::EndpointConfig").properties
    assert config["KmsKeyId"] == key(default, "Model")
    capture = config["DataCaptureConfig"]
    assert capture["KmsKeyId"] == key(default, "Data")
    assert capture["EnableCapture"] is True
    bucket = default.ref(default.one("AWS::S3::Bucket", "LakeData"))
    assert capture["DestinationS3Uri"] == f"s3://{bucket}/output/captures"
    assert [each["CaptureMode"] for each in capture["CaptureOptions"]] == ["Input", "Output"]
    log = default.one("AWS::Logs::LogGroup", "Risk").properties
    name = default.one("AWS::SageMaker::Endpoint").properties["EndpointName"]
    assert log["LogGroupName"] == f"/aws/sagemaker/Endpoints/{name}"
    assert log["KmsKeyId"] == key(default, "Logs")


def test_disks_that_encrypt_themselves_get_no_key(full: World) -> None:
    # CreateEndpointConfig refuses one.
    assert "KmsKeyId" not in full.one("AWS::SageMaker::EndpointConfig").properties


def test_data_lie_in_the_zone_of_models(default: World, full: World) -> None:
    def sources(world: World) -> list[dict[str, str]]:
        models = world.resources("AWS::SageMaker::Model")
        return [
            each.properties["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]
            for each in sorted(models, key=lambda each: each.logical_id)
        ]

    bucket = default.ref(default.one("AWS::S3::Bucket", "LakeModel"))
    assert sources(default) == [
        {
            "S3Uri": f"s3://{bucket}/models/risk/2026-11/model.tar.gz",
            "S3DataType": "S3Object",
            "CompressionType": "Gzip",
        }
    ]
    assert [each["S3DataType"] for each in sources(full)] == ["S3Prefix", "S3Object"]
    assert sources(full)[0]["S3Uri"] == f"s3://{bucket}/models/risk/2026-11/"
    assert sources(full)[0]["CompressionType"] == "None"


def test_a_pipeline_passes_requests_on_in_order(pipeline: World) -> None:
    model = pipeline.one("AWS::SageMaker::Model", "RiskModelMain").properties
    assert [each["Image"].split("/")[1].split("@")[0] for each in model["Containers"]] == ["sklearn", "risk"]
    assert model["InferenceExecutionConfig"] == {"Mode": "Serial"}
    assert "PrimaryContainer" not in model
    packaged = pipeline.one("AWS::SageMaker::Model", "PackagedModelMain").properties
    assert packaged["PrimaryContainer"]["ModelPackageName"].endswith(":model-package/risk/3")


def test_a_shadow_gets_copies(full: World) -> None:
    config = full.one("AWS::SageMaker::EndpointConfig").properties
    (variant,), (shadow,) = config["ProductionVariants"], config["ShadowProductionVariants"]
    assert variant["InitialVariantWeight"] == 1
    assert shadow["InitialVariantWeight"] == 0.1
    assert variant["ModelName"] != shadow["ModelName"]


def test_it_scales_within_bounds(default: World, full: World) -> None:
    target = default.one("AWS::ApplicationAutoScaling::ScalableTarget")
    name = default.one("AWS::SageMaker::Endpoint").properties["EndpointName"]
    assert target.properties["ResourceId"] == f"endpoint/{name}/variant/main"
    assert (target.properties["MinCapacity"], target.properties["MaxCapacity"]) == (2, 4)
    # A variant that is not there yet can't be registered.
    assert default.one("AWS::SageMaker::Endpoint").logical_id in target.raw["DependsOn"]
    tracked = default.one("AWS::ApplicationAutoScaling::ScalingPolicy").properties
    assert tracked["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 600
    (action,) = full.one("AWS::ApplicationAutoScaling::ScalableTarget").properties["ScheduledActions"]
    assert action["Schedule"] == "cron(0 19 * * ? *)"
    assert action["ScalableTargetAction"] == {"MinCapacity": 2, "MaxCapacity": 3}


def test_each_tenant_has_a_component_of_its_own(tenants: World) -> None:
    components = list(tenants.resources("AWS::SageMaker::InferenceComponent"))
    assert len(components) == 2
    names = {each.properties["InferenceComponentName"] for each in components}
    models = {each.properties["Specification"]["ModelName"] for each in components}
    assert len(names) == len(models) == 2
    config = tenants.one("AWS::SageMaker::EndpointConfig").properties
    assert config["EnableNetworkIsolation"] is True
    assert config["VpcConfig"]["Subnets"]
    (variant,) = config["ProductionVariants"]
    assert "ModelName" not in variant
    assert variant["ManagedInstanceScaling"] == {
        "Status": "ENABLED",
        "MinInstanceCount": 2,
        "MaxInstanceCount": 4,
    }
    targets = {
        each.properties["ResourceId"]
        for each in tenants.resources("AWS::ApplicationAutoScaling::ScalableTarget")
    }
    assert targets == {f"inference-component/{name}" for name in names}


def test_names_that_something_else_knows_are_taken() -> None:
    template = after(lambda it: it.endpoint(model=clinic.TENANTS, component_names={"partner-a": "client-1"}))
    names = {
        each["Properties"]["InferenceComponentName"]
        for each in template["Resources"].values()
        if each["Type"] == "AWS::SageMaker::InferenceComponent"
    }
    assert "client-1" in names
    assert len(names) == 2


def test_endpoints_have_names_of_their_own() -> None:
    app = new_app()
    it = Clinic(app)
    other = cdk.Stack(
        app, "A-stack-whose-name-is-rather-long-" + "x" * 60, env=cdk.Environment(region=REGION)
    )
    names = [it.endpoint(id).endpoint_name for id in ("Risk", "Triage")]
    it.stack = other
    names.append(it.endpoint("Risk").endpoint_name)
    assert len(set(names)) == 3
    assert all(len(name) <= 63 and name[0].isalnum() and name[-1].isalnum() for name in names)
    again = Clinic(new_app())
    assert again.endpoint("Risk").endpoint_name == names[0]


# -- a new model --------------------------------------------------------------------------------------------


def test_a_new_model_makes_a_new_config_behind_the_same_endpoint() -> None:
    old, new = (
        after(lambda it, data=data: it.endpoint(model=ServedModel((container(data),))))  # type: ignore[misc]
        for data in ("risk/1/model.tar.gz", "risk/2/model.tar.gz")
    )
    changed = {id for id, each in old["Resources"].items() if each != new["Resources"][id]}
    types = {old["Resources"][id]["Type"] for id in changed}
    # The model is replaced (CloudFormation: "Update requires: Replacement"), the role's policy follows.
    assert types == {"AWS::SageMaker::Model", "AWS::IAM::ManagedPolicy"}
    assert old["Resources"].keys() == new["Resources"].keys()
    for id, each in new["Resources"].items():
        properties = each.get("Properties", {})
        if each["Type"] == "AWS::SageMaker::Model":
            # A name would stand in the way of the replacement.
            assert "ModelName" not in properties
        if each["Type"] == "AWS::SageMaker::EndpointConfig":
            assert "EndpointConfigName" not in properties
            (variant,) = properties["ProductionVariants"]
            assert variant["ModelName"]["Fn::GetAtt"][0] in changed
        if each["Type"] == "AWS::SageMaker::Endpoint":
            assert properties["EndpointConfigName"]["Fn::GetAtt"][1] == "EndpointConfigName"
            assert id not in changed


def test_the_roles_policy_is_there_before_the_model(default: World, tenants: World) -> None:
    for world in (default, tenants):
        policy = world.one("AWS::IAM::ManagedPolicy", "RiskRolePolicy").logical_id
        for kind in ("Model", "EndpointConfig"):
            for each in world.resources(f"AWS::SageMaker::{kind}"):
                assert policy in each.raw["DependsOn"], each.logical_id


def test_a_bad_model_is_rolled_back_by_alarms(default: World, full: World) -> None:
    for world, kind in ((default, "CANARY"), (full, "LINEAR")):
        endpoint = world.one("AWS::SageMaker::Endpoint").properties
        deployment = endpoint["DeploymentConfig"]
        routing = deployment["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
        assert routing["Type"] == kind
        alarms = {world.ref(each): each for each in world.resources("AWS::CloudWatch::Alarm")}
        named = [each["AlarmName"] for each in deployment["AutoRollbackConfiguration"]["Alarms"]]
        assert {alarms[name].properties["MetricName"] for name in named} == {
            "Invocation5XXErrors",
            "ModelLatency",
        }
        for name in named:
            dimensions = {each["Name"]: each["Value"] for each in alarms[name].properties["Dimensions"]}
            assert dimensions == {"EndpointName": endpoint["EndpointName"], "VariantName": "main"}
        assert endpoint["RetainAllVariantProperties"] is True


def test_one_instance_is_replaced_at_once() -> None:
    template = after(lambda it: it.endpoint(capacity=Capacity(minimum=1)))
    (endpoint,) = (e for e in template["Resources"].values() if e["Type"] == "AWS::SageMaker::Endpoint")
    policy = endpoint["Properties"]["DeploymentConfig"]["BlueGreenUpdatePolicy"]
    assert policy["TrafficRoutingConfiguration"]["Type"] == "ALL_AT_ONCE"


def test_alarms_tell_the_topic_how_soon_to_look(default: World) -> None:
    topic = default.ref(default.one("AWS::SNS::Topic", "Alerts"))
    found = {}
    for alarm in default.resources("AWS::CloudWatch::Alarm"):
        assert alarm.properties["AlarmActions"] == [topic]
        assert alarm.properties["OKActions"] == [topic]
        found[alarm.properties["MetricName"]] = alarm.properties["AlarmDescription"].split("]")[0]
    assert found == {
        "Invocation5XXErrors": "[high",
        "ModelLatency": "[high",
        "Invocation4XXErrors": "[medium",
        "Invocations": "[medium",
        "MemoryUtilization": "[medium",
        "DiskUtilization": "[medium",
    }


# -- what its role may do -----------------------------------------------------------------------------------


def statements(world: World, role: Resource) -> list[dict[str, Any]]:
    """Every statement of the role's own policies."""
    name = world.ref(role)
    return [
        statement
        for policy in world.resources("AWS::IAM::ManagedPolicy")
        if name in policy.properties.get("Roles", ())
        for statement in policy.properties["PolicyDocument"]["Statement"]
    ]


def resources(world: World, *actions: str) -> set[str]:
    """What the role's own policies let these actions be done to."""
    role = world.one("AWS::IAM::Role", "RiskRole")
    found: set[str] = set()
    for statement in statements(world, role):
        given = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        if set(given) & set(actions):
            named = statement["Resource"]
            found |= set(named if isinstance(named, list) else [named])
    return found


def test_the_role_reads_its_model_and_writes_captures_and_nothing_else(default: World, full: World) -> None:
    model = default.arn(default.one("AWS::S3::Bucket", "LakeModel"))
    data = default.arn(default.one("AWS::S3::Bucket", "LakeData"))
    assert resources(default, "s3:GetObject") == {f"{model}/models/risk/2026-11/model.tar.gz"}
    assert resources(default, "s3:PutObject") == {f"{data}/output/captures/*"}
    assert resources(default, "s3:ListBucket", "s3:DeleteObject") == set()
    assert resources(full, "s3:GetObject") == {
        f"{model}/models/risk/2026-11/*",
        f"{model}/models/risk/next/model.tar.gz",
    }
    assert resources(full, "s3:PutObject") == {f"{data}/curated/captures/*"}


def test_a_package_is_read_wherever_it_lies_in_the_zone(pipeline: World) -> None:
    role = pipeline.one("AWS::IAM::Role", "PackagedRole")
    (reading,) = (each for each in statements(pipeline, role) if each["Sid"] == "Models")
    model = pipeline.arn(pipeline.one("AWS::S3::Bucket", "LakeModel"))
    assert reading["Resource"] == [f"{model}/models/*"]


def test_images_of_other_accounts_that_are_trusted_are_named() -> None:
    app = new_app()
    it = Clinic(app, perimeter=replace(hospital.PERIMETER, accounts=("444455556666",)))
    image = f"444455556666.dkr.ecr.eu-central-1.amazonaws.com/shared/risk{clinic.DIGEST}"
    it.endpoint(model=ServedModel.container(image=image))
    world = World(synth(app))
    pulled = resources(world, "ecr:BatchGetImage")
    assert pulled == {"arn:aws:ecr:eu-central-1:444455556666:repository/shared/risk"}


def test_the_role_is_bounded_and_for_sagemaker_of_this_account(default: World) -> None:
    role = default.one("AWS::IAM::Role", "RiskRole").properties
    assert role["PermissionsBoundary"]
    assert role["Path"] == "/secure-ml/"
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}


# -- what it goes back to -----------------------------------------------------------------------------------

GOOD = ServedModel((container("risk/2026-10/model.tar.gz"),))


def build_fallback(app: cdk.App) -> None:
    Clinic(app).endpoint(fallback=GOOD)


def test_the_last_good_model_is_ready_under_the_same_settings(default: World) -> None:
    world = made(build_fallback)
    configs = {
        each.logical_id.startswith("RiskConfigFallback"): each.properties
        for each in world.resources("AWS::SageMaker::EndpointConfig")
    }
    (now,), (kept,) = (configs[which]["ProductionVariants"] for which in (False, True))
    assert now["ModelName"] != kept["ModelName"]
    # Of the same name: SageMaker keeps its instances. (UpdateEndpoint, RetainAllVariantProperties)
    assert {**now, "ModelName": ""} == {**kept, "ModelName": ""}
    for setting in ("KmsKeyId", "DataCaptureConfig"):
        assert configs[True][setting] == configs[False][setting]
    model = world.one("AWS::SageMaker::Model", "Fallback").properties
    assert model["EnableNetworkIsolation"] is True
    assert model["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]["S3Uri"].endswith(
        "2026-10/model.tar.gz"
    )
    # It serves nothing yet, and nothing else changes.
    endpoint = world.one("AWS::SageMaker::Endpoint").properties["EndpointConfigName"]
    assert endpoint == default.one("AWS::SageMaker::Endpoint").properties["EndpointConfigName"]


def test_the_role_reads_both_models() -> None:
    read = resources(made(build_fallback), "s3:GetObject")
    assert {each.rpartition("/models/")[2] for each in read} == {
        "risk/2026-10/model.tar.gz",
        "risk/2026-11/model.tar.gz",
    }


def test_nothing_is_found_of_a_fallback() -> None:
    assert findings(build_fallback) == []


def test_no_fallback_is_no_configuration() -> None:
    it = Clinic(new_app())
    with pytest.raises(ConfigurationError, match="No model was given to go back to"):
        it.endpoint().fallback_config  # noqa: B018
    assert it.endpoint("Other", fallback=GOOD).fallback_config


# -- what it refuses ----------------------------------------------------------------------------------------

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (
        "an image by tag",
        {"model": ServedModel.container(image="risk:latest")},
        r"model.containers\[0\].image",
    ),
    (
        "data outside the zone",
        {"model": ServedModel((container("s3://elsewhere/model.tar.gz"),))},
        r"model.containers\[0\].data",
    ),
    ("nothing to serve", {"model": ServedModel()}, "model.containers"),
    ("a zone that is not there", {"models_zone": "modells"}, "models_zone='modells'"),
    ("captures in no zone", {"capture": Capture(zone="logs")}, "capture.zone='logs'"),
    ("captures of nothing", {"capture": Capture(percent=0)}, "capture.percent=0"),
    (
        "a canary of one instance",
        {"capacity": Capacity(minimum=1), "rollout": Rollout.canary()},
        "larger than half of the capacity",
    ),
    (
        "a shadow of a pipeline",
        {"shadow": Shadow(model=ServedModel.pipeline(Container(image=clinic.DETECTOR), container()))},
        "models of one container",
    ),
    ("a shadow beside tenants", {"model": clinic.TENANTS, "shadow": Shadow(model=clinic.MODEL)}, "shadow="),
    ("a shadow by tag", {"shadow": Shadow(model=ServedModel.container(image="x:1"))}, "shadow.model"),
    ("a shadow on nothing", {"shadow": Shadow(model=clinic.MODEL, instances=0)}, "0 instances"),
    ("a fallback by tag", {"fallback": ServedModel.container(image="x:1")}, "fallback.containers"),
    ("a fallback beside tenants", {"model": clinic.TENANTS, "fallback": clinic.MODEL}, "fallback="),
    ("no tenant", {"model": TenantModels(models={})}, "model.models"),
    (
        "a tenant without a name",
        {"model": TenantModels(models={"Partner A": container()})},
        r"model.models\['Partner A'\]",
    ),
    (
        "no copy of a tenant's model",
        {"model": TenantModels(models={"a": container()}, copies=0)},
        "model.copies=0",
    ),
    (
        "a tenant without memory",
        {"model": TenantModels(models={"a": container()}, memory_mb=64)},
        "model.memory_mb=64",
    ),
]


@pytest.fixture(scope="module")
def bench() -> Clinic:
    return Clinic(new_app())


@pytest.mark.parametrize(("arguments", "said"), [each[1:] for each in REFUSED], ids=[e[0] for e in REFUSED])
def test_what_is_refused(bench: Clinic, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        bench.endpoint("Refused", **arguments)
    assert str(caught.value).startswith("Serving/Refused: ")
    assert bench.stack.node.try_find_child("Refused") is None


@pytest.mark.parametrize(
    "wrong", [{"latency_ms": 0}, {"failures": 0}, {"refusals": 0}, {"utilization_percent": 101}], ids=str
)
def test_limits_that_are_none(wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        EndpointLimits(**wrong)


# -- rules --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("build", BUILDS)
def test_nothing_is_found(build: Callable[[cdk.App], None]) -> None:
    assert [each for each in findings(build) if any("Serving" in path for path in each.constructs)] == []


@pytest.mark.parametrize("build", BUILDS)
def test_the_template(
    build: Callable[[cdk.App], None], snapshot_template: Callable[[dict[str, Any]], None]
) -> None:
    app = new_app()
    build(app)
    snapshot_template(synth(app)["Serving"])


def test_the_same_input_gives_the_same_bytes() -> None:
    first, second = (after(lambda it: it.endpoint(model=clinic.TENANTS)) for _ in range(2))
    assert json.dumps(first) == json.dumps(second)
