"""References between stacks that never stand in the way of a change."""

from __future__ import annotations

from aws_cdk import CfnResource, CrossStackReferences, ReferenceStrength


def weaken(*resources: CfnResource) -> None:
    """Let other stacks read these resources' ids without holding on to them.

    Policies in other stacks name the endpoints. By an export, an endpoint could not be replaced before those
    stacks let go of the old one, which they can't before they know the new one. (AWS CDK: Cross-stack
    references, reference strength)

    Args:
        resources: What other stacks may name.
    """
    for resource in resources:
        CrossStackReferences.of(resource).produce(ReferenceStrength.WEAK)
