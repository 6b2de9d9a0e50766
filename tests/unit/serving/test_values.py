"""What an endpoint serves, on how many instances, and how a new model takes over: what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_ecr as ecr

from secure_ml_constructs.errors import ConfigurationError, Problems
from secure_ml_constructs.serving.capacity import Capacity, Rollout, ScheduledCapacity
from secure_ml_constructs.serving.served_model import Container, ServedModel

DIGEST = "@sha256:" + "0a" * 32
OURS = "111122223333.dkr.ecr.eu-central-1.amazonaws.com"
IMAGE = f"{OURS}/risk{DIGEST}"
ACCOUNTS = ("111122223333",)


def problems_of(model: ServedModel) -> list[str]:
    found = Problems()
    model.check(found, "model", ACCOUNTS)
    return [problem.argument for problem in found]


@pytest.mark.parametrize(
    "image",
    [
        IMAGE,
        f"763104351884.dkr.ecr.eu-central-1.amazonaws.com/pytorch-inference{DIGEST}",
        f"{OURS}/team/risk{DIGEST}",
        "${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}/risk" + DIGEST,
        f"111122223333.dkr.ecr-fips.us-gov-west-1.amazonaws.com/risk{DIGEST}",
        f"111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/risk{DIGEST}",
    ],
)
def test_images_by_digest_from_known_registries(image: str) -> None:
    assert problems_of(ServedModel.container(image=image)) == []


@pytest.mark.parametrize(
    "image",
    [
        f"{OURS}/risk:latest",
        f"{OURS}/risk",
        f"{OURS}/risk@sha256:1234",
        f"{OURS}/risk:v1{DIGEST}",
        f"999988887777.dkr.ecr.eu-central-1.amazonaws.com/risk{DIGEST}",
        f"public.ecr.aws/risk{DIGEST}",
        f"docker.io/library/risk{DIGEST}",
        "",
    ],
)
def test_other_images_are_refused(image: str) -> None:
    assert problems_of(ServedModel.container(image=image)) == ["model.containers[0].image"]


def test_an_image_of_a_repository_of_the_app() -> None:
    repository = ecr.Repository(Stack(), "Images")
    uri = repository.repository_uri_for_digest("sha256:" + "0a" * 32)
    assert problems_of(ServedModel.container(image=uri)) == []


@pytest.mark.parametrize("data", ["risk/model.tar.gz", "risk/2026-11/", "model.tar.gz"])
def test_data_in_the_zone(data: str) -> None:
    assert problems_of(ServedModel.container(image=IMAGE, data=data)) == []


@pytest.mark.parametrize(
    "data",
    [
        "s3://elsewhere/model.tar.gz",
        "/risk/model.tar.gz",
        "../raw/model.tar.gz",
        "risk/../../raw/model.tar.gz",
        "risk//model.tar.gz",
        "risk/model.pkl",
        "",
    ],
)
def test_data_elsewhere_is_refused(data: str) -> None:
    assert problems_of(ServedModel.container(image=IMAGE, data=data)) == ["model.containers[0].data"]


def test_every_container_of_a_pipeline_is_looked_at() -> None:
    good, bad = Container(image=IMAGE), Container(image="risk:latest", data="s3://elsewhere/")
    assert problems_of(ServedModel.pipeline(good, good)) == []
    assert problems_of(ServedModel.pipeline(good, bad)) == [
        "model.containers[1].image",
        "model.containers[1].data",
    ]
    assert problems_of(ServedModel.pipeline(*[good] * 16)) == ["model.containers"]
    assert problems_of(ServedModel()) == ["model.containers"]


def test_variables() -> None:
    def named(environment: dict[str, Any]) -> list[str]:
        return problems_of(ServedModel.container(image=IMAGE, environment=environment))

    assert named({"WORKERS": "2"}) == []
    assert named({"1": "x"}) == ["model.containers[0].environment['1']"]
    assert named({"A": "x" * 1025}) == ["model.containers[0].environment['A']"]
    assert named({"A": 1}) == ["model.containers[0].environment['A']"]
    assert named({f"V{n}": "x" for n in range(101)}) == ["model.containers[0].environment"]


def test_packages() -> None:
    arn = "arn:aws:sagemaker:eu-central-1:111122223333:model-package/risk/3"
    assert problems_of(ServedModel.from_package(arn)) == []
    for other in (arn.removesuffix("/3"), "risk/3", arn.replace("model-package", "model")):
        assert problems_of(ServedModel.from_package(other)) == ["model.package"]


REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: Capacity(minimum=0), "minimum=0"),
    (lambda: Capacity(minimum=5, maximum=4), "maximum=4"),
    (lambda: Capacity(maximum=101), "maximum=101"),
    (lambda: Capacity(instance_type="ml.m5.huge"), "The family m5 has no such size"),
    (lambda: Capacity(instance_type="m5.large"), "This is no instance type"),
    (lambda: Capacity(instance_type="ml.m5.*"), "Name one type"),
    (lambda: Capacity(instance_type="serverless"), "neither a VPC, nor network isolation"),
    (lambda: Capacity(invocations_per_instance=0), "invocations_per_instance=0"),
    (lambda: Capacity(schedule=(scheduled(when="daily"),)), r"schedule\[0\].when='daily'"),
    (lambda: Capacity(schedule=(scheduled(minimum=9),)), r"schedule\[0\].maximum=4"),
    (lambda: Capacity(schedule=(scheduled(), scheduled())), r"schedule\[1\].name='night': There is"),
    (lambda: Capacity(schedule=(scheduled(name="every night"),)), r"schedule\[0\].name"),
    (lambda: Rollout.canary(percent=51), "percent=51"),
    (lambda: Rollout.canary(percent=0), "percent=0"),
    (lambda: Rollout.canary(bake_minutes=0), "bake_minutes=0"),
    (lambda: Rollout.canary(bake_minutes=61), "bake_minutes=61"),
    (lambda: Rollout.linear(step_percent=9), "step_percent=9"),
    (lambda: Rollout.linear(step_percent=51), "step_percent=51"),
    (lambda: Rollout.linear(wait_minutes=0), "wait_minutes=0"),
    (lambda: Rollout.all_at_once(bake_minutes=0), "bake_minutes=0"),
]


def scheduled(
    *, name: str = "night", when: str = "cron(0 19 * * ? *)", minimum: int = 2, maximum: int = 4
) -> ScheduledCapacity:
    return ScheduledCapacity(name=name, when=when, minimum=minimum, maximum=maximum)


@pytest.mark.parametrize(("make", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_what_is_refused(make: Callable[[], object], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        make()
    assert len(caught.value.problems) == 1


def test_what_is_accepted() -> None:
    for least in (Capacity(minimum=1, maximum=1), Capacity(schedule=(scheduled(),)), Capacity(maximum=100)):
        assert least.instance_type == "ml.m5.large"
    assert Rollout.canary(percent=50, bake_minutes=60).percent == 50
    assert Rollout.linear(step_percent=10, wait_minutes=1).percent == 10


@pytest.mark.parametrize("rollout", [Rollout.canary(), Rollout.linear()])
def test_one_instance_is_not_moved_in_parts(rollout: Rollout) -> None:
    found = Problems()
    rollout.check(found, "rollout", Capacity(minimum=1))
    assert [problem.argument for problem in found] == ["rollout"]
    found = Problems()
    rollout.check(found, "rollout", Capacity(minimum=2))
    Rollout.all_at_once().check(found, "rollout", Capacity(minimum=1))
    assert not found
