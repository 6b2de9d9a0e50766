"""What the network lets through: a cell for each VPC, deed and adversary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from secure_ml_constructs.verification.proofs.iam.ternary import NotCovered
from secure_ml_constructs.verification.proofs.network import Answer as Found
from secure_ml_constructs.verification.proofs.network import Interface, Network, Path, Unreachable, Vpc
from secure_ml_constructs.verification.proofs.network.traffic import Traffic, cidr, union
from secure_ml_constructs.verification.proofs.questions.answers import Adversary, Answer, Verdict

# What a network is called that no template has.
ELSEWHERE = "a network made elsewhere"
# By these whoever has credentials calls any account's services, past every endpoint.
_OF_AWS = ("amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "api.aws", "on.aws", "sagemaker.aws")


@dataclass(frozen=True)
class WayOut:
    """Whether anything in the networks reaches the internet, or may.

    Attributes:
        open: Whether it does.
        domains: Those that firewalls let through, none of them AWS's own, where every way passes one and each
            has a list; else none.
        elsewhere: Whether it may only because its subnets are in no template.
    """

    open: bool
    domains: tuple[str, ...] = ()
    elsewhere: bool = False


def way_out(network: Network) -> WayOut:
    """Find whether anything in the networks reaches the internet, and through which lists of domains."""
    open_ = [(each, way) for each in network.interfaces if _open((way := _guarded(network, each)).found)]
    ways = [way for _, way in open_]
    if not ways:
        return WayOut(open=False)
    if not any(_known(each) for each, _ in open_):
        return WayOut(open=True, elsewhere=True)
    lists = [network.domains.get(firewall) for firewall in network.firewalls]
    meant = all(way.meant and isinstance(way.found, Path) and not way.found.unresolved for way in ways)
    domains = tuple(dict.fromkeys(domain for each in lists if each for domain in each))
    if not meant or None in lists or any(map(_reaches_aws, domains)):
        return WayOut(open=True)
    return WayOut(open=True, domains=domains)


def _reaches_aws(target: str) -> bool:
    name = target.lower().lstrip(".")
    wide = target.startswith(".")
    return any(
        name == own or name.endswith(f".{own}") or (wide and own.endswith(f".{name}")) for own in _OF_AWS
    )


def network_answers(
    network: Network,
    name: Callable[[Vpc], str],
    wanted: Callable[[str], bool] = lambda _: True,
    *,
    networks: Iterable[str] = (),
) -> Iterator[Answer]:
    """Answer the questions about every VPC.

    Args:
        network: The network.
        name: What a VPC is called.
        wanted: Which questions, by their names.
        networks: Ranges of other networks that may be reached, on-premises ones say.
    """
    named = union(map(cidr, networks))

    def internet(each: Interface) -> tuple[_Way, ...]:
        return (_guarded(network, each),)

    def others(each: Interface) -> tuple[_Way, ...]:
        return tuple(_linked(found, named) for found in network.other_networks(each))

    def reached(each: Interface) -> tuple[_Way, ...]:
        return (_Way(network.from_internet(each)),)

    questions: tuple[tuple[Adversary, str, str, Callable[[Interface], tuple[_Way, ...]]], ...] = (
        (Adversary.JOB, "reach the internet", "N1", internet),
        (Adversary.JOB, "reach another network", "N10", others),
        (Adversary.OUTSIDER, "reach in from the internet", "N1", reached),
    )
    for vpc in network.vpcs:
        inside = [each for each in network.interfaces if each.subnet and each.subnet.vpc is vpc]
        for adversary, deed, control, ask in questions:
            empty = Answer(adversary, deed, name(vpc), Verdict.PROVED, "", control, "network", vpc.resource)
            if wanted(empty.question):
                yield _answer(empty, [way for each in inside for way in ask(each)])
    if not all(map(_known, network.interfaces)):
        missing = "no template has the subnets and their routes; look at them where they are deployed"
        for adversary, deed, control, _ in questions:
            empty = Answer(adversary, deed, ELSEWHERE, Verdict.NOT_COVERED, missing, control, "network")
            if wanted(empty.question):
                yield empty


@dataclass(frozen=True)
class _Way:
    """What was found, and why it is meant to be: words, what they are about, and the control."""

    found: Found
    meant: str = ""
    by: tuple[str, ...] = ()
    control: str = ""


def _guarded(network: Network, interface: Interface) -> _Way:
    """A way to the internet is meant where it and its answers pass the same endpoint of a firewall."""
    found = network.internet(interface)
    if not isinstance(found, Path) or not found.firewalls:
        return _Way(found)
    past = network.past_firewalls(interface)
    if isinstance(past, Unreachable):
        return _Way(found, "every way passes a firewall", found.firewalls, "N7")
    return _Way(past, control="N7")


def _linked(found: Found, named: Traffic) -> _Way:
    """A way to another network is meant where nothing but named ranges is reached by it."""
    if isinstance(found, Path) and found.ranges and not union(map(cidr, found.ranges)) - named:
        return _Way(found, "it leads to named networks only", found.ranges, "N10")
    return _Way(found)


def _known(interface: Interface) -> bool:
    """Whether a template has the network that it is in."""
    return interface.subnet is not None and interface.subnet.vpc is not None


def _open(found: Found) -> bool:
    return isinstance(found, Path | NotCovered)


def _answer(empty: Answer, ways: list[_Way]) -> Answer:
    paths = [(way, way.found) for way in ways if isinstance(way.found, Path)]
    stray = [(way, path) for way, path in paths if not way.meant or path.unresolved]
    gaps = [way.found for way in ways if isinstance(way.found, NotCovered)]
    if stray:
        way, path = min(stray, key=lambda each: _rank(each[1]))
        because = path.unresolved and f"the templates do not say {path.unresolved}, so it counts as open"
        return _with(empty, Verdict.BROKEN, because or f"there is a way: {path}", path, way.control)
    if gaps:
        return _with(empty, Verdict.NOT_COVERED, gaps[0].reason)
    if paths:
        way, path = min(paths, key=lambda each: _rank(each[1]))
        by = dict.fromkeys(name for each, _ in paths for name in each.by)
        return _with(empty, Verdict.BY_DESIGN, f"{way.meant}: {', '.join(by)}", path, way.control)
    reasons = dict.fromkeys(str(way.found.because) for way in ways if isinstance(way.found, Unreachable))
    return _with(empty, Verdict.PROVED, "; ".join(reasons) or "nothing has an interface in it")


def _rank(path: Path) -> tuple[bool, int, str]:
    return bool(path.unresolved), len(path.hops), str(path)


def _with(
    empty: Answer, verdict: Verdict, because: str, path: Path | None = None, control: str = ""
) -> Answer:
    hops = tuple(map(str, path.hops)) if path else ()
    return replace(empty, verdict=verdict, because=because, path=hops, control=control or empty.control)
