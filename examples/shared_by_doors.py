"""What an account has once for all doors to its models: the role that writes their logs, and a budget."""

import aws_cdk as cdk

from secure_ml_constructs import (
    AlertTopic,
    ApiLogging,
    DataPerimeter,
    EnvironmentKeys,
    SpendingBudget,
    SpendingLimit,
)
from secure_ml_constructs.detection.alarms import Alerts


def build(app: cdk.App) -> cdk.Stack:
    """Make both, and the topics that the budget tells."""
    stack = cdk.Stack(app, "SharedByDoors")
    perimeter = DataPerimeter()
    keys = EnvironmentKeys(stack, "Keys", perimeter=perimeter)
    urgent = AlertTopic(stack, "Urgent", perimeter=perimeter, key=keys.logs, emails=["ml-oncall@example.org"])
    routine = AlertTopic(stack, "Routine", perimeter=perimeter, key=keys.logs, emails=["finance@example.org"])
    # Where the account logs its APIs already: ApiLogging.existing(stack, "ApiLogging").
    ApiLogging(stack, "ApiLogging", perimeter=perimeter)
    SpendingBudget(
        stack,
        "Budget",
        limit=SpendingLimit(monthly=4_000),
        alerts=Alerts(high=urgent.topic, medium=routine.topic),
    )
    return stack


if __name__ == "__main__":
    app = cdk.App()
    build(app)
    app.synth()
