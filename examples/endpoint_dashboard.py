"""A watched model that goes back to the last good one, its page, and the page of the whole environment."""

import aws_cdk as cdk

import secure_ml_constructs as ml
from secure_ml_constructs.monitoring import Baseline, ModelSchema, OpenMonitor

REGISTRY = "${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com"
MODEL = f"{REGISTRY}/clinical-risk@sha256:" + "5f" * 32
GOOD = f"{REGISTRY}/clinical-risk@sha256:" + "4e" * 32
MONITOR = f"{REGISTRY}/open-monitor@sha256:" + "6a" * 32


def build(app: cdk.App) -> cdk.Stack:
    """Make the environment, the model, its watch and the pages."""
    raw = {"name": "clinic", "network": {"endpoints": {"extra": ["execute-api"]}}, "people": {}}
    environment = ml.SecureMlEnvironment(app, "Ml", config=ml.EnvironmentConfig.model_validate(raw))
    assert environment.people
    stack = cdk.Stack(app, "Risk")
    risk = ml.GuardedEndpoint(
        stack,
        "Risk",
        foundation=environment.people.foundation,
        model=ml.ServedModel.container(image=MODEL, data="clinical-risk/2026-11/model.tar.gz"),
        door=ml.FrontDoor.private(auth=ml.DoorAuth.iam(clients=["ward"]), payloads=ml.Payloads(csv=True)),
        alerts=ml.Alerts(high=environment.alerts.topic),
        logging=ml.ApiLogging(stack, "ApiLogging", perimeter=environment.perimeter),
        serving=ml.Serving(
            fallback=ml.ServedModel.container(image=GOOD, data="clinical-risk/2026-10/model.tar.gz")
        ),
    )
    watch = risk.watch(
        schema=ModelSchema.binary(probability="risk"),
        baseline=Baseline.of_dataset(zone="curated", path="clinical-risk/baseline.csv"),
        engine=OpenMonitor(image=MONITOR),
        responses=[ml.RollBack(to=risk.endpoint.fallback_config)],
    )
    ml.EndpointDashboard(stack, "RiskPage", endpoint=risk.shown(watch))
    ml.EnvironmentDashboard(stack, "Overview", endpoints=[risk.shown(watch)])
    return stack


if __name__ == "__main__":
    app = cdk.App()
    build(app)
    app.synth()
