"""A VPC from which jobs reach a few hosts on the internet and a database on the hospital's own premises."""

import aws_cdk as cdk

from secure_ml_constructs import DataPerimeter, Egress, EnvironmentKeys, OnPremises, SecureVpc


def build(app: cdk.App) -> cdk.Stack:
    """Make the network, and give the operators what they ask of it."""
    stack = cdk.Stack(app, "Network")
    perimeter = DataPerimeter(organization="o-a1b2c3d4e5")
    keys = EnvironmentKeys(stack, "Keys", perimeter=perimeter)
    vpc = SecureVpc(
        stack,
        "Vpc",
        perimeter=perimeter,
        logs_key=keys.logs,
        egress=Egress.firewalled(domains=["pypi.org", "files.pythonhosted.org", "*.r-project.org"]),
        on_premises=OnPremises.vpn(
            ranges=["192.168.16.0/20"],
            devices=["203.0.113.10", "203.0.113.20"],
            ports=[443, 5432],
        ),
    )
    if vpc.firewalled_egress and vpc.dns_firewall:
        # What a mirror's owner may ask for: the addresses that it sees.
        cdk.CfnOutput(stack, "Addresses", value=",".join(vpc.firewalled_egress.public_addresses))
        cdk.CfnOutput(stack, "FirewallLog", value=vpc.firewalled_egress.firewall.log_group_name)
        cdk.CfnOutput(stack, "QueryLog", value=vpc.dns_firewall.log_group_name)
    return stack


if __name__ == "__main__":
    app = cdk.App()
    build(app)
    app.synth()
