"""Whom policies of resources mean: who is let in where everyone is named, and who is left out of a denial."""

from __future__ import annotations

import re
from collections.abc import Iterator

from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome
from secure_ml_constructs.verification.rules.pack.shared import each_statement
from secure_ml_constructs.verification.rules.pack.vocabulary import HIJACK, INSIDER, THEFT
from secure_ml_constructs.verification.rules.policies import Statement
from secure_ml_constructs.verification.rules.requirements import Code
from secure_ml_constructs.verification.rules.rule import ERROR, WARNING, Rule

_PATHS = {
    "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::SNS::TopicPolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
    "AWS::SecretsManager::ResourcePolicy": "ResourcePolicy",
    "AWS::CodeArtifact::Domain": "PermissionsPolicyDocument",
    "AWS::CodeArtifact::Repository": "PermissionsPolicyDocument",
    "AWS::Logs::LogGroup": "ResourcePolicyDocument",
}
_OTHERS = tuple(type_ for type_ in _PATHS if type_ != "AWS::S3::BucketPolicy")
# What a key's policy says of services and actions is judged with the rest of it.
_BUT_KEYS = tuple(type_ for type_ in _OTHERS if type_ != "AWS::KMS::Key")
_CALLERS = (
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:SourceArn",
    "aws:SourceOwner",
    "aws:SourceVpce",
    "aws:SourceVpc",
    "aws:SourceVpcArn",
    "aws:VpceOrgID",
    "aws:VpceAccount",
    "kms:CallerAccount",
)
_ACCOUNT = re.compile(r"\d{12}")
_OUR_PRINCIPALS = ("aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:PrincipalAccount", "aws:PrincipalArn")
_OUR_RESOURCES = ("aws:ResourceOrgID", "aws:ResourceOrgPaths", "aws:ResourceAccount")


def _everyone(statement: Statement) -> bool:
    return "*" in statement.principals or "aws:*" in statement.principals


def _callers_named(context: Context) -> Iterator[Outcome]:
    """One whose conditions bind nothing at all is another rule's."""
    for where, statement in each_statement(context, _PATHS[context.resource.type]):
        if statement.allow and _everyone(statement) and statement.bound() and not statement.bound(*_CALLERS):
            yield Fail("lets in everyone, and no condition says who asks", where)


def _services_for_us(context: Context) -> Iterator[Outcome]:
    for where, statement in each_statement(context, _PATHS[context.resource.type]):
        # "Using resource-based policies for Amazon EventBridge": to topics it comes without a source.
        sourceless = "service:events." if context.resource.type == "AWS::SNS::TopicPolicy" else "none"
        services = [
            name
            for name in statement.principals
            if name.startswith("service:") and not name.startswith(sourceless)
        ]
        if statement.allow and services and not statement.bound():
            service = services[0].removeprefix("service:")
            yield Fail(f"lets {service} act here for any account", where)


def _actions_named(context: Context) -> Iterator[Outcome]:
    for where, statement in each_statement(context, _PATHS[context.resource.type]):
        for action in statement.actions:
            if statement.allow and (action == "*" or action.endswith(":*")):
                yield Fail(f"allows {action}", where)


def _both_sides(context: Context) -> Iterator[Outcome]:
    """Where everything passes, ours reach what is ours; where neither side is told, another rule speaks."""
    for where, statement in each_statement(context, "PolicyDocument"):
        if not (statement.allow and _everyone(statement)):
            continue
        principals, resources = statement.bound(*_OUR_PRINCIPALS), statement.bound(*_OUR_RESOURCES)
        if principals != resources and statement.anywhere(account=False):
            if principals:
                yield Fail("lets our principals reach anyone's resources", where)
            else:
                yield Fail("lets anyone's principals reach our resources", where)


def _denied_to_all(context: Context) -> Iterator[Outcome]:
    for where, statement in each_statement(context, _PATHS[context.resource.type]):
        if statement.allow:
            continue
        # Of a repository, what is not named are packages of other names, and there are none but packages.
        packages = context.resource.type.startswith("AWS::CodeArtifact::") and "*" not in statement.resources
        excluded = "NotResource" in statement.inverted and not packages
        if excluded or "NotPrincipal" in statement.inverted:
            yield Fail(f"denies all but what it names ({', '.join(statement.inverted)})", where)
        elif statement.principals and not _everyone(statement):
            yield Fail("denies to some by name, so that everyone else may", where)
        for (operator, key), accounts in statement.conditions.items():
            if key == "aws:principalaccount" and operator.startswith(("stringequals", "stringlike")):
                strangers = set(filter(_ACCOUNT.fullmatch, accounts)) - set(context.settings.trusted_accounts)
                if strangers:
                    named = ", ".join(sorted(strangers))
                    yield Fail(f"denies to {named} by name, so that everyone else may", where)


def _grants_for_services(context: Context) -> Iterator[Outcome]:
    """Who may change the policy anyway is another rule's."""
    for where, statement in each_statement(context, "KeyPolicy"):
        grants = statement.covers("kms:CreateGrant") and not statement.covers("kms:PutKeyPolicy")
        if not statement.allow or not grants or "NotAction" in statement.inverted:
            continue
        if statement.conditions.get(("bool", "kms:grantisforawsresource")) != ("true",):
            yield Fail("lets its principals hand on the use of the key to whom they like", where)


RULES = (
    Rule(
        id="PolicyEveryoneIdentified",
        resource_type="AWS::S3::BucketPolicy",
        also=_OTHERS,
        requirement=Code(_callers_named),
        severity=WARNING,
        control="I3",
        threats=(INSIDER, HIJACK),
        title="Where everyone is let in, a condition says who asks",
        why="aws:SourceAccount says for whom a service works, and not which: any service is let in.",
        fix="Name the service as the principal, or add a condition on who asks: aws:PrincipalOrgID, say.",
    ),
    Rule(
        id="PolicyServicesForUs",
        resource_type="AWS::S3::BucketPolicy",
        also=_BUT_KEYS,
        requirement=Code(_services_for_us),
        severity=WARNING,
        control="I3",
        threats=(INSIDER, HIJACK),
        title="A service acts here for our accounts only",
        why="Any account can have the service act for it: write into our logs, say, or fill our queue.",
        fix="Add a condition on aws:SourceAccount, aws:SourceArn or aws:SourceOrgID.",
    ),
    Rule(
        id="PolicyActionsNamed",
        resource_type="AWS::S3::BucketPolicy",
        also=_BUT_KEYS,
        requirement=Code(_actions_named),
        severity=WARNING,
        control="I3",
        threats=(INSIDER, THEFT),
        title="A resource's policy names the actions that it allows",
        why="Whoever is let in to write could read, delete, and change the policy itself.",
        fix="Name the actions that are needed.",
    ),
    Rule(
        id="VpcEndpointBothSides",
        resource_type="AWS::EC2::VPCEndpoint",
        requirement=Code(_both_sides),
        severity=ERROR,
        control="N3",
        threats=(INSIDER, THEFT),
        title="An endpoint lets our principals reach our resources",
        why="With one side open, data leaves to a stranger's bucket, or a stranger's credentials work here.",
        fix="Set conditions on aws:PrincipalOrgID and aws:ResourceOrgID, or on accounts, in one statement.",
    ),
    Rule(
        id="PolicyDenialsForEveryone",
        resource_type="AWS::S3::BucketPolicy",
        also=_OTHERS,
        requirement=Code(_denied_to_all),
        severity=WARNING,
        control="I3",
        threats=(INSIDER, THEFT),
        title="A denial of a resource's policy is for everyone",
        why="A denial by name, or with an exclusion, does not hold for whoever is made next.",
        fix="Write Principal *, name the resources, and except by a condition on aws:PrincipalArn.",
    ),
    Rule(
        id="KmsGrantsForServices",
        resource_type="AWS::KMS::Key",
        requirement=Code(_grants_for_services),
        severity=WARNING,
        control="E1",
        threats=(INSIDER,),
        title="Grants on a key are for AWS services only",
        why="A grant lets others use the key past the conditions of its policy, and shows in no template.",
        fix="Divide kms:CreateGrant from the rest, with Bool kms:GrantIsForAWSResource true.",
    ),
)
