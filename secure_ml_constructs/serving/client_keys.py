"""The API keys of a door's clients, and what each of them may use."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping

from aws_cdk import RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from secure_ml_constructs._acknowledge import acknowledge, standard_packs
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.policy import Document, deny, document
from secure_ml_constructs.serving.throttle import Throttle

_READING = ("secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue")
_CHANGING = (
    "secretsmanager:CancelRotateSecret",
    "secretsmanager:DeleteResourcePolicy",
    "secretsmanager:DeleteSecret",
    "secretsmanager:PutResourcePolicy",
    "secretsmanager:PutSecretValue",
    "secretsmanager:RemoveRegionsFromReplication",
    "secretsmanager:ReplicateSecretToRegions",
    "secretsmanager:RotateSecret",
    "secretsmanager:StopReplicationToReplica",
    "secretsmanager:UpdateSecret",
    "secretsmanager:UpdateSecretVersionStage",
)
_NOT_ROTATED = (
    "It says which client's quota a request is counted on, and opens nothing: callers never have it, and "
    "API Gateway takes its value when the key is made. A client with another name gets another."
)


class ClientKeySecret(Construct):
    """The value of an API key that the authorizer gives in its client's place.

    CloudFormation reads it when it makes the key, the authorizer when it has let a caller through.

    Ensures:
        G3: a key that its client does not hold can't be lent to another.
        I8: under the customer key, read by two roles.

    Args:
        scope: The parent construct.
        id: The construct's id.
        perimeter: Who deploys and administers.
        key: The ARN of the key of secrets.
        endpoint: The id of the VPC endpoint for Secrets Manager.
        reader: The authorizer's role.
    """

    #: The secret's ARN.
    arn: str

    def __init__(
        self, scope: Construct, id: str, *, perimeter: DataPerimeter, key: str, endpoint: str, reader: str
    ) -> None:
        super().__init__(scope, id)
        secret = secretsmanager.CfnSecret(
            self,
            "Resource",
            kms_key_id=key,
            generate_secret_string=secretsmanager.CfnSecret.GenerateSecretStringProperty(
                password_length=40, exclude_punctuation=True
            ),
        )
        secret.apply_removal_policy(RemovalPolicy.RETAIN)
        self.arn = secret.ref
        secretsmanager.CfnResourcePolicy(
            self,
            "Policy",
            secret_id=self.arn,
            block_public_policy=True,
            resource_policy=_policy(perimeter, endpoint, reader),
        ).apply_removal_policy(RemovalPolicy.RETAIN)
        acknowledge(
            secret,
            (
                "AwsSolutions::AwsSolutions-SMG4",
                "SecureMl::SecretRotated",
                *standard_packs("SecretsManagerRotationEnabled"),
            ),
            _NOT_ROTATED,
        )


def _policy(perimeter: DataPerimeter, endpoint: str, reader: str) -> Document:
    # CloudFormation resolves dynamic references with the deploying role, from its own network.
    deploying = perimeter.deploying_roles
    return document(
        [
            perimeter.deny_outsiders("secretsmanager:*", "*"),
            perimeter.deny_foreign_networks(_READING, "*", endpoints=[endpoint], also=deploying),
            deny(
                "DenyReading",
                _READING,
                condition=perimeter.not_roles((reader, *deploying, *perimeter.break_glass_roles)),
            ),
            perimeter.deny_administration(_CHANGING, "*"),
        ]
    )


class UsagePlan(Construct):
    """A key for each client, with a rate, a burst and a quota of its own.

    Amazon API Gateway Developer Guide, "Usage plans and API keys for REST APIs": limits of a plan count for
    each key by itself, so that one plan serves all clients. A key is no authentication.

    Ensures:
        G3: rate, burst and quota for each client.

    Args:
        scope: The parent construct.
        id: The construct's id.
        stage: The stage.
        throttle: What each client may ask.
        clients: The clients.
        secrets: The secret that holds the value of a client's key; where there is none, API Gateway makes it.
    """

    #: The id of each client's key.
    key_ids: Mapping[str, str]

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stage: apigateway.CfnStage,
        throttle: Throttle,
        clients: Iterable[str],
        secrets: Mapping[str, str],
    ) -> None:
        super().__init__(scope, id)
        plan = apigateway.CfnUsagePlan(
            self,
            "Resource",
            api_stages=[apigateway.CfnUsagePlan.ApiStageProperty(api_id=stage.rest_api_id, stage=stage.ref)],
            throttle=apigateway.CfnUsagePlan.ThrottleSettingsProperty(
                rate_limit=throttle.rate, burst_limit=throttle.burst
            ),
            quota=apigateway.CfnUsagePlan.QuotaSettingsProperty(limit=throttle.daily_quota, period="DAY"),
        )
        self.key_ids = {}
        for client in clients:
            name = client_id(client)
            value = f"{{{{resolve:secretsmanager:{secrets[client]}:SecretString}}}}" if secrets else None
            key = apigateway.CfnApiKey(
                self, f"Key{name}", description=f"Client {client}", enabled=True, value=value
            )
            apigateway.CfnUsagePlanKey(
                self, f"Use{name}", key_id=key.ref, key_type="API_KEY", usage_plan_id=plan.ref
            )
            self.key_ids[client] = key.ref


def client_id(client: str) -> str:
    """Give the part of a construct's id that stands for a client.

    Args:
        client: Its name, which may hold what an id does not.
    """
    words = "".join(part.capitalize() for part in re.split(r"[^A-Za-z0-9]+", client))
    return f"{words}{hashlib.sha256(client.encode()).hexdigest()[:6]}"
