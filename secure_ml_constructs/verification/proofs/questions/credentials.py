"""Whose credentials can be had, and what else can be reached with them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import lru_cache

from secure_ml_constructs.verification.proofs.estate import Place, Role
from secure_ml_constructs.verification.proofs.iam.documents import Document, Statement
from secure_ml_constructs.verification.proofs.iam.matching import action_matches, actions_covered
from secure_ml_constructs.verification.proofs.iam.patterns import Token
from secure_ml_constructs.verification.proofs.iam.ternary import Unknown
from secure_ml_constructs.verification.proofs.questions.deeds import Act

# Services that keep a role's credentials to themselves: no code of a customer ever sees them.
KEEPS_CREDENTIALS = frozenset(
    {
        "apigateway.amazonaws.com",
        "backup.amazonaws.com",
        "budgets.amazonaws.com",
        "cloudtrail.amazonaws.com",
        "config.amazonaws.com",
        "delivery.logs.amazonaws.com",
        "events.amazonaws.com",
        "firehose.amazonaws.com",
        "macie.amazonaws.com",
        "monitoring.rds.amazonaws.com",
        "s3.amazonaws.com",
        "scheduler.amazonaws.com",
        "sns.amazonaws.com",
        "states.amazonaws.com",
        "vpc-flow-logs.amazonaws.com",
    }
)
_WILD = re.compile("[*?]")
# Services that can't be made to read or write S3, or use a key, with the caller's own permission.
_FORWARDS_NOTHING = frozenset(
    {
        *("cloudwatch", "ec2messages", "ecr", "events", "glue", "iam", "kms", "lakeformation", "lambda"),
        *("logs", "s3", "secretsmanager", "sns", "sqs", "ssm", "ssmmessages", "sts", "tag", "xray"),
        *("access-analyzer", "config", "guardduty", "organizations", "securityhub"),
        *("sagemaker-runtime", "execute-api", "elasticfilesystem", "codeartifact", "ec2"),
    }
)


# What the requests of services that forward others are about.
_WORKS_ON = {"athena": "workgroup/*", "cloudformation": "stack/*", "sagemaker": "*/*"}
# What SageMaker's are about, where the action is called after it: CreateTrainingJob, CreateAutoMLJobV2.
_KINDS = {
    kind.replace("-", ""): kind
    for kind in (
        *("automl-job", "hyper-parameter-tuning-job", "processing-job", "training-job", "transform-job"),
        *("endpoint", "endpoint-config", "feature-group", "inference-component", "model", "model-package"),
        *("data-quality-job-definition", "model-quality-job-definition", "model-bias-job-definition"),
        *("model-explainability-job-definition", "monitoring-schedule", "pipeline"),
    )
} | {"record": "feature-group"}
_NAMED = re.compile(r"sagemaker:(?:batchget|create|delete|get|invoke|put|start|stop|update)([a-z]+?)(?:v2)?")
# By which VPC endpoint a service is called, where that is not its own name.
_ENDPOINTS = {"sagemaker": "sagemaker.api", "cloudwatch": "monitoring", "bedrock": "bedrock-runtime"}


# What is answered or noted without a further request that reads S3 or uses a key: by the beginning of the
# action's name, of all services and of some. (Each service's API reference. Of SageMaker's, CreateApp and
# CreateSpace alone use a key, the workspace's. Macie's GetSensitiveDataOccurrences is none of them.)
_ANSWERS = ("describe", "list", "lookup")
_READS_NOTHING = {
    "cloudtrail": ("get",),
    "macie2": ("getfinding", "getmaciesession"),
    "sagemaker": (
        # Experiments hold names and numbers, and no file.
        *("associatetrialcomponent", "disassociatetrialcomponent", "batchgetmetrics", "batchputmetrics"),
        *("createexperiment", "updateexperiment", "deleteexperiment"),
        *("createtrial", "updatetrial", "deletetrial"),
        *("addtags", "deletetags", "createapp", "deleteapp", "createspace", "updatespace", "deletespace"),
        "createpresigneddomainurl",
    ),
}
# Whom SageMaker acts for without lending a role to anybody's code.
_PIPELINES = re.compile(r"arn:[^:]*:sagemaker:[^:]*:[^:]*:pipeline/.*")


def is_kept(role: Role) -> bool:
    """Whether only services of AWS ever hold its credentials.

    SageMaker hands those of other roles to notebooks and jobs. One that it assumes for pipelines alone, by
    the source of the request, starts their steps and is seen by no code. (Amazon SageMaker AI: Cross-service
    confused deputy prevention, SageMaker Pipelines)
    """
    names: set[str] = set()
    for statement in role.trust.statements:
        if not statement.allow:
            continue
        principals = statement.principals
        if principals is None or principals.anyone or principals.inverted or principals.unknown is not None:
            return False
        if any(kind != "Service" for kind, _ in principals.names):
            return False
        found = {name for _, name in principals.names}
        names |= found - {"sagemaker.amazonaws.com"} if _for_pipelines(statement) else found
    return names <= KEEPS_CREDENTIALS


def _for_pipelines(statement: Statement) -> bool:
    for line in statement.conditions:
        if line.key == "aws:sourcearn" and line.written.lower() in ("arnlike", "arnequals"):
            texts = [None if isinstance(each, Unknown) else _text(each) for each in line.values]
            return bool(texts) and all(text and _PIPELINES.fullmatch(text) for text in texts)
    return False


def forwarding(role: Role, place: Place) -> tuple[Act, ...]:
    """Requests to services that then make further ones with the role's own permission.

    IAM User Guide, "Forward access sessions": the service has to be one that the caller may call.

    Args:
        role: Whose credentials they are.
        place: Where it is.
    """
    found: dict[str, Act] = {}
    for statement in (each for document in role.documents for each in document.statements if each.allow):
        for pattern in statement.actions:
            text = "*" if isinstance(pattern, Unknown) or statement.not_action else _text(pattern)
            action = text.replace("*", "anything") if ":" in text else "athena:startqueryexecution"
            service = action.partition(":")[0]
            if service not in _FORWARDS_NOTHING and not _reads_nothing(action):
                arn = f"arn:{place.partition}:{service}:{place.region}:{place.account}:{_about(action)}"
                found.setdefault(action, Act(action, arn, service=_ENDPOINTS.get(service, service)))
    return tuple(found[action] for action in sorted(found))


def _about(action: str) -> str:
    named = _NAMED.fullmatch(action)
    if named and (kind := _KINDS.get(named[1])):
        return f"{kind}/*"
    return _WORKS_ON.get(action.partition(":")[0], "*")


def _reads_nothing(action: str) -> bool:
    service, _, name = action.partition(":")
    return name.startswith((*_ANSWERS, *_READS_NOTHING.get(service, ())))


def may_grant(documents: Iterable[Document], action: str, resource: str) -> bool:
    """Whether any Allow of some documents may speak of an action on a resource.

    Args:
        documents: The documents.
        action: The action.
        resource: The resource's ARN, or a pattern of ARNs.
    """
    begins = _WILD.split(resource, maxsplit=1)[0]
    return any(
        named is None or any(begins.startswith(each) or each.startswith(begins) for each in named)
        for named in (_granted_on(document, action) for document in documents)
    )


class Grants:
    """Finds the roles that their own policies may grant an action on a resource.

    By what the resources begin with: looking at every role for every resource would take ever longer the
    more environments there are.

    Args:
        roles: The roles.
        action: The action.
    """

    def __init__(self, roles: Sequence[Role], action: str) -> None:
        self._anywhere: set[int] = set()
        self._by_beginning: dict[str, set[int]] = {}
        for number, role in enumerate(roles):
            for document in role.documents:
                named = _granted_on(document, action)
                if named is None:
                    self._anywhere.add(number)
                    continue
                for each in named:
                    self._by_beginning.setdefault(each, set()).add(number)
        self._sorted = sorted(self._by_beginning)

    def on(self, resource: str) -> set[int]:
        """Give the numbers of the roles that may be granted it on a resource.

        Args:
            resource: Its ARN, or a pattern of ARNs.
        """
        begins = _WILD.split(resource, maxsplit=1)[0]
        found = set(self._anywhere)
        for length in range(len(begins)):
            found |= self._by_beginning.get(begins[:length], set())
        for each in self._sorted[bisect_left(self._sorted, begins) :]:
            if not each.startswith(begins):
                break
            found |= self._by_beginning[each]
        return found


@lru_cache(maxsize=65536)
def granted_directly(policy: Document, action: str) -> frozenset[str] | None:
    """The principals that a resource's policy may grant an action without a policy of their own.

    One that names the account leaves it to the policies of its users and roles.

    Returns:
        Their ARNs; None where it may be anybody.
    """
    found: set[str] = set()
    for statement in policy.statements:
        principals = statement.principals
        if not statement.allow or action_matches(statement, action) is False:
            continue
        if principals is None or principals.anyone or principals.inverted or principals.unknown is not None:
            return None
        found |= {name for kind, name in principals.names if kind == "AWS" and ":iam::" in name}
        if any(":sts::" in name for _, name in principals.names):
            return None
    return frozenset(found)


@lru_cache(maxsize=65536)
def _granted_on(document: Document, action: str) -> tuple[str, ...] | None:
    """What the resources begin with on which a document may allow an action; None for any resource."""
    found: dict[str, None] = {}
    for statement, covers in zip(document.statements, actions_covered(document, action), strict=True):
        if not statement.allow or covers is False:
            continue
        if statement.resources is None or statement.not_resource:
            return None
        for written in statement.resources:
            if isinstance(written, Unknown) or not written or not isinstance(written[0], str):
                return None
            found[written[0]] = None
    return tuple(found)


def _text(pattern: Iterable[Token]) -> str:
    """An action pattern as text, with its wildcards."""
    return "".join(each if isinstance(each, str) else "*" for each in pattern)
