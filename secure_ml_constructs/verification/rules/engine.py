"""Put every rule to every resource that it concerns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from secure_ml_constructs.verification.rules.outcome import PASS, Context, Fail, Outcome, Unknown
from secure_ml_constructs.verification.rules.reading import uncollected
from secure_ml_constructs.verification.rules.rule import Rule, Severity
from secure_ml_constructs.verification.rules.settings import Settings
from secure_ml_constructs.verification.templates import Resource, Templates, TooManyWorldsError

Check = Callable[[Context], Sequence[Outcome]]

# The type that rules on a template as a whole judge.
TEMPLATE = "Template"


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that one resource does not keep.

    Attributes:
        rule: The rule's id.
        severity: How much it weighs.
        control: The control that the rule guards.
        template: The template's path as it was given, or the stack's name.
        logical_id: The resource.
        resource_type: Its type.
        path: The property.
        message: What is wrong.
        fix: What to write.
        outcome: `fail`, or `unresolved` where the templates do not say.
    """

    rule: str
    severity: Severity
    control: str
    template: str
    logical_id: str
    resource_type: str
    path: str
    message: str
    fix: str
    outcome: str
    _resource: Resource | None = field(default=None, repr=False, compare=False)

    @property
    def line(self) -> int | None:
        """The line in the template, where there is a file: looked for only when it is asked for."""
        return None if self._resource is None else _line(self._resource, self.path)


class Engine:
    """A pack under settings.

    Args:
        rules: The rules.
        settings: What the user decides.
    """

    def __init__(self, rules: Iterable[Rule], settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self._by_type: dict[str, list[tuple[Rule, Check]]] = defaultdict(list)
        for rule in rules:
            if rule.id in self.settings.off or (rule.off and rule.id not in self.settings.on):
                continue
            for type_ in rule.types:
                self._by_type[type_].append((rule, rule.requirement.check))

    def check(self, templates: Templates | Mapping[str, Any]) -> list[Finding]:
        """Judge templates.

        Args:
            templates: Linked templates, or their data by stack name.

        Returns:
            What was found, in the order of the templates.

        Raises:
            TemplateError: A mapping holds what is no template.
        """
        graph = templates if isinstance(templates, Templates) else Templates.of(templates)
        with uncollected():
            return self._judge(graph)

    def _judge(self, graph: Templates) -> list[Finding]:
        context = Context(graph, self.settings)
        findings: list[Finding] = []
        for template in graph:
            whole = Resource(template, template.name, TEMPLATE, {}, {}, None)
            for resource in (whole, *template.resources.values()):
                rules = self._by_type.get(resource.type)
                if rules:
                    context.resource = resource
                    for rule, check in rules:
                        for outcome in _ask(check, context):
                            findings.append(self._finding(rule, resource, outcome))
        return findings

    def _finding(self, rule: Rule, resource: Resource, outcome: Outcome) -> Finding:
        template = resource.template
        if isinstance(outcome, Fail):
            severity = self.settings.severities.get(rule.id, rule.severity)
            message = f"{outcome.path or resource.logical_id} {outcome.message}."
        else:
            severity = self.settings.unresolved[outcome.kind]
            message = f"{outcome.path or resource.logical_id} can't be resolved: {outcome.reason}"
        return Finding(
            rule=rule.id,
            severity=severity,
            control=rule.control,
            template=template.path,
            logical_id=resource.logical_id,
            resource_type=resource.type,
            path=outcome.path,
            message=message,
            fix=rule.fix,
            outcome="fail" if isinstance(outcome, Fail) else "unresolved",
            _resource=resource,
        )


def _ask(check: Check, context: Context) -> Sequence[Outcome]:
    """Every outcome in any world, a failure before what can't be told."""
    graph, resource = context.graph, context.resource
    graph.start()
    first = check(context) if resource.condition is None or graph.exists(resource) else PASS
    if not graph.branched:
        # Most resources have no condition anywhere: then there is one world, and nothing to gather.
        return first
    found = dict.fromkeys(first)
    try:
        for outcomes in graph.others(lambda: check(context) if graph.exists(resource) else PASS):
            found.update(dict.fromkeys(outcomes))
    except TooManyWorldsError:
        found[Unknown("It depends on more conditions than can be tried.")] = None
    failed = {outcome.path for outcome in found if isinstance(outcome, Fail)}
    return [o for o in found if isinstance(o, Fail) or o.path not in failed]


def _line(resource: Resource, path: str) -> int | None:
    if resource.type == TEMPLATE:
        return resource.template.line(*_steps(path))
    return resource.template.line("Resources", resource.logical_id, "Properties", *_steps(path))


def _steps(path: str) -> Iterator[str | int]:
    for part in path.replace("[", ".[").split("."):
        if part.startswith("[") and part[1:-1].isdigit():
            yield int(part[1:-1])
        elif part:
            yield part
