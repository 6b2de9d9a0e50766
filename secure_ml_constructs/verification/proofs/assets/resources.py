"""Keys, secrets, images, messages, models: what has a policy of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from secure_ml_constructs.verification.proofs.assets.kinds import KINDS, Kind
from secure_ml_constructs.verification.proofs.assets.registry import Registry
from secure_ml_constructs.verification.proofs.iam.domains import ABSENT, ANYTHING, Values, exactly
from secure_ml_constructs.verification.proofs.iam.ternary import Unknown
from secure_ml_constructs.verification.proofs.questions.answers import Adversary
from secure_ml_constructs.verification.proofs.questions.deeds import (
    EVERYONE,
    ROTATED_BY,
    Act,
    Asset,
    Deed,
    Who,
    one,
)
from secure_ml_constructs.verification.proofs.questions.mentions import encryption_contexts
from secure_ml_constructs.verification.templates import Resource

# What takes from packages, adds to them or opens the way there.
_USED = {
    "packages": (
        "codeartifact:ReadFromRepository",
        "codeartifact:GetPackageVersionAsset",
        "codeartifact:GetPackageVersionReadme",
        "codeartifact:PublishPackageVersion",
        "codeartifact:PutPackageMetadata",
    ),
    "package domain": ("codeartifact:GetAuthorizationToken",),
}
_INSIDER = frozenset({Adversary.INSIDER})
_JOB = frozenset({Adversary.JOB})
_WITH_ROLES = frozenset({Adversary.STOLEN, Adversary.JOB})
_STRANGERS = frozenset({Adversary.OUTSIDER, Adversary.INSIDER, Adversary.DEPUTY})


def resource_assets(registry: Registry) -> Iterator[Asset]:
    """Every resource of the kinds of the table."""
    estate = registry.estate
    for kind in KINDS:
        for resource in estate.resources(kind.type):
            arn = estate.arn(resource)
            name = registry.name(resource)
            if isinstance(arn, Unknown):
                yield Asset(name, kind.name, (), resource, missing=f"its ARN: {arn.reason}")
                continue
            account = estate.place(resource).account
            yield Asset(name, kind.name, tuple(_deeds(registry, kind, resource, arn)), resource, account)


def _deeds(registry: Registry, kind: Kind, resource: Resource, arn: str) -> Iterator[Deed]:
    policy = None if kind.guardrail and kind.name != "registry" else registry.policy(resource)
    base = arn.removesuffix(":*")
    act = Act("", base, policy, service=kind.endpoint, named=base)
    if kind.name == "secret":
        act = replace(act, context={ROTATED_BY: _rotated_by(registry, resource)})
    for name, control, actions in kind.deeds:
        besides: tuple[Act, ...] = ()
        if name in kind.reads:
            on_key = "kms:GenerateDataKey" if name == "forge" else "kms:Decrypt"
            besides = registry.through(kind.via, registry.estate.value(resource, kind.key), on_key, resource)
        ways = [
            (replace(act, action=action, resource=about, named=_named(kind, about, base)), *besides)
            for action in actions
            for about in _about(kind, base, action)
        ]
        if kind.name == "key" and name == "use":
            # Without a service between. What is used through one is the business of what that encrypts.
            ways = [(replace(way[0], context={"kms:viaservice": ABSENT}),) for way in ways]
            # A grant is a way to use the key that no policy is asked about again.
            grant = replace(act, action="kms:CreateGrant")
            ways.append((replace(grant, context={"kms:grantisforawsresource": exactly("false")}),))
        yield Deed(
            name,
            tuple(ways),
            control,
            EVERYONE,
            guardrail=kind.guardrail,
            by_design=name not in kind.kept,
            from_outside=name in kind.outside,
        )
    if kind.name == "key":
        through = one(*(replace(act, action=each) for each in ("kms:Decrypt", "kms:GenerateDataKey")))
        yield Deed("use through a service", through, "E1", _STRANGERS)
        direct = tuple((replace(way, context={"kms:viaservice": ABSENT}),) for (way,) in through)
        yield Deed("use directly", direct, "E1", _WITH_ROLES, who=Who.ANY)
        contexts = encryption_contexts(policy) if policy else ()
        if contexts:
            # What is used for workflows or logs says so each time.
            bare = dict.fromkeys(contexts, ABSENT)
            idle = one(*(replace(way, context={**way.context, **bare}) for (way,) in direct))
            yield Deed("use outside its purpose", idle, "E1", _WITH_ROLES, who=Who.ANY)
        yield Deed("use while deploying", direct, "E1", _INSIDER, who=Who.DEPLOYING)
        unasked = (*through, (replace(act, action="kms:CreateGrant"),))
        yield Deed("use without permission", unasked, "I3", _JOB, who=Who.UNPERMITTED)
    used = _USED.get(kind.name, ())
    ways = [
        (replace(act, action=each, resource=about),) for each in used for about in _about(kind, base, each)
    ]
    if ways:
        # Whatever is granted or will be: only the asset's own policy keeps it to our endpoints.
        stolen = frozenset({Adversary.STOLEN})
        yield Deed("use from outside", tuple(ways), "N8", stolen, who=Who.ANY)
    if kind.name == "topic":
        plain = replace(act, action="sns:Subscribe", context={"sns:protocol": exactly("http")})
        yield Deed("deliver in plain while deploying", ((plain,),), "E2", _INSIDER, who=Who.DEPLOYING)
    if kind.name == "log group":
        forge = replace(
            act,
            action="logs:PutLogEvents",
            resource=f"{base}:log-stream:*",
            policy=registry.policy(resource),
        )
        yield Deed("forge", ((forge,),), "A2", _JOB | {Adversary.OUTSIDER, Adversary.DEPUTY})


def _rotated_by(registry: Registry, secret: Resource) -> Values:
    """The function that a secret names as the one that rotates it."""
    estate = registry.estate
    names = {estate.attribute(secret, "Ref"), estate.arn(secret)}
    for schedule in estate.resources("AWS::SecretsManager::RotationSchedule"):
        if estate.value(schedule, "SecretId") in names:
            function = estate.value(schedule, "RotationLambdaARN")
            return exactly(function) if isinstance(function, str) else ANYTHING
    return ABSENT


def _named(kind: Kind, about: str, arn: str) -> str:
    """What a grant by name begins with: packages are granted by ARNs of their own."""
    if kind.name == "packages" and ":package/" in about:
        return arn.replace(":repository/", ":package/")
    return arn


def _about(kind: Kind, arn: str, action: str) -> Iterator[str]:
    """What a request is about: packages in place of their group, streams in place of theirs."""
    match kind.name:
        case "registry" if "Group" not in action:
            yield arn.replace(":model-package-group/", ":model-package/") + "/*"
        case "packages" if "Package" in action:
            # Format, namespace and name; pip knows no namespaces.
            yield from (arn.replace(":repository/", ":package/") + path for path in ("/?*/?*/?*", "/?*//?*"))
        case "package domain" if action == "codeartifact:CreateRepository":
            yield arn.replace(":domain/", ":repository/") + "/?*"
        case "package domain" if "PackageGroup" in action:
            yield arn.replace(":domain/", ":package-group/") + "/?*"
        case "log group":
            yield f"{arn}:*" if action != "logs:DeleteLogStream" else f"{arn}:log-stream:*"
        case _:
            yield arn
