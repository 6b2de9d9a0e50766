"""What policies allow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome, Unknown
from secure_ml_constructs.verification.rules.pack.shared import policy, unreadable
from secure_ml_constructs.verification.rules.pack.vocabulary import (
    API_ABUSE,
    HIJACK,
    INSIDER,
    TAMPERING,
    THEFT,
    WALLET,
)
from secure_ml_constructs.verification.rules.policies import Statement, may_be, statements
from secure_ml_constructs.verification.rules.requirements import Code
from secure_ml_constructs.verification.rules.rule import ERROR, WARNING, Rule
from secure_ml_constructs.verification.templates import Absent, Reference, Resource

_ROLE = "AWS::IAM::Role"
_POLICY = "AWS::IAM::Policy"
_OTHERS = (
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::RolePolicy",
    "AWS::IAM::GroupPolicy",
    "AWS::IAM::UserPolicy",
    _ROLE,
    "AWS::IAM::Group",
    "AWS::IAM::User",
    "AWS::SSO::PermissionSet",
)
_policy = partial(Rule, resource_type=_POLICY, also=_OTHERS)
# Actions on data: with them on *, one stolen session has everything.
_DATA = (
    "s3:getobject",
    "s3:putobject",
    "s3:deleteobject",
    "secretsmanager:getsecretvalue",
    "ssm:getparameter",
    "dynamodb:getitem",
    "dynamodb:scan",
    "sagemaker:getrecord",
    "sqs:receivemessage",
)
# The resources that an action opens, where its service has others: "Actions, resources, and condition keys".
_KINDS = {"sagemaker:getrecord": "sagemaker:feature-group"}
_PRESIGNED = {
    "sagemaker:CreatePresignedDomainUrl": "sagemaker:user-profile",
    "sagemaker:CreatePresignedNotebookInstanceUrl": "sagemaker:notebook-instance",
}
# A policy variable that only the owner's own session fills in.
_OWN_PROFILE = re.compile(
    r"\$\{(sagemaker:UserProfileName|aws:(username|userid|SourceIdentity|PrincipalTag/[^}]+))\}",
    re.IGNORECASE,
)
_SERVICE_LINKED = ":role/aws-service-role/"
_KEY_USE = ("kms:decrypt", "kms:reencryptfrom", "kms:generatedatakey", "kms:creategrant")
# Ways to more power than one has, after "IAM Privilege Escalation" by Rhino Security Labs.
_ESCALATION = (
    "iam:createpolicyversion",
    "iam:setdefaultpolicyversion",
    "iam:attachrolepolicy",
    "iam:attachuserpolicy",
    "iam:attachgrouppolicy",
    "iam:putrolepolicy",
    "iam:putuserpolicy",
    "iam:putgrouppolicy",
    "iam:updateassumerolepolicy",
    "iam:deleterolepermissionsboundary",
    "iam:putrolepermissionsboundary",
    "iam:createaccesskey",
    "iam:createloginprofile",
    "iam:updateloginprofile",
    "iam:addusertogroup",
)
_BOUNDED_CREATION = ("iam:PermissionsBoundary", "aws:CalledVia")
# Condition keys of requests: "Actions, resources, and condition keys for Amazon SageMaker AI".
_NETWORK, _ISOLATION = "sagemaker:VpcSubnets", "sagemaker:NetworkIsolation"
_VOLUME, _OUTPUT = "sagemaker:VolumeKmsKey", "sagemaker:OutputKmsKey"
_TYPES, _DEBUG = "sagemaker:InstanceTypes", "sagemaker:EnableRemoteDebug"
_RUN_TIME, _TRAFFIC = "sagemaker:MaxRuntimeInSeconds", "sagemaker:InterContainerTrafficEncryption"
_JOBS = {
    "sagemaker:CreateTrainingJob": (_NETWORK, _ISOLATION, _VOLUME, _OUTPUT, _TYPES, _DEBUG),
    "sagemaker:CreateProcessingJob": (_NETWORK, _ISOLATION, _VOLUME, _OUTPUT, _TYPES),
    "sagemaker:CreateHyperParameterTuningJob": (_NETWORK, _ISOLATION, _VOLUME, _OUTPUT, _TYPES),
    "sagemaker:CreateAutoMLJobV2": (_NETWORK, _VOLUME, _OUTPUT),
    "sagemaker:CreateTransformJob": (_VOLUME, _OUTPUT, _TYPES),
    "sagemaker:CreateEndpointConfig": (_VOLUME, _TYPES),
    "sagemaker:CreateNotebookInstance": (_NETWORK, _VOLUME, _TYPES, "sagemaker:DirectInternetAccess"),
}
_JOB_LIMITS = {
    "sagemaker:CreateTrainingJob": (_RUN_TIME, _TRAFFIC),
    "sagemaker:CreateProcessingJob": (_RUN_TIME, _TRAFFIC),
    "sagemaker:CreateHyperParameterTuningJob": (_RUN_TIME, _TRAFFIC),
    "sagemaker:CreateAutoMLJobV2": (_TRAFFIC,),
}


def documents(context: Context, resource: Resource | None = None) -> Iterator[tuple[str, list[Statement]]]:
    """Each policy document of an IAM resource with its path."""
    graph = context.graph
    resource = resource or context.resource
    if resource.type in (_ROLE, "AWS::IAM::Group", "AWS::IAM::User"):
        for index, item in enumerate(graph.items(resource, "Policies")):
            if isinstance(item, dict):
                found = statements(graph, resource.template, item.get("PolicyDocument", {}))
                if isinstance(found, list):
                    yield f"Policies[{index}].PolicyDocument", found
        return
    path = "InlinePolicy" if resource.type == "AWS::SSO::PermissionSet" else "PolicyDocument"
    read = policy(context, path, resource)
    if isinstance(read, list):
        yield path, read


def _allowing(context: Context) -> Iterator[tuple[str, Statement]]:
    for path, found in documents(context):
        for statement in found:
            if statement.allow:
                yield f"{path}.Statement[{statement.index}]", statement


def _ask(question: Callable[[Statement], str | None]) -> Code:
    def ask(context: Context) -> Iterator[Outcome]:
        for where, statement in _allowing(context):
            problem = question(statement)
            if problem:
                yield Fail(problem, where)

    return Code(ask)


def _everything(statement: Statement) -> str | None:
    if "NotAction" in statement.inverted and not statement.conditions:
        return "allows all but what it names (NotAction)"
    for action in statement.actions:
        service, _, rest = action.partition(":")
        if action == "*" or (rest == "*" and not statement.bound()):
            return f"allows {action}"
        if "*" in service:
            return f"allows {action}"
    return None


def _on_all_data(statement: Statement) -> str | None:
    if not statement.conditions and statement.anywhere():
        for action in _DATA:
            if statement.covers(action) and statement.anywhere(_KINDS.get(action, action.partition(":")[0])):
                return f"allows {action} on every resource"
    return None


def _on_all_keys(statement: Statement) -> str | None:
    if statement.anywhere("kms") and not statement.conditions:
        for action in _KEY_USE:
            if statement.covers(action):
                return f"allows {action} with every key"
    return None


def _escalates(statement: Statement) -> str | None:
    if "NotAction" in statement.inverted or statement.bound(*_BOUNDED_CREATION):
        return None
    if statement.resources and all(_SERVICE_LINKED in text for text in statement.resources):
        # "Using service-linked roles": nobody but their service changes what they may do.
        return None
    for action in _ESCALATION:
        if statement.covers(action):
            return f"allows {action}, by which one takes more power"
    return None


def _passes_roles(statement: Statement) -> str | None:
    if not statement.covers("iam:PassRole") or "NotAction" in statement.inverted:
        return None
    if statement.anywhere("iam"):
        return "passes any role"
    if not statement.bound("iam:PassedToService") and not statement.bound("iam:AssociatedResourceArn"):
        return "passes a role to any service: no condition on iam:PassedToService"
    return None


def _presigns(statement: Statement) -> str | None:
    for action, kind in _PRESIGNED.items():
        if not statement.covers(action) or "NotAction" in statement.inverted:
            continue
        opened = [text for text in statement.resources if may_be(text, kind)]
        if "NotResource" not in statement.inverted and all(map(_OWN_PROFILE.search, opened)):
            continue
        keys = ("aws:SourceVpce", "aws:SourceVpc", "aws:SourceIp", "aws:VpcSourceIp")
        tags = ("sagemaker:resourcetag/", "aws:resourcetag/")
        owner = any(key.startswith(tags) for _, key in statement.conditions)
        if not owner and not any(map(statement.has, keys)):
            return f"allows {action} from any network, for anyone's profile"
    return None


def _invokes(statement: Statement) -> str | None:
    everywhere = not statement.conditions and statement.anywhere("sagemaker:endpoint")
    if everywhere and "NotAction" not in statement.inverted:
        for action in ("sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointAsync"):
            if statement.covers(action):
                return f"allows {action} on every endpoint"
    return None


def _jobs(required: Mapping[str, Sequence[str]], context: Context) -> Iterator[Outcome]:
    """A permission to create jobs names the conditions itself, or a Deny that its roles have does."""
    denied: list[Statement] | None = None
    for path, found in documents(context):
        for statement in found:
            if not statement.allow or "NotAction" in statement.inverted:
                continue
            for action, keys in required.items():
                if not statement.covers(action):
                    continue
                if denied is None:
                    denied = list(_denied(context))
                lacking = [
                    key
                    for key in keys
                    if not _conditioned(statement, key)
                    and not any(d.covers(action) and _conditioned(d, key) for d in denied)
                ]
                if lacking:
                    where = f"{path}.Statement[{statement.index}]"
                    yield Fail(f"allows {action} without a condition on {', '.join(lacking)}", where)
                    break


def _denied(context: Context) -> Iterator[Statement]:
    """What the policy itself denies, and the boundary and the other policies of the role that has it."""
    graph, resource = context.graph, context.resource
    roles = [resource] if resource.type == _ROLE else _of_type(graph.items(resource, "Roles"), _ROLE)
    # A policy names its roles, or they name it.
    roles = roles or graph.named_by(resource, _ROLE, "ManagedPolicyArns")
    holders = [resource]
    for role in roles[:1]:
        # Roles of one policy are of one kind; the first stands for them.
        holders.append(role)
        named = [graph.get(role, "PermissionsBoundary"), *graph.items(role, "ManagedPolicyArns")]
        holders += _of_type(named, "AWS::IAM::ManagedPolicy")
        for type_ in (_POLICY, "AWS::IAM::ManagedPolicy"):
            holders += graph.named_by(role, type_, "Roles")
    for holder in holders:
        for _, found in documents(context, holder):
            yield from (statement for statement in found if not statement.allow)


def _of_type(found: list[Any], type_: str) -> list[Resource]:
    return [each.resource for each in found if type(each) is Reference and each.resource.type == type_]


def _conditioned(statement: Statement, key: str) -> bool:
    # The volume's key goes by two names in AWS's own data.
    return statement.has(key) or statement.has(f"{key}Arn")


def _approves(context: Context) -> Iterator[Outcome]:
    """Nobody both registers and approves."""
    makes = approves = False
    for _, statement in _allowing(context):
        if "NotAction" in statement.inverted:
            continue
        makes |= statement.covers("sagemaker:CreateModelPackage")
        approves |= statement.covers("sagemaker:UpdateModelPackage") and not statement.has(
            "sagemaker:ModelApprovalStatus"
        )
    if makes and approves:
        yield Fail("allows both to register a model and to approve it")


def _unreadable(context: Context) -> Iterator[Outcome]:
    value = context.graph.get(context.resource, "PolicyDocument")
    if type(value) is Reference:
        yield Unknown("The policy is known when the stack is deployed.", "PolicyDocument", "principal")
    elif not isinstance(value, Absent):
        yield from unreadable(context, "PolicyDocument")


RULES = (
    _policy(
        id="IamPolicyNamesActions",
        requirement=_ask(_everything),
        severity=ERROR,
        control="I1",
        threats=(INSIDER, HIJACK),
        title="A policy names actions, not whole services",
        why="Whole services hold actions that nobody thought of, and new ones every month.",
        fix="List the actions that are used.",
        standards=("IAM.1", "IAM.21"),
    ),
    _policy(
        id="IamPolicyNamesData",
        requirement=_ask(_on_all_data),
        severity=ERROR,
        control="I1",
        threats=(INSIDER, THEFT),
        title="A policy names the data that it opens",
        why="With a data action on * one stolen session has everything in the account.",
        fix="Name buckets, prefixes, secrets or tables as resources.",
    ),
    _policy(
        id="IamPolicyNamesKeys",
        requirement=_ask(_on_all_keys),
        severity=ERROR,
        control="E1",
        threats=(INSIDER, THEFT),
        title="A policy names the keys that it uses",
        why="kms:Decrypt on * undoes the parting of data by keys.",
        fix="Name keys as resources, or bind the statement by a condition.",
        standards=("KMS.1", "KMS.2"),
    ),
    _policy(
        id="IamPolicyNoEscalation",
        requirement=_ask(_escalates),
        severity=ERROR,
        control="I3",
        threats=(INSIDER, HIJACK),
        title="A policy gives no way to more power",
        why="Whoever may write a role's policy may do what that role can be given.",
        fix="Take the action away, or bind it by iam:PermissionsBoundary.",
    ),
    _policy(
        id="IamPolicyPassRole",
        requirement=_ask(_passes_roles),
        severity=ERROR,
        control="I2",
        threats=(HIJACK, INSIDER),
        title="Roles are passed by name, to one service",
        why="Whoever passes a stronger role to a job acts with that role's power.",
        fix="Name the roles as resources, and set iam:PassedToService.",
    ),
    _policy(
        id="IamPolicyPresignedUrl",
        requirement=_ask(_presigns),
        severity=ERROR,
        control="S1",
        threats=(INSIDER, HIJACK),
        title="Addresses that sign one in to a workspace are made from known networks only",
        why="Such an address is a session: made anywhere, it opens the workspace anywhere.",
        fix="Add a condition on aws:SourceVpce, aws:SourceIp or the owner's tag.",
    ),
    _policy(
        id="IamPolicyInvokeEndpoint",
        requirement=_ask(_invokes),
        severity=ERROR,
        control="G2",
        threats=(API_ABUSE, THEFT, WALLET),
        title="Endpoints are invoked by name",
        why="Whoever may invoke every endpoint goes round the doors in front of them.",
        fix="Name the endpoints as resources.",
    ),
    _policy(
        id="IamPolicyJobConditions",
        requirement=Code(partial(_jobs, _JOBS)),
        severity=ERROR,
        control="I2",
        threats=(HIJACK, INSIDER, THEFT),
        title="Jobs are created under conditions on network, key and instance type",
        why="A job without a VPC and a key is a way out for all the data that its role reads.",
        fix="Add a Deny for requests that lack sagemaker:VpcSubnets, VolumeKmsKey and InstanceTypes.",
    ),
    _policy(
        id="IamPolicyJobLimits",
        requirement=Code(partial(_jobs, _JOB_LIMITS)),
        severity=WARNING,
        control="I2",
        threats=(HIJACK, WALLET, INSIDER),
        title="Jobs are created under conditions on run time and traffic between containers",
        why="A job without an end costs until somebody looks; plain traffic shows data to its network.",
        fix="Add a Deny for requests that lack sagemaker:MaxRuntimeInSeconds or set no traffic encryption.",
    ),
    _policy(
        id="IamPolicyApprovalApart",
        requirement=Code(_approves),
        severity=ERROR,
        control="T4",
        threats=(TAMPERING, INSIDER),
        title="Who registers a model does not approve it",
        why="One stolen session would put a model of its own into service.",
        fix="Give sagemaker:UpdateModelPackage to another role, or bind it by sagemaker:ModelApprovalStatus.",
    ),
    Rule(
        id="IamPolicyReadable",
        resource_type=_POLICY,
        also=("AWS::IAM::ManagedPolicy",),
        requirement=Code(_unreadable),
        severity=ERROR,
        control="I1",
        threats=(INSIDER,),
        title="A policy can be read in the template",
        why="What can't be read can't be judged.",
        fix="Write the document, its actions and its resources in the template.",
    ),
)
