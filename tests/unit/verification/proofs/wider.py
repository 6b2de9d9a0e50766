"""Turns pairs into questions: about the very request, or about all that differ from it in some things."""

from __future__ import annotations

import json
import random
import re

from secure_ml_constructs.verification.proofs.iam.domains import ABSENT, ANYTHING, Values
from secure_ml_constructs.verification.proofs.iam.prove import Question
from secure_ml_constructs.verification.proofs.iam.requests import Request
from tests.unit.verification.proofs import oracle
from tests.unit.verification.proofs.pairs import Maker, Pair


def keys_named(pair: Pair) -> set[str]:
    """Every key that a document of the pair names, in lower case."""
    text = json.dumps(vars(pair))
    found = set(re.findall(r"\"([a-z0-9-]+:[A-Za-z0-9-]+(?:/\w+)?)\": ", text))
    found |= set(re.findall(r"\$\{([^,}]+)", text))
    return {key.lower() for key in found if not key.startswith("arn:")}


def closed(pair: Pair) -> Question:
    """The question about the very request of a pair."""
    request = oracle.request(pair)
    context = {key: Values(exactly=value, absent=False) for key, value in request.context.items()}
    context |= dict.fromkeys(sorted(keys_named(pair) - set(context)), ABSENT)
    return Question(oracle.policies(pair), request.principal, request.action, request.resource, context)


def widened(pair: Pair, seed: int) -> Question:
    """The question about all requests that differ in some keys, or in the resource's end."""
    roll = random.Random(seed)
    question = closed(pair)
    context = dict(question.context)
    for key in sorted(context):
        if key != "aws:resourceaccount" and roll.random() < 0.5:
            context[key] = ANYTHING
    resource = question.resource
    if roll.random() < 0.5:
        resource = resource[: -roll.randint(1, 4)] + "*"
    return Question(question.policies, question.principal, question.action, resource, context)


def samples(pair: Pair, question: Question, maker: Maker, count: int) -> list[Request]:
    """Requests of the set that a question is about."""
    names = {key.lower(): key for key in (*pair.request["context"], *maker.keys)}
    found: list[Request] = []
    for _ in range(count):
        context: dict[str, str | tuple[str, ...]] = {}
        for key, values in question.context.items():
            if values.exactly is not None:
                context[key] = values.exactly
            elif values.present and key in names and maker.random.random() < 0.7:
                value = maker.value(names[key])
                context[key] = tuple(value) if isinstance(value, list) else value
        resource = question.resource
        if resource.endswith("*"):
            resource = maker.random.choice(
                (pair.request["resource"], resource[:-1] + "zz", resource[:-1] + "v")
            )
        found.append(Request(question.principal, question.action, resource, context))
    return found
