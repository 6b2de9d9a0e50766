"""What the selectors of a trail leave unseen."""

from __future__ import annotations

from collections.abc import Iterator

from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome
from secure_ml_constructs.verification.rules.pack.deployment import waits_for
from secure_ml_constructs.verification.rules.pack.selectors import selectors
from secure_ml_constructs.verification.rules.pack.vocabulary import INSIDER, TAMPERING
from secure_ml_constructs.verification.rules.requirements import Code
from secure_ml_constructs.verification.rules.rule import ERROR, WARNING, Rule
from secure_ml_constructs.verification.templates import Reference, Templates, show

_TRAIL = "AWS::CloudTrail::Trail"
_SELECTORS = "AdvancedEventSelectors"


def _sources(context: Context) -> set[str]:
    """The event sources whose network activity a trail records."""
    return {
        source
        for selector in selectors(context)
        if "NetworkActivity" in selector.equals("eventCategory")
        for source in selector.equals("eventSource")
    }


# "Logging network activity events": sources and the ends of the names of their endpoints.
_NETWORK_SOURCES = {
    "athena": ("athena",),
    "bedrock": ("bedrock", "bedrock-runtime", "bedrock-agent", "bedrock-agent-runtime"),
    "cloudformation": ("cloudformation",),
    "cloudtrail": ("cloudtrail",),
    "dynamodb": ("dynamodb",),
    "ec2": ("ec2",),
    "elasticfilesystem": ("elasticfilesystem",),
    "events": ("events",),
    "glue": ("glue",),
    "kms": ("kms",),
    "lakeformation": ("lakeformation",),
    "lambda": ("lambda",),
    "monitoring": ("monitoring",),
    "s3": ("s3",),
    "sagemaker": ("sagemaker.api", "sagemaker.runtime", "sagemaker.featurestore-runtime"),
    "secretsmanager": ("secretsmanager",),
    "sns": ("sns",),
    "sqs": ("sqs",),
    "ssm": ("ssm",),
}


_EVERYWHERE = {f"{source}.amazonaws.com" for source in ("cloudtrail", "ec2", "kms", "secretsmanager")}


def _services(graph: Templates) -> set[str]:
    """How the names of the services that have an endpoint end."""
    names = {
        show(name)
        for endpoint in graph.resources("AWS::EC2::VPCEndpoint")
        for name in graph.alternatives(endpoint, "ServiceName")
    }
    parts = [name.split(".") for name in names]
    return {".".join(part[i:]) for part in parts for i in range(1, len(part))}


def _network_events(context: Context) -> Iterator[Outcome]:
    """What passes each endpoint of the templates is recorded, where CloudTrail can."""
    recorded = _sources(context)
    if _EVERYWHERE <= recorded <= {*_EVERYWHERE, "s3.amazonaws.com"}:
        # All that AWS GovCloud and China take: a trail that names another source is refused there.
        return
    graph = context.graph
    services = graph.once("endpoint services", graph, lambda: _services(graph))
    for source, ends in _NETWORK_SOURCES.items():
        used = any(end in services for end in ends)
        if used and f"{source}.amazonaws.com" not in recorded:
            yield Fail(f"records no network activity of {source}, which has an endpoint", _SELECTORS)


_ARN_TESTS = ("StartsWith", "Equals")


def _excepted(context: Context) -> Iterator[Outcome]:
    """What one selector of objects leaves out another one takes in."""
    left_out: dict[str, str] = {}
    taken_in: set[str] = set()
    for selector in selectors(context):
        for field, tests in selector.fields:
            if field == "resources.ARN":
                for test in _ARN_TESTS:
                    left_out.update(dict.fromkeys(tests.get(f"Not{test}", ()), selector.path))
                    taken_in.update(tests.get(test, ()))
    for arn, path in left_out.items():
        if arn not in taken_in:
            yield Fail(f"leaves out {arn}, and no other selector takes it in", path)


def _waits(context: Context) -> Iterator[Outcome]:
    trail, graph = context.resource, context.graph
    role = graph.get(trail, "CloudWatchLogsRoleArn")
    if type(role) is Reference:
        for type_ in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            for found in graph.named_by(role.resource, type_, "Roles"):
                if graph.exists(found) and not waits_for(trail, found):
                    yield Fail(f"does not wait for {found.logical_id}, the policy of its role", "DependsOn")


RULES = (
    Rule(
        id="CloudTrailNetworkEvents",
        resource_type=_TRAIL,
        requirement=Code(_network_events, "It compares selectors with the endpoints of the templates."),
        severity=WARNING,
        control="A1",
        threats=(INSIDER,),
        title="A trail records what passes the endpoints of the network",
        why="Calls with a stranger's credentials through our endpoint stand in no other log of ours.",
        fix="Add a selector with eventCategory NetworkActivity for each eventSource that has an endpoint.",
    ),
    Rule(
        id="CloudTrailNothingLeftOut",
        resource_type=_TRAIL,
        requirement=Code(_excepted, "It compares selectors with one another."),
        severity=WARNING,
        control="A1",
        threats=(INSIDER, TAMPERING),
        title="What one selector leaves out another takes in",
        why="The buckets that are left out, so that logs don't log themselves, are those worth reading.",
        fix="Add a selector whose resources.ARN starts with what is left out, without the log deliveries.",
    ),
    Rule(
        id="TrailWaitsForRolePolicy",
        resource_type=_TRAIL,
        requirement=Code(_waits, "Order lies outside the properties."),
        severity=ERROR,
        control="A1",
        threats=(TAMPERING,),
        title="A trail is made after the policy of its role",
        why="CloudTrail tries the log group when the trail is made, and the deployment rolls back.",
        fix="Add the policy to DependsOn.",
    ),
)
