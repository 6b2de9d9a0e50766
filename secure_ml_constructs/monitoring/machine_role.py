"""The role of the state machine that starts a watch's jobs: it reaches no data."""

from __future__ import annotations

from collections.abc import Iterator

from aws_cdk import aws_iam as iam
from constructs import Construct

from secure_ml_constructs._acknowledge import NO_RESOURCE, acknowledge_wildcards
from secure_ml_constructs._cdk import account, partition, region
from secure_ml_constructs.identity.execution import volume_statements
from secure_ml_constructs.key_uses import KeyClass
from secure_ml_constructs.monitoring.metrics import NAMESPACE
from secure_ml_constructs.monitoring.plan import WatchPlan
from secure_ml_constructs.policy import Statement, allow, document, sub

_RUNS = "Each run's job has a name of its own, which begins with the watch's; no other watch's do."
_MACHINES = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:*"
_RULES = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/StepFunctionsGetEvent"


class MachineRole(Construct):
    """The role of the state machine of one watch.

    Ensures:
        I1: its own jobs, the image it runs, the one role that it passes.
        I2: the guardrails, as every role that starts work.
        I3: a boundary of exactly what it does, and a trust for our account's state machines only.

    Args:
        scope: The parent construct.
        id: The construct's id.
        plan: What is watched.
        job_role: The ARN of the jobs' role.
        repository: The ARN of the repository whose images it looks up. Default: none.
        project: The ARN of the CodeBuild project that it starts. Default: none.
    """

    #: The role's ARN.
    arn: str
    #: The name of its policy, which a state machine needs before it is made.
    policy: iam.CfnManagedPolicy

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        plan: WatchPlan,
        job_role: str,
        repository: str = "",
        project: str = "",
    ) -> None:
        super().__init__(scope, id)
        foundation, perimeter = plan.foundation, plan.foundation.perimeter
        jobs = f"arn:{partition()}:sagemaker:{region()}:{account()}:processing-job/{plan.job_prefix}-*"
        statements = [
            *_work(plan, jobs, job_role),
            *_image(repository, project),
            *_itself(foundation.keys.arn(KeyClass.LOGS)),
        ]
        self.policy = iam.CfnManagedPolicy(
            self,
            "Policy",
            path=perimeter.service_role_path,
            policy_document=document(statements),
        )
        acknowledge_wildcards(self.policy, {jobs: _RUNS, "*": NO_RESOURCE})
        self.arn = iam.CfnRole(
            self,
            "Resource",
            # Step Functions calls from outside every VPC.
            path=perimeter.service_role_path,
            assume_role_policy_document=perimeter.service_trust("states.amazonaws.com", source_arn=_MACHINES),
            permissions_boundary=self.policy.ref,
            managed_policy_arns=[self.policy.ref, *foundation.guardrails.arns],
        ).attr_arn


def _work(plan: WatchPlan, jobs: str, job_role: str) -> Iterator[Statement]:
    # AWS Step Functions: "IAM policies for Amazon SageMaker", Run a Job (.sync). A tag says who started it.
    yield allow(
        "Jobs",
        (
            "sagemaker:AddTags",
            "sagemaker:CreateProcessingJob",
            "sagemaker:DescribeProcessingJob",
            "sagemaker:ListTags",
            "sagemaker:StopProcessingJob",
        ),
        jobs,
    )
    yield allow("FindJobs", "sagemaker:ListProcessingJobs")
    yield allow(
        "Pass",
        "iam:PassRole",
        job_role,
        condition={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    )
    yield allow("Ends", _EVENTS, sub(f"{_RULES}sForSageMakerProcessingJobsRule"))
    yield from volume_statements((plan.foundation.keys.arn(KeyClass.DATA),))
    yield allow(
        "TellFailures",
        "cloudwatch:PutMetricData",
        condition={"StringEquals": {"cloudwatch:namespace": NAMESPACE}},
    )


_EVENTS = ("events:DescribeRule", "events:PutRule", "events:PutTargets")


def _image(repository: str, project: str) -> Iterator[Statement]:
    if repository:
        yield allow("FindImage", "ecr:DescribeImages", repository)
    if project:
        yield allow(
            "BuildImage", ("codebuild:BatchGetBuilds", "codebuild:StartBuild", "codebuild:StopBuild"), project
        )
        yield allow("BuildEnds", _EVENTS, sub(f"{_RULES}ForCodeBuildStartBuildRule"))


def _itself(key: str) -> Iterator[Statement]:
    # AWS Step Functions: "Using CloudWatch Logs to log execution history": none of them has a resource.
    yield allow(
        "Log",
        (
            "logs:CreateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:DescribeLogGroups",
            "logs:DescribeResourcePolicies",
            "logs:GetLogDelivery",
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
            "logs:UpdateLogDelivery",
        ),
    )
    yield allow(
        "Trace",
        (
            "xray:GetSamplingRules",
            "xray:GetSamplingTargets",
            "xray:PutTelemetryRecords",
            "xray:PutTraceSegments",
        ),
    )
    # AWS Step Functions: "Data at rest encryption in Step Functions".
    yield allow(
        "Encrypt",
        ("kms:Decrypt", "kms:GenerateDataKey"),
        key,
        condition={"StringLike": {"kms:EncryptionContext:aws:states:stateMachineArn": sub(_MACHINES)}},
    )
    yield allow(
        "EncryptLogs",
        "kms:GenerateDataKey",
        key,
        condition={
            "StringLike": {
                "kms:EncryptionContext:SourceArn": sub(
                    "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:*"
                )
            }
        },
    )
