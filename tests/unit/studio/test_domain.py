"""SecureStudioDomain: what it makes, what it refuses, and how it is deleted."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import botocore.session
import pytest
from aws_cdk import RemovalPolicy

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.network import EndpointProfile, Endpoints, SecureVpc
from secure_ml_constructs.studio import SecureStudioDomain, StudioApp, StudioApps, StudioAuth, StudioHome
from secure_ml_constructs.studio.instance_types import APPS, NOTEBOOKS, known
from tests.support.compliance import findings
from tests.support.decisions import ALLOW_ALL, Request, Simulator
from tests.support.templates import REGION, Resource, World, new_app, synth
from tests.unit.studio.workplace import LOSES_DATA, PERIMETER, build, build_full, place, world

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def default() -> World:
    return world(build)


@pytest.fixture(scope="session")
def full() -> World:
    return world(build_full)


def domain(made: World) -> Resource:
    return made.one("AWS::SageMaker::Domain")


@pytest.mark.parametrize("make", [build, build_full])
def test_no_finding(make: Callable[[cdk.App], Any]) -> None:
    assert findings(make) == []


@pytest.mark.parametrize("make", [build, build_full])
def test_the_template(
    make: Callable[[cdk.App], Any], snapshot_template: Callable[[dict[str, Any]], None]
) -> None:
    snapshot_template(world(make).templates["Studio"])


def test_it_is_the_same_each_time(default: World) -> None:
    app = new_app()
    build(app)
    assert synth(app) == default.templates


def test_nothing_leaves_but_by_the_vpc(default: World) -> None:
    properties = domain(default).properties
    assert properties["AppNetworkAccessType"] == "VpcOnly"
    assert len(properties["SubnetIds"]) == 2
    group = default.ref(default.one("AWS::EC2::SecurityGroup", "WorkloadGroup"))
    assert properties["DefaultUserSettings"]["SecurityGroups"] == [group]
    assert properties["DefaultSpaceSettings"]["SecurityGroups"] == [group]
    assert properties["KmsKeyId"] == default.arn(default.one("AWS::KMS::Key", "Workspace"))


def test_the_group_talks_to_endpoints_alone(default: World) -> None:
    # No rule among apps: a space has one app, and what Studio Classic needs among its own is not there.
    group = default.one("AWS::EC2::SecurityGroup", "WorkloadGroup")
    assert {rule["FromPort"] for rule in group.properties["SecurityGroupEgress"]} == {443}
    joined = [
        rule
        for kind in ("Ingress", "Egress")
        for rule in default.resources(f"AWS::EC2::SecurityGroup{kind}")
        if rule.properties["GroupId"] == default.ref(group)
    ]
    assert joined == []


def test_each_act_carries_the_name_of_a_profile(default: World) -> None:
    assert domain(default).properties["DomainSettings"]["ExecutionRoleIdentityConfig"] == "USER_PROFILE_NAME"
    (statement,) = default.one("AWS::IAM::Role", "DefaultRole").properties["AssumeRolePolicyDocument"][
        "Statement"
    ]
    assert statement["Action"] == ["sts:AssumeRole", "sts:SetSourceIdentity"]
    assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert statement["Condition"]["StringEquals"]["aws:SourceAccount"] == default.account


def test_docker_and_sharing_are_off(default: World) -> None:
    properties = domain(default).properties
    assert properties["DomainSettings"]["DockerSettings"]["EnableDockerAccess"] == "DISABLED"
    sharing = properties["DefaultUserSettings"]["SharingSettings"]
    assert sharing == {"NotebookOutputOption": "Disabled"}


def test_idle_apps_are_shut_down_whichever_they_are(default: World, full: World) -> None:
    for made, expected in ((default, (60, 60, 480)), (full, (90, 60, 240))):
        for app in ("JupyterLab", "CodeEditor"):
            settings = domain(made).properties["DefaultUserSettings"][f"{app}AppSettings"]
            idle = settings["AppLifecycleManagement"]["IdleSettings"]
            assert idle["LifecycleManagement"] == "ENABLED"
            found = (
                idle["IdleTimeoutInMinutes"],
                idle["MinIdleTimeoutInMinutes"],
                idle["MaxIdleTimeoutInMinutes"],
            )
            assert found == expected


def test_only_the_chosen_apps_and_machines_are_shown(full: World, default: World) -> None:
    portal = domain(full).properties["DefaultUserSettings"]["StudioWebPortalSettings"]
    allowed = set(known(APPS)) - set(portal["HiddenInstanceTypes"])
    assert allowed == {each for each in known(APPS) if each.startswith("ml.t3.")} | {"ml.g5.xlarge"}
    assert "JupyterLab" not in portal["HiddenAppTypes"]
    assert "CodeEditor" not in portal["HiddenAppTypes"]
    assert {"JupyterServer", "RStudioServerPro", "Canvas"} <= set(portal["HiddenAppTypes"])
    plain = domain(default).properties["DefaultUserSettings"]["StudioWebPortalSettings"]
    assert "CodeEditor" in plain["HiddenAppTypes"]


def test_without_a_home_file_system_nothing_is_left_to_hold_the_vpc(default: World, full: World) -> None:
    assert domain(default).properties["HomeEfsFileSystemCreation"] == "Disabled"
    assert domain(default).properties["DefaultUserSettings"]["AutoMountHomeEFS"] == "Disabled"
    assert not list(default.resources("AWS::Lambda::Function", "Cleanup"))
    assert domain(full).properties["HomeEfsFileSystemCreation"] == "Enabled"
    assert domain(full).properties["DefaultUserSettings"]["AutoMountHomeEFS"] == "Enabled"


def test_the_network_of_a_home_file_system_is_cleared_after_the_domain(full: World) -> None:
    network = full.one("Custom::StudioNetwork")
    assert network.logical_id in domain(full).raw["DependsOn"]
    assert network.properties["VpcId"] == domain(full).properties["VpcId"]
    assert network.properties["SubnetIds"] == domain(full).properties["SubnetIds"]


def test_work_is_kept_unless_losing_it_is_asked_for_twice(default: World, full: World) -> None:
    assert domain(default).raw["DeletionPolicy"] == "Retain"
    assert domain(default).raw["UpdateReplacePolicy"] == "Retain"
    assert domain(full).raw["DeletionPolicy"] == "Delete"
    with pytest.raises(ConfigurationError, match="allow-data-loss"):
        build(new_app(), removal_policy=RemovalPolicy.DESTROY)
    build(new_app(**LOSES_DATA), removal_policy=RemovalPolicy.DESTROY)


def test_what_holds_data_keeps_its_logical_id(default: World, full: World) -> None:
    for made in (default, full):
        assert domain(made).logical_id == "Studio43727D10"


def test_tags_of_the_app_change_nothing_in_the_domain(default: World) -> None:
    app = new_app()
    build(app)
    cdk.Tags.of(app).add("cost-center", "4711")
    tagged = World(synth(app))
    assert domain(tagged).raw == domain(default).raw
    # They reach what takes them without being replaced.
    (role,) = tagged.resources("AWS::IAM::Role", "DefaultRole")
    assert {"Key": "cost-center", "Value": "4711"} in role.properties["Tags"]


@pytest.mark.decision
def test_the_domains_own_role_can_do_nothing_whatever_it_is_given(
    default: World, simulator: Simulator
) -> None:
    role = default.one("AWS::IAM::Role", "DefaultRole")
    assert role.properties["Path"] == "/secure-ml/"
    boundary = default.one("AWS::IAM::ManagedPolicy", "Nothing")
    assert role.properties["PermissionsBoundary"] == default.ref(boundary)
    assert "ManagedPolicyArns" not in role.properties
    for action, resource in (
        ("s3:GetObject", "arn:aws:s3:::lake/curated/x"),
        ("sagemaker:CreatePresignedDomainUrl", f"arn:aws:sagemaker:{REGION}:111122223333:user-profile/d/a"),
    ):
        request = Request(principal=default.arn(role), action=action, resource=resource)
        document = boundary.properties["PolicyDocument"]
        # The second answer shows that the boundary is what says no.
        assert not simulator.decide(request, identity=(ALLOW_ALL,), boundary=(document,)).allowed
        assert simulator.decide(request, identity=(ALLOW_ALL,)).allowed


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_no_partition_is_written_down(partition: str) -> None:
    for make in (build, build_full):
        text = json.dumps(world(make).templates["Studio"]["Resources"])
        assert "arn:aws:" not in text.replace(json.dumps(PERIMETER.administrators[0])[1:-1], "")
    resolved = World(world(build_full).templates, partition=partition, region="cn-north-1")
    policy = resolved.one("AWS::IAM::ManagedPolicy", "CleanupPolicy").properties["PolicyDocument"]
    (unmount,) = [each for each in policy["Statement"] if each["Sid"] == "Unmount"]
    assert unmount["Resource"] == f"arn:{partition}:elasticfilesystem:cn-north-1:111122223333:file-system/*"


def refused(argument: str, make: Callable[[], Any]) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert argument in {problem.argument for problem in caught.value.problems}, caught.value
    return caught.value


@pytest.mark.parametrize(
    ("argument", "given"),
    [
        ("types", {"types": ()}),
        ("types", {"types": (StudioApp.JUPYTER_LAB, StudioApp.JUPYTER_LAB)}),
        ("instance_types", {"instance_types": "ml.t3.medium"}),
        ("instance_types", {"instance_types": ()}),
        ("instance_types[0]", {"instance_types": ("ml.t3.gigantic",)}),
        ("instance_types[1]", {"instance_types": ("ml.t3.medium", "m5.large")}),
        ("instance_types[0]", {"instance_types": ("ml.inf1.xlarge",)}),
        ("instance_types[0]", {"instance_types": ("ml.q9.*",)}),
        ("instance_types", {"instance_types": known(APPS)[:101]}),
        ("default_instance_type", {"default_instance_type": "ml.m5.24xlarge"}),
        ("default_instance_type", {"default_instance_type": "ml.t3.tiny"}),
        ("idle_minutes", {"idle_minutes": 30}),
        ("longest_idle_minutes", {"longest_idle_minutes": 20_000}),
        ("longest_idle_minutes", {"idle_minutes": 600, "longest_idle_minutes": 300}),
        ("volume_gb", {"volume_gb": 4}),
        ("largest_volume_gb", {"largest_volume_gb": 20_000}),
        ("largest_volume_gb", {"volume_gb": 200, "largest_volume_gb": 100}),
        ("profiles_quota", {"profiles_quota": 0}),
    ],
)
def test_apps_out_of_bounds_are_refused(argument: str, given: dict[str, Any]) -> None:
    refused(argument, lambda: StudioApps(**given))


def test_a_wrong_size_is_answered_with_the_right_ones() -> None:
    error = refused("instance_types[0]", lambda: StudioApps(instance_types=("ml.t3.gigantic",)))
    assert "medium" in str(error)


@pytest.mark.parametrize(
    "given",
    [
        "0.0.0.0/0",
        "198.0.0.0/8",
        "::/0",
        "10.0.0.0/16",
        "192.168.1.0/24",
        "office",
        "192.0.2.1/24",
        "fd00::/40",
    ],
)
def test_ranges_that_are_none_are_refused(given: str) -> None:
    refused("ranges[0]", lambda: StudioAuth.iam(ranges=(given,)))


def test_ranges_are_a_list() -> None:
    refused("ranges", lambda: StudioAuth.iam(ranges="192.0.2.0/24"))
    assert StudioAuth.iam(ranges=("192.0.2.0/24", "2001:db8::/48")).ranges[1] == "2001:db8::/48"


def test_a_network_without_what_apps_call_is_refused() -> None:
    def studio(auth: StudioAuth, **endpoints: Any) -> None:
        app = new_app()
        here = place(app)
        network = SecureVpc(
            cdk.Stack(app, "Other"),
            "Vpc",
            perimeter=PERIMETER,
            logs_key=here.keys.logs,
            endpoints=Endpoints(**endpoints),
        )
        SecureStudioDomain(here.stack, "Studio", **{**here.given, "network": network}, auth=auth)

    center, iam = StudioAuth.identity_center(), StudioAuth.iam()
    error = refused("network", lambda: studio(center, without=("sts", "logs", "s3")))
    assert "sts, logs, s3" in str(error)
    assert "sagemaker.studio" in str(refused("network", lambda: studio(iam, profile=EndpointProfile.MINIMAL)))
    studio(center, profile=EndpointProfile.MINIMAL)
    studio(iam, profile=EndpointProfile.MINIMAL, extra=("sagemaker.studio",))
    studio(iam, interface_s3=True)


def test_the_types_of_notebooks_are_those_of_the_service() -> None:
    model = botocore.session.get_session().get_service_model("sagemaker")
    assert set(known(NOTEBOOKS)) == set(model.shape_for("InstanceType").enum)
    # CloudFormation knows some before the service's model does, and the other way round.
    assert len(set(known(APPS)) & set(model.shape_for("AppInstanceType").enum)) > 160


def test_the_home_is_chosen_by_name() -> None:
    assert not StudioHome.volumes().file_system
    assert StudioHome.efs().file_system
