"""The policies of resources: written in them, attached to them, or made of permissions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from secure_ml_constructs.verification.proofs.estate.documents import Reader, anything, joined, unsure
from secure_ml_constructs.verification.proofs.iam.documents import Document, Kind
from secure_ml_constructs.verification.proofs.iam.ternary import Unknown
from secure_ml_constructs.verification.templates import Resource, Templates

# Where a resource's own policy stands in it.
_INLINE: dict[str, str] = {
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::KMS::ReplicaKey": "KeyPolicy",
    "AWS::ECR::Repository": "RepositoryPolicyText",
    "AWS::ECR::RegistryPolicy": "PolicyText",
    "AWS::ApiGateway::RestApi": "Policy",
    "AWS::SageMaker::ModelPackageGroup": "ModelPackageGroupPolicy",
    "AWS::EFS::FileSystem": "FileSystemPolicy",
    "AWS::CodeArtifact::Domain": "PermissionsPolicyDocument",
    "AWS::CodeArtifact::Repository": "PermissionsPolicyDocument",
    "AWS::Events::EventBus": "Policy",
    "AWS::Logs::LogGroup": "ResourcePolicyDocument",
    "AWS::Logs::ResourcePolicy": "PolicyDocument",
    "AWS::DynamoDB::Table": "ResourcePolicy.PolicyDocument",
    "AWS::Kinesis::Stream": "ResourcePolicy",
    "AWS::Backup::BackupVault": "AccessPolicy",
}


@dataclass(frozen=True)
class _Attached:
    """A type that attaches a document to others.

    Attributes:
        targets: The property that names them.
        document: The property that holds the document.
        to: Their types.
    """

    targets: str
    document: str
    to: tuple[str, ...]


_ATTACHED = {
    "AWS::S3::BucketPolicy": _Attached("Bucket", "PolicyDocument", ("AWS::S3::Bucket",)),
    "AWS::SecretsManager::ResourcePolicy": _Attached(
        "SecretId", "ResourcePolicy", ("AWS::SecretsManager::Secret",)
    ),
    "AWS::SNS::TopicPolicy": _Attached("Topics", "PolicyDocument", ("AWS::SNS::Topic",)),
    "AWS::SNS::TopicInlinePolicy": _Attached("TopicArn", "PolicyDocument", ("AWS::SNS::Topic",)),
    "AWS::SQS::QueuePolicy": _Attached("Queues", "PolicyDocument", ("AWS::SQS::Queue",)),
    "AWS::SQS::QueueInlinePolicy": _Attached("Queue", "PolicyDocument", ("AWS::SQS::Queue",)),
    "AWS::Kinesis::ResourcePolicy": _Attached("ResourceArn", "ResourcePolicy", ("AWS::Kinesis::Stream",)),
}
# Whose account has them all in one policy.
_OF_THE_ACCOUNT = {"AWS::Logs::LogGroup": "AWS::Logs::ResourcePolicy"}
_PERMISSION, _BUS_POLICY = "AWS::Lambda::Permission", "AWS::Events::EventBusPolicy"
_FUNCTION, _BUS = "AWS::Lambda::Function", "AWS::Events::EventBus"


class ResourcePolicies:
    """Reads the policies of resources.

    Args:
        templates: The templates.
        reader: Reads their documents.
    """

    def __init__(self, templates: Templates, reader: Reader) -> None:
        self._templates = templates
        self._reader = reader
        self._settled = reader.settled
        self._attached: dict[Resource, list[Document]] = defaultdict(list)
        # Documents of a target that is not known, by its type.
        self._stray: dict[str, list[Document]] = defaultdict(list)
        self._targets: dict[str, dict[str, Resource]] = {}
        for type_, how in _ATTACHED.items():
            for resource in self._existing(type_):
                self._attach(resource, how)
        self._attach_permissions()
        self._attach_bus_policies()
        types = {*_INLINE, *(to for how in _ATTACHED.values() for to in how.to), _FUNCTION}
        self._of = {
            resource: self._policy(resource)
            for type_ in sorted(types)
            for resource in self._existing(type_)
            if type_ not in _OF_THE_ACCOUNT
        }
        for type_, policy in _OF_THE_ACCOUNT.items():
            for resource in self._existing(type_):
                account = self._settled.place(resource.template)
                shared = (
                    each for each in self._existing(policy) if self._settled.place(each.template) == account
                )
                own = self._policy(resource)
                parts = [own, *(self._of[each] for each in shared)]
                self._of[resource] = joined(part for part in parts if part is not None)

    def of(self, resource: Resource) -> Document | None:
        """The policy of a resource; None where it has none.

        Where several documents are attached of which one wins, or one whose target is not known, none of
        their statements stands for certain.
        """
        return self._of.get(resource)

    def _existing(self, type_: str) -> Iterator[Resource]:
        return (each for each in self._templates.resources(type_) if self._settled.exists(each))

    def _attach(self, resource: Resource, how: _Attached) -> None:
        document = self._reader.read(
            resource.template,
            resource.properties.get(how.document),
            Kind.RESOURCE,
            self._reader.name(resource),
        )
        for target in _list(self._settled.given(resource, how.targets)):
            self._place(target, how.to, document)

    def _place(self, target: Any, types: tuple[str, ...], document: Document) -> None:
        if isinstance(target, str):
            # A target of another name is none of ours.
            if (found := self._target(target, types)) is not None:
                self._attached[found].append(document)
            return
        for type_ in types:
            self._stray[type_].append(unsure(document, f"what {document.name} is attached to"))

    def _target(self, text: str, types: tuple[str, ...]) -> Resource | None:
        for type_ in types:
            if type_ not in self._targets:
                self._targets[type_] = {
                    name: resource
                    for resource in self._existing(type_)
                    for attribute in ("Name", "Arn", "Ref")
                    if isinstance(name := self._settled.attribute(resource, attribute), str)
                }
            if text in self._targets[type_]:
                return self._targets[type_][text]
        return None

    def _policy(self, resource: Resource) -> Document | None:
        documents = [*self._inline(resource), *self._attached.get(resource, ())]
        if len(documents) > 1 and resource.type not in (_FUNCTION, _BUS):
            documents = [unsure(each, f"which policy of {resource.logical_id} stays") for each in documents]
        if not documents:
            documents += self._default(resource)
        return joined([*documents, *self._stray[resource.type]])

    def _inline(self, resource: Resource) -> Iterator[Document]:
        path = _INLINE.get(resource.type)
        if path is None:
            return
        template = resource.template
        value: Any = resource.properties
        for name in path.split("."):
            value = self._settled.resolve(template, value.get(name) if isinstance(value, dict) else None)
        if not value:
            return
        api = None
        if resource.type == "AWS::ApiGateway::RestApi":
            arn = self._settled.attribute(resource, "Arn")
            api = arn if isinstance(arn, str) else None
        yield self._reader.read(template, value, Kind.RESOURCE, self._reader.name(resource), api=api)

    def _default(self, resource: Resource) -> Iterator[Document]:
        """What AWS attaches where the template attaches nothing."""
        place = self._settled.place(resource.template)
        statement: dict[str, Any] = {"Sid": "Default", "Effect": "Allow", "Resource": "*"}
        if resource.type in ("AWS::KMS::Key", "AWS::KMS::ReplicaKey"):
            # AWS KMS Developer Guide, "Default key policy".
            principal = f"arn:{place.partition}:iam::{place.account}:root"
            statement |= {"Principal": {"AWS": principal}, "Action": "kms:*"}
        elif resource.type == "AWS::EFS::FileSystem":
            # Amazon EFS User Guide, "Default EFS file system policy".
            statement |= {"Principal": {"AWS": "*"}, "Action": "elasticfilesystem:Client*"}
        elif resource.type == "AWS::SNS::Topic":
            yield anything(
                Kind.RESOURCE, self._reader.name(resource, "default policy"), "it rests on AWS:SourceOwner"
            )
            return
        else:
            return
        document = {"Version": "2012-10-17", "Statement": [statement]}
        yield self._reader.read(
            resource.template, document, Kind.RESOURCE, self._reader.name(resource, "default policy")
        )

    def _attach_permissions(self) -> None:
        """Read each permission as a statement.

        AWS Lambda Developer Guide, "Viewing resource-based IAM policies in Lambda".
        """
        for resource in self._existing(_PERMISSION):
            given = {
                name: self._settled.given(resource, name)
                for name in (*_PERMISSION_CONDITIONS, "Principal", "Action", "FunctionName")
            }
            condition: dict[str, dict[str, Any]] = {}
            for name, (operator, key) in _PERMISSION_CONDITIONS.items():
                if given[name] is not None:
                    condition.setdefault(operator, {})[key] = given[name]
            function = given["FunctionName"]
            found = self._function(function) if isinstance(function, str) else None
            arn = self._settled.attribute(found, "Arn") if found else Unknown("which function it is")
            if found and isinstance(function, str) and isinstance(arn, str):
                # One for a version or alias holds for that alone.
                arn += _qualifier(function)
            statement = {
                "Sid": resource.logical_id,
                "Effect": "Allow",
                "Principal": _principal(given["Principal"], self._settled.place(resource.template).partition),
                "Action": given["Action"],
                "Resource": arn,
                "Condition": condition,
            }
            document = self._reader.read(
                resource.template, {"Statement": [statement]}, Kind.RESOURCE, self._reader.name(resource)
            )
            if found is not None:
                self._attached[found].append(document)
            elif not isinstance(function, str):
                self._place(function, (_FUNCTION,), document)

    def _function(self, text: str) -> Resource | None:
        """The function of a name, an ARN, or either with a version or alias."""
        qualifier = _qualifier(text)
        return self._target(text.removesuffix(qualifier) if qualifier else text, (_FUNCTION,))

    def _attach_bus_policies(self) -> None:
        for resource in self._existing(_BUS_POLICY):
            # The older form, without Statement, can't be read.
            statement = self._settled.given(resource, "Statement")
            document = self._reader.read(
                resource.template,
                {"Version": "2012-10-17", "Statement": statement},
                Kind.RESOURCE,
                self._reader.name(resource),
            )
            bus = self._settled.given(resource, "EventBusName")
            self._place("default" if bus is None else bus, (_BUS,), document)


_PERMISSION_CONDITIONS = {
    "SourceArn": ("ArnLike", "aws:SourceArn"),
    "SourceAccount": ("StringEquals", "aws:SourceAccount"),
    "PrincipalOrgID": ("StringEquals", "aws:PrincipalOrgID"),
    "EventSourceToken": ("StringEquals", "lambda:EventSourceToken"),
    "FunctionUrlAuthType": ("StringEquals", "lambda:FunctionUrlAuthType"),
    "InvokedViaFunctionUrl": ("Bool", "lambda:InvokedViaFunctionUrl"),
}


def _qualifier(function: str) -> str:
    """The version or alias at the end of a function's name or ARN, with its colon."""
    parts = function.split(":")
    if function.startswith("arn:"):
        return f":{parts[7]}" if len(parts) == 8 else ""
    return f":{parts[1]}" if len(parts) == 2 else ""


def _principal(given: Any, partition: str) -> Any:
    """A principal as the short form of permissions has it: everyone, a service, an account or an ARN."""
    if not isinstance(given, str) or given == "*":
        return {"AWS": given} if isinstance(given, Unknown) else given
    if given.isdigit():
        return {"AWS": f"arn:{partition}:iam::{given}:root"}
    return {"AWS": given} if given.startswith("arn:") else {"Service": given}


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]
