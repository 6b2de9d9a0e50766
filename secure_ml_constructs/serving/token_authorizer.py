"""The function that checks tokens for a door."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aws_cdk import CfnResource, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from secure_ml_constructs._acknowledge import acknowledge, acknowledge_all, standard_packs
from secure_ml_constructs._cdk import account
from secure_ml_constructs._function_code import ARCHITECTURE, RUNTIME, packed
from secure_ml_constructs.identity import RoleFoundation
from secure_ml_constructs.key_uses import KeyClass
from secure_ml_constructs.policy import allow, document
from secure_ml_constructs.serving.client_keys import ClientKeySecret, client_id
from secure_ml_constructs.serving.door_auth import JwtAuth

_LEEWAY_SECONDS = 30
_BY_THE_DOOR = (
    "The door calls it, which is throttled, and keeps each answer for minutes. Reserving concurrency would "
    "take it from the account's pool, and fails in accounts whose limit is the initial ten."
)
_WAITED_FOR = (
    "API Gateway waits for its answer and lets nobody through without one. A dead-letter queue is for calls "
    "that nobody waits for."
)
_INTERFACES = (
    "EC2's actions on network interfaces name none before Lambda has made it (Amazon EC2: Lambda execution "
    "role for a function in a VPC)."
)


class TokenAuthorizer(Construct):
    """Checks tokens from within the network, and gives each caller its client's key and component.

    Ensures:
        G2: issuer, audience, times, signature and scopes of each token.
        G3: the key that is counted on is the caller's, whatever it sends.
        G11: the component is that of the client's tenant.

    Args:
        scope: The parent construct.
        id: The construct's id.
        foundation: What the environment's roles share.
        auth: What a token has to be.
        components: The component of each tenant; none where the model is everybody's.
    """

    #: The function's ARN.
    function_arn: str
    #: Its name, for alarms.
    function_name: str
    #: The ARN of the secret with each client's key.
    secrets: Mapping[str, str]

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        foundation: RoleFoundation,
        auth: JwtAuth,
        components: Mapping[str, str],
    ) -> None:
        super().__init__(scope, id)
        perimeter, keys, network = foundation.perimeter, foundation.keys, foundation.network
        self._log = logs.CfnLogGroup(self, "Log", kms_key_id=keys.arn(KeyClass.LOGS), retention_in_days=365)
        self._log.apply_removal_policy(RemovalPolicy.RETAIN)
        ready = self._starting(foundation)
        role = iam.CfnRole(
            self,
            "Role",
            path=perimeter.role_path,
            # Lambda is not documented to send its source, and takes roles of its own account only.
            assume_role_policy_document=perimeter.service_trust_without_source("lambda.amazonaws.com"),
            permissions_boundary=foundation.boundary.arn,
            managed_policy_arns=[ready.ref],
        )
        self.secrets = {
            client: ClientKeySecret(
                self,
                f"Key{client_id(client)}",
                perimeter=perimeter,
                key=keys.arn(KeyClass.SECRETS),
                endpoint=network.endpoint_ids["secretsmanager"],
                reader=role.attr_arn,
            ).arn
            for client in auth.clients
        }
        reads = self._reading(foundation, auth, role.ref)
        clients = {
            client: {
                "key": self.secrets[client],
                **({"component": components[tenant]} if tenant in components else {}),
            }
            for client, tenant in auth.clients.items()
        }
        where = auth.keys
        if auth.key_zone:
            where = f"{foundation.lake.zone_uri(auth.key_zone)}{auth.key_path}"
        function = lambda_.CfnFunction(
            self,
            "Function",
            description="Checks the tokens of a door",
            code=packed(self, "Code", "jwt_authorizer"),
            handler="jwt_authorizer.handler",
            runtime=RUNTIME,
            architectures=[ARCHITECTURE],
            role=role.attr_arn,
            timeout=10,
            memory_size=512,
            environment=lambda_.CfnFunction.EnvironmentProperty(
                variables={
                    "ISSUER": auth.issuer,
                    "AUDIENCE": json.dumps(auth.audience),
                    "ALGORITHMS": json.dumps(auth.algorithms),
                    "SCOPES": json.dumps(auth.scopes),
                    "CLIENT_CLAIM": auth.client_claim,
                    "CLIENTS": json.dumps(clients),
                    "KEYS": where,
                    "LEEWAY": str(_LEEWAY_SECONDS),
                }
            ),
            kms_key_arn=keys.arn(KeyClass.SECRETS),
            logging_config=lambda_.CfnFunction.LoggingConfigProperty(
                log_group=self._log.ref, log_format="JSON"
            ),
            vpc_config=lambda_.CfnFunction.VpcConfigProperty(
                subnet_ids=list(network.isolated_subnet_ids),
                security_group_ids=[network.workload_security_group_id],
            ),
        )
        for each in (ready, reads):
            function.add_resource_dependency(each)
        self.function_arn, self.function_name = function.attr_arn, function.ref
        acknowledge_all(
            self,
            {
                **dict.fromkeys(standard_packs("LambdaConcurrency"), _BY_THE_DOOR),
                "SecureMl::LambdaConcurrencyBounded": _BY_THE_DOOR,
                **dict.fromkeys(standard_packs("LambdaDLQ"), _WAITED_FOR),
            },
        )

    def let_in(self, authorizer_arn: str) -> CfnResource:
        """Let API Gateway ask it, for one authorizer.

        Args:
            authorizer_arn: The authorizer's ARN.
        """
        return lambda_.CfnPermission(
            self,
            "Permission",
            action="lambda:InvokeFunction",
            function_name=self.function_name,
            principal="apigateway.amazonaws.com",
            source_account=account(),
            source_arn=authorizer_arn,
        )

    def _starting(self, foundation: RoleFoundation) -> iam.CfnManagedPolicy:
        interfaces = (
            *("ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"),
            *("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses"),
        )
        policy = iam.CfnManagedPolicy(
            self,
            "Starting",
            path=foundation.perimeter.role_path,
            policy_document=document(
                [
                    allow("Log", ("logs:CreateLogStream", "logs:PutLogEvents"), self._log.attr_arn),
                    allow("Interfaces", interfaces),
                ]
            ),
        )
        acknowledge(policy, "AwsSolutions::AwsSolutions-IAM5[Resource::*]", _INTERFACES)
        return policy

    def _reading(self, foundation: RoleFoundation, auth: JwtAuth, role: str) -> iam.CfnManagedPolicy:
        keys, lake = foundation.keys, foundation.lake
        used = [keys.arn(KeyClass.SECRETS)]
        statements = [
            allow("ClientKeys", "secretsmanager:GetSecretValue", list(self.secrets.values())),
        ]
        if auth.key_zone:
            used.append(keys.arn(lake.zones[auth.key_zone].key_class))
            place = f"{lake.zone_arn(auth.key_zone)}{auth.key_path}"
            statements.append(allow("IssuersKeys", "s3:GetObject", place))
        statements.append(allow("Decrypt", "kms:Decrypt", list(dict.fromkeys(used))))
        return iam.CfnManagedPolicy(
            self,
            "Reading",
            path=foundation.perimeter.role_path,
            roles=[role],
            policy_document=document(statements),
        )
