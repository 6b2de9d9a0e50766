"""Where Athena looks for CloudTrail's files."""

from __future__ import annotations

import pytest
from aws_cdk import region_info

from secure_ml_constructs.audit import TrailLocation
from secure_ml_constructs.audit.cloudtrail_table import REGIONS
from secure_ml_constructs.errors import ConfigurationError, Problems
from tests.support.templates import ACCOUNT, World

# Partitions with neither SageMaker's endpoints nor a common account with the others.
CLOSED = ("eu-isoe-", "eusc-", "us-iso-", "us-isob-", "us-isof-")


def test_every_region_the_cdk_knows_is_looked_at() -> None:
    known = {region.name for region in region_info.RegionInfo.regions}
    assert set(REGIONS) == {name for name in known if not name.startswith(CLOSED)}


@pytest.mark.parametrize(
    ("location", "root"),
    [
        (TrailLocation(bucket_name="b"), "s3://b/AWSLogs"),
        (TrailLocation(bucket_name="b", prefix="p/q"), "s3://b/p/q/AWSLogs"),
        (TrailLocation(bucket_name="b", organization="o-a1b2c3d4e5"), "s3://b/AWSLogs/o-a1b2c3d4e5"),
    ],
)
def test_the_address_of_the_account_folders(location: TrailLocation, root: str) -> None:
    assert location.root() == root
    assert location.projection("CloudTrail")["storage.location.template"] == (
        f"{root}/${{account}}/CloudTrail/${{region}}/${{day}}"
    )


def test_network_activity_has_a_folder_and_a_table_of_its_own(audit: World) -> None:
    templates = {
        table.properties["TableInput"]["Name"]: table.properties["TableInput"]["Parameters"][
            "storage.location.template"
        ]
        for table in audit.resources("AWS::Glue::Table")
    }
    bucket = audit.ref(audit.one("AWS::S3::Bucket", "ArchiveBucket"))
    assert templates == {
        "cloudtrail": f"s3://{bucket}/AWSLogs/${{account}}/CloudTrail/${{region}}/${{day}}",
        "network_activity": (
            f"s3://{bucket}/AWSLogs/${{account}}/CloudTrail-NetworkActivity/${{region}}/${{day}}"
        ),
    }


def test_every_partition_key_of_the_address_is_projected(audit: World) -> None:
    for table in audit.resources("AWS::Glue::Table"):
        parameters = table.properties["TableInput"]["Parameters"]
        keys = [key["Name"] for key in table.properties["TableInput"]["PartitionKeys"]]
        for key in keys:
            assert f"${{{key}}}" in parameters["storage.location.template"]
            assert f"projection.{key}.type" in parameters
        assert parameters["projection.account.values"] == ACCOUNT


@pytest.mark.parametrize(
    ("location", "named"),
    [
        (TrailLocation(bucket_name=""), "location.bucket_name"),
        (TrailLocation(bucket_name="o'neill"), "location.bucket_name"),
        (TrailLocation(bucket_name="s3://logs"), "location.bucket_name"),
        (TrailLocation(bucket_name="logs", prefix="trails/"), "location.prefix"),
        (TrailLocation(bucket_name="logs", organization="r-a1b2"), "location.organization"),
        (TrailLocation(bucket_name="logs", accounts=("12",)), "location.accounts[0]"),
        (TrailLocation(bucket_name="logs", since="2026/1/1"), "location.since"),
        (TrailLocation(bucket_name="logs", since="2026/02/30"), "location.since"),
    ],
)
def test_bad_input_is_named(location: TrailLocation, named: str) -> None:
    problems = Problems()
    location.check(problems)
    with pytest.raises(ConfigurationError) as refused:
        problems.raise_if_any("here")
    assert [problem.argument for problem in refused.value.problems] == [named]
