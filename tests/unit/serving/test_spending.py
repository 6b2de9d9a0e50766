"""SpendingBudget: what counts, when somebody is told, and what it refuses."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sns as sns

from secure_ml_constructs import AlertTopic, EnvironmentKeys
from secure_ml_constructs.detection.alarms import Alerts
from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.serving.spending import SERVICES, SpendingBudget, SpendingLimit
from secure_ml_constructs.verification.rules import check
from tests.support.compliance import findings
from tests.support.templates import ACCOUNT, Template, World, new_app, synth

BUDGET = "AWS::Budgets::Budget"
PERIMETER = DataPerimeter()
TAGGED = SpendingLimit(monthly=2_500.5, tag=("environment", "clinical-risk"), services=("Amazon SageMaker",))


def alerts(stack: cdk.Stack) -> Alerts:
    keys = EnvironmentKeys(stack, "Keys", perimeter=PERIMETER)
    urgent, other = (
        AlertTopic(stack, name, perimeter=PERIMETER, key=keys.logs).topic for name in ("Urgent", "Other")
    )
    return Alerts(high=urgent, medium=other)


def build(app: cdk.App) -> None:
    stack = cdk.Stack(app, "Spending")
    SpendingBudget(stack, "Budget", limit=SpendingLimit(monthly=100), alerts=alerts(stack))


def build_full(app: cdk.App) -> None:
    stack = cdk.Stack(app, "Spending")
    SpendingBudget(stack, "Budget", limit=TAGGED, alerts=alerts(stack))


def made(build: Callable[[cdk.App], None]) -> World:
    app = new_app()
    build(app)
    return World(synth(app))


@pytest.fixture(scope="session")
def default() -> World:
    return made(build)


@pytest.fixture(scope="session")
def full() -> World:
    return made(build_full)


def test_a_month_of_what_predictions_cost(default: World, full: World) -> None:
    budget = default.one(BUDGET).properties["Budget"]
    assert budget == {
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": 100, "Unit": "USD"},
        "CostFilters": {"Service": list(SERVICES)},
    }
    budget = full.one(BUDGET).properties["Budget"]
    assert budget["BudgetLimit"]["Amount"] == 2_500.5
    assert budget["CostFilters"] == {
        "Service": ["Amazon SageMaker"],
        "TagKeyValue": ["user:environment$clinical-risk"],
    }


def test_who_is_told_and_when(default: World) -> None:
    told = {
        (each["Notification"]["NotificationType"], each["Notification"]["Threshold"]): each["Subscribers"]
        for each in default.one(BUDGET).properties["NotificationsWithSubscribers"]
    }
    urgent, other = (default.ref(default.one("AWS::SNS::Topic", name)) for name in ("Urgent", "Other"))
    assert urgent != other
    assert told == {
        ("ACTUAL", 80): [{"SubscriptionType": "SNS", "Address": other}],
        ("FORECASTED", 100): [{"SubscriptionType": "SNS", "Address": other}],
        ("ACTUAL", 100): [{"SubscriptionType": "SNS", "Address": urgent}],
    }
    for each in default.one(BUDGET).properties["NotificationsWithSubscribers"]:
        assert each["Notification"]["ThresholdType"] == "PERCENTAGE"
        assert each["Notification"]["ComparisonOperator"] == "GREATER_THAN"


def test_the_topic_lets_budgets_of_the_account_publish(default: World) -> None:
    for policy in default.resources("AWS::SNS::TopicPolicy"):
        (statement,) = [
            each
            for each in policy.properties["PolicyDocument"]["Statement"]
            if each["Principal"] == {"Service": "budgets.amazonaws.com"}
        ]
        assert statement["Effect"] == "Allow"
        assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}


def test_a_budget_that_tells_nobody_is_noticed(default: World) -> None:
    template = copy.deepcopy(default.templates["Spending"])
    assert "BudgetAlerts" not in {each.rule for each in check({"Spending": template})}
    (budget,) = (each for each in template["Resources"].values() if each["Type"] == BUDGET)
    del budget["Properties"]["NotificationsWithSubscribers"]
    assert "BudgetAlerts" in {each.rule for each in check({"Spending": template})}


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({"monthly": 0}, "monthly"),
        ({"monthly": -1}, "monthly"),
        ({"monthly": float("inf")}, "monthly"),
        ({"monthly": float("nan")}, "monthly"),
        ({"currency": "EUR"}, "currency"),
        ({"services": ()}, "services"),
        ({"services": "Amazon SageMaker"}, "services"),
        ({"tag": ("", "x")}, "tag"),
        ({"tag": ("a$b", "x")}, "tag"),
    ],
)
def test_what_is_refused(arguments: dict[str, Any], argument: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        SpendingLimit(**{"monthly": 100, **arguments})
    assert [problem.argument for problem in caught.value.problems] == [argument]


def test_govcloud_has_none_and_china_counts_in_its_own_currency() -> None:
    app = new_app()
    topic = "arn:aws-us-gov:sns:us-gov-west-1:111122223333:x"
    stack = cdk.Stack(app, "Gov", env=cdk.Environment(region="us-gov-west-1"))
    told = Alerts(high=sns.Topic.from_topic_arn(stack, "Topic", topic))
    with pytest.raises(ConfigurationError, match="standard account"):
        SpendingBudget(stack, "Budget", limit=SpendingLimit(monthly=100), alerts=told)
    assert stack.node.try_find_child("Budget") is None
    stack = cdk.Stack(app, "China", env=cdk.Environment(region="cn-north-1"))
    told = Alerts(high=sns.Topic.from_topic_arn(stack, "Topic", "arn:aws-cn:sns:cn-north-1:111122223333:x"))
    SpendingBudget(stack, "Budget", limit=SpendingLimit(monthly=700, currency="CNY"), alerts=told)
    world = World(synth(app))
    assert world.one(BUDGET).properties["Budget"]["BudgetLimit"] == {"Amount": 700, "Unit": "CNY"}


@pytest.mark.parametrize("build", [build, build_full])
def test_no_pack_finds_anything(build: Callable[[cdk.App], None]) -> None:
    assert findings(build) == []


@pytest.mark.parametrize("name", ["default", "full"])
def test_the_template(
    name: str, request: pytest.FixtureRequest, snapshot_template: Callable[[Template], None]
) -> None:
    world: World = request.getfixturevalue(name)
    template = world.templates["Spending"]
    resources = {key: each for key, each in template["Resources"].items() if each["Type"] == BUDGET}
    snapshot_template({"Resources": resources})
