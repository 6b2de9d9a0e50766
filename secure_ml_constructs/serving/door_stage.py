"""The stage of a door: what is deployed, how fast, and what is written of it."""

from __future__ import annotations

import json
from typing import Any

from aws_cdk import RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_logs as logs
from constructs import Construct

from secure_ml_constructs._acknowledge import acknowledge_all, standard_packs
from secure_ml_constructs._cdk import account, partition, region
from secure_ml_constructs.policy import Document, sub
from secure_ml_constructs.serving.door_api import DoorApi

#: The name of the stage: the first part of the path where the door has no name of its own.
STAGE = "live"
# Amazon API Gateway Developer Guide, "Variables for access logging".
_ACCESS_LOG = {
    "requestId": "$context.requestId",
    "extendedRequestId": "$context.extendedRequestId",
    "ip": "$context.identity.sourceIp",
    "caller": "$context.identity.caller",
    "user": "$context.identity.user",
    "userArn": "$context.identity.userArn",
    "principal": "$context.authorizer.principalId",
    "client": "$context.authorizer.claims.client_id",
    "apiKeyId": "$context.identity.apiKeyId",
    "vpcEndpoint": "$context.identity.vpceId",
    "requestTime": "$context.requestTime",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "protocol": "$context.protocol",
    "tls": "$context.tlsVersion",
    "status": "$context.status",
    "responseLength": "$context.responseLength",
    "latency": "$context.responseLatency",
    "integrationStatus": "$context.integration.status",
    "integrationLatency": "$context.integration.latency",
    "authorizerStatus": "$context.authorizer.status",
    "error": "$context.error.responseType",
    "wafResult": "$context.wafResponseCode",
    "wafStatus": "$context.waf.status",
    "webAcl": "$context.webaclArn",
}
# Amazon CloudWatch Logs User Guide, "Types of data that you can protect". Addresses of the network are not
# among them: who asks how often, and from where, is what the log is for.
_MASKED = ("EmailAddress", "CreditCardNumber", "AwsSecretKey", "Name", "Address")
_NO_CACHE = (
    "A cache would give one caller's prediction to another, and keep it. There is none, so that there is "
    "nothing to encrypt."
)
_AWS_BEHIND = (
    "A client certificate proves the gateway to a server of one's own behind it. Behind this one is a "
    "service of AWS, which knows the request by its signature."
)
_NETWORK_ONLY = (
    "The door is private: the internet does not reach it, and its policy denies every endpoint but the "
    "network's own. What asks it has passed the network's walls and carries a signature or a token."
)

_FIREWALLED = (
    "AwsSolutions::AwsSolutions-APIG3",
    "NIST.800.53.R5::NIST.800.53.R5-APIGWAssociatedWithWAF",
    "PCI.DSS.321::PCI.DSS.321-APIGWAssociatedWithWAF",
)


class DoorStage(Construct):
    """What callers reach of an API: deployed anew whenever the API changes.

    Ensures:
        G3: a rate and a burst for all clients together.
        G6: an access log and a log of errors, both under the customer key and neither with bodies.

    Args:
        scope: The parent construct.
        id: The construct's id.
        api: The whole API.
        logs_key: The ARN of the key of logs.
        limits: Rate and burst of all clients together.
        unprotected: Whether no web application firewall is asked for, as a private door needs none.
    """

    #: The stage.
    resource: apigateway.CfnStage
    #: Its ARN.
    arn: str
    #: The access log's name.
    access_log_name: str
    #: The access log's ARN.
    access_log_arn: str

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        api: DoorApi,
        logs_key: str,
        limits: tuple[int, int],
        unprotected: bool,
    ) -> None:
        super().__init__(scope, id)
        self._logs_key = logs_key
        rate, burst = limits
        deployment = apigateway.CfnDeployment(self, f"Deployment{api.digest()}", rest_api_id=api.api_id)
        # A deployment is a picture of what is there at that moment.
        deployment.node.add_dependency(api)
        log = self._log("AccessLog", data_protection_policy=_data_protection())
        # API Gateway would make the other one by itself, under no key of ours.
        errors = self._log("ErrorLog", log_group_name=f"API-Gateway-Execution-Logs_{api.api_id}/{STAGE}")
        self.access_log_name = log.ref
        self.access_log_arn = f"arn:{partition()}:logs:{region()}:{account()}:log-group:{log.ref}"
        self.arn = f"arn:{partition()}:apigateway:{region()}::/restapis/{api.api_id}/stages/{STAGE}"
        self.resource = apigateway.CfnStage(
            self,
            "Resource",
            rest_api_id=api.api_id,
            deployment_id=deployment.ref,
            stage_name=STAGE,
            access_log_setting=apigateway.CfnStage.AccessLogSettingProperty(
                destination_arn=self.access_log_arn, format=json.dumps(_ACCESS_LOG)
            ),
            tracing_enabled=True,
            method_settings=[
                apigateway.CfnStage.MethodSettingProperty(
                    http_method="*",
                    resource_path="/*",
                    logging_level="ERROR",
                    data_trace_enabled=False,
                    metrics_enabled=True,
                    throttling_rate_limit=rate,
                    throttling_burst_limit=burst,
                )
            ],
        )
        self.resource.add_resource_dependency(errors)
        reasons = {
            **dict.fromkeys(standard_packs("APIGWCacheEnabledAndEncrypted"), _NO_CACHE),
            **dict.fromkeys(standard_packs("APIGWSSLEnabled"), _AWS_BEHIND),
        }
        if unprotected:
            reasons.update(dict.fromkeys(_FIREWALLED, _NETWORK_ONLY))
        acknowledge_all(self.resource, reasons)

    def _log(self, id: str, **properties: Any) -> logs.CfnLogGroup:
        made = logs.CfnLogGroup(self, id, kms_key_id=self._logs_key, retention_in_days=365, **properties)
        made.apply_removal_policy(RemovalPolicy.RETAIN)
        return made


def _data_protection() -> Document:
    identifiers = [
        sub(f"arn:${{AWS::Partition}}:dataprotection::aws:data-identifier/{each}") for each in _MASKED
    ]
    return {
        "Name": "personal-data",
        "Version": "2021-06-01",
        "Statement": [
            {
                "Sid": "Audit",
                "DataIdentifier": identifiers,
                "Operation": {"Audit": {"FindingsDestination": {}}},
            },
            {"Sid": "Mask", "DataIdentifier": identifiers, "Operation": {"Deidentify": {"MaskConfig": {}}}},
        ],
    }
