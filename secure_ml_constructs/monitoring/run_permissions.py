"""What the state machine of a watch may do: start its own jobs with their role, and reach no data."""

from __future__ import annotations

from collections.abc import Iterator

from secure_ml_constructs._cdk import account, partition, region
from secure_ml_constructs.identity.execution import volume_statements
from secure_ml_constructs.key_uses import KeyClass
from secure_ml_constructs.monitoring.metrics import NAMESPACE
from secure_ml_constructs.monitoring.plan import WatchPlan
from secure_ml_constructs.policy import Statement, allow, sub

_RULES = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/StepFunctionsGetEvent"
_EVENTS = ("events:DescribeRule", "events:PutRule", "events:PutTargets")


def jobs_arn(plan: WatchPlan) -> str:
    """Give the ARN pattern of a watch's jobs.

    Args:
        plan: What is watched.
    """
    return f"arn:{partition()}:sagemaker:{region()}:{account()}:processing-job/{plan.job_prefix}-*"


def run_statements(
    plan: WatchPlan, *, job_role: str, repository: str = "", project: str = ""
) -> Iterator[Statement]:
    """Give what the steps of a run need.

    Args:
        plan: What is watched.
        job_role: The ARN of the jobs' role.
        repository: The ARN of the repository whose images it looks up. Default: none.
        project: The ARN of the CodeBuild project that it starts. Default: none.
    """
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
        jobs_arn(plan),
    )
    yield allow("FindJobs", "sagemaker:ListProcessingJobs")
    yield allow(
        "Pass",
        "iam:PassRole",
        job_role,
        condition={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    )
    yield allow("JobEnds", _EVENTS, sub(f"{_RULES}sForSageMakerProcessingJobsRule"))
    yield from volume_statements((plan.foundation.keys.arn(KeyClass.DATA),))
    yield allow(
        "TellFailures",
        "cloudwatch:PutMetricData",
        condition={"StringEquals": {"cloudwatch:namespace": NAMESPACE}},
    )
    if repository:
        yield allow("FindImage", "ecr:DescribeImages", repository)
    if project:
        builds = ("codebuild:BatchGetBuilds", "codebuild:StartBuild", "codebuild:StopBuild")
        yield allow("BuildImage", builds, project)
        yield allow("BuildEnds", _EVENTS, sub(f"{_RULES}ForCodeBuildStartBuildRule"))
