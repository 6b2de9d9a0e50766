"""What the job is told: one JSON file, refused with every reason at once."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec


class SettingsError(ValueError):
    """The settings can't be used.

    Attributes:
        problems: Each with its place in the file.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Layout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the values of a payload are.

    Attributes:
        columns: Names of the values of a CSV line or a JSON array, in order.
        header: CSV payloads begin with a line of names.
        records: In JSON, the dotted path of the list of records; empty where the payload is that list.
        values: In a JSON record, the dotted path of its values; empty where the record itself holds them.
    """

    columns: tuple[str, ...] = ()
    header: bool = False
    records: str = ""
    values: str = ""


class Facet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group that a model must not treat worse than the rest.

    Attributes:
        column: A column of the input.
        values: The group's values, for a column of categories.
        above: The group are those above it, for a column of numbers.
        disparate_impact: The lowest ratio of positive rates, group to rest, whatever it was in the baseline.
    """

    column: str
    values: tuple[str, ...] = ()
    above: float | None = None
    disparate_impact: float | None = None

    @property
    def name(self) -> str:
        """How reports call it."""
        return f"{self.column}={'|'.join(self.values)}" if self.values else f"{self.column}>{self.above:g}"


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How large a change must be to matter; it must also be none of chance, see `false_alarm_rate`.

    Attributes:
        false_alarm_rate: The probability that a window of undisturbed traffic raises any violation.
        least_rows: What has fewer rows is not judged.
        drift: Distance of two distributions, 0 to 1: Kolmogorov-Smirnov of numbers, total variation of
            categories. Of inputs, predictions, confidence and entropy.
        missing: Rise in the share of missing values.
        unreadable: Rise in the share of values that are no numbers.
        out_of_range: Rise in the share of values outside what the baseline held.
        class_share: Change in a class's share of the predictions.
        confidence: A prediction whose likeliest class is less probable has low confidence.
        low_confidence: Rise in the share of such predictions.
        entropy: Change of the mean entropy of a prediction, in shares of the largest possible.
        quality: Fall of accuracy, F1, AUC or R2.
        error: Rise of MAE or RMSE, in shares of the baseline's.
        bias: Change in the difference of positive rates between a facet and the rest.
        attribution: Lowest agreement of the order of attributions with the baseline (NDCG).
        alike: So many nearly identical queries of one caller are probing.
        damaged: Share of lines that can't be read, or rows of another width, from which it is severe.
    """

    false_alarm_rate: float = 0.01
    least_rows: int = 100
    drift: float = 0.1
    missing: float = 0.02
    unreadable: float = 0.01
    out_of_range: float = 0.01
    class_share: float = 0.1
    confidence: float = 0.6
    low_confidence: float = 0.1
    entropy: float = 0.05
    quality: float = 0.05
    error: float = 0.1
    bias: float = 0.1
    attribution: float = 0.9
    alike: int = 100
    damaged: float = 0.01


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that the job is told.

    Attributes:
        kind: What the model says.
        endpoint: The endpoint's name, a dimension of the metrics.
        namespace: Of the metrics.
        input: Where the features are in a captured request. Without columns, the baseline's order.
        output: Where predictions are in a captured answer.
        prediction: The output column with the class or the number. May be left out where there are
            probabilities: then it is the likeliest class.
        probabilities: The output columns with probabilities, in the order of `classes`; for a binary model
            one column is enough, that of the positive class.
        classes: What the model tells apart.
        positive: The class whose rates are compared.
        threshold: From which probability a binary model's answer is positive; from which value a number is.
        label: The baseline's column with the truth.
        ignore: Columns of the baseline or the input that are not watched.
        categorical: Columns whose numbers are codes.
        attributions: For each feature that has one, the output column with its attribution.
        facets: Groups to compare.
        caller: The key of the caller in the captured custom attributes, which are `key=value` pairs, parted
            by semicolons or commas. Empty: the attributes as a whole are the caller.
        limits: How large a change must be to matter.
    """

    kind: Literal["binary", "multiclass", "regression"]
    endpoint: str = "endpoint"
    namespace: str = "SecureMl/OpenMonitor"
    input: Layout = Layout()
    output: Layout = Layout(columns=("prediction",))
    prediction: str = ""
    probabilities: tuple[str, ...] = ()
    classes: tuple[str, ...] = ("0", "1")
    positive: str = "1"
    threshold: float = 0.5
    label: str = ""
    ignore: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    attributions: dict[str, str] = msgspec.field(default_factory=dict)
    facets: tuple[Facet, ...] = ()
    caller: str = ""
    limits: Limits = Limits()

    @property
    def outputs(self) -> tuple[str, ...]:
        """The columns of an answer that are read."""
        named = (self.prediction, *self.probabilities, *self.attributions.values())
        return tuple(dict.fromkeys(name for name in named if name))

    def problems(self) -> list[str]:
        """Give what contradicts itself."""
        found = []
        if not self.prediction and not self.probabilities:
            found.append("$.prediction: name the output's column of predictions or of `probabilities`")
        if self.kind == "regression":
            if self.probabilities:
                found.append("$.probabilities: a regression has none")
            if not self.prediction:
                found.append("$.prediction: a regression needs it")
        else:
            if len(set(self.classes)) != len(self.classes) or len(self.classes) < 2:
                found.append("$.classes: name two or more, each once")
            if self.positive not in self.classes:
                found.append(f"$.positive: {self.positive!r} is none of the classes")
            wanted = {len(self.classes)} | ({1} if len(self.classes) == 2 else set())
            if self.probabilities and len(self.probabilities) not in wanted:
                found.append("$.probabilities: name a column for each class")
        if self.kind == "binary" and len(self.classes) != 2:
            found.append("$.classes: a binary model has two")
        missing = [name for name in self.outputs if self.output.columns and name not in self.output.columns]
        if missing:
            found.append(f"$.output.columns: {', '.join(missing)} is not among them")
        for number, facet in enumerate(self.facets):
            if bool(facet.values) == (facet.above is not None):
                found.append(f"$.facets[{number}]: give either `values` or `above`")
            if facet.column in self.ignore:
                found.append(f"$.facets[{number}].column: {facet.column} is ignored")
        for limit in msgspec.structs.fields(Limits):
            value = getattr(self.limits, limit.name)
            if limit.type is int:
                if value < 1:
                    found.append(f"$.limits.{limit.name}: {value} is not 1 or more")
            elif not 0 < value < 1:
                found.append(f"$.limits.{limit.name}: {value} is not between 0 and 1")
        return found


def read(path: Path) -> Settings:
    """Read the settings from a file.

    Raises:
        SettingsError: The file is missing, is no JSON, or says what can't be.
    """
    try:
        told = path.read_bytes()
    except OSError as error:
        raise SettingsError([f"{path}: {error.strerror}"]) from error
    return parse(told, str(path))


def parse(told: bytes | str, place: str) -> Settings:
    """Read the settings from a text.

    Args:
        told: JSON.
        place: Where it stood, for errors.

    Raises:
        SettingsError: It is no JSON, or says what can't be.
    """
    try:
        settings = msgspec.json.decode(told, type=Settings)
    except msgspec.DecodeError as error:
        raise SettingsError([f"{place}: {error}"]) from error
    if problems := settings.problems():
        raise SettingsError([f"{place}: {problem}" for problem in problems])
    return settings
