"""The part of the configuration file about models that are watched."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from secure_ml_constructs.environment.network_config import Section
from secure_ml_constructs.monitoring import (
    Baseline,
    Bias,
    DataQuality,
    Explainability,
    Facet,
    Layout,
    ModelMonitor,
    ModelQuality,
    ModelSchema,
    OpenMonitor,
    Predictions,
    Retrain,
    RollBack,
    Schedule,
)
from secure_ml_constructs.monitoring.open_monitor import PushedImage
from secure_ml_constructs.monitoring.plan import Engine
from secure_ml_constructs.monitoring.responses import Response
from secure_ml_constructs.monitoring.schema import ModelKind


class LayoutSection(Section):
    """Where the values of a request or an answer are."""

    columns: tuple[str, ...] = ()
    header: bool = False
    records: str = Field(default="", description="In JSON, the dotted path of the list of records.")
    values: str = Field(default="", description="In a JSON record, the dotted path of its values.")

    def value(self) -> Layout:
        """Give the layout."""
        return Layout(**self.model_dump())


class SchemaSection(Section):
    """What the model is asked and says."""

    kind: Literal["binary", "multiclass", "regression"]
    request: LayoutSection = LayoutSection()
    answer: LayoutSection = LayoutSection()
    prediction: str = Field(default="", description="The value of an answer that is the class or the number.")
    probabilities: tuple[str, ...] = Field(
        default=(), description="In the order of the classes; of two, that of the second is enough."
    )
    classes: tuple[str, ...] = ("0", "1")
    threshold: float = 0.5
    ignore: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()

    def value(self) -> ModelSchema:
        """Give the schema."""
        given = self.model_dump(exclude={"kind", "request", "answer", "prediction"})
        named = self.prediction or ("" if self.probabilities else "prediction")
        return ModelSchema(
            kind=ModelKind(self.kind),
            request=self.request.value(),
            answer=self.answer.value(),
            prediction=named,
            **given,
        )


class BaselineSection(Section):
    """What the model is compared with."""

    zone: str
    path: str = Field(description="A .csv with names, .parquet or .jsonl, or a folder of one kind.")
    label: str = ""
    columns: tuple[str, ...] = ()

    def value(self) -> Baseline:
        """Give the baseline."""
        return Baseline.of_dataset(**self.model_dump())


class PredictionsSection(Section):
    """What is unusual of predictions and of who asks for them."""

    confidence: float = 0.6
    low_confidence: float = 0.1
    entropy: float = 0.05
    class_share: float = 0.1
    alike: int = 100


class DataQualitySection(Section):
    """How much requests and predictions may change."""

    drift: float = 0.1
    missing: float = 0.02
    unreadable: float = 0.01
    out_of_range: float = 0.01
    damaged: float = 0.01
    least_rows: int = 100
    false_alarm_rate: float = 0.01
    predictions: PredictionsSection = PredictionsSection()

    def value(self) -> DataQuality:
        """Give it."""
        given = self.model_dump(exclude={"predictions"})
        return DataQuality(**given, predictions=Predictions(**self.predictions.model_dump()))


class ModelQualitySection(Section):
    """Where the truth comes to."""

    ground_truth: str = Field(description="A folder in the zone of the captures.")
    after_hours: int = 24
    fall: float = 0.05
    rise: float = 0.1

    def value(self) -> ModelQuality:
        """Give it."""
        return ModelQuality(**self.model_dump())


class FacetSection(Section):
    """A group that the model must not treat worse than the rest."""

    column: str
    values: tuple[str, ...] = ()
    above: float | None = None
    disparate_impact: float | None = None


class BiasSection(Section):
    """Which groups are compared."""

    facets: tuple[FacetSection, ...]
    difference: float = 0.1

    def value(self) -> Bias:
        """Give it."""
        facets = [Facet(**each.model_dump()) for each in self.facets]
        return Bias(facets=facets, difference=self.difference)


class ExplainabilitySection(Section):
    """Which attributions answers carry."""

    attributions: dict[str, str]
    agreement: float = 0.9

    def value(self) -> Explainability:
        """Give it."""
        return Explainability(**self.model_dump())


class RetrainSection(Section):
    """A pipeline that violations start."""

    pipeline_arn: str
    parameters: dict[str, str] = Field(default_factory=dict)

    def value(self) -> Retrain:
        """Give it."""
        return Retrain(**self.model_dump())


class ModelMonitorSection(Section):
    """SageMaker Model Monitor in place of OpenMonitor, in an account that has it."""

    baselines: str = Field(description="The folder with its baselines, in the zone of the baseline.")
    model_name: str = ""
    analyzer_image: str = ""
    clarify_image: str = ""

    def value(self) -> ModelMonitor:
        """Give the engine."""
        return ModelMonitor(**self.model_dump())


class WatchSection(Section):
    """How a model is watched."""

    data_schema: SchemaSection = Field(description="What the model is asked and says.")
    baseline: BaselineSection
    data_quality: DataQualitySection = DataQualitySection()
    model_quality: ModelQualitySection | None = None
    bias: BiasSection | None = None
    explainability: ExplainabilitySection | None = None
    every_hours: int = Field(default=24, description="1, 2, 3, 4, 6, 8, 12 or 24.")
    at_hour: int | None = Field(default=None, description="Of daily runs, in UTC. Default: 2.")
    instance_type: str = "ml.m5.xlarge"
    model_monitor: ModelMonitorSection | None = Field(default=None, description="Default: OpenMonitor.")
    retrain: RetrainSection | None = None
    roll_back: bool = Field(default=False, description="Go back to the model's fallback by itself.")

    def schedule(self) -> Schedule:
        """Give when."""
        if self.every_hours == 24:
            return Schedule.daily(hour=2 if self.at_hour is None else self.at_hour)
        return Schedule(hours=self.every_hours, hour=self.at_hour or 0)

    def responses(self, fallback: str) -> tuple[Response, ...]:
        """Give what violations start.

        Args:
            fallback: The configuration that a rollback goes to.
        """
        made: list[Response] = []
        if self.retrain:
            made.append(self.retrain.value())
        if self.roll_back:
            made.append(RollBack(to=fallback))
        return tuple(made)

    def engine(self, image: PushedImage | str) -> Engine:
        """Give what looks.

        Args:
            image: The image of OpenMonitor.
        """
        if self.model_monitor:
            return self.model_monitor.value()
        return OpenMonitor(image=image, instance_type=self.instance_type)

    def told(self) -> dict[str, Any]:
        """Give what `GuardedEndpoint.watch` is told, but for engine and responses."""
        return {
            "schema": self.data_schema.value(),
            "baseline": self.baseline.value(),
            "data_quality": self.data_quality.value(),
            "model_quality": self.model_quality.value() if self.model_quality else None,
            "bias": self.bias.value() if self.bias else None,
            "explainability": self.explainability.value() if self.explainability else None,
            "schedule": self.schedule(),
        }


class MonitorSection(Section):
    """The image that looks at models, where OpenMonitor does: built here, or one of yours."""

    base: str | None = Field(default=None, description="What it is built from, with Python 3.13, by digest.")
    image: str | None = Field(default=None, description="One that is there already, by digest.")

    @model_validator(mode="after")
    def _one(self) -> MonitorSection:
        if (self.base is None) == (self.image is None):
            raise ValueError("give either base, which an image is built from, or image")
        return self
