"""The runner: what is judged in part and together comes out as it does one by one."""

from __future__ import annotations

from typing import Any

from secure_ml_constructs.verification.rules import pack
from secure_ml_constructs.verification.rules.engine import Engine
from tests.mutants.generate import mutants
from tests.mutants.mutant import Mutant, spread
from tests.mutants.runner import Runner
from tests.mutants.score import Score


def test_the_short_ways_come_to_the_same(runner: Runner, reference_mutants: list[Mutant]) -> None:
    for verdict in runner.run(spread(reference_mutants, 60)):
        assert verdict.killed == bool(runner.whole(verdict.mutant)), verdict.mutant.id


def test_a_rule_that_is_gone_lets_its_mutants_live() -> None:
    """So the score falls with each rule that is lost."""
    volume: dict[str, Any] = {
        "Type": "AWS::EC2::Volume",
        "Properties": {"Encrypted": True, "KmsKeyId": {"Fn::GetAtt": ["Key", "Arn"]}},
    }
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": []}, "EnableKeyRotation": True}}
    templates = {"small": {"Resources": {"Volume": volume, "Key": key}}}
    made = [mutant for mutant in mutants(templates) if mutant.logical_id == "Volume"]
    assert {m.operator for m in made} == {"flipped", "removed", "key-removed", "key-of-aws"}

    whole = Runner(templates, Engine(pack())).run(made)
    assert [verdict.rules for verdict in whole] == [("EbsVolumeEncrypted",)] * len(made)
    without = Engine(rule for rule in pack() if rule.id != "EbsVolumeEncrypted")
    assert not any(verdict.killed for verdict in Runner(templates, without).run(made))

    score = Score.of(whole)
    assert score.kinds["setting"].score == 100
    assert score.data()["kinds"]["setting"] == {
        "mutants": 4,
        "killed by rule": 4,
        "killed by proof": 0,
        "layered": 0,
        "equivalent": 0,
        "survived": 0,
        "score": 100.0,
    }
    assert "100.0 %" in score.table()


def test_what_was_found_before_kills_nothing() -> None:
    """A finding that moves up in a list, because an item before it is gone, is no new one."""
    statements = [
        {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"},
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
    ]
    policy = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": {"Statement": statements}}}
    templates = {"small": {"Resources": {"Policy": policy}}}
    runner = Runner(templates, Engine(pack()))
    assert runner.before
    dropped = [mutant for mutant in mutants(templates) if mutant.operator == "deny-dropped"]
    assert [verdict.killed for verdict in runner.run(dropped)] == [False]
