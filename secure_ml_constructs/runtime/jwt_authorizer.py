"""Lets a caller through an API who brings a token that the issuer signed for it, and says who it is.

A Lambda authorizer of kind REQUEST (Amazon API Gateway Developer Guide, "Input to an API Gateway Lambda
authorizer" and "Output from an API Gateway Lambda authorizer"). Tokens are read by PyJWT; what it checks
follows RFC 7519 and RFC 8725. Beside Python and boto3 it has PyJWT with cryptography, as pinned in
`jwt_authorizer.txt`.
"""

from __future__ import annotations

import json
import os
import re
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlparse

import boto3
import jwt

# API Gateway takes 10,240 characters of headers in all; a token that fills them is none of the issuer's.
LONGEST_TOKEN = 8192
_LARGEST_KEYS = 262_144
_BEARER = re.compile(r"Bearer ([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)", re.IGNORECASE)
_METHOD = re.compile(r"(arn:[^:]+:execute-api:[^:]+:\d{12}:[a-z0-9]+/[^/]+)/[A-Z]+/.*", re.DOTALL)


class UnauthorizedError(Exception):
    """The caller is not known: API Gateway answers 401."""


class ForbiddenError(Exception):
    """The caller is known and may not: API Gateway answers 403."""


class KeysError(Exception):
    """The issuer's keys can't be had: API Gateway answers 500, and nobody is let through."""


class Keys:
    """The issuer's public keys, read again when they are old or a token names one that is not among them."""

    #: Seconds after which keys are read again.
    fresh = 300
    #: Seconds before which they are not, so that tokens with made-up key ids ask nothing of the issuer.
    pause = 30
    #: Seconds that keys are used for while they can't be read again.
    stale = 3600

    def __init__(self, read: Callable[[], bytes], now: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._now = now
        self._found: dict[str, jwt.PyJWK] = {}
        self._read_at = self._asked_at = float("-inf")

    def find(self, key_id: str) -> jwt.PyJWK:
        """Give a key."""
        now = self._now()
        is_old = now - self._read_at >= self.fresh
        if (is_old or key_id not in self._found) and now - self._asked_at >= self.pause:
            self._asked_at = now
            self._refresh(now)
        if now - self._read_at >= self.stale:
            raise KeysError("the keys are too old")
        try:
            return self._found[key_id]
        except KeyError:
            raise UnauthorizedError("signed with a key that the issuer does not name") from None

    def _refresh(self, now: float) -> None:
        try:
            found = dict(_usable(json.loads(self._read())["keys"]))
        except Exception as error:  # Whatever it is, the keys that were read before are still the issuer's.
            say(keys=f"{type(error).__name__}: {error}")
            return
        if found:
            self._found, self._read_at = found, now
        else:
            say(keys="none of them is for signatures")


def _usable(given: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, jwt.PyJWK]]:
    for key in given:
        # A symmetric key in a public place would let anybody sign.
        if key.get("kty") not in ("RSA", "EC", "OKP") or key.get("use", "sig") != "sig" or "kid" not in key:
            continue
        try:
            yield key["kid"], jwt.PyJWK(dict(key))
        except jwt.PyJWTError as error:
            # Its neighbours are good all the same.
            say(key=str(key["kid"]), unreadable=str(error))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def reader(where: str) -> Callable[[], bytes]:
    """Give what reads the keys: from the issuer (`https://…`), or from a bucket (`s3://bucket/key`)."""
    address = urlparse(where)
    if address.scheme == "s3":
        bucket, name = address.netloc, address.path.lstrip("/")

        def from_bucket() -> bytes:
            body: bytes = boto3.client("s3").get_object(Bucket=bucket, Key=name)["Body"].read(_LARGEST_KEYS)
            return body

        return from_bucket
    if address.scheme != "https":
        raise ValueError(f"{where}: keys come by https or from a bucket")
    opener = urllib.request.build_opener(_NoRedirect)

    def from_issuer() -> bytes:
        with opener.open(where, timeout=3) as answer:
            body: bytes = answer.read(_LARGEST_KEYS)
            return body

    return from_issuer


class Secrets:
    """The clients' API keys, which are kept as secrets; each is read again after some minutes."""

    fresh = 300

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._found: dict[str, tuple[float, str]] = {}

    def value(self, arn: str) -> str:
        """Give the value of a secret."""
        at, value = self._found.get(arn, (float("-inf"), ""))
        if self._now() - at >= self.fresh:
            value = boto3.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
            self._found[arn] = (self._now(), value)
        return value


@dataclass(frozen=True)
class Settings:
    """What the authorizer is set to.

    Attributes:
        issuer: The issuer, as its tokens name it.
        audience: What a token has to be for: one of these.
        algorithms: The signatures that are taken.
        scopes: What a token has to allow: all of these.
        client_claim: The claim that says which client the caller is.
        clients: For each client the secret with its API key, and the inference component it reaches, if
            there are several.
        leeway: Seconds by which the issuer's clock may differ.
    """

    issuer: str
    audience: Sequence[str]
    algorithms: Sequence[str]
    scopes: Sequence[str]
    client_claim: str
    clients: Mapping[str, Mapping[str, str]]
    leeway: int

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Settings:
        """Read the settings from the environment's variables."""
        return cls(
            issuer=given["ISSUER"],
            audience=json.loads(given["AUDIENCE"]),
            algorithms=json.loads(given["ALGORITHMS"]),
            scopes=json.loads(given["SCOPES"]),
            client_claim=given["CLIENT_CLAIM"],
            clients=json.loads(given["CLIENTS"]),
            leeway=int(given["LEEWAY"]),
        )


class Authorizer:
    """Decides about requests."""

    def __init__(self, settings: Settings, keys: Keys, secrets: Secrets) -> None:
        self._settings = settings
        self._keys = keys
        self._secrets = secrets

    def answer(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Give what API Gateway asks for.

        Raises:
            UnauthorizedError: The token is none of the issuer's for this API, or there is none.
            KeysError: The issuer's keys can't be had.
        """
        claims = self._claims(_token(event))
        caller = str(claims["sub"])
        try:
            client = self._client(claims)
        except ForbiddenError as why:
            say(refused=str(why), request=_request_id(event), caller=caller)
            return {"principalId": caller, "policyDocument": _policy("Deny", event)}
        given = self._settings.clients[client]
        context = {"client": client, "caller": caller}
        if "component" in given:
            context["component"] = given["component"]
        return {
            "principalId": caller,
            "policyDocument": _policy("Allow", event),
            "context": context,
            "usageIdentifierKey": self._secrets.value(given["key"]),
        }

    def _claims(self, token: str) -> Mapping[str, Any]:
        settings = self._settings
        try:
            header = jwt.get_unverified_header(token)
            if "crit" in header:
                raise UnauthorizedError("names extensions that have to be understood")
            key = self._keys.find(str(header.get("kid", "")))
            if key.algorithm_name not in settings.algorithms:
                raise UnauthorizedError("its key is for another kind of signature")
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=list(settings.audience),
                issuer=settings.issuer,
                leeway=settings.leeway,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except jwt.InvalidTokenError as error:
            raise UnauthorizedError(f"{type(error).__name__}: {error}") from error
        return claims

    def _client(self, claims: Mapping[str, Any]) -> str:
        allowed = claims.get("scope", claims.get("scp", ()))
        allowed = allowed.split() if isinstance(allowed, str) else allowed
        missing = [scope for scope in self._settings.scopes if scope not in allowed]
        if missing:
            raise ForbiddenError(f"the token does not allow {', '.join(missing)}")
        client = claims.get(self._settings.client_claim)
        if not isinstance(client, str) or client not in self._settings.clients:
            raise ForbiddenError("the token is of no client of this API")
        return client


def _token(event: Mapping[str, Any]) -> str:
    headers: Mapping[str, Sequence[str]] = event.get("multiValueHeaders") or {}
    given = [text for name, texts in headers.items() if name.lower() == "authorization" for text in texts]
    if len(given) != 1:
        raise UnauthorizedError(f"{len(given)} tokens instead of one")
    if len(given[0]) > LONGEST_TOKEN:
        raise UnauthorizedError("the token is too long")
    found = _BEARER.fullmatch(given[0])
    if found is None:
        raise UnauthorizedError("no bearer token")
    return found[1]


def _policy(effect: str, event: Mapping[str, Any]) -> dict[str, Any]:
    # The answer is kept for the token, whichever method it is used for next: it is about the whole stage.
    stage = _METHOD.fullmatch(event["methodArn"])
    if stage is None:
        raise ValueError(f"{event['methodArn']!r} is no method")
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": effect, "Action": "execute-api:Invoke", "Resource": f"{stage[1]}/*"}],
    }


def _request_id(event: Mapping[str, Any]) -> str:
    return str((event.get("requestContext") or {}).get("requestId", ""))


def say(**what: str) -> None:
    """Write a line of the log; never a token."""
    print(json.dumps(what))


@cache
def _authorizer() -> Authorizer:
    return Authorizer(Settings.read(os.environ), Keys(reader(os.environ["KEYS"])), Secrets())


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Answer API Gateway."""
    try:
        return _authorizer().answer(event)
    except UnauthorizedError as why:
        say(refused=str(why), request=_request_id(event))
        # These very words make it a 401.
        raise Exception("Unauthorized") from None
