"""The network as a graph: what an interface reaches, what reaches it, and by which way."""

from secure_ml_constructs.verification.proofs.iam.ternary import NotCovered
from secure_ml_constructs.verification.proofs.network.answers import Answer, Hop, Path, Unreachable
from secure_ml_constructs.verification.proofs.network.network import Network
from secure_ml_constructs.verification.proofs.network.places import Interface, Subnet, Vpc
from secure_ml_constructs.verification.proofs.network.services import Endpoint, Through
from secure_ml_constructs.verification.proofs.network.talk import Talk

__all__ = [
    "Answer",
    "Endpoint",
    "Hop",
    "Interface",
    "Network",
    "NotCovered",
    "Path",
    "Subnet",
    "Talk",
    "Through",
    "Unreachable",
    "Vpc",
]
