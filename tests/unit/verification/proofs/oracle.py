"""Puts a pair to the model and to the simulator."""

from __future__ import annotations

from typing import Any

from secure_ml_constructs.verification.proofs.iam import Kind, Policies, Request, parse
from tests.support.decisions import ALLOW_ALL, Simulator
from tests.unit.verification.proofs.pairs import Json, Pair
from tests.unit.verification.proofs.vocabulary import ACCOUNT


def policies(pair: Pair) -> Policies:
    """Parse the documents of a pair."""

    def parsed(documents: list[Json], kind: Kind) -> tuple[Any, ...]:
        return tuple(parse(each, kind, f"{kind} {i}") for i, each in enumerate(documents))

    return Policies(
        identity=parsed(pair.identity, Kind.IDENTITY),
        boundary=None if pair.boundary is None else parsed(pair.boundary, Kind.BOUNDARY),
        session=None if pair.session is None else parsed([pair.session], Kind.SESSION),
        resource=None if pair.resource is None else parse(pair.resource, Kind.RESOURCE),
        endpoint=None if pair.endpoint is None else parsed(pair.endpoint, Kind.ENDPOINT),
        scps=tuple(parsed(level, Kind.SCP) for level in pair.scps),
        rcps=tuple(parsed(level, Kind.RCP) for level in pair.rcps),
        block_public_access=pair.block_public_access,
    )


def request(pair: Pair) -> Request:
    """Read the request of a pair; nothing is filled in."""
    given = pair.request
    made = Request.of(given["principal"], given["action"], given["resource"], given["context"])
    return Request(
        made.principal,
        made.action,
        made.resource,
        {key: made.context[key] for key in (name.lower() for name in given["context"])},
    )


def simulation(pair: Pair, asked: Json | None = None) -> Json:
    """Write a pair as the simulator reads it."""

    def named(documents: list[Json]) -> list[Json]:
        return [{"name": str(index), "policy": each} for index, each in enumerate(documents)]

    given = asked or pair.request
    made: Json = {
        "request": {
            "principal": given["principal"] or {"type": "Anonymous"},
            "action": given["action"],
            "resource": {"resource": given["resource"], "accountId": given.get("account", ACCOUNT)},
            "contextVariables": given["context"],
        },
        "identityPolicies": named(pair.identity),
        "serviceControlPolicies": [
            # The simulator has no FullAWSAccess of its own.
            {
                "orgIdentifier": f"ou-{index}",
                "policies": named(level if _grants(level) else [*level, dict(ALLOW_ALL)]),
            }
            for index, level in enumerate(pair.scps)
        ],
        "resourceControlPolicies": [
            {"orgIdentifier": f"ou-{index}", "policies": named(level)}
            for index, level in enumerate(pair.rcps)
        ],
        "additionalSettings": {"s3": {"blockPublicAccess": pair.block_public_access}},
    }
    if pair.resource is not None:
        made["resourcePolicy"] = pair.resource
    if pair.boundary is not None:
        made["permissionBoundaryPolicies"] = named(pair.boundary)
    if pair.session is not None:
        made["sessionPolicy"] = pair.session
    if pair.endpoint is not None:
        made["vpcEndpointPolicies"] = named(pair.endpoint)
    return made


def _grants(level: list[Json]) -> bool:
    return any(statement["Effect"] == "Allow" for document in level for statement in document["Statement"])


def simulated(simulator: Simulator, pair: Pair, asked: Json | None = None) -> bool:
    """Ask the simulator; an ignored key or an error is no answer."""
    answer = simulator.ask(simulation(pair, asked))
    assert "error" not in answer, answer["error"]
    assert not answer["ignored"], answer["ignored"]
    return bool(answer["result"] == "Allowed")
