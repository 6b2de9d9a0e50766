"""What stands in the way when a Studio domain is deleted, cleared away as custom resources.

This file is inlined into its function as it stands, where only Python and boto3 are to be had.
"""

from __future__ import annotations

import contextlib
import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import boto3

# Lambda ends after 15 minutes; by then CloudFormation has to have heard why.
PATIENCE_SECONDS = 780
PAUSE_SECONDS = 10
# The tag that SageMaker puts on a domain's file system: the domain's ARN.
MANAGED_BY = "ManagedByAmazonSageMakerResource"


def stop_apps(sagemaker: Any, domain_id: str, prefix: str) -> None:
    """Delete the apps of the spaces whose names begin so, and wait until they are gone.

    A space with an app in it can't be deleted, nor what is above it. What is in the space stays.
    """

    def running() -> list[dict[str, Any]]:
        pages = sagemaker.get_paginator("list_apps").paginate(DomainIdEquals=domain_id)
        apps = [app for page in pages for app in page["Apps"]]
        return [
            app
            for app in apps
            if (app.get("SpaceName") or app.get("UserProfileName") or "").startswith(prefix)
            and app["Status"] not in ("Deleted", "Failed")
        ]

    for app in running():
        if app["Status"] == "Deleting":
            continue
        place = {name: app[name] for name in ("SpaceName", "UserProfileName") if app.get(name)}
        # Its owner, or the idle shutdown, may be quicker.
        with contextlib.suppress(sagemaker.exceptions.ResourceNotFound):
            sagemaker.delete_app(DomainId=domain_id, AppType=app["AppType"], AppName=app["AppName"], **place)
    _wait(lambda: [f"{app.get('SpaceName')}/{app['AppType']}" for app in running()], "apps")


def free_network(sagemaker: Any, efs: Any, ec2: Any, vpc_id: str, subnet_ids: list[str]) -> None:
    """Delete the mount targets and groups of file systems whose domain is gone. The files stay."""
    pages = sagemaker.get_paginator("list_domains").paginate()
    there = {domain["DomainArn"] for page in pages for domain in page["Domains"]}
    left: list[str] = []
    gone: set[str] = set()
    for page in efs.get_paginator("describe_file_systems").paginate():
        for system in page["FileSystems"]:
            domain = {tag["Key"]: tag["Value"] for tag in system["Tags"]}.get(MANAGED_BY)
            if domain is None or domain in there:
                continue
            name = system["FileSystemId"]
            targets = efs.describe_mount_targets(FileSystemId=name)["MountTargets"]
            if not any(target["SubnetId"] in subnet_ids for target in targets):
                continue
            for target in targets:
                efs.delete_mount_target(MountTargetId=target["MountTargetId"])
            left.append(name)
            gone.add(domain.rsplit("/", 1)[-1])

    def mounted() -> list[str]:
        return [name for name in left if efs.describe_mount_targets(FileSystemId=name)["MountTargets"]]

    _wait(mounted, "mount targets of file systems")
    names = [f"security-group-for-{way}-nfs-{domain}" for way in ("inbound", "outbound") for domain in gone]
    if not names:
        return
    filters = [{"Name": "group-name", "Values": names}, {"Name": "vpc-id", "Values": [vpc_id]}]
    groups = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    for group in groups:
        # The two name one another.
        for rules, revoke in (
            (group["IpPermissions"], ec2.revoke_security_group_ingress),
            (group["IpPermissionsEgress"], ec2.revoke_security_group_egress),
        ):
            if rules:
                revoke(GroupId=group["GroupId"], IpPermissions=rules)
    for group in groups:
        ec2.delete_security_group(GroupId=group["GroupId"])


def _wait(left: Callable[[], list[str]], what: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while names := left():
        if time.monotonic() > until:
            raise TimeoutError(f"{what} are still there: {', '.join(names[:10])}")
        time.sleep(PAUSE_SECONDS)


def run(kind: str, properties: dict[str, Any]) -> None:
    """Clear away what one kind of custom resource is about."""
    sagemaker = boto3.client("sagemaker")
    if kind == "Custom::StudioApps":
        stop_apps(sagemaker, properties["DomainId"], properties["Prefix"])
    else:
        efs, ec2 = boto3.client("efs"), boto3.client("ec2")
        free_network(sagemaker, efs, ec2, properties["VpcId"], properties["SubnetIds"])


def handler(event: dict[str, Any], context: object) -> None:
    """Answer CloudFormation in any case: a stack that never hears waits for its timeout."""
    answer = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    answer |= {"PhysicalResourceId": event["LogicalResourceId"], "Status": "SUCCESS"}
    try:
        # There is something to clear away at the end only.
        if event["RequestType"] == "Delete":
            run(event["ResourceType"], event["ResourceProperties"])
    except Exception as error:
        answer |= {"Status": "FAILED", "Reason": f"{type(error).__name__}: {error}"[:1000]}
    print(json.dumps(answer))
    body = json.dumps(answer).encode()
    request = urllib.request.Request(event["ResponseURL"], body, {"Content-Type": ""}, method="PUT")
    # A failure to answer is raised: Lambda then runs all of it again, twice, which does no harm.
    urllib.request.urlopen(request, timeout=10).close()
