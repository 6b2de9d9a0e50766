"""Resolves templates as if they were deployed: in one place each, in one world, with names for everything."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from secure_ml_constructs.verification.proofs.estate.forms import FORMS, Form
from secure_ml_constructs.verification.proofs.estate.places import Place
from secure_ml_constructs.verification.proofs.iam.ternary import Unknown
from secure_ml_constructs.verification.templates import (
    Absent,
    Dynamic,
    Encoded,
    Pseudo,
    Reference,
    Resource,
    Template,
    Templates,
    Text,
    Unresolved,
)
from secure_ml_constructs.verification.templates.resolver import Resolver

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Settled(Resolver):
    """Resolves values to what they would be once deployed.

    What CloudFormation makes up gets a stand-in: a text of the right form that no other resource has. What
    only deployment can tell stays what the resolver of templates makes of it.

    Args:
        templates: The templates.
        places: Where each is deployed.
        world: How conditions fall in this world; more are added as they are met.
    """

    def __init__(self, templates: Templates, places: Mapping[Template, Place], world: dict[Any, Any]) -> None:
        super().__init__()
        self.nested = templates.nested
        self.stacks = templates.stacks
        self._templates = list(templates)
        self._places = places
        self._decisions = world
        self._labels = _labels(self._templates)
        self._made: dict[tuple[Resource, str], str | Unknown] = {}
        # While it is above zero, what is only assumed of a place settles nothing.
        self._settling = 0
        self._parameters = 0
        self._closed = False

    def close(self) -> list[dict[Any, Any]]:
        """End the world: a condition that was not met so far is from now on not known.

        Returns:
            The other ways in which the conditions met so far can fall.
        """
        others, self._ways, self._closed = self._ways, [], True
        return others

    def label(self, template: Template) -> str:
        """What a template is called: its name, with a number where another has it as well."""
        return self._labels[template]

    def place(self, template: Template) -> Place:
        """Where a template is deployed."""
        return self._places[template]

    def concrete(self, template: Template, value: Any) -> Any:
        """Resolve a value and all in it to plain data, with `Unknown` for what is not known."""
        return self._in_world(lambda: self._plain(self.whole(template, value)))

    def given(self, resource: Resource, *path: str) -> Any:
        """A property as plain data; None where it is not there."""
        return self._in_world(lambda: self._given(resource, *path))

    def attribute(self, resource: Resource, attribute: str) -> str | Unknown:
        """What `Fn::GetAtt` gives of a resource; `Ref` for its reference value, and `Arn` in any case."""
        key = (resource, attribute)
        if key in self._made:
            return self._made[key]
        # Until it is made, whatever asks for it is part of it.
        self._made[key] = Unknown(f"{resource.logical_id} is named after itself")
        made: str | Unknown = self._in_world(lambda: self._attribute(resource, attribute))
        if self._ways and self._closed:
            del self._made[key]
        else:
            self._made[key] = made
        return made

    def may_exist(self, resource: Resource) -> bool:
        """Whether a resource is made in this world, or may be."""
        return self._in_world(lambda: self.exists(resource)) is not False

    def _in_world(self, ask: Callable[[], Any]) -> Any:
        """Ask, and give `Unknown` where the answer hangs on a condition that this world leaves open."""
        if not self._closed or self._ways:
            return ask()
        decisions = dict(self._decisions)
        answer = ask()
        if self._ways:
            self._decisions, self._ways = decisions, []
            return Unknown("a condition that no policy depends on")
        return answer

    def _given(self, resource: Resource, *path: str) -> Any:
        value = self.at(resource.template, self.resolve(resource.template, resource.properties), path)
        return None if isinstance(value, Absent) else self._plain(self.whole(resource.template, value))

    # What replaces the resolver's own answers

    def _ref(self, template: Template, name: Any) -> Any:
        value = super()._ref(template, name)
        if type(value) is Pseudo:
            return self._pseudo(template, value)
        return self._reference(value) if type(value) is Reference else value

    def _get_att(self, template: Template, argument: Any) -> Any:
        value = super()._get_att(template, argument)
        return self._reference(value) if type(value) is Reference else value

    def _reference(self, reference: Reference) -> Any:
        found = self.attribute(reference.resource, reference.attribute)
        return found if isinstance(found, str) else reference

    def _pseudo(self, template: Template, pseudo: Pseudo) -> Any:
        place = self._places[template]
        if self._settling and pseudo.name in place.assumed:
            return pseudo
        label = self._labels[template]
        known = {
            "AWS::AccountId": place.account,
            "AWS::Region": place.region,
            "AWS::Partition": place.partition,
            "AWS::URLSuffix": place.suffix,
            "AWS::StackName": label,
            "AWS::StackId": f"arn:{place.partition}:cloudformation:{place.region}:{place.account}:"
            f"stack/{label}/{_digest(label)[:8]}",
        }
        return known.get(pseudo.name, pseudo)

    def _parameter(self, template: Template, name: str) -> Any:
        given = None if template.parent is None else template.parent.properties.get("Parameters")
        if not isinstance(given, dict) or name not in given:
            self._parameters += 1
        return super()._parameter(template, name)

    def _equals(self, template: Template, sides: list[Any]) -> bool:
        met = self._parameters
        self._settling += 1
        try:
            texts = [self.resolve(template, side) for side in sides]
        finally:
            self._settling -= 1
        if met == self._parameters and all(isinstance(text, str | int | float) for text in texts):
            return str(texts[0]) == str(texts[1])
        return super()._equals(template, sides)

    def _find_in_map(self, template: Template, argument: Any) -> Any:
        self._settling += 1
        try:
            keys = [self.resolve(template, key) for key in argument[1:3]]
            if not all(isinstance(key, str | int | float) for key in keys):
                return Unresolved("a mapping is asked for a key that is known when the stack is deployed")
            return super()._find_in_map(template, argument)
        finally:
            self._settling -= 1

    def _zones(self, template: Template, argument: Any) -> Any:
        return [f"{self._places[template].region}{letter}" for letter in "abcdef"]

    def _to_json(self, template: Template, argument: Any) -> Any:
        value = self.concrete(template, argument)
        unknown = next(unknowns(value), None)
        return Unresolved(unknown.reason) if unknown else json.dumps(value)

    # Stand-ins

    def _attribute(self, resource: Resource, attribute: str) -> str | Unknown:
        form = FORMS.get(resource.type)
        pattern = None if form is None else _pattern(form, resource.type, attribute)
        if form is None or pattern is None:
            return Unknown(f"what {attribute} of {resource.type} gives ({resource.logical_id})")
        return self._fill(resource, form, pattern)

    def _fill(self, resource: Resource, form: Form, pattern: str) -> str | Unknown:
        made = ""
        end = 0
        for match in _PLACEHOLDER.finditer(pattern):
            part = self._part(resource, form, match[1])
            if isinstance(part, Unknown):
                return part
            made += pattern[end : match.start()] + part
            end = match.end()
        return made + pattern[end:]

    def _part(self, resource: Resource, form: Form, name: str) -> str | Unknown:
        place = self._places[resource.template]
        label = f"{self._labels[resource.template]}-{resource.logical_id}"
        if name.startswith("hex"):
            return _digest(label)[: int(name[3:] or 17)]
        match name:
            case "p" | "r" | "a":
                return {"p": place.partition, "r": place.region, "a": place.account}[name]
            case "suffix":
                return place.suffix
            case "uuid":
                digest = _digest(label)
                return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))
            case "arn":
                return self._fill(resource, form, form.arn)
            case "id":
                return self._fill(resource, form, form.id)
            case "path":
                return self._property(resource, "Path", "/")
            case "name" | "low" | "bare":
                stand_in = f"{label.lower()[:50]}-{_digest(label)[:12]}" if form.lower else label
                text = self._property(resource, form.named, stand_in) if form.named else stand_in
                if isinstance(text, Unknown) or name == "name":
                    return text
                return text.lower() if name == "low" else text.lstrip("/")
        return self._property(resource, name, "")

    def _property(self, resource: Resource, path: str, default: str) -> str | Unknown:
        value = self._given(resource, *path.split("."))
        if value is None or value == "":
            return default
        return value if isinstance(value, str | Unknown) else str(value)

    def _plain(self, value: Any) -> Any:
        kind = type(value)
        if kind is str:
            return value
        if kind is dict:
            return {key: self._plain(item) for key, item in value.items()}
        if kind is list:
            return [self._plain(item) for item in value]
        if kind is Reference:
            found = self._reference(value)
            return found if isinstance(found, str) else self.attribute(value.resource, value.attribute)
        if kind is Text:
            return self._joined(value)
        if kind is Unresolved:
            return Unknown(value.reason)
        if isinstance(value, Pseudo | Dynamic | Encoded):
            return Unknown(f"{value} is known when the stack is deployed")
        return None if isinstance(value, Absent) else value

    def _joined(self, text: Text) -> str | Unknown:
        made = ""
        for part in text.parts:
            plain = self._plain(part)
            if not isinstance(plain, str):
                if not made or type(part) is not Reference or not _made_by_aws(part):
                    return plain if isinstance(plain, Unknown) else Unknown(f"a text with {part}")
                # Inside a text it can't but be a name; at its beginning it may be an ARN.
                plain = f"{self._labels[part.resource.template]}-{part.resource.logical_id}"
            made += plain
        return made


def unknowns(value: Any) -> Iterator[Unknown]:
    """Every `Unknown` in plain data."""
    if isinstance(value, Unknown):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from unknowns(item)
    elif isinstance(value, list):
        for item in value:
            yield from unknowns(item)


def _made_by_aws(reference: Reference) -> bool:
    """Whether AWS makes up what a reference gives, and no form tells which it is."""
    type_ = reference.resource.type
    if not type_.startswith("AWS::") or type_ == "AWS::CloudFormation::CustomResource":
        return False
    form = FORMS.get(type_)
    return form is None or _pattern(form, type_, reference.attribute) is None


def _pattern(form: Form, type_: str, attribute: str) -> str | None:
    last = type_.rpartition("::")[2]
    if attribute in form.others:
        return form.others[attribute]
    if attribute == "Ref":
        return form.ref if "{" in form.ref else f"{{{form.ref}}}"
    if attribute in ("Arn", f"{last}Arn"):
        return form.arn
    if attribute in ("Id", f"{last}Id") and form.id != "{name}":
        return form.id
    return "{name}" if attribute in ("Name", f"{last}Name", form.named) else None


def _labels(templates: list[Template]) -> dict[Template, str]:
    names = {template.name for template in templates}
    labels: dict[Template, str] = {}
    taken: set[str] = set()
    for template in templates:
        label, number = template.name, 1
        while label in taken or (number > 1 and label in names):
            number += 1
            label = f"{template.name}-{number}"
        taken.add(label)
        labels[template] = label
    return labels


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
