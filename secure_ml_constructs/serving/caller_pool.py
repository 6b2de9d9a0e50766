"""The clients of a door that Cognito gives tokens to."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import RemovalPolicy
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from secure_ml_constructs._acknowledge import acknowledge
from secure_ml_constructs.serving.client_keys import client_id
from secure_ml_constructs.serving.door_auth import CognitoAuth
from secure_ml_constructs.serving.names import physical_name

__all__ = ["CallerPool"]

_RESERVED = ("amazon", "aws", "cognito")
_SCOPE = "predict"
_NOBODY_IN_IT = (
    "Nobody signs in to this pool: it gives tokens to programs by their own secret, and no user can be made "
    "but by an administrator. Threat protection looks at people's sign-ins."
)


class CallerPool(Construct):
    """Who may get a token for a door: one client each, of a pool of the door's own or of yours.

    It is made before the model, as a tenant's component has the name of its client's id.

    Ensures:
        G2: tokens for programs that know their client's secret, good for minutes, for this door alone.
        G11: each client is of one tenant.

    Args:
        scope: The parent construct.
        id: The construct's id.
        auth: The clients (`DoorAuth.cognito`, `DoorAuth.user_pool`).

    Example:
        >>> from secure_ml_constructs.serving.door_auth import DoorAuth
        >>> pool = CallerPool(stack, "Callers", auth=DoorAuth.cognito(clients=("partner-a",)))
        >>> names = pool.component_names
    """

    #: The pool's ARN.
    pool_arn: str
    #: What a token has to allow.
    scopes: tuple[str, ...]
    #: The id of each client.
    client_ids: Mapping[str, str]
    #: The first part of the address of tokens (`https://<prefix>.auth.<region>.amazoncognito.com`); empty for
    #: a pool of yours.
    token_prefix: str

    def __init__(self, scope: Construct, id: str, *, auth: CognitoAuth) -> None:
        super().__init__(scope, id)
        self._auth = auth
        self.pool_arn, self.scopes, self.client_ids = auth.pool_arn, auth.scopes, auth.client_ids
        self.token_prefix = ""
        if not auth.pool_arn:
            self._make(auth)

    @property
    def component_names(self) -> Mapping[str, str]:
        """The name of each tenant's component, for `ModelEndpoint`: its client's id."""
        return {tenant: self.client_ids[client] for client, tenant in self._auth.clients.items() if tenant}

    def _make(self, auth: CognitoAuth) -> None:
        pool = cognito.CfnUserPool(
            self,
            "Resource",
            admin_create_user_config=cognito.CfnUserPool.AdminCreateUserConfigProperty(
                allow_admin_create_user_only=True
            ),
            deletion_protection="ACTIVE",
            mfa_configuration="ON",
            enabled_mfas=["SOFTWARE_TOKEN_MFA"],
            policies=cognito.CfnUserPool.PoliciesProperty(
                password_policy=cognito.CfnUserPool.PasswordPolicyProperty(
                    minimum_length=16,
                    require_lowercase=True,
                    require_numbers=True,
                    require_symbols=True,
                    require_uppercase=True,
                )
            ),
        )
        pool.apply_removal_policy(RemovalPolicy.RETAIN)
        acknowledge(pool, "AwsSolutions::AwsSolutions-COG8", _NOBODY_IN_IT)
        name = physical_name(self, "door", longest=48)
        server = cognito.CfnUserPoolResourceServer(
            self,
            "Server",
            user_pool_id=pool.ref,
            identifier=name,
            name=name,
            scopes=[
                cognito.CfnUserPoolResourceServer.ResourceServerScopeTypeProperty(
                    scope_name=_SCOPE, scope_description="Ask the model"
                )
            ],
        )
        for word in _RESERVED:
            name = name.replace(word, "x")
        cognito.CfnUserPoolDomain(self, "Domain", user_pool_id=pool.ref, domain=name)
        self.pool_arn = pool.attr_arn
        self.scopes = (f"{server.ref}/{_SCOPE}",)
        self.token_prefix = name
        self.client_ids = {client: self._client(client, pool, auth).ref for client in auth.clients}

    def _client(self, name: str, pool: cognito.CfnUserPool, auth: CognitoAuth) -> cognito.CfnUserPoolClient:
        return cognito.CfnUserPoolClient(
            self,
            f"Client-{client_id(name) if '/' in name else name}",
            user_pool_id=pool.ref,
            client_name=name,
            generate_secret=True,
            allowed_o_auth_flows_user_pool_client=True,
            allowed_o_auth_flows=["client_credentials"],
            allowed_o_auth_scopes=list(self.scopes),
            # Left out, Cognito lets users sign in with a password as well.
            explicit_auth_flows=["ALLOW_REFRESH_TOKEN_AUTH"],
            prevent_user_existence_errors="ENABLED",
            enable_token_revocation=True,
            access_token_validity=auth.token_minutes,
            token_validity_units=cognito.CfnUserPoolClient.TokenValidityUnitsProperty(access_token="minutes"),
        )
