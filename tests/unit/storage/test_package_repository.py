"""PackageRepository: where packages come from, who gets them, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from secure_ml_constructs import (
    DataPerimeter,
    EnvironmentKeys,
    PackageRepository,
    PackageSource,
    SecureVpc,
)
from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.storage import PackageFormat
from tests.support.compliance import findings
from tests.support.decisions import Policy
from tests.support.roles import job_role
from tests.support.templates import ACCOUNT, REGION, Resource, World, new_app, synth

pytestmark = pytest.mark.slow

IAM = f"arn:aws:iam::{ACCOUNT}:role"
ADMINISTRATOR, BREAK_GLASS = f"{IAM}/ml-admin", f"{IAM}/ml-break-glass"
PERIMETER = DataPerimeter(administrators=(ADMINISTRATOR,), break_glass_roles=(BREAK_GLASS,))
API, REPOSITORIES = "codeartifact.api", "codeartifact.repositories"
SOURCES = (
    PackageSource.pypi(internal=["acme", "ward-tools"]),
    PackageSource.npm(internal=["@acme"], public=["react", "@types/node"]),
)


def build(app: cdk.App) -> PackageRepository:
    stack = cdk.Stack(app, "Packages")
    keys = EnvironmentKeys(stack, "Keys", perimeter=PERIMETER)
    return PackageRepository(
        stack, "Packages", perimeter=PERIMETER, key=keys.model, endpoints=["vpce-0a1b2c3d4e5f60718"]
    )


def build_full(app: cdk.App) -> PackageRepository:
    """With a network, two roles that install, of which one publishes."""
    keys = EnvironmentKeys(cdk.Stack(app, "Keys"), "Keys", perimeter=PERIMETER)
    vpc = SecureVpc(
        cdk.Stack(app, "Network"),
        "Vpc",
        perimeter=PERIMETER,
        logs_key=keys.logs,
    )
    packages = PackageRepository(
        cdk.Stack(app, "Packages"),
        "Packages",
        perimeter=PERIMETER,
        key=keys.model,
        endpoints=[vpc.endpoint_ids[API], vpc.endpoint_ids[REPOSITORIES]],
        sources=SOURCES,
    )
    people = cdk.Stack(app, "People")
    packages.grant_read(job_role(people, "Scientist", PERIMETER))
    packages.grant_publish(job_role(people, "Pipeline", PERIMETER))
    return packages


@pytest.fixture(scope="session")
def default() -> World:
    app = new_app()
    build(app)
    return World(synth(app))


@pytest.fixture(scope="session")
def full() -> World:
    app = new_app()
    build_full(app)
    return World(synth(app))


DOMAIN, REPOSITORY, GROUP = (
    f"AWS::CodeArtifact::{name}" for name in ("Domain", "Repository", "PackageGroup")
)


def arn(made: World, kind: str, path: str = "") -> str:
    domain = made.one(DOMAIN).properties["DomainName"]
    return f"arn:aws:codeartifact:{REGION}:{ACCOUNT}:{kind}/{domain}{path and '/'}{path}"


def repository(made: World, name: str = "packages") -> Resource:
    (found,) = [each for each in made.resources(REPOSITORY) if each.properties["RepositoryName"] == name]
    return found


def granted(made: World, role: str) -> list[Policy]:
    name = made.ref(made.one("AWS::IAM::Role", role))
    return [
        each.properties["PolicyDocument"]
        for each in made.resources("AWS::IAM::ManagedPolicy")
        if name in each.properties.get("Roles", [])
    ]


# -- where packages come from --------------------------------------------------------------------------


def groups(made: World) -> dict[str, dict[str, str]]:
    """What each pattern's packages may do: the mode, or the one repository that they may enter."""
    names = {made.ref(each): each.properties["RepositoryName"] for each in made.resources(REPOSITORY)}

    def told(restriction: Mapping[str, Any]) -> str:
        if restriction["RestrictionMode"] == "ALLOW_SPECIFIC_REPOSITORIES":
            (only,) = restriction["Repositories"]
            return str(names[only])
        return str(restriction["RestrictionMode"])

    return {
        each.properties["Pattern"]: {
            name: told(restriction)
            for name, restriction in each.properties["OriginConfiguration"]["Restrictions"].items()
        }
        for each in made.resources(GROUP)
    }


PUBLISHED = {"Publish": "packages", "ExternalUpstream": "BLOCK", "InternalUpstream": "BLOCK"}
NOTHING = {"Publish": "BLOCK", "ExternalUpstream": "BLOCK", "InternalUpstream": "BLOCK"}


def fetched(through: str) -> dict[str, str]:
    return {"Publish": "BLOCK", "ExternalUpstream": through, "InternalUpstream": "packages"}


def test_our_names_are_published_and_never_fetched_and_others_the_other_way_round(full: World) -> None:
    assert groups(full) == {
        "/pypi/*": fetched("pypi-public"),
        "/pypi//acme~": PUBLISHED,
        "/pypi//ward-tools~": PUBLISHED,
        "/npm/*": NOTHING,
        "/npm/acme/*": PUBLISHED,
        "/npm//react$": fetched("npm-public"),
        "/npm/types/node$": fetched("npm-public"),
    }


def test_public_packages_come_through_a_repository_of_their_own(full: World) -> None:
    found = {each.properties["RepositoryName"]: each.properties for each in full.resources(REPOSITORY)}
    assert set(found) == {"packages", "pypi-public", "npm-public"}
    assert found["pypi-public"]["ExternalConnections"] == ["public:pypi"]
    assert found["npm-public"]["ExternalConnections"] == ["public:npmjs"]
    assert "ExternalConnections" not in found["packages"]
    assert found["packages"]["Upstreams"] == [
        full.ref(repository(full, name)) for name in ("pypi-public", "npm-public")
    ]


def test_nothing_from_outside_means_no_connection() -> None:
    app = new_app()
    stack = cdk.Stack(app, "Packages")
    keys = EnvironmentKeys(stack, "Keys", perimeter=PERIMETER)
    PackageRepository(
        stack,
        "Packages",
        perimeter=PERIMETER,
        key=keys.model,
        endpoints=["vpce-0a1b2c3d4e5f60718"],
        sources=[PackageSource.pypi(internal=["acme"], public=[])],
    )
    made = World(synth(app))
    assert made.one(REPOSITORY).properties["RepositoryName"] == "packages"
    assert "Upstreams" not in made.one(REPOSITORY).properties
    assert groups(made) == {"/pypi/*": NOTHING, "/pypi//acme~": PUBLISHED}


def test_it_is_under_the_key_and_kept(default: World) -> None:
    domain = default.one(DOMAIN)
    assert domain.properties["EncryptionKey"] == default.arn(default.one("AWS::KMS::Key", "KeysModel"))
    for kept in (domain, *default.resources(REPOSITORY)):
        assert kept.raw["DeletionPolicy"] == kept.raw["UpdateReplacePolicy"] == "Retain"


def test_the_logical_ids_of_what_is_kept_are_frozen(full: World) -> None:
    kept = {each.logical_id for kind in (DOMAIN, REPOSITORY) for each in full.resources(kind)}
    assert kept == {
        "PackagesDomain63365A27",
        "PackagesNpmPublic8CBA8638",
        "PackagesPypiPublicD85E21C6",
        "PackagesRepositoryD508F624",
    }


def test_the_domains_name_is_one_that_codeartifact_takes() -> None:
    app = new_app()
    stage = cdk.Stage(app, "Production-Of-The-Hospital-With-A-Long-Name")
    stack = cdk.Stack(stage, "Packages-Of-All-Teams")
    keys = EnvironmentKeys(stack, "Keys", perimeter=PERIMETER)
    names = [
        PackageRepository(
            stack, id, perimeter=PERIMETER, key=keys.model, endpoints=["vpce-0a1b2c3d4e5f60718"]
        ).domain_name
        for id in ("PackagesOfTheFirstTeam", "PackagesOfTheSecondTeam")
    ]
    assert len(set(names)) == 2
    for name in names:
        assert len(name) <= 50
        assert name.replace("-", "").isalnum()
        assert name == name.lower()
        assert name[0].isalpha()
        assert name[-1] != "-"


def test_policies_fit(full: World) -> None:
    for kind in (DOMAIN, REPOSITORY):
        for each in full.resources(kind):
            assert len(str(each.properties["PermissionsPolicyDocument"])) < 6_000


# -- what people write -----------------------------------------------------------------------------------


def test_pip_and_npm_are_pointed_at_the_repository() -> None:
    app = new_app()
    packages = build(app)
    stack = cdk.Stack.of(packages)
    cdk.CfnOutput(stack, "Pip", value=packages.pip_conf)
    cdk.CfnOutput(stack, "Npm", value=packages.npmrc)
    made = World(synth(app))
    outputs = {
        name: made.resolve("Packages", each["Value"])
        for name, each in made.templates["Packages"]["Outputs"].items()
        if name in ("Pip", "Npm")
    }
    host = f"{packages.domain_name}-{ACCOUNT}.d.codeartifact.{REGION}.amazonaws.com"
    assert f"index-url = https://aws@{host}/pypi/packages/simple/\n" in outputs["Pip"]
    assert "keyring-provider = import" in outputs["Pip"]
    assert outputs["Npm"].splitlines() == [
        f"registry=https://{host}/npm/packages/",
        f"//{host}/npm/packages/:_authToken=${{CODEARTIFACT_AUTH_TOKEN}}",
    ]


def test_grants_stand_on_the_role_once(full: World) -> None:
    assert len(granted(full, "Scientist")) == 1
    assert len(granted(full, "Pipeline")) == 1
    assert "AWS::IAM::ManagedPolicy" not in str(full.templates["Packages"])
    app = new_app()
    packages = build(app)
    stack = cdk.Stack(app, "People")
    for name in ("One", "Two"):
        role = iam.Role.from_role_arn(stack, name, f"{IAM}/secure-ml/{name.lower()}")
        packages.grant_read(role)
        packages.grant_read(role)
    made = World(synth(app))
    policies = list(made.resources("AWS::IAM::ManagedPolicy"))
    assert [each.properties["Roles"] for each in policies] == [["one"], ["two"]]
    assert {len(each.properties["PolicyDocument"]["Statement"]) for each in policies} == {3}


@pytest.mark.parametrize("make", [build, build_full], ids=["default", "full"])
def test_no_pack_finds_anything(make: Callable[[cdk.App], PackageRepository]) -> None:
    assert findings(make) == []


@pytest.mark.parametrize("made", ["default", "full"])
def test_the_template(
    made: str, request: pytest.FixtureRequest, snapshot_template: Callable[[dict[str, Any]], None]
) -> None:
    found: World = request.getfixturevalue(made)
    resources = {
        name: each
        for name, each in dict(found.templates)["Packages"]["Resources"].items()
        if not name.startswith("Keys")
    }
    snapshot_template({"Resources": resources})


# -- bad input -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "argument", "says"),
    [
        ({"endpoints": []}, "endpoints", "nobody could install"),
        ({"endpoints": "vpce-1"}, "endpoints", "nobody could install"),
        ({"sources": []}, "sources", "nothing to install"),
        ({"sources": [PackageSource.pypi(), PackageSource.pypi()]}, "sources[1].format", "twice"),
        ({"sources": [PackageSource.pypi(internal=["Acme_Tools"])]}, "sources[0].internal[0]", "normalizes"),
        ({"sources": [PackageSource.pypi(internal=["acme-*"])]}, "sources[0].internal[0]", "normalizes"),
        ({"sources": [PackageSource.pypi(internal=["acme", "acme"])]}, "sources[0].internal[1]", "twice"),
        ({"sources": [PackageSource.pypi(public=["NumPy"])]}, "sources[0].public[0]", "normalizes"),
        (
            {"sources": [PackageSource.pypi(internal=["acme"], public=["acme-ui"])]},
            "sources[0].public[0]",
            "taken for us",
        ),
        ({"sources": [PackageSource.npm(internal=["acme"])]}, "sources[0].internal[0]", "need a scope"),
        (
            {"sources": [PackageSource.npm(internal=["@acme"], public=["@acme/ui"])]},
            "sources[0].public[0]",
            "taken for us",
        ),
        ({"sources": [PackageSource.npm(public=["../react"])]}, "sources[0].public[0]", "normalizes"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], argument: str, says: str) -> None:
    stack = cdk.Stack(new_app(), "Packages")
    keys = EnvironmentKeys(stack, "Keys", perimeter=PERIMETER)
    given = {"endpoints": ["vpce-0a1b2c3d4e5f60718"], **arguments}
    with pytest.raises(ConfigurationError) as caught:
        PackageRepository(stack, "Packages", perimeter=PERIMETER, key=keys.model, **given)
    (problem,) = caught.value.problems
    assert problem.argument == argument
    assert says in problem.reason
    assert stack.node.try_find_child("Packages") is None


def test_a_key_that_aws_manages_is_refused() -> None:
    stack = cdk.Stack(new_app(), "Packages")
    managed = kms.Alias.from_alias_name(stack, "Managed", "alias/aws/codeartifact")
    with pytest.raises(ConfigurationError, match="key="):
        PackageRepository(stack, "Packages", perimeter=PERIMETER, key=managed, endpoints=["vpce-1"])


def test_publishing_without_names_of_our_own_is_refused() -> None:
    app = new_app()
    packages = build(app)
    role = iam.Role.from_role_arn(cdk.Stack(app, "People"), "Role", f"{IAM}/secure-ml/pipeline")
    with pytest.raises(ConfigurationError, match="nothing may be published") as caught:
        packages.grant_publish(role)
    assert caught.value.where == "Packages/Packages"


def test_one_name_alone_is_no_row_of_letters() -> None:
    assert PackageSource.pypi(internal="acme").internal == ("acme",)
    assert PackageSource(format=PackageFormat.PYPI) == PackageSource.pypi()
