"""Templates that belong together: stacks of one app, their nested stacks, and who names whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, TypeVar, cast

from secure_ml_constructs.verification.templates.model import Resource, Template
from secure_ml_constructs.verification.templates.nesting import STACK, instances
from secure_ml_constructs.verification.templates.resolver import Resolver
from secure_ml_constructs.verification.templates.values import Encoded, Reference, Text, Unresolved, show
from secure_ml_constructs.verification.templates.worlds import TooManyWorldsError

T = TypeVar("T")


class Templates(Resolver):
    """All templates of one judgement, linked.

    Args:
        templates: The templates; those of nested stacks with their parent set.
    """

    def __init__(self, templates: Iterable[Template]) -> None:
        super().__init__()
        self._templates = list(templates)
        # What adds or changes resources in a way that only CloudFormation can tell.
        self.unexpanded: list[tuple[Template, str]] = []
        for template in self._templates:
            if template.parent is None:
                self.stacks.setdefault(template.name, template)
            else:
                self.nested[template.parent] = template
            self._expand_loops(template)
        self.by_type: dict[str, list[Resource]] = defaultdict(list)
        for template in self._templates:
            for resource in template.resources.values():
                self.by_type[resource.type].append(resource)
        # What judges have read already, by what they read.
        self._known: dict[tuple[Hashable, int], tuple[Any, Any]] = {}
        self._naming: dict[tuple[str, tuple[str, ...]], dict[Any, list[Resource]]] = {}

    @classmethod
    def of(cls, bodies: Mapping[str, Any]) -> Templates:
        """Take templates that are loaded already.

        Args:
            bodies: The templates by the name of the stack; that of a nested stack by the name of its file, as
                the `aws:asset:path` of its stack or the end of its `TemplateURL` has it.

        Raises:
            TemplateError: One of them is no template, or is nested more often than can be deployed.
        """
        templates = {name: Template(name, name, body) for name, body in bodies.items()}
        nested = {
            name: {
                resource.logical_id: file
                for resource in template.resources.values()
                if resource.type == STACK and (file := nested_file(resource)) in templates
            }
            for name, template in templates.items()
        }
        return cls(instances(templates, nested))

    def __iter__(self) -> Iterator[Template]:
        return iter(self._templates)

    def __len__(self) -> int:
        return sum(len(template.resources) for template in self._templates)

    def resources(self, *types: str) -> Iterator[Resource]:
        """Every resource of the types, of all templates."""
        for type_ in types:
            yield from self.by_type.get(type_, ())

    def get(self, resource: Resource, *path: str) -> Any:
        """The value of a property; an empty path gives all properties as they are written."""
        return self.at(resource.template, resource.properties, path)

    def items(self, resource: Resource, *path: str) -> list[Any]:
        """The items of a list property, resolved one by one; a single value counts as a list of one."""
        value = self.get(resource, *path)
        if type(value) is not list:
            return [value] if value or isinstance(value, Unresolved) else []
        items = (self.resolve(resource.template, item) for item in value)
        return [item for item in items if item or item is False]

    def once(self, what: Hashable, of: object, work: Callable[[], T]) -> T:
        """Work out for one object what many rules ask of it.

        What meets a condition is worked out anew each time, as it is another thing in another world.

        Args:
            what: The question: no other asks the same of the object.
            of: The object, by its identity.
            work: Gives the answer.
        """
        key = (what, id(of))
        known = self._known.get(key)
        if known is not None:
            return cast("T", known[1])
        met = self._met
        found = work()
        if self._met == met:
            # The object is kept with the answer, so that no other gets its identity.
            self._known[key] = (of, found)
        return found

    def named_by(self, resource: Resource, type_: str, *path: str) -> list[Resource]:
        """The resources of a type whose property names this resource, in whatever form.

        Args:
            resource: What is named.
            type_: The type of what names it.
            path: The property, `Bucket` say.
        """
        key = (type_, path)
        if key not in self._naming:
            self._naming[key] = self._index(type_, path)
        index = self._naming[key]
        found = index.get(id(resource), [])
        for name in _NAMES.get(resource.type, ()):
            literal = resource.properties.get(name)
            if type(literal) is str:
                found = found + index.get(literal, [])
        return found

    def _index(self, type_: str, path: tuple[str, ...]) -> dict[Any, list[Resource]]:
        index: dict[Any, list[Resource]] = defaultdict(list)
        for resource in self.by_type.get(type_, ()):
            for target in dict.fromkeys(_named(self.alternatives(resource, *path))):
                index[target].append(resource)
        return index

    def alternatives(self, resource: Resource, *path: str) -> list[Any]:
        """The items of a property in any world: for questions about many resources at once.

        The world in which the question is asked stays as it is. Of too many worlds the first count.
        """
        state = self._decisions, self._ways, self._depth, self._met
        found: list[Any] = []
        try:
            for value in self.worlds(lambda: self.items(resource, *path)):
                found += value
        except TooManyWorldsError:
            pass
        self._decisions, self._ways, self._depth, self._met = state
        return found

    def _expand_loops(self, template: Template) -> None:
        for key, loop in template.section("Resources").items():
            if not key.startswith("Fn::"):
                continue
            name, collection, bodies = loop if type(loop) is list and len(loop) == 3 else (None, None, None)
            values = self.whole(template, collection)
            if not key.startswith("Fn::ForEach::") or type(values) is not list or type(bodies) is not dict:
                self.unexpanded.append((template, key))
                continue
            for value in values:
                for logical_id, body in bodies.items():
                    made = _replaced(logical_id, str(name), show(value))
                    body = _replaced(body, str(name), show(value))
                    template.resources[made] = template.resource(made, body)


def nested_file(stack: Resource) -> str:
    """The file name of a nested stack's template, empty where it is not said."""
    metadata = stack.body.get("Metadata")
    asset = metadata.get("aws:asset:path") if isinstance(metadata, dict) else None
    for place in (asset, stack.properties.get("TemplateURL")):
        if isinstance(place, str):
            return place.rsplit("/", 1)[-1]
    return ""


# The property that gives a resource its physical name, by which others may name it.
_NAMES = {
    "AWS::S3::Bucket": ("BucketName",),
    "AWS::IAM::Role": ("RoleName",),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::SageMaker::Model": ("ModelName",),
    "AWS::SageMaker::EndpointConfig": ("EndpointConfigName",),
    "AWS::SageMaker::DataQualityJobDefinition": ("JobDefinitionName",),
    "AWS::SageMaker::ModelQualityJobDefinition": ("JobDefinitionName",),
    "AWS::SageMaker::ModelBiasJobDefinition": ("JobDefinitionName",),
    "AWS::SageMaker::ModelExplainabilityJobDefinition": ("JobDefinitionName",),
}


def _named(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        if type(value) is Reference:
            yield id(value.resource)
        elif type(value) is str:
            yield value
        elif type(value) is Text:
            yield from (id(reference.resource) for reference in value.references)
        elif type(value) is Encoded:
            yield from _named([value.value])


def _replaced(value: Any, name: str, text: str) -> Any:
    if isinstance(value, str):
        return value.replace(f"${{{name}}}", text).replace(f"&{{{name}}}", text)
    if isinstance(value, list):
        return [_replaced(item, name, text) for item in value]
    if isinstance(value, dict):
        if value == {"Ref": name}:
            return text
        return {_replaced(key, name, text): _replaced(item, name, text) for key, item in value.items()}
    return value
