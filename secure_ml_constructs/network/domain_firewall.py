"""AWS Network Firewall with a list of domains."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Fn, Names
from aws_cdk import aws_networkfirewall as networkfirewall
from constructs import Construct

from secure_ml_constructs.network.delivered_log import DeliveredLog

# Fixed when the group is made. (AWS Network Firewall: Setting rule group capacity)
_CAPACITY = 1000


class DomainFirewall(Construct):
    """Firewalls that let TLS to named domains through and drop the rest: one a zone, with one policy. (N7)

    A firewall with one subnet has a list of one endpoint, whose place in the list is no question. AWS gives
    the endpoints of a firewall with several in no order. (AWS CloudFormation: AWS::NetworkFirewall::Firewall,
    EndpointIds)

    Args:
        scope: The parent construct.
        id: The construct's id.
        vpc_id: The VPC.
        subnet_ids: A subnet for each zone, in which nothing else is.
        protected: The ranges that are protected.
        domains: The domains, as `Egress` has them.
        logs_key_arn: The key of the log group.
        retention_days: Days the log is kept.

    Attributes:
        endpoint_ids: The endpoint of each zone.
        firewall_arns: The firewall of each zone.
        log_group_name: The group of the flow and alert logs.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vpc_id: str,
        subnet_ids: Sequence[str],
        protected: Sequence[str],
        domains: Sequence[str],
        logs_key_arn: str,
        retention_days: int,
    ) -> None:
        super().__init__(scope, id)
        # CloudFormation asks for names; these come from the path.
        name = Names.unique_resource_name(self, max_length=100)
        log = DeliveredLog(self, "Log", logs_key_arn=logs_key_arn, retention_days=retention_days)
        self.log_group_name = log.name
        policy_arn = self._policy(name, protected, domains)
        endpoints, arns = [], []
        for number, subnet_id in enumerate(subnet_ids, start=1):
            firewall = networkfirewall.CfnFirewall(
                self,
                f"Firewall{number}",
                firewall_name=f"{name}{number}",
                firewall_policy_arn=policy_arn,
                vpc_id=vpc_id,
                subnet_mappings=[networkfirewall.CfnFirewall.SubnetMappingProperty(subnet_id=subnet_id)],
                delete_protection=True,
                firewall_policy_change_protection=True,
                subnet_change_protection=True,
            )
            arn = firewall.ref
            destination = networkfirewall.CfnLoggingConfiguration.LogDestinationConfigProperty
            networkfirewall.CfnLoggingConfiguration(
                self,
                f"Logging{number}",
                firewall_arn=arn,
                logging_configuration=networkfirewall.CfnLoggingConfiguration.LoggingConfigurationProperty(
                    log_destination_configs=[
                        destination(
                            log_destination={"logGroup": log.name},
                            log_destination_type="CloudWatchLogs",
                            log_type=kind,
                        )
                        for kind in ("ALERT", "FLOW")
                    ]
                ),
            )
            # "eu-central-1a:vpce-0123456789abcdef0"
            only = Fn.select(0, firewall.attr_endpoint_ids)
            endpoints.append(Fn.select(1, Fn.split(":", only)))
            arns.append(arn)
        self.endpoint_ids = tuple(endpoints)
        self.firewall_arns = tuple(arns)

    def _policy(self, name: str, protected: Sequence[str], domains: Sequence[str]) -> str:
        group = networkfirewall.CfnRuleGroup
        inside = {"HOME_NET": {"definition": list(protected)}}
        allowed = group(
            self,
            "Domains",
            rule_group_name=f"{name}Domains",
            type="STATEFUL",
            capacity=_CAPACITY,
            rule_group=group.RuleGroupProperty(
                rule_variables={"ipSets": inside},
                rules_source=group.RulesSourceProperty(
                    rules_source_list=group.RulesSourceListProperty(
                        generated_rules_type="ALLOWLIST",
                        # Not HTTP_HOST: plain text never leaves.
                        target_types=["TLS_SNI"],
                        targets=[domain.removeprefix("*") for domain in domains],
                    )
                ),
                stateful_rule_options=group.StatefulRuleOptionsProperty(rule_order="STRICT_ORDER"),
            ),
        )
        policy = networkfirewall.CfnFirewallPolicy
        made = policy(
            self,
            "Policy",
            firewall_policy_name=f"{name}Policy",
            firewall_policy=policy.FirewallPolicyProperty(
                policy_variables={"ruleVariables": inside},
                stateless_default_actions=["aws:forward_to_sfe"],
                stateless_fragment_default_actions=["aws:forward_to_sfe"],
                # The rest is dropped once connected: before that no packet names a host. (AWS Network
                # Firewall: Managing evaluation order, strict evaluation order)
                stateful_default_actions=["aws:drop_established", "aws:alert_established"],
                stateful_engine_options=policy.StatefulEngineOptionsProperty(
                    rule_order="STRICT_ORDER",
                    # Closed as well where the firewall has lost a connection's beginning.
                    stream_exception_policy="REJECT",
                ),
                stateful_rule_group_references=[
                    policy.StatefulRuleGroupReferenceProperty(priority=1, resource_arn=allowed.ref)
                ],
            ),
        )
        return made.ref
