"""A model watched: an engine that looks, and alarms that are the same whichever it is."""

from __future__ import annotations

from collections.abc import Sequence

from constructs import Construct

from secure_ml_constructs._cdk import child_path
from secure_ml_constructs.detection.alarms import Alarms, Alerts
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.monitoring.plan import Engine, WatchPlan
from secure_ml_constructs.monitoring.responses import Response
from secure_ml_constructs.monitoring.watch_alarms import watch_alarms

__all__ = ["ModelWatch"]


class ModelWatch(Construct):
    """Looks at what a model is asked and says, and tells somebody when it changes, or when nobody looked.

    `GuardedEndpoint.watch` makes one of an endpoint.

    Ensures:
        M1: data, predictions, quality, bias and attributions compared with a baseline, on a schedule.
        M2: violations, failed and missing runs told by severity.
        G10: low confidence, undecided predictions, classes and alike queries against what is usual.

    Args:
        scope: The parent construct.
        id: The construct's id.
        plan: What is watched, with what it is compared, and when.
        engine: What looks: `OpenMonitor`, or `ModelMonitor` in accounts that have it.
        alerts: Whom its alarms tell.
        responses: What violations start beside that: `Retrain`, `RollBack`. Default: nothing.

    Raises:
        ConfigurationError: Zones, columns, groups or labels that contradict one another, an endpoint that
            captures nothing or holds models of several tenants, whatever the engine refuses; nothing is made
            then.

    Example:
        >>> from secure_ml_constructs.monitoring import (
        ...     Baseline, ModelSchema, OpenMonitor, Schedule, WatchedEndpoint,
        ... )
        >>> plan = WatchPlan(
        ...     endpoint=WatchedEndpoint(name="risk", variant="main"),
        ...     foundation=foundation,
        ...     schema=ModelSchema.binary(probability="risk"),
        ...     baseline=Baseline.of_dataset(zone="curated", path="risk/baseline.csv"),
        ...     schedule=Schedule.daily(),
        ... )
        >>> registry = "${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}"
        >>> engine = OpenMonitor(image=f"{registry}/open-monitor@sha256:" + "0" * 64)
        >>> watch = ModelWatch(stack, "Watch", plan=plan, engine=engine, alerts=Alerts(high=topic))
    """

    #: Its alarms.
    alarms: Alarms
    #: The ARN of the role of its jobs.
    job_role_arn: str
    #: Where its reports lie (`s3://…`), with a slash at its end.
    results_uri: str

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        plan: WatchPlan,
        engine: Engine,
        alerts: Alerts,
        responses: Sequence[Response] = (),
    ) -> None:
        problems = Problems()
        plan.check(problems)
        _check_responses(problems, responses)
        if not problems:
            # An engine makes settings of what fits together.
            engine.check(problems, plan)
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        self.plan = plan
        built = engine.build(self, plan)
        self.job_role_arn, self.results_uri = built.job_role_arn, built.results_uri
        self.alarms = Alarms(self, "Alarms", alerts=alerts)
        watch_alarms(self.alarms, plan)
        for response in responses:
            response.build(self, endpoint=plan.endpoint, alarms=self.alarms, foundation=plan.foundation)


def _check_responses(problems: Problems, responses: Sequence[Response]) -> None:
    kinds = [type(each) for each in responses]
    for index, response in enumerate(responses):
        if kinds[index] in kinds[:index]:
            fix = "Leave one out, or start both by one pipeline."
            problems.add(f"responses[{index}]", response, "One like it is there already.", fix)
        response.check(problems, f"responses[{index}]")
