"""The function that rotates secrets, run against Secrets Manager as moto plays it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from secure_ml_constructs.runtime import secret_rotation

pytestmark = pytest.mark.slow

REGION = "eu-central-1"
TOKEN = "11111111-2222-4333-8444-555555555555"
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "LENGTH": "40",
        "EXCLUDE": "\"'`/\\@",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        yield boto3.client("secretsmanager")


@pytest.fixture
def secret(client: Any) -> str:
    arn: str = client.create_secret(Name="token", SecretString="first-value")["ARN"]
    return arn


def prepare(client: Any, secret: str, monkeypatch: pytest.MonkeyPatch, *, enabled: bool = True) -> None:
    """Put the secret into the state that Secrets Manager has it in when it calls the function."""
    real = client.describe_secret

    def described(**named: str) -> dict[str, Any]:
        found: dict[str, Any] = real(**named)
        stages = found.get("VersionIdsToStages", {})
        # moto adds no empty version of its own, as the service does before the first step.
        return {**found, "RotationEnabled": enabled, "VersionIdsToStages": {TOKEN: ["AWSPENDING"], **stages}}

    monkeypatch.setattr(client, "describe_secret", described)
    monkeypatch.setattr(boto3, "client", lambda _: client)


def run(secret: str, *steps: str) -> None:
    for step in steps or STEPS:
        event = {"SecretId": secret, "ClientRequestToken": TOKEN, "Step": step}
        secret_rotation.handler(event, None)


def value(client: Any, secret: str, stage: str = "AWSCURRENT") -> str:
    text: str = client.get_secret_value(SecretId=secret, VersionStage=stage)["SecretString"]
    return text


def test_four_steps_give_a_new_value(client: Any, secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(client, secret, monkeypatch)
    run(secret)
    new = value(client, secret)
    assert new != "first-value"
    assert len(new) == 40
    assert not set(new) & set("\"'`/\\@")
    assert value(client, secret, "AWSPREVIOUS") == "first-value"


def test_until_the_last_step_the_old_value_is_in_use(
    client: Any, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(client, secret, monkeypatch)
    run(secret, "createSecret", "setSecret", "testSecret")
    assert value(client, secret) == "first-value"


def test_a_step_that_is_tried_again_changes_nothing(
    client: Any, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(client, secret, monkeypatch)
    run(secret, "createSecret")
    pending = value(client, secret, "AWSPENDING")
    run(secret, "createSecret")
    assert value(client, secret, "AWSPENDING") == pending
    run(secret, "testSecret", "finishSecret")
    run(secret, "finishSecret", "createSecret")
    assert value(client, secret) == pending


@pytest.mark.parametrize(
    ("current", "keeps"),
    [
        ('{"username": "model-registry", "password": "old"}', {"username": "model-registry"}),
        ('{"password": "old"}', {}),
    ],
)
def test_of_an_object_only_the_password_changes(current: str, keeps: dict[str, str]) -> None:
    assert json.loads(secret_rotation.renewed(current, "new")) == {**keeps, "password": "new"}


@pytest.mark.parametrize("current", ["plain", '["a list"]', '{"token": "no password in it"}', "17"])
def test_anything_else_changes_as_a_whole(current: str) -> None:
    assert secret_rotation.renewed(current, "new") == "new"


def test_a_value_that_did_not_change_is_refused(
    client: Any, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(client, secret, monkeypatch)
    client.put_secret_value(
        SecretId=secret,
        SecretString="first-value",
        ClientRequestToken=TOKEN,
        VersionStages=["AWSPENDING"],
    )
    with pytest.raises(ValueError, match="no new value"):
        run(secret, "testSecret")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"RotationEnabled": False}, "not to be rotated"),
        ({"VersionIdsToStages": {}}, "no version"),
        ({"VersionIdsToStages": {TOKEN: ["AWSPREVIOUS"]}}, "not set to be the next"),
    ],
)
def test_a_call_out_of_turn_is_refused(
    client: Any, secret: str, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], says: str
) -> None:
    described = {"RotationEnabled": True, "VersionIdsToStages": {TOKEN: ["AWSPENDING"]}, **change}
    monkeypatch.setattr(client, "describe_secret", lambda **_: described)
    monkeypatch.setattr(boto3, "client", lambda _: client)
    with pytest.raises(ValueError, match=says):
        run(secret, "createSecret")
    assert value(client, secret) == "first-value"


def test_an_unknown_step_is_refused(client: Any, secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(client, secret, monkeypatch)
    with pytest.raises(ValueError, match="knows no step"):
        run(secret, "makeSecret")
