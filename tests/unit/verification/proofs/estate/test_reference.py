"""The reference environment: everything is found, every document is read, and no text is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from secure_ml_constructs.verification import templates as loader
from secure_ml_constructs.verification.proofs.estate import Estate
from secure_ml_constructs.verification.proofs.iam import Document, Kind, Policies, Principal, parse
from secure_ml_constructs.verification.proofs.iam.domains import exactly
from secure_ml_constructs.verification.proofs.iam.prove import Proved, Question, prove
from tests.support.templates import Templates, World
from tests.unit.environment.test_environment import templates

__all__ = ["templates"]


@pytest.fixture(scope="session")
def estate(templates: Templates) -> Estate:
    return Estate.of(loader.Templates.of(templates))


class SameNames(World):
    """The tests' own resolver, with the names of an estate."""

    def __init__(self, templates: Templates, estate: Estate) -> None:
        super().__init__(templates, account="111122223333", region="eu-west-1")
        self.estate = estate
        self.found = {(each.template.name, each.logical_id): each for each in _all(estate)}

    def _identity(self, stack: str, name: str, resource: Mapping[str, Any]) -> tuple[str, str]:
        ours = self.found[stack, name]
        return str(self.estate.attribute(ours, "Ref")), str(self.estate.arn(ours))

    def _attribute(self, stack: str, name: str, attribute: str) -> Any:
        if attribute in ("ClientId", "DefaultSecurityGroup", "DomainArn", "DomainId"):
            return self.estate.attribute(self.found[stack, name], attribute)
        return super()._attribute(stack, name, attribute)


def _all(estate: Estate) -> Iterator[loader.Resource]:
    return (resource for template in estate.templates for resource in template.resources.values())


def documents(estate: Estate) -> dict[str, Document]:
    """Every document, by name."""
    found = [
        document
        for role in estate.roles
        for document in (*role.documents, role.trust, *(role.boundary or ()))
    ]
    found += [document for endpoint in estate.endpoints for document in endpoint.documents]
    for resource in estate.resources("AWS::S3::Bucket", "AWS::KMS::Key"):
        policy = estate.policy_of(resource)
        assert policy, resource
        found.append(policy)
    return {document.name: document for document in found}


# Where each type has its documents.
PLACES = {
    "AWS::IAM::Role": ("AssumeRolePolicyDocument", Kind.RESOURCE, "/trust"),
    "AWS::IAM::ManagedPolicy": ("PolicyDocument", Kind.IDENTITY, ""),
    "AWS::KMS::Key": ("KeyPolicy", Kind.RESOURCE, ""),
    "AWS::S3::BucketPolicy": ("PolicyDocument", Kind.RESOURCE, ""),
    "AWS::EC2::VPCEndpoint": ("PolicyDocument", Kind.ENDPOINT, ""),
}


def test_every_document_is_the_one_that_another_resolver_reads(templates: Templates, estate: Estate) -> None:
    world = SameNames(templates, estate)
    boundaries = {each.name for role in estate.roles for each in role.boundary or ()}
    expected: dict[str, Document] = {}
    for resource in world.resources():
        if resource.type in PLACES:
            path, kind, part = PLACES[resource.type]
            name = f"{resource.stack}/{resource.logical_id}{part}"
            kind = Kind.BOUNDARY if name in boundaries else kind
            expected[name] = parse(resource.properties[path], kind, name)
    assert documents(estate) == expected


def test_all_is_found(templates: Templates, estate: Estate) -> None:
    def count(*types: str) -> int:
        return sum(
            each["Type"] in types
            for template in templates.values()
            for each in template["Resources"].values()
        )

    assert len(estate.roles) == count("AWS::IAM::Role") > 0
    assert len(estate.endpoints) == count("AWS::EC2::VPCEndpoint") > 0
    assert not any(role.unknown for role in estate.roles)
    # The one role that does nothing is Studio's own.
    idle = [role.name for role in estate.roles if not role.documents]
    assert [str(name).rpartition("-")[2][:17] for name in idle] == ["StudioDefaultRole"]
    assert all(map(estate.block_public_access, estate.resources("AWS::S3::Bucket")))
    assert not estate.unreadable


def test_nothing_is_unknown(estate: Estate) -> None:
    for name, document in documents(estate).items():
        assert "Unknown(" not in repr(document), name
    assert "Unknown(" not in repr([(each.id, each.vpc, each.service, each.type) for each in estate.endpoints])
    for role in estate.roles:
        head, _, name = str(role.arn).rpartition("/")
        assert name == role.name
        assert re.fullmatch(
            r"arn:aws:iam::111122223333:role/(secure-ml|ml-administration|ml-emergency).*", head
        )


def test_every_arn_is_of_one_resource(estate: Estate) -> None:
    types = (
        "AWS::S3::Bucket",
        "AWS::KMS::Key",
        "AWS::IAM::Role",
        "AWS::EC2::VPCEndpoint",
        "AWS::EC2::Subnet",
    )
    arns = [estate.arn(each) for each in estate.resources(*types)]
    assert len(set(arns)) == len(arns) == 66


def test_a_proof_can_be_asked_for(estate: Estate) -> None:
    (bucket,) = (each for each in estate.resources("AWS::S3::Bucket") if "LakeData" in each.logical_id)
    policies = Policies(
        resource=estate.policy_of(bucket), block_public_access=estate.block_public_access(bucket)
    )
    outsider = Principal.read("arn:aws:iam::999999999999:role/thief")
    owner = {"aws:ResourceAccount": exactly(estate.place(bucket).account)}
    answer = prove(Question(policies, outsider, "s3:GetObject", f"{estate.arn(bucket)}/*", owner))
    assert isinstance(answer, Proved)


def test_the_same_each_time(templates: Templates, estate: Estate) -> None:
    again = Estate.of(loader.Templates.of(templates))
    assert documents(again) == documents(estate)
    assert list(documents(again)) == list(documents(estate))
    assert [each.arn for each in again.roles] == [each.arn for each in estate.roles]
