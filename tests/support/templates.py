"""Synthesize in tests, and read templates as the resources they would become."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk

ROOT = Path(__file__).parents[2]
Template = dict[str, Any]
Templates = dict[str, Template]

ACCOUNT = "111122223333"
REGION = "eu-central-1"


@cache
def cdk_context() -> dict[str, Any]:
    """The flags of cdk.json, which an app sees only through the CDK CLI."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return context


def new_app(**context: Any) -> cdk.App:
    """An app with the project's flags and without the CDK's own validation, which costs two seconds."""
    return cdk.App(
        analytics_reporting=False,
        builtin_cloud_formation_validation=False,
        context={**cdk_context(), **context},
        stack_traces=False,
        tree_metadata=False,
    )


def synth(app: cdk.App) -> Templates:
    """Synthesize and give every template by stack name."""
    return {
        stack.stack_name: json.loads(Path(stack.template_full_path).read_text())
        for stack in app.synth().stacks
    }


@dataclass(frozen=True)
class Resource:
    """One resource with every intrinsic resolved."""

    stack: str
    logical_id: str
    type: str
    properties: Any
    raw: Mapping[str, Any]


class World:
    """What the templates would become in one account and region; made-up names stand for real ones."""

    def __init__(
        self,
        templates: Templates,
        *,
        account: str = ACCOUNT,
        region: str = REGION,
        partition: str = "aws",
    ) -> None:
        self.templates = templates
        self.account = account
        self.region = region
        self.partition = partition

    def resources(self, type: str | None = None, name: str = "") -> Iterator[Resource]:
        """Every resource of a type whose logical id holds `name`."""
        for stack, template in self.templates.items():
            for logical_id, raw in template.get("Resources", {}).items():
                if (type is None or raw["Type"] == type) and name in logical_id:
                    properties = self.resolve(stack, raw.get("Properties", {}))
                    yield Resource(stack, logical_id, raw["Type"], properties, raw)

    def one(self, type: str, name: str = "") -> Resource:
        """The only such resource."""
        found = list(self.resources(type, name))
        assert len(found) == 1, (
            f"{len(found)} resources of {type} with {name!r}: {[r.logical_id for r in found]}"
        )
        return found[0]

    def arn(self, resource: Resource) -> str:
        """A resource's ARN."""
        return str(self._attribute(resource.stack, resource.logical_id, "Arn"))

    def ref(self, resource: Resource) -> str:
        """What `Ref` gives for a resource."""
        return str(self._ref(resource.stack, resource.logical_id))

    def bucket_policy(self, bucket: Resource) -> Any:
        """The policy document of a bucket."""
        policies = [
            r.properties["PolicyDocument"]
            for r in self.resources("AWS::S3::BucketPolicy")
            if r.properties["Bucket"] == self.ref(bucket)
        ]
        assert len(policies) == 1
        return policies[0]

    def resolve(self, stack: str, value: Any) -> Any:
        """Give a template's value with every intrinsic resolved."""
        if isinstance(value, list):
            resolved = [self.resolve(stack, item) for item in value]
            return [item for item in resolved if item is not None]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            key, argument = next(iter(value.items()))
            if key == "Ref":
                return self._ref(stack, argument)
            if key.startswith("Fn::"):
                return self._function(stack, key.removeprefix("Fn::"), argument)
        resolved_map = {key: self.resolve(stack, item) for key, item in value.items()}
        return {key: item for key, item in resolved_map.items() if item is not None}

    def _function(self, stack: str, name: str, argument: Any) -> Any:
        match name:
            case "GetAtt":
                parts = argument.split(".", 1) if isinstance(argument, str) else argument
                return self._attribute(stack, parts[0], parts[1])
            case "Sub":
                text, variables = argument if isinstance(argument, list) else (argument, {})
                return self._sub(stack, text, variables)
            case "Join":
                return argument[0].join(str(part) for part in self.resolve(stack, argument[1]))
            case "Select":
                return self.resolve(stack, argument[1])[int(argument[0])]
            case "Split":
                return self.resolve(stack, argument[1]).split(argument[0])
            case "GetAZs":
                return [f"{self.region}{letter}" for letter in "abc"]
            case "FindInMap":
                table, first, second = (self.resolve(stack, part) for part in argument[:3])
                return self.templates[stack]["Mappings"][table][first][second]
            case "ImportValue":
                export = self.resolve(stack, argument)
                for other, template in self.templates.items():
                    for output in template.get("Outputs", {}).values():
                        if "Export" in output and self.resolve(other, output["Export"]["Name"]) == export:
                            return self.resolve(other, output["Value"])
                raise KeyError(export)
            case "GetStackOutput":
                other, output = self._stack_output(argument)
                return self.resolve(other, self.templates[other]["Outputs"][output]["Value"])
            case "Base64":
                return self.resolve(stack, argument)
            case "If":
                return self.resolve(
                    stack, argument[1] if self._condition(stack, argument[0]) else argument[2]
                )
        raise NotImplementedError(name)

    def _stack_output(self, argument: Any) -> tuple[str, str]:
        return argument["StackName"], argument["OutputName"]

    def _condition(self, stack: str, name: str) -> bool:
        return bool(self._truth(stack, self.templates[stack]["Conditions"][name]))

    def _truth(self, stack: str, value: Any) -> bool:
        ((name, argument),) = value.items()
        match name:
            case "Fn::Equals":
                first, second = (self.resolve(stack, part) for part in argument)
                return bool(first == second)
            case "Fn::Not":
                return not self._truth(stack, argument[0])
            case "Fn::And":
                return all(self._truth(stack, part) for part in argument)
            case "Fn::Or":
                return any(self._truth(stack, part) for part in argument)
            case "Condition":
                return self._condition(stack, argument)
        raise NotImplementedError(name)

    def _sub(self, stack: str, text: str, variables: Mapping[str, Any]) -> str:
        def one(match: re.Match[str]) -> str:
            name = match.group(1)
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in variables:
                return str(self.resolve(stack, variables[name]))
            if "." in name:
                return str(self._attribute(stack, *name.split(".", 1)))
            return str(self._ref(stack, name))

        return re.sub(r"\$\{([^}]+)\}", one, text)

    def _ref(self, stack: str, name: str) -> Any:
        match name:
            case "AWS::AccountId":
                return self.account
            case "AWS::Region":
                return self.region
            case "AWS::Partition":
                return self.partition
            case "AWS::URLSuffix":
                return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"
            case "AWS::StackName":
                return stack
            case "AWS::NoValue":
                return None
        template = self.templates[stack]
        if name in template.get("Parameters", {}):
            return template["Parameters"][name].get("Default", f"parameter-{name}")
        resource = template["Resources"][name]
        return self._identity(stack, name, resource)[0]

    def _attribute(self, stack: str, name: str, attribute: str) -> Any:
        resource = self.templates[stack]["Resources"][name]
        ref, arn = self._identity(stack, name, resource)
        if attribute in ("Arn", "TrailArn", "TopicArn", "QueueArn"):
            return arn
        if attribute == "DnsEntries":
            return [f"Z7HUB22UULQXV:{ref}-{_digest(stack, name, 8)}.vpce.amazonaws.com"]
        if attribute.endswith("Id") or attribute.endswith("Name"):
            return ref
        return f"{attribute.lower()}-{_digest(stack, name, 8)}"

    def _identity(self, stack: str, name: str, resource: Mapping[str, Any]) -> tuple[str, str]:
        """What `Ref` and the ARN of a resource would be."""
        properties = resource.get("Properties", {})
        digest = _digest(stack, name, 17)
        prefix = f"arn:{self.partition}"
        regional = f"{self.region}:{self.account}"
        match resource["Type"]:
            case "AWS::S3::Bucket":
                bucket = f"{name.lower()}-{digest[:6]}"
                return bucket, f"{prefix}:s3:::{bucket}"
            case "AWS::KMS::Key":
                key = f"{digest[:8]}-0000-0000-0000-{_digest(stack, name, 12)}"
                return key, f"{prefix}:kms:{regional}:key/{key}"
            case "AWS::IAM::Role":
                role = self.resolve(stack, properties.get("RoleName", f"{stack}-{name}"))
                path = self.resolve(stack, properties.get("Path", "/"))
                return role, f"{prefix}:iam::{self.account}:role{path}{role}"
            case "AWS::EC2::VPCEndpoint":
                return f"vpce-{digest}", f"{prefix}:ec2:{regional}:vpc-endpoint/vpce-{digest}"
            case "AWS::EC2::VPC":
                return f"vpc-{digest}", f"{prefix}:ec2:{regional}:vpc/vpc-{digest}"
            case "AWS::EC2::Subnet":
                return f"subnet-{digest}", f"{prefix}:ec2:{regional}:subnet/subnet-{digest}"
            case "AWS::EC2::SecurityGroup":
                return f"sg-{digest}", f"{prefix}:ec2:{regional}:security-group/sg-{digest}"
            case "AWS::Logs::LogGroup":
                group = f"{stack}-{name}-{digest[:6]}"
                return group, f"{prefix}:logs:{regional}:log-group:{group}:*"
            case "AWS::CloudTrail::Trail":
                return f"{stack}-{name}", f"{prefix}:cloudtrail:{regional}:trail/{stack}-{name}"
            case kind if kind.endswith("JobDefinition"):
                # Ref gives its ARN, as of topics.
                arn = f"{prefix}:sagemaker:{regional}:job-definition/{name.lower()}-{digest[:6]}"
                return arn, arn
            case "AWS::StepFunctions::StateMachine":
                machine = f"{prefix}:states:{regional}:stateMachine:{name}-{digest[:6]}"
                return machine, machine
            case "AWS::SNS::Topic":
                topic = f"{prefix}:sns:{regional}:{stack}-{name}"
                return topic, topic
            case kind:
                service = kind.split("::")[1].lower()
                return (
                    f"{name.lower()}-{digest[:6]}",
                    f"{prefix}:{service}:{regional}:{name.lower()}-{digest[:6]}",
                )


def _digest(stack: str, name: str, length: int) -> str:
    return hashlib.sha256(f"{stack}/{name}".encode()).hexdigest()[:length]


def world_of(build: Callable[[cdk.App], object], **where: str) -> World:
    """What the stacks that `build` makes would become.

    Args:
        build: Makes stacks in the app it is given.
        **where: Account, region and partition, as of a `World`.
    """
    app = new_app()
    build(app)
    return World(synth(app), **where)
