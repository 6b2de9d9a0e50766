"""The authorizer of tokens, run on tokens that are really signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlparse

import boto3
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from moto import mock_aws

from secure_ml_constructs.runtime import jwt_authorizer
from secure_ml_constructs.runtime.jwt_authorizer import (
    LONGEST_TOKEN,
    Authorizer,
    Keys,
    KeysError,
    Secrets,
    Settings,
    UnauthorizedError,
    reader,
)

pytestmark = pytest.mark.slow

ISSUER, AUDIENCE = "https://login.example.org/", "risk-api"
METHOD = "arn:aws:execute-api:eu-central-1:111122223333:a1b2c3d4e5/live/POST/predictions"
STAGE = "arn:aws:execute-api:eu-central-1:111122223333:a1b2c3d4e5/live/*"
ENCODERS: dict[str, Callable[[Any], str]] = {
    "RS256": RSAAlgorithm.to_jwk,
    "PS256": RSAAlgorithm.to_jwk,
    "ES256": ECAlgorithm.to_jwk,
    "EdDSA": OKPAlgorithm.to_jwk,
}
RSA_KEY, OTHER_RSA_KEY = (rsa.generate_private_key(65537, 2048) for _ in range(2))
EC_KEY = ec.generate_private_key(ec.SECP256R1())
NOW = 1_800_000_000


def published(private: Any, key_id: str, algorithm: str, **more: str) -> dict[str, Any]:
    """A public key as the issuer publishes it."""
    read: dict[str, Any] = json.loads(ENCODERS[algorithm](private.public_key()))
    return {**read, "kid": key_id, "alg": algorithm, "use": "sig", **more}


KEYS = [published(RSA_KEY, "rsa-1", "RS256"), published(EC_KEY, "ec-1", "ES256")]


@dataclass
class Issuer:
    """What the authorizer reads keys from, with a clock of its own."""

    keys: list[dict[str, Any]] = field(default_factory=lambda: list(KEYS))
    clock: float = 0.0
    asked: int = 0
    down: bool = False

    def read(self) -> bytes:
        self.asked += 1
        if self.down:
            raise OSError("no route")
        return json.dumps({"keys": self.keys}).encode()

    def ring(self) -> Keys:
        return Keys(self.read, now=lambda: self.clock)


SETTINGS = Settings(
    issuer=ISSUER,
    audience=[AUDIENCE],
    algorithms=["RS256", "ES256"],
    scopes=["predict"],
    client_claim="tenant",
    clients={
        "clinic-a": {"key": "arn:a", "component": "component-a"},
        "clinic-b": {"key": "arn:b", "component": "component-b"},
        "ward": {"key": "arn:w"},
    },
    leeway=30,
)


class Known(Secrets):
    """Secrets that are known without asking."""

    def value(self, arn: str) -> str:
        return f"value of {arn}"


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def authorizer(issuer: Issuer) -> Authorizer:
    return Authorizer(SETTINGS, issuer.ring(), Known())


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A time of day that does not pass."""

    class Today(jwt.api_jwt.datetime):  # type: ignore[name-defined,misc]  # PyJWT's own name for it
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls.fromtimestamp(NOW, tz)

    monkeypatch.setattr(jwt.api_jwt, "datetime", Today)


def claims(**more: Any) -> dict[str, Any]:
    given = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "alice",
        "iat": NOW - 60,
        "exp": NOW + 600,
        "scope": "openid predict",
        "tenant": "clinic-a",
        **more,
    }
    return {name: value for name, value in given.items() if value is not None}


def token(
    *, key: Any = RSA_KEY, algorithm: str = "RS256", headers: dict[str, Any] | None = None, **more: Any
) -> str:
    return jwt.encode(claims(**more), key, algorithm=algorithm, headers={"kid": "rsa-1", **(headers or {})})


def event(*given: str, name: str = "Authorization", method: str = METHOD) -> dict[str, Any]:
    return {
        "type": "REQUEST",
        "methodArn": method,
        "multiValueHeaders": {name: list(given)} if given else {},
        "requestContext": {"requestId": "request-1"},
    }


def bearer(text: str) -> dict[str, Any]:
    return event(f"Bearer {text}")


def encoded(part: Mapping[str, Any] | bytes) -> str:
    given = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(given).rstrip(b"=").decode()


# -- who is let through -------------------------------------------------------------------------------------


def test_a_token_of_the_issuer_is_let_through_to_its_own_component(authorizer: Authorizer) -> None:
    assert authorizer.answer(bearer(token())) == {
        "principalId": "alice",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": STAGE}],
        },
        "context": {"client": "clinic-a", "caller": "alice", "component": "component-a"},
        "usageIdentifierKey": "value of arn:a",
    }


@pytest.mark.parametrize(
    "given",
    [
        token(key=EC_KEY, algorithm="ES256", headers={"kid": "ec-1"}),
        token(aud=["others", AUDIENCE]),
        token(scope=None, scp=["predict"]),
        token(scope=None, scp="predict"),
        token(nbf=NOW - 10),
    ],
    ids=["ES256", "several audiences", "scopes as a list", "scopes as scp", "valid since"],
)
def test_forms_of_a_token_that_issuers_use(authorizer: Authorizer, given: str) -> None:
    assert authorizer.answer(bearer(given))["context"]["client"] == "clinic-a"


@pytest.mark.parametrize("name", ["authorization", "AUTHORIZATION"])
def test_a_header_is_known_by_its_name_in_any_case(authorizer: Authorizer, name: str) -> None:
    assert authorizer.answer(event(f"bearer {token()}", name=name))["principalId"] == "alice"


def test_a_client_without_a_component_of_its_own_is_told_none(authorizer: Authorizer) -> None:
    answer = authorizer.answer(bearer(token(tenant="ward")))
    assert answer["context"] == {"client": "ward", "caller": "alice"}
    assert answer["usageIdentifierKey"] == "value of arn:w"


def test_a_token_of_one_tenant_reaches_no_other(authorizer: Authorizer) -> None:
    ours, theirs = (authorizer.answer(bearer(token(tenant=name))) for name in ("clinic-a", "clinic-b"))
    assert ours["context"]["component"] != theirs["context"]["component"]
    assert ours["usageIdentifierKey"] != theirs["usageIdentifierKey"]
    # Claims of another tenant under the signature of one's own.
    head, _, signature = token(tenant="clinic-a").split(".")
    forged = ".".join((head, encoded(claims(tenant="clinic-b")), signature))
    with pytest.raises(UnauthorizedError, match="Signature"):
        authorizer.answer(bearer(forged))
    # What a client says besides changes nothing.
    asked = bearer(token())
    asked["multiValueHeaders"]["X-Amzn-SageMaker-Inference-Component"] = ["component-b"]
    asked["queryStringParameters"] = {"tenant": "clinic-b"}
    assert authorizer.answer(asked) == ours


# -- who is not known ---------------------------------------------------------------------------------------


PUBLIC_PEM = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def signed_by_public_key() -> str:
    """Signed with the public key as if it were a shared secret, by hand: PyJWT refuses to."""
    said = f"{encoded({'alg': 'HS256', 'typ': 'JWT', 'kid': 'rsa-1'})}.{encoded(claims())}"
    return f"{said}.{encoded(hmac.new(PUBLIC_PEM, said.encode(), hashlib.sha256).digest())}"


UNKNOWN: dict[str, str] = {
    "expired": token(exp=NOW - 31),
    "not yet valid": token(nbf=NOW + 31),
    "issued in the future": token(iat=NOW + 31),
    "no end": token(exp=None),
    "no beginning": token(iat=None),
    "no subject": token(sub=None),
    "another audience": token(aud="billing-api"),
    "no audience": token(aud=None),
    "another issuer": token(iss="https://login.example.com/"),
    "an issuer that begins alike": token(iss=f"{ISSUER}x"),
    "no issuer": token(iss=None),
    "signed by somebody else": token(key=OTHER_RSA_KEY),
    "signed with another key than it names": token(key=EC_KEY, algorithm="ES256"),
    "a key that is not published": token(headers={"kid": "rsa-2"}),
    "a key id that is a path": token(headers={"kid": "../../etc/passwd"}),
    "another hash": token(algorithm="RS512"),
    "another padding": token(algorithm="PS256"),
    "not signed": f"{encoded({'alg': 'none', 'kid': 'rsa-1'})}.{encoded(claims())}.AA",
    "the public key as a secret": signed_by_public_key(),
    "extensions to understand": token(headers={"crit": ["exp"]}),
    "its own key": token(
        key=OTHER_RSA_KEY, headers={"kid": "mine", "jwk": published(OTHER_RSA_KEY, "mine", "RS256")}
    ),
    "a place for its key": token(
        key=OTHER_RSA_KEY, headers={"kid": "mine", "jku": "https://evil.example.org/keys"}
    ),
    "claims that are no object": f"{token().split('.')[0]}.{encoded(b'[]')}.{token().split('.')[2]}",
    "a header that is no JSON": f"{encoded(b'no')}.{encoded(claims())}.{encoded(b'x')}",
    "an end that is no number": token(exp="tomorrow"),
}


@pytest.mark.parametrize("given", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_who_is_not_known(authorizer: Authorizer, given: str) -> None:
    with pytest.raises(UnauthorizedError):
        authorizer.answer(bearer(given))


def test_each_of_them_would_pass_but_for_that_one_thing(authorizer: Authorizer) -> None:
    # Otherwise the table above could refuse everything for one and the same reason.
    said: dict[str, str] = {}
    for name, given in UNKNOWN.items():
        with pytest.raises(UnauthorizedError) as caught:
            authorizer.answer(bearer(given))
        said[name] = str(caught.value)
    assert len(set(said.values())) >= 15, said


@pytest.mark.parametrize("skew", [-29, 0, 29])
def test_clocks_may_differ_by_the_leeway(authorizer: Authorizer, skew: int) -> None:
    answer = authorizer.answer(bearer(token(iat=NOW + max(skew, 0), exp=NOW + min(skew, -1))))
    assert answer["principalId"] == "alice"


HEADERS: dict[str, tuple[str, ...]] = {
    "none": (),
    "two": (f"Bearer {token()}", f"Bearer {token()}"),
    "empty": ("",),
    "another scheme": ("Basic YWxpY2U6cGFzc3dvcmQ=",),
    "no scheme": (token(),),
    "two tokens": (f"Bearer {token()} {token()}",),
    "a comma": (f"Bearer {token()}, Bearer {token()}",),
    "two parts": ("Bearer a.b",),
    "four parts": ("Bearer a.b.c.d",),
    "a line break": (f"Bearer {token()}\r\nX-Tenant: clinic-b",),
    "other letters": ("Bearer ä.b.c",),
    "padding": ("Bearer a=.b=.c=",),
    "too long": (f"Bearer {token(padding='x' * LONGEST_TOKEN)}",),
    "a null": (f"Bearer {token()}\0",),
}


@pytest.mark.parametrize("given", HEADERS.values(), ids=HEADERS.keys())
def test_headers_that_hold_no_token(authorizer: Authorizer, issuer: Issuer, given: tuple[str, ...]) -> None:
    with pytest.raises(UnauthorizedError):
        authorizer.answer(event(*given))
    assert issuer.asked == 0


def test_a_request_without_headers(authorizer: Authorizer) -> None:
    with pytest.raises(UnauthorizedError):
        authorizer.answer({**event(), "multiValueHeaders": None})


# -- who is known and may not -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "more",
    [
        {"scope": "openid"},
        {"scope": None},
        {"scope": "predictions"},
        {"tenant": "clinic-c"},
        {"tenant": None},
        {"tenant": ["clinic-a", "clinic-b"]},
        {"tenant": "clinic-a "},
        {"tenant": "CLINIC-A"},
    ],
    ids=str,
)
def test_who_is_known_and_may_not(
    authorizer: Authorizer, more: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    given = token(**more)
    answer = authorizer.answer(bearer(given))
    assert answer["policyDocument"]["Statement"][0]["Effect"] == "Deny"
    assert "context" not in answer
    assert "usageIdentifierKey" not in answer
    logged = capsys.readouterr().out
    assert json.loads(logged)["request"] == "request-1"
    assert given not in logged


def test_an_answer_is_about_the_stage_and_no_other(authorizer: Authorizer) -> None:
    path = f"{METHOD}/arn:aws:execute-api:eu-central-1:111122223333:other/live/POST/x"
    found = authorizer.answer(event(f"Bearer {token()}", method=path))
    assert found["policyDocument"]["Statement"][0]["Resource"] == STAGE
    with pytest.raises(ValueError, match="no method"):
        authorizer.answer(event(f"Bearer {token()}", method="arn:aws:execute-api:*"))


# -- the issuer's keys --------------------------------------------------------------------------------------


def test_keys_are_read_once_for_many_tokens(authorizer: Authorizer, issuer: Issuer) -> None:
    for _ in range(20):
        authorizer.answer(bearer(token()))
    assert issuer.asked == 1
    issuer.clock = Keys.fresh
    authorizer.answer(bearer(token()))
    assert issuer.asked == 2


def test_a_new_key_is_taken_up_and_an_old_one_dropped(authorizer: Authorizer, issuer: Issuer) -> None:
    authorizer.answer(bearer(token()))
    issuer.keys = [published(OTHER_RSA_KEY, "rsa-2", "RS256")]
    fresh = token(key=OTHER_RSA_KEY, headers={"kid": "rsa-2"})
    issuer.clock = Keys.pause
    assert authorizer.answer(bearer(fresh))["principalId"] == "alice"
    with pytest.raises(UnauthorizedError, match="does not name"):
        authorizer.answer(bearer(token()))


def test_made_up_key_ids_do_not_make_it_ask(authorizer: Authorizer, issuer: Issuer) -> None:
    for number in range(50):
        with pytest.raises(UnauthorizedError):
            authorizer.answer(bearer(token(headers={"kid": f"made-up-{number}"})))
    assert issuer.asked == 1


def test_keys_outlast_an_issuer_that_is_down_for_an_hour(authorizer: Authorizer, issuer: Issuer) -> None:
    authorizer.answer(bearer(token()))
    issuer.down = True
    issuer.clock = Keys.stale - 1
    assert authorizer.answer(bearer(token()))["principalId"] == "alice"
    issuer.clock = Keys.stale + Keys.pause
    with pytest.raises(KeysError):
        authorizer.answer(bearer(token()))
    issuer.down = False
    issuer.clock += Keys.pause
    assert authorizer.answer(bearer(token()))["principalId"] == "alice"


def test_without_keys_nobody_is_let_through(issuer: Issuer) -> None:
    issuer.down = True
    with pytest.raises(KeysError):
        Authorizer(SETTINGS, issuer.ring(), Known()).answer(bearer(token()))


@pytest.mark.parametrize(
    "given",
    [
        {"kty": "oct", "k": encoded(b"secret" * 8), "kid": "shared", "alg": "HS256"},
        published(OTHER_RSA_KEY, "shared", "RS256", use="enc"),
        published(ed25519.Ed25519PrivateKey.generate(), "shared", "EdDSA"),
    ],
    ids=["symmetric", "for encryption", "of another kind"],
)
def test_keys_that_are_not_for_this(issuer: Issuer, given: dict[str, Any]) -> None:
    issuer.keys.append(given)
    authorizer = Authorizer(SETTINGS, issuer.ring(), Known())
    assert authorizer.answer(bearer(token()))["principalId"] == "alice"
    if given["kty"] == "oct":
        made = jwt.encode(claims(), b"secret" * 8, algorithm="HS256", headers={"kid": "shared"})
    else:
        made = token(key=OTHER_RSA_KEY, headers={"kid": "shared"})
    with pytest.raises(UnauthorizedError):
        authorizer.answer(bearer(made))


UNREADABLE = {"kty": "EC", "kid": "odd-1", "crv": "P-0", "x": "AA", "y": "AA"}


def test_a_key_that_nobody_can_read_stands_in_no_others_way(issuer: Issuer) -> None:
    issuer.keys.insert(0, UNREADABLE)
    answer = Authorizer(SETTINGS, issuer.ring(), Known()).answer(bearer(token()))
    assert answer["principalId"] == "alice"


@pytest.mark.parametrize("keys", [[], [UNREADABLE]], ids=["none", "none that can be read"])
def test_an_issuer_that_names_no_key_is_not_believed(
    authorizer: Authorizer, issuer: Issuer, keys: list[dict[str, Any]]
) -> None:
    authorizer.answer(bearer(token()))
    issuer.keys, issuer.clock = keys, Keys.fresh
    # What was read before still holds.
    assert authorizer.answer(bearer(token()))["principalId"] == "alice"


class Served(BaseHTTPRequestHandler):
    """Answers with the keys, or sends elsewhere."""

    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/keys")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"keys": KEYS}).encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Served)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_keys_come_by_https_and_follow_nobody_elsewhere(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for where in (f"{address}/keys", "file:///etc/passwd", "ftp://example.org/keys"):
        with pytest.raises(ValueError, match="https"):
            reader(where)
    # The test's server speaks no TLS: only what the address looks like is changed.
    monkeypatch.setattr(jwt_authorizer, "urlparse", lambda text: urlparse(text.replace("http:", "https:")))
    assert json.loads(reader(f"{address}/keys")())["keys"][0]["kid"] == "rsa-1"
    with pytest.raises(OSError, match="302"):
        reader(f"{address}/moved")()


# -- as Lambda calls it -------------------------------------------------------------------------------------


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The function's environment, with its keys in a bucket and the clients' API keys in secrets."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        s3, secrets = boto3.client("s3"), boto3.client("secretsmanager")
        s3.create_bucket(Bucket="lake")
        s3.put_object(Bucket="lake", Key="issuer/keys.json", Body=json.dumps({"keys": KEYS}).encode())
        arn: str = secrets.create_secret(Name="clinic-a", SecretString="a" * 40)["ARN"]
        for name, value in {
            "ISSUER": ISSUER,
            "AUDIENCE": json.dumps([AUDIENCE]),
            "ALGORITHMS": json.dumps(["RS256", "ES256"]),
            "SCOPES": json.dumps([]),
            "CLIENT_CLAIM": "tenant",
            "CLIENTS": json.dumps({"clinic-a": {"key": arn}}),
            "LEEWAY": "30",
            "KEYS": "s3://lake/issuer/keys.json",
        }.items():
            monkeypatch.setenv(name, value)
        jwt_authorizer._authorizer.cache_clear()
        yield arn
        jwt_authorizer._authorizer.cache_clear()


def test_the_handler_reads_keys_and_secrets_and_answers(deployed: str) -> None:
    answer = jwt_authorizer.handler(bearer(token()), None)
    assert answer["usageIdentifierKey"] == "a" * 40
    boto3.client("secretsmanager").put_secret_value(SecretId=deployed, SecretString="b" * 40)
    # For some minutes the value that it knows.
    assert jwt_authorizer.handler(bearer(token()), None)["usageIdentifierKey"] == "a" * 40


def test_a_secret_is_read_again_after_some_minutes(deployed: str) -> None:
    now = 0.0
    secrets = Secrets(now=lambda: now)
    assert secrets.value(deployed) == "a" * 40
    boto3.client("secretsmanager").put_secret_value(SecretId=deployed, SecretString="b" * 40)
    now = Secrets.fresh - 1.0
    assert secrets.value(deployed) == "a" * 40
    now = float(Secrets.fresh)
    assert secrets.value(deployed) == "b" * 40


def test_the_handler_answers_401_by_the_words_that_api_gateway_knows(
    deployed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = token(exp=NOW - 600)
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        jwt_authorizer.handler(bearer(given), None)
    logged = capsys.readouterr().out
    assert "expired" in json.loads(logged)["refused"]
    assert given not in logged


def test_the_handler_answers_500_where_there_are_no_keys(deployed: str) -> None:
    boto3.client("s3").delete_object(Bucket="lake", Key="issuer/keys.json")
    with pytest.raises(KeysError):
        jwt_authorizer.handler(bearer(token()), None)
