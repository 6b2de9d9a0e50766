"""The web application firewall in front of a door."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from secure_ml_constructs._acknowledge import acknowledge
from secure_ml_constructs._cdk import account, child_path, partition, region
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.keys import refuse_aws_managed
from secure_ml_constructs.policy import allow, document, for_our_account
from secure_ml_constructs.serving.door_firewall import DoorFirewall, networks
from secure_ml_constructs.serving.names import physical_name
from secure_ml_constructs.serving.web_acl_rules import RESPONSES, block, body_key, measured, rules_of

__all__ = ["CALLER_HEADERS", "WebAcl", "check_firewall"]

#: The headers by which a door can tell callers apart: an API key, or a token.
CALLER_HEADERS = ("x-api-key", "authorization")
# What proves who somebody is, and has no place in a log.
_CREDENTIALS = ("authorization", "cookie", "x-amz-security-token", "x-api-key")
# Also out of samples and of the details of rules, which show what matched: a part of a body, or of a key.
# A hash tells callers apart all the same. (AWS WAF: Data protection and logging for web ACL traffic)
_PROTECTIONS = [
    {"action": "HASH", "field": {"fieldType": "SINGLE_HEADER", "fieldKeys": list(_CREDENTIALS)}},
    *({"action": "SUBSTITUTION", "field": {"fieldType": kind}} for kind in ("QUERY_STRING", "BODY")),
]
# AWS WAF writes to groups of this name only.
# (AWS WAF: Sending web ACL traffic logs to a CloudWatch Logs log group)
_PREFIX = "aws-waf-logs-"
_BY_ADDRESS = ("allow", "deny", "countries", "not_countries", "hosted_callers")
_ANONYMOUS = (
    "anonymous_ips=False: callers at hosting providers and behind anonymizing networks are let in on "
    "purpose. Each has to prove who it is, and has a rate of its own."
)


class WebAcl(Construct):
    """AWS WAF in front of one stage of an API: who may call, how often, and with what.

    Ensures:
        G3: a rate for each caller, told by the header that carries its key or token.
        G4: the managed groups block, a rate for each address, lists of addresses and countries, our own rule
            on sizes; what credentials and bodies hold is kept out of the log and of samples; no request is
            let in before it would be logged.
        G5: paths that take bytes get their type of content, and 415 for others.
        A1: the log is encrypted, kept and protected from deletion.

    Args:
        scope: The parent construct.
        id: The construct's id.
        settings: Whom it lets in.
        stage: The stage of the API that it stands in front of.
        logs_key: The key of logs (`EnvironmentKeys.logs`).
        caller_header: The header that tells callers apart: `x-api-key`, or `authorization` where it is a
            token that stays the same between requests. A signature of IAM does not. Default: `x-api-key`.
        private: Whether the API is private. The rules about addresses are left out then, as AWS WAF sees
            those of network interfaces only.
        binary: The type of content of each path that takes bytes, by how the path ends
            (`Payloads.binary_paths`). Default: no path does.

    Raises:
        ConfigurationError: An AWS-managed key, another header, and lists about addresses on a private API.

    Example:
        >>> from aws_cdk import aws_apigateway
        >>> stage = aws_apigateway.CfnStage(stack, "Stage", rest_api_id="a1b2c3", deployment_id="d4e5f6")
        >>> acl = WebAcl(stack, "Firewall", settings=DoorFirewall(), stage=stage, logs_key=keys.logs)
        >>> acl.log_group_name.startswith("aws-waf-logs-")
        True
    """

    #: The web ACL's ARN.
    web_acl_arn: str
    #: By what name its metrics are found in CloudWatch (`AWS/WAFV2`, dimension `WebACL`).
    metric_name: str
    #: The log group that it writes to.
    log_group_name: str

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: DoorFirewall,
        stage: apigateway.CfnStage,
        logs_key: kms.IKey,
        caller_header: str = "x-api-key",
        private: bool = False,
        binary: Mapping[str, str] | None = None,
    ) -> None:
        problems = Problems()
        key_arn = refuse_aws_managed(problems, "logs_key", logs_key)
        if caller_header not in CALLER_HEADERS:
            problems.add(
                "caller_header",
                caller_header,
                "A header that a caller chooses at will limits nobody.",
                f"Write one of {', '.join(CALLER_HEADERS)}.",
            )
        check_firewall(problems, "settings", settings, private=private)
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        self._settings = settings
        words = self.node.path.removeprefix(Stack.of(self).node.path)
        self.metric_name = physical_name(self, words, longest=100)
        self.log_group_name = physical_name(self, words, longest=100, prefix=_PREFIX)
        group = self._log_group(key_arn)
        acl = self._acl(caller_header, private, binary or {})
        self.web_acl_arn = acl.attr_arn
        header = wafv2.CfnLoggingConfiguration.FieldToMatchProperty
        logging = wafv2.CfnLoggingConfiguration(
            self,
            "Logging",
            resource_arn=self.web_acl_arn,
            # Without the `:*` that the group's own attribute ends in.
            log_destination_configs=[
                f"arn:{partition()}:logs:{region()}:{account()}:log-group:{self.log_group_name}"
            ],
            redacted_fields=[
                *(header(single_header={"Name": name}) for name in _CREDENTIALS),
                header(query_string={}),
            ],
        )
        logging.add_resource_dependency(group)
        api = stage.rest_api_id
        made = wafv2.CfnWebACLAssociation(
            self,
            "Association",
            resource_arn=f"arn:{partition()}:apigateway:{region()}::/restapis/{api}/stages/{stage.ref}",
            web_acl_arn=self.web_acl_arn,
        )
        # The ARN is a text that names no resource: CloudFormation has to be told that the stage comes first.
        made.add_resource_dependency(stage)
        made.add_resource_dependency(logging)

    def _log_group(self, key_arn: str) -> logs.CfnLogGroup:
        name = self.log_group_name
        resource = {
            "Fn::Sub": f"arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:{name}:*"
        }
        delivery = allow(
            "LogDelivery",
            ("logs:CreateLogStream", "logs:PutLogEvents"),
            resource,
            principal={"Service": "delivery.logs.amazonaws.com"},
            condition=for_our_account("arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:*"),
        )
        group = logs.CfnLogGroup(
            self,
            "LogGroup",
            log_group_name=name,
            deletion_protection_enabled=True,
            kms_key_id=key_arn,
            # The group's own: an account has ten of the other kind, and a door might be the eleventh.
            resource_policy_document=document([delivery]),
            retention_in_days=self._settings.log_retention_days,
        )
        group.apply_removal_policy(RemovalPolicy.RETAIN)
        return group

    def _addresses(self) -> dict[str, list[str]]:
        """The ARNs of the lists of addresses, by the argument that they come from."""
        found: dict[str, list[str]] = {}
        for argument, given in (("allow", self._settings.allow), ("deny", self._settings.deny)):
            for version in (4, 6):
                if addresses := networks(given, version):
                    made = wafv2.CfnIPSet(
                        self,
                        f"{argument.capitalize()}IPv{version}",
                        addresses=addresses,
                        ip_address_version=f"IPV{version}",
                        scope="REGIONAL",
                    )
                    found.setdefault(argument, []).append(made.attr_arn)
        return found

    def _acl(self, caller_header: str, private: bool, binary: Mapping[str, str]) -> wafv2.CfnWebACL:
        settings = self._settings
        made = wafv2.CfnWebACL(
            self,
            "Resource",
            scope="REGIONAL",
            # With a list of those who may call, nobody else does.
            default_action=block(403) if settings.allow else {"allow": {}},
            rules=rules_of(
                settings,
                caller_header=caller_header,
                private=private,
                lists=self._addresses(),
                binary=binary,
                metric=self.metric_name,
            ),
            association_config={
                "requestBody": {"API_GATEWAY": {"defaultSizeInspectionLimit": f"KB_{settings.inspected_kb}"}}
            },
            custom_response_bodies={
                body_key(code): {"contentType": "APPLICATION_JSON", "content": json.dumps({"message": words})}
                for code, words in RESPONSES.items()
            },
            data_protection_config={"dataProtections": _PROTECTIONS},
            visibility_config=measured(self.metric_name),
        )
        if not private and not settings.anonymous_ips:
            acknowledge(made, "SecureMl::WafAnonymousIps", _ANONYMOUS)
        return made


def check_firewall(problems: Problems, argument: str, settings: DoorFirewall, *, private: bool) -> None:
    """Record what a door of this kind can't have in front of it, before anything is made.

    Args:
        problems: Where to record.
        argument: What the settings are called there.
        settings: Whom the firewall would let in.
        private: Whether the API is private.
    """
    for each in _BY_ADDRESS if private else ():
        if getattr(settings, each):
            problems.add(
                f"{argument}.{each}",
                getattr(settings, each),
                "A private API sees addresses of network interfaces, not of callers.",
                "Leave it out: security groups and the endpoint's policy say who reaches the door.",
            )
