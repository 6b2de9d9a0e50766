"""What mutants are made from, and who looks for them."""

from __future__ import annotations

from secure_ml_constructs.enforcement import trust_of
from secure_ml_constructs.environment import EnvironmentConfig, SecureMlEnvironment, load_config
from secure_ml_constructs.verification.proofs.questions import Trust
from secure_ml_constructs.verification.rules import pack
from secure_ml_constructs.verification.rules.engine import Engine
from tests.support.templates import ROOT, Templates, new_app, synth

_REFERENCE = ROOT / "environments" / "reference.yaml"


def reference() -> Templates:
    """The reference environment with the first of its teams, synthesized."""
    app = new_app()
    SecureMlEnvironment(app, "Environment", config=_one_team(load_config(_REFERENCE)))
    return synth(app)


def _one_team(config: EnvironmentConfig) -> EnvironmentConfig:
    """All teams are made by one loop: what goes unnoticed in one does so in each, and takes as long again."""
    people = config.people
    if people is None:
        return config
    return config.model_copy(update={"people": people.model_copy(update={"teams": people.teams[:1]})})


def trust() -> Trust:
    """Whom the reference environment trusts."""
    return trust_of(load_config(_REFERENCE).perimeter.value())


def engine() -> Engine:
    """The pack as it stands, with the default settings."""
    return Engine(pack())
