"""What is cleared away when a Studio domain goes, run against EC2 and EFS as moto plays them."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from secure_ml_constructs.runtime import studio_cleanup
from secure_ml_constructs.studio.cleanup import source

pytestmark = pytest.mark.slow

REGION = "eu-central-1"
ARN = f"arn:aws:sagemaker:{REGION}:111122223333:domain"


class Pages:
    def __init__(self, name: str, items: Callable[..., list[dict[str, Any]]]) -> None:
        self._name, self._items = name, items

    def paginate(self, **given: Any) -> Iterator[dict[str, Any]]:
        # One item a page: whoever reads the first page only is found out.
        for item in self._items(**given):
            yield {self._name: [item]}


class SageMaker:
    """As much of SageMaker as is asked for: apps take a moment to go."""

    def __init__(self) -> None:
        self.domains: list[str] = []
        self.apps: list[dict[str, Any]] = []
        self.deleted: list[dict[str, Any]] = []
        self.stuck = False
        self.exceptions = boto3.client("sagemaker", region_name=REGION).exceptions

    def get_paginator(self, name: str) -> Pages:
        if name == "list_domains":
            return Pages("Domains", lambda: [{"DomainArn": f"{ARN}/{each}"} for each in self.domains])
        assert name == "list_apps"
        return Pages("Apps", self._list)

    def _list(self, DomainIdEquals: str) -> list[dict[str, Any]]:  # noqa: N803 - as the API has it
        assert DomainIdEquals == "d-1"
        found = [dict(app) for app in self.apps]
        for app in self.apps:
            if app["Status"] == "Deleting" and not self.stuck:
                app["Status"] = "Deleted"
        return found

    def delete_app(self, **given: Any) -> None:
        if given["AppName"] == "gone":
            raise self.exceptions.ResourceNotFound({"Error": {"Code": "ResourceNotFound"}}, "DeleteApp")
        self.deleted.append(given)
        for app in self.apps:
            if app["AppName"] == given["AppName"]:
                app["Status"] = "Deleting"


def app(name: str, space: str | None, status: str = "InService") -> dict[str, Any]:
    place = {"SpaceName": space} if space else {"UserProfileName": "onco-anna"}
    return {"AppName": name, "AppType": "JupyterLab", "Status": status, "DomainId": "d-1", **place}


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio_cleanup, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(studio_cleanup, "PATIENCE_SECONDS", 0.2)


@pytest.fixture
def sagemaker() -> SageMaker:
    return SageMaker()


def test_the_apps_of_a_team_are_stopped_and_waited_for(sagemaker: SageMaker) -> None:
    sagemaker.apps = [
        app("one", "onco-anna-jupyterlab"),
        app("two", "cardio-ben-jupyterlab"),
        app("three", None),
        app("four", "onco-carl-jupyterlab", "Deleting"),
        app("five", "onco-anna-jupyterlab", "Deleted"),
    ]
    studio_cleanup.stop_apps(sagemaker, "d-1", "onco-")
    assert sagemaker.deleted == [
        {"DomainId": "d-1", "AppType": "JupyterLab", "AppName": "one", "SpaceName": "onco-anna-jupyterlab"},
        {"DomainId": "d-1", "AppType": "JupyterLab", "AppName": "three", "UserProfileName": "onco-anna"},
    ]
    assert [each["Status"] for each in sagemaker.apps] == ["Deleted", "InService", *3 * ["Deleted"]]


def test_an_app_that_is_gone_by_then_is_no_failure(
    sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [[app("gone", "onco-anna-jupyterlab")], []]
    monkeypatch.setattr(sagemaker, "_list", lambda **_: answers.pop(0))
    studio_cleanup.stop_apps(sagemaker, "d-1", "onco-")
    assert answers == []


def test_an_app_that_stays_is_named(sagemaker: SageMaker) -> None:
    sagemaker.apps, sagemaker.stuck = [app("one", "onco-anna-jupyterlab")], True
    with pytest.raises(TimeoutError, match="apps are still there: onco-anna-jupyterlab/JupyterLab"):
        studio_cleanup.stop_apps(sagemaker, "d-1", "onco-")


# -- The network of a home file system ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def aws() -> Iterator[dict[str, Any]]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        with mock_aws():
            yield {"ec2": boto3.client("ec2"), "efs": boto3.client("efs")}


class Home:
    """A domain's network, as SageMaker leaves it behind."""

    def __init__(self, aws: dict[str, Any], domain: str, tag: str | None = None) -> None:
        self.ec2, self.efs = aws["ec2"], aws["efs"]
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        made = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.0.0.0/24")["Subnet"]
        self.subnet = made["SubnetId"]
        key = studio_cleanup.MANAGED_BY if tag is None else tag
        tags = [{"Key": key, "Value": f"{ARN}/{domain}"}]
        self.system = self.efs.create_file_system(CreationToken=domain, Tags=tags)["FileSystemId"]
        groups = [
            self.ec2.create_security_group(
                GroupName=f"security-group-for-{way}-nfs-{domain}", Description=way, VpcId=self.vpc
            )["GroupId"]
            for way in ("inbound", "outbound")
        ]
        for group, other in zip(groups, reversed(groups), strict=True):
            pairs = [{"GroupId": other}]
            rule = {"IpProtocol": "tcp", "FromPort": 2049, "ToPort": 2049, "UserIdGroupPairs": pairs}
            self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
        self.efs.create_mount_target(
            FileSystemId=self.system, SubnetId=self.subnet, SecurityGroups=[groups[0]]
        )

    @property
    def targets(self) -> int:
        return len(self.efs.describe_mount_targets(FileSystemId=self.system)["MountTargets"])

    @property
    def groups(self) -> int:
        filters = [{"Name": "vpc-id", "Values": [self.vpc]}]
        names = [
            each["GroupName"] for each in self.ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
        ]
        return len([name for name in names if "nfs" in name])

    def free(self, sagemaker: SageMaker) -> None:
        studio_cleanup.free_network(sagemaker, self.efs, self.ec2, self.vpc, [self.subnet])


def test_what_holds_the_vpc_goes_and_the_files_stay(aws: dict[str, Any], sagemaker: SageMaker) -> None:
    home = Home(aws, "d-gone")
    assert (home.targets, home.groups) == (1, 2)
    home.free(sagemaker)
    assert (home.targets, home.groups) == (0, 0)
    found = aws["efs"].describe_file_systems(FileSystemId=home.system)["FileSystems"]
    assert len(found) == 1
    home.free(sagemaker)  # once more does no harm
    aws["ec2"].delete_subnet(SubnetId=home.subnet)
    aws["ec2"].delete_vpc(VpcId=home.vpc)


def test_what_is_in_use_or_somebody_elses_is_left(aws: dict[str, Any], sagemaker: SageMaker) -> None:
    sagemaker.domains = ["d-other", "d-alive"]
    alive, foreign = Home(aws, "d-alive"), Home(aws, "d-foreign", tag="Team")
    elsewhere = Home(aws, "d-elsewhere")
    for home in (alive, foreign):
        home.free(sagemaker)
        assert (home.targets, home.groups) == (1, 2)
    # An orphan of another network is for whoever owns that.
    assert (elsewhere.targets, elsewhere.groups) == (1, 2)


def test_a_mount_target_that_stays_is_named(aws: dict[str, Any], sagemaker: SageMaker) -> None:
    home = Home(aws, "d-stuck")

    class Stuck:
        def __getattr__(self, name: str) -> Any:
            return (lambda **_: None) if name == "delete_mount_target" else getattr(aws["efs"], name)

    with pytest.raises(TimeoutError, match=f"mount targets of file systems are still there: {home.system}"):
        studio_cleanup.free_network(sagemaker, Stuck(), aws["ec2"], home.vpc, [home.subnet])
    assert home.groups == 2


# -- CloudFormation ----------------------------------------------------------------------------------------


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, aws: dict[str, Any], sagemaker: SageMaker) -> Callable[..., Any]:
    answers: list[Any] = []

    class Answered:
        def close(self) -> None:
            pass

    def receive(request: Any, timeout: int) -> Answered:
        assert (request.method, request.headers["Content-type"]) == ("PUT", "")
        answers.append(json.loads(request.data))
        return Answered()

    monkeypatch.setattr("urllib.request.urlopen", receive)
    monkeypatch.setattr(boto3, "client", {**aws, "sagemaker": sagemaker}.__getitem__)

    def send(kind: str, request: str, **properties: Any) -> Any:
        event = {
            "RequestType": request,
            "ResourceType": f"Custom::{kind}",
            "ResponseURL": "https://cloudformation.example/answer",
            "StackId": "stack",
            "RequestId": "request",
            "LogicalResourceId": "Apps",
            "ResourceProperties": properties,
        }
        studio_cleanup.handler(event, None)
        return answers.pop()

    return send


def test_it_acts_at_the_end_only(call: Callable[..., Any], sagemaker: SageMaker) -> None:
    sagemaker.apps = [app("one", "onco-anna-jupyterlab")]
    for request in ("Create", "Update"):
        answer = call("StudioApps", request, DomainId="d-1", Prefix="onco-")
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "Apps")
        assert sagemaker.deleted == []
    assert call("StudioApps", "Delete", DomainId="d-1", Prefix="onco-")["Status"] == "SUCCESS"
    assert len(sagemaker.deleted) == 1


def test_the_network_is_cleared_on_deletion(call: Callable[..., Any], aws: dict[str, Any]) -> None:
    home = Home(aws, "d-deleted")
    assert call("StudioNetwork", "Delete", VpcId=home.vpc, SubnetIds=[home.subnet])["Status"] == "SUCCESS"
    assert (home.targets, home.groups) == (0, 0)


def test_a_failure_is_told_with_its_reason(call: Callable[..., Any], sagemaker: SageMaker) -> None:
    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DeleteApp")

    sagemaker.apps, sagemaker.delete_app = [app("one", "onco-anna-jupyterlab")], refuse  # type: ignore[method-assign]
    answer = call("StudioApps", "Delete", DomainId="d-1", Prefix="onco-")
    assert answer["Status"] == "FAILED"
    assert "AccessDenied" in answer["Reason"]


def test_it_needs_nothing_but_python_and_boto3() -> None:
    tree = ast.parse(source())
    names = {
        (node.module or "").split(".")[0] if isinstance(node, ast.ImportFrom) else name.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in node.names
    }
    assert names <= {"__future__", "boto3", "collections", "contextlib", "json", "time", "typing", "urllib"}
