"""The metrics of a watch: what engines give and alarms and dashboards read, whichever engine it is."""

from __future__ import annotations

from enum import StrEnum

from secure_ml_constructs.detection.alarms import Metric

__all__ = [
    "ENDPOINT",
    "NAMESPACE",
    "SUBJECT",
    "SubjectMetric",
    "WatchMetric",
    "subject_metric",
    "watch_metric",
]

NAMESPACE = "SecureMl/ModelWatch"
#: The dimension of every metric: the endpoint's name.
ENDPOINT = "Endpoint"
#: The second dimension of those that a column, a class or a facet has of its own.
SUBJECT = "Subject"


class WatchMetric(StrEnum):
    """What is told of a run as a whole, with the dimension `Endpoint` alone."""

    #: 1 of a run that could judge requests and answers, whatever it found.
    COMPLETED = "Completed"
    #: 1 of a run that could not.
    FAILED = "Failed"
    #: 1 of a run that could compare answers with the truth.
    QUALITY_COMPLETED = "QualityCompleted"
    #: How many violations a run found, and by severity.
    VIOLATIONS = "Violations"
    HIGH_VIOLATIONS = "HighViolations"
    MEDIUM_VIOLATIONS = "MediumViolations"
    LOW_VIOLATIONS = "LowViolations"
    #: How many rows it judged, and what it could not read.
    ROWS = "Rows"
    CORRUPT_LINES = "CorruptLines"
    WRONG_WIDTH_ROWS = "WrongWidthRows"
    #: The share of predictions under the bound of confidence, 0 to 1.
    LOW_CONFIDENCE_SHARE = "LowConfidenceShare"
    #: How undecided predictions are, in shares of the largest entropy possible.
    MEAN_ENTROPY = "MeanEntropy"
    #: The most nearly identical queries of one caller.
    ALIKE_QUERIES = "AlikeQueries"
    #: How far the furthest went, in multiples of its limit.
    LARGEST_DRIFT = "LargestDrift"
    LARGEST_PREDICTION_DRIFT = "LargestPredictionDrift"
    LARGEST_MISSING = "LargestMissing"
    LARGEST_OUT_OF_RANGE = "LargestOutOfRange"
    LARGEST_CLASS_SHARE = "LargestClassShare"
    LARGEST_POSITIVE_RATE_DIFFERENCE = "LargestPositiveRateDifference"
    #: Quality, where the truth is known.
    ACCURACY = "Accuracy"
    F1 = "F1"
    AUC = "Auc"
    MAE = "Mae"
    RMSE = "Rmse"
    R2 = "R2"


class SubjectMetric(StrEnum):
    """What is told of one column, class or facet, with the dimensions `Endpoint` and `Subject`."""

    #: How far a column's distribution went, 0 to 1.
    DRIFT = "Drift"
    #: How far that of predictions, of confidence or of entropy went, 0 to 1.
    PREDICTION_DRIFT = "PredictionDrift"
    #: The share of a class among the predictions.
    CLASS_SHARE = "ClassShare"
    #: By how much a facet's positive rate differs from that of the rest.
    POSITIVE_RATE_DIFFERENCE = "PositiveRateDifference"
    #: The ratio of the two.
    DISPARATE_IMPACT = "DisparateImpact"


def watch_metric(endpoint: str, name: WatchMetric, statistic: str = "Maximum") -> Metric:
    """Give a metric of the whole, as alarms and dashboards take it.

    Args:
        endpoint: The endpoint's name.
        name: Which one.
        statistic: Of the runs within a period.
    """
    return Metric(namespace=NAMESPACE, name=name.value, dimensions={ENDPOINT: endpoint}, statistic=statistic)


def subject_metric(endpoint: str, name: SubjectMetric, subject: str, statistic: str = "Maximum") -> Metric:
    """Give a metric of one column, class or facet.

    Args:
        endpoint: The endpoint's name.
        name: Which one.
        subject: Of what.
        statistic: Of the runs within a period.
    """
    dimensions = {ENDPOINT: endpoint, SUBJECT: subject}
    return Metric(namespace=NAMESPACE, name=name.value, dimensions=dimensions, statistic=statistic)
