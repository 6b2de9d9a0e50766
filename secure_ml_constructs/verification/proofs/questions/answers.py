"""What the proofs answer: a cell for each adversary, deed and asset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from secure_ml_constructs.verification.proofs.iam.evaluate import Decision
from secure_ml_constructs.verification.proofs.iam.policies import Policies
from secure_ml_constructs.verification.proofs.iam.requests import Request
from secure_ml_constructs.verification.templates import Resource


class Adversary(StrEnum):
    """Whom a question is about."""

    OUTSIDER = "outsider"
    STOLEN = "stolen credentials"
    INSIDER = "insider"
    JOB = "compromised job"
    DEPUTY = "confused deputy"


class Verdict(StrEnum):
    """What came of a question, the gravest first."""

    BROKEN = "broken"
    NOT_COVERED = "not-covered"
    NEEDS_GUARDRAIL = "needs-org-guardrail"
    BY_DESIGN = "by-design"
    PROVED = "proved"

    @property
    def gravity(self) -> int:
        """Its place in the order, 0 for the gravest."""
        return list(Verdict).index(self)


@dataclass(frozen=True)
class Step:
    """A request of a counter-example and what decided it.

    Attributes:
        request: The request.
        decision: The statement that lets it through.
        policies: Every document that stood in its way.
    """

    request: Request
    decision: Decision
    policies: Policies = field(compare=False, repr=False)


@dataclass(frozen=True)
class Answer:
    """One cell.

    Attributes:
        adversary: Who tries.
        deed: What they try: `read`, `replace` …
        asset: On what.
        verdict: What came of it.
        because: What denies it, allows it, would close it or is missing.
        control: The control of the catalogue that it belongs to.
        kind: What kind of asset: `data`, `key`, `network` …
        resource: The resource that the asset is; None where it is none of the templates.
        steps: The requests that get through, where it is not proved; each is needed.
        path: For the network, the way that is open, hop by hop.
    """

    adversary: Adversary
    deed: str
    asset: str
    verdict: Verdict
    because: str
    control: str
    kind: str = ""
    resource: Resource | None = field(default=None, compare=False)
    steps: tuple[Step, ...] = ()
    path: tuple[str, ...] = ()

    @property
    def question(self) -> str:
        """What the question is called: `outsider/read/Lake/Data/raw`."""
        return f"{self.adversary.replace(' ', '-')}/{self.deed.replace(' ', '-')}/{self.asset}"

    def as_json(self) -> dict[str, Any]:
        """The answer in the form that `secure-ml prove` prints."""
        counterexample: dict[str, Any] | None = None
        if self.steps:
            counterexample = self.steps[0].request.as_json()
            if len(self.steps) > 1:
                counterexample["and"] = [step.request.as_json() for step in self.steps[1:]]
        elif self.path:
            counterexample = {"path": list(self.path)}
        return {
            "question": self.question,
            "adversary": str(self.adversary),
            "deed": self.deed,
            "asset": self.asset,
            "verdict": str(self.verdict),
            "counterexample": counterexample,
            "because": self.because,
            "control": self.control,
        }


def summarize(answers: Iterable[Answer]) -> dict[str, int]:
    """Count the answers by verdict, every verdict named."""
    counted = Counter(answer.verdict for answer in answers)
    return {str(verdict): counted[verdict] for verdict in reversed(Verdict)}
