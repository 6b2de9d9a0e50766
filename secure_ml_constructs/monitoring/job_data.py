"""What the jobs of a watch read and write, whichever engine starts them."""

from __future__ import annotations

from collections.abc import Iterator

from secure_ml_constructs._acknowledge import OBJECTS_BELOW
from secure_ml_constructs.monitoring.plan import WatchPlan
from secure_ml_constructs.policy import Statement, allow


def data_statements(
    plan: WatchPlan, compared: str, wildcards: dict[str, str], *, results: str, baseline: str
) -> Iterator[Statement]:
    """Give what jobs need of the lake: captures, labels, baseline and earlier results; and to write results.

    Args:
        plan: What is watched.
        compared: What it is compared with, in the zone of the plan's baseline: a file, or a folder with a
            slash at its end.
        wildcards: Where to say why a resource holds a wildcard.
        results: What the statements about results begin with.
        baseline: What that about the baseline's key begins with.
    """
    lake, keys = plan.foundation.lake, plan.foundation.keys
    zone, kept = plan.endpoint.zone, plan.baseline.zone
    places = [(zone, plan.captures), (zone, plan.results), (kept, compared)]
    if plan.model_quality:
        places.append((zone, plan.model_quality.ground_truth))
    objects: list[str] = []
    listed: dict[str, list[str]] = {}
    for name, place in places:
        below = "*" if place.endswith("/") else ""
        arn = f"{lake.zone_arn(name)}{place}{below}"
        objects.append(arn)
        if below:
            wildcards[arn] = OBJECTS_BELOW
        # SageMaker lists what begins with a name, also where it is one object's.
        path = lake.zones[name].path
        listed.setdefault(lake.zone_arn(name).removesuffix(f"/{path}"), []).append(f"{path}{place}{below}")
    yield allow("Read", "s3:GetObject", objects)
    for number, (bucket, prefixes) in enumerate(listed.items()):
        condition = {"StringLike": {"s3:prefix": prefixes}}
        yield allow(f"List{number or ''}", "s3:ListBucket", bucket, condition=condition)
    written = f"{lake.zone_arn(zone)}{plan.results}*"
    yield allow(results, ("s3:AbortMultipartUpload", "s3:PutObject"), written)
    own, theirs = (keys.arn(lake.zones[each].key_class) for each in (zone, kept))
    # S3 decrypts the parts of a multipart upload to join them.
    yield allow(f"{results}Key", ("kms:Decrypt", "kms:GenerateDataKey"), own)
    if theirs != own:
        yield allow(f"{baseline}Key", "kms:Decrypt", theirs)
