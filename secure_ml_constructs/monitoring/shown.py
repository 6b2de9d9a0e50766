"""What dashboards show of an endpoint, its door and its watch, line by line.

Amazon SageMaker AI: "Metrics for monitoring Amazon SageMaker AI with Amazon CloudWatch"; Amazon API Gateway:
"Amazon API Gateway dimensions and metrics"; AWS WAF: "AWS WAF metrics and dimensions".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from secure_ml_constructs._cdk import is_token, region
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.monitoring.dashboard_body import Line, largest, searched
from secure_ml_constructs.monitoring.metrics import (
    ENDPOINT,
    NAMESPACE,
    SUBJECT,
    SubjectMetric,
    WatchMetric,
    watch_metric,
)

__all__ = ["ShownEndpoint"]

# Names stand in search expressions, where a quotation mark would end them.
_NAME = re.compile(r"[A-Za-z0-9][\w./ -]{0,254}", re.ASCII)
_ARN = re.compile(r"arn:[\w${}:-]+:cloudwatch:[^:]+:[^:]+:alarm:.+")
_FURTHEST = 20
_SATURATION = (
    "CPUUtilization",
    "MemoryUtilization",
    "DiskUtilization",
    "GPUUtilization",
    "GPUMemoryUtilization",
)


@dataclass(frozen=True, kw_only=True)
class ShownEndpoint:
    """The names under which CloudWatch has what an endpoint does.

    Args:
        endpoint_name: The endpoint's name.
        variant: Its variant. Default: `main`.
        components: Names of its inference components, where it has some. Default: none.
        api_name: The name of the API in front of it. Default: there is none.
        stage: The stage of that API. Default: `live`.
        firewall: `WebAcl.metric_name` of the firewall in front of that. Default: there is none.
        watched: Whether a `ModelWatch` writes metrics about it. Default: none does.
        alarms: ARNs of its alarms. Default: none.

    Raises:
        ConfigurationError: A name that CloudWatch could not search for, an ARN that is no alarm's, a firewall
            without an API.

    Example:
        >>> shown = ShownEndpoint(endpoint_name="clinical-risk", api_name="clinical-risk")
    """

    endpoint_name: str
    variant: str = "main"
    components: Sequence[str] = ()
    api_name: str | None = None
    stage: str = "live"
    firewall: str | None = None
    watched: bool = False
    alarms: Sequence[str] = ()

    def __post_init__(self) -> None:
        problems = Problems()
        for argument in ("endpoint_name", "variant", "api_name", "stage", "firewall"):
            _check_name(problems, argument, getattr(self, argument))
        for argument in ("components", "alarms"):
            given = getattr(self, argument)
            if isinstance(given, str):
                problems.add(argument, given, "One string where a list belongs.", f"Write [{given!r}].")
                continue
            for index, each in enumerate(given):
                if argument == "components":
                    _check_name(problems, f"components[{index}]", each)
                elif not is_token(each) and not _ARN.fullmatch(each):
                    fix = "Write 'arn:aws:cloudwatch:<region>:<account>:alarm:<name>', or alarm.attr_arn."
                    problems.add(f"alarms[{index}]", each, "This is no alarm's ARN.", fix)
        if self.firewall and not self.api_name:
            reason = "A firewall stands in front of an API, and there is none."
            problems.add("firewall", self.firewall, reason, "Name the API as api_name.")
        problems.raise_if_any("ShownEndpoint")

    # -- the model -----------------------------------------------------------------------------------

    def model(self, name: str, label: str, *, stat: str = "Sum", thousandth: bool = False) -> Line:
        """Give a metric of the model's invocations.

        Args:
            name: The metric.
            label: What the legend calls it.
            stat: The statistic.
            thousandth: Whether to show it divided by 1,000.
        """
        return Line(
            namespace="AWS/SageMaker",
            name=name,
            dimensions={"EndpointName": self.endpoint_name, "VariantName": self.variant},
            stat=stat,
            label=label,
            thousandth=thousandth,
        )

    def component(self, name: str, component: str, *, stat: str = "Sum", thousandth: bool = False) -> Line:
        """Give a metric of a component's invocations.

        Args:
            name: The metric.
            component: The component's name.
            stat: The statistic.
            thousandth: Whether to show it divided by 1,000.
        """
        return Line(
            namespace="AWS/SageMaker",
            name=name,
            dimensions={"InferenceComponentName": component},
            stat=stat,
            label=component,
            thousandth=thousandth,
        )

    def instances(self, name: str, label: str, *, stat: str = "Maximum") -> Line:
        """Give a metric of the instances.

        Args:
            name: The metric.
            label: What the legend calls it.
            stat: The statistic.
        """
        return Line(
            namespace="/aws/sagemaker/Endpoints",
            name=name,
            dimensions={"EndpointName": self.endpoint_name, "VariantName": self.variant},
            stat=stat,
            label=label,
        )

    def saturation(self) -> list[Line]:
        """How full the fullest instance is; what it lacks draws no line."""
        # Of GPUs only where there are some: a search finds what is there.
        dimensions = {"EndpointName": self.endpoint_name, "VariantName": self.variant}
        return [Line(expression=searched("/aws/sagemaker/Endpoints", _SATURATION, dimensions, "Maximum"))]

    # -- the door ------------------------------------------------------------------------------------

    def door(self, name: str, label: str, *, stat: str = "Sum") -> list[Line]:
        """Give a metric of the API, if there is one.

        Args:
            name: The metric.
            label: What the legend calls it.
            stat: The statistic.
        """
        if self.api_name is None:
            return []
        return [
            Line(
                namespace="AWS/ApiGateway",
                name=name,
                dimensions={"ApiName": self.api_name, "Stage": self.stage},
                stat=stat,
                label=label,
            )
        ]

    def blocked(self, label: str) -> list[Line]:
        """Give what the firewall blocks in all, if there is one.

        Args:
            label: What the legend calls it.
        """
        if self.firewall is None:
            return []
        dimensions = {"WebACL": self.firewall, "Rule": "ALL", "Region": region()}
        return [Line(namespace="AWS/WAFV2", name="BlockedRequests", dimensions=dimensions, label=label)]

    def blocked_by_rule(self) -> list[Line]:
        """Give what each rule of the firewall blocks, if there is one."""
        if self.firewall is None:
            return []
        dimensions = {"Region": region(), "Rule": None, "WebACL": self.firewall}
        found = searched("AWS/WAFV2", ["BlockedRequests"], dimensions, "Sum", besides='NOT Rule="ALL"')
        return [Line(expression=found)]

    # -- the watch -----------------------------------------------------------------------------------

    def watch(self, name: WatchMetric, label: str, *, stat: str = "Maximum") -> list[Line]:
        """Give a metric of the watch, if it is watched.

        Args:
            name: The metric.
            label: What the legend calls it.
            stat: The statistic.
        """
        if not self.watched:
            return []
        found = watch_metric(self.endpoint_name, name, stat)
        return [
            Line(
                namespace=found.namespace,
                name=found.name,
                dimensions=found.dimensions,
                stat=found.statistic,
                label=label,
            )
        ]

    def by_subject(self, name: SubjectMetric, *, stat: str = "Maximum") -> Line:
        """Give the metric of those columns, classes or facets that go furthest.

        Args:
            name: The metric.
            stat: The statistic.
        """
        dimensions = {ENDPOINT: self.endpoint_name, SUBJECT: None}
        return Line(expression=largest(searched(NAMESPACE, [name], dimensions, stat), _FURTHEST))

    def quality(self, names: Sequence[WatchMetric]) -> Line:
        """Give what labels tell: a search finds those measures that the kind of model has.

        Args:
            names: The measures.
        """
        return Line(expression=searched(NAMESPACE, names, {ENDPOINT: self.endpoint_name}, "Average"))


def _check_name(problems: Problems, argument: str, given: str | None) -> None:
    if given is not None and not is_token(given) and not _NAME.fullmatch(given):
        reason = "CloudWatch could not be asked for it by this name."
        problems.add(argument, given, reason, "Write letters, digits, '-', '_', '.', '/' or blanks.")
