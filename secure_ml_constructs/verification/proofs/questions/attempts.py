"""One try of an adversary: as whom, with what, from where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from secure_ml_constructs.verification.proofs.estate import Endpoint
from secure_ml_constructs.verification.proofs.iam.documents import Document, Kind, parse
from secure_ml_constructs.verification.proofs.iam.domains import ABSENT, Values, exactly
from secure_ml_constructs.verification.proofs.iam.requests import Principal
from secure_ml_constructs.verification.proofs.questions.deeds import Act

_EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "Everything", "Effect": "Allow", "Action": "*", "Resource": "*"}],
}
ALL_PERMISSIONS = (parse(_EVERYTHING, Kind.IDENTITY, "every permission"),)
# Keys by which a service says for whom it acts.
ON_BEHALF = (
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceowner",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
)
# Services say for whom they act; a user or role that calls by itself can't.
NOT_ON_BEHALF: Mapping[str, Values] = dict.fromkeys(ON_BEHALF, ABSENT)
DIRECT: Mapping[str, Values] = {"aws:viaawsservice": exactly("false"), "aws:calledvia": ABSENT}
FORWARDED: Mapping[str, Values] = {"aws:viaawsservice": exactly("true"), "aws:sourcevpce": ABSENT}


@dataclass(frozen=True)
class Attempt:
    """One principal in one place.

    Attributes:
        who: How answers call it.
        principal: The principal.
        identity: Its identity policies.
        boundary: Its permissions boundary; None where it has none.
        context: What follows from who it is, wherever it calls from.
        place: What follows from where it calls from.
        endpoint: The VPC endpoint that its requests pass; None where they pass none of ours.
        in_organization: Whether service control policies bind it.
        first: Requests to other services of which one has to be let through first, since the service then
            makes the request for the caller; empty where the caller makes it.
        act: The request, of those that come first; None for the attempt itself.
    """

    who: str
    principal: Principal
    identity: tuple[Document, ...] = ()
    boundary: tuple[Document, ...] | None = None
    context: Mapping[str, Values] = field(default_factory=dict)
    place: Mapping[str, Values] = field(default_factory=dict)
    endpoint: Endpoint | None = None
    in_organization: bool = True
    first: tuple[Attempt, ...] = ()
    act: Act | None = None
