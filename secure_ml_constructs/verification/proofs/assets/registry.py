"""What several kinds of assets need to know of an estate."""

from __future__ import annotations

import re
from typing import Any

from secure_ml_constructs.verification.proofs.estate import Estate
from secure_ml_constructs.verification.proofs.iam.documents import Document
from secure_ml_constructs.verification.proofs.iam.domains import Values, exactly
from secure_ml_constructs.verification.proofs.questions.deeds import Act
from secure_ml_constructs.verification.templates import Resource

# AWS CDK: a logical id ends in eight digits of a digest of its path.
_DIGEST = re.compile(r"(?:Resource)?[0-9A-F]{8}$")
_KEYS = ("AWS::KMS::Key", "AWS::KMS::ReplicaKey")


class Registry:
    """The resources of an estate by what others call them.

    Args:
        estate: The estate.
    """

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self._keys: dict[str, Resource] = {}
        for key in estate.resources(*_KEYS):
            for attribute in ("Arn", "Ref"):
                name = estate.attribute(key, attribute)
                if isinstance(name, str):
                    self._keys[name] = key
        for alias in estate.resources("AWS::KMS::Alias"):
            target = estate.value(alias, "TargetKeyId")
            name, arn = estate.value(alias, "AliasName"), estate.arn(alias)
            if isinstance(target, str) and target in self._keys:
                for each in (name, arn):
                    if isinstance(each, str):
                        self._keys[each] = self._keys[target]
        self._policies: dict[int, Document | None] = {}

    def name(self, resource: Resource) -> str:
        """What a resource is called: by its construct's path, else by template and logical id."""
        metadata = resource.body.get("Metadata")
        path = metadata.get("aws:cdk:path") if isinstance(metadata, dict) else None
        if isinstance(path, str) and path:
            return path.removesuffix("/Resource")
        short = _short(resource.logical_id)
        alike = sum(_short(each) == short for each in resource.template.resources)
        return f"{resource.template.name}/{short if alike == 1 else resource.logical_id}"

    def policy(self, resource: Resource) -> Document | None:
        """The policy of a resource, read once."""
        if id(resource) not in self._policies:
            self._policies[id(resource)] = self.estate.policy_of(resource)
        return self._policies[id(resource)]

    def key(self, name: Any) -> tuple[str, Document | None] | None:
        """The ARN and policy of a customer key by whatever name; None for AWS's own keys.

        Of a key that no template has, the policy is None: it is not known.
        """
        if isinstance(name, str):
            if name in self._keys:
                resource = self._keys[name]
                arn = self.estate.arn(resource)
                return (arn if isinstance(arn, str) else name), self.policy(resource)
            if "alias/aws/" in name:
                return None
            return (name if name.startswith("arn:") else "arn:aws:kms:::key/elsewhere"), None
        return None if name is None else ("arn:aws:kms:::key/unknown", None)

    def through(self, service: str, name: Any, action: str, resource: Resource) -> tuple[Act, ...]:
        """What a request on something encrypted asks of its key besides, made by the service for the caller.

        Args:
            service: The service that makes the request to KMS: `s3`.
            name: The key, by whatever name; None where no customer key is named.
            action: The action on the key.
            resource: What is encrypted.
        """
        found = self.key(name)
        if found is None:
            return ()
        arn, policy = found
        place = self.estate.place(resource)
        via: dict[str, Values] = {"kms:viaservice": exactly(f"{service}.{place.region}.{place.suffix}")}
        return (Act(action, arn, policy, context=via, named=arn),)


def _short(logical_id: str) -> str:
    """A logical id without the digest that the CDK puts at its end."""
    return _DIGEST.sub("", logical_id) or logical_id
