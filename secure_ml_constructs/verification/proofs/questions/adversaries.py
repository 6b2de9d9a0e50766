"""Who tries: each adversary as principals, with what they hold and where they call from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase

from secure_ml_constructs.verification.proofs.estate import Endpoint, Estate, Place, Role
from secure_ml_constructs.verification.proofs.iam.domains import ANYTHING, Values, exactly, like, unlike
from secure_ml_constructs.verification.proofs.iam.policies import Authorization
from secure_ml_constructs.verification.proofs.iam.requests import Principal
from secure_ml_constructs.verification.proofs.questions.answers import Adversary
from secure_ml_constructs.verification.proofs.questions.attempts import (
    ALL_PERMISSIONS,
    DIRECT,
    FORWARDED,
    NOT_ON_BEHALF,
    ON_BEHALF,
    Attempt,
)
from secure_ml_constructs.verification.proofs.questions.credentials import (
    Grants,
    forwarding,
    granted_directly,
    is_kept,
)
from secure_ml_constructs.verification.proofs.questions.deeds import Act, Asset, Deed, Who
from secure_ml_constructs.verification.proofs.questions.guarded import Guarded, acting_as
from secure_ml_constructs.verification.proofs.questions.mentions import (
    ANY_SERVICE,
    accounts_named,
    encryption_contexts,
    organizations_named,
    principals_named,
    providers_named,
    services_named,
    texts,
)
from secure_ml_constructs.verification.proofs.questions.trust import Trust, filled


class Adversaries:
    """The adversaries of one estate.

    Args:
        estate: The estate.
        trust: Who is none.
        leaves: Whether a request from the estate's networks can reach the internet, past every endpoint.
        elsewhere: Whether that is so only because no template has the network.

    Attributes:
        of_others: What the resources of another account say of their owner.
    """

    def __init__(self, estate: Estate, trust: Trust, *, leaves: bool, elsewhere: bool = False) -> None:
        self._estate = estate
        self._trust = trust
        self._leaves = leaves
        self._elsewhere = elsewhere
        ids = [each.id for each in estate.endpoints if isinstance(each.id, str)]
        vpcs = sorted({each.vpc for each in estate.endpoints if isinstance(each.vpc, str)})
        # A request from outside passes somebody else's endpoint or none.
        self._outside: dict[str, Values] = {
            "aws:sourcevpce": unlike(*ids),
            "aws:sourcevpc": unlike(*vpcs),
            "aws:sourcevpcarn": unlike(*(f"*{vpc}" for vpc in vpcs)),
        }
        # Endpoints of one service with the same policy differ only for those policies that name them.
        self._by_service: dict[str, dict[object, list[Endpoint]]] = defaultdict(lambda: defaultdict(list))
        self._named_by: dict[str, list[Endpoint]] = defaultdict(list)
        for each in estate.endpoints:
            if isinstance(each.service, str):
                self._by_service[each.service][_content(each)].append(each)
                for name in (each.id, each.vpc):
                    if isinstance(name, str):
                        self._named_by[name].append(each)
        self._held = [
            each
            for each in estate.roles
            if not (trust.trusts(each, estate.place(each.resource)) or is_kept(each))
        ]
        self._guarded = Guarded(estate.roles)
        self._numbers = {str(each.arn): number for number, each in enumerate(self._held)}
        self._grants: dict[str, Grants] = {}
        self._forwarded: dict[tuple[str, bool], tuple[Attempt, ...]] = {}
        self._organizations = (trust.organization,) if trust.organization else organizations_named(estate)
        # What a resource, a principal and a source of another organization say of it.
        self.of_others = self._elsewhere_than_ours("resource")
        self._stranger = self._elsewhere_than_ours("principal")
        self._foreign_source = self._elsewhere_than_ours("source")
        self._own = tuple(
            arn
            for bucket in estate.resources("AWS::S3::Bucket")
            if isinstance(arn := estate.arn(bucket), str)
        )

    def attempts(self, adversary: Adversary, asset: Asset, deed: Deed, act: Act) -> Iterator[Attempt]:
        """Everyone whom one question is about.

        Args:
            adversary: Which kind.
            asset: What it is about.
            deed: What is to be done.
            act: The request that comes first.
        """
        match adversary:
            case Adversary.OUTSIDER if deed.who is Who.SIGNING_IN:
                for provider in providers_named(act.policy) if act.policy else ():
                    yield Attempt(provider, Principal.read({"Federated": provider}), in_organization=False)
            case Adversary.OUTSIDER:
                yield from self._outsiders(asset, act)
            case Adversary.INSIDER if deed.who is Who.DEPLOYING:
                yield from self._deploying(asset)
            case Adversary.INSIDER:
                yield from self._insiders(asset, act)
            case Adversary.STOLEN if deed.who is Who.ANY:
                for base in self._anybody(asset):
                    yield replace(base, place={**self._outside, **DIRECT})
            case Adversary.STOLEN if deed.who is Who.GUARDED:
                for base in self._guarded.of(act):
                    yield replace(base, place={**self._outside, **DIRECT})
            case Adversary.STOLEN:
                for role in self._granted(act):
                    yield from self._stolen(role)
            case Adversary.JOB if deed.who is Who.NAMED:
                yield from self._guarded.granted(act)
            case Adversary.JOB if deed.who is Who.ANY:
                yield from self._whoever(asset, act)
            case Adversary.JOB if deed.who is Who.UNPERMITTED:
                # Where from does not matter: it has nothing to bring along.
                yield Attempt("a role without permission", self._any_job(asset), context=NOT_ON_BEHALF)
            case Adversary.JOB if deed.who is Who.GUARDED:
                for base in self._guarded.of(act):
                    # Without a service that is called, it is the same wherever it is called from.
                    yield from self._from_inside(base, act) if act.service else (base,)
            case Adversary.JOB:
                for role in self._granted(act):
                    yield from self._job(role, act)
            case Adversary.DEPUTY:
                yield from self._deputies(asset, act)

    def _granted(self, act: Act) -> Iterator[Role]:
        """The roles that anything may grant a request."""
        named = frozenset() if act.policy is None else granted_directly(act.policy, act.action)
        signed = act.method is None or act.method.authorization is Authorization.IAM
        if named is None or not signed:
            chosen: Iterable[int] = range(len(self._held))
        else:
            if act.action not in self._grants:
                self._grants[act.action] = Grants(self._held, act.action)
            by_policy = {self._numbers[arn] for arn in named if arn in self._numbers}
            chosen = sorted(self._grants[act.action].on(act.resource) | by_policy)
        for number in chosen:
            role = self._held[number]
            if not act.roles or role.arn in act.roles:
                yield role

    def _endpoints(self, act: Act, base: Attempt | None = None) -> Iterator[Endpoint]:
        """The endpoints by which a request may come, but one of those that no policy tells apart."""
        if act.endpoint:
            yield from (each for each in self._estate.endpoints if each.id == act.endpoint)
            return
        documents = [] if act.policy is None else [act.policy]
        documents += [*base.identity, *(base.boundary or ())] if base else []
        named: set[str] = set().union(*map(texts, documents))
        told = [each for text in sorted(named & self._named_by.keys()) for each in self._named_by[text]]
        told = [each for each in told if each.service == act.service]
        yield from dict.fromkeys(told)
        for alike in self._by_service[act.service].values() if act.service in self._by_service else ():
            yield from [each for each in alike[: len(told) + 1] if each not in told][:1]

    def _outsiders(self, asset: Asset, act: Act) -> Iterator[Attempt]:
        foreign = {
            **NOT_ON_BEHALF,
            **self._stranger,
            "aws:vpceaccount": unlike(asset.account),
            "aws:vpceorgid": unlike(*self._organizations),
        }
        head = f"arn:{self._partition(asset)}:iam::"
        strangers = [f"{head}{self._trust.stranger(asset.account)}:role/outsider"]
        named = () if act.policy is None else principals_named(act.policy)
        ours = (asset.account, *self._trust.accounts)
        for account in accounts_named(() if act.policy is None else (act.policy,), act.action):
            if account not in ours:
                strangers.append(f"{head}{account}:role/outsider")
                strangers += [arn for arn in named if f"::{account}:" in arn and not arn.endswith(":root")]
        outside = Attempt(
            "", Principal.read(None), context=foreign, place=self._outside, in_organization=False
        )
        for arn in dict.fromkeys(strangers):
            who = f"a principal of account {arn.split(':')[4]}"
            yield replace(outside, who=who, principal=Principal.read(arn), identity=ALL_PERMISSIONS)
        yield replace(outside, who="an anonymous caller")

    def _insiders(self, asset: Asset, act: Act) -> Iterator[Attempt]:
        callers = [self._insider(asset)]
        for arn in self._principals(asset, act):
            who = arn.rpartition("/")[2]
            callers.append(Attempt(who, Principal.read(arn), ALL_PERMISSIONS, context=NOT_ON_BEHALF))
        for insider in callers:
            # From outside the caller may as well be a service that was asked to.
            yield replace(insider, place=self._outside)
            for endpoint in self._endpoints(act):
                yield replace(insider, endpoint=endpoint, place=_inside(endpoint))

    def _insider(self, asset: Asset) -> Attempt:
        """Any principal of the account that is neither trusted nor a role of the environment."""
        head = f"arn:{self._partition(asset)}:iam::{asset.account}"
        anybody = {
            **NOT_ON_BEHALF,
            "aws:principalarn": Values(
                like=(f"{head}:role/*", f"{head}:user/*"),
                unlike=self._named(self._trust.trusted_roles, asset) + self._of_the_environment(asset),
                absent=False,
            ),
            # Who is an insider may be a user or a role under any name.
            "aws:principaltype": like("AssumedRole", "User"),
            "aws:username": ANYTHING,
        }
        return Attempt("insider", Principal.read(f"{head}:role/insider"), ALL_PERMISSIONS, context=anybody)

    def _deploying(self, asset: Asset) -> Iterator[Attempt]:
        for arn in self._named(self._trust.deploying_roles, asset):
            who = arn.rpartition("/")[2]
            deployer = Attempt(
                who, Principal.read(arn.replace("*", "example")), ALL_PERMISSIONS, context=NOT_ON_BEHALF
            )
            # CloudFormation makes requests with it, and by a template's resources others may as well.
            yield replace(deployer, place={**self._outside, **DIRECT})
            yield replace(deployer, place={**self._outside, **FORWARDED})

    def _anybody(self, asset: Asset) -> Iterator[Attempt]:
        """A role of the environment, and any principal beside it, with every permission."""
        who = "a role with every permission"
        yield Attempt(who, self._any_job(asset), ALL_PERMISSIONS, context=NOT_ON_BEHALF)
        yield self._insider(asset)

    def _any_job(self, asset: Asset) -> Principal:
        path = next(iter(self._trust.role_paths), "/")
        return Principal.read(f"arn:{self._partition(asset)}:iam::{asset.account}:role{path}any-job")

    def _stolen(self, role: Role) -> Iterator[Attempt]:
        base = acting_as(role)
        if base is None:
            return
        yield replace(base, place={**self._outside, **DIRECT})
        first = self._forwards(role, base, inside=False)
        if first:
            yield replace(base, place={**self._outside, **FORWARDED}, first=first)

    def _job(self, role: Role, act: Act) -> Iterator[Attempt]:
        base = acting_as(role)
        if base is None:
            return
        yield from self._from_inside(base, act)
        first = self._forwards(role, base, inside=True)
        if first:
            yield replace(base, place={**self._outside, **FORWARDED}, first=first)

    def _forwards(self, role: Role, base: Attempt, *, inside: bool) -> tuple[Attempt, ...]:
        """The requests to services that make others for a role, which are the same whatever it is after."""
        key = (str(role.arn), inside)
        if key not in self._forwarded:
            forwards = forwarding(role, self._estate.place(role.resource))
            self._forwarded[key] = tuple(
                replace(attempt, act=forward)
                for forward in forwards
                for attempt in (
                    self._from_inside(base, forward)
                    if inside
                    else (replace(base, place={**self._outside, **DIRECT}),)
                )
            )
        return self._forwarded[key]

    def _whoever(self, asset: Asset, act: Act) -> Iterator[Attempt]:
        """Any job whatever it was granted, and the credentials that somebody brings into it."""
        head = f"arn:{self._partition(asset)}:iam::"
        ours = self._any_job(asset)
        base = Attempt("a job with every permission", ours, ALL_PERMISSIONS, context=NOT_ON_BEHALF)
        yield from self._from_inside(base, act)
        brought = Attempt(
            "credentials that were brought into a job",
            Principal.read(f"{head}{self._trust.stranger(asset.account)}:role/outsider"),
            ALL_PERMISSIONS,
            context={**NOT_ON_BEHALF, **self._stranger},
            in_organization=False,
        )
        yield from self._from_inside(brought, act)

    def _from_inside(self, base: Attempt, act: Act) -> Iterator[Attempt]:
        for endpoint in self._endpoints(act, base):
            yield replace(base, endpoint=endpoint, place={**_inside(endpoint), **DIRECT})
        if act.endpoint and self._elsewhere:
            # Where else the network leads is a question of its own, and not covered.
            return
        if not self._estate.endpoints:
            # The network is somebody else's: by which endpoint it calls is not known.
            yield replace(base, place=DIRECT)
        elif self._leaves:
            yield replace(base, place={**self._outside, **DIRECT})

    def _deputies(self, asset: Asset, act: Act) -> Iterator[Attempt]:
        if act.policy is None:
            return
        # The service acts for another account: whatever it says of that, nothing of ours is in it.
        named = texts(act.policy)
        own = [arn for arn in self._own if any(text.startswith(arn) for text in named)]
        ours = (f"*{asset.account}*", *(f"{each}*" for each in own))
        foreign = {
            key: unlike(*ours) for key in (*ON_BEHALF, *encryption_contexts(act.policy))
        } | self._foreign_source
        for service in services_named(act.policy):
            # One that nobody named must not even act for us: anybody of the account could ask it to. The
            # ARN of what it acts for begins with its own name.
            its_arn = f"arn:{self._partition(asset)}:{service.partition('.')[0]}:*"
            own_name = {"aws:sourcearn": like(its_arn, absent=True)}
            yield Attempt(
                service,
                Principal.read(service),
                context=own_name if service == ANY_SERVICE else foreign,
                place=self._outside,
                in_organization=False,
            )

    def _elsewhere_than_ours(self, what: str) -> dict[str, Values]:
        """The organization's keys of what is in another one, or in none."""
        return {
            f"aws:{what}orgid": unlike(*self._organizations),
            f"aws:{what}orgpaths": unlike(*(f"{each}/*" for each in self._organizations)),
        }

    def _principals(self, asset: Asset, act: Act) -> tuple[str, ...]:
        """Principals of the account that a policy names, and nobody vouches for."""
        if act.policy is None:
            return ()
        trusted = self._named(self._trust.trusted_roles, asset) + self._of_the_environment(asset)
        found = (
            name
            for name in principals_named(act.policy)
            if f"::{asset.account}:" in name and not name.endswith(":root")
        )
        return tuple(name for name in found if not any(fnmatchcase(name, each) for each in trusted))

    def _of_the_environment(self, asset: Asset) -> tuple[str, ...]:
        """The roles of the environment, which are the business of other adversaries."""
        head = f"arn:{self._partition(asset)}:iam::{asset.account}:role"
        paths = tuple(f"{head}{path}*" for path in self._trust.role_paths)
        return paths or tuple(role.arn for role in self._estate.roles if isinstance(role.arn, str))

    def _named(self, patterns: tuple[str, ...], asset: Asset) -> tuple[str, ...]:
        place = self._place(asset)
        return tuple(filled(each, place) for each in patterns)

    def _place(self, asset: Asset) -> Place:
        if asset.resource is not None:
            return self._estate.place(asset.resource)
        places = (
            self._estate.place(each) for each in self._estate.resources("AWS::IAM::Role", "AWS::EC2::VPC")
        )
        return next(place for place in places if place.account == asset.account)

    def _partition(self, asset: Asset) -> str:
        return self._place(asset).partition


def _content(endpoint: Endpoint) -> object:
    """What an endpoint's policy says, whatever it is called."""
    return tuple(
        replace(statement, document="")
        for document in endpoint.documents
        for statement in document.statements
    )


def _inside(endpoint: Endpoint) -> Mapping[str, Values]:
    return {
        "aws:sourcevpce": exactly(endpoint.id) if isinstance(endpoint.id, str) else ANYTHING,
        "aws:sourcevpc": exactly(endpoint.vpc) if isinstance(endpoint.vpc, str) else ANYTHING,
    }
