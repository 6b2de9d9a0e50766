"""The configuration file: what it may hold, and what a wrong one hears."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from secure_ml_constructs.environment import EnvironmentConfig, load_config
from secure_ml_constructs.environment.config import parse_config
from secure_ml_constructs.environment.schema import json_schema
from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.storage import DEFAULT_ZONES, LockMode
from tests.support.templates import ROOT

REFERENCE = ROOT / "environments" / "reference.yaml"
SCHEMA = ROOT / "environments" / "environment.schema.json"


def refused(raw: Any) -> dict[str, str]:
    """What a configuration is refused for: the reason and the way out, by path in the file."""
    with pytest.raises(ConfigurationError) as caught:
        parse_config(raw, where="env.yaml")
    assert caught.value.where == "env.yaml"
    return {problem.argument: f"{problem.reason} {problem.fix}" for problem in caught.value.problems}


def test_a_name_is_enough() -> None:
    config = parse_config({"name": "ml"}, where="env.yaml")
    assert config.lake.values() == DEFAULT_ZONES
    assert config.perimeter.value().role_path == "/secure-ml/"
    assert config.network.availability_zones == 2


def test_the_reference_environment_is_read() -> None:
    config = load_config(REFERENCE)
    assert config.name == "hospital-ml"
    assert [zone.name for zone in config.lake.values()] == ["raw", "curated", "features", "models", "output"]
    assert config.perimeter.value().organization == "o-a1b2c3d4e5"


@pytest.mark.parametrize("path", sorted((ROOT / "environments").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_environment_fits_the_published_schema(path: Path) -> None:
    jsonschema.validate(yaml.safe_load(path.read_text()), json.loads(SCHEMA.read_text()))


def test_the_published_schema_is_that_of_the_model() -> None:
    """`make docs` writes it."""
    assert SCHEMA.read_text() == json_schema()


def test_every_problem_is_told_at_once_with_its_path() -> None:
    found = refused(
        {
            "name": "ml",
            "perimeter": {"organization": "acme", "break_glass_roles": ["root"]},
            "network": {
                "cidr": "10.0.0.0/28",
                "availability_zones": 1,
                "flow_log_retention_days": 42,
                "endpoints": {"extra": ["sagemaker.apy"]},
            },
            "trail": {"network_sources": ["mars.amazonaws.com"]},
            "lake": {"zones": [{"name": "a"}, {"name": "b", "prefix": "a/b/"}]},
        }
    )
    assert set(found) == {
        "perimeter.organization",
        "perimeter.break_glass_roles[0]",
        "network.cidr",
        "network.availability_zones",
        "network.flow_log_retention_days",
        "network.endpoints.extra[0]",
        "trail.events.network_sources[0]",
        "lake.zones[1].prefix",
    }
    assert "sagemaker.api" in found["network.endpoints.extra[0]"]


def test_structure_is_told_with_its_path_as_well() -> None:
    found = refused(
        {
            "name": "ML!",
            "keys": {"rotation_days": 30},
            "archive": {"retention_days": 30, "mode": "none"},
            "lake": {"zones": [{"nmae": "raw"}]},
            "netwrok": {},
        }
    )
    assert set(found) == {
        "name",
        "keys.rotation_days",
        "archive.retention_days",
        "archive.mode",
        "lake.zones[0].name",
        "lake.zones[0].nmae",
        "netwrok",
    }
    assert "Leave it out" in found["netwrok"]


@pytest.mark.parametrize(
    ("raw", "argument"),
    [
        ({"name": "ml", "account": "111122223333"}, "file"),
        ({"name": "ml", "account": 111122223333, "region": "eu-central-1"}, "account"),
        ({"name": "ml", "keys": {"existing": {"data": "alias/aws/s3"}}}, "keys.existing.data"),
        (
            {
                "name": "ml",
                "network": {
                    "cidr": "10.0.0.0/16",
                    "existing": {
                        "vpc": "vpc-0123456789abcdef0",
                        "subnets": [
                            {"availability_zone": "eu-central-1a", "subnet_id": "subnet-0123456789abcdef0"},
                            {"availability_zone": "eu-central-1b", "subnet_id": "subnet-0123456789abcdef1"},
                        ],
                    },
                },
            },
            "network",
        ),
        (["name", "ml"], "file"),
        (None, "file"),
    ],
)
def test_contradictions_and_wrong_types(raw: Any, argument: str) -> None:
    assert argument in refused(raw)


def test_a_lock_on_personal_data_is_told() -> None:
    zone = {"name": "raw", "personal_data": True, "lock": {"mode": "compliance", "days": 10}}
    assert "erase" in refused({"name": "ml", "lake": {"zones": [zone]}})["lake.zones[0].lock.mode"]


def test_a_locked_zone_is_read() -> None:
    zone = {"name": "trial", "lock": {"days": 10}}
    (value,) = parse_config({"name": "ml", "lake": {"zones": [zone]}}, where="env.yaml").lake.values()
    assert value.lock is not None
    assert (value.lock.mode, value.lock.days) == (LockMode.GOVERNANCE, 10)


@pytest.mark.parametrize(
    ("content", "reason"),
    [("name: [", "no YAML"), ("", "mapping"), ("\x00", "no YAML"), (b"\xff\xfe", "no YAML")],
)
def test_a_file_that_is_none(tmp_path: Path, content: str | bytes, reason: str) -> None:
    path = tmp_path / "env.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigurationError, match=reason) as caught:
        load_config(path)
    assert caught.value.where == str(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        load_config(tmp_path / "missing.yaml")


def test_a_configuration_is_a_value() -> None:
    config = load_config(REFERENCE)
    assert config == load_config(REFERENCE)
    assert EnvironmentConfig.model_validate(config.model_dump()) == config
