"""Where people work: Studio domains with their spaces, and notebook instances."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from itertools import product

from secure_ml_constructs.verification.proofs.assets.registry import Registry
from secure_ml_constructs.verification.proofs.iam.domains import ABSENT, Values, exactly
from secure_ml_constructs.verification.proofs.iam.ternary import Unknown
from secure_ml_constructs.verification.proofs.questions.answers import Adversary
from secure_ml_constructs.verification.proofs.questions.deeds import Act, Asset, Deed, Who
from secure_ml_constructs.verification.proofs.questions.mentions import texts
from secure_ml_constructs.verification.templates import Resource

_NOBODY = "another-team"
_JOB = frozenset({Adversary.JOB})
_STOLEN = frozenset({Adversary.STOLEN})
_Deeds = Callable[[Registry, Resource, str], Iterator[Deed]]
_WITH_A_ROLE = frozenset({Adversary.STOLEN, Adversary.JOB})


def workspace_assets(registry: Registry) -> Iterator[Asset]:
    """Every domain with its spaces, and every notebook instance."""
    estate = registry.estate
    for domain in estate.resources("AWS::SageMaker::Domain"):
        yield _asset(registry, domain, (_open_spaces, _of_other_teams, _sign_in))
    for notebook in estate.resources("AWS::SageMaker::NotebookInstance"):
        yield _asset(registry, notebook, (_open_notebook,))


def _asset(registry: Registry, resource: Resource, kinds: Sequence[_Deeds]) -> Asset:
    name, place = registry.name(resource), registry.estate.place(resource)
    arn = registry.estate.arn(resource)
    if isinstance(arn, Unknown):
        return Asset(name, "workspace", (), resource, place.account, f"its ARN: {arn.reason}")
    deeds = tuple(deed for kind in kinds for deed in kind(registry, resource, arn))
    return Asset(name, "workspace", deeds, resource, place.account)


def _open_notebook(registry: Registry, notebook: Resource, arn: str) -> Iterator[Deed]:
    act = Act("sagemaker:CreatePresignedNotebookInstanceUrl", arn, service="sagemaker.api")
    yield Deed("sign in", ((act,),), "S1", _STOLEN, by_design=False)


def _sign_in(registry: Registry, domain: Resource, arn: str) -> Iterator[Deed]:
    # With IAM Identity Center, the call is refused whoever may make it. (Amazon SageMaker API Reference:
    # CreatePresignedDomainUrl)
    if registry.estate.value(domain, "AuthMode") != "SSO":
        act = Act("sagemaker:CreatePresignedDomainUrl", _inside(arn, "user-profile"), service="sagemaker.api")
        yield Deed("sign in", ((act,),), "S1", _STOLEN, by_design=False)


def _open_spaces(registry: Registry, domain: Resource, arn: str) -> Iterator[Deed]:
    asked = list(_others(registry, domain, arn))
    for what, actions in (
        ("open another's space", ("CreateApp", "StartSession")),
        ("change another's space", ("UpdateSpace", "DeleteSpace")),
    ):
        ways = tuple(
            (
                Act(
                    f"sagemaker:{action}",
                    _inside(arn, "app", f"{space}/*")
                    if action == "CreateApp"
                    else _inside(arn, "space", space),
                    context=context,
                    service="sagemaker.api",
                    roles=roles,
                ),
            )
            for roles, space, context in asked
            for action in actions
        )
        if ways:
            yield Deed(what, ways, "S2", _WITH_A_ROLE, by_design=False)


def _of_other_teams(registry: Registry, domain: Resource, arn: str) -> Iterator[Deed]:
    """Whether those who work in a domain are kept from what has a name that is nobody's of theirs."""
    estate, id = registry.estate, registry.estate.attribute(domain, "DomainId")
    given = (
        estate.value(profile, "UserSettings", "ExecutionRole")
        for profile in estate.resources("AWS::SageMaker::UserProfile")
        if estate.value(profile, "DomainId") == id
    )
    roles = frozenset(each for each in given if isinstance(each, str))
    names = {"app": f"{_NOBODY}/JupyterLab/default", "space": _NOBODY, "user-profile": _NOBODY}
    asked = {
        "app": ("CreateApp", "DeleteApp", "DescribeApp"),
        "space": ("CreateSpace", "DeleteSpace", "DescribeSpace", "UpdateSpace"),
        "user-profile": ("DescribeUserProfile", "UpdateUserProfile"),
    }
    ways = tuple(
        (Act(f"sagemaker:{action}", _inside(arn, kind, names[kind]), service="sagemaker.api", roles=roles),)
        for kind, actions in asked.items()
        for action in actions
    )
    if roles:
        yield Deed("work in another team's spaces", ways, "S2", _JOB, who=Who.GUARDED)


def _inside(arn: str, kind: str, name: str = "*") -> str:
    head, _, id = arn.rpartition("/")
    return f"{head.rpartition(':')[0]}:{kind}/{id}/{name}"


def _others(
    registry: Registry, domain: Resource, arn: str
) -> Iterator[tuple[frozenset[str], str, Mapping[str, Values]]]:
    """Roles, a space of somebody else, and what SageMaker says of a request about it.

    Of those who work with one role, one stands for all, as the owner of a space and as who asks: the role's
    policies hold for each of them.
    """
    estate, id = registry.estate, registry.estate.attribute(domain, "DomainId")
    people: dict[str, str] = {}
    for profile in estate.resources("AWS::SageMaker::UserProfile"):
        name = estate.value(profile, "UserProfileName")
        role = estate.value(profile, "UserSettings", "ExecutionRole")
        if estate.value(profile, "DomainId") == id and isinstance(name, str) and isinstance(role, str):
            people[name] = role
    spaces: dict[str, str] = {}
    for space in estate.resources("AWS::SageMaker::Space"):
        owner = estate.value(space, "OwnershipSettings", "OwnerUserProfileName")
        name = estate.value(space, "SpaceName")
        if estate.value(space, "DomainId") == id and owner in people and isinstance(name, str):
            spaces.setdefault(owner, name)

    def about(owner: str, asking: Values) -> Mapping[str, Values]:
        return {
            "sagemaker:OwnerUserProfileArn": exactly(_inside(arn, "user-profile", owner)),
            "sagemaker:UserProfileName": asking,
            "sagemaker:SpaceSharingType": exactly("Private"),
        }

    said = {each.arn: set().union(*map(texts, each.documents)) for each in estate.roles}
    for role in dict.fromkeys(people.values()):
        # Policies tell apart only those whom they name.
        named = {name for name in people if any(name in text for text in said.get(role, ()))}
        own = [name for name, its in people.items() if its == role]
        for theirs in dict.fromkeys(people.values()):
            # Of one's own role two, so that each is somebody else to the other.
            count = 2 if theirs == role else 1
            owners = [name for name, its in people.items() if its == theirs and name in spaces]
            for who, owner in product(_some(own, named, count), _some(owners, named, count)):
                if who != owner:
                    yield frozenset({role}), spaces[owner], about(owner, exactly(who))
        if len(own) > 1:
            for owner in _some([name for name in own if name in spaces], named, 1):
                yield frozenset({role}), spaces[owner], about(owner, ABSENT)
    # Nobody's: jobs, functions, and whoever signs in.
    arns = {each.arn for each in estate.roles if isinstance(each.arn, str)}
    nobodys = frozenset(arns - set(people.values()))
    for owner, space_name in spaces.items():
        if nobodys:
            yield nobodys, space_name, about(owner, ABSENT)


def _some(names: Sequence[str], named: Set[str], count: int) -> list[str]:
    """Those whom a policy names, and some that stand for all others."""
    others = [each for each in names if each not in named]
    return [*(each for each in names if each in named), *others[:count]]
