"""How a door knows its callers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from secure_ml_constructs._cdk import is_token
from secure_ml_constructs.errors import Problems

__all__ = ["CognitoAuth", "DoorAuth", "IamAuth", "JwtAuth"]

_CLIENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}")
_USER_POOL = re.compile(r"arn:[\w-]+:cognito-idp:[a-z0-9-]+:\d{12}:userpool/[\w-]+_[0-9A-Za-z]+")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,256}")
_KEYS_IN_LAKE = re.compile(r"[a-z][a-z0-9-]*(/[\w.=-]+)+")
# RFC 8725, 3.1: those that PyJWT has and nobody who can read the key can sign with.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
# AWS Lambda quotas: 4 KB for all variables. A client's ARN and component take about this much of it.
_SETTINGS = 3_300
_OF_A_CLIENT = 250
_MOST_CLIENTS = 100
Clients = Sequence[str] | Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class DoorAuth:
    """How a door knows its callers: made by `iam`, `cognito`, `user_pool` or `jwt`.

    Ensures:
        G2: no call without a signature or a token.
        G11: a token says which tenant its caller is.

    Args:
        clients: The clients, each with the tenant that it is of, or an empty text.

    Example:
        >>> auth = DoorAuth.jwt(
        ...     issuer="https://login.hospital.example/",
        ...     audience=("risk",),
        ...     keys="https://login.hospital.example/jwks.json",
        ...     clients={"partner-a-app": "partner-a"},
        ... )
        >>> auth.clients["partner-a-app"]
        'partner-a'
    """

    clients: Mapping[str, str]

    @classmethod
    def iam(cls, *, clients: Sequence[str] = ("default",)) -> IamAuth:
        """Know callers by the signature of their IAM role.

        Args:
            clients: Who gets an API key, for rate and quota. Default: one for all.

        Raises:
            ConfigurationError: A name that is none.
        """
        return IamAuth(clients=_clients("DoorAuth.iam", clients, tenants=False))

    @classmethod
    def cognito(cls, *, clients: Clients, token_minutes: int = 15) -> CognitoAuth:
        """Know callers by tokens of a user pool of the door's own, which each client gets with its secret.

        Args:
            clients: The clients' names; by name the tenant, where it is called otherwise.
            token_minutes: Minutes that a token is good for, 5 to 60. Default: 15.

        Raises:
            ConfigurationError: A name that is none, or minutes out of range.
        """
        given = _clients("DoorAuth.cognito", clients)
        problems = Problems()
        if not 5 <= token_minutes <= 60:
            problems.add("token_minutes", token_minutes, "A token lives 5 to 60 minutes.", "Write 15.")
        problems.raise_if_any("DoorAuth.cognito")
        return CognitoAuth(clients=given, token_minutes=token_minutes)

    @classmethod
    def user_pool(
        cls, arn: str, *, clients: Clients, client_ids: Mapping[str, str], scopes: Sequence[str]
    ) -> CognitoAuth:
        """Know callers by tokens of a user pool of yours.

        Args:
            arn: The pool's ARN.
            clients: As for `cognito`.
            client_ids: The id of each client in the pool.
            scopes: What a token has to allow, at least one of these (`risk/predict`). Only clients of this
                door should be able to get them.

        Raises:
            ConfigurationError: No pool, no scope, or a client without an id.
        """
        given = _clients("DoorAuth.user_pool", clients)
        problems = Problems()
        if not is_token(arn) and not _USER_POOL.fullmatch(arn):
            problems.add("arn", arn, "This is no user pool.", "Write 'arn:…:cognito-idp:…:userpool/<id>'.")
        _check_scopes(problems, scopes, least=1)
        for name in sorted(given.keys() ^ client_ids.keys()):
            problems.add(f"client_ids[{name!r}]", client_ids.get(name), "It is no client, or has no id.", "")
        problems.raise_if_any("DoorAuth.user_pool")
        return CognitoAuth(clients=given, pool_arn=arn, client_ids=dict(client_ids), scopes=tuple(scopes))

    @classmethod
    def jwt(
        cls,
        *,
        issuer: str,
        audience: Sequence[str],
        keys: str,
        clients: Clients,
        client_claim: str = "client_id",
        scopes: Sequence[str] = (),
        algorithms: Sequence[str] = ("RS256", "ES256"),
    ) -> JwtAuth:
        """Know callers by tokens that an issuer of yours signs: a Lambda authorizer checks them.

        Args:
            issuer: The issuer, to the letter as its tokens name it.
            audience: What a token has to be for: one of these.
            keys: Where its public keys are: `https://…`, for which the network needs a way out to that name,
                or `<zone>/<path>` in the lake, for which it needs none.
            clients: The clients, as the claim names them; by name the tenant, where it is called otherwise.
            client_claim: The claim that says which client the caller is. Default: `client_id`.
            scopes: What a token has to allow: all of these. Default: none.
            algorithms: The signatures that are taken, none of them with a shared key.

        Raises:
            ConfigurationError: Anything of it that is none.
        """
        given = _clients("DoorAuth.jwt", clients)
        problems = Problems()
        if not issuer or any(each.isspace() for each in issuer):
            problems.add("issuer", issuer, "This is no issuer.", "Write what the token's iss says.")
        for name, texts in (("audience", audience), ("algorithms", algorithms)):
            if isinstance(texts, str) or not texts or not all(texts):
                problems.add(name, texts, "It is a list of texts, one at the least.", "Write ('…',).")
        for index, each in enumerate(algorithms if not isinstance(algorithms, str) else ()):
            if each not in ALGORITHMS:
                problems.add(
                    f"algorithms[{index}]",
                    each,
                    "Not among those that only the issuer can sign with.",
                    f"Write some of {', '.join(ALGORITHMS)}.",
                )
        if not client_claim:
            problems.add("client_claim", client_claim, "No claim.", "Write 'client_id', or 'azp'.")
        _check_scopes(problems, scopes, least=0)
        address = urlsplit(keys)
        if address.scheme == "https":
            if not address.hostname or address.username or address.query or address.fragment:
                problems.add("keys", keys, "This is no address of keys.", "Write 'https://…/jwks.json'.")
        elif not _KEYS_IN_LAKE.fullmatch(keys):
            problems.add(
                "keys",
                keys,
                "Neither an address by https, nor a path in a zone of the lake.",
                "Write 'https://…/jwks.json', or '<zone>/issuer/jwks.json'.",
            )
        taken = len(f"{issuer}{audience}{scopes}{keys}") + sum(_OF_A_CLIENT + len(each) for each in given)
        if taken > _SETTINGS:
            problems.add(
                "clients",
                f"{len(given)} of them",
                "Lambda takes 4 KB of settings, which they do not fit in.",
                f"Name at most {_SETTINGS // (_OF_A_CLIENT + 20)}, or make another door.",
            )
        problems.raise_if_any("DoorAuth.jwt")
        return JwtAuth(
            clients=given,
            issuer=issuer,
            audience=tuple(audience),
            keys=keys,
            client_claim=client_claim,
            scopes=tuple(scopes),
            algorithms=tuple(algorithms),
        )

    def check_tenants(self, problems: Problems, argument: str, tenants: Sequence[str]) -> None:
        """Record clients of tenants that there are not.

        Args:
            problems: Where to record.
            argument: What to call it.
            tenants: The tenants of the model; none where it is everybody's.
        """
        for client, tenant in self.clients.items():
            known = tenants if tenants else ("", client)
            if tenant not in known:
                problems.add(
                    f"{argument}.clients[{client!r}]",
                    tenant,
                    "The model has no such tenant.",
                    f"Write one of {', '.join(tenants)}." if tenants else "Name the clients in a list.",
                )


@dataclass(frozen=True, kw_only=True)
class IamAuth(DoorAuth):
    """Callers sign with their IAM role; whom it lets through stands on the roles."""


@dataclass(frozen=True, kw_only=True)
class CognitoAuth(DoorAuth):
    """Callers bring a token of a user pool.

    Args:
        clients: The clients, each with its tenant.
        pool_arn: The pool's ARN; empty for one of the door's own.
        client_ids: The clients' ids in the pool, where it is not the door's own.
        scopes: What a token has to allow, where the pool is not the door's own.
        token_minutes: Minutes that a token of the door's own pool is good for.
    """

    pool_arn: str = ""
    client_ids: Mapping[str, str] = field(default_factory=dict)
    scopes: tuple[str, ...] = ()
    token_minutes: int = 15

    def check_tenants(self, problems: Problems, argument: str, tenants: Sequence[str]) -> None:
        """Record clients of tenants that there are not, and tenants with several clients.

        Args:
            problems: Where to record.
            argument: What to call it.
            tenants: The tenants of the model.
        """
        DoorAuth.check_tenants(self, problems, argument, tenants)
        given = list(self.clients.values())
        for tenant in tenants:
            if given.count(tenant) > 1:
                problems.add(
                    f"{argument}.clients",
                    tenant,
                    "A tenant's component has the name of its client's id, so that it has one client.",
                    "Name one, or use DoorAuth.jwt.",
                )


@dataclass(frozen=True, kw_only=True)
class JwtAuth(DoorAuth):
    """Callers bring a token of an issuer; see `DoorAuth.jwt` for the arguments."""

    issuer: str
    audience: tuple[str, ...]
    keys: str
    client_claim: str
    scopes: tuple[str, ...]
    algorithms: tuple[str, ...]

    @property
    def key_zone(self) -> str:
        """The zone of the lake that the keys lie in; empty where they come by https."""
        return "" if self.keys.startswith("https:") else self.keys.partition("/")[0]

    @property
    def key_path(self) -> str:
        """Where they lie in it."""
        return self.keys.partition("/")[2] if self.key_zone else ""

    @property
    def key_host(self) -> str:
        """The name that they come from by https."""
        return "" if self.key_zone else urlsplit(self.keys).hostname or ""


def _clients(where: str, given: Clients, *, tenants: bool = True) -> dict[str, str]:
    problems = Problems()
    if isinstance(given, str) or not given:
        problems.add("clients", given, "It names no client.", "Write ('partner-a',).")
        problems.raise_if_any(where)
    if isinstance(given, Mapping) and not tenants:
        problems.add(
            "clients",
            dict(given),
            "With IAM a tenant is what the path of the request and the caller's role say.",
            "Name the clients in a list, and use grant_invoke(role, tenant=…).",
        )
    if len(given) > _MOST_CLIENTS:
        problems.add("clients", f"{len(given)} of them", f"More than {_MOST_CLIENTS}.", "Make another door.")
    names = list(given)
    for index, name in enumerate(names):
        if not _CLIENT.fullmatch(str(name)):
            problems.add(
                f"clients[{index}]",
                name,
                "A client's name has 1 to 128 letters, digits and . _ : @ / -",
                "Write for instance 'partner-a'.",
            )
        elif name in names[:index]:
            problems.add(f"clients[{index}]", name, "It is named twice.", "Name it once.")
    problems.raise_if_any(where)
    if isinstance(given, Mapping):
        return dict(given)
    # A client that is named alone is of the tenant of its name, if there is one.
    return {name: name if tenants else "" for name in given}


def _check_scopes(problems: Problems, scopes: Sequence[str], *, least: int) -> None:
    if isinstance(scopes, str) or len(scopes) < least:
        problems.add("scopes", scopes, "It is a list of scopes.", "Write ('risk/predict',).")
        return
    for index, each in enumerate(scopes):
        if not _SCOPE.fullmatch(each):
            problems.add(f"scopes[{index}]", each, "This is no scope.", "Write 'risk/predict'.")
