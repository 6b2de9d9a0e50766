"""Gives a secret a new random value, step by step as Secrets Manager asks for it.

This file is inlined into its function as it stands, where only Python and boto3 are to be had.

AWS Secrets Manager User Guide, "Rotation by Lambda function". Nothing but the secret itself holds the value:
who uses it reads it each time, so that there is no second place to set it in.
"""

from __future__ import annotations

import json
import os
from typing import Any

import boto3

FIELD = "password"


def create(client: Any, secret: str, token: str) -> None:
    """Make the new version, once: a step may be tried again."""
    try:
        client.get_secret_value(SecretId=secret, VersionId=token, VersionStage="AWSPENDING")
    except client.exceptions.ResourceNotFoundException:
        current = client.get_secret_value(SecretId=secret, VersionStage="AWSCURRENT")["SecretString"]
        value = client.get_random_password(
            PasswordLength=int(os.environ["LENGTH"]), ExcludeCharacters=os.environ["EXCLUDE"]
        )["RandomPassword"]
        client.put_secret_value(
            SecretId=secret,
            ClientRequestToken=token,
            SecretString=renewed(current, value),
            VersionStages=["AWSPENDING"],
        )


def renewed(current: str, value: str) -> str:
    """The secret with its new value: the whole of it, or one field of an object."""
    try:
        fields = json.loads(current)
    except ValueError:
        return value
    if not isinstance(fields, dict) or FIELD not in fields:
        return value
    return json.dumps({**fields, FIELD: value})


def test(client: Any, secret: str, token: str) -> None:
    """Read the new version, as whoever uses it will, and see that it is a new one."""
    pending = client.get_secret_value(SecretId=secret, VersionId=token, VersionStage="AWSPENDING")
    current = client.get_secret_value(SecretId=secret, VersionStage="AWSCURRENT")
    if not pending["SecretString"] or pending["SecretString"] == current["SecretString"]:
        raise ValueError(f"{secret}: the new version is no new value")


def finish(client: Any, secret: str, token: str) -> None:
    """Make the new version the current one."""
    versions = client.describe_secret(SecretId=secret)["VersionIdsToStages"]
    current = next((version for version, stages in versions.items() if "AWSCURRENT" in stages), None)
    if current != token:
        client.update_secret_version_stage(
            SecretId=secret,
            VersionStage="AWSCURRENT",
            MoveToVersionId=token,
            **({"RemoveFromVersionId": current} if current else {}),
        )


STEPS = {"createSecret": create, "testSecret": test, "finishSecret": finish}


def handler(event: dict[str, Any], context: object) -> None:
    """Take one step of a rotation."""
    secret, token, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
    client = boto3.client("secretsmanager")
    described = client.describe_secret(SecretId=secret)
    if not described.get("RotationEnabled"):
        raise ValueError(f"{secret} is not to be rotated")
    stages = described["VersionIdsToStages"].get(token)
    if stages is None:
        raise ValueError(f"{secret} has no version {token} to rotate to")
    if "AWSCURRENT" in stages:
        return
    if "AWSPENDING" not in stages:
        raise ValueError(f"{secret}: version {token} is not set to be the next one")
    if step in STEPS:
        STEPS[step](client, secret, token)
    elif step != "setSecret":
        raise ValueError(f"Secrets Manager knows no step {step}")
