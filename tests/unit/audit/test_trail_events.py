"""What a trail records: the selectors within CloudTrail's rules and limits."""

from __future__ import annotations

from typing import Any

import pytest

from secure_ml_constructs.audit import TrailEvents
from secure_ml_constructs.audit.network_sources import KNOWN_NETWORK_SOURCES, network_sources
from secure_ml_constructs.audit.trail_events import MOST_SELECTOR_VALUES, selector_values
from secure_ml_constructs.errors import Problems
from tests.support.templates import World

ARCHIVE = ("arn:aws:s3:::archive", "arn:aws:s3:::access-logs")


def recorded(events: TrailEvents, region: str = "eu-central-1", **event: str) -> bool:
    """Tell whether a trail with these selectors would record an event: CloudTrail's own rule."""
    return any(
        all(
            _matches(field, event.get(field["field"].replace(".", "_")))
            for field in selector["fieldSelectors"]
        )
        for selector in events.selectors(region=region, archive_arns=ARCHIVE)
    )


def _matches(field: dict[str, Any], value: str | None) -> bool:
    if value is None:
        return False
    tests = {
        "equalTo": lambda given: value in given,
        "notEquals": lambda given: value not in given,
        "startsWith": lambda given: value.startswith(tuple(given)),
        "notStartsWith": lambda given: not value.startswith(tuple(given)),
    }
    return all(tests[name](given) for name, given in field.items() if name != "field")


def s3(bucket: str, name: str = "GetObject") -> dict[str, str]:
    return {
        "eventCategory": "Data",
        "resources_type": "AWS::S3::Object",
        "resources_ARN": f"arn:aws:s3:::{bucket}/key",
        "eventName": name,
    }


def test_management_events_are_recorded() -> None:
    assert recorded(TrailEvents(), eventCategory="Management", eventName="CreateTrainingJob")


def test_object_events_of_every_bucket_are_recorded() -> None:
    for name in ("GetObject", "PutObject", "DeleteObject"):
        assert recorded(TrailEvents(), **s3("lake", name))
    # One whose name begins like the archive's is another bucket.
    assert recorded(TrailEvents(), **s3("archive-of-somebody", "PutObject"))


@pytest.mark.parametrize("bucket", ["archive", "access-logs"])
@pytest.mark.parametrize("events", [TrailEvents(), TrailEvents(data_buckets=["arn:aws:s3:::lake"])])
def test_reads_of_the_archive_are_recorded_and_deliveries_are_not(events: TrailEvents, bucket: str) -> None:
    for name in ("GetObject", "DeleteObject", "ListObjects", "PutObjectRetention"):
        assert recorded(events, **s3(bucket, name))
    assert not recorded(events, **s3(bucket, "PutObject"))


def test_given_buckets_are_the_only_ones() -> None:
    events = TrailEvents(data_buckets=["arn:aws:s3:::lake"])
    assert recorded(events, **s3("lake", "PutObject"))
    assert not recorded(events, **s3("lake-two"))
    assert not recorded(events, **s3("elsewhere"))


@pytest.mark.parametrize("kind", ["Endpoint", "FeatureGroup", "ExperimentTrialComponent"])
def test_sagemaker_data_events_are_recorded(kind: str) -> None:
    assert recorded(TrailEvents(), eventCategory="Data", resources_type=f"AWS::SageMaker::{kind}")


def test_network_activity_is_recorded_a_source_at_a_time() -> None:
    selectors = TrailEvents().selectors(region="eu-central-1", archive_arns=ARCHIVE)
    network = [s for s in selectors if s["fieldSelectors"][0]["equalTo"] == ["NetworkActivity"]]
    assert len(network) == len(network_sources("eu-central-1"))
    for selector in network:
        (source,) = (f["equalTo"] for f in selector["fieldSelectors"] if f["field"] == "eventSource")
        assert len(source) == 1
    for source in ("sagemaker", "s3", "kms", "secretsmanager", "ec2", "cloudtrail"):
        event = {"eventCategory": "NetworkActivity", "eventSource": f"{source}.amazonaws.com"}
        assert recorded(TrailEvents(), **event)


def test_what_is_named_twice_is_recorded_once() -> None:
    once = TrailEvents(data_types=["AWS::SageMaker::Endpoint"], network_sources=["kms.amazonaws.com"])
    twice = TrailEvents(
        data_types=["AWS::SageMaker::Endpoint"] * 2, network_sources=["kms.amazonaws.com"] * 2
    )
    assert once.selectors(region="", archive_arns=ARCHIVE) == twice.selectors(region="", archive_arns=ARCHIVE)


def test_denied_calls_alone_can_be_asked_for() -> None:
    events = TrailEvents(denied_network_calls_only=True)
    event = {"eventCategory": "NetworkActivity", "eventSource": "kms.amazonaws.com"}
    assert recorded(events, **event, errorCode="VpceAccessDenied")
    assert not recorded(events, **event)


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1"])
def test_other_partitions_get_what_they_are_documented_to_know(region: str) -> None:
    sources = network_sources(region)
    assert "kms.amazonaws.com" in sources
    assert "sagemaker.amazonaws.com" not in sources
    assert set(sources) <= set(network_sources("eu-central-1")) <= KNOWN_NETWORK_SOURCES


def test_the_fields_are_those_that_cloudtrail_takes(audit: World, full: World) -> None:
    """AWS::CloudTrail::Trail AdvancedFieldSelector: fields by category, and Equals where it is demanded."""
    fields = {
        "Management": {"eventCategory"},
        "Data": {"eventCategory", "resources.type", "resources.ARN", "eventName"},
        "NetworkActivity": {"eventCategory", "eventSource", "errorCode"},
    }
    equals_only = {"eventCategory", "resources.type", "eventSource", "errorCode"}
    for world in (audit, full):
        values = 0
        selectors = world.one("AWS::CloudTrail::Trail").properties["AdvancedEventSelectors"]
        assert len({selector["Name"] for selector in selectors}) == len(selectors)
        for selector in selectors:
            by_name = {field["Field"]: set(field) - {"Field"} for field in selector["FieldSelectors"]}
            (category,) = (
                f["Equals"][0] for f in selector["FieldSelectors"] if f["Field"] == "eventCategory"
            )
            assert set(by_name) <= fields[category]
            assert len(by_name) == len(selector["FieldSelectors"])
            assert all(by_name[name] == {"Equals"} for name in by_name if name in equals_only)
            values += sum(
                len(v) for f in selector["FieldSelectors"] for v in f.values() if isinstance(v, list)
            )
        assert values <= MOST_SELECTOR_VALUES


def problems(events: TrailEvents) -> list[str]:
    found = Problems()
    events.check(found)
    return [problem.argument for problem in found._found]


@pytest.mark.parametrize(
    ("events", "named"),
    [
        (TrailEvents(data_buckets=[]), "events.data_buckets"),
        (TrailEvents(data_buckets=["lake"]), "events.data_buckets[0]"),
        (TrailEvents(data_buckets=["arn:aws:iam::111122223333:role/lake"]), "events.data_buckets[0]"),
        (TrailEvents(data_buckets="arn:aws:s3:::lake"), "events.data_buckets"),
        (TrailEvents(network_sources="kms.amazonaws.com"), "events.network_sources"),
        (TrailEvents(data_types=["AWS::S3::Object"]), "events.data_types[0]"),
        (TrailEvents(data_types=["SageMaker"]), "events.data_types[0]"),
        (TrailEvents(network_sources=["logs.amazonaws.com"]), "events.network_sources[0]"),
        (TrailEvents(network_sources=["kms.amazonaws.com", "kms"]), "events.network_sources[1]"),
    ],
)
def test_bad_input_is_named(events: TrailEvents, named: str) -> None:
    assert problems(events) == [named]


def test_more_buckets_than_the_selectors_hold_are_refused() -> None:
    def most(count: int) -> TrailEvents:
        return TrailEvents(data_buckets=[f"arn:aws:s3:::bucket-{n}" for n in range(count)])

    fixed = selector_values(most(0).selectors(region="", archive_arns=ARCHIVE))
    assert not problems(most(MOST_SELECTOR_VALUES - fixed))
    assert problems(most(MOST_SELECTOR_VALUES - fixed + 1)) == ["events.data_buckets"]
