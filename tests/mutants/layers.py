"""Whether a mutant took away one of several layers: with the others put aside, the proofs notice it.

A part of a policy that nobody misses is either needless or backed by another. So the same mutation is made
where what may back it is put aside, in the sound environment as well: what then becomes graver is held by
the mutated part alone there, and by what was put aside in the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from secure_ml_constructs.verification.proofs.questions import Answer, Verdict
from tests.mutants.concerned import OF_RESOURCES, only_denies
from tests.mutants.mutant import Mutant, Path, Templates
from tests.mutants.neighbours import Name, named
from tests.mutants.questions import Proofs, graver

# Another than the one that mutants name: a denial of that one alone would hold it.
_STRANGER = {
    "Sid": "Stranger",
    "Effect": "Allow",
    "Principal": {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::888888888888:root"}},
    "Action": "*",
    "Resource": "*",
}
_ON_THE_KEY = "the key is not to be used for it"
_EVERYTHING = {"Sid": "Everything", "Effect": "Allow", "Action": "*", "Resource": "*"}
# A document has to have a statement.
_NOTHING = {"Sid": "Nothing", "Effect": "Allow", "Action": "none:Nothing", "Resource": "*"}
# A service that hands a role's credentials to whoever runs code in it.
_HANDS_OUT = {
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]
}


@dataclass(frozen=True, slots=True)
class Layer:
    """What still holds where a mutant took something away.

    Attributes:
        question: A question that the mutated part answers where this is put aside.
        holds: What answers it.
    """

    question: str
    holds: str


@dataclass(frozen=True, slots=True)
class _Aside:
    """A change that puts something aside; what holds is empty where the answer says it."""

    change: Callable[[Templates], Templates]
    holds: str


class Layers:
    """Finds what backs what was taken away.

    Args:
        proofs: The environment and its matrix.
    """

    def __init__(self, proofs: Proofs) -> None:
        self._proofs = proofs

    def of(self, mutant: Mutant) -> Layer | None:
        """The first layer that is found to hold; None where nothing is, or where it is no policy."""
        proofs = self._proofs
        for aside in self._put_aside(mutant):
            base = self._ask(mutant, aside.change(proofs.templates))
            after = self._ask(mutant, aside.change(mutant.apply(proofs.templates)))
            found = graver(after.values(), base)
            if found:
                question = found[0].question
                # What is put aside may bring questions that nobody asks of the whole.
                return Layer(question, aside.holds or self._because(mutant, question))
        return None

    def _because(self, mutant: Mutant, question: str) -> str:
        """What answers a question in the whole."""
        answer = self._ask(mutant, mutant.apply(self._proofs.templates))[question]
        # The first request by itself is let through, and what holds is the next one.
        return answer.because if answer.verdict is Verdict.PROVED else _ON_THE_KEY

    def _ask(self, mutant: Mutant, templates: Templates) -> dict[str, Answer]:
        # What is put aside opens other ways of the same cell, so that each way counts by itself.
        answers = self._proofs.asked(mutant, templates, way_by_way=True)
        return {answer.question: answer for answer in answers}

    def _put_aside(self, mutant: Mutant) -> Iterator[_Aside]:
        where = _document(mutant)
        if where is None:
            return
        sid, place = mutant.statement, (mutant.stack, mutant.logical_id, *where)
        resource = self._proofs.templates[mutant.stack]["Resources"][mutant.logical_id]
        statements: list[Mapping[str, Any]] = _get(resource, where)["Statement"]
        statement = next((each for each in statements if each.get("Sid") == sid), {})

        def aside(holds: str, *changes: Callable[[Any], Any]) -> _Aside:
            return _Aside(lambda on: _at(on, place, changes), holds)

        def alone(document: Any) -> Any:
            kept = [s for s in document["Statement"] if s.get("Effect") != "Deny" or s.get("Sid") == sid]
            return {**document, "Statement": kept}

        def opened(document: Any) -> Any:
            return {**document, "Statement": [*document["Statement"], _STRANGER]}

        def unbound(document: Any) -> Any:
            return {**document, "Statement": [_unbound(s, sid, mutant.tested) for s in document["Statement"]]}

        on_bucket = mutant.type == "AWS::S3::BucketPolicy"
        if on_bucket:
            # Nothing is put aside but what a request to S3 asks of the key.
            yield aside(_ON_THE_KEY)
        # The policy of a key lets in by name, and what it denies is no second layer.
        if mutant.type in OF_RESOURCES and mutant.type != "AWS::KMS::Key":
            yield aside("", alone)
            yield aside("no statement lets another account in", opened)
            yield aside("no statement lets another account in", alone, opened)
        others = [key for key in _tested(statement) if key != mutant.tested]
        # Without its conditions a denial would hold more, not less.
        if statement.get("Effect") == "Allow" and others:
            named = f"{sid} still asks for {', '.join(others)}"
            yield aside(named, unbound)
            if on_bucket:
                yield aside(named, alone, unbound)
        roles = tuple(self._roles(mutant))
        if roles and statement.get("Effect") == "Deny":
            yield from self._beside(mutant, roles)
        elif roles:
            yield _Aside(lambda on: self._widened(on, roles), "the boundary grants nothing of it")
        if roles and not only_denies(mutant, self._proofs.templates):
            kept = "no code is ever given the credentials of the role"
            yield _Aside(lambda on: _held(on, roles), kept)

    def _beside(self, mutant: Mutant, roles: Sequence[Name]) -> Iterator[_Aside]:
        """What may back a denial of roles: their other denials, and a boundary that grants nothing of it."""

        def alone(on: Templates) -> Templates:
            return self._without_denials(on, roles, mutant)

        def widened(on: Templates) -> Templates:
            return self._widened(on, roles)

        yield _Aside(alone, "")
        yield _Aside(widened, "the boundary grants nothing of it")
        yield _Aside(lambda on: widened(alone(on)), "the boundary grants nothing of it")

    def _without_denials(self, on: Templates, roles: Sequence[Name], mutant: Mutant) -> Templates:
        """Templates where of all that roles are denied the mutated statement alone is left."""
        its = (mutant.stack, mutant.logical_id)
        for role in roles:
            for stack, logical_id in self._policies(role):

                def kept(document: Any, own: bool = (stack, logical_id) == its) -> Any:
                    left = [
                        each
                        for each in document["Statement"]
                        if each.get("Effect") != "Deny" or (own and each.get("Sid") == mutant.statement)
                    ]
                    return {**document, "Statement": left or [_NOTHING]}

                on = _at(on, (stack, logical_id, "Properties", "PolicyDocument"), [kept])
        return on

    def _widened(self, on: Templates, roles: Sequence[Name]) -> Templates:
        """Templates where the boundaries of roles grant everything that they do not deny."""
        widened: set[Name] = set()
        for stack, logical_id in roles:
            role = self._proofs.templates[stack]["Resources"][logical_id]
            widened.update(
                named(role["Properties"].get("PermissionsBoundary"), stack, self._proofs.templates)
            )
        for each in sorted(widened):
            place = (*each, "Properties", "PolicyDocument")
            on = _at(on, place, [lambda given: {**given, "Statement": [*given["Statement"], _EVERYTHING]}])
        return on

    def _policies(self, role: Name) -> Iterator[Name]:
        """The managed policies that a role has, its boundary among them."""
        templates = self._proofs.templates
        for each in sorted(self._proofs.neighbours.of(role)):
            stack, logical_id = each
            if templates[stack]["Resources"][logical_id]["Type"] == "AWS::IAM::ManagedPolicy":
                yield each

    def _roles(self, mutant: Mutant) -> Iterator[tuple[str, str]]:
        """The roles that have a managed policy."""
        if mutant.type != "AWS::IAM::ManagedPolicy":
            return
        for stack, body in self._proofs.templates.items():
            for logical_id, resource in body["Resources"].items():
                if resource["Type"] == "AWS::IAM::Role":
                    both = ((stack, logical_id), (mutant.stack, mutant.logical_id))
                    theirs = set(named(resource, stack, self._proofs.templates))
                    policy = self._proofs.templates[mutant.stack]["Resources"][mutant.logical_id]
                    its = set(named(policy, mutant.stack, self._proofs.templates))
                    if both[1] in theirs or both[0] in its:
                        yield stack, logical_id


def _document(mutant: Mutant) -> Path | None:
    """Where the document is that a mutant changes a statement of."""
    return mutant.path[: mutant.path.index("Statement")] if "Statement" in mutant.path else None


def _get(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def _tested(statement: Mapping[str, Any]) -> list[str]:
    """The keys that a statement's conditions ask about."""
    return sorted({key for block in statement.get("Condition", {}).values() for key in block})


def _at(templates: Templates, place: Sequence[Any], changes: Sequence[Callable[[Any], Any]]) -> Templates:
    stack, *path = place
    body = templates[stack]
    resources = _changed(body["Resources"], path, changes)
    return {**templates, stack: {**body, "Resources": resources}}


def _changed(value: Any, path: Sequence[Any], changes: Sequence[Callable[[Any], Any]]) -> Any:
    if not path:
        for change in changes:
            value = change(value)
        return value
    if isinstance(value, list):
        return [_changed(item, path[1:], changes) if i == path[0] else item for i, item in enumerate(value)]
    return {**value, path[0]: _changed(value[path[0]], path[1:], changes)}


def _unbound(statement: Mapping[str, Any], sid: str, tested: str) -> Mapping[str, Any]:
    """A statement with no condition but those on one key."""
    if statement.get("Sid") != sid or "Condition" not in statement:
        return statement
    tests = {
        operator: {key: value for key, value in block.items() if key == tested}
        for operator, block in statement["Condition"].items()
    }
    kept = {operator: block for operator, block in tests.items() if block}
    without = {name: value for name, value in statement.items() if name != "Condition"}
    return {**without, "Condition": kept} if kept else without


def _held(templates: Templates, roles: Sequence[tuple[str, str]]) -> Templates:
    for stack, logical_id in roles:
        place = (stack, logical_id, "Properties", "AssumeRolePolicyDocument")
        templates = _at(templates, place, [lambda _: _HANDS_OUT])
    return templates
