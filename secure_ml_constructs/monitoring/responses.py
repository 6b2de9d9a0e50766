"""What is done when a watch finds violations, beside telling somebody: off unless it is named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from aws_cdk import aws_events as events
from constructs import Construct

from secure_ml_constructs._cdk import account, is_token, partition, region
from secure_ml_constructs.detection.alarms import Alarms, Metric, Severity
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.identity import RoleFoundation
from secure_ml_constructs.identity.execution import volume_statements
from secure_ml_constructs.key_uses import KeyClass
from secure_ml_constructs.monitoring.logged_machine import LoggedMachine
from secure_ml_constructs.monitoring.plan import WatchedEndpoint
from secure_ml_constructs.monitoring.roll_back import states
from secure_ml_constructs.monitoring.start_rule import StartRule, goes_off
from secure_ml_constructs.policy import allow

__all__ = ["Response", "Retrain", "RollBack"]

# Amazon SageMaker AI API Reference: CreatePipeline, CreateEndpointConfig; Amazon EventBridge API Reference:
# SageMakerPipelineParameters.
_PIPELINE = re.compile(
    r"arn:[\w-]+:sagemaker:[a-z0-9-]+:\d{12}:pipeline/[a-z0-9](-*[a-z0-9]){0,255}", re.ASCII
)
_PARAMETER = re.compile(r"[A-Za-z0-9\-_]{1,256}", re.ASCII)
_CONFIG = re.compile(r"[A-Za-z0-9](-*[A-Za-z0-9]){0,62}", re.ASCII)
_MOST_PARAMETERS = 200
_LONGEST_VALUE = 1024
_CONFIGS = (
    "The configuration's name is known when the stack is deployed, and is written in lower case in ARNs. The "
    "one endpoint is named, and the state machine names the configuration."
)
_VIOLATIONS = {Severity.HIGH: "SevereViolations", Severity.MEDIUM: "Violations"}


class Response(Protocol):
    """What is done when alarms of a watch go off."""

    def check(self, problems: Problems, where: str) -> None:
        """Record what it can't be made of.

        Args:
            problems: Where to record.
            where: What it is called there.
        """

    def build(
        self,
        scope: Construct,
        *,
        endpoint: WatchedEndpoint,
        alarms: Alarms,
        foundation: RoleFoundation,
    ) -> None:
        """Make it.

        Args:
            scope: The parent construct.
            endpoint: The endpoint that is watched.
            alarms: Those of the watch, by whose violations it begins, and that tell when it could not.
            foundation: What the environment's roles share.
        """


@dataclass(frozen=True, kw_only=True)
class Retrain:
    """Start a pipeline of SageMaker when violations alarm.

    The pipeline works with its own role and its own steps, approval among them: what is trained on poisoned
    data is not deployed because it was trained.

    Ensures:
        M2: violations start retraining, and an alarm says when they could not.
        I3: a role that EventBridge takes for rules of the account, and that starts this one pipeline.

    Args:
        pipeline_arn: The pipeline's ARN.
        parameters: Values of its parameters, by name. Default: those that the pipeline has.
        severity: `HIGH` where severe violations alone start it. Default: any violation.

    Example:
        >>> retrain = Retrain(
        ...     pipeline_arn="arn:aws:sagemaker:eu-west-1:111122223333:pipeline/clinical-risk",
        ...     parameters={"Reason": "drift"},
        ... )
    """

    pipeline_arn: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    severity: Severity = Severity.MEDIUM

    def check(self, problems: Problems, where: str) -> None:
        """Record what it can't be made of."""
        arn = self.pipeline_arn
        if not is_token(arn) and not _PIPELINE.fullmatch(arn):
            reason = "This is no pipeline's ARN, which has its name in lower case."
            fix = "Write 'arn:aws:sagemaker:<region>:<account>:pipeline/<name>'."
            problems.add(f"{where}.pipeline_arn", arn, reason, fix)
        if len(self.parameters) > _MOST_PARAMETERS:
            given = f"{len(self.parameters)} of them"
            fix = f"Name {_MOST_PARAMETERS} at the most; the pipeline has defaults."
            problems.add(f"{where}.parameters", given, "EventBridge passes no more on.", fix)
        for name, value in self.parameters.items():
            argument = f"{where}.parameters[{name!r}]"
            if not _PARAMETER.fullmatch(name):
                problems.add(argument, name, "No name of a parameter.", "Write letters, digits, '-' or '_'.")
            if not 0 < len(value) <= _LONGEST_VALUE:
                fix = f"Write a text of 1 to {_LONGEST_VALUE} characters."
                problems.add(argument, value, "No value of a parameter.", fix)

    def build(
        self,
        scope: Construct,
        *,
        endpoint: WatchedEndpoint,
        alarms: Alarms,
        foundation: RoleFoundation,
    ) -> None:
        """Make it."""
        parameter = events.CfnRule.SageMakerPipelineParameterProperty
        pairs = [parameter(name=name, value=self.parameters[name]) for name in sorted(self.parameters)]
        rule = StartRule(
            scope,
            "Retrain",
            foundation=foundation,
            pattern=goes_off(_violations(alarms, self.severity)),
            description=f"Violations of {endpoint.name} start a pipeline",
            allowed=allow("Start", "sagemaker:StartPipelineExecution", self.pipeline_arn),
            target_arn=self.pipeline_arn,
            told={
                "sage_maker_pipeline_parameters": events.CfnRule.SageMakerPipelineParametersProperty(
                    pipeline_parameter_list=pairs
                )
            },
        )
        alarms.add(
            "RetrainFailed",
            Severity.MEDIUM,
            rule.failed_invocations,
            threshold=1,
            above=">=",
            because=f"Violations of {endpoint.name} were to start a pipeline, and could not.",
        )


@dataclass(frozen=True, kw_only=True)
class RollBack:
    """Give an endpoint back a configuration that is known to be good when violations alarm.

    All requests go to it at once, on as many instances as there are; captures go on. The stack does not learn
    of it: deploy the model that serves now before anything else.

    Ensures:
        M2: severe violations bring the last good model back, and alarms say when they could not.
        I3: roles that EventBridge and Step Functions take for the account, and that update this one endpoint.

    Args:
        to: The name of an endpoint configuration that stays: not the one that the endpoint's stack replaces
            with each model. Its variant has the name of the endpoint's.
        severity: `MEDIUM` where any violation does it. Default: severe violations alone.

    Example:
        >>> back = RollBack(to="clinical-risk-2026-10")
    """

    to: str
    severity: Severity = Severity.HIGH

    def check(self, problems: Problems, where: str) -> None:
        """Record what it can't be made of."""
        if not is_token(self.to) and not _CONFIG.fullmatch(self.to):
            reason = "This is no name of an endpoint configuration."
            fix = "Write its name, of up to 63 letters, digits and hyphens; not its ARN."
            problems.add(f"{where}.to", self.to, reason, fix)

    def build(
        self,
        scope: Construct,
        *,
        endpoint: WatchedEndpoint,
        alarms: Alarms,
        foundation: RoleFoundation,
    ) -> None:
        """Make it."""
        head = f"arn:{partition()}:sagemaker:{region()}:{account()}"
        target = f"{head}:endpoint/{endpoint.name}"
        config = f"{head}:endpoint-config/{'*' if is_token(self.to) else self.to.lower()}"
        machine = LoggedMachine(
            scope,
            "RollBack",
            foundation=foundation,
            definition=states(endpoint.name, self.to, partition()),
            statements=[
                allow("Look", "sagemaker:DescribeEndpoint", target),
                allow("Update", "sagemaker:UpdateEndpoint", [target, config]),
                # Amazon SageMaker AI API permissions reference: UpdateEndpoint, of volumes under a key.
                *volume_statements([foundation.keys.arn(KeyClass.MODEL)]),
            ],
            wildcards={config: _CONFIGS} if is_token(self.to) else {},
            description="Gives an endpoint its last good configuration back",
        )
        rule = StartRule(
            scope,
            "RollBackRule",
            foundation=foundation,
            pattern=goes_off(_violations(alarms, self.severity)),
            description=f"Violations of {endpoint.name} bring {self.to} back",
            allowed=allow("Start", "states:StartExecution", machine.arn),
            target_arn=machine.arn,
            # No word of the event goes on: what is started was decided here.
            told={"input": "{}"},
        )
        failed = [("RollBackUnstarted", rule.failed_invocations)]
        for name in ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted", "ExecutionThrottled"):
            dimensions = {"StateMachineArn": machine.arn}
            metric = Metric(namespace="AWS/States", name=name, dimensions=dimensions)
            failed.append((f"RollBack{name}", metric))
        for id, metric in failed:
            alarms.add(
                id,
                Severity.HIGH,
                metric,
                threshold=1,
                above=">=",
                because=f"Severe violations were to bring {self.to} back to {endpoint.name}, and could not.",
            )


def _violations(alarms: Alarms, severity: Severity) -> str:
    # One alarm and not both: what is severe sets off both at once, and would begin twice.
    return alarms.by_severity[severity][_VIOLATIONS[severity]].attr_arn
