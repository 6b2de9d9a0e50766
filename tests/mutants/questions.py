"""Put the proofs to mutants that no rule noticed, and say which cells of the matrix became graver."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from unittest import mock

from secure_ml_constructs.verification.proofs import environment
from secure_ml_constructs.verification.proofs.assets import find_assets
from secure_ml_constructs.verification.proofs.estate import Estate
from secure_ml_constructs.verification.proofs.iam.documents import Document, Statement
from secure_ml_constructs.verification.proofs.iam.matching import action_matches
from secure_ml_constructs.verification.proofs.iam.prove import Answer as Proof
from secure_ml_constructs.verification.proofs.iam.prove import Proved, Question, prove
from secure_ml_constructs.verification.proofs.iam.public_access import is_public
from secure_ml_constructs.verification.proofs.iam.ternary import NotCovered, Ternary
from secure_ml_constructs.verification.proofs.network import Network
from secure_ml_constructs.verification.proofs.questions import Answer, Trust
from secure_ml_constructs.verification.proofs.questions.adversaries import Adversaries
from secure_ml_constructs.verification.proofs.questions.answers import Adversary, Step
from secure_ml_constructs.verification.proofs.questions.ask import Prover
from secure_ml_constructs.verification.proofs.questions.attempts import Attempt
from secure_ml_constructs.verification.proofs.questions.deeds import Act, Asset, Deed
from secure_ml_constructs.verification.templates import Templates
from tests.mutants.concerned import OF_RESOURCES, concerned, only_denies
from tests.mutants.mutant import ACCESS, Mutant
from tests.mutants.neighbours import Name, Neighbours
from tests.mutants.touched import ANYTHING, Some, Touch, Touched


class Proofs:
    """The matrix of one environment, and what a mutant does to it.

    Args:
        templates: The environment's templates by stack name.
        trust: Who is no adversary.
    """

    def __init__(self, templates: Mapping[str, Any], trust: Trust) -> None:
        self.templates = templates
        self.trust = trust
        self._memory = _Memory()
        self._network = mock.Mock(of=mock.Mock(return_value=Network.of(Templates.of(templates))))
        # The actions that each cell asks about, those of services on the way included.
        self._asked: defaultdict[str, set[str]] = defaultdict(set)
        self._stop = False
        self.before = {answer.question: answer for answer in self.ask(templates)}
        self.neighbours = Neighbours(templates)
        self._touched = Touched(templates, self.neighbours)

    def ask(
        self,
        templates: Mapping[str, Any],
        *questions: str,
        way_by_way: bool = False,
        about: Callable[[str], bool] = lambda _: True,
        touch: Touch = ANYTHING,
        same_network: bool = False,
    ) -> list[Answer]:
        """Answer questions about templates.

        Args:
            templates: The templates.
            questions: Patterns of the questions; without any, all.
            way_by_way: Whether each way to do something is a question of its own.
            about: Of which actions; what takes none of them is left out.
            touch: What of it may come out otherwise; what else is tried is left out.
            same_network: Whether routes, groups and lists are what they were.
        """

        def find(estate: Estate, trust: Trust) -> Iterator[Asset]:
            for asset in find_assets(estate, trust):
                deeds = (each for deed in asset.deeds for each in (_ways(deed) if way_by_way else (deed,)))
                kept = tuple(deed for deed in deeds if _takes(deed, about))
                if kept or asset.missing:
                    yield replace(asset, deeds=kept)

        before = self.before if self._stop else {}
        prover = partial(_Noting, prover=self._memory.fresh(), asked=self._asked, touch=touch, before=before)
        with (
            mock.patch.object(environment, "Prover", prover),
            mock.patch.object(environment, "Network", self._network if same_network else Network),
            mock.patch.object(environment, "find_assets", find),
        ):
            return environment.ask(Templates.of(templates), self.trust, questions=questions or ("*",))

    def near(self, mutant: Mutant) -> tuple[Answer, ...]:
        """The answers that become graver, of those questions that the changed resource can touch."""
        return graver(self.asked(mutant, mutant.apply(self.templates)), self.before)

    def first(self, mutant: Mutant) -> tuple[str, ...]:
        """The first question whose answer becomes graver; nothing where none does."""
        self._stop = True
        try:
            found = self.near(mutant)
        except _Found as stopped:
            return (stopped.question,)
        finally:
            self._stop = False
        return tuple(answer.question for answer in found)

    def asked(
        self, mutant: Mutant, templates: Mapping[str, Any], *, way_by_way: bool = False
    ) -> list[Answer]:
        """Answer those questions about templates that a mutant can touch, and of those whom it can.

        Args:
            mutant: The mutant.
            templates: The templates with it, or others that are to be compared with them.
            way_by_way: Whether each way to do something is a question of its own.
        """
        about = concerned(mutant, self.templates)
        questions = self.questions(mutant)
        if mutant.type not in OF_RESOURCES:
            # Of what is done for somebody the first request may be of another action than the deed.
            about = about if way_by_way else lambda _: True
        touch = self._touched.by(mutant)
        return self.ask(
            templates,
            *questions,
            way_by_way=way_by_way,
            about=about,
            touch=touch,
            same_network=mutant.kind == ACCESS,
        )

    def whole(self, mutant: Mutant) -> tuple[Answer, ...]:
        """The answers that become graver, of all questions."""
        return graver(self.ask(mutant.apply(self.templates)), self.before)

    def questions(self, mutant: Mutant) -> tuple[str, ...]:
        """Patterns of the questions that a mutant can touch; none where it may be any."""
        if only_denies(mutant, self.templates):
            concerns = concerned(mutant, self.templates)
            near_ = [name for name in self.before if any(map(concerns, self._asked[name]))]
            return tuple(map(_with_its_ways, near_)) or ("none",)
        if mutant.type not in OF_RESOURCES:
            return ()
        near: set[Name] = {(mutant.stack, mutant.logical_id)}
        near |= self.neighbours.of((mutant.stack, mutant.logical_id))
        found = {
            answer.asset
            for answer in self.before.values()
            if answer.resource and (answer.resource.template.name, answer.resource.logical_id) in near
        }
        return tuple(f"*/{name}" for name in sorted(found))


def _with_its_ways(question: str) -> str:
    """The pattern of a question, and of those about each way to do it."""
    adversary, deed, asset = question.split("/", 2)
    return f"{adversary}/{deed}*/{asset}".replace("[", "[[]")


def graver(answers: Iterable[Answer], before: Mapping[str, Answer]) -> tuple[Answer, ...]:
    """Those answers that are worse than what was answered before."""
    return tuple(
        answer
        for answer in answers
        if (known := before.get(answer.question)) is not None
        and answer.verdict.gravity < known.verdict.gravity
    )


def _ways(deed: Deed) -> Iterator[Deed]:
    """Each way to do something, as a deed of its own, and without what it takes besides."""
    for number, way in enumerate(deed.ways):
        name = f"{deed.name} {number} {way[0].action}"
        yield replace(deed, name=name, ways=(way,))
        if len(way) > 1:
            yield replace(deed, name=f"{name} by itself", ways=(way[:1],))


def _takes(deed: Deed, about: Callable[[str], bool]) -> bool:
    return any(about(act.action) for way in deed.ways for act in way)


class _Found(Exception):  # noqa: N818 - it is no error
    """An answer became graver, and nobody asks for more."""

    def __init__(self, question: str) -> None:
        super().__init__(question)
        self.question = question


class _Noting(Prover):
    """A prover that notes which actions each question is about."""

    def __init__(
        self,
        adversaries: Adversaries,
        trust: Trust,
        *,
        prover: Callable[[Question], Proof],
        asked: defaultdict[str, set[str]],
        touch: Touch,
        before: Mapping[str, Answer],
    ) -> None:
        super().__init__(Some(adversaries, touch), trust, prover)
        self._noted = asked
        self._before = before
        self._question = ""

    def _cell(self, empty: Answer, adversary: Adversary, asset: Asset, deed: Deed) -> Answer:
        self._question = empty.question
        answer = super()._cell(empty, adversary, asset, deed)
        if self._before and graver((answer,), self._before):
            raise _Found(answer.question)
        return answer

    def _ask(self, attempt: Attempt, act: Act, asset: Asset, *, direct: bool) -> Proved | Step | NotCovered:
        self._noted[self._question].add(act.action)
        return super()._ask(attempt, act, asset, direct=direct)


class _Memory:
    """Remembers what was proved by the same statements, whichever mutant they are from."""

    def __init__(self) -> None:
        self._answers: dict[Hashable, Proof] = {}
        self._numbers: dict[Statement, int] = {}

    def fresh(self) -> _Prove:
        """A prover for the documents of one environment."""
        return _Prove(self._answers, self._numbers)


class _Prove:
    def __init__(self, answers: dict[Hashable, Proof], numbers: dict[Statement, int]) -> None:
        self._answers = answers
        self._numbers = numbers
        # To look a long statement up takes a while, so that numbers are kept by the document's identity.
        self._known: dict[int, tuple[tuple[int, ...], Document]] = {}

    def __call__(self, question: Question) -> Proof:
        policies = question.policies
        shape = tuple(
            None if part is None else tuple(self._matching(document, question.action) for document in part)
            for part in (
                policies.identity,
                policies.boundary,
                policies.session,
                None if policies.resource is None else (policies.resource,),
                policies.endpoint,
                tuple(document for level in policies.scps for document in level),
                tuple(document for level in policies.rcps for document in level),
            )
        )
        public: Ternary = False
        if policies.block_public_access and policies.resource:
            # Whether a policy is public depends on all of its statements.
            public = is_public(policies.resource)
        key = (
            shape,
            policies.block_public_access,
            public,
            policies.method,
            question.principal,
            question.action,
            question.resource,
            frozenset(question.context.items()),
        )
        if key not in self._answers:
            self._answers[key] = prove(question)
        return self._answers[key]

    def _matching(self, document: Document, action: str) -> tuple[int, ...]:
        """The numbers of the statements that may speak of an action."""
        if id(document) not in self._known:
            numbers = tuple(
                self._numbers.setdefault(each, len(self._numbers)) for each in document.statements
            )
            self._known[id(document)] = (numbers, document)
        numbers, _ = self._known[id(document)]
        return tuple(
            number
            for number, statement in zip(numbers, document.statements, strict=True)
            if action_matches(statement, action) is not False
        )
