"""What is watched of an endpoint."""

from __future__ import annotations

from dataclasses import dataclass

from secure_ml_constructs.detection.alarms import Alarms, Metric, Severity
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.serving.capacity import Capacity

__all__ = ["EndpointLimits"]


@dataclass(frozen=True, kw_only=True)
class EndpointLimits:
    """What is too slow, too often wrong and too full.

    Args:
        latency_ms: Milliseconds that one in a hundred answers of the model may take longer than. Default:
            2,000.
        failures: Failed answers in five minutes, from which on somebody is woken and a new model is rolled
            back. Default: 5.
        refusals: Requests in five minutes that the model does not understand. Default: 100.
        utilization_percent: Memory and disk in use, 1 to 100. Default: 85.

    Raises:
        ConfigurationError: A value that is none.

    Example:
        >>> limits = EndpointLimits(latency_ms=500)
    """

    latency_ms: int = 2000
    failures: int = 5
    refusals: int = 100
    utilization_percent: int = 85

    def __post_init__(self) -> None:
        problems = Problems()
        for name in ("latency_ms", "failures", "refusals", "utilization_percent"):
            value = getattr(self, name)
            if value < 1 or (name == "utilization_percent" and value > 100):
                problems.add(name, value, "No limit.", "Write 1 or more, of percents 100 at the most.")
        problems.raise_if_any("EndpointLimits")


def watch(
    alarms: Alarms, endpoint: str, variant: str, capacity: Capacity, limits: EndpointLimits
) -> list[str]:
    """Make the alarms of an endpoint, and give the names of those that roll a new model back.

    Amazon SageMaker AI: "Metrics for monitoring Amazon SageMaker AI with Amazon CloudWatch".

    Args:
        alarms: Where to make them.
        endpoint: The endpoint's name.
        variant: The variant's.
        capacity: How much it can take.
        limits: What is too much.
    """

    def metric(name: str, statistic: str = "Sum", namespace: str = "AWS/SageMaker") -> Metric:
        dimensions = {"EndpointName": endpoint, "VariantName": variant}
        return Metric(namespace=namespace, name=name, dimensions=dimensions, statistic=statistic)

    failing = alarms.add(
        "Failures",
        Severity.HIGH,
        metric("Invocation5XXErrors"),
        threshold=limits.failures,
        above=">=",
        because=f"The model of {endpoint} fails to answer.",
    )
    slow = alarms.add(
        "Latency",
        Severity.HIGH,
        metric("ModelLatency", "p99"),
        # Microseconds.
        threshold=limits.latency_ms * 1000,
        times=2,
        because=f"One in a hundred answers of {endpoint} takes longer than {limits.latency_ms} ms.",
    )
    alarms.add(
        "Refusals",
        Severity.MEDIUM,
        metric("Invocation4XXErrors"),
        threshold=limits.refusals,
        above=">=",
        because=f"Requests reach {endpoint} that its model does not understand, or that come too fast.",
    )
    most = capacity.maximum * capacity.invocations_per_instance * 5
    alarms.add(
        "Invocations",
        Severity.MEDIUM,
        metric("Invocations"),
        threshold=most,
        times=2,
        because=f"{endpoint} is asked more than {capacity.maximum} instances are meant to take.",
    )
    for name in ("MemoryUtilization", "DiskUtilization"):
        alarms.add(
            name.removesuffix("Utilization"),
            Severity.MEDIUM,
            metric(name, "Maximum", "/aws/sagemaker/Endpoints"),
            threshold=limits.utilization_percent,
            times=3,
            because=f"{name.removesuffix('Utilization')} of {endpoint}'s instances is nearly full.",
        )
    return [failing.ref, slow.ref]
