"""A clinical-risk model that the hospital's own systems ask from its network, signed with their IAM role."""

import aws_cdk as cdk

import secure_ml_constructs as ml

IMAGE = "${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/clinical-risk@sha256:" + "5f" * 32
VITALS = {
    "type": "object",
    "required": ["age", "heart_rate"],
    "properties": {
        "age": {"type": "integer", "minimum": 0, "maximum": 120},
        "heart_rate": {"type": "integer", "minimum": 10, "maximum": 300},
    },
}


def build(app: cdk.App) -> cdk.Stack:
    """Make the environment, the model and its door."""
    raw = {"name": "clinic", "people": {}}
    environment = ml.SecureMlEnvironment(app, "Ml", config=ml.EnvironmentConfig.model_validate(raw))
    assert environment.people
    stack = cdk.Stack(app, "Risk")
    ml.GuardedEndpoint(
        stack,
        "Risk",
        foundation=environment.people.foundation,
        model=ml.ServedModel.container(image=IMAGE, data="clinical-risk/2026-11/model.tar.gz"),
        door=ml.FrontDoor.private(auth=ml.DoorAuth.iam(clients=["ward"]), payloads=ml.Payloads(json=VITALS)),
        alerts=ml.Alerts(high=environment.alerts.topic),
        logging=ml.ApiLogging(stack, "ApiLogging", perimeter=environment.perimeter),
    )
    return stack


if __name__ == "__main__":
    app = cdk.App()
    build(app)
    app.synth()
