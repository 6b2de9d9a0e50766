"""Functions, and packages that they and builds take in."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from secure_ml_constructs.verification.rules.keys import CustomerKey
from secure_ml_constructs.verification.rules.networks import IsolatedSubnets, OurGroups
from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome
from secure_ml_constructs.verification.rules.pack.vocabulary import (
    API_ABUSE,
    HIJACK,
    INSIDER,
    PRESENT,
    SUPPLY_CHAIN,
    TAMPERING,
    WALLET,
    customer_key,
    no_secrets,
)
from secure_ml_constructs.verification.rules.predicates import Equals, Matches, Missing
from secure_ml_constructs.verification.rules.requirements import AnyOf, At, Code, Every
from secure_ml_constructs.verification.rules.rule import ERROR, FATAL, WARNING, Rule
from secure_ml_constructs.verification.templates import Absent, show

_FUNCTION = "AWS::Lambda::Function"
_ORIGINS = "OriginConfiguration.Restrictions"
_function = partial(Rule, resource_type=_FUNCTION)
# "Lambda runtimes": those that get no updates any more, or will not within months.
_OLD_RUNTIMES = (
    r"^(nodejs(\d|1[0-9]|20)\.|nodejs$|nodejs4|python2|python3\.([0-9])$|java8$|dotnetcore|dotnet[5-7]$"
    r"|ruby[12]\.|ruby3\.2$|go1\.x$|provided$|provided\.al2$)"
)


def _deploys(context: Context) -> bool:
    """Whether custom resources call a function, so that it runs in deployments only."""
    graph = context.graph
    types = (
        type_ for type_ in graph.by_type if type_.startswith(("Custom::", "AWS::CloudFormation::Custom"))
    )
    return any(graph.named_by(context.resource, type_, "ServiceToken") for type_ in types)


def _in_vpc(context: Context) -> Iterator[Outcome]:
    if not _deploys(context):
        yield from At("VpcConfig.SubnetIds", IsolatedSubnets()).check(context)
        yield from At("VpcConfig.SecurityGroupIds", OurGroups()).check(context)


def _bounded(context: Context) -> Iterator[Outcome]:
    if not _deploys(context):
        yield from At("ReservedConcurrentExecutions", PRESENT).check(context)


def _permission(context: Context) -> Iterator[Outcome]:
    get = partial(context.graph.get, context.resource)
    principal = show(get("Principal"))
    bound = any(
        not isinstance(get(name), Absent) for name in ("SourceArn", "SourceAccount", "PrincipalOrgID")
    )
    if principal == "*" and isinstance(get("PrincipalOrgID"), Absent):
        # A source binds what services ask for others, and says nothing about who else asks.
        yield Fail("lets anyone invoke the function", "Principal")
    elif ".amazonaws.com" in principal and not bound:
        yield Fail("is not set, so that the service invokes the function for any account", "SourceArn")


def _external(context: Context) -> Iterator[Outcome]:
    """A repository that packages come from, and what else takes from the internet."""
    outside = context.graph.items(context.resource, "ExternalConnections")
    if outside and not context.graph.get(context.resource, "PermissionsPolicyDocument"):
        yield Fail("takes packages from the internet, and has no policy of its own", "ExternalConnections")


RULES = (
    _function(
        id="LambdaInVpc",
        requirement=Code(_in_vpc, "Functions that only deployments call are excepted."),
        severity=WARNING,
        control="N2",
        threats=(INSIDER,),
        title="A function runs in isolated subnets",
        why="Outside the VPC it can send what it reads anywhere.",
        fix="Set VpcConfig to isolated subnets and security groups of the environment.",
        standards=("Lambda.3",),
    ),
    _function(
        id="LambdaCustomerKey",
        requirement=AnyOf(At("KmsKeyArn", CustomerKey()), At("Environment.Variables", Missing())),
        severity=WARNING,
        control="E3",
        threats=(INSIDER,),
        title="The environment variables of a function are under a customer key",
        why="Variables name what the function reaches, and a key of AWS's own can't be revoked.",
        fix="Set KmsKeyArn to the ARN of a customer key.",
    ),
    no_secrets("LambdaNoSecrets", _FUNCTION, "Environment.Variables", "A function"),
    _function(
        id="LambdaConcurrencyBounded",
        requirement=Code(_bounded, "Functions that only deployments call are excepted."),
        severity=WARNING,
        control="G12",
        threats=(WALLET,),
        title="A function has a bound on how often it runs at once",
        why="A flood on one function stops every other in the account, and is paid for.",
        fix="Set ReservedConcurrentExecutions.",
    ),
    _function(
        id="LambdaRuntimeSupported",
        requirement=At(
            "Runtime", Matches(_OLD_RUNTIMES, "is a runtime that gets no updates", absent=True, negate=True)
        ),
        severity=WARNING,
        control="T2",
        threats=(SUPPLY_CHAIN,),
        title="A function runs on a supported runtime",
        why="Holes of old runtimes are published and not mended.",
        fix="Set Runtime to a supported one.",
        standards=("Lambda.2",),
    ),
    _function(
        id="LambdaCodeSigned",
        requirement=AnyOf(At("CodeSigningConfigArn", PRESENT), At("PackageType", Equals("Image"))),
        severity=WARNING,
        control="T6",
        threats=(SUPPLY_CHAIN, TAMPERING),
        title="A function runs signed code only",
        why="Whoever can write to the bucket of the deployment decides what runs.",
        fix="Set CodeSigningConfigArn.",
        off="Code that the CDK uploads is named by its content; a signer must stand in the pipeline first.",
    ),
    Rule(
        id="LambdaPermissionBound",
        resource_type="AWS::Lambda::Permission",
        requirement=Code(_permission, "It depends on who the principal is."),
        severity=ERROR,
        control="I3",
        threats=(API_ABUSE, HIJACK),
        title="A function is invoked for sources of ours only",
        why="Another account can let the service invoke it in its name.",
        fix="Set SourceArn, SourceAccount or PrincipalOrgID.",
        standards=("Lambda.1",),
    ),
    Rule(
        id="LambdaUrlAuthorized",
        resource_type="AWS::Lambda::Url",
        requirement=At("AuthType", Equals("AWS_IAM")),
        severity=FATAL,
        control="G2",
        threats=(API_ABUSE, WALLET),
        title="The address of a function asks who calls",
        why="With NONE it is open to the whole internet.",
        fix="Set AuthType to AWS_IAM.",
    ),
    customer_key(
        "CodeArtifactCustomerKey",
        "AWS::CodeArtifact::Domain",
        "EncryptionKey",
        "The package repository is",
        severity=WARNING,
        control="N8",
    ),
    Rule(
        id="CodeArtifactControlled",
        resource_type="AWS::CodeArtifact::Repository",
        requirement=Code(_external),
        severity=WARNING,
        control="N8",
        threats=(SUPPLY_CHAIN,),
        title="A repository that takes from the internet says who may use it",
        why="A package of the same name on the internet would take the place of ours.",
        fix="Set PermissionsPolicyDocument, and take packages through a repository of their own.",
    ),
    Rule(
        id="CodeArtifactOriginsApart",
        resource_type="AWS::CodeArtifact::PackageGroup",
        requirement=AnyOf(
            At(f"{_ORIGINS}.Publish.RestrictionMode", Equals("BLOCK")),
            At(f"{_ORIGINS}.ExternalUpstream.RestrictionMode", Equals("BLOCK")),
        ),
        severity=WARNING,
        control="N8",
        threats=(SUPPLY_CHAIN,),
        title="Packages of one group are published or fetched, never both",
        why="A package of the same name on the internet would take the place of ours.",
        fix="Set RestrictionMode BLOCK for Publish or for ExternalUpstream; INHERIT allows both in the end.",
    ),
    Rule(
        id="CodeArtifactOriginsNamed",
        resource_type="AWS::CodeArtifact::PackageGroup",
        requirement=Every(
            *(
                At(f"{_ORIGINS}.{kind}.RestrictionMode", Equals("BLOCK", "ALLOW_SPECIFIC_REPOSITORIES"))
                for kind in ("Publish", "ExternalUpstream", "InternalUpstream")
            )
        ),
        severity=WARNING,
        control="N8",
        threats=(SUPPLY_CHAIN,),
        title="Packages come into repositories that are named",
        why="Whoever adds a repository, or a connection to the internet, would bring its packages in unseen.",
        fix="Set RestrictionMode of all three origins to BLOCK or ALLOW_SPECIFIC_REPOSITORIES.",
    ),
)
