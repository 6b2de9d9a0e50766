"""Whatever a template holds, it is read, or what can't be read may say anything."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest

from secure_ml_constructs.verification.proofs.estate import Estate
from secure_ml_constructs.verification.proofs.iam import Unknown
from secure_ml_constructs.verification.templates import Templates
from tests.unit.verification.proofs.estate.building import estate, made, one
from tests.unit.verification.proofs.estate.test_identities import ATTACHED
from tests.unit.verification.proofs.estate.test_resource_policies import KINDS

JUNK: list[Any] = [
    None,
    5,
    True,
    "x",
    "",
    [],
    {},
    [[]],
    [None],
    {"Ref": "Nope"},
    {"Ref": "T"},
    {"Ref": 5},
    {"Fn::GetAtt": "x"},
    {"Fn::GetAtt": ["Role", "Arn"]},
    {"Fn::If": ["C", {"Ref": "AWS::NoValue"}, "b"]},
    {"Fn::Sub": ["${x}", {"x": 5}]},
    {"Fn::Transform": {}},
    {"a": 1, "b": 2},
    "{{resolve:ssm:x}}",
]
SMALL = [*(resources for resources, _, _ in KINDS.values()), *ATTACHED.values()]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything in a value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


@pytest.mark.parametrize("seed", range(300))
def test_junk(seed: int) -> None:
    roll = random.Random(seed)
    resources = copy.deepcopy(roll.choice(SMALL))
    for _ in range(roll.randint(1, 3)):
        found_places = [path for path in places(resources) if len(path) > 2]
        if not found_places:
            break
        *head, last = roll.choice(found_places)
        value: Any = resources
        for key in head:
            value = value[key]
        value[last] = copy.deepcopy(roll.choice(JUNK))
    parameters = {"P": {"Type": "String"}, "Open": {"Type": "String"}}
    conditions = {"C": {"Fn::Equals": [{"Ref": "P"}, "x"]}}
    body = {"Resources": resources, "Conditions": conditions, "Parameters": parameters}
    for found in Estate.worlds(Templates.of({"stack": body})):
        for resource in next(iter(found.templates)).resources.values():
            found.policy_of(resource)
            assert isinstance(found.arn(resource), str | Unknown)


def test_what_is_named_after_itself_has_no_name() -> None:
    itself = {"Fn::Sub": "/${Role.Arn}${Role}/"}
    found = estate({"Role": made("IAM::Role", RoleName=itself, Path=itself)})
    arn = found.arn(one(found, "Role"))
    assert isinstance(arn, Unknown)
    assert "after itself" in arn.reason
