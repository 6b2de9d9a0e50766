"""Puts every question to the prover, and makes one answer of all that a cell takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from secure_ml_constructs.verification.proofs.iam.documents import Document, Kind, Statement, parse
from secure_ml_constructs.verification.proofs.iam.domains import Domains, Values, exactly, regions
from secure_ml_constructs.verification.proofs.iam.evaluate import Decision, decide, find_matches
from secure_ml_constructs.verification.proofs.iam.matching import pattern_covers
from secure_ml_constructs.verification.proofs.iam.patterns import Pattern, Value, fill_in
from secure_ml_constructs.verification.proofs.iam.policies import Authorization, Policies
from secure_ml_constructs.verification.proofs.iam.prove import CounterExample, Proved, Question, prove
from secure_ml_constructs.verification.proofs.iam.requests import Caller, Principal, Request
from secure_ml_constructs.verification.proofs.iam.ternary import NotCovered, Unknown
from secure_ml_constructs.verification.proofs.questions.adversaries import Adversaries
from secure_ml_constructs.verification.proofs.questions.alike import ProvedOnce
from secure_ml_constructs.verification.proofs.questions.answers import Adversary, Answer, Step, Verdict
from secure_ml_constructs.verification.proofs.questions.attempts import Attempt
from secure_ml_constructs.verification.proofs.questions.credentials import may_grant
from secure_ml_constructs.verification.proofs.questions.deeds import ROTATED_BY, Act, Asset, Deed, Who
from secure_ml_constructs.verification.proofs.questions.mentions import texts
from secure_ml_constructs.verification.proofs.questions.trust import Guardrails, Trust

# Services that assume a role without saying for whom. What holds it is that only a principal of the role's
# own account can hand it to them (iam:PassRole). No page of theirs documents a source in the trust.
SENDS_NO_SOURCE = frozenset(
    {
        "apigateway.amazonaws.com",
        "cloudtrail.amazonaws.com",
        "ec2.amazonaws.com",
        "lambda.amazonaws.com",
        "s3.amazonaws.com",
    }
)
# Shorter lists of exceptions are left as they are.
_FEW = 4
_NOBODY = {
    Adversary.OUTSIDER: "nobody outside is let in",
    Adversary.STOLEN: "no role whose credentials could be stolen is granted it",
    Adversary.INSIDER: "no other principal of the account is let in",
    Adversary.JOB: "no job is granted it, or none has a way to the service",
    Adversary.DEPUTY: "no policy of the asset lets a service in",
}


@dataclass(frozen=True)
class _Outcome:
    verdict: Verdict
    because: str = ""
    steps: tuple[Step, ...] = ()
    rests_on: tuple[tuple[str, str], ...] = ()


_NOTHING = _Outcome(Verdict.PROVED)


class Prover:
    """Answers for the assets of one estate.

    Args:
        adversaries: Who tries.
        trust: Who is no adversary, and the guardrails that are given.
        prover: What answers a question.
    """

    def __init__(
        self,
        adversaries: Adversaries,
        trust: Trust,
        prover: Callable[[Question], Proved | CounterExample | NotCovered] = prove,
    ) -> None:
        self._adversaries = adversaries
        self._prove = ProvedOnce(prover)
        self._scps = _guardrails(trust.scps, Kind.SCP)
        self._rcps = _guardrails(trust.rcps, Kind.RCP)

    def answers(self, asset: Asset, wanted: Callable[[str], bool] = lambda _: True) -> Iterator[Answer]:
        """Answer every question about an asset.

        Args:
            asset: The asset.
            wanted: Which questions, by their names.
        """
        for deed in asset.deeds or (Deed("reach", (), ""),):
            for adversary in Adversary:
                if adversary not in deed.adversaries:
                    continue
                empty = Answer(
                    adversary,
                    deed.name,
                    asset.name,
                    Verdict.PROVED,
                    "",
                    deed.control,
                    asset.kind,
                    asset.resource,
                )
                if not wanted(empty.question):
                    continue
                if asset.missing:
                    yield replace(empty, verdict=Verdict.NOT_COVERED, because=asset.missing)
                    continue
                yield self._cell(empty, adversary, asset, deed)

    def _cell(self, empty: Answer, adversary: Adversary, asset: Asset, deed: Deed) -> Answer:
        worst = _NOTHING
        rests_on: dict[tuple[str, str], None] = {}
        asked = False
        reasons: dict[str, None] = {}
        for way in deed.ways:
            for attempt in self._adversaries.attempts(adversary, asset, deed, way[0]):
                if _is_another(attempt, way[0]):
                    continue
                asked = True
                outcome = self._outcome(adversary, asset, deed, attempt, way)
                rests_on.update(dict.fromkeys(outcome.rests_on))
                if outcome.verdict.gravity < worst.verdict.gravity:
                    worst, reasons = outcome, {}
                if outcome.verdict is worst.verdict and outcome.because:
                    reasons[outcome.because] = None
        if worst.verdict is Verdict.PROVED:
            return replace(empty, because=_denied_by(rests_on) if asked else _NOBODY[adversary])
        because = "; ".join(list(reasons)[:3]) + ("; …" if len(reasons) > 3 else "")
        return replace(empty, verdict=worst.verdict, because=because, steps=worst.steps)

    def _outcome(
        self, adversary: Adversary, asset: Asset, deed: Deed, attempt: Attempt, way: tuple[Act, ...]
    ) -> _Outcome:
        steps: list[Step] = []
        missing: list[str] = []
        for number, act in enumerate(way):
            answer = self._ask(attempt, act, asset, direct=number == 0)
            if isinstance(answer, Proved):
                return _Outcome(Verdict.PROVED, rests_on=answer.rests_on)
            if isinstance(answer, NotCovered):
                missing.append(f"{act.action} by {attempt.who}: {answer.reason}")
            else:
                steps.append(answer)
        if attempt.first:
            before = self._first(attempt, asset)
            if isinstance(before, Proved):
                return _Outcome(Verdict.PROVED, rests_on=before.rests_on)
            if isinstance(before, NotCovered):
                missing.append(before.reason)
            else:
                steps.insert(0, before)
        if missing:
            return _Outcome(Verdict.NOT_COVERED, missing[0])
        design = _design(adversary, deed, attempt, way[0], steps[-len(way)])
        if design:
            return _Outcome(Verdict.BY_DESIGN, design, tuple(steps))
        if deed.guardrail and adversary is Adversary.INSIDER and not self._scps:
            return _Outcome(
                Verdict.NEEDS_GUARDRAIL,
                f"no SCP is given, and none but one can deny {deed.guardrail}",
                tuple(steps),
            )
        return _Outcome(Verdict.BROKEN, _let_through(attempt, steps), tuple(steps))

    def _first(self, attempt: Attempt, asset: Asset) -> Proved | Step | NotCovered:
        """Whether any of the services that would make the request can be called."""
        rests_on: dict[tuple[str, str], None] = {}
        unknown: NotCovered | None = None
        for each in attempt.first:
            assert each.act is not None
            answer = self._ask(each, each.act, asset, direct=True)
            if isinstance(answer, Step):
                return answer
            if isinstance(answer, NotCovered):
                unknown = answer
            else:
                rests_on.update(dict.fromkeys(answer.rests_on))
        return unknown or Proved(tuple(rests_on))

    def _ask(self, attempt: Attempt, act: Act, asset: Asset, *, direct: bool) -> Proved | Step | NotCovered:
        account = act.account or asset.account
        granting = (*attempt.identity, *((act.policy,) if act.policy else ()))
        if act.method is None and not may_grant(granting, act.action, act.resource):
            return Proved()
        # What a service asks for on the caller's behalf passes no endpoint of ours.
        passes = direct and attempt.endpoint is not None
        context: dict[str, Values] = {
            "aws:resourceaccount": exactly(account),
            **(self._adversaries.of_others if account != asset.account else {}),
            **attempt.context,
            **(attempt.place if direct else {}),
            **act.context,
        }
        policies = Policies(
            identity=attempt.identity,
            boundary=attempt.boundary,
            resource=act.policy,
            endpoint=attempt.endpoint.documents if passes and attempt.endpoint else None,
            scps=self._scps if attempt.in_organization else (),
            rcps=self._rcps if account == asset.account else (),
            block_public_access=act.public_access_blocked,
            method=act.method,
        )
        question = Question(
            policies,
            attempt.principal,
            act.action,
            act.resource,
            _told_apart(context, policies.in_order()),
        )
        answer = self._prove(question)
        return _step(answer, question) if isinstance(answer, CounterExample) else answer


def _is_another(attempt: Attempt, act: Act) -> bool:
    """Whether who tries is nobody to the method that is called: it looks at tokens, at no signature."""
    by_token = (Authorization.LAMBDA, Authorization.COGNITO)
    if act.method is None or not act.method.token or act.method.authorization not in by_token:
        return False
    return attempt.principal.caller is not Caller.ANONYMOUS


def _guardrails(levels: Guardrails, kind: Kind) -> tuple[tuple[Document, ...], ...]:
    return tuple(
        tuple(parse(each, kind, f"{kind.value} {number + 1}.{index + 1}") for index, each in enumerate(level))
        for number, level in enumerate(levels)
    )


def _told_apart(context: Mapping[str, Values], documents: Iterable[Document]) -> dict[str, Values]:
    """The same values, without those exceptions that no policy could tell from any other value."""
    named: set[str] = set().union(*map(texts, documents))
    # A pattern tells those apart that hold a piece of it: `arn:*:iam::*:role/administrator`.
    pieces = [text for text in named if "/" in text]
    narrowed = dict(context)
    for key, values in context.items():
        if len(values.unlike) >= _FEW:
            patterns, plain = _parted(values.unlike)
            told = (
                each
                for each in plain
                if each in named or ("/" in each and any(piece in each for piece in pieces))
            )
            narrowed[key] = replace(values, unlike=(*patterns, *sorted(told)))
    return narrowed


@lru_cache(maxsize=256)
def _parted(exceptions: tuple[str, ...]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Exceptions with wildcards, and those without."""
    patterns = tuple(each for each in exceptions if "*" in each)
    return patterns, frozenset(exceptions) - frozenset(patterns)


def _step(answer: CounterExample, question: Question) -> Step:
    """The request, by the very principal that its context names where that changes nothing."""
    request = _whole(answer.request, question)
    arn = request.context.get("aws:principalarn")
    if isinstance(arn, str) and arn != request.principal.name:
        named = replace(request, principal=Principal.read(arn))
        decision = decide(question.policies, named)
        if isinstance(decision, Decision) and decision.allowed:
            return Step(named, decision, question.policies)
    return Step(request, answer.decision, question.policies)


def _whole(request: Request, question: Question) -> Request:
    """The request with all that the question says of it, also what no policy reads."""
    domains = Domains(question.principal, question.action, question.resource, question.context)
    added: dict[str, Value] = {}
    for key, values in question.context.items():
        if key.lower() not in request.context and not values.absent:
            found = values.exactly or regions(key, (), domains, {})
            if isinstance(found, tuple) and found:
                found = found if values.exactly else found[0]
            if found and not isinstance(found, Unknown):
                added[key.lower()] = found
    return replace(request, context={**request.context, **added})


def _denied_by(rests_on: Mapping[tuple[str, str], None]) -> str:
    if not rests_on:
        return "nothing lets it through"
    named = [f"{statement} of {document}" for document, statement in rests_on]
    more = f" and {len(named) - 3} more" if len(named) > 3 else ""
    return f"denied by {', '.join(named[:3])}{more}"


def _let_through(attempt: Attempt, steps: list[Step]) -> str:
    return f"{attempt.who} is let through: {'; '.join(map(_by, steps))}"


def _by(step: Step) -> str:
    """Which statements let a request through."""
    decision = step.decision
    if decision.document is None:
        return f"{step.request.action}: {decision.because}"
    names = [f"{decision.statement} of {decision.document}"]
    if step.policies.endpoint:
        matches = find_matches(Policies(endpoint=step.policies.endpoint), step.request)
        let = (each for each in matches if each.statement.allow and each.holds is True)
        names += [f"{each.statement.label} of {each.document.name}" for each in let]
    return f"{step.request.action} by {' and '.join(dict.fromkeys(names))}"


def _design(adversary: Adversary, deed: Deed, attempt: Attempt, act: Act, step: Step) -> str:
    """Why a request that gets through is meant to; empty where it is not."""
    decision = step.decision
    if deed.who is Who.DEPLOYING:
        return f"{attempt.who} deploys the environment and is trusted with it"
    if deed.who in (Who.ANY, Who.GUARDED) and deed.by_design:
        return f"nothing but permissions holds back {attempt.who}: no statement denies {act.action}"
    if deed.who is Who.NAMED and deed.by_design:
        return f"{attempt.who} is granted it: {decision.statement} of {decision.document}"
    if deed.who is Who.SIGNING_IN and deed.by_design:
        return f"nothing but {attempt.who} asks for it"
    if adversary is Adversary.DEPUTY:
        if act.action == "sts:AssumeRole" and attempt.principal.name in SENDS_NO_SOURCE:
            return (
                f"{attempt.principal.name} names no source when it assumes a role; only a principal of the "
                "role's own account can pass the role to it"
            )
        return ""
    meant = adversary is Adversary.JOB or (adversary is Adversary.STOLEN and deed.from_outside)
    if not meant or not deed.by_design or deed.who is not Who.GRANTED or not act.named:
        return ""
    statement = _statement((*attempt.identity, *((act.policy,) if act.policy else ())), decision)
    if statement is None or statement.not_resource:
        return ""
    if any(line.key == ROTATED_BY for line in statement.conditions):
        by = f"{decision.statement} of {decision.document}"
        return f"{attempt.who} rotates it, as the secret itself says: {by}"
    for written in statement.resources or ():
        pattern = None if isinstance(written, Unknown) else fill_in(written, step.request.context)
        if (
            isinstance(pattern, tuple)
            and head(pattern).startswith(act.named)
            and pattern_covers(pattern, step.request.resource) is True
        ):
            return f"{attempt.who} is granted it by name: {decision.statement} of {decision.document}"
    return ""


def _statement(documents: Iterable[Document], decision: Decision) -> Statement | None:
    return next(
        (
            statement
            for document in documents
            if document.name == decision.document
            for statement in document.statements
            if statement.label == decision.statement
        ),
        None,
    )


def head(pattern: Pattern) -> str:
    """What a pattern begins with before its first wildcard."""
    return pattern[0] if pattern and isinstance(pattern[0], str) else ""
