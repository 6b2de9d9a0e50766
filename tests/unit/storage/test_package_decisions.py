"""PackageRepository: who installs, publishes and administers, asked as decisions; and what notices a hole."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from secure_ml_constructs.testing import answers
from secure_ml_constructs.testing import findings as rule_findings
from secure_ml_constructs.verification.proofs.iam import Kind, NotCovered, Policies, decide, parse
from secure_ml_constructs.verification.proofs.iam import Request as Evaluated
from secure_ml_constructs.verification.proofs.questions import Trust, Verdict
from tests.support.decisions import ALLOW_ALL, Policy, Request, Simulator
from tests.support.templates import ACCOUNT, REGION, World
from tests.unit.storage.test_package_repository import (
    DOMAIN,
    IAM,
    arn,
    default,
    full,
    granted,
    repository,
)

pytestmark = pytest.mark.slow

__all__ = ["default", "full"]

ADMINISTRATOR, BREAK_GLASS = f"{IAM}/ml-admin", f"{IAM}/ml-break-glass"
DEPLOYING = f"{IAM}/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-{REGION}"
SCIENTIST, INSIDER = f"{IAM}/secure-ml/scientist", f"{IAM}/developer"
OUTSIDER = "arn:aws:iam::999988887777:role/outsider"
API, REPOSITORIES = "codeartifact.api", "codeartifact.repositories"


def endpoint(made: World, service: str) -> tuple[str, Policy]:
    (found,) = [
        each
        for each in made.resources("AWS::EC2::VPCEndpoint")
        if str(each.properties["ServiceName"]).endswith(f".{service}")
    ]
    return made.ref(found), found.properties["PolicyDocument"]


def _named(value: Any) -> Any:
    """Packages without a namespace get one: the simulator knows no ARN with an empty part."""
    return json.loads(re.sub(r"(:package/[^\"]*?)//", r"\1/-/", json.dumps(value)))


class Asker:
    """Asks the simulator and our own evaluator, by each policy that stands in a request's way."""

    def __init__(self, made: World, simulator: Simulator) -> None:
        self.made = made
        self._simulator = simulator

    def ask(
        self,
        action: str,
        resource: str,
        *,
        principal: str,
        identity: list[Policy],
        service: str | None,
        repository_name: str = "packages",
        context: Mapping[str, str] | None = None,
    ) -> bool:
        """Both the domain's policy and the repository's have to let it through, and the endpoint's."""
        sent = {"aws:ResourceAccount": ACCOUNT, **(context or {})}
        endpoints: list[Policy] = []
        if service:
            sent["aws:SourceVpce"], policy = endpoint(self.made, service)
            endpoints = [policy]
        policies = [self.made.one(DOMAIN).properties["PermissionsPolicyDocument"]]
        if ":domain/" not in resource:
            policies.append(repository(self.made, repository_name).properties["PermissionsPolicyDocument"])
        request = Request(principal=principal, action=action, resource=_named(resource), context=sent)
        answers = []
        for each in policies:
            theirs = self._simulator.decide(
                request,
                identity=_named(identity),
                resource_policy=_named(each),
                endpoint_policies=endpoints,
            )
            ours = decide(
                Policies(
                    identity=tuple(parse(one, Kind.IDENTITY, "identity") for one in identity),
                    resource=parse(each, Kind.RESOURCE, "resource"),
                    endpoint=tuple(parse(one, Kind.ENDPOINT, "endpoint") for one in endpoints) or None,
                ),
                Evaluated.of(principal, action, resource, request.simulation()["contextVariables"]),
            )
            assert not isinstance(ours, NotCovered), ours.reason
            assert ours.allowed is theirs.allowed, f"{action} by {principal}: {ours.because}"
            answers.append(ours.allowed)
        return all(answers)


@pytest.fixture
def asker(full: World, simulator: Simulator) -> Asker:
    return Asker(full, simulator)


# -- installing ----------------------------------------------------------------------------------------


@pytest.mark.decision
@pytest.mark.parametrize("role", ["Scientist", "Pipeline"])
def test_pip_installs_by_the_endpoints(full: World, asker: Asker, simulator: Simulator, role: str) -> None:
    who = full.arn(full.one("AWS::IAM::Role", role))
    own = granted(full, role)
    for action, resource, service in (
        ("codeartifact:GetAuthorizationToken", arn(full, "domain"), API),
        ("codeartifact:GetRepositoryEndpoint", arn(full, "repository", "packages"), API),
        ("codeartifact:ReadFromRepository", arn(full, "repository", "packages"), REPOSITORIES),
    ):
        assert asker.ask(action, resource, principal=who, identity=own, service=service)
        if "Endpoint" not in action:
            # With the same credentials and token from anywhere else.
            assert not asker.ask(action, resource, principal=who, identity=own, service=None)
            elsewhere = {"aws:SourceVpce": "vpce-0badbadbadbadbad0"}
            assert not asker.ask(
                action, resource, principal=who, identity=own, service=None, context=elsewhere
            )
    for asked, allowed in (("codeartifact.amazonaws.com", True), ("codecommit.amazonaws.com", False)):
        request = Request(
            principal=who,
            action="sts:GetServiceBearerToken",
            resource="*",
            context={"sts:AWSServiceName": asked},
        )
        assert simulator.decide(request, identity=own).allowed is allowed


@pytest.mark.decision
def test_who_installs_does_not_publish_and_reads_no_other_repository(full: World, asker: Asker) -> None:
    who = full.arn(full.one("AWS::IAM::Role", "Scientist"))
    own = granted(full, "Scientist")
    package = arn(full, "package", "packages/pypi//acme-tools")
    publish = "codeartifact:PublishPackageVersion"
    assert not asker.ask(publish, package, principal=who, identity=own, service=REPOSITORIES)
    public = arn(full, "repository", "pypi-public")
    assert not asker.ask(
        "codeartifact:ReadFromRepository",
        public,
        principal=who,
        identity=own,
        service=REPOSITORIES,
        repository_name="pypi-public",
    )


@pytest.mark.decision
@pytest.mark.parametrize("who", [INSIDER, ADMINISTRATOR, DEPLOYING, OUTSIDER])
def test_nobody_else_installs_whatever_they_are_granted(full: World, asker: Asker, who: str) -> None:
    for action, resource in (
        ("codeartifact:GetAuthorizationToken", arn(full, "domain")),
        ("codeartifact:ReadFromRepository", arn(full, "repository", "packages")),
        ("codeartifact:PublishPackageVersion", arn(full, "package", "packages/pypi//acme-tools")),
    ):
        for service in (API, REPOSITORIES, None):
            assert not asker.ask(action, resource, principal=who, identity=[ALLOW_ALL], service=service)


@pytest.mark.decision
def test_break_glass_installs_from_anywhere(full: World, asker: Asker) -> None:
    resource = arn(full, "repository", "packages")
    assert asker.ask(
        "codeartifact:ReadFromRepository",
        resource,
        principal=BREAK_GLASS,
        identity=[ALLOW_ALL],
        service=None,
    )


# -- publishing ----------------------------------------------------------------------------------------

OURS = ["pypi//acme", "pypi//acme-tools", "pypi//ward-tools-data", "npm/acme/ui"]
FOREIGN = ["pypi//numpy", "pypi//acmeology", "npm//react", "npm/acme-corp/ui", "npm//acme", "generic/acme/x"]


@pytest.mark.decision
@pytest.mark.parametrize("name", [*OURS, *FOREIGN])
def test_a_pipeline_publishes_names_of_ours_only(full: World, asker: Asker, name: str) -> None:
    who = full.arn(full.one("AWS::IAM::Role", "Pipeline"))
    for identity in (granted(full, "Pipeline"), [ALLOW_ALL]):
        for service in (REPOSITORIES, None):
            allowed = asker.ask(
                "codeartifact:PublishPackageVersion",
                arn(full, "package", f"packages/{name}"),
                principal=who,
                identity=identity,
                service=service,
            )
            assert allowed is (name in OURS and service is not None)


@pytest.mark.decision
@pytest.mark.parametrize("upstream", ["pypi-public", "npm-public"])
def test_nobody_publishes_beside_the_public_registry(full: World, asker: Asker, upstream: str) -> None:
    for who in (SCIENTIST, BREAK_GLASS, ADMINISTRATOR):
        assert not asker.ask(
            "codeartifact:PublishPackageVersion",
            arn(full, "package", f"{upstream}/pypi//acme-tools"),
            principal=who,
            identity=[ALLOW_ALL],
            service=REPOSITORIES,
            repository_name=upstream,
        )


@pytest.mark.decision
def test_without_names_of_our_own_nobody_publishes(default: World, simulator: Simulator) -> None:
    request = Request(
        principal=SCIENTIST,
        action="codeartifact:PublishPackageVersion",
        resource=arn(default, "package", "packages/npm/acme/ui"),
        context={"aws:SourceVpce": "vpce-0a1b2c3d4e5f60718"},
    )
    policy = repository(default).properties["PermissionsPolicyDocument"]
    assert not simulator.decide(request, identity=(ALLOW_ALL,), resource_policy=policy).allowed


# -- administration ------------------------------------------------------------------------------------


@pytest.mark.decision
@pytest.mark.parametrize(
    ("action", "kind", "path"),
    [
        ("PutDomainPermissionsPolicy", "domain", ""),
        ("UpdatePackageGroupOriginConfiguration", "package-group", "pypi"),
        ("DeletePackageGroup", "package-group", "pypi"),
        ("AssociateExternalConnection", "repository", "packages"),
        ("UpdateRepository", "repository", "packages"),
        ("PutPackageOriginConfiguration", "package", "packages/pypi//numpy"),
        ("CopyPackageVersions", "package", "packages/pypi//acme"),
        ("DeletePackageVersions", "package", "packages/pypi//acme"),
    ],
)
def test_only_who_administers_changes_where_packages_come_from(
    full: World, asker: Asker, action: str, kind: str, path: str
) -> None:
    resource = arn(full, kind, path)

    def may(who: str) -> bool:
        return asker.ask(f"codeartifact:{action}", resource, principal=who, identity=[ALLOW_ALL], service=API)

    for who in (DEPLOYING, ADMINISTRATOR, BREAK_GLASS):
        assert may(who)
    for who in (SCIENTIST, INSIDER, OUTSIDER):
        assert not may(who)


# -- what notices a weaker one ---------------------------------------------------------------------------


def weakened(made: World, logical_id: str, change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    templates: dict[str, Any] = copy.deepcopy(dict(made.templates))
    (resource,) = (
        each for name, each in templates["Packages"]["Resources"].items() if name.startswith(logical_id)
    )
    change(resource["Properties"])
    return templates


def without(*sids: str) -> Callable[[dict[str, Any]], None]:
    def change(properties: dict[str, Any]) -> None:
        policy = properties["PermissionsPolicyDocument"]
        assert {each["Sid"] for each in policy["Statement"]} >= set(sids)
        policy["Statement"] = [each for each in policy["Statement"] if each["Sid"] not in sids]

    return change


@pytest.mark.parametrize(
    ("rule", "logical_id", "change"),
    [
        (
            "CodeArtifactCustomerKey",
            "PackagesDomain",
            lambda given: given.update(EncryptionKey="alias/aws/codeartifact"),
        ),
        (
            "CodeArtifactControlled",
            "PackagesPypiPublic",
            lambda given: given.pop("PermissionsPolicyDocument"),
        ),
        (
            "CodeArtifactOriginsApart",
            "PackagesPypiInternal0",
            lambda given: given["OriginConfiguration"]["Restrictions"].pop("ExternalUpstream"),
        ),
        (
            "CodeArtifactOriginsApart",
            "PackagesPypiAll",
            lambda given: given["OriginConfiguration"]["Restrictions"].update(
                Publish={"RestrictionMode": "ALLOW"}
            ),
        ),
    ],
)
def test_a_rule_notices(
    full: World, rule: str, logical_id: str, change: Callable[[dict[str, Any]], Any]
) -> None:
    def found(templates: Mapping[str, Any]) -> set[str]:
        return {each.rule for each in rule_findings(templates)}

    assert rule not in found(full.templates)
    assert rule in found(weakened(full, logical_id, change))


@pytest.mark.parametrize(
    ("question", "logical_id", "sids"),
    [
        ("insider/pull/Packages/PackagesRepository", "PackagesRepository", ["DenyUse"]),
        (
            "insider/push/Packages/PackagesRepository",
            "PackagesRepository",
            ["DenyUse", "DenyForeignNames"],
        ),
        ("insider/push/Packages/PackagesPypiPublic", "PackagesPypiPublic", ["DenyUse", "DenyPublishing"]),
        ("insider/let-in/Packages/PackagesRepository", "PackagesRepository", ["DenyAdministration"]),
        ("insider/sign-in/Packages/PackagesDomain", "PackagesDomain", ["DenyUse"]),
        ("insider/regroup/Packages/PackagesDomain", "PackagesDomain", ["DenyAdministration"]),
    ],
)
def test_a_proof_notices(full: World, question: str, logical_id: str, sids: list[str]) -> None:
    def verdict(templates: Mapping[str, Any]) -> Verdict:
        trust = Trust(role_paths=("/secure-ml/",), administrators=(ADMINISTRATOR, BREAK_GLASS))
        (answer,) = answers(templates, question, trust=trust)
        return answer.verdict

    assert verdict(full.templates) is Verdict.PROVED
    assert verdict(weakened(full, logical_id, without(*sids))) is Verdict.BROKEN
