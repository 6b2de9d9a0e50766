"""What mutants are made from, and who looks for them."""

from __future__ import annotations

from secure_ml_constructs.enforcement import trust_of
from secure_ml_constructs.environment import SecureMlEnvironment, load_config
from secure_ml_constructs.verification.proofs.questions import Trust
from secure_ml_constructs.verification.rules import pack
from secure_ml_constructs.verification.rules.engine import Engine
from tests.support.templates import ROOT, Templates, new_app, synth

_REFERENCE = ROOT / "environments" / "reference.yaml"


def reference() -> Templates:
    """The reference environment, synthesized."""
    app = new_app()
    SecureMlEnvironment(app, "Environment", config=load_config(_REFERENCE))
    return synth(app)


def trust() -> Trust:
    """Whom the reference environment trusts."""
    return trust_of(load_config(_REFERENCE).perimeter.value())


def engine() -> Engine:
    """The pack as it stands, with the default settings."""
    return Engine(pack())
