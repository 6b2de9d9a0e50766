"""Makes pairs of policies and a request, the same ones for the same seed.

Texts of the policies are made out of the request's own, so that statements hit it about as often as they
miss it by a little. What the model does not cover, and where the simulator is known to be wrong
(test_deviations.py), is not made on purpose; what comes about by chance is counted by those who ask.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.unit.verification.proofs.vocabulary import (
    ACCOUNT,
    ADDRESSES,
    ARNS,
    BLOCKS,
    BOOLEANS,
    CALLERS,
    DATES,
    DEEDS,
    GLOBAL,
    MANY,
    NUMBERS,
    OTHER,
    TEXTS,
)

Json = dict[str, Any]


@dataclass
class Pair:
    """Policies and a request, as JSON."""

    request: Json
    identity: list[Json] = field(default_factory=list)
    boundary: list[Json] | None = None
    session: Json | None = None
    resource: Json | None = None
    endpoint: list[Json] | None = None
    scps: list[list[Json]] = field(default_factory=list)
    rcps: list[list[Json]] = field(default_factory=list)
    block_public_access: bool = False


class Maker:
    """Makes pairs."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def pair(self) -> Pair:
        """Make one pair."""
        roll = self.random
        deed = roll.choice(DEEDS)
        self.action, self.resource = roll.choice(deed.actions), roll.choice(deed.resources)
        # The first callers are the ones that most policies are about.
        self.caller = roll.choice(CALLERS[:4]) if roll.random() < 0.6 else roll.choice(CALLERS)
        self.keys = (*deed.keys, *GLOBAL)
        self.context: Json = {}
        for key in deed.keys + tuple(roll.sample(GLOBAL, 8)):
            if roll.random() < 0.6:
                self.context[key] = self.value(key)
        self.context["aws:ResourceAccount"] = ACCOUNT
        pair = Pair(
            {
                "principal": self.caller,
                "action": self.action,
                "resource": self.resource,
                "context": self.context,
            }
        )
        in_account = self.caller is not None and self.caller.startswith("arn:")
        service = self.action.split(":")[0]
        if in_account:
            pair.identity = [self.document() for _ in range(roll.choice((0, 1, 1, 1, 2)))]
            if roll.random() < 0.4:
                pair.boundary = [self.document()]
            if roll.random() < 0.4:
                pair.scps = [self.level() for _ in range(roll.choice((1, 1, 2)))]
        needed = service == "sts" or service == "kms"
        if deed.resource_policy and (needed or roll.random() < 0.6 or not in_account):
            pair.resource = self.document(principals=True)
        if roll.random() < 0.25:
            pair.endpoint = [self.document(principals="*")]
        if roll.random() < 0.3 and service in ("s3", "sts", "kms", "sqs", "secretsmanager"):
            pair.rcps = [[self.document(principals="*", effect="Deny", rcp=True)]]
        if service == "s3" and roll.random() < 0.3:
            pair.block_public_access = True
        role = in_account and "user/" not in str(self.caller)
        if role and pair.resource is None and roll.random() < 0.3:
            pair.session = self.document()
        return pair

    def level(self) -> list[Json]:
        """Make the SCPs of one level of an organization."""
        return [self.document(), self.document(effect="Deny")]

    def value(self, key: str) -> Any:
        """Make a value for a key of the request."""
        roll = self.random
        if key in BOOLEANS:
            return roll.choice(("true", "false"))
        if key == "aws:SourceIp":
            return roll.choice(ADDRESSES)
        for pool in (TEXTS, ARNS, NUMBERS, DATES):
            if key in pool:
                values = pool[key]
                if key in MANY:
                    return roll.sample(values, roll.randint(1, len(values)))
                return roll.choice(values)
        raise KeyError(key)

    def document(
        self, *, principals: bool | str = False, effect: str | None = None, rcp: bool = False
    ) -> Json:
        """Make a document, with principals where its kind has them."""
        count = self.random.choice((1, 1, 2, 3))
        return {
            "Version": "2012-10-17",
            "Statement": [self.statement(i, principals, effect, rcp) for i in range(count)],
        }

    def statement(self, index: int, principals: bool | str, effect: str | None, rcp: bool) -> Json:
        roll = self.random
        # A first Allow gives the others something to take away.
        effect = effect or ("Allow" if index == 0 or roll.random() < 0.4 else "Deny")
        made: Json = {"Sid": f"S{index}", "Effect": effect}
        if principals == "*":
            made["Principal"] = "*"
        elif principals:
            made |= self.principal(effect)
        likely = effect == "Allow"
        if rcp:
            # An RCP knows neither NotAction nor the bare wildcard.
            made["Action"] = roll.choice((self.action, self.action.split(":")[0] + ":*"))
        else:
            made |= self.element("Action", self.actions, likely)
        trust = principals is True and self.action.startswith("sts:")
        if not trust:
            made |= self.element("Resource", self.resources, likely)
        if roll.random() < (0.4 if likely else 0.7):
            condition: Json = {}
            for _ in range(roll.choice((1, 1, 2))):
                operator, key, values = self.condition()
                condition.setdefault(operator, {})[key] = values
            made["Condition"] = condition
        return made

    def element(self, name: str, make: Any, likely: bool) -> Json:
        roll = self.random
        inverted = roll.random() < 0.12
        count = roll.choice((1, 1, 2))
        values = [make(hit=roll.random() < (0.9 if likely else 0.75)) for _ in range(count)]
        if inverted and roll.random() < 0.6:
            values = [make(hit=False) for _ in range(count)]
        return {f"{'Not' * inverted}{name}": values[0] if count == 1 and roll.random() < 0.5 else values}

    def actions(self, hit: bool) -> str:
        roll = self.random
        service, name = self.action.split(":")
        if not hit:
            return roll.choice(("iam:*", f"{service}:Describe*", f"{service}:{name}X", f"{service}:x?"))
        stem = re.findall("[A-Z][a-z]+", name)[0]
        choices = ("*", self.action, f"{service}:*", f"{service}:{stem}*", self.action.upper())
        return roll.choice((*choices, f"{service}:*{name[-3:]}", f"{service}:?{name[1:]}"))

    def resources(self, hit: bool) -> str:
        roll = self.random
        head, tail = self.resource.rsplit(":", 1) if ":::" not in self.resource else ("arn:aws:s3::", "")
        if not hit:
            return roll.choice(
                (self.resource + "x", "arn:aws:s3:::other/*", self.resource[:-1], "arn:aws:s3:::l?")
            )
        choices = ["*", "*", self.resource, self.resource[:-2] + "*", self.resource[:-1] + "?"]
        if ":::" in self.resource:
            choices += [
                "arn:aws:s3:::*",
                "arn:*:s3:::lake*",
                "arn:aws:s3:::*/*",
                "arn:aws:s3:::lake/${aws:PrincipalTag/team}/*",
            ]
            choices.append("arn:aws:s3:::lake/${aws:PrincipalTag/team, 'raw'}/*")
        else:
            parts = self.resource.split(":")
            choices.append(":".join((*parts[:3], "*", "*", *parts[5:])))
            choices.append(f"{head}:{tail[: len(tail) // 2]}*")
        return roll.choice(choices)

    def principal(self, effect: str) -> Json:
        roll = self.random
        if roll.random() < 0.08 and effect == "Deny":
            return {"NotPrincipal": {"AWS": f"arn:aws:iam::{OTHER}:user/nobody"}}
        caller = self.caller or "*"
        account = caller.split(":")[4] if caller.startswith("arn:") else OTHER
        name = caller if caller.startswith("arn:") else f"arn:aws:iam::{OTHER}:user/nobody"
        role = name
        if ":assumed-role/" in name:
            role = f"arn:aws:iam::{account}:role/ml/{name.split('/')[1]}"
        aws: list[Any] = [
            "*", {"AWS": "*"}, {"AWS": account}, {"AWS": f"arn:aws:iam::{account}:root"}, {"AWS": name},
            {"AWS": role}, {"AWS": [role, OTHER]}, {"AWS": f"arn:aws:iam::{OTHER}:role/ml/training"},
        ]  # fmt: skip
        services: list[Any] = [
            {"Service": "sagemaker.amazonaws.com"},
            {"Service": ["logging.s3.amazonaws.com", "sagemaker.amazonaws.com"]},
            {"Service": "lambda.amazonaws.com", "AWS": role},
        ]
        if caller.endswith(".amazonaws.com"):
            return {"Principal": roll.choice([*services, "*"])}
        if self.caller is None:
            return {"Principal": roll.choice(["*", "*", {"AWS": "*"}, {"AWS": account}, *services[:1]])}
        return {"Principal": roll.choice([*aws, *aws, *services])}

    def condition(self) -> tuple[str, str, Any]:
        """Make one line of a Condition block."""
        roll = self.random
        present = sorted(set(self.context) & set(self.keys))
        key = roll.choice(present) if present and roll.random() < 0.75 else roll.choice(self.keys)
        # Keys are compared without case.
        spelt = key.lower() if roll.random() < 0.1 and "/" not in key else key
        if roll.random() < 0.08:
            return "Null", spelt, roll.choice(("true", "false"))
        operator, values = self.operands(key)
        if key in MANY or roll.random() < 0.03:
            operator = f"{roll.choice(('ForAllValues', 'ForAnyValue'))}:{operator}"
        if roll.random() < 0.25 and not operator.startswith("ForAny"):
            operator += "IfExists"
        return operator, spelt, values[0] if len(values) == 1 and roll.random() < 0.5 else values

    def operands(self, key: str) -> tuple[str, list[str]]:
        roll = self.random
        no = roll.choice(("", "", "Not"))
        count = roll.choice((1, 1, 2))
        if key in BOOLEANS:
            return "Bool", [roll.choice(("true", "false", "True"))]
        if key == "aws:SourceIp":
            return f"{no}IpAddress", [self.block(no) for _ in range(count)]
        if key in NUMBERS or key in DATES:
            kind, pool = ("Numeric", NUMBERS[key]) if key in NUMBERS else ("Date", DATES[key])
            order = roll.choice(("Equals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"))
            order = f"{no}Equals" if order == "Equals" else order
            return f"{kind}{order}", [roll.choice(pool) for _ in range(count)]
        given = self.context.get(key)
        pool = ARNS.get(key) or TEXTS[key]
        own = given if isinstance(given, list) else [given] if given is not None else list(pool)
        values = [roll.choice(own) if roll.random() < 0.6 else roll.choice(pool) for _ in range(count)]
        if key in ARNS and roll.random() < 0.7:
            like = roll.choice(("Like", "Equals"))
            return f"Arn{no}{like}", [self.globbed_arn(value) for value in values]
        if key == "aws:PrincipalTag/digest":
            return "BinaryEquals", values
        kind = roll.choice(("Equals", "Like", "Like", "EqualsIgnoreCase"))
        if kind == "Like":
            values = [self.globbed(value) for value in values]
        elif kind == "EqualsIgnoreCase":
            values = [roll.choice((value, value.upper(), value.lower())) for value in values]
        if roll.random() < 0.12:
            values[0] = self.variable(kind, negated=bool(no))
        return f"String{no}{kind}", values

    def block(self, no: str) -> str:
        """A block of addresses, a bare address only where the simulator reads it right."""
        roll = self.random
        return roll.choice([each for each in BLOCKS if not no or "/" in each])

    def variable(self, kind: str, *, negated: bool) -> str:
        """A policy variable; with a default where the simulator errs about an absent key."""
        roll = self.random
        single = [key for key in self.keys if key in TEXTS and key not in MANY and key in self.context]
        default = roll.choice((", 'team-a'", ", 'raw'", "")) if not negated else ", 'team-a'"
        key = roll.choice(single) if single and roll.random() < 0.8 else "aws:PrincipalTag/team"
        return f"${{{key}{default}}}" + ("*" if kind == "Like" and roll.random() < 0.3 else "")

    def globbed(self, value: str) -> str:
        roll = self.random
        cut = roll.randint(0, len(value))
        choices = [value, value[:cut] + "*", "*" + value[cut:], "*", value[:cut] + "*" + value[cut:]]
        if value:
            place = roll.randrange(len(value))
            choices.append(value[:place] + "?" + value[place + 1 :])
        return roll.choice(choices)

    def globbed_arn(self, value: str) -> str:
        roll = self.random
        parts = value.split(":", 5)
        place = roll.randrange(1, 6)
        if roll.random() < 0.6:
            parts[place] = self.globbed(parts[place])
        return ":".join(parts)


def make(count: int, seed: int) -> Sequence[Pair]:
    """Make so many pairs."""
    maker = Maker(seed)
    return [maker.pair() for _ in range(count)]
