"""What permissions boundaries hold: data from elsewhere by service, and the evidence of what was done.

Whoever has a boundary is asked about with every permission, so that the boundary and the role's own denials
have to hold by themselves: before anything is granted, and for services of which the templates have nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from secure_ml_constructs.verification.proofs.assets.bounded_actions import DATA, EVIDENCE, RULES
from secure_ml_constructs.verification.proofs.assets.registry import Registry
from secure_ml_constructs.verification.proofs.estate import Role
from secure_ml_constructs.verification.proofs.iam.documents import Document, Kind, parse
from secure_ml_constructs.verification.proofs.iam.domains import ABSENT, exactly
from secure_ml_constructs.verification.proofs.questions.answers import Adversary
from secure_ml_constructs.verification.proofs.questions.credentials import is_kept
from secure_ml_constructs.verification.proofs.questions.deeds import Act, Asset, Deed, Who, one
from secure_ml_constructs.verification.proofs.questions.trust import Trust
from secure_ml_constructs.verification.templates import Resource

_STOLEN = frozenset({Adversary.STOLEN})
_JOB = frozenset({Adversary.JOB})
# By which VPC endpoint a service is called, where that is not its own name.
_ENDPOINTS = {"sagemaker": "sagemaker.runtime", "bedrock": "bedrock-runtime"}
_WITH_POLICIES_THAT_DECIDE = frozenset({"kms", "sts"})


def boundary_assets(registry: Registry, trust: Trust) -> Iterator[Asset]:
    """Every boundary of the templates that bounds somebody whose credentials can be had."""
    estate = registry.estate
    by_arn: dict[str, Resource] = {}
    for policy in estate.resources("AWS::IAM::ManagedPolicy"):
        arn = estate.attribute(policy, "Arn")
        if isinstance(arn, str):
            by_arn[arn] = policy
    bound: dict[str, list[Role]] = {}
    for role in estate.roles:
        given = estate.value(role.resource, "PermissionsBoundary")
        if isinstance(given, str) and given in by_arn and not is_kept(role):
            bound.setdefault(given, []).append(role)
    for arn, roles in bound.items():
        policy = by_arn[arn]
        trusted = [each for each in roles if trust.trusts(each, estate.place(each.resource))]
        held = frozenset(str(each.arn) for each in roles if each not in trusted)
        deeds = []
        if held:
            for service, actions in DATA.items():
                ways = _ways(registry, policy, service, actions, held)
                deeds.append(Deed(f"use {service} from elsewhere", ways, "D3", _STOLEN, who=Who.GUARDED))
            for service, actions in RULES.items():
                ways = _wherever(_ways(registry, policy, service, actions, held))
                deeds.append(Deed(f"rule over {service}", ways, "I3", _JOB, who=Who.GUARDED))
            deeds += _past_the_limits(registry, policy, held)
        everybody = held | {str(each.arn) for each in trusted}
        for service, actions in EVIDENCE.items():
            ways = _wherever(_ways(registry, policy, service, actions, everybody))
            deeds.append(Deed(f"lose evidence of {service}", ways, "A2", _JOB, who=Who.GUARDED))
        deeds.append(
            Deed(
                "reach another account", _of_others(registry, policy, everybody), "I3", _JOB, who=Who.GUARDED
            )
        )
        yield Asset(registry.name(policy), "boundary", tuple(deeds), policy, estate.place(policy).account)


def trusted_assets(registry: Registry, trust: Trust) -> Iterator[Asset]:
    """Every role of the templates that is trusted and has a boundary: what it is not granted all the same."""
    estate = registry.estate
    for role in estate.roles:
        if isinstance(role.arn, str) and role.boundary and trust.trusts(role, estate.place(role.resource)):
            arns = frozenset({role.arn})
            deeds = [
                Deed(
                    f"use {service}",
                    _wherever(_ways(registry, role.resource, service, DATA[service], arns)),
                    "I6",
                    _JOB,
                    who=Who.NAMED,
                )
                for service in ("kms", "s3", "secretsmanager")
            ]
            ways = _wherever(_ways(registry, role.resource, "iam", RULES["iam"], arns))
            deeds.append(Deed("rule over iam", ways, "I6", _JOB, who=Who.NAMED))
            ways = _of_others(registry, role.resource, arns)
            deeds.append(Deed("reach another account", ways, "I6", _JOB, who=Who.NAMED))
            name, account = registry.name(role.resource), estate.place(role.resource).account
            yield Asset(f"{name} (as trusted)", "role", tuple(deeds), role.resource, account)


def _of_others(registry: Registry, policy: Resource, roles: frozenset[str]) -> tuple[tuple[Act, ...], ...]:
    """What changes keys, buckets, secrets and work of another account, which lets everybody in."""
    stranger = Trust().stranger(registry.estate.place(policy).account)
    own = registry.estate.place(policy).account
    stops = (("{l}:endpoint/*", ("DeleteEndpoint",)), ("{l}:training-job/*", ("StopTrainingJob",)))
    ways = (
        way
        for service in ("kms", "s3", "sagemaker", "secretsmanager")
        for way in _ways(registry, policy, service, RULES.get(service, stops), roles)
    )
    return tuple(
        (
            replace(
                act,
                resource=act.resource.replace(own, stranger),
                policy=_LETTING_EVERYBODY_IN,
                account=stranger,
                service="",
            ),
        )
        for (act,) in ways
    )


_LETTING_EVERYBODY_IN = parse(
    {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]},
    Kind.RESOURCE,
    "the policy of somebody who lets everybody in",
)


def _past_the_limits(registry: Registry, policy: Resource, roles: frozenset[str]) -> Iterator[Deed]:
    """What a boundary may let through for some requests of an action only."""
    place = registry.estate.place(policy)
    head = f"arn:{place.partition}"
    let_in = _leaving_it_to_roles(place.partition, place.account)
    key = f"{head}:kms:{place.region}:{place.account}:key/*"
    grant = Act("kms:CreateGrant", key, let_in, {"kms:grantisforawsresource": exactly("false")}, roles=roles)
    yield Deed("give keys to others", ((grant,),), "E1", _JOB, who=Who.GUARDED)
    elsewhere = {"aws:requestedregion": exactly("another-region-1")}
    job = Act(
        "sagemaker:CreateTrainingJob",
        f"{head}:sagemaker:another-region-1:{place.account}:training-job/*",
        context=elsewhere,
        roles=roles,
    )
    granted = replace(grant, context={**elsewhere, "kms:grantisforawsresource": exactly("true")})
    yield Deed("work in another region", ((job,), (granted,)), "C4", _JOB, who=Who.GUARDED)
    token = Act(
        "sts:GetServiceBearerToken",
        "*",
        context={"sts:awsservicename": exactly("another-service.amazonaws.com")},
        roles=roles,
    )
    yield Deed("get tokens of other services", ((token,),), "N8", _JOB, who=Who.GUARDED)
    # An interface is lent to a service or to an account. (Amazon EC2 API Reference:
    # CreateNetworkInterfacePermission; Service Authorization Reference, Amazon EC2)
    interface = f"{head}:ec2:{place.region}:{place.account}:network-interface/*"
    lent = tuple(
        Act(
            "ec2:CreateNetworkInterfacePermission",
            interface,
            context={"ec2:authorizedservice": service},
            roles=roles,
        )
        for service in (ABSENT, exactly("another-service.amazonaws.com"))
    )
    yield Deed("lend interfaces to others", one(*lent), "N1", _JOB, who=Who.GUARDED)
    stranger = Trust().stranger(place.account)
    theirs = Act(
        "sts:AssumeRole",
        f"{head}:iam::{stranger}:role/outsider",
        _leaving_it_to_roles(place.partition, place.account),
        account=stranger,
        roles=roles,
    )
    yield Deed("become somebody elsewhere", ((theirs,),), "I3", _JOB, who=Who.GUARDED)
    handed = tuple(
        Act("iam:PassRole", resource, context={"iam:passedtoservice": exactly(service)}, roles=roles)
        for resource, service in (
            (min(roles), "ec2.amazonaws.com"),
            (f"{head}:iam::{place.account}:role/of-others", "sagemaker.amazonaws.com"),
        )
    )
    yield Deed("pass roles past SageMaker", one(*handed), "I3", _JOB, who=Who.GUARDED)


def _wherever(ways: Iterable[tuple[Act, ...]]) -> tuple[tuple[Act, ...], ...]:
    """The same, from anywhere."""
    return tuple((replace(act, service=""),) for (act,) in ways)


def _ways(
    registry: Registry,
    policy: Resource,
    service: str,
    actions: Sequence[tuple[str, Sequence[str]]],
    roles: frozenset[str],
) -> tuple[tuple[Act, ...], ...]:
    place = registry.estate.place(policy)
    decides = service in _WITH_POLICIES_THAT_DECIDE
    let_in = _leaving_it_to_roles(place.partition, place.account) if decides else None
    endpoint = _ENDPOINTS.get(service, service)

    def resource(about: str) -> str:
        if about == "role":
            # One of the very path that the environment's roles have.
            return min(roles)
        if about == "*":
            return about
        filled = about.format(l=f"{place.region}:{place.account}", a=place.account)
        return f"arn:{place.partition}:{service}:{filled}"

    return one(
        *(
            Act(f"{service}:{action}", resource(about), let_in, service=endpoint, roles=roles)
            for about, named in actions
            for action in named
        )
    )


@lru_cache(maxsize=64)
def _leaving_it_to_roles(partition: str, account: str) -> Document:
    """The policy of a key or role that lets in its account, and leaves it to the permissions there."""
    principal = {"AWS": f"arn:{partition}:iam::{account}:root"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "*", "Resource": "*"}
    return parse({"Statement": [statement]}, Kind.RESOURCE, "a policy that lets in its account")
