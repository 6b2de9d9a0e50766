"""The states that give an endpoint a configuration back, and look whether it took it."""

from __future__ import annotations

from typing import Any

__all__ = ["states"]

_LONGEST_SECONDS = 4 * 3600
_POLL_SECONDS = 60
# Amazon SageMaker AI API Reference: DescribeEndpoint, EndpointStatus.
_READY = ("InService", "UpdateRollbackFailed")
_LOST = ("Failed", "OutOfService", "Deleting")


def states(endpoint: str, config: str, partition: str) -> dict[str, Any]:
    """Give the definition of the state machine.

    Args:
        endpoint: The endpoint's name.
        config: The name of the configuration that it gets.
        partition: AWS's.
    """

    def is_(variable: str, value: str) -> dict[str, Any]:
        return {"Variable": f"$.{variable}", "StringEquals": value}

    def one_of(values: tuple[str, ...]) -> dict[str, Any]:
        return {"Or": [is_("status", each) for each in values]}

    def call(action: str, arguments: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {
            "Type": "Task",
            "Resource": f"arn:{partition}:states:::aws-sdk:sagemaker:{action}",
            "Parameters": {"EndpointName": endpoint, **arguments},
            # Also of an update that came between.
            "Retry": [
                {
                    "ErrorEquals": ["States.TaskFailed"],
                    "IntervalSeconds": 30,
                    "BackoffRate": 2,
                    "MaxAttempts": 4,
                }
            ],
            **more,
        }

    def look(then: str) -> dict[str, Any]:
        shown = {"status.$": "$.EndpointStatus", "config.$": "$.EndpointConfigName"}
        return call("describeEndpoint", {}, ResultSelector=shown, Next=then)

    def wait(then: str) -> dict[str, Any]:
        return {"Type": "Wait", "Seconds": _POLL_SECONDS, "Next": then}

    taken = {"And": [is_("config", config), is_("status", "InService")], "Next": "Done"}
    lost = {**one_of(_LOST), "Next": "Lost"}
    update = {"EndpointConfigName": config, "RetainAllVariantProperties": True}
    return {
        "Comment": "Gives an endpoint its last good configuration back.",
        "StartAt": "Look",
        "TimeoutSeconds": _LONGEST_SECONDS,
        "States": {
            "Look": look("MayUpdate"),
            "MayUpdate": {
                "Type": "Choice",
                "Choices": [taken, lost, {**one_of(_READY), "Next": "Update"}],
                "Default": "WaitForOther",
            },
            "WaitForOther": wait("Look"),
            "Update": call("updateEndpoint", update, ResultPath=None, Next="WaitForOurs"),
            "WaitForOurs": wait("LookAgain"),
            "LookAgain": look("Taken"),
            "Taken": {
                "Type": "Choice",
                "Choices": [taken, lost, {**one_of(_READY), "Next": "NotTaken"}],
                "Default": "WaitForOurs",
            },
            "Done": {"Type": "Succeed"},
            "Lost": {
                "Type": "Fail",
                "Error": "EndpointLost",
                "Cause": "The endpoint is in a state in which SageMaker updates none.",
            },
            "NotTaken": {
                "Type": "Fail",
                "Error": "NotTaken",
                "Cause": "The endpoint serves, and not with the configuration that it was given.",
            },
        },
    }
