"""The role of a watch's jobs: it reads captures, labels and the baseline, and writes its results."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aws_cdk import aws_iam as iam
from constructs import Construct

from secure_ml_constructs._acknowledge import NO_RESOURCE, WATCH_NAMES, acknowledge_wildcards
from secure_ml_constructs._cdk import account, partition, region
from secure_ml_constructs.identity.execution import PULL
from secure_ml_constructs.monitoring.job_data import data_statements
from secure_ml_constructs.monitoring.plan import WatchPlan
from secure_ml_constructs.policy import Statement, allow, document

_GROUP = "log-group:/aws/sagemaker/ProcessingJobs"


class JobRole(Construct):
    """The role of the jobs that look at one endpoint.

    Ensures:
        I1: this endpoint's captures and labels, the baseline's data, its own results and log streams.
        I3: the boundary, and a trust for our account only.

    Args:
        scope: The parent construct.
        id: The construct's id.
        plan: What is watched.
        repository: The ARN of the image's repository. Default: not known, so that every image of the account
            may be pulled.
    """

    #: The role's ARN.
    arn: str

    def __init__(self, scope: Construct, id: str, *, plan: WatchPlan, repository: Any = "") -> None:
        super().__init__(scope, id)
        foundation = plan.foundation
        perimeter = foundation.perimeter
        wildcards: dict[str, str] = {}
        statements = [
            *data_statements(plan, plan.baseline.path, wildcards, results="Results", baseline="Baseline"),
            *_logs(plan, wildcards),
        ]
        executing = foundation.execution_policies
        if repository:
            executing = (foundation.execution_policy,)
            statements.append(allow("Image", PULL, repository))
            statements.append(allow("SignInToRegistry", "ecr:GetAuthorizationToken"))
            wildcards["*"] = NO_RESOURCE
        role = iam.CfnRole(
            self,
            "Resource",
            path=perimeter.watch_role_path,
            assume_role_policy_document=perimeter.service_trust("sagemaker.amazonaws.com"),
            permissions_boundary=foundation.boundary.arn,
            managed_policy_arns=[each.managed_policy_arn for each in executing],
        )
        policy = iam.CfnManagedPolicy(
            self,
            "Policy",
            path=perimeter.role_path,
            roles=[role.ref],
            policy_document=document(statements),
        )
        acknowledge_wildcards(policy, wildcards)
        self.arn = role.attr_arn


def _logs(plan: WatchPlan, wildcards: dict[str, str]) -> Iterator[Statement]:
    group = f"arn:{partition()}:logs:{region()}:{account()}:{_GROUP}"
    streams = f"{group}:log-stream:{plan.job_prefix}-*"
    wildcards[streams] = WATCH_NAMES
    yield allow("Log", ("logs:CreateLogStream", "logs:PutLogEvents"), streams)
    yield allow("LookAtStreams", "logs:DescribeLogStreams", f"{group}:log-stream:")
