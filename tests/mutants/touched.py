"""Whom a changed policy can touch: of all that is tried, what nobody else tries is as it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from secure_ml_constructs.verification.proofs.estate import Estate
from secure_ml_constructs.verification.proofs.questions.adversaries import Adversaries
from secure_ml_constructs.verification.proofs.questions.answers import Adversary
from secure_ml_constructs.verification.proofs.questions.attempts import Attempt
from secure_ml_constructs.verification.proofs.questions.deeds import Act, Asset, Deed, Who
from secure_ml_constructs.verification.proofs.questions.guarded import Guarded
from secure_ml_constructs.verification.templates import Resource, Templates
from tests.mutants.mutant import ACCESS, Mutant
from tests.mutants.neighbours import Name, Neighbours


@dataclass(frozen=True)
class Touch:
    """What a mutant can make another of.

    Attributes:
        roles: The ARNs of the roles that act otherwise; None where everybody may.
        endpoint: The endpoint that lets through others; None where any may.
        asset: The resource whose own policy may be another.
    """

    roles: frozenset[str] | None = None
    endpoint: Name | None = None
    asset: Name | None = None

    def is_asset(self, asset: Asset) -> bool:
        """Whether what is after an asset may come out otherwise whoever is."""
        resource = asset.resource
        return self.asset is not None and resource is not None and _name(resource) == self.asset

    def is_endpoint(self, attempt: Attempt) -> bool:
        """Whether an attempt passes the endpoint."""
        passed = (each.endpoint for each in (attempt, *attempt.first))
        return any(each is not None and _name(each.resource) == self.endpoint for each in passed)


ANYTHING = Touch()
# Whose attempts are those of the templates' roles, with what they are granted.
_BY_ROLES = (Adversary.STOLEN, Adversary.JOB)
_AS_ROLES = (Who.GRANTED, Who.GUARDED, Who.NAMED)


class Some(Adversaries):
    """Adversaries of whom only those are asked about that a mutant can touch.

    Args:
        everybody: All of them.
        touch: What the mutant can make another of.
    """

    def __init__(self, everybody: Adversaries, touch: Touch) -> None:
        self.__dict__.update(everybody.__dict__)
        self._everybody = everybody
        self._touch = touch
        if touch.roles is not None:
            self._held = [each for each in self._held if each.arn in touch.roles]
            self._numbers = {str(each.arn): number for number, each in enumerate(self._held)}
            self._grants = {}
            self._guarded = Guarded(each for each in self._estate.roles if each.arn in touch.roles)

    def attempts(self, adversary: Adversary, asset: Asset, deed: Deed, act: Act) -> Iterator[Attempt]:
        """Those of all attempts that may come out otherwise.

        Args:
            adversary: Which kind.
            asset: What they are about.
            deed: What is to be done.
            act: The request that comes first.
        """
        touch = self._touch
        if touch.is_asset(asset):
            yield from self._everybody.attempts(adversary, asset, deed, act)
        elif touch.endpoint is not None:
            every = self._everybody.attempts(adversary, asset, deed, act)
            yield from (each for each in every if touch.is_endpoint(each))
        elif touch.roles is None:
            yield from self._everybody.attempts(adversary, asset, deed, act)
        elif adversary in _BY_ROLES and deed.who in _AS_ROLES:
            yield from super().attempts(adversary, asset, deed, act)


class Touched:
    """Finds what a mutant can touch.

    Args:
        templates: The environment's templates by stack name.
        neighbours: Who names whom in them.
    """

    def __init__(self, templates: Mapping[str, Any], neighbours: Neighbours) -> None:
        (estate, *_) = Estate.worlds(Templates.of(templates))
        self._roles = {_name(role.resource): str(role.arn) for role in estate.roles}
        self._neighbours = neighbours

    def by(self, mutant: Mutant) -> Touch:
        """Say what a mutant can make another of.

        Args:
            mutant: The mutant.
        """
        name = (mutant.stack, mutant.logical_id)
        if mutant.kind != ACCESS:
            return ANYTHING
        if mutant.type == "AWS::EC2::VPCEndpoint":
            return Touch(endpoint=name)
        if mutant.type not in ("AWS::IAM::ManagedPolicy", "AWS::IAM::Role"):
            return ANYTHING
        near = {name} | self._neighbours.of(name)
        # Of a role whose trust is changed, everybody may be let in.
        return Touch(roles=frozenset(arn for each, arn in self._roles.items() if each in near), asset=name)


def _name(resource: Resource) -> Name:
    return resource.template.name, resource.logical_id
