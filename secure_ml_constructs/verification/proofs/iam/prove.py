"""Asks whether any request of a set is allowed: proved denied, a request that is allowed, or not covered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import z3

from secure_ml_constructs.verification.proofs.iam.domains import Domains, Values
from secure_ml_constructs.verification.proofs.iam.encode import (
    FALSE,
    TRUE,
    Encoding,
    formula,
    insist,
    may_be_granted,
    open_up,
    refusal,
    variable,
)
from secure_ml_constructs.verification.proofs.iam.evaluate import Decision, decide
from secure_ml_constructs.verification.proofs.iam.keys import MULTIVALUED
from secure_ml_constructs.verification.proofs.iam.languages import TooManyError
from secure_ml_constructs.verification.proofs.iam.order import Ways, ways
from secure_ml_constructs.verification.proofs.iam.patterns import Variable
from secure_ml_constructs.verification.proofs.iam.policies import Policies
from secure_ml_constructs.verification.proofs.iam.public_access import is_public
from secure_ml_constructs.verification.proofs.iam.requests import Principal, Request, account_of
from secure_ml_constructs.verification.proofs.iam.subjects import Subject, subjects
from secure_ml_constructs.verification.proofs.iam.ternary import NotCovered, Ternary, Unknown

# What one call of the solver may take, in milliseconds.
TIME_LIMIT = 2_000
# How many values a policy variable is tried with.
_TRIES = 8


@dataclass(frozen=True)
class Question:
    """Whether any of a set of requests is allowed.

    Attributes:
        policies: The documents that stand in the way.
        principal: Who calls.
        action: The action.
        resource: The resource's ARN, or a pattern of ARNs: any that matches is asked about.
        context: What is known of context keys. Of the others, what follows from the rest is known and
            anything else is possible.
    """

    policies: Policies
    principal: Principal
    action: str
    resource: str
    context: Mapping[str, Values] = field(default_factory=dict)


@dataclass(frozen=True)
class Proved:
    """No request of the set is allowed.

    Attributes:
        rests_on: The Denies that the proof needs, as (document, statement); nothing where no statement
            grants it in the first place.
    """

    rests_on: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class CounterExample:
    """A request of the set that is allowed.

    Attributes:
        request: The request, with no more context than it needs.
        decision: What `decide` says of it: the statement that lets it through.
    """

    request: Request
    decision: Decision


Answer = Proved | CounterExample | NotCovered


def prove(question: Question, *, time_limit: int = TIME_LIMIT) -> Answer:
    """Answer one question.

    Args:
        question: The question.
        time_limit: Milliseconds that the solver may take; beyond it the answer is `NotCovered`.
    """
    given: dict[str, Values] = {}
    for name, values in question.context.items():
        key = name.lower()
        if key in MULTIVALUED and isinstance(values.exactly, str):
            values = replace(values, exactly=(values.exactly,))
        given[key] = values
    domains = Domains(question.principal, question.action, question.resource, given)
    which = _ways(question, domains)
    if isinstance(which, NotCovered):
        return which
    if question.action.lower() == "sts:getcalleridentity" and question.principal.in_account:
        return NotCovered("sts:GetCallerIdentity, which is always allowed")
    try:
        return _Search(question, which, time_limit).answer(domains)
    except TooManyError:
        return NotCovered("the patterns of the policies have too many combinations")


def _ways(question: Question, domains: Domains) -> Ways | NotCovered:
    account = account_of(question.resource, domains.fixed())
    return ways(question.principal, question.action, question.resource, account, question.policies)


class _Search:
    def __init__(self, question: Question, which: Ways, time_limit: int) -> None:
        self.question = question
        self.policies = question.policies
        self.which = which
        self.time_limit = time_limit
        resource = self.policies.resource
        self.public: Ternary = is_public(resource) if which.public_stops and resource else False

    def answer(self, domains: Domains) -> Answer:
        found = subjects(self.policies, domains)
        if not may_be_granted(self.policies, found, domains, self.which, self.public):
            return Proved()
        made = open_up(found, domains)
        if isinstance(made, Unknown):
            return NotCovered(made.reason)
        first = self._solve(found, made, favour=True)
        if isinstance(first, Proved | NotCovered):
            return first
        if replayed := self._replay(*first, made):
            return replayed
        # It only gets through where what is unknown favours it: look for one that needs no favour.
        return self._without_favour(found, domains) or NotCovered(self._missing(found, made, first))

    def _solve(
        self, found: list[Subject], made: Encoding, *, favour: bool
    ) -> tuple[str, dict[str, str | tuple[str, ...]]] | Proved | NotCovered:
        granted, denies = formula(self.policies, found, made, self.which, self.public, favour)
        if granted is FALSE:
            return Proved()
        for subject, term in denies:
            if term is TRUE:
                return Proved(((subject.statement.document, subject.statement.label),))
        # Nothing but Booleans: of the solvers the fastest for them.
        solver = z3.SolverFor("QF_FD")
        solver.set("timeout", self.time_limit)
        terms = [*made.limits, granted]
        labels = [variable(f"deny {index}") for index in range(len(denies))]
        terms += [refusal(label, term) for label, (_, term) in zip(labels, denies, strict=True)]
        insist(solver, terms)
        outcome = solver.check(*labels)
        if outcome == z3.unknown:
            return NotCovered(f"the solver gave up after {self.time_limit} ms: {solver.reason_unknown()}")
        if outcome == z3.unsat:
            # By the terms' ids: to write a term out takes longer than to solve it.
            core = {each.get_id() for each in solver.unsat_core()}
            needed = [
                (subject.statement.document, subject.statement.label)
                for label, (subject, _) in zip(labels, denies, strict=True)
                if label.get_id() in core
            ]
            return Proved(tuple(dict.fromkeys(sorted(needed))))
        return made.request(solver.model())

    def _replay(
        self, resource: str, context: dict[str, str | tuple[str, ...]], made: Encoding
    ) -> CounterExample | None:
        """Decide the very request, so that no error of the formula comes out as an answer."""
        question = self.question
        known = {**made.fixed, **context}
        request = Request(question.principal, question.action, resource, known)
        decision = decide(self.policies, request)
        if not isinstance(decision, Decision) or not decision.allowed:
            return None
        for key in context:
            # Fewer keys are easier to read.
            if not made.domains.of(key).absent:
                continue
            fewer = {name: value for name, value in request.context.items() if name != key}
            without = replace(request, context=fewer)
            again = decide(self.policies, without)
            if isinstance(again, Decision) and again.allowed:
                request, decision = without, again
        return CounterExample(request, decision)

    def _without_favour(self, found: list[Subject], domains: Domains) -> Answer | None:
        for narrowed in self._narrowed(found, domains):
            made = open_up(found, narrowed)
            if isinstance(made, Unknown):
                continue
            solved = self._solve(found, made, favour=False)
            if isinstance(solved, tuple) and (replayed := self._replay(*solved, made)):
                return replayed
        return None

    def _narrowed(self, found: list[Subject], domains: Domains) -> Iterator[Domains]:
        """The question itself, then with a value for each policy variable that is open."""
        yield domains
        fixed = domains.fixed()
        open_keys = sorted(_variables(found) - set(fixed))
        if not open_keys:
            return
        for attempt in range(_TRIES):
            chosen: dict[str, Values] = {}
            for key in open_keys:
                values = domains.of(key)
                candidates = [text for text in _candidates(key, found) if values.admits(text)]
                if candidates and values.present:
                    text = candidates[attempt % len(candidates)]
                    chosen[key] = Values(exactly=text, absent=False)
            yield replace(domains, given={**domains.given, **chosen})

    def _missing(
        self, found: list[Subject], made: Encoding, first: tuple[str, dict[str, str | tuple[str, ...]]]
    ) -> str:
        resource, context = first
        request = Request(self.question.principal, self.question.action, resource, {**made.fixed, **context})
        decision = decide(self.policies, request)
        if isinstance(decision, NotCovered):
            return decision.reason
        reasons = [each.reason for each in made.unclear.values()]
        names = ", ".join(f"${{{key}}}" for key in sorted(_variables(found) - set(made.fixed)))
        if names:
            reasons.append(f"policy variables that may have any value: {names}")
        return "; ".join(reasons) or "the model and the formula disagree about a request"


def _variables(found: list[Subject]) -> set[str]:
    texts = [text for subject in found for text in subject.statement.resources or ()]
    texts += [text for subject in found for line in subject.statement.conditions for text in line.values]
    return {
        token.key
        for text in texts
        if not isinstance(text, Unknown)
        for token in text
        if isinstance(token, Variable)
    }


def _candidates(key: str, found: list[Subject]) -> list[str]:
    texts = ["anything-else"]
    for subject in found:
        for line in subject.statement.conditions:
            if line.key == key:
                texts += [
                    text[0]
                    for text in line.values
                    if isinstance(text, tuple) and len(text) == 1 and isinstance(text[0], str)
                ]
    return list(dict.fromkeys(texts))
