"""Every check on an app at synth, through one call."""

from secure_ml_constructs._acknowledge import acknowledge
from secure_ml_constructs.enforcement.enforce import Enforcement, Pack, enforce
from secure_ml_constructs.enforcement.proofs import trust_of
from secure_ml_constructs.enforcement.summary import AcceptedFinding, Finding, Summary

__all__ = [
    "AcceptedFinding",
    "Enforcement",
    "Finding",
    "Pack",
    "Summary",
    "acknowledge",
    "enforce",
    "trust_of",
]
