"""SecureMlEnvironment: stacks that depend one way only, the same bytes each time, no finding."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from secure_ml_constructs.environment import EnvironmentConfig, SecureMlEnvironment, load_config
from secure_ml_constructs.environment.people_config import AnalyzerSection
from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.identity import Analysis
from tests.support.compliance import findings
from tests.support.templates import ACCOUNT, ROOT, Templates, World, new_app, synth

pytestmark = pytest.mark.slow

REFERENCE = ROOT / "environments" / "reference.yaml"
NAMES = tuple(
    f"hospital-ml-{name}"
    for name in (
        *("keys", "network", "archive", "lake", "alerts", "packages", "secrets", "people", "studio"),
        *("team-radiology", "team-cardiology", "monitor", "doors", "serving-clinical-risk"),
        *("serving-partners", "dashboards"),
    )
)
# What can be made again without anybody missing anything.
UNPROTECTED = {
    f"hospital-ml-{name}"
    for name in ("network", "alerts", "doors", "serving-clinical-risk", "serving-partners", "dashboards")
}

# What a changed id would replace, with all it holds.
STATEFUL = {
    "AWS::KMS::Key",
    "AWS::S3::Bucket",
    "AWS::CloudTrail::Trail",
    "AWS::Logs::LogGroup",
    "AWS::Glue::Database",
    "AWS::ECR::Repository",
    "AWS::CodeArtifact::Domain",
    "AWS::CodeArtifact::Repository",
    "AWS::SageMaker::Domain",
    "AWS::SageMaker::Space",
    "AWS::SageMaker::UserProfile",
    "AWS::SecretsManager::Secret",
}


def environment(app: cdk.App, **overrides: Any) -> SecureMlEnvironment:
    config = load_config(REFERENCE).model_copy(update=overrides)
    return SecureMlEnvironment(app, "Environment", config=config)


@pytest.fixture(scope="session")
def templates() -> Templates:
    app = new_app()
    environment(app)
    return synth(app)


@pytest.fixture(scope="session")
def world(templates: Templates) -> World:
    return World(templates)


def test_the_stacks_and_their_size(templates: Templates) -> None:
    assert set(templates) == set(NAMES)
    for name, template in templates.items():
        assert len(template["Resources"]) < 350, name
        assert len(json.dumps(template)) < 1_000_000, name


def test_no_arrow_runs_back() -> None:
    """Each stack reads the ones before it, never one after."""
    app = new_app()
    made = environment(app)
    order = [stack.stack_name for stack in made.stacks]
    synth(app)
    needs = {stack.stack_name: {other.stack_name for other in stack.dependencies} for stack in made.stacks}
    assert needs["hospital-ml-keys"] == set()
    assert needs["hospital-ml-network"] == {"hospital-ml-keys"}
    for name, before in needs.items():
        assert all(order.index(other) < order.index(name) for other in before), (name, before)


def test_an_endpoint_can_be_replaced_without_a_deadlock(templates: Templates) -> None:
    """An Export that is in use can't change: the policies read the network's outputs instead."""
    for template in templates.values():
        assert all("Export" not in output for output in template.get("Outputs", {}).values())
        assert "Fn::ImportValue" not in json.dumps(template)
    assert "hospital-ml-network" in json.dumps(templates["hospital-ml-lake"])
    assert "hospital-ml-network" in json.dumps(templates["hospital-ml-archive"])


def test_what_holds_data_is_protected_from_deletion() -> None:
    app = new_app()
    protected = {stack.stack_name for stack in environment(app).stacks if stack.termination_protection}
    assert protected == set(NAMES) - UNPROTECTED


def test_what_holds_data_is_retained(world: World) -> None:
    for kind in STATEFUL - {"AWS::Glue::Database", "AWS::CloudTrail::Trail"}:
        for resource in world.resources(kind):
            assert resource.raw.get("DeletionPolicy") == "Retain", resource.logical_id


def test_logical_ids_of_what_holds_data_are_frozen(world: World) -> None:
    """Change this list only together with a migration: the old resource stays, and nothing names it."""
    frozen = json.loads(Path(__file__).with_name("frozen_ids.json").read_text())
    found = {
        f"{resource.stack}/{resource.logical_id}": resource.type
        for resource in world.resources()
        if resource.type in STATEFUL
    }
    assert found == frozen


def test_no_partition_account_or_region_is_written_down(templates: Templates) -> None:
    text = json.dumps(templates)
    assert "arn:aws:" not in text
    assert ACCOUNT not in text
    assert '"eu-central-1' not in text.replace('"eu-central-1":', "")


@pytest.mark.parametrize("region", ["eu-central-1", "cn-north-1", "us-gov-west-1"])
def test_a_concrete_environment_in_each_partition(region: str) -> None:
    app = new_app()
    serving = load_config(REFERENCE).serving
    assert serving
    if region.startswith("us-gov"):
        # GovCloud is billed by another account, which has the budgets.
        serving = serving.model_copy(update={"monthly_budget": None})
    environment(app, account=ACCOUNT, region=region, serving=serving)
    templates = synth(app)
    assert set(templates) == set(NAMES)
    if region != "eu-central-1":
        # The partition is written out where the region is known, and it is the right one.
        assert "arn:aws:" not in json.dumps(templates)


def test_no_finding_of_the_packs() -> None:
    assert findings(environment) == []


def test_two_environments_in_one_app() -> None:
    app = new_app()
    config = load_config(REFERENCE)
    assert config.people
    SecureMlEnvironment(app, "One", config=config)
    # What an account has once is the first one's.
    shared = {"work_logs": "existing", "analyzer": AnalyzerSection(existing=tuple(Analysis))}
    people = config.people.model_copy(update=shared)
    assert config.serving
    serving = config.serving.model_copy(update={"api_logging": "existing"})
    second = config.model_copy(update={"name": "research-ml", "people": people, "serving": serving})
    SecureMlEnvironment(app, "Two", config=second)
    assert len(synth(app)) == 2 * len(NAMES)


def test_what_an_account_has_once_is_not_made_twice() -> None:
    app = new_app()
    environment(app)
    with pytest.raises(ConfigurationError, match="AccessAnalyzer"):
        SecureMlEnvironment(app, "Two", config=load_config(REFERENCE).model_copy(update={"name": "other"}))


def test_teams_reach_what_the_file_says(world: World) -> None:
    def statements(role: str) -> Iterator[dict[str, Any]]:
        name = world.ref(world.one("AWS::IAM::Role", role))
        for policy in world.resources("AWS::IAM::ManagedPolicy"):
            if name in policy.properties.get("Roles", ()):
                yield from policy.properties["PolicyDocument"]["Statement"]

    def zones(role: str, action: str) -> set[str]:
        found = set()
        for each in statements(role):
            actions, resources = (
                value if isinstance(value, list) else [value]
                for value in (each["Action"], each.get("Resource", []))
            )
            if action in actions:
                found |= {
                    resource.split("/")[-2] for resource in resources if resource.startswith("arn:aws:s3")
                }
        return found

    assert zones("radiologyrolesDataScientist", "s3:GetObject") == {
        *("raw", "curated", "features"),
        # Whoever writes a zone reads what is there.
        "output",
    }
    assert zones("radiologyrolesDataScientist", "s3:PutObject") == {"features", "output"}
    assert zones("cardiologyrolesDataScientist", "s3:GetObject") == {"curated", "models"}
    secret = world.ref(world.one("AWS::SecretsManager::Secret", "RadiologyPacsToken"))
    readers = {
        role
        for role in (
            "radiologyrolesDataScientist",
            "radiologyrolesMlEngineer",
            "cardiologyrolesDataScientist",
        )
        if any(secret in json.dumps(each.get("Resource")) for each in statements(role))
    }
    assert readers == {"radiologyrolesDataScientist", "radiologyrolesMlEngineer"}


def test_existing_keys_and_an_existing_network() -> None:
    raw = {
        "name": "ml",
        "keys": {"existing": {"data": f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/0000-1111"}},
        "network": {
            "endpoints": {"profile": "minimal"},
            "existing": {
                "vpc": "vpc-0123456789abcdef0",
                "subnets": [
                    {
                        "availability_zone": f"eu-central-1{letter}",
                        "subnet_id": f"subnet-0123456789abcdef{number}",
                        "route_table_id": f"rtb-0123456789abcdef{number}",
                    }
                    for number, letter in enumerate("ab")
                ],
                "endpoints": {"s3": "vpce-0123456789abcdef0"},
            },
        },
    }
    config = EnvironmentConfig.model_validate(raw)
    assert (
        findings(lambda app: SecureMlEnvironment(app, "Environment", config=config), config.rule_settings())
        == []
    )
    app = new_app()
    made = SecureMlEnvironment(app, "Environment", config=config)
    world = World(synth(app))
    assert made.network.s3_endpoint_ids == ("vpce-0123456789abcdef0",)
    assert len(list(world.resources("AWS::KMS::Key"))) == 4
    assert not list(world.resources("AWS::EC2::VPC"))
    policy = world.bucket_policy(world.one("AWS::S3::Bucket", "LakeData"))
    assert "vpce-0123456789abcdef0" in json.dumps(policy)


@pytest.mark.parametrize("name", NAMES)
def test_the_templates(
    templates: Templates, name: str, snapshot_template: Callable[[dict[str, Any]], None]
) -> None:
    snapshot_template(templates[name])
