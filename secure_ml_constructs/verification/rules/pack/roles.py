"""Who trusts whom: roles, people and keys."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome
from secure_ml_constructs.verification.rules.pack.shared import each_statement, unreadable
from secure_ml_constructs.verification.rules.pack.vocabulary import (
    HIJACK,
    INSIDER,
)
from secure_ml_constructs.verification.rules.predicates import known_later
from secure_ml_constructs.verification.rules.requirements import Code, values
from secure_ml_constructs.verification.rules.rule import ERROR, FATAL, WARNING, Rule
from secure_ml_constructs.verification.templates import Absent, show

_ROLE = "AWS::IAM::Role"
_role = partial(Rule, resource_type=_ROLE)
_FULL_ACCESS = (
    "AdministratorAccess",
    "PowerUserAccess",
    "IAMFullAccess",
    "AmazonSageMakerFullAccess",
    "AmazonSageMakerCanvasFullAccess",
    "AmazonBedrockFullAccess",
    "BedrockAgentCoreFullAccess",
    "AmazonS3FullAccess",
    "AWSKeyManagementServicePowerUser",
    "SecretsManagerReadWrite",
    "AmazonEC2FullAccess",
    "AmazonEC2ContainerRegistryFullAccess",
)


def _trust_actions(context: Context) -> Iterator[Outcome]:
    for where, statement in each_statement(context, "AssumeRolePolicyDocument"):
        for action in statement.actions:
            if statement.allow and "*" in action:
                yield Fail(f"allows {action}", where)


def _managed(context: Context) -> Iterator[Outcome]:
    for path, value in values(context, "ManagedPolicyArns[*]"):
        name = show(value).rsplit("/", 1)[-1]
        if ":iam::aws:policy" in show(value) and (name in _FULL_ACCESS or name.endswith("FullAccess")):
            yield Fail(f"is {name}", path)


def _trust(context: Context) -> Iterator[Outcome]:
    yield from unreadable(context, "AssumeRolePolicyDocument")
    for where, statement in each_statement(context, "AssumeRolePolicyDocument"):
        if statement.allow and statement.public:
            yield Fail("lets anyone assume the role", where)


# Services that act for no one but the account's own resources, and send neither account nor ARN.
_NO_SOURCE = (
    "cloud9.amazonaws.com",
    "codepipeline.amazonaws.com",
    "servicecatalog.amazonaws.com",
    "ec2.amazonaws.com",
    "lambda.amazonaws.com",
    "edgelambda.amazonaws.com",
    "ecs-tasks.amazonaws.com",
    "ecs.amazonaws.com",
    "eks.amazonaws.com",
    "pods.eks.amazonaws.com",
    "cloudformation.amazonaws.com",
    "cloudtrail.amazonaws.com",
    "codebuild.amazonaws.com",
    "ssm.amazonaws.com",
    "s3.amazonaws.com",
    "lakeformation.amazonaws.com",
    "macie.amazonaws.com",
    "apigateway.amazonaws.com",
    "monitoring.rds.amazonaws.com",
    "malware-protection-plan.guardduty.amazonaws.com",
    "backup.amazonaws.com",
    "config.amazonaws.com",
    "application-autoscaling.amazonaws.com",
    "cognito-idp.amazonaws.com",
    "firehose.amazonaws.com",
    "databrew.amazonaws.com",
    "glue.amazonaws.com",
)


def _confused_deputy(context: Context) -> Iterator[Outcome]:
    keys = ("aws:SourceAccount", "aws:SourceArn", "aws:SourceOrgID", "aws:SourceOrgPaths")
    for where, statement in each_statement(context, "AssumeRolePolicyDocument"):
        services = [p.removeprefix("service:") for p in statement.principals if p.startswith("service:")]
        asked = [service for service in services if service not in _NO_SOURCE]
        if statement.allow and asked and not any(map(statement.has, keys)):
            yield Fail(f"lets {asked[0]} assume the role for any account", where)


def _boundary(context: Context) -> Iterator[Outcome]:
    """Roles that SageMaker, a person or code assumes."""
    if not isinstance(context.graph.get(context.resource, "PermissionsBoundary"), Absent):
        return
    for _, statement in each_statement(context, "AssumeRolePolicyDocument"):
        ml = any("sagemaker" in principal or "bedrock" in principal for principal in statement.principals)
        people = any(principal.startswith(("aws:", "federated:")) for principal in statement.principals)
        if statement.allow and (ml or people):
            yield Fail("is not set", "PermissionsBoundary")
            return


def _user_keys(context: Context) -> Iterator[Outcome]:
    yield Fail("is a key that never expires")


def _sso_session(context: Context) -> Iterator[Outcome]:
    duration = show(context.graph.get(context.resource, "SessionDuration"))
    hours = duration.removeprefix("PT").removesuffix("H")
    if hours.isdigit() and int(hours) > 8:
        yield Fail(f"is {duration}, longer than a working day", "SessionDuration")


def _archives(context: Context) -> Iterator[Outcome]:
    """Criteria hold together, so that one on the resource narrows the rest; `Neq` and `Exists` name none."""
    for path, archived in values(context, "ArchiveRules[*]"):
        get = partial(context.graph.at, context.resource.template)
        criteria = get(archived, ("Filter",)) if isinstance(archived, dict) else archived
        if not isinstance(criteria, list):
            yield known_later(criteria)
        elif not any(
            get(one, ("Property",)) == "resource"
            and any(not isinstance(get(one, (name,)), Absent) for name in ("Eq", "Contains"))
            for one in criteria
        ):
            yield Fail("puts findings away without naming the resource", path)


RULES = (
    Rule(
        id="IamManagedPoliciesNarrow",
        resource_type=_ROLE,
        also=("AWS::IAM::Group", "AWS::IAM::User"),
        requirement=Code(_managed, "The name of a policy is the end of an ARN."),
        severity=ERROR,
        control="I1",
        threats=(INSIDER, HIJACK),
        title="No role has full access by a managed policy of AWS",
        why="AmazonSageMakerFullAccess passes roles, reads buckets and creates jobs without a condition.",
        fix="Write a policy with what the role does.",
        standards=("IAM.1",),
    ),
    _role(
        id="IamRoleTrustNotPublic",
        requirement=Code(_trust),
        severity=FATAL,
        control="I3",
        threats=(HIJACK, INSIDER),
        title="A role trusts somebody known",
        why="Principal * in a trust policy lets every account of AWS in.",
        fix="Name the principal, or bind the statement by aws:PrincipalOrgID.",
    ),
    _role(
        id="IamRoleTrustNamesActions",
        requirement=Code(_trust_actions),
        severity=WARNING,
        control="I2",
        threats=(INSIDER, HIJACK),
        title="A role says by which calls it is assumed",
        why="A star lets whoever may assume the role set its session tags and source identity as well.",
        fix="Write sts:AssumeRole, and sts:TagSession or sts:SetSourceIdentity where they are needed.",
    ),
    _role(
        id="IamRoleConfusedDeputy",
        requirement=Code(_confused_deputy),
        severity=ERROR,
        control="I3",
        threats=(HIJACK, INSIDER),
        title="A service assumes a role for our account only",
        why="Another account can ask the service to use the role in its name.",
        fix="Add a condition on aws:SourceAccount or aws:SourceArn.",
    ),
    _role(
        id="IamRoleBoundary",
        requirement=Code(_boundary),
        severity=WARNING,
        control="I3",
        threats=(INSIDER, HIJACK),
        title="A role of people, SageMaker or Bedrock has a permissions boundary",
        why="The boundary is what holds when a policy is written too wide.",
        fix="Set PermissionsBoundary.",
    ),
    Rule(
        id="IamNoUsers",
        resource_type="AWS::IAM::User",
        requirement=Code(lambda context: iter([Fail("is a user of IAM, with credentials that last")])),
        severity=ERROR,
        control="I7",
        threats=(INSIDER, HIJACK),
        title="No IAM users",
        why="A user's credentials last until somebody thinks of them.",
        fix="Let people sign in by IAM Identity Center, and machines by a role.",
    ),
    Rule(
        id="IamNoAccessKeys",
        resource_type="AWS::IAM::AccessKey",
        also=("AWS::IAM::ServiceSpecificCredential",),
        requirement=Code(_user_keys),
        severity=FATAL,
        control="I7",
        threats=(INSIDER, HIJACK),
        title="No long-lived keys, and no API keys of Bedrock",
        why="They end up in notebooks and repositories, and stay good.",
        fix="Use a role.",
    ),
    Rule(
        id="AccessAnalyzerArchivesNamed",
        resource_type="AWS::AccessAnalyzer::Analyzer",
        requirement=Code(_archives, "A criterion is an item of a list in a list."),
        severity=WARNING,
        control="I4",
        threats=(INSIDER,),
        title="Findings of outside access are put away by resource only",
        why="A rule that archives whatever matches hides the next bucket that somebody opens.",
        fix="Add a Filter with Property resource and Eq the ARNs that the access is meant for.",
    ),
    Rule(
        id="IamSessionDuration",
        resource_type="AWS::SSO::PermissionSet",
        requirement=Code(_sso_session, "The duration is read as ISO 8601."),
        severity=WARNING,
        control="I6",
        threats=(INSIDER,),
        title="A session of a person ends with the working day",
        why="A stolen session is good for as long as it lasts.",
        fix="Set SessionDuration to PT8H or less.",
    ),
)
