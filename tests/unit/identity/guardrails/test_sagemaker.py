"""SageMakerGuardrails as documents: their sizes and what they refuse to be made of."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.identity.guardrails import SageMakerGuardrails, WorkLimits
from secure_ml_constructs.identity.guardrails.held import ACTIONS, Who, left_to
from secure_ml_constructs.identity.guardrails.packing import pack, shortened, size
from secure_ml_constructs.policy import deny, document
from tests.unit.identity.guardrails.work import DOCUMENTS, GROUPS, GUARDRAILS, KEY, PERIMETER, SUBNETS


def make(**changes: Any) -> SageMakerGuardrails:
    given: dict[str, Any] = {
        "perimeter": PERIMETER,
        "subnets": SUBNETS,
        "security_groups": GROUPS,
        "keys": (KEY,),
    }
    return SageMakerGuardrails(**{**given, **changes})


def compact(value: Any) -> int:
    return len(json.dumps(value, separators=(",", ":")))


def test_a_few_managed_policies_hold_it() -> None:
    assert len(DOCUMENTS) == 3
    assert all(compact(each) <= 6144 for each in DOCUMENTS)


def test_the_size_counts_what_deployment_fills_in() -> None:
    """Tokens and placeholders count for at least what becomes of them."""
    stack = cdk.Stack()
    tokens = make(
        subnets=[cdk.Fn.import_value(f"Subnet{number}") for number in range(3)],
        keys=[cdk.Fn.import_value(f"Key{number}") for number in range(3)],
    )
    known = make(
        subnets=[f"subnet-0a1b2c3d4e5f6071{number}" for number in range(3)],
        keys=[
            f"arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/0a1b2c3d-0000-0000-0000-00000000000{number}"
            for number in range(3)
        ],
    )
    guessed = sum(map(size, tokens.documents(100_000)))
    real = sum(map(size, known.documents(100_000)))
    assert real <= guessed
    assert "Fn::ImportValue" in json.dumps(stack.resolve(list(tokens.documents())))


def test_every_statement_denies_and_has_a_name_of_its_own() -> None:
    statements = GUARDRAILS.statements()
    assert {each["Effect"] for each in statements} == {"Deny"}
    assert not any("Principal" in each for each in statements)
    names = [each["Sid"] for each in statements]
    assert len(set(names)) == len(names)
    assert all(name.isalnum() for name in names)
    packed = [each["Sid"] for one in GUARDRAILS.documents() for each in one["Statement"]]
    assert sorted(packed) == sorted(names)


def test_a_pattern_names_no_action_that_is_left_to_others() -> None:
    for who in (Who.NOBODY, Who.PIPELINES, Who.DEPLOYING):
        patterns = shortened(left_to(who), (f"sagemaker:{name}" for name in ACTIONS))
        for name, held in ACTIONS.items():
            matched = any(
                f"sagemaker:{name}" == pattern
                or (pattern.endswith("*") and f"sagemaker:{name}".startswith(pattern[:-1]))
                for pattern in patterns
            )
            assert matched is (held.who is who), name


def test_documents_are_as_few_as_fit() -> None:
    statements = [deny(f"S{number}", ["s3:GetObject"] * 10) for number in range(9)]
    limit = size(document(statements[:3]))
    assert [len(each["Statement"]) for each in pack(statements, limit)] == [3, 3, 3]
    with pytest.raises(ValueError, match="S0 is longer than 100"):
        pack(statements, 100)


@pytest.mark.parametrize(
    ("changes", "argument"),
    [
        ({"subnets": ("vpc-0a1b2c3d4e5f60718",)}, "subnets[0]"),
        ({"subnets": ()}, "subnets"),
        ({"subnets": "subnet-0a1b2c3d4e5f60718"}, "subnets"),
        ({"security_groups": ("subnet-0a1b2c3d4e5f60718",)}, "security_groups[0]"),
        ({"keys": ("alias/data",)}, "keys[0]"),
        ({"keys": ("arn:aws:kms:eu-west-1:111122223333:alias/data",)}, "keys[0]"),
        ({"keys": ("arn:aws:kms:eu-west-1:111122223333:key/*",)}, "keys[0]"),
        ({"keys": [KEY] * 21}, "keys"),
        ({"subnets": [SUBNETS[0]] * 21}, "subnets"),
        ({"pipeline_roles": ("arn:aws:iam::111122223333:user/me",)}, "pipeline_roles[0]"),
        ({"pipeline_roles": ("arn:aws:iam::111122223333:role/*",)}, "pipeline_roles[0]"),
        ({"approving_roles": "arn:aws:iam::111122223333:role/x"}, "approving_roles"),
    ],
)
def test_bad_input_is_refused(changes: dict[str, Any], argument: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        make(**changes)
    assert [problem.argument for problem in error.value.problems] == [argument]


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as error:
        make(subnets=(), security_groups=("x",), keys=("y",))
    assert len(error.value.problems) == 3


@pytest.mark.parametrize(
    ("limits", "argument", "fix"),
    [
        ({"instance_types": ("ml.m5.huge",)}, "instance_types[0]", "Write one of"),
        ({"instance_types": ("ml.m55.large",)}, "instance_types[0]", "ml.m55.*"),
        ({"instance_types": ("m5.large",)}, "instance_types[0]", "ml.m5.xlarge"),
        ({"instance_types": ("ml.*",)}, "instance_types[0]", "ml.m5.xlarge"),
        ({"instance_types": ()}, "instance_types", "Write"),
        ({"instance_types": "ml.m5.large"}, "instance_types", "Write"),
        ({"instance_types": ["ml.m5.large"] * 101}, "instance_types", "ml.m5.*"),
        ({"run_time_seconds": 59}, "run_time_seconds", "2419200"),
        ({"run_time_seconds": 2_419_201}, "run_time_seconds", "2419200"),
        ({"file_systems": ("efs-1",)}, "file_systems[0]", "fs-"),
    ],
)
def test_bad_limits_are_refused(limits: dict[str, Any], argument: str, fix: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        WorkLimits(**limits)
    (problem,) = error.value.problems
    assert problem.argument == argument
    assert fix in problem.fix


def test_a_family_newer_than_the_library_can_be_named() -> None:
    assert WorkLimits(instance_types=("ml.m99.*",)).all_types == ["ml.m99.*", "system"]


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_keys_of_other_partitions_are_taken(partition: str) -> None:
    make(keys=(f"arn:{partition}:kms:x-y-1:111122223333:key/mrk-0a1b2c3d00000000000000000000000a",))
