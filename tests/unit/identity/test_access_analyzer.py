"""AccessAnalyzer: what is analyzed, what is told, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sns as sns

from secure_ml_constructs import AccessAnalyzer, AlertTopic, DataPerimeter, EnvironmentKeys
from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.identity import Analysis, ArchiveRule
from tests.support.compliance import findings
from tests.support.templates import ACCOUNT, REGION, World, new_app, synth

PERIMETER = DataPerimeter()
BUCKET = "arn:aws:s3:::results-for-partner"
REASON = "The partner hospital collects its results, under contract 2026-17."
PARTNER = ArchiveRule(
    name="partner-results", reason=REASON, resources=(BUCKET,), principals=("444455556666",)
)
STANDBY = ArchiveRule(
    name="standby-role",
    reason="The emergency role is used in drills alone, twice a year.",
    resources=(f"arn:aws:iam::{ACCOUNT}:role/ml-break-glass",),
    analysis=Analysis.UNUSED,
)


def build(app: cdk.App, **arguments: Any) -> AccessAnalyzer:
    stack = cdk.Stack(app, "Access")
    keys = EnvironmentKeys(stack, "Keys", perimeter=PERIMETER)
    alerts = AlertTopic(stack, "Alerts", perimeter=PERIMETER, key=keys.logs)
    return AccessAnalyzer(stack, "Access", perimeter=PERIMETER, topic=alerts.topic, **arguments)


def build_full(app: cdk.App) -> AccessAnalyzer:
    return build(app, unused_days=45, archive=[PARTNER, STANDBY], internal_resources=[BUCKET])


def world(make: Callable[[cdk.App], AccessAnalyzer]) -> World:
    app = new_app()
    make(app)
    return World(synth(app))


@pytest.fixture(scope="session")
def default() -> World:
    return world(build)


@pytest.fixture(scope="session")
def full() -> World:
    return world(build_full)


def test_external_and_unused_access_are_analyzed(default: World) -> None:
    found = {each.properties["Type"]: each.properties for each in default.resources(ANALYZER)}
    assert set(found) == {"ACCOUNT", "ACCOUNT_UNUSED_ACCESS"}
    assert found["ACCOUNT_UNUSED_ACCESS"]["AnalyzerConfiguration"] == {
        "UnusedAccessConfiguration": {"UnusedAccessAge": 90}
    }
    assert not any("ArchiveRules" in each for each in found.values())


ANALYZER = "AWS::AccessAnalyzer::Analyzer"


def test_every_active_finding_is_told(default: World, full: World) -> None:
    external, unused, internal = (
        "Access Analyzer Finding",
        "Unused Access Finding for IAM entities",
        "Internal Access Finding",
    )
    for made, told in ((default, [external, unused]), (full, [external, unused, internal])):
        rule = made.one("AWS::Events::Rule").properties
        assert rule["EventPattern"] == {
            "source": ["aws.access-analyzer"],
            "detail-type": told,
            "detail": {"status": ["ACTIVE"]},
        }
        assert rule["Targets"][0]["Arn"] == made.arn(made.one("AWS::SNS::Topic"))


def test_what_is_wanted_is_put_away_by_name_with_its_reason(full: World) -> None:
    external = full.one(ANALYZER, "External")
    assert external.properties["ArchiveRules"] == [
        {
            "RuleName": "partner-results",
            "Filter": [
                {"Property": "resource", "Eq": [BUCKET]},
                {"Property": "principal.AWS", "Eq": ["444455556666"]},
            ],
        }
    ]
    assert external.raw["Metadata"]["secure-ml:archived"] == {"partner-results": REASON}
    (standby,) = full.one(ANALYZER, "Unused").properties["ArchiveRules"]
    assert standby["Filter"] == [{"Property": "resource", "Eq": list(STANDBY.resources)}]


def test_who_reaches_what_inside_is_asked_of_named_resources_only(full: World) -> None:
    internal = full.one(ANALYZER, "Internal").properties
    assert internal["Type"] == "ACCOUNT_INTERNAL_ACCESS"
    (rule,) = internal["AnalyzerConfiguration"]["InternalAccessConfiguration"]["InternalAccessAnalysisRule"][
        "Inclusions"
    ]
    assert rule == {"ResourceArns": [BUCKET]}


def test_an_analyzer_that_exists_is_told_of_and_not_made() -> None:
    made = world(lambda app: build(app, existing=[Analysis.EXTERNAL]))
    assert made.one(ANALYZER).properties["Type"] == "ACCOUNT_UNUSED_ACCESS"
    assert len(made.one("AWS::Events::Rule").properties["EventPattern"]["detail-type"]) == 2
    made = world(lambda app: build(app, existing=list(Analysis)))
    assert list(made.resources(ANALYZER)) == []
    assert len(made.one("AWS::Events::Rule").properties["EventPattern"]["detail-type"]) == 3


def topic(stack: cdk.Stack) -> sns.ITopic:
    return sns.Topic.from_topic_arn(stack, "Topic", f"arn:aws:sns:{REGION}:{ACCOUNT}:security")


def test_a_second_one_in_the_account_is_refused() -> None:
    app = new_app()
    first = build(app)
    stack = cdk.Stack(app, "Second")
    with pytest.raises(ConfigurationError) as caught:
        AccessAnalyzer(stack, "Access", perimeter=PERIMETER, topic=topic(stack))
    assert [problem.argument for problem in caught.value.problems] == ["existing", "existing"]
    assert "external" in str(caught.value)
    assert "unused" in str(caught.value)
    assert stack.node.try_find_child("Access") is None
    taken = AccessAnalyzer(
        stack, "Access", perimeter=PERIMETER, topic=topic(cdk.Stack(app, "T")), existing=list(Analysis)
    )
    assert taken.analyzer_arns == {}
    assert set(first.analyzer_arns) == {Analysis.EXTERNAL, Analysis.UNUSED}


def test_another_region_has_its_own_analyzer_of_external_access_alone() -> None:
    app = new_app()
    for name, region, existing in (("A", "eu-central-1", ()), ("B", "eu-west-1", (Analysis.UNUSED,))):
        stack = cdk.Stack(app, name, env=cdk.Environment(account=ACCOUNT, region=region))
        AccessAnalyzer(stack, "Access", perimeter=PERIMETER, topic=topic(stack), existing=existing)
    other = cdk.Stack(app, "C", env=cdk.Environment(account=ACCOUNT, region="eu-north-1"))
    with pytest.raises(ConfigurationError, match="unused") as caught:
        AccessAnalyzer(other, "Access", perimeter=PERIMETER, topic=topic(other))
    assert len(caught.value.problems) == 1


def test_another_account_and_another_app_have_their_own() -> None:
    app = new_app()
    for account in (ACCOUNT, "222233334444"):
        stack = cdk.Stack(app, f"In{account}", env=cdk.Environment(account=account, region=REGION))
        AccessAnalyzer(stack, "Access", perimeter=PERIMETER, topic=topic(stack))
    stack = cdk.Stack(new_app(), "Other", env=cdk.Environment(account=ACCOUNT, region=REGION))
    AccessAnalyzer(stack, "Access", perimeter=PERIMETER, topic=topic(stack))


@pytest.mark.parametrize("make", [build, build_full], ids=["default", "full"])
def test_no_pack_finds_anything(make: Callable[[cdk.App], AccessAnalyzer]) -> None:
    assert findings(make) == []


@pytest.mark.parametrize("made", ["default", "full"])
def test_the_template(
    made: str, request: pytest.FixtureRequest, snapshot_template: Callable[[dict[str, Any]], None]
) -> None:
    found: World = request.getfixturevalue(made)
    template = dict(found.templates)["Access"]
    resources = {
        name: each for name, each in template["Resources"].items() if not name.startswith(("Keys", "Alerts"))
    }
    snapshot_template({"Resources": resources})


def archived(**arguments: Any) -> dict[str, Any]:
    given = {"name": "wanted", "reason": REASON, "resources": (BUCKET,), **arguments}
    return {"archive": [ArchiveRule(**given)]}


@pytest.mark.parametrize(
    ("arguments", "argument", "says"),
    [
        ({"unused_days": 0}, "unused_days", "a year"),
        ({"unused_days": 366}, "unused_days", "a year"),
        (archived(name="no name"), "archive[0].name", "no name of a rule"),
        (archived(reason="wanted"), "archive[0].reason", "told to nobody"),
        (archived(resources=()), "archive[0].resources", "every resource"),
        (archived(resources=("arn:aws:s3:::*",)), "archive[0].resources", "without wildcards"),
        (archived(resources=BUCKET), "archive[0].resources", "One string"),
        (archived(resources=tuple(f"{BUCKET}{n}" for n in range(21))), "archive[0].resources", "20 values"),
        (archived(principals=("1", "*")), "archive[0].principals", "without wildcards"),
        (archived(principals=("1",), analysis=Analysis.UNUSED), "archive[0].principals", "no principal"),
        (archived(analysis=Analysis.INTERNAL), "archive[0].analysis", "made here"),
        ({"archive": [PARTNER, PARTNER]}, "archive[1].name", "Another rule"),
        ({"internal_resources": BUCKET}, "internal_resources", "One string"),
        ({"internal_resources": ["results"]}, "internal_resources[0]", "no ARN"),
        (
            {"internal_resources": [BUCKET], "existing": [Analysis.INTERNAL]},
            "internal_resources",
            "is not changed here",
        ),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], argument: str, says: str) -> None:
    stack = cdk.Stack(new_app(), "Access")
    with pytest.raises(ConfigurationError) as caught:
        AccessAnalyzer(stack, "Access", perimeter=PERIMETER, topic=topic(stack), **arguments)
    (problem,) = caught.value.problems
    assert problem.argument == argument
    assert says in problem.reason
    assert stack.node.try_find_child("Access") is None


def test_a_bucket_that_is_made_in_the_app_is_taken() -> None:
    app = new_app()
    stack = cdk.Stack(app, "Access")
    bucket = cdk.CfnResource(stack, "Bucket", type="AWS::S3::Bucket")
    arn = bucket.get_att("Arn").to_string()
    AccessAnalyzer(stack, "Access", perimeter=PERIMETER, topic=topic(stack), internal_resources=[arn])
    internal = World(synth(app)).one(ANALYZER, "Internal")
    assert "arn:aws:s3:::" in str(internal.properties)
