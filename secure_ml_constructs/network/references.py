"""References between stacks that never stand in the way of a change."""

from __future__ import annotations

from aws_cdk import CfnResource, ReferenceStrength
from constructs import Construct

_DEFAULT = "@aws-cdk/core:defaultCrossStackReferences"


def weak_by_default(scope: Construct) -> bool:
    """Tell whether the app's own flag makes every reference weak, so that there is nothing to do."""
    return bool(scope.node.try_get_context(_DEFAULT) == ReferenceStrength.WEAK.value.lower())


def weaken(*resources: CfnResource) -> None:
    """Let other stacks read these resources' ids without holding on to them.

    Policies in other stacks name the endpoints. By an export, an endpoint could not be replaced before those
    stacks let go of the old one, which they can't before they know the new one. (AWS CDK: Cross-stack
    references, reference strength)

    Args:
        resources: What other stacks may name.
    """
    for resource in resources:
        resource.apply_cross_stack_reference_strength(ReferenceStrength.WEAK)
