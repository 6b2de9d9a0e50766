"""Condition blocks: absent keys, `IfExists`, sets of values, negation.

IAM User Guide, "IAM JSON policy elements: Condition operators" and "Set operators for multivalued context
keys": a negated operator holds where no value of the policy matches, also where the key is absent.
"""

from __future__ import annotations

from collections.abc import Iterable

from secure_ml_constructs.verification.proofs.iam.documents import Condition
from secure_ml_constructs.verification.proofs.iam.operators import holds
from secure_ml_constructs.verification.proofs.iam.patterns import Context, Value, fill_in
from secure_ml_constructs.verification.proofs.iam.ternary import Ternary, Unknown, every, negation, some


def condition_holds(condition: Condition, context: Context) -> Ternary:
    """Whether one line of a Condition block holds for a context."""
    return holds_for(condition, context.get(condition.key), context)


def holds_for(condition: Condition, given: Value | None, context: Context) -> Ternary:
    """Whether one line holds when its key has a given value.

    Args:
        condition: The line.
        given: The key's value or values; None or nothing where it is absent.
        context: The context that fills the policy variables in.
    """
    operator = condition.operator
    if operator is None:
        return Unknown(f"there is no operator {condition.written}")
    if operator.family == "null":
        return _null(condition, absent=not given)
    if not given:
        return absent_holds(condition)
    if condition.quantifier:
        values = given if isinstance(given, tuple) else (given,)
        if not any(values):
            # "… or resolves to a null data set, such as an empty string".
            return Unknown(f"{condition.key} is empty")
        each: Iterable[Ternary] = (value_holds(condition, value, context) for value in values)
        return every(each) if condition.quantifier == "forallvalues" else some(each)
    if isinstance(given, tuple):
        return Unknown(f"{condition.written} without ForAnyValue or ForAllValues on the list {condition.key}")
    return value_holds(condition, given, context)


def absent_holds(condition: Condition) -> Ternary:
    """Whether a line, other than one of Null, holds where its key is absent."""
    assert condition.operator
    if condition.quantifier == "forallvalues":
        return True
    if condition.quantifier == "foranyvalue":
        # "IfExists" and "ForAnyValue" contradict one another here, and no page says which one wins.
        return Unknown("ForAnyValue with IfExists on an absent key") if condition.if_exists else False
    return condition.if_exists or condition.operator.negated


def value_holds(condition: Condition, value: str, context: Context) -> Ternary:
    """Whether a line holds for one value of its key."""
    if condition.variables:
        return _compare(condition, value, context)
    known = condition.compared.get(value)
    if known is None:
        known = condition.compared[value] = _compare(condition, value, context)
    return known


def _compare(condition: Condition, value: str, context: Context) -> Ternary:
    operator = condition.operator
    assert operator
    found: list[Ternary] = []
    for written in condition.values:
        if isinstance(written, Unknown):
            found.append(written)
            continue
        wanted = fill_in(written, context)
        if isinstance(wanted, Unknown):
            found.append(wanted)
        elif wanted is None:
            # "Policy variables with no value": nothing is equal to or like it.
            found.append(False)
        else:
            found.append(holds(operator, wanted, value))
    result = some(found)
    return negation(result) if operator.negated else result


def _null(condition: Condition, *, absent: bool) -> Ternary:
    found: list[Ternary] = []
    for written in condition.values:
        if isinstance(written, Unknown):
            found.append(written)
            continue
        text = "".join(part for part in written if isinstance(part, str)).lower()
        if text not in ("true", "false"):
            found.append(Unknown(f"{text!r} under Null"))
        else:
            found.append((text == "true") == absent)
    return some(found)
