"""Keys, secrets, images, messages, models: what has a policy of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from secure_ml_constructs.verification.proofs.assets.registry import Registry
from secure_ml_constructs.verification.proofs.iam.domains import ABSENT, ANYTHING, Values, exactly
from secure_ml_constructs.verification.proofs.iam.ternary import Unknown
from secure_ml_constructs.verification.proofs.questions.answers import Adversary
from secure_ml_constructs.verification.proofs.questions.deeds import (
    EVERYONE,
    ROTATED_BY,
    Act,
    Asset,
    Deed,
    Who,
    one,
)
from secure_ml_constructs.verification.proofs.questions.mentions import encryption_contexts
from secure_ml_constructs.verification.templates import Resource


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What is asked of one type of resource.

    Attributes:
        type: The type.
        name: What the kind is called.
        endpoint: The VPC endpoint's service by which requests come.
        deeds: Each with the actions that do it and the control that it belongs to.
        key: The property that names the key it is encrypted under; empty where reading asks for none.
        via: The service that uses that key for the caller.
        reads: The deeds that use the key.
        kept: The deeds that no role may be granted by design.
        outside: The deeds that a service does with the role, from outside the network.
        guardrail: What an organization's policy has to deny where the type takes no policy of its own.
    """

    type: str
    name: str
    endpoint: str
    deeds: Sequence[tuple[str, str, Sequence[str]]]
    key: str = ""
    via: str = ""
    reads: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    guardrail: str = ""


_INSIDER = frozenset({Adversary.INSIDER})
_JOB = frozenset({Adversary.JOB})
_WITH_ROLES = frozenset({Adversary.STOLEN, Adversary.JOB})
_STRANGERS = frozenset({Adversary.OUTSIDER, Adversary.INSIDER, Adversary.DEPUTY})
# Service Authorization Reference, the services' own pages.
KINDS = (
    Kind(
        type="AWS::KMS::Key",
        name="key",
        endpoint="kms",
        deeds=(
            ("use", "E1", ("kms:Decrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom")),
            ("destroy", "E1", ("kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:DeleteImportedKeyMaterial")),
            ("take over", "E1", ("kms:PutKeyPolicy",)),
        ),
        kept=("destroy", "take over"),
    ),
    Kind(
        type="AWS::SecretsManager::Secret",
        name="secret",
        endpoint="secretsmanager",
        deeds=(
            ("read", "I8", ("secretsmanager:GetSecretValue",)),
            (
                "replace",
                "I8",
                (
                    "secretsmanager:PutSecretValue",
                    "secretsmanager:UpdateSecret",
                    "secretsmanager:UpdateSecretVersionStage",
                    "secretsmanager:DeleteSecret",
                    "secretsmanager:RotateSecret",
                    "secretsmanager:CancelRotateSecret",
                ),
            ),
            (
                "open up",
                "I8",
                (
                    "secretsmanager:PutResourcePolicy",
                    "secretsmanager:DeleteResourcePolicy",
                    "secretsmanager:ReplicateSecretToRegions",
                    "secretsmanager:RemoveRegionsFromReplication",
                    "secretsmanager:StopReplicationToReplica",
                ),
            ),
        ),
        key="KmsKeyId",
        via="secretsmanager",
        reads=("read",),
        kept=("open up",),
    ),
    Kind(
        type="AWS::ECR::Repository",
        name="images",
        endpoint="ecr.dkr",
        deeds=(
            ("pull", "T2", ("ecr:BatchGetImage",)),
            ("push", "T2", ("ecr:PutImage",)),
            ("delete", "T2", ("ecr:BatchDeleteImage", "ecr:DeleteRepository")),
            ("open up", "T2", ("ecr:SetRepositoryPolicy", "ecr:PutImageTagMutability")),
        ),
        kept=("delete", "open up"),
        # SageMaker pulls with the role of the job, from its own network. (Amazon SageMaker AI: Use a Private
        # Docker Registry for Real-Time Inference Containers)
        outside=("pull",),
    ),
    Kind(
        type="AWS::CodeArtifact::Repository",
        name="packages",
        endpoint="codeartifact.repositories",
        deeds=(
            ("pull", "N8", ("codeartifact:ReadFromRepository", "codeartifact:GetPackageVersionAsset")),
            ("push", "N8", ("codeartifact:PublishPackageVersion", "codeartifact:PutPackageMetadata")),
            (
                "let in",
                "N8",
                (
                    "codeartifact:AssociateExternalConnection",
                    "codeartifact:UpdateRepository",
                    "codeartifact:CopyPackageVersions",
                    "codeartifact:PutPackageOriginConfiguration",
                ),
            ),
            (
                "delete",
                "N8",
                (
                    "codeartifact:DeletePackage",
                    "codeartifact:DeletePackageVersions",
                    "codeartifact:DeleteRepository",
                    "codeartifact:DisassociateExternalConnection",
                    "codeartifact:DisposePackageVersions",
                    "codeartifact:UpdatePackageVersionsStatus",
                ),
            ),
        ),
        kept=("let in", "delete"),
    ),
    Kind(
        type="AWS::CodeArtifact::Domain",
        name="package domain",
        endpoint="codeartifact.api",
        deeds=(
            ("sign in", "N8", ("codeartifact:GetAuthorizationToken",)),
            (
                "regroup",
                "N8",
                (
                    "codeartifact:UpdatePackageGroupOriginConfiguration",
                    "codeartifact:CreatePackageGroup",
                    "codeartifact:DeletePackageGroup",
                    "codeartifact:UpdatePackageGroup",
                ),
            ),
            ("rearrange", "N8", ("codeartifact:CreateRepository", "codeartifact:DeleteDomain")),
        ),
        kept=("regroup", "rearrange"),
    ),
    # CodeArtifact does not ask a policy about its own replacement ("Repository policies", "Domain policies").
    Kind(
        type="AWS::CodeArtifact::Domain",
        name="package domain's policy",
        endpoint="codeartifact.api",
        deeds=(
            (
                "open up",
                "N8",
                ("codeartifact:PutDomainPermissionsPolicy", "codeartifact:DeleteDomainPermissionsPolicy"),
            ),
        ),
        kept=("open up",),
        guardrail="changing the policies of package domains and repositories to all but administrators",
    ),
    Kind(
        type="AWS::CodeArtifact::Repository",
        name="packages' policy",
        endpoint="codeartifact.api",
        deeds=(
            (
                "open up",
                "N8",
                (
                    "codeartifact:PutRepositoryPermissionsPolicy",
                    "codeartifact:DeleteRepositoryPermissionsPolicy",
                ),
            ),
        ),
        kept=("open up",),
        guardrail="changing the policies of package domains and repositories to all but administrators",
    ),
    Kind(
        type="AWS::SNS::Topic",
        name="topic",
        endpoint="sns",
        deeds=(
            ("listen", "X5", ("sns:Subscribe",)),
            ("forge", "X5", ("sns:Publish",)),
            ("silence", "X5", ("sns:DeleteTopic", "sns:SetTopicAttributes")),
            ("open up", "X5", ("sns:AddPermission", "sns:RemovePermission")),
        ),
        kept=("silence", "open up"),
    ),
    Kind(
        type="AWS::SQS::Queue",
        name="queue",
        endpoint="sqs",
        deeds=(
            ("read", "E3", ("sqs:ReceiveMessage",)),
            ("forge", "E3", ("sqs:SendMessage",)),
            ("empty", "E3", ("sqs:PurgeQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes")),
        ),
        key="KmsMasterKeyId",
        via="sqs",
        reads=("read", "forge"),
        kept=("empty",),
    ),
    Kind(
        type="AWS::SageMaker::ModelPackageGroup",
        name="registry",
        endpoint="sagemaker.api",
        deeds=(
            ("approve", "T4", ("sagemaker:UpdateModelPackage",)),
            ("replace", "T4", ("sagemaker:CreateModelPackage", "sagemaker:DeleteModelPackage")),
            (
                "open up",
                "T4",
                ("sagemaker:PutModelPackageGroupPolicy", "sagemaker:DeleteModelPackageGroupPolicy"),
            ),
        ),
        kept=("open up",),
        guardrail="changing the model registry by others than the pipeline's roles",
    ),
    Kind(
        type="AWS::SageMaker::Endpoint",
        name="endpoint",
        endpoint="sagemaker.runtime",
        deeds=(
            (
                "invoke past its door",
                "G2",
                ("sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream"),
            ),
            ("replace", "G8", ("sagemaker:UpdateEndpoint", "sagemaker:DeleteEndpoint")),
        ),
        guardrail="sagemaker:InvokeEndpoint and changes of endpoints to all but the environment's roles",
    ),
    Kind(
        type="AWS::CloudTrail::Trail",
        name="trail",
        endpoint="cloudtrail",
        deeds=(
            ("stop", "A1", ("cloudtrail:StopLogging", "cloudtrail:DeleteTrail")),
            (
                "alter",
                "A1",
                ("cloudtrail:UpdateTrail", "cloudtrail:PutEventSelectors", "cloudtrail:PutInsightSelectors"),
            ),
        ),
        kept=("stop", "alter"),
        guardrail="stopping, deleting and changing trails to all but the deploying roles",
    ),
    Kind(
        type="AWS::Logs::LogGroup",
        name="log group",
        endpoint="logs",
        deeds=(
            ("delete", "A2", ("logs:DeleteLogGroup", "logs:DeleteLogStream", "logs:PutRetentionPolicy")),
            ("unlock", "E3", ("logs:DisassociateKmsKey",)),
        ),
        kept=("delete", "unlock"),
        guardrail="deleting log groups and streams, shortening their retention and taking their key away",
    ),
)


def resource_assets(registry: Registry) -> Iterator[Asset]:
    """Every resource of the kinds of the table."""
    estate = registry.estate
    for kind in KINDS:
        for resource in estate.resources(kind.type):
            arn = estate.arn(resource)
            name = registry.name(resource)
            if isinstance(arn, Unknown):
                yield Asset(name, kind.name, (), resource, missing=f"its ARN: {arn.reason}")
                continue
            account = estate.place(resource).account
            yield Asset(name, kind.name, tuple(_deeds(registry, kind, resource, arn)), resource, account)


def _deeds(registry: Registry, kind: Kind, resource: Resource, arn: str) -> Iterator[Deed]:
    policy = None if kind.guardrail and kind.name != "registry" else registry.policy(resource)
    base = arn.removesuffix(":*")
    act = Act("", base, policy, service=kind.endpoint, named=base)
    if kind.name == "secret":
        act = replace(act, context={ROTATED_BY: _rotated_by(registry, resource)})
    for name, control, actions in kind.deeds:
        besides: tuple[Act, ...] = ()
        if name in kind.reads:
            on_key = "kms:GenerateDataKey" if name == "forge" else "kms:Decrypt"
            besides = registry.through(kind.via, registry.estate.value(resource, kind.key), on_key, resource)
        ways = [
            (replace(act, action=action, resource=about, named=_named(kind, about, base)), *besides)
            for action in actions
            for about in _about(kind, base, action)
        ]
        if kind.name == "key" and name == "use":
            # Without a service between. What is used through one is the business of what that encrypts.
            ways = [(replace(way[0], context={"kms:viaservice": ABSENT}),) for way in ways]
            # A grant is a way to use the key that no policy is asked about again.
            grant = replace(act, action="kms:CreateGrant")
            ways.append((replace(grant, context={"kms:grantisforawsresource": exactly("false")}),))
        yield Deed(
            name,
            tuple(ways),
            control,
            EVERYONE,
            guardrail=kind.guardrail,
            by_design=name not in kind.kept,
            from_outside=name in kind.outside,
        )
    if kind.name == "key":
        through = one(*(replace(act, action=each) for each in ("kms:Decrypt", "kms:GenerateDataKey")))
        yield Deed("use through a service", through, "E1", _STRANGERS)
        direct = tuple((replace(way, context={"kms:viaservice": ABSENT}),) for (way,) in through)
        yield Deed("use directly", direct, "E1", _WITH_ROLES, who=Who.ANY)
        contexts = encryption_contexts(policy) if policy else ()
        if contexts:
            # What is used for workflows or logs says so each time.
            bare = dict.fromkeys(contexts, ABSENT)
            idle = one(*(replace(way, context={**way.context, **bare}) for (way,) in direct))
            yield Deed("use outside its purpose", idle, "E1", _WITH_ROLES, who=Who.ANY)
        yield Deed("use while deploying", direct, "E1", _INSIDER, who=Who.DEPLOYING)
        unasked = (*through, (replace(act, action="kms:CreateGrant"),))
        yield Deed("use without permission", unasked, "I3", _JOB, who=Who.UNPERMITTED)
    if kind.name == "topic":
        plain = replace(act, action="sns:Subscribe", context={"sns:protocol": exactly("http")})
        yield Deed("deliver in plain while deploying", ((plain,),), "E2", _INSIDER, who=Who.DEPLOYING)
    if kind.name == "log group":
        forge = replace(
            act,
            action="logs:PutLogEvents",
            resource=f"{base}:log-stream:*",
            policy=registry.policy(resource),
        )
        yield Deed("forge", ((forge,),), "A2", _JOB | {Adversary.OUTSIDER, Adversary.DEPUTY})


def _rotated_by(registry: Registry, secret: Resource) -> Values:
    """The function that a secret names as the one that rotates it."""
    estate = registry.estate
    names = {estate.attribute(secret, "Ref"), estate.arn(secret)}
    for schedule in estate.resources("AWS::SecretsManager::RotationSchedule"):
        if estate.value(schedule, "SecretId") in names:
            function = estate.value(schedule, "RotationLambdaARN")
            return exactly(function) if isinstance(function, str) else ANYTHING
    return ABSENT


def _named(kind: Kind, about: str, arn: str) -> str:
    """What a grant by name begins with: packages are granted by ARNs of their own."""
    if kind.name == "packages" and ":package/" in about:
        return arn.replace(":repository/", ":package/")
    return arn


def _about(kind: Kind, arn: str, action: str) -> Iterator[str]:
    """What a request is about: packages in place of their group, streams in place of theirs."""
    match kind.name:
        case "registry" if "Group" not in action:
            yield arn.replace(":model-package-group/", ":model-package/") + "/*"
        case "packages" if "Package" in action:
            # Format, namespace and name; pip knows no namespaces.
            yield from (arn.replace(":repository/", ":package/") + path for path in ("/?*/?*/?*", "/?*//?*"))
        case "package domain" if action == "codeartifact:CreateRepository":
            yield arn.replace(":domain/", ":repository/") + "/?*"
        case "package domain" if "PackageGroup" in action:
            yield arn.replace(":domain/", ":package-group/") + "/?*"
        case "log group":
            yield f"{arn}:*" if action != "logs:DeleteLogStream" else f"{arn}:log-stream:*"
        case _:
            yield arn
