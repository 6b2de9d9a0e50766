"""What templates deploy, as the proofs about access need it: who, what, and every policy in the way."""

from secure_ml_constructs.verification.proofs.estate.documents import Unreadable
from secure_ml_constructs.verification.proofs.estate.endpoints import Endpoint
from secure_ml_constructs.verification.proofs.estate.estate import MOST_WORLDS, Estate
from secure_ml_constructs.verification.proofs.estate.identities import Group, Identity, Role, User
from secure_ml_constructs.verification.proofs.estate.places import Place

__all__ = ["MOST_WORLDS", "Endpoint", "Estate", "Group", "Identity", "Place", "Role", "Unreadable", "User"]
