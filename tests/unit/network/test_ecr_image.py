"""Images by digest: what is read, and what is refused."""

from __future__ import annotations

import aws_cdk as cdk
import pytest

from secure_ml_constructs.errors import Problems
from secure_ml_constructs.network.ecr_image import EcrImage, trusted_accounts
from secure_ml_constructs.perimeter import DataPerimeter
from tests.support.templates import ACCOUNT, REGION, new_app

DIGEST = "@sha256:" + "0a" * 32
HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"


@pytest.mark.parametrize(
    ("text", "image"),
    [
        (f"{HOST}/risk{DIGEST}", EcrImage(ACCOUNT, REGION, "risk")),
        (f"{HOST}/team/risk{DIGEST}", EcrImage(ACCOUNT, REGION, "team/risk")),
        (
            f"{ACCOUNT}.dkr.ecr-fips.us-gov-west-1.amazonaws.com/r{DIGEST}",
            EcrImage(ACCOUNT, "us-gov-west-1", "r"),
        ),
        (
            f"${{AWS::AccountId}}.dkr.ecr.${{AWS::Region}}.${{AWS::URLSuffix}}/risk{DIGEST}",
            EcrImage("${AWS::AccountId}", "${AWS::Region}", "risk"),
        ),
        (f"{HOST}/risk:latest", None),
        (f"{HOST}/risk", None),
        (f"{HOST}/risk@sha256:0a", None),
        (f"public.ecr.aws/docker/python{DIGEST}", None),
        (f"docker.io/library/python{DIGEST}", None),
        (f"{HOST}.evil.example/../risk", None),
    ],
)
def test_what_is_read(text: str, image: EcrImage | None) -> None:
    assert EcrImage.read(text) == image


def test_an_image_of_a_repository_of_the_app_is_read() -> None:
    stack = cdk.Stack(new_app(), "Stack")
    host = f"{stack.account}.dkr.ecr.{stack.region}.{stack.url_suffix}"
    found = EcrImage.read(f"{host}/risk{DIGEST}")
    assert found
    assert found.repository == "risk"


@pytest.mark.parametrize(
    ("text", "of_aws", "reason"),
    [
        (f"{HOST}/risk{DIGEST}", False, ""),
        (f"{HOST}/risk:latest", True, "a tag can be moved"),
        (f"999999999999.dkr.ecr.{REGION}.amazonaws.com/risk{DIGEST}", True, "nor one of AWS"),
        (f"763104351884.dkr.ecr.{REGION}.amazonaws.com/sklearn{DIGEST}", True, ""),
        (f"763104351884.dkr.ecr.{REGION}.amazonaws.com/sklearn{DIGEST}", False, "nor one of the perimeter"),
    ],
)
def test_what_is_refused(text: str, of_aws: bool, reason: str) -> None:
    problems = Problems()
    found = EcrImage.check(problems, "image", text, accounts=(ACCOUNT,), of_aws=of_aws)
    assert (found is None) == bool(reason)
    assert [each.argument for each in problems] == ["image"] * bool(reason)
    assert all(reason in each.reason for each in problems)


def test_trusted_are_the_perimeters_accounts_and_ones_own() -> None:
    app = new_app()
    perimeter = DataPerimeter(accounts=("222233334444",))
    known = cdk.Stack(app, "Known", env=cdk.Environment(account=ACCOUNT, region=REGION))
    assert set(trusted_accounts(known, perimeter)) == {ACCOUNT, "222233334444"}
    assert set(trusted_accounts(cdk.Stack(app, "Unknown"), perimeter)) == {"222233334444"}
