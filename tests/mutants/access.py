"""Mutants of policies: what is denied no more, and what is allowed beyond what was.

Only what weakens: an Allow that loses a condition, a Deny that gains one. A negated operator is true where
the key is absent, with `IfExists` and without, so that suffix is no mutant there ("IAM JSON policy
elements: Condition operators").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.mutants.mutant import ACCESS, REMOVE, STRANGER, Mutant, Path, Site, documents, is_function

_LIKE = {
    "StringEquals": "StringLike",
    "StringEqualsIgnoreCase": "StringLike",
    "StringLike": "StringLike",
    "ArnEquals": "ArnLike",
    "ArnLike": "ArnLike",
    "StringNotEquals": "StringNotLike",
    "StringNotEqualsIgnoreCase": "StringNotLike",
    "StringNotLike": "StringNotLike",
    "ArnNotEquals": "ArnNotLike",
    "ArnNotLike": "ArnNotLike",
}
_OPPOSITE = {
    "StringEquals": "StringNotEquals",
    "StringLike": "StringNotLike",
    "ArnEquals": "ArnNotEquals",
    "ArnLike": "ArnNotLike",
    "StringNotEquals": "StringEquals",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "IpAddress": "NotIpAddress",
    "NotIpAddress": "IpAddress",
    "NumericLessThan": "NumericGreaterThanEquals",
    "NumericGreaterThan": "NumericLessThanEquals",
}
_IF_EXISTS = "IfExists"
_ROLE = "AWS::IAM::Role"


def of(site: Site) -> Iterator[Mutant]:
    """Every mutant of a resource's policies."""
    for path, document in documents(site.properties, ("Properties",)):
        for index, statement in enumerate(document["Statement"]):
            if isinstance(statement, dict) and not is_function(statement):
                yield from _statement(site, (*path, "Statement", index), statement)
        stranger = {"Sid": "Stranger", "Effect": "Allow", "Action": "*", "Resource": "*"}
        if any("Principal" in s or "NotPrincipal" in s for s in document["Statement"] if isinstance(s, dict)):
            stranger["Principal"] = "*"
        if _name(path) == "AssumeRolePolicyDocument":
            stranger.update(Action="sts:AssumeRole")
            del stranger["Resource"]
        end = (*path, "Statement", len(document["Statement"]))
        yield site.set("stranger-let-in", end, ACCESS, stranger)
        if site.type == "AWS::EC2::VPCEndpoint":
            yield site.set("policy-dropped", path, ACCESS, REMOVE)
    if site.type in ("AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"):
        yield site.set("resource-dropped", (), ACCESS, REMOVE)
    if site.type == _ROLE:
        yield from _role(site)


def _role(site: Site) -> Iterator[Mutant]:
    arns = list(site.properties.get("ManagedPolicyArns", []))
    for name in ("AdministratorAccess", "AmazonSageMakerFullAccess"):
        arn = {"Fn::Sub": f"arn:${{AWS::Partition}}:iam::aws:policy/{name}"}
        path = ("Properties", "ManagedPolicyArns")
        yield site.set(f"given {name}", path, ACCESS, [*arns, arn])
    if "PermissionsBoundary" in site.properties:
        yield site.set("boundary-removed", ("Properties", "PermissionsBoundary"), ACCESS, REMOVE)


def _statement(site: Site, path: Path, statement: Mapping[str, Any]) -> Iterator[Mutant]:
    if statement.get("Effect") == "Deny":
        yield from _denial(site, path, statement)
    else:
        yield from _permission(site, path, statement)


# Deny


def _denial(site: Site, path: Path, statement: Mapping[str, Any]) -> Iterator[Mutant]:
    yield site.set("deny-dropped", path, ACCESS, REMOVE)
    yield site.set("deny-allows", (*path, "Effect"), ACCESS, "Allow")
    never = {"StringEquals": {"aws:PrincipalAccount": STRANGER}}
    conditions = _merged(statement.get("Condition", {}), never)
    yield site.set("deny-bound", (*path, "Condition"), ACCESS, conditions)
    for name in ("Action", "Resource"):
        if name not in statement:
            continue
        items = _list(statement[name])
        if len(items) > 1:
            for index, item in enumerate(items):
                left = items[:index] + items[index + 1 :]
                where = (*path, name, index)
                operator = f"action-cut {item}" if name == "Action" else "resource-cut"
                yield site.mutant(operator, where, ACCESS, ((*path, name), left))
        inverted = (((*path, name), REMOVE), ((*path, f"Not{name}"), statement[name]))
        yield site.mutant(f"not-{name.lower()}", (*path, name), ACCESS, *inverted)
        for index, item in enumerate(items):
            if name == "Action" and isinstance(item, str) and item.endswith("*"):
                # Of a whole service one action is left, of a prefix the action of that name.
                only = item.removesuffix("*") + ("ListTagsForResource" if item.endswith(":*") else "")
                where = (*path, name, index)
                new = [only if i == index else other for i, other in enumerate(items)]
                yield site.mutant("action-narrowed", where, ACCESS, ((*path, name), new))
    if statement.get("Principal") in ("*", {"AWS": "*"}):
        nobody = {"AWS": {"Fn::Sub": f"arn:${{AWS::Partition}}:iam::{STRANGER}:root"}}
        yield site.set("principal-narrowed", (*path, "Principal"), ACCESS, nobody)
    for operator, key, values in _tests(statement):
        where = (*path, "Condition", operator, key)
        base = operator.removesuffix(_IF_EXISTS)
        quantifier, _, plain = base.rpartition(":")
        suffix = _IF_EXISTS if operator.endswith(_IF_EXISTS) else ""
        replace = _Replacer(site, path, where, operator, key)
        if "Not" in plain and plain in _LIKE:
            yield replace("everyone-excepted", _quantified(quantifier, _LIKE[plain]) + suffix, "*")
        elif plain == "Bool":
            yield replace("condition-turned", operator, "true" if _is(values, "false") else "false")
            if suffix:
                yield replace("if-exists-dropped", base, values)
        elif plain == "Null":
            yield replace("condition-turned", operator, "false" if _is(values, "true") else "true")
        elif plain.startswith("Numeric"):
            yield replace("condition-turned", operator, "0" if "Less" in plain else "9999999999")
        else:
            yield replace("condition-never", operator, "nobody")
            if suffix:
                yield replace("if-exists-dropped", base, values)
            items = _list(values)
            if len(items) > 1:
                for index, _ in enumerate(items):
                    left = items[:index] + items[index + 1 :]
                    yield site.mutant("value-cut", (*where, index), ACCESS, (where, left))
        if plain in _OPPOSITE:
            yield replace("negated", _quantified(quantifier, _OPPOSITE[plain]) + suffix, values)


# Allow


def _permission(site: Site, path: Path, statement: Mapping[str, Any]) -> Iterator[Mutant]:
    tests = list(_tests(statement))
    if tests:
        yield site.set("condition-dropped", (*path, "Condition"), ACCESS, REMOVE)
    for operator, key, values in tests:
        where = (*path, "Condition", operator, key)
        if len(tests) > 1:
            alone = len(statement["Condition"][operator]) == 1
            gone = (*path, "Condition", operator) if alone else where
            yield site.mutant("key-dropped", where, ACCESS, (gone, REMOVE))
        base = operator.removesuffix(_IF_EXISTS)
        quantifier, _, plain = base.rpartition(":")
        replace = _Replacer(site, path, where, operator, key)
        if base == operator and plain != "Null" and "Not" not in plain:
            yield replace("if-exists-put", operator + _IF_EXISTS, values)
            if not quantifier:
                yield replace("for-all-values-put", f"ForAllValues:{operator}", values)
        if plain in _LIKE and "Not" not in plain:
            yield replace("any-value", _quantified(quantifier, _LIKE[plain]), "*")
            items = _list(values)
            if len(items) > 1:
                for index, _ in enumerate(items):
                    new = [*items[:index], "*", *items[index + 1 :]]
                    yield replace(f"any-value at {index}", _quantified(quantifier, _LIKE[plain]), new)
        elif plain in ("Bool", "Null"):
            yield replace("condition-turned", operator, "false" if _is(values, "true") else "true")
        elif plain == "IpAddress":
            yield replace("any-value", operator, "0.0.0.0/0")
        if plain in _OPPOSITE:
            yield replace("negated", _quantified(quantifier, _OPPOSITE[plain]), values)
    yield from _widened(site, path, statement)


def _widened(site: Site, path: Path, statement: Mapping[str, Any]) -> Iterator[Mutant]:
    trust = "AssumeRolePolicyDocument" in path
    if "Action" in statement:
        actions = _list(statement["Action"])
        inverted = (((*path, "Action"), REMOVE), ((*path, "NotAction"), statement["Action"]))
        yield site.mutant("not-action", (*path, "Action"), ACCESS, *inverted)
        if "*" not in actions:
            yield site.set("any-action", (*path, "Action"), ACCESS, "*")
            services = {str(action).partition(":")[0] for action in actions}
            for service in sorted(services):
                if f"{service}:*" not in actions:
                    new = [*actions, f"{service}:*"]
                    yield site.set(f"any-action of {service}", (*path, "Action"), ACCESS, new)
    if "Resource" in statement and "*" not in _list(statement["Resource"]):
        yield site.set("any-resource", (*path, "Resource"), ACCESS, "*")
    if "Principal" in statement and statement["Principal"] not in ("*", {"AWS": "*"}):
        yield site.set("any-principal", (*path, "Principal"), ACCESS, "*")
        yield site.set("any-principal as AWS", (*path, "Principal"), ACCESS, {"AWS": "*"})
    if "Principal" in statement or trust:
        other = {"AWS": {"Fn::Sub": f"arn:${{AWS::Partition}}:iam::{STRANGER}:root"}}
        yield site.mutant(
            "foreign-account",
            (*path, "Principal"),
            ACCESS,
            ((*path, "Principal"), other),
            ((*path, "Condition"), REMOVE),
        )


# Helpers


class _Replacer:
    """Put another operator, values or both in the place of one test of a condition."""

    def __init__(self, site: Site, path: Path, where: Path, operator: str, key: str) -> None:
        self.site, self.path, self.where, self.operator, self.key = site, path, where, operator, key

    def __call__(self, name: str, operator: str, values: Any) -> Mutant:
        edits = [(self.where, REMOVE)] if operator != self.operator else []
        edits.append(((*self.path, "Condition", operator, self.key), values))
        return self.site.mutant(name, self.where, ACCESS, *edits)


def _tests(statement: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for operator, tests in statement.get("Condition", {}).items():
        if isinstance(tests, dict) and not operator.startswith("Fn::"):
            for key, values in tests.items():
                yield operator, key, values


def _merged(condition: Mapping[str, Any], more: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    merged = dict(condition)
    for operator, tests in more.items():
        merged[operator] = {**merged.get(operator, {}), **tests}
    return merged


def _quantified(quantifier: str, operator: str) -> str:
    return f"{quantifier}:{operator}" if quantifier else operator


def _is(values: Any, text: str) -> bool:
    return [str(value).lower() for value in _list(values)] == [text]


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _name(path: Path) -> str:
    return str(path[-1]) if path else ""
