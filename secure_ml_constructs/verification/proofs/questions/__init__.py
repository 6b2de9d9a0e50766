"""Adversaries, deeds and assets: what is asked about an environment, and what comes of it."""

from secure_ml_constructs.verification.proofs.questions.answers import (
    Adversary,
    Answer,
    Step,
    Verdict,
    summarize,
)
from secure_ml_constructs.verification.proofs.questions.trust import Trust

__all__ = ["Adversary", "Answer", "Step", "Trust", "Verdict", "summarize"]
