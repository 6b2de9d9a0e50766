"""What the network lets through: a cell for each VPC, deed and adversary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from secure_ml_constructs.verification.proofs.iam.ternary import NotCovered
from secure_ml_constructs.verification.proofs.network import Answer as Found
from secure_ml_constructs.verification.proofs.network import Interface, Network, Path, Vpc
from secure_ml_constructs.verification.proofs.questions.answers import Adversary, Answer, Verdict


def leaves(network: Network) -> bool:
    """Whether anything in the networks reaches the internet, or may."""
    return any(_open(network.internet(each)) for each in network.interfaces)


def network_answers(
    network: Network, name: Callable[[Vpc], str], wanted: Callable[[str], bool] = lambda _: True
) -> Iterator[Answer]:
    """Answer the questions about every VPC.

    Args:
        network: The network.
        name: What a VPC is called.
        wanted: Which questions, by their names.
    """
    questions: tuple[tuple[Adversary, str, str, Callable[[Interface], Iterable[Found]]], ...] = (
        (Adversary.JOB, "reach the internet", "N1", lambda each: (network.internet(each),)),
        (Adversary.JOB, "reach another network", "N10", network.other_networks),
        (Adversary.OUTSIDER, "reach in from the internet", "N1", lambda each: (network.from_internet(each),)),
    )
    for vpc in network.vpcs:
        inside = [each for each in network.interfaces if each.subnet and each.subnet.vpc is vpc]
        for adversary, deed, control, ask in questions:
            empty = Answer(adversary, deed, name(vpc), Verdict.PROVED, "", control, "network", vpc.resource)
            if wanted(empty.question):
                yield _answer(empty, [found for each in inside for found in ask(each)])


def _open(found: Found) -> bool:
    return isinstance(found, Path | NotCovered)


def _answer(empty: Answer, found: list[Found]) -> Answer:
    paths = [each for each in found if isinstance(each, Path)]
    unseen = [each for each in paths if not each.firewalls]
    gaps = [each for each in found if isinstance(each, NotCovered)]
    if unseen:
        path = min(unseen, key=lambda each: (bool(each.unresolved), len(each.hops), str(each)))
        because = path.unresolved and f"the templates do not say {path.unresolved}, so it counts as open"
        return _with(empty, Verdict.BROKEN, because or f"there is a way: {path}", path)
    if gaps:
        return _with(empty, Verdict.NOT_COVERED, gaps[0].reason)
    if paths:
        path = min(paths, key=lambda each: (len(each.hops), str(each)))
        return _with(
            empty, Verdict.BY_DESIGN, f"every way passes a firewall: {', '.join(path.firewalls)}", path
        )
    reasons = dict.fromkeys(str(each.because) for each in found if hasattr(each, "because"))
    return _with(empty, Verdict.PROVED, "; ".join(reasons) or "nothing has an interface in it")


def _with(empty: Answer, verdict: Verdict, because: str, path: Path | None = None) -> Answer:
    hops = tuple(map(str, path.hops)) if path else ()
    return replace(empty, verdict=verdict, because=because, path=hops)
