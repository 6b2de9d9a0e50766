"""What a trail records, as CloudTrail's advanced event selectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from secure_ml_constructs._cdk import is_token
from secure_ml_constructs.audit.network_sources import KNOWN_NETWORK_SOURCES, network_sources
from secure_ml_constructs.errors import Problems

# AWS CloudTrail: Logging data events, resource types of Amazon SageMaker AI. Feature store reads and writes,
# invocations, and the metrics that experiments and training jobs report.
SAGEMAKER_DATA_TYPES = (
    "AWS::SageMaker::Endpoint",
    "AWS::SageMaker::ExperimentTrialComponent",
    "AWS::SageMaker::FeatureGroup",
)

# AWS CloudTrail: Quotas, conditions across all advanced event selectors.
MOST_SELECTOR_VALUES = 500

Selector = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class TrailEvents:
    """What a trail records besides every management event. (A1)

    Args:
        data_buckets: ARNs of the buckets whose object events are recorded. The reading of the archive always
            is. Default: all buckets of the account, also those made later.
        data_types: Resource types, besides S3 objects, whose data events are recorded. Default: endpoint
            invocations, feature store and experiments.
        network_sources: Services whose VPC endpoints' traffic is recorded. Default: all that CloudTrail knows
            of an environment's endpoints.
        denied_network_calls_only: Record only what an endpoint policy refused. Saves cost where endpoints
            are busy, and loses calls with other accounts' credentials that a policy let through.
            Default: False.
        insights: Record unusual rates of calls and errors. Default: True.

    Example:
        >>> TrailEvents(denied_network_calls_only=True).insights
        True
    """

    data_buckets: Sequence[str] | None = None
    data_types: Sequence[str] = SAGEMAKER_DATA_TYPES
    network_sources: Sequence[str] | None = None
    denied_network_calls_only: bool = False
    insights: bool = True

    def check(self, problems: Problems) -> None:
        """Record what CloudTrail would refuse."""
        for argument in ("data_buckets", "data_types", "network_sources"):
            value = getattr(self, argument)
            if isinstance(value, str):
                fix = f"Write [{value!r}]."
                problems.add(f"events.{argument}", value, "One string where a list belongs.", fix)
                return
        for index, bucket in enumerate(self.data_buckets or ()):
            if not is_token(bucket) and not (bucket.startswith("arn:") and ":s3:::" in bucket):
                problems.add(
                    f"events.data_buckets[{index}]",
                    bucket,
                    "This is no bucket ARN.",
                    "Write bucket.bucket_arn, or 'arn:aws:s3:::<name>'.",
                )
        if self.data_buckets is not None and not self.data_buckets:
            problems.add(
                "events.data_buckets",
                self.data_buckets,
                "No object event would be recorded.",
                "Name the buckets, or leave the argument out for all of them.",
            )
        for index, kind in enumerate(self.data_types):
            if kind.count("::") != 2 or not kind.startswith("AWS::") or kind == "AWS::S3::Object":
                problems.add(
                    f"events.data_types[{index}]",
                    kind,
                    "This is no resource type that can be added; S3 objects have data_buckets.",
                    "Write for instance 'AWS::SageMaker::MlflowTrackingServer'.",
                )
        for index, source in enumerate(self.network_sources or ()):
            if source not in KNOWN_NETWORK_SOURCES:
                problems.add(
                    f"events.network_sources[{index}]",
                    source,
                    "CloudTrail records no network activity of this event source.",
                    "Write one of its list (AWS CloudTrail: Logging network activity events), for instance "
                    "'kms.amazonaws.com'.",
                )
        values = selector_values(self.selectors(region="", archive_arns=("archive", "access-logs")))
        if values > MOST_SELECTOR_VALUES:
            problems.add(
                "events.data_buckets",
                f"{len(self.data_buckets or ())} buckets",
                f"The selectors would hold {values} values; a trail takes {MOST_SELECTOR_VALUES}.",
                "Leave the argument out, so that all buckets are recorded, or split them over two trails.",
            )

    def selectors(self, *, region: str, archive_arns: Sequence[str]) -> list[Selector]:
        """Give the advanced event selectors, as CfnTrail takes them.

        Args:
            region: The trail's region.
            archive_arns: The buckets that the trail's own deliveries end in.
        """
        archives = [f"{arn}/" for arn in archive_arns]
        if self.data_buckets is None:
            objects = {"notStartsWith": archives}
        else:
            objects = {"startsWith": [f"{arn}/" for arn in self.data_buckets]}
        result = [
            _selector("Management", "Management"),
            _selector("Objects", "Data", _type("AWS::S3::Object"), {"field": "resources.ARN", **objects}),
            # Without the deliveries themselves: each would be recorded, delivered and recorded again.
            _selector(
                "ArchiveReads",
                "Data",
                _type("AWS::S3::Object"),
                {"field": "resources.ARN", "startsWith": archives},
                {"field": "eventName", "notEquals": ["PutObject"]},
            ),
        ]
        result += [
            _selector(kind.rpartition("::")[2], "Data", _type(kind))
            for kind in dict.fromkeys(self.data_types)
        ]
        denied = {"field": "errorCode", "equalTo": ["VpceAccessDenied"]}
        sources = self.network_sources
        for source in dict.fromkeys(network_sources(region) if sources is None else sources):
            fields = [{"field": "eventSource", "equalTo": [source]}]
            if self.denied_network_calls_only:
                fields.append(denied)
            result.append(_selector(f"Network {source.partition('.')[0]}", "NetworkActivity", *fields))
        return result


def selector_values(selectors: Sequence[Selector]) -> int:
    """Count the values of all selectors, which CloudTrail limits."""
    return sum(
        len(value)
        for selector in selectors
        for field in selector["fieldSelectors"]
        for value in field.values()
        if isinstance(value, list)
    )


def _selector(name: str, category: str, *fields: dict[str, Any]) -> Selector:
    return {"name": name, "fieldSelectors": [{"field": "eventCategory", "equalTo": [category]}, *fields]}


def _type(kind: str) -> dict[str, Any]:
    return {"field": "resources.type", "equalTo": [kind]}
