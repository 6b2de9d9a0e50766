"""Who outside could reach what, and which permissions nobody uses: told to the security team."""

import aws_cdk as cdk

from secure_ml_constructs import AccessAnalyzer, AlertTopic, DataPerimeter, EnvironmentKeys
from secure_ml_constructs.identity import ArchiveRule


def build(app: cdk.App) -> cdk.Stack:
    """Make the topic and the analyzers; one share with a partner is wanted."""
    stack = cdk.Stack(app, "Access")
    perimeter = DataPerimeter()
    keys = EnvironmentKeys(stack, "Keys", perimeter=perimeter)
    alerts = AlertTopic(stack, "Alerts", perimeter=perimeter, key=keys.logs, emails=["security@example.org"])
    AccessAnalyzer(
        stack,
        "Access",
        perimeter=perimeter,
        topic=alerts.topic,
        unused_days=45,
        archive=[
            ArchiveRule(
                name="partner-results",
                reason="The partner hospital collects its results, under contract 2026-17.",
                resources=("arn:aws:s3:::results-for-partner",),
                principals=("444455556666",),
            )
        ],
    )
    return stack


if __name__ == "__main__":
    app = cdk.App()
    build(app)
    app.synth()
