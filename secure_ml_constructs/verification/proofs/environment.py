"""All questions about an environment, asked of its templates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase

from secure_ml_constructs.verification.proofs.assets import Registry, find_assets
from secure_ml_constructs.verification.proofs.estate import Estate
from secure_ml_constructs.verification.proofs.network import Network
from secure_ml_constructs.verification.proofs.questions.adversaries import Adversaries
from secure_ml_constructs.verification.proofs.questions.answers import Adversary, Answer, Verdict
from secure_ml_constructs.verification.proofs.questions.ask import Prover
from secure_ml_constructs.verification.proofs.questions.deeds import Asset
from secure_ml_constructs.verification.proofs.questions.trust import Trust
from secure_ml_constructs.verification.proofs.questions.ways_out import WayOut, network_answers, way_out
from secure_ml_constructs.verification.templates import Templates, TooManyWorldsError


def ask(
    templates: Templates,
    trust: Trust | None = None,
    *,
    questions: tuple[str, ...] = ("*",),
    account: str | None = None,
    region: str | None = None,
) -> list[Answer]:
    """Ask every question about the environment that templates deploy.

    Args:
        templates: The templates.
        trust: Who is no adversary, and the organization's guardrails. Default: nobody but the CDK's
            deploying role, and none.
        questions: Patterns of the questions' names, as a shell takes them.
        account: The account that the templates are deployed to. Default: the manifest's, else a stand-in.
        region: The region, likewise.

    Returns:
        An answer for each adversary, deed and asset. Where conditions make several environments of the
        templates, the gravest of each.
    """
    trust = trust or Trust()

    def wanted(name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in questions)

    try:
        worlds = Estate.worlds(templates, account=account, region=region)
    except TooManyWorldsError:
        missing = "the conditions of the templates fall in too many ways"
        return [
            Answer(each, "any", "the environment", Verdict.NOT_COVERED, missing, "") for each in Adversary
        ]
    network = Network.of(templates)
    gravest: dict[str, Answer] = {}
    for answer in _every(worlds, network, trust, wanted):
        known = gravest.get(answer.question)
        if known is None or answer.verdict.gravity < known.verdict.gravity:
            gravest[answer.question] = answer
    return list(gravest.values())


def _every(
    worlds: list[Estate], network: Network, trust: Trust, wanted: Callable[[str], bool]
) -> Iterator[Answer]:
    out = way_out(network)
    for estate in worlds:
        prover = Prover(Adversaries(estate, trust, leaves=out.open, elsewhere=out.elsewhere), trust)
        within = Prover(Adversaries(estate, trust, leaves=False), trust) if out.domains else prover
        for asset in find_assets(estate, trust):
            for answer in prover.answers(asset, wanted):
                doubtful = out.domains and answer.verdict is Verdict.BROKEN
                yield _filtered(answer, within, asset, out) if doubtful else answer
    registry = Registry(worlds[0])
    yield from network_answers(
        network, lambda vpc: registry.name(vpc.resource), wanted, networks=trust.networks
    )


def _filtered(answer: Answer, within: Prover, asset: Asset, out: WayOut) -> Answer:
    """Call what only gets through by a way out to named domains meant, as that way out is."""
    (inside,) = within.answers(asset, lambda question: question == answer.question)
    if inside.verdict is Verdict.BROKEN:
        return answer
    if inside.verdict not in (Verdict.PROVED, Verdict.BY_DESIGN):
        return inside
    because = f"by no endpoint, only past a firewall that compares names with {', '.join(out.domains)}"
    return replace(answer, verdict=Verdict.BY_DESIGN, because=because)
