"""Writes the decision about a whole set of requests as one formula.

Principal and action are settled here in Python. What stays open is which region (see `languages`) the
resource and each context key is in: one Boolean each. Whether a condition holds in a region is asked of the
very functions that decide concrete requests, and the order of evaluation is `order.allowed`, so the formula
means what `evaluate` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

import z3

from secure_ml_constructs.verification.proofs.iam.conditions import (
    absent_holds,
    value_holds,
)
from secure_ml_constructs.verification.proofs.iam.documents import Condition, Kind
from secure_ml_constructs.verification.proofs.iam.domains import Domains, Values, is_list, regions
from secure_ml_constructs.verification.proofs.iam.languages import Language, witnesses
from secure_ml_constructs.verification.proofs.iam.matching import (
    Named,
)
from secure_ml_constructs.verification.proofs.iam.order import BOOLEAN, Logic, Parts, Ways, allowed
from secure_ml_constructs.verification.proofs.iam.patterns import (
    ANY,
    Context,
    Value,
    fill_in,
    is_arn,
    matches,
    segments,
    tokens,
)
from secure_ml_constructs.verification.proofs.iam.policies import Policies
from secure_ml_constructs.verification.proofs.iam.requests import Principal
from secure_ml_constructs.verification.proofs.iam.subjects import Subject, beginning, covers, only_resource
from secure_ml_constructs.verification.proofs.iam.ternary import Ternary, Unknown

T = TypeVar("T")
_CONTEXT = z3.main_ctx()
TRUE, FALSE = z3.BoolVal(True), z3.BoolVal(False)


def _every(parts: Sequence[z3.BoolRef]) -> z3.BoolRef:
    kept = [part for part in parts if part is not TRUE]
    if any(part is FALSE for part in kept):
        return FALSE
    return kept[0] if len(kept) == 1 else _joined(z3.Z3_mk_and, kept) if kept else TRUE


def _some(parts: Sequence[z3.BoolRef]) -> z3.BoolRef:
    kept = [part for part in parts if part is not FALSE]
    if any(part is TRUE for part in kept):
        return TRUE
    return kept[0] if len(kept) == 1 else _joined(z3.Z3_mk_or, kept) if kept else FALSE


def _joined(connective: Any, parts: Sequence[z3.BoolRef]) -> z3.BoolRef:
    # z3.And and z3.Or look for sorts and contexts to agree, which takes longer than solving.
    terms = (z3.Ast * len(parts))(*(part.as_ast() for part in parts))
    return z3.BoolRef(connective(_CONTEXT.ref(), len(parts), terms), _CONTEXT)


def _not(part: z3.BoolRef) -> z3.BoolRef:
    if part is TRUE or part is FALSE:
        return FALSE if part is TRUE else TRUE
    return z3.BoolRef(z3.Z3_mk_not(_CONTEXT.ref(), part.as_ast()), _CONTEXT)


def _at_most_one(parts: Sequence[z3.BoolRef]) -> z3.BoolRef:
    terms = (z3.Ast * len(parts))(*(part.as_ast() for part in parts))
    return z3.BoolRef(z3.Z3_mk_atmost(_CONTEXT.ref(), len(parts), terms, 1), _CONTEXT)


def refusal(label: z3.BoolRef, term: z3.BoolRef) -> z3.BoolRef:
    """Write that a Deny, where it is looked at, does not apply."""
    return _some([_not(label), _not(term)])


def insist(solver: z3.Solver, terms: Iterable[z3.BoolRef]) -> None:
    """Let the solver hold each of the terms."""
    for term in terms:
        z3.Z3_solver_assert(_CONTEXT.ref(), solver.solver, term.as_ast())


@lru_cache(maxsize=8192)
def variable(name: str) -> z3.BoolRef:
    """Give the Boolean of a name."""
    return z3.Bool(name)


LOGIC: Logic[z3.BoolRef] = Logic(_every, _some, _not)


@dataclass
class Open:
    """A thing that is left open, and the regions it may be in.

    Attributes:
        texts: A text for each region.
        chosen: Whether it is in the region.
        many: Whether it may be in several at once, as a list of values.
        absent: Whether it may be in none.
    """

    texts: tuple[str, ...]
    chosen: list[z3.BoolRef]
    many: bool = False
    absent: bool = True


@dataclass
class Encoding:
    """A set of requests as a formula.

    Attributes:
        limits: What holds of every request of the set.
        keys: The context keys that matter.
        resource: The resource.
        unclear: Why some parts could not be encoded; they are taken as unknown.
    """

    domains: Domains
    fixed: Context
    limits: list[z3.BoolRef] = field(default_factory=list)
    keys: dict[str, Open] = field(default_factory=dict)
    resource: Open = field(default_factory=lambda: Open((), []))
    unclear: dict[str, Unknown] = field(default_factory=dict)

    def request(self, model: z3.ModelRef) -> tuple[str, dict[str, Value]]:
        """Read resource and context out of a solution."""
        context: dict[str, Value] = {}
        for key, each in self.keys.items():
            found = [t for t, b in zip(each.texts, each.chosen, strict=True) if z3.is_true(model.eval(b))]
            if found:
                context[key] = tuple(found) if each.many else found[0]
        chosen = zip(self.resource.texts, self.resource.chosen, strict=True)
        return next(t for t, b in chosen if z3.is_true(model.eval(b))), context


def open_up(found: Iterable[Subject], domains: Domains) -> Encoding | Unknown:
    """Cut the resource and every key that matters into regions."""
    made = Encoding(domains, domains.fixed())
    lines: dict[str, list[Condition]] = {}
    for subject in found:
        for condition in subject.conditions:
            lines.setdefault(condition.key, []).append(condition)
    for key, conditions in lines.items():
        values = domains.of(key)
        texts = regions(key, conditions, domains, made.fixed)
        if isinstance(texts, Unknown):
            made.unclear[key] = texts
            texts = ()
        elif not texts and not values.absent:
            return Unknown(f"no value is left for {key}")
        _add(made, key, texts, values)
    texts = _resources(found, domains, made.fixed)
    if not texts:
        return Unknown(f"no resource is like {domains.resource}")
    chosen = [variable(f"resource {index}") for index in range(len(texts))] if len(texts) > 1 else [TRUE]
    made.resource = Open(texts, chosen)
    if len(texts) > 1:
        made.limits += [_at_most_one(chosen), _some(chosen)]
    return made


def _add(made: Encoding, key: str, texts: tuple[str, ...], values: Values) -> None:
    if key in made.unclear:
        made.keys[key] = Open((), [])
        return
    if values.exactly is not None:
        made.keys[key] = Open(texts, [TRUE] * len(texts), is_list(key, values), absent=not texts)
        return
    chosen = [variable(f"{key} {index}") for index in range(len(texts))]
    made.keys[key] = Open(texts, chosen, is_list(key, values), values.absent)
    if not is_list(key, values) and len(chosen) > 1:
        made.limits.append(_at_most_one(chosen))
    if not values.absent:
        made.limits.append(_some(chosen))


def _resources(found: Iterable[Subject], domains: Domains, fixed: Context) -> tuple[str, ...]:
    if only_resource(domains) is not None:
        return (domains.resource,)
    asked = fill_in(tokens(domains.resource, variables=False), {})
    assert isinstance(asked, tuple)
    languages = [Language(asked), Language(asked, by_segment=True)]
    for subject in found:
        for written in subject.statement.resources or ():
            if isinstance(written, Unknown) or domains.leaves_open(written):
                continue
            pattern = fill_in(written, fixed)
            if not isinstance(pattern, tuple) or pattern == ANY:
                continue
            languages.append(Language(pattern))
            if len(segments(pattern)) == 6 and any(
                not isinstance(t, str) for p in segments(pattern)[:5] for t in p
            ):
                languages.append(Language(pattern, by_segment=True))
    texts = witnesses(languages, beginning(domains.resource))
    return tuple(text for text in texts if is_arn(text) and matches(asked, text))


def formula(
    policies: Policies, found: Sequence[Subject], made: Encoding, which: Ways, public: Ternary, favour: bool
) -> tuple[z3.BoolRef, list[tuple[Subject, z3.BoolRef]]]:
    """Write when a request is allowed.

    Args:
        policies: The documents.
        found: Their statements that matter.
        made: What is left open.
        which: The ways to an Allow.
        public: Whether the bucket's policy is public.
        favour: Whether what is unknown is taken in the request's favour, or against it.

    Returns:
        The formula without the Denies, and each Deny with the formula of when it applies.
    """
    denies: list[tuple[Subject, z3.BoolRef]] = []
    allows: list[tuple[Subject, z3.BoolRef]] = []
    for subject in found:
        lenient = subject.statement.allow == favour
        term = _statement(subject, made, lenient)
        if term is not FALSE:
            (allows if subject.statement.allow else denies).append((subject, term))
    is_public = TRUE if public is True or (public is not False and not favour) else FALSE
    return _granted(policies, allows, made.domains.principal, which, is_public, LOGIC), denies


def may_be_granted(
    policies: Policies, found: Sequence[Subject], domains: Domains, which: Ways, public: Ternary
) -> bool:
    """Whether a request could be allowed if each statement that is left allowed it."""
    allows = [(subject, True) for subject in found if subject.statement.allow]
    return _granted(policies, allows, domains.principal, which, public is True, BOOLEAN)


def _granted(
    policies: Policies,
    allows: Iterable[tuple[Subject, T]],
    principal: Principal,
    which: Ways,
    public: T,
    logic: Logic[T],
) -> T:
    """When a request is granted, the Denies aside."""
    by_name: dict[tuple[Kind, Named], list[T]] = {}
    by_document: dict[int, list[T]] = {}
    for subject, term in allows:
        by_name.setdefault((subject.document.kind, subject.named), []).append(term)
        by_document.setdefault(id(subject.document), []).append(term)

    def said(kind: Kind, named: Named = Named.DIRECT) -> T:
        return logic.some(by_name.get((kind, named), []))

    limited = principal.has_policies
    bound = principal.in_account and not principal.service_linked
    parts = Parts(
        denied=[],
        scps=[
            logic.some([term for document in level for term in by_document.get(id(document), ())])
            for level in policies.scps
            if bound and any(document.grants for document in level)
        ],
        endpoint=None if policies.endpoint is None else said(Kind.ENDPOINT),
        boundary=said(Kind.BOUNDARY) if limited and policies.boundary is not None else None,
        session=said(Kind.SESSION) if limited and policies.session is not None else None,
        identity=said(Kind.IDENTITY),
        direct=said(Kind.RESOURCE),
        role=said(Kind.RESOURCE, Named.ROLE),
        account=said(Kind.RESOURCE, Named.ACCOUNT),
        public=public,
    )
    return allowed(parts, which, logic)


def _holds(found: Ternary, lenient: bool) -> bool:
    return found is True or (lenient and found is not False)


def _statement(subject: Subject, made: Encoding, lenient: bool) -> z3.BoolRef:
    if not _holds(subject.holds, lenient):
        return FALSE
    parts = [_line(condition, made, lenient) for condition in subject.conditions]
    if subject.names_resource:
        fits = [
            chosen
            for text, chosen in zip(made.resource.texts, made.resource.chosen, strict=True)
            if _holds(covers(subject.statement, text, made.domains, made.fixed), lenient)
        ]
        if len(fits) < len(made.resource.texts):
            parts.append(_some(fits))
    return _every(parts)


def _line(condition: Condition, made: Encoding, lenient: bool) -> z3.BoolRef:
    operator = condition.operator
    key = made.keys[condition.key]
    if operator is None or condition.key in made.unclear:
        return TRUE if lenient else FALSE
    present = TRUE if not key.absent else _some(key.chosen)
    if operator.family == "null":
        wanted = {
            "".join(p for p in v if isinstance(p, str)).lower()
            for v in condition.values
            if isinstance(v, tuple)
        }
        known = wanted <= {"true", "false"} and all(isinstance(value, tuple) for value in condition.values)
        if not known:
            return TRUE if lenient else FALSE
        return _some([present] * ("false" in wanted) + [_not(present)] * ("true" in wanted))
    when_absent = _every([_not(present), TRUE if _holds(absent_holds(condition), lenient) else FALSE])
    if key.many and not condition.quantifier:
        return _some([when_absent, _every([present, TRUE if lenient else FALSE])])
    good: list[z3.BoolRef] = []
    bad: list[z3.BoolRef] = []
    is_open = any(
        made.domains.leaves_open(written) for written in condition.values if not isinstance(written, Unknown)
    )
    for text, chosen in zip(key.texts, key.chosen, strict=True):
        # A policy variable that may have any value makes it unknown.
        holds = lenient if is_open else _holds(value_holds(condition, text, made.fixed), lenient)
        (good if holds else bad).append(chosen)
    if condition.quantifier == "forallvalues":
        return _every([_not(each) for each in bad])
    # What every value comes to needs no formula.
    if not bad and (not key.absent or when_absent is not FALSE):
        return TRUE
    return _some([*good, when_absent])
