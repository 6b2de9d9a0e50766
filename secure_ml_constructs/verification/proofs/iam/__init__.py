"""IAM as a model: documents, requests, decisions."""

from secure_ml_constructs.verification.proofs.iam.documents import Document, Kind, UnreadableError, parse
from secure_ml_constructs.verification.proofs.iam.evaluate import Decision, decide
from secure_ml_constructs.verification.proofs.iam.policies import Authorization, Method, Policies
from secure_ml_constructs.verification.proofs.iam.requests import Caller, Principal, Request
from secure_ml_constructs.verification.proofs.iam.ternary import NotCovered, Unknown

__all__ = [
    "Authorization",
    "Caller",
    "Decision",
    "Document",
    "Kind",
    "Method",
    "NotCovered",
    "Policies",
    "Principal",
    "Request",
    "Unknown",
    "UnreadableError",
    "decide",
    "parse",
]
