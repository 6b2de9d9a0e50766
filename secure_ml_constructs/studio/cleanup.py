"""The function that clears away what stands in the way of a domain's deletion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any

from aws_cdk import CfnResource, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from secure_ml_constructs._acknowledge import (
    CALLED_SELDOM,
    CALLER_NOTICES,
    OUTSIDE_NETWORK,
    acknowledge_all,
    acknowledge_wildcards,
    standard_packs,
)
from secure_ml_constructs._cdk import account, partition, region
from secure_ml_constructs.keys import EnvironmentKeys, KeyClass
from secure_ml_constructs.network.ml_network import MlNetwork
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.policy import Statement, allow, document

_RUNTIME = "python3.14"
_RETENTION_DAYS = 365
_TIMEOUT_SECONDS = 840
_NO_RESOURCE = (
    "Listing domains and file systems, and describing groups, have no resource to name (Service "
    "Authorization Reference); what is changed is named by its tag or its VPC."
)
_MADE_BY_SAGEMAKER = (
    "SageMaker makes the file system, its mount targets and their groups, under ids that no template knows; "
    "the condition names its tag, or the VPC."
)
_APPS_OF_THE_DOMAIN = (
    "People start and name the apps; the domain and the beginning of their spaces' names are given."
)

#: What rules say of people's work that goes with its stack, and why it may.
RETAINED = "SecureMl::SageMakerWorkspaceRetained"
MAY_GO = (
    "The app says twice that people's work here may be lost: by the argument and by the context flag "
    "secure-ml:allow-data-loss. Apps and spaces are deleted in order."
)


class StudioCleanup(Construct):
    """Deletes apps before their spaces, and the network of a home file system after its domain. (S5)

    Made only where a domain's removal is asked for.

    Args:
        scope: The parent construct.
        id: The construct's id.
        perimeter: Gives the role its path and trust.
        keys: The key of its log group.
        network: Where the domain is.
        file_system: Whether the domain has a home file system.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        perimeter: DataPerimeter,
        keys: EnvironmentKeys,
        network: MlNetwork,
        file_system: bool,
    ) -> None:
        super().__init__(scope, id)
        self._perimeter = perimeter
        log = logs.CfnLogGroup(
            self, "Log", kms_key_id=keys.arn(KeyClass.LOGS), retention_in_days=_RETENTION_DAYS
        )
        log.apply_removal_policy(RemovalPolicy.RETAIN)
        statements = [allow("Log", ["logs:CreateLogStream", "logs:PutLogEvents"], log.attr_arn)]
        wildcards: dict[str, str] = {}
        if file_system:
            statements.extend(_network_statements(network, wildcards))
        policy = iam.CfnManagedPolicy(
            self, "Policy", path=perimeter.service_role_path, policy_document=document(statements)
        )
        role = iam.CfnRole(
            self,
            "Role",
            path=perimeter.service_role_path,
            # Lambda is not documented to send its source, and takes roles of its own account only.
            assume_role_policy_document=perimeter.service_trust_without_source("lambda.amazonaws.com"),
            managed_policy_arns=[policy.ref],
        )
        self._role_name = role.ref
        function = lambda_.CfnFunction(
            self,
            "Function",
            description="Secure ML Studio: clears away what stands in the way of a domain's deletion",
            code=lambda_.CfnFunction.CodeProperty(zip_file=source()),
            handler="index.handler",
            runtime=_RUNTIME,
            role=role.attr_arn,
            timeout=_TIMEOUT_SECONDS,
            logging_config=lambda_.CfnFunction.LoggingConfigProperty(log_group=log.ref, log_format="JSON"),
        )
        self._token = function.attr_arn
        self._after: CfnResource | None = None
        if file_system:
            place = {"VpcId": network.vpc_id, "SubnetIds": list(network.isolated_subnet_ids)}
            self._after = self._resource(self, "Network", "Custom::StudioNetwork", place)
        acknowledge_all(
            self,
            {
                **dict.fromkeys(standard_packs("LambdaInsideVPC"), OUTSIDE_NETWORK),
                **dict.fromkeys(standard_packs("LambdaConcurrency"), CALLED_SELDOM),
                **dict.fromkeys(standard_packs("LambdaDLQ"), CALLER_NOTICES),
            },
        )
        if wildcards:
            acknowledge_wildcards(policy, wildcards)

    def after(self, domain: CfnResource) -> None:
        """Have the network cleared once this domain is gone."""
        if self._after:
            domain.add_resource_dependency(self._after)

    def before(self, scope: Construct, *, domain_id: str, prefix: str, spaces: Iterable[CfnResource]) -> None:
        """Have the apps of spaces deleted before the spaces are.

        Args:
            scope: Where the spaces are.
            domain_id: Their domain.
            prefix: With what the spaces' names begin.
            spaces: The spaces.
        """
        apps = f"arn:{partition()}:sagemaker:{region()}:{account()}:app/{domain_id}/{prefix}*"
        policy = iam.CfnManagedPolicy(
            scope,
            "StopsApps",
            path=self._perimeter.service_role_path,
            roles=[self._role_name],
            policy_document=document(
                [allow("List", "sagemaker:ListApps"), allow("Delete", "sagemaker:DeleteApp", apps)]
            ),
        )
        acknowledge_wildcards(policy, {"*": _NO_RESOURCE, apps: _APPS_OF_THE_DOMAIN})
        which = {"DomainId": domain_id, "Prefix": prefix}
        stop = self._resource(scope, "Apps", "Custom::StudioApps", which)
        stop.add_resource_dependency(policy)
        for space in spaces:
            stop.add_resource_dependency(space)

    def _resource(self, scope: Construct, id: str, kind: str, given: Mapping[str, Any]) -> CfnResource:
        properties = {"ServiceToken": self._token, "ServiceTimeout": str(_TIMEOUT_SECONDS + 60), **given}
        return CfnResource(scope, id, type=kind, properties=properties)


def source() -> str:
    """Give the function's code."""
    return resources.files("secure_ml_constructs.runtime").joinpath("studio_cleanup.py").read_text()


def _network_statements(network: MlNetwork, wildcards: dict[str, str]) -> list[Statement]:
    systems = f"arn:{partition()}:elasticfilesystem:{region()}:{account()}:file-system/*"
    ec2 = f"arn:{partition()}:ec2:{region()}:{account()}"
    groups, interfaces = f"{ec2}:security-group/*", f"{ec2}:network-interface/*"
    domains = f"arn:{partition()}:sagemaker:{region()}:{account()}:domain/*"
    of_studio = {"StringLike": {"aws:ResourceTag/ManagedByAmazonSageMakerResource": domains}}
    here = {"ArnEquals": {"ec2:Vpc": f"{ec2}:vpc/{network.vpc_id}"}}
    wildcards.update({"*": _NO_RESOURCE, **dict.fromkeys((systems, groups, interfaces), _MADE_BY_SAGEMAKER)})
    look = (
        *("ec2:DescribeSecurityGroups", "elasticfilesystem:DescribeFileSystems"),
        *("elasticfilesystem:DescribeMountTargets", "sagemaker:ListDomains"),
    )
    revoke = ("ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress")
    return [
        allow("Look", look),
        allow("Unmount", "elasticfilesystem:DeleteMountTarget", systems, condition=of_studio),
        # EFS deletes the interface of a mount target with the caller's permission. (Amazon EFS API
        # Reference: DeleteMountTarget)
        allow("Interfaces", "ec2:DeleteNetworkInterface", interfaces, condition=here),
        allow("Groups", ("ec2:DeleteSecurityGroup", *revoke), groups, condition=here),
    ]
