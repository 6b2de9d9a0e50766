"""Nested stacks: one template is deployed once for each stack that names it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import TypeVar

from secure_ml_constructs.verification.templates.errors import TemplateError
from secure_ml_constructs.verification.templates.model import Resource, Template

K = TypeVar("K", bound=Hashable)

STACK = "AWS::CloudFormation::Stack"
# "Understand CloudFormation quotas": an account has 2,000 stacks, nested ones counted.
MOST_STACKS = 2000


def instances(files: Mapping[K, Template], nested: Mapping[K, Mapping[str, K]]) -> Iterator[Template]:
    """Every template as often as it is deployed, with the stack that does it as its parent.

    Args:
        files: The templates.
        nested: For each template the templates of its nested stacks, by logical id.

    Returns:
        The templates in the order given, those that are deployed several times beside one another.

    Raises:
        TemplateError: They come to more stacks than an account can have.
    """
    copies = 0
    made: dict[K, list[Template]] = {name: [] for name in files}
    inner = {child for children in nested.values() for child in children.values()}
    # Of templates that nest one another in a circle none is outermost: the first is taken for it.
    for outermost in sorted(files, key=lambda name: name in inner):
        if made[outermost]:
            continue
        waiting: list[tuple[K, Resource | None, frozenset[K]]] = [(outermost, None, frozenset())]
        while waiting:
            name, parent, above = waiting.pop(0)
            template = files[name]
            if made[name]:
                template = Template(template.name, template.path, template.body, template.source)
                copies += 1
                if copies > MOST_STACKS:
                    reason = (
                        f"With it, nested stacks come to more than {MOST_STACKS}, which no account can have."
                    )
                    raise TemplateError(template.path, None, reason)
            template.parent = parent
            made[name].append(template)
            above |= {name}
            waiting += [
                (child, template.resources[logical_id], above)
                for logical_id, child in nested.get(name, {}).items()
                if child not in above
            ]
    for templates in made.values():
        yield from templates
