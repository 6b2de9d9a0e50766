"""Route 53 Resolver DNS Firewall with a list of domains."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Fn
from aws_cdk import aws_route53resolver as resolver
from constructs import Construct

from secure_ml_constructs.network.delivered_log import DeliveredLog

# What AWS calls its own services in the region, and hosts of the VPC; endpoints' names are filtered as well.
# (Amazon Route 53: Using DNS Firewall to filter outbound DNS traffic)
_OF_AWS = (
    "*.${AWS::Region}.${AWS::URLSuffix}",
    "*.${AWS::Region}.vpce.${AWS::URLSuffix}",
    # S3's names without a region.
    "s3.${AWS::URLSuffix}",
    "*.s3.${AWS::URLSuffix}",
    # Studio and notebooks, elsewhere and in China.
    "*.${AWS::Region}.sagemaker.aws",
    "*.${AWS::Region}.sagemaker.com.cn",
    "*.${AWS::Region}.compute.internal",
    "*.ec2.internal",
)


class DnsFirewall(Construct):
    """The resolver's firewall: it answers for named domains and AWS's own in the region, and logs all. (N7)

    Queries carry data out whatever the routes are, as the resolver asks for whoever asks it. Where DNS
    Firewall can't judge, it refuses: that is the default, which CloudFormation has no type to change.
    (Amazon Route 53: DNS Firewall VPC configuration)

    Args:
        scope: The parent construct.
        id: The construct's id.
        vpc_id: The VPC.
        domains: The domains beside AWS's own, as `Egress` has them.
        logs_key_arn: The key of the log group.
        retention_days: Days the log is kept.

    Attributes:
        log_group_name: The group of the query log.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vpc_id: str,
        domains: Sequence[str],
        logs_key_arn: str,
        retention_days: int,
    ) -> None:
        super().__init__(scope, id)
        log = DeliveredLog(self, "Log", logs_key_arn=logs_key_arn, retention_days=retention_days)
        self.log_group_name = log.name
        logging = resolver.CfnResolverQueryLoggingConfig(self, "QueryLog", destination_arn=log.arn)
        resolver.CfnResolverQueryLoggingConfigAssociation(
            self, "QueryLogOfVpc", resolver_query_log_config_id=logging.ref, resource_id=vpc_id
        )
        named = resolver.CfnFirewallDomainList(self, "Named", domains=[*map(Fn.sub, _OF_AWS), *domains])
        every = resolver.CfnFirewallDomainList(self, "Every", domains=["*"])
        rule = resolver.CfnFirewallRuleGroup.FirewallRuleProperty
        rules = resolver.CfnFirewallRuleGroup(
            self,
            "Rules",
            firewall_rules=[
                rule(
                    action="ALLOW",
                    firewall_domain_list_id=named.ref,
                    # pypi.org is an alias of a name that nobody would list.
                    firewall_domain_redirection_action="TRUST_REDIRECTION_DOMAIN",
                    priority=1,
                ),
                rule(
                    action="BLOCK",
                    block_response="NXDOMAIN",
                    firewall_domain_list_id=every.ref,
                    priority=2,
                ),
            ],
        )
        resolver.CfnFirewallRuleGroupAssociation(
            self,
            "RulesOfVpc",
            firewall_rule_group_id=rules.ref,
            vpc_id=vpc_id,
            # The first that AWS lets others have.
            priority=101,
            mutation_protection="ENABLED",
        )
