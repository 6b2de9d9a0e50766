"""The ids are a contract: constructs, rules, docs and the report refer to them."""

from secure_ml_constructs.controls import CONTROLS, THREATS
from secure_ml_constructs.controls.catalogue import AREAS

HOW_MANY = {
    **{"N": 10, "E": 5, "D": 11, "I": 11, "S": 5, "T": 7, "G": 14},
    **{"M": 3, "A": 5, "X": 8, "P": 2, "C": 5, "R": 6},
}


def test_ids() -> None:
    assert list(CONTROLS) == [f"{area}{i}" for area, count in HOW_MANY.items() for i in range(1, count + 1)]
    assert list(HOW_MANY) == list(AREAS)


def test_each_control_answers_known_threats_and_has_evidence() -> None:
    for control in CONTROLS.values():
        assert control.title
        assert control.seen_as, control.id
        assert control.threats, control.id
        assert set(control.threats) <= set(THREATS), control.id


def test_each_threat_is_answered() -> None:
    answered = {threat for control in CONTROLS.values() for threat in control.threats}
    assert answered == set(THREATS)


def test_areas() -> None:
    assert CONTROLS["N10"].area == "Network"


def test_atlas_ids_are_whole() -> None:
    for threat in THREATS.values():
        assert all(technique.startswith("AML.T") for technique in threat.atlas), threat.id
