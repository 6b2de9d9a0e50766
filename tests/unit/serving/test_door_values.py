"""What a door is told: what is refused, and in which words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.serving.door_auth import ALGORITHMS, DoorAuth
from secure_ml_constructs.serving.door_domain import DoorDomain, MutualTls
from secure_ml_constructs.serving.door_firewall import DoorFirewall
from secure_ml_constructs.serving.front_door import FrontDoor, Payloads
from secure_ml_constructs.serving.throttle import Throttle
from tests.unit.serving.front_doors import DOMAIN, JSON, jwt

IAM = DoorAuth.iam()
POOL = "arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_AbCdEfGhI"
ANYTHING: Any = None
NAMED: Any = "none"
MAPPING: Any = {"a": "b"}


def refused(build: Callable[[], object]) -> list[str]:
    with pytest.raises(ConfigurationError) as error:
        build()
    for each in error.value.problems:
        assert each.reason
    return [each.argument for each in error.value.problems]


@pytest.mark.parametrize(
    ("build", "arguments"),
    [
        (lambda: Throttle(rate=0, daily_quota=1), ["rate"]),
        (lambda: Throttle(rate=10_001), ["rate"]),
        (lambda: Throttle(burst=5_001), ["burst"]),
        (lambda: Throttle(burst=0), ["burst"]),
        (lambda: Throttle(daily_quota=0), ["daily_quota"]),
        (lambda: Throttle(rate=1, daily_quota=86_401), ["daily_quota"]),
        (lambda: Throttle(rate=20_000, burst=9_000, daily_quota=10**12), ["rate", "burst", "daily_quota"]),
        (lambda: Payloads(), ["json"]),
        (lambda: Payloads(json={}), ["json#"]),
        (lambda: Payloads(binary="application/dicom"), ["binary"]),
        (lambda: Payloads(binary=("application/json",)), ["binary[0]"]),
        (lambda: Payloads(binary=("image/png", "text/csv")), ["binary[1]"]),
        (lambda: Payloads(binary=("*/*",)), ["binary[0]"]),
        (lambda: Payloads(binary=("image/*",)), ["binary[0]"]),
        (lambda: Payloads(binary=("image/x+y", "video/x-y")), ["binary[1]"]),
        (lambda: DoorAuth.iam(clients=()), ["clients"]),
        (lambda: DoorAuth.iam(clients="ward"), ["clients"]),
        (lambda: DoorAuth.iam(clients=("a", "a")), ["clients[1]"]),
        (lambda: DoorAuth.iam(clients=("a b", "")), ["clients[0]", "clients[1]"]),
        (lambda: DoorAuth.iam(clients=MAPPING), ["clients"]),
        (lambda: DoorAuth.iam(clients=[f"c{n}" for n in range(101)]), ["clients"]),
        (lambda: DoorAuth.cognito(clients=("-a",)), ["clients[0]"]),
        (lambda: DoorAuth.cognito(clients=("a",), token_minutes=4), ["token_minutes"]),
        (lambda: DoorAuth.cognito(clients=("a",), token_minutes=61), ["token_minutes"]),
        (lambda: DoorAuth.user_pool("p", clients=("a",), client_ids={"a": "1"}, scopes=("s",)), ["arn"]),
        (lambda: DoorAuth.user_pool(POOL, clients=("a",), client_ids={"a": "1"}, scopes=()), ["scopes"]),
        (
            lambda: DoorAuth.user_pool(POOL, clients=("a",), client_ids={"a": "1"}, scopes=("a b",)),
            ["scopes[0]"],
        ),
        (
            lambda: DoorAuth.user_pool(POOL, clients=("a", "b"), client_ids={"a": "1"}, scopes=("s",)),
            ["client_ids['b']"],
        ),
        (
            lambda: DoorAuth.user_pool(POOL, clients=("a",), client_ids={"a": "1", "b": "2"}, scopes=("s",)),
            ["client_ids['b']"],
        ),
        (lambda: jwt(keys="http://login.hospital.example/jwks.json"), ["keys"]),
        (lambda: jwt(keys="https://user@login.hospital.example/jwks.json"), ["keys"]),
        (lambda: jwt(keys="https://login.hospital.example/jwks.json?a=b"), ["keys"]),
        (lambda: jwt(keys="https://"), ["keys"]),
        (lambda: jwt(keys="s3://bucket/jwks.json"), ["keys"]),
        (lambda: jwt(keys="jwks.json"), ["keys"]),
        (lambda: jwt(algorithms=("HS256",)), ["algorithms[0]"]),
        (lambda: jwt(algorithms=("RS256", "none")), ["algorithms[1]"]),
        (lambda: jwt(algorithms=()), ["algorithms"]),
        (lambda: jwt(client_claim=""), ["client_claim"]),
        (lambda: jwt(scopes="risk"), ["scopes"]),
        (lambda: jwt(clients=[f"client-{n}" for n in range(13)]), ["clients"]),
        (
            lambda: DoorAuth.jwt(issuer="", audience=(), keys="curated/a", clients=("a",)),
            ["issuer", "audience"],
        ),
        (lambda: DoorDomain(name="Risk", certificate_arn=DOMAIN.certificate_arn), ["name"]),
        (lambda: DoorDomain(name="*.a.example", certificate_arn="c"), ["name", "certificate_arn"]),
        (lambda: MutualTls(truststore="authorities.pem"), ["truststore"]),
        (lambda: MutualTls(truststore="s3://bucket/authorities.pem"), ["truststore"]),
        (lambda: MutualTls(truststore="curated/../authorities.pem"), ["truststore"]),
        (lambda: FrontDoor.private(auth=ANYTHING, payloads=JSON), ["auth"]),
        (lambda: FrontDoor.private(auth=NAMED, payloads=JSON), ["auth"]),
        (
            lambda: FrontDoor.private(
                auth=IAM, payloads=JSON, domain=DOMAIN, mutual_tls=MutualTls(truststore="curated/a.pem")
            ),
            ["mutual_tls"],
        ),
        (lambda: FrontDoor.private(auth=IAM, payloads=JSON, callers=("*",)), ["callers[0]"]),
        (
            lambda: FrontDoor.private(auth=IAM, payloads=JSON, callers=("arn:aws:iam::111122223333:role/*",)),
            ["callers[0]"],
        ),
        (
            lambda: FrontDoor.private(
                auth=jwt(), payloads=JSON, callers=("arn:aws:iam::111122223333:role/a",)
            ),
            ["callers"],
        ),
        (lambda: FrontDoor.regional(auth=IAM, payloads=JSON, firewall=ANYTHING), ["firewall"]),
        (lambda: FrontDoor.regional(auth=ANYTHING, payloads=JSON, firewall=DoorFirewall()), ["auth"]),
        (
            lambda: FrontDoor.regional(
                auth=IAM,
                payloads=JSON,
                firewall=DoorFirewall(),
                mutual_tls=MutualTls(truststore="curated/a.pem"),
            ),
            ["mutual_tls"],
        ),
        (
            lambda: FrontDoor.regional(
                auth=IAM,
                payloads=JSON,
                firewall=DoorFirewall(),
                domain=DoorDomain(name=DOMAIN.name, certificate_arn=DOMAIN.certificate_arn, tls_13=True),
                mutual_tls=MutualTls(truststore="curated/a.pem"),
            ),
            ["domain.tls_13"],
        ),
    ],
)
def test_what_is_refused(build: Callable[[], object], arguments: list[str]) -> None:
    assert refused(build) == arguments


def test_no_signature_that_others_than_the_issuer_can_make() -> None:
    assert not [each for each in ALGORITHMS if each.startswith("HS") or each.lower() == "none"]


def test_all_clients_together_stay_within_the_account() -> None:
    throttle = Throttle(rate=4_000, burst=3_000, daily_quota=1)
    assert throttle.of_all(clients=1) == (4_000, 3_000)
    assert throttle.of_all(clients=9) == (10_000, 5_000)


def test_a_client_that_is_named_alone_is_of_the_tenant_of_its_name() -> None:
    assert jwt(("a", "b")).clients == {"a": "a", "b": "b"}
    assert jwt({"a": "x"}).clients == {"a": "x"}
    assert DoorAuth.iam(clients=("a",)).clients == {"a": ""}


def test_where_keys_lie() -> None:
    lake, web = jwt(keys="curated/issuer/jwks.json"), jwt(keys="https://id.example/a/jwks.json")
    assert (lake.key_zone, lake.key_path, lake.key_host) == ("curated", "issuer/jwks.json", "")
    assert (web.key_zone, web.key_path, web.key_host) == ("", "", "id.example")
