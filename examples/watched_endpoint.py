"""A clinical-risk model that is looked at every day: drift, quality, and whether one sex is treated worse."""

import aws_cdk as cdk

import secure_ml_constructs as ml

REGISTRY = "${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com"
IMAGE, MONITOR = f"{REGISTRY}/risk@sha256:{'5f' * 32}", f"{REGISTRY}/open-monitor@sha256:{'0a' * 32}"
REQUEST = ml.Layout(columns=("age", "heart_rate", "sex"))


def build(app: cdk.App) -> cdk.Stack:
    """Make the environment, the model, its door and its watch."""
    config = ml.EnvironmentConfig.model_validate({"name": "clinic", "people": {}})
    environment = ml.SecureMlEnvironment(app, "Ml", config=config)
    assert environment.people
    stack = cdk.Stack(app, "Risk")
    endpoint = ml.GuardedEndpoint(
        stack,
        "Risk",
        foundation=environment.people.foundation,
        model=ml.ServedModel.container(image=IMAGE, data="risk/2026-11/model.tar.gz"),
        door=ml.FrontDoor.private(auth=ml.DoorAuth.iam(), payloads=ml.Payloads(csv=True)),
        alerts=ml.Alerts(high=environment.alerts.topic),
        logging=ml.ApiLogging(stack, "ApiLogging", perimeter=environment.perimeter),
    )
    endpoint.watch(
        schema=ml.ModelSchema.binary(probability="risk", request=REQUEST),
        baseline=ml.Baseline.of_dataset(zone="curated", path="risk/baseline.csv", label="outcome"),
        model_quality=ml.ModelQuality(ground_truth="labels/risk/", after_hours=7 * 24),
        bias=ml.Bias(facets=[ml.Facet(column="sex", values=["f"], disparate_impact=0.8)]),
        engine=ml.OpenMonitor(image=MONITOR),
    )
    return stack


if __name__ == "__main__":
    build(app := cdk.App())
    app.synth()
