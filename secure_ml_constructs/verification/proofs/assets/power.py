"""Power itself: roles that could be assumed, passed or changed, and the network that could be opened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from secure_ml_constructs.verification.proofs.assets.registry import Registry
from secure_ml_constructs.verification.proofs.estate import Endpoint, Place, Role
from secure_ml_constructs.verification.proofs.iam.documents import Kind, parse
from secure_ml_constructs.verification.proofs.iam.domains import ABSENT, exactly, unlike
from secure_ml_constructs.verification.proofs.iam.patterns import ANY
from secure_ml_constructs.verification.proofs.iam.ternary import Unknown
from secure_ml_constructs.verification.proofs.questions.answers import Adversary
from secure_ml_constructs.verification.proofs.questions.credentials import is_kept
from secure_ml_constructs.verification.proofs.questions.deeds import Act, Asset, Deed, Who, one
from secure_ml_constructs.verification.proofs.questions.mentions import (
    accounts_named,
    encryption_contexts,
    providers_named,
)
from secure_ml_constructs.verification.proofs.questions.trust import Trust

# Where AWS takes assertions, in any partition and region. (IAM User Guide: Configure SAML assertions)
_AUDIENCES = ("https://*signin.aws.amazon.com/saml*", "https://*signin.amazonaws*/saml*")
_WITHIN = frozenset({Adversary.INSIDER, Adversary.STOLEN, Adversary.JOB})
_FROM_INSIDE = frozenset({Adversary.JOB})
# IAM User Guide, "Actions, resources, and condition keys for IAM": what gives a role more than it has.
_RAISES = (
    "iam:AttachRolePolicy",
    "iam:DeleteRolePermissionsBoundary",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:UpdateAssumeRolePolicy",
)
# Amazon EC2, likewise: what gives a subnet a way out, or an endpoint another policy.
_ROUTES = {
    "ec2:CreateRoute": "route-table",
    "ec2:ReplaceRoute": "route-table",
    "ec2:AssociateRouteTable": "route-table",
    "ec2:AttachInternetGateway": "vpc",
    "ec2:CreateVpcPeeringConnection": "vpc",
    "ec2:AuthorizeSecurityGroupEgress": "security-group",
    "ec2:AuthorizeSecurityGroupIngress": "security-group",
    "ec2:ModifyVpcEndpoint": "vpc-endpoint",
    "ec2:DeleteVpcEndpoints": "vpc-endpoint",
    "ec2:DeleteFlowLogs": "vpc-flow-log",
}


def role_assets(registry: Registry, trust: Trust) -> Iterator[Asset]:
    """Every role of the templates, and the path where the environment's roles lie."""
    marks, bare = _marks(registry), tuple(_bare(registry))
    for role in registry.estate.roles:
        name = registry.name(role.resource)
        account = registry.estate.place(role.resource).account
        if isinstance(role.arn, Unknown):
            yield Asset(name, "role", (), role.resource, account, f"the role's ARN: {role.arn.reason}")
            continue
        deeds = [*_role_deeds(role, role.arn), *_sign_in(role, role.arn, marks)]
        if bare and not (is_kept(role) or trust.trusts(role, registry.estate.place(role.resource))):
            uses = one(*(replace(act, roles=frozenset({role.arn})) for act in bare))
            deeds.append(Deed("use keys outside their purpose", uses, "E1", _FROM_INSIDE, who=Who.NAMED))
        yield Asset(name, "role", tuple(deeds), role.resource, account)
    for path in trust.role_paths:
        for account, partition in _accounts(registry):
            arn = f"arn:{partition}:iam::{account}:role{path}*"
            acts = one(*(Act(action, arn, service="iam") for action in ("iam:CreateRole", *_RAISES)))
            guardrail = f"creating and changing roles under {path} to all but the deploying roles"
            deed = Deed("make a role", acts, "I3", _WITHIN, guardrail=guardrail, by_design=False)
            yield Asset(f"roles under {path}", "role", (deed,), account=account)


def _bare(registry: Registry) -> Iterator[Act]:
    """The use of keys for nothing of what the encryption contexts of their policies say."""
    for key in registry.estate.resources("AWS::KMS::Key"):
        arn, policy = registry.estate.arn(key), registry.policy(key)
        contexts = encryption_contexts(policy) if policy else ()
        if contexts and isinstance(arn, str):
            nothing = dict.fromkeys(contexts, ABSENT)
            for action in ("kms:Decrypt", "kms:GenerateDataKey"):
                yield Act(action, arn, policy, context=nothing, account=registry.estate.place(key).account)


def _role_deeds(role: Role, arn: str) -> Iterator[Deed]:
    assume = Act("sts:AssumeRole", arn, role.trust, service="sts", named=arn)
    yield Deed("assume", ((assume,),), "I3")
    guardrail = "passing and changing the environment's roles to all but the deploying roles"
    passing = Act("iam:PassRole", arn, service="iam", named=arn)
    yield Deed("pass", ((passing,),), "I3", _WITHIN, guardrail=guardrail)
    raises = one(*(Act(action, arn, service="iam") for action in _RAISES))
    yield Deed("make stronger", raises, "I3", _WITHIN, guardrail=guardrail, by_design=False)


def _marks(registry: Registry) -> tuple[str, ...]:
    """The session tags that trusts ask for, by which an identity provider vouches for a second factor."""
    found = {
        line.key
        for role in registry.estate.roles
        for statement in role.trust.statements
        for line in statement.conditions
        if line.key.startswith("aws:requesttag/")
    }
    return tuple(sorted(found))


def _sign_in(role: Role, arn: str, marks: tuple[str, ...]) -> Iterator[Deed]:
    if not any(":saml-provider/" in each for each in providers_named(role.trust)):
        return
    act = Act("sts:AssumeRoleWithSAML", arn, role.trust, service="sts", named=arn)
    outsider = frozenset({Adversary.OUTSIDER})
    # The assertion was meant for another service that trusts the provider. (IAM User Guide: SAML:aud)
    meant = {"saml:aud": unlike(*_AUDIENCES)}
    others = ((replace(act, context=meant),),)
    yield Deed(
        "sign in by an assertion for others", others, "I5", outsider, by_design=False, who=Who.SIGNING_IN
    )
    unmarked = (dict.fromkeys(marks, ABSENT), dict.fromkeys(marks, exactly("something-else")))
    ways = one(*(replace(act, context=each) for each in unmarked))
    yield Deed("sign in without a second factor", ways, "I6", outsider, who=Who.SIGNING_IN)


def network_assets(registry: Registry) -> Iterator[Asset]:
    """Every VPC whose way out could be opened."""
    estate = registry.estate
    for vpc in estate.resources("AWS::EC2::VPC"):
        place = estate.place(vpc)
        head = f"arn:{place.partition}:ec2:{place.region}:{place.account}:"
        acts = one(*(Act(action, f"{head}{kind}/*", service="ec2") for action, kind in _ROUTES.items()))
        guardrail = "opening routes, groups and endpoints to all but the deploying roles"
        deed = Deed("open a way out", acts, "N1", _WITHIN, guardrail=guardrail, by_design=False)
        yield Asset(registry.name(vpc), "network", (deed,), vpc, place.account)


# What carries data along in a request, by the service of the endpoint: the service's own pages.
_CARRIES: dict[str, tuple[tuple[str, str], ...]] = {
    "s3": (("s3:PutObject", "arn:{p}:s3:::?*/*"), ("s3:PutObjectTagging", "arn:{p}:s3:::?*/*")),
    "dynamodb": (("dynamodb:PutItem", "arn:{p}:dynamodb:{r}:{a}:table/*"),),
    "sqs": (("sqs:SendMessage", "arn:{p}:sqs:{r}:{a}:*"),),
    "sns": (("sns:Publish", "arn:{p}:sns:{r}:{a}:*"),),
    "logs": (("logs:PutLogEvents", "arn:{p}:logs:{r}:{a}:log-group:*"),),
    "ecr.api": (("ecr:UploadLayerPart", "arn:{p}:ecr:{r}:{a}:repository/*"),),
    "ecr.dkr": (("ecr:PutImage", "arn:{p}:ecr:{r}:{a}:repository/*"),),
    "secretsmanager": (("secretsmanager:PutSecretValue", "arn:{p}:secretsmanager:{r}:{a}:secret:*"),),
    "ssm": (("ssm:PutParameter", "arn:{p}:ssm:{r}:{a}:parameter/*"),),
    "kms": (("kms:Encrypt", "arn:{p}:kms:{r}:{a}:key/*"),),
    "sts": (("sts:AssumeRole", "arn:{p}:iam::{a}:role/*"),),
    "events": (("events:PutEvents", "arn:{p}:events:{r}:{a}:event-bus/*"),),
    "monitoring": (("cloudwatch:PutDashboard", "arn:{p}:cloudwatch::{a}:dashboard/*"),),
    "lambda": (("lambda:InvokeFunction", "arn:{p}:lambda:{r}:{a}:function:*"),),
    "states": (("states:StartExecution", "arn:{p}:states:{r}:{a}:stateMachine:*"),),
    "kinesis-streams": (("kinesis:PutRecord", "arn:{p}:kinesis:{r}:{a}:stream/*"),),
    "kinesis-firehose": (("firehose:PutRecord", "arn:{p}:firehose:{r}:{a}:deliverystream/*"),),
    "athena": (("athena:StartQueryExecution", "arn:{p}:athena:{r}:{a}:workgroup/*"),),
    "glue": (("glue:PutDataCatalogEncryptionSettings", "arn:{p}:glue:{r}:{a}:catalog"),),
    "sagemaker.api": (("sagemaker:CreateTrainingJob", "arn:{p}:sagemaker:{r}:{a}:training-job/*"),),
    "sagemaker.runtime": (("sagemaker:InvokeEndpoint", "arn:{p}:sagemaker:{r}:{a}:endpoint/*"),),
    "sagemaker.metrics": (("sagemaker:BatchPutMetrics", "arn:{p}:sagemaker:{r}:{a}:*"),),
    "sagemaker.featurestore-runtime": (("sagemaker:PutRecord", "arn:{p}:sagemaker:{r}:{a}:feature-group/*"),),
    "codeartifact.api": (("codeartifact:PutPackageMetadata", "arn:{p}:codeartifact:{r}:{a}:package/*"),),
    "codeartifact.repositories": (
        ("codeartifact:PublishPackageVersion", "arn:{p}:codeartifact:{r}:{a}:package/*"),
    ),
    "bedrock-runtime": (("bedrock:InvokeModel", "arn:{p}:bedrock:{r}:{a}:provisioned-model/*"),),
    "execute-api": (("execute-api:Invoke", "arn:{p}:execute-api:{r}:{a}:*"),),
}
# Whoever carries data out has opened the place that it goes to.
_OPEN = parse(
    {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]},
    Kind.RESOURCE,
    "the policy of the adversary's own resource",
)


def endpoint_assets(registry: Registry, trust: Trust) -> Iterator[Asset]:
    """Every VPC endpoint, as a way to carry data out of the account."""
    for endpoint in registry.estate.endpoints:
        place = registry.estate.place(endpoint.resource)
        name = registry.name(endpoint.resource)
        acts: tuple[Act, ...] = ()
        missing = ""
        if isinstance(endpoint.service, Unknown):
            missing = f"the endpoint's service: {endpoint.service.reason}"
        elif endpoint.type in ("Gateway", "Interface"):
            acts, missing = _carrying(endpoint, place, trust)
        else:
            continue
        deed = Deed("carry data out", one(*acts), "N3", _FROM_INSIDE, by_design=False, who=Who.ANY)
        yield Asset(name, "endpoint", (deed,), endpoint.resource, place.account, missing)


def _carrying(endpoint: Endpoint, place: Place, trust: Trust) -> tuple[tuple[Act, ...], str]:
    """Requests by an endpoint that take data to another account, or why they are not known."""
    service = str(endpoint.service).removesuffix("-fips")
    carries = _CARRIES.get("s3" if service.startswith("s3-global") else service)
    if carries is None:
        # Whatever the service calls its actions, a policy that lists none of them treats them alike.
        listed = {
            pattern
            for document in endpoint.documents
            for statement in document.statements
            for pattern in statement.actions
            if statement.allow and pattern != ANY
        }
        if listed:
            return (), f"which requests to {service} carry data"
        prefix = service.partition(".")[0]
        carries = ((f"{prefix}:Anything", f"arn:{{p}}:{prefix}:{{r}}:{{a}}:anything"),)
    acts = []
    for action, pattern in carries:
        named = accounts_named(endpoint.documents, action)
        strangers = (each for each in named if each not in (place.account, *trust.accounts))
        for account in (trust.stranger(place.account), *strangers):
            arn = pattern.format(p=place.partition, r=place.region, a=account)
            acts.append(
                Act(
                    action,
                    arn,
                    _OPEN,
                    service=str(endpoint.service),
                    account=account,
                    endpoint=str(endpoint.id),
                )
            )
    return tuple(acts), ""


def _accounts(registry: Registry) -> list[tuple[str, str]]:
    places = (registry.estate.place(role.resource) for role in registry.estate.roles)
    return sorted({(place.account, place.partition) for place in places})
