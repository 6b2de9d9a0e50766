"""What a door is: where it stands, whom it knows, what it takes and how much of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from secure_ml_constructs.errors import Problems
from secure_ml_constructs.perimeter_entries import check_role_arns
from secure_ml_constructs.serving.door_auth import DoorAuth, IamAuth
from secure_ml_constructs.serving.door_domain import DoorDomain, MutualTls
from secure_ml_constructs.serving.request_schema import check_schema
from secure_ml_constructs.serving.throttle import Throttle

if TYPE_CHECKING:
    from secure_ml_constructs.serving.door_firewall import DoorFirewall

__all__ = ["FrontDoor", "Payloads"]

_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9!#$&^_.+-]*")
_TEXT = ("application/json", "text/csv")
# Each is a part of a rule of the firewall, whose capacity is bounded.
_MOST_TYPES = 10


@dataclass(frozen=True, kw_only=True)
class Payloads:
    """What a door takes, each kind at a path of its own: `/json`, `/csv` and `/binary`.

    Ensures:
        G5: JSON is held to its schema before it reaches the model; other types get 415.

    Args:
        json: The JSON Schema (draft 4) of requests to `/json`. Default: there is no such path.
        csv: Whether there is `/csv`. It is not validated at the door: the first container has to.
        binary: The type that `/binary` takes, for instance `("application/dicom",)`; of several, each has a
            path below it (`/binary/dicom`). Ten at the most. Not validated either; the model is told this
            type, and the firewall answers 415 to others.

    Raises:
        ConfigurationError: Nothing at all, a keyword that API Gateway does not hold requests to, or a type
            that is none.

    Example:
        >>> payloads = Payloads(
        ...     json={
        ...         "type": "object",
        ...         "required": ["age"],
        ...         "properties": {"age": {"type": "integer", "minimum": 0, "maximum": 120}},
        ...     },
        ...     csv=True,
        ... )
    """

    json: Mapping[str, Any] | None = None
    csv: bool = False
    binary: Sequence[str] = ()

    def __post_init__(self) -> None:
        problems = Problems()
        if self.json is None and not self.csv and not self.binary:
            problems.add("json", None, "The door takes nothing.", "Give the schema of a request.")
        if self.json is not None:
            check_schema(problems, "json", self.json)
        if isinstance(self.binary, str):
            problems.add(
                "binary", self.binary, "One string where a list belongs.", f"Write ({self.binary!r},)."
            )
            problems.raise_if_any("Payloads")
        if len(self.binary) > _MOST_TYPES:
            reason = f"The firewall tells {_MOST_TYPES} types apart."
            problems.add("binary", len(self.binary), reason, "Make a second door for the others.")
        for index, each in enumerate(self.binary):
            if each in _TEXT:
                reason = "API Gateway would take this type for bytes at every path, and validate none of it."
                problems.add(f"binary[{index}]", each, reason, "Use json, or csv.")
            elif not _MEDIA_TYPE.fullmatch(each):
                problems.add(
                    f"binary[{index}]", each, "This is no type of content.", "Write 'application/dicom'."
                )
            elif _last_part(each) in map(_last_part, self.binary[:index]):
                reason = "Another type has the same path."
                problems.add(f"binary[{index}]", each, reason, "Leave one of the two out.")
        problems.raise_if_any("Payloads")

    @property
    def paths(self) -> Mapping[tuple[str, ...], str]:
        """The type of content that each path is for, by the path's parts."""
        found: dict[tuple[str, ...], str] = {}
        if self.json is not None:
            found["json",] = "application/json"
        if self.csv:
            found["csv",] = "text/csv"
        for each in self.binary:
            found[("binary",) if len(self.binary) == 1 else ("binary", _last_part(each))] = each
        return found

    @property
    def binary_paths(self) -> Mapping[str, str]:
        """The type of content of each path that takes bytes, by how the path ends."""
        return {"/".join(path): each for path, each in self.paths.items() if path[0] == "binary"}


def _last_part(content_type: str) -> str:
    return re.sub(r"[^a-z0-9._-]", "-", content_type.partition("/")[2])


@dataclass(frozen=True, kw_only=True)
class FrontDoor:
    """The only way to a model: made by `private` or `regional`.

    Ensures:
        G2: never open.
        G7: from the network only, or regional behind a firewall: the choice is written down.

    Args:
        private: Whether it is called from the network only.
        auth: How it knows its callers.
        payloads: What it takes.
        throttle: How much of it.
        domain: Its own name.
        firewall: The web application firewall in front of it.
        callers: Roles that its policy lets in.
        mutual_tls: The certificates that callers have to show.

    Example:
        >>> door = FrontDoor.private(auth=DoorAuth.iam(), payloads=Payloads(csv=True))
        >>> door.is_private
        True
    """

    is_private: bool
    auth: DoorAuth
    payloads: Payloads
    throttle: Throttle
    domain: DoorDomain | None = None
    firewall: DoorFirewall | None = None
    callers: tuple[str, ...] = ()
    mutual_tls: MutualTls | None = None

    @classmethod
    def private(
        cls,
        *,
        auth: DoorAuth,
        payloads: Payloads,
        throttle: Throttle | None = None,
        domain: DoorDomain | None = None,
        firewall: DoorFirewall | None = None,
        callers: Sequence[str] = (),
        mutual_tls: MutualTls | None = None,
    ) -> FrontDoor:
        """Make a door that is called from the network only, by its endpoint for `execute-api`.

        It brings that endpoint where the network has none; further private doors share it. From inside the
        network the names of public APIs lead to it as well, which answers for none of them: private DNS is of
        the VPC. (Amazon API Gateway: Private REST APIs)

        Args:
            auth: How it knows its callers.
            payloads: What it takes.
            throttle: How much each client may ask. Default: `Throttle()`.
            domain: Its own name. Default: API Gateway's.
            firewall: A web application firewall in front of it. Default: as whoever makes the door has it.
            callers: ARNs of further roles, also of other accounts, that may call it by that endpoint, with
                IAM. Roles of the environment need none: `grant_invoke` is enough.
            mutual_tls: Refused: API Gateway has none for private APIs.

        Raises:
            ConfigurationError: Mutual TLS, or callers of another account without IAM.
        """
        problems = Problems()
        _check_auth(problems, auth)
        if mutual_tls is not None:
            problems.add(
                "mutual_tls",
                mutual_tls.truststore,
                "API Gateway has no mutual TLS for private APIs.",
                "Leave it out, or use FrontDoor.regional(domain=…, mutual_tls=…).",
            )
        check_role_arns(problems, "callers", callers)
        if callers and not isinstance(auth, IamAuth):
            problems.add(
                "callers", list(callers), "Callers with a token have no role.", "Use DoorAuth.iam()."
            )
        problems.raise_if_any("FrontDoor.private")
        return cls(
            is_private=True,
            auth=auth,
            payloads=payloads,
            throttle=throttle or Throttle(),
            domain=domain,
            firewall=firewall,
            callers=tuple(callers),
        )

    @classmethod
    def regional(
        cls,
        *,
        auth: DoorAuth,
        payloads: Payloads,
        firewall: DoorFirewall,
        throttle: Throttle | None = None,
        domain: DoorDomain | None = None,
        mutual_tls: MutualTls | None = None,
    ) -> FrontDoor:
        """Make a door that the internet reaches, behind a web application firewall.

        Args:
            auth: How it knows its callers.
            payloads: What it takes.
            firewall: What stands in front of it.
            throttle: How much each client may ask. Default: `Throttle()`.
            domain: Its own name. Default: API Gateway's.
            mutual_tls: The certificates that callers have to show. Default: none; it needs a domain.

        Raises:
            ConfigurationError: No firewall, or mutual TLS without a name or with TLS 1.3 alone.
        """
        problems = Problems()
        _check_auth(problems, auth)
        # Python does not hold callers to the types.
        given: object = firewall
        if given is None:
            problems.add(
                "firewall",
                given,
                "The internet would reach the model with nothing that stops floods and known attacks.",
                "Write firewall=DoorFirewall(), or FrontDoor.private(…).",
            )
        if mutual_tls and domain is None:
            reason = "API Gateway has mutual TLS for names of one's own only."
            problems.add("mutual_tls", mutual_tls.truststore, reason, "Give the door a domain.")
        if mutual_tls and domain and domain.tls_13:
            problems.add(
                "domain.tls_13",
                True,
                "API Gateway has no mutual TLS on names that speak TLS 1.3 alone.",
                "Leave one of the two out.",
            )
        problems.raise_if_any("FrontDoor.regional")
        return cls(
            is_private=False,
            auth=auth,
            payloads=payloads,
            throttle=throttle or Throttle(),
            domain=domain,
            firewall=firewall,
            mutual_tls=mutual_tls,
        )


def _check_auth(problems: Problems, auth: object) -> None:
    if not isinstance(auth, DoorAuth):
        problems.add(
            "auth",
            auth,
            "A door that knows nobody is open to everyone.",
            "Write DoorAuth.iam(), DoorAuth.cognito(…) or DoorAuth.jwt(…).",
        )
