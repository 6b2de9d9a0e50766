"""Keeps tags off what a change of them would replace."""

from __future__ import annotations

from aws_cdk import CfnResource


def without_tags(resource: CfnResource) -> None:
    """Keep tags off a resource, even where the app tags everything.

    A change of tags has been seen to replace domains (cloudformation-coverage-roadmap#1803), and what is
    replaced loses people's work.
    """
    resource.add_property_deletion_override("Tags")
