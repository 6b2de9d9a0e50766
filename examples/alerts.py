"""Alerts of two severities: a failing endpoint calls the engineer on call, threats are told to security."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions

from secure_ml_constructs import AlertRule, AlertTopic, DataPerimeter, EnvironmentKeys


def build(app: cdk.App) -> cdk.Stack:
    """Make both topics, and an alarm that tells one of them."""
    stack = cdk.Stack(app, "Alerts")
    perimeter = DataPerimeter()
    keys = EnvironmentKeys(stack, "Keys", perimeter=perimeter)
    urgent = AlertTopic(stack, "Urgent", perimeter=perimeter, key=keys.logs, emails=["ml-oncall@example.org"])
    routine = AlertTopic(
        stack, "Routine", perimeter=perimeter, key=keys.logs, emails=["security@example.org"]
    )
    AlertRule(
        stack,
        "Threats",
        perimeter=perimeter,
        topic=routine.topic,
        pattern={"source": ["aws.guardduty"]},
        description="Findings of GuardDuty",
    )
    errors = cloudwatch.Metric(
        namespace="AWS/SageMaker",
        metric_name="Invocation5XXErrors",
        statistic="Sum",
        dimensions_map={"EndpointName": "triage", "VariantName": "main"},
    ).create_alarm(stack, "EndpointErrors", threshold=1, evaluation_periods=3)
    errors.add_alarm_action(actions.SnsAction(urgent.topic))
    return stack


if __name__ == "__main__":
    app = cdk.App()
    build(app)
    app.synth()
