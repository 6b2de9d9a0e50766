"""The role of Model Monitor's jobs: it reads captures, labels and baselines, and writes reports."""

from __future__ import annotations

from collections.abc import Iterator

from aws_cdk import aws_iam as iam
from constructs import Construct

from secure_ml_constructs._acknowledge import acknowledge_wildcards
from secure_ml_constructs._cdk import account, is_token, partition, region
from secure_ml_constructs.monitoring.job_data import data_statements
from secure_ml_constructs.monitoring.plan import WatchPlan
from secure_ml_constructs.policy import Statement, allow, deny, document

__all__ = ["MonitorRole"]

_STREAMS = "SageMaker names the jobs of its schedules itself, by their kind, and streams after the jobs."
_SHADOWS = (
    "SageMaker names the endpoint of a run after the watch, whose name no other watch has, and the time."
)
# Amazon SageMaker AI: "Schedule monitoring jobs"; what merges captures and labels is a job as well.
_JOBS = (
    *("model-monitoring-*", "data-quality-monitoring-*", "model-quality-monitoring-*"),
    *("model-bias-monitoring-*", "model-explainability-monitoring-*", "groundtruth-merge-*"),
)

_SHADOW = tuple(
    f"sagemaker:{action}"
    for action in (
        "AddTags",
        "CreateEndpoint",
        "CreateEndpointConfig",
        "DeleteEndpoint",
        "DeleteEndpointConfig",
        "DescribeEndpoint",
        "DescribeEndpointConfig",
        "InvokeEndpoint",
    )
)


class MonitorRole(Construct):
    """The role of the jobs that SageMaker's schedules start for one endpoint.

    Ensures:
        I1: this endpoint's captures and labels, the baselines, its own reports, log streams of such jobs;
            where attributions are computed, an endpoint of one model, named after the watch.
        I2: where it starts that endpoint, the guardrails.
        I3: the boundary, and a trust for our account only.

    Args:
        scope: The parent construct.
        id: The construct's id.
        plan: What is watched.
        baselines: The folder with the baselines, within the zone of the plan's baseline.
        model_name: The model that attributions are computed of. Default: none are.
    """

    #: The role's ARN.
    arn: str
    #: What it may do, which has to be there before a run.
    policy: iam.CfnManagedPolicy

    def __init__(
        self, scope: Construct, id: str, *, plan: WatchPlan, baselines: str, model_name: str = ""
    ) -> None:
        super().__init__(scope, id)
        foundation, perimeter = plan.foundation, plan.foundation.perimeter
        wildcards: dict[str, str] = {}
        statements = [
            *data_statements(plan, baselines, wildcards, results="Reports", baseline="Baselines"),
            *_logs(wildcards),
        ]
        if model_name:
            statements += _explaining(plan, model_name, wildcards)
        guardrails = foundation.guardrails.arns if model_name else ()
        role = iam.CfnRole(
            self,
            "Resource",
            path=perimeter.role_path,
            assume_role_policy_document=perimeter.service_trust("sagemaker.amazonaws.com"),
            permissions_boundary=foundation.boundary.arn,
            managed_policy_arns=[
                *(each.managed_policy_arn for each in foundation.execution_policies),
                *guardrails,
            ],
        )
        self.policy = iam.CfnManagedPolicy(
            self,
            "Policy",
            path=perimeter.role_path,
            roles=[role.ref],
            policy_document=document(statements),
        )
        acknowledge_wildcards(self.policy, wildcards)
        self.arn = role.attr_arn


def _logs(wildcards: dict[str, str]) -> Iterator[Statement]:
    group = f"arn:{partition()}:logs:{region()}:{account()}:log-group:/aws/sagemaker/ProcessingJobs"
    streams = [f"{group}:log-stream:{each}" for each in _JOBS]
    wildcards.update(dict.fromkeys(streams, _STREAMS))
    yield allow("Log", ("logs:CreateLogStream", "logs:PutLogEvents"), streams)
    yield allow("LookAtStreams", "logs:DescribeLogStreams", f"{group}:log-stream:")


def _explaining(plan: WatchPlan, model: str, wildcards: dict[str, str]) -> Iterator[Statement]:
    """Amazon SageMaker AI: "Configure a SageMaker Clarify processing job", the shadow endpoint."""
    head = f"arn:{partition()}:sagemaker:{region()}:{account()}"
    shadows = [f"{head}:{kind}/{plan.job_prefix}*" for kind in ("endpoint", "endpoint-config")]
    wildcards.update(dict.fromkeys(shadows, _SHADOWS))
    # SageMaker writes names in ARNs in lower case.
    yield allow(
        "LookAtModel",
        "sagemaker:DescribeModel",
        f"{head}:model/{model if is_token(model) else model.lower()}",
    )
    yield allow("Shadow", _SHADOW, shadows)
    # Whoever stole the role's session must not start work with it from anywhere.
    elsewhere = plan.foundation.perimeter.from_elsewhere(plan.foundation.network.deferred_endpoint_ids)
    yield deny("ShadowFromElsewhere", _SHADOW, principal=None, condition=elsewhere)
