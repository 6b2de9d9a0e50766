"""What CloudFormation would begin and then fail at, and what it would not show."""

from __future__ import annotations

import json
import marshal
import re
from collections.abc import Iterator
from typing import Any

from secure_ml_constructs.verification.rules.engine import TEMPLATE
from secure_ml_constructs.verification.rules.instances import local_storage
from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome, Unknown
from secure_ml_constructs.verification.rules.pack.shared import policy
from secure_ml_constructs.verification.rules.pack.vocabulary import (
    API_ABUSE,
    INSIDER,
    SUPPLY_CHAIN,
    TAMPERING,
)
from secure_ml_constructs.verification.rules.requirements import Code, values
from secure_ml_constructs.verification.rules.rule import ERROR, WARNING, Rule
from secure_ml_constructs.verification.rules.secrets import secret_in
from secure_ml_constructs.verification.templates import Absent, Reference, Resource, show

_NESTED = "AWS::CloudFormation::Stack"
_TRAIL = "AWS::CloudTrail::Trail"
# "AWS CloudFormation quotas": 500 resources. The last fifty are kept for the change that cannot wait.
_MOST_RESOURCES = 500
_MANY_RESOURCES = 450
# Transforms that AWS runs and whose result the resources of the template say.
_KNOWN_TRANSFORMS = {
    "AWS::LanguageExtensions",
    "AWS::SecretsManager-2020-07-23",
    "AWS::SecretsManager-2024-09-16",
}
# "IAM and AWS STS quotas", and those of each service: characters of a policy, white space not counted.
_SIZES = {
    "AWS::IAM::ManagedPolicy": ("PolicyDocument", 6144),
    "AWS::IAM::Policy": ("PolicyDocument", 10240),
    "AWS::IAM::RolePolicy": ("PolicyDocument", 10240),
    "AWS::S3::BucketPolicy": ("PolicyDocument", 20480),
    "AWS::KMS::Key": ("KeyPolicy", 32768),
    "AWS::EC2::VPCEndpoint": ("PolicyDocument", 20480),
    "AWS::SecretsManager::ResourcePolicy": ("ResourcePolicy", 20480),
    "AWS::IAM::Role": ("AssumeRolePolicyDocument", 2048),
    "AWS::SNS::TopicPolicy": ("PolicyDocument", 30720),
    "AWS::Organizations::Policy": ("Content", 10240),
}


def names(body: Any) -> Iterator[str]:
    """The logical ids that a resource's body names."""
    if isinstance(body, dict):
        for key, value in body.items():
            if key == "Ref" and isinstance(value, str):
                yield value
            elif key == "Fn::GetAtt":
                yield (value.split(".")[0] if isinstance(value, str) else str(value[0])) if value else ""
            elif key == "Fn::Sub":
                text = value[0] if isinstance(value, list) and value else value
                yield from re.findall(r"\$\{([A-Za-z0-9]+)[.}]", text if isinstance(text, str) else "")
                yield from names(value)
            elif key == "DependsOn":
                yield from [value] if isinstance(value, str) else value
            else:
                yield from names(value)
    elif isinstance(body, list):
        for item in body:
            yield from names(item)


def waits_for(resource: Resource, other: Resource) -> bool:
    """Whether a resource is made after another of its template, for whatever reason."""
    if resource.template is not other.template:
        # Stacks have an order of their own.
        return True
    direct = resource.body.get("DependsOn", ())
    if other.logical_id in ((direct,) if isinstance(direct, str) else direct):
        return True
    waiting, seen = [resource], {resource.logical_id}
    while waiting:
        for name in names(waiting.pop().body):
            if name == other.logical_id:
                return True
            if name in resource.template.resources and name not in seen:
                seen.add(name)
                waiting.append(resource.template.resources[name])
    return False


def _trail_waits(context: Context) -> Iterator[Outcome]:
    trail, graph = context.resource, context.graph
    bucket = graph.get(trail, "S3BucketName")
    if type(bucket) is Reference:
        for found in graph.named_by(bucket.resource, "AWS::S3::BucketPolicy", "Bucket"):
            if graph.exists(found) and not waits_for(trail, found):
                yield Fail(f"does not wait for the bucket's policy {found.logical_id}", "DependsOn")


def _key_lets(path: str, service: str, *, words: str) -> Code:
    def ask(context: Context) -> Iterator[Outcome]:
        key = context.graph.get(context.resource, path)
        if type(key) is not Reference or key.resource.type != "AWS::KMS::Key":
            return
        found = policy(context, "KeyPolicy", key.resource)
        if not isinstance(found, list):
            return
        for statement in found:
            named = any(re.match(rf"service:{service}[.]", principal) for principal in statement.principals)
            if statement.allow and named and statement.covers("kms:GenerateDataKey"):
                return
        yield Fail(f"is {show(key)}, whose policy does not let {words} use it", path)

    return Code(ask, "The key's policy is another resource's.")


def _association_waits(context: Context) -> Iterator[Outcome]:
    association, graph = context.resource, context.graph
    arn = graph.get(association, "ResourceArn")
    if "/restapis/" not in show(arn):
        return
    for stage in graph.resources("AWS::ApiGateway::Stage"):
        api = graph.get(stage, "RestApiId")
        if type(api) is Reference and str(api) in show(arn) and not waits_for(association, stage):
            yield Fail(f"does not wait for the stage {stage.logical_id}", "DependsOn")


def _model_waits(context: Context) -> Iterator[Outcome]:
    model, graph = context.resource, context.graph
    role = graph.get(model, "ExecutionRoleArn")
    if type(role) is Reference:
        for type_ in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"):
            path = "RoleName" if type_.endswith("RolePolicy") else "Roles"
            for found in graph.named_by(role.resource, type_, path):
                if graph.exists(found) and not waits_for(model, found):
                    yield Fail(f"does not wait for {found.logical_id}, the policy of its role", "DependsOn")


def _log_first(context: Context) -> Iterator[Outcome]:
    """A service that finds no log group makes one: without a key, kept for ever, and in the way of ours."""
    writer, graph = context.resource, context.graph
    match writer.type:
        case "AWS::ApiGateway::Stage":
            api, stage = graph.get(writer, "RestApiId"), graph.get(writer, "StageName")
            wanted = f"API-Gateway-Execution-Logs_{show(api)}/{show(stage)}"
        case "AWS::SageMaker::Endpoint":
            wanted = f"/aws/sagemaker/Endpoints/{show(graph.get(writer, 'EndpointName'))}"
        case _:
            wanted = show(next(iter(graph.items(writer, "LogDestinationConfigs")), "")).rpartition(":")[2]
    for group in graph.resources("AWS::Logs::LogGroup"):
        if show(graph.get(group, "LogGroupName")) == wanted and not waits_for(writer, group):
            yield Fail(f"does not wait for its log group {group.logical_id}", "DependsOn")


def _deployed_whole(context: Context) -> Iterator[Outcome]:
    """A deployment of an API is a picture of what there is at its time."""
    api = context.graph.get(context.resource, "RestApiId")
    if type(api) is Reference:
        for type_ in ("AWS::ApiGateway::Method", "AWS::ApiGateway::GatewayResponse"):
            for part in context.graph.named_by(api.resource, type_, "RestApiId"):
                if not waits_for(context.resource, part):
                    yield Fail(f"does not wait for {part.logical_id}", "DependsOn")


def _needless_key(context: Context) -> Iterator[Outcome]:
    if isinstance(context.graph.get(context.resource, "KmsKeyId"), Absent):
        return
    types = [value for _, value in values(context, "ProductionVariants[*].InstanceType")]
    local = [value for value in types if local_storage(value)]
    if local:
        yield Fail(f"is set, and {local[0]} has local storage, which takes no key", "KmsKeyId")


def _resources(context: Context) -> Iterator[Outcome]:
    count = len(context.resource.template.resources)
    if count > _MOST_RESOURCES:
        yield Fail(f"has {count} resources, more than the {_MOST_RESOURCES} that a stack can have")
    elif count > _MANY_RESOURCES:
        yield Fail(f"has {count} of the {_MOST_RESOURCES} resources that a stack can have")


def _size(context: Context) -> Iterator[Outcome]:
    path, most = _SIZES[context.resource.type]
    if context.resource.type == "AWS::IAM::Policy" and not context.graph.get(context.resource, "Roles"):
        # "IAM and AWS STS quotas": inline policies of a group hold half as much, those of a user less.
        most = 5120 if context.graph.get(context.resource, "Groups") else 2048
    written = context.resource.properties.get(path)
    # Five bytes and the text for each string: no less than the JSON of it, and counted in a moment.
    if written is None or len(marshal.dumps(written, 0)) < most // 2:
        return
    document = context.graph.whole(context.resource.template, written)
    text = document if isinstance(document, str) else json.dumps(document, default=show)
    size = len(re.sub(r"\s", "", text))
    if size > most:
        yield Fail(f"has {size} characters, more than the {most} that it can have", path)


def _readable(context: Context) -> Iterator[Outcome]:
    template = context.resource.template
    found = template.body.get("Transform", [])
    for name in found if isinstance(found, list) else [found]:
        given = name.get("Name") if isinstance(name, dict) else name
        if given not in _KNOWN_TRANSFORMS:
            yield Unknown(f"The transform {show(given)} writes what is not in the template.", "Transform")
    for other, key in context.graph.unexpanded:
        if other is template:
            yield Unknown("It writes resources when the stack is deployed.", f"Resources.{key}")


def _exposed(context: Context) -> Iterator[Outcome]:
    template = context.resource.template
    for name, definition in template.section("Parameters").items():
        if isinstance(definition, dict) and (secret := secret_in(name, definition.get("Default"))):
            yield Fail(f"{secret}", f"Parameters.{name}.Default")
    for name, definition in template.section("Outputs").items():
        if isinstance(definition, dict):
            # As it is written: a secret is text, in whichever branch.
            for text in _texts(definition.get("Value")):
                if secret := secret_in("", text):
                    yield Fail(f"{secret}", f"Outputs.{name}.Value")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _given(context: Context) -> Iterator[Outcome]:
    if context.resource not in context.graph.nested:
        yield Unknown("The template of the nested stack was not given.", "TemplateURL")


_ORDER = "Order lies outside the properties."

RULES = (
    Rule(
        id="TrailWaitsForBucketPolicy",
        resource_type=_TRAIL,
        requirement=Code(_trail_waits, _ORDER),
        severity=ERROR,
        control="A1",
        threats=(TAMPERING,),
        title="A trail is made after the policy of its bucket",
        why="CloudTrail tries the bucket when the trail is made, and the deployment fails and rolls back.",
        fix="Add the bucket policy to DependsOn.",
    ),
    Rule(
        id="LogGroupKeyLetsLogs",
        resource_type="AWS::Logs::LogGroup",
        requirement=_key_lets("KmsKeyId", "logs", words="the regional logs service"),
        severity=ERROR,
        control="E1",
        threats=(TAMPERING,),
        title="The key of a log group lets the logs service use it",
        why="Without that the log group can't be made, and the deployment rolls back.",
        fix="Add logs.<region>.amazonaws.com to the key's policy, bound by kms:EncryptionContext.",
    ),
    Rule(
        id="TrailKeyLetsCloudTrail",
        resource_type=_TRAIL,
        requirement=_key_lets("KMSKeyId", "cloudtrail", words="CloudTrail"),
        severity=ERROR,
        control="E1",
        threats=(TAMPERING,),
        title="The key of a trail lets CloudTrail use it",
        why="Without that the trail can't be made, and the deployment rolls back.",
        fix="Add cloudtrail.amazonaws.com to the key's policy, bound by aws:SourceArn.",
    ),
    Rule(
        id="WafAssociationWaitsForStage",
        resource_type="AWS::WAFv2::WebACLAssociation",
        requirement=Code(_association_waits, _ORDER),
        severity=ERROR,
        control="G4",
        threats=(TAMPERING,),
        title="A web ACL is associated after the stage is made",
        why="The ARN of a stage names the API only, so that nothing else sets the order.",
        fix="Add the stage to DependsOn.",
    ),
    Rule(
        id="LogGroupMadeFirst",
        resource_type="AWS::ApiGateway::Stage",
        also=("AWS::SageMaker::Endpoint", "AWS::WAFv2::LoggingConfiguration"),
        requirement=Code(_log_first, _ORDER),
        severity=WARNING,
        control="E3",
        threats=(INSIDER, TAMPERING),
        title="What writes to a log group of a fixed name is made after it",
        why="The service would make the group itself, under no key of ours, and ours would fail.",
        fix="Add the log group to DependsOn.",
    ),
    Rule(
        id="ApiDeploymentWhole",
        resource_type="AWS::ApiGateway::Deployment",
        requirement=Code(_deployed_whole, _ORDER),
        severity=ERROR,
        control="G5",
        threats=(API_ABUSE, TAMPERING),
        title="An API is deployed after all its parts",
        why="Methods and answers to errors that come later are not in it, and the defaults take their place.",
        fix="Add methods and gateway responses to DependsOn.",
    ),
    Rule(
        id="ModelWaitsForRolePolicy",
        resource_type="AWS::SageMaker::Model",
        requirement=Code(_model_waits, _ORDER),
        severity=ERROR,
        control="G8",
        threats=(TAMPERING,),
        title="A model is made after the policy of its role",
        why="SageMaker reads image and data with the role when the model is made, and fails without rights.",
        fix="Add the policy to DependsOn.",
    ),
    Rule(
        id="EndpointConfigKeyTaken",
        resource_type="AWS::SageMaker::EndpointConfig",
        requirement=Code(_needless_key, "Types with local storage are known by a list."),
        severity=WARNING,
        control="G1",
        threats=(TAMPERING,),
        title="No key is set where instances have local storage",
        why="AWS's pages disagree on whether the call fails or the key is not used; neither is wanted.",
        fix="Leave KmsKeyId out, or choose a type without local storage.",
    ),
    Rule(
        id="TemplateFits",
        resource_type=TEMPLATE,
        requirement=Code(_resources, "It counts resources."),
        severity=WARNING,
        control="R1",
        threats=(TAMPERING,),
        title="A stack has room left",
        why="With 500 resources no more can be added, not even what mends a hole.",
        fix="Divide the stack.",
    ),
    *(
        Rule(
            id="".join(type_.split("::")[1:]) + "Fits",
            resource_type=type_,
            requirement=Code(_size, "It counts characters."),
            severity=ERROR,
            control="R1",
            threats=(TAMPERING,),
            title="A policy is within the size that its service takes",
            why="The deployment begins, fails at the policy and rolls back.",
            fix="Divide the policy, or join its statements.",
        )
        for type_ in _SIZES
    ),
    Rule(
        id="TemplateReadable",
        resource_type=TEMPLATE,
        requirement=Code(_readable, "It reads the template as a whole."),
        severity=ERROR,
        control="R4",
        threats=(SUPPLY_CHAIN,),
        title="What is deployed is what the template says",
        why="A macro writes resources that nobody has judged.",
        fix="Judge the template that the macro has made: aws cloudformation get-template, stage Processed.",
    ),
    Rule(
        id="TemplateNoSecrets",
        resource_type=TEMPLATE,
        requirement=Code(_exposed, "It reads the template as a whole."),
        severity=ERROR,
        control="E5",
        threats=(INSIDER,),
        title="Parameters and outputs hold no secret",
        why="Defaults and outputs are shown to everyone who may describe the stack.",
        fix="Read the secret by {{resolve:secretsmanager:…}} where it is used.",
    ),
    Rule(
        id="NestedStackGiven",
        resource_type=_NESTED,
        requirement=Code(_given, "The nested template is another file."),
        severity=ERROR,
        control="R4",
        threats=(SUPPLY_CHAIN,),
        title="A nested stack's template is judged too",
        why="What lies in it is deployed as well.",
        fix="Give its file with the others.",
    ),
)
