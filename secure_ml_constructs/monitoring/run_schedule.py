"""When a watch runs: a schedule that starts its state machine."""

from __future__ import annotations

import json

from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from secure_ml_constructs.key_uses import KeyClass
from secure_ml_constructs.monitoring.plan import WatchPlan
from secure_ml_constructs.policy import allow, document, sub

# Amazon EventBridge Scheduler: "Using context attributes".
_TOLD = {"time": "<aws.scheduler.scheduled-time>"}


class RunSchedule(Construct):
    """The schedule of one watch.

    Ensures:
        E3: what it says under the customer key.
        I3: a role that starts this state machine and nothing else, for this group of schedules only.

    Args:
        scope: The parent construct.
        id: The construct's id.
        plan: What is watched, and when.
        machine: The state machine's ARN.
    """

    def __init__(self, scope: Construct, id: str, *, plan: WatchPlan, machine: str) -> None:
        super().__init__(scope, id)
        perimeter = plan.foundation.perimeter
        key = plan.foundation.keys.arn(KeyClass.LOGS)
        # A role is bound to a group of schedules, and the one that every account has is everybody's.
        group = scheduler.CfnScheduleGroup(self, "Group", name=plan.job_prefix)
        policy = iam.CfnManagedPolicy(
            self,
            "Policy",
            path=perimeter.service_role_path,
            policy_document=document(
                [
                    allow("Start", "states:StartExecution", machine),
                    allow(
                        "Decrypt",
                        "kms:Decrypt",
                        key,
                        condition={
                            "StringLike": {
                                "kms:EncryptionContext:aws:scheduler:schedule:arn": sub(
                                    "arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:"
                                    f"schedule/{plan.job_prefix}/*"
                                )
                            }
                        },
                    ),
                ]
            ),
        )
        role = iam.CfnRole(
            self,
            "Role",
            path=perimeter.service_role_path,
            # Amazon EventBridge Scheduler: "Cross-service confused deputy prevention": of the group, never of
            # a schedule.
            assume_role_policy_document=perimeter.service_trust(
                "scheduler.amazonaws.com", source_arn=group.attr_arn
            ),
            managed_policy_arns=[policy.ref],
            permissions_boundary=policy.ref,
        )
        scheduler.CfnSchedule(
            self,
            "Resource",
            group_name=group.ref,
            description=f"Looks at {plan.endpoint.name}",
            schedule_expression=plan.schedule.cron,
            schedule_expression_timezone="UTC",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            kms_key_arn=key,
            state="ENABLED",
            target=scheduler.CfnSchedule.TargetProperty(
                arn=machine,
                role_arn=role.attr_arn,
                input=json.dumps(_TOLD),
                # What could not be started within an hour is told by the alarm about missing runs.
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=3600, maximum_retry_attempts=10
                ),
            ),
        )
