"""The API of a door: what it takes, what it asks the model, and what it says when it refuses."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from aws_cdk import Stack
from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from secure_ml_constructs._acknowledge import acknowledge, acknowledge_all
from secure_ml_constructs._cdk import partition, region
from secure_ml_constructs.serving.front_door import Payloads
from secure_ml_constructs.serving.request_schema import model_schema

_Method = apigateway.CfnMethod
_Made = TypeVar("_Made")
COMPONENT_HEADER = "integration.request.header.X-Amzn-SageMaker-Inference-Component"
_CONTENT_TYPE = "method.request.header.Content-Type"
# Who calls, as the authorizer knows it, by the kind of authorization: captures hold it, and a watch tells
# callers apart by it. (Amazon API Gateway: "Data mapping source reference", context variables)
_CALLER_HEADER = "integration.request.header.X-Amzn-SageMaker-Custom-Attributes"
_CALLERS: Mapping[str, str] = {
    "AWS_IAM": "context.identity.userArn",
    "COGNITO_USER_POOLS": "context.authorizer.claims.client_id",
    "CUSTOM": "context.authorizer.principalId",
}
_NOT_VALIDATED = (
    "API Gateway validates JSON only. That this path is not validated at the door is in its name and its "
    "documentation, and the first container looks at what it gets."
)
_KNOWS_ITS_CALLERS = (
    "The rule knows Cognito alone. Every method asks for a signature of a role, or for a token that an "
    "authorizer checks, and for an API key."
)


def _say(text: str) -> str:
    return json.dumps({"message": text})


# Nothing of what stands behind the door: the answer that IAM gives by itself names roles and ARNs. The first
# two are for all that has none of its own: the status says what it was.
_REFUSALS: Mapping[str, tuple[str | None, str]] = {
    "DEFAULT_4XX": (None, _say("The request was refused.")),
    "DEFAULT_5XX": (None, _say("The request could not be answered.")),
    "QUOTA_EXCEEDED": ("429", _say("The quota of the day is used up.")),
    "REQUEST_TOO_LARGE": ("413", _say("The request is too large.")),
    "UNSUPPORTED_MEDIA_TYPE": ("415", _say("The content type is not taken here.")),
    # Amazon API Gateway Developer Guide, "Gateway responses": variables are filled in, and nothing else is
    # done. What the schema has against the body is the caller's own.
    "BAD_REQUEST_BODY": (
        "400",
        '{"message": "The request does not fit its schema.", '
        '"reason": "$context.error.validationErrorString"}',
    ),
    "BAD_REQUEST_PARAMETERS": ("400", '{"message": $context.error.messageString}'),
}
# SageMaker's answer by its status, as a pattern; what fits none is the first.
_ANSWERS: tuple[tuple[str | None, str, str], ...] = (
    (None, "502", "The model gives no answer."),
    ("400", "400", "The model does not take this request."),
    ("413", "413", "The request is too large."),
    # InvokeEndpoint, ModelError: the container answered with an error, of the caller's making or its own.
    ("424", "422", "The model could not answer this request."),
    ("429", "429", "Too many requests: try again later."),
    ("503", "503", "The model is busy: try again later."),
)


@dataclass(frozen=True, kw_only=True)
class Guard:
    """What a method asks of its callers.

    Attributes:
        authorization: The kind of authorization.
        authorizer_id: The authorizer, where it is not IAM.
        scopes: What a token has to allow.
    """

    authorization: str
    authorizer_id: str | None = None
    scopes: tuple[str, ...] = ()


class DoorApi(Construct):
    """A REST API straight in front of an endpoint of SageMaker.

    What is made by `add` is counted into its digest: when any of it changes, so does the deployment.

    Args:
        scope: The parent construct.
        id: The construct's id.
        properties: Those of the API.
    """

    def __init__(self, scope: Construct, id: str, **properties: Any) -> None:
        super().__init__(scope, id)
        self._recorded: list[Any] = []
        self._paths: dict[str, str] = {}
        self.resource = self.add(apigateway.CfnRestApi, "Resource", **properties)
        #: The API's id.
        self.api_id: str = self.resource.ref
        acknowledge(self.resource, "AwsSolutions::AwsSolutions-APIG2", _NOT_VALIDATED)
        for kind, (status, body) in _REFUSALS.items():
            self.add(
                apigateway.CfnGatewayResponse,
                "".join(part.capitalize() for part in kind.split("_")),
                rest_api_id=self.api_id,
                response_type=kind,
                status_code=status,
                response_templates={"application/json": body},
            )

    def add(self, kind: Callable[..., _Made], id: str, **properties: Any) -> _Made:
        """Make a part of the API.

        Args:
            kind: Its class.
            id: Its id.
            properties: Its properties.
        """
        self._recorded.append([id, properties])
        return kind(self, id, **properties)

    def digest(self) -> str:
        """Give a word that stands for all that the API is made of."""
        told = json.dumps(Stack.of(self).resolve(self._recorded), sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    def take(
        self, payloads: Payloads, guard: Guard, *, endpoint: str, role: str, components: Mapping[str, str]
    ) -> None:
        """Make the paths and methods.

        Args:
            payloads: What is taken.
            guard: What methods ask of their callers.
            endpoint: The endpoint's name.
            role: The ARN of the role that it is asked with.
            components: What is put into the header that names the component, by the first part of the path;
                under an empty text for paths without one.
        """
        uri = (
            f"arn:{partition()}:apigateway:{region()}:runtime.sagemaker:path/endpoints/{endpoint}/invocations"
        )
        ask = partial(_integration, uri=uri, credentials=role, caller=_CALLERS[guard.authorization])
        validator = partial(self.add, apigateway.CfnRequestValidator, rest_api_id=self.api_id)
        validators = {}
        if payloads.csv or payloads.binary:
            validators["headers"] = validator("Headers", validate_request_parameters=True).ref
        if payloads.json is not None:
            validators["body"] = validator(
                "Body", validate_request_body=True, validate_request_parameters=True
            ).ref
            self._model = self.add(
                apigateway.CfnModel,
                "Model",
                rest_api_id=self.api_id,
                content_type="application/json",
                schema=model_schema(payloads.json),
            ).ref
        for first, component in (components or {"": ""}).items():
            parent, name = self.resource.attr_root_resource_id, ""
            if first:
                name = "".join(part.capitalize() for part in first.split("-"))
                parent = self._path(f"Path{name}", parent, first)
            for path, content_type in payloads.paths.items():
                at, id = parent, name
                for part in path:
                    id += "".join(word.capitalize() for word in re.split(r"[^a-z0-9]+", part))
                    at = self._path(f"{id}Path", at, part)
                self._method(id, at, content_type, guard, validators, ask(path[0], content_type, component))

    def _path(self, id: str, parent: str, part: str) -> str:
        if id not in self._paths:
            made = self.add(
                apigateway.CfnResource, id, rest_api_id=self.api_id, parent_id=parent, path_part=part
            )
            self._paths[id] = made.ref
        return self._paths[id]

    def _method(
        self,
        id: str,
        path: str,
        content_type: str,
        guard: Guard,
        validators: Mapping[str, str],
        integration: apigateway.CfnMethod.IntegrationProperty,
    ) -> None:
        validated = content_type == "application/json"
        method = self.add(
            _Method,
            f"{id}Post",
            rest_api_id=self.api_id,
            resource_id=path,
            http_method="POST",
            authorization_type=guard.authorization,
            authorizer_id=guard.authorizer_id,
            authorization_scopes=list(guard.scopes) or None,
            api_key_required=True,
            request_validator_id=validators["body" if validated else "headers"],
            request_models={content_type: self._model} if validated else None,
            request_parameters={_CONTENT_TYPE: True},
            integration=integration,
            method_responses=_method_responses(),
        )
        reasons = {}
        if guard.authorization != "COGNITO_USER_POOLS":
            reasons["AwsSolutions::AwsSolutions-COG4"] = _KNOWS_ITS_CALLERS
        if not validated:
            reasons["SecureMl::ApiRequestValidated"] = _NOT_VALIDATED
        if reasons:
            acknowledge_all(method, reasons)


def _integration(
    kind: str, content_type: str, component: str, *, uri: str, credentials: str, caller: str
) -> apigateway.CfnMethod.IntegrationProperty:
    # Amazon API Gateway Developer Guide, "Set up request and response data mappings": of an integration that
    # is no proxy only those headers arrive that are mapped here: none of the client's choice.
    headers = {
        "integration.request.header.Content-Type": f"'{content_type}'",
        "integration.request.header.Accept": "'text/csv'" if kind == "csv" else "'application/json'",
        _CALLER_HEADER: caller,
    }
    if component:
        headers[COMPONENT_HEADER] = component
    return _Method.IntegrationProperty(
        type="AWS",
        integration_http_method="POST",
        uri=uri,
        credentials=credentials,
        request_parameters=headers,
        # Integration, passthroughBehavior: with NEVER a type without a template gets 415. Bytes go through
        # no template, so that a path that takes them can't have one.
        passthrough_behavior="WHEN_NO_TEMPLATES" if kind == "binary" else "NEVER",
        request_templates=None if kind == "binary" else {content_type: "$input.body"},
        integration_responses=[
            _Method.IntegrationResponseProperty(
                status_code="200",
                selection_pattern="2\\d{2}",
                response_parameters={
                    "method.response.header.Content-Type": "integration.response.header.Content-Type",
                    "method.response.header.Cache-Control": "'no-store'",
                },
            ),
            *(
                _Method.IntegrationResponseProperty(
                    status_code=status,
                    selection_pattern=pattern,
                    response_templates={"application/json": _say(text)},
                )
                for pattern, status, text in _ANSWERS
            ),
        ],
    )


def _method_responses() -> list[apigateway.CfnMethod.MethodResponseProperty]:
    headers = {"method.response.header.Content-Type": True, "method.response.header.Cache-Control": True}
    return [
        _Method.MethodResponseProperty(status_code="200", response_parameters=dict(headers)),
        *(_Method.MethodResponseProperty(status_code=status) for _, status, _ in _ANSWERS),
    ]
