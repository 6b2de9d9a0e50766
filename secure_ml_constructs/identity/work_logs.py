"""The log groups that SageMaker writes jobs and workspaces to, made before it makes them without a key."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from secure_ml_constructs._cdk import child_path
from secure_ml_constructs._retention import check_retention
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.keys import refuse_aws_managed

__all__ = ["WorkLogs"]

# Amazon SageMaker AI: CloudWatch Logs for Amazon SageMaker AI. The names are SageMaker's own. Those of
# endpoints are one for each, and are made with the endpoint.
_GROUPS = {
    "Training": "/aws/sagemaker/TrainingJobs",
    "Processing": "/aws/sagemaker/ProcessingJobs",
    "Transform": "/aws/sagemaker/TransformJobs",
    "Studio": "/aws/sagemaker/studio",
}


class WorkLogs(Construct):
    """SageMaker's log groups for jobs and workspaces, under the environment's key and with a retention.

    SageMaker would make them when the first job runs, without a key and for ever. No role of a team may make
    a log group, so that these have to be there. They belong to account and region: make them once in each.

    Ensures:
        E3: the logs of jobs and workspaces under the customer key.

    Args:
        scope: The parent construct.
        id: The construct's id.
        key: The key of log groups (`EnvironmentKeys.logs`).
        retention_days: Days that logs are kept. Default: 365.

    Raises:
        ConfigurationError: An AWS-managed key, or a retention that CloudWatch Logs does not know.

    Example:
        >>> sorted(WorkLogs(stack, "Logs", key=keys.logs).group_names)
        ['Processing', 'Studio', 'Training', 'Transform']
    """

    #: The names of the groups, by what writes to them.
    group_names: Mapping[str, str]

    def __init__(self, scope: Construct, id: str, *, key: kms.IKey, retention_days: int = 365) -> None:
        problems = Problems()
        key_arn = refuse_aws_managed(problems, "key", key)
        check_retention(problems, "retention_days", retention_days)
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        self.group_names = dict(_GROUPS)
        for title, name in _GROUPS.items():
            logs.CfnLogGroup(
                self, title, log_group_name=name, kms_key_id=key_arn, retention_in_days=retention_days
            ).apply_removal_policy(RemovalPolicy.RETAIN)
