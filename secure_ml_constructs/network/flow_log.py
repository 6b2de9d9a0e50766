"""Flow logs to an encrypted log group."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.policy import allow, document

# The default fields, and those that tell the real ends of a connection, its direction and the AWS service.
_FIELDS = (
    *("version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol"),
    *("packets", "bytes", "start", "end", "action", "log-status", "vpc-id", "subnet-id", "instance-id"),
    *("tcp-flags", "type", "pkt-srcaddr", "pkt-dstaddr", "pkt-src-aws-service", "pkt-dst-aws-service"),
    *("flow-direction", "traffic-path"),
)


class VpcFlowLog(Construct):
    """The flow log of a whole VPC: all traffic, to a log group under a customer key. (N6)

    Args:
        scope: The parent construct.
        id: The construct's id.
        perimeter: Gives the delivering role its path and trust.
        vpc_id: The VPC.
        logs_key_arn: The log group's key.
        retention_days: Days the log is kept, a number that CloudWatch Logs knows.

    Attributes:
        log_group_name: The log group's name.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        perimeter: DataPerimeter,
        vpc_id: str,
        logs_key_arn: str,
        retention_days: int,
    ) -> None:
        super().__init__(scope, id)
        group = logs.CfnLogGroup(
            self,
            "LogGroup",
            deletion_protection_enabled=True,
            kms_key_id=logs_key_arn,
            retention_in_days=retention_days,
        )
        group.apply_removal_policy(RemovalPolicy.RETAIN)
        self.log_group_name = group.ref
        arn = group.attr_arn
        write = ("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")
        policy = iam.CfnManagedPolicy(
            self, "Policy", policy_document=document([allow("Write", write, [arn])])
        )
        # Amazon VPC: IAM role for publishing flow logs to CloudWatch Logs, confused deputy.
        trust = perimeter.service_trust(
            "vpc-flow-logs.amazonaws.com",
            source_arn="arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:vpc-flow-log/*",
        )
        role = iam.CfnRole(
            self,
            "Role",
            path=perimeter.service_role_path,
            assume_role_policy_document=trust,
            managed_policy_arns=[policy.ref],
        )
        ec2.CfnFlowLog(
            self,
            "FlowLog",
            resource_id=vpc_id,
            resource_type="VPC",
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=arn,
            deliver_logs_permission_arn=role.attr_arn,
            log_format=" ".join(f"${{{field}}}" for field in _FIELDS),
            # Nitro hosts report each minute whatever is asked. (Amazon VPC: Flow logs, aggregation interval)
            max_aggregation_interval=60,
        )
