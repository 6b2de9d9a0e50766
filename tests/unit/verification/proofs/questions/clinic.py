"""The small environment of the tests, and ways to change one thing of it."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import Any

from secure_ml_constructs.verification.proofs.environment import ask
from secure_ml_constructs.verification.proofs.questions import Answer, Trust
from secure_ml_constructs.verification.templates import Templates
from secure_ml_constructs.verification.templates.source import parse

Json = dict[str, Any]
ACCOUNT = "111122223333"
TRUST = Trust(
    organization="o-abcdefghij",
    role_paths=("/clinic/",),
    administrators=(f"arn:aws:iam::{ACCOUNT}:role/administrator",),
)
_FILE = Path(__file__).with_name("clinic.yaml")


@cache
def _whole() -> Json:
    body: Json = parse(_FILE.read_text(encoding="utf-8"), str(_FILE))[0]
    return body


class Clinic:
    """A copy of the environment's template, to change."""

    def __init__(self) -> None:
        self.body = copy.deepcopy(_whole())

    def __getitem__(self, logical_id: str) -> Json:
        properties: Json = self.body["Resources"][logical_id]["Properties"]
        return properties

    def add(self, logical_id: str, type_: str, **properties: Any) -> None:
        self.body["Resources"][logical_id] = {"Type": type_, "Properties": properties}

    def remove(self, *logical_ids: str) -> None:
        for logical_id in logical_ids:
            del self.body["Resources"][logical_id]

    def document(self, logical_id: str) -> Json:
        """The policy document of a resource, wherever it stands."""
        properties = self[logical_id]
        for name in (
            *("PolicyDocument", "KeyPolicy", "ResourcePolicy", "RepositoryPolicyText"),
            "PermissionsPolicyDocument",
        ):
            if name in properties:
                document: Json = properties[name]
                return document
        if "Policies" in properties:
            inline: Json = properties["Policies"][0]["PolicyDocument"]
            return inline
        raise KeyError(logical_id)

    def statement(self, logical_id: str, sid: str) -> Json:
        """One statement of a resource's policy."""
        (found,) = (each for each in self.document(logical_id)["Statement"] if each["Sid"] == sid)
        statement: Json = found
        return statement

    def drop(self, logical_id: str, *sids: str) -> None:
        """Take statements out of a resource's policy."""
        document = self.document(logical_id)
        assert {each["Sid"] for each in document["Statement"]} >= set(sids)
        document["Statement"] = [each for each in document["Statement"] if each["Sid"] not in sids]

    def grant(self, logical_id: str, sid: str = "Hole", **statement: Any) -> None:
        """Add an Allow to a resource's policy."""
        self.document(logical_id)["Statement"].append({"Sid": sid, "Effect": "Allow", **statement})

    def ask(self, *questions: str, trust: Trust = TRUST) -> list[Answer]:
        """Ask questions about it."""
        return ask(Templates.of({"clinic": self.body}), trust, questions=questions or ("*",))
