"""A model for each of two partners behind one door on the internet, passed with tokens of Cognito."""

import aws_cdk as cdk

import secure_ml_constructs as ml

IMAGE = "${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/triage@sha256:" + "9f" * 32
PARTNERS = ("partner-a", "partner-b")


def build(app: cdk.App) -> cdk.Stack:
    """Make the environment, the models and their door."""
    config = ml.EnvironmentConfig.model_validate({"name": "clinic", "people": {}})
    environment = ml.SecureMlEnvironment(app, "Ml", config=config)
    assert environment.people
    stack = cdk.Stack(app, "Triage")
    ml.GuardedEndpoint(
        stack,
        "Triage",
        foundation=environment.people.foundation,
        model=ml.TenantModels(
            models={name: ml.Container(image=IMAGE, data=f"triage/{name}/model.tar.gz") for name in PARTNERS}
        ),
        door=ml.FrontDoor.regional(
            auth=ml.DoorAuth.cognito(clients=PARTNERS),
            payloads=ml.Payloads(csv=True),
            throttle=ml.Throttle(rate=10, burst=20, daily_quota=20_000),
            firewall=ml.DoorFirewall(countries=("DE", "AT"), requests_per_caller=600),
        ),
        alerts=ml.Alerts(high=environment.alerts.topic),
        logging=ml.ApiLogging(stack, "ApiLogging", perimeter=environment.perimeter),
    )
    return stack


if __name__ == "__main__":
    app = cdk.App()
    build(app)
    app.synth()
