"""The function that sets what CloudFormation has no type for: one small Lambda without an asset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    NO_RESOURCE,
    OUTSIDE_NETWORK,
    acknowledge_all,
    standard_packs,
)
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.policy import Statement, allow, document, sub

_RUNTIME = "python3.14"
_RETENTION_DAYS = 365


class NetworkSettings(Construct):
    """The custom resources that close a default group, find prefix lists and look at what others made.

    Args:
        scope: The parent construct.
        id: The construct's id.
        perimeter: Gives the role its path and trust.
        logs_key_arn: The key of its log group.
        default_group: The id of the default security group to empty. Default: none.
        prefix_lists: The gateway services whose prefix lists to find. Default: none.
        isolated: A VPC's id and its subnets' ids; the deployment fails where the VPC is the default one or a
            subnet has a way out. Default: none.
        link: The id of a Direct Connect gateway; the deployment fails where a connection of its does not have
            to encrypt. Default: none.

    Attributes:
        prefix_lists: The prefix lists that are found, by service.
        link: What looks at the Direct Connect gateway; None where nothing does.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        perimeter: DataPerimeter,
        logs_key_arn: str,
        default_group: str | None = None,
        prefix_lists: Sequence[str] = (),
        isolated: tuple[str, Sequence[str]] | None = None,
        link: str | None = None,
    ) -> None:
        super().__init__(scope, id)
        log_group = logs.CfnLogGroup(self, "Log", kms_key_id=logs_key_arn, retention_in_days=_RETENTION_DAYS)
        log_group.apply_removal_policy(RemovalPolicy.RETAIN)
        policy = iam.CfnManagedPolicy(
            self,
            "Policy",
            policy_document=document(
                _statements(log_group.attr_arn, default_group, bool(prefix_lists), bool(isolated), bool(link))
            ),
        )
        role = iam.CfnRole(
            self,
            "Role",
            path=perimeter.service_role_path,
            # Lambda is not documented to send its source, and takes roles of its own account only.
            assume_role_policy_document=perimeter.service_trust_without_source("lambda.amazonaws.com"),
            managed_policy_arns=[policy.ref],
        )
        function = lambda_.CfnFunction(
            self,
            "Function",
            description="Secure ML network: closes the default security group, finds prefix lists",
            code=lambda_.CfnFunction.CodeProperty(zip_file=source()),
            handler="index.handler",
            runtime=_RUNTIME,
            role=role.attr_arn,
            timeout=60,
            logging_config=lambda_.CfnFunction.LoggingConfigProperty(
                log_group=log_group.ref, log_format="JSON"
            ),
        )
        self._token = function.attr_arn
        self.prefix_lists: Mapping[str, str] = self._find(prefix_lists) if prefix_lists else {}
        if default_group:
            # Beside the VPC and named as the CDK's own, so that who looks for that (rule packs do) finds it.
            place = Construct(scope, "RestrictDefaultSecurityGroupCustomResource")
            group = {"SecurityGroupId": default_group}
            self._resource(place, "Resource", "Custom::VpcRestrictDefaultSG", group)
        if isolated:
            network = {"VpcId": isolated[0], "SubnetIds": list(isolated[1])}
            self._resource(self, "Check", "Custom::IsolatedSubnets", network)
        self.link = (
            self._resource(self, "Link", "Custom::EncryptedLink", {"GatewayId": link}) if link else None
        )
        acknowledge_all(
            self,
            {
                "AwsSolutions::AwsSolutions-IAM5[Resource::*]": NO_RESOURCE,
                **dict.fromkeys(standard_packs("LambdaInsideVPC"), OUTSIDE_NETWORK),
                **dict.fromkeys(standard_packs("LambdaConcurrency"), CALLED_SELDOM),
                **dict.fromkeys(standard_packs("LambdaDLQ"), CALLER_NOTICES),
            },
        )

    def _find(self, services: Sequence[str]) -> dict[str, str]:
        # The prefix is com.amazonaws in every partition. (Amazon VPC: AWS-managed prefix lists)
        names = {service: sub(f"com.amazonaws.${{AWS::Region}}.{service}") for service in services}
        found = self._resource(self, "PrefixLists", "Custom::ManagedPrefixLists", {"Names": names})
        return {service: found.get_att(service).to_string() for service in services}

    def _resource(self, scope: Construct, id: str, kind: str, given: Mapping[str, Any]) -> CfnResource:
        # A function that does not even start is noticed after two minutes, not after an hour.
        properties = {"ServiceToken": self._token, "ServiceTimeout": "120", **given}
        return CfnResource(scope, id, type=kind, properties=properties)


def source() -> str:
    """Give the function's code.

    CloudFormation takes inline code up to a zip file of 4 MB. (AWS CloudFormation: AWS::Lambda::Function
    Code)
    """
    return resources.files("secure_ml_constructs.runtime").joinpath("network_settings.py").read_text()


def _statements(
    log_group_arn: str, default_group: str | None, prefix_lists: bool, isolated: bool, link: bool
) -> list[Statement]:
    look = []
    if default_group:
        look.append("ec2:DescribeSecurityGroups")
    if prefix_lists:
        look.append("ec2:DescribeManagedPrefixLists")
    if isolated:
        topics = ("RouteTables", "Subnets", "VpcAttribute", "Vpcs")
        look.extend(f"ec2:Describe{topic}" for topic in topics)
    if link:
        topics = ("Connections", "DirectConnectGatewayAttachments", "Lags", "VirtualInterfaces")
        look.extend(f"directconnect:Describe{topic}" for topic in topics)
    statements = [
        allow("Look", look),
        allow("Log", ("logs:CreateLogStream", "logs:PutLogEvents"), [log_group_arn]),
    ]
    if default_group:
        revoke = ("ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress")
        arn = "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:security-group/${Group}"
        statements.append(allow("CloseDefaultGroup", revoke, [{"Fn::Sub": [arn, {"Group": default_group}]}]))
    return statements
