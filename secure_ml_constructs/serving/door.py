"""The front door of a model: an API that knows, counts and checks its callers before the model hears them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from constructs import Construct

from secure_ml_constructs._acknowledge import acknowledge_wildcards
from secure_ml_constructs._cdk import account, child_path, partition, region
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.key_uses import KeyClass
from secure_ml_constructs.policy import Document, Statement, allow, document
from secure_ml_constructs.serving.caller_pool import CallerPool
from secure_ml_constructs.serving.client_keys import UsagePlan
from secure_ml_constructs.serving.door_api import DoorApi, Guard
from secure_ml_constructs.serving.door_auth import CognitoAuth, IamAuth, JwtAuth
from secure_ml_constructs.serving.door_checks import check_door, check_pool
from secure_ml_constructs.serving.door_domain import TLS_12, private_domain, regional_domain
from secure_ml_constructs.serving.door_stage import STAGE, DoorStage
from secure_ml_constructs.serving.front_door import FrontDoor
from secure_ml_constructs.serving.model_endpoint import ModelEndpoint
from secure_ml_constructs.serving.names import physical_name
from secure_ml_constructs.serving.token_authorizer import TokenAuthorizer

__all__ = ["Door"]

_ANYTHING = "execute-api:/*"
# API Gateway keeps an answer this long whatever the token says: as long may an expired one still be good.
_CACHED_SECONDS = 60
_EVERY_METHOD = "Every path of one door, or of one tenant, all of which ask the same model."


class Door(Construct):
    """The only way to a model for those who ask it: a REST API straight in front of the SageMaker runtime.

    Its paths are `POST /json`, `/csv` and `/binary`; with IAM and several tenants `POST /<tenant>/json` and
    so on. Each request carries an API key in `x-api-key`, save where a token of an issuer says whose it is.

    Ensures:
        G2: a signature or a token for each request, and no Lambda on the way to the model.
        G3: an API key for each request, with rate, burst and quota of its client.
        G5: JSON held to its schema; 400 with the reason, 413, 415; the model's errors tell nothing.
        G6: who asked for what and what came of it, in an encrypted log; no bodies.
        G7: the network's endpoint only, or regional; headers that callers send never reach the runtime.
        G11: a caller's role or token is what names the component.

    Args:
        scope: The parent construct.
        id: The construct's id.
        door: Where it stands, whom it knows, what it takes.
        endpoint: The model behind it.
        pool: The clients in Cognito, where the door knows its callers so.

    Raises:
        ConfigurationError: Clients of tenants that the model does not have, keys of an issuer that the
            network can't reach.

    Example:
        >>> from secure_ml_constructs.detection.alarms import Alerts
        >>> from secure_ml_constructs.serving.door_auth import DoorAuth
        >>> from secure_ml_constructs.serving.door_firewall import DoorFirewall
        >>> from secure_ml_constructs.serving.front_door import Payloads
        >>> endpoint = ModelEndpoint(
        ...     stack, "Risk", foundation=foundation, model=model, alerts=Alerts(high=topic)
        ... )
        >>> door = Door(
        ...     stack,
        ...     "Door",
        ...     door=FrontDoor.regional(
        ...         auth=DoorAuth.iam(), payloads=Payloads(csv=True), firewall=DoorFirewall()
        ...     ),
        ...     endpoint=endpoint,
        ... )
        >>> door.grant_invoke(role)
    """

    #: The API's id.
    api_id: str
    #: Its name, under which it is measured.
    api_name: str
    #: The stage, which a web application firewall is associated with, and which needs the account's log role.
    stage: apigateway.CfnStage
    #: The stage's ARN.
    stage_arn: str
    #: The access log's name and ARN.
    access_log_name: str
    access_log_arn: str
    #: The id of each client's API key.
    key_ids: Mapping[str, str]
    #: The name of the authorizer's function; empty where tokens are not checked by one.
    authorizer_name: str
    #: The ARN of the role that the model is asked with.
    role_arn: str

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        door: FrontDoor,
        endpoint: ModelEndpoint,
        pool: CallerPool | None = None,
    ) -> None:
        problems = Problems()
        check_door(problems, door, endpoint.foundation, tuple(endpoint.components))
        if isinstance(door.auth, CognitoAuth):
            check_pool(problems, door.auth, pool, endpoint.components)
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        self._door, self._endpoint = door, endpoint
        self._network = endpoint.foundation.network
        # CloudWatch has the metrics of an API under its name, which another may not have.
        self.api_name = physical_name(self, id, longest=128)
        self.role_arn = self._add_role()
        self._api = DoorApi(self, "Api", **self._properties())
        self.api_id = self._api.api_id
        self._arn = f"arn:{partition()}:execute-api:{region()}:{account()}:{self.api_id}"
        self.authorizer_name = ""
        secrets: Mapping[str, str] = {}
        if isinstance(door.auth, JwtAuth):
            checks = TokenAuthorizer(
                self,
                "Tokens",
                foundation=endpoint.foundation,
                auth=door.auth,
                components=endpoint.components,
            )
            self.authorizer_name, secrets = checks.function_name, checks.secrets
            guard = self._by_function(checks)
        elif isinstance(door.auth, CognitoAuth) and pool is not None:
            guard = self._by_pool(pool)
        else:
            guard = Guard(authorization="AWS_IAM")
        self._api.take(
            door.payloads,
            guard,
            endpoint=endpoint.endpoint_name,
            role=self.role_arn,
            components=self._components(),
        )
        made = DoorStage(
            self,
            "Stage",
            api=self._api,
            logs_key=endpoint.foundation.keys.arn(KeyClass.LOGS),
            limits=door.throttle.of_all(clients=len(door.auth.clients)),
            unprotected=door.is_private and door.firewall is None,
        )
        self.stage, self.stage_arn = made.resource, made.arn
        self.access_log_name, self.access_log_arn = made.access_log_name, made.access_log_arn
        self.key_ids = UsagePlan(
            self,
            "Usage",
            stage=self.stage,
            throttle=door.throttle,
            clients=door.auth.clients,
            secrets=secrets,
        ).key_ids
        self._add_domain()

    @cached_property
    def url(self) -> str:
        """Its address, with the slash at its end."""
        if self._door.domain:
            return f"https://{self._door.domain.name}/"
        return f"https://{self.api_id}.execute-api.{region()}.{self._api.resource.stack.url_suffix}/{STAGE}/"

    def grant_invoke(self, role: iam.IRole, *, tenant: str | None = None) -> None:
        """Let a role ask the model through the door. (G2)

        Args:
            role: The role.
            tenant: The tenant whose model it asks; needed where there are tenants.

        Raises:
            ConfigurationError: A door that knows its callers by tokens, no such tenant, or none named.
        """
        tenants = tuple(self._endpoint.components)
        problems = Problems()
        if not isinstance(self._door.auth, IamAuth):
            reason = "The door knows its callers by tokens, which no permission of a role stands for."
            problems.add("role", str(role), reason, "Give the client a token, or use DoorAuth.iam().")
        elif tenants and tenant not in tenants:
            problems.add(
                "tenant",
                tenant,
                "A role asks the model of one tenant, which this is none of.",
                f"Write one of {', '.join(tenants)}.",
            )
        elif tenant is not None and not tenants:
            problems.add("tenant", tenant, "The model is everybody's.", "Leave it out.")
        problems.raise_if_any(self.node.path)
        methods = f"{self._arn}/{STAGE}/POST/{f'{tenant}/' if tenant else ''}*"
        scope = role if isinstance(role, Construct) else self
        policy = iam.CfnManagedPolicy(
            scope,
            f"Asks{self.node.addr[-8:]}{(tenant or '').title().replace('-', '')}",
            path=self._endpoint.foundation.perimeter.role_path,
            roles=[role.role_name],
            policy_document=document([allow("Ask", "execute-api:Invoke", methods)]),
        )
        acknowledge_wildcards(policy, {methods: _EVERY_METHOD})

    # -- the API -------------------------------------------------------------------------------------

    def _properties(self) -> dict[str, Any]:
        door, private = self._door, self._door.is_private
        endpoint = self._network.require_endpoint("execute-api") if private else None
        return {
            "name": self.api_name,
            "endpoint_configuration": apigateway.CfnRestApi.EndpointConfigurationProperty(
                types=["PRIVATE" if private else "REGIONAL"],
                vpc_endpoint_ids=[endpoint] if endpoint else None,
            ),
            "policy": self._policy(endpoint) if endpoint else None,
            "binary_media_types": list(door.payloads.binary) or None,
            "api_key_source_type": "AUTHORIZER" if isinstance(door.auth, JwtAuth) else "HEADER",
            "disable_execute_api_endpoint": door.domain is not None,
            # Without one a regional API speaks TLS 1.0 as well ("Supported security policies").
            "security_policy": door.domain.security_policy if door.domain else TLS_12,
            "endpoint_access_mode": "STRICT",
        }

    def _policy(self, endpoint: str) -> Document:
        """What a private API needs to be called at all, and by no other endpoint.

        "How API Gateway resource policies affect authorization workflow": with IAM, in one account, what the
        role is allowed is enough beside a policy that does not deny it; with tokens both have to agree.
        """
        door, perimeter = self._door, self._endpoint.foundation.perimeter
        statements: list[Statement] = []
        if not isinstance(door.auth, IamAuth):
            statements.append(allow("ByToken", "execute-api:Invoke", _ANYTHING, principal="*"))
        elif door.callers:
            named = perimeter.roles(door.callers)
            statements.append(
                allow("Callers", "execute-api:Invoke", _ANYTHING, principal="*", condition=named)
            )
        statements.append(
            perimeter.deny_other_endpoints("execute-api:Invoke", _ANYTHING, endpoints=[endpoint])
        )
        return document(statements)

    def _add_role(self) -> str:
        """The role that API Gateway asks the model with, from AWS's own network: it can do nothing else."""
        endpoint, foundation = self._endpoint, self._endpoint.foundation
        perimeter = foundation.perimeter
        head = f"arn:{partition()}:sagemaker:{region()}:{account()}:inference-component"
        asked = [endpoint.endpoint_arn, *(f"{head}/{name}" for name in endpoint.components.values())]
        policy = iam.CfnManagedPolicy(
            self,
            "AsksModel",
            path=perimeter.service_role_path,
            policy_document=document([allow("Ask", "sagemaker:InvokeEndpoint", asked)]),
        )
        return iam.CfnRole(
            self,
            "Role",
            path=perimeter.service_role_path,
            # API Gateway is not documented to send its source, and takes roles of its own account only.
            assume_role_policy_document=perimeter.service_trust_without_source("apigateway.amazonaws.com"),
            permissions_boundary=foundation.boundary.arn,
            managed_policy_arns=[policy.ref],
        ).attr_arn

    def _by_pool(self, pool: CallerPool) -> Guard:
        made = self._api.add(
            apigateway.CfnAuthorizer,
            "Authorizer",
            name="tokens",
            rest_api_id=self.api_id,
            type="COGNITO_USER_POOLS",
            identity_source="method.request.header.Authorization",
            provider_arns=[pool.pool_arn],
        )
        return Guard(authorization="COGNITO_USER_POOLS", authorizer_id=made.ref, scopes=pool.scopes)

    def _by_function(self, checks: TokenAuthorizer) -> Guard:
        made = self._api.add(
            apigateway.CfnAuthorizer,
            "Authorizer",
            name="tokens",
            rest_api_id=self.api_id,
            type="REQUEST",
            identity_source="method.request.header.Authorization",
            authorizer_result_ttl_in_seconds=_CACHED_SECONDS,
            authorizer_uri=f"arn:{partition()}:apigateway:{region()}:lambda:path/2015-03-31/functions/"
            f"{checks.function_arn}/invocations",
        )
        self._permission = checks.let_in(f"{self._arn}/authorizers/{made.ref}")
        return Guard(authorization="CUSTOM", authorizer_id=made.ref)

    def _components(self) -> Mapping[str, str]:
        """What names the component, by the first part of the path: never anything that the caller sends."""
        components = self._endpoint.components
        if not components:
            return {}
        match self._door.auth:
            case JwtAuth():
                return {"": "context.authorizer.component"}
            case CognitoAuth():
                return {"": "context.authorizer.claims.client_id"}
        return {tenant: f"'{name}'" for tenant, name in components.items()}

    def _add_domain(self) -> None:
        door, foundation = self._door, self._endpoint.foundation
        if door.domain is None:
            return
        if door.is_private:
            private_domain(
                self,
                door.domain,
                perimeter=foundation.perimeter,
                network=self._network,
                stage=self.stage,
            )
            return
        truststore = None
        if door.mutual_tls:
            place = f"{foundation.lake.zone_uri(door.mutual_tls.zone)}{door.mutual_tls.path}"
            truststore = (place, door.mutual_tls.version)
        regional_domain(self, door.domain, truststore=truststore, stage=self.stage)
