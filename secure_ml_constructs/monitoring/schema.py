"""What a model is asked and what it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from secure_ml_constructs.errors import Problems

__all__ = ["Layout", "ModelKind", "ModelSchema"]


class ModelKind(StrEnum):
    """What a model says."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where the values of a request or an answer are.

    Args:
        columns: Names of the values, in order. Default: of requests, those of the baseline; of answers, those
            that the schema names.
        header: CSV begins with a line of names. Default: no.
        records: In JSON, the dotted path of the list of records. Default: the payload is that list.
        values: In a JSON record, the dotted path of its values. Default: the record holds them itself.

    Example:
        >>> request = Layout(columns=("age", "dose"), records="instances")
    """

    columns: Sequence[str] = ()
    header: bool = False
    records: str = ""
    values: str = ""


_PLAIN = Layout()


@dataclass(frozen=True, kw_only=True)
class ModelSchema:
    """What a model is asked and what it says: made by `binary`, `multiclass` or `regression`.

    Args:
        kind: What it says.
        request: Where the features are in a request.
        answer: Where predictions are in an answer.
        prediction: The value of an answer that is the class or the number.
        probabilities: The values that are probabilities, in the order of `classes`; of two classes, that of
            the second is enough.
        classes: What it tells apart.
        threshold: From which probability an answer is positive, 0 to 1; from which value a number is.
        ignore: Columns that are not watched, as those that name a person.
        categorical: Columns whose numbers are codes.

    Raises:
        ConfigurationError: Names that contradict one another.

    Example:
        >>> schema = ModelSchema.binary(
        ...     probability="risk", classes=("well", "ill"), request=Layout(columns=("age", "dose"))
        ... )
        >>> schema.positive
        'ill'
    """

    kind: ModelKind
    request: Layout = field(default_factory=Layout)
    answer: Layout = field(default_factory=Layout)
    prediction: str = ""
    probabilities: Sequence[str] = ()
    classes: Sequence[str] = ("0", "1")
    threshold: float = 0.5
    ignore: Sequence[str] = ()
    categorical: Sequence[str] = ()

    def __post_init__(self) -> None:
        problems = Problems()
        for name in ("probabilities", "classes", "ignore", "categorical"):
            _check_names(problems, name, getattr(self, name))
        for name in ("request", "answer"):
            _check_names(problems, f"{name}.columns", getattr(self, name).columns)
        problems.raise_if_any("ModelSchema")
        self._check_answer(problems)
        columns = tuple(self.request.columns)
        for name in ("ignore", "categorical"):
            for index, each in enumerate(getattr(self, name)):
                if columns and each not in columns:
                    reason = "The request has no such column."
                    problems.add(f"{name}[{index}]", each, reason, f"Write one of {', '.join(columns)}.")
        problems.raise_if_any("ModelSchema")

    @classmethod
    def binary(
        cls,
        *,
        probability: str = "",
        prediction: str = "",
        classes: Sequence[str] = ("0", "1"),
        threshold: float = 0.5,
        request: Layout = _PLAIN,
        answer: Layout = _PLAIN,
        ignore: Sequence[str] = (),
        categorical: Sequence[str] = (),
    ) -> ModelSchema:
        """Describe a model that tells two classes apart.

        Args:
            probability: The value of an answer that is the probability of the second class.
            prediction: The value that is the class. Default: what the probability says.
            classes: The two, that whose rate is compared as the second. Default: `0` and `1`.
            threshold: From which probability an answer is the second class, 0 to 1. Default: 0.5.
            request: Where the features are in a request. Default: as the baseline has them.
            answer: Where predictions are in an answer. Default: as they are named here.
            ignore: Columns that are not watched. Default: none.
            categorical: Columns whose numbers are codes. Default: none.
        """
        return cls(
            kind=ModelKind.BINARY,
            prediction=prediction or ("" if probability else "prediction"),
            probabilities=(probability,) if probability else (),
            classes=classes,
            threshold=threshold,
            request=request,
            answer=answer,
            ignore=ignore,
            categorical=categorical,
        )

    @classmethod
    def multiclass(
        cls,
        *,
        classes: Sequence[str],
        probabilities: Sequence[str] = (),
        prediction: str = "",
        request: Layout = _PLAIN,
        answer: Layout = _PLAIN,
        ignore: Sequence[str] = (),
        categorical: Sequence[str] = (),
    ) -> ModelSchema:
        """Describe a model that tells several classes apart.

        Args:
            classes: What it tells apart, that whose rate is compared as the last.
            probabilities: The values of an answer that are their probabilities, in the same order.
            prediction: The value that is the class. Default: the likeliest.
            request: Where the features are in a request. Default: as the baseline has them.
            answer: Where predictions are in an answer. Default: as they are named here.
            ignore: Columns that are not watched. Default: none.
            categorical: Columns whose numbers are codes. Default: none.
        """
        return cls(
            kind=ModelKind.MULTICLASS,
            prediction=prediction or ("" if probabilities else "prediction"),
            probabilities=probabilities,
            classes=classes,
            request=request,
            answer=answer,
            ignore=ignore,
            categorical=categorical,
        )

    @classmethod
    def regression(
        cls,
        *,
        prediction: str = "prediction",
        threshold: float = 0.5,
        request: Layout = _PLAIN,
        answer: Layout = _PLAIN,
        ignore: Sequence[str] = (),
        categorical: Sequence[str] = (),
    ) -> ModelSchema:
        """Describe a model that says a number.

        Args:
            prediction: The value of an answer that is the number.
            threshold: From which value an answer counts as positive, where groups are compared.
            request: Where the features are in a request. Default: as the baseline has them.
            answer: Where predictions are in an answer. Default: as they are named here.
            ignore: Columns that are not watched. Default: none.
            categorical: Columns whose numbers are codes. Default: none.
        """
        return cls(
            kind=ModelKind.REGRESSION,
            prediction=prediction,
            threshold=threshold,
            request=request,
            answer=answer,
            ignore=ignore,
            categorical=categorical,
        )

    @property
    def positive(self) -> str:
        """The class whose rates are compared."""
        return self.classes[-1]

    @property
    def outputs(self) -> tuple[str, ...]:
        """The values of an answer that are read."""
        return tuple(dict.fromkeys(name for name in (self.prediction, *self.probabilities) if name))

    def _check_answer(self, problems: Problems) -> None:
        if not self.outputs:
            problems.add(
                "prediction", "", "Nothing says what the answer is.", "Name the prediction or probabilities."
            )
        if self.kind is ModelKind.REGRESSION:
            if self.probabilities:
                problems.add("probabilities", self.probabilities, "A number has none.", "Leave it out.")
        else:
            least = 2 if self.kind is ModelKind.BINARY else 3
            if len(self.classes) < least or (least == 2 and len(self.classes) > 2):
                fix = "Name two." if least == 2 else "Name three or more, or use binary()."
                problems.add("classes", self.classes, f"This is no {self.kind} model.", fix)
            wanted = {len(self.classes), 1} if self.kind is ModelKind.BINARY else {len(self.classes)}
            if self.probabilities and len(self.probabilities) not in wanted:
                problems.add(
                    "probabilities", self.probabilities, "Not one for each class.", "Name one for each class."
                )
            if not 0 < self.threshold < 1:
                problems.add("threshold", self.threshold, "No probability.", "Write between 0 and 1.")
        named = tuple(self.answer.columns)
        for each in self.outputs:
            if named and each not in named:
                problems.add("answer.columns", named, f"{each!r} is not among them.", "Name it in its place.")


def _check_names(problems: Problems, argument: str, given: Sequence[str]) -> None:
    if isinstance(given, str):
        problems.add(argument, given, "One string where a list belongs.", f"Write ({given!r},).")
        return
    for index, each in enumerate(given):
        if not each or not isinstance(each, str):
            problems.add(f"{argument}[{index}]", each, "No name.", "Write a text.")
        elif each in given[:index]:
            problems.add(f"{argument}[{index}]", each, "It is there twice.", "Leave one out.")


def columns_of(schema: Mapping[str, Any], layout: Layout) -> tuple[str, ...] | None:
    """Give the fields of a record by the JSON schema of a request, or None where it does not say.

    Args:
        schema: The schema, as the door validates by it.
        layout: Where the records are.
    """
    found = _resolved(schema, schema)
    for name in _path(layout.records):
        found = _resolved(schema, found.get("properties", {}).get(name, {}))
    items = found.get("items")
    if isinstance(items, Mapping):
        found = _resolved(schema, items)
    for name in _path(layout.values):
        found = _resolved(schema, found.get("properties", {}).get(name, {}))
    fields = found.get("properties")
    return tuple(fields) if isinstance(fields, Mapping) and fields else None


def _path(text: str) -> Iterator[str]:
    return (each for each in text.split(".") if each)


def _resolved(schema: Mapping[str, Any], part: Any) -> Mapping[str, Any]:
    seen = 0
    while isinstance(part, Mapping) and isinstance(part.get("$ref"), str) and seen < 20:
        target: Any = schema
        for name in part["$ref"].removeprefix("#").strip("/").split("/"):
            target = target.get(name, {}) if isinstance(target, Mapping) else {}
        part, seen = target, seen + 1
    return part if isinstance(part, Mapping) else {}
