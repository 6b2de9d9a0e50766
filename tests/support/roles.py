"""A role as the people who use the library would make it."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from secure_ml_constructs.perimeter import DataPerimeter


def job_role(scope: Construct, id: str, perimeter: DataPerimeter) -> iam.Role:
    """A role that SageMaker assumes for this account, under the environment's path and a boundary."""
    return iam.Role(
        scope,
        id,
        path=perimeter.role_path,
        assumed_by=iam.ServicePrincipal(
            "sagemaker.amazonaws.com",
            conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
        ),
        permissions_boundary=iam.ManagedPolicy.from_managed_policy_name(
            scope, f"{id}Boundary", "ml-boundary"
        ),
    )
