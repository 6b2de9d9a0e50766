"""Whom a changed policy can touch: of all that is tried, what nobody else tries is as it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from secure_ml_constructs.verification.proofs.estate import Estate
from secure_ml_constructs.verification.proofs.questions.attempts import Attempt
from secure_ml_constructs.verification.proofs.questions.deeds import Asset
from secure_ml_constructs.verification.templates import Templates
from tests.mutants.mutant import ACCESS, Mutant
from tests.mutants.neighbours import Name, Neighbours

Tried = Callable[[Attempt, Asset], bool]


class Touched:
    """Finds the attempts that a mutant can make another of.

    Args:
        templates: The environment's templates by stack name.
        neighbours: Who names whom in them.
    """

    def __init__(self, templates: Mapping[str, Any], neighbours: Neighbours) -> None:
        (estate, *_) = Estate.worlds(Templates.of(templates))
        self._roles: dict[Name, str] = {
            (role.resource.template.name, role.resource.logical_id): str(role.arn) for role in estate.roles
        }
        self._neighbours = neighbours

    def by(self, mutant: Mutant) -> Tried:
        """Say of an attempt and what it is after whether a mutant may change what comes of it.

        Args:
            mutant: The mutant.
        """
        name = (mutant.stack, mutant.logical_id)
        if mutant.kind != ACCESS:
            return lambda *_: True
        if mutant.type == "AWS::EC2::VPCEndpoint":
            return lambda attempt, _: any(
                each.endpoint is not None and _is(each.endpoint.resource, name)
                for each in (attempt, *attempt.first)
            )
        if mutant.type not in ("AWS::IAM::ManagedPolicy", "AWS::IAM::Role"):
            return lambda *_: True
        near = {name} | self._neighbours.of(name)
        arns = {arn for each, arn in self._roles.items() if each in near}
        # Of a role whose trust is changed, everybody may be let in.
        return lambda attempt, asset: (
            attempt.principal.name in arns or (asset.resource is not None and _is(asset.resource, name))
        )


def _is(resource: Any, name: Name) -> bool:
    return (resource.template.name, resource.logical_id) == name
