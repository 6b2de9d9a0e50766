"""More instances as requests come in, within bounds."""

from __future__ import annotations

from aws_cdk import CfnResource
from aws_cdk import aws_applicationautoscaling as scaling
from constructs import Construct

from secure_ml_constructs.serving.capacity import Capacity
from secure_ml_constructs.serving.tenants import TenantModels

# Twice the period of the metric: what an instance takes to start shows only after it.
_COOL_DOWN_SECONDS = 300
_Policy = scaling.CfnScalingPolicy
_Target = scaling.CfnScalableTarget


def scale_variant(scope: Construct, id: str, endpoint: str, variant: str, capacity: Capacity) -> CfnResource:
    """Scale the instances of a variant, and give what has to wait for the endpoint.

    Args:
        scope: The endpoint's construct.
        id: The id of what is made.
        endpoint: The endpoint's name.
        variant: The variant's.
        capacity: The bounds.
    """
    target = _Target(
        scope,
        id,
        service_namespace="sagemaker",
        resource_id=f"endpoint/{endpoint}/variant/{variant}",
        scalable_dimension="sagemaker:variant:DesiredInstanceCount",
        min_capacity=capacity.minimum,
        max_capacity=capacity.maximum,
        scheduled_actions=[
            _Target.ScheduledActionProperty(
                scheduled_action_name=each.name,
                schedule=each.when,
                timezone=each.time_zone,
                scalable_target_action=_Target.ScalableTargetActionProperty(
                    min_capacity=each.minimum, max_capacity=each.maximum
                ),
            )
            for each in capacity.schedule
        ]
        or None,
    )
    _track(target, "SageMakerVariantInvocationsPerInstance", capacity.invocations_per_instance)
    return target


def scale_component(scope: Construct, id: str, component: str, tenants: TenantModels) -> CfnResource:
    """Scale the copies of a tenant's component, and give what has to wait for it.

    Args:
        scope: The endpoint's construct.
        id: The id of what is made.
        component: The component's name.
        tenants: The bounds.
    """
    target = _Target(
        scope,
        id,
        service_namespace="sagemaker",
        resource_id=f"inference-component/{component}",
        scalable_dimension="sagemaker:inference-component:DesiredCopyCount",
        min_capacity=tenants.copies,
        max_capacity=tenants.most_copies,
    )
    _track(target, "SageMakerInferenceComponentInvocationsPerCopy", tenants.invocations_per_copy)
    return target


def _track(target: scaling.CfnScalableTarget, metric: str, value: int) -> None:
    _Policy(
        target,
        "Policy",
        policy_name=metric,
        policy_type="TargetTrackingScaling",
        scaling_target_id=target.ref,
        target_tracking_scaling_policy_configuration=_Policy.TargetTrackingScalingPolicyConfigurationProperty(
            predefined_metric_specification=_Policy.PredefinedMetricSpecificationProperty(
                predefined_metric_type=metric
            ),
            target_value=value,
            scale_in_cooldown=_COOL_DOWN_SECONDS,
            scale_out_cooldown=_COOL_DOWN_SECONDS // 5,
        ),
    )
