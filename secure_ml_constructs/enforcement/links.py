"""Which other networks an app's constructs were asked to link with."""

from __future__ import annotations

from aws_cdk import App


def linked_networks(app: App) -> tuple[str, ...]:
    """Give the ranges that the app's networks name; a route that stands beside them names none.

    Args:
        app: The app.
    """
    found = (getattr(construct, "linked_ranges", ()) for construct in app.node.find_all())
    return tuple(dict.fromkeys(block for each in found for block in each))
