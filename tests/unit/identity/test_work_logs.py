"""WorkLogs: SageMaker's own names, our key, kept."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.identity import WorkLogs
from secure_ml_constructs.keys import EnvironmentKeys
from secure_ml_constructs.perimeter import DataPerimeter
from tests.support.compliance import findings
from tests.support.templates import World, new_app, synth


def build(app: cdk.App, **arguments: int) -> WorkLogs:
    stack = cdk.Stack(app, "Stack")
    keys = EnvironmentKeys(stack, "Keys", perimeter=DataPerimeter())
    return WorkLogs(stack, "Logs", key=keys.logs, **arguments)


@pytest.fixture(scope="session")
def world() -> World:
    app = new_app()
    build(app)
    return World(synth(app))


def test_the_groups_have_our_key_a_retention_and_are_kept(world: World) -> None:
    made = {each.logical_id: each for each in world.resources("AWS::Logs::LogGroup")}
    # Frozen: what a changed id would replace can't be made while the old one is there.
    assert {each.properties["LogGroupName"]: name for name, each in made.items()} == {
        "/aws/sagemaker/TrainingJobs": "LogsTrainingC0154077",
        "/aws/sagemaker/ProcessingJobs": "LogsProcessing33A78DF5",
        "/aws/sagemaker/TransformJobs": "LogsTransform6C47A896",
        "/aws/sagemaker/studio": "LogsStudio0FAFD38D",
    }
    key = world.arn(world.one("AWS::KMS::Key", "Logs"))
    for each in made.values():
        assert each.properties["KmsKeyId"] == key
        assert each.properties["RetentionInDays"] == 365
        assert each.raw["DeletionPolicy"] == "Retain"


def test_no_finding() -> None:
    assert findings(build) == []
    assert findings(lambda app: build(app, retention_days=3653)) == []


def test_what_is_refused() -> None:
    stack = cdk.Stack(new_app(), "Stack")
    key = kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:eu-central-1:111122223333:alias/aws/logs")
    with pytest.raises(ConfigurationError) as error:
        WorkLogs(stack, "Logs", key=key, retention_days=100)
    assert [problem.argument for problem in error.value.problems] == ["key", "retention_days"]
