"""The role of a model: it reads what it serves, writes what is captured, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aws_cdk import CfnResource
from aws_cdk import aws_iam as iam
from constructs import Construct

from secure_ml_constructs._acknowledge import OBJECTS_BELOW, acknowledge_wildcards
from secure_ml_constructs.identity import RoleFoundation
from secure_ml_constructs.identity.execution import PULL
from secure_ml_constructs.policy import Statement, allow, document, subs
from secure_ml_constructs.serving.served_model import Container

_ZONE = "A model package names its data itself: they lie somewhere in the zone of models."


class ServingRole(Construct):
    """The role of an endpoint's models.

    Ensures:
        I1: its own models' data and images, its own captures and log.
        I3: the boundary, and a trust for our account only.

    Args:
        scope: The parent construct.
        id: The construct's id.
        foundation: What the environment's roles share.
        containers: What it serves.
        packaged: Whether it serves a model package as well, which names its data itself.
        zone: The zone of models.
        captures: The zone and the pattern within it that captures are written to.
        log: The ARN of its log group.
    """

    #: The role's ARN.
    arn: str
    #: What has to be there before a model is made.
    ready: tuple[CfnResource, ...]

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        foundation: RoleFoundation,
        containers: Sequence[Container],
        packaged: bool,
        zone: str,
        captures: tuple[str, str],
        log: str,
    ) -> None:
        super().__init__(scope, id)
        perimeter = foundation.perimeter
        wildcards: dict[str, str] = {}
        statements = [
            *_reading(foundation, containers, packaged, zone, wildcards),
            *_capturing(foundation, *captures, wildcards),
            *_images(containers),
            allow("Log", ("logs:CreateLogStream", "logs:PutLogEvents"), log),
        ]
        role = iam.CfnRole(
            self,
            "Resource",
            path=perimeter.role_path,
            assume_role_policy_document=perimeter.service_trust("sagemaker.amazonaws.com"),
            permissions_boundary=foundation.boundary.arn,
            managed_policy_arns=[each.managed_policy_arn for each in foundation.execution_policies],
        )
        policy = iam.CfnManagedPolicy(
            self,
            "Policy",
            path=perimeter.role_path,
            roles=[role.ref],
            policy_document=document(statements),
        )
        acknowledge_wildcards(policy, wildcards)
        self.arn = role.attr_arn
        self.ready = (policy,)


def _reading(
    foundation: RoleFoundation,
    containers: Sequence[Container],
    packaged: bool,
    zone: str,
    wildcards: dict[str, str],
) -> Iterator[Statement]:
    lake = foundation.lake
    held = lake.zones[zone]
    places = [each.data for each in containers if each.data]
    if packaged:
        places.append("")
    if not places:
        return
    zone_arn = lake.zone_arn(zone)
    objects = list(
        dict.fromkeys(f"{zone_arn}{place}{'' if place.endswith('.tar.gz') else '*'}" for place in places)
    )
    for place in objects:
        if place.endswith("*"):
            wildcards[place] = _ZONE if packaged else OBJECTS_BELOW
    yield allow("Models", ("s3:GetObject", "s3:GetObjectVersion"), objects)
    prefixes = [f"{held.path}{place}*" for place in places if not place.endswith(".tar.gz")]
    if prefixes:
        yield allow(
            "ListModels",
            "s3:ListBucket",
            zone_arn.removesuffix(f"/{held.path}"),
            condition={"StringLike": {"s3:prefix": prefixes}},
        )
    yield allow("ModelsKey", "kms:Decrypt", foundation.keys.arn(held.key_class))


def _capturing(
    foundation: RoleFoundation, zone: str, pattern: str, wildcards: dict[str, str]
) -> Iterator[Statement]:
    place = f"{foundation.lake.zone_arn(zone)}{pattern}"
    wildcards[place] = OBJECTS_BELOW
    yield allow("Captures", ("s3:AbortMultipartUpload", "s3:PutObject"), place)
    key = foundation.keys.arn(foundation.lake.zones[zone].key_class)
    # S3 decrypts the parts of a multipart upload to join them.
    yield allow("CapturesKey", ("kms:Decrypt", "kms:GenerateDataKey"), key)


def _images(containers: Sequence[Container]) -> Iterator[Statement]:
    """Images in registries of other trusted accounts; ours and AWS's any role may pull."""
    elsewhere = sorted(
        {
            f"arn:${{AWS::Partition}}:ecr:{each.region}:{each.account}:repository/{each.repository}"
            for each in containers
            if not each.account.startswith("$")
        }
    )
    if elsewhere:
        yield allow("Images", PULL, subs(elsewhere))
