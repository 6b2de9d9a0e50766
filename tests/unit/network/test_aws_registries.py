"""The table of AWS's image registries."""

from __future__ import annotations

import re

from secure_ml_constructs.network.aws_registries import (
    PARTITIONS,
    partition_accounts,
    partition_of,
    registry_accounts,
)

# Amazon SageMaker AI: Docker Registry Paths and Example Code, Europe (Frankfurt).
XGBOOST, DEEP_LEARNING, STUDIO = "492215442770", "763104351884", "936697816551"


def test_a_known_region_has_its_own() -> None:
    accounts = registry_accounts("eu-central-1")
    assert {XGBOOST, DEEP_LEARNING, STUDIO} <= set(accounts)
    assert len(accounts) < 30


def test_every_account_is_one() -> None:
    for accounts in partition_accounts().values():
        assert accounts
        assert all(re.fullmatch(r"\d{12}", account) for account in accounts)


def test_a_region_that_is_not_known_gets_its_partition() -> None:
    assert registry_accounts("eu-new-9") == partition_accounts()["aws"]
    assert registry_accounts("cn-new-9") == partition_accounts()["aws-cn"]


def test_partitions_are_kept_apart() -> None:
    assert partition_of("us-gov-west-1") == "aws-us-gov"
    assert partition_of("us-isob-east-1") == "aws-iso-b"
    assert partition_of("us-west-2") == "aws"
    assert set(partition_accounts()) == {"aws", *PARTITIONS.values()}
    assert DEEP_LEARNING not in partition_accounts()["aws-cn"]
    assert "727897471807" in registry_accounts("cn-north-1")


def test_a_partition_without_data_lets_nobody_in() -> None:
    assert partition_accounts()["aws-eusc"] == ["000000000000"]
