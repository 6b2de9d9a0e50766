"""Each rule beside a template that passes and one that fails: the fragments of this folder."""

from __future__ import annotations

import copy
import json
import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from secure_ml_constructs.controls import CONTROLS, THREATS
from secure_ml_constructs.verification.rules import Engine, Finding, Rule, Settings, pack
from secure_ml_constructs.verification.templates.source import parse

FRAGMENTS = Path(__file__).parent / "fragments"
IT = "It"
DROP = "DROP"
RULES = {rule.id: rule for rule in pack()}


@cache
def fragments() -> dict[str, tuple[str, dict[str, Any]]]:
    """The fragment of each rule: the type that it judges, and what is written for the type."""
    found = {}
    for file in sorted(FRAGMENTS.glob("*.yaml")):
        if file.stem == "shared":
            continue
        for type_, fragment in read(file).items():
            for rule in fragment["bad"]:
                assert rule not in found, f"{rule} has two fragments"
                found[rule] = (type_, fragment)
    return found


@cache
def read(file: Path) -> Any:
    return filled(parse(file.read_text(), file.name)[0])


def filled(value: Any) -> Any:
    """Write out what the fragments write in short."""
    if isinstance(value, list):
        return [filled(item) for item in value]
    if isinstance(value, dict):
        if value == {"Ref": "Image"}:
            return {"Fn::Sub": "${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/x@sha256:" + "0" * 64}
        if set(value) == {"Many"}:
            statement = {
                "Effect": "Allow",
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::a-bucket-of-ours/*",
            }
            return [statement] * int(value["Many"])
        return {key: filled(item) for key, item in value.items()}
    return value


def passing(rule: str) -> dict[str, Any]:
    """A template that keeps a rule."""
    type_, fragment = fragments()[rule]
    body: dict[str, Any] = copy.deepcopy(read(FRAGMENTS / "shared.yaml"))
    body["Resources"].update(copy.deepcopy(fragment.get("with", {})))
    if type_ != "Template" and "absent" not in fragment:
        subject = {"Type": type_, "Properties": copy.deepcopy(fragment["good"])}
        body["Resources"][IT] = {**subject, **copy.deepcopy(fragment.get("body", {}))}
    return body


def failing(rule: str) -> dict[str, Any]:
    """The same template with the one change."""
    _, fragment = fragments()[rule]
    body = passing(rule)
    for path, value in fragment["bad"][rule].items():
        if path.startswith("/"):
            steps = re.split(r"[/.]", path[1:])
        else:
            inner = f"{fragment['document']}.{path}" if "document" in fragment else path
            steps = ["Resources", IT, "Properties", *inner.split(".")]
        if path == "/Resources/It" and isinstance(value, list):
            body["Resources"].update({f"R{i}": {"Type": "AWS::Test::Thing"} for i in range(len(value))})
        else:
            put(body, [part for step in steps for part in indexes(step)], copy.deepcopy(value))
    return body


def indexes(step: str) -> list[str | int]:
    name, *numbers = re.split(r"[\[\]]+", step.rstrip("]"))
    return [name, *(int(number) for number in numbers)]


def put(node: Any, steps: list[str | int], value: Any) -> None:
    for step, following in pairwise(steps):
        if isinstance(step, str) and step not in node:
            node[step] = [] if isinstance(following, int) else {}
        node = node[step]
    last = steps[-1]
    if value == DROP:
        del node[last]
    elif isinstance(last, int) and last == len(node):
        node.append(value)
    else:
        node[last] = value


def finished(body: dict[str, Any], rule: str) -> dict[str, Any]:
    """Put documents in as the text that they are."""
    document = fragments()[rule][1].get("document")
    if document:
        *path, name = document.split(".")
        node = body["Resources"][IT]["Properties"]
        for step in path:
            node = node[step]
        node[name] = {"Fn::Sub": json.dumps(written(node[name]))}
    return body


def written(value: Any) -> Any:
    """A reference within the text of a document is a part of that text."""
    if isinstance(value, list):
        return [written(item) for item in value]
    if isinstance(value, dict):
        return value.get("Fn::Sub") or {key: written(item) for key, item in value.items()}
    return value


def judged(body: dict[str, Any], rule: str) -> list[Finding]:
    """What one rule says about the subject."""
    engine = Engine([RULES[rule]], Settings(on=frozenset({rule})))
    nested = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
    findings = engine.check({"main": finished(body, rule), "nested": nested})
    return [
        f for f in findings if f.logical_id == IT or (f.resource_type == "Template" and f.template == "main")
    ]


def test_each_rule_has_its_pair() -> None:
    assert sorted(fragments()) == sorted(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_what_passes(rule: str) -> None:
    assert judged(passing(rule), rule) == []


@pytest.mark.parametrize("rule", RULES)
def test_what_fails(rule: str) -> None:
    findings = judged(failing(rule), rule)
    assert findings
    unresolved = rule in ("TemplateReadable", "NestedStackGiven", "IamPolicyReadable")
    assert {finding.outcome for finding in findings} == {"unresolved" if unresolved else "fail"}
    for finding in findings:
        assert finding.rule == rule
        assert finding.message.endswith(".")
        assert finding.fix


@pytest.mark.parametrize("rule", pack(), ids=lambda rule: rule.id)
def test_what_a_rule_says_of_itself(rule: Rule) -> None:
    assert re.fullmatch(r"[A-Z][A-Za-z0-9]+", rule.id)
    assert rule.control in CONTROLS
    assert rule.threats
    assert set(rule.threats) <= set(THREATS)
    assert not rule.title.endswith(".")
    assert rule.why.endswith(".")
    assert rule.fix.endswith(".")
    assert rule.resource_type in fragments()[rule.id][0] or rule.resource_type == "Template"


def test_every_control_of_ai_security_best_practices() -> None:
    numbers = (*range(1, 6), *range(8, 26))
    wanted = (
        {f"SageMaker.{n}" for n in numbers} | {f"BedrockAgentCore.{n}" for n in range(1, 8)} | {"Bedrock.1"}
    )
    assert len(wanted) == 31
    assert wanted <= {standard for rule in pack() for standard in rule.standards}
